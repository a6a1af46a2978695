//! The project's own installation: a few files, written without running anything.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{Annotate, Error, File, FileAction, Output, Owner};
use install_request::EPOCH;

use super::{Layer, Materials};
use crate::plan::{GeneratedFile, Plan};

/// The layer with the project's dist-info, scripts and `.pth` file.
pub(super) fn layer(plan: &Plan, materials: &Materials<'_>) -> Result<Option<Layer>, Error> {
    let Some(root) = &plan.root else {
        return Ok(None);
    };
    let output = write(&root.files, &root.copied, "project", &root.label, materials)?;
    Ok(Some(Layer::new(format!("project {}", root.label), output)))
}

/// A file system of these files, and of copies of the project's own as programs, by their absolute paths.
pub(super) fn write(
    files: &BTreeMap<String, GeneratedFile>,
    copied: &BTreeMap<String, String>,
    kind: &str,
    label: &str,
    materials: &Materials<'_>,
) -> Result<Output, Error> {
    let mut file = File::on(Output::scratch());
    let folders: BTreeSet<&str> = files.keys().flat_map(|path| parents(path)).collect();
    for folder in folders {
        file = file.then(FileAction::mkdir(folder).timestamp(EPOCH));
    }
    for (path, generated) in files {
        let mode = if generated.executable { 0o755 } else { 0o644 };
        file = file.then(FileAction::mkfile(path, generated.content.as_str()).mode(mode).timestamp(EPOCH));
    }
    for (path, own) in copied {
        let (tree, from) = materials.application.part(own)?;
        file = file.then(FileAction::copy(tree, from, path).owner(Owner::new(0, 0)).mode(0o755).timestamp(EPOCH));
    }
    let written = file.name(format!("[{}{kind}] write {label}", materials.prefix)).output()?;
    // Writing a file touches its folder; a copy sets the times of all.
    let copy = FileAction::copy(written, "/", "/").contents().timestamp(EPOCH);
    File::on(Output::scratch()).then(copy).name(format!("[{}{kind}] install {label}", materials.prefix)).output()
}

/// The folders above a path, without the root.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end]).filter(|folder| !folder.is_empty())
}

#[cfg(test)]
mod tests {
    #[test]
    fn parents_are_all_folders_above() {
        let parents: Vec<&str> = super::parents("/app/.venv/bin/x").collect();
        assert_eq!(parents, ["/app", "/app/.venv", "/app/.venv/bin"]);
    }
}
