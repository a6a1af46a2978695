use std::collections::BTreeMap;

use super::{Tables, main_group};
use crate::toml_reader::Node;
use crate::{Dependency, Error, Located, Name, Span, requirement};

/// On how many levels groups may include each other.
const MAX_INCLUDE_DEPTH: usize = 100;

/// A dependency group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: Name,
    /// The name as it is written.
    pub raw_name: String,
    /// Whether the group is installed only if it is asked for.
    pub optional: bool,
    /// What the group itself asks for.
    pub dependencies: Vec<Dependency>,
    /// The groups whose dependencies it takes over, as they are written.
    pub includes: Vec<Located<String>>,
    /// Where it is defined; nowhere, if it is a `main` without dependencies.
    pub span: Option<Span>,
}

impl Group {
    /// The name of the group of the project's own dependencies.
    #[must_use]
    pub fn main_name() -> Name {
        Name::new("main")
    }

    /// The dependencies of the group and of all the groups it includes.
    #[must_use]
    pub fn all_dependencies<'a>(&'a self, groups: &'a [Self]) -> Vec<&'a Dependency> {
        let mut dependencies = Vec::new();
        self.collect(groups, &mut Vec::new(), &mut dependencies);
        dependencies
    }

    fn collect<'a>(&'a self, groups: &'a [Self], done: &mut Vec<&'a Name>, dependencies: &mut Vec<&'a Dependency>) {
        if done.contains(&&self.name) {
            return;
        }
        done.push(&self.name);
        dependencies.extend(&self.dependencies);
        for included in &self.includes {
            let name = Name::new(&included.value);
            if let Some(group) = groups.iter().find(|group| group.name == name) {
                group.collect(groups, done, dependencies);
            }
        }
    }
}

/// Reads all groups but `main`: `[dependency-groups]`, `[tool.poetry.group]` and
/// `[tool.poetry.dev-dependencies]`.
pub(super) fn read(tables: &Tables<'_>) -> Result<Vec<Group>, Error> {
    let mut groups: Vec<Group> = Vec::new();
    let poetry_groups = tables.poetry.map_or(Ok(vec![]), |poetry| poetry.entries_of("group"))?;
    if let Some(table) = tables.dependency_groups {
        for (name, node) in table.entries() {
            let mut group = new_group(&groups, name, false)?;
            for element in node.array()? {
                match element.as_table() {
                    Some(table) => group.includes.extend(table.located_string("include-group")?),
                    None => group.dependencies.push(requirement::parse(element.string()?, element.span)?),
                }
            }
            groups.push(group);
        }
    }
    for (name, node) in poetry_groups {
        let table = node.table()?;
        let dependencies = read_dependencies(table.entries_of("dependencies")?)?;
        let includes =
            table.array("include-groups")?.into_iter().map(Node::located_string).collect::<Result<Vec<_>, _>>()?;
        let optional = table.boolean("optional")?.unwrap_or(false);
        let normalized = Name::new(name.value);
        let existing = groups.iter_mut().find(|group| group.name == normalized && group.raw_name == name.value);
        if let Some(group) = existing {
            group.dependencies = main_group::enrich_all(std::mem::take(&mut group.dependencies), dependencies, false)?;
            group.includes.extend(includes);
            group.optional = optional;
        } else {
            let group = new_group(&groups, name, optional)?;
            groups.push(Group { dependencies, includes, ..group });
        }
    }
    if let Some(node) = tables.poetry.and_then(|poetry| poetry.get("dev-dependencies")) {
        let dependencies = read_dependencies(node.table()?.entries())?;
        let dev = Name::new("dev");
        match groups.iter_mut().find(|group| group.name == dev) {
            Some(group) => group.dependencies.extend(dependencies),
            None => groups.push(Group {
                name: dev,
                raw_name: "dev".into(),
                optional: false,
                dependencies,
                includes: vec![],
                span: Some(node.span),
            }),
        }
    }
    Ok(groups)
}

/// The dependencies in a table of `[tool.poetry]`. `python` is not one of them.
pub(super) fn read_dependencies(entries: Vec<(Located<&str>, Node<'_>)>) -> Result<Vec<Dependency>, Error> {
    let mut dependencies = Vec::new();
    for (name, node) in entries {
        if !name.value.eq_ignore_ascii_case("python") {
            dependencies.extend(Dependency::read_all(name.value, node)?);
        }
    }
    Ok(dependencies)
}

fn new_group(groups: &[Group], name: Located<&str>, optional: bool) -> Result<Group, Error> {
    let normalized = Name::new(name.value);
    if let Some(other) = groups.iter().find(|group| group.name == normalized) {
        return Err(Error::DuplicateGroup { group: name.value.into(), other: other.raw_name.clone(), span: name.span });
    }
    Ok(Group {
        name: normalized,
        raw_name: name.value.into(),
        optional,
        dependencies: vec![],
        includes: vec![],
        span: Some(name.span),
    })
}

/// Refuses includes of what does not exist and circles of includes.
pub(super) fn check_includes(groups: &[Group]) -> Result<(), Error> {
    let by_name: BTreeMap<_, _> = groups.iter().map(|group| (&group.name, group)).collect();
    for group in groups {
        for included in &group.includes {
            if !by_name.contains_key(&Name::new(&included.value)) {
                return Err(Error::UndefinedGroup {
                    group: group.raw_name.clone(),
                    included: included.value.clone(),
                    span: included.span,
                });
            }
        }
    }
    let mut finished = Vec::new();
    for group in groups {
        follow_includes(group, &by_name, &mut Vec::new(), &mut finished)?;
    }
    Ok(())
}

fn follow_includes<'a>(
    group: &'a Group,
    by_name: &BTreeMap<&Name, &'a Group>,
    path: &mut Vec<&'a Group>,
    finished: &mut Vec<&'a Name>,
) -> Result<(), Error> {
    if finished.contains(&&group.name) {
        return Ok(());
    }
    path.push(group);
    for included in &group.includes {
        let Some(next) = by_name.get(&Name::new(&included.value)) else {
            continue;
        };
        if let Some(start) = path.iter().position(|group| group.name == next.name) {
            let circle = path.iter().skip(start).chain([next]).map(|group| group.raw_name.as_str());
            return Err(Error::GroupCircle { circle: circle.collect::<Vec<_>>().join(" -> "), span: included.span });
        }
        if path.len() >= MAX_INCLUDE_DEPTH {
            return Err(Error::GroupDepth { limit: MAX_INCLUDE_DEPTH, span: included.span });
        }
        follow_includes(next, by_name, path, finished)?;
    }
    path.pop();
    finished.push(&group.name);
    Ok(())
}
