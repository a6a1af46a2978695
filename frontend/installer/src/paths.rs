//! Absolute paths of the final image, as text.

/// Whether `path` is absolute and plain: no empty, `.` or `..` component, no NUL or line break, no slash at its end.
pub(crate) fn is_plain_absolute(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| {
        !rest.is_empty()
            && !rest.contains(['\0', '\n', '\r'])
            && rest.split('/').all(|part| !matches!(part, "" | "." | ".."))
    })
}

/// `folder/rest`, where `rest` may be empty.
pub(crate) fn join(folder: &str, rest: &str) -> String {
    let folder = folder.trim_end_matches('/');
    match rest {
        "" => folder.to_owned(),
        rest => format!("{folder}/{rest}"),
    }
}

/// The folder that holds `path`; empty for a path directly below the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// All folders above `path`, the deepest first, without the root.
pub(crate) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(parent(path)), |path| Some(parent(path))).take_while(|path| !path.is_empty())
}

/// How `path` is written when seen from the folder `from`; both are absolute and plain.
pub(crate) fn relative(from: &str, path: &str) -> String {
    let from: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let shared = from.iter().zip(&path).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| "..");
    let down = path.iter().skip(shared).copied();
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_without_detours_are_plain() {
        for good in ["/a", "/app/.venv/lib", "/a b/ü"] {
            assert!(is_plain_absolute(good), "{good}");
        }
        for bad in ["", "/", "a", "/a/", "//a", "/a/../b", "/a/./b", "/a\0b", "/a\nb"] {
            assert!(!is_plain_absolute(bad), "{bad:?}");
        }
    }

    #[test]
    fn relative_paths_climb_to_the_shared_folder() {
        let site = "/app/.venv/lib/python3.11/site-packages";
        assert_eq!(relative(site, "/app/.venv/bin/x"), "../../../bin/x");
        assert_eq!(relative(site, &join(site, "a/b.py")), "a/b.py");
    }

    #[test]
    fn ancestors_end_below_the_root() {
        let found: Vec<_> = ancestors("/a/b/c").collect();
        assert_eq!(found, ["/a/b", "/a"]);
        assert_eq!(ancestors("/a").count(), 0);
    }
}
