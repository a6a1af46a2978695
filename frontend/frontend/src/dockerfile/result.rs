//! What an image runs: its entry point and command.

use buildkit_llb::Output;
use serde_json::{Map, Value, json};

use super::{
    command::{self, Command},
    place::Place,
    rewrite::installed,
    serve::{Problem, Refused, Served, Service},
    shell,
    step::Scene,
};
use crate::error::Error;

/// The key of an image's config among a result's metadata.
pub const CONFIG: &str = "containerimage.config";

/// How an image ends: its config, which says what it runs.
#[derive(Debug, Clone)]
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

    /// Why the image needs Poetry when it runs, if it does for sure.
    #[must_use]
    pub fn needs(&self) -> Option<String> {
        let scene = self.scene();
        let of = |key: &str| {
            let words = self.strings(key);
            let text = script(&words).unwrap_or_else(|| joined(&words));
            match command::command(&text, &scene.variables) {
                Command::Run { .. } | Command::Other | Command::Prefix(_) => None,
                _ if !command::names_poetry(&text) => None,
                Command::Needs(reason) => Some(reason),
                _ => Some(format!("the image runs `{text}`")),
            }
        };
        let health = self.config().and_then(|config| config.get("Healthcheck")).map(Value::to_string);
        let health =
            health.filter(|text| command::names_poetry(text)).map(|_| "its health check runs Poetry".to_owned());
        WORDS.into_iter().find_map(of).or(health)
    }

    /// The config with commands in place of `poetry run`; `None` if nothing changes, the reason if it cannot be done.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn without_poetry(
        &self,
        service: &Service<'_>,
        state: &Output,
        served: &[Served],
    ) -> Result<Result<Option<Vec<u8>>, String>, Error> {
        let scene = self.scene();
        let mut document = self.document.clone();
        let Some(config) = document.get_mut("config").and_then(Value::as_object_mut) else { return Ok(Ok(None)) };
        let mut place = None;
        for key in WORDS {
            let words = self.strings(key);
            let is_shell = script(&words).is_some();
            let text = script(&words).unwrap_or_else(|| joined(&words));
            let Command::Run { words: run, .. } = command::command(&text, &scene.variables) else { continue };
            if place.is_none() {
                let located = service.locate(state, None, &scene, None, &[], served).await;
                match located.and_then(|located| installed(located.place, served)) {
                    Ok(found) => place = Some(found),
                    Err(Problem::Refused(Refused(reason))) => return Ok(Err(reason)),
                    Err(Problem::Error(error)) => return Err(error),
                }
            }
            let new = match (is_shell, text.split_once(" run ")) {
                (true, Some((_, command))) => {
                    let shell = words.get(..words.len() - 1).unwrap_or_default();
                    shell.iter().cloned().chain([command.to_owned()]).collect()
                }
                _ => run,
            };
            let new = if new.is_empty() { Value::Null } else { json!(new) };
            config.insert(key.to_owned(), new);
        }
        match place {
            None => Ok(Ok(None)),
            Some(place) => {
                if let Place::Venv { path, .. } = &place {
                    let list = environment(&self.strings("Env"), path);
                    config.insert("Env".to_owned(), json!(list));
                }
                Ok(Ok(Some(Value::Object(document).to_string().into_bytes())))
            }
        }
    }
}

/// The environment of a process in a virtual environment.
fn environment(list: &[String], venv: &str) -> Vec<String> {
    const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let path = list.iter().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    let first = format!("{venv}/bin");
    let path = if path.split(':').next() == Some(&first) { path.to_owned() } else { format!("{first}:{path}") };
    let own = [format!("PATH={path}"), format!("VIRTUAL_ENV={venv}")];
    let is_replaced = |entry: &&String| !entry.starts_with("PATH=") && !entry.starts_with("VIRTUAL_ENV=");
    own.into_iter().chain(list.iter().filter(is_replaced).cloned()).collect()
}

/// The script of the shell form.
fn script(words: &[String]) -> Option<String> {
    match words {
        [shell, .., option, text] if shell.ends_with("sh") && option.starts_with('-') && option.ends_with('c') => {
            Some(text.clone())
        }
        _ => None,
    }
}

fn joined(words: &[String]) -> String {
    words.iter().map(|word| shell::quoted(word)).collect::<Vec<_>>().join(" ")
}
