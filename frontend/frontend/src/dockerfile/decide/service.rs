//! What serving a command needs and makes.

use std::collections::BTreeMap;

use buildkit_llb::{Caps, Output};

use super::{
    command::Install,
    files::{Files, Unknown},
    place::Place,
    step::{Part, Scene, Step},
};
use crate::{
    error::Error,
    gateway::Gateway,
    graph::Workshop,
    request::Request,
    source::{SourceFile, Sources},
};

/// What serving needs of the build.
#[derive(Clone, Copy)]
pub struct Service<'a> {
    /// The daemon.
    pub gateway: &'a Gateway,
    /// What the client asks for.
    pub request: &'a Request,
    /// What the daemon can do.
    pub caps: &'a Caps,
    /// What all build steps have in common.
    pub workshop: &'a Workshop,
    /// The user's files.
    pub files: &'a Files<'a>,
}

/// An installation command where it stands.
pub struct Wanted<'a> {
    /// The step that it is part of.
    pub step: &'a Step,
    /// The commands in front of it in the same script.
    pub before: &'a [Part],
    /// The command's surroundings.
    pub scene: &'a Scene,
    /// Its options.
    pub install: &'a Install,
    /// The state of the stage that it is applied to.
    pub state: &'a Output,
    /// What earlier commands of the stage installed.
    pub earlier: &'a [Served],
    /// What stands in front of the names of vertices, e.g. `[builder 4/7]`.
    pub label: &'a str,
}

/// Where a command stands.
#[derive(Clone, Copy)]
pub struct Standpoint<'a> {
    /// The state of the stage in the original graph.
    pub original: &'a Output,
    /// The same in the new one.
    pub state: &'a Output,
    /// The step that it is part of, for its mounts.
    pub step: Option<&'a Step>,
    /// Its surroundings.
    pub scene: &'a Scene,
    /// The commands in front of it in the same script.
    pub before: &'a [Part],
    /// What earlier commands of the stage installed.
    pub earlier: &'a [Served],
}

/// What a command installed.
#[derive(Debug, Clone)]
pub struct Served {
    /// Where.
    pub place: Place,
    /// The layers, each with what it holds.
    pub layers: Vec<(String, Output)>,
    /// The packages, with their versions.
    pub packages: BTreeMap<String, String>,
    /// Whether the project itself is installed.
    pub has_root: bool,
    /// Why Poetry has to run as well, for what is not in the layers.
    pub rest: Option<String>,
    /// The same layers before they were fitted to the stage's folders, if root owns them.
    pub(super) loose: Option<Vec<(String, Output)>>,
}

impl Served {
    /// The path of the virtual environment, if Poetry would have made it.
    pub(super) fn made(&self) -> Option<&str> {
        match &self.place {
            Place::Venv { path, made: true } => Some(path),
            _ => None,
        }
    }
}

/// A layer of the new graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What made it, for the image's history.
    pub text: String,
    /// How many earlier layers it lies below.
    pub below: usize,
}

impl From<String> for Layer {
    fn from(text: String) -> Self {
        Self { text, below: 0 }
    }
}

/// Why a command is left to Poetry.
#[derive(Debug)]
pub struct Refused(pub String);

/// Not served, or a failure of the build.
pub enum Problem {
    /// Poetry does it.
    Refused(Refused),
    /// The build fails.
    Error(Error),
}

impl From<Unknown> for Problem {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Gateway(error) => Self::Error(error.into()),
            Unknown::Uncertain(reason) => Self::Refused(Refused(reason)),
        }
    }
}

impl<T: Into<Error>> From<T> for Problem {
    fn from(error: T) -> Self {
        Self::Error(error.into())
    }
}

pub(super) fn refused<T>(reason: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Refused(Refused(reason.into())))
}

/// Where the environment of a command is, and what its project is.
pub struct Located {
    /// The environment.
    pub place: Place,
    /// The absolute path of the project's folder.
    pub folder: String,
    pub(super) texts: ProjectTexts,
}

impl Located {
    /// The names of the project's scripts.
    #[must_use]
    pub fn scripts(&self) -> Vec<String> {
        let pyproject = poetry_lock::Pyproject::read(&self.texts.pyproject, poetry_lock::Dialect::Poetry2);
        pyproject.map(|pyproject| pyproject.scripts.into_iter().map(|script| script.name).collect()).unwrap_or_default()
    }
}

/// A project's files.
#[derive(Debug, Clone)]
pub(super) struct ProjectTexts {
    pub(super) pyproject: String,
    pub(super) lock: Option<String>,
    pub(super) toml: Option<String>,
}

impl ProjectTexts {
    /// Leaves a command to Poetry because of an error, with its place and remedy.
    pub(super) fn refused<T>(&self, error: impl Into<Error>) -> Result<T, Problem> {
        let file = |name: &str, text: &str| Some(SourceFile::toml(name, text));
        let sources = Sources {
            pyproject: file("pyproject.toml", &self.pyproject),
            lock: self.lock.as_deref().and_then(|text| file("poetry.lock", text)),
            poetry_toml: self.toml.as_deref().and_then(|text| file("poetry.toml", text)),
        };
        refused(error.into().report(&sources).text().replace("\nhelp: ", "; "))
    }
}

impl Wanted<'_> {
    /// The command's surroundings, with the variables that are set for it alone.
    pub(super) fn own_scene(&self) -> Scene {
        let mut scene = self.scene.clone();
        scene.variables.extend(self.install.assignments.iter().cloned());
        scene
    }
}
