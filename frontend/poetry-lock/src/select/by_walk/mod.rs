//! Locks before version 2.1: the packages are found by walking from the project's dependencies
//! through those of the locked packages.
//!
//! Poetry runs its solver here, with the locked entries as the only candidates and the environment
//! fixed. So does this module. Where more than one set of entries would do, the order of decisions
//! matters; it is that of Poetry 1.8 for projects in its dialect and else that of Poetry 2. What
//! only extras of the project ask for takes part in the solution and is left out afterwards.

mod graph;
mod origin;
mod solver;
mod states;

use std::collections::{BTreeMap, BTreeSet};

use graph::{Asker, Edge, Graph, RootEdge};
use solver::{Failure, Variable};

use super::options::Wanted;
use super::{Found, Reason, Selected, SkipReason, Skipped};
use crate::{Dependency, Dialect, Environment, Error, Extras, LockedPackage, Name, Project};

/// The entries that the solver decided on, by their variables.
type Solution = BTreeMap<Variable, usize>;

pub(super) fn select<'a>(project: &'a Project, environment: &Environment, wanted: &Wanted) -> Result<Found<'a>, Error> {
    let mut graph = Graph::new(project, environment, wanted)?;
    let solution: Solution = match solver::solve(graph::ROOT, &mut graph) {
        Ok(decisions) => decisions.into_iter().filter(|(variable, _)| *variable != graph::ROOT).collect(),
        Err(Failure::Candidates(error)) => return Err(error),
        Err(Failure::Conflict(involved)) => return Err(no_solution(&graph, &involved)),
    };
    let reached = reach(&graph, &solution);
    let asked_for = asked_for_by_extras(project, &reached, wanted);
    let mut found = Found { selected: Vec::new(), skipped: Vec::new() };
    for package in &project.lock.packages {
        let Some(node) = reached.get(&package.name).filter(|node| std::ptr::eq(node.package, package)) else {
            found.skipped.push(Skipped { package, reason: SkipReason::NotReached });
            continue;
        };
        let holds = package
            .marker
            .evaluate(environment, Extras::Open)
            .map_err(|source| Error::UnknownVariable { source, span: package.marker.span() })?;
        if !holds {
            found.skipped.push(Skipped { package, reason: SkipReason::Marker });
        } else if node.optional && !asked_for.contains(&package.name) {
            found.skipped.push(Skipped { package, reason: SkipReason::Extra });
        } else {
            found.selected.push(Selected { package, reason: node.reason.clone() });
        }
    }
    // Packages that are not installed are no reason to install others.
    let installed: BTreeSet<_> = found.selected.iter().map(|selected| selected.package.name.clone()).collect();
    for selected in &mut found.selected {
        selected.reason.required_by.retain(|name| installed.contains(name));
        selected.reason.extras.retain(|extra| wanted.extras.contains(extra));
    }
    Ok(found)
}

/// A package of the solution that can be reached from the project.
struct Reached<'a> {
    package: &'a LockedPackage,
    /// Whether every way to it begins with an optional dependency of the project.
    optional: bool,
    /// The packages it asks for in this environment.
    asks_for: BTreeSet<Name>,
    reason: Reason,
}

/// Walks through the solution from each dependency of the project. Dependencies that do not apply
/// in the environment count as well: what is in the solution for another reason may be made
/// non-optional by them, as it is in Poetry.
fn reach<'a>(graph: &Graph<'a>, solution: &Solution) -> BTreeMap<Name, Reached<'a>> {
    let mut reached: BTreeMap<Name, Reached<'a>> = BTreeMap::new();
    // The dependencies that are alike in what they pass on are walked from together.
    let mut starts: BTreeMap<(bool, &Name, &[Name]), Vec<Variable>> = BTreeMap::new();
    for RootEdge { edge, group, .. } in graph.root_edges() {
        if let Some(package) = graph.answer(edge, solution) {
            let kind = (edge.dependency.optional, *group, edge.dependency.in_extras.as_slice());
            starts.entry(kind).or_default().push(edge.variable);
            enter(&mut reached, package).reason.direct = true;
        }
    }
    for ((optional, group, extras), mut open) in starts {
        let mut seen = BTreeSet::new();
        while let Some(variable) = open.pop() {
            let Some(package) = graph.chosen(variable, solution) else {
                continue;
            };
            if !seen.insert(variable) {
                continue;
            }
            let node = enter(&mut reached, package);
            node.optional &= optional;
            if optional {
                node.reason.extras.extend(extras.iter().cloned());
            } else {
                node.reason.groups.insert(group.clone());
            }
            for edge in graph.edges_of(variable, solution) {
                open.push(edge.variable);
                let Some(asked) = graph.chosen(edge.variable, solution).filter(|asked| asked.name != package.name)
                else {
                    continue;
                };
                if let Some(node) = reached.get_mut(&package.name) {
                    node.asks_for.insert(asked.name.clone());
                }
                enter(&mut reached, asked).reason.required_by.insert(package.name.clone());
            }
        }
    }
    reached
}

