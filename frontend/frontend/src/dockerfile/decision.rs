//! What becomes of steps: what deciding ends with, and emitting begins with.

use std::{collections::BTreeMap, fmt};

use buildkit_llb::Output;

use super::{rules::Reason, stage::place::Place};

/// What becomes of a step.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    /// It stays as it is.
    Keep,
    /// Nothing of it is left.
    Drop,
    /// Layers and files stand for all of it.
    Replace(Vec<Segment>),
    /// Layers and files stand for a part of it, and processes do the rest.
    Split(Vec<Segment>),
    /// Poetry does it.
    Leave(Reason),
}

/// What stands for a part of a step.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// A process with this script.
    Script(String),
    /// Layers, for a command with this text.
    Installation(Installation, String),
    /// A file at this path.
    File(String),
    /// A folder that Poetry would have been in.
    Folder(String),
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => writeln!(f, "keep"),
            Self::Drop => writeln!(f, "drop"),
            Self::Leave(reason) => writeln!(f, "leave: {} ({})", reason.detail, reason.rule.code),
            Self::Replace(segments) | Self::Split(segments) => {
                writeln!(f, "{}", if matches!(self, Self::Replace(_)) { "replace" } else { "split" })?;
                segments.iter().try_for_each(|segment| write!(f, "{segment}"))
            }
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(text) => writeln!(f, "  run {text:?}"),
            Self::File(path) => writeln!(f, "  file {path}"),
            Self::Folder(path) => writeln!(f, "  folder {path}"),
            Self::Installation(made, text) => {
                let packages: Vec<String> =
                    made.packages.iter().map(|(name, version)| format!("{name} {version}")).collect();
                let root = if made.has_root { " and the project" } else { "" };
                writeln!(f, "  install {text:?} at {}: {}{root}", made.place, packages.join(", "))?;
                made.rest
                    .iter()
                    .try_for_each(|rest| writeln!(f, "    and Poetry: {} ({})", rest.detail, rest.rule.code))
            }
        }
    }
}

/// What a command installed.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    /// Where.
    pub(super) place: Place,
    /// The layers, each with what it holds.
    pub(super) layers: Vec<(String, Output)>,
    /// The packages, with their versions.
    pub(super) packages: BTreeMap<String, String>,
    /// Whether the project itself is installed.
    pub(super) has_root: bool,
    /// Why Poetry has to run as well, for what is not in the layers.
    pub(super) rest: Option<Reason>,
    /// The project that it is of; `None` for a list of requirements.
    pub(super) project: Option<Box<Project>>,
    /// The same layers before they were fitted to the stage's folders, if root owns them.
    pub(super) loose: Option<Vec<(String, Output)>>,
}

/// A project whose packages were installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    /// The absolute path of its folder.
    pub(super) folder: String,
    /// The path of the virtual environment; `None` for the system's.
    pub(super) environment: Option<String>,
    /// The path of the interpreter.
    pub(super) python: String,
}

impl Installation {
    /// The path of the virtual environment, if Poetry would have made it.
    pub(super) fn made(&self) -> Option<&str> {
        match &self.place {
            Place::Venv { path, made: true } => Some(path),
            _ => None,
        }
    }

    /// The environment as a copy of it in another stage would have it, if this is all of it.
    pub(super) fn as_copied(&self, is_new: bool) -> Option<Environment> {
        match (&self.loose, &self.rest, self.place.path()) {
            (Some(layers), None, Some(path)) if is_new => {
                Some(Environment { path: path.to_owned(), layers: layers.clone() })
            }
            _ => None,
        }
    }
}

/// A state of a stage to which an environment was added last.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    /// Its path.
    pub(super) path: String,
    /// All that it holds, with what each layer holds. Root owns all of it.
    pub(super) layers: Vec<(String, Output)>,
}
