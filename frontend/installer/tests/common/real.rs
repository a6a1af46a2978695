//! Real wheels and real interpreters.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that keeps downloaded wheels from one run to the next.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The wheel of `name` in `version` for CPython 3.11 on x86-64 Linux, downloaded with pip if it is not there yet.
///
/// # Panics
/// It is not there, and cannot be downloaded: such a test cannot run without the network.
pub fn wheel(name: &str, version: &str) -> PathBuf {
    let folder = folder();
    if let Some(found) = find(&folder, name, version) {
        return found;
    }
    let own = tempfile::tempdir_in(&folder).unwrap();
    let output = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"])
        .args(["--python-version", "3.11", "--implementation", "cp"])
        .args(["--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_17_x86_64"])
        .args(["--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_12_x86_64"])
        .args(["--platform", "manylinux2010_x86_64", "--platform", "manylinux_2_5_x86_64"])
        .args(["--platform", "manylinux1_x86_64", "--dest"])
        .arg(own.path())
        .arg(format!("{name}=={version}"))
        .output()
        .expect("this test needs python3 with pip to download wheels");
    let downloaded = fs::read_dir(own.path()).unwrap().next();
    let Some(Ok(downloaded)) = downloaded else {
        panic!(
            "this test needs {name} {version} from a package index, and pip could not download it:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let kept = folder.join(downloaded.file_name());
    fs::rename(downloaded.path(), &kept).unwrap();
    kept
}

fn find(folder: &Path, name: &str, version: &str) -> Option<PathBuf> {
    let normal = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
        let file = path.file_name().unwrap().to_str().unwrap();
        let mut parts = file.split('-');
        file.ends_with(".whl") && parts.next().map(normal) == Some(normal(name)) && parts.next() == Some(version)
    })
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
