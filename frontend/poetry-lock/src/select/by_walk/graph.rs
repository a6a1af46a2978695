use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;

use super::super::options::Wanted;
use super::Solution;
use super::solver::{Candidates, Demand, Open, Priority, Traits, Variable};
use super::states::{MAX_ENTRIES, States};
use crate::lock::LockVersion;
use crate::{
    Constraint, Dependency, Dialect, Environment, Error, Extras, Group, LockedPackage, Name, Project, UnknownVariable,
};

use super::origin;

/// The project itself.
pub(super) const ROOT: Variable = 0;

/// Packages that Poetry 1.0 and 1.1 neither locked nor asked for.
const NEVER_LOCKED: [&str; 4] = ["distribute", "pip", "setuptools", "wheel"];

/// A dependency that applies in the environment.
#[derive(Clone)]
pub(super) struct Edge<'a> {
    pub(super) dependency: &'a Dependency,
    pub(super) variable: Variable,
    /// The entries that satisfy it.
    pub(super) states: States,
}

/// A dependency of the project.
pub(super) struct RootEdge<'a> {
    pub(super) edge: Edge<'a>,
    pub(super) group: &'a Name,
    /// Whether it applies in the environment.
    applies: bool,
}

/// Who has a dependency.
#[derive(Clone, Copy)]
pub(super) enum Asker<'a> {
    /// The project, by a group.
    Project(&'a Name),
    /// A locked package.
    Package(&'a LockedPackage),
}

/// The lock seen from one environment: packages with their extras, and the dependencies that
/// apply, found as the solver asks for them.
pub(super) struct Graph<'a> {
    project: &'a Project,
    environment: &'a Environment,
    wanted: &'a Wanted,
    python: Version,
    /// The entries of each package, the highest version first.
    entries: BTreeMap<&'a Name, Vec<&'a LockedPackage>>,
    /// The package and the extras that each variable stands for. The first stands for the project.
    variables: Vec<(Name, BTreeSet<Name>)>,
    numbers: BTreeMap<(Name, BTreeSet<Name>), Variable>,
    root: Vec<RootEdge<'a>>,
    edges: BTreeMap<(Variable, usize), Vec<Edge<'a>>>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(project: &'a Project, environment: &'a Environment, wanted: &'a Wanted) -> Result<Self, Error> {
        let mut entries: BTreeMap<&Name, Vec<&LockedPackage>> = BTreeMap::new();
        for package in &project.lock.packages {
            entries.entry(&package.name).or_default().push(package);
        }
        for (name, packages) in &mut entries {
            packages.sort_by(|a, b| b.version.cmp(&a.version));
            if packages.len() > MAX_ENTRIES {
                let span = packages.first().map(|package| package.span);
                return Err(Error::NoSolution {
                    reason: format!("there are more than {MAX_ENTRIES} entries of `{name}`"),
                    span,
                });
            }
        }
        let mut graph = Self {
            project,
            environment,
            wanted,
            python: environment.python(),
            entries,
            variables: vec![(Name::new(""), BTreeSet::new())],
            numbers: BTreeMap::new(),
            root: Vec::new(),
            edges: BTreeMap::new(),
        };
        let groups = &project.pyproject.groups;
        for group in groups.iter().filter(|group| wanted.groups.contains(&group.name)) {
            graph.add_root_edges(group, groups)?;
        }
        Ok(graph)
    }

    fn add_root_edges(&mut self, group: &'a Group, groups: &'a [Group]) -> Result<(), Error> {
        for dependency in group.all_dependencies(groups) {
            let applies = self
                .applies(dependency, Extras::Only(&self.wanted.extras))
                .map_err(|source| Error::UnknownVariable { source, span: dependency.marker.span() })?;
            if let Some(edge) = self.edge(dependency, "") {
                self.root.push(RootEdge { edge, group: &group.name, applies });
            }
        }
        Ok(())
    }

    /// Whether a dependency applies in the environment, its extras aside.
    fn applies(&self, dependency: &Dependency, extras: Extras<'_>) -> Result<bool, UnknownVariable> {
        Ok(dependency.marker.may_hold_for_python(self.environment)
            && dependency.marker.evaluate(self.environment, extras)?)
    }

    /// The edge for a dependency; none if it is on the project itself or on what old locks lack.
    fn edge(&mut self, dependency: &'a Dependency, base: &str) -> Option<Edge<'a>> {
        let lock = &self.project.lock;
        let packages = self.entries.get(&dependency.name).map(Vec::as_slice).unwrap_or_default();
        if packages.is_empty() {
            let own_name = self.project.pyproject.name.as_ref().map(|name| Name::new(&name.value));
            let unlocked = lock.version <= LockVersion::V1_1 && NEVER_LOCKED.contains(&dependency.name.as_str());
            if unlocked || own_name.as_ref() == Some(&dependency.name) {
                return None;
            }
        }
        let states = origin::satisfying(packages, dependency, base, lock.version);
        let variable = self.variable(dependency.name.clone(), dependency.extras.clone());
        Some(Edge { dependency, variable, states })
    }

    fn variable(&mut self, name: Name, extras: BTreeSet<Name>) -> Variable {
        let next = self.variables.len();
        let key = (name, extras);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        self.variables.push(key.clone());
        self.numbers.insert(key, next);
        next
    }

    /// The package of a variable; none for the project.
    pub(super) fn name(&self, variable: Variable) -> Option<&Name> {
        self.variables.get(variable).filter(|_| variable != ROOT).map(|(name, _)| name)
    }

    pub(super) fn entries_of(&self, name: &Name) -> &[&'a LockedPackage] {
        self.entries.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a package is made for the environment's Python.
    pub(super) fn suits_python(&self, package: &LockedPackage) -> bool {
        package.python.allows(&self.python)
    }

    fn entry(&self, variable: Variable, entry: usize) -> Option<&'a LockedPackage> {
        self.entries_of(self.name(variable)?).get(entry).copied()
    }

    /// The entry that was decided on.
    pub(super) fn chosen(&self, variable: Variable, solution: &Solution) -> Option<&'a LockedPackage> {
        self.entry(variable, *solution.get(&variable)?)
    }

    /// The entry that was decided on, if it is what the dependency asks for.
    pub(super) fn answer(&self, edge: &Edge<'a>, solution: &Solution) -> Option<&'a LockedPackage> {
        let entry = *solution.get(&edge.variable)?;
        self.entry(edge.variable, entry).filter(|_| States::entry(entry).is_subset(edge.states))
    }

    /// The dependencies of the entry that was decided on.
    pub(super) fn edges_of(&self, variable: Variable, solution: &Solution) -> impl Iterator<Item = &Edge<'a>> {
        solution.get(&variable).and_then(|entry| self.edges.get(&(variable, *entry))).into_iter().flatten()
    }

    /// The project's dependencies, also those that do not apply in the environment.
    pub(super) fn root_edges(&self) -> &[RootEdge<'a>] {
        &self.root
    }

    fn applying_root_edges(&self) -> impl Iterator<Item = &RootEdge<'a>> {
        self.root.iter().filter(|root| root.applies)
    }

    /// All dependencies that were looked at.
    pub(super) fn known_edges(&self) -> impl Iterator<Item = (Asker<'a>, &Edge<'a>)> {
        let of_packages = self.edges.iter().flat_map(|((variable, entry), edges)| {
            let package = self.entry(*variable, *entry);
            edges.iter().filter_map(move |edge| Some((Asker::Package(package?), edge)))
        });
        self.applying_root_edges().map(|root| (Asker::Project(root.group), &root.edge)).chain(of_packages)
    }

    /// The dependencies of an entry with the extras of its variable.
    fn package_edges(&mut self, variable: Variable, package: &'a LockedPackage) -> Result<Vec<Edge<'a>>, Error> {
        let extras = self.variables.get(variable).map(|(_, extras)| extras.clone()).unwrap_or_default();
        let (extras, members) = close_extras(package, extras);
        let base = origin::folder(package);
        let mut edges = Vec::new();
        for dependency in &package.dependencies {
            let wanted_by_extra =
                dependency.in_extras.is_empty() || dependency.in_extras.iter().any(|extra| extras.contains(extra));
            if !wanted_by_extra || dependency.optional && !members.contains(&dependency.name) {
                continue;
            }
            let applies = self.applies(dependency, Extras::Open).map_err(|source| Error::UnknownVariable {
                source,
                span: dependency.marker.span().or(Some(package.span)),
            })?;
            if applies && let Some(edge) = self.edge(dependency, base).filter(|edge| edge.variable != variable) {
                edges.push(edge);
            }
        }
        Ok(edges)
    }
}

