//! Where Poetry installs: into the system's Python, or into which virtual environment.
//!
//! Follows `poetry.utils.env.env_manager.EnvManager` and `poetry.config.config.Config`.

use base64::{Engine, prelude::BASE64_URL_SAFE};
use poetry_lock::PoetryToml;
use sha2::{Digest, Sha256};

use super::{
    command::{Command, is_shared, names_poetry},
    files::{Files, Unknown},
    states::chain,
    step::{Part, Scene, Script, Step},
    version::is_before_1_8,
};
use buildkit_llb::Output;

use crate::layout::is_below;

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
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
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::System => None,
            Self::Venv { path, .. } => Some(path),
        }
    }
}

/// What is known of a project when its environment is chosen.
#[derive(Debug, Clone)]
pub struct Project<'a> {
    /// The absolute path of its folder.
    pub folder: &'a str,
    /// Its normalized name; `None` if it has none.
    pub name: Option<&'a str>,
    /// Its poetry.toml.
    pub toml: &'a PoetryToml,
}

/// The settings of Poetry that stages make by `poetry config`, the last counts. Those that are not for the project alone are kept
/// in the user's home.
fn configured(steps: &[Step], parts: &[Part], key: &str, folder: &str, scene: &Scene) -> Option<String> {
    let is_users = |other: &Scene| config_folder(other) == config_folder(scene);
    let all = steps.iter().flat_map(Step::parts).chain(parts);
    all.filter_map(|part| match &part.command {
        Command::Config { key: set, value, local: true } if set == key && part.scene.folder == folder => Some(value),
        Command::Config { key: set, value, local: false } if set == key && is_users(&part.scene) => Some(value),
        _ => None,
    })
    .next_back()
    .cloned()
    .flatten()
}

/// A command that may make settings of Poetry and that could not be read.
fn unread_config(steps: &[Step], parts: &[Part]) -> Option<String> {
    let scripts = steps.iter().filter(|step| matches!(step.script, Script::Unread(_))).map(Step::text);
    let commands = steps.iter().flat_map(Step::parts).chain(parts);
    let commands = commands.filter(|part| matches!(part.command, Command::Needs(_)));
    let mut texts = scripts.chain(commands.map(|part| part.segment.text.clone()));
    texts.find(|text| names_poetry(text) && text.contains(" config "))
}

/// The virtual environment that Poetry was installed into by pip, if it was.
fn poetrys_environment(steps: &[Step], parts: &[Part]) -> Option<String> {
    let all = steps.iter().flat_map(Step::parts).chain(parts);
    let provides = all.filter(|part| matches!(part.command, Command::Provides { .. }));
    let made = |path: &str| {
        let mut calls = steps.iter().flat_map(Step::calls);
        calls.any(|(words, scene)| makes_venv(&words, &scene, path))
    };
    let environment = |part: &Part| {
        let words = part.words();
        let program = words.first()?;
        let base = program.rsplit('/').next()?;
        if !(base.starts_with("pip") || base.starts_with("python")) {
            return None;
        }
        let path = part.scene.variables.get("PATH").map(String::as_str).unwrap_or_default();
        let (folder, is_named) = match program.rsplit_once('/') {
            Some((folder, _)) => (part.scene.absolute(folder), true),
            None => (path.split(':').next()?.to_owned(), false),
        };
        let environment = folder.trim_end_matches('/').strip_suffix("/bin")?;
        if !(is_named || made(environment)) {
            return None;
        }
        (!is_shared(environment, &part.scene.variables)).then(|| environment.to_owned())
    };
    provides.filter_map(environment).next_back()
}

/// Whether a command makes a virtual environment at an absolute path.
fn makes_venv(words: &[String], scene: &Scene, path: &str) -> bool {
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let maker = words.windows(2).position(|pair| match (base(&pair[0]).as_str(), pair[1].as_str()) {
        ("-m", module) => ["venv", "virtualenv"].contains(&module),
        (program, command) => program == "virtualenv" || program == "uv" && command == "venv",
    });
    let operands = maker.map(|at| words[at + 1..].iter().filter(|word| !word.starts_with('-')));
    // uv has a place where none is named.
    let is_default = || words.last().is_some_and(|word| word == "venv") && scene.absolute(".venv") == path;
    operands.is_some_and(|mut operands| operands.any(|word| scene.absolute(word) == path) || is_default())
}

