//! The commands `build`, `gather` and `script`: what is built from source, in environments of its own (PEP 517,
//! PEP 518, PEP 660).
//!
//! The step's root is the builder image, which is only read. What has to be written goes to
//! [`WORK`](install_request::layout::WORK), which is thrown away, and to
//! [`BUILD_CACHE`](install_request::layout::BUILD_CACHE), which stays.

mod backend;
mod elf;
mod environment;
mod error;
mod hints;
mod hook;
mod lent;
mod resolve;
mod source;
pub(crate) mod unpack;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use install_request::{
    Archive, Build, BuildReport, BuildSource, ConfigSetting, Fetch, Fetched, Gather, Origin, RunScript, Wheel, layout,
};
use poetry_lock::DistributionFile;

pub use error::BuildError;

use crate::fetch::Client;
use crate::install::InstallFailure;
use crate::wheel::{Limits, Prepared};
use crate::{Blob, Roots, Tree, wheelhouse};
use backend::Backend;
use environment::{BuildEnvironment, BuildEnvironments, parsed};
use hook::Hooks;
use lent::Lent;
use source::SourceTree;

/// Builds and installs a package. Returns lines for the user.
///
/// # Errors
/// The source cannot be had, the build fails, or the wheel is refused. What is below `roots.out` then is no result.
pub fn build(request: &Build, roots: &Roots, client: &Client) -> Result<String, BuildError> {
    // Nothing of the package runs before its archive is verified.
    let source = source::tree(&request.name, &request.source, request.editable, roots, client)?;
    let backend = Backend::of(&source)?;
    let SourceTree { tree, project } = source;
    let environments = BuildEnvironments::new(&request.tools, roots, client)?;
    let settings = serde_json::json!(request.config_settings);
    let hooks = Hooks::new(&request.name, &backend, &tree, &project, roots, &settings)?;
    let hooks = match &request.source {
        BuildSource::Tree { .. } => hooks.of_version(&request.version),
        BuildSource::Archive { .. } => hooks,
    };
    let BuildEnvironment { venv, .. } = prepared(&environments, &hooks, request.editable)?;
    let wheel = hooks.wheel(&venv, if request.editable { "build_editable" } else { "build_wheel" })?;
    hooks.take(&tree)?;
    let size = unpacked(request, roots, &wheel)?;
    report(roots)?;
    let file = wheel.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(format!("{file}  {}  built\n", crate::report::megabytes(size)))
}

/// Writes the archive of a package and the wheels that its build needs into the result. Returns lines for the user.
///
/// # Errors
/// The source or what its build needs cannot be had.
pub fn gather(request: &Gather, roots: &Roots, client: &Client) -> Result<String, BuildError> {
    let source = source::tree(&request.name, &request.source, request.editable, roots, client)?;
    let backend = Backend::of(&source)?;
    let SourceTree { tree, project } = source;
    let environments = BuildEnvironments::new(&request.tools, roots, client)?;
    let settings = serde_json::json!(request.config_settings);
    let hooks = Hooks::new(&request.name, &backend, &tree, &project, roots, &settings)?;
    let environment = prepared(&environments, &hooks, request.editable)?;
    let kept = environments.keep(&environment)?;
    let own = match &request.source {
        BuildSource::Archive { archive, .. } if !matches!(archive.origin, Origin::File { .. }) => {
            vec![Fetched { name: request.name.clone(), archive: archive.clone() }]
        }
        _ => Vec::new(),
    };
    let own = wheelhouse::fill(&Fetch { archives: own }, roots, client);
    Ok(format!("{}{kept}", own.map_err(|detail| BuildError::Environment { detail })?))
}

/// Runs a project's build script in the project's folder. Returns lines for the user.
///
/// # Errors
/// What the script needs cannot be had, or the script fails.
pub fn run_script(request: &RunScript, roots: &Roots, client: &Client) -> Result<String, BuildError> {
    let folder = Path::new(&request.folder);
    let environments = BuildEnvironments::new(&request.tools, roots, client)?;
    let environment = environments.make("env", &parsed(&request.requires)?)?;
    let settings = serde_json::json!(BTreeMap::<String, ConfigSetting>::new());
    let lent = Lent::to(folder, Path::new(&request.files))?;
    if !folder.join(&request.script).is_file() {
        return Err(BuildError::NoScript { script: request.script.clone() });
    }
    let backend = Backend::default();
    let hooks = Hooks::new(&request.name, &backend, folder, folder, roots, &settings)?;
    hooks.script(&environment.venv, &request.script, request.setup.as_deref())?;
    hooks.take(folder)?;
    lent.take_back()?;
    Ok(format!("{}  ran\n", request.script))
}

/// The environment of a build, with what the backend asks for beyond what the project lists.
fn prepared(
    environments: &BuildEnvironments<'_>,
    hooks: &Hooks<'_>,
    editable: bool,
) -> Result<BuildEnvironment, BuildError> {
    let mut requires = parsed(&hooks.backend.requires)?;
    let environment = environments.make("env", &requires)?;
    let hook = if editable { "get_requires_for_build_editable" } else { "get_requires_for_build_wheel" };
    let more: Vec<String> = hooks.call(&environment.venv, hook, &[], true)?;
    if more.is_empty() {
        return Ok(environment);
    }
    requires.extend(parsed(&more)?);
    environments.make("env-2", &requires)
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
    let archive = Archive { origin: Origin::File { path: wheel.to_string_lossy().into_owned() }, file, sha256: None };
    let direct_url = request.direct_url.clone();
    let wheel = Wheel { name: request.name.clone(), version, archive, direct_url, requested: false };
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
