//! Locks before version 2.1: a walk from the project's dependencies through those of the locked packages, for all
//! environments at once (`walker.get_project_dependency_packages` of the plugin).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::condition::{Condition, Opaque};
use super::{ExportError, Line, line};
use crate::constraint::{Bound, Range};
use crate::lock::LockVersion;
use crate::{Constraint, Dependency, Extras, LockedPackage, Name, Origin, Project, Source};

/// More steps than any real walk takes.
const MOST: usize = 50_000;

/// The lines; and a package that Poetry 1 and 2 do not agree on, if there is one.
pub(super) fn lines<'a>(
    project: &'a Project,
    groups: &BTreeSet<Name>,
    extras: &BTreeSet<Name>,
    python: &Condition,
) -> Result<(Vec<Line<'a>>, Option<&'a Name>), ExportError> {
    if project.lock.version < LockVersion::V1_1 {
        return Err(ExportError::Old);
    }
    let mut walk = Walk { entries: BTreeMap::new(), decided: Vec::new(), conditional: None };
    for package in &project.lock.packages {
        walk.entries.entry(&package.name).or_default().push(package);
    }
    for entries in walk.entries.values_mut() {
        entries.sort_by(|one, other| other.version.cmp(&one.version));
    }
    let by_extras = named_by_extras(project, extras);
    let mut roots = Vec::new();
    for group in project.pyproject.groups.iter().filter(|group| groups.contains(&group.name)) {
        for dependency in group.all_dependencies(&project.pyproject.groups) {
            let entries = walk.entries.get(&dependency.name).map(Vec::as_slice).unwrap_or_default();
            let found = entries.iter().find(|package| suits(package, dependency));
            if found.is_some_and(|package| !package.optional || by_extras.contains(&package.name)) {
                let marker = Condition::of(&dependency.marker, Extras::Open).and_then(|marker| marker.and(python));
                let condition = marker.map_err(|Opaque| ExportError::Marker(dependency.name.clone()))?;
                roots.push((dependency, condition));
            }
        }
    }
    let own = project.pyproject.name.as_ref().map(|name| Name::new(&name.value));
    walk.run(roots, own.as_ref())?;
    let lines = walk.decided.into_iter().map(|(package, extras, condition)| line(package, extras, &condition));
    Ok((lines.collect(), walk.conditional))
}

/// The packages that these extras name, and all that these may lead to.
fn named_by_extras(project: &Project, extras: &BTreeSet<Name>) -> BTreeSet<Name> {
    // Of several entries of a package the last one counts.
    let last: BTreeMap<_, _> = project.lock.packages.iter().map(|package| (&package.name, package)).collect();
    let mut found = BTreeSet::new();
    let mut open: Vec<&Name> = extras.iter().filter_map(|extra| project.lock.extras.get(extra)).flatten().collect();
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            let dependencies = last.get(name).map(|package| package.dependencies.as_slice()).unwrap_or_default();
            open.extend(dependencies.iter().map(|dependency| &dependency.name));
        }
    }
    found
}

struct Walk<'a> {
    /// The entries of each package, the highest version first.
    entries: BTreeMap<&'a Name, Vec<&'a LockedPackage>>,
    /// The packages with their extras that were reached, and in which environments.
    decided: Vec<(&'a LockedPackage, BTreeSet<Name>, Condition)>,
    /// A package that an extra of another one asks for, but not in all environments.
    conditional: Option<&'a Name>,
}