/// The extras of a package that follow from those asked for, and the packages that they name.
fn close_extras(package: &LockedPackage, asked: BTreeSet<Name>) -> (BTreeSet<Name>, BTreeSet<Name>) {
    let mut closed = BTreeSet::new();
    let mut members = BTreeSet::new();
    let mut open: Vec<Name> = asked.into_iter().collect();
    while let Some(extra) = open.pop() {
        if !closed.insert(extra.clone()) {
            continue;
        }
        for member in package.extras.get(&extra).into_iter().flatten() {
            if member.name == package.name {
                open.extend(member.extras.iter().cloned());
            } else {
                members.insert(member.name.clone());
            }
        }
    }
    (closed, members)
}

/// One demand for each variable: all dependencies of one asker on it have to be met. Like Poetry,
/// an asker whose own dependencies exclude each other is an error, even if there were others.
fn demands<'e, 'a: 'e>(edges: impl Iterator<Item = &'e Edge<'a>>) -> Result<Vec<Demand>, Error> {
    let mut demands: Vec<(Demand, Constraint)> = Vec::new();
    for Edge { dependency, variable, states } in edges {
        let traits = Traits { direct: dependency.is_direct(), marked: !dependency.marker.is_always() };
        let Some((demand, constraint)) = demands.iter_mut().find(|(demand, _)| demand.variable == *variable) else {
            let demand = Demand { variable: *variable, states: *states, traits };
            demands.push((demand, dependency.constraint.clone()));
            continue;
        };
        *constraint = constraint.intersect(&dependency.constraint);
        if constraint.is_empty() {
            let Dependency { raw_name, constraint_text, span, .. } = dependency;
            let reason = format!(
                "`{raw_name} {constraint_text}` excludes another dependency on `{raw_name}` of the same package or group"
            );
            return Err(Error::NoSolution { reason, span: Some(*span) });
        }
        demand.states = demand.states.intersect(*states);
        demand.traits.direct |= traits.direct;
        demand.traits.marked |= traits.marked;
    }
    Ok(demands.into_iter().map(|(demand, _)| demand).collect())
}

