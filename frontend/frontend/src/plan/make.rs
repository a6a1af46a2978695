//! Decides everything.

use std::collections::{BTreeMap, BTreeSet};

use install_request::Interpreter;
use poetry_lock::{
    Algorithm, Environment, Format, GroupChoice, LockedPackage, Name, Options, Project, Pyproject, Source, Span,
};

use super::{
    Error, Plan, Python, SCHEMA, Target,
    bins::Spread,
    image,
    indexes::Indexes,
    nodes,
    package::{self, Packages},
    root,
};
use crate::{
    interpreter, layout, python,
    settings::{Located, Settings},
};

/// The application's folder, where none is set.
const WORKDIR: &str = "/app";

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
    /// The texts of those of them that a start command may run ([`crate::start::candidates`]), where they are known.
    pub start_texts: &'a BTreeMap<String, String>,
    /// The lines of the `.dockerignore` that counts.
    pub dockerignore: &'a [String],
    /// Labels of the command line.
    pub labels: &'a BTreeMap<String, String>,
    /// The default index.
    pub index: &'a str,
    /// The text of poetry.lock.
    pub lock_text: &'a str,
    /// The folders that the lock names and that are there, by their paths relative to the project; `None` for one
    /// without a pyproject.toml that can be read.
    pub folders: &'a BTreeMap<String, Option<Folder>>,
    /// The project's folder relative to the build context; `None` if there is no build context.
    pub project_folder: Option<&'a str>,
    /// Whether the files of all packages come from a wheelhouse.
    pub wheelhouse: bool,
    /// A command that asks for the installation; `None` for what the settings say.
    pub command: Option<Command<'a>>,
}

/// An installation that a command of a Dockerfile asks for.
#[derive(Debug, Clone)]
pub struct Command<'a> {
    /// What is installed.
    pub options: &'a Options,
    /// The absolute path of the project's folder.
    pub folder: &'a str,
    /// The absolute path of the environment that it goes into.
    pub prefix: &'a str,
    /// The path of the interpreter that programs of packages are run by; `None` for that of a virtual environment.
    pub python: Option<&'a str>,
    /// Whether packages are marked as asked for by name, as pip does it.
    pub requested: bool,
}

/// A folder of the user's that the lock names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its pyproject.toml.
    pub pyproject: Pyproject,
    /// Its files as far as they are known, relative to it.
    pub files: BTreeSet<String>,
}

/// Whether all packages of the project are in its folder, of which alone the image has the files.
fn check_packages(pyproject: &Pyproject) -> Result<(), Error> {
    for package in pyproject.build.packages.iter().filter(|package| package.formats.contains(&Format::Wheel)) {
        let path = layout::normalized(&format!("{}/{}", package.from.as_deref().unwrap_or("."), package.include.value));
        if path == ".." || path.starts_with("../") {
            return Err(Error::PackageOutside { path, span: package.include.span });
        }
    }
    Ok(())
}

/// The paths, relative to the project, of the folders that a lock names.
#[must_use]
pub fn folders(project: &Project) -> BTreeSet<String> {
    let path = |package: &LockedPackage| match &package.source {
        Source::Directory { path } if !path.starts_with('/') => Some(layout::normalized(path)),
        _ => None,
    };
    project.lock.packages.iter().filter_map(path).collect()
}

