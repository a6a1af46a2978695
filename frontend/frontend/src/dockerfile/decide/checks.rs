//! What only Poetry itself can do.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Output;
use install_request::{Interpreter, secret};

use super::install::Task;
use crate::{
    dockerfile::{
        decision::Installation,
        facts::Facts,
        programs::Meaning,
        rules::{self, Reason},
        stage::place::{Place, Settings},
        stop::{Stop, refuse},
    },
    interpreter,
    plan::{Package, Plan},
};

/// Why Poetry has to build something, if it has to.
pub(super) fn what_is_built(plan: &Plan) -> Option<Reason> {
    let shown = |names: &[String]| match names {
        [first, _, ..] => format!("{first} and {} more have no wheel", names.len() - 1),
        names => format!("{} has no wheel", names.join("")),
    };
    if !plan.built.is_empty() {
        return Some(Reason::new(&rules::FROM_SOURCE, shown(&plan.built)));
    }
    let script = plan.root.as_ref().and_then(|root| root.build_script.as_ref());
    script.map(|_| Reason::new(&rules::FROM_SOURCE, "the project's build script runs"))
}

/// Whether anything would have to be removed.
pub(super) fn check_sync(plan: &Plan, place: &Place, earlier: &[Installation]) -> Result<(), Stop> {
    let names: BTreeSet<&str> = plan.packages.iter().map(|package| package.name.as_str()).collect();
    let same = earlier.iter().filter(|made| made.place.path() == place.path());
    let mut surplus = same.flat_map(|made| made.packages.keys()).filter(|name| !names.contains(name.as_str()));
    match (surplus.next(), place) {
        (Some(name), _) => refuse(&rules::SYNC, format!("it removes {name}, which was installed before")),
        (None, Place::Venv { made: true, .. }) => Ok(()),
        (None, _) => refuse(&rules::SYNC, "it removes whatever else is in the environment"),
    }
}

/// Settings of Poetry that change what it installs, made where they are not followed.
pub(super) fn check_settings(settings: &Settings<'_>) -> Result<(), Stop> {
    const UNKNOWN: [&str; 4] = [
        "installer.no-binary",
        "installer.only-binary",
        "virtualenvs.options.system-site-packages",
        "virtualenvs.options.always-copy",
    ];
    for key in UNKNOWN {
        if settings.is_set(key)? {
            return refuse(&rules::SETTING, format!("{key} is set outside of poetry.toml"));
        }
    }
    Ok(())
}

/// Whether another Python than the stage's own is named.
pub(super) fn check_python(task: &Task<'_>, found: &Interpreter) -> Result<(), Stop> {
    let version = interpreter::version(found);
    if let Some(python) = task.install.python.as_ref().filter(|python| !is_own(python, &found.executable, version)) {
        return refuse(&rules::OTHER_PYTHON, format!("{python} may be of another version than {version}"));
    }
    let other = task.history.commands().find_map(|command| match command.meaning {
        Meaning::EnvUse(python) if !is_own(python, &found.executable, version) => Some(python.clone()),
        _ => None,
    });
    match other {
        Some(_) => refuse(&rules::OTHER_PYTHON, format!("`poetry env use` may choose another version than {version}")),
        None => Ok(()),
    }
}

/// Whether the argument of `poetry env use` is the Python of this path and version.
fn is_own(python: &str, executable: &str, version: &str) -> bool {
    let folder = executable.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (given, name) = python.rsplit_once('/').unwrap_or((folder, python));
    let number = name.strip_prefix("python").unwrap_or(name);
    let is_version = version.strip_prefix(number).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    python == "system" || given == folder && (number.is_empty() || is_version)
}

/// Whether a plugin changes the project's version when it is installed.
pub(super) fn has_dynamic_version(pyproject: &str) -> bool {
    let table = pyproject.parse::<toml::Table>().unwrap_or_default();
    let plugin = table.get("tool").and_then(|tool| tool.get("poetry-dynamic-versioning"));
    plugin.and_then(|plugin| plugin.get("enable")).and_then(toml::Value::as_bool) == Some(true)
}

