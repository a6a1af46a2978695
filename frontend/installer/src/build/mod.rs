//! The command `build`: a wheel from source, in an environment of its own (PEP 517, PEP 518, PEP 660).
//!
//! The step's root is the builder image, which is only read. What has to be written goes to [`layout::WORK`], which is
//! thrown away, and to [`layout::BUILD_CACHE`], which stays.

mod backend;
mod elf;
mod error;
mod hints;
mod hook;
mod resolve;
mod unpack;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use install_request::{
    Archive, Build, BuildReport, BuildSource, Install, Interpreter, Libc, LibcFamily, Wheel, layout,
};
use poetry_lock::{Dependency, DistributionFile, Environment, Implementation, Tags};

pub use error::BuildError;

use crate::fetch::Client;
use crate::install::{InstallFailure, install};
use crate::obtain::obtain;
use crate::probe::{Answer, describe};
use crate::wheel::{Limits, Prepared};
use crate::{Blob, Roots, Tree, venv};
use backend::Backend;
use hook::Hooks;
use resolve::{Candidate, Resolver, Sources};

/// Builds and installs a package. Returns lines for the user.
///
/// # Errors
/// The source cannot be had, the build fails, or the wheel is refused. What is below `roots.out` then is no result.
pub fn build(request: &Build, roots: &Roots, client: &Client) -> Result<String, BuildError> {
    // Nothing of the package runs before its archive is verified.
    let folder = source(request, roots, client)?;
    let backend = Backend::of(&folder)?;
    let answer = describe(&request.builder_python)?;
    let interpreter = answer.interpreter();
    check(request, &interpreter)?;

    let environment = BuildEnvironment::new(request, roots, client, &interpreter, &answer)?;
    let mut requires = parsed(&backend.requires)?;
    let mut venv = environment.make("env", &requires)?;
    let config_settings = serde_json::json!(request.config_settings);
    let hooks = Hooks {
        package: &request.name,
        backend: &backend,
        folder: &folder,
        work: &roots.work,
        cache: &roots.build_cache,
        config_settings: &config_settings,
    };
    let (requirements_hook, build_hook) = match request.editable {
        true => ("get_requires_for_build_editable", "build_editable"),
        false => ("get_requires_for_build_wheel", "build_wheel"),
    };
    let more: Vec<String> = hooks.call(&venv, requirements_hook, &[], true)?;
    if !more.is_empty() {
        requires.extend(parsed(&more)?);
        venv = environment.make("env-2", &requires)?;
    }
    let dist = roots.work.join("dist");
    fs::create_dir_all(&dist)?;
    let _: serde_json::Value = hooks.call(&venv, build_hook, &[&dist.to_string_lossy()], false)?;
    let wheel = hook::wheel_in(&dist)?;
    let size = unpacked(request, roots, &wheel)?;
    report(roots)?;
    let file = wheel.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(format!("{file}  {}  built\n", crate::report::megabytes(size)))
}

/// The folder of the source tree.
fn source(request: &Build, roots: &Roots, client: &Client) -> Result<PathBuf, BuildError> {
    let into = roots.work.join("source");
    let (tree, subdirectory) = match &request.source {
        BuildSource::Archive { archive, subdirectory } => {
            let obtained = obtain(&request.name, archive, roots, client)?;
            fs::create_dir_all(&into)?;
            (unpack::unpack(obtained.blob, &archive.file, &into)?, subdirectory)
        }
        // The paths in an editable wheel are those of the tree it was built from.
        BuildSource::Tree { path, subdirectory } if request.editable => (PathBuf::from(path), subdirectory),
        BuildSource::Tree { path, subdirectory } => {
            copy(Path::new(path), &into)?;
            (into, subdirectory)
        }
    };
    let leaves = |path: &String| path.starts_with('/') || path.split('/').any(|part| part == "..");
    match subdirectory {
        Some(path) if leaves(path) => Err(BuildError::NoProject { folder: path.clone() }),
        Some(path) => Ok(tree.join(path)),
        None => Ok(tree),
    }
}

/// Copies a tree with its links and modes.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A wheel that is built on another Python, or on a newer C library, would not work on the target.
fn check(request: &Build, interpreter: &Interpreter) -> Result<(), BuildError> {
    let marker = |name: &str| interpreter.markers.get(name).map_or("", String::as_str);
    let expected = &request.target;
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

fn parsed(requirements: &[String]) -> Result<Vec<Dependency>, BuildError> {
    let parse =
        |text: &String| Dependency::parse(text).map_err(|error| BuildError::Requirements { detail: error.to_string() });
    requirements.iter().map(parse).collect()
}

/// Makes environments that builds run in.
struct BuildEnvironment<'a> {
    resolver_roots: Roots,
    request: &'a Build,
    client: &'a Client,
    interpreter: &'a Interpreter,
    answer: &'a Answer,
    markers: Environment,
    tags: Tags,
}

