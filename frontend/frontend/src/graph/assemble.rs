//! Puts layers on the base: by a merge where the daemon can, else by a chain of copies with the same result.

use buildkit_llb::{Annotate, Error, File, FileAction, Merge, Output};

use super::{Built, Materials};

/// A file tree that becomes a layer of the image.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What it holds, for the image's history.
    pub label: String,
    /// The files, at their final absolute paths.
    pub output: Output,
}

impl Layer {
    pub(super) fn new(label: String, output: Output) -> Self {
        Self { label, output }
    }
}

/// The layers on a base that already has layers of ours, described by `below`.
pub(super) fn assemble(
    base: Output,
    below: Vec<String>,
    layers: Vec<Layer>,
    materials: &Materials<'_>,
) -> Result<Built, Error> {
    let output = stack(base, &layers, materials)?;
    let layers = below.into_iter().chain(layers.into_iter().map(|layer| layer.label)).collect();
    Ok(Built { output, layers, reports: Vec::new() })
}

/// One file system of a base and layers.
pub(super) fn stack(base: Output, layers: &[Layer], materials: &Materials<'_>) -> Result<Output, Error> {
    if materials.can_merge {
        let inputs = std::iter::once(&base).chain(layers.iter().map(|layer| &layer.output));
        return Ok(Merge::of(inputs).name(format!("[{}image] put the layers together", materials.prefix)).output());
    }
    layers.iter().try_fold(base, |below, layer| {
        let copy = FileAction::copy(&layer.output, "/", "/").contents();
        File::on(below).then(copy).name(format!("[{}image] add {}", materials.prefix, layer.label)).output()
    })
}
