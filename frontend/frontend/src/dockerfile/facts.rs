//! What is in the file systems of a graph, asked of the daemon. No question is asked twice.
//!
//! The daemon makes a file system to answer: what runs for that has to run for the build anyway.

use std::{cell::RefCell, collections::BTreeMap};

use buildkit_llb::Output;

use super::states::key;
use crate::{
    error::Error,
    gateway::{Bridge, Ref, Stat, is_folder},
};

/// An output of a vertex, and a path in it.
type Place = (String, i64, String);

/// Questions and their answers.
pub(super) struct Facts<'a> {
    bridge: &'a dyn Bridge,
    solved: RefCell<BTreeMap<(String, i64), Ref>>,
    stats: RefCell<BTreeMap<Place, Option<Stat>>>,
    entries: RefCell<BTreeMap<Place, Option<Stat>>>,
    texts: RefCell<BTreeMap<Place, Option<Vec<u8>>>>,
    folders: RefCell<BTreeMap<Place, Vec<String>>>,
}

/// The most links that are followed for one path.
const MAX_LINKS: usize = 20;

impl<'a> Facts<'a> {
    pub(super) fn new(bridge: &'a dyn Bridge) -> Self {
        Self {
            bridge,
            solved: RefCell::default(),
            stats: RefCell::default(),
            entries: RefCell::default(),
            texts: RefCell::default(),
            folders: RefCell::default(),
        }
    }

    async fn solve(&self, state: &Output) -> Result<Option<Ref>, Error> {
        // The empty file system has nothing to be asked for.
        let Some(key) = key(state) else { return Ok(None) };
        if let Some(known) = self.solved.borrow().get(&key) {
            return Ok(Some(known.clone()));
        }
        let solved = self.bridge.solve(state.marshal()?.into()).await?;
        self.solved.borrow_mut().insert(key, solved.clone());
        Ok(Some(solved))
    }

    fn place(state: &Output, path: &str) -> Place {
        let (digest, index) = key(state).unwrap_or_default();
        (digest, index, path.to_owned())
    }

    /// What is at a path, links followed; `None` if nothing is.
    pub(super) async fn stat(&self, state: &Output, path: &str) -> Result<Option<Stat>, Error> {
        let place = Self::place(state, path);
        if let Some(known) = self.stats.borrow().get(&place) {
            return Ok(known.clone());
        }
        let found = match self.solve(state).await? {
            Some(solved) => self.bridge.stat(&solved, path).await?,
            None => None,
        };
        self.stats.borrow_mut().insert(place, found.clone());
        Ok(found)
    }

    /// What is at a path whose folder is no link, the last part not followed; `None` if nothing is.
    pub(super) async fn entry(&self, state: &Output, path: &str) -> Result<Option<Stat>, Error> {
        let place = Self::place(state, path);
        if let Some(known) = self.entries.borrow().get(&place) {
            return Ok(known.clone());
        }
        let (folder, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
        let folder = if folder.is_empty() { "/" } else { folder };
        let found = match self.solve(state).await? {
            // A name with these characters would be a pattern.
            Some(solved) if name.contains(['*', '?', '[', '\\', '!']) => {
                let entries = self.bridge.entries(&solved, folder, "").await?;
                entries.into_iter().find(|entry| entry.path == name)
            }
            Some(solved) => {
                let entries = self.bridge.entries(&solved, folder, name).await?;
                entries.into_iter().find(|entry| entry.path == name)
            }
            None => None,
        };
        self.entries.borrow_mut().insert(place, found.clone());
        Ok(found)
    }

    /// Whether there is anything at a path.
    pub(super) async fn exists(&self, state: &Output, path: &str) -> Result<bool, Error> {
        Ok(self.stat(state, path).await?.is_some())
    }

    /// Whether there is a folder at a path.
    pub(super) async fn is_folder(&self, state: &Output, path: &str) -> Result<bool, Error> {
        Ok(path == "/" || self.stat(state, path).await?.is_some_and(|stat| is_folder(&stat)))
    }

    /// The content of the file at a path; `None` if there is none.
    pub(super) async fn file(&self, state: &Output, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let place = Self::place(state, path);
        if let Some(known) = self.texts.borrow().get(&place) {
            return Ok(known.clone());
        }
        let is_file = self.stat(state, path).await?.is_some_and(|stat| !is_folder(&stat));
        let found = match self.solve(state).await?.filter(|_| is_file) {
            Some(solved) => Some(self.bridge.read_file(&solved, path).await?),
            None => None,
        };
        self.texts.borrow_mut().insert(place, found.clone());
        Ok(found)
    }

    /// The names in a folder, those of folders with a `/` at the end; none if there is no such folder.
    pub(super) async fn names(&self, state: &Output, path: &str) -> Result<Vec<String>, Error> {
        let place = Self::place(state, path);
        if let Some(known) = self.folders.borrow().get(&place) {
            return Ok(known.clone());
        }
        let entries = match self.solve(state).await? {
            Some(solved) => self.bridge.entries(&solved, path, "").await?,
            None => Vec::new(),
        };
        let name = |entry: Stat| if is_folder(&entry) { format!("{}/", entry.path) } else { entry.path };
        let names: Vec<String> = entries.into_iter().map(name).collect();
        self.folders.borrow_mut().insert(place, names.clone());
        Ok(names)
    }

    /// Where a path leads to when all links on its way are followed. What is not there leads nowhere else. `None` if it goes round
    /// in circles.
    pub(super) async fn real_path(&self, state: &Output, path: &str) -> Result<Option<String>, Error> {
        let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).rev().collect();
        let mut waiting: Vec<String> = parts(path);
        let (mut real, mut links) = (String::new(), 0);
        while let Some(part) = waiting.pop() {
            match part.as_str() {
                "." => continue,
                ".." => {
                    real.truncate(real.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let next = format!("{real}/{part}");
            match self.entry(state, &next).await? {
                Some(entry) if !entry.linkname.is_empty() && is_link(&entry) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Ok(None);
                    }
                    if entry.linkname.starts_with('/') {
                        real.clear();
                    }
                    waiting.extend(parts(&entry.linkname));
                }
                _ => real = next,
            }
        }
        Ok(Some(if real.is_empty() { "/".to_owned() } else { real }))
    }

    /// The fields of the entry of a user or group, by name or number.
    pub(super) async fn account(&self, state: &Output, file: &str, name: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(text) = self.file(state, file).await? else { return Ok(None) };
        let text = String::from_utf8_lossy(&text);
        let mut entries = text.lines().map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
        let is_meant =
            |fields: &Vec<String>| [0, 2].iter().any(|column| fields.get(*column).is_some_and(|field| field == name));
        Ok(entries.find(is_meant))
    }

    /// The home that a process of a user has where no variable tells it: that of /etc/passwd, else the root folder.
    pub(super) async fn home(&self, state: &Output, user: &str) -> Result<String, Error> {
        let name = user.split(':').next().filter(|name| !name.is_empty()).unwrap_or("0");
        let fields = self.account(state, "/etc/passwd", name).await?;
        Ok(fields
            .and_then(|fields| fields.get(5).cloned())
            .filter(|home| home.starts_with('/'))
            .unwrap_or("/".to_owned()))
    }
}

/// Whether an entry is a link, by the bit of Go's `fs.FileMode`.
fn is_link(stat: &Stat) -> bool {
    stat.mode & (1 << 27) != 0
}

#[cfg(test)]
mod tests {
    use std::future::Future;

