//! The command line: the plan of a project's folder, without a daemon and without a network.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use buildkit_llb::Platform;
use clap::{Args, Parser, Subcommand, ValueEnum};
use install_request::{Libc, LibcFamily};
use poetry_lock::{Project, Pyproject, Texts, Version};
use thiserror::Error;

use crate::{
    dockerignore, error, index, interpreter, layout,
    plan::{self, Plan, Target},
    platform,
    python::{self, Family, Python},
    settings::{Settings, argument_name},
    source::{SourceFile, Sources},
    start,
};

/// Reads a Poetry project and tells how its image would be built.
///
/// BuildKit starts this program as a frontend (`# syntax=poetry-buildkit`); by hand it shows the plan.
#[derive(Debug, Parser)]
#[command(name = "poetry-buildkit", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what would be installed, from which file, and by which build step
    Plan(PlanArguments),
}

#[derive(Debug, Args)]
struct PlanArguments {
    /// The project's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The version of Python, e.g. 3.11.7
    #[arg(long)]
    python: Option<String>,
    /// The platform
    #[arg(long, default_value = "linux/amd64", value_parser = parse_platform)]
    platform: Platform,
    /// The C library of the base image, glibc:X.Y or musl:X.Y
    #[arg(long, default_value = "glibc:2.36", value_parser = parse_libc)]
    libc: Libc,
    /// The only dependency groups to install
    #[arg(long, value_name = "GROUPS")]
    only: Vec<String>,
    /// Optional dependency groups to install
    #[arg(long, value_name = "GROUPS")]
    with: Vec<String>,
    /// Dependency groups to leave out
    #[arg(long, value_name = "GROUPS")]
    without: Vec<String>,
    /// Extras to install
    #[arg(long, short = 'E', value_name = "EXTRAS")]
    extras: Vec<String>,
    /// Install all extras
    #[arg(long)]
    all_extras: bool,
    /// Do not install the project itself
    #[arg(long)]
    no_root: bool,
    /// Install all dependency groups
    #[arg(long)]
    all_groups: bool,
    /// Install the project itself and no dependency
    #[arg(long)]
    only_root: bool,
    /// Do not install dependencies that are folders
    #[arg(long)]
    no_directory: bool,
    /// What is built: runtime, venv, dev, plan or wheelhouse
    #[arg(long, default_value = "runtime", value_parser = parse_target)]
    target: Target,
    /// The form of the output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For scripts; see docs/plan.md
    Json,
}

/// Why there is no plan.
#[derive(Debug, Error)]
enum Error {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "the interpreter of {0} cannot be told without the image; ask for the plan with \
         `docker buildx build --target plan --output DIR .`"
    )]
    NotCPython(String),
    #[error(transparent)]
    Build(#[from] error::Error),
}

/// Runs the command line and returns what goes to standard output, or the error message.
///
/// # Errors
/// The text for standard error.
pub fn run(cli: &Cli) -> Result<String, String> {
    let Command::Plan(arguments) = &cli.command;
    let mut sources = Sources::default();
    match make_plan(arguments, &mut sources) {
        Ok(plan) => Ok(match arguments.format {
            Format::Text => plan.to_text(),
            Format::Json => plan.to_json(),
        }),
        Err(Error::Build(error)) => Err(error.report(&sources).render()),
        Err(error) => Err(format!("error: {error}")),
    }
}

fn make_plan(arguments: &PlanArguments, sources: &mut Sources) -> Result<Plan, Error> {
    let read = |name: &'static str| match fs::read_to_string(arguments.dir.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path: arguments.dir.join(name), source }),
    };
    let file = |name: &'static str| read(name).map(|text| text.map(|text| SourceFile::toml(name, text)));
    let required = |name: &'static str| file(name)?.ok_or(Error::Build(error::Error::MissingFile { file: name }));
    let pyproject = required("pyproject.toml")?;
    sources.pyproject = Some(Arc::clone(&pyproject));
    let lock = required("poetry.lock")?;
    sources.lock = Some(Arc::clone(&lock));
    sources.poetry_toml = file("poetry.toml")?;

    let poetry_toml = sources.poetry_toml.as_ref().map(|file| file.text.as_str());
    let texts = Texts { pyproject: &pyproject.text, lock: &lock.text, poetry_toml };
    let project = Project::read(&texts).map_err(error::Error::from)?;
    let settings = Settings::read(&pyproject, &arguments.settings()).map_err(error::Error::from)?;
    let python_version = read(python::FILE)?.map(|text| SourceFile::plain(python::FILE, text));
    let python = Python::choose(settings.python.as_ref(), python_version.as_ref(), &project.pyproject)
        .map_err(error::Error::from)?;
    if python.family != Family::CPython {
        return Err(Error::NotCPython(python.base()));
    }
    let interpreter = interpreter::described(&full_version(&python, &project), &arguments.platform, arguments.libc)
        .map_err(error::Error::from)?;
    let files = listed(&arguments.dir, &layout::folders(&layout::candidates(&project.pyproject)))?;
    let candidates = start::candidates(&layout::find(&project.pyproject, &files), &files);
    let text = |path: String| Some((path.clone(), fs::read_to_string(arguments.dir.join(path)).ok()?));
    let inputs = plan::Inputs {
        project: &project,
        settings: &settings,
        python: &python,
        interpreter: &interpreter,
        platform: &arguments.platform.to_string(),
        target: arguments.target,
        files: &files,
        start_texts: &candidates.into_iter().filter_map(text).collect(),
        dockerignore: &dockerignore::patterns(&read(".dockerignore")?.unwrap_or_default()),
        labels: &BTreeMap::new(),
        index: index::DEFAULT,
        lock_text: &lock.text,
        folders: &folders(&arguments.dir, &project)?,
        project_folder: None,
        wheelhouse: false,
        command: None,
    };
    Ok(plan::make(&inputs).map_err(error::Error::from)?)
}

