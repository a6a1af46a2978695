//! Where Poetry installs: into the system's Python, or into which virtual environment.
//!
//! Follows `poetry.utils.env.env_manager.EnvManager` and `poetry.config.config.Config`.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE};
use poetry_lock::PoetryToml;
use sha2::{Digest, Sha256};

use super::{history::History, project::View, version::is_before_1_8};
use crate::{
    dockerfile::{
        graph::Command,
        programs::Meaning,
        rules::{self, Reason},
        stop::{Stop, refuse},
    },
    layout::is_below,
};

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::dockerfile) enum Place {
    /// That of the interpreter itself.
    System,
    /// A virtual environment at this absolute path.
    Venv {
        /// The path.
        path: String,
        /// Whether Poetry makes it.
        made: bool,
    },
}

impl Place {
    /// The path of the virtual environment; `None` for the system's environment.
    pub(in crate::dockerfile) fn path(&self) -> Option<&str> {
        match self {
            Self::System => None,
            Self::Venv { path, .. } => Some(path),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System => write!(f, "the system"),
            Self::Venv { path, made: true } => write!(f, "a new {path}"),
            Self::Venv { path, made: false } => write!(f, "{path}"),
        }
    }
}

/// What is known of a project when its environment is chosen.
#[derive(Debug, Clone)]
pub(in crate::dockerfile) struct Project<'a> {
    /// The absolute path of its folder.
    pub(in crate::dockerfile) folder: &'a str,
    /// Its normalized name; `None` if it has none.
    pub(in crate::dockerfile) name: Option<&'a str>,
    /// Its poetry.toml.
    pub(in crate::dockerfile) toml: &'a PoetryToml,
}

/// Poetry's settings where a command runs, but for those of poetry.toml.
pub(in crate::dockerfile) struct Settings<'a> {
    command: &'a Command<'a>,
    /// By `poetry config --local`, which is left out, for the project's folder.
    local: BTreeMap<String, String>,
    /// By `poetry config`, or in config.toml.
    users: BTreeMap<String, String>,
}

/// Keys of config.toml that are followed, or that change nothing of what is installed.
const FOLLOWED: [&str; 12] = [
    "cache-dir",
    "installer.max-workers",
    "installer.modern-installation",
    "installer.parallel",
    "requests.max-retries",
    "solver.lazy-wheel",
    "virtualenvs.create",
    "virtualenvs.in-project",
    "virtualenvs.path",
    "virtualenvs.prefer-active-python",
    "virtualenvs.prompt",
    "virtualenvs.use-poetry-python",
];

impl<'a> Settings<'a> {
    /// Reads the settings. With `has_poetry`, Poetry itself has run `poetry config` before.
    pub(in crate::dockerfile) async fn read(
        view: &View<'_>,
        command: &'a Command<'a>,
        history: &History,
        folder: &str,
        has_poetry: bool,
    ) -> Result<Self, Stop> {
        let (mut local, mut users) = (BTreeMap::new(), BTreeMap::new());
        if !has_poetry {
            let own = config_folder(command)?;
            for other in history.commands() {
                let Meaning::Config { key, value, local: is_local } = other.meaning else { continue };
                let settings = match is_local {
                    true if other.folder()? == folder => &mut local,
                    false if config_folder(&other)? == own => &mut users,
                    _ => continue,
                };
                match value {
                    Some(value) => settings.insert(key.clone(), value.clone()),
                    None => settings.remove(key),
                };
            }
        }
        let path = config_folder(command)?;
        if let Some(text) = view.text(&format!("{path}/config.toml")).await? {
            if !users.is_empty() {
                return refuse(&rules::SETTINGS_FILE, "settings are in config.toml and made by `poetry config`");
            }
            users = of_file(&text)?;
        }
        Ok(Self { command, local, users })
    }

    /// No settings, for what is not Poetry's.
    pub(in crate::dockerfile) fn none(command: &'a Command<'a>) -> Self {
        Self { command, local: BTreeMap::new(), users: BTreeMap::new() }
    }

    /// A setting by `poetry config --local`.
    fn local(&self, key: &str) -> Option<String> {
        self.local.get(key).cloned()
    }

