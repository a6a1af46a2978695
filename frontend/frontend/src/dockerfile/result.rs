//! What an image runs: its entry point and command.

use std::collections::BTreeMap;

use buildkit_llb::{OpenVertex, Output};
use install_request::DEFAULT_PATH;
use serde_json::{Map, Value, json};

use super::{
    command::{self, Command},
    files::Files,
    indirect,
    run::{Ran, joined, runnable},
    service::{Layer, Problem, Refused, Served, Service, Standpoint},
    step::{Part, Scene},
};
use crate::error::Error;

/// The key of an image's config among a result's metadata.
pub const CONFIG: &str = "containerimage.config";

/// How an image ends: its config, which says what it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    document: Map<String, Value>,
}

/// The parts of a config that name what is run.
const WORDS: [&str; 2] = ["Entrypoint", "Cmd"];

impl Ending {
    /// Reads an image config. `None` if it is none.
    #[must_use]
    pub fn read(config: &[u8]) -> Option<Self> {
        serde_json::from_slice(config).ok().map(|document| Self { document })
    }

    fn config(&self) -> Option<&Map<String, Value>> {
        self.document.get("config")?.as_object()
    }

    fn strings(&self, key: &str) -> Vec<String> {
        let list = self.config().and_then(|config| config.get(key)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn text(&self, key: &str) -> &str {
        self.config().and_then(|config| config.get(key)).and_then(Value::as_str).unwrap_or_default()
    }

    fn scene(&self) -> Scene {
        Scene::new(&self.strings("Env"), self.text("WorkingDir"), self.text("User"))
    }

    /// Why the image needs Poetry when it runs or is built upon, if it does for sure. `state` is the original one.
    pub async fn needs(&self, files: &Files<'_>, state: &Output) -> Option<String> {
        if let Some(reason) = self.needs_by_itself() {
            return Some(reason);
        }
        let mut commands: Vec<(Vec<String>, Scene)> = Vec::new();
        for words in WORDS.map(|key| self.strings(key)) {
            match Ran::read(&words, self.scene()) {
                Some(ran) => {
                    commands.push((ran.front().to_vec(), self.scene()));
                    commands.extend(ran.parts().map(|part| match &part.command {
                        Command::Run(words) => (words.clone(), part.scene.clone()),
                        _ => (part.words(), part.scene.clone()),
                    }));
                }
                None => commands.push((words, self.scene())),
            }
        }
        indirect::ending(files, state, &commands).await
    }

    fn needs_by_itself(&self) -> Option<String> {
        let of_command = |part: &Part| match &part.command {
            Command::Run(_) | Command::Other | Command::Prefix(_) => None,
            _ if !command::names_poetry(&part.segment.text) => None,
            Command::Needs(reason) => Some(reason.clone()),
            _ => Some(format!("the image runs `{}`", part.segment.text)),
        };
        let of = |key: &str| {
            let words = self.strings(key);
            match Ran::read(&words, self.scene()) {
                Some(ran) => ran.parts().find_map(of_command),
                None => {
                    let text = joined(&words);
                    command::names_poetry(&text).then(|| format!("`{text}` cannot be read with certainty"))
                }
            }
        };
        let health = self.config().and_then(|config| config.get("Healthcheck")).map(Value::to_string);
        let health =
            health.filter(|text| command::names_poetry(text)).map(|_| "its health check runs Poetry".to_owned());
        let triggers = self.strings("OnBuild");
        let trigger = triggers.into_iter().find(|trigger| command::names_poetry(trigger));
        let trigger = trigger.map(|trigger| format!("images that are built upon this one run `{trigger}`"));
        WORDS.into_iter().find_map(of).or(health).or(trigger)
    }

    /// Makes the history tell of the layers that there are now. `chain` are the vertices that made the original image, and
    /// `layers` what now stands for some of them.
    pub fn rewrite_history(&mut self, chain: &[OpenVertex], layers: &BTreeMap<String, Vec<Layer>>) {
        let Some(Value::Array(history)) = self.document.get_mut("history") else { return };
        let is_layer = |entry: &Value| entry.get("empty_layer").and_then(Value::as_bool) != Some(true);
        let places: Vec<usize> = (0..history.len()).filter(|index| is_layer(&history[*index])).collect();
        // The first vertex is the base, whose layers come first.
        let own = chain.get(1..).unwrap_or_default();
        let Some(first) = places.len().checked_sub(own.len()) else { return };
        let entries = std::mem::take(history);
        let mut own = own.iter();
        for (index, entry) in entries.into_iter().enumerate() {
            let vertex = places[first..].contains(&index).then(|| own.next()).flatten();
            let Some(layers) = vertex.and_then(|vertex| layers.get(vertex.digest())) else {
                history.push(entry);
                continue;
            };
            for Layer { text, below } in layers {
                let mut of_layer = entry.clone();
                of_layer["created_by"] = json!(format!("{text} # poetry-buildkit"));
                let upper = history.iter().enumerate().rev().filter(|(_, entry)| is_layer(entry)).take(*below).last();
                let place = upper.map_or(history.len(), |(place, _)| place);
                history.insert(place, of_layer);
            }
            if layers.is_empty() {
                let mut left_out = entry;
                left_out["empty_layer"] = json!(true);
                history.push(left_out);
            }
        }
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        Value::Object(self.document.clone()).to_string().into_bytes()
    }

    /// Puts commands in place of `poetry run`; the reason if that cannot be done.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn without_poetry(
        &mut self,
        service: &Service<'_>,
        original: &Output,
        state: &Output,
        served: &[Served],
    ) -> Result<Result<(), String>, Error> {
        let mut changes: Vec<(&str, Value)> = Vec::new();
        for key in WORDS {
            let Some(ran) = Ran::read(&self.strings(key), self.scene()) else { continue };
            let mut place = None;
            for (words, scene) in ran.of_poetry() {
                let at = Standpoint { original, state, step: None, scene, before: &[], earlier: served };
                let located = service.locate(&at, None).await;
                let found = match located.and_then(|located| runnable(&located, words, served)) {
                    Ok(found) => found,
                    Err(Problem::Refused(Refused(reason))) => return Ok(Err(reason)),
                    Err(Problem::Error(error)) => return Err(error),
                };
                if place.replace(found.clone()).is_some_and(|other| other != found) {
                    return Ok(Err("the image runs commands in several environments".to_owned()));
                }
            }
            let Some(place) = place else { continue };
            let (words, by_variables) = ran.without_poetry(&place);
            changes.push((key, if words.is_empty() { Value::Null } else { json!(words) }));
            if let (Some(path), true) = (place.path(), by_variables) {
                changes.push(("Env", json!(environment(&self.strings("Env"), path))));
            }
        }
        if let Some(config) = self.document.get_mut("config").and_then(Value::as_object_mut) {
            config.extend(changes.into_iter().map(|(key, value)| (key.to_owned(), value)));
        }
        Ok(Ok(()))
    }
}

/// The environment of a process in a virtual environment.
fn environment(list: &[String], venv: &str) -> Vec<String> {
    let path = list.iter().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    let first = format!("{venv}/bin");
    let path = if path.split(':').next() == Some(&first) { path.to_owned() } else { format!("{first}:{path}") };
    let own = [format!("PATH={path}"), format!("VIRTUAL_ENV={venv}")];
    let is_replaced = |entry: &&String| !entry.starts_with("PATH=") && !entry.starts_with("VIRTUAL_ENV=");
    own.into_iter().chain(list.iter().filter(is_replaced).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{File, FileAction, Platform, Source};

    use super::{super::states::chain, *};

    fn ending(config: Value) -> Ending {
        Ending::read(config.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_runs_poetry_itself_needs_it() {
        let needs = |entrypoint: Value, cmd: Value| {
            ending(json!({ "config": { "Entrypoint": entrypoint, "Cmd": cmd } })).needs_by_itself().is_some()
        };
        assert!(!needs(json!(["poetry", "run", "python"]), Value::Null));
        assert!(!needs(json!(["python", "-m", "poetry_app"]), json!(["/bin/sh", "-c", "poetry run x"])));
        assert!(needs(json!(["poetry"]), json!(["run", "x"])));
        assert!(needs(json!(["/bin/sh", "-c", "poetry shell"]), Value::Null));
        for config in [
            json!({ "Healthcheck": { "Test": ["CMD", "poetry", "run", "x"] } }),
            json!({ "OnBuild": ["COPY . .", "RUN poetry install"] }),
        ] {
            assert!(ending(json!({ "config": config })).needs_by_itself().is_some());
        }
    }

    #[test]
    fn an_environment_comes_first_on_the_path_once() {
        let list = ["PATH=/bin".to_owned(), "A=1".to_owned()];
        let once = environment(&list, "/venv");
        assert_eq!(once, ["PATH=/venv/bin:/bin", "VIRTUAL_ENV=/venv", "A=1"]);
        assert_eq!(environment(&once, "/venv"), once);
    }

    #[test]
    fn the_history_has_an_entry_for_each_layer_in_its_order() {
        let image = Source::image("docker.io/library/python:3.11", Platform::new("linux", "amd64")).output().unwrap();
        let step =
            |state: &Output, path: &str| File::on(state).then(FileAction::mkdir(path).timestamp(0)).output().unwrap();
        let copied = step(&image, "/app");
        let poetry = step(&copied, "/poetry");
        let installed = step(&poetry, "/venv");
        let chain = chain(&installed);
        let entry = |text: &str, empty: bool| json!({ "created_by": text, "empty_layer": empty });
        let history = [
            ("base", false),
            ("ENV", true),
            ("COPY", false),
            ("RUN pip", false),
            ("WORKDIR", true),
            ("RUN poetry", false),
        ];
        let mut ending = ending(json!({ "history": history.map(|(text, empty)| entry(text, empty)) }));
        let layer = |text: &str, below| Layer { text: text.to_owned(), below };
        let layers = [
            (poetry.digest().unwrap().to_owned(), Vec::new()),
            (installed.digest().unwrap().to_owned(), vec![layer("venv", 1), layer("click", 1), layer("rm", 0)]),
        ];
        ending.rewrite_history(&chain, &layers.into());
        let history = ending.document["history"].as_array().unwrap().clone();
        let shown: Vec<String> = history
            .iter()
            .map(|entry| {
                format!(
                    "{}{}",
                    entry["created_by"].as_str().unwrap(),
                    if entry["empty_layer"] == true { " -" } else { "" }
                )
            })
            .collect();
        let own = |text: &str| format!("{text} # poetry-buildkit");
        let (venv, click, rm) = (own("venv"), own("click"), own("rm"));
        assert_eq!(shown, ["base", "ENV -", &venv, &click, "COPY", "RUN pip -", "WORKDIR -", &rm]);
    }
}
