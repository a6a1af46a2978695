//! The cache folder of one dependency, which concurrent builds share.
//!
//! A file's name is the digest of its content, and the content is verified on every use. So a file that
//! is cut short, by a crash or by a full disk, is the same as no file, and nothing needs to be flushed to
//! disk. Files appear under their name by renaming, when they are complete. Until then they are locked;
//! a file without a lock is what a killed run has left, and is removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::Blob;
use crate::sha256::{Hasher, hex};

/// The start of the names of files that are being written.
const PART: &str = ".part-";

/// The cache folder of one dependency.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The folder of the dependency `name` below `root`. Without such a folder nothing is found and nothing is kept.
    #[must_use]
    pub fn new(root: &Path, name: &str) -> Self {
        Self { folder: root.join(name) }
    }

    /// Whether there is a cache at all.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// The file whose content has the digest `sha256`, verified now.
    #[must_use]
    pub fn find(&self, sha256: &str) -> Option<Blob> {
        let blob = Blob::new(File::open(self.place(sha256)).ok()?).ok()?;
        (digest(blob.clone()).ok()? == sha256).then_some(blob)
    }

    /// A new file in the folder, which disappears unless it is [kept](Part::keep).
    /// What killed runs have left is removed.
    ///
    /// # Errors
    /// There is no folder, or it cannot be written.
    pub fn begin(&self) -> io::Result<Part> {
        self.clean()?;
        for number in 0..10_000 {
            let path = self.folder.join(format!("{PART}{number}"));
            match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // Between creation and lock, another build may take the file for a leftover.
                    if is_locked(&file) && file.metadata()?.nlink() == 1 {
                        return Ok(Part { file, path });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many unfinished files in the cache"))
    }

    fn place(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}.whl"))
    }

    /// Removes unfinished files that no process holds.
    fn clean(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with(PART) {
                continue;
            }
            let path = entry.path();
            let Ok(file) = File::open(&path) else {
                continue;
            };
            // While the lock is held, a path that still leads to this file cannot come to lead to another.
            if is_locked(&file) && is_same(&file, &path) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// Takes the lock on a file, if it is free. It is given back when the file is closed, also by a kill.
fn is_locked(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

fn is_same(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

pub(crate) fn digest(mut blob: Blob) -> io::Result<String> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match blob.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finish())),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// A file that is being written into the cache.
#[derive(Debug)]
pub struct Part {
    file: File,
    path: PathBuf,
}

impl Part {
    /// The file, open for reading and writing.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives the complete file its name. Whatever bore it before is replaced.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn keep(&self, cache: &Cache, sha256: &str) -> io::Result<()> {
        fs::rename(&self.path, cache.place(sha256))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if is_same(&self.file, &self.path) {
            // A leftover does no harm: the next run removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A file in `folder` that has no name, and is gone when it is closed.
///
/// # Errors
/// The folder cannot be written.
pub fn anonymous(folder: &Path) -> io::Result<File> {
    for number in 0..10_000 {
        let path = folder.join(format!(".poetry-buildkit-{number}"));
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
    Err(io::Error::other("too many unfinished files"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn cache() -> (tempfile::TempDir, Cache) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("x")).unwrap();
        let cache = Cache::new(root.path(), "x");
        (root, cache)
    }

    #[test]
    fn a_kept_file_is_found_and_a_dropped_one_is_gone() {
        let (_root, cache) = cache();
        let mut dropped = cache.begin().unwrap();
        let mut part = cache.begin().unwrap();
        part.file().write_all(b"hello").unwrap();
        dropped.file().write_all(b"hel").unwrap();
        assert!(cache.find(HELLO).is_none());
        part.keep(&cache, HELLO).unwrap();
        drop(part);
        drop(dropped);
        assert_eq!(cache.find(HELLO).unwrap().size(), 5);
        assert_eq!(names(&cache.folder), [format!("{HELLO}.whl")]);
    }

    #[test]
    fn a_damaged_file_is_not_found_and_is_replaced() {
        let (_root, cache) = cache();
        fs::write(cache.place(HELLO), "hell").unwrap();
        assert!(cache.find(HELLO).is_none());
        let mut part = cache.begin().unwrap();
        part.file().write_all(b"hello").unwrap();
        part.keep(&cache, HELLO).unwrap();
        assert!(cache.find(HELLO).is_some());
    }

    #[test]
    fn only_leftovers_that_nobody_holds_are_removed() {
        let (_root, cache) = cache();
        fs::write(cache.folder.join(".part-0"), "left by a killed run").unwrap();
        let held = cache.begin().unwrap();
        let other = cache.begin().unwrap();
        assert_ne!(held.path, other.path);
        assert_eq!(names(&cache.folder), [".part-0", ".part-1"]);
        assert_eq!(fs::read(&held.path).unwrap(), b"");
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path(), "x");
        assert!(!cache.exists());
        assert!(cache.find(HELLO).is_none());
        assert!(cache.begin().is_err());
    }

    #[test]
    fn anonymous_files_leave_no_trace() {
        let root = tempfile::tempdir().unwrap();
        let mut one = anonymous(root.path()).unwrap();
        let two = anonymous(root.path()).unwrap();
        one.write_all(b"x").unwrap();
        assert_eq!(two.metadata().unwrap().len(), 0);
        assert!(names(root.path()).is_empty());
    }
}
