//! The plan: everything that the image will hold, decided and not yet built.
//!
//! A plan is a pure function of the project's files, the settings and the interpreter. It knows nothing of
//! BuildKit; `graph` turns it into a build graph. Its JSON form is documented in `docs/plan.md`, and scripts rely on it.

pub mod bins;
mod error;
mod image;
mod indexes;
mod make;
mod nodes;
mod package;
pub mod root;
pub mod show;

use std::collections::{BTreeMap, BTreeSet};

use install_request::{Archive, ConfigSetting, Index, Origin, Scheme};
use serde::Serialize;

pub use error::Error;
pub(crate) use image::patterns;
pub use make::{Command, Folder, Inputs, base, builder, folders, make, venv};
pub use nodes::LINKED;
pub(crate) use package::{known_hosts, ssh_host};

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
    /// The files of all packages.
    Wheelhouse,
}

impl Target {
    /// All targets, each with its description for users.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Runtime, "runtime", "the slim image that runs the application (the default)"),
        (Self::Venv, "venv", "the virtual environment alone, on an empty file system"),
        (Self::Dev, "dev", "the image with the dependencies of all groups"),
        (Self::Plan, "plan", "the plan of the build as the file plan.json, for --output"),
        (
            Self::Wheelhouse,
            "wheelhouse",
            "the files of all packages, for --output; a build without a network starts from them",
        ),
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
    /// The path of the interpreter that programs of packages are run by.
    #[serde(skip)]
    pub interpreter: String,
    /// Whether packages are marked as asked for by name, as pip does it.
    #[serde(skip)]
    pub requested: bool,
    /// The names of packages that are asked for and not among `packages`, because they have no wheel and a command of a
    /// Dockerfile has to build them itself.
    #[serde(skip)]
    pub built: Vec<String>,
    /// Where requirements of builds come from, in order of preference.
    #[serde(skip)]
    pub indexes: Vec<Index>,
    /// The interpreter that wheels are built for.
    #[serde(skip)]
    pub target_interpreter: install_request::Target,
    /// Whether all files come from a wheelhouse, and nothing from a network.
    #[serde(skip)]
    pub wheelhouse: bool,
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
    pub source: Option<BTreeMap<String, serde_json::Value>>,
    /// The file that is installed; `None` for what is no file.
    pub file: Option<String>,
    /// Its locked digest in hexadecimal digits.
    pub sha256: Option<String>,
    /// The id of its [`Node`].
    pub node: String,
    /// Why it is installed.
    pub because: String,
    /// How it comes into the environment.
    #[serde(skip)]
    pub how: How,
    /// The content of `direct_url.json` (PEP 610), for what comes from no index.
    #[serde(skip)]
    pub direct_url: Option<String>,
    /// The line of its entry in poetry.lock.
    #[serde(skip)]
    pub lock_line: u32,
}

/// How a package comes into the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// A wheel is unpacked.
    Wheel(File),
    /// A wheel is built from source, and unpacked.
    Build(Recipe),
    /// A folder is put on the module path; nothing is run for that.
    Linked {
        /// The folder.
        folder: LocalFolder,
        /// The files of the installation, by absolute path in the image.
        files: BTreeMap<String, GeneratedFile>,
    },
}

/// How a wheel is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The source.
    pub from: BuildFrom,
    /// Whether the result refers to the source instead of holding a copy of it.
    pub editable: bool,
    /// Debian packages that the build needs.
    pub apt: Vec<String>,
    /// What restricts the requirements of the build, as requirements with constraints of Poetry.
    pub constraints: Vec<String>,
    /// Settings for the build backend.
    pub config_settings: BTreeMap<String, ConfigSetting>,
}

/// A file of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What it is, and where a step has it from.
    pub archive: Archive,
    /// Its path relative to the project, if it is a file of the user's.
    pub local: Option<String>,
}

/// What a wheel is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildFrom {
    /// A source distribution, or another archive of a source tree.
    Archive {
        /// The archive.
        file: File,
        /// The project's folder in the archive.
        subdirectory: Option<String>,
    },
    /// A Git repository.
    Git {
        /// The address.
        url: String,
        /// The commit.
        commit: String,
        /// The project's folder in the repository.
        subdirectory: Option<String>,
        /// The absolute path of the working tree in the image, if it is needed there.
        place: String,
    },
    /// A folder of the user's.
    Folder(LocalFolder),
}

/// A folder of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFolder {
    /// Its path relative to the project.
    pub path: String,
    /// Its absolute path in the image.
    pub place: String,
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
    /// Files of the project that are installed as scripts: paths relative to the project, by absolute path in the image.
    pub copied: BTreeMap<String, String>,
    /// The script that makes further files in the project's folder.
    pub build_script: Option<BuildScript>,
}

/// A script that makes files of a project, e.g. compiled modules (`[tool.poetry.build]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildScript {
    /// Its path relative to the project.
    pub path: String,
    /// The folder of the project's modules, if setuptools is to compile them with what the script prepares.
    pub setup: Option<String>,
    /// Debian packages that it needs.
    #[serde(skip)]
    pub apt: Vec<String>,
    /// The requirements of the project's build.
    #[serde(skip)]
    pub requires: Vec<String>,
    /// What restricts the requirements of the build.
    #[serde(skip)]
    pub constraints: Vec<String>,
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

    /// Whether anything is built from source.
    #[must_use]
    pub fn builds(&self) -> bool {
        let script = self.root.as_ref().and_then(|root| root.build_script.as_ref());
        script.is_some() || self.packages.iter().any(|package| matches!(package.how, How::Build(_)))
    }

    /// The files of packages that come from a wheelhouse.
    pub fn mounted_files(&self) -> impl Iterator<Item = &str> {
        self.packages.iter().filter_map(|package| {
            let file = package.archive().filter(|file| file.local.is_none())?;
            matches!(file.archive.origin, Origin::File { .. }).then_some(file.archive.file.as_str())
        })
    }
}

impl Package {
    /// Whether it is a wheel of an index or at an address, which is unpacked and no more.
    #[must_use]
    pub fn is_unpacked(&self) -> bool {
        matches!(&self.how, How::Wheel(file) if file.local.is_none())
    }

    /// The file that it is installed from, if it is one.
    #[must_use]
    pub fn archive(&self) -> Option<&File> {
        match &self.how {
            How::Wheel(file) | How::Build(Recipe { from: BuildFrom::Archive { file, .. }, .. }) => Some(file),
            _ => None,
        }
    }
}
