//! Reading a zip archive that may be hostile.
//!
//! The archive's directory is checked as a whole before any data is read: names, kinds, sizes, and that
//! the local headers say the same as the central directory. As pip does, bytes before the first entry
//! and up to 64 KiB after the directory are tolerated, as long as no second set of entries hides in
//! front. Sizes are counted while data is inflated; a header is never taken at its word.

use std::io::{self, Read};
use std::sync::Arc;

use zip::read::{ZipArchiveMetadata, ZipFileEntry};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use super::{WheelError, names};
use crate::Blob;
use crate::sha256::{Digest, Hasher};

/// Unpacked data is handed on in pieces of at most this size.
const BUFFER: usize = 128 << 10;

/// What an archive may hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Bytes of one unpacked entry.
    pub entry: u64,
    /// Bytes of all unpacked entries.
    pub total: u64,
    /// An entry may unpack to this many times its compressed size.
    pub ratio: u64,
    /// Below this many unpacked bytes the ratio is not looked at.
    pub ratio_floor: u64,
}

impl Default for Limits {
    /// Several times what the largest wheels known need.
    fn default() -> Self {
        Self { entries: 500_000, entry: 16 << 30, total: 32 << 30, ratio: 200, ratio_floor: 256 << 20 }
    }
}

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number in the archive.
    pub(crate) index: usize,
    /// Its path, relative and plain.
    pub(crate) name: String,
    /// Its unpacked size.
    pub(crate) size: u64,
    /// Whether the archive marks it as executable, by the rule that pip and Poetry share.
    pub(crate) executable: bool,
    /// Whether the archive was made on a system without Unix modes.
    pub(crate) modeless: bool,
}

/// An archive whose directory has passed all checks.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    directory: Arc<ZipArchiveMetadata>,
    blob: Blob,
}

impl Archive {
    /// Opens an archive and lists its files in their order.
    ///
    /// # Errors
    /// The directory is damaged or hostile.
    pub(crate) fn open(blob: Blob, limits: &Limits) -> Result<(Self, Vec<Entry>), WheelError> {
        let mut zip = ZipArchive::new(blob.clone()).map_err(unreadable)?;
        let directory = zip.metadata();
        if directory.has_duplicate_names() {
            return Err(WheelError::DuplicateEntry);
        }
        if directory.len() > limits.entries {
            return Err(WheelError::TooManyEntries { count: directory.len(), limit: limits.entries });
        }
        let entries = list(&directory, limits)?;
        if let Err(error) = zip.validate_header_consistency() {
            return Err(match zip.has_overlapping_entries() {
                Ok(true) => WheelError::Overlap,
                _ => WheelError::HeaderMismatch { detail: error.to_string() },
            });
        }
        Ok((Self { directory, blob }, entries))
    }

