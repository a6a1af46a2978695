//! Compares this crate with real Poetry's answers for the locks of public projects.
//!
//! The corpus is a folder: `CASE/pyproject.toml`, `CASE/poetry.lock`, `CASE/expected*/*.json` with
//! Poetry's answers, and `environments/*.json` with the interpreters that they were given for. It
//! is looked for in `POETRY_LOCK_CORPUS`, else beside the workspace. Where it is absent the
//! comparison says so and ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]
#![allow(clippy::explicit_write, reason = "what `eprintln!` writes is not shown if the test passes")]

mod cases;
mod explained;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use cases::{Answer, CorpusEnvironment};
use explained::EXPLAINED;
use poetry_lock::{
    Artifact, Dialect, Environment, Error, GroupChoice, HashFormula, Interpreter, Libc, Name, Options, Project,
    Selection, Source, Tags, Texts, content_hash,
};

/// Says something that is shown even if the test passes.
macro_rules! say {
    ($($text:tt)*) => { writeln!(std::io::stderr(), $($text)*).unwrap() };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Packages,
    Files,
    Root,
    ContentHash,
    Errors,
}

#[derive(Default)]
struct Tally {
    compared: BTreeMap<Kind, usize>,
    differences: Vec<(Kind, String, String)>,
    unknown: usize,
}

impl Tally {
    fn compare<T: PartialEq>(
        &mut self,
        kind: Kind,
        place: &str,
        ours: &T,
        theirs: &T,
        describe: impl FnOnce() -> String,
    ) {
        *self.compared.entry(kind).or_default() += 1;
        if ours != theirs {
            self.differences.push((kind, place.to_owned(), describe()));
        }
    }
}

#[test]
fn selections_files_and_hashes_are_those_of_poetry() {
    let Some(corpus) = corpus_folder() else {
        return;
    };
    let environments = cases::environments(&corpus.join("environments"));
    let mut tally = Tally::default();
    let mut cases = 0;
    for case in cases::folders(&corpus) {
        if let Some(project) = cases::project_folder(&case) {
            cases += 1;
            compare_case(&case, &project, &environments, &mut tally);
        }
    }
    report(&tally, cases);
}

fn corpus_folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("POETRY_LOCK_CORPUS").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    say!("SKIPPED: there is no corpus at {}. Set POETRY_LOCK_CORPUS to its folder.", folder.display());
    None
}

fn report(tally: &Tally, cases: usize) {
    let mut needed = BTreeSet::new();
    let mut unexplained = Vec::new();
    for (kind, place, what) in &tally.differences {
        let row = EXPLAINED.iter().position(|row| {
            let about = match kind {
                Kind::Packages => what.lines().all(|line| line.contains(row.about)),
                _ => what.contains(row.about),
            };
            let (case, answer) = place.split_once('/').unwrap();
            row.kind == *kind && case == row.case && answer.starts_with(row.answer) && about
        });
        match row {
            Some(row) => {
                needed.insert(row);
            }
            None => unexplained.push(format!("{kind:?} {place}\n{what}")),
        }
    }
    say!("{cases} cases; {} answers are unknown because Poetry wanted the network", tally.unknown);
    for (kind, compared) in &tally.compared {
        let differing = tally.differences.iter().filter(|(found, ..)| found == kind).count();
        say!("{kind:?}: {compared} compared, {} agree, {differing} differ", compared - differing);
    }
    for row in EXPLAINED {
        say!("explained: {:?} {}/{}*: {}", row.kind, row.case, row.answer, row.why);
    }
    say!("{} differences explained, {} not", tally.differences.len() - unexplained.len(), unexplained.len());
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    let superfluous: Vec<_> = (0..EXPLAINED.len()).filter(|row| !needed.contains(row)).collect();
    assert!(superfluous.is_empty(), "rows {superfluous:?} of EXPLAINED are not needed any longer");
}

