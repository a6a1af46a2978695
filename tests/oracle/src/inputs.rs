//! Everything that went into an answer, by name, so that a change can be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::digest;

/// Everything that went into an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs(BTreeMap<String, String>);

/// Longer values are kept as their digest.
const SHORT: usize = 120;

impl Inputs {
    /// Adds one input.
    ///
    /// # Panics
    /// There is one of that name.
    pub fn add(&mut self, name: impl Into<String>, value: impl AsRef<[u8]>) {
        let (name, value) = (name.into(), value.as_ref());
        let short = std::str::from_utf8(value).ok().filter(|text| text.len() <= SHORT);
        let value = short.map_or_else(|| format!("sha256:{}", digest(value)), |text| format!("= {text}"));
        assert!(self.0.insert(name.clone(), value).is_none(), "there are two inputs {name}");
    }

    /// Adds a folder with all that is in it: files with their content and permissions, folders, and links.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn add_folder(&mut self, name: &str, folder: &Path) -> io::Result<()> {
        self.add(name, format!("folder {:o}", fs::metadata(folder)?.permissions().mode() & 0o7777));
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type()?);
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            let mode = entry.metadata()?.permissions().mode() & 0o7777;
            if kind.is_symlink() {
                self.add(name, format!("link {}", fs::read_link(&path)?.display()));
            } else if kind.is_dir() {
                self.add_folder(&name, &path)?;
            } else {
                self.add(name, format!("file {mode:o} {}", digest(&fs::read(&path)?)));
            }
        }
        Ok(())
    }

    /// A short name for all of them.
    pub fn key(&self) -> String {
        let parts = self.0.iter().flat_map(|(name, value)| [name, value]);
        // With lengths, so that no two lists of parts come to the same text.
        let text: String = parts.map(|part| format!("{} {part}\n", part.len())).collect();
        digest(text.as_bytes())[..32].to_owned()
    }

    /// The names of inputs that are not the same.
    pub fn changed_from<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name)).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("shop")).unwrap();
        fs::write(folder.path().join("shop/main.py"), "print(1)\n").unwrap();
        std::os::unix::fs::symlink("shop", folder.path().join("link")).unwrap();
        folder
    }

    fn of(folder: &Path) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.add("Dockerfile", "FROM python\n");
        inputs.add("engine", "x".repeat(500));
        inputs.add_folder("context", folder).unwrap();
        inputs
    }

    #[test]
    fn the_same_has_the_same_key_wherever_it_lies() {
        let (one, other) = (folder(), folder());
        assert_eq!(of(one.path()).key(), of(other.path()).key());
    }

    #[test]
    fn any_change_of_an_input_changes_the_key_and_is_told() {
        type Change = fn(&Path);
        let changes: [(&str, Change); 8] = [
            ("context/shop/main.py", |at| fs::write(at.join("shop/main.py"), "print(2)\n").unwrap()),
            ("context/shop/main.py", |at| {
                fs::set_permissions(at.join("shop/main.py"), fs::Permissions::from_mode(0o755)).unwrap();
            }),
            ("context/shop", |at| fs::set_permissions(at.join("shop"), fs::Permissions::from_mode(0o700)).unwrap()),
            ("context/more", |at| fs::write(at.join("more"), "").unwrap()),
            ("context/empty", |at| fs::create_dir(at.join("empty")).unwrap()),
            ("context/shop/main.py", |at| fs::remove_file(at.join("shop/main.py")).unwrap()),
            ("context/link", |at| {
                fs::remove_file(at.join("link")).unwrap();
                std::os::unix::fs::symlink("shop/main.py", at.join("link")).unwrap();
            }),
            ("context/link", |at| {
                fs::remove_file(at.join("link")).unwrap();
                fs::write(at.join("link"), "shop").unwrap();
            }),
        ];
        for (name, change) in changes {
            let folder = folder();
            let before = of(folder.path());
            change(folder.path());
            let after = of(folder.path());
            assert_ne!(before.key(), after.key(), "{name}");
            assert_eq!(after.changed_from(&before), [name]);
        }
        let mut long = Inputs::default();
        long.add("Dockerfile", "FROM python\n");
        long.add("engine", "x".repeat(501));
        let folder = folder();
        long.add_folder("context", folder.path()).unwrap();
        assert_eq!(long.changed_from(&of(folder.path())), ["engine"]);
    }

    #[test]
    fn names_and_values_do_not_run_into_each_other() {
        let of = |parts: &[(&str, &str)]| {
            let mut inputs = Inputs::default();
            parts.iter().for_each(|(name, value)| inputs.add(*name, value));
            inputs.key()
        };
        assert_ne!(of(&[("a", "b\n3 = c")]), of(&[("a", "b"), ("c", "")]));
        // A short value is not taken for the digest of a long one.
        let long = "x".repeat(500);
        assert_ne!(of(&[("a", &long)]), of(&[("a", &format!("sha256:{}", digest(long.as_bytes())))]));
    }
}
