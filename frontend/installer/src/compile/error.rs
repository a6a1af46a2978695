use std::io;

use crate::probe::ProbeError;
use crate::report::Explain;

/// Why bytecode was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The interpreter cannot be used.
    #[error(transparent)]
    Interpreter(#[from] ProbeError),
    /// A folder's path is not absolute.
    #[error("the folder's path {path:?} is not absolute")]
    Folder {
        /// The path.
        path: String,
    },
    /// The modules cannot be listed.
    #[error("the modules below {path:?} cannot be listed ({source})")]
    Read {
        /// The folder.
        path: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The result cannot be written.
    #[error("the bytecode cannot be written ({source})")]
    Write {
        /// The operating system's reason.
        source: io::Error,
    },
}

impl Explain for CompileError {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Interpreter(error) => error.facts(),
            _ => Vec::new(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Interpreter(error) => error.remedy(),
            Self::Folder { .. } => "set an absolute path without '..'".into(),
            Self::Read { .. } | Self::Write { .. } => {
                "see whether the builder has disk space left (docker buildx du), then build again".into()
            }
        }
    }
}