    /// A variable of Poetry's, which counts before all others, also if it is empty.
    fn variable(&self, key: &str) -> Result<Option<String>, Reason> {
        self.command.variable(&format!("POETRY_{}", key.replace(['.', '-'], "_").to_uppercase()))
    }

    fn flag(&self, key: &str, toml: Option<bool>) -> Result<Option<bool>, Reason> {
        if let Some(value) = self.variable(key)? {
            return is_true(&value).map(Some);
        }
        let local = self.local(key).map(|value| is_true(&value)).transpose()?.or(toml);
        match local {
            Some(value) => Ok(Some(value)),
            None => self.users.get(key).map(|value| is_true(value)).transpose(),
        }
    }

    fn text(&self, key: &str, toml: Option<&String>) -> Result<Option<String>, Reason> {
        let local = self.local(key).or_else(|| toml.cloned());
        Ok(self.variable(key)?.or(local).or_else(|| self.users.get(key).cloned()))
    }

    /// A key that is set outside of poetry.toml.
    pub(in crate::dockerfile) fn is_set(&self, key: &str) -> Result<bool, Reason> {
        Ok(self.local.contains_key(key) || self.users.contains_key(key) || self.variable(key)?.is_some())
    }

    /// All keys that `poetry config` or config.toml set.
    pub(in crate::dockerfile) fn keys(&self) -> impl Iterator<Item = &str> {
        self.local.keys().chain(self.users.keys()).map(String::as_str)
    }
}

