//! The known name that a mistyped one probably meant.

/// The candidate closest to `wanted`, if any is close enough to be worth a suggestion: at most one
/// edit in three characters.
#[must_use]
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::levenshtein(wanted, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= candidate.len().max(wanted.len()) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_close_and_nothing_else() {
        let known = ["entrypoint", "env", "exclude", "extras"];
        assert_eq!(nearest("entry-point", known), Some("entrypoint"));
        assert_eq!(nearest("extra", known), Some("extras"));
        assert_eq!(nearest("volumes", known), None);
        assert_eq!(nearest("", known), None);
    }
}
