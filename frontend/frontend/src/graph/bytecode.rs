//! The node that compiles all installed modules to bytecode.

use buildkit_llb::{Error, Mount, Output};
use install_request::{Compile, layout};

use super::{Layer, Materials, assemble};
use crate::plan::Plan;

/// One layer with the bytecode of what the other layers hold. It is compiled by the interpreter of the build platform:
/// bytecode is the same for all machines.
pub(super) fn layer(plan: &Plan, materials: &Materials<'_>, layers: &[Layer]) -> Result<Layer, Error> {
    let mut folders = vec![plan.scheme.purelib.clone(), plan.scheme.platlib.clone()];
    folders.dedup();
    let request = serde_json::json!(Compile { python: materials.python.to_owned(), folders }).to_string();
    let tree = assemble::stack(Output::scratch(), layers, materials)?;
    let name = format!("[{}bytecode] compile the installed modules", materials.prefix);
    let exec = materials
        .workshop
        .step("compile", &request, &materials.build_base, materials.build_platform, name)
        .mount(Mount::bind_readonly(tree, layout::TREE))
        .mount(Mount::output(layout::OUT));
    Ok(Layer::new("bytecode of the installed modules".to_owned(), exec.build()?.output(layout::OUT)?))
}
