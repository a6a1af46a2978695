//! The application's files.

use buildkit_llb::{Annotate, Error, File, FileAction, Local, Output, Owner};
use install_request::EPOCH;

use super::{Layer, Materials};
use crate::plan::Plan;

/// Where the application's files come from.
#[derive(Debug, Clone)]
pub enum Application {
    /// A folder of the client, which has not been asked for yet: just what is needed travels.
    Client(Box<Local>),
    /// A folder of a file system that is there as a whole.
    Tree {
        /// The file system.
        output: Output,
        /// The absolute path of the folder.
        folder: String,
    },
}

/// The layer with the files.
pub(super) fn layer(plan: &Plan, materials: &Materials<'_>) -> Result<Layer, Error> {
    let image = &plan.image;
    let (source, folder) = match materials.application {
        Application::Client(local) => {
            let local = Local::clone(local).exclude_patterns(image.exclude.iter().map(String::as_str));
            let local = local.include_patterns(image.include.iter().map(String::as_str));
            (local.output()?, "/".to_owned())
        }
        Application::Tree { output, folder } => (output.clone(), folder.clone()),
    };
    let copy = FileAction::copy(source, folder, &image.workdir)
        .contents()
        .make_parents()
        .owner(Owner::new(0, 0))
        .timestamp(EPOCH)
        .include_patterns(image.include.iter().map(String::as_str))
        .exclude_patterns(image.exclude.iter().map(String::as_str));
    let name = format!("[{}app] copy the application to {}", materials.prefix, image.workdir);
    let output = materials.workshop.marked(File::on(Output::scratch()).then(copy).name(name)).output()?;
    Ok(Layer::new(format!("application {}", image.workdir), output))
}
