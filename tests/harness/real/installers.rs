//! The distributions that come with Poetry, and those that come with pipx.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use oracle::{inputs::Inputs, judge::Oracle};
use poetry_lock::Name;

use super::{
    add_base, add_engine,
    dockerfile::{Scope, build, scope},
    keep, known,
    published::add_published,
};
use crate::{compare::distributions, docker::Build, side::Side};

/// What is installed as the Dockerfiles of the cases install it.
const INSTALLERS: [&str; 3] = ["poetry==1.8.5", "poetry", "pipx"];

/// The names of distributions that come with any Poetry of the cases, and of those that come with pipx.
pub type Names = (BTreeSet<Name>, BTreeSet<Name>);

/// What is known, and whether it was asked for again in this run.
static KNOWN: Mutex<Option<(Arc<Names>, bool)>> = Mutex::new(None);

/// The distributions that come with any Poetry of the cases, and those that come with pipx.
pub fn names() -> Arc<Names> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let (names, _) = known.get_or_insert_with(|| (Arc::new(of_all(false)), false));
    Arc::clone(names)
}

/// Asks for them again, once in a run: two builds of real Poetry differ, and what Poetry needs may be the reason.
pub fn refresh() {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.as_ref().is_none_or(|(_, is_new)| !is_new) {
        *known = Some((Arc::new(of_all(true)), true));
    }
}

/// What this asks for, by the names of the records.
pub fn subjects() -> impl Iterator<Item = String> {
    INSTALLERS.iter().map(|installer| subject(installer))
}

fn subject(installer: &str) -> String {
    format!("pip-install-{installer}")
}

fn of_all(anew: bool) -> Names {
    let [pinned, newest, pipx] = INSTALLERS.map(|installer| of(installer, anew));
    (&pinned | &newest, pipx)
}

fn of(installer: &'static str, anew: bool) -> BTreeSet<Name> {
    let mut pip = Pip { installer, text: format!("FROM python:3.11-slim\nRUN pip install {installer}\n") };
    let mut inputs = Inputs::default();
    add_engine(&mut inputs);
    add_base(&mut inputs, "python:3.11-slim");
    add_published(&mut inputs, &pip.text);
    inputs.add("Dockerfile", &pip.text);
    let result = known(&subject(installer), inputs, &mut pip).and_then(|(mut record, _)| {
        let is_old = record.answers.iter().all(|answer| oracle::now().saturating_sub(answer.made) > 3600);
        if anew && is_old {
            record.answers = vec![oracle::store::Answer { made: oracle::now(), value: pip.ask()? }];
            keep(&record);
        }
        Ok(record)
    });
    let record = result.unwrap_or_else(|error| panic!("pip install {installer}: {error}"));
    record.answers.last().into_iter().flat_map(|answer| &answer.value).map(|name| Name::new(name)).collect()
}

/// Installs something with pip.
struct Pip {
    installer: &'static str,
    text: String,
}

impl Pip {
    fn build(&self, scope: Scope) -> Result<BTreeSet<String>, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        std::fs::write(folder.path().join("Dockerfile"), &self.text).map_err(|error| error.to_string())?;
        let tag = format!("test-with-{}", self.installer.replace('=', ""));
        build(&Build::new(folder.path()), &tag, scope)?;
        let found = distributions(&Side::read(&tag)).into_values().flatten();
        Ok(found.map(|distribution| distribution.name.to_string()).collect())
    }
}

impl Oracle for Pip {
    type Answer = BTreeSet<String>;

    fn ask(&mut self) -> Result<Self::Answer, String> {
        self.build(Scope::Anew)
    }

    fn first(&mut self) -> Result<Self::Answer, String> {
        self.build(Scope::Of(scope(&self.text)))
    }

    fn between(&self, one: &Self::Answer, other: &Self::Answer) -> Vec<String> {
        one.symmetric_difference(other).map(|name| format!("{name} comes with only one of both")).collect()
    }
}
