use std::collections::BTreeSet;

use crate::{Error, Group, Name, Project, Warning, nearest};

/// What is asked for, by the names of the options of `poetry install`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The dependency groups.
    pub groups: GroupChoice,
    /// The extras (`--extras`).
    pub extras: Vec<Name>,
    /// All extras (`--all-extras`).
    pub all_extras: bool,
    /// Not the project itself (`--no-root`).
    pub no_root: bool,
    /// The project itself and no dependency (`--only-root`).
    pub only_root: bool,
    /// No folders (`--no-directory`).
    pub no_directory: bool,
    /// Use a lock that was made for another pyproject.toml all the same.
    pub allow_stale: bool,
    /// How the lock is read.
    pub algorithm: Algorithm,
}

/// The choice of dependency groups. Without any, all groups that are not optional are installed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupChoice {
    /// Just these (`--only`). If there are any, `with` and `without` are ignored.
    pub only: Vec<Name>,
    /// Optional groups in addition (`--with`).
    pub with: Vec<Name>,
    /// Not these (`--without`).
    pub without: Vec<Name>,
    /// All groups, optional ones as well (`--all-groups`).
    pub all: bool,
}

/// How a lock is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// By the groups and markers of its packages if it has them, which is since version 2.1; unless
    /// `installer.re-resolve` is set in poetry.toml.
    #[default]
    Automatic,
    /// By walking through the dependencies, as Poetry 2.0 to 2.2 did by default for all locks.
    Walk,
    /// Like [`Automatic`](Self::Automatic), and a warning if a walk leads to other packages.
    CrossCheck,
}

/// Options, checked against a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The active groups.
    pub(super) groups: BTreeSet<Name>,
    /// The extras.
    pub(super) extras: BTreeSet<Name>,
}

impl Options {
    /// Checks the options against each other and against the project.
    pub(super) fn resolve(&self, project: &Project, warnings: &mut Vec<Warning>) -> Result<Wanted, Error> {
        self.refuse_conflicts()?;
        let groups = self.active_groups(&project.pyproject.groups, warnings)?;
        let known = &project.lock.extras;
        for extra in &self.extras {
            if !known.contains_key(extra) {
                return Err(Error::UnknownExtra {
                    nearest: nearest(extra.as_str(), known.keys().map(Name::as_str)).map(Name::new),
                    extra: extra.clone(),
                    known: known.keys().cloned().collect(),
                });
            }
        }
        let extras =
            if self.all_extras { known.keys().cloned().collect() } else { self.extras.iter().cloned().collect() };
        Ok(Wanted { groups, extras })
    }

    /// The groups and extras of `poetry export`, which leaves out all groups but `main` that are not asked for.
    pub(crate) fn of_export(&self, project: &Project) -> Result<(BTreeSet<Name>, BTreeSet<Name>), Error> {
        let Wanted { groups, extras } = self.resolve(project, &mut Vec::new())?;
        if !project.freshness.is_fresh() && !self.allow_stale {
            return Err(Error::StaleLock { span: project.lock.content_hash.as_ref().map(|hash| hash.span) });
        }
        let GroupChoice { only, with, without, all } = &self.groups;
        let is_main = |name: &Name| *name == crate::Group::main_name();
        let chosen = |name: &Name| *all || (is_main(name) || with.contains(name)) && !without.contains(name);
        let groups = if only.is_empty() { groups.into_iter().filter(chosen).collect() } else { groups };
        Ok((groups, extras))
    }

    fn refuse_conflicts(&self) -> Result<(), Error> {
        let GroupChoice { only, with, without, all } = &self.groups;
        let groups = [("only", !only.is_empty()), ("with", !with.is_empty()), ("without", !without.is_empty())];
        let named = groups.into_iter().find(|(_, given)| *given).map(|(name, _)| name);
        let conflict = if self.all_extras && !self.extras.is_empty() {
            Some(("extras", "all-extras"))
        } else if self.only_root && self.no_root {
            Some(("no-root", "only-root"))
        } else if let (true, Some(named)) = (self.only_root, named.or(all.then_some("all-groups"))) {
            Some((named, "only-root"))
        } else if let (true, Some(named)) = (all, named) {
            Some((named, "all-groups"))
        } else {
            None
        };
        conflict.map_or(Ok(()), |(first, second)| Err(Error::OptionConflict { first, second }))
    }

    fn active_groups(&self, groups: &[Group], warnings: &mut Vec<Warning>) -> Result<BTreeSet<Name>, Error> {
        let GroupChoice { only, with, without, all } = &self.groups;
        for (option, names) in [("only", only), ("with", with), ("without", without)] {
            for wanted in names {
                if !groups.iter().any(|group| group.name == *wanted) {
                    let known = || groups.iter().map(|group| &group.name);
                    return Err(Error::UnknownGroup {
                        nearest: nearest(wanted.as_str(), known().map(Name::as_str)).map(Name::new),
                        group: wanted.clone(),
                        option,
                        known: known().cloned().collect(),
                    });
                }
            }
        }
        if self.only_root {
            return Ok(BTreeSet::new());
        }
        if !only.is_empty() {
            if !(with.is_empty() && without.is_empty()) {
                warnings.push(Warning::IgnoredGroups);
            }
            return Ok(only.iter().cloned().collect());
        }
        let default = groups.iter().filter(|group| *all || !group.optional).map(|group| &group.name);
        Ok(default.chain(with).filter(|name| !without.contains(name)).cloned().collect())
    }
}
