use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use install_request::EPOCH;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use crate::paths::{ancestors, parent};

/// A tree of files with fixed modes and times, in which files stand at their final absolute paths.
///
/// Nothing that exists is overwritten and no link is followed on the way: a path that is taken is an error.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// Each with whether it was made here.
    folders: Mutex<BTreeMap<String, bool>>,
    /// Whether this is the real file system, whose own folders stay as they are.
    in_place: bool,
}

impl Tree {
    /// A tree below the existing folder `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { in_place: root == Path::new("/"), root, folders: Mutex::default() }
    }

    /// Where the final absolute path `path` stands now.
    #[must_use]
    pub fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Creates the folder `path` and those above it.
    ///
    /// # Errors
    /// A component exists and is not a folder, or the file system refuses.
    pub fn folder(&self, path: &str) -> io::Result<()> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if path.is_empty() || folders.contains_key(path) {
            return Ok(());
        }
        let mut wanted: Vec<&str> =
            std::iter::once(path).chain(ancestors(path)).take_while(|folder| !folders.contains_key(*folder)).collect();
        wanted.reverse();
        for folder in wanted {
            let is_new = make_folder(&self.place(folder))?;
            folders.insert(folder.to_owned(), is_new);
        }
        Ok(())
    }

    /// Creates the file `path`, open for writing; its folder is created if need be.
    /// It is complete only after [`finish`](Self::finish).
    ///
    /// # Errors
    /// The path is taken, or the file system refuses.
    pub fn create(&self, path: &str) -> io::Result<File> {
        self.folder(parent(path))?;
        OpenOptions::new().write(true).create_new(true).mode(0o644).open(self.place(path))
    }

    /// Gives a written file its final mode and time.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn finish(&self, file: &File, executable: bool) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH))
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// The path is taken, or the file system refuses.
    pub fn write(&self, path: &str, content: &[u8], executable: bool) -> io::Result<()> {
        let mut file = self.create(path)?;
        file.write_all(content)?;
        self.finish(&file, executable)
    }

    /// Removes the file `path`, so that another can take its place.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.place(path))
    }

    /// Creates the symbolic link `path` that points to `target`.
    ///
    /// # Errors
    /// The path is taken, or the file system refuses.
    pub fn link(&self, path: &str, target: &str) -> io::Result<()> {
        self.folder(parent(path))?;
        let place = self.place(path);
        std::os::unix::fs::symlink(target, &place)?;
        set_times(&place)
    }

    /// Gives all folders their final mode and time; those of the real file system stay as they are. The last thing to do: whatever is created later changes them again.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn seal(&self) -> io::Result<()> {
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        for (folder, _) in folders.iter().filter(|(_, is_new)| **is_new || !self.in_place) {
            let place = self.place(folder);
            fs::set_permissions(&place, Permissions::from_mode(0o755))?;
            set_times(&place)?;
        }
        if self.in_place { Ok(()) } else { set_times(&self.root) }
    }
}

/// Whether the folder is new.
fn make_folder(place: &Path) -> io::Result<bool> {
    match fs::create_dir(place) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::symlink_metadata(place)?.is_dir() {
                Ok(false)
            } else {
                Err(error)
            }
        }
        Err(error) => Err(error),
    }
}

fn set_times(place: &Path) -> io::Result<()> {
    let time = Timespec { tv_sec: EPOCH.cast_signed(), tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    Ok(utimensat(CWD, place, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn everything_has_a_fixed_mode_and_time() {
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::new(root.path());
        tree.write("/app/bin/run", b"x", true).unwrap();
        tree.write("/app/lib/a/data", b"y", false).unwrap();
        tree.link("/app/lib64", "lib").unwrap();
        tree.seal().unwrap();
        for (path, mode) in [
            ("", None),
            ("app", Some(0o40755)),
            ("app/bin", Some(0o40755)),
            ("app/bin/run", Some(0o100_755)),
            ("app/lib/a", Some(0o40755)),
            ("app/lib/a/data", Some(0o100_644)),
            ("app/lib64", None),
        ] {
            let found = fs::symlink_metadata(root.path().join(path)).unwrap();
            assert_eq!(found.mtime(), EPOCH.cast_signed(), "{path}");
            if let Some(mode) = mode {
                assert_eq!(found.mode(), mode, "{path}");
            }
        }
    }

    #[test]
    fn nothing_is_overwritten_and_no_link_is_followed() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::new(root.path());
        tree.write("/a", b"x", false).unwrap();
        assert!(tree.write("/a", b"y", false).is_err());
        assert!(tree.write("/a/b", b"y", false).is_err());
        let target = outside.path().to_str().unwrap();
        std::os::unix::fs::symlink(target, root.path().join("link")).unwrap();
        assert!(tree.write("/link/b", b"y", false).is_err());
        std::os::unix::fs::symlink(outside.path().join("new"), root.path().join("file")).unwrap();
        assert!(tree.write("/file", b"y", false).is_err());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
