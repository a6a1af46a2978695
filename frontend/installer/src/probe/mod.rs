//! The command `probe`: ask an interpreter about itself, and lay out an environment for it.

mod answer;
mod error;
mod libc;
mod libraries;
mod lookup;

use std::fs;

use install_request::{Interpreter, LibcFamily, Probe, layout::INTERPRETER_FILE};

pub use error::ProbeError;
pub(crate) use lookup::find;
use lookup::run;

use crate::paths::is_plain_absolute;
use crate::{Roots, Tree, venv};
use answer::ask;
pub(crate) use answer::{Answer, Build};

/// Finds the interpreter of the root file system and asks it about itself. Writes the [`Interpreter`]
/// as JSON below `roots.facts`, and an empty virtual environment of it below `roots.out`.
/// Returns a line for the user.
///
/// # Errors
/// There is no usable interpreter, or a file cannot be written.
pub fn probe(request: &Probe, roots: &Roots) -> Result<String, ProbeError> {
    if !is_plain_absolute(&request.venv) {
        return Err(ProbeError::Venv { path: request.venv.clone() });
    }
    let answer = describe(&request.python)?;
    let unwritable = |source| ProbeError::Write { source };
    let interpreter = answer.interpreter();
    let tree = Tree::new(&roots.out);
    venv::lay_out(&tree, &request.venv, &interpreter, &answer.build).and_then(|()| tree.seal()).map_err(unwritable)?;
    let facts = Tree::new(&roots.facts);
    facts
        .write(&format!("/{INTERPRETER_FILE}"), &json(&interpreter)?, false)
        .and_then(|()| facts.seal())
        .map_err(unwritable)?;
    Ok(summary(&interpreter))
}

/// Asks the interpreter `python`, a path or a name.
///
/// # Errors
/// There is no usable interpreter.
pub(crate) fn describe(python: &str) -> Result<Answer, ProbeError> {
    let found = find(python, std::env::var_os("PATH"))?;
    let mut answer = ask(&found)?;
    // Inside an environment, the interpreter that it was made of is the one to ask.
    if fs::canonicalize(&found).ok().as_deref() != Some(answer.executable.as_ref()) {
        answer = ask(answer.executable.as_ref())?;
    }
    if answer.platform.split('-').next() != Some("linux") {
        return Err(ProbeError::Platform { found: answer.platform });
    }
    Ok(answer)
}

/// The JSON form with sorted keys.
fn json(interpreter: &Interpreter) -> Result<Vec<u8>, ProbeError> {
    let sorted = serde_json::to_value(interpreter);
    let text = sorted.and_then(|value| serde_json::to_vec_pretty(&value));
    text.map_err(|error| ProbeError::Write { source: error.into() })
}

fn summary(interpreter: &Interpreter) -> String {
    let marker = |name: &str| interpreter.markers.get(name).map_or("", String::as_str);
    let libc = match &interpreter.libc {
        Some(libc) => {
            let family = match libc.family {
                LibcFamily::Glibc => "glibc",
                LibcFamily::Musl => "musl",
            };
            format!("{family} {}.{}", libc.major, libc.minor)
        }
        None => "unknown C library".to_owned(),
    };
    format!(
        "{} {}  {}  {libc}  {}\n",
        marker("platform_python_implementation"),
        marker("python_full_version"),
        interpreter.platform,
        interpreter.executable,
    )
}
