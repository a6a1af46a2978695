//! The projects in `examples`: each is a test case, described by its `case.toml`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use buildkit_llb::Platform;
use poetry_buildkit::{
    platform,
    python::{self, Python},
    settings::Settings,
    source::SourceFile,
};
use poetry_lock::{Project, Texts};
use serde::Deserialize;
use tempfile::TempDir;

use crate::docker::Build;

/// One example.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its folder's name.
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
    /// How it is run.
    pub case: Case,
}

/// `case.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// The file that `docker build -f` names, if it is not `Dockerfile`.
    pub file: Option<String>,
    /// The project's folder in the example, if it is not the whole.
    #[serde(default)]
    pub project: String,
    /// Where its image has files beside `/app`.
    #[serde(default)]
    pub outside: Vec<String>,
    /// Wheels that its builds from source need, as `name==version`.
    #[serde(default)]
    pub build_requirements: Vec<String>,
    /// Its sources that want a password.
    #[serde(default)]
    pub private: Vec<String>,
    /// The folders of `fixtures/repositories` that stand behind the addresses of its Git dependencies.
    #[serde(default)]
    pub repositories: BTreeMap<String, String>,
    /// Whether it is built without a network, from a wheelhouse.
    #[serde(default)]
    pub offline: bool,
    /// The platforms it is built for, if not the builder's own only.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// What its container prints.
    #[serde(default)]
    pub run: Vec<Run>,
    /// What its container answers over HTTP.
    pub serves: Option<Serves>,
}

/// A container that ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Arguments after the image's name.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Its standard output, but for white space at the ends of lines.
    pub output: String,
}

/// A container that waits for requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serves {
    /// The port inside the container.
    pub port: u16,
    /// The path of the request.
    pub path: String,
    /// The whole answer.
    pub answer: String,
}

/// All examples, by name. Adding a folder adds a case.
pub fn all() -> Vec<Example> {
    below("../examples")
}

/// Projects that only tests use.
pub fn fixtures() -> Vec<Example> {
    below("fixtures")
}

fn below(folder: &str) -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("pyproject.toml").is_file() || path.join("case.toml").is_file())
        .collect();
    folders.sort();
    folders.into_iter().map(Example::in_folder).collect()
}

impl Example {
    /// The example of a name.
    pub fn named(name: &str) -> Self {
        Self::in_folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name))
    }

    /// The project in a folder.
    pub fn in_folder(folder: PathBuf) -> Self {
        let case = match fs::read_to_string(folder.join("case.toml")) {
            Ok(text) => toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display())),
            Err(_) => Case::default(),
        };
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        Self { name, folder, case }
    }

    /// A copy that can be changed at will.
    pub fn copy(&self) -> TempDir {
        let to = tempfile::tempdir().expect("a temporary folder");
        copy(&self.folder, to.path());
        to
    }

    /// A build of it, or of a copy of it.
    pub fn build(&self, folder: &Path) -> Build {
        let build = Build::new(folder);
        match &self.case.file {
            Some(file) => build.arg("--file").arg(folder.join(file)),
            None => build,
        }
    }

    /// The folder of its project.
    pub fn project_folder(&self) -> PathBuf {
        self.folder.join(&self.case.project)
    }

    /// Its project.
    pub fn project(&self) -> Project {
        let read = |name: &str| fs::read_to_string(self.project_folder().join(name)).expect("a file of the project");
        let (pyproject, lock) = (read("pyproject.toml"), read("poetry.lock"));
        Project::read(&Texts { pyproject: &pyproject, lock: &lock, poetry_toml: None }).expect("a project")
    }

    /// The minor version of Python that it is built with.
    pub fn python(&self) -> String {
        let text = fs::read_to_string(self.project_folder().join("pyproject.toml")).expect("pyproject.toml");
        let file = SourceFile::toml("pyproject.toml", text);
        let settings = Settings::read(&file, &[].into()).expect("settings");
        let version_file = fs::read_to_string(self.project_folder().join(python::FILE)).ok();
        let version_file = version_file.map(|text| SourceFile::plain(python::FILE, text));
        let project = self.project();
        let python = Python::choose(settings.python.as_ref(), version_file.as_ref(), &project.pyproject);
        python.expect("a version of Python").version
    }

    /// The platforms that it is built for.
    pub fn platforms(&self) -> Vec<Platform> {
        let parse = |text: &str| platform::parse(text).expect("a platform");
        if self.case.platforms.is_empty() {
            return vec![parse("linux/amd64")];
        }
        self.case.platforms.iter().map(|text| parse(text)).collect()
    }
}

/// Copies a folder with all in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder can be made");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file can be copied");
        }
    }
}