    /// Hands the unpacked data of `entry` to `sink` piece by piece, and returns its sha256.
    ///
    /// # Errors
    /// The data is damaged, or `sink` fails.
    pub(crate) fn unpack(
        &self,
        entry: &Entry,
        mut sink: impl FnMut(&[u8]) -> Result<(), WheelError>,
    ) -> Result<Digest, WheelError> {
        let damaged = |detail: String| WheelError::Corrupt { entry: entry.name.clone(), detail };
        let mut blob = self.blob.clone();
        let mut data = self
            .directory
            .entry(entry.index)
            .and_then(|found| found.with_reader(&mut blob, ZipReadOptions::new()))
            .map_err(|error| damaged(error.to_string()))?;
        let mut hasher = Hasher::new();
        let mut left = entry.size;
        let size = usize::try_from(entry.size.saturating_add(1)).unwrap_or(BUFFER);
        let mut buffer = vec![0; size.min(BUFFER)];
        let wrong_size = || WheelError::SizeMismatch { entry: entry.name.clone(), declared: entry.size };
        loop {
            let count = match data.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(read_error(entry, &error)),
            };
            left = left.checked_sub(count as u64).ok_or_else(wrong_size)?;
            let piece = buffer.get(..count).unwrap_or_default();
            hasher.update(piece);
            sink(piece)?;
        }
        if left != 0 {
            return Err(wrong_size());
        }
        Ok(hasher.finish())
    }

    /// The whole of a small entry.
    ///
    /// # Errors
    /// The data is damaged, or longer than `limit`.
    pub(crate) fn read(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>, WheelError> {
        if entry.size > limit {
            return Err(WheelError::EntryTooLarge { entry: entry.name.clone(), size: entry.size, limit });
        }
        let mut content = Vec::new();
        self.unpack(entry, |piece| {
            content.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(content)
    }
}

fn list(directory: &ZipArchiveMetadata, limits: &Limits) -> Result<Vec<Entry>, WheelError> {
    let mut entries = Vec::with_capacity(directory.len());
    let mut folders = Vec::new();
    let mut total = 0_u64;
    for index in 0..directory.len() {
        let found = directory.entry(index).map_err(unreadable)?;
        let name = names::check(found.name_raw())?;
        check_kind(name, &found)?;
        if name.ends_with('/') {
            folders.push(name.to_owned());
            continue;
        }
        check_size(name, &found, limits)?;
        total = total.saturating_add(found.size());
        let mode = found.external_attributes() >> 16;
        entries.push(Entry {
            index,
            name: name.to_owned(),
            size: found.size(),
            executable: mode & S_IFMT == S_IFREG && mode & 0o111 != 0,
            modeless: mode == 0,
        });
    }
    if total > limits.total {
        let limit = limits.total;
        return Err(WheelError::TotalTooLarge { limit });
    }
    let files = entries.iter().map(|entry| entry.name.as_str());
    names::check_all(files.chain(folders.iter().map(String::as_str)))?;
    Ok(entries)
}

const S_IFMT: u32 = 0o170_000;
const S_IFREG: u32 = 0o100_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFLNK: u32 = 0o120_000;

fn check_kind(name: &str, found: &ZipFileEntry<'_>) -> Result<(), WheelError> {
    let entry = name.to_owned();
    let mode = found.external_attributes() >> 16;
    let folder = name.ends_with('/');
    match mode & S_IFMT {
        S_IFLNK => return Err(WheelError::Symlink { entry }),
        0 => {}
        S_IFREG if !folder => {}
        S_IFDIR if folder => {}
        _ => return Err(WheelError::SpecialFile { entry, mode }),
    }
    if folder && found.size() != 0 {
        return Err(WheelError::FolderWithData { entry });
    }
    if found.encrypted() {
        return Err(WheelError::Encrypted { entry });
    }
    match found.compression() {
        CompressionMethod::Stored | CompressionMethod::Deflated => Ok(()),
        method => Err(WheelError::Compression { entry, method: method.to_string() }),
    }
}

fn check_size(name: &str, found: &ZipFileEntry<'_>, limits: &Limits) -> Result<(), WheelError> {
    let (size, compressed) = (found.size(), found.compressed_size());
    let entry = name.to_owned();
    if size > limits.entry {
        let limit = limits.entry;
        return Err(WheelError::EntryTooLarge { entry, size, limit });
    }
    if size > limits.ratio_floor && size / compressed.max(1) > limits.ratio {
        return Err(WheelError::Ratio { entry, compressed, size });
    }
    Ok(())
}

fn unreadable(error: ZipError) -> WheelError {
    match error {
        ZipError::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => WheelError::Read { source },
        error => WheelError::NotAnArchive { detail: error.to_string() },
    }
}

/// The reader tells its refusals apart by their text only; the tests in `tests/hostile.rs` watch over it.
fn read_error(entry: &Entry, error: &io::Error) -> WheelError {
    let name = entry.name.clone();
    let detail = error.to_string();
    match detail.as_str() {
        "Invalid checksum" => WheelError::Checksum { entry: name },
        "File is larger than its declared uncompressed size" => {
            WheelError::SizeMismatch { entry: name, declared: entry.size }
        }
        _ => WheelError::Corrupt { entry: name, detail },
    }
}
