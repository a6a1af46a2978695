//! The engine and the base images: what they are, as inputs of records.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use oracle::{inputs::Inputs, judge::Oracle};

use super::known;
use crate::{
    docker::docker,
    image::{self, inspect},
    side::Item,
};

/// The form of everything that is recorded here. It is raised when builds are started in another way, or when more is recorded.
const FORM: &str = "1: --provenance=false --network=host";

/// Adds the engine: its version and its image store, which decide how steps run and layers are made.
pub fn add_engine(inputs: &mut Inputs) {
    static ENGINE: OnceLock<[String; 2]> = OnceLock::new();
    let [version, driver] = ENGINE.get_or_init(|| {
        let version = docker(["version", "--format", "{{.Server.Version}} {{.Server.Os}}/{{.Server.Arch}}"]);
        let driver = docker(["info", "--format", "{{.Driver}} {{json .DriverStatus}}"]);
        // The store of containerd tells its name there; the classic one tells things that change.
        let store = if driver.contains("io.containerd") { "containerd" } else { "classic" };
        let driver = driver.split(' ').next().unwrap_or_default();
        [version.trim().to_owned(), format!("{store} {driver}")]
    });
    inputs.add("engine", version);
    inputs.add("image store", driver);
    inputs.add("form of the record", FORM);
}

/// Adds a base image: its layers by their content, and its config.
pub fn add_base(inputs: &mut Inputs, name: &str) {
    static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let content = known.entry(name.to_owned()).or_insert_with(|| {
        let image = inspect(name);
        let parts = ["Architecture", "Os", "Config", "RootFS"].map(|part| image[part].to_string());
        parts.join("\n")
    });
    inputs.add(name, &*content);
}

/// All files of a base image, without their content.
pub fn listing_of(base: &str) -> Arc<BTreeMap<String, Item>> {
    static KNOWN: Mutex<BTreeMap<String, Arc<BTreeMap<String, Item>>>> = Mutex::new(BTreeMap::new());
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let listing = all.entry(base.to_owned()).or_insert_with(|| {
        let mut inputs = Inputs::default();
        add_engine(&mut inputs);
        add_base(&mut inputs, base);
        let (mut record, _) = known(&format!("files of {base}"), inputs, &mut Listing(base)).expect("a listing");
        Arc::new(record.answers.pop().expect("an answer").value)
    });
    Arc::clone(listing)
}

/// Lists the files of a base image in a container. What a container adds to them is the same in every one.
struct Listing<'a>(&'a str);

impl Oracle for Listing<'_> {
    type Answer = BTreeMap<String, Item>;

    fn ask(&mut self) -> Result<Self::Answer, String> {
        Ok(image::listing(self.0).into_iter().map(|(path, entry)| (path, Item::new(entry, false))).collect())
    }

    fn between(&self, one: &Self::Answer, other: &Self::Answer) -> Vec<String> {
        if one == other { Vec::new() } else { vec![format!("{} has other files", self.0)] }
    }
}
