//! What only Poetry itself can do.

use std::collections::{BTreeMap, BTreeSet};

use install_request::{Interpreter, secret};

use super::{
    command::Command,
    place::{self, Place},
    service::{Problem, Served, Service, Wanted, refused},
    step::{Scene, Step},
};
use crate::{
    gateway::Ref,
    interpreter,
    plan::{How, Package, Plan},
};

/// Whether a package is a wheel of an index or at an address, which is unpacked and no more.
pub(super) fn is_unpacked(package: &Package) -> bool {
    matches!(&package.how, How::Wheel(file) if file.local.is_none())
}

/// Why Poetry has to build something, if it has to.
pub(super) fn what_is_built(plan: &Plan) -> Option<String> {
    let built = plan.packages.iter().filter(|package| !is_unpacked(package));
    let names: Vec<&str> = built.map(|package| package.name.as_str()).collect();
    if !names.is_empty() {
        return Some(format!("{} has no wheel and is built in the stage", names.join(", ")));
    }
    let script = plan.root.as_ref().and_then(|root| root.build_script.as_ref());
    script.map(|script| format!("the project's build script {} runs", script.path))
}

/// Whether anything would have to be removed.
pub(super) fn check_sync(plan: &Plan, place: &Place, earlier: &[Served]) -> Result<(), Problem> {
    let names: BTreeSet<&str> = plan.packages.iter().map(|package| package.name.as_str()).collect();
    let same = earlier.iter().filter(|served| served.place.path() == place.path());
    let mut surplus = same.flat_map(|served| served.packages.keys()).filter(|name| !names.contains(name.as_str()));
    match (surplus.next(), place) {
        (Some(name), _) => refused(format!("it removes {name}, which was installed before")),
        (None, Place::Venv { made: true, .. }) => Ok(()),
        (None, _) => refused("it removes whatever else is in the environment"),
    }
}

/// Settings of Poetry that change what it installs, made where we do not follow them.
pub(super) fn check_settings(wanted: &Wanted<'_>, scene: &Scene) -> Result<(), Problem> {
    const UNKNOWN: [(&str, &str); 4] = [
        ("installer.no-binary", "POETRY_INSTALLER_NO_BINARY"),
        ("installer.only-binary", "POETRY_INSTALLER_ONLY_BINARY"),
        ("virtualenvs.options.system-site-packages", "POETRY_VIRTUALENVS_OPTIONS_SYSTEM_SITE_PACKAGES"),
        ("virtualenvs.options.always-copy", "POETRY_VIRTUALENVS_OPTIONS_ALWAYS_COPY"),
    ];
    let steps = place::steps(&wanted.step.root);
    let is_set = |key: &str, variable: &str| {
        let mut parts = steps.iter().flat_map(Step::parts).chain(wanted.before);
        let configured = parts.any(|part| matches!(&part.command, Command::Config { key: set, .. } if set == key));
        configured || scene.variables.contains_key(variable)
    };
    match UNKNOWN.iter().find(|(key, variable)| is_set(key, variable)) {
        Some((key, _)) => refused(format!("the setting {key} is made outside of poetry.toml")),
        None => Ok(()),
    }
}

/// Whether `poetry env use` names another Python than the stage's own.
pub(super) fn check_python(wanted: &Wanted<'_>, found: &Interpreter) -> Result<(), Problem> {
    let version = interpreter::version(found);
    if let Some(python) = wanted.install.python.as_ref().filter(|python| !is_own(python, &found.executable, version)) {
        return refused(format!("`{python} -m poetry` may be of another Python than {version}"));
    }
    let steps = place::steps(&wanted.step.root);
    let mut parts = steps.iter().flat_map(Step::parts).chain(wanted.before);
    let other = parts.find_map(|part| match &part.command {
        Command::EnvUse(python) if !is_own(python, &found.executable, version) => Some(python),
        _ => None,
    });
    match other {
        Some(python) => refused(format!("`poetry env use {python}` may choose another Python than {version}")),
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

/// Credentials that only Poetry would find.
pub(super) fn check_credentials(plan: &Plan, wanted: &Wanted<'_>, scene: &Scene) -> Result<(), Problem> {
    let mut named = plan.packages.iter().filter_map(|package| package.archive()?.archive.index()?.source.as_deref());
    let Some(source) = named.next() else { return Ok(()) };
    let advice = format!(
        "pass them as the build secrets {} and {}, and take them out of the Dockerfile",
        secret::username(source),
        secret::password(source)
    );
    let of_access = ["POETRY_HTTP_BASIC_", "POETRY_PYPI_TOKEN_", "POETRY_CERTIFICATES_", "POETRY_REPOSITORIES_"];
    if let Some(name) = scene.variables.keys().find(|name| of_access.iter().any(|start| name.starts_with(start))) {
        return refused(format!("credentials of the source `{source}` are in the variable {name}: {advice}"));
    }
    let steps = place::steps(&wanted.step.root);
    let parts = steps.iter().flat_map(Step::parts).chain(wanted.before);
    let mut keys = parts.filter_map(|part| match &part.command {
        Command::Config { key, .. } => Some(key),
        _ => None,
    });
    let of_access = ["http-basic.", "pypi-token.", "certificates.", "repositories."];
    if let Some(key) = keys.find(|key| of_access.iter().any(|start| key.starts_with(start))) {
        return refused(format!("credentials of the source `{source}` are set by `poetry config {key}`: {advice}"));
    }
    let known = |id: &str| id.starts_with("POETRY_HTTP_BASIC_") || id == secret::NETRC || id == secret::CA_BUNDLE;
    let mut secrets = wanted.step.exec.mounts.iter().filter_map(|mount| mount.secret_opt.as_ref());
    if let Some(secret) = secrets.find(|secret| !known(&secret.id)) {
        return refused(format!("credentials of the source `{source}` may be in the secret {}: {advice}", secret.id));
    }
    Ok(())
}

/// Where Debian's own packages for Python are, which pip finds as well.
const OF_DEBIAN: &str = "/usr/lib/python3/dist-packages";

/// In an environment that Poetry did not make there may be packages already. Poetry and pip replace those of another version. Those
/// that were served before are the same.
pub(super) async fn check_present(
    service: &Service<'_>,
    state: &Ref,
    plan: &Plan,
    place: &Place,
    earlier: &[Served],
) -> Result<(), Problem> {
    let is_served = |package: &Package| {
        let mut here = earlier.iter().filter(|served| served.place.path() == place.path());
        here.any(|served| served.packages.get(&package.name) == Some(&package.version))
    };
    let mut present = BTreeMap::new();
    let of_system = (plan.requested && *place == Place::System).then_some(OF_DEBIAN);
    for folder in [plan.scheme.purelib.as_str(), &plan.scheme.platlib].into_iter().chain(of_system) {
        for name in service.gateway.read_dir(state, folder).await.unwrap_or_default() {
            let name = name.trim_end_matches('/');
            let stem = name.strip_suffix(".dist-info").or_else(|| name.strip_suffix(".egg-info"));
            if let Some((name, version)) = stem.and_then(|stem| stem.split_once('-')) {
                present.insert(poetry_lock::Name::new(name).to_string(), version.to_owned());
            }
        }
    }
    for package in plan.packages.iter().filter(|package| !is_served(package)) {
        if let Some(version) = present.get(&package.name) {
            return refused(format!("{} {version} is installed already", package.name));
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
