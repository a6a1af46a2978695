//! The image config: the base image's own config, changed where the application needs it.
//!
//! Follows the OCI image specification (`config.md`) with Docker's extensions. What we do not know is kept.

use std::collections::{BTreeMap, BTreeSet};

use install_request::DEFAULT_PATH;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// What the application adds to the base image's config.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    /// The working directory.
    pub workdir: String,
    /// The virtual environment, whose `bin` comes first on `PATH`; `None` if the image has none.
    pub venv: Option<String>,
    /// Environment variables, on top of the base image's.
    pub env: BTreeMap<String, String>,
    /// The entry point.
    pub entrypoint: Vec<String>,
    /// The command.
    pub cmd: Vec<String>,
    /// Ports as `number/protocol`.
    pub expose: BTreeSet<String>,
    /// Labels, on top of the base image's.
    pub labels: BTreeMap<String, String>,
    /// `uid:gid`.
    pub user: String,
}

/// A base image's config that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// It is not a JSON object.
    #[error("the config of the base image is not a JSON object: {0}")]
    NotAnObject(String),
}

/// An image config (the JSON document that an image's manifest refers to).
#[derive(Debug, Clone, PartialEq)]
pub struct Config(Map<String, Value>);

impl Config {
    /// Reads a config.
    ///
    /// # Errors
    /// [`Error::NotAnObject`] if the bytes are not a JSON object.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map(Self).map_err(|error| Error::NotAnObject(error.to_string()))
    }

    /// The config of an image without a base.
    #[must_use]
    pub fn scratch(architecture: &str, variant: &str) -> Self {
        let mut config = Map::new();
        config.insert("architecture".into(), json!(architecture));
        config.insert("os".into(), json!("linux"));
        if !variant.is_empty() {
            config.insert("variant".into(), json!(variant));
        }
        Self(config)
    }

    /// A variable of the image's environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment().find_map(|entry| match entry.split_once('=') {
            Some((key, value)) if key == name => Some(value),
            _ => None,
        })
    }

    /// The image's environment, each entry as `NAME=value`.
    pub fn environment(&self) -> impl Iterator<Item = &str> {
        self.0
            .get("config")
            .and_then(|config| config.get("Env"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// The config of an image that has `layers` on top of this one. Each layer's text becomes an entry of the
    /// image's history; `created` (RFC 3339) is the time of all of them, so that no clock reaches the image.
    #[must_use]
    pub fn with(&self, runtime: &Runtime, layers: &[String], created: &str) -> Self {
        let mut document = self.0.clone();
        let mut config = match document.remove("config") {
            Some(Value::Object(config)) => config,
            _ => Map::new(),
        };
        config.insert("Env".into(), json!(self.merged_environment(runtime)));
        config.insert("WorkingDir".into(), json!(runtime.workdir));
        config.insert("User".into(), json!(runtime.user));
        config.insert("Entrypoint".into(), words_or_null(&runtime.entrypoint));
        config.insert("Cmd".into(), words_or_null(&runtime.cmd));
        // Meant for the Dockerfile that names the base in FROM, not for what is built from it.
        config.remove("OnBuild");
        extend(&mut config, "ExposedPorts", runtime.expose.iter().map(|port| (port.clone(), json!({}))));
        extend(&mut config, "Labels", runtime.labels.iter().map(|(name, value)| (name.clone(), json!(value))));
        document.insert("config".into(), Value::Object(config));

        let mut history = match document.remove("history") {
            Some(Value::Array(history)) => history,
            _ => Vec::new(),
        };
        history.extend(
            layers.iter().map(|layer| json!({ "created": created, "created_by": layer, "comment": "poetry-buildkit" })),
        );
        document.insert("history".into(), Value::Array(history));
        document.insert("created".into(), json!(created));
        Self(document)
    }

    /// The JSON document, with sorted keys.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        Value::Object(self.0.clone()).to_string().into_bytes()
    }

    fn merged_environment(&self, runtime: &Runtime) -> Vec<String> {
        let mut own = BTreeMap::new();
        if let Some(venv) = &runtime.venv {
            let path = self.variable("PATH").unwrap_or(DEFAULT_PATH);
            own.insert("PATH".to_owned(), format!("{venv}/bin:{path}"));
            own.insert("VIRTUAL_ENV".to_owned(), venv.clone());
        }
        own.extend(runtime.env.clone());

        let mut merged: Vec<String> = self
            .environment()
            .map(|entry| {
                let name = entry.split_once('=').map_or(entry, |(name, _)| name);
                match own.remove(name) {
                    Some(value) => format!("{name}={value}"),
                    None => entry.to_owned(),
                }
            })
            .collect();
        merged.extend(own.into_iter().map(|(name, value)| format!("{name}={value}")));
        merged
    }
}

fn words_or_null(words: &[String]) -> Value {
    if words.is_empty() { Value::Null } else { json!(words) }
}

fn extend(config: &mut Map<String, Value>, key: &str, entries: impl Iterator<Item = (String, Value)>) {
    let mut merged = match config.remove(key) {
        Some(Value::Object(existing)) => existing,
        _ => Map::new(),
    };
    merged.extend(entries);
    if !merged.is_empty() {
        config.insert(key.into(), Value::Object(merged));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"{
        "architecture": "amd64", "os": "linux", "created": "2024-05-01T10:00:00Z", "x-unknown": 1,
        "config": {
            "Env": ["PATH=/usr/local/bin:/bin", "LANG=C.UTF-8"], "Cmd": ["python3"], "OnBuild": ["RUN x"],
            "Labels": {"a": "base", "b": "base"}, "Healthcheck": {"Test": ["NONE"]}
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
        "history": [{"created": "2024-05-01T10:00:00Z", "created_by": "ADD"}]
    }"#;

    fn runtime() -> Runtime {
        Runtime {
            workdir: "/app".into(),
            venv: Some("/app/.venv".into()),
            env: [("LANG".to_owned(), "de_DE.UTF-8".to_owned()), ("A".into(), "1".into())].into(),
            entrypoint: vec!["greet".into()],
            expose: ["8000/tcp".to_owned()].into(),
            labels: [("b".to_owned(), "ours".to_owned())].into(),
            user: "65532:65532".into(),
            ..Runtime::default()
        }
    }

    #[test]
    fn a_config_is_the_bases_with_what_the_application_needs() {
        let config = Config::parse(BASE.as_bytes()).unwrap();
        let layers = ["numpy 2.1.3".to_owned()];
        let config = config.with(&runtime(), &layers, "1980-01-01T00:00:00Z");
        insta::assert_json_snapshot!(serde_json::from_slice::<Value>(&config.to_json()).unwrap());
    }

    #[test]
    fn an_image_without_a_base_has_a_path() {
        let config = Config::scratch("arm64", "").with(&runtime(), &[], "1980-01-01T00:00:00Z");
        assert_eq!(config.variable("PATH"), Some(&*format!("/app/.venv/bin:{DEFAULT_PATH}")));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(matches!(Config::parse(b"[]"), Err(Error::NotAnObject(_))));
    }
}
