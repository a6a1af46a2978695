//! The Dockerfiles of `tests/dockerfiles` and `examples/dockerfiles`, which run Poetry: built by real Poetry, and by ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use poetry_buildkit::platform;
use poetry_lock::{GroupChoice, Name, Options};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{
    docker::Build,
    examples::{self, Example},
    index::Index,
    locked::Locked,
    progress::Progress,
    wheels,
};

/// The images that the Dockerfiles begin with.
pub const BASES: [&str; 2] = ["python:3.11", "python:3.11-slim"];

/// An entry of `cases.toml`, where the keys are described.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[allow(missing_docs)]
pub struct Case {
    pub name: String,
    pub file: Option<String>,
    #[serde(default = "shop")]
    pub project: String,
    #[serde(default)]
    pub lock: String,
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    pub target: Option<String>,
    #[serde(default)]
    pub args: BTreeMap<String, String>,
    #[serde(default)]
    pub only: Vec<String>,
    #[serde(default)]
    pub with: Vec<String>,
    #[serde(default)]
    pub without: Vec<String>,
    #[serde(default)]
    pub extras: Vec<String>,
    #[serde(default)]
    pub all_extras: bool,
    pub served: bool,
    #[serde(default)]
    pub rules: Vec<String>,
    #[serde(default)]
    pub off: bool,
    #[serde(default = "yes")]
    pub plain: bool,
    pub like: Option<String>,
    #[serde(default)]
    pub needs_poetry: bool,
    pub live: Option<String>,
    #[serde(default)]
    pub run: Vec<String>,
}

fn shop() -> String {
    "project".to_owned()
}

fn yes() -> bool {
    true
}

/// All cases by the name of their group.
pub fn groups() -> BTreeMap<String, Vec<Case>> {
    let path = folder().join("cases.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The projects whose wheels the cases need.
pub fn projects() -> Vec<Example> {
    let of_case = |case: Case| folder().join(&case.project).join(&case.lock).components().collect();
    let mut folders: Vec<PathBuf> = groups().into_values().flatten().map(of_case).collect();
    folders.sort();
    folders.dedup();
    folders.into_iter().map(Example::in_folder).collect()
}

/// Where it is recorded what the Dockerfiles come to.
pub fn recorded() -> PathBuf {
    folder().join("recorded")
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("dockerfiles"))
}

/// A case whose builds can start: a copy of its project that is installed from the tests' index.
#[derive(Debug)]
pub struct Ready {
    /// With real Poetry, by the frontend that is built into Docker.
    pub plain: Build,
    /// As the Dockerfile says.
    pub ours: Build,
    /// The Dockerfile of the former.
    pub dockerfile: PathBuf,
    keep: TempDir,
}

impl Ready {
    /// The build context.
    pub fn context(&self) -> PathBuf {
        self.keep.path().join("context")
    }
}

impl Case {
    /// Makes the copy.
    pub fn ready(&self, index: &Index) -> Ready {
        let keep = tempfile::tempdir().expect("a temporary folder");
        let context = keep.path().join("context");
        examples::copy(&folder().join(&self.project), &context);
        for (path, text) in &self.files {
            fs::write(context.join(path), text).expect("a file of the context");
        }
        install_from(index, &context);
        let (plain, ours) = (keep.path().join("plain.Dockerfile"), keep.path().join("ours.Dockerfile"));
        let text = self.dockerfile();
        let (syntax, rest) = text.split_once('\n').expect("several lines");
        assert_eq!(syntax, "# syntax=poetry-buildkit", "{}", self.name);
        fs::write(&plain, rest).expect("a Dockerfile");
        fs::write(&ours, &text).expect("a Dockerfile");
        Ready { plain: self.build(&context, &plain), ours: self.build(&context, &ours), dockerfile: plain, keep }
    }

    fn dockerfile(&self) -> String {
        let file = self.file.clone().unwrap_or_else(|| format!("{}.Dockerfile", self.name));
        let path = folder().join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The packages that a build of it may ask the index for: all that are locked in its context, and what builds from source
    /// need.
    pub fn packages(&self, context: &Path) -> BTreeSet<String> {
        let locks = folders_with_locks(context).into_iter().map(|folder| Locked::read(&folder));
        let locked: BTreeSet<String> = locks.flat_map(|locked| locked.names()).collect();
        let needed = Example::in_folder(folder().join(&self.project)).case.build_requirements;
        let needed = needed.iter().filter_map(|requirement| requirement.split_once("==")).map(|(name, _)| name);
        let needed = needed.map(|name| Name::new(name).to_string());
        locked.into_iter().chain(needed).collect()
    }

    fn build(&self, context: &Path, dockerfile: &Path) -> Build {
        let mut build = Build::new(context).arg("--file").arg(dockerfile);
        for (name, value) in &self.args {
            build = build.build_arg(name, value);
        }
        match &self.target {
            Some(target) => build.args(["--target", target]),
            None => build,
        }
    }

    /// Name and version of each locked package that the final image has.
    pub fn selection(&self) -> BTreeMap<Name, String> {
        let names = |list: &[String]| list.iter().map(|name| Name::new(name)).collect();
        let groups = GroupChoice {
            only: names(&self.only),
            with: names(&self.with),
            without: names(&self.without),
            ..GroupChoice::default()
        };
        let options =
            Options { groups, extras: names(&self.extras), all_extras: self.all_extras, ..Options::default() };
        let project = Example::in_folder(folder().join(&self.project).join(&self.lock)).project();
        let (environment, _) = wheels::machine("3.11", &platform::parse("linux/amd64").expect("a platform"));
        let selection = project.select(&environment, &options).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let packages = selection.packages.iter().map(|selected| selected.package);
        packages.map(|package| (package.name.clone(), package.version.to_string())).collect()
    }
}

/// Lets Poetry install all projects in a folder from `index` instead of the default index.
fn install_from(index: &Index, folder: &Path) {
    for project in folders_with_locks(folder) {
        let mut locked = Locked::read(&project);
        locked.take_from(&index.url());
        locked.write(&project);
    }
}

fn folders_with_locks(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let folders = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    let mut found: Vec<PathBuf> = folders.flat_map(|path| folders_with_locks(&path)).collect();
    if folder.join("poetry.lock").is_file() {
        found.push(folder.to_owned());
    }
    found
}

/// The steps of a build in which Poetry installed something, or was itself installed. A step that came from the cache counts:
/// an earlier build left it there.
pub fn steps_of_poetry<'a>(progress: &'a Progress, case: &Case) -> Vec<&'a str> {
    let is_poetry = |name: &str| {
        let installs = ["poetry install", "poetry sync", "poetry export"].iter().any(|command| name.contains(command));
        let is_installed = name.contains("poetry") && (name.contains("pip install") || name.contains("pipx install"));
        installs || is_installed && !case.needs_poetry
    };
    let vertices = progress.vertices.values().filter(|vertex| vertex.started.is_some() || vertex.cached);
    vertices.map(|vertex| vertex.name.as_str()).filter(|name| name.contains("RUN ") && is_poetry(name)).collect()
}