fn compare_case(case: &Path, folder: &Path, environments: &BTreeMap<String, CorpusEnvironment>, tally: &mut Tally) {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let pyproject = read("pyproject.toml").unwrap();
    let lock = read("poetry.lock").unwrap();
    let poetry_toml = read("poetry.toml");
    let texts = Texts { pyproject: &pyproject, lock: &lock, poetry_toml: poetry_toml.as_deref() };
    let case_name = case.file_name().unwrap().to_str().unwrap();
    for folder in cases::folders(case) {
        let folder_name = folder.file_name().unwrap().to_str().unwrap();
        if !folder_name.starts_with("expected") {
            continue;
        }
        let project = match folder_name {
            "expected-poetry-2.4" => Project::read_as(&texts, Dialect::Poetry2),
            _ => Project::read(&texts),
        };
        for file in cases::json_files(&folder) {
            let answer = Answer::read(&file);
            let place = format!("{case_name}/{folder_name}/{}", file.file_name().unwrap().to_str().unwrap());
            compare_content_hash(&pyproject, &lock, &answer, &place, tally);
            if answer.needs_network {
                tally.unknown += 1;
                continue;
            }
            let environment = &environments[&answer.python];
            compare_answer(&project, &answer, environment, &place, tally);
        }
    }
}

fn compare_content_hash(pyproject: &str, lock: &str, answer: &Answer, place: &str, tally: &mut Tally) {
    let Some(theirs) = answer.content_hash_ok else {
        return;
    };
    let formula = if answer.poetry.starts_with("1.") { HashFormula::Poetry1 } else { HashFormula::Poetry2_3 };
    let ours = content_hash(pyproject, formula).unwrap();
    let without_groups = content_hash(pyproject, HashFormula::Poetry2_0).unwrap();
    let locked =
        lock.lines().find_map(|line| line.strip_prefix("content-hash = ")).unwrap_or_default().trim_matches('"');
    let before_2_3 = ["2.0.", "2.1.", "2.2."]
        .iter()
        .any(|version| lock.lines().next().unwrap().contains(&format!("Poetry {version}")));
    let fresh = ours == locked || formula == HashFormula::Poetry2_3 && before_2_3 && without_groups == locked;
    tally.compare(Kind::ContentHash, place, &fresh, &theirs, || format!("  ours {fresh}, Poetry's {theirs}"));
}

fn compare_answer(
    project: &Result<Project, Error>,
    answer: &Answer,
    environment: &CorpusEnvironment,
    place: &str,
    tally: &mut Tally,
) {
    let options = options_of(&answer.options);
    let ours = match project {
        Ok(project) => {
            let environment = Environment::new(environment.markers.clone()).unwrap();
            project.select(&environment, &options).map(|selection| (project, selection))
        }
        Err(error) => Err(error.clone()),
    };
    let error = ours.as_ref().err();
    tally.compare(Kind::Errors, place, &error.map(our_topic), &answer.error.as_deref().map(cases::topic), || {
        format!("  ours: {error:?}\n  Poetry's: {:?}", answer.error)
    });
    let (Ok((project, selection)), None) = (ours, &answer.error) else {
        return;
    };
    tally.compare(Kind::Root, place, &selection.root, &answer.root, || {
        format!("  ours {}, Poetry's {}", selection.root, answer.root)
    });
    let packages: Vec<_> = selection.packages.iter().map(|selected| described(selected.package)).collect();
    let expected: Vec<_> = answer.install.iter().map(|entry| entry.described.clone()).collect();
    tally.compare(Kind::Packages, place, &sorted(&packages), &sorted(&expected), || {
        let lines = |sign: &str, from: &[String], other: &[String]| -> String {
            from.iter().filter(|line| !other.contains(line)).map(|line| format!("  {sign} {line}\n")).collect()
        };
        lines("+", &packages, &expected) + &lines("-", &expected, &packages)
    });
    compare_files(project, &selection, answer, environment, place, tally);
}

