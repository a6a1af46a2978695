//! The rules of selection and of the choice of files, one by one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fmt::Write;

use poetry_lock::{
    Algorithm, Artifact, Environment, Error, FilePolicy, GroupChoice, Interpreter, Libc, Name, Options, PackageSet,
    Project, SkipReason, Source, Tags, Texts, Warning,
};

/// A lock made of packages, each told by its lines.
fn lock(version: &str, packages: &[(&str, &str, &str)], extras: &str) -> String {
    let mut text = String::new();
    for (name, package_version, lines) in packages {
        let (own, tables) = lines
            .split_once("[package")
            .map_or((*lines, String::new()), |(own, rest)| (own, format!("[package{rest}")));
        let python = if own.contains("python-versions") { "" } else { "python-versions = '*'\n" };
        let optional = if own.contains("optional") { "" } else { "optional = false\n" };
        let files = if own.contains("files") { "" } else { "files = []\n" };
        write!(
            text,
            "[[package]]\nname = '{name}'\nversion = '{package_version}'\n{python}{optional}{files}{own}\n{tables}\n"
        )
        .unwrap();
    }
    format!("{text}\n[extras]\n{extras}\n[metadata]\nlock-version = '{version}'\n")
}

fn project(pyproject: &str, lock: &str) -> Project {
    Project::read(&Texts { pyproject, lock, poetry_toml: None }).unwrap()
}

fn linux() -> Environment {
    Environment::linux("3.11.7", "x86_64").unwrap()
}

fn names(list: &[&str]) -> Vec<Name> {
    list.iter().map(|name| Name::new(name)).collect()
}

fn wish() -> Options {
    Options { allow_stale: true, ..Options::default() }
}

fn selected(project: &Project, options: &Options) -> Vec<String> {
    let selection = project.select(&linux(), options).unwrap();
    selection
        .packages
        .iter()
        .map(|selected| format!("{} {}", selected.package.name, selected.package.version))
        .collect()
}

const GROUPS: &str = "[project]\nname = 'root'\nversion = '1'\ndependencies = ['m']\n\
    [dependency-groups]\ndev = ['d']\n'Opt.Group' = ['o']\n[tool.poetry.group.'Opt.Group']\noptional = true\n";

fn groups_lock() -> String {
    lock(
        "2.1",
        &[("m", "1", "groups = ['main']"), ("d", "1", "groups = ['dev']"), ("o", "1", "groups = ['Opt.Group']")],
        "",
    )
}

#[test]
fn groups_are_chosen_like_on_the_command_line() {
    let project = project(GROUPS, &groups_lock());
    let chosen = |only: &[&str], with: &[&str], without: &[&str], all| {
        let groups = GroupChoice { only: names(only), with: names(with), without: names(without), all };
        selected(&project, &Options { groups, ..wish() })
    };
    assert_eq!(chosen(&[], &[], &[], false), ["d 1", "m 1"]);
    assert_eq!(chosen(&["opt_group"], &[], &[], false), ["o 1"]);
    assert_eq!(chosen(&[], &["Opt.Group"], &[], false), ["d 1", "m 1", "o 1"]);
    assert_eq!(chosen(&[], &["opt-group"], &["opt-group", "main"], false), ["d 1"]);
    assert_eq!(chosen(&[], &[], &[], true), ["d 1", "m 1", "o 1"]);
    assert_eq!(selected(&project, &Options { only_root: true, ..wish() }), Vec::<String>::new());
}

#[test]
fn with_and_without_have_no_effect_beside_only() {
    let project = project(GROUPS, &groups_lock());
    let groups =
        GroupChoice { only: names(&["dev"]), with: names(&["opt-group"]), without: names(&["dev"]), all: false };
    let selection = project.select(&linux(), &Options { groups, ..wish() }).unwrap();
    assert_eq!(selection.packages.len(), 1);
    assert!(selection.warnings.contains(&Warning::IgnoredGroups));
}

#[test]
fn main_exists_without_dependencies() {
    let project = project("[tool.poetry]\nname = 'root'\n", &lock("2.1", &[], ""));
    let groups = GroupChoice { only: names(&["main"]), ..GroupChoice::default() };
    assert!(project.select(&linux(), &Options { groups, ..wish() }).unwrap().packages.is_empty());
}

