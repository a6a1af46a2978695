//! The nodes that build wheels from source, and install them.

use buildkit_llb::{Annotate, Error, Exec, Mount, Output, Source};
use install_request::{Build, BuildSource, layout};

use super::{Materials, debian, located, wheels};
use crate::{
    plan::{BuildFrom, How, Node, Package, Plan},
    settings::Settings,
};

/// The image that things are built in.
#[derive(Debug, Clone)]
pub struct Builder {
    /// Its file system for the target platform.
    pub output: Output,
    /// The variables of its config.
    pub env: Vec<(String, String)>,
}

/// What a build makes.
pub(super) struct Made {
    /// The files, at their final absolute paths.
    pub(super) output: Output,
    /// The folder with its report.
    pub(super) report: Output,
}

/// The node of a package that is built. `None` if it is no such package.
pub(super) fn node(plan: &Plan, node: &Node, name: String, materials: &Materials<'_>) -> Result<Option<Made>, Error> {
    let (Some(package), Some(builder)) = (plan.packages_of(node).next(), &materials.builder) else {
        return Ok(None);
    };
    let How::Build { from, editable, apt } = &package.how else {
        return Ok(None);
    };
    let root = debian::install(apt, &builder.output, "build-apt", materials)?;
    let (source, mount) = source(package, from, *editable, materials)?;
    let request = Build {
        name: package.name.clone(),
        version: package.version.clone(),
        source,
        editable: *editable,
        builder_python: "python3".to_owned(),
        target: plan.target_interpreter.clone(),
        indexes: plan.indexes.clone(),
        wheelhouse: plan.wheelhouse.then(|| layout::WHEELHOUSE.to_owned()),
        constraints: Vec::new(),
        config_settings: [].into(),
        python: format!("{}/bin/python", plan.image.venv),
        scheme: plan.scheme.clone(),
        direct_url: package.direct_url.clone(),
    };
    let request = serde_json::json!(request).to_string();
    let workshop = materials.workshop;
    let exec = workshop.step("build", &request, &root, materials.target_platform, name);
    let exec = builder.env.iter().fold(exec, |exec, (name, value)| exec.env(name, value));
    let exec = exec
        .mount(Mount::output(layout::OUT))
        .mount(Mount::output(layout::FACTS))
        .mount(Mount::bind_discarded(Output::scratch(), layout::WORK))
        .mount(Mount::tmpfs("/tmp"))
        .mount(workshop.cache(&format!("{}/{}", layout::CACHE, package.name), &format!("wheel/{}", package.name)))
        .mount(workshop.cache(layout::BUILD_CACHE, &format!("build/{}", package.name)));
    let exec = mount.into_iter().fold(exec, Exec::mount);
    let exec = match &materials.wheelhouse {
        Some(wheelhouse) => exec.mount(Mount::bind_readonly(wheelhouse, layout::WHEELHOUSE)),
        None => workshop.with_credentials(workshop.fetching(exec), &plan.indexes),
    };
    let exec = located(exec, plan, node, materials).build()?;
    Ok(Some(Made { output: exec.output(layout::OUT)?, report: exec.output(layout::FACTS)? }))
}

/// What is built from, and where it is mounted.
fn source(
    package: &Package,
    from: &BuildFrom,
    editable: bool,
    materials: &Materials<'_>,
) -> Result<(BuildSource, Option<Mount>), Error> {
    let (tree, place, subdirectory) = match from {
        BuildFrom::Archive { file, subdirectory } => {
            let source = BuildSource::Archive { archive: file.archive.clone(), subdirectory: subdirectory.clone() };
            return Ok((source, wheels::mounted(file, materials)?));
        }
        BuildFrom::Git { subdirectory, place, .. } => (tree(package, materials)?, place.clone(), subdirectory.clone()),
        BuildFrom::Folder(folder) => (tree(package, materials)?, folder.place.clone(), None),
    };
    // Editable metadata is made where the source stands in the image, and the backend may write there.
    let (path, mount) = if editable {
        (place.clone(), tree.map(|tree| Mount::bind_discarded(tree, place).into()))
    } else {
        (layout::FILES.to_owned(), tree.map(|tree| Mount::bind_readonly(tree, layout::FILES).into()))
    };
    Ok((BuildSource::Tree { path, subdirectory }, mount))
}

/// The source tree of a package that comes from no archive.
pub(super) fn tree(package: &Package, materials: &Materials<'_>) -> Result<Option<Output>, Error> {
    let name = format!("[{}sources] {}", materials.prefix, package.name);
    Ok(match &package.how {
        How::Build { from: BuildFrom::Folder(folder), .. } | How::Linked { folder, .. } => {
            Some(materials.application.folder(&folder.path, name)?)
        }
        How::Build { from: BuildFrom::Git { url, commit, .. }, .. } => {
            Some(git(url, commit, materials.settings, name)?)
        }
        _ => None,
    })
}

/// A working tree with its submodules.
fn git(url: &str, commit: &str, settings: &Settings, name: String) -> Result<Output, Error> {
    let mut git = Source::git(url).reference(commit).name(name);
    if let Some(host) = crate::plan::ssh_host(url) {
        git = git.known_ssh_hosts(crate::plan::known_hosts(settings, host));
    }
    git.output()
}
