use std::io;

use crate::install::{InstallError, InstallFailure};
use crate::obtain::ObtainError;
use crate::probe::ProbeError;
use crate::report::Explain;

/// Why a package was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The archive cannot be had.
    #[error(transparent)]
    Obtain(#[from] ObtainError),
    /// The archive is of no kind that is unpacked.
    #[error("the archive is neither .tar (or .tar.gz, .tar.bz2, .tar.xz) nor .zip")]
    Kind,
    /// The archive cannot be read.
    #[error("the archive is broken ({source})")]
    Broken {
        /// What is wrong.
        source: io::Error,
    },
    /// The archive holds too much.
    #[error("the archive holds more than a source tree can be")]
    TooLarge,
    /// An entry of the archive leads out of it.
    #[error("the archive holds an entry that leads out of the archive")]
    Outside {
        /// The entry.
        entry: String,
    },
    /// An entry of the archive is neither a file nor a folder nor a link.
    #[error("the archive holds a device, a pipe or the like")]
    Special {
        /// The entry.
        entry: String,
    },
    /// There is no project in the source.
    #[error("there is neither pyproject.toml nor setup.py")]
    NoProject {
        /// The folder, as it is in the archive or in the repository.
        folder: String,
    },
    /// pyproject.toml cannot be used.
    #[error("its pyproject.toml cannot be used")]
    Pyproject {
        /// What is wrong.
        detail: String,
    },
    /// The builder's interpreter cannot be used.
    #[error(transparent)]
    Builder(#[from] ProbeError),
    /// The builder's interpreter is not that of the runtime image.
    #[error("the builder image has another Python than the runtime image")]
    Mismatch {
        /// What the runtime image has.
        expected: String,
        /// What the builder has.
        found: String,
    },
    /// The requirements of the build cannot be met.
    #[error("the requirements of its build cannot be met")]
    Requirements {
        /// What cannot be met.
        detail: String,
    },
    /// The requirements of the build cannot be installed.
    #[error("the requirements of its build cannot be installed")]
    Environment {
        /// Why.
        detail: String,
    },
    /// The build backend fails.
    #[error("its build backend fails in {hook} ({status})")]
    Backend {
        /// The hook (PEP 517).
        hook: &'static str,
        /// How the process ended.
        status: String,
        /// What would probably help.
        hint: Option<String>,
    },
    /// The project's build script is not there.
    #[error("there is no build script {script} in the project")]
    NoScript {
        /// The script, relative to the project.
        script: String,
    },
    /// The project's build script fails.
    #[error("the build script {script} fails ({status})")]
    Script {
        /// The script, relative to the project.
        script: String,
        /// How the process ended.
        status: String,
        /// What would probably help.
        hint: Option<String>,
    },
    /// The backend ended without an answer.
    #[error("its build backend ended in {hook} without an answer that can be read")]
    NoAnswer {
        /// The hook (PEP 517).
        hook: &'static str,
    },
    /// The backend made no wheel.
    #[error("its build backend made no wheel")]
    NoWheel,
    /// The wheel that was built is refused.
    #[error("the built wheel is refused: {0}")]
    Wheel(#[from] InstallFailure),
    /// The installation cannot be completed.
    #[error("the result cannot be written ({0})")]
    Write(#[from] io::Error),
}

impl From<InstallError> for BuildError {
    fn from(error: InstallError) -> Self {
        Self::Environment { detail: error.to_string() }
    }
}

impl Explain for BuildError {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Obtain(error) => error.facts(),
            Self::Builder(error) => error.facts(),
            Self::Wheel(error) => error.facts(),
            Self::Outside { entry } | Self::Special { entry } => vec![("entry", entry.clone())],
            Self::NoProject { folder } => vec![("folder", folder.clone())],
            Self::Pyproject { detail } | Self::Requirements { detail } | Self::Environment { detail } => {
                vec![("cause", detail.clone())]
            }
            Self::Mismatch { expected, found } => vec![("expected", expected.clone()), ("found", found.clone())],
            Self::Backend { .. } | Self::Script { .. } => {
                vec![("cause", "see the output of the build above".to_owned())]
            }
            _ => Vec::new(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Obtain(error) => error.remedy(),
            Self::Builder(error) => error.remedy(),
            Self::Wheel(error) => error.remedy(),
            Self::Mismatch { .. } => {
                "set `builder` of [tool.poetry-buildkit] to the full image of the runtime image's Python".to_owned()
            }
            Self::Requirements { .. } | Self::Environment { .. } => {
                "see whether the project's sources (or the wheelhouse) have these packages; build requirements come from where \
                 the project's own dependencies come from"
                    .to_owned()
            }
            Self::Backend { hint: Some(hint), .. } | Self::Script { hint: Some(hint), .. } => hint.clone(),
            Self::NoScript { script } => {
                format!("if there is a file {script}, keep it from being ignored by .dockerignore, else correct `script` of [tool.poetry.build]")
            }
            Self::Script { hint: None, .. } => {
                "mend the script; if it needs a library or a tool, name its Debian package in `build-apt` of \
                 [tool.poetry-buildkit]"
                    .to_owned()
            }
            Self::Backend { hint: None, .. } => {
                "if the build needs a library or a tool, name its Debian package in `build-apt` of [tool.poetry-buildkit]; a \
                 version of the package that has a wheel needs no build"
                    .to_owned()
            }
            Self::Write(_) => "see whether the builder has disk space left (docker buildx du), then build again".to_owned(),
            Self::Kind
            | Self::Broken { .. }
            | Self::TooLarge
            | Self::Outside { .. }
            | Self::Special { .. }
            | Self::NoProject { .. }
            | Self::NoAnswer { .. }
            | Self::Pyproject { .. }
            | Self::NoWheel => "correct it if it is yours, else lock a version of the package that has a wheel".to_owned(),
        }
    }
}
