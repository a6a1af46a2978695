//! Finding and running the interpreter.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use install_request::DEFAULT_PATH;

use super::ProbeError;

/// The interpreter `python`: a path, or a name that is looked up in the folders of `path`.
///
/// # Errors
/// [`ProbeError::Missing`].
pub(crate) fn find(python: &str, path: Option<OsString>) -> Result<PathBuf, ProbeError> {
    if python.contains('/') {
        return match is_program(Path::new(python)) {
            true => Ok(PathBuf::from(python)),
            false => Err(ProbeError::Missing { python: python.to_owned(), path: None }),
        };
    }
    let path = path.unwrap_or_else(|| DEFAULT_PATH.into());
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute() && !python.is_empty())
        .map(|folder| folder.join(python))
        .find(|program| is_program(program))
        .ok_or_else(|| ProbeError::Missing {
            python: python.to_owned(),
            path: Some(path.to_string_lossy().into_owned()),
        })
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// What the interpreter prints when it is run with `arguments`.
///
/// # Errors
/// It cannot be started, or does not end well.
pub(super) fn run(executable: &Path, arguments: &[&str]) -> Result<Vec<u8>, ProbeError> {
    let output = Command::new(executable)
        .args(arguments)
        .current_dir("/")
        .output()
        .map_err(|source| ProbeError::Start { executable: executable.to_owned(), source })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let text = [output.stdout, output.stderr].concat();
    Err(ProbeError::Failed {
        executable: executable.to_owned(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&text).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn names_are_looked_up_and_paths_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        for place in [&one, &two] {
            fs::create_dir(place).unwrap();
            fs::write(place.join("python3"), "").unwrap();
        }
        let program = two.join("python3");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::join_paths([&one, &two]).unwrap();
        assert_eq!(find("python3", Some(path.clone())).unwrap(), program);
        assert_eq!(find(program.to_str().unwrap(), None).unwrap(), program);
        for missing in ["python4", "", one.join("python3").to_str().unwrap()] {
            let found = find(missing, Some(path.clone()));
            assert!(matches!(found, Err(ProbeError::Missing { .. })), "{missing}");
        }
    }

    #[test]
    fn a_failing_program_shows_what_it_printed() {
        let arguments = ["-c", "echo out; echo err >&2; exit 3"];
        match run(Path::new("/bin/sh"), &arguments) {
            Err(ProbeError::Failed { status, output, .. }) => {
                assert_eq!(output, "out\nerr");
                assert!(status.contains('3'), "{status}");
            }
            other => panic!("{other:?}"),
        }
    }
}
