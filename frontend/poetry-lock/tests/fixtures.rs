//! One small project, locked in every version of the format (`tests/fixtures`). Real Poetry, 1.8.5
//! and 2.5.1, gives the answers that stand here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use poetry_lock::{
    Algorithm, Artifact, Dialect, Environment, Freshness, GroupChoice, HashFormula, Interpreter, Libc, LockVersion,
    Name, Options, Project, SkipReason, Tags, Texts, Warning,
};

const VERSIONS: [&str; 5] = ["none", "1.0", "1.1", "2.0", "2.1"];

fn project(version: &str) -> Project {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    Project::read(&Texts { pyproject: &read("pyproject.toml"), lock: &read("poetry.lock"), poetry_toml: None }).unwrap()
}

fn environment(python: &str, platform: &str) -> Environment {
    let mut variables: std::collections::BTreeMap<_, _> = [("python_full_version", python), ("sys_platform", platform)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    variables.insert("platform_system".into(), if platform == "win32" { "Windows" } else { "Linux" }.into());
    Environment::new(variables).unwrap()
}

fn installed(project: &Project, environment: &Environment, options: &Options) -> Vec<String> {
    let selection = project.select(environment, options).unwrap();
    selection
        .packages
        .iter()
        .map(|selected| format!("{} {}", selected.package.name, selected.package.version))
        .collect()
}

fn only(groups: &[&str], extras: &[&str]) -> Options {
    let names = |names: &[&str]| names.iter().map(|name| Name::new(name)).collect();
    Options {
        groups: GroupChoice { only: names(groups), ..GroupChoice::default() },
        extras: names(extras),
        ..Options::default()
    }
}

#[test]
fn every_version_of_the_lock_installs_the_same() {
    for version in VERSIONS {
        let project = project(version);
        let linux = environment("3.11.7", "linux");
        assert_eq!(
            installed(&project, &linux, &Options::default()),
            ["checker 1.2.0", "text 2.0.0", "web-kit 2.1.0"],
            "{version}"
        );
        assert_eq!(
            installed(&project, &environment("3.9.18", "linux"), &only(&["main"], &["fast"])),
            ["cache 1.4.0", "lockfile 0.12.2", "text 1.5.0", "web-kit 2.1.0"],
            "{version}"
        );
        assert_eq!(
            installed(&project, &environment("3.11.7", "win32"), &only(&["main"], &[])),
            ["colour 0.4.6", "text 2.0.0", "web-kit 2.1.0"],
            "{version}"
        );
        assert_eq!(installed(&project, &linux, &only(&["dev"], &[])), ["checker 1.2.0"], "{version}");
    }
    let linux = environment("3.11.7", "linux");
    assert_eq!(installed(&project("2.0"), &linux, &only(&["docs"], &[])), ["text 2.0.0"]);
    assert_eq!(installed(&project("2.1"), &linux, &only(&["docs"], &[])), ["checker 1.2.0", "text 2.0.0"]);
}

#[test]
fn a_lock_of_version_2_1_can_be_walked_as_well() {
    let project = project("2.1");
    for (python, platform) in [("3.8.0", "linux"), ("3.11.7", "win32"), ("3.13.0", "linux")] {
        for options in [Options::default(), only(&["docs"], &[]), only(&["main"], &["fast"])] {
            let by_groups = installed(&project, &environment(python, platform), &options);
            let walk = Options { algorithm: Algorithm::Walk, ..options.clone() };
            assert_eq!(installed(&project, &environment(python, platform), &walk), by_groups);
            let both = Options { algorithm: Algorithm::CrossCheck, ..options };
            let selection = project.select(&environment(python, platform), &both).unwrap();
            assert!(!selection.warnings.iter().any(|warning| matches!(warning, Warning::CrossCheck { .. })));
        }
    }
}

#[test]
fn the_hash_shows_which_poetry_made_the_lock() {
    for version in VERSIONS {
        let project = project(version);
        let (formula, dialect) = match version {
            "2.1" => (HashFormula::Poetry2_3, Dialect::Poetry2),
            _ => (HashFormula::Poetry1, Dialect::Poetry1),
        };
        assert_eq!(project.freshness, Freshness::Fresh(formula), "{version}");
        assert_eq!(project.pyproject.dialect, dialect, "{version}");
    }
}

#[test]
fn the_version_and_the_generator_of_a_lock_are_known() {
    let of = |version| {
        let lock = project(version).lock;
        (lock.version, lock.generator.map(|generator| generator.to_string()))
    };
    assert_eq!(of("none"), (LockVersion::V1_0, None));
    assert_eq!(of("1.1"), (LockVersion::V1_1, None));
    assert_eq!(of("2.0"), (LockVersion::V2_0, Some("1.8.5".into())));
    assert_eq!(of("2.1"), (LockVersion::V2_1, Some("2.4.1".into())));
    assert!(matches!(project("none").lock.warnings[..], [Warning::NoLockVersion { .. }]));
}

#[test]
fn files_belong_to_their_version_and_are_chosen_by_tag() {
    let file = |version: &str, python: &str, package: &str, libc| {
        let project = project(version);
        let (major, minor) = python.split_once('.').unwrap();
        let interpreter = Interpreter::cpython((major.parse().unwrap(), minor.parse().unwrap()), "linux-x86_64", libc);
        let selection = project.select(&environment(&format!("{python}.0"), "linux"), &Options::default()).unwrap();
        let package = selection.get(&Name::new(package)).unwrap().package;
        match package.artifact(&Tags::of(&interpreter).unwrap(), &project.settings.files).unwrap() {
            Artifact::Locked(choice) => choice.file.name.clone(),
            other => panic!("{other:?}"),
        }
    };
    for version in VERSIONS {
        let glibc = Libc::Glibc(2, 36);
        assert_eq!(
            file(version, "3.11", "text", glibc),
            "text-2.0.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
        );
        assert_eq!(file(version, "3.11", "text", Libc::Musl(1, 2)), "text-2.0.0-cp311-cp311-musllinux_1_2_x86_64.whl");
        assert_eq!(file(version, "3.12", "text", glibc), "text-2.0.0.tar.gz");
        assert_eq!(file(version, "3.9", "text", Libc::Musl(1, 2)), "text-1.5.0.tar.gz");
        assert_eq!(file(version, "3.11", "web-kit", glibc), "Web_Kit-2.1.0-py3-none-any.whl");
    }
}

#[test]
fn every_package_tells_why_it_is_installed_or_not() {
    for version in VERSIONS {
        let project = project(version);
        let linux = environment("3.11.7", "linux");
        let fast = Options { extras: vec![Name::new("fast")], ..Options::default() };
        let selection = project.select(&linux, &fast).unwrap();
        let reason = |name: &str| selection.get(&Name::new(name)).unwrap().reason.to_string();
        assert_eq!(reason("web-kit"), "group main", "{version}");
        assert_eq!(reason("text"), "group main; required by web-kit", "{version}");
        assert_eq!(reason("checker"), "group dev", "{version}");
        assert_eq!(
            reason("lockfile").replace("group main; ", ""),
            if version == "2.1" { "required by cache" } else { "extra fast; required by cache" }
        );
        let selection = project.select(&linux, &Options::default()).unwrap();
        let skipped =
            |name: &str| selection.skipped.iter().find(|skipped| skipped.package.name.as_str() == name).unwrap().reason;
        assert_eq!(skipped("cache"), SkipReason::Extra, "{version}");
        let by_marker = matches!(version, "none" | "1.0" | "2.1");
        assert_eq!(skipped("colour"), if by_marker { SkipReason::Marker } else { SkipReason::NotReached }, "{version}");
    }
}
