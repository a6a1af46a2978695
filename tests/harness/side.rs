//! What a comparison sees of an image: its config, and its files over the base. It can be recorded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use tar::EntryType;

use crate::{
    dockerfiles::BASES,
    image::{Entry, Image},
};

/// An image and what it is built on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The config that containers get.
    pub config: Value,
    /// The files over the base, by absolute path.
    #[serde(serialize_with = "serialize_files")]
    pub files: BTreeMap<String, Item>,
    /// What of the base is not there any more, with all that was below it.
    pub removed: BTreeSet<String>,
    /// The name of the base.
    pub base: String,
}

/// A file, a folder, or something else that has a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Its permissions.
    pub mode: u32,
    /// Its owner and group.
    pub owner: (u64, u64),
    /// Where a link points.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
    /// A file's content.
    #[serde(skip_serializing_if = "Content::is_nothing", default)]
    pub content: Content,
}

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// What a tar archive calls by this byte.
    Other(u8),
}

/// The content of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its SHA-256 digest. Without one, the content is not known.
    pub digest: String,
    /// How many bytes it has.
    pub length: u64,
    /// The content itself, if it is a text. A record has it only where a comparison looks into it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
}

impl Content {
    /// This content.
    pub fn new(bytes: Vec<u8>) -> Self {
        let (digest, length) = (oracle::digest(&bytes), bytes.len() as u64);
        Self { digest, length, text: String::from_utf8(bytes).ok() }
    }

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl From<EntryType> for Kind {
    fn from(kind: EntryType) -> Self {
        match kind {
            EntryType::Regular => Self::File,
            EntryType::Directory => Self::Folder,
            EntryType::Symlink => Self::Symlink,
            other => Self::Other(other.as_byte()),
        }
    }
}

impl Item {
    /// What an image has, or a listing, which knows no content.
    pub fn new(entry: Entry, is_known: bool) -> Self {
        let kind = Kind::from(entry.kind);
        let content = if is_known && kind == Kind::File { Content::new(entry.content) } else { Content::default() };
        Self { kind, mode: entry.mode, owner: entry.owner, link: entry.link, content }
    }
}

impl Side {
    /// Reads an image of the engine's store.
    pub fn read(tag: &str) -> Self {
        let (image, base) = Image::over_one_of(tag, &BASES);
        let merged = image.merged();
        Self {
            config: image.config["config"].clone(),
            files: merged.entries.into_iter().map(|(path, entry)| (path, Item::new(entry, true))).collect(),
            removed: merged.removed,
            base: base.to_owned(),
        }
    }

    /// What is at a path. The content of the base's files is not known.
    pub fn at<'a>(&'a self, base: &'a BTreeMap<String, Item>, path: &str) -> Option<&'a Item> {
        self.files.get(path).or_else(|| base.get(path).filter(|_| !self.has_removed(path)))
    }

    /// The text of a file that a comparison looks into.
    pub fn text(&self, path: &str) -> Option<&str> {
        let item = self.files.get(path)?;
        // Nothing may be taken for empty because it was not recorded.
        Some(item.content.text.as_deref().unwrap_or_else(|| panic!("{path} is no text, or is not recorded")))
    }

    /// Whether a path of the base is not there any more.
    pub fn has_removed(&self, path: &str) -> bool {
        let folders = path.match_indices('/').flat_map(|(at, _)| [&path[..at], &path[..=at]]);
        folders.chain([path]).any(|folder| self.removed.contains(folder))
    }

    /// The folders of virtual environments.
    pub fn environments(&self) -> impl Iterator<Item = String> + '_ {
        self.files.keys().filter_map(|path| path.strip_suffix("/pyvenv.cfg")).map(str::to_owned)
    }
}

/// Records no more content than a comparison looks into.
fn serialize_files<S: Serializer>(files: &BTreeMap<String, Item>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(files.iter().map(|(path, item)| {
        let Item { kind, mode, owner, link, content: Content { digest, length, text } } = item.clone();
        let text = text.filter(|text| is_looked_into(path, text));
        (path, Item { kind, mode, owner, link, content: Content { digest, length, text } })
    }))
}

/// Whether a comparison may look into a file: what is told of a distribution, and scripts, whose form may differ.
fn is_looked_into(path: &str, text: &str) -> bool {
    let folder = path.rsplit_once('/').unwrap_or_default().0;
    folder.ends_with(".dist-info") || folder.ends_with("/bin") && text.starts_with("#!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_all_but_the_texts_that_nothing_looks_into() {
        let item = |text: &str| Item {
            kind: Kind::File,
            mode: 0o644,
            owner: (0, 1000),
            link: None,
            content: Content::new(text.as_bytes().to_vec()),
        };
        let link = Item { kind: Kind::Symlink, link: Some("/usr/bin/python3".to_owned()), ..item("") };
        let files = [
            ("/lib/x-1.dist-info/METADATA", item("Name: x\n")),
            ("/lib/x.py", item("import y\n")),
            ("/venv/bin/x", item("#!/venv/bin/python\n")),
            ("/venv/bin/y", item("\u{7f}ELF")),
            ("/venv/bin/python", Item { content: Content::default(), ..link }),
        ];
        let side = Side {
            config: serde_json::json!({ "Env": ["A=b"] }),
            files: files.map(|(path, item)| (path.to_owned(), item)).into(),
            removed: BTreeSet::from(["/etc/motd".to_owned()]),
            base: "python:3.11".to_owned(),
        };
        let read: Side = serde_json::from_str(&serde_json::to_string(&side).unwrap()).unwrap();
        let mut expected = side;
        for path in ["/lib/x.py", "/venv/bin/y"] {
            expected.files.get_mut(path).unwrap().content.text = None;
        }
        assert_eq!(read, expected);
    }
}
