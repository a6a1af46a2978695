//! What an image runs: its entry point and command.

use std::collections::BTreeMap;

use buildkit_llb::{OpenVertex, Output};
use install_request::DEFAULT_PATH;
use serde_json::{Map, Value, json};
use shell::Dialect;

use super::{
    decide::{Decided, Setup, Standpoint, edit, left_out, locate, runnable},
    emit::Layer,
    facts::Facts,
    graph::{Command, Process, Script, is_root, read, state},
    programs::{self, Meaning},
    rules::{self, Reason},
    stage::{
        history::{History, Steps},
        place::Place,
        project::View,
        scripts::{self, Naming},
    },
    stand_in,
    stop::Stop,
};
use crate::error::Error;

/// The key of an image's config among a result's metadata.
pub(super) const CONFIG: &str = "containerimage.config";

/// What an image asks of Poetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asks {
    /// Nothing that is seen.
    Nothing,
    /// `poetry run` and nothing else, which the stand-in does: why Poetry has to be there where that cannot stand.
    Run(Reason),
    /// Poetry itself, for this reason.
    Poetry(Reason),
}

/// An image's config, which says what it runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ImageConfig {
    document: Map<String, Value>,
}

/// Programs that run the command behind their options as a child.
const INITS: [&str; 4] = ["tini", "dumb-init", "docker-init", "catatonit"];

/// The parts of a config that name what is run.
const WORDS: [&str; 2] = ["Entrypoint", "Cmd"];

