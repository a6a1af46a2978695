//! The nodes that build from source: packages, and what the project's own build script makes.

use buildkit_llb::{Annotate, Error, Exec, File, FileAction, Mount, Output, Owner, Source};
use install_request::{Build, BuildSource, BuildTools, EPOCH, Gather, RunScript, layout};

use super::{Layer, Materials, debian, located, settled, wheels};
use crate::{
    plan::{BuildFrom, BuildScript, How, Node, Package, Plan, Recipe},
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

/// What the build of a package makes.
pub(super) struct Made {
    /// The files, at their final absolute paths.
    pub(super) output: Output,
    /// The folder with its report.
    pub(super) report: Output,
    /// The source tree after the build, if the installed package refers to it, and its absolute path in the image.
    pub(super) tree: Option<(Output, String)>,
}

/// A source, as a request names it.
struct Mounted {
    source: BuildSource,
    mounts: Vec<Mount>,
    /// Where a tree is that the build may change and the image needs.
    place: Option<String>,
}

/// The node of a package that is built. `None` if it is no such package.
pub(super) fn node(plan: &Plan, node: &Node, name: String, materials: &Materials<'_>) -> Result<Option<Made>, Error> {
    let (Some((package, recipe)), Some(builder)) = (of_node(plan, node), &materials.builder) else {
        return Ok(None);
    };
    let Mounted { source, mounts, place } = mounted(package, recipe, materials)?;
    let request = Build {
        name: package.name.clone(),
        version: package.version.clone(),
        source,
        editable: recipe.editable,
        tools: tools(plan, &recipe.constraints),
        config_settings: recipe.config_settings.clone(),
        python: plan.interpreter.clone(),
        scheme: plan.scheme.clone(),
        direct_url: package.direct_url.clone(),
    };
    let request = serde_json::json!(request).to_string();
    let exec = step("build", &request, &package.name, &recipe.apt, builder, plan, name, materials)?
        .mount(Mount::output(layout::OUT))
        .mount(Mount::output(layout::FACTS));
    let exec = located(mounts.into_iter().fold(exec, Exec::mount), plan, node, materials).build()?;
    let tree = match place {
        Some(place) => Some((exec.output(&place)?, place)),
        None => None,
    };
    Ok(Some(Made { output: exec.output(layout::OUT)?, report: exec.output(layout::FACTS)?, tree }))
}

/// The files that a build of a package without a network starts from. `None` if the package is not built.
pub(super) fn gather(
    plan: &Plan,
    node: &Node,
    name: String,
    materials: &Materials<'_>,
) -> Result<Option<Output>, Error> {
    let (Some((package, recipe)), Some(builder)) = (of_node(plan, node), &materials.builder) else {
        return Ok(None);
    };
    let Mounted { source, mounts, .. } = mounted(package, recipe, materials)?;
    let request = Gather {
        name: package.name.clone(),
        source,
        editable: recipe.editable,
        tools: tools(plan, &recipe.constraints),
        config_settings: recipe.config_settings.clone(),
    };
    let request = serde_json::json!(request).to_string();
    let exec = step("gather", &request, &package.name, &recipe.apt, builder, plan, name, materials)?
        .mount(Mount::output(layout::OUT));
    let exec = located(mounts.into_iter().fold(exec, Exec::mount), plan, node, materials).build()?;
    exec.output(layout::OUT).map(Some)
}

/// What the project's build script needs, as files in a wheelhouse. `None` if the project has none.
pub(super) fn gather_for_script(plan: &Plan, materials: &Materials<'_>) -> Result<Option<Output>, Error> {
    let (Some((project, script)), Some(builder)) = (of_project(plan), &materials.builder) else {
        return Ok(None);
    };
    let source = BuildSource::Tree { path: layout::FILES.to_owned(), subdirectory: None };
    let (name, config_settings) = (project.to_owned(), [].into());
    let request = Gather { name, source, editable: true, tools: tools(plan, &script.constraints), config_settings };
    let request = serde_json::json!(request).to_string();
    let name = format!("[{}wheelhouse] what {} needs", materials.prefix, script.path);
    let tree = materials.application.folder("", format!("[{}sources] {project}", materials.prefix))?;
    let exec = step("gather", &request, project, &script.apt, builder, plan, name, materials)?
        .mount(Mount::bind_discarded(tree, layout::FILES))
        .mount(Mount::output(layout::OUT));
    exec.build()?.output(layout::OUT).map(Some)
}

/// The application's files with what the project's build script adds to them, or just as they are.
pub(super) fn scripted(plan: &Plan, application: Layer, materials: &Materials<'_>) -> Result<Layer, Error> {
    let (Some((project, script)), Some(builder)) = (of_project(plan), &materials.builder) else {
        return Ok(application);
    };
    let workdir = &plan.image.workdir;
    let request = RunScript {
        name: project.to_owned(),
        folder: workdir.clone(),
        files: layout::FILES.to_owned(),
        script: script.path.clone(),
        requires: script.requires.clone(),
        setup: script.setup.clone(),
        tools: tools(plan, &script.constraints),
    };
    let request = serde_json::json!(request).to_string();
    // The script may need more of the project than the image does.
    let whole = materials.application.folder("", format!("[{}sources] {project}", materials.prefix))?;
    let name = format!("[{}project] run {}", materials.prefix, script.path);
    let exec = step("script", &request, project, &script.apt, builder, plan, name, materials)?
        .mount(Mount::bind(application.output, workdir).selector(workdir))
        .mount(Mount::bind_readonly(whole, layout::FILES))
        .build()?;
    let copy = FileAction::copy(exec.output(workdir)?, workdir, workdir)
        .contents()
        .make_parents()
        .owner(Owner::new(0, 0))
        .timestamp(EPOCH);
    let name = format!("[{}app] copy what {} made", materials.prefix, script.path);
    let output = File::on(Output::scratch()).then(copy).name(&name).output()?;
    Ok(Layer::new(application.label, settled(output, workdir, name)?))
}

fn of_node<'a>(plan: &'a Plan, node: &'a Node) -> Option<(&'a Package, &'a Recipe)> {
    let package = plan.packages_of(node).next()?;
    match &package.how {
        How::Build(recipe) => Some((package, recipe)),
        _ => None,
    }
}

