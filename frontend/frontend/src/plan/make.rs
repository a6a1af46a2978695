//! Decides everything.

use std::collections::{BTreeMap, BTreeSet};

use install_request::Interpreter;
use poetry_lock::{
    Artifact, DistributionFile, FileKind, GroupChoice, LockedPackage, Name, Options, Project, ScriptKind, Selection,
    Source, Span, Tags,
};
use thiserror::Error;

use super::{Image, Node, Package, Plan, Python, SCHEMA, Target, bins, root};
use crate::{
    interpreter, layout, python,
    settings::{Located, Origin, Settings},
    start,
};

/// The application's folder, where none is set.
const WORKDIR: &str = "/app";
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

/// All that a plan depends on.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// pyproject.toml and poetry.lock.
    pub project: &'a Project,
    /// The user's settings.
    pub settings: &'a Settings,
    /// The version of Python and how it was found.
    pub python: &'a python::Python,
    /// The interpreter of the base image, as it is on the target platform.
    pub interpreter: &'a Interpreter,
    /// The target platform, e.g. `linux/amd64`.
    pub platform: &'a str,
    /// What is built.
    pub target: Target,
    /// The project's files as far as they are known, relative to the project.
    pub files: &'a BTreeSet<String>,
    /// The lines of the `.dockerignore` that counts.
    pub dockerignore: &'a [String],
    /// Labels of the command line.
    pub labels: &'a BTreeMap<String, String>,
    /// The default index.
    pub index: &'a str,
    /// The text of poetry.lock.
    pub lock_text: &'a str,
}

