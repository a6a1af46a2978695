//! What we install is what Poetry's own code installs, for many popular wheels of all kinds.
//!
//! Set `POETRY_ORACLE_PYTHON` to an interpreter that Poetry is installed for, as `./dev test` does. Without it the test
//! says that it compares nothing and ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Command;

use common::popular::{self, Shared, say};

#[test]
fn the_same_files_are_installed() {
    let Some(python) = std::env::var_os("POETRY_ORACLE_PYTHON") else {
        say("SKIPPED: POETRY_ORACLE_PYTHON names no interpreter that has Poetry, so no wheel is compared with Poetry.");
        return;
    };
    let ours = Shared::get();
    let (place, venv) = (ours.place(), ours.venv());
    let theirs = popular::theirs(&venv, |wheels| {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/poetry_install.py");
        popular::run(Command::new(&python).arg(program).arg(&venv).args(wheels));
    });
    popular::compare(&place, &venv, &theirs).judge("Poetry", &[]);
}
