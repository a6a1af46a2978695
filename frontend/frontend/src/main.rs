//! `poetry-buildkit`: a BuildKit frontend, and by hand a command line.

use std::{env, io::Write, process::ExitCode};

use clap::Parser;
use poetry_buildkit::{
    cli::{self, Cli},
    request::Request,
    serve::serve,
};

fn main() -> ExitCode {
    if Request::is_in(env::vars()) { frontend() } else { command_line() }
}

/// Errors of the build are part of the answer. What is left goes to the log of the daemon.
fn frontend() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("poetry-buildkit: cannot start: {error}")),
    };
    let outcome = runtime.block_on(serve(env::vars()));
    // The daemon holds our stdin open, so a thread that reads it would never end.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("poetry-buildkit: {error}")),
    }
}

fn command_line() -> ExitCode {
    match cli::run(&Cli::parse()) {
        // A closed pipe is no error: whoever reads has seen enough.
        Ok(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(text) => failed(&text),
    }
}

fn failed(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::FAILURE
}