impl PlanArguments {
    /// The options as the build arguments that mean the same.
    fn settings(&self) -> BTreeMap<String, String> {
        let lists = [("only", &self.only), ("with", &self.with), ("without", &self.without)];
        let mut settings: BTreeMap<String, String> = lists
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(key, values)| (argument_name(key), values.join(",")))
            .collect();
        if !self.extras.is_empty() {
            // Like Poetry: several in one value, separated by spaces.
            let extras: Vec<&str> = self.extras.iter().flat_map(|value| value.split_whitespace()).collect();
            settings.insert(argument_name("extras"), extras.join(","));
        }
        if let Some(python) = &self.python {
            settings.insert(argument_name("python"), python.clone());
        }
        let switches = [
            ("all-extras", self.all_extras),
            ("all-groups", self.all_groups),
            ("no-directory", self.no_directory),
            ("no-root", self.no_root),
            ("only-root", self.only_root),
        ];
        for (key, _) in switches.into_iter().filter(|(_, on)| *on) {
            settings.insert(argument_name(key), "true".to_owned());
        }
        settings
    }
}

/// A release of the chosen minor version: the first that the project allows.
fn full_version(python: &Python, project: &Project) -> String {
    const PATCHES: std::ops::Range<u64> = 0..100;
    if python.version.split('.').count() > 2 {
        return python.version.clone();
    }
    let full = |patch| format!("{}.{patch}", python.version);
    let allowed =
        |version: &String| version.parse::<Version>().is_ok_and(|version| project.pyproject.python.allows(&version));
    PATCHES.map(full).find(allowed).unwrap_or_else(|| full(0))
}

/// The folders that the lock names, as far as they are there.
fn folders(dir: &Path, project: &Project) -> Result<BTreeMap<String, Option<plan::Folder>>, Error> {
    let mut found = BTreeMap::new();
    for path in plan::folders(project) {
        let folder = dir.join(&path);
        if !folder.is_dir() {
            continue;
        }
        let text = fs::read_to_string(folder.join("pyproject.toml")).ok();
        let pyproject = text.and_then(|text| Pyproject::read(&text, project.pyproject.dialect).ok());
        let known = match pyproject {
            Some(pyproject) => {
                let files = listed(&folder, &layout::folders(&layout::candidates(&pyproject)))?;
                Some(plan::Folder { pyproject, files })
            }
            None => None,
        };
        found.insert(path, known);
    }
    Ok(found)
}

/// What is in these folders, relative to the project; folders end in `/`, and those that are not there have nothing.
fn listed(project: &Path, folders: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
    let mut files = BTreeSet::new();
    for folder in folders {
        let path = project.join(folder);
        let Ok(entries) = fs::read_dir(&path) else {
            continue;
        };
        for entry in entries {
            let entry = entry.map_err(|source| Error::Read { path: path.clone(), source })?;
            let end = if entry.path().is_dir() { "/" } else { "" };
            let name = format!("{}{end}", entry.file_name().to_string_lossy());
            files.insert(if folder.is_empty() { name } else { format!("{folder}/{name}") });
        }
    }
    Ok(files)
}

fn parse_platform(text: &str) -> Result<Platform, String> {
    platform::parse(text).ok_or_else(|| "a platform is linux/ARCHITECTURE, e.g. linux/arm64".to_owned())
}

fn parse_target(text: &str) -> Result<Target, String> {
    Target::parse(text).ok_or_else(|| "a target is runtime, venv, dev, plan or wheelhouse".to_owned())
}

fn parse_libc(text: &str) -> Result<Libc, String> {
    let parse = || {
        let (family, version) = text.split_once(':')?;
        let (major, minor) = version.split_once('.')?;
        let family = match family {
            "glibc" => LibcFamily::Glibc,
            "musl" => LibcFamily::Musl,
            _ => return None,
        };
        Some(Libc { family, major: major.parse().ok()?, minor: minor.parse().ok()? })
    };
    parse().ok_or_else(|| "a C library is glibc:X.Y or musl:X.Y, e.g. glibc:2.36".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_that_is_not_known_is_refused() {
        let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/command-line");
        let of = |python: &str| run(&Cli::parse_from(["poetry-buildkit", "plan", project, "--python", python]));
        assert!(of("3.11.7").is_ok());
        let error = of("pypy3.11").unwrap_err();
        assert!(error.starts_with("error: the interpreter of pypy:3.11-slim cannot be told"), "{error}");
    }
}