#[test]
fn the_root_is_installed_if_it_is_a_package_and_wanted() {
    let root = |pyproject: &str, options: &Options| {
        project(pyproject, &lock("2.1", &[], "")).select(&linux(), options).unwrap().root
    };
    assert!(root("[tool.poetry]\nname = 'root'\n", &wish()));
    assert!(!root("[tool.poetry]\nname = 'root'\n", &Options { no_root: true, ..wish() }));
    assert!(root("[tool.poetry]\nname = 'root'\n", &Options { only_root: true, ..wish() }));
    assert!(!root("[tool.poetry]\npackage-mode = false\n", &wish()));
}

#[test]
fn a_package_is_installed_if_a_marker_of_an_active_group_holds() {
    let pyproject = "[project]\nname = 'root'\ndependencies = []\n[dependency-groups]\ndev = []\ntest = []\n";
    for (groups, markers, only, expected) in [
        ("'main'", "", "main", true),
        ("'main'", "", "dev", false),
        ("'main', 'dev'", "markers = 'os_name == \"nt\"'", "dev", false),
        ("'main', 'dev'", "markers = { main = 'os_name == \"nt\"' }", "dev", true),
        ("'main', 'dev'", "markers = { main = 'os_name == \"nt\"' }", "main", false),
        ("'main', 'dev'", "markers = { main = 'os_name == \"nt\"', dev = 'os_name == \"posix\"' }", "main dev", true),
        ("'main', 'dev'", "markers = { test = 'os_name == \"posix\"', dev = 'os_name == \"nt\"' }", "dev test", false),
        ("'main'", "markers = 'extra == \"fast\"'", "main", false),
        ("'main'", "markers = 'extra != \"fast\"'", "main", true),
    ] {
        let lines = format!("groups = [{groups}]\n{markers}");
        let project = project(pyproject, &lock("2.1", &[("a", "1", &lines)], "fast = ['a']"));
        let groups = GroupChoice { only: only.split(' ').map(Name::new).collect(), ..GroupChoice::default() };
        let found = selected(&project, &Options { groups, ..wish() });
        assert_eq!(!found.is_empty(), expected, "{lines} for {only}");
    }
}

#[test]
fn packages_of_other_pythons_are_installed_with_a_warning_since_2_1() {
    let project = project(
        "[project]\nname = 'root'\ndependencies = ['a']\n",
        &lock("2.1", &[("a", "1", "python-versions = '>=3.99'\ngroups = ['main']")], ""),
    );
    let selection = project.select(&linux(), &wish()).unwrap();
    assert_eq!(selection.packages.len(), 1);
    let warning = selection.warnings.iter().find(|warning| matches!(warning, Warning::PackagePython { .. })).unwrap();
    assert_eq!(warning.to_string(), "`a` 1 is made for Python >=3.99, not for 3.11.7");
}

#[test]
fn folders_can_be_left_out_and_their_dependencies_stay() {
    let project = project(
        "[tool.poetry]\nname = 'root'\n[tool.poetry.dependencies]\nlib = { path = 'libs/lib', develop = true }\n",
        &lock(
            "2.0",
            &[
                (
                    "lib",
                    "1",
                    "develop = true\n[package.dependencies]\nother = { path = '../other' }\ndeep = '*'\n[package.source]\ntype = 'directory'\nurl = 'libs/lib'",
                ),
                ("other", "1", "[package.source]\ntype = 'directory'\nurl = 'libs/other'"),
                ("deep", "1", ""),
            ],
            "",
        ),
    );
    assert_eq!(selected(&project, &wish()), ["deep 1", "lib 1", "other 1"]);
    let selection = project.select(&linux(), &Options { no_directory: true, ..wish() }).unwrap();
    assert_eq!(selection.packages.len(), 1);
    let reasons: Vec<_> = selection.skipped.iter().map(|skipped| skipped.reason).collect();
    assert_eq!(reasons, [SkipReason::Directory, SkipReason::Directory]);
}

