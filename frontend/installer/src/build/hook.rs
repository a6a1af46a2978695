//! Calling a build backend.

use std::ffi::OsString;
use std::fs;
use std::io::{self, PipeReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use install_request::EPOCH;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::backend::Backend;
use super::{BuildError, hints};
use crate::Roots;

/// What the backend's interpreter runs.
const SCRIPT: &str = include_str!("hook.py");

/// What stands for the `setup.py` that Poetry generates.
const SETUP: &str = include_str!("setup.py");

/// How much of the output is kept for hints.
const KEPT: usize = 256 << 10;

/// How backends are called.
pub(super) struct Hooks<'a> {
    /// The package, for hints.
    pub(super) package: &'a str,
    pub(super) backend: &'a Backend,
    /// The source tree.
    pub(super) folder: &'a Path,
    pub(super) work: &'a Path,
    pub(super) cache: &'a Path,
    pub(super) config_settings: &'a Value,
}

#[derive(Serialize)]
struct Order<'a> {
    backend: &'a str,
    backend_path: &'a [String],
    hook: &'a str,
    optional: bool,
    arguments: &'a [&'a str],
    config_settings: &'a Value,
    answer: &'a Path,
}

impl<'a> Hooks<'a> {
    /// The hooks of a backend, for the source tree in `folder`.
    pub(super) fn new(
        package: &'a str,
        backend: &'a Backend,
        folder: &'a Path,
        roots: &'a Roots,
        config_settings: &'a Value,
    ) -> Self {
        Self { package, backend, folder, work: &roots.work, cache: &roots.build_cache, config_settings }
    }

    /// Calls a hook in the environment `venv`. What it prints is shown as it comes.
    ///
    /// # Errors
    /// It fails, or cannot be called.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        venv: &Path,
        hook: &'static str,
        arguments: &[&str],
        optional: bool,
    ) -> Result<T, BuildError> {
        let (script, order) = (self.work.join("hook.py"), self.work.join("order.json"));
        let answer = self.work.join("answer.json");
        let Backend { name, path, .. } = self.backend;
        let config_settings = self.config_settings;
        let content =
            Order { backend: name, backend_path: path, hook, optional, arguments, config_settings, answer: &answer };
        match fs::remove_file(&answer) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        fs::write(&script, SCRIPT)?;
        fs::write(&order, serde_json::to_vec(&content).map_err(io::Error::from)?)?;
        let python = venv.join("bin/python");
        let mut command = Command::new(&python);
        command.arg(&script).arg(&order);
        let failed = |status, hint| BuildError::Backend { hook, status, hint };
        self.run(venv, &mut command, failed)?;
        let text = fs::read(&answer).map_err(|_| BuildError::NoAnswer { hook })?;
        serde_json::from_slice(&text).map_err(|_| BuildError::NoAnswer { hook })
    }

    /// The variables of the build's processes: those of the image, less what would change how Python behaves, and all
    /// caches in folders of ours.
    fn environment(&self, venv: &Path) -> io::Result<Vec<(OsString, OsString)>> {
        let foreign = |name: &str| {
            name.starts_with("PYTHON")
                || name.starts_with("PIP_")
                || name.starts_with("POETRY_")
                || name == "VIRTUAL_ENV"
        };
        let inherited = std::env::vars_os().filter(|(name, _)| !foreign(&name.to_string_lossy()));
        let bin = venv.join("bin");
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path))).unwrap_or(path);
        let folder = |base: &Path, name: &str| -> io::Result<OsString> {
            let folder = base.join(name);
            fs::create_dir_all(&folder)?;
            Ok(folder.into_os_string())
        };
        let own: [(&str, OsString); 15] = [
            ("PATH", path),
            ("VIRTUAL_ENV", venv.as_os_str().to_owned()),
            ("HOME", folder(self.work, "home")?),
            ("TMPDIR", folder(self.work, "tmp")?),
            ("XDG_CACHE_HOME", folder(self.cache, "xdg")?),
            ("CARGO_HOME", folder(self.cache, "cargo")?),
            ("CCACHE_DIR", folder(self.cache, "ccache")?),
            ("SCCACHE_DIR", folder(self.cache, "sccache")?),
            ("GOCACHE", folder(self.cache, "go")?),
            ("LANG", "C.UTF-8".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("PYTHONHASHSEED", "0".into()),
            // Beside the sources it would be part of the result, and holds their times.
            ("PYTHONDONTWRITEBYTECODE", "1".into()),
            ("PYTHONUNBUFFERED", "1".into()),
            ("SOURCE_DATE_EPOCH", EPOCH.to_string().into()),
        ];
        Ok(inherited.chain(own.map(|(name, value)| (name.into(), value))).collect())
    }

    /// Runs a script of the tree. With a folder of modules, the script's function `build` prepares the arguments of
    /// setuptools, which then builds the extension modules in that folder.
    ///
    /// # Errors
    /// It fails, or cannot be called.
    pub(super) fn script(&self, venv: &Path, script: &str, modules: Option<&str>) -> Result<(), BuildError> {
        let mut command = Command::new(venv.join("bin/python"));
        match modules {
            None => command.arg(self.folder.join(script)),
            Some(modules) => {
                let setup = self.work.join("setup.py");
                fs::write(&setup, SETUP)?;
                command.arg(&setup).arg(script).arg(self.package).arg(modules)
            }
        };
        let failed = |status, hint| BuildError::Script { script: script.to_owned(), status, hint };
        self.run(venv, &mut command, failed)
    }

    /// Runs a process of the build in the source tree.
    fn run(
        &self,
        venv: &Path,
        command: &mut Command,
        failed: impl Fn(String, Option<String>) -> BuildError,
    ) -> Result<(), BuildError> {
        let (reader, writer) = io::pipe()?;
        command
            .env_clear()
            .envs(self.environment(venv)?)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let mut child = command.spawn()?;
        // The command holds the other end of the pipe as well.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let output = show(reader)?;
        let status = child.wait()?;
        if status.success() {
            return Ok(());
        }
        let hint = hints::hint(self.package, &String::from_utf8_lossy(&output));
        Err(failed(status.to_string(), hint))
    }
}

/// Shows output as it comes, and returns the last of it.
fn show(mut reader: PipeReader) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut piece = vec![0; 16 << 10];
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => return Ok(kept),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = piece.get(..count).unwrap_or_default();
        // If nobody reads, the build goes on.
        let _ = io::stderr().write_all(piece);
        kept.extend_from_slice(piece);
        if kept.len() > 2 * KEPT {
            kept.drain(..kept.len() - KEPT);
        }
    }
}

/// The only wheel in a folder.
///
/// # Errors
/// There is none, or several.
pub(super) fn wheel_in(folder: &Path) -> Result<PathBuf, BuildError> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let mut wheels = entries.into_iter().filter(|path| path.extension().is_some_and(|end| end == "whl"));
    match (wheels.next(), wheels.next()) {
        (Some(wheel), None) => Ok(wheel),
        _ => Err(BuildError::NoWheel),
    }
}
