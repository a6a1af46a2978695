//! Locks since version 2.1: each package has a line with its own marker
//! (`walker.get_project_dependency_packages2` of the plugin since 1.10).

use std::collections::BTreeSet;

use super::condition::{Condition, Opaque};
use super::{ExportError, Line, line};
use crate::{Extras, LockedPackage, Marker, Name, Project};

pub(super) fn lines<'a>(
    project: &'a Project,
    groups: &BTreeSet<Name>,
    extras: &BTreeSet<Name>,
    python: &Condition,
) -> Result<Vec<Line<'a>>, ExportError> {
    let mut lines = Vec::new();
    for package in &project.lock.packages {
        let markers: Vec<&Marker> =
            package.groups.iter().filter(|(group, _)| groups.contains(group)).map(|(_, marker)| marker).collect();
        if markers.is_empty() {
            continue;
        }
        let condition = condition(package, &markers, Extras::Only(extras), python);
        let condition = condition.map_err(|Opaque| ExportError::Marker(package.name.clone()))?;
        lines.push(line(package, BTreeSet::new(), &condition.factored()));
    }
    Ok(lines)
}

fn condition(
    package: &LockedPackage,
    markers: &[&Marker],
    extras: Extras<'_>,
    python: &Condition,
) -> Result<Condition, Opaque> {
    let (first, others) = markers.split_first().ok_or(Opaque)?;
    let mut any = Condition::of(first, extras)?;
    for marker in others {
        any = any.or(&Condition::of(marker, extras)?)?;
    }
    python.and(&any)?.and(&Condition::of_ranges(package.python.ranges())?)
}
