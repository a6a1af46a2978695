//! Real wheels and real interpreters.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use rustix::fs::{FlockOperation, flock};

/// How many downloads run at a time.
const AT_ONCE: usize = 3;

/// The folder that keeps downloaded wheels from one run to the next.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The wheels of these names and versions for CPython 3.11 on x86-64 Linux, downloaded with pip if they are not there.
///
/// # Panics
/// One is not there, and cannot be downloaded: such a test cannot run without the network.
pub fn wheels(wanted: &[(&str, &str)]) -> Vec<PathBuf> {
    let folder = folder();
    // One test downloads, the others wait for it.
    let lock = fs::File::create(folder.join(".lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let kept = kept(&folder);
    let missing: Vec<String> = wanted
        .iter()
        .filter(|(name, version)| !kept.contains_key(&key(name, version)))
        .map(|(name, version)| format!("{name}=={version}"))
        .collect();
    thread::scope(|scope| {
        for part in missing.chunks(missing.len().div_ceil(AT_ONCE).max(1)) {
            scope.spawn(|| download(&folder, part));
        }
    });
    let kept = self::kept(&folder);
    wanted.iter().map(|(name, version)| kept[&key(name, version)].clone()).collect()
}

/// One such wheel.
pub fn wheel(name: &str, version: &str) -> PathBuf {
    wheels(&[(name, version)]).remove(0)
}

fn download(folder: &Path, wanted: &[String]) {
    let own = tempfile::tempdir_in(folder).unwrap();
    let output = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"])
        .args(["--python-version", "3.11", "--implementation", "cp"])
        .args(["--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_17_x86_64"])
        .args(["--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_12_x86_64"])
        .args(["--platform", "manylinux2010_x86_64", "--platform", "manylinux_2_5_x86_64"])
        .args(["--platform", "manylinux1_x86_64", "--dest"])
        .arg(own.path())
        .args(wanted)
        .output()
        .expect("this test needs python3 with pip to download wheels");
    assert!(
        output.status.success(),
        "this test needs wheels from a package index, and pip could not download them:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for path in kept(own.path()).into_values() {
        fs::rename(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
}

/// The wheels in a folder, by name and version.
fn kept(folder: &Path) -> BTreeMap<(String, String), PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .filter_map(|path| {
            let stem = path.file_name()?.to_str()?.strip_suffix(".whl")?;
            let mut parts = stem.split('-');
            let key = key(parts.next()?, parts.next()?);
            Some((key, path))
        })
        .collect()
}

fn key(name: &str, version: &str) -> (String, String) {
    (name.to_lowercase().replace(['_', '.'], "-"), version.to_owned())
}

/// The interpreter of this machine that is of `version`, e.g. `3.11`.
///
/// # Panics
/// There is none: such a test cannot run.
pub fn python(version: &str) -> PathBuf {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    let is_wanted = |python: &PathBuf| {
        let output = Command::new(python).args(["-c", script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim() == version
    };
    let found = interpreters().into_iter().find(is_wanted);
    found.unwrap_or_else(|| panic!("this test needs a Python {version} on this machine"))
}

/// Every Python 3 of this machine: those of pyenv and the system's, CPython and PyPy.
///
/// # Panics
/// There is none: the test would check nothing.
pub fn interpreters() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        ["/usr/bin/python3", "/usr/local/bin/python3", "/usr/bin/pypy3"].into_iter().map(PathBuf::from).collect();
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    let versions = pyenv.and_then(|pyenv| fs::read_dir(pyenv.join("versions")).ok());
    for version in versions.into_iter().flatten() {
        found.push(version.unwrap().path().join("bin/python3"));
    }
    found.retain(|python| python.exists());
    found.sort();
    assert!(!found.is_empty(), "this test needs a Python 3 on this machine, and there is none");
    found
}
