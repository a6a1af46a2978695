use std::collections::BTreeMap;

use super::groups::read_dependencies;
use super::{Group, Tables};
use crate::toml_reader::Node;
use crate::{Dependency, Error, Located, Name, requirement};

/// The group `main`, and the extras, which are made of its dependencies.
pub(super) struct Main {
    pub(super) group: Group,
    pub(super) extras: BTreeMap<Name, Vec<Name>>,
}

/// Reads `[project]`'s `dependencies` and `optional-dependencies`, and `[tool.poetry]`'s
/// `dependencies` and `extras`. Where `[project]` has dependencies, those of `[tool.poetry]` only
/// add to them what PEP 508 cannot say, and supply what `dynamic` leaves to them.
pub(super) fn read(tables: &Tables<'_>) -> Result<Main, Error> {
    let mut span = None;
    let mut standard = Vec::new();
    let mut extras = BTreeMap::new();
    if let Some(project) = tables.project {
        for node in project.array("dependencies")? {
            standard.push(requirement::parse(node.string()?, node.span)?);
            span = span.or(Some(node.span));
        }
        for (extra, node) in project.entries_of("optional-dependencies")? {
            let name = Name::new(extra.value);
            let mut members = Vec::new();
            for node in node.array()? {
                let mut dependency = requirement::parse(node.string()?, node.span)?;
                dependency.optional = true;
                dependency.in_extras = vec![name.clone()];
                members.push(dependency.name.clone());
                standard.push(dependency);
            }
            extras.insert(name, members);
        }
    }
    let mut own = vec![];
    if let Some(poetry) = tables.poetry {
        let entries = poetry.entries_of("dependencies")?;
        span = span.or(entries.first().map(|(name, _)| name.span));
        own = read_dependencies(entries)?;
        if standard.is_empty() && extras.is_empty() {
            extras = read_extras(poetry.entries_of("extras")?, &mut own)?;
        }
    }
    let mixed = tables.is_dynamic("dependencies")? || tables.is_dynamic("optional-dependencies")?;
    let dependencies = enrich_all(standard, own, mixed)?;
    let group = Group {
        name: Group::main_name(),
        raw_name: "main".into(),
        optional: false,
        dependencies,
        includes: vec![],
        span,
    };
    Ok(Main { group, extras })
}

/// `[tool.poetry.extras]`: each names dependencies of the project, which become part of it.
fn read_extras(
    entries: Vec<(Located<&str>, Node<'_>)>,
    dependencies: &mut [Dependency],
) -> Result<BTreeMap<Name, Vec<Name>>, Error> {
    let mut extras = BTreeMap::new();
    for (extra, node) in entries {
        let name = Name::new(extra.value);
        let mut members = Vec::new();
        for node in node.array()? {
            let member = Name::new(node.string()?);
            for dependency in dependencies.iter_mut().filter(|dependency| dependency.name == member) {
                dependency.in_extras.push(name.clone());
                members.push(member.clone());
            }
        }
        extras.insert(name, members);
    }
    Ok(extras)
}

/// Adds what `[tool.poetry]` says of dependencies to the same dependencies in standard form. If
/// there are none in standard form, `[tool.poetry]` stands for itself. With `mixed`, it supplies
/// the optional or the other dependencies if the standard form has none of these.
pub(super) fn enrich_all(
    standard: Vec<Dependency>,
    own: Vec<Dependency>,
    mixed: bool,
) -> Result<Vec<Dependency>, Error> {
    if standard.is_empty() {
        return Ok(own);
    }
    let all_optional = standard.iter().all(|dependency| dependency.optional);
    let none_optional = standard.iter().all(|dependency| !dependency.optional);
    let supplied =
        own.iter().filter(|dependency| mixed && (if dependency.optional { none_optional } else { all_optional }));
    let mut all = standard.clone();
    all.extend(supplied.cloned());
    let mut enriched = Vec::new();
    for dependency in all {
        let mut found = false;
        for addition in own.iter().filter(|addition| addition.name == dependency.name) {
            enriched.push(enrich(&dependency, addition)?);
            found = true;
        }
        if !found {
            enriched.push(dependency);
        }
    }
    Ok(enriched)
}

fn enrich(standard: &Dependency, addition: &Dependency) -> Result<Dependency, Error> {
    let constraint = standard.constraint.intersect(&addition.constraint);
    if constraint.is_empty() {
        return Err(Error::Constraint {
            text: addition.constraint_text.clone(),
            reason: format!("it allows no version that `{}` in standard form allows", standard.constraint_text),
            span: addition.span,
        });
    }
    let (mut dependency, develop) = if standard.is_direct() {
        (standard.clone(), addition.develop)
    } else {
        let extras = standard.extras.clone();
        let in_extras = standard.in_extras.clone();
        (Dependency { extras, optional: standard.optional, in_extras, ..addition.clone() }, addition.develop)
    };
    dependency.develop = develop;
    dependency.constraint = constraint;
    dependency.marker = standard.marker.clone().and(addition.marker.clone());
    Ok(dependency)
}
