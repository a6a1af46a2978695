//! Locks since version 2.1: each package is judged by its own groups and markers.

use std::collections::{BTreeMap, BTreeSet};

use super::options::Wanted;
use super::{Found, Reason, Selected, SkipReason, Skipped};
use crate::{Environment, Error, Extras, LockedPackage, Name, Project};

pub(super) fn select<'a>(project: &'a Project, environment: &Environment, wanted: &Wanted) -> Result<Found<'a>, Error> {
    let mut found = Found { selected: Vec::new(), skipped: Vec::new() };
    for package in &project.lock.packages {
        match judge(package, environment, wanted)? {
            Ok(groups) => {
                let reason = Reason { groups, ..Reason::default() };
                found.selected.push(Selected { package, reason });
            }
            Err(reason) => found.skipped.push(Skipped { package, reason }),
        }
    }
    explain(&mut found, project, environment, wanted);
    Ok(found)
}

/// The active groups whose marker holds.
fn judge(
    package: &LockedPackage,
    environment: &Environment,
    wanted: &Wanted,
) -> Result<Result<BTreeSet<Name>, SkipReason>, Error> {
    let mut reached = false;
    let mut holding = BTreeSet::new();
    let mut unknown = None;
    for (group, marker) in package.groups.iter().filter(|(group, _)| wanted.groups.contains(group)) {
        reached = true;
        match marker.evaluate(environment, Extras::Only(&wanted.extras)) {
            Ok(true) => {
                holding.insert(group.clone());
            }
            Ok(false) => {}
            Err(source) => unknown = Some(Error::UnknownVariable { source, span: marker.span() }),
        }
    }
    Ok(match (holding.is_empty(), unknown) {
        (false, _) => Ok(holding),
        (true, Some(error)) => return Err(error),
        (true, None) if !reached => Err(SkipReason::NotReached),
        (true, None) if package.optional => Err(SkipReason::Extra),
        (true, None) => Err(SkipReason::Marker),
    })
}

/// Finds out which of the selected packages ask for each other, and which the project names.
fn explain(found: &mut Found<'_>, project: &Project, environment: &Environment, wanted: &Wanted) {
    let mut reasons: BTreeMap<&Name, Reason> = BTreeMap::new();
    for package in found.selected.iter().map(|selected| selected.package) {
        for dependency in &package.dependencies {
            // What depends on extras of the package itself is taken as asked for.
            if dependency.name != package.name && dependency.marker.evaluate(environment, Extras::Open).unwrap_or(true)
            {
                reasons.entry(&dependency.name).or_default().required_by.insert(package.name.clone());
            }
        }
    }
    let groups = &project.pyproject.groups;
    for group in groups.iter().filter(|group| wanted.groups.contains(&group.name)) {
        for dependency in group.all_dependencies(groups) {
            let reason = reasons.entry(&dependency.name).or_default();
            let extras = dependency.in_extras.iter().filter(|extra| wanted.extras.contains(extra));
            reason.extras.extend(extras.cloned());
            reason.direct = true;
        }
    }
    for selected in &mut found.selected {
        if let Some(reason) = reasons.remove(&selected.package.name) {
            let groups = std::mem::take(&mut selected.reason.groups);
            selected.reason = Reason { groups, ..reason };
        }
    }
}
