//! BuildKit's own record of a build, as `--progress=rawjson` prints it.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Deserializer, Value};

/// One vertex of a build, after the build has ended.
#[derive(Debug, Clone, Default)]
pub struct Vertex {
    /// The name that users see.
    pub name: String,
    /// Whether the result came from the cache.
    pub cached: bool,
    /// When BuildKit began to work on it, in seconds of the day, if it did.
    pub started: Option<f64>,
    /// When it was done, in the same way.
    pub completed: Option<f64>,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// What its process wrote.
    pub log: String,
}

/// Everything a build reported.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// The vertices by digest.
    pub vertices: BTreeMap<String, Vertex>,
    /// The first lines of all warnings.
    pub warnings: Vec<String>,
    /// Bytes that the client sent, by vertex.
    sent: BTreeMap<String, u64>,
}

impl Progress {
    /// Reads the stream of JSON objects; what follows the last object (a final error message) is left out.
    pub fn parse(stream: &str) -> Self {
        let mut progress = Self::default();
        for status in Deserializer::from_str(stream).into_iter::<Value>().map_while(Result::ok) {
            progress.add(&status);
        }
        progress
    }

    fn add(&mut self, status: &Value) {
        for record in items(status, "vertexes") {
            let vertex = self.vertices.entry(text(record, "digest")).or_default();
            vertex.name = text(record, "name");
            vertex.cached |= record["cached"].as_bool().unwrap_or(false);
            vertex.started = seconds(&record["started"]).or(vertex.started);
            vertex.completed = seconds(&record["completed"]).or(vertex.completed);
            if let Some(error) = record["error"].as_str().filter(|error| !error.is_empty()) {
                vertex.error = Some(error.to_owned());
            }
        }
        for record in items(status, "logs") {
            let data = decoded(&record["data"]);
            let vertex = self.vertices.entry(text(record, "vertex")).or_default();
            vertex.log.push_str(&String::from_utf8_lossy(&data));
        }
        for record in items(status, "statuses") {
            if text(record, "id").starts_with("transferring ") {
                let sent = self.sent.entry(text(record, "vertex")).or_default();
                *sent = record["current"].as_u64().unwrap_or(0).max(*sent);
            }
        }
        for record in items(status, "warnings") {
            let short = decoded(&record["short"]);
            self.warnings.push(String::from_utf8_lossy(&short).into_owned());
        }
    }

    /// The names of the vertices that really ran, that is, were neither cached nor left alone. BuildKit begins some, and leaves
    /// them when it finds that a cache has what they are for. Newer ones call some cached that run afterwards; what wrote
    /// something ran.
    pub fn ran(&self) -> Vec<&str> {
        let is_left = |vertex: &&Vertex| vertex.error.as_ref().is_some_and(|error| error.contains("context canceled"));
        let is_cached = |vertex: &&Vertex| vertex.cached && vertex.log.is_empty();
        let started = self.vertices.values().filter(|vertex| vertex.started.is_some() && !is_cached(vertex));
        let ran = started.filter(|vertex| !is_left(vertex));
        ran.map(|vertex| vertex.name.as_str()).collect()
    }

    /// The names of those that ran a process of ours or installed something.
    pub fn execs(&self) -> Vec<&str> {
        self.ran().into_iter().filter(|name| is_exec(name)).collect()
    }

    /// The one vertex whose name holds `part`.
    pub fn vertex(&self, part: &str) -> &Vertex {
        let mut found = self.vertices.values().filter(|vertex| vertex.name.contains(part));
        match (found.next(), found.next()) {
            (Some(vertex), None) => vertex,
            (None, _) => panic!("no vertex is named like '{part}': {:?}", self.names()),
            (Some(_), Some(_)) => panic!("several vertices are named like '{part}': {:?}", self.names()),
        }
    }

    /// Why the image could not be put into the engine's store, if all that was built is right.
    pub fn export_error(&self) -> Option<&str> {
        let mut failed = self.vertices.values().filter(|vertex| vertex.error.is_some());
        let (first, second) = (failed.next()?, failed.next());
        first.error.as_deref().filter(|_| second.is_none() && first.name.starts_with("exporting "))
    }

    /// Seconds from the moment when the frontend's image was there to the one when the export of its result began: its container
    /// starts, it asks, plans and returns, and the daemon finds out what has to be done.
    pub fn frontend(&self) -> Option<f64> {
        let image = self.vertices.values().find(|vertex| vertex.name.starts_with("docker-image://"))?;
        Some((self.export_begin()? - image.completed?).rem_euclid(DAY))
    }

    /// Seconds from the begin of the first vertex to that of the export: what is left are the compression of layers, and their way
    /// into a store or a registry.
    pub fn before_export(&self) -> Option<f64> {
        let end = self.export_begin()?;
        self.vertices.values().filter_map(|vertex| Some((end - vertex.started?).rem_euclid(DAY))).reduce(f64::max)
    }

    fn export_begin(&self) -> Option<f64> {
        self.vertices.values().find(|vertex| vertex.name.starts_with("exporting to "))?.started
    }

    /// How many bytes the client sent.
    pub fn transferred(&self) -> u64 {
        self.sent.values().sum()
    }

    /// All names.
    pub fn names(&self) -> Vec<&str> {
        self.vertices.values().map(|vertex| vertex.name.as_str()).collect()
    }
}

/// Whether a vertex of ours runs a process, by its name. In brackets there may be a platform or a stage in front.
fn is_exec(name: &str) -> bool {
    let Some((brackets, rest)) = name.strip_prefix('[').and_then(|name| name.split_once("] ")) else { return false };
    let kind = brackets.rsplit(' ').next().unwrap_or_default();
    brackets.contains("deps ")
        || ["python", "apt", "build-apt", "bytecode"].contains(&kind)
        || kind == "project" && rest.starts_with("run ")
        || rest.starts_with("ask ")
}

const DAY: f64 = 86400.0;

/// The seconds of the day of a time in RFC 3339.
fn seconds(time: &Value) -> Option<f64> {
    let clock = time.as_str()?.split_once('T')?.1.trim_end_matches('Z');
    clock.split(':').try_fold(0.0, |seconds, part| Some(seconds * 60.0 + part.parse::<f64>().ok()?))
}

fn items<'a>(status: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    status[key].as_array().into_iter().flatten()
}

fn text(record: &Value, key: &str) -> String {
    record[key].as_str().unwrap_or_default().to_owned()
}

fn decoded(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    BASE64_STANDARD.decode(text).expect("BuildKit encodes bytes as base64")
}
