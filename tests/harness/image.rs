//! An image as it lies in the engine's store: its config, and every file of the layers over its base.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tar::{Archive, EntryType};

use crate::docker::docker;

/// One platform's image.
#[derive(Debug, Clone)]
pub struct Image {
    /// The architecture.
    pub architecture: String,
    /// The image config.
    pub config: Value,
    /// The layers over the base, the lowest first.
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The digest of the uncompressed layer.
    pub diff_id: String,
    /// Its entries by absolute path.
    pub entries: BTreeMap<String, Entry>,
}

/// An entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryType,
    /// Its permissions.
    pub mode: u32,
    /// Its owner and group.
    pub owner: (u64, u64),
    /// Its modification time, in seconds since 1970.
    pub mtime: u64,
    /// Where a link points.
    pub link: Option<String>,
    /// A file's content.
    pub content: Vec<u8>,
}

impl Image {
    /// The image of a name, for the engine's own platform, which has to be built on the image `base`.
    pub fn over(name: &str, base: &str) -> Self {
        let base = diff_ids(&inspect(base)["RootFS"]["Layers"]);
        let own = diff_ids(&inspect(name)["RootFS"]["Layers"]);
        assert_eq!(own.get(..base.len()), Some(&base[..]), "{name} is not built on {base:?}");
        Saved::new(name).images(|layers| if layers == own { base.len() } else { layers.len() }).remove(0)
    }

    /// The image of a name for the engine's own platform, and the one of several bases that it is built on.
    pub fn over_one_of<'a>(name: &str, bases: &[&'a str]) -> (Self, &'a str) {
        let own = diff_ids(&inspect(name)["RootFS"]["Layers"]);
        let is_below = |base: &&&str| own.starts_with(&diff_ids(&inspect(base)["RootFS"]["Layers"]));
        let base = bases.iter().find(is_below).unwrap_or_else(|| panic!("{name} is built on none of {bases:?}"));
        (Self::over(name, base), base)
    }

    /// The images of a name for all its platforms, with all their layers.
    pub fn platforms(name: &str) -> Vec<Self> {
        Saved::new(name).images(|_| 0)
    }

    /// The files of all layers, a later layer's in front.
    pub fn files(&self) -> BTreeMap<String, Entry> {
        let mut files = BTreeMap::new();
        for layer in &self.layers {
            files.extend(layer.entries.clone());
        }
        files
    }

    /// What a container sees of the layers over the base: files that a later layer takes away are not there, and hard links
    /// are the files that they stand for.
    pub fn merged(&self) -> Merged {
        let mut merged = Merged::default();
        for layer in &self.layers {
            merged.add(layer);
        }
        merged
    }

    /// The digests of the layers over the base.
    pub fn diff_ids(&self) -> Vec<&str> {
        self.layers.iter().map(|layer| layer.diff_id.as_str()).collect()
    }
}

/// The layers over a base, put together.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// The files of these layers.
    pub entries: BTreeMap<String, Entry>,
    /// What of the base is not there any more, with all that was below it.
    pub removed: BTreeSet<String>,
}

impl Merged {
    fn add(&mut self, layer: &Layer) {
        for path in layer.entries.keys() {
            let (folder, name) = path.rsplit_once('/').expect("an absolute path");
            if name == ".wh..wh..opq" {
                self.remove_below(folder);
                self.removed.insert(format!("{folder}/"));
            } else if let Some(name) = name.strip_prefix(".wh.") {
                let path = format!("{folder}/{name}");
                self.remove_below(&path);
                self.entries.remove(&path);
                self.removed.insert(path);
            }
        }
        for (path, entry) in &layer.entries {
            if path.rsplit('/').next().is_some_and(|name| name.starts_with(".wh.")) {
                continue;
            }
            if !entry.kind.is_dir() {
                self.remove_below(path);
            }
            let mut entry = entry.clone();
            if entry.kind == EntryType::Link {
                let target = format!("/{}", entry.link.clone().unwrap_or_default().trim_start_matches('/'));
                if let Some(target) = layer.entries.get(&target).or(self.entries.get(&target)) {
                    entry = target.clone();
                }
            }
            self.entries.insert(path.clone(), entry);
        }
    }

    fn remove_below(&mut self, folder: &str) {
        let start = format!("{folder}/");
        self.entries.retain(|path, _| !path.starts_with(&start));
    }
}

/// All files of an image by absolute path, without their content.
pub fn listing(name: &str) -> BTreeMap<String, Entry> {
    let format = "%y\\t%m\\t%U\\t%G\\t%p\\t%l\\n";
    let text = docker(["run", "--rm", "--network=none", "--entrypoint=find", name, "/", "-xdev", "-printf", format]);
    let line = |line: &str| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().expect("six columns").to_owned();
        let kind = match next().as_str() {
            "d" => EntryType::Directory,
            "l" => EntryType::Symlink,
            _ => EntryType::Regular,
        };
        let mode = u32::from_str_radix(&next(), 8).expect("a mode");
        let owner = (next().parse().expect("an owner"), next().parse().expect("a group"));
        let (path, link) = (next(), Some(next()).filter(|link| !link.is_empty()));
        (path, Entry { kind, mode, owner, mtime: 0, link, content: Vec::new() })
    };
    text.lines().map(line).collect()
}

/// What the engine tells of an image.
pub fn inspect(name: &str) -> Value {
    let mut found: Value = serde_json::from_str(&docker(["image", "inspect", name])).expect("JSON");
    found[0].take()
}

