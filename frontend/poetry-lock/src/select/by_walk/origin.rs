//! Whether a locked entry is what a dependency asks for.

use super::states::States;
use crate::lock::LockVersion;
use crate::{Dependency, GitReference, LockedPackage, Origin, Source};

/// The entries that satisfy a dependency, by version and by origin. `base` is the folder that its
/// paths are relative to.
pub(super) fn satisfying(
    packages: &[&LockedPackage],
    dependency: &Dependency,
    base: &str,
    lock: LockVersion,
) -> States {
    let having = |fits: &dyn Fn(&LockedPackage) -> bool| {
        let fitting = packages.iter().enumerate().filter(|(_, package)| fits(package));
        fitting.fold(States::EMPTY, |states, (entry, _)| states.union(States::entry(entry)))
    };
    let states = having(&|package| {
        dependency.constraint.allows(&package.version) && is_origin(package, &dependency.origin, base)
    });
    // Locks of version 1.0 have the commit where later ones have the branch or tag.
    if let (true, Origin::Git { url, .. }) = (states.is_empty() && lock <= LockVersion::V1_0, &dependency.origin) {
        return having(
            &|package| matches!(&package.source, Source::Git { url: locked, .. } if same_repository(url, locked)),
        );
    }
    states
}

/// The folder of a package that is one: what the paths of its dependencies are relative to.
pub(super) fn folder(package: &LockedPackage) -> &str {
    match &package.source {
        Source::Directory { path } => path,
        _ => "",
    }
}

fn is_origin(package: &LockedPackage, origin: &Origin, base: &str) -> bool {
    match (origin, &package.source) {
        (Origin::Index { source: None }, _) => true,
        (Origin::Index { source: Some(name) }, Source::Default) => name.eq_ignore_ascii_case("pypi"),
        (Origin::Index { source: Some(name) }, Source::Index { name: locked, .. }) => {
            name.to_lowercase() == locked.to_lowercase()
        }
        (
            Origin::Git { url, reference, subdirectory },
            Source::Git { url: locked_url, reference: locked, resolved_reference, subdirectory: locked_subdirectory },
        ) => {
            let commit = resolved_reference.as_deref().unwrap_or_default();
            same_repository(url, locked_url)
                && subdirectory.as_deref().unwrap_or_default() == locked_subdirectory.as_deref().unwrap_or_default()
                && same_reference(reference, locked, commit)
        }
        (Origin::Path { path, subdirectory }, Source::Directory { path: locked }) => {
            same_path(&resolved(base, path, subdirectory.as_deref().unwrap_or_default()), &resolved("", locked, ""))
        }
        (Origin::Path { path, .. }, Source::File { path: locked, .. }) => {
            same_path(&resolved(base, path, ""), &resolved("", locked, ""))
        }
        (Origin::Url { url, .. }, Source::Url { url: locked, .. }) => {
            let plain = |url: &str| url.split('#').next().unwrap_or_default().to_owned();
            plain(url) == plain(locked)
        }
        _ => false,
    }
}

/// A commit may be shortened on either side.
fn same_reference(reference: &GitReference, locked: &str, commit: &str) -> bool {
    let wanted = reference.as_str();
    wanted.starts_with(locked) || locked.starts_with(wanted) || (!commit.is_empty() && commit == wanted)
}

/// Locked paths are relative. Of an absolute one only the last part can be compared, because the
/// folder of the project is not known.
fn same_path(wanted: &[String], locked: &[String]) -> bool {
    let is_absolute = |path: &[String]| path.first().is_some_and(String::is_empty);
    wanted == locked || is_absolute(wanted) != is_absolute(locked) && wanted.last() == locked.last()
}

/// `git@host:path` and `ssh://git@host/path` are written alike; a missing host is written `None`.
fn same_repository(one: &str, other: &str) -> bool {
    let plain = |url: &str| {
        let url = url.strip_prefix("git+").unwrap_or(url);
        let (scheme, rest) = url.split_once("://").unwrap_or(("ssh", url));
        let rest = rest.strip_prefix("None/").map(|path| format!("/{path}")).unwrap_or_else(|| rest.to_owned());
        let separated = if url.contains("://") { rest } else { rest.replacen(':', "/", 1) };
        format!("{scheme}://{separated}")
    };
    plain(one) == plain(other)
}

/// `base` joined with `path` and `subdirectory`, without `.`, and without `..` where that is
/// possible.
fn resolved(base: &str, path: &str, subdirectory: &str) -> Vec<String> {
    let base = if path.starts_with('/') { "" } else { base };
    let mut parts: Vec<String> = Vec::new();
    if path.starts_with('/') || base.starts_with('/') {
        parts.push(String::new());
    }
    for part in [base, path, subdirectory].into_iter().flat_map(|path| path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            part => parts.push(part.to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_after_resolution() {
        assert_eq!(resolved("libs/a", "../b", ""), resolved("", "libs/b", ""));
        assert_eq!(resolved("", "./x/", "sub"), resolved("", "x/sub", ""));
        assert_eq!(resolved("../x", "../../y", ""), resolved("", "../../y", ""));
        assert!(!same_path(&resolved("", "a/x", ""), &resolved("", "b/x", "")));
        assert!(same_path(&resolved("", "/a/x", ""), &resolved("", "b/x", "")));
    }

    #[test]
    fn repositories_are_compared_whatever_the_spelling() {
        assert!(same_repository("git@example.org:a/b.git", "ssh://git@example.org/a/b.git"));
        assert!(same_repository("file:///srv/b", "file://None/srv/b"));
        assert!(!same_repository("https://example.org/a", "https://example.org/b"));
    }

    #[test]
    fn commits_may_be_shortened() {
        let revision = |text: &str| GitReference::Revision(text.into());
        assert!(same_reference(&revision("abc"), "abcdef", ""));
        assert!(same_reference(&GitReference::Branch("main".into()), "main", "abc"));
        assert!(same_reference(&revision("abcdef"), "v1", "abcdef"));
        assert!(!same_reference(&GitReference::Default, "main", "abc"));
    }
}
