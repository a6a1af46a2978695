use std::path::{Path, PathBuf};

use install_request::layout;

/// The folders that a command reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// Receives the result; see [`layout::OUT`].
    pub out: PathBuf,
    /// Receives what the interpreter says; see [`layout::FACTS`].
    pub facts: PathBuf,
    /// Holds one cache folder per dependency; see [`layout::CACHE`].
    pub cache: PathBuf,
    /// Holds one file per build secret; see [`layout::SECRETS`].
    pub secrets: PathBuf,
    /// Holds installed files that are read only; see [`layout::TREE`].
    pub tree: PathBuf,
    /// Is thrown away at the end; see [`layout::WORK`].
    pub work: PathBuf,
    /// Outlives a build; see [`layout::BUILD_CACHE`].
    pub build_cache: PathBuf,
    /// The user and group that foreign code runs as, so that it can read no secret and write no result; `None` for this
    /// process's own.
    pub build_user: Option<u32>,
}

/// A user and group that own nothing. A user namespace that has more than one user usually has the first 65536.
const BUILD_USER: u32 = 65533;

impl Roots {
    /// The places that the frontend mounts, seen from the root folder `root`.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        let place = |path: &str| root.join(path.trim_start_matches('/'));
        Self {
            out: place(layout::OUT),
            facts: place(layout::FACTS),
            cache: place(layout::CACHE),
            secrets: place(layout::SECRETS),
            tree: place(layout::TREE),
            work: place(layout::WORK),
            build_cache: place(layout::BUILD_CACHE),
            // Elsewhere than in a step, this process need not be allowed to change users.
            build_user: (root == Path::new("/")).then_some(BUILD_USER),
        }
    }
}
