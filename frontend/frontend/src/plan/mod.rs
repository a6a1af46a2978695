//! The plan: everything that the image will hold, decided and not yet built.
//!
//! A plan is a pure function of the project's files, the settings and the interpreter. It knows nothing of
//! BuildKit; `graph` turns it into a build graph. Its JSON form is documented in `docs/plan.md`, and scripts rely on it.

pub mod bins;
mod make;
pub mod root;
pub mod show;

use std::collections::{BTreeMap, BTreeSet};

use install_request::Scheme;
use serde::Serialize;

pub use make::{Error, Inputs, base, make, venv};

/// The version of the JSON form. It grows when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// What is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The image to run.
    #[default]
    Runtime,
    /// The virtual environment alone.
    Venv,
    /// The image with all dependency groups.
    Dev,
    /// The plan as a file.
    Plan,
}

impl Target {
    /// All targets, each with its description for users.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Runtime, "runtime", "the slim image that runs the application (the default)"),
        (Self::Venv, "venv", "the virtual environment alone, on an empty file system"),
        (Self::Dev, "dev", "the image with the dependencies of all groups"),
        (Self::Plan, "plan", "the plan of the build as the file plan.json, for --output"),
    ];

    /// The target of a name; the empty name stands for the default.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::default());
        }
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(target, _, _)| *target)
    }
}

/// All that is decided about one image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The version of this form.
    pub schema: u32,
    /// What is built.
    pub target: Target,
    /// The platform, e.g. `linux/amd64`.
    pub platform: String,
    /// The project.
    pub project: Project,
    /// The interpreter.
    pub python: Python,
    /// The image that the result is based on.
    pub base: String,
    /// The image in which source distributions are built.
    pub builder: String,
    /// The active dependency groups.
    pub groups: Vec<String>,
    /// The extras.
    pub extras: Vec<String>,
    /// The packages to install, sorted by name.
    pub packages: Vec<Package>,
    /// The build steps that install them, sorted by id.
    pub nodes: Vec<Node>,
    /// The project's own installation; `None` if it is not installed.
    pub root: Option<Root>,
    /// The image's config and what goes into it beside packages.
    pub image: Image,
    /// What the user should know. Each begins with the place in the user's files, where there is one.
    pub warnings: Vec<String>,
    /// Where files of packages go.
    #[serde(skip)]
    pub scheme: Scheme,
}

/// The project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Project {
    /// The normalized name; `None` if the project has none.
    pub name: Option<String>,
    /// The version as written.
    pub version: Option<String>,
}

/// The interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Python {
    /// The full version.
    pub version: String,
    /// `cpython` or `pypy`.
    pub implementation: String,
    /// The best wheel tag, which tells ABI, C library and machine.
    pub tag: String,
    /// Why this version.
    pub because: String,
}

/// A package to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// The normalized name.
    pub name: String,
    /// The version as the lock spells it.
    pub version: String,
    /// `[package.source]` of the lock; `None` for the default index.
    pub source: Option<BTreeMap<String, String>>,
    /// The file that is installed; `None` for what is no file.
    pub file: Option<String>,
    /// Its locked digest in hexadecimal digits.
    pub sha256: Option<String>,
    /// The id of its [`Node`].
    pub node: String,
    /// Why it is installed.
    pub because: String,
    /// The repository that the file is looked up in.
    #[serde(skip)]
    pub index: String,
    /// The line of its entry in poetry.lock.
    #[serde(skip)]
    pub lock_line: u32,
}

/// A build step and the layer that it makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// The id, e.g. `pure-03`.
    pub id: String,
    /// The names of its packages, sorted.
    pub packages: Vec<String>,
    /// What users see while it runs.
    pub label: String,
}

/// The project's own installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Root {
    /// What users see while it runs.
    pub label: String,
    /// The files, by absolute path in the image.
    pub files: BTreeMap<String, GeneratedFile>,
}

/// A file that is written as it is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratedFile {
    /// Its content.
    pub content: String,
    /// Whether it can be executed.
    pub executable: bool,
}

/// The image around the packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Image {
    /// The absolute path of the application.
    pub workdir: String,
    /// The absolute path of the virtual environment.
    pub venv: String,
    /// Patterns of the application's files; empty for all.
    pub include: Vec<String>,
    /// Patterns of files that are left out; the order counts.
    pub exclude: Vec<String>,
    /// Debian packages.
    pub apt: Vec<String>,
    /// Whether modules are compiled to bytecode.
    pub compile_bytecode: bool,
    /// The entry point.
    pub entrypoint: Vec<String>,
    /// The command.
    pub cmd: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Ports as `number/protocol`.
    pub expose: BTreeSet<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `uid:gid`.
    pub user: String,
}

impl Plan {
    /// The JSON form, with a newline at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// The packages of a node.
    pub fn packages_of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Package> {
        self.packages.iter().filter(move |package| package.node == node.id)
    }
}
