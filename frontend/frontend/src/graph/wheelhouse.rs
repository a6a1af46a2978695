//! The files of all packages in one folder, from which a build without a network starts.

use buildkit_llb::{Annotate, Error, File, FileAction, Mount, Output};
use install_request::{EPOCH, Fetch, Fetched, layout};

use super::{Materials, builds, located, step, wheels};
use crate::plan::{Node, Package, Plan};

/// A file system with just the files.
pub(super) fn fill(plan: &Plan, materials: &Materials<'_>) -> Result<Output, Error> {
    let fetched = plan.nodes.iter().filter_map(|node| fetch(plan, node, materials).transpose());
    let mut file = File::on(Output::scratch());
    for output in fetched.chain(builds::gather_for_script(plan, materials).transpose()) {
        file = file.then(FileAction::copy(output?, "/", "/").contents().timestamp(EPOCH));
    }
    file.name(format!("[{}wheelhouse] put the files together", materials.prefix)).output()
}

/// The files of one node; `None` if it has none that are fetched.
fn fetch(plan: &Plan, node: &Node, materials: &Materials<'_>) -> Result<Option<Output>, Error> {
    let name = format!("[{}wheelhouse] {}", materials.prefix, node.label);
    if let Some(gathered) = builds::gather(plan, node, name.clone(), materials)? {
        return Ok(Some(gathered));
    }
    let remote = |package: &Package| {
        let file = package.archive().filter(|file| wheels::is_remote(file))?;
        Some(Fetched { name: package.name.clone(), archive: file.archive.clone() })
    };
    let archives: Vec<Fetched> = plan.packages_of(node).filter_map(remote).collect();
    if archives.is_empty() {
        return Ok(None);
    }
    let workshop = materials.workshop;
    let request = serde_json::json!(Fetch { archives: archives.clone() }).to_string();
    let step = workshop.step("fetch", &request, &step::empty_root()?, &workshop.platform, name);
    let indexes = archives.iter().filter_map(|fetched| fetched.archive.index());
    let mut exec = workshop.with_credentials(workshop.fetching(step), indexes).mount(Mount::output(layout::OUT));
    for Fetched { name, .. } in &archives {
        exec = exec.mount(workshop.cache(&format!("{}/{name}", layout::CACHE), &format!("wheel/{name}")));
    }
    Ok(Some(located(exec, plan, node, materials).build()?.output(layout::OUT)?))
}
