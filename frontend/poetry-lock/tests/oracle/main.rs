//! Compares this crate with the code of real Poetry, on generated cases.
//!
//! `./dev test` sees to it. Elsewhere, set `POETRY_ORACLE_PYTHON` to an interpreter that Poetry is installed for, e.g.
//! `python -m venv oracle && oracle/bin/pip install poetry==2.5.1` and
//! `POETRY_ORACLE_PYTHON=$PWD/oracle/bin/python cargo test -p poetry-lock --test oracle`. Without
//! it the tests say that they compare nothing and end. `POETRY_ORACLE_SEED` and
//! `POETRY_ORACLE_CASES` choose other cases.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]
#![allow(clippy::explicit_write, reason = "what `eprintln!` writes is not shown if the test passes")]

mod constraints;
mod installs;
mod markers;
mod projects;
mod random;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Says something that is shown even if the test passes.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").unwrap();
}

/// Asks the oracle. `None`, and a note, if there is none.
fn ask(subject: &str, questions: &Value) -> Option<Value> {
    let Some(python) = std::env::var_os("POETRY_ORACLE_PYTHON") else {
        say(&format!(
            "SKIPPED: POETRY_ORACLE_PYTHON names no interpreter that has Poetry, so {subject} are not compared."
        ));
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/oracle.py");
    let mut oracle = Command::new(PathBuf::from(python))
        .arg(script)
        .arg(subject)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = oracle.stdin.take().unwrap();
    let text = questions.to_string();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let output = oracle.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "the oracle failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |value| value.parse().unwrap())
}

fn seed() -> u64 {
    number("POETRY_ORACLE_SEED", 1)
}

fn cases(default: u64) -> u64 {
    number("POETRY_ORACLE_CASES", default)
}

/// Shows the first few differences, if there are any.
fn refuse(subject: &str, compared: usize, differences: &[String]) {
    say(&format!("{subject}: {compared} compared, {} differ", differences.len()));
    let shown: Vec<_> = differences.iter().take(20).map(String::as_str).collect();
    assert!(differences.is_empty(), "{} differences, among them\n{}", differences.len(), shown.join("\n"));
}
