//! The files of the corpus as values.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// An interpreter.
pub(crate) struct CorpusEnvironment {
    pub(crate) markers: BTreeMap<String, String>,
    pub(crate) tags: Vec<String>,
}

/// What Poetry says.
pub(crate) struct Answer {
    pub(crate) poetry: String,
    pub(crate) python: String,
    pub(crate) options: Vec<String>,
    pub(crate) content_hash_ok: Option<bool>,
    pub(crate) root: bool,
    pub(crate) install: Vec<Installed>,
    pub(crate) error: Option<String>,
    pub(crate) needs_network: bool,
}

/// A package that Poetry would install.
pub(crate) struct Installed {
    /// Name, version and source in one line.
    pub(crate) described: String,
    /// The chosen file and those that rank the same.
    pub(crate) files: Vec<String>,
}

impl Answer {
    pub(crate) fn read(file: &Path) -> Self {
        let json: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let text = |key: &str| json[key].as_str().unwrap().to_owned();
        Self {
            poetry: text("poetry"),
            python: text("python"),
            options: strings(&json["options"]),
            content_hash_ok: json["content_hash_ok"].as_bool(),
            root: json["root"].as_bool().unwrap(),
            install: json["install"].as_array().unwrap().iter().map(installed).collect(),
            error: json["error"].as_str().map(str::to_owned),
            needs_network: json["needs_network"].as_bool() == Some(true),
        }
    }
}

/// What a message of Poetry is about.
pub(crate) fn topic(message: &str) -> &'static str {
    [
        ("Unable to read the lock file", "the lock is no TOML"),
        ("Could not parse version constraint", "a constraint"),
        ("The Poetry configuration is invalid", "the project's name"),
        ("version solving failed", "no solution"),
        ("SolverProblemError", "no solution"),
        ("is not allowed by the project", "Python"),
        ("changed significantly", "stale"),
    ]
    .into_iter()
    .find(|(part, _)| message.contains(part))
    .map_or("something else", |(_, topic)| topic)
}

fn installed(json: &Value) -> Installed {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let source = &json["source"];
    let (url, reference) = (text(&source["url"]), text(&source["reference"]));
    let subdirectory = source["subdirectory"].as_str();
    let develop = source["develop"].as_bool() == Some(true);
    let described = match source["type"].as_str() {
        None => "index".to_owned(),
        Some("legacy") => format!("legacy {url} {reference}"),
        Some("git") => {
            format!("git {url} {reference} {:?} {subdirectory:?} {develop}", source["resolved_reference"].as_str())
        }
        Some(kind @ ("url" | "file")) => format!("{kind} {url} {subdirectory:?}"),
        Some("directory") => format!("directory {url} {develop}"),
        Some(other) => panic!("unknown source {other}"),
    };
    let mut files = strings(&json["file_ties"]);
    files.extend(json["file"].as_str().map(str::to_owned));
    files.sort();
    files.dedup();
    Installed { described: format!("{} {} {described}", text(&json["name"]), text(&json["version"])), files }
}

fn strings(json: &Value) -> Vec<String> {
    json.as_array().into_iter().flatten().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// The interpreters by their version.
pub(crate) fn environments(folder: &Path) -> BTreeMap<String, CorpusEnvironment> {
    let read = |file: PathBuf| {
        let json: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let markers = json["markers"].as_object().unwrap();
        let markers = markers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        let environment = CorpusEnvironment { markers: markers.collect(), tags: strings(&json["tags"]) };
        (json["python"].as_str().unwrap().to_owned(), environment)
    };
    json_files(folder).into_iter().map(read).collect()
}

pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

/// The folder of a case that has the lock: its own, or the one below that has one.
pub(crate) fn project_folder(case: &Path) -> Option<PathBuf> {
    if case.join("poetry.lock").is_file() {
        return Some(case.to_owned());
    }
    folders(case).iter().find_map(|folder| project_folder(folder))
}

pub(crate) fn json_files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}
