//! Packages that come from elsewhere than wheels of an index.

use std::fs;

use end_to_end::{
    docker::{Build, docker, run},
    examples::Example,
    image::Image,
    ready::Ready,
};
use serde_json::Value;

use crate::{alone, build, index};

/// `direct_url.json` of an installed package.
fn direct_url(tag: &str, package: &str) -> Value {
    let code =
        format!("import importlib.metadata as m; print(m.distribution('{package}').read_text('direct_url.json'))");
    serde_json::from_str(&run(&["--entrypoint=python"], tag, &["-c", &code])).expect("JSON")
}

#[test]
fn a_library_that_the_runtime_image_lacks_is_named() {
    let example = Example::named("postgres");
    let without = build(&example, &example.folder, index()).build_arg("POETRY_BUILDKIT_APT", "[]");
    let warning =
        "psycopg2 needs the library libpq.so.5, which the runtime image does not have: add \"libpq5\" to `apt`";
    let shown = without.tag("test-library").run();
    let named = shown.progress.warnings.iter().any(|text| text.starts_with(warning));
    assert!(shown.success && named, "{:?}", shown.progress.warnings);
    let with = build(&example, &example.folder, index()).tag("test-library").run();
    assert_eq!(with.progress.warnings, Vec::<String>::new());
}

#[test]
fn a_build_runs_again_only_if_its_own_source_changes() {
    let example = Example::named("monorepo");
    let folder = example.copy();
    let build = alone(build(&example, folder.path(), index()), "rebuild");
    let execs = || build.succeed().execs().into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert!(execs().iter().any(|name| name.contains("rules 3.0.0 (build ../../libs/rules)")));
    fs::write(folder.path().join("services/api/api/more.py"), "").expect("a file of the application");
    fs::write(folder.path().join("libs/shared/src/shared/more.py"), "").expect("a file of an editable library");
    assert_eq!(execs(), Vec::<String>::new());
    fs::write(folder.path().join("libs/rules/rules/more.py"), "").expect("a file of a library that is built");
    let ran = execs();
    assert!(ran.len() == 1 && ran[0].contains("rules 3.0.0"), "{ran:?}");
}

#[test]
fn only_what_is_needed_travels_to_the_builder() {
    let example = Example::named("monorepo");
    let folder = example.copy();
    fs::create_dir_all(folder.path().join("services/web")).expect("a folder");
    fs::create_dir_all(folder.path().join("libs/other")).expect("a folder");
    for file in ["services/web/large.bin", "libs/other/large.bin", "large.bin"] {
        fs::write(folder.path().join(file), vec![7; 3_000_000]).expect("a file");
    }
    let shown = alone(build(&example, folder.path(), index()), "travels").run();
    assert!(shown.success, "{}", shown.stderr);
    let bytes = shown.progress.transferred();
    assert!(bytes > 0 && bytes < 1_000_000, "{bytes} bytes travelled");
}

#[test]
fn ignored_files_of_folders_are_in_no_image() {
    let example = Example::named("monorepo");
    let folder = example.copy();
    fs::write(folder.path().join(".dockerignore"), "**/*.log\nlibs/*/private\n").expect(".dockerignore");
    fs::create_dir(folder.path().join("libs/shared/private")).expect("a folder");
    for file in [".env", "src/shared/build.log", "private/key", "kept.txt"] {
        fs::write(folder.path().join("libs/shared").join(file), "x").expect("a file");
    }
    build(&example, folder.path(), index()).tag("test-ignored").succeed();
    let files = Image::over("test-ignored", "python:3.11-slim").files();
    let found: Vec<&String> = files.keys().filter(|path| path.starts_with("/libs/shared/")).collect();
    assert_eq!(
        found,
        [
            "/libs/shared/kept.txt",
            "/libs/shared/pyproject.toml",
            "/libs/shared/src",
            "/libs/shared/src/shared",
            "/libs/shared/src/shared/__init__.py"
        ]
    );
}

#[test]
fn direct_references_are_recorded_as_poetry_does() {
    let tag = "test-direct-url";
    let monorepo = Example::named("monorepo");
    build(&monorepo, &monorepo.folder, index()).tag(tag).succeed();
    let expected = |editable: bool, url: &str| match editable {
        true => serde_json::json!({ "url": url, "dir_info": { "editable": true } }),
        false => serde_json::json!({ "url": url, "dir_info": {} }),
    };
    assert_eq!(direct_url(tag, "shared"), expected(true, "file:///libs/shared"));
    assert_eq!(direct_url(tag, "rules"), expected(false, "file:///libs/rules"));
    assert_eq!(direct_url(tag, "api"), expected(true, "file:///app"));
}

#[test]
fn archives_at_addresses_and_files_of_the_project_are_installed() {
    let example = Example::named("command-line");
    let folder = example.copy();
    let wheel = "mdurl-0.1.2-py3-none-any.whl";
    let source = end_to_end::wheels::folder().join(wheel);
    let sha256 = end_to_end::wheels::digest(&source);
    fs::create_dir(folder.path().join("dist")).expect("a folder");
    fs::copy(&source, folder.path().join("dist").join(wheel)).expect("a wheel");
    let lock = fs::read_to_string(folder.path().join("poetry.lock")).expect("poetry.lock");
    let start = lock.find("[[package]]\nname = \"mdurl\"").expect("mdurl");
    let end = start + 5 + lock[start + 5..].find("[[package]]").expect("another package");
    let url = index().url().replace("/simple", &format!("/files/{wheel}"));
    for (kind, address, recorded) in [
        ("url", url.as_str(), url.clone()),
        ("file", "dist/mdurl-0.1.2-py3-none-any.whl", format!("file:///app/dist/{wheel}")),
    ] {
        let with = format!("{}[package.source]\ntype = \"{kind}\"\nurl = \"{address}\"\n\n", &lock[start..end]);
        fs::write(folder.path().join("poetry.lock"), lock.replace(&lock[start..end], &with)).expect("poetry.lock");
        let tag = format!("test-archive-{kind}");
        build(&example, folder.path(), index()).tag(&tag).succeed();
        let expected = serde_json::json!({ "url": recorded, "archive_info": { "hashes": { "sha256": sha256 } } });
        assert_eq!(direct_url(&tag, "mdurl"), expected);
        assert_eq!(run(&[], &tag, &["Ada"]), "Hello, Ada!\n");
    }
}

#[test]
fn scripts_that_are_files_are_installed() {
    let example = Example::named("extension");
    let ready = Ready::new(&example, index());
    ready.build.clone().tag("test-file-script").succeed();
    assert_eq!(run(&["--entrypoint=sum-all"], "test-file-script", &["1", "2", "39"]), "42\n");
}

#[test]
fn nothing_is_fetched_without_a_network() {
    let example = Example::named("air-gapped");
    let ready = Ready::new(&example, index());
    index().requests();
    let quiet = end_to_end::index::Index::start(end_to_end::wheels::folder());
    let build: Build = ready.build.clone().build_arg("POETRY_BUILDKIT_INDEX", &quiet.url());
    alone(build, "offline").tag("test-offline").succeed();
    assert_eq!(quiet.requests(), Vec::<String>::new());
    docker(["image", "inspect", "test-offline"]);
}
