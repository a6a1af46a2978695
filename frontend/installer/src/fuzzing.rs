//! Ways in for the targets of `fuzz/`, to parsers that are not public; only there with `--cfg fuzzing`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::Blob;
use crate::build::{self, BuildError};
use crate::fetch::Page;
use crate::index::{self, File};
use crate::wheel::{self, WheelError};

/// The files that a page of an index lists.
///
/// # Errors
/// Why it cannot be understood.
pub fn index_page(content_type: &str, url: &str, body: &[u8]) -> Result<Vec<File>, String> {
    index::parse(&Page { url: url.to_owned(), content_type: content_type.to_owned(), body: body.to_owned() })
}

/// The commands in an `entry_points.txt`: name, module and attribute.
///
/// # Errors
/// It is refused.
pub fn entry_points(content: &[u8]) -> Result<Vec<(String, String, String)>, WheelError> {
    let commands = wheel::entry_points::parse(content)?;
    Ok(commands.into_iter().map(|(name, function)| (name, function.module, function.attribute)).collect())
}

/// The paths that a RECORD lists.
///
/// # Errors
/// It is refused.
pub fn record(content: &[u8]) -> Result<BTreeSet<String>, WheelError> {
    Ok(wheel::record::parse(content)?.into_keys().collect())
}

/// A RECORD of empty files at `paths`, and of itself at `record`.
#[must_use]
pub fn write_record(paths: &BTreeSet<String>, record: &str) -> Vec<u8> {
    let row = wheel::record::Row { digest: [0; 32], size: 0 };
    let rows: BTreeMap<String, _> = paths.iter().map(|path| (path.clone(), row)).collect();
    wheel::record::write(&rows, record).unwrap_or_default()
}

/// Unpacks the source distribution `name` into an empty folder, and returns the folder of its tree.
///
/// # Errors
/// It is refused.
pub fn unpack_sdist(archive: Blob, name: &str, into: &Path) -> Result<PathBuf, BuildError> {
    build::unpack::unpack(archive, name, into)
}