impl ImageConfig {
    /// Reads an image config. `None` if it is none.
    #[must_use]
    pub(super) fn read(config: &[u8]) -> Option<Self> {
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

    /// The user by name or number; empty for root.
    fn user(&self) -> &str {
        let user = self.text("User");
        if is_root(user) { "" } else { user }
    }

    /// What its entry point or command runs, with the home of its user if no variable tells that.
    fn runs(&self, key: &str, home: Option<&str>) -> Option<Runs> {
        let words = self.strings(key);
        if words.is_empty() {
            return None;
        }
        // An init runs the command behind its options as a child.
        let init = words.first().is_some_and(|word| INITS.contains(&programs::base(word)));
        let behind = words.iter().position(|word| word == "--").map(|at| at + 1);
        let behind = behind.or_else(|| words.iter().skip(1).position(|word| !word.starts_with('-')).map(|at| at + 1));
        let (front, own) = words.split_at(if init { behind.unwrap_or(words.len()) } else { 0 });
        let home = home.or_else(|| self.user().is_empty().then_some("/root"));
        let state = state(&self.strings("Env"), self.text("WorkingDir"), home);
        let process = if own.is_empty() { None } else { Some(read(own, state)) };
        Some(Runs { front: front.to_vec(), is_script: shell::Shell::of(own).is_some(), process })
    }

    /// What the image asks of Poetry when it runs or is built upon, as far as can be seen.
    ///
    /// # Errors
    /// If a call fails.
    pub(super) async fn asks(&self, facts: &Facts<'_>, steps: &Steps, original: &Output) -> Result<Asks, Error> {
        let own = self.asks_by_itself();
        if let Asks::Poetry(_) = own {
            return Ok(own);
        }
        if !History::of(steps, original).steps().iter().any(|step| scripts::provides(step)) {
            return Ok(own);
        }
        let runs: Vec<Runs> = WORDS.into_iter().filter_map(|key| self.runs(key, None)).collect();
        let paths: Vec<String> = runs.iter().flat_map(|runs| runs.scripts()).collect();
        let mut found = own;
        for Naming { path, text } in scripts::of_image(facts, steps, original, &paths).await? {
            let reason = Reason::new(&rules::IMAGE_RUNS_POETRY, format!("the image runs {path}, which runs Poetry"));
            match stand_in::suffices_script(&text) {
                true => found = Asks::Run(reason),
                false => return Ok(Asks::Poetry(reason)),
            }
        }
        Ok(found)
    }

    fn asks_by_itself(&self) -> Asks {
        let reason = |detail: &str| Reason::new(&rules::IMAGE_RUNS_POETRY, detail);
        let of = |key: &str| {
            let runs = self.runs(key, None)?;
            // What an init runs stands behind its own options, else it is not found.
            if runs.front.iter().any(|word| programs::names_poetry(word)) {
                return Some(reason("what the image runs behind an init is not read"));
            }
            match runs.process? {
                Process::Unread(text, _) => {
                    programs::names_poetry(&text).then(|| reason("what the image runs names Poetry and is not read"))
                }
                Process::Read(script) => script.meanings.iter().find_map(|meaning| match meaning {
                    Meaning::Run { .. } | Meaning::Other | Meaning::PipInstall(_) | Meaning::Clean(_) => None,
                    Meaning::Needs(inner) => Some(Reason { rule: &rules::IMAGE_RUNS_POETRY, ..inner.clone() }),
                    _ => Some(reason("the image runs Poetry itself when it starts")),
                }),
            }
        };
        let names = |text: &str| programs::names_poetry(text);
        let trigger = self.strings("OnBuild").into_iter().find(|trigger| names(trigger));
        let trigger = trigger.map(|_| reason("images that are built upon this one run Poetry"));
        if let Some(reason) = WORDS.into_iter().find_map(of).or(trigger) {
            return Asks::Poetry(reason);
        }
        let health = self.config().and_then(|config| config.get("Healthcheck"));
        match health.filter(|health| names(&health.to_string())) {
            Some(health) => {
                let test = health.get("Test").and_then(Value::as_array).into_iter().flatten();
                let test: Vec<&str> = test.filter_map(Value::as_str).collect();
                let does = match test[..] {
                    ["CMD-SHELL", text] => stand_in::suffices(text, Dialect::Sh),
                    ["CMD", "poetry", "run", ref words @ ..] => !words.iter().any(|word| names(word) || *word == "pip"),
                    _ => false,
                };
                let reason = reason("the image's health check runs Poetry");
                if does { Asks::Run(reason) } else { Asks::Poetry(reason) }
            }
            None => Asks::Nothing,
        }
    }

    /// The working folder.
    pub(super) fn folder(&self) -> &str {
        match self.text("WorkingDir") {
            "" => "/",
            folder => folder,
        }
    }

    /// Whether a program is found by its name where the image runs.
    pub(super) fn finds(&self, program: &str) -> bool {
        let environment = self.strings("Env");
        let path = environment.iter().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
        program.rsplit_once('/').is_some_and(|(folder, _)| path.split(':').any(|other| other == folder))
    }

    /// Makes the history tell of the layers that there are now. `chain` are the vertices that made the original image, and
    /// `layers` what now stands for some of them.
    pub(super) fn rewrite_history(&mut self, chain: &[OpenVertex], layers: &BTreeMap<String, Vec<Layer>>) {
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

    /// Adds the entry of a layer on top of all others to the history.
    pub(super) fn add_history(&mut self, text: &str) {
        let Some(Value::Array(history)) = self.document.get_mut("history") else { return };
        let mut entry = history.last().cloned().unwrap_or_else(|| json!({}));
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("empty_layer");
            entry.insert("created_by".to_owned(), json!(format!("{text} # poetry-buildkit")));
        }
        history.push(entry);
    }

    /// The document.
    #[must_use]
    pub(super) fn to_json(&self) -> Vec<u8> {
        Value::Object(self.document.clone()).to_string().into_bytes()
    }

    /// Puts commands in place of `poetry run`.
    ///
    /// # Errors
    /// If that cannot be done, or a call fails.
    pub(super) async fn without_poetry(
        &mut self,
        setup: &Setup<'_>,
        original: &Output,
        decided: &Decided,
    ) -> Result<(), Stop> {
        let mut changes: Vec<(&str, Value)> = Vec::new();
        for key in WORDS {
            let home = self.home(setup, key, decided).await?;
            let Some(Runs { front, is_script, process: Some(Process::Read(script)) }) = self.runs(key, home.as_deref())
            else {
                continue;
            };
            let mut place = None;
            for command in commands(&script) {
                let Meaning::Run { words, .. } = command.meaning else { continue };
                let history = History::of(&decided.steps, original);
                let view = View {
                    facts: setup.facts,
                    steps: &decided.steps,
                    original,
                    state: &decided.output,
                    step: None,
                    has_run: false,
                    follows: true,
                };
                let earlier = &decided.installations;
                let at = Standpoint { view, command, history: &history, earlier, has_poetry: false };
                let found = runnable(&locate(&at, None).await?, words, earlier)?;
                if place.replace(found.clone()).is_some_and(|other| other != found) {
                    let detail = "the image runs commands in several environments";
                    return Err(Reason::new(&rules::IMAGE_RUNS_POETRY, detail).into());
                }
            }
            let Some(place) = place else { continue };
            let (words, by_variables) = without_run(&front, is_script, &script, &place);
            changes.push((key, if words.is_empty() { Value::Null } else { json!(words) }));
            if let (Some(path), true) = (place.path(), by_variables) {
                changes.push(("Env", json!(environment(&self.strings("Env"), path))));
            }
        }
        if let Some(config) = self.document.get_mut("config").and_then(Value::as_object_mut) {
            config.extend(changes.into_iter().map(|(key, value)| (key.to_owned(), value)));
        }
        Ok(())
    }

    /// The home of the image's user, if it matters and no variable tells it.
    async fn home(&self, setup: &Setup<'_>, key: &str, decided: &Decided) -> Result<Option<String>, Error> {
        let names_home = self.strings("Env").iter().any(|entry| entry.starts_with("HOME="));
        let runs_poetry = self.runs(key, None).is_some_and(|runs| runs.runs_poetry());
        match self.user() {
            "" => Ok(None),
            _ if names_home || !runs_poetry => Ok(None),
            user => setup.facts.home(&decided.output, user).await.map(Some),
        }
    }
}

/// What an entry point or a command runs.
struct Runs {
    /// An init with its options.
    front: Vec<String>,
    /// Whether it is a shell with a script.
    is_script: bool,
    process: Option<Process>,
}

impl Runs {
    fn runs_poetry(&self) -> bool {
        let Some(Process::Read(script)) = &self.process else { return false };
        script.meanings.iter().any(|meaning| matches!(meaning, Meaning::Run { .. }))
    }