/// What an error is about, in the words of [`cases::topic`].
fn our_topic(error: &Error) -> &'static str {
    match error {
        Error::Toml { .. } => "the lock is no TOML",
        Error::Constraint { .. } => "a constraint",
        Error::InvalidName { .. } => "the project's name",
        Error::NoSolution { .. } => "no solution",
        Error::PythonNotAllowed { .. } => "Python",
        Error::StaleLock { .. } => "stale",
        _ => "something else",
    }
}

fn sorted(list: &[String]) -> Vec<String> {
    let mut list = list.to_vec();
    list.sort();
    list
}

fn compare_files(
    project: &Project,
    selection: &Selection<'_>,
    answer: &Answer,
    environment: &CorpusEnvironment,
    place: &str,
    tally: &mut Tally,
) {
    let tags = Tags::from_ordered(environment.tags.clone());
    for selected in &selection.packages {
        let package = selected.package;
        let Some(entry) = answer.install.iter().find(|entry| entry.described == described(package)) else {
            continue;
        };
        let ours = match package.artifact(&tags, &project.settings.files) {
            Ok(Artifact::Locked(choice)) => {
                let mut files: Vec<_> = choice.ties.iter().map(|file| file.name.clone()).collect();
                files.push(choice.file.name.clone());
                files
            }
            Ok(Artifact::Url { file_name, .. }) => vec![file_name],
            Ok(Artifact::File { path, .. }) => vec![path.rsplit('/').next().unwrap().to_owned()],
            Ok(Artifact::Git { .. } | Artifact::Directory { .. }) | Err(_) => vec![],
        };
        let (ours, theirs) = (sorted(&ours), sorted(&entry.files));
        tally.compare(Kind::Files, place, &ours, &theirs, || {
            format!("  {}: ours {ours:?}, Poetry's {theirs:?}", package.name)
        });
    }
}

/// A package in the words of the corpus.
fn described(package: &poetry_lock::LockedPackage) -> String {
    let source = match &package.source {
        Source::Default => "index".to_owned(),
        Source::Index { name, url } => format!("legacy {url} {name}"),
        Source::Git { url, reference, resolved_reference, subdirectory } => {
            format!("git {url} {reference} {resolved_reference:?} {subdirectory:?} {}", package.develop)
        }
        Source::Url { url, subdirectory } => format!("url {url} {subdirectory:?}"),
        Source::File { path, subdirectory } => format!("file {path} {subdirectory:?}"),
        Source::Directory { path } => format!("directory {path} {}", package.develop),
    };
    format!("{} {} {source}", package.name, package.version_text)
}

fn options_of(arguments: &[String]) -> Options {
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut names = || -> Vec<Name> { arguments.next().unwrap().split([',', ' ']).map(Name::new).collect() };
        match argument.as_str() {
            "--only" => options.groups.only.extend(names()),
            "--with" => options.groups.with.extend(names()),
            "--without" => options.groups.without.extend(names()),
            "--extras" => options.extras.extend(names()),
            "--all-extras" => options.all_extras = true,
            "--no-root" => options.no_root = true,
            "--no-directory" => options.no_directory = true,
            "--no-dev" => options.groups = GroupChoice { only: vec![Name::new("main")], ..GroupChoice::default() },
            other => panic!("unknown option {other}"),
        }
    }
    options
}

#[test]
fn the_tags_of_the_environments_are_told_from_their_description() {
    let Some(corpus) = corpus_folder() else { return };
    for (python, environment) in cases::environments(&corpus.join("environments")) {
        let mut parts = python.split('.').map(|part| part.parse().unwrap());
        let version = (parts.next().unwrap(), parts.next().unwrap());
        let interpreter = Interpreter::cpython(version, "linux-x86_64", Libc::Glibc(2, 36));
        assert_eq!(Tags::of(&interpreter).unwrap().as_slice(), environment.tags, "{python}");
    }
}