/// What tells the folder that `poetry config` writes to from that of another user.
fn config_folder(scene: &Scene) -> (&'static str, &str) {
    let of_variable = ["POETRY_CONFIG_DIR", "XDG_CONFIG_HOME", "HOME"].into_iter().find_map(|name| {
        let value = scene.variables.get(name).filter(|_| name != "HOME" || scene.names_home)?;
        Some((name, value.as_str()))
    });
    of_variable.unwrap_or_else(|| ("user", scene.user.split(':').next().unwrap_or_default()))
}

/// The steps of the stage, and of those that it goes on from.
#[must_use]
pub fn steps(state: &Output) -> Vec<Step> {
    chain(state).iter().filter_map(Step::of).collect()
}

/// The environment of a command.
///
/// `before` are the commands of the same script in front of it, and `served` the virtual environments that are there
/// because an earlier command was served.
///
/// # Errors
/// If it cannot be told.
pub async fn place(
    state: &Output,
    scene: &Scene,
    before: &[Part],
    project: &Project<'_>,
    files: &Files<'_>,
    served: &[String],
) -> Result<Place, Unknown> {
    let steps = steps(state);
    let variable = |name: &str| scene.variables.get(name).filter(|value| !value.is_empty()).cloned();
    if variable("CONDA_PREFIX").is_some() {
        return Err(Unknown::Uncertain("a Conda environment is active".to_owned()));
    }
    if let Some(active) = variable("VIRTUAL_ENV") {
        let active = active.trim_end_matches('/').to_owned();
        let makes = |text: String| {
            let words = ["-m venv", "virtualenv"].iter().any(|word| text.contains(word));
            words && (text.contains(&active) || text.contains("VIRTUAL_ENV") || text.contains("VENV"))
        };
        let here = before.iter().any(|part| makes(part.segment.text.clone()));
        if served.contains(&active) || here || steps.iter().any(|step| makes(step.text())) {
            return Ok(Place::Venv { path: active, made: false });
        }
        return Err(Unknown::Uncertain(format!("VIRTUAL_ENV is {active}, which no step before makes")));
    }
    if let Some(text) = unread_config(&steps, before) {
        return Err(Unknown::Uncertain(format!(
            "`{text}` may make settings of Poetry and cannot be read with certainty"
        )));
    }
    let config = [("POETRY_CONFIG_DIR", ""), ("XDG_CONFIG_HOME", "/pypoetry"), ("HOME", "/.config/pypoetry")]
        .into_iter()
        .find_map(|(name, folder)| Some(format!("{}{folder}/config.toml", variable(name)?)));
    if let Some(config) = config.filter(|config| config.starts_with('/'))
        && files.exists(state, &config).await?
    {
        return Err(Unknown::Uncertain(format!("{config} has settings of Poetry, which are not read")));
    }
    let setting = |key: &str, variable_name: &str| {
        variable(variable_name).or_else(|| configured(&steps, before, key, project.folder, scene))
    };
    let flag = |key: &str, variable_name: &str, local: Option<bool>| {
        let from_variable = variable(variable_name).as_deref().map(is_true);
        from_variable.or(local).or_else(|| setting(key, variable_name).as_deref().map(is_true))
    };
    let create =
        flag("virtualenvs.create", "POETRY_VIRTUALENVS_CREATE", project.toml.virtualenvs_create).unwrap_or(true);
    let in_project =
        flag("virtualenvs.in-project", "POETRY_VIRTUALENVS_IN_PROJECT", project.toml.virtualenvs_in_project);
    let own = format!("{}/.venv", project.folder.trim_end_matches('/'));
    let is_served = served.contains(&own);
    if !is_served && in_project != Some(false) && files.exists(state, &own).await? {
        return Err(Unknown::Uncertain(format!(
            "the build context brings a virtual environment {own}; add .venv to .dockerignore"
        )));
    }
    let here = before.iter().map(|part| (part.words(), part.scene.clone()));
    let mut calls = steps.iter().flat_map(Step::calls).chain(here);
    if !is_served && in_project != Some(false) && calls.any(|(words, scene)| makes_venv(&words, &scene, &own)) {
        return Err(Unknown::Uncertain(format!("a command before it makes the virtual environment {own}")));
    }
    if is_served && in_project != Some(false) || create && in_project == Some(true) {
        return Ok(Place::Venv { path: own, made: true });
    }
    if !create {
        // Poetry 1.7 and older take the environment that they are in for the system's, but for one in $POETRY_HOME.
        return match poetrys_environment(&steps, before)
            .filter(|path| variable("POETRY_HOME").is_none_or(|home| !is_below(path, &home)))
            .filter(|_| is_before_1_8(state, before))
        {
            Some(environment) => Err(Unknown::Uncertain(format!(
                "Poetry before 1.8 installs into its own environment, which is {environment}"
            ))),
            None => Ok(Place::System),
        };
    }
    let home = || variable("HOME").ok_or_else(|| Unknown::Uncertain("the user's home folder is not known".to_owned()));
    let cache = match setting("cache-dir", "POETRY_CACHE_DIR") {
        Some(cache) => cache,
        None => match variable("XDG_CACHE_HOME") {
            Some(cache) => format!("{cache}/pypoetry"),
            None => format!("{}/.cache/pypoetry", home()?),
        },
    };
    let path = variable("POETRY_VIRTUALENVS_PATH").or_else(|| project.toml.virtualenvs_path.clone());
    let folder = match path.or_else(|| setting("virtualenvs.path", "POETRY_VIRTUALENVS_PATH")) {
        Some(path) => path.replace("{cache-dir}", &cache),
        None => format!("{cache}/virtualenvs"),
    };
    if !folder.starts_with('/') {
        return Err(Unknown::Uncertain(format!("{folder} is no absolute path")));
    }
    let name = environment_name(project.name.unwrap_or("non-package-mode"), project.folder);
    // The version of Python is put behind it when it is known.
    Ok(Place::Venv { path: format!("{}/{name}-py{PYTHON}", folder.trim_end_matches('/')), made: true })
}

