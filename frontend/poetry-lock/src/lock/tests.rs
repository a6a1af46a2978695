use super::*;
use crate::{Environment, Extras};

/// A lock of version 2.1 with one package, with these lines in addition.
fn package(lines: &str) -> LockedPackage {
    let groups = if lines.contains("groups =") { "" } else { "groups = ['main']\n" };
    let text = format!(
        "[[package]]\nname = 'a'\nversion = '1.0'\noptional = false\npython-versions = '*'\nfiles = []\n{groups}{lines}\n[metadata]\nlock-version = '2.1'\n"
    );
    Lock::read(&text).unwrap().packages.remove(0)
}

#[test]
fn every_kind_of_source_is_read() {
    let source = |lines: &str| package(&format!("[package.source]\n{lines}")).source;
    assert_eq!(package("").source, Source::Default);
    assert_eq!(
        source("type = 'legacy'\nurl = 'https://example.org/simple'\nreference = 'Own'"),
        Source::Index { name: "Own".into(), url: "https://example.org/simple".into() }
    );
    let git = source(
        "type = 'git'\nurl = 'https://example.org/a.git'\nreference = 'main'\nresolved_reference = 'abc'\nsubdirectory = 's'",
    );
    assert_eq!(git.commit(), Some("abc"));
    let old_git = source("type = 'git'\nurl = 'https://example.org/a.git'\nreference = 'def'");
    assert_eq!(old_git.commit(), Some("def"));
    assert_eq!(source("type = 'directory'\nurl = '../a'"), Source::Directory { path: "../a".into() });
    assert_eq!(source("type = 'file'\nurl = 'a.whl'"), Source::File { path: "a.whl".into(), subdirectory: None });
    assert!(!source("type = 'url'\nurl = 'https://example.org/a.zip'").is_index());
}

#[test]
fn markers_are_for_all_groups_or_for_each() {
    let environment = Environment::linux("3.11.7", "x86_64").unwrap();
    let holding = |lines: &str| {
        let package = package(lines);
        let holds = |marker: &crate::Marker| marker.evaluate(&environment, Extras::Open).unwrap();
        package.groups.into_iter().map(|(group, marker)| (group.to_string(), holds(&marker))).collect::<Vec<_>>()
    };
    let all = |main, dev| vec![("main".to_owned(), main), ("my-dev".to_owned(), dev)];
    let groups = "groups = ['main', 'My.Dev']\n";
    assert_eq!(holding(groups), all(true, true));
    assert_eq!(holding(&format!("{groups}markers = 'os_name == \"nt\"'")), all(false, false));
    // A group without an entry has no marker; keys are spelled like the groups.
    assert_eq!(holding(&format!("{groups}markers = {{ 'My.Dev' = 'os_name == \"nt\"' }}")), all(true, false));
    assert_eq!(holding(&format!("{groups}markers = {{ main = '<empty>', 'My.Dev' = '*' }}")), all(false, true));
}

#[test]
fn dependencies_and_extras_of_packages_are_read() {
    let package = package(
        "[package.dependencies]\n\"jaraco.classes\" = '>=3'\nlocal = { path = '../b', develop = true }\n\
         split = [{ version = '1', markers = 'os_name == \"nt\"' }, { version = '2', optional = true, markers = 'extra == \"X_y\"' }]\n\
         [package.extras]\nX_y = ['split (>=1.0,<2) ; os_name == \"nt\"', 'a[z]', 'odd[p,q] (^1.0)']\n",
    );
    let names: Vec<_> = package.dependencies.iter().map(|dependency| dependency.raw_name.as_str()).collect();
    assert_eq!(names, ["jaraco.classes", "local", "split", "split"]);
    assert_eq!(package.dependencies[3].in_extras, [Name::new("x-y")]);
    let members: Vec<_> =
        package.extras[&Name::new("x-y")].iter().map(|member| (member.name.as_str(), member.extras.len())).collect();
    assert_eq!(members, [("split", 0), ("a", 1), ("odd", 2)]);
}

#[test]
fn old_files_are_those_of_the_version() {
    let text = "[[package]]\nname = 'Foo.Bar'\nversion = '1.0'\noptional = false\npython-versions = '*'\n\
                [metadata]\nlock-version = '1.1'\n[metadata.files]\n'Foo.Bar' = [\n\
                { file = 'Foo.Bar-1.0.tar.gz', hash = 'sha256:1' },\n{ file = 'foo_bar-1.0.0-py3-none-any.whl', hash = 'sha256:2' },\n\
                { file = 'foo_bar-2.0-py3-none-any.whl', hash = 'sha256:3' },\n{ file = 'foo_bar-1.0.exe', hash = 'sha256:4' },\n]\n";
    let files: Vec<_> = Lock::read(text).unwrap().packages[0].files.iter().map(|file| file.hash.clone()).collect();
    assert_eq!(files, ["sha256:1", "sha256:2"]);
}

#[test]
fn the_oldest_locks_have_bare_hashes() {
    let text = "[[package]]\nname = 'a'\nversion = '1.0'\noptional = false\npython-versions = '*'\n\
                [metadata]\ncontent-hash = 'x'\n[metadata.hashes]\na = ['0123']\n";
    assert_eq!(Lock::read(text).unwrap().packages[0].files, []);
}

#[test]
fn a_newer_minor_version_is_read_with_a_warning() {
    let lock = Lock::read("package = []\n[metadata]\nlock-version = '2.2'\n").unwrap();
    assert!(matches!(lock.warnings[..], [Warning::NewerLockVersion { .. }]));
    assert!(lock.version.has_groups());
    for version in ["0.9", "3.0", "999", "x"] {
        let error = Lock::read(&format!("[metadata]\nlock-version = '{version}'\n")).unwrap_err();
        assert_eq!(error.to_string(), format!("locks of version {version} cannot be read"));
    }
}

#[test]
fn the_generator_is_read_from_the_first_line() {
    let line = |line: &str| generator(line).map(|version| version.to_string());
    assert_eq!(
        line("# This file is automatically @generated by Poetry 2.1.4 and should not be changed by hand.\n").as_deref(),
        Some("2.1.4")
    );
    assert_eq!(line("# This file is automatically @generated by Poetry and should not be changed by hand.\n"), None);
    assert_eq!(line("[[package]]\n"), None);
}
