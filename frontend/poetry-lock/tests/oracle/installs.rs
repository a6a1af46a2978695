use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use poetry_lock::{Algorithm, Dialect, Environment, Error, GroupChoice, Name, Options, Project, Texts};
use serde_json::{Value, json};

use crate::projects::{self, Case, Style};
use crate::random::Random;
use crate::{ask, cases, refuse, say, seed};

/// Errors of Poetry that say nothing about the lock: it gives up on a candidate whose dependencies
/// exclude each other even if another would do, it wants to fetch a package that names its origin
/// again when it has to go back on it, and it may not come to an end.
const UNUSABLE: [&str; 4] = ["IncompatibleConstraintsError", "connect to", "Max retries", "TimeoutError"];

/// What we would install: names and versions, or the error.
fn ours(case: &Case, algorithm: Algorithm, dialect: Dialect) -> Result<Vec<String>, Error> {
    let texts = Texts { pyproject: &case.pyproject, lock: &case.lock, poetry_toml: None };
    let project = Project::read_as(&texts, dialect)?;
    let options = Options {
        groups: GroupChoice {
            only: case.groups.iter().map(|group| Name::new(group)).collect(),
            ..GroupChoice::default()
        },
        extras: case.extras.iter().map(|extra| Name::new(extra)).collect(),
        algorithm,
        ..Options::default()
    };
    let selection = project.select(&Environment::new(case.environment.clone())?, &options)?;
    Ok(selection
        .packages
        .iter()
        .map(|selected| format!("{} {}", selected.package.name, selected.package.version))
        .collect())
}

fn compare(style: Style, algorithm: Algorithm, count: u64) {
    let mut random = Random::new(seed() + style as u64 * 1_000_003);
    let cases: Vec<_> = (0..cases(count)).map(|_| projects::make(&mut random, style)).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{style:?}-{algorithm:?}"));
    let mut questions = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let folder = folder.join(index.to_string());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("pyproject.toml"), &case.pyproject).unwrap();
        fs::write(folder.join("poetry.lock"), &case.lock).unwrap();
        questions.push(json!({
            "folder": folder,
            "environment": case.environment,
            "re_resolve": algorithm == Algorithm::Walk,
            "groups": case.groups,
            "extras": case.extras,
        }));
    }
    let Some(answers) = ask("installs", &Value::Array(questions)) else { return };
    let dialect =
        if answers["poetry"].as_str().unwrap().starts_with("1.") { Dialect::Poetry1 } else { Dialect::Poetry2 };
    if dialect == Dialect::Poetry1 && style == Style::Lock2_1 {
        say("SKIPPED: Poetry 1 does not read locks of version 2.1 the way they are meant.");
        return;
    }
    let mut differences = Vec::new();
    let (mut compared, mut errors) = (0, 0);
    for ((index, case), answer) in cases.iter().enumerate().zip(answers["answers"].as_array().unwrap()) {
        let ours = ours(case, algorithm, dialect);
        let theirs: Option<Vec<&str>> =
            answer["install"].as_array().map(|list| list.iter().map(|item| item.as_str().unwrap()).collect());
        // Poetry 1 takes the incompatibilities of 2.1.0+local for those of 2.1.0, and then leaves out
        // packages that are asked for.
        if dialect == Dialect::Poetry1 && case.has_local_twins {
            continue;
        }
        if answer["error"].as_str().is_some_and(|error| UNUSABLE.iter().any(|part| error.contains(part))) {
            continue;
        }
        compared += 1;
        errors += usize::from(theirs.is_none());
        let agree = match (&ours, &theirs) {
            (Ok(ours), Some(theirs)) => ours == theirs,
            (Err(Error::TwoVersions { .. }), Some(theirs)) => has_two_versions(theirs),
            (Err(_), None) => true,
            _ => false,
        };
        if !agree {
            differences
                .push(format!("{index} {:?} {:?}\n  ours {ours:?}\n  theirs {answer}", case.groups, case.extras));
        }
    }
    say(&format!("{errors} of {compared} cases are errors in Poetry, {} more say nothing", cases.len() - compared));
    refuse(&format!("installs, {style:?} by {algorithm:?}, in {}", folder.display()), compared, &differences);
    fs::remove_dir_all(&folder).unwrap();
}

fn has_two_versions(installed: &[&str]) -> bool {
    let names: Vec<_> = installed.iter().map(|item| item.split(' ').next().unwrap()).collect();
    names.iter().collect::<BTreeSet<_>>().len() < names.len()
}

#[test]
fn locks_with_groups_and_markers_install_what_they_do_in_poetry() {
    compare(Style::Lock2_1, Algorithm::Automatic, 300);
}

#[test]
fn locks_with_groups_can_be_walked_like_older_ones() {
    compare(Style::Lock2_1, Algorithm::Walk, 300);
}

#[test]
fn locks_of_version_2_0_install_what_they_do_in_poetry() {
    compare(Style::Lock2_0, Algorithm::Automatic, 300);
}

#[test]
fn locks_of_version_1_1_install_what_they_do_in_poetry() {
    compare(Style::Lock1_1, Algorithm::Automatic, 300);
}