fn of_project(plan: &Plan) -> Option<(&str, &BuildScript)> {
    Some((plan.project.name.as_deref()?, plan.root.as_ref()?.build_script.as_ref()?))
}

/// A step in the builder image that has its packages for `name`, its caches, and what is needed to fetch.
#[allow(clippy::too_many_arguments, reason = "all of them are of one step")]
fn step(
    command: &str,
    request: &str,
    name: &str,
    apt: &[String],
    builder: &Builder,
    plan: &Plan,
    shown: String,
    materials: &Materials<'_>,
) -> Result<Exec, Error> {
    let workshop = materials.workshop;
    // A source that is for single packages alone is none of those for what builds require.
    let package = plan.packages.iter().find(|package| package.name == name);
    let own = package.and_then(|package| package.archive()?.archive.index());
    let root = debian::install(apt, &builder.output, "build-apt", materials)?;
    let exec = workshop.step(command, request, &root, materials.target_platform, shown);
    let exec = builder.env.iter().fold(exec, |exec, (name, value)| exec.env(name, value));
    let exec = exec
        .mount(Mount::bind_discarded(Output::scratch(), layout::WORK))
        .mount(Mount::tmpfs("/tmp"))
        .mount(workshop.cache(&format!("{}/{name}", layout::CACHE), &format!("wheel/{name}")))
        .mount(workshop.cache(layout::BUILD_CACHE, &format!("build/{name}")));
    Ok(match &materials.wheelhouse {
        Some(wheelhouse) => exec.mount(Mount::bind_readonly(wheelhouse, layout::WHEELHOUSE)),
        None => workshop.with_credentials(workshop.fetching(exec), plan.indexes.iter().chain(own)),
    })
}

fn tools(plan: &Plan, constraints: &[String]) -> BuildTools {
    BuildTools {
        python: "python3".to_owned(),
        target: plan.target_interpreter.clone(),
        indexes: plan.indexes.clone(),
        wheelhouse: plan.wheelhouse.then(|| layout::WHEELHOUSE.to_owned()),
        constraints: constraints.to_vec(),
    }
}

/// What is built from, and how the step gets it.
fn mounted(package: &Package, recipe: &Recipe, materials: &Materials<'_>) -> Result<Mounted, Error> {
    let (place, subdirectory) = match &recipe.from {
        BuildFrom::Archive { file, subdirectory } => {
            let source = BuildSource::Archive { archive: file.archive.clone(), subdirectory: subdirectory.clone() };
            return Ok(Mounted {
                source,
                mounts: wheels::mounted(file, materials)?.into_iter().collect(),
                place: None,
            });
        }
        BuildFrom::Git { subdirectory, place, .. } => (place, subdirectory.clone()),
        BuildFrom::Folder(folder) => (&folder.place, None),
    };
    let tree = tree(package, materials)?;
    // Editable metadata is made where the source stands in the image, and the backend may leave files there.
    let (path, place) = if recipe.editable { (place.as_str(), Some(place.clone())) } else { (layout::FILES, None) };
    let mount = |tree: Output| match recipe.editable {
        true => Mount::bind(tree, path),
        false => Mount::bind_readonly(tree, path),
    };
    let mounts = tree.map(|tree| mount(tree).into()).into_iter().collect();
    Ok(Mounted { source: BuildSource::Tree { path: path.to_owned(), subdirectory }, mounts, place })
}

/// The source tree of a package that comes from no archive.
pub(super) fn tree(package: &Package, materials: &Materials<'_>) -> Result<Option<Output>, Error> {
    let name = format!("[{}sources] {}", materials.prefix, package.name);
    Ok(match &package.how {
        How::Build(Recipe { from: BuildFrom::Folder(folder), .. }) | How::Linked { folder, .. } => {
            Some(materials.application.folder(&folder.path, name)?)
        }
        How::Build(Recipe { from: BuildFrom::Git { url, commit, .. }, .. }) => {
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