#[test]
fn two_selected_versions_are_an_error_that_a_walk_may_avoid() {
    let project = project(
        "[project]\nname = 'root'\n[project.optional-dependencies]\nfancy = ['click==8.1.7']\nbig = ['click']\n",
        &lock(
            "2.1",
            &[
                (
                    "click",
                    "8.1.7",
                    "optional = true\ngroups = ['main']\nmarkers = 'extra == \"fancy\" or extra == \"big\"'",
                ),
                ("click", "8.1.8", "optional = true\ngroups = ['main']\nmarkers = 'extra == \"big\"'"),
            ],
            "fancy = ['click']\nbig = ['click']",
        ),
    );
    let big = Options { extras: names(&["big"]), ..wish() };
    let Err(Error::TwoVersions { name, first, second, .. }) = project.select(&linux(), &big) else {
        panic!("both are selected")
    };
    assert_eq!(
        (name.as_str(), first.split(' ').next(), second.split(' ').next()),
        ("click", Some("8.1.7"), Some("8.1.8"))
    );
    assert_eq!(selected(&project, &Options { algorithm: Algorithm::Walk, ..big }), ["click 8.1.7"]);
}

#[test]
fn the_project_s_settings_can_ask_for_a_walk() {
    let lock = lock("2.1", &[("a", "1", "groups = []")], "");
    let pyproject = "[project]\nname = 'root'\ndependencies = ['a']\n";
    let read = |poetry_toml| Project::read(&Texts { pyproject, lock: &lock, poetry_toml: Some(poetry_toml) }).unwrap();
    assert_eq!(selected(&read(""), &wish()), Vec::<String>::new());
    assert_eq!(selected(&read("[installer]\nre-resolve = true\n"), &wish()), ["a 1"]);
    let check = Options { algorithm: Algorithm::CrossCheck, ..wish() };
    let warnings = read("").select(&linux(), &check).unwrap().warnings;
    let difference = "by markers only: nothing; by dependencies only: a 1";
    assert!(
        warnings
            .iter()
            .any(|warning| matches!(warning, Warning::CrossCheck { difference: found } if found == difference))
    );
}

/// A project of Poetry 1 with these dependencies, and a lock of version 2.0.
fn walk(dependencies: &str, packages: &[(&str, &str, &str)]) -> Project {
    project(
        &format!("[tool.poetry]\nname = 'root'\n[tool.poetry.dependencies]\n{dependencies}"),
        &lock("2.0", packages, ""),
    )
}

#[test]
fn a_walk_takes_the_highest_entry_that_fits_all() {
    let packages = [
        ("a", "1", "[package.dependencies]\nt = '>=1'"),
        ("b", "1", "[package.dependencies]\nt = '<2'"),
        ("t", "1.5", "[package.dependencies]\nold = '*'"),
        ("t", "2.0", "[package.dependencies]\nnew = '*'"),
        ("old", "1", ""),
        ("new", "1", ""),
    ];
    assert_eq!(selected(&walk("a = '*'\nb = '*'\n", &packages), &wish()), ["a 1", "b 1", "old 1", "t 1.5"]);
    assert_eq!(selected(&walk("a = '*'\n", &packages), &wish()), ["a 1", "new 1", "t 2.0"]);
}

#[test]
fn a_walk_skips_entries_for_other_pythons() {
    let packages = [("t", "1", ""), ("t", "2", "python-versions = '>=3.12'")];
    assert_eq!(selected(&walk("t = '*'\n", &packages), &wish()), ["t 1"]);
}

#[test]
fn a_walk_follows_the_extras_of_packages() {
    let packages = [
        (
            "a",
            "1",
            "[package.dependencies]\nx = { version = '*', optional = true, markers = 'extra == \"one\"' }\n\
             y = { version = '*', optional = true, markers = 'extra == \"two\" or extra == \"three\"' }\n\
             [package.extras]\none = ['x']\ntwo = ['y (>=1)']\nthree = ['y']\nall = ['a[one,two]']",
        ),
        ("b", "1", "[package.dependencies]\na = { version = '*', extras = ['two'] }"),
        ("x", "1", ""),
        ("y", "1", ""),
    ];
    assert_eq!(selected(&walk("a = '*'\n", &packages), &wish()), ["a 1"]);
    assert_eq!(selected(&walk("a = { version = '*', extras = ['one'] }\n", &packages), &wish()), ["a 1", "x 1"]);
    assert_eq!(selected(&walk("b = '*'\n", &packages), &wish()), ["a 1", "b 1", "y 1"]);
    assert_eq!(selected(&walk("a = { version = '*', extras = ['all'] }\n", &packages), &wish()), ["a 1", "x 1", "y 1"]);
    assert_eq!(
        selected(&walk("a = { version = '*', extras = ['one'] }\nb = '*'\n", &packages), &wish()),
        ["a 1", "b 1", "x 1", "y 1"]
    );
}

