//! What the user sees when something in the project is wrong: the whole text, with the user's own lines.

use std::fs;

use end_to_end::examples::Example;

use crate::{build, index};

/// Builds the example after a change, which has to fail, and returns what the client shows.
fn shown(example: &str, change: impl Fn(&std::path::Path), arguments: &[(&str, &str)]) -> String {
    let example = Example::named(example);
    let folder = example.copy();
    change(folder.path());
    let build = arguments
        .iter()
        .fold(build(&example, folder.path(), index()), |build, (name, value)| build.build_arg(name, value));
    message(&build.fail())
}

fn edit(folder: &std::path::Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).expect("a file of the project");
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replacen(from, to, 1)).expect("the file can be changed");
}

/// The end of the client's output: the excerpt and the message.
fn message(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let error = lines.iter().position(|line| line.starts_with("ERROR: failed to")).expect("an error");
    let is_frame = |line: &&str| line.starts_with("--------------------");
    let frame = lines[..error].iter().rposition(is_frame).and_then(|end| lines[..end].iter().rposition(is_frame));
    let start = frame.map_or(error, |start| start - 1);
    lines[start..].join("\n")
}

#[test]
fn broken_toml() {
    insta::assert_snapshot!(shown(
        "command-line",
        |folder| edit(folder, "pyproject.toml", "name = \"greet\"", "name = greet"),
        &[]
    ));
}

#[test]
fn an_unknown_setting() {
    insta::assert_snapshot!(shown("annapurna", |folder| edit(folder, "pyproject.toml", "expose =", "exposes ="), &[]));
}

#[test]
fn an_unknown_build_argument() {
    insta::assert_snapshot!(shown("annapurna", |_| {}, &[("POETRY_BUILDKIT_EXTRA", "x")]));
}

#[test]
fn a_group_that_does_not_exist() {
    let settings = "[tool.poetry-buildkit]\nwith = [\"tests\"]\n\n[build-system]";
    insta::assert_snapshot!(shown(
        "command-line",
        |folder| edit(folder, "pyproject.toml", "[build-system]", settings),
        &[]
    ));
}

#[test]
fn a_stale_lock() {
    insta::assert_snapshot!(shown("command-line", |folder| edit(folder, "pyproject.toml", "^8.1", "^8.2"), &[]));
}

#[test]
fn no_wheel_for_the_platform() {
    let remove = |folder: &std::path::Path| {
        let path = folder.join("poetry.lock");
        let text = fs::read_to_string(&path).expect("poetry.lock");
        let kept: Vec<&str> = text.lines().filter(|line| !line.contains("numpy-") || line.contains("macosx")).collect();
        fs::write(path, kept.join("\n")).expect("poetry.lock");
    };
    insta::assert_snapshot!(shown("data", remove, &[]));
}

#[test]
fn no_lock() {
    insta::assert_snapshot!(shown("command-line", |folder| fs::remove_file(folder.join("poetry.lock")).unwrap(), &[]));
}

#[test]
fn an_unknown_target() {
    let example = Example::named("command-line");
    insta::assert_snapshot!(message(&build(&example, &example.folder, index()).args(["--target", "prod"]).fail()));
}
