//! What is said about bad input: the message, its place, and the remedy.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write;

use poetry_lock::{
    Environment, Error, GroupChoice, InputFile, Interpreter, Libc, Name, Options, PoetryToml, Project, Tags, Texts,
};

const PYPROJECT: &str = include_str!("fixtures/2.1/pyproject.toml");
const LOCK: &str = include_str!("fixtures/2.1/poetry.lock");
const OLD_PYPROJECT: &str = include_str!("fixtures/2.0/pyproject.toml");
const OLD_LOCK: &str = include_str!("fixtures/2.0/poetry.lock");

/// The error as a frontend would print it: place, the words at that place, message and help.
fn shown(title: &str, error: &Error, pyproject: &str, lock: &str) -> String {
    let mut text = format!("# {title}\n{error}\n");
    if let Some(span) = error.span() {
        let source = match span.file {
            InputFile::Pyproject => pyproject,
            InputFile::Lock => lock,
            InputFile::PoetryToml => "",
        };
        let (line, column) = span.line_column(source);
        let words: String = source.get(span.start..span.end).unwrap_or_default().chars().take(60).collect();
        writeln!(text, "  at {}:{line}:{column}: {}", span.file, words.lines().next().unwrap_or_default()).unwrap();
    }
    if let Some(help) = error.help() {
        writeln!(text, "  help: {help}").unwrap();
    }
    text + "\n"
}

fn reading(title: &str, pyproject: &str, lock: &str) -> String {
    let error = Project::read(&Texts { pyproject, lock, poetry_toml: None }).unwrap_err();
    shown(title, &error, pyproject, lock)
}

/// Both texts, the first of them with a part replaced.
fn in_pyproject(title: &str, from: &str, to: &str) -> String {
    assert!(PYPROJECT.contains(from));
    reading(title, &PYPROJECT.replace(from, to), LOCK)
}

fn in_lock(title: &str, from: &str, to: &str) -> String {
    assert!(LOCK.contains(from));
    reading(title, PYPROJECT, &LOCK.replacen(from, to, 1))
}

#[test]
fn a_lock_that_cannot_be_read() {
    let shown = [
        in_lock("merge conflict", "[metadata]", "<<<<<<< HEAD\n[metadata]"),
        in_lock("no metadata", "[metadata]", "[meta]"),
        in_lock("unknown version", "lock-version = \"2.1\"", "lock-version = \"3.0\""),
        in_lock("version of a wrong type", "lock-version = \"2.1\"", "lock-version = 2.1"),
        in_lock("no version of a package", "version = \"1.4.0\"\n", ""),
        in_lock("no optional", "optional = true\n", ""),
        in_lock("no groups", "groups = [\"main\"]\n", ""),
        in_lock("bad version", "version = \"1.4.0\"", "version = \"one\""),
        in_lock("bad python-versions", "python-versions = \">=3.7\"", "python-versions = \"three\""),
        in_lock("bad marker", "markers = 'extra == \"fast\"'", "markers = 'extra = \"fast\"'"),
        in_lock("bad constraint", "lockfile = \">=0.9\"", "lockfile = \"=>0.9\""),
        in_lock("bad dependency", "lockfile = \">=0.9\"", "lockfile = 9"),
        in_lock("file without a hash", ", hash = \"sha256:5d", ", digest = \"sha256:5d"),
        in_lock(
            "unknown source",
            "[package.dependencies]",
            "[package.source]\ntype = \"svn\"\nurl = \"x\"\n[package.dependencies]",
        ),
        reading(
            "no files",
            include_str!("fixtures/1.1/pyproject.toml"),
            &include_str!("fixtures/1.1/poetry.lock").replace("cache = [", "cash = ["),
        ),
    ];
    insta::assert_snapshot!(shown.concat());
}

#[test]
fn a_pyproject_that_cannot_be_read() {
    let shown = [
        in_pyproject("not TOML", "[project]", "[project"),
        in_pyproject("bad name", "Shop_App", "{{ name }}"),
        in_pyproject("bad requirement", "Web_Kit (>=2.0,<3.0)", "Web_Kit >= two"),
        in_pyproject("bad marker in a requirement", "\"text\"", "\"text ; python > '3'\""),
        in_pyproject("bad requires-python", ">=3.8,<4.0", "py3"),
        in_pyproject("wrong type", "optional = true", "optional = \"yes\""),
        in_pyproject("unknown include", "include-group = \"dev\"", "include-group = \"development\""),
        in_pyproject("circle of includes", "dev = [\"checker (>=1.0,<2.0)\"]", "dev = [{ include-group = \"docs\" }]"),
        in_pyproject("group twice", "docs = [", "Dev = []\ndocs = ["),
        in_pyproject(
            "unknown priority",
            "[build-system]",
            "[[tool.poetry.source]]\nname = \"x\"\npriority = \"last\"\n[build-system]",
        ),
        in_pyproject("date", "\"text\", ", "2020-01-01, "),
    ];
    insta::assert_snapshot!(shown.concat());
}

