//! The source tree that is built.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use install_request::BuildSource;

use super::{BuildError, unpack};
use crate::Roots;
use crate::fetch::Client;
use crate::obtain::obtain;

/// A source tree.
pub(super) struct SourceTree {
    /// The whole.
    pub(super) tree: PathBuf,
    /// The folder of the project in it.
    pub(super) project: PathBuf,
}

/// The source tree of the package `name`, which can be written.
///
/// # Errors
/// The archive cannot be had, is not the locked one, or is hostile.
pub(super) fn tree(
    name: &str,
    source: &BuildSource,
    editable: bool,
    roots: &Roots,
    client: &Client,
) -> Result<SourceTree, BuildError> {
    let into = roots.work.join("source");
    let (tree, subdirectory) = match source {
        BuildSource::Archive { archive, subdirectory } => {
            let obtained = obtain(name, archive, roots, client)?;
            fs::create_dir_all(&into)?;
            (unpack::unpack(obtained.blob, &archive.file, &into)?, subdirectory)
        }
        // The paths in an editable wheel are those of the tree it was built from.
        BuildSource::Tree { path, subdirectory } if editable => (PathBuf::from(path), subdirectory),
        BuildSource::Tree { path, subdirectory } => {
            copy(Path::new(path), &into)?;
            (into, subdirectory)
        }
    };
    let leaves = |path: &String| path.starts_with('/') || path.split('/').any(|part| part == "..");
    match subdirectory {
        Some(path) if leaves(path) => Err(BuildError::NoProject { folder: path.clone() }),
        Some(path) => Ok(SourceTree { project: tree.join(path), tree }),
        None => Ok(SourceTree { project: tree.clone(), tree }),
    }
}

/// Copies a tree with its links and modes.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
