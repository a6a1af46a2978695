//! The layers of the installed packages.

use std::collections::BTreeMap;

use buildkit_llb::{Annotate, Error, File, FileAction, Output, Owner};
use install_request::EPOCH;

use super::{Layer, Materials, builds, root, settled, wheels};
use crate::{
    dockerignore,
    layout::is_below,
    plan::{How, LINKED, Plan, bins, patterns},
};

/// What installs packages.
#[derive(Default)]
pub(super) struct Installed {
    /// The layers.
    pub(super) layers: Vec<Layer>,
    /// The reports of builds, by the names of their packages.
    pub(super) reports: Vec<(String, Output)>,
    /// Source trees that builds have changed and that installed packages refer to: package, tree, absolute path.
    pub(super) trees: Vec<(String, Output, String)>,
}

/// A layer for each node, but for packages with a node of their own: if they are many they share layers.
pub(super) fn install(plan: &Plan, materials: &Materials<'_>) -> Result<Installed, Error> {
    let total = plan.nodes.len();
    let (mut installed, mut own) = (Installed::default(), Vec::new());
    for (index, node) in plan.nodes.iter().enumerate() {
        let name = format!("[{}deps {}/{total}] {}", materials.prefix, index + 1, node.label);
        let package = node.packages.join(" ");
        if node.id == LINKED {
            let files = plan.packages_of(node).filter_map(|package| match &package.how {
                How::Linked { files, .. } => Some(files.clone()),
                _ => None,
            });
            let output = root::write(&files.flatten().collect(), &BTreeMap::new(), "deps", &node.label, materials)?;
            installed.layers.push(Layer::new(node.label.clone(), output));
        } else if let Some(made) = builds::node(plan, node, name.clone(), materials)? {
            installed.reports.push((package.clone(), made.report));
            installed.trees.extend(made.tree.map(|(tree, place)| (package.clone(), tree, place)));
            own.push((package, Layer::new(node.label.clone(), made.output)));
        } else {
            let layer = Layer::new(node.label.clone(), wheels::node(plan, node, name, materials)?);
            if bins::is_shared(&node.id) { installed.layers.push(layer) } else { own.push((package, layer)) }
        }
    }
    installed.layers.extend(merged(own, materials)?);
    Ok(installed)
}

/// At most [`bins::OWN`] layers of these, by the names of their packages.
fn merged(own: Vec<(String, Layer)>, materials: &Materials<'_>) -> Result<Vec<Layer>, Error> {
    if own.len() as u64 <= bins::OWN {
        return Ok(own.into_iter().map(|(_, layer)| layer).collect());
    }
    let mut slots: BTreeMap<u64, Vec<Layer>> = BTreeMap::new();
    for (name, layer) in own {
        slots.entry(bins::slot(&name, bins::OWN)).or_default().push(layer);
    }
    let merge = |layers: Vec<Layer>| {
        let label = layers.iter().map(|layer| layer.label.as_str()).collect::<Vec<_>>().join(", ");
        let copies = layers.iter().fold(File::on(Output::scratch()), |file, layer| {
            file.then(FileAction::copy(&layer.output, "/", "/").contents().timestamp(EPOCH))
        });
        let output = copies.name(format!("[{}deps] one layer of {label}", materials.prefix)).output()?;
        Ok(Layer::new(label, output))
    };
    slots.into_values().map(merge).collect()
}

/// What the setting `exclude` leaves out of a folder in the application's. Other patterns are about files before a build, which
/// may leave what it made where they speak of, e.g. in `build`.
fn excluded(exclude: &[String], place: &str, workdir: &str, venv: &str) -> Vec<String> {
    let folder = place.strip_prefix(workdir).and_then(|rest| rest.strip_prefix('/'));
    let folder = folder.filter(|_| !is_below(place, venv));
    folder.map(|folder| dockerignore::below(exclude, folder)).unwrap_or_default()
}

/// The layer with source trees that installed packages refer to and that are no part of the application. `built` are
/// those that a build may have changed.
pub(super) fn sources(
    plan: &Plan,
    built: Vec<(String, Output, String)>,
    materials: &Materials<'_>,
) -> Result<Option<Layer>, Error> {
    let mut trees = built;
    for package in &plan.packages {
        let How::Linked { folder, .. } = &package.how else {
            continue;
        };
        // The application's own files hold what is in its folder, if nothing is chosen from them.
        let is_elsewhere = folder.path.starts_with("..") || !plan.image.include.is_empty();
        let tree = builds::tree(package, materials)?.filter(|_| is_elsewhere);
        trees.extend(tree.map(|tree| (package.name.clone(), tree, folder.place.clone())));
    }
    if trees.is_empty() {
        return Ok(None);
    }
    trees.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let label = trees.iter().map(|(package, _, place)| format!("{package} {place}")).collect::<Vec<_>>().join(", ");
    let exclude = patterns(&materials.settings.exclude);
    let copy = |file: File, (_, tree, place): (String, Output, String)| {
        let copy =
            FileAction::copy(tree, "/", &place).contents().make_parents().owner(Owner::new(0, 0)).timestamp(EPOCH);
        file.then(copy.exclude_patterns(excluded(&exclude, &place, &plan.image.workdir, &plan.image.venv)))
    };
    let name = format!("[{}sources] copy {label}", materials.prefix);
    let places: String = trees.iter().map(|(_, _, place)| place.as_str()).collect();
    let output = trees.into_iter().fold(File::on(Output::scratch()), copy).name(&name).output()?;
    let output = settled(output, &places, name)?;
    Ok(Some(Layer::new(format!("sources of {label}"), output)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_leaves_files_out_of_folders_in_the_applications_own() {
        let exclude = ["libs/shared/fixtures", "**/*.pem", ".venv"].map(str::to_owned);
        let excluded = |place: &str| excluded(&exclude, place, "/app", "/app/.venv");
        assert_eq!(excluded("/app/libs/shared"), ["fixtures", "**/*.pem"]);
        for elsewhere in ["/libs/shared", "/app/.venv/src/paint", "/app"] {
            assert_eq!(excluded(elsewhere), [""; 0], "{elsewhere}");
        }
    }
}