fn enter<'r, 'a>(reached: &'r mut BTreeMap<Name, Reached<'a>>, package: &'a LockedPackage) -> &'r mut Reached<'a> {
    reached.entry(package.name.clone()).or_insert_with(|| Reached {
        package,
        optional: true,
        asks_for: BTreeSet::new(),
        reason: Reason::default(),
    })
}

/// The packages that the extras asked for name, and all that these ask for. Poetry 2 looks at the
/// dependencies that apply; Poetry 1 at all that the last entry of a package has, so that a package
/// which is installable here counts even if what asks for it does so only elsewhere.
fn asked_for_by_extras(project: &Project, reached: &BTreeMap<Name, Reached<'_>>, wanted: &Wanted) -> BTreeSet<Name> {
    let last_entries: BTreeMap<_, _> = project.lock.packages.iter().map(|package| (&package.name, package)).collect();
    let mut asked_for = BTreeSet::new();
    let mut open: Vec<&Name> =
        wanted.extras.iter().filter_map(|extra| project.lock.extras.get(extra)).flatten().collect();
    while let Some(name) = open.pop() {
        if !asked_for.insert(name.clone()) {
            continue;
        }
        match project.pyproject.dialect {
            Dialect::Poetry1 => {
                let dependencies = last_entries.get(name).map(|package| package.dependencies.as_slice());
                open.extend(dependencies.unwrap_or_default().iter().map(|dependency| &dependency.name));
            }
            Dialect::Poetry2 => open.extend(reached.get(name).into_iter().flat_map(|node| &node.asks_for)),
        }
    }
    asked_for
}

/// Says which demands exclude each other, or which cannot be met at all.
fn no_solution(graph: &Graph<'_>, involved: &[Variable]) -> Error {
    let involved: BTreeSet<&Name> = involved.iter().filter_map(|variable| graph.name(*variable)).collect();
    let mut reasons = Vec::new();
    let mut first_span = None;
    let mut add = |reason: String, span| {
        first_span = first_span.or(Some(span));
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    };
    for (asker, edge) in graph.known_edges() {
        let Dependency { name, raw_name, constraint_text, span, .. } = edge.dependency;
        let locked = graph.entries_of(name);
        if !involved.contains(name) || !edge.states.is_empty() && edge.allows_all(locked.len()) {
            continue;
        }
        let asks = format!("{} asks for `{raw_name} {constraint_text}`", described(asker));
        if edge.states.is_empty() {
            let versions: Vec<_> = locked.iter().map(|package| package.version_text.as_str()).collect();
            let have = if versions.is_empty() { "nothing of that name".to_owned() } else { versions.join(" and ") };
            return Error::NoSolution { reason: format!("{asks}, but locked is {have}"), span: Some(*span) };
        }
        add(asks, *span);
    }
    for package in involved.iter().flat_map(|name| graph.entries_of(name)) {
        if !graph.suits_python(package) {
            let LockedPackage { name, version_text, python_text, span, .. } = package;
            add(format!("`{name}` {version_text} is made for Python {python_text}"), *span);
        }
    }
    let reason = if reasons.is_empty() {
        "no combination of locked versions was found".to_owned()
    } else {
        format!("not all of this can be met: {}", reasons.join("; "))
    };
    Error::NoSolution { reason, span: first_span }
}

fn described(asker: Asker<'_>) -> String {
    match asker {
        Asker::Project(group) => format!("group `{group}`"),
        Asker::Package(package) => format!("`{}` {}", package.name, package.version_text),
    }
}

impl Edge<'_> {
    fn allows_all(&self, entries: usize) -> bool {
        states::States::all(entries).without(states::States::ABSENT).is_subset(self.states)
    }
}
