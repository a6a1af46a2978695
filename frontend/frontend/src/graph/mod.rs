//! The build graph: a plan as LLB.
//!
//! Each module makes the nodes of one kind. Nothing here decides what is installed; it decides how BuildKit does it.

mod application;
mod assemble;
mod builds;
mod bytecode;
mod debian;
mod packages;
mod probe;
mod root;
mod step;
mod wheelhouse;
mod wheels;

use buildkit_llb::{Annotate, Error, Exec, ExecVertex, File, FileAction, Output, Platform, SourceFile};
use install_request::{EPOCH, layout};

use crate::{
    plan::{Node, Plan, Target},
    settings::Settings,
};

pub use application::{Application, Files};
pub use assemble::Layer;
pub use builds::Builder;
pub use probe::{INTERPRETER_PATH, probe};
pub use step::Workshop;

/// What a plan's graph is made from.
#[derive(Debug, Clone)]
pub struct Materials<'a> {
    /// What all build steps have in common.
    pub workshop: &'a Workshop,
    /// The node that asked the interpreter and laid out the environment.
    pub probe: &'a ExecVertex,
    /// The runtime image's file system for the target platform.
    pub base: Output,
    /// The same for the platform that the probe ran on.
    pub build_base: Output,
    /// The path of its interpreter.
    pub python: &'a str,
    /// That platform.
    pub build_platform: &'a Platform,
    /// The target platform.
    pub target_platform: &'a Platform,
    /// The user's files.
    pub application: &'a Application,
    /// The user's settings.
    pub settings: &'a Settings,
    /// The image that things are built in; `None` if nothing is.
    pub builder: Option<Builder>,
    /// The folder that files of packages come from instead of a network.
    pub wheelhouse: Option<Output>,
    /// poetry.lock, for the lines that an error shows.
    pub lock: Option<SourceFile>,
    /// What stands in front of the names of nodes, e.g. `linux/arm64 `, where there is more than one platform.
    pub prefix: String,
    /// Whether layers can be laid over each other without copying.
    pub can_merge: bool,
}

/// A graph's result.
#[derive(Debug, Clone)]
pub struct Built {
    /// The file system.
    pub output: Output,
    /// What each layer over the base holds, the lowest first.
    pub layers: Vec<String>,
    /// The reports of builds, by the names of their packages.
    pub reports: Vec<(String, Output)>,
}

/// Makes the graph of a plan.
///
/// # Errors
/// If an op is not valid, which is a defect of ours.
pub fn build(plan: &Plan, materials: &Materials<'_>) -> Result<Built, Error> {
    if plan.target == Target::Plan {
        let file = FileAction::mkfile("/plan.json", plan.to_json()).timestamp(EPOCH);
        let output = File::on(Output::scratch())
            .then(file)
            .name(format!("[{}plan] write plan.json", materials.prefix))
            .output()?;
        return Ok(Built { output, layers: vec!["plan".to_owned()], reports: Vec::new() });
    }
    if plan.target == Target::Wheelhouse {
        let output = wheelhouse::fill(plan, materials)?;
        return Ok(Built { output, layers: vec!["wheelhouse".to_owned()], reports: Vec::new() });
    }
    let mut layers =
        vec![Layer::new(format!("virtual environment {}", plan.image.venv), materials.probe.output(layout::OUT)?)];
    let packages::Installed { layers: installed, reports, trees } = packages::install(plan, materials)?;
    layers.extend(installed);
    if plan.image.compile_bytecode {
        layers.push(bytecode::layer(plan, materials, &layers)?);
    }
    layers.extend(root::layer(plan, materials)?);
    if plan.target == Target::Venv {
        return Ok(Built { reports, ..assemble::assemble(Output::scratch(), Vec::new(), layers, materials)? });
    }
    layers.push(builds::scripted(plan, application::layer(plan, materials)?, materials)?);
    layers.extend(packages::sources(plan, trees, materials)?);
    let apt = &plan.image.apt;
    let base = debian::install(apt, &materials.base, "apt", materials)?;
    let below = if apt.is_empty() { Vec::new() } else { vec![format!("Debian packages {}", apt.join(" "))] };
    Ok(Built { reports, ..assemble::assemble(base, below, layers, materials)? })
}

/// The layers of an environment alone, each with what it holds: the virtual environment itself, if one is to be made, the
/// packages, their bytecode, and the project.
///
/// # Errors
/// If an op is not valid, which is a defect of ours.
pub fn environment(
    plan: &Plan,
    materials: &Materials<'_>,
    makes_venv: bool,
    compiles: bool,
) -> Result<Vec<(String, Output)>, Error> {
    let mut layers = Vec::new();
    if makes_venv {
        let label = format!("virtual environment {}", plan.image.venv);
        layers.push(Layer::new(label, materials.probe.output(layout::OUT)?));
    }
    layers.extend(packages::install(plan, materials)?.layers);
    if compiles {
        layers.push(bytecode::layer(plan, materials, &layers)?);
    }
    layers.extend(root::layer(plan, materials)?);
    Ok(layers.into_iter().map(|layer| (layer.label, layer.output)).collect())
}

/// A file system whose files stand at `place`, with fixed times of the folders above as well. Those get the time of the
/// copy that makes them; a copy of the whole sets the times of all.
fn settled(output: Output, place: &str, name: String) -> Result<Output, Error> {
    if place.trim_matches('/').contains('/') {
        let copy = FileAction::copy(output, "/", "/").contents().timestamp(EPOCH);
        return File::on(Output::scratch()).then(copy).name(name).output();
    }
    Ok(output)
}

/// Lets an error of a node show the lines of poetry.lock that it comes from.
fn located(exec: Exec, plan: &Plan, node: &Node, materials: &Materials<'_>) -> Exec {
    match &materials.lock {
        Some(lock) => exec.location(lock, plan.packages_of(node).map(|package| package.lock_line..=package.lock_line)),
        None => exec,
    }
}
