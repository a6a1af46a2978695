use std::io;
use std::path::PathBuf;

use crate::report::Explain;

/// Why an interpreter cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// There is none.
    #[error("there is no Python in the base image")]
    Missing {
        /// What was looked for.
        python: String,
        /// Where names are looked up; `None` if a path was asked for.
        path: Option<String>,
    },
    /// It cannot be started.
    #[error("{} cannot be started ({source})", executable.display())]
    Start {
        /// The interpreter.
        executable: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// It ends with an error.
    #[error("{} fails ({status})", executable.display())]
    Failed {
        /// The interpreter.
        executable: PathBuf,
        /// How it ended.
        status: String,
        /// What it printed.
        output: String,
    },
    /// It prints something else than what it was told.
    #[error("{} does not answer as a Python 3 does ({detail})", executable.display())]
    Answer {
        /// The interpreter.
        executable: PathBuf,
        /// What is wrong.
        detail: String,
        /// What it printed.
        output: String,
    },
    /// It is not for Linux.
    #[error("the interpreter is for {found:?}, and only Linux is supported")]
    Platform {
        /// Its platform.
        found: String,
    },
    /// The environment's path is not absolute.
    #[error("the environment's path {path:?} is not absolute")]
    Venv {
        /// The path.
        path: String,
    },
    /// A file cannot be written.
    #[error("the result cannot be written ({source})")]
    Write {
        /// The operating system's reason.
        source: io::Error,
    },
}

/// The most lines of an interpreter's output that are shown.
const MOST_LINES: usize = 20;

fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let start = lines.len().saturating_sub(MOST_LINES);
    lines.get(start..).unwrap_or_default().join("\n")
}

impl Explain for ProbeError {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Missing { python, path } => {
                let mut lines = vec![("expected", python.clone())];
                lines.extend(path.clone().map(|path| ("PATH", path)));
                lines
            }
            Self::Failed { output, .. } | Self::Answer { output, .. } => {
                vec![("output", last_lines(output))]
            }
            _ => Vec::new(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Missing { .. } | Self::Platform { .. } => {
                "set `base` in [tool.poetry-buildkit] to an image with Python 3, e.g. python:3.13-slim"
            }
            Self::Start { .. } | Self::Failed { .. } | Self::Answer { .. } => {
                "see whether this interpreter runs in the base image, or set `base` in [tool.poetry-buildkit] to \
                 another image with Python 3"
            }
            Self::Venv { .. } => "set an absolute path without '..'",
            Self::Write { .. } => "see whether the builder has disk space left (docker buildx du), then build again",
        }
        .to_owned()
    }
}
