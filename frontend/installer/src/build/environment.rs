//! The environments that builds run in (PEP 518).

use std::fs;
use std::io;
use std::path::PathBuf;

use install_request::{BuildTools, Fetch, Fetched, Install, Interpreter, Libc, LibcFamily, Target, Wheel};
use poetry_lock::{Dependency, Environment, Implementation, Tags};

use super::BuildError;
use super::resolve::{Candidate, Resolver, Sources};
use crate::fetch::Client;
use crate::install::install;
use crate::wheel::Limits;
use crate::{Roots, Tree, probe, venv, wheelhouse};

/// Makes environments that builds run in.
pub(super) struct BuildEnvironments<'a> {
    /// Their `out` is a place for files that are not kept.
    roots: Roots,
    /// The result of the whole step.
    out: PathBuf,
    tools: &'a BuildTools,
    client: &'a Client,
    interpreter: Interpreter,
    build: probe::Build,
    markers: Environment,
    tags: Tags,
}

/// A virtual environment with build requirements.
pub(super) struct BuildEnvironment {
    /// Its folder.
    pub(super) venv: PathBuf,
    /// What is installed there.
    pub(super) wheels: Vec<Wheel>,
}

impl<'a> BuildEnvironments<'a> {
    /// Asks the builder's interpreter what it is.
    ///
    /// # Errors
    /// It cannot be used, or is not like the one that the result is for.
    pub(super) fn new(tools: &'a BuildTools, roots: &Roots, client: &'a Client) -> Result<Self, BuildError> {
        let answer = probe::describe(&tools.python)?;
        let interpreter = answer.interpreter();
        check(&tools.target, &interpreter)?;
        let unusable = |error: poetry_lock::Error| BuildError::Requirements { detail: error.to_string() };
        let markers = Environment::new(interpreter.markers.clone()).map_err(unusable)?;
        let tags = tags(&interpreter, &markers).map_err(unusable)?;
        // The requirements' files are kept in the cache of the package that is built.
        let cache = roots.build_cache.join("requirements");
        fs::create_dir_all(&cache)?;
        let out = roots.out.clone();
        let roots = Roots { cache, out: roots.work.clone(), ..roots.clone() };
        Ok(Self { roots, out, tools, client, interpreter, build: answer.build, markers, tags })
    }

    /// A virtual environment with what these requirements ask for.
    ///
    /// # Errors
    /// They cannot be met or installed.
    pub(super) fn make(&self, name: &str, requirements: &[Dependency]) -> Result<BuildEnvironment, BuildError> {
        let venv = self.roots.work.join(name);
        let path = venv.to_string_lossy().into_owned();
        venv::lay_out(&Tree::new("/"), &path, &self.interpreter, &self.build)?;
        let wheels = self.wheels(requirements)?;
        if !wheels.is_empty() {
            let (python, scheme) = (format!("{path}/bin/python"), self.interpreter.venv.below(&path));
            let request = Install { python, scheme, wheels: wheels.clone() };
            let roots = Roots { out: PathBuf::from("/"), ..self.roots.clone() };
            install(&request, &roots, self.client, &Limits::default())?;
        }
        Ok(BuildEnvironment { venv, wheels })
    }

    /// Writes the files of what an environment holds into the result.
    ///
    /// # Errors
    /// A file cannot be had any more, or cannot be written.
    pub(super) fn keep(&self, environment: &BuildEnvironment) -> Result<String, BuildError> {
        let fetched = |wheel: &Wheel| Fetched { name: wheel.name.clone(), archive: wheel.archive.clone() };
        let archives = environment.wheels.iter().map(fetched).collect();
        let roots = Roots { out: self.out.clone(), ..self.roots.clone() };
        let filled = wheelhouse::fill(&Fetch { archives }, &roots, self.client);
        filled.map(|filled| filled.to_string()).map_err(|detail| BuildError::Environment { detail })
    }

    fn wheels(&self, requirements: &[Dependency]) -> Result<Vec<Wheel>, BuildError> {
        let sources = match &self.tools.wheelhouse {
            Some(folder) => {
                let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
                Sources::Wheelhouse(names.collect::<io::Result<_>>()?, folder.clone())
            }
            None => Sources::Indexes(&self.tools.indexes),
        };
        let constraints = parsed(&self.tools.constraints)?;
        let roots = &self.roots;
        let resolver = Resolver::new(sources, self.client, roots, &self.markers, &self.tags, constraints);
        let chosen = resolver.resolve(requirements).map_err(|detail| BuildError::Requirements { detail })?;
        let wheel = |candidate: Candidate| {
            let Candidate { name, version, archive, .. } = candidate;
            fs::create_dir_all(roots.cache.join(name.as_str()))?;
            Ok(Wheel {
                name: name.to_string(),
                version: version.to_string(),
                archive,
                direct_url: None,
                requested: false,
            })
        };
        chosen.into_iter().map(wheel).collect()
    }
}

/// Reads requirements (PEP 508).
///
/// # Errors
/// One of them is none.
pub(super) fn parsed(requirements: &[String]) -> Result<Vec<Dependency>, BuildError> {
    let parse =
        |text: &String| Dependency::parse(text).map_err(|error| BuildError::Requirements { detail: error.to_string() });
    requirements.iter().map(parse).collect()
}

/// A wheel that is built on another Python, or on a newer C library, would not work on the target.
fn check(expected: &Target, interpreter: &Interpreter) -> Result<(), BuildError> {
    let marker = |name: &str| interpreter.markers.get(name).map_or("", String::as_str);
    let same_python = marker("platform_python_implementation") == expected.implementation
        && marker("python_version") == expected.python;
    let fits = match (expected.libc, interpreter.libc) {
        (Some(target), Some(own)) => {
            target.family == own.family && (own.major, own.minor) <= (target.major, target.minor)
        }
        _ => true,
    };
    if same_python && fits {
        return Ok(());
    }
    let shown = |implementation: &str, python: &str, libc: Option<Libc>| {
        let libc = libc.map(|libc| {
            let family = match libc.family {
                LibcFamily::Glibc => "glibc",
                LibcFamily::Musl => "musl",
            };
            format!(", {family} {}.{}", libc.major, libc.minor)
        });
        format!("{implementation} {python}{}", libc.unwrap_or_default())
    };
    Err(BuildError::Mismatch {
        expected: shown(&expected.implementation, &expected.python, expected.libc),
        found: shown(marker("platform_python_implementation"), marker("python_version"), interpreter.libc),
    })
}

fn tags(interpreter: &Interpreter, markers: &Environment) -> Result<Tags, poetry_lock::Error> {
    let version = markers.python();
    let part = |index: usize| version.release().get(index).and_then(|part| u32::try_from(*part).ok()).unwrap_or(0);
    let implementation = match markers.get("implementation_name") {
        Some("pypy") => Implementation::PyPy { ext_suffix: interpreter.ext_suffix.clone() },
        _ => Implementation::CPython { free_threaded: interpreter.free_threaded, debug: interpreter.debug },
    };
    let libc = interpreter.libc.map(|Libc { family, major, minor }| match family {
        LibcFamily::Glibc => poetry_lock::Libc::Glibc(major, minor),
        LibcFamily::Musl => poetry_lock::Libc::Musl(major, minor),
    });
    let platform = interpreter.platform.clone();
    Tags::of(&poetry_lock::Interpreter { implementation, python: (part(0), part(1)), platform, libc })
}
