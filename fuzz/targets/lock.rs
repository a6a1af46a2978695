//! `poetry.lock`, and what is installed from it for two fixed projects.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use poetry_buildkit_fuzz::{check_error, check_span};
use poetry_lock::{
    Algorithm, Environment, GroupChoice, InputFile, Interpreter, Libc, Lock, Options, Project, Tags, Texts,
};

const PROJECTS: [&str; 2] = [
    include_str!("../../frontend/poetry-lock/tests/fixtures/1.1/pyproject.toml"),
    include_str!("../../frontend/poetry-lock/tests/fixtures/2.1/pyproject.toml"),
];

static LINUX: LazyLock<Environment> = LazyLock::new(|| Environment::linux("3.11.7", "x86_64").expect("a version"));
static TAGS: LazyLock<Tags> = LazyLock::new(|| {
    Tags::of(&Interpreter::cpython((3, 11), "linux-x86_64", Libc::Glibc(2, 36))).expect("a known platform")
});

fuzz_target!(|lock: &str| {
    match Lock::read(lock) {
        Ok(read) => read.packages.iter().for_each(|package| check_span(package.span, lock)),
        Err(error) => return check_error(&error, lock),
    }
    for pyproject in PROJECTS {
        let texts = Texts { pyproject, lock, poetry_toml: None };
        let project = Project::read(&texts).expect("both texts can be read");
        for algorithm in [Algorithm::CrossCheck, Algorithm::Walk] {
            select(&project, algorithm, &texts);
        }
    }
});

/// Selects packages and their files. Each package is there once, and is installed or skipped.
fn select(project: &Project, algorithm: Algorithm, texts: &Texts<'_>) {
    let groups = GroupChoice { all: true, ..GroupChoice::default() };
    let options = Options { groups, all_extras: true, allow_stale: true, algorithm, ..Options::default() };
    let selection = match project.select(&LINUX, &options) {
        Ok(selection) => selection,
        Err(error) => {
            let is_in_lock = error.span().is_none_or(|span| span.file == InputFile::Lock);
            return check_error(&error, if is_in_lock { texts.lock } else { texts.pyproject });
        }
    };
    let names: Vec<_> = selection.packages.iter().map(|selected| &selected.package.name).collect();
    assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    for selected in &selection.packages {
        if let Err(error) = selected.package.artifact(&TAGS, &project.settings.files) {
            check_error(&error, texts.lock);
        }
    }
}
