//! What the user sees when something in the project is wrong: the whole text, with the user's own lines.

use std::{fs, path::Path};

use end_to_end::{
    docker::Build,
    examples::Example,
    index::{Fault, Index},
    ready::Ready,
    wheels,
};

use crate::{alone, build, index};

/// Builds the example after a change, which has to fail, and returns what the client shows.
fn shown(example: &str, change: impl Fn(&Path), arguments: &[(&str, &str)]) -> String {
    let example = Example::named(example);
    let folder = example.copy();
    change(folder.path());
    let build = arguments
        .iter()
        .fold(build(&example, folder.path(), index()), |build, (name, value)| build.build_arg(name, value));
    message(&build.fail())
}

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).expect("a file of the project");
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replacen(from, to, 1)).expect("the file can be changed");
}

/// The end of the client's output: what a failing step printed, the excerpt and the message. Times and ports are left out.
fn message(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let error = lines.iter().position(|line| line.starts_with("ERROR: failed to")).expect("an error");
    let is_frame = |line: &&str| line.starts_with("--------------------");
    let frame = lines[..error].iter().rposition(is_frame).and_then(|end| lines[..end].iter().rposition(is_frame));
    let step = lines[..error].iter().position(|line| *line == "------");
    let start = step.unwrap_or_else(|| frame.map_or(error, |start| start - 1));
    let shown: Vec<String> = lines[start..].iter().map(|line| without_ports(without_time(line))).collect();
    // Which of two words the client has for it depends on which of its own connections hears of it first.
    shown.join("\n").replace("ERROR: failed to run Build function: ", "ERROR: failed to solve: ")
}

/// A line of a step's output without the seconds in front.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, text)) if time.contains('.') && time.parse::<f64>().is_ok() => text,
        _ => line,
    }
}