impl<'a> Walk<'a> {
    fn run(&mut self, roots: Vec<(&'a Dependency, Condition)>, own: Option<&Name>) -> Result<(), ExportError> {
        let mut open: VecDeque<(&Dependency, Condition)> = roots.into();
        let mut visited: Vec<(&Dependency, Condition)> = Vec::new();
        let mut steps = 0;
        while let Some((wanted, condition)) = open.pop_front() {
            steps += 1;
            if steps > MOST {
                return Err(ExportError::TooMany);
            }
            let is_same = |(known, when): &(&Dependency, Condition)| is_equal(known, wanted) && *when == condition;
            if own == Some(&wanted.name) || visited.iter().any(is_same) {
                continue;
            }
            visited.push((wanted, condition.clone()));
            let opaque = |Opaque| ExportError::Marker(wanted.name.clone());
            let package = self.choose(wanted, &condition).map_err(opaque)?;
            let package = package.ok_or_else(|| ExportError::Unmet(wanted.name.clone()))?;
            let of_package = Condition::of_ranges(package.python.ranges()).map_err(opaque)?;
            let condition = of_package.and(&condition).map_err(opaque)?;
            for dependency in &package.dependencies {
                if dependency.optional && !is_asked_for(dependency, package, &wanted.extras) {
                    continue;
                }
                let is_conditional = dependency.optional
                    && !Condition::of(&dependency.marker, Extras::Open).map_err(opaque)?.is_always();
                self.conditional = self.conditional.or(is_conditional.then_some(&dependency.name));
                self.follow(dependency, &condition, &mut open)
                    .map_err(|Opaque| ExportError::Marker(dependency.name.clone()))?;
            }
            self.decide(package, &wanted.extras, condition).map_err(opaque)?;
        }
        Ok(())
    }

    /// Adds a dependency, apart for each range of versions of Python that the wanted package's entries tell apart.
    fn follow(
        &self,
        dependency: &'a Dependency,
        of_asker: &Condition,
        open: &mut VecDeque<(&'a Dependency, Condition)>,
    ) -> Result<(), Opaque> {
        let base = Condition::of(&dependency.marker, Extras::Open)?.and(of_asker)?;
        if base.is_never() {
            return Ok(());
        }
        let entries = self.entries.get(&dependency.name).map(Vec::as_slice).unwrap_or_default();
        for region in regions(entries) {
            let condition = Condition::of_ranges(&[region])?.and(&base)?;
            if !condition.is_never() {
                open.push_back((dependency, condition));
            }
        }
        Ok(())
    }

    /// `get_locked_package`: the highest entry that suits in all of these environments. What was decided for some of them
    /// has to stay.
    fn choose(&self, wanted: &Dependency, condition: &Condition) -> Result<Option<&'a LockedPackage>, Opaque> {
        let entries = self.entries.get(&wanted.name).map(Vec::as_slice).unwrap_or_default();
        let mut fixed: Option<&LockedPackage> = None;
        for (package, extras, when) in &self.decided {
            if package.name == wanted.name && extras.is_empty() && !when.and(condition)?.is_never() {
                if fixed.is_some() {
                    return Ok(None);
                }
                fixed = Some(*package);
            }
        }
        let versions = condition.versions();
        let is_for = |package: &LockedPackage| versions.intersect(&package.python.complement()).is_empty();
        let mut candidates = entries.iter().filter(|package| is_for(package) && suits(package, wanted));
        Ok(candidates.find(|package| fixed.is_none_or(|fixed| std::ptr::eq(fixed, **package))).copied())
    }

    fn decide(
        &mut self,
        package: &'a LockedPackage,
        extras: &BTreeSet<Name>,
        condition: Condition,
    ) -> Result<(), Opaque> {
        let is_same = |(known, of, _): &&mut (&LockedPackage, BTreeSet<Name>, Condition)| {
            std::ptr::eq(*known, package) && of == extras
        };
        match self.decided.iter_mut().find(is_same) {
            Some((_, _, known)) => *known = known.or(&condition)?,
            None => self.decided.push((package, extras.clone(), condition)),
        }
        Ok(())
    }
}

/// Whether an entry is what a dependency asks for, Python aside.
fn suits(package: &LockedPackage, wanted: &Dependency) -> bool {
    let from_there = match (&wanted.origin, &package.source) {
        (Origin::Index { source: Some(wanted) }, Source::Index { name, .. }) => wanted.eq_ignore_ascii_case(name),
        (Origin::Index { source: Some(wanted) }, Source::Default) => wanted.eq_ignore_ascii_case("pypi"),
        _ => true,
    };
    from_there && (wanted.is_direct() || wanted.constraint.allows(&package.version))
}

fn is_equal(one: &Dependency, other: &Dependency) -> bool {
    let same = (&one.name, &one.extras, &one.origin) == (&other.name, &other.extras, &other.origin);
    same && one.constraint == other.constraint
}

/// Whether one of these extras of a package asks for an optional dependency.
fn is_asked_for(dependency: &Dependency, package: &LockedPackage, extras: &BTreeSet<Name>) -> bool {
    let names = |extra: &Name| package.extras.get(extra).into_iter().flatten();
    extras.iter().any(|extra| {
        let is_for = dependency.in_extras.is_empty() || dependency.in_extras.contains(extra);
        is_for && names(extra).any(|member| member.name == dependency.name)
    })
}

/// `constraint_regions`: the ranges that the ends of all these entries' versions of Python cut the whole into.
fn regions(entries: &[&LockedPackage]) -> Vec<Range> {
    let mut edges: Vec<Bound> = Vec::new();
    for range in entries.iter().flat_map(|package| package.python.ranges()) {
        // Each edge is where something ends.
        edges.extend(range.low.as_ref().map(Bound::opposite));
        edges.extend(range.high.clone());
    }
    edges.sort_by(|one, other| (&one.version, one.inclusive).cmp(&(&other.version, other.inclusive)));
    edges.dedup();
    let mut rest = Constraint::any();
    let mut found = Vec::new();
    for edge in edges {
        let below = Constraint::from_range(Range::new(None, Some(edge)));
        found.extend(rest.intersect(&below).ranges().iter().cloned());
        rest = rest.intersect(&below.complement());
    }
    found.extend(rest.ranges().iter().cloned());
    found
}
