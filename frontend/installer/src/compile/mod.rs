//! The command `compile`: bytecode for installed modules.
//!
//! The bytecode is made by the interpreter that will run it. It is marked as valid whatever the time of
//! the source (PEP 552, unchecked hash), names the source by its final path, and depends on nothing but
//! the source and the interpreter.

mod error;
mod files;
mod worker;

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;

use install_request::Compile;

pub use error::CompileError;

use crate::paths::{is_plain_absolute, parent};
use crate::probe::{ProbeError, find};
use crate::{Roots, Tree};
use worker::{Module, Outcome, work};

/// An interpreter is started for each of so many files, up to one for each core.
const FILES_FOR_ONE: usize = 32;

/// Compiles the modules below the folders of the request, which stand below `roots.tree`, into `roots.out`.
/// Files that do not compile are left out, as pip does; some packages carry such files on purpose.
/// Returns lines for the user.
///
/// # Errors
/// There is no usable interpreter, or files cannot be read or written.
pub fn compile(request: &Compile, roots: &Roots) -> Result<String, CompileError> {
    if let Some(path) = request.folders.iter().find(|path| !is_plain_absolute(path)) {
        return Err(CompileError::Folder { path: path.clone() });
    }
    let python = find(&request.python, std::env::var_os("PATH"))?;
    let files = files::list(&roots.tree, &request.folders)?;
    let mut outcomes = run(&python, &files, &roots.out.to_string_lossy())?;
    outcomes.sort();
    let tree = Tree::new(&roots.out);
    let mut text = String::new();
    for outcome in &outcomes {
        match outcome {
            Ok(path) => finish(&tree, path).map_err(|source| CompileError::Write { source })?,
            Err((path, reason)) => {
                let reason = reason.lines().next().unwrap_or_default();
                text += &format!("note: {path} is left out: {reason}\n");
            }
        }
    }
    tree.seal().map_err(|source| CompileError::Write { source })?;
    let count = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    Ok(format!("{count} modules compiled\n{text}"))
}

/// Has several interpreters do the work, each a part of it.
fn run(python: &Path, files: &[Module], out: &str) -> Result<Vec<Outcome>, ProbeError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers = cores.min(files.len().div_ceil(FILES_FOR_ONE)).max(1);
    thread::scope(|scope| {
        let running: Vec<_> = files
            .chunks(files.len().div_ceil(workers).max(1))
            .map(|part| scope.spawn(move || work(python, part, out)))
            .collect();
        let mut outcomes = Vec::with_capacity(files.len());
        for worker in running {
            match worker.join() {
                Ok(part) => outcomes.extend(part?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(outcomes)
    })
}

/// Gives a bytecode file its final mode and time.
fn finish(tree: &Tree, path: &str) -> io::Result<()> {
    tree.folder(parent(path))?;
    tree.finish(&File::open(tree.place(path))?, false)
}
