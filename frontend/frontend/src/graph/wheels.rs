//! The nodes that fetch, verify and unpack wheels.

use buildkit_llb::{Annotate, Error, Mount};
use install_request::{Install, Wheel, layout};

use super::{Layer, Materials, step};
use crate::plan::{Node, Plan};

/// A layer for each node of the plan.
pub(super) fn layers(plan: &Plan, materials: &Materials<'_>) -> Result<Vec<Layer>, Error> {
    let total = plan.nodes.len();
    plan.nodes.iter().enumerate().map(|(index, node)| layer(plan, node, (index + 1, total), materials)).collect()
}

fn layer(plan: &Plan, node: &Node, (number, total): (usize, usize), materials: &Materials<'_>) -> Result<Layer, Error> {
    let wheels: Vec<Wheel> = plan
        .packages_of(node)
        .map(|package| {
            let file = package.file.as_deref().unwrap_or_default();
            let sha256 = package.sha256.as_deref().unwrap_or_default();
            Wheel::of_index(&package.name, &package.version, file, sha256, &package.index)
        })
        .collect();
    let request = Install { python: format!("{}/bin/python", plan.image.venv), scheme: plan.scheme.clone(), wheels };
    let request = serde_json::json!(request).to_string();
    let name = format!("[{}deps {number}/{total}] {}", materials.prefix, node.label);

    let workshop = materials.workshop;
    let root = step::empty_root()?;
    let mut exec = workshop
        .fetching(workshop.step("install", &request, &root, &workshop.platform, name))
        .mount(Mount::output(layout::OUT));
    for package in &node.packages {
        exec = exec.mount(workshop.cache(&format!("{}/{package}", layout::CACHE), &format!("wheel/{package}")));
    }
    if let Some(lock) = &materials.lock {
        exec = exec.location(lock, plan.packages_of(node).map(|package| package.lock_line..=package.lock_line));
    }
    Ok(Layer::new(node.label.clone(), exec.build()?.output(layout::OUT)?))
}
