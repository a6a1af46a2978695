//! A file system in memory.

use std::collections::BTreeMap;

use crate::{gateway::Stat, glob};

/// Bits of Go's `fs.FileMode`.
const FOLDER: u32 = 1 << 31;
const LINK: u32 = 1 << 27;
const STICKY: u32 = 1 << 20;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    File(Vec<u8>),
    Link(String),
}

/// A file, folder or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    kind: Kind,
    mode: u32,
    owner: (u32, u32),
}

/// A file system: what is at which absolute path. The root folder is always there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// With a folder, and those above it.
    pub(crate) fn folder(mut self, path: &str) -> Self {
        self.make(path);
        self
    }

    /// With a file, in folders that are made.
    pub(crate) fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.put(path, Kind::File(content.into()), 0o644);
        self
    }

    /// With a link, in folders that are made.
    pub(crate) fn link(mut self, path: &str, to: &str) -> Self {
        self.put(path, Kind::Link(to.to_owned()), 0o777);
        self
    }

    /// With a folder that everybody may write to.
    pub(crate) fn shared(mut self, path: &str) -> Self {
        self.put(path, Kind::Folder, 0o777 | STICKY);
        self
    }

    /// With all that is in a folder of this machine.
    pub(crate) fn real(mut self, at: &str, folder: &std::path::Path) -> Self {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries.map(|entry| entry.unwrap()) {
            let (path, kind) = (format!("{at}/{}", entry.file_name().to_str().unwrap()), entry.file_type().unwrap());
            if kind.is_dir() {
                self = self.folder(&path).real(&path, &entry.path());
            } else if kind.is_symlink() {
                let to = std::fs::read_link(entry.path()).unwrap();
                self = self.link(&path, to.to_str().unwrap());
            } else {
                self = self.file(&path, std::fs::read(entry.path()).unwrap());
            }
        }
        self
    }

    /// Puts something at a path, in folders that are made.
    fn put(&mut self, path: &str, kind: Kind, mode: u32) {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.make(parent);
        self.0.insert(format!("{parent}/{name}"), Node { kind, mode, owner: (0, 0) });
    }

    /// Makes a folder and those above it; where it really is.
    pub(crate) fn make(&mut self, path: &str) -> String {
        let mut real = String::new();
        for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                real.truncate(real.rfind('/').unwrap_or(0));
                continue;
            }
            let next = format!("{real}/{part}");
            real = match self.resolve(&next) {
                Some(there) => there,
                None => {
                    self.0.insert(next.clone(), Node { kind: Kind::Folder, mode: 0o755, owner: (0, 0) });
                    next
                }
            };
        }
        real
    }

    /// Where a path leads to; the root is empty. `None` if nothing is there.
    fn resolve(&self, path: &str) -> Option<String> {
        let mut waiting: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let (mut real, mut links) = (String::new(), 0);
        while let Some(part) = waiting.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    real.truncate(real.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let next = format!("{real}/{part}");
            match &self.0.get(&next)?.kind {
                Kind::Link(to) => {
                    links += 1;
                    if links > 40 {
                        return None;
                    }
                    if to.starts_with('/') {
                        real.clear();
                    }
                    waiting.extend(to.split('/').rev().map(str::to_owned));
                }
                _ => real = next,
            }
        }
        Some(real)
    }

    /// What is at a path, links followed, as a daemon tells it.
    pub(crate) fn stat(&self, path: &str) -> Option<Stat> {
        let real = self.resolve(path)?;
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if real.is_empty() {
            return Some(Stat { path: name.to_owned(), mode: FOLDER | 0o755, ..Stat::default() });
        }
        Some(self.0[&real].stat(name))
    }

    /// The content of a file, links followed.
    pub(crate) fn read(&self, path: &str) -> Option<&[u8]> {
        match &self.0.get(&self.resolve(path)?)?.kind {
            Kind::File(content) => Some(content),
            _ => None,
        }
    }

    /// What is in a folder; `None` if it is none.
    pub(crate) fn entries(&self, path: &str) -> Option<Vec<Stat>> {
        let real = self.resolve(path)?;
        if !real.is_empty() && self.0[&real].kind != Kind::Folder {
            return None;
        }
        let inside = self.0.iter().filter_map(|(path, node)| {
            let name = path.strip_prefix(&real)?.strip_prefix('/')?;
            (!name.contains('/')).then(|| node.stat(name))
        });
        Some(inside.collect())
    }

    /// Takes away what is at a path, the last part not followed.
    pub(crate) fn remove(&mut self, path: &str) {
        let inside = format!("{path}/");
        self.0.retain(|other, _| other != path && !other.starts_with(&inside));
    }

    /// Takes this path out, as the root of a tree of its own.
    pub(crate) fn below(&self, path: &str) -> Self {
        let Some(real) = self.resolve(path) else { return Self::default() };
        let inside = self.0.iter().filter_map(|(path, node)| {
            let rest = path.strip_prefix(&real)?;
            rest.starts_with('/').then(|| (rest.to_owned(), node.clone()))
        });
        Self(inside.collect())
    }

    /// Lays another tree over this one.
    pub(crate) fn overlay(&mut self, other: &Self) {
        for (path, node) in &other.0 {
            let is_folder = |node: &Node| node.kind == Kind::Folder;
            if self.0.get(path).is_some_and(|own| !is_folder(own) || !is_folder(node)) {
                self.remove(path);
            }
            self.0.insert(path.clone(), node.clone());
        }
    }

    /// What this tree has that a lower one has not, or has differently.
    pub(crate) fn difference(&self, lower: &Self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(path, node)| lower.0.get(*path) != Some(node))
                .map(|(a, b)| (a.clone(), b.clone()))
                .collect(),
        )
    }

    /// Copies from a tree, as BuildKit's file op does.
    pub(crate) fn copy(&mut self, from: &Self, action: &buildkit_proto::pb::FileActionCopy) {
        let (folder, last) = action.src.trim_end_matches('/').rsplit_once('/').unwrap_or(("", &action.src));
        let sources: Vec<String> = match action.allow_wildcard && last.contains(['*', '?', '[']) {
            true => {
                let names = from.entries(folder).unwrap_or_default().into_iter().map(|stat| stat.path);
                names.filter(|name| glob::matches(last, name)).map(|name| format!("{folder}/{name}")).collect()
            }
            false => vec![action.src.clone()],
        };
        for source in sources {
            let Some(real) = from.resolve(&source) else { continue };
            let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let is_folder = real.is_empty() || from.0[&real].kind == Kind::Folder;
            let into = action.dest.ends_with('/') || self.entries(&action.dest).is_some();
            let dest = action.dest.trim_end_matches('/');
            match is_folder {
                true => {
                    let dest =
                        if action.dir_copy_contents || !into { dest.to_owned() } else { format!("{dest}/{name}") };
                    let dest = self.make(&dest);
                    let moved = from.below(&real).0.into_iter().map(|(path, node)| (format!("{dest}{path}"), node));
                    let moved = Self(moved.collect());
                    self.overlay(&moved);
                }
                false => {
                    let dest = if into { format!("{dest}/{name}") } else { dest.to_owned() };
                    let node = from.0[&real].clone();
                    self.put(&dest, node.kind, node.mode);
                }
            }
        }
    }
}