fn without_ports(line: &str) -> String {
    let mut parts = line.split("127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    let digits = |part: &str| part.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
    parts.fold(first, |text, part| format!("{text}127.0.0.1:PORT{}", digits(part)))
}

/// Replaces the settings of an example, or adds some.
fn set(folder: &Path, settings: &str) {
    let path = folder.join("pyproject.toml");
    let text = fs::read_to_string(&path).expect("pyproject.toml");
    let text = match text.split_once("[tool.poetry-buildkit]") {
        Some((before, after)) => {
            let rest = after.find("\n[").map_or("", |at| &after[at..]);
            format!("{before}[tool.poetry-buildkit]\n{settings}\n{rest}")
        }
        None => format!("{text}\n[tool.poetry-buildkit]\n{settings}\n"),
    };
    fs::write(path, text).expect("pyproject.toml can be changed");
}

/// What is shown of the command-line example with these settings.
fn with_settings(settings: &str) -> String {
    shown("command-line", |folder| set(folder, settings), &[])
}

/// What is shown of the command-line example after a change of a file that the lock's hash does not cover.
fn after(file: &str, from: &str, to: &str) -> String {
    shown("command-line", |folder| edit(folder, file, from, to), &[("POETRY_BUILDKIT_ALLOW_STALE_LOCK", "true")])
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
    let remove = |folder: &Path| {
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

#[test]
fn a_setting_of_a_wrong_type() {
    insta::assert_snapshot!(with_settings("with = 1"));
}

#[test]
fn a_user_by_name() {
    insta::assert_snapshot!(with_settings("user = \"app\""));
}

#[test]
fn a_relative_path() {
    insta::assert_snapshot!(with_settings("venv = \"venv\""));
}

#[test]
fn an_extra_that_does_not_exist() {
    insta::assert_snapshot!(with_settings("extras = [\"colour\"]"));
}

#[test]
fn settings_that_exclude_each_other() {
    insta::assert_snapshot!(with_settings("all-groups = true\nwith = [\"test\"]"));
}

#[test]
fn a_python_that_the_project_does_not_allow() {
    insta::assert_snapshot!(with_settings("python = \"3.9\""));
}

#[test]
fn a_python_that_is_no_version() {
    insta::assert_snapshot!(with_settings("python = \"three\""));
}

#[test]
fn a_python_version_file_that_names_no_version() {
    let write = |folder: &Path| fs::write(folder.join(".python-version"), "# the team's\n3.11.x\n").expect("a file");
    insta::assert_snapshot!(shown("command-line", write, &[]));
}

#[test]
fn a_script_in_another_folder() {
    let project = after("pyproject.toml", "[tool.poetry.scripts]\n", "[tool.poetry.scripts]\n\"../run\" = \"a:b\"\n");
    insta::assert_snapshot!(project);
}

#[test]
fn a_package_of_another_folder() {
    insta::assert_snapshot!(after("pyproject.toml", "from = \"src\"", "from = \"../../components\""));
}

#[test]
fn no_project() {
    let remove = |folder: &Path| fs::remove_file(folder.join("pyproject.toml")).expect("it is there");
    insta::assert_snapshot!(shown("command-line", remove, &[]));
}

#[test]
fn a_lock_that_is_no_toml() {
    insta::assert_snapshot!(after("poetry.lock", "[[package]]", "<<<<<<< HEAD\n[[package]]"));
}

#[test]
fn a_lock_of_the_future() {
    insta::assert_snapshot!(after("poetry.lock", "lock-version = \"2.", "lock-version = \"3."));
}

#[test]
fn a_lock_that_lacks_a_key() {
    insta::assert_snapshot!(after("poetry.lock", "optional = false\n", ""));
}

#[test]
fn a_marker_that_cannot_be_read() {
    let spoil = |folder: &Path| {
        edit(
            folder,
            "poetry.lock",
            "groups = [",
            "markers = \"python_version >\"
groups = [",
        )
    };
    insta::assert_snapshot!(shown("pep621", spoil, &[]));
}

#[test]
fn a_hash_that_is_no_sha256() {
    insta::assert_snapshot!(after("poetry.lock", "none-any.whl\", hash = \"sha256:", "none-any.whl\", hash = \"md5:"));
}

#[test]
fn a_constraint_that_cannot_be_read() {
    insta::assert_snapshot!(after("pyproject.toml", "^8.1", "about 8"));
}

#[test]
fn a_group_that_includes_itself() {
    let groups = "[tool.poetry.group.test]\ninclude-groups = [\"test\"]";
    insta::assert_snapshot!(after("pyproject.toml", "[tool.poetry.group.test]", groups));
}

#[test]
fn two_versions_of_one_package() {
    let twice = |folder: &Path| {
        let path = folder.join("poetry.lock");
        let text = fs::read_to_string(&path).expect("poetry.lock");
        let start = text.find("[[package]]\nname = \"certifi\"").expect("certifi");
        let end = start + 5 + text[start + 5..].find("\n[").expect("another table") + 1;
        let copy = text[start..end].replace("version = \"2", "version = \"1");
        fs::write(path, format!("{}{copy}{}", &text[..end], &text[end..])).expect("poetry.lock");
    };
    insta::assert_snapshot!(shown("pep621", twice, &[]));
}

#[test]
fn a_source_that_the_project_does_not_have() {
    let rename = |folder: &Path| edit(folder, "pyproject.toml", "name = \"corp\"", "name = \"corp-2\"");
    insta::assert_snapshot!(shown("private-index", rename, &[("POETRY_BUILDKIT_ALLOW_STALE_LOCK", "true")]));
}

#[test]
fn a_password_in_an_address() {
    let change = |folder: &Path| edit(folder, "pyproject.toml", "https://packages", "https://me:secret@packages");
    let shown = shown("private-index", change, &[("POETRY_BUILDKIT_ALLOW_STALE_LOCK", "true")]);
    insta::assert_snapshot!(shown);
}

#[test]
fn a_token_in_the_address_of_a_repository() {
    let change = |folder: &Path| edit(folder, "poetry.lock", "https://git.corp", "https://user:token@git.corp");
    insta::assert_snapshot!(shown("git", change, &[]));
}

#[test]
fn a_repository_on_a_disk() {
    let change = |folder: &Path| edit(folder, "poetry.lock", "https://git.corp.example", "file:///srv");
    insta::assert_snapshot!(shown("git", change, &[]));
}

#[test]
fn a_folder_in_place_of_one_of_the_system() {
    let change = |folder: &Path| {
        fs::create_dir_all(folder.join("services/lib")).expect("a folder");
        let shared = folder.join("services/lib/pyproject.toml");
        fs::copy(folder.join("libs/shared/pyproject.toml"), shared).expect("a copy");
        edit(folder, "services/api/poetry.lock", "../../libs/shared", "../lib");
    };
    insta::assert_snapshot!(shown("monorepo", change, &[("POETRY_BUILDKIT_ALLOW_STALE_LOCK", "true")]));
}

#[test]
fn a_mirror_of_no_source() {
    insta::assert_snapshot!(with_settings("indexes = { corp = \"https://mirror.example.org/simple\" }"));
}

#[test]
fn a_folder_outside_of_the_context() {
    let example = Example::named("monorepo");
    let build = Build::new(example.project_folder()).build_arg("POETRY_BUILDKIT_INDEX", &index().url());
    insta::assert_snapshot!(message(&build.fail()));
}

#[test]
fn a_folder_that_is_not_there() {
    let remove = |folder: &Path| fs::remove_dir_all(folder.join("libs/rules")).expect("it is there");
    insta::assert_snapshot!(shown("monorepo", remove, &[]));
}

#[test]
fn a_project_that_cannot_be_told_from_another() {
    let example = Example::named("command-line");
    let (context, text) = (tempfile::tempdir().expect("a temporary folder"), "# syntax=poetry-buildkit\n");
    for name in ["lambdas/a", "lambdas/b"] {
        let folder = context.path().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        for file in ["pyproject.toml", "poetry.lock"] {
            fs::copy(example.folder.join(file), folder.join(file)).expect("a file of the example");
        }
        fs::write(folder.join("Dockerfile"), text).expect("a Dockerfile");
    }
    let build = Build::new(context.path()).arg("--file").arg(context.path().join("lambdas/b/Dockerfile"));
    insta::assert_snapshot!(message(&build.fail()));
}

#[test]
fn a_server_whose_key_is_not_known() {
    insta::assert_snapshot!(shown("git", |folder| set(folder, ""), &[]));
}

#[test]
fn a_repository_without_a_network() {
    let example = Example::named("git");
    let wheelhouse = tempfile::tempdir().expect("a temporary folder");
    let context = format!("wheelhouse={}", wheelhouse.path().display());
    let build = build(&example, &example.folder, index()).args(["--build-context", &context]);
    insta::assert_snapshot!(message(&build.fail()));
}

#[test]
fn a_wheelhouse_that_lacks_files() {
    let example = Example::named("command-line");
    let wheelhouse = tempfile::tempdir().expect("a temporary folder");
    let context = format!("wheelhouse={}", wheelhouse.path().display());
    let build = build(&example, &example.folder, index()).args(["--build-context", &context]);
    insta::assert_snapshot!(message(&build.fail()));
}

#[test]
fn a_wheelhouse_that_is_an_image() {
    let example = Example::named("command-line");
    let context = ["--build-context", "wheelhouse=docker-image://python:3.13-slim"];
    insta::assert_snapshot!(message(&build(&example, &example.folder, index()).args(context).fail()));
}

#[test]
fn a_base_that_is_a_folder() {
    let example = Example::named("command-line");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let context = format!("base={}", folder.path().display());
    let shown = message(&build(&example, &example.folder, index()).args(["--build-context", &context]).fail());
    insta::assert_snapshot!(shown);
}

#[test]
fn a_dockerfile_without_a_stage() {
    let add = |folder: &Path| {
        fs::write(folder.join("Dockerfile"), "# syntax=poetry-buildkit\n\nRUN echo hello\n").expect("the Dockerfile");
    };
    insta::assert_snapshot!(shown("command-line", add, &[]));
}

#[test]
fn a_platform_of_another_system() {
    let example = Example::named("command-line");
    let build = build(&example, &example.folder, index()).args(["--platform", "windows/amd64"]);
    insta::assert_snapshot!(message(&build.fail()));
}

#[test]
fn a_file_that_is_not_the_locked_one() {
    let example = Example::named("command-line");
    let index = Index::start(wheels::folder());
    index.fail("rich-13.9.4-py3-none-any.whl", &[Fault::Corrupt; 10]);
    let build = build(&example, &example.folder, &index).build_arg("BUILDKIT_CACHE_MOUNT_NS", &run("digest"));
    insta::assert_snapshot!(message(&build.fail()));
}

#[test]
fn a_file_that_the_index_does_not_list() {
    let empty = tempfile::tempdir().expect("a temporary folder");
    fs::copy(wheels::folder().join("rich-13.9.4-py3-none-any.whl"), empty.path().join("rich-13.0.0-py3-none-any.whl"))
        .expect("a copy");
    let index = Index::start(empty.path());
    let example = Example::named("command-line");
    let build = build(&example, &example.folder, &index).build_arg("BUILDKIT_CACHE_MOUNT_NS", &run("unlisted"));
    let shown = message(&build.fail());
    // Several steps fail at once, and one of them is shown.
    assert!(shown.contains("the index does not list the file"), "{shown}");
    assert!(shown.contains("run `poetry lock` and build again") && shown.contains("poetry.lock:"), "{shown}");
}

#[test]
fn credentials_that_are_missing() {
    let ready = Ready::new(&Example::named("private-index"), index());
    let build = ready.without_secret("POETRY_HTTP_BASIC_CORP_USERNAME").without("id=POETRY_HTTP_BASIC_CORP_PASSWORD,");
    insta::assert_snapshot!(message(&build.build_arg("BUILDKIT_CACHE_MOUNT_NS", &run("missing")).fail()));
}

#[test]
fn a_build_without_a_compiler() {
    let arguments = [("POETRY_BUILDKIT_BUILDER", "python:3.11-slim"), ("POETRY_BUILDKIT_BUILD_APT", "[]")];
    let shown = shown("postgres", |_| {}, &arguments);
    let shown = shown.split_once("error: psycopg2").expect("the installer's own error").1;
    insta::assert_snapshot!(shown);
}

#[test]
fn a_builder_with_another_python() {
    let arguments = [("POETRY_BUILDKIT_BUILDER", "python:3.13"), ("POETRY_BUILDKIT_BUILD_APT", "[]")];
    insta::assert_snapshot!(shown("postgres", |_| {}, &arguments));
}

#[test]
fn a_build_script_that_fails() {
    let spoil = |folder: &Path| edit(folder, "fastsum/_sum.c", "return NULL;", "return nothing;");
    let shown = shown("extension", spoil, &[]);
    let shown = shown.split_once("error: fastsum cannot").expect("the installer's own error").1;
    insta::assert_snapshot!(shown);
}

/// A namespace for cache mounts that no other run has.
fn run(test: &str) -> String {
    alone(Build::new("."), test).argument("BUILDKIT_CACHE_MOUNT_NS").expect("a namespace")
}