impl Candidates for Graph<'_> {
    type Error = Error;

    fn entries(&self, variable: Variable) -> usize {
        self.name(variable).map_or(1, |name| self.entries_of(name).len())
    }

    fn demands(&mut self, variable: Variable, entry: usize) -> Result<Option<Vec<Demand>>, Error> {
        if variable == ROOT {
            return demands(self.applying_root_edges().map(|root| &root.edge)).map(Some);
        }
        let Some(package) = self.entry(variable, entry).filter(|package| self.suits_python(package)) else {
            return Ok(None);
        };
        let mut all = Vec::new();
        if let Some((name, _)) = self.variables.get(variable).filter(|(_, extras)| !extras.is_empty()).cloned() {
            // A package with extras entails the same entry of the package itself.
            let traits = Traits { direct: !package.source.is_index(), marked: false };
            all.push(Demand { variable: self.variable(name, BTreeSet::new()), states: States::entry(entry), traits });
        }
        if !self.edges.contains_key(&(variable, entry)) {
            let edges = self.package_edges(variable, package)?;
            self.edges.insert((variable, entry), edges);
        }
        all.extend(demands(self.edges.get(&(variable, entry)).into_iter().flatten())?);
        Ok(Some(all))
    }

    fn priority(&self, open: &Open) -> Priority {
        let Traits { direct, marked } = open.traits;
        if self.project.pyproject.dialect == Dialect::Poetry1 {
            return (marked && !direct, !direct, Reverse(0), false);
        }
        let Some(package) = self.entry(open.variable, open.entry) else {
            return (false, !direct, Reverse(0), false);
        };
        let extras = self.variables.get(open.variable).map(|(_, extras)| extras);
        let relevant = package.dependencies.iter().filter(|dependency| {
            dependency.in_extras.is_empty()
                || extras.is_some_and(|extras| dependency.in_extras.iter().any(|extra| extras.contains(extra)))
        });
        let bounded = relevant.clone().filter(|dependency| dependency.constraint.has_upper_bound()).count();
        (false, !direct, Reverse(bounded), relevant.count() == 0)
    }
}