/// The settings of a config.toml.
fn of_file(text: &str) -> Result<BTreeMap<String, String>, Stop> {
    let Ok(table) = text.parse::<toml::Table>() else {
        return refuse(&rules::SETTINGS_FILE, "config.toml is no TOML");
    };
    let mut found = BTreeMap::new();
    let mut waiting: Vec<(String, toml::Value)> = table.into_iter().collect();
    while let Some((key, value)) = waiting.pop() {
        match value {
            toml::Value::Table(table) => {
                waiting.extend(table.into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            value => {
                if !FOLLOWED.contains(&key.as_str()) {
                    return refuse(&rules::SETTINGS_FILE, format!("config.toml sets {key}"));
                }
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                found.insert(key, text);
            }
        }
    }
    Ok(found)
}

/// The folder that `poetry config` writes to.
fn config_folder(command: &Command<'_>) -> Result<String, Reason> {
    for (name, folder) in [("POETRY_CONFIG_DIR", ""), ("XDG_CONFIG_HOME", "/pypoetry"), ("HOME", "/.config/pypoetry")] {
        if let Some(value) = command.variable(name)?.filter(|value| !value.is_empty()) {
            return command.absolute(&format!("{value}{folder}"));
        }
    }
    Err(Reason::new(&rules::SETTINGS_FILE, "the user's home folder is not known"))
}

/// The environment of a command.
///
/// `served` are the virtual environments that are there because an earlier command was served.
///
/// # Errors
/// If it cannot be told.
pub(in crate::dockerfile) async fn place(
    view: &View<'_>,
    command: &Command<'_>,
    history: &History,
    settings: &Settings<'_>,
    project: &Project<'_>,
    served: &[String],
) -> Result<Place, Stop> {
    let variable = |name: &str| command.variable(name).map(|value| value.filter(|value| !value.is_empty()));
    if let Some(active) = variable("VIRTUAL_ENV")? {
        let active = command.absolute(&active)?;
        if served.contains(&active) || view.file(&format!("{active}/pyvenv.cfg")).await?.is_some() {
            return Ok(Place::Venv { path: active, made: false });
        }
        return refuse(&rules::ACTIVE_ENVIRONMENT, format!("VIRTUAL_ENV is {active}, where no environment is"));
    }
    if variable("CONDA_PREFIX")?.is_some() {
        return refuse(&rules::CONDA, "a Conda environment is active");
    }
    let create = settings.flag("virtualenvs.create", project.toml.virtualenvs_create)?.unwrap_or(true);
    let in_project = settings.flag("virtualenvs.in-project", project.toml.virtualenvs_in_project)?;
    let own = format!("{}/.venv", project.folder.trim_end_matches('/'));
    if in_project != Some(false) {
        let is_served = served.contains(&own);
        // Poetry takes what is there, whatever made it.
        if !is_served && view.file(&format!("{own}/pyvenv.cfg")).await?.is_some() {
            return Ok(Place::Venv { path: own, made: false });
        }
        if is_served || create && in_project == Some(true) {
            return Ok(Place::Venv { path: own, made: true });
        }
    }
    if !create {
        // Poetry 1.7 and older take the environment that they are in for the system's, but for one in $POETRY_HOME.
        let home = variable("POETRY_HOME")?;
        let environments = history.provisions().into_iter().filter_map(|provision| provision.environment);
        let mut others = environments.filter(|path| home.as_ref().is_none_or(|home| !is_below(path, home)));
        return match others.next().filter(|_| is_before_1_8(history)) {
            Some(path) => refuse(&rules::POETRYS_ENVIRONMENT, format!("Poetry before 1.8 is in {path}")),
            None => Ok(Place::System),
        };
    }
    let cache = match settings.text("cache-dir", None)? {
        Some(cache) => cache,
        None => match (variable("XDG_CACHE_HOME")?, variable("HOME")?) {
            (Some(cache), _) => format!("{cache}/pypoetry"),
            (None, Some(home)) => format!("{home}/.cache/pypoetry"),
            (None, None) => return refuse(&rules::UNKNOWN_WORD, "the user's home folder is not known"),
        },
    };
    let folder = match settings.text("virtualenvs.path", project.toml.virtualenvs_path.as_ref())? {
        Some(path) => path.replace("{cache-dir}", &cache),
        None => format!("{cache}/virtualenvs"),
    };
    if !folder.starts_with('/') {
        return refuse(&rules::SETTING, "the folder of virtual environments is no absolute path");
    }
    let name = environment_name(project.name.unwrap_or("non-package-mode"), project.folder);
    // The version of Python is put behind it when it is known.
    Ok(Place::Venv { path: format!("{}/{name}-py{PYTHON}", folder.trim_end_matches('/')), made: true })
}

/// Stands for the version of Python in the path of a virtual environment.
pub(in crate::dockerfile) const PYTHON: &str = "{python}";

/// `EnvManager.generate_env_name`.
fn environment_name(name: &str, folder: &str) -> String {
    let is_odd = |c: char| " $`!*@\"\\\r\n\t".contains(c);
    let sanitized: String = name.to_lowercase().chars().map(|c| if is_odd(c) { '_' } else { c }).take(42).collect();
    let digest = BASE64_URL_SAFE.encode(Sha256::digest(folder));
    format!("{sanitized}-{}", digest.get(..8).unwrap_or_default())
}

/// `poetry.config.config.boolean_normalizer`, which minds capitals in some versions.
fn is_true(text: &str) -> Result<bool, Reason> {
    match text {
        "true" | "1" => Ok(true),
        _ if text.eq_ignore_ascii_case("true") => {
            Err(Reason::new(&rules::SETTING, format!("whether `{text}` is true depends on Poetry's version")))
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_named_as_poetry_names_them() {
        // Printed by EnvManager.generate_env_name of Poetry 1.8.5.
        assert_eq!(environment_name("annapurna", "/app"), "annapurna-9TtSrW0h");
    }

    #[test]
    fn capitals_are_no_certain_truth() {
        assert_eq!(
            ["true", "1", "false", "0", "yes", ""].map(|text| is_true(text).unwrap()),
            [true, true, false, false, false, false]
        );
        assert!(is_true("True").is_err() && is_true("TRUE").is_err());
    }

    #[test]
    fn settings_of_a_file_are_followed_or_refused() {
        let read = |text: &str| of_file(text).ok();
        let found = read("cache-dir = \"/c\"\n[virtualenvs]\ncreate = false\n").unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("cache-dir".to_owned(), "/c".to_owned()), ("virtualenvs.create".to_owned(), "false".to_owned())]
        );
        assert_eq!(read(""), Some(BTreeMap::new()));
        assert!(read("[installer]\nno-binary = \":all:\"").is_none() && read("x =").is_none());
    }
}
