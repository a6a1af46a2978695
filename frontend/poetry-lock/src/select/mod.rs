//! Which packages are installed, for one interpreter and one set of options.
//!
//! There are two ways to read a lock. Since version 2.1 each package tells the groups it belongs
//! to and the marker for each ([`by_group`]). Before, the packages are found by walking from the
//! project's own dependencies through those of the locked packages ([`by_walk`]).

mod by_group;
mod by_walk;
mod options;
mod reason;

use pep440_rs::Version;

pub use options::{Algorithm, GroupChoice, Options};
pub use reason::Reason;

use crate::{Environment, Error, LockedPackage, Name, Project, Source, Warning};

/// The packages to install. They borrow from the [`Project`] they were selected from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection<'a> {
    /// The packages, ordered by name.
    pub packages: Vec<Selected<'a>>,
    /// The locked packages that are not installed, in the order of the lock.
    pub skipped: Vec<Skipped<'a>>,
    /// Whether the project itself is installed.
    pub root: bool,
    /// The groups that were active.
    pub groups: Vec<Name>,
    /// The extras that were asked for.
    pub extras: Vec<Name>,
    /// What is odd, but does not stop anything.
    pub warnings: Vec<Warning>,
}

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected<'a> {
    /// Its entry in the lock.
    pub package: &'a LockedPackage,
    /// Why it is installed.
    pub reason: Reason,
}

/// A locked package that is not installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped<'a> {
    /// Its entry in the lock.
    pub package: &'a LockedPackage,
    /// Why it is not installed.
    pub reason: SkipReason,
}

/// Why a locked package is not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// It belongs to other groups, or nothing that is installed asks for this entry of it.
    NotReached,
    /// Its marker does not hold.
    Marker,
    /// Only extras that are not asked for need it.
    Extra,
    /// It is a folder, and folders are left out.
    Directory,
}

impl Selection<'_> {
    /// The entry of a package, if it is installed.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Selected<'_>> {
        self.packages.iter().find(|selected| selected.package.name == *name)
    }
}

/// What both algorithms need and give.
struct Found<'a> {
    selected: Vec<Selected<'a>>,
    skipped: Vec<Skipped<'a>>,
}

pub(crate) fn select<'a>(
    project: &'a Project,
    environment: &Environment,
    options: &Options,
) -> Result<Selection<'a>, Error> {
    let mut warnings = project.lock.warnings.clone();
    let wanted = options.resolve(project, &mut warnings)?;
    let python = environment.python();
    check_python(project, &python)?;
    if !project.freshness.is_fresh() {
        let span = project.lock.content_hash.as_ref().map(|hash| hash.span);
        if !options.allow_stale {
            return Err(Error::StaleLock { span });
        }
        warnings.push(Warning::StaleLock { span });
    }
    let re_resolve = options.algorithm == Algorithm::Walk || project.settings.re_resolve == Some(true);
    let by_groups = project.lock.version.has_groups() && !re_resolve;
    let mut found = if by_groups {
        by_group::select(project, environment, &wanted)?
    } else {
        by_walk::select(project, environment, &wanted)?
    };
    if by_groups && options.algorithm == Algorithm::CrossCheck {
        let difference = match by_walk::select(project, environment, &wanted) {
            Ok(other) => difference(&found, &other),
            Err(error) => Some(error.to_string()),
        };
        warnings.extend(difference.map(|difference| Warning::CrossCheck { difference }));
    }
    if options.no_directory {
        leave_out_directories(&mut found);
    }
    found.selected.sort_by(|a, b| (&a.package.name, &a.package.version).cmp(&(&b.package.name, &b.package.version)));
    refuse_two_versions(&found)?;
    for Selected { package, .. } in &found.selected {
        warnings.extend(package_warnings(package, &python));
    }
    Ok(Selection {
        packages: found.selected,
        skipped: found.skipped,
        root: project.pyproject.package_mode && !options.no_root,
        groups: wanted.groups.into_iter().collect(),
        extras: wanted.extras.into_iter().collect(),
        warnings,
    })
}

fn check_python(project: &Project, python: &Version) -> Result<(), Error> {
    let constraint = &project.pyproject.python;
    if constraint.allows(python) {
        return Ok(());
    }
    Err(Error::PythonNotAllowed {
        python: python.to_string(),
        constraint: constraint.to_string(),
        span: constraint.text.as_ref().map(|text| text.span),
    })
}

fn leave_out_directories(found: &mut Found<'_>) {
    let is_directory = |package: &LockedPackage| matches!(package.source, Source::Directory { .. });
    let left_out = found.selected.extract_if(.., |selected| is_directory(selected.package));
    found.skipped.extend(left_out.map(|selected| Skipped { package: selected.package, reason: SkipReason::Directory }));
}

/// Poetry would install both, one over the other. `found` is ordered by name.
fn refuse_two_versions(found: &Found<'_>) -> Result<(), Error> {
    for pair in found.selected.windows(2) {
        if let [first, second] = pair
            && first.package.name == second.package.name
        {
            return Err(Error::TwoVersions {
                name: first.package.name.clone(),
                first: described(first.package),
                second: described(second.package),
                span: second.package.span,
                first_span: first.package.span,
            });
        }
    }
    Ok(())
}

fn described(package: &LockedPackage) -> String {
    let markers: Vec<_> = package
        .groups
        .iter()
        .filter(|(_, marker)| !marker.is_always())
        .map(|(group, marker)| format!("{group}: {marker}"))
        .collect();
    if markers.is_empty() {
        return package.version_text.clone();
    }
    format!("{} ({})", package.version_text, markers.join("; "))
}

fn package_warnings(package: &LockedPackage, python: &Version) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !package.python.allows(python) {
        warnings.push(Warning::PackagePython {
            name: package.name.clone(),
            version: package.version_text.clone(),
            constraint: package.python_text.clone(),
            python: python.to_string(),
            span: package.span,
        });
    }
    let is_archive = matches!(package.source, Source::Url { .. } | Source::File { .. });
    if is_archive && package.files.is_empty() {
        warnings.push(Warning::NoHash {
            name: package.name.clone(),
            version: package.version_text.clone(),
            span: package.span,
        });
    }
    warnings
}

/// What `one` selects and `other` does not, and the other way round.
fn difference(one: &Found<'_>, other: &Found<'_>) -> Option<String> {
    let only_in = |a: &Found<'_>, b: &Found<'_>| -> Vec<String> {
        let missing = a.selected.iter().filter(|x| !b.selected.iter().any(|y| std::ptr::eq(x.package, y.package)));
        missing.map(|selected| format!("{} {}", selected.package.name, selected.package.version_text)).collect()
    };
    let (markers, dependencies) = (only_in(one, other), only_in(other, one));
    if markers.is_empty() && dependencies.is_empty() {
        return None;
    }
    let list = |names: Vec<String>| {
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    Some(format!("by markers only: {}; by dependencies only: {}", list(markers), list(dependencies)))
}