#[test]
fn a_walk_ignores_the_lock_s_word_on_optional() {
    let packages = [("a", "1", "optional = true"), ("unused", "1", "")];
    let project = walk("a = '*'\n", &packages);
    assert_eq!(selected(&project, &wish()), ["a 1"]);
    assert_eq!(project.select(&linux(), &wish()).unwrap().skipped[0].reason, SkipReason::NotReached);
}

#[test]
fn a_dependency_on_the_project_itself_is_skipped() {
    assert_eq!(selected(&walk("a = '*'\n", &[("a", "1", "[package.dependencies]\nroot = '>=9'")]), &wish()), ["a 1"]);
}

#[test]
fn sources_are_told_apart_by_name() {
    let own = "[package.source]\ntype = 'legacy'\nurl = 'https://example.org/simple'\nreference = 'Own'";
    let packages = [("a", "2", ""), ("a", "1", own)];
    assert_eq!(selected(&walk("a = '*'\n", &packages), &wish()), ["a 2"]);
    assert_eq!(selected(&walk("a = { version = '*', source = 'own' }\n", &packages), &wish()), ["a 1"]);
    assert_eq!(selected(&walk("a = { version = '*', source = 'PyPI' }\n", &packages), &wish()), ["a 2"]);
}

#[test]
fn the_oldest_locks_lack_setuptools_and_keep_commits_in_the_reference() {
    let pyproject = "[tool.poetry]\nname = 'root'\n[tool.poetry.dependencies]\na = '*'\ng = { git = 'https://example.org/g.git', branch = 'main' }\n";
    let packages = [
        ("a", "1", "[package.dependencies]\nsetuptools = '>=40'"),
        ("g", "1", "[package.source]\ntype = 'git'\nurl = 'https://example.org/g.git'\nreference = '0123456789'"),
    ];
    let old = project(pyproject, &lock("1.0", &packages, ""));
    assert_eq!(selected(&old, &wish()), ["a 1", "g 1"]);
    let git = old.lock.entries_of(&Name::new("g")).next().unwrap();
    assert!(matches!(&git.source, Source::Git { .. }) && git.source.commit() == Some("0123456789"));
    let new = project(pyproject, &lock("2.0", &packages, ""));
    assert!(matches!(new.select(&linux(), &wish()), Err(Error::NoSolution { .. })));
}

#[test]
fn optional_dependencies_take_part_in_the_solution() {
    let project = project(
        "[tool.poetry]\nname = 'root'\n[tool.poetry.dependencies]\na = '*'\nb = { version = '*', optional = true }\n[tool.poetry.extras]\nfast = ['b']\n",
        &lock("2.0", &[("a", "1", ""), ("a", "2", ""), ("b", "1", "[package.dependencies]\na = '<2'")], "fast = ['b']"),
    );
    assert_eq!(selected(&project, &wish()), ["a 1"]);
    assert_eq!(selected(&project, &Options { extras: names(&["Fast"]), ..wish() }), ["a 1", "b 1"]);
    assert_eq!(selected(&project, &Options { all_extras: true, ..wish() }), ["a 1", "b 1"]);
}

