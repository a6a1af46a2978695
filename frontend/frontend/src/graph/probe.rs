//! The node that asks the base image's interpreter what it is, and lays out an empty virtual environment for it.

use buildkit_llb::{Error, ExecVertex, Mount, Output, Platform};
use install_request::{Probe, layout};

use super::step::Workshop;

/// The path of the interpreter's description in the output at [`layout::FACTS`].
pub const INTERPRETER_PATH: &str = layout::INTERPRETER_FILE;

/// The node. `path` is where the interpreter is looked for, if not in the usual folders. Its output at [`layout::FACTS`] is the description, that at [`layout::OUT`] the environment.
///
/// # Errors
/// If the op is not valid, which is a defect of ours.
pub fn probe(
    workshop: &Workshop,
    base: &Output,
    platform: &Platform,
    request: &Probe,
    path: Option<&str>,
    name: String,
) -> Result<ExecVertex, Error> {
    let request = serde_json::json!(request).to_string();
    let step = workshop.step("probe", &request, base, platform, name);
    let step = match path {
        Some(path) => step.env("PATH", path),
        None => step,
    };
    step.mount(Mount::output(layout::FACTS)).mount(Mount::output(layout::OUT)).build()
}