/// Where the lines of a text end, in bytes. A lock has many packages, and looking through the whole text for each would
/// be most of the work.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(end, _)| end).collect())
    }

    /// The line that a span begins in, from 1.
    pub(super) fn line(&self, span: Span) -> u32 {
        u32::try_from(self.0.partition_point(|end| *end < span.start) + 1).unwrap_or(u32::MAX)
    }
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
    let lines = Lines::of(inputs.lock_text);
    let placed = |warning: &poetry_lock::Warning| match warning.span() {
        Some(span) => format!("poetry.lock:{}: {warning}", lines.line(span)),
        None => warning.to_string(),
    };
    let mut warnings: Vec<String> = selection.warnings.iter().map(placed).collect();

    let image = image::image(inputs, &selection, &mut warnings);
    let indexes = Indexes::of(&inputs.project.pyproject, inputs.settings, inputs.index)?;
    let given = inputs.command.as_ref().and_then(|command| command.python);
    let python = given.map_or_else(|| format!("{}/bin/python", image.venv), str::to_owned);
    let decide = Packages {
        inputs,
        tags: &tags,
        indexes: &indexes,
        policy: package::policy(inputs),
        environment: &environment,
        lines,
        workdir: &image.workdir,
        venv: &image.venv,
        python: &python,
        spread: inputs.settings.layers.as_ref().map_or_else(Spread::default, |layers| Spread::over(layers.value)),
    };
    let packages = selection.packages.iter().map(|selected| decide.decide(selected)).collect::<Result<Vec<_>, _>>()?;
    // Only wheels take the place of a command.
    let (packages, built) = match inputs.command {
        Some(_) => packages.into_iter().partition(super::Package::is_unpacked),
        None => (packages, Vec::new()),
    };
    let nodes = nodes::nodes(&packages);
    let scheme = inputs.interpreter.venv.below(&image.venv);
    let modules = layout::find(&inputs.project.pyproject, inputs.files);
    let root = if selection.root {
        // Of a Dockerfile the image has more than the project's folder.
        if inputs.command.is_none() {
            check_packages(&inputs.project.pyproject)?;
        }
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
        let root = root::install(&inputs.project.pyproject, &modules, &image.workdir, &python, &scheme);
        root.map(|root| super::Root { build_script: build_script(inputs, &environment, &modules), ..root })
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
            // A wheel of an index is never tagged `linux_…`.
            tag: tags.as_slice().iter().find(|tag| !tag.contains("-linux_")).cloned().unwrap_or_default(),
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
        interpreter: python,
        requested: inputs.command.as_ref().is_some_and(|command| command.requested),
        built: built.into_iter().map(|package| package.name).collect(),
        indexes: indexes.of_builds(),
        target_interpreter: interpreter::target(inputs.interpreter),
        wheelhouse: inputs.wheelhouse,
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

pub(super) fn workdir(settings: &Settings) -> String {
    value(&settings.workdir).unwrap_or_else(|| WORKDIR.to_owned())
}

/// The reference of the image that things are built in.
#[must_use]
pub fn builder(settings: &Settings, python: &python::Python) -> String {
    let of_base = || full(&value(&settings.base)?);
    value(&settings.builder).or_else(of_base).unwrap_or_else(|| python.builder())
}

/// The official image with compilers beside one that is used as a base: `python:3.12-bookworm` for `python:3.12-slim-bookworm`.
fn full(base: &str) -> Option<String> {
    let (name, tag) = base.split_once(':').filter(|_| !base.contains('@'))?;
    ["python", "library/python", "docker.io/python", "docker.io/library/python"]
        .contains(&name)
        .then(|| {
            let (version, rest) = tag.split_once("-slim").unwrap_or((tag, ""));
            format!("{name}:{version}{rest}")
        })
        .filter(|_| tag.starts_with(|c: char| c.is_ascii_digit()))
}

/// The project's build script, and what it is run with.
fn build_script(
    inputs: &Inputs<'_>,
    environment: &Environment,
    modules: &[layout::Module],
) -> Option<super::BuildScript> {
    let pyproject = &inputs.project.pyproject;
    let name = Name::new(&pyproject.name.as_ref()?.value);
    let requires = pyproject.build_system.iter().flat_map(|system| &system.requires);
    let folder = || modules.first().map(|module| module.base.clone()).unwrap_or_default();
    Some(super::BuildScript {
        path: layout::normalized(&pyproject.build.script.as_ref()?.value),
        setup: pyproject.build.generate_setup_file.then(folder),
        apt: package::build_apt(inputs.settings, &name),
        requires: requires.map(|requirement| requirement.value.clone()).collect(),
        constraints: package::build_constraints(inputs, environment, &name),
    })
}

fn options(inputs: &Inputs<'_>) -> Options {
    if let Some(command) = &inputs.command {
        return command.options.clone();
    }
    let settings = inputs.settings;
    let names = |setting: &Option<Located<Vec<String>>>| {
        setting.iter().flat_map(|setting| setting.value.iter().map(|name| Name::new(name))).collect::<Vec<_>>()
    };
    let is_set = |setting: &Option<Located<bool>>| value(setting).unwrap_or(false);
    let (only_root, all) = (is_set(&settings.only_root), is_set(&settings.all_groups));
    let chosen = settings.only.is_some() || settings.with.is_some() || settings.without.is_some();
    let groups = if inputs.target == Target::Dev {
        GroupChoice { all: true, ..GroupChoice::default() }
    } else if chosen || only_root || all {
        GroupChoice { only: names(&settings.only), with: names(&settings.with), without: names(&settings.without), all }
    } else {
        GroupChoice { only: vec![Name::new("main")], ..GroupChoice::default() }
    };
    Options {
        groups,
        extras: names(&settings.extras),
        all_extras: is_set(&settings.all_extras),
        no_root: is_set(&settings.no_root),
        only_root,
        no_directory: is_set(&settings.no_directory),
        allow_stale: is_set(&settings.allow_stale_lock),
        algorithm: Algorithm::Automatic,
    }
}

/// Adds the setting that asked for what is not there.
fn with_origin(error: poetry_lock::Error, settings: &Settings) -> Error {
    let origin = match &error {
        poetry_lock::Error::UnknownGroup { option, .. } => settings.origin(option),
        poetry_lock::Error::UnknownExtra { .. } => settings.origin("extras"),
        poetry_lock::Error::OptionConflict { first, second } => {
            settings.origin(first).or_else(|| settings.origin(second))
        }
        _ => None,
    };
    match origin {
        Some(origin) => Error::Choice { source: error, origin: origin.clone() },
        None => Error::Lock(error),
    }
}

pub(super) fn value<T: Clone>(setting: &Option<Located<T>>) -> Option<T> {
    setting.as_ref().map(|setting| setting.value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_image_beside_a_slim_one() {
        for (base, expected) in [
            ("python:3.12-slim", Some("python:3.12")),
            ("python:3.12.4-slim-bookworm", Some("python:3.12.4-bookworm")),
            ("docker.io/library/python:3.12-alpine", Some("docker.io/library/python:3.12-alpine")),
            ("python:slim", None),
            ("python@sha256:00", None),
            ("python:3.12-slim@sha256:00", None),
            ("registry.example.org/python:3.12-slim", None),
            ("debian", None),
        ] {
            assert_eq!(full(base).as_deref(), expected, "{base}");
        }
    }
}
