//! The command line of the installer: `installer probe|install|build|gather|script|fetch|compile JSON`.
//!
//! In a build step the request is the variable `POETRY_BUILDKIT_REQUEST` instead. With `--root FOLDER`, the folders that a build step mounts are looked for below FOLDER, so that the
//! program can be tried outside of builds.
//!
//! Exit codes: 0, 1 for an input that is refused or a step that fails, 2 for a wrong command line.

use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use install_request::{Build, Compile, Fetch, Gather, Index, Install, Probe, RunScript, layout};
use lexopt::prelude::*;
use poetry_buildkit_installer::build::{build, gather, run_script};
use poetry_buildkit_installer::fetch::{Client, FetchError, Patience, Proxies};
use poetry_buildkit_installer::install::{InstallError, install};
use poetry_buildkit_installer::report::{Block, Explain};
use poetry_buildkit_installer::wheel::Limits;
use poetry_buildkit_installer::wheelhouse::fill;
use poetry_buildkit_installer::{Roots, compile, probe, secrets};
use serde::de::DeserializeOwned;

const USAGE: &str =
    "usage: installer [--root FOLDER] (probe | install | build | gather | script | fetch | compile) [JSON]\n";

/// How a command ended without success.
enum Stop {
    /// The command line is wrong.
    Usage(String),
    /// What to tell the user.
    Failed(String),
}

fn main() -> ExitCode {
    let (stdout, stderr, code) = match run(env::args_os().skip(1)) {
        Ok(text) => (text, String::new(), ExitCode::SUCCESS),
        Err(Stop::Usage(detail)) => (String::new(), format!("error: {detail}\n{USAGE}"), ExitCode::from(2)),
        Err(Stop::Failed(text)) => (String::new(), format!("{}\n", text.trim_end()), ExitCode::FAILURE),
    };
    // If nobody reads, the exit code still tells.
    let _ = std::io::stdout().write_all(stdout.as_bytes());
    let _ = std::io::stderr().write_all(stderr.as_bytes());
    code
}

fn run(arguments: impl Iterator<Item = OsString>) -> Result<String, Stop> {
    let arguments = parse(arguments).map_err(|error| Stop::Usage(error.to_string()))?;
    let Arguments { root, command, json } = arguments;
    let roots = Roots::below(&root);
    match command.as_str() {
        "probe" => {
            let request: Probe = read(&json)?;
            let found = probe::probe(&request, &roots);
            found.map_err(|error| failed("the interpreter cannot be used", &error))
        }
        "install" => {
            let request: Install = read(&json)?;
            let client = client(&roots, request.wheels.iter().filter_map(|wheel| wheel.archive.index()))?;
            match install(&request, &roots, &client, &Limits::default()) {
                Ok(summary) => Ok(summary.to_string()),
                Err(InstallError::Request { detail }) => Err(Stop::Usage(detail)),
                Err(error) => Err(Stop::Failed(error.to_string())),
            }
        }
        "fetch" => {
            let request: Fetch = read(&json)?;
            let client = client(&roots, request.archives.iter().filter_map(|wanted| wanted.archive.index()))?;
            fill(&request, &roots, &client).map(|summary| summary.to_string()).map_err(Stop::Failed)
        }
        "build" => {
            let request: Build = read(&json)?;
            let client = client(&roots, request.tools.indexes.iter().chain(request.source.index()))?;
            build(&request, &roots, &client)
                .map_err(|error| failed(&format!("{} {} cannot be built", request.name, request.version), &error))
        }
        "gather" => {
            let request: Gather = read(&json)?;
            let client = client(&roots, request.tools.indexes.iter().chain(request.source.index()))?;
            gather(&request, &roots, &client)
                .map_err(|error| failed(&format!("what the build of {} needs cannot be fetched", request.name), &error))
        }
        "script" => {
            let request: RunScript = read(&json)?;
            let client = client(&roots, &request.tools.indexes)?;
            run_script(&request, &roots, &client)
                .map_err(|error| failed(&format!("{} cannot be built", request.name), &error))
        }
        "compile" => {
            let request: Compile = read(&json)?;
            let found = compile::compile(&request, &roots);
            found.map_err(|error| failed("bytecode cannot be compiled", &error))
        }
        other => Err(Stop::Usage(format!("unknown command {other:?}"))),
    }
}

struct Arguments {
    root: PathBuf,
    command: String,
    json: String,
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Arguments, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut root = PathBuf::from("/");
    let mut values = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("root") => root = parser.value()?.into(),
            Value(value) => values.push(value.string()?),
            other => return Err(other.unexpected()),
        }
    }
    let mut values = values.into_iter();
    let (command, json) = (values.next(), values.next().or_else(|| env::var(layout::REQUEST_VARIABLE).ok()));
    match (command, json, values.next()) {
        (Some(command), Some(json), None) => Ok(Arguments { root, command, json }),
        _ => Err("a command and a request are needed".into()),
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, Stop> {
    serde_json::from_str(json).map_err(|error| Stop::Usage(format!("the request cannot be read: {error}")))
}

fn client<'a>(roots: &Roots, indexes: impl IntoIterator<Item = &'a Index>) -> Result<Client, Stop> {
    let stop = |error: FetchError| failed("files cannot be fetched", &error);
    let trust = secrets::read(&roots.secrets, indexes).map_err(stop)?;
    let proxies = Proxies::from_variables(|name| env::var(name).ok()).map_err(stop)?;
    Client::new(Patience::default(), proxies, &trust).map_err(stop)
}

fn failed(what: &str, error: &dyn Explain) -> Stop {
    Stop::Failed(Block::new(what, Vec::new(), error).to_string())
}
