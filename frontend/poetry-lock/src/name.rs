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
}
