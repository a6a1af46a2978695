//! Places in the user's files, which BuildKit shows when a vertex fails.

use std::ops::RangeInclusive;
use std::sync::Arc;

use buildkit_proto::pb;

/// A file that the graph was made from. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFile(Arc<pb::SourceInfo>);

impl SourceFile {
    /// `language` is the name of the language in GitHub's Linguist, e.g. `TOML`; `data` is the whole
    /// file, of which an error shows an excerpt.
    pub fn new(filename: impl Into<String>, language: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(pb::SourceInfo {
            filename: filename.into(),
            data: data.into(),
            definition: None,
            language: language.into(),
        }))
    }

    pub(crate) fn as_pb(&self) -> &pb::SourceInfo {
        &self.0
    }

    /// Whether both are the same file; faster than `==` for clones.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self == other
    }
}

impl From<pb::SourceInfo> for SourceFile {
    fn from(info: pb::SourceInfo) -> Self {
        Self(Arc::new(info))
    }
}

/// Whole lines of a file, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(RangeInclusive<u32>);

impl From<RangeInclusive<u32>> for Lines {
    fn from(lines: RangeInclusive<u32>) -> Self {
        Self(lines)
    }
}

impl From<u32> for Lines {
    fn from(line: u32) -> Self {
        Self(line..=line)
    }
}

impl From<Lines> for pb::Range {
    fn from(Lines(lines): Lines) -> Self {
        let position = |line: u32| pb::Position { line: i32::try_from(line).unwrap_or(i32::MAX), character: 0 };
        Self { start: Some(position(*lines.start())), end: Some(position(*lines.end())) }
    }
}

/// Some places in one file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Location {
    pub(crate) file: SourceFile,
    pub(crate) ranges: Vec<pb::Range>,
}

/// Gathers the places of all vertices of a graph. Files are numbered in the order in which they come up.
#[derive(Default)]
pub(crate) struct SourceMap {
    files: Vec<SourceFile>,
    source: pb::Source,
}

impl SourceMap {
    /// Adds the places of a vertex; those that it has already are left out.
    pub(crate) fn add(&mut self, digest: &str, locations: &[Location]) {
        for Location { file, ranges } in locations {
            let index = self.files.iter().position(|known| known.is(file)).unwrap_or_else(|| {
                self.files.push(file.clone());
                self.files.len() - 1
            });
            let location =
                pb::Location { source_index: i32::try_from(index).unwrap_or(i32::MAX), ranges: ranges.clone() };
            let places = self.source.locations.entry(digest.to_owned()).or_default();
            if !places.locations.contains(&location) {
                places.locations.push(location);
            }
        }
    }

    pub(crate) fn finish(self) -> pb::Source {
        let infos = self.files.iter().map(|file| file.as_pb().clone()).collect();
        pb::Source { infos, ..self.source }
    }
}
