//! One interpreter that compiles files one after the other.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde::Serialize;

use crate::probe::ProbeError;

/// What the interpreter is told to run.
const SCRIPT: &str = include_str!("compile.py");

/// A module: where it is now, and its final path.
pub(super) type Module = (String, String);

/// The final path of a bytecode file, or that of a module and why it has none.
pub(super) type Outcome = Result<String, (String, String)>;

#[derive(Serialize)]
struct Order<'a> {
    files: &'a [Module],
    out: &'a str,
}

/// Compiles `files` into the folder `out`. A file that kills the interpreter is passed over.
///
/// # Errors
/// The interpreter cannot be used.
pub(super) fn work(python: &Path, files: &[Module], out: &str) -> Result<Vec<Outcome>, ProbeError> {
    let mut outcomes = Vec::with_capacity(files.len());
    while let Some(rest @ [_, ..]) = files.get(outcomes.len()..) {
        let output = session(python, &Order { files: rest, out })?;
        for line in output.stdout.split_inclusive(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok((path, None)) => outcomes.push(Ok(path)),
                Ok((path, Some(reason))) => outcomes.push(Err((path, reason))),
                // The line that it was writing when it died.
                Err(_) if output.status.code().is_none() => {}
                Err(error) => return Err(strange(python, &error.to_string(), &output)),
            }
        }
        match (files.get(outcomes.len()), output.status.code()) {
            (None, Some(0)) => break,
            (Some((_, path)), None) => {
                outcomes.push(Err((path.clone(), format!("the compiler died ({})", output.status))));
            }
            (Some(_), Some(0)) | (None, _) => return Err(strange(python, "wrong number of answers", &output)),
            (Some(_), Some(_)) => {
                return Err(ProbeError::Failed {
                    executable: python.to_owned(),
                    status: output.status.to_string(),
                    output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                });
            }
        }
    }
    Ok(outcomes)
}

/// Runs the interpreter once. It is kept from all settings of its own, and orders sets always alike.
fn session(python: &Path, order: &Order<'_>) -> Result<Output, ProbeError> {
    let start = |source| ProbeError::Start { executable: python.to_owned(), source };
    let variables = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("PYTHON"));
    let mut child = Command::new(python)
        .args(["-s", "-S", "-B", "-W", "ignore", "-c", SCRIPT])
        .env_clear()
        .envs(variables)
        .env("PYTHONHASHSEED", "0")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    let input = serde_json::to_vec(order).map_err(|error| start(error.into()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If the interpreter is gone, its output tells why.
        let _ = stdin.write_all(&input);
    }
    child.wait_with_output().map_err(start)
}

fn strange(python: &Path, detail: &str, output: &Output) -> ProbeError {
    let text = [&*output.stdout, &*output.stderr].concat();
    ProbeError::Answer {
        executable: python.to_owned(),
        detail: detail.to_owned(),
        output: String::from_utf8_lossy(&text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn fake(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("python");
        fs::write(&path, format!("#!/bin/sh\ninput=$(cat)\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, path)
    }

    fn modules() -> Vec<Module> {
        ["/a.py", "/b.py", "/c.py"].map(|path| (path.to_owned(), path.to_owned())).to_vec()
    }

    #[test]
    fn a_file_that_kills_the_interpreter_is_passed_over() {
        let text = r#"case $input in
            *a.py*) echo '["/a.pyc", null]'; printf '["/b.p'; kill -SEGV $$ ;;
            *b.py*) exit 9 ;;
            *) echo '["/c.py", "bad"]' ;;
        esac"#;
        let (_folder, python) = fake(text);
        let outcomes = work(&python, &modules(), "/out").unwrap();
        assert_eq!(outcomes[0], Ok("/a.pyc".into()));
        assert!(matches!(&outcomes[1], Err((path, reason)) if path == "/b.py" && reason.contains("died")));
        assert_eq!(outcomes[2], Err(("/c.py".into(), "bad".into())));
    }

    #[test]
    fn an_interpreter_that_does_not_answer_as_told_is_refused() {
        let (_folder, python) = fake("echo hello");
        assert!(matches!(work(&python, &modules(), "/out"), Err(ProbeError::Answer { .. })));
        let (_folder, python) = fake(r#"echo '["/a.pyc", null]'"#);
        assert!(matches!(work(&python, &modules(), "/out"), Err(ProbeError::Answer { .. })));
        let (_folder, python) = fake("echo reason >&2; exit 1");
        let result = work(&python, &modules(), "/out");
        assert!(matches!(result, Err(ProbeError::Failed { output, .. }) if output == "reason"));
    }
}
