//! The image around the packages: its files, its command and its config.

use poetry_lock::{Name, ScriptKind, Selection};

use super::{
    Image, Inputs,
    make::{value, venv, workdir},
    root,
};
use crate::{dockerignore, layout, settings::Located, start};

/// The user, where none is set: the number that is commonly taken for one without a name or privileges.
const USER: &str = "65532:65532";

/// What is left out of the application's files before the user's own patterns count.
const EXCLUDE: [&str; 33] = [
    "**/.git",
    "**/.hg",
    "**/.svn",
    "**/.DS_Store",
    "**/.env",
    "**/.env.*",
    "**/.venv",
    "**/__pycache__",
    "**/*.py[cod]",
    "**/*.egg-info",
    "**/.mypy_cache",
    "**/.pytest_cache",
    "**/.ruff_cache",
    "**/.hypothesis",
    "**/.tox",
    "**/.nox",
    "**/.coverage",
    "**/.coverage.*",
    "**/htmlcov",
    "**/.idea",
    "**/.vscode",
    "**/node_modules",
    "venv",
    ".github",
    ".gitlab-ci.yml",
    "Dockerfile*",
    "*.[Dd]ockerfile",
    "*.dockerignore",
    ".dockerignore",
    "compose*.y*ml",
    "docker-compose*.y*ml",
    "poetry.lock",
    "poetry.toml",
];

/// What is left out again after the user's `.dockerignore`, which often excludes all and then takes a folder back with all that
/// is in it.
const EXCLUDE_IN_ANY_CASE: [&str; 6] =
    ["**/.git", "**/.env", "**/.env.*", "**/.venv", "**/__pycache__", "**/*.py[cod]"];

/// Decides on the image.
pub(super) fn image(inputs: &Inputs<'_>, selection: &Selection<'_>, warnings: &mut Vec<String>) -> Image {
    let settings = inputs.settings;
    let mut exclude: Vec<String> = EXCLUDE.iter().map(|pattern| (*pattern).to_owned()).collect();
    exclude.extend(inputs.dockerignore.iter().cloned());
    if inputs.dockerignore.iter().any(|pattern| pattern.starts_with('!')) {
        exclude.extend(EXCLUDE_IN_ANY_CASE.map(str::to_owned));
    }
    exclude.extend(patterns(&settings.exclude));
    let mut labels = value(&settings.labels).unwrap_or_default();
    labels.extend(inputs.labels.clone());
    let (entrypoint, cmd) = commands(inputs, selection, warnings);
    Image {
        include: patterns(&settings.include),
        exclude,
        apt: sorted(value(&settings.apt).unwrap_or_default()),
        compile_bytecode: value(&settings.compile_bytecode).unwrap_or(false),
        entrypoint,
        cmd,
        env: value(&settings.env).unwrap_or_default(),
        expose: value(&settings.expose).unwrap_or_default().into_iter().map(with_protocol).collect(),
        labels,
        user: value(&settings.user).map_or_else(|| USER.to_owned(), with_group),
        workdir: inputs.command.as_ref().map_or_else(|| workdir(settings), |command| command.folder.to_owned()),
        venv: inputs.command.as_ref().map_or_else(|| venv(settings), |command| command.prefix.to_owned()),
    }
}

/// Entry point and command: what is set, or else what is found.
fn commands(inputs: &Inputs<'_>, selection: &Selection<'_>, warnings: &mut Vec<String>) -> (Vec<String>, Vec<String>) {
    let settings = inputs.settings;
    let words = |command: &Option<Located<crate::settings::Command>>| {
        command.as_ref().map_or_else(Vec::new, |command| command.value.words())
    };
    if settings.entrypoint.is_some() || settings.cmd.is_some() {
        return (words(&settings.entrypoint), words(&settings.cmd));
    }
    let pyproject = &inputs.project.pyproject;
    let mut scripts = Vec::new();
    // A script exists only where the project is installed.
    for script in pyproject.scripts.iter().filter(|_| selection.root) {
        match &script.kind {
            ScriptKind::Console { reference, .. } if root::is_launchable(reference) => {
                scripts.push(script.name.clone())
            }
            ScriptKind::Console { reference, .. } => warnings.push(format!(
                "the script `{}` is `{reference}`, which is no `module:function`, and is not made: name a function, or set `cmd` of \
                 [tool.poetry-buildkit]",
                script.name
            )),
            ScriptKind::File { .. } => {}
        }
    }
    let name = pyproject.name.as_ref().map(|name| Name::new(&name.value));
    let modules = layout::find(pyproject, inputs.files);
    match start::find(&scripts, name.as_ref(), &modules, inputs.files, selection.root) {
        Some(start) => {
            warnings.extend(
                start::path(&start, &modules)
                    .and_then(|path| start::starts_nothing(&start, inputs.start_texts.get(&path)?)),
            );
            (start.words(), Vec::new())
        }
        None => {
            warnings.push(
                "no start command was found (a single script, a `__main__.py` of the package, or a `main.py`): the image \
                 starts Python. Set `entrypoint` or `cmd` of [tool.poetry-buildkit]"
                    .to_owned(),
            );
            (Vec::new(), vec!["python".to_owned()])
        }
    }
}

/// Patterns as BuildKit takes them: `/src` is `src`.
pub(crate) fn patterns(setting: &Option<Located<Vec<String>>>) -> Vec<String> {
    dockerignore::patterns(&value(setting).unwrap_or_default().join("\n"))
}

fn sorted(mut items: Vec<String>) -> Vec<String> {
    items.sort();
    items.dedup();
    items
}

fn with_protocol(port: String) -> String {
    if port.contains('/') { port } else { format!("{port}/tcp") }
}

fn with_group(user: String) -> String {
    if user.contains(':') { user } else { format!("{user}:{user}") }
}