fn diff_ids(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list of layers").iter();
    list.map(|digest| digest.as_str().expect("a digest").to_owned()).collect()
}

/// An OCI layout, read as far as it is asked for.
enum Saved {
    /// In a tar file.
    Archive { file: File, blobs: BTreeMap<String, (u64, u64)> },
    /// The content of containerd's store, and the digest of an image in it.
    Store { folder: PathBuf, digest: String },
}

/// Where an engine of ours has its content, if it has the store of containerd.
const STORE: &str = "data/containerd/daemon/io.containerd.content.v1.content";

impl Saved {
    fn new(name: &str) -> Self {
        // `docker save` writes all layers, which takes by far the most of a comparison.
        let engine = std::env::var_os("POETRY_BUILDKIT_PRIVATE_ENGINE").map(PathBuf::from);
        if let Some(folder) = engine.map(|engine| engine.join(STORE)).filter(|folder| folder.is_dir()) {
            let digest = inspect(name)["Id"].as_str().expect("an id").to_owned();
            if folder.join(blob_path(&digest.as_str().into())).is_file() {
                return Self::Store { folder, digest };
            }
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("image.tar");
        docker(["save", "--output", path.to_str().expect("a path in UTF-8"), name]);
        Self::open(&path)
    }

    fn open(path: &Path) -> Self {
        let file = File::open(path).expect("the saved image");
        let mut archive = Archive::new(BufReader::new(file.try_clone().expect("a second handle")));
        let mut blobs = BTreeMap::new();
        for entry in archive.entries_with_seek().expect("a tar archive") {
            let entry = entry.expect("an entry of a tar archive");
            let path = entry.path().expect("a path").display().to_string();
            blobs.insert(path, (entry.raw_file_position(), entry.size()));
        }
        Self::Archive { file, blobs }
    }

    fn blob(&mut self, path: &str) -> Option<Vec<u8>> {
        match self {
            Self::Archive { file, blobs } => {
                let (start, length) = *blobs.get(path)?;
                file.seek(SeekFrom::Start(start)).expect("the blob");
                let mut content = Vec::new();
                (&*file).take(length).read_to_end(&mut content).expect("the blob");
                Some(content)
            }
            Self::Store { folder, .. } => std::fs::read(folder.join(path)).ok(),
        }
    }

    fn index(&mut self) -> Value {
        match self {
            Self::Archive { .. } => self.document("index.json").expect("an OCI layout"),
            Self::Store { digest, .. } => serde_json::json!({ "manifests": [{ "digest": digest }] }),
        }
    }

    fn document(&mut self, path: &str) -> Option<Value> {
        Some(serde_json::from_slice(&self.blob(path)?).expect("JSON"))
    }

    /// All images; `skip` tells, from the digests of an image's layers, how many of them are not looked into.
    fn images(&mut self, skip: impl Fn(&[String]) -> usize) -> Vec<Image> {
        let index = self.index();
        let mut images = Vec::new();
        let mut open = vec![index];
        while let Some(index) = open.pop() {
            for descriptor in index["manifests"].as_array().expect("a list of manifests") {
                let Some(document) = self.document(&blob_path(&descriptor["digest"])) else {
                    continue;
                };
                if document["manifests"].is_array() {
                    open.push(document);
                } else if descriptor["annotations"]["vnd.docker.reference.type"].is_null() {
                    images.extend(self.image(&document, &skip));
                }
            }
        }
        images.retain(|image| !image.layers.is_empty());
        assert!(!images.is_empty(), "there is no image");
        images
    }

    fn image(&mut self, manifest: &Value, skip: &impl Fn(&[String]) -> usize) -> Option<Image> {
        let config = self.document(&blob_path(&manifest["config"]["digest"]))?;
        let diff_ids = diff_ids(&config["rootfs"]["diff_ids"]);
        let layers = manifest["layers"].as_array().expect("a list of layers").iter().zip(&diff_ids);
        let layers = layers.skip(skip(&diff_ids)).map(|(layer, diff_id)| {
            let layer = read_layer(&self.blob(&blob_path(&layer["digest"])).expect("a layer"));
            assert_eq!(layer.diff_id, *diff_id, "the config tells another digest");
            layer
        });
        let layers = layers.collect();
        Some(Image { architecture: config["architecture"].as_str()?.to_owned(), config, layers })
    }
}

fn read_layer(blob: &[u8]) -> Layer {
    let bytes = if blob.starts_with(&[0x1f, 0x8b]) {
        let mut bytes = Vec::new();
        GzDecoder::new(blob).read_to_end(&mut bytes).expect("a layer in gzip");
        bytes
    } else {
        blob.to_vec()
    };
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut entries = BTreeMap::new();
    for entry in Archive::new(&bytes[..]).entries().expect("a tar archive") {
        let mut entry = entry.expect("an entry of a tar archive");
        let path = entry.path().expect("a path").display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("the content of an entry");
        let header = entry.header();
        entries.insert(
            format!("/{}", path.trim_start_matches("./").trim_matches('/')),
            Entry {
                kind: header.entry_type(),
                mode: header.mode().expect("a mode") & 0o7777,
                owner: (header.uid().expect("an owner"), header.gid().expect("a group")),
                mtime: header.mtime().expect("a time"),
                link: entry.link_name().expect("a link").map(|link| link.display().to_string()),
                content,
            },
        );
    }
    Layer { diff_id: format!("sha256:{digest}"), entries }
}

fn blob_path(digest: &Value) -> String {
    format!("blobs/{}", digest.as_str().expect("a digest").replace(':', "/"))
}
