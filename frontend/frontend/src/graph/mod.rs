//! The build graph: a plan as LLB.
//!
//! Each module makes the nodes of one kind. Nothing here decides what is installed; it decides how BuildKit does it.

mod application;
mod assemble;
mod bytecode;
mod debian;
mod probe;
mod root;
mod step;
mod wheels;

use buildkit_llb::{Annotate, Error, ExecVertex, File, FileAction, Output, Platform, SourceFile};
use install_request::{EPOCH, layout};

use crate::plan::{Plan, Target};

pub use application::Application;
pub use assemble::Layer;
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
    /// The application's files.
    pub application: &'a Application,
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
        return Ok(Built { output, layers: vec!["plan".to_owned()] });
    }
    let mut layers =
        vec![Layer::new(format!("virtual environment {}", plan.image.venv), materials.probe.output(layout::OUT)?)];
    layers.extend(wheels::layers(plan, materials)?);
    if plan.image.compile_bytecode {
        layers.push(bytecode::layer(plan, materials, &layers)?);
    }
    layers.extend(root::layer(plan, materials)?);
    if plan.target == Target::Venv {
        return assemble::assemble(Output::scratch(), Vec::new(), layers, materials);
    }
    layers.push(application::layer(plan, materials)?);
    let (base, installed) = debian::install(plan, materials)?;
    assemble::assemble(base, installed, layers, materials)
}
