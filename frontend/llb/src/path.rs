//! Checks of paths inside file systems of the build.

use crate::Error;

/// An absolute path that has one spelling only.
pub(crate) fn check(what: &'static str, path: &str) -> Result<(), Error> {
    if path.is_empty() {
        return Err(Error::Empty { what: what.to_owned() });
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(Error::RelativePath { what, path: path.to_owned() });
    };
    if !rest.is_empty() && !is_clean(rest) {
        return Err(Error::UncleanPath { what, path: path.to_owned() });
    }
    Ok(())
}

/// Like [`check`], but a slash at the end is allowed: it says that the path is a folder.
pub(crate) fn check_folder(what: &'static str, path: &str) -> Result<(), Error> {
    match path.strip_suffix('/') {
        Some(folder) if !matches!(folder, "" | "/") => check(what, folder),
        _ => check(what, path),
    }
}

/// Whether a relative path has no empty component, no `.` and no `..`.
pub(crate) fn is_clean(relative: &str) -> bool {
    relative.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_one_spelling() {
        for path in ["/", "/a", "/a/b.c/..d"] {
            assert_eq!(check("path", path), Ok(()));
        }
        for path in ["/a/", "//a", "/a//b", "/./a", "/a/.."] {
            let message = check("path", path).unwrap_err().to_string();
            assert!(message.starts_with(&format!("path `{path}` is not in its shortest form")));
        }
        assert_eq!(check("path", "a").unwrap_err().to_string(), "path `a` is not absolute: it must begin with `/`");
        assert_eq!(check("path", "").unwrap_err().to_string(), "path is empty");
    }

    #[test]
    fn a_folder_may_end_in_one_slash() {
        for path in ["/", "/a/", "/a"] {
            assert_eq!(check_folder("path", path), Ok(()));
        }
        assert!(check_folder("path", "/a//").is_err());
        assert!(check_folder("path", "//").is_err());
    }
}