/// Credentials that only Poetry would find, of the sources that the lock's packages come from.
pub(super) fn check_credentials(plan: &Plan, task: &Task<'_>, settings: &Settings<'_>) -> Result<(), Stop> {
    let named = plan.packages.iter().filter_map(|package| package.archive()?.archive.index()?.source.as_deref());
    let sources: BTreeSet<&str> = named.collect();
    let Some(first) = sources.first() else { return Ok(()) };
    // As names of settings and as parts of variables.
    let of_key = |name: &str| sources.iter().any(|source| source.eq_ignore_ascii_case(name));
    let of_variable = |rest: &str| {
        let parts = |source: &&str| source.replace(['-', '.', ' '], "_").to_ascii_uppercase();
        sources.iter().map(parts).any(|source| rest == source || rest.starts_with(&format!("{source}_")))
    };
    let told = |source: &str| format!("credentials of the source {source} are given to Poetry alone");
    let variables = ["POETRY_HTTP_BASIC_", "POETRY_PYPI_TOKEN_", "POETRY_CERTIFICATES_"];
    for name in task.command.names() {
        if variables.iter().any(|start| name.strip_prefix(start).is_some_and(of_variable)) {
            return refuse(&rules::CREDENTIALS, told(first));
        }
    }
    // `repositories.NAME` is for publishing.
    let keys = ["http-basic.", "pypi-token.", "certificates."];
    for key in settings.keys() {
        let name = keys.iter().find_map(|start| key.strip_prefix(start)).and_then(|rest| rest.split('.').next());
        if name.is_some_and(of_key) {
            return refuse(&rules::CREDENTIALS, told(first));
        }
    }
    let known = |id: &str| id.starts_with("POETRY_HTTP_BASIC_") || id == secret::NETRC || id == secret::CA_BUNDLE;
    let mut secrets = task.step.exec.mounts.iter().filter_map(|mount| mount.secret_opt.as_ref());
    match secrets.find(|secret| !known(&secret.id)) {
        Some(_) => {
            refuse(&rules::CREDENTIALS, format!("credentials of the source {first} may be in a secret of the step"))
        }
        None => Ok(()),
    }
}

/// Where Debian's own packages for Python are, which pip finds as well.
const OF_DEBIAN: &str = "/usr/lib/python3/dist-packages";

/// In an environment that Poetry did not make there may be packages already. Poetry and pip replace those of another version. Those
/// that were served before are the same.
pub(super) async fn check_present(
    facts: &Facts<'_>,
    state: &Output,
    plan: &Plan,
    place: &Place,
    earlier: &[Installation],
) -> Result<(), Stop> {
    let is_served = |package: &Package| {
        let mut here = earlier.iter().filter(|made| made.place.path() == place.path());
        here.any(|made| made.packages.get(&package.name) == Some(&package.version))
    };
    let mut present = BTreeMap::new();
    let of_system = (plan.requested && *place == Place::System).then_some(OF_DEBIAN);
    for folder in [plan.scheme.purelib.as_str(), &plan.scheme.platlib].into_iter().chain(of_system) {
        for name in facts.names(state, folder).await? {
            let name = name.trim_end_matches('/');
            let stem = name.strip_suffix(".dist-info").or_else(|| name.strip_suffix(".egg-info"));
            if let Some((name, version)) = stem.and_then(|stem| stem.split_once('-')) {
                present.insert(poetry_lock::Name::new(name).to_string(), version.to_owned());
            }
        }
    }
    for package in plan.packages.iter().filter(|package| !is_served(package)) {
        if let Some(version) = present.get(&package.name) {
            return refuse(&rules::INSTALLED_ALREADY, format!("{} {version} is installed already", package.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_own_python_has_several_names() {
        let own = |python: &str| is_own(python, "/usr/local/bin/python3.11", "3.11.9");
        for python in ["system", "python", "python3", "3.11", "python3.11.9", "/usr/local/bin/python3.11"] {
            assert!(own(python), "{python}");
        }
        for python in ["3.1", "3.12", "python3.12", "/usr/bin/python3.11", "pypy3"] {
            assert!(!own(python), "{python}");
        }
    }

    #[test]
    fn a_plugin_counts_where_it_is_switched_on() {
        let table = |setting: &str| has_dynamic_version(&format!("[tool.poetry-dynamic-versioning]\n{setting}\n"));
        assert!(table("enable = true") && !table("enable = false") && !table("") && !has_dynamic_version(""));
    }
}