impl Inputs<'_> {
    fn lock_line(&self, span: Span) -> u32 {
        let (line, _) = span.line_column(self.lock_text);
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The lock and what was asked for do not go together.
    #[error(transparent)]
    Lock(#[from] poetry_lock::Error),
    /// A group or an extra that a setting asks for is not there, or settings exclude each other.
    #[error("{source}")]
    Choice {
        /// What is wrong.
        source: poetry_lock::Error,
        /// Who asked for it.
        origin: Origin,
    },
    /// The interpreter cannot be used.
    #[error(transparent)]
    Interpreter(#[from] interpreter::Error),
    /// A package is of a kind that is not supported.
    #[error("`{name}` {version} is {kind}, which poetry-buildkit cannot install")]
    Unsupported {
        /// The package.
        name: String,
        /// Its version.
        version: String,
        /// What it is, with an article.
        kind: &'static str,
        /// Its place in the lock.
        span: Span,
    },
    /// A file has no sha256 in the lock.
    #[error("`{file}` has no sha256 in poetry.lock, so it cannot be verified")]
    NoSha256 {
        /// The file.
        file: String,
        /// Its place in the lock.
        span: Span,
    },
}

/// Makes the plan.
///
/// # Errors
/// If the lock cannot be followed, or holds what cannot be installed on the interpreter.
pub fn make(inputs: &Inputs<'_>) -> Result<Plan, Error> {
    let environment = interpreter::environment(inputs.interpreter)?;
    let tags = interpreter::tags(inputs.interpreter)?;
    let selection =
        inputs.project.select(&environment, &options(inputs)).map_err(|error| with_origin(error, inputs.settings))?;
    let mut warnings: Vec<String> = selection.warnings.iter().map(ToString::to_string).collect();

    let packages = selection
        .packages
        .iter()
        .map(|selected| package(inputs, selected.package, &tags, selected.reason.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    let nodes = nodes(&packages);
    let image = image(inputs, &selection, &mut warnings);
    let scheme = inputs.interpreter.venv.below(&image.venv);
    let modules = layout::find(&inputs.project.pyproject, inputs.files);
    let python = format!("{}/bin/python", image.venv);
    let root = if selection.root {
        if modules.is_empty() {
            warnings.push(format!(
                "no package or module of the project was found, so it cannot be imported by name: set `packages` of \
                 [tool.poetry], or `package-mode = false` (or `no-root = true` of [tool.poetry-buildkit]) if it is none; \
                 looked for {}",
                layout::candidates(&inputs.project.pyproject)
                    .iter()
                    .map(|module| format!("`{}`", module.path))
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
        }
        root::install(&inputs.project.pyproject, &modules, &image.workdir, &python, &scheme)
    } else {
        None
    };
    let pyproject = &inputs.project.pyproject;
    Ok(Plan {
        schema: SCHEMA,
        target: inputs.target,
        platform: inputs.platform.to_owned(),
        project: super::Project {
            name: pyproject.name.as_ref().map(|name| Name::new(&name.value).to_string()),
            version: match &pyproject.version {
                poetry_lock::ProjectVersion::Static(version) => Some(version.value.clone()),
                _ => None,
            },
        },
        python: Python {
            version: interpreter::version(inputs.interpreter).to_owned(),
            implementation: interpreter::implementation_name(inputs.interpreter).to_owned(),
            tag: tags.as_slice().first().cloned().unwrap_or_default(),
            because: inputs.python.because.clone(),
        },
        base: base(inputs.settings, inputs.python),
        builder: builder(inputs.settings, inputs.python),
        groups: selection.groups.iter().map(ToString::to_string).collect(),
        extras: selection.extras.iter().map(ToString::to_string).collect(),
        packages,
        nodes,
        root,
        image,
        warnings,
        scheme,
    })
}

/// The reference of the runtime image.
#[must_use]
pub fn base(settings: &Settings, python: &python::Python) -> String {
    value(&settings.base).unwrap_or_else(|| python.base())
}

/// The path of the virtual environment.
#[must_use]
pub fn venv(settings: &Settings) -> String {
    value(&settings.venv).unwrap_or_else(|| format!("{}/.venv", workdir(settings)))
}

fn workdir(settings: &Settings) -> String {
    value(&settings.workdir).unwrap_or_else(|| WORKDIR.to_owned())
}

fn builder(settings: &Settings, python: &python::Python) -> String {
    value(&settings.builder).unwrap_or_else(|| python.builder())
}

fn options(inputs: &Inputs<'_>) -> Options {
    let settings = inputs.settings;
    let names = |setting: &Option<Located<Vec<String>>>| {
        setting.iter().flat_map(|setting| setting.value.iter().map(|name| Name::new(name))).collect::<Vec<_>>()
    };
    let groups = if inputs.target == Target::Dev {
        GroupChoice { all: true, ..GroupChoice::default() }
    } else if settings.only.is_some() || settings.with.is_some() || settings.without.is_some() {
        GroupChoice {
            only: names(&settings.only),
            with: names(&settings.with),
            without: names(&settings.without),
            all: false,
        }
    } else {
        GroupChoice { only: vec![Name::new("main")], ..GroupChoice::default() }
    };
    Options {
        groups,
        extras: names(&settings.extras),
        all_extras: value(&settings.all_extras).unwrap_or(false),
        no_root: value(&settings.no_root).unwrap_or(false),
        ..Options::default()
    }
}

/// Adds the setting that asked for what is not there.
fn with_origin(error: poetry_lock::Error, settings: &Settings) -> Error {
    fn origin<T>(setting: &Option<Located<T>>) -> Option<Origin> {
        setting.as_ref().map(|setting| setting.origin.clone())
    }
    let origin = match &error {
        poetry_lock::Error::UnknownGroup { option: "only", .. } => origin(&settings.only),
        poetry_lock::Error::UnknownGroup { option: "with", .. } => origin(&settings.with),
        poetry_lock::Error::UnknownGroup { option: "without", .. } => origin(&settings.without),
        poetry_lock::Error::UnknownExtra { .. } => origin(&settings.extras),
        poetry_lock::Error::OptionConflict { .. } => origin(&settings.extras).or_else(|| origin(&settings.all_extras)),
        _ => None,
    };
    match origin {
        Some(origin) => Error::Choice { source: error, origin },
        None => Error::Lock(error),
    }
}

fn package(inputs: &Inputs<'_>, locked: &LockedPackage, tags: &Tags, because: String) -> Result<Package, Error> {
    let unsupported = |kind| Error::Unsupported {
        name: locked.name.to_string(),
        version: locked.version_text.clone(),
        kind,
        span: locked.span,
    };
    let choice = match locked.artifact(tags, &inputs.project.settings.files)? {
        Artifact::Locked(choice) if matches!(locked.source, Source::Index { .. }) => {
            let _ = choice;
            return Err(unsupported("locked from an index of the project"));
        }
        Artifact::Locked(choice) if choice.is_wheel => choice,
        Artifact::Locked(_) => return Err(unsupported("locked as a source distribution only")),
        Artifact::Url { .. } => return Err(unsupported("an archive at an address")),
        Artifact::File { .. } => return Err(unsupported("a file of the project")),
        Artifact::Tree => return Err(unsupported("a folder or a Git repository")),
    };
    let file = &choice.file.name;
    let sha256 = choice
        .file
        .hash
        .strip_prefix("sha256:")
        .ok_or_else(|| Error::NoSha256 { file: file.clone(), span: choice.file.span })?;
    Ok(Package {
        lock_line: inputs.lock_line(locked.span),
        name: locked.name.to_string(),
        version: locked.version_text.clone(),
        source: None,
        file: Some(file.clone()),
        sha256: Some(sha256.to_owned()),
        node: bins::node(locked.name.as_str(), is_compiled(file)),
        because,
        index: value(&inputs.settings.index).unwrap_or_else(|| inputs.index.to_owned()),
    })
}

/// Whether a wheel is made for some platforms only.
fn is_compiled(file: &str) -> bool {
    match DistributionFile::parse(file).map(|file| file.kind) {
        Some(FileKind::Wheel { tags, .. }) => !tags.iter().all(|tag| tag.ends_with("-any")),
        _ => true,
    }
}

fn nodes(packages: &[Package]) -> Vec<Node> {
    let mut members: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        members.entry(&package.node).or_default().push(package);
    }
    members
        .into_iter()
        .map(|(id, packages)| Node {
            id: id.to_owned(),
            packages: packages.iter().map(|package| package.name.clone()).collect(),
            label: label(&packages),
        })
        .collect()
}

/// E.g. `numpy 2.1.3 (cp311, manylinux_2_28_x86_64)`.
fn label(packages: &[&Package]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> = packages
        .iter()
        .take(SHOWN)
        .map(|package| format!("{} {}{}", package.name, package.version, tag(package)))
        .collect();
    if packages.len() > SHOWN {
        shown.push(format!("and {} more", packages.len() - SHOWN));
    }
    shown.join(", ")
}

/// The tag of a compiled wheel, in brackets.
fn tag(package: &Package) -> String {
    let file = package.file.as_deref().unwrap_or_default();
    let mut parts = file.trim_end_matches(".whl").rsplitn(4, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(platform), Some(_), Some(python)) if platform != "any" => {
            let newest = platform.split('.').next().unwrap_or(platform);
            format!(" ({python}, {newest})")
        }
        _ => String::new(),
    }
}

fn image(inputs: &Inputs<'_>, selection: &Selection<'_>, warnings: &mut Vec<String>) -> Image {
    let settings = inputs.settings;
    let mut exclude: Vec<String> = EXCLUDE.iter().map(|pattern| (*pattern).to_owned()).collect();
    exclude.extend(inputs.dockerignore.iter().cloned());
    exclude.extend(value(&settings.exclude).unwrap_or_default());
    let mut labels = value(&settings.labels).unwrap_or_default();
    labels.extend(inputs.labels.clone());
    let (entrypoint, cmd) = commands(inputs, selection, warnings);
    Image {
        include: value(&settings.include).unwrap_or_default(),
        exclude,
        apt: sorted(value(&settings.apt).unwrap_or_default()),
        compile_bytecode: value(&settings.compile_bytecode).unwrap_or(false),
        entrypoint,
        cmd,
        env: value(&settings.env).unwrap_or_default(),
        expose: value(&settings.expose).unwrap_or_default().into_iter().map(with_protocol).collect(),
        labels,
        user: value(&settings.user).map_or_else(|| USER.to_owned(), with_group),
        workdir: workdir(settings),
        venv: venv(settings),
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
    // A script exists only where the project is installed.
    let scripts: Vec<String> = pyproject
        .scripts
        .iter()
        .filter(|script| selection.root && matches!(script.kind, ScriptKind::Console { .. }))
        .map(|script| script.name.clone())
        .collect();
    match start::find(&scripts, &layout::find(pyproject, inputs.files), inputs.files) {
        Some(start) => (start.words(), Vec::new()),
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

fn value<T: Clone>(setting: &Option<Located<T>>) -> Option<T> {
    setting.as_ref().map(|setting| setting.value.clone())
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
