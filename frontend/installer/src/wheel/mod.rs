//! Unpacking wheels, which are hostile until proved otherwise.
//!
//! Follows the binary distribution format and, where it leaves room, Poetry. See [`WheelError`] for all that is refused.

mod archive;
pub(crate) mod entry_points;
mod error;
mod layout;
mod metadata;
mod names;
pub(crate) mod record;
mod scripts;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Mutex;

use install_request::{Scheme, Wheel};
use rayon::iter::{ParallelBridge, ParallelIterator};

pub use archive::Limits;
pub use error::WheelError;

use crate::paths::relative;
use crate::sha256::{self, Digest, Hasher};
use crate::{Blob, Tree};
use archive::Archive;
use layout::{Content, Layout, Planned};
use record::Row;
use scripts::Rewriter;

/// A wheel that has passed all checks that are possible without unpacking it.
#[derive(Debug)]
pub struct Prepared {
    archive: Archive,
    layout: Layout,
}

/// What a wheel installed: its files by final path, each with the digest of its content.
pub type Contents = BTreeMap<String, Digest>;

impl Prepared {
    /// Checks the archive and plans where its files go.
    ///
    /// # Errors
    /// The wheel is damaged, hostile, or not what was locked.
    pub fn new(blob: Blob, locked: &Wheel, scheme: &Scheme, python: &str, limits: &Limits) -> Result<Self, WheelError> {
        let (archive, entries) = Archive::open(blob, limits)?;
        let layout = Layout::new(&archive, entries, locked, scheme, python)?;
        Ok(Self { archive, layout })
    }

    /// The final paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let files = self.layout.files.iter().map(|file| file.path.as_str());
        files.chain([self.layout.record.as_str()])
    }

    /// How many of the wheel's files its own RECORD does not list, if there are any.
    #[must_use]
    pub fn unlisted(&self) -> Option<usize> {
        let count = self.layout.unlisted;
        (count > 0).then_some(count)
    }

    /// Unpacks the wheel, but for the files `without`, which are only read and listed in its RECORD.
    ///
    /// Entries are unpacked on all threads of the current pool, the largest first.
    ///
    /// # Errors
    /// The data is damaged, or a file cannot be written.
    pub fn write(&self, tree: &Tree, without: &BTreeSet<String>) -> Result<Contents, WheelError> {
        let mut files: Vec<&Planned> = self.layout.files.iter().collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.content.size()));
        let rows = Mutex::new(Vec::with_capacity(files.len()));
        files.into_iter().par_bridge().try_for_each(|file| {
            let tree = (!without.contains(&file.path)).then_some(tree);
            let row = self.write_file(file, tree)?;
            let mut rows = rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            rows.push((file.path.clone(), row));
            Ok::<_, WheelError>(())
        })?;
        let rows = rows.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut contents: Contents = rows.iter().map(|(path, row)| (path.clone(), row.digest)).collect();
        let rows = rows.into_iter().map(|(path, row)| (relative(&self.layout.site, &path), row)).collect();
        let record = record::write(&rows, &relative(&self.layout.site, &self.layout.record))?;
        contents.insert(self.layout.record.clone(), sha256::digest(&record));
        if !without.contains(&self.layout.record) {
            tree.write(&self.layout.record, &record, false)
                .map_err(|source| unwritable(&self.layout.record, source))?;
        }
        Ok(contents)
    }

    /// Writes the one file `path` in place of what is there.
    ///
    /// # Errors
    /// The data is damaged, or the file cannot be written.
    pub fn replace(&self, tree: &Tree, path: &str) -> Result<(), WheelError> {
        for file in self.layout.files.iter().filter(|file| file.path == path) {
            tree.remove(path).map_err(|source| unwritable(path, source))?;
            self.write_file(file, Some(tree))?;
        }
        Ok(())
    }

    /// Unpacks a file into the tree, or only reads it.
    fn write_file(&self, file: &Planned, tree: Option<&Tree>) -> Result<Row, WheelError> {
        let failed = |source| unwritable(&file.path, source);
        let open = tree.map(|tree| tree.create(&file.path)).transpose();
        let mut open = open.map_err(failed)?;
        let mut size = 0_u64;
        let mut sink = |piece: &[u8]| {
            size += piece.len() as u64;
            match &mut open {
                Some(file) => file.write_all(piece).map_err(failed),
                None => Ok(()),
            }
        };
        let digest = match &file.content {
            Content::Text(text) => {
                sink(text)?;
                sha256::digest(text)
            }
            Content::Entry(entry) => {
                let digest = self.archive.unpack(entry, sink)?;
                self.check_listed(&entry.name, &digest)?;
                digest
            }
            Content::Script(entry) => {
                let mut rewritten = Hasher::new();
                let mut sink = |piece: &[u8]| {
                    rewritten.update(piece);
                    sink(piece)
                };
                let mut rewriter = Rewriter::new(&self.layout.first_line);
                let digest = self.archive.unpack(entry, |piece| rewriter.push(piece, &entry.name, &mut sink))?;
                rewriter.finish(&mut sink)?;
                self.check_listed(&entry.name, &digest)?;
                rewritten.finish()
            }
        };
        if let (Some(tree), Some(open)) = (tree, &open) {
            tree.finish(open, file.executable).map_err(failed)?;
        }
        Ok(Row { digest, size })
    }

    /// Compares an entry's digest with the one that the wheel's RECORD lists, if it lists any.
    fn check_listed(&self, entry: &str, digest: &Digest) -> Result<(), WheelError> {
        let found = record::encode(digest);
        match self.layout.listed.get(entry) {
            Some(Some(expected)) if *expected != found => {
                Err(WheelError::RecordHash { entry: entry.to_owned(), expected: expected.clone(), found })
            }
            _ => Ok(()),
        }
    }
}

impl Content {
    fn size(&self) -> u64 {
        match self {
            Self::Entry(entry) | Self::Script(entry) => entry.size,
            Self::Text(text) => text.len() as u64,
        }
    }
}

/// The text of METADATA in a wheel.
///
/// # Errors
/// The wheel is damaged or hostile, or has no METADATA.
pub(crate) fn metadata_text(blob: Blob) -> Result<String, WheelError> {
    let (archive, entries) = Archive::open(blob, &Limits::default())?;
    let is_metadata = |name: &str| {
        name.split_once('/').is_some_and(|(folder, file)| folder.ends_with(".dist-info") && file == "METADATA")
    };
    let entry = entries.iter().find(|entry| is_metadata(&entry.name));
    let entry = entry.ok_or_else(|| WheelError::MissingFile { file: "METADATA".to_owned() })?;
    Ok(String::from_utf8_lossy(&archive.read(entry, layout::METADATA_LIMIT)?).into_owned())
}

fn unwritable(path: &str, source: std::io::Error) -> WheelError {
    WheelError::Write { path: path.to_owned(), source }
}
