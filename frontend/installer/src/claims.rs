//! Which wheel writes a file that several carry.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::paths::ancestors;

/// Final paths, and the wheels (by their number in the request) that carry them.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: HashMap<String, usize>,
    folders: HashMap<String, usize>,
    shared: BTreeMap<String, BTreeSet<usize>>,
}

/// One wheel has a file where another has a folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Clash {
    /// The path.
    pub(crate) path: String,
    /// The other wheel.
    pub(crate) other: usize,
}

impl Claims {
    /// Claims the files of a wheel, and returns those that another wheel claimed before.
    ///
    /// # Errors
    /// A file stands where another file needs a folder.
    pub(crate) fn claim<'a>(
        &self,
        wheel: usize,
        paths: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeSet<String>, Clash> {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *guard;
        let mut taken = BTreeSet::new();
        for path in paths {
            if let Some(other) = state.folders.get(path) {
                return Err(Clash { path: path.to_owned(), other: *other });
            }
            for folder in ancestors(path) {
                if let Some(other) = state.files.get(folder) {
                    return Err(Clash { path: folder.to_owned(), other: *other });
                }
                if state.folders.contains_key(folder) {
                    break;
                }
                state.folders.insert(folder.to_owned(), wheel);
            }
            match state.files.get(path) {
                Some(first) => {
                    let sharers = state.shared.entry(path.to_owned()).or_default();
                    sharers.extend([*first, wheel]);
                    taken.insert(path.to_owned());
                }
                None => {
                    state.files.insert(path.to_owned(), wheel);
                }
            }
        }
        Ok(taken)
    }

    /// The files that several wheels carry: the path, the wheel that claimed it first, and all that carry it.
    pub(crate) fn shared(&self) -> Vec<(String, usize, BTreeSet<usize>)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = state.shared.iter().filter_map(|(path, sharers)| {
            let first = state.files.get(path)?;
            Some((path.clone(), *first, sharers.clone()))
        });
        shared.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_claim_a_path_writes_it() {
        let claims = Claims::default();
        assert!(claims.claim(2, ["/a/x", "/a/y"].into_iter()).unwrap().is_empty());
        let taken = claims.claim(0, ["/a/x", "/b/z"].into_iter()).unwrap();
        assert_eq!(taken, ["/a/x".to_owned()].into());
        assert_eq!(claims.shared(), [("/a/x".to_owned(), 2, [0, 2].into())]);
    }

    #[test]
    fn a_file_and_a_folder_clash_in_either_order() {
        let claims = Claims::default();
        claims.claim(0, ["/a/b"].into_iter()).unwrap();
        let clash = |path: &str| Clash { path: path.to_owned(), other: 0 };
        assert_eq!(claims.claim(1, ["/a/b/c"].into_iter()), Err(clash("/a/b")));
        assert_eq!(claims.claim(1, ["/a"].into_iter()), Err(clash("/a")));
    }
}