fn artifact(files: &[&str], policy: &FilePolicy) -> (String, Vec<String>) {
    let files: Vec<_> = files.iter().map(|file| format!("{{ file = '{file}', hash = 'sha256:0' }}")).collect();
    let lines = format!("groups = ['main']\nfiles = [{}]", files.join(", "));
    let project = project("[tool.poetry]\nname = 'root'\n", &lock("2.1", &[("foo", "1.0", &lines)], ""));
    let tags = Tags::of(&Interpreter::cpython((3, 11), "linux-x86_64", Libc::Glibc(2, 36))).unwrap();
    match project.lock.packages[0].artifact(&tags, policy).unwrap() {
        Artifact::Locked(choice) => {
            (choice.file.name.clone(), choice.ties.iter().map(|file| file.name.clone()).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_are_ranked_like_in_poetry() {
    let sdist = "foo-1.0.tar.gz";
    let pure = "foo-1.0-py3-none-any.whl";
    let native = "foo-1.0-cp311-cp311-manylinux2014_x86_64.whl";
    let built = "foo-1.0-1-py2.py3-none-any.whl";
    let later = "foo-1.0-10-py3-none-any.whl";
    let best = |files: &[&str]| artifact(files, &FilePolicy::default()).0;
    assert_eq!(best(&[sdist, pure]), pure);
    assert_eq!(best(&[pure, native, sdist]), native);
    assert_eq!(best(&[native, built]), built);
    assert_eq!(best(&[later, built]), later);
    assert_eq!(
        best(&["foo-1.0-cp311-cp311-win_amd64.whl", "foo-1.0-cp312-cp312-manylinux2014_x86_64.whl", sdist]),
        sdist
    );
    assert_eq!(best(&["bar-1.0-py3-none-any.whl", "foo-1.1-py3-none-any.whl", "foo-1.0.egg", sdist]), sdist);
}

#[test]
fn files_that_rank_the_same_are_told() {
    let (file, ties) = artifact(&["foo-1.0.tar.gz", "foo-1.0.zip"], &FilePolicy::default());
    assert_eq!((file.as_str(), ties), ("foo-1.0.tar.gz", vec!["foo-1.0.zip".to_owned()]));
}

#[test]
fn policies_exclude_wheels_or_source_distributions() {
    let files = ["foo-1.0.tar.gz", "foo-1.0-py3-none-any.whl"];
    let policy = |no_binary, only_binary| FilePolicy {
        no_binary: PackageSet::parse(no_binary),
        only_binary: PackageSet::parse(only_binary),
    };
    assert_eq!(artifact(&files, &policy(":all:", "")).0, files[0]);
    assert_eq!(artifact(&files, &policy(":all:", "Foo")).0, files[1]);
    assert_eq!(artifact(&files, &policy("foo", ":all:")).0, files[0]);
}

#[test]
fn a_wheel_at_an_address_has_to_fit() {
    let tags = Tags::of(&Interpreter::cpython((3, 11), "linux-aarch64", Libc::Glibc(2, 36))).unwrap();
    let of = |source: &str| {
        let lines = format!("groups = ['main']\nfiles = []\n[package.source]\n{source}");
        let project = project("[tool.poetry]\nname = 'root'\n", &lock("2.1", &[("foo", "1.0", &lines)], ""));
        let artifact = project.lock.packages[0].artifact(&tags, &FilePolicy::default());
        artifact.map(|_| ()).map_err(|error| error.to_string())
    };
    let wheel =
        |platform: &str| format!("type = 'url'\nurl = 'https://example.org/foo-1.0-cp311-cp311-{platform}.whl'");
    assert_eq!(of(&wheel("manylinux2014_aarch64")), Ok(()));
    assert_eq!(
        of(&wheel("manylinux2014_x86_64")).unwrap_err(),
        "none of the 1 locked files of `foo` 1.0 can be installed: 1 for other interpreters or platforms"
    );
    // As Poetry does it.
    assert_eq!(of("type = 'file'\nurl = 'foo-1.0-cp311-cp311-manylinux2014_x86_64.whl'"), Ok(()));
}

#[test]
fn other_sources_are_told_as_they_are() {
    let of = |source: &str, files: &str| {
        let lines = format!("groups = ['main']\nfiles = [{files}]\n[package.source]\n{source}");
        let project = project("[tool.poetry]\nname = 'root'\n", &lock("2.1", &[("foo", "1.0", &lines)], ""));
        format!("{:?}", project.lock.packages[0].artifact(&Tags::from_ordered(vec![]), &FilePolicy::default()).unwrap())
    };
    let file = "{ file = 'foo-1.0.zip', hash = 'sha256:ab' }";
    assert_eq!(
        of("type = 'url'\nurl = 'https://example.org/x/foo-1.0%2Bcpu%.zip?raw=1#sub'", file),
        r#"Url { url: "https://example.org/x/foo-1.0%2Bcpu%.zip?raw=1#sub", file_name: "foo-1.0+cpu%.zip", hash: Some("sha256:ab"), subdirectory: None }"#
    );
    assert_eq!(
        of("type = 'file'\nurl = 'dist/foo-1.0.zip'", ""),
        r#"File { path: "dist/foo-1.0.zip", hash: None, subdirectory: None }"#
    );
    assert_eq!(of("type = 'directory'\nurl = 'foo'", ""), r#"Directory { path: "foo" }"#);
}