impl<'a> BuildEnvironment<'a> {
    fn new(
        request: &'a Build,
        roots: &Roots,
        client: &'a Client,
        interpreter: &'a Interpreter,
        answer: &'a Answer,
    ) -> Result<Self, BuildError> {
        let unusable = |error: poetry_lock::Error| BuildError::Requirements { detail: error.to_string() };
        let markers = Environment::new(interpreter.markers.clone()).map_err(unusable)?;
        // The requirements' files are kept in the cache of the package that is built.
        let cache = roots.build_cache.join("requirements");
        fs::create_dir_all(&cache)?;
        let resolver_roots = Roots { cache, out: PathBuf::from("/"), ..roots.clone() };
        Ok(Self {
            tags: tags(interpreter, &markers).map_err(unusable)?,
            markers,
            resolver_roots,
            request,
            client,
            interpreter,
            answer,
        })
    }

    /// A virtual environment with what these requirements ask for.
    fn make(&self, name: &str, requirements: &[Dependency]) -> Result<PathBuf, BuildError> {
        let venv = self.resolver_roots.work.join(name);
        let path = venv.to_string_lossy().into_owned();
        let tree = Tree::new("/");
        venv::lay_out(&tree, &path, self.interpreter, &self.answer.build)?;
        let wheels = self.wheels(requirements)?;
        if !wheels.is_empty() {
            let (python, scheme) = (format!("{path}/bin/python"), self.interpreter.venv.below(&path));
            install(&Install { python, scheme, wheels }, &self.resolver_roots, self.client, &Limits::default())?;
        }
        Ok(venv)
    }

    fn wheels(&self, requirements: &[Dependency]) -> Result<Vec<Wheel>, BuildError> {
        let sources = match &self.request.wheelhouse {
            Some(folder) => {
                let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
                Sources::Wheelhouse(names.collect::<io::Result<_>>()?, folder.clone())
            }
            None => Sources::Indexes(&self.request.indexes),
        };
        let constraints = parsed(&self.request.constraints)?;
        let roots = &self.resolver_roots;
        let resolver = Resolver::new(sources, self.client, roots, &self.markers, &self.tags, constraints);
        let chosen = resolver.resolve(requirements).map_err(|detail| BuildError::Requirements { detail })?;
        let wheel = |candidate: Candidate| {
            let Candidate { name, version, archive, .. } = candidate;
            fs::create_dir_all(roots.cache.join(name.as_str()))?;
            Ok(Wheel { name: name.to_string(), version: version.to_string(), archive, direct_url: None })
        };
        chosen.into_iter().map(wheel).collect()
    }
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

/// Installs the built wheel, and returns its size in bytes.
fn unpacked(request: &Build, roots: &Roots, wheel: &Path) -> Result<u64, BuildError> {
    let file = wheel.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let blob = Blob::new(fs::File::open(wheel)?)?;
    let size = blob.size();
    // The version of a folder or a repository is what it says today.
    let version = match (&request.source, DistributionFile::parse(&file)) {
        (BuildSource::Tree { .. }, Some(parsed)) => parsed.version.to_string(),
        _ => request.version.clone(),
    };
    let archive = Archive {
        origin: install_request::Origin::File { path: wheel.to_string_lossy().into_owned() },
        file,
        sha256: None,
    };
    let wheel = Wheel { name: request.name.clone(), version, archive, direct_url: request.direct_url.clone() };
    let tree = Tree::new(&roots.out);
    let prepared = Prepared::new(blob, &wheel, &request.scheme, &request.python, &Limits::default());
    let written = prepared.and_then(|prepared| prepared.write(&tree, &Default::default()));
    written.map_err(InstallFailure::from)?;
    tree.seal()?;
    Ok(size)
}

/// Leaves word of the libraries that the built files need.
fn report(roots: &Roots) -> Result<(), BuildError> {
    let report = BuildReport { needed_libraries: elf::needed_libraries(&roots.out)? };
    let text = serde_json::to_vec_pretty(&report).map_err(io::Error::from)?;
    let facts = Tree::new(&roots.facts);
    facts.write(&format!("/{}", layout::BUILD_REPORT_FILE), &text, false)?;
    facts.seal()?;
    Ok(())
}
