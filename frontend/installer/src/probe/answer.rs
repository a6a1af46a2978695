use std::collections::BTreeMap;
use std::path::Path;

use install_request::{Interpreter, Libc, Scheme};
use serde::Deserialize;

use super::{ProbeError, libc, libraries, run};

/// What the interpreter is told to run.
const SCRIPT: &str = include_str!("interpreter.py");

/// What the interpreter prints.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(super) executable: String,
    pub(super) platform: String,
    markers: BTreeMap<String, String>,
    glibc: Option<String>,
    ext_suffix: String,
    free_threaded: bool,
    debug: bool,
    venv: Scheme,
    system: Scheme,
    #[serde(flatten)]
    pub(crate) build: Build,
}

/// What an environment's settings repeat.
#[derive(Debug, Deserialize)]
pub(crate) struct Build {
    pub(crate) version_info: (u32, u32, u32, String, u32),
    pub(crate) base_prefix: String,
    pub(crate) base_exec_prefix: String,
    /// Whether an environment has a link `lib64` to `lib`.
    pub(crate) links_lib64: bool,
}

/// Asks the interpreter `executable` about itself: isolated, without site, without leaving bytecode behind.
pub(super) fn ask(executable: &Path) -> Result<Answer, ProbeError> {
    let output = run(executable, &["-I", "-S", "-B", "-c", SCRIPT])?;
    serde_json::from_slice(&output).map_err(|error| ProbeError::Answer {
        executable: executable.to_owned(),
        detail: error.to_string(),
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

impl Answer {
    pub(crate) fn interpreter(&self) -> Interpreter {
        Interpreter {
            executable: self.executable.clone(),
            markers: self.markers.clone(),
            platform: self.platform.clone(),
            libc: self.libc(),
            ext_suffix: self.ext_suffix.clone(),
            free_threaded: self.free_threaded,
            debug: self.debug,
            venv: self.venv_scheme(),
            system: self.system.clone(),
            libraries: libraries::list(),
        }
    }

    fn libc(&self) -> Option<Libc> {
        let glibc = self.glibc.as_deref().and_then(libc::parse_glibc);
        glibc.or_else(|| libc::musl_of(self.executable.as_ref()))
    }

    /// The scheme of an environment, in which `lib64` is a link to `lib`: modules of all kinds then go to `lib`.
    fn venv_scheme(&self) -> Scheme {
        let mut scheme = self.venv.clone();
        if self.build.links_lib64 {
            for path in [&mut scheme.purelib, &mut scheme.platlib] {
                if let Some(rest) = path.strip_prefix("lib64/") {
                    *path = format!("lib/{rest}");
                }
            }
        }
        scheme
    }
}