    use buildkit_llb::{Platform, Source};

    use super::*;
    use crate::dockerfile::fake::{Fake, tree::Tree};

    fn fake() -> (Fake, Output) {
        let tree = Tree::default()
            .file("/srv/shop/pyproject.toml", "x")
            .link("/app", "/srv/shop")
            .link("/here", "there")
            .link("/there", "here")
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nshop:x:1001:100::/home/shop:/bin/sh\n");
        let mut fake = Fake::new(Tree::default(), Ok(buildkit_proto::gateway::Result::default()));
        fake.images.insert("/shop:".to_owned(), tree);
        let state = Source::image("docker.io/library/shop:1", Platform::new("linux", "amd64")).output().unwrap();
        (fake, state)
    }

    fn wait<T>(answer: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)
    }

    #[test]
    fn links_are_followed_where_that_is_asked() {
        let (fake, state) = fake();
        let facts = Facts::new(&fake);
        wait(async {
            assert_eq!(
                facts.real_path(&state, "/app/pyproject.toml").await.unwrap().unwrap(),
                "/srv/shop/pyproject.toml"
            );
            assert_eq!(facts.real_path(&state, "/app/../x").await.unwrap().unwrap(), "/srv/x");
            assert_eq!(facts.real_path(&state, "/here").await.unwrap(), None);
            assert!(facts.entry(&state, "/app").await.unwrap().is_some_and(|entry| is_link(&entry)));
            assert!(facts.is_folder(&state, "/app").await.unwrap());
            assert_eq!(facts.file(&state, "/app/pyproject.toml").await.unwrap(), Some(b"x".to_vec()));
            assert_eq!(facts.file(&state, "/app").await.unwrap(), None);
            assert_eq!(facts.names(&state, "/srv").await.unwrap(), ["shop/"]);
            assert_eq!(facts.names(&state, "/none").await.unwrap(), [""; 0]);
        });
    }

    #[test]
    fn users_have_the_home_of_the_password_file() {
        let (fake, state) = fake();
        let facts = Facts::new(&fake);
        wait(async {
            assert_eq!(facts.home(&state, "").await.unwrap(), "/root");
            assert_eq!(facts.home(&state, "1001:0").await.unwrap(), "/home/shop");
            assert_eq!(facts.home(&state, "nobody").await.unwrap(), "/");
            assert_eq!(facts.account(&state, "/etc/passwd", "shop").await.unwrap().unwrap()[2], "1001");
        });
    }

    #[test]
    fn a_file_system_is_solved_once() {
        let (fake, state) = fake();
        let facts = Facts::new(&fake);
        wait(async {
            for path in ["/app", "/srv", "/app"] {
                facts.stat(&state, path).await.unwrap();
                facts.file(&state, path).await.unwrap();
            }
        });
        assert_eq!(fake.solves(), 1);
    }
}
