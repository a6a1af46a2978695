//! The names of archive entries: which are safe to use as paths.

use std::collections::{HashMap, HashSet};

use super::WheelError;

/// The longest path that Linux takes.
const LONGEST: usize = 4095;

/// The entry's name as a relative path with plain components; a folder's name keeps its slash.
///
/// # Errors
/// The name is not UTF-8, absolute, not plain, or too long.
pub(crate) fn check(raw: &[u8]) -> Result<&str, WheelError> {
    let entry = || String::from_utf8_lossy(raw).into_owned();
    if raw.len() > LONGEST {
        let length = raw.len();
        return Err(WheelError::NameTooLong { length, limit: LONGEST });
    }
    let name = std::str::from_utf8(raw).map_err(|_| WheelError::NameNotUtf8 { entry: entry() })?;
    if name.contains('\0') {
        return Err(WheelError::NulByte { entry: entry() });
    }
    if name.contains('\\') {
        return Err(WheelError::Backslash { entry: entry() });
    }
    if name.chars().any(char::is_control) {
        return Err(WheelError::ControlCharacter { entry: entry() });
    }
    if name.starts_with('/') {
        return Err(WheelError::AbsolutePath { entry: entry() });
    }
    for component in name.strip_suffix('/').unwrap_or(name).split('/') {
        match component {
            ".." => return Err(WheelError::ParentComponent { entry: entry() }),
            "" | "." => return Err(WheelError::OddComponent { entry: entry() }),
            _ => {}
        }
    }
    Ok(name)
}

/// Checks that no two names mean the same path, even where case does not count, and that no file is also a folder.
///
/// # Errors
/// [`WheelError::DuplicateEntry`], [`WheelError::CaseCollision`] or [`WheelError::FileAndFolder`].
pub(crate) fn check_all<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), WheelError> {
    let mut files: HashSet<&str> = HashSet::new();
    let mut folders: HashSet<&str> = HashSet::new();
    for name in names {
        let mut path = match name.strip_suffix('/') {
            Some(folder) => {
                folders.insert(folder);
                folder
            }
            None if files.insert(name) => name,
            None => return Err(WheelError::DuplicateEntry),
        };
        while let Some((parent, _)) = path.rsplit_once('/') {
            if !folders.insert(parent) {
                break;
            }
            path = parent;
        }
    }
    if let Some(path) = files.intersection(&folders).min() {
        let path = (*path).to_owned();
        return Err(WheelError::FileAndFolder { path });
    }
    let mut folded: HashMap<String, &str> = HashMap::new();
    let mut paths: Vec<&str> = files.into_iter().chain(folders).collect();
    paths.sort_unstable();
    for path in paths {
        if let Some(first) = folded.insert(path.to_lowercase(), path) {
            return Err(WheelError::CaseCollision { first: first.to_owned(), second: path.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_pass() {
        for name in ["a", "a/b.py", "a/", "a b/ü-1.0.dist-info/RECORD", "..a/b..", "a/..."] {
            assert_eq!(check(name.as_bytes()).unwrap(), name);
        }
    }

    #[test]
    fn each_kind_of_bad_name_has_its_own_error() {
        macro_rules! refused {
            ($name:expr, $variant:ident) => {
                let found = check($name.as_ref()).unwrap_err();
                assert!(matches!(found, WheelError::$variant { .. }), "{found:?}");
            };
        }
        refused!("/etc/passwd", AbsolutePath);
        refused!("//a", AbsolutePath);
        refused!("../a", ParentComponent);
        refused!("a/../b", ParentComponent);
        refused!("a/..", ParentComponent);
        refused!("a/../", ParentComponent);
        refused!("..", ParentComponent);
        refused!("a//b", OddComponent);
        refused!("./a", OddComponent);
        refused!("", OddComponent);
        refused!("a//", OddComponent);
        refused!("a\\b", Backslash);
        refused!("a\0b", NulByte);
        refused!("a\nb", ControlCharacter);
        refused!("a\u{85}b", ControlCharacter);
        refused!([b'a', 0xff], NameNotUtf8);
        refused!("a/".repeat(3000), NameTooLong);
    }

    #[test]
    fn names_that_mean_the_same_path_are_refused() {
        macro_rules! refused {
            ($names:expr, $variant:ident) => {
                let found = check_all($names.into_iter()).unwrap_err();
                assert!(matches!(found, WheelError::$variant { .. }), "{found:?}");
            };
        }
        refused!(["a", "a"], DuplicateEntry);
        refused!(["a/b", "A/b"], CaseCollision);
        refused!(["a/x", "A/y"], CaseCollision);
        refused!(["straße", "STRASSE", "Straße"], CaseCollision);
        refused!(["a", "a/b"], FileAndFolder);
        refused!(["a/b/c", "a/b"], FileAndFolder);
        refused!(["a", "a/"], FileAndFolder);
        check_all(["a/", "a/b", "a/", "a/c", "b"].into_iter()).unwrap();
    }

    proptest! {
        #[test]
        fn whatever_passes_stays_inside_its_folder(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(name) = check(&raw) {
                let path = std::path::Path::new(name);
                prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