/// Stands for the version of Python in the path of a virtual environment.
pub const PYTHON: &str = "{python}";

/// `EnvManager.generate_env_name`.
fn environment_name(name: &str, folder: &str) -> String {
    let is_odd = |c: char| " $`!*@\"\\\r\n\t".contains(c);
    let sanitized: String = name.to_lowercase().chars().map(|c| if is_odd(c) { '_' } else { c }).take(42).collect();
    let digest = BASE64_URL_SAFE.encode(Sha256::digest(folder));
    format!("{sanitized}-{}", digest.get(..8).unwrap_or_default())
}

/// `poetry.config.config.boolean_normalizer`.
fn is_true(text: &str) -> bool {
    ["true", "1"].contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Exec, Platform, Source};

    use super::*;

    #[test]
    fn poetrys_own_environment_is_that_of_its_pip() {
        let of = |script: &str| {
            let platform = Platform::new("linux", "amd64");
            let base = Source::image("docker.io/library/python:3.11", platform.clone()).output().unwrap();
            let exec = Exec::new(["/bin/sh", "-c", script], platform).root(&base);
            let exec = exec.env("PATH", "/opt/venv/bin:/usr/local/bin:/usr/bin");
            poetrys_environment(&steps(&exec.build().unwrap().output("/").unwrap()), &[])
        };
        let venv = Some("/opt/venv".to_owned());
        assert_eq!(of("python -m venv /opt/venv && /opt/venv/bin/pip install poetry==1.7.1"), venv);
        assert_eq!(of("python -m venv /opt/venv && pip install poetry==1.7.1"), venv);
        assert_eq!(of("pip install poetry==1.7.1"), None);
        assert_eq!(of("/usr/local/bin/python -m pip install poetry==1.7.1"), None);
    }

    #[test]
    fn commands_that_make_a_virtual_environment() {
        let scene = Scene::new(&[], "/app", "");
        let makes = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            makes_venv(&words, &scene, "/app/.venv")
        };
        for text in
            ["python -m venv .venv", "/usr/bin/python3 -m venv --copies /app/.venv", "uv venv", "virtualenv -p x .venv"]
        {
            assert!(makes(text), "{text}");
        }
        for text in ["python -m venv /root/.venv", "poetry config virtualenvs.path .venv", "ls .venv", "uv venv /x"] {
            assert!(!makes(text), "{text}");
        }
    }

    #[test]
    fn environments_are_named_as_poetry_names_them() {
        // Printed by EnvManager.generate_env_name of Poetry 1.8.5.
        assert_eq!(environment_name("annapurna", "/app"), "annapurna-9TtSrW0h");
    }
}
