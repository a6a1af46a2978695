//! Calling a build backend.
//!
//! What is built is foreign code. It runs as another user than the installer, which alone can read the step's secrets
//! and write its result, and nothing of it is left when its first process has ended.

use std::ffi::OsString;
use std::fs;
use std::io::{self, PipeReader, Read, Write as _};
use std::os::unix::fs::{lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

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

/// How long output is waited for after the process that it came from has ended. Another process may hold it open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How backends are called.
pub(super) struct Hooks<'a> {
    /// The package, for hints.
    pub(super) package: &'a str,
    pub(super) backend: &'a Backend,
    /// The source tree.
    pub(super) folder: &'a Path,
    /// What the backend's interpreter is told to do. The backend may not write here, where it could put links for this program to
    /// write through.
    orders: PathBuf,
    /// Where the backend may write: its answers, and what it makes.
    pub(super) work: PathBuf,
    pub(super) cache: &'a Path,
    pub(super) user: Option<u32>,
    pub(super) config_settings: &'a Value,
    version: Option<&'a str>,
}

/// Variables by which tools that take a version from a repository's tags can be told it.
const VERSION_VARIABLES: [&str; 5] = [
    "SETUPTOOLS_SCM_PRETEND_VERSION",
    "PBR_VERSION",
    "PDM_BUILD_SCM_VERSION",
    "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "UV_DYNAMIC_VERSIONING_BYPASS",
];

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
    /// The hooks of a backend, for the project in `folder`, which is `tree` or a part of it.
    ///
    /// # Errors
    /// A folder cannot be made.
    pub(super) fn new(
        package: &'a str,
        backend: &'a Backend,
        tree: &Path,
        folder: &'a Path,
        roots: &'a Roots,
        config_settings: &'a Value,
    ) -> io::Result<Self> {
        let (orders, work) = (roots.work.join("orders"), roots.work.join("hooks"));
        let (cache, user) = (roots.build_cache.as_path(), roots.build_user);
        let hooks = Self { package, backend, folder, orders, work, cache, user, config_settings, version: None };
        fs::create_dir_all(&hooks.orders)?;
        fs::create_dir_all(&hooks.work)?;
        hooks.give(&hooks.work)?;
        hooks.give(tree)?;
        Ok(hooks)
    }

    /// The same for a tree that has no repository around it, whose tags would tell the version.
    pub(super) fn of_version(self, version: &'a str) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Lets the backend's user write a tree.
    fn give(&self, tree: &Path) -> io::Result<()> {
        self.user.map_or(Ok(()), |user| own(tree, user))
    }

    /// Takes back a tree that becomes part of the image.
    ///
    /// # Errors
    /// Its owner cannot be changed.
    pub(super) fn take(&self, tree: &Path) -> io::Result<()> {
        self.user.map_or(Ok(()), |_| own(tree, 0))
    }

    /// Calls a hook that builds a wheel, and returns the wheel's path.
    ///
    /// # Errors
    /// It fails, or makes no wheel.
    pub(super) fn wheel(&self, venv: &Path, hook: &'static str) -> Result<PathBuf, BuildError> {
        let dist = self.folder_at(&self.work, "dist")?;
        let _: Value = self.call(venv, hook, &[&dist.to_string_lossy()], false)?;
        wheel_in(&dist)
    }

    /// A folder that the backend may write.
    fn folder_at(&self, base: &Path, name: &str) -> io::Result<PathBuf> {
        let folder = base.join(name);
        if !folder.is_dir() {
            fs::create_dir_all(&folder)?;
            self.give(&folder)?;
        }
        Ok(folder)
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
        let (script, order) = (self.orders.join("hook.py"), self.orders.join("order.json"));
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
        let no_answer = || BuildError::NoAnswer { hook };
        let text = is_file(&answer).then(|| fs::read(&answer).ok()).flatten().ok_or_else(no_answer)?;
        serde_json::from_slice(&text).map_err(|_| no_answer())
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
        let folder = |base: &Path, name: &str| self.folder_at(base, name).map(PathBuf::into_os_string);
        let own: [(&str, OsString); 15] = [
            ("PATH", path),
            ("VIRTUAL_ENV", venv.as_os_str().to_owned()),
            ("HOME", folder(&self.work, "home")?),
            ("TMPDIR", folder(&self.work, "tmp")?),
            ("XDG_CACHE_HOME", folder(self.cache, "xdg")?),
            ("CARGO_HOME", self.cargo_home()?),
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
        let told = self.version.into_iter().flat_map(|version| VERSION_VARIABLES.map(|name| (name, version)));
        let told = told.filter(|(name, _)| std::env::var_os(name).is_none());
        let told = told.map(|(name, version)| (name.into(), version.into()));
        Ok(inherited.chain(told).chain(own.map(|(name, value)| (name.into(), value))).collect())
    }

    /// Cargo's folder. What it downloads outlives the build; its programs and settings do not, for they would run in
    /// other builds.
    fn cargo_home(&self) -> io::Result<OsString> {
        let home = self.work.join("cargo");
        if !home.is_dir() {
            self.folder_at(&self.work, "cargo")?;
            let kept = self.folder_at(self.cache, "cargo")?;
            for name in ["registry", "git"] {
                symlink(self.folder_at(&kept, name)?, home.join(name))?;
            }
        }
        Ok(home.into_os_string())
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
                let setup = self.orders.join("setup.py");
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
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let mut child = command.process_group(0).spawn()?;
        // The command holds the other end of the pipe as well.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let output = Shown::of(reader);
        let status = child.wait()?;
        // The group has the number of its first process.
        if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let output = output.last();
        if status.success() {
            return Ok(());
        }
        let hint = hints::hint(self.package, &String::from_utf8_lossy(&output));
        Err(failed(status.to_string(), hint))
    }
}

/// Output that is shown as it comes.
struct Shown {
    kept: Arc<Mutex<Vec<u8>>>,
    end: mpsc::Receiver<()>,
}

impl Shown {
    fn of(mut reader: PipeReader) -> Self {
        let (sender, end) = mpsc::channel();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let shown = Self { kept: Arc::clone(&kept), end };
        thread::spawn(move || {
            // Dropped at the end.
            let _sender = sender;
            let mut piece = vec![0; 16 << 10];
            loop {
                let count = match reader.read(&mut piece) {
                    Ok(0) => return,
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) => return,
                };
                let piece = piece.get(..count).unwrap_or_default();
                // If nobody reads, the build goes on.
                let _ = io::stderr().write_all(piece);
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(piece);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
        });
        shown
    }

    /// The last of the output of a process that has ended.
    fn last(&self) -> Vec<u8> {
        let _ = self.end.recv_timeout(LAST_WORDS);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Gives a tree to a user and the group of the same number. Links are not followed.
fn own(tree: &Path, user: u32) -> io::Result<()> {
    lchown(tree, Some(user), Some(user))?;
    if fs::symlink_metadata(tree)?.is_dir() {
        fs::read_dir(tree)?.try_for_each(|entry| own(&entry?.path(), user))?;
    }
    Ok(())
}

/// Whether this is a file by itself, and no link to one that its author cannot read.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

/// The only wheel in a folder.
///
/// # Errors
/// There is none, or several.
fn wheel_in(folder: &Path) -> Result<PathBuf, BuildError> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let mut wheels = entries.into_iter().filter(|path| path.extension().is_some_and(|end| end == "whl"));
    match (wheels.next(), wheels.next()) {
        (Some(wheel), None) if is_file(&wheel) => Ok(wheel),
        _ => Err(BuildError::NoWheel),
    }
}