    /// The absolute paths of files that it may run.
    fn scripts(&self) -> Vec<String> {
        let Some(Process::Read(script)) = &self.process else { return Vec::new() };
        commands(script).flat_map(|command| scripts::of_command(&command)).collect()
    }
}

fn commands(script: &Script) -> impl Iterator<Item = Command<'_>> {
    let calls = script.reading.calls.iter().zip(&script.meanings).enumerate();
    calls.map(move |(index, (call, meaning))| Command { index, call, meaning })
}

/// The words without `poetry run`, and whether the image's own environment has to be that of `place`: a single command gets it by the
/// image's variables, of several each has its own.
fn without_run(front: &[String], is_script: bool, script: &Script, place: &Place) -> (Vec<String>, bool) {
    let alone = script.reading.calls.len() == 1;
    if !is_script {
        let words = commands(script).filter_map(|command| match command.meaning {
            Meaning::Run { words, .. } => Some(words.clone()),
            _ => None,
        });
        return (front.iter().cloned().chain(words.flatten()).collect(), true);
    }
    let mut text = script.reading.text.clone();
    let mut runs: Vec<Command<'_>> = commands(script).collect();
    runs.reverse();
    for command in runs {
        let Meaning::Run { front, .. } = command.meaning else { continue };
        let (range, replacement) = match alone {
            true => left_out(&script.reading.text, front),
            false => edit(&script.reading.text, command.call, front, place),
        };
        text.replace_range(range, &replacement);
    }
    (front.iter().chain(&script.shell).cloned().chain([text]).collect(), alone)
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

    fn ending(config: Value) -> ImageConfig {
        ImageConfig::read(config.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_runs_poetry_itself_needs_it() {
        let needs = |entrypoint: Value, cmd: Value| {
            let image = ending(json!({ "config": { "Entrypoint": entrypoint, "Cmd": cmd } }));
            matches!(image.asks_by_itself(), Asks::Poetry(_))
        };
        assert!(!needs(json!(["poetry", "run", "python"]), Value::Null));
        assert!(!needs(json!(["python", "-m", "poetry_app"]), json!(["/bin/sh", "-c", "poetry run x"])));
        assert!(needs(json!(["poetry"]), json!(["run", "x"])));
        assert!(needs(json!(["/bin/sh", "-c", "poetry shell"]), Value::Null));
        let asks = |config: Value| ending(json!({ "config": config })).asks_by_itself();
        assert!(matches!(asks(json!({ "OnBuild": ["COPY . .", "RUN poetry install"] })), Asks::Poetry(_)));
        let health = |test: &[&str]| asks(json!({ "Healthcheck": { "Test": test } }));
        assert!(matches!(health(&["CMD", "poetry", "run", "x"]), Asks::Run(_)));
        assert!(matches!(health(&["CMD-SHELL", "poetry run x || exit 1"]), Asks::Run(_)));
        assert!(matches!(health(&["CMD", "poetry", "check"]), Asks::Poetry(_)));
        assert!(matches!(health(&["CMD-SHELL", "poetry run x && poetry check"]), Asks::Poetry(_)));
        assert_eq!(health(&["CMD", "curl", "localhost"]), Asks::Nothing);
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

    #[test]
    fn commands_of_an_image_go_on_without_poetry() {
        let venv = Place::Venv { path: "/venv".into(), made: true };
        let of = |words: &[&str]| {
            let config = ending(json!({ "config": { "Cmd": words, "WorkingDir": "/app" } }));
            let Some(Runs { front, is_script, process: Some(Process::Read(script)) }) = config.runs("Cmd", None) else {
                panic!("{words:?}")
            };
            without_run(&front, is_script, &script, &venv)
        };
        let (env, sh) = ("VIRTUAL_ENV=/venv PATH=/venv/bin:\"$PATH\"", "/bin/sh");
        assert_eq!(
            of(&["tini", "-g", "--", "poetry", "run", "x", "a b"]),
            (vec!["tini".into(), "-g".into(), "--".into(), "x".into(), "a b".into()], true)
        );
        assert_eq!(of(&[sh, "-c", "exec poetry run x $A"]), (vec![sh.into(), "-c".into(), "exec x $A".into()], true));
        let both = of(&["sh", "-c", "cd api && poetry run x migrate && A=1 exec poetry run y"]);
        assert_eq!(both.0[2], format!("cd api && {env} x migrate && A=1 exec env {env} y"));
        let server = of(&["sh", "-c", "redis-server &\npoetry run x"]);
        assert_eq!(server.0[2], format!("redis-server &\n{env} x"));
        let both = of(&["sh", "-c", "poetry run x && exec poetry run y"]);
        assert_eq!(both, (vec!["sh".into(), "-c".into(), format!("{env} x && exec env {env} y")], false));
    }
}
