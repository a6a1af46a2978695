//! The nodes that fetch, verify and unpack wheels.

use buildkit_llb::{Error, Mount, Output};
use install_request::{Install, Origin, Wheel, layout};

use super::{Materials, located, step};
use crate::plan::{File, How, Node, Package, Plan};

/// The files that the node installs.
pub(super) fn node(plan: &Plan, node: &Node, name: String, materials: &Materials<'_>) -> Result<Output, Error> {
    let files: Vec<(&Package, &File)> = plan
        .packages_of(node)
        .filter_map(|package| match &package.how {
            How::Wheel(file) => Some((package, file)),
            _ => None,
        })
        .collect();
    let wheels = files
        .iter()
        .map(|(package, file)| Wheel {
            name: package.name.clone(),
            version: package.version.clone(),
            archive: file.archive.clone(),
            direct_url: package.direct_url.clone(),
            requested: plan.requested,
        })
        .collect();
    let request = Install { python: plan.interpreter.clone(), scheme: plan.scheme.clone(), wheels };
    let request = serde_json::json!(request).to_string();

    let workshop = materials.workshop;
    let mut exec = workshop
        .step("install", &request, &step::empty_root()?, &workshop.platform, name)
        .mount(Mount::output(layout::OUT));
    if files.iter().any(|(_, file)| is_remote(file)) {
        exec = workshop
            .with_credentials(workshop.fetching(exec), files.iter().filter_map(|(_, file)| file.archive.index()));
    }
    for (package, file) in files {
        let id = format!("wheel/{}", package.name);
        exec = exec.mount(workshop.cache(&format!("{}/{}", layout::CACHE, package.name), &id));
        if let Some(mount) = mounted(file, materials)? {
            exec = exec.mount(mount);
        }
    }
    located(exec, plan, node, materials).build()?.output(layout::OUT)
}

/// Whether a file has to be fetched.
pub(super) fn is_remote(file: &File) -> bool {
    !matches!(file.archive.origin, Origin::File { .. })
}

/// The mount of a file that is not fetched.
pub(super) fn mounted(file: &File, materials: &Materials<'_>) -> Result<Option<Mount>, Error> {
    let Origin::File { path } = &file.archive.origin else {
        return Ok(None);
    };
    let (output, selector) = match (&file.local, &materials.wheelhouse) {
        (Some(local), _) => materials.application.part(local)?,
        (None, Some(wheelhouse)) => (wheelhouse.clone(), format!("/{}", file.archive.file)),
        (None, None) => return Ok(None),
    };
    Ok(Some(Mount::bind_readonly(output, path).selector(selector).into()))
}
