//! Files that a folder has for a while only.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What a folder lacked of another, and holds as copies until they are taken back.
pub(super) struct Lent {
    /// Files and links.
    files: Vec<PathBuf>,
    /// Folders, each after the one that it is in.
    folders: Vec<PathBuf>,
}

impl Lent {
    /// Copies into `folder` what it lacks of `whole`.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub(super) fn to(folder: &Path, whole: &Path) -> io::Result<Self> {
        let mut lent = Self { files: Vec::new(), folders: Vec::new() };
        lent.copy(folder, whole)?;
        Ok(lent)
    }

    fn copy(&mut self, folder: &Path, whole: &Path) -> io::Result<()> {
        for entry in fs::read_dir(whole)? {
            let entry = entry?;
            let (kind, target) = (entry.file_type()?, folder.join(entry.file_name()));
            let present = fs::symlink_metadata(&target).ok();
            match (kind.is_dir(), present) {
                (true, Some(present)) if present.is_dir() => self.copy(&target, &entry.path())?,
                (_, Some(_)) => {}
                (true, None) => {
                    fs::create_dir(&target)?;
                    self.folders.push(target.clone());
                    self.copy(&target, &entry.path())?;
                }
                (false, None) => {
                    if kind.is_symlink() {
                        symlink(fs::read_link(entry.path())?, &target)?;
                    } else {
                        fs::copy(entry.path(), &target)?;
                    }
                    self.files.push(target);
                }
            }
        }
        Ok(())
    }

    /// Removes the copies, and the folders that hold nothing else.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub(super) fn take_back(self) -> io::Result<()> {
        for file in self.files {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for folder in self.folders.iter().rev() {
            // What is not empty holds what was made meanwhile.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_is_gone_afterwards_and_what_was_made_stays() {
        let (whole, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (whole, folder) = (whole.path(), folder.path());
        fs::create_dir_all(whole.join("a/b")).unwrap();
        fs::create_dir_all(whole.join("c")).unwrap();
        for file in ["a/own", "a/b/lent", "c/lent", "lent"] {
            fs::write(whole.join(file), "whole").unwrap();
        }
        fs::create_dir(folder.join("a")).unwrap();
        fs::write(folder.join("a/own"), "own").unwrap();
        let lent = Lent::to(folder, whole).unwrap();
        assert_eq!(fs::read_to_string(folder.join("a/own")).unwrap(), "own");
        assert_eq!(fs::read_to_string(folder.join("a/b/lent")).unwrap(), "whole");
        fs::write(folder.join("c/made"), "").unwrap();
        fs::remove_file(folder.join("lent")).unwrap();
        lent.take_back().unwrap();
        let names = |path: &str| -> Vec<_> {
            let mut names: Vec<_> =
                fs::read_dir(folder.join(path)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(
            (names(""), names("a"), names("c")),
            (vec!["a".into(), "c".into()], vec!["own".into()], vec!["made".into()])
        );
    }
}
