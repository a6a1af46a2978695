//! The layers of the installed packages.

use std::collections::BTreeMap;

use buildkit_llb::{Annotate, Error, File, FileAction, Output};
use install_request::EPOCH;

use super::{Layer, Materials, builds, root, wheels};
use crate::plan::{BuildFrom, How, LINKED, Package, Plan, bins};

/// What installs packages: layers, and the reports of builds by package.
type Installed = (Vec<Layer>, Vec<(String, Output)>);

/// A layer for each node, but for packages with a node of their own: if they are many they share layers.
pub(super) fn layers(plan: &Plan, materials: &Materials<'_>) -> Result<Installed, Error> {
    let total = plan.nodes.len();
    let (mut layers, mut own, mut reports) = (Vec::new(), Vec::new(), Vec::new());
    for (index, node) in plan.nodes.iter().enumerate() {
        let name = format!("[{}deps {}/{total}] {}", materials.prefix, index + 1, node.label);
        if node.id == LINKED {
            let files = plan.packages_of(node).filter_map(|package| match &package.how {
                How::Linked { files, .. } => Some(files.clone()),
                _ => None,
            });
            let output = root::write(&files.flatten().collect(), "deps", &node.label, materials)?;
            layers.push(Layer::new(node.label.clone(), output));
        } else if let Some(made) = builds::node(plan, node, name.clone(), materials)? {
            reports.extend(node.packages.first().map(|package| (package.clone(), made.report)));
            own.push((node.packages.join(" "), Layer::new(node.label.clone(), made.output)));
        } else {
            let layer = Layer::new(node.label.clone(), wheels::node(plan, node, name, materials)?);
            if bins::is_shared(&node.id) { layers.push(layer) } else { own.push((node.packages.join(" "), layer)) }
        }
    }
    layers.extend(merged(own, materials)?);
    Ok((layers, reports))
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

/// The layer with source trees that installed packages refer to and that are no part of the application.
pub(super) fn sources(plan: &Plan, materials: &Materials<'_>) -> Result<Option<Layer>, Error> {
    let wanted: Vec<(&Package, &str)> =
        plan.packages.iter().filter_map(|package| Some((package, place(plan, package)?))).collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut file = File::on(Output::scratch());
    for (package, place) in &wanted {
        if let Some(tree) = builds::tree(package, materials)? {
            file = file.then(FileAction::copy(tree, "/", *place).contents().make_parents().timestamp(EPOCH));
        }
    }
    let label =
        wanted.iter().map(|(package, place)| format!("{} {place}", package.name)).collect::<Vec<_>>().join(", ");
    let output = file.name(format!("[{}sources] copy {label}", materials.prefix)).output()?;
    Ok(Some(Layer::new(format!("sources of {label}"), output)))
}

/// Where the source tree of a package has to be copied to.
fn place<'a>(plan: &Plan, package: &'a Package) -> Option<&'a str> {
    match &package.how {
        How::Linked { folder, .. } | How::Build { from: BuildFrom::Folder(folder), editable: true, .. } => {
            // The application's own files hold what is in its folder, if nothing is chosen from them.
            (folder.path.starts_with("..") || !plan.image.include.is_empty()).then_some(&folder.place)
        }
        How::Build { from: BuildFrom::Git { place, .. }, editable: true, .. } => Some(place),
        _ => None,
    }
}