impl Node {
    fn stat(&self, name: &str) -> Stat {
        let (bits, linkname) = match &self.kind {
            Kind::Folder => (FOLDER, String::new()),
            Kind::File(_) => (0, String::new()),
            Kind::Link(to) => (LINK, to.clone()),
        };
        let size = match &self.kind {
            Kind::File(content) => content.len() as i64,
            _ => 0,
        };
        let (uid, gid) = self.owner;
        Stat { path: name.to_owned(), mode: bits | self.mode, uid, gid, size, linkname, ..Stat::default() }
    }
}

#[cfg(test)]
mod tests {
    use buildkit_proto::pb::FileActionCopy;

    use super::*;

    #[test]
    fn links_are_followed_and_kept() {
        let tree =
            Tree::default().file("/usr/bin/python3.11", "x").link("/usr/local/bin/python3", "../../bin/python3.11");
        let tree = tree.link("/loop", "/loop").link("/bin", "usr/bin");
        assert_eq!(tree.read("/usr/local/bin/python3"), Some(&b"x"[..]));
        assert_eq!(tree.read("/bin/python3.11"), Some(&b"x"[..]));
        assert!(tree.stat("/loop").is_none() && tree.stat("/usr/bin").is_some_and(|stat| stat.mode & FOLDER != 0));
        let names = |path: &str| tree.entries(path).unwrap().into_iter().map(|stat| stat.path).collect::<Vec<_>>();
        assert_eq!(names("/"), ["bin", "loop", "usr"]);
        assert_eq!(names("/usr/"), ["bin", "local"]);
        assert!(tree.entries("/usr/local/bin").unwrap()[0].linkname.starts_with(".."));
    }

    #[test]
    fn copies_go_where_they_go_in_a_dockerfile() {
        let from = Tree::default().file("/a/x.toml", "1").file("/a/y.lock", "2").file("/z", "3");
        let copied = |src: &str, dest: &str, contents: bool| {
            let mut tree = Tree::default().folder("/app");
            let (src, dest) = (src.to_owned(), dest.to_owned());
            tree.copy(
                &from,
                &FileActionCopy { src, dest, dir_copy_contents: contents, allow_wildcard: true, ..Default::default() },
            );
            tree.0.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(copied("/a", "/app/", true), ["/app", "/app/x.toml", "/app/y.lock"]);
        assert_eq!(copied("/a", "/app", false), ["/app", "/app/a", "/app/a/x.toml", "/app/a/y.lock"]);
        assert_eq!(copied("/a/*.toml", "/app/", true), ["/app", "/app/x.toml"]);
        assert_eq!(copied("/z", "/app/q", true), ["/app", "/app/q"]);
        assert_eq!(copied("/z", "/app", true), ["/app", "/app/z"]);
    }
}
