//! How a failure is shown: this program's output is the error message of `docker build`.

use std::fmt::{self, Display};

/// An error that can explain itself to the person who runs the build. Its `Display` is one sentence without a full stop.
pub trait Explain: Display {
    /// What was expected, what was found, and other facts, as labelled lines.
    fn facts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// What to do.
    fn remedy(&self) -> String;
}

/// A block of text about one failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    title: String,
    lines: Vec<(&'static str, String)>,
}

impl Block {
    /// A block about `error`, which prevented `what`; `context` are lines that come before the error's own.
    pub fn new(what: &str, context: Vec<(&'static str, String)>, error: &dyn Explain) -> Self {
        let mut lines = context;
        lines.extend(error.facts());
        lines.push(("remedy", error.remedy()));
        Self { title: format!("{what}: {error}"), lines }
    }
}

impl Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", printable(&self.title))?;
        let width = self.lines.iter().map(|(label, _)| label.len()).max();
        let width = width.unwrap_or_default();
        for (label, text) in &self.lines {
            for (number, line) in text.lines().enumerate() {
                let label = if number == 0 { *label } else { "" };
                writeln!(f, "  {label:width$}  {}", printable(line))?;
            }
        }
        Ok(())
    }
}

/// The text without control characters, which could rewrite what a terminal shows.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A size in decimal megabytes, e.g. `16.3 MB`.
#[must_use]
pub fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the file is \u{1b}[31mnot what was locked")]
    struct Wrong;

    impl Explain for Wrong {
        fn facts(&self) -> Vec<(&'static str, String)> {
            vec![("expected", "a".into()), ("found", "b\nc".into())]
        }

        fn remedy(&self) -> String {
            "lock again".into()
        }
    }

    #[test]
    fn a_block_is_aligned_and_free_of_control_characters() {
        let context = vec![("file", "x.whl".to_owned())];
        let block = Block::new("x 1 cannot be installed", context, &Wrong);
        insta::assert_snapshot!(block, @r"
        error: x 1 cannot be installed: the file is �[31mnot what was locked
          file      x.whl
          expected  a
          found     b
                    c
          remedy    lock again
        ");
    }

    #[test]
    fn sizes_are_rounded_to_tenths() {
        assert_eq!(megabytes(0), "0.0 MB");
        assert_eq!(megabytes(49_999), "0.0 MB");
        assert_eq!(megabytes(16_349_999), "16.3 MB");
        assert_eq!(megabytes(16_350_000), "16.4 MB");
    }
}
