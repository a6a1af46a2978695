use std::fmt;

/// The normalized name of a package, a dependency group or an extra (PEP 503, PEP 685, PEP 735):
/// lower case, every run of `-`, `_` and `.` replaced by one `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Normalizes any spelling. Never fails: whether the spelling is a legal name is another
    /// question, see [`is_valid_name`].
    ///
    /// ```
    /// assert_eq!(poetry_lock::Name::new("Jaraco._.Classes").as_str(), "jaraco-classes");
    /// ```
    #[must_use]
    pub fn new(raw: &str) -> Self {
        let mut normalized = String::with_capacity(raw.len());
        let mut separated = false;
        for character in raw.chars() {
            if matches!(character, '-' | '_' | '.') {
                if !separated {
                    normalized.push('-');
                }
                separated = true;
            } else {
                // Nearly all names are ASCII, for which this is much faster.
                match character.is_ascii() {
                    true => normalized.push(character.to_ascii_lowercase()),
                    false => normalized.extend(character.to_lowercase()),
                }
                separated = false;
            }
        }
        Self(normalized)
    }

    /// The normalized spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether `raw` is a legal distribution name (PEP 508): ASCII letters, digits, `-`, `_` and `.`,
/// with a letter or digit at both ends.
#[must_use]
pub fn is_valid_name(raw: &str) -> bool {
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = raw.as_bytes();
    end(bytes.first())
        && end(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// The member of `known` that is spelled most like `wanted`, if it is close enough to be a slip
/// of the pen.
pub(crate) fn nearest<'a>(wanted: &Name, known: impl IntoIterator<Item = &'a Name>) -> Option<&'a Name> {
    let limit = 1 + wanted.0.len() / 4;
    known
        .into_iter()
        .map(|name| (edit_distance(&wanted.0, &name.0), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance in characters.
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut last = line + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right.chars()) {
            let substituted = diagonal + usize::from(a != b);
            diagonal = *cell;
            last = substituted.min(last + 1).min(*cell + 1);
            *cell = last;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_separators_become_one_dash() {
        assert_eq!(Name::new("Foo--_.bar").as_str(), "foo-bar");
        assert_eq!(Name::new("CacheControl").as_str(), "cachecontrol");
    }

    #[test]
    fn names_must_begin_and_end_with_a_letter_or_digit() {
        assert!(is_valid_name("a.b-c_1"));
        for bad in ["", "-a", "a-", "a b", "{{ name }}", "ä"] {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }

    #[test]
    fn edit_distance_counts_single_edits() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("docs", "doc"), 1);
    }

    #[test]
    fn only_close_names_are_suggested() {
        let known = [Name::new("docs"), Name::new("dev"), Name::new("test")];
        assert_eq!(nearest(&Name::new("doc"), &known), Some(&known[0]));
        assert_eq!(nearest(&Name::new("tests"), &known), Some(&known[2]));
        assert_eq!(nearest(&Name::new("production"), &known), None);
    }
}
