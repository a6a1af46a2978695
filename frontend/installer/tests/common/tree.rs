//! Folders as values that can be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// A file, folder or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub mode: u32,
    pub mtime: i64,
    pub owner: (u32, u32),
    /// The content of a file or the target of a link.
    pub content: Vec<u8>,
}

impl Node {
    pub fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// All that stands below `root`, by relative path; the root itself is the empty path.
pub fn read(root: &Path) -> BTreeMap<String, Node> {
    let mut nodes = outline(root);
    for (path, node) in nodes.iter_mut().filter(|(_, node)| node.is_file()) {
        node.content = fs::read(root.join(path)).unwrap();
    }
    nodes
}

/// The same without the content of files, for trees that are large.
pub fn outline(root: &Path) -> BTreeMap<String, Node> {
    let mut nodes = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(place) = waiting.pop() {
        let found = fs::symlink_metadata(&place).unwrap();
        let kind = found.file_type();
        let content = if kind.is_dir() {
            waiting.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else if kind.is_symlink() {
            fs::read_link(&place).unwrap().to_str().unwrap().into()
        } else {
            Vec::new()
        };
        let name = place.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        nodes.insert(
            name,
            Node { mode: found.permissions().mode(), mtime: found.mtime(), owner: (found.uid(), found.gid()), content },
        );
    }
    nodes
}
