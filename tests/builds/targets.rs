//! The targets, and the questions that a client may ask.

use std::fs;

use end_to_end::{
    docker::{docker, run},
    examples::Example,
    image::Image,
};

use crate::{build, index};

#[test]
fn venv_is_the_environment_alone() {
    let example = Example::named("command-line");
    let out = tempfile::tempdir().expect("a temporary folder");
    let dest = format!("type=local,dest={}", out.path().display());
    build(&example, &example.folder, index()).args(["--target", "venv", "--output", &dest]).succeed();
    let top: Vec<_> = fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(top, ["app"]);
    let app: Vec<_> = fs::read_dir(out.path().join("app")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(app, [".venv"]);
    let link = fs::read_link(out.path().join("app/.venv/bin/python")).expect("a link");
    assert!(link.is_absolute(), "{}", link.display());
}

#[test]
fn dev_has_all_groups() {
    let example = Example::named("command-line");
    let tag = "test-target-dev";
    build(&example, &example.folder, index()).args(["--target", "dev"]).tag(tag).succeed();
    let code = ["-c", "import pytest, click; print('both')"];
    assert_eq!(run(&["--entrypoint=python"], tag, &code), "both\n");
}

#[test]
fn questions_are_answered() {
    let example = Example::named("command-line");
    // Older clients have the option under another name.
    let is_new = docker(["buildx", "build", "--help"]).contains("--call");
    let option = if is_new { "--call" } else { "--print" };
    let asked = |question: &str| {
        let shown = build(&example, &example.folder, index()).experimental(!is_new).args([option, question]).run();
        assert!(shown.success, "{}", shown.stderr);
        shown.stdout
    };
    let targets = asked("targets");
    for target in ["runtime", "venv", "dev", "plan"] {
        assert!(targets.contains(target), "{targets}");
    }
    let outline = asked("outline");
    assert!(outline.contains("POETRY_BUILDKIT_EXTRAS") && outline.contains("ca-bundle"), "{outline}");
}

#[test]
fn an_image_of_one_target_is_not_that_of_another() {
    let example = Example::named("command-line");
    for target in ["runtime", "venv"] {
        build(&example, &example.folder, index()).args(["--target", target]).tag(&format!("test-{target}")).succeed();
    }
    let (runtime, venv) = (Image::over("test-runtime", "python:3.13-slim"), Image::platforms("test-venv").remove(0));
    assert!(venv.layers.len() < runtime.layers.len());
    assert!(venv.config["config"]["Entrypoint"].is_null());
}
