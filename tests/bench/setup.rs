//! What has to be there before the first build.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use end_to_end::{
    docker::{Build, docker},
    index::{Index, Link},
    locked::Locked,
    wheels,
};
use poetry_buildkit::platform;

use crate::{
    contender::{Contender, Tools},
    measure::Bench,
    project::{self, Project},
    registry::Registry,
    scenario::Scenario,
};

/// Not one of those that tests listen on.
const INDEX_PORT: u16 = 8479;

/// Starts the index with all that these projects and contenders need, and gives `builder` the images that it can't pull.
pub fn bench(
    link: Link,
    projects: &[Project],
    contenders: &[Contender],
    scenarios: Vec<Scenario>,
    builder: Option<String>,
) -> Bench {
    let folder = wheels::cache().join("bench-wheels");
    fs::create_dir_all(&folder).expect("the folder for wheels can be made");
    let arm64 = platform::parse("linux/arm64").expect("a platform");
    let platforms = [project::amd64(), arm64];
    let wanted: Vec<_> = projects.iter().flat_map(|project| project.wanted(&platforms)).collect();
    wheels::download(&wanted, &folder);
    let locked = Locked::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/tools")).project();
    let version = |name: &str| {
        let package = locked.lock.packages.iter().find(|package| package.name.as_str() == name);
        package.unwrap_or_else(|| panic!("the lock of the tools has no {name}")).version_text.clone()
    };
    let tools = Tools { poetry: version("poetry"), uv: version("uv") };
    let needs_uv = contenders.contains(&Contender::Uv);
    if needs_uv || contenders.contains(&Contender::Poetry) {
        let wanted = wheels::locked(&locked, project::PYTHON, &project::amd64());
        wheels::download(&wanted, &folder);
        let uv = wanted.iter().find(|wanted| wanted.package == "uv").expect("a wheel of uv");
        uv_image(&folder.join(&uv.file), &tools.uv);
    }
    let index = Index::start_behind(link, &folder, INDEX_PORT);
    let registry = Registry::from_environment();
    if builder.is_some() {
        let registry = registry.as_ref().expect("the registry that ./dev bench starts");
        for image in
            ["poetry-buildkit:latest", "python:3.11-slim"].into_iter().chain(needs_uv.then_some("bench-uv:latest"))
        {
            let name = format!("{}/library/{image}", registry.address);
            if docker(["image", "ls", "--quiet", image]).trim().is_empty() {
                docker(["pull", "--quiet", image]);
            }
            docker(["tag", image, &name]);
            docker(["push", "--quiet", &name]);
        }
    }
    Bench { index, registry, tools, scenarios, builder, layers: None, samples: Vec::new() }
}

/// uv gets an image of its own, as it has in its recipe.
fn uv_image(wheel: &PathBuf, version: &str) {
    let mut wheel = zip::ZipArchive::new(File::open(wheel).expect("the wheel of uv")).expect("a wheel");
    let mut binary = wheel.by_name(&format!("uv-{version}.data/scripts/uv")).expect("uv's binary");
    let context = tempfile::tempdir().expect("a temporary folder");
    io::copy(&mut binary, &mut File::create(context.path().join("uv")).expect("a file")).expect("uv's binary");
    fs::write(context.path().join("Dockerfile"), "FROM scratch\nCOPY --chmod=755 uv /uv\n").expect("a Dockerfile");
    Build::new(context.path()).tag("bench-uv").succeed();
}
