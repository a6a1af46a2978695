//! The user's files as texts that errors and warnings can point into.

use std::{
    fmt,
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use poetry_lock::{InputFile, Span};

/// One of the user's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as the user knows it, relative to the build context.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// The language by its GitHub linguist name, e.g. `TOML`.
    pub language: &'static str,
}

/// A stretch of one of the user's files.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The stretch, in bytes of its text.
    pub range: Range<usize>,
}

/// A line and a column, both counted from 1; the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl SourceFile {
    /// A TOML file.
    #[must_use]
    pub fn toml(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), language: "TOML" })
    }

    /// A file of no language.
    #[must_use]
    pub fn plain(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), language: "Text" })
    }

    /// The position of the byte at `offset`; of the end for any offset behind it.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl SourceFile {
    /// The text with stars for user names and passwords in addresses, each byte for one, so that no excerpt shows them.
    #[must_use]
    pub fn masked(&self) -> String {
        let mut masked = String::with_capacity(self.text.len());
        for part in self.text.split_inclusive("://") {
            let is_address = masked.ends_with("://");
            let end = part.find(|c: char| c == '/' || c == '"' || c == '\'' || c.is_whitespace()).unwrap_or(part.len());
            let credentials = part[..end].rfind('@').filter(|_| is_address).unwrap_or(0);
            masked.push_str(&"*".repeat(credentials));
            masked.push_str(&part[credentials..]);
        }
        masked
    }

    /// The text with all lines emptied but those around `ranges` (lines, from 1), so that a large file need not travel
    /// as a whole and the numbers of lines stay right.
    #[must_use]
    pub fn around(&self, ranges: &[RangeInclusive<usize>]) -> String {
        const MARGIN: usize = 5;
        let Some(last) = ranges.iter().map(|range| range.end() + MARGIN).max() else {
            return String::new();
        };
        let near =
            |line: usize| ranges.iter().any(|range| line + MARGIN >= *range.start() && line <= range.end() + MARGIN);
        let masked = self.masked();
        let lines = masked.split_inclusive('\n').take(last).enumerate();
        lines.map(|(index, text)| if near(index + 1) { text } else { "\n" }).collect()
    }
}

/// The files of a project.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `pyproject.toml`.
    pub pyproject: Option<Arc<SourceFile>>,
    /// `poetry.lock`.
    pub lock: Option<Arc<SourceFile>>,
    /// `poetry.toml`.
    pub poetry_toml: Option<Arc<SourceFile>>,
}

impl Sources {
    /// The place that a span of the poetry-lock crate means.
    #[must_use]
    pub fn place(&self, span: Span) -> Option<Place> {
        let file = match span.file {
            InputFile::Pyproject => &self.pyproject,
            InputFile::Lock => &self.lock,
            InputFile::PoetryToml => &self.poetry_toml,
        };
        Some(Place::new(file.as_ref()?, span.start..span.end))
    }
}

impl Sources {
    /// The line of pyproject.toml that makes it a Poetry project, or its first.
    #[must_use]
    pub fn project(&self) -> Option<Place> {
        let file = self.pyproject.as_ref()?;
        let start = ["[tool.poetry]", "[project]"].into_iter().find_map(|table| file.text.find(table)).unwrap_or(0);
        let length = file.text[start..].lines().next().map_or(0, str::len);
        Some(Place::new(file, start..start + length))
    }
}

impl Place {
    /// A stretch of `file`.
    #[must_use]
    pub fn new(file: &Arc<SourceFile>, range: Range<usize>) -> Self {
        Self { file: Arc::clone(file), range }
    }

    /// Where the stretch begins.
    #[must_use]
    pub fn start(&self) -> Position {
        self.file.position(self.range.start)
    }

    /// Where its last byte is.
    #[must_use]
    pub fn end(&self) -> Position {
        self.file.position(self.range.end.saturating_sub(1).max(self.range.start))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file.name, self.start().line)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}@{:?}", self.range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_and_in_characters() {
        let file = SourceFile::toml("a.toml", "x = 1\né = \"ü\"\n");
        assert_eq!(file.position(0), Position { line: 1, column: 1 });
        assert_eq!(file.position(6), Position { line: 2, column: 1 });
        assert_eq!(file.position(8), Position { line: 2, column: 2 });
        assert_eq!(file.position(7), Position { line: 2, column: 1 });
        assert_eq!(file.position(900).line, 3);
    }

    #[test]
    fn lines_far_away_are_emptied_and_still_counted() {
        let text: String = (1..=100).map(|line| format!("line {line}\n")).collect();
        let file = SourceFile::toml("a.toml", text);
        let around = file.around(&[50..=51]);
        assert_eq!(around.lines().count(), 56);
        assert_eq!(around.lines().nth(49), Some("line 50"));
        assert_eq!(around.lines().nth(43), Some(""));
        assert_eq!(around.lines().nth(44), Some("line 45"));
    }

    #[test]
    fn credentials_in_addresses_are_masked() {
        let masked = |text: &str| SourceFile::toml("a.toml", text).masked();
        assert_eq!(masked("url = \"https://me:pä@x.org/a@b\" # c"), "url = \"https://******@x.org/a@b\" # c");
        let harmless = "a = 'https://x.org/a' # me@x.org https://x.org @";
        assert_eq!(masked(harmless), harmless);
    }

    #[test]
    fn a_place_ends_on_its_last_byte() {
        let file = SourceFile::toml("a.toml", "a\nbc\nd");
        let place = Place::new(&file, 2..5);
        assert_eq!((place.start().line, place.end().line), (2, 2));
        assert_eq!(place.to_string(), "a.toml:2");
    }
}