#[test]
fn a_wish_that_cannot_be_granted() {
    let wish = |title: &str, python: &str, options: Options, (pyproject, lock): (&str, &str)| {
        let project = Project::read(&Texts { pyproject, lock, poetry_toml: None }).unwrap();
        let environment = Environment::linux(python, "x86_64").unwrap();
        shown(title, &project.select(&environment, &options).unwrap_err(), pyproject, lock)
    };
    let names = |names: &[&str]| -> Vec<Name> { names.iter().map(|name| Name::new(name)).collect() };
    let groups = |groups: GroupChoice| Options { groups, ..Options::default() };
    let new = (PYPROJECT, LOCK);
    let wrong_hash = LOCK.replace("content-hash = \"", "content-hash = \"0");
    let two_texts = LOCK.replace("markers = 'python_version < \"3.10\"'", "markers = 'python_version < \"4\"'");
    let kernel =
        LOCK.replace("'platform_system == \"Windows\" or sys_platform == \"win32\"'", "'platform_release >= \"6\"'");
    let no_lockfile = OLD_LOCK.replace("name = \"lockfile\"", "name = \"other\"");
    let old_text = OLD_LOCK.replace("text = \">=1.0\"", "text = \">=3.0\"");
    let conflict =
        OLD_LOCK.replace("[package.dependencies]\nlockfile = \">=0.9\"", "[package.dependencies]\ntext = \"<2.0\"");
    let conflict = conflict.replace("text = \">=1.0\"", "text = \">=2.0\"");
    let shown = [
        wish("Python", "3.7.1", Options::default(), new),
        wish("stale", "3.11.7", Options::default(), (PYPROJECT, &wrong_hash)),
        wish("no group", "3.11.7", groups(GroupChoice { with: names(&["doc"]), ..GroupChoice::default() }), new),
        wish("no extra", "3.11.7", Options { extras: names(&["faster"]), ..Options::default() }, new),
        wish(
            "extras twice",
            "3.11.7",
            Options { extras: names(&["fast"]), all_extras: true, ..Options::default() },
            new,
        ),
        wish(
            "only the root, but not it",
            "3.11.7",
            Options { only_root: true, no_root: true, ..Options::default() },
            new,
        ),
        wish(
            "all groups and some",
            "3.11.7",
            groups(GroupChoice { all: true, only: names(&["dev"]), ..GroupChoice::default() }),
            new,
        ),
        wish("two versions", "3.11.7", Options::default(), (PYPROJECT, &two_texts)),
        wish("unknown variable", "3.11.7", Options::default(), (PYPROJECT, &kernel)),
        wish("not locked", "3.11.7", Options::default(), (OLD_PYPROJECT, &no_lockfile)),
        wish("locked too old", "3.11.7", Options::default(), (OLD_PYPROJECT, &old_text)),
        wish("no agreement", "3.11.7", Options::default(), (OLD_PYPROJECT, &conflict)),
        wish(
            "Python of a package",
            "3.8.1",
            Options::default(),
            (OLD_PYPROJECT, &OLD_LOCK.replace("python-versions = \">=3.7\"", "python-versions = \">=3.9\"")),
        ),
    ];
    insta::assert_snapshot!(shown.concat());
}

#[test]
fn a_package_without_a_fitting_file() {
    let candidate = |title: &str, lock: &str, interpreter: Interpreter, poetry_toml: &str| {
        let project = Project::read(&Texts { pyproject: PYPROJECT, lock, poetry_toml: Some(poetry_toml) }).unwrap();
        let package = project.lock.entries_of(&Name::new("text")).last().unwrap();
        let tags = Tags::of(&interpreter).unwrap();
        shown(title, &package.artifact(&tags, &project.settings.files).unwrap_err(), PYPROJECT, lock)
    };
    let lines = |drop: &str| -> String {
        LOCK.lines().filter(|line| !line.contains(drop)).map(|line| format!("{line}\n")).collect()
    };
    let glibc = |python, machine| Interpreter::cpython(python, machine, Libc::Glibc(2, 36));
    let shown = [
        candidate("only wheels, other Python", &lines("text-2.0.0.tar.gz"), glibc((3, 12), "linux-x86_64"), ""),
        candidate("only wheels, other machine", &lines("text-2.0.0.tar.gz"), glibc((3, 11), "linux-aarch64"), ""),
        candidate("policy", LOCK, glibc((3, 12), "linux-x86_64"), "[installer]\nonly-binary = \"text\"\n"),
        candidate(
            "opposite policy",
            &lines("text-2.0.0.tar.gz"),
            glibc((3, 11), "linux-x86_64"),
            "[installer]\nno-binary = [\"text\"]\n",
        ),
        candidate("no files", &lines("text-2.0.0"), glibc((3, 11), "linux-x86_64"), ""),
    ];
    insta::assert_snapshot!(shown.concat());
}

#[test]
fn settings_of_a_wrong_type() {
    let error = PoetryToml::read("[installer]\nno-binary = 3\n").unwrap_err();
    insta::assert_snapshot!(error, @"`no-binary` has to be a string, but is integer");
}
