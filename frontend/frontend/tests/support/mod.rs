//! Graphs of plans, without a daemon.

use buildkit_llb::{Network, Platform, Source, SourceFile as GraphFile};
use install_request::{Interpreter, Libc, LibcFamily, Probe};
use poetry_buildkit::{
    graph::{self, Application, Builder, Built, Files, Materials, Workshop},
    interpreter,
    plan::Plan,
    python::Python,
    settings::Settings,
};

pub(crate) fn platform() -> Platform {
    Platform::new("linux", "amd64")
}

/// The interpreter of the official image of a version.
pub(crate) fn interpreter(python: &Python) -> Interpreter {
    let libc = Libc { family: LibcFamily::Glibc, major: 2, minor: 36 };
    interpreter::described(&format!("{}.7", python.version), &platform(), libc).unwrap()
}

/// `project` is the project's folder in the build context.
pub(crate) fn built(plan: &Plan, settings: &Settings, project: &str, can_merge: bool) -> Built {
    let image = |reference: &str| Source::image(reference, platform()).output().unwrap();
    let workshop = Workshop {
        tools: image("docker.io/library/poetry-buildkit:latest"),
        platform: platform(),
        network: Network::Sandbox,
        hosts: Vec::new(),
        proxy: None,
        authority: None,
        cache_namespace: String::new(),
        no_cache: false,
    };
    let base = image(&format!("docker.io/library/{}", plan.base));
    let request = Probe { python: "python3".to_owned(), venv: plan.image.venv.clone() };
    let probe = graph::probe(&workshop, &base, &platform(), &request, None, "[python] ask".to_owned()).unwrap();
    let application = Application {
        context: Files::Client(Box::new(Source::local("context", "session"))),
        project: project.to_owned(),
        ignore: Vec::new(),
    };
    let materials = Materials {
        workshop: &workshop,
        probe: &probe,
        base: base.clone(),
        build_base: base,
        python: "/usr/local/bin/python3",
        build_platform: &platform(),
        target_platform: &platform(),
        application: &application,
        settings,
        builder: Some(Builder { output: image(&format!("docker.io/library/{}", plan.builder)), env: Vec::new() }),
        wheelhouse: plan.wheelhouse.then(|| Source::local("wheelhouse", "session").output().unwrap()),
        lock: Some(GraphFile::new("poetry.lock", "TOML", "")),
        prefix: String::new(),
        can_merge,
    };
    graph::build(plan, &materials).unwrap()
}
