//! The stand-in for an interpreter, with a script in place of real Poetry.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

/// Stands in for the interpreter: counts how often it is asked, and answers with that and with what is in the folder.
const PYTHON: &str = r#"#!/bin/sh
here=$(dirname "$0")
case $1 in
  -c) cat "$here/installed" ;;
  */oracle.py) cat >/dev/null; echo asked >>"$here/log"; cat "$here/answer" ;;
  *) echo "run with $*" ;;
esac
"#;

struct Setup(tempfile::TempDir);

impl Setup {
    fn new() -> Self {
        let setup = Self(tempfile::tempdir().unwrap());
        setup.write("python", PYTHON);
        fs::set_permissions(setup.path().join("python"), fs::Permissions::from_mode(0o755)).unwrap();
        setup.write("oracle.py", "# The script.\n");
        setup.write("installed", "poetry 2.5.1\n");
        setup.write("answer", "[1, 2]\n");
        setup.write("log", "");
        fs::create_dir_all(setup.path().join("kind/0")).unwrap();
        setup.write("kind/0/poetry.lock", "# A lock.\n");
        setup
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// What is answered, and what is told.
    fn ask(&self, questions: &str, choice: &str) -> (String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recorded-python"));
        command.env("POETRY_ORACLE_REAL_PYTHON", self.path().join("python"));
        command.env("POETRY_BUILDKIT_CACHE", self.path()).env("POETRY_BUILDKIT_ORACLE", choice);
        command.arg(self.path().join("oracle.py")).arg("installs");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(questions.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    }

    fn questions(&self) -> String {
        format!("[{{\"folder\": {:?}}}]", self.path().join("kind/0"))
    }

    /// How often the interpreter was asked.
    fn asked(&self) -> usize {
        fs::read_to_string(self.path().join("log")).unwrap().lines().count()
    }
}

#[test]
fn the_same_questions_are_asked_once() {
    let setup = Setup::new();
    for _ in 0..3 {
        assert_eq!(setup.ask(&setup.questions(), "none").0, "[1, 2]\n");
    }
    assert_eq!(setup.asked(), 1);
    let (_, told) = setup.ask(&setup.questions(), "none");
    assert!(told.starts_with("poetry-lock-installs-kind: real Poetry recorded today"), "{told}");
}

#[test]
fn other_questions_and_another_poetry_are_asked_again() {
    let setup = Setup::new();
    setup.ask(&setup.questions(), "none");
    let mut questions = setup.questions();
    type Change = fn(&Setup, &mut String);
    let changes: [(&str, Change); 4] = [
        ("projects", |setup, _| setup.write("kind/0/poetry.lock", "# Another lock.\n")),
        ("questions", |_, questions| questions.push('\n')),
        ("interpreter and what is installed for it", |setup, _| setup.write("installed", "poetry 2.6.0\n")),
        ("script", |setup, _| setup.write("oracle.py", "# Another script.\n")),
    ];
    for (number, (what, change)) in changes.iter().enumerate() {
        change(&setup, &mut questions);
        let (_, told) = setup.ask(&questions, "none");
        assert!(told.contains(&format!("asked now: since it was recorded this has changed: {what}")), "{told}");
        assert_eq!(setup.asked(), number + 2, "{what}");
    }
}

#[test]
fn whose_turn_it_is_is_asked_again_and_a_change_is_told() {
    let setup = Setup::new();
    setup.ask(&setup.questions(), "none");
    let (_, told) = setup.ask(&setup.questions(), "poetry-lock-installs-kind");
    assert!(told.contains("asked again, the same as today"), "{told}");
    setup.write("answer", "[3]\n");
    assert_eq!(setup.ask(&setup.questions(), "none").0, "[1, 2]\n");
    let (answer, told) = setup.ask(&setup.questions(), "all");
    assert!(
        answer == "[3]\n"
            && told.contains("FOUND: poetry-lock-installs-kind: real Poetry: it does not do what it did today"),
        "{answer}{told}"
    );
    assert_eq!(setup.ask(&setup.questions(), "none").0, "[3]\n");
}

#[test]
fn an_answer_that_took_too_long_is_recorded_if_it_always_does() {
    let setup = Setup::new();
    // With the number of the question, so that it is another answer each time.
    setup.write("answer", "[\"TimeoutError\"]\n");
    setup.write("python", &PYTHON.replace("cat \"$here/answer\"", "cat \"$here/answer\" \"$here/log\""));
    for asked in [2, 4] {
        let (_, told) = setup.ask(&setup.questions(), "none");
        assert!(told.contains("not recorded, as real Poetry was too slow for some"), "{told}");
        assert_eq!(setup.asked(), asked);
    }
    setup.write("python", PYTHON);
    for _ in 0..2 {
        assert_eq!(setup.ask(&setup.questions(), "none").0, "[\"TimeoutError\"]\n");
        assert_eq!(setup.asked(), 6);
    }
}

#[test]
fn all_else_is_run_as_it_is() {
    let setup = Setup::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_recorded-python"));
    command.env("POETRY_ORACLE_REAL_PYTHON", setup.path().join("python"));
    let output = command.args(["install.py", "venv", "x.whl"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "run with install.py venv x.whl\n");
}
