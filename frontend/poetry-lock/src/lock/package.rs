use std::collections::BTreeMap;

use pep440_rs::Version;

use super::source::Source;
use super::{LockVersion, files};
use crate::constraint::Flavour;
use crate::toml_reader::{Node, Table};
use crate::{Constraint, Dependency, Error, Marker, Name, Span, requirement, version};

/// One `[[package]]` of a lock. There can be several of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// The name.
    pub name: Name,
    /// The name as the lock spells it; normalized since version 2.0.
    pub raw_name: String,
    /// The version.
    pub version: Version,
    /// The version as the lock spells it.
    pub version_text: String,
    /// The summary of the package.
    pub description: String,
    /// Whether only extras ask for the package.
    pub optional: bool,
    /// The versions of Python that the package is made for.
    pub python: Constraint,
    /// The same as it is written.
    pub python_text: String,
    /// The dependency groups that the package belongs to, each with the marker under which it is
    /// installed for that group; from version 2.1 on.
    pub groups: Vec<(Name, Marker)>,
    /// The marker that locks of version 1.0 give to the package as a whole.
    pub marker: Marker,
    /// The locked files with their hashes. Empty for folders and repositories, and in old locks
    /// for archives at an address.
    pub files: Vec<LockedFile>,
    /// What the package itself asks for.
    pub dependencies: Vec<Dependency>,
    /// The extras of the package.
    pub extras: BTreeMap<Name, Vec<ExtraMember>>,
    /// Where the package comes from.
    pub source: Source,
    /// Whether a folder or a repository is installed in editable mode.
    pub develop: bool,
    /// The place of the package's name in the lock.
    pub span: Span,
}

/// A file of a locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedFile {
    /// The file name.
    pub name: String,
    /// The hash: an algorithm, a colon, and hexadecimal digits.
    pub hash: String,
    /// The place of the entry in the lock.
    pub span: Span,
}

/// A package that an extra of a locked package asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraMember {
    /// The package.
    pub name: Name,
    /// The extras of it that are asked for.
    pub extras: Vec<Name>,
}

impl LockedPackage {
    pub(super) fn read(table: Table<'_>, lock_version: LockVersion, metadata: Table<'_>) -> Result<Self, Error> {
        const OWNER: &str = "a [[package]]";
        let name = table.require("name", OWNER)?;
        let raw_name = name.string()?.to_owned();
        let owner = format!("the package `{raw_name}`");
        // Errors about a package as a whole point at its name.
        let table = table.at(name.span);
        let version_node = table.require("version", &owner)?;
        let version_text = version_node.string()?.to_owned();
        let version =
            version::parse(&version_text).map_err(|reason| Error::Version { reason, span: version_node.span })?;
        let python_node = table.require("python-versions", &owner)?;
        let python_text = python_node.string()?.to_owned();
        let source = table.table("source")?.map(Source::read).transpose()?.unwrap_or(Source::Default);
        Ok(Self {
            files: files::read(table, &raw_name, &version, &source, metadata)?,
            name: Name::new(&raw_name),
            version,
            version_text,
            description: table.string("description")?.unwrap_or_default().to_owned(),
            optional: table.require("optional", &owner)?.boolean()?,
            python: read_python(python_node, &python_text)?,
            python_text,
            groups: if lock_version.has_groups() { read_groups(table, &owner)? } else { vec![] },
            marker: table.get("marker").map_or_else(|| Ok(Marker::always()), read_marker)?,
            dependencies: read_dependencies(table)?,
            extras: read_extras(table)?,
            source,
            develop: table.boolean("develop")?.unwrap_or(false),
            span: name.span,
            raw_name,
        })
    }
}

fn read_python(node: Node<'_>, text: &str) -> Result<Constraint, Error> {
    Constraint::parse_as(text, Flavour::Marker).map_err(|reason| Error::Constraint {
        text: text.to_owned(),
        reason: reason.to_string(),
        span: node.span,
    })
}

fn read_marker(node: Node<'_>) -> Result<Marker, Error> {
    let text = node.string()?;
    match Marker::parse(text) {
        Ok(marker) => Ok(marker.at(node.span)),
        Err(error) => Err(Error::Marker { text: text.to_owned(), reason: error.reason, span: node.span }),
    }
}

/// `groups` and `markers`. The latter is one marker for all groups, or a table with one for some
/// of them; a group that the table lacks has none. The keys of the table are spelled like the
/// group in `groups`.
fn read_groups(table: Table<'_>, owner: &str) -> Result<Vec<(Name, Marker)>, Error> {
    let markers = table.get("markers");
    let mut groups = Vec::new();
    for group in table.require("groups", owner)?.array()? {
        let raw = group.string()?;
        let marker = match markers {
            Some(node) => match node.as_table() {
                Some(per_group) => per_group.get(raw),
                None => Some(node),
            },
            None => None,
        };
        groups.push((Name::new(raw), marker.map_or_else(|| Ok(Marker::always()), read_marker)?));
    }
    Ok(groups)
}

fn read_dependencies(table: Table<'_>) -> Result<Vec<Dependency>, Error> {
    let mut dependencies = Vec::new();
    for (name, node) in table.entries_of("dependencies")? {
        dependencies.extend(Dependency::read_all(name.value, node)?);
    }
    Ok(dependencies)
}

fn read_extras(table: Table<'_>) -> Result<BTreeMap<Name, Vec<ExtraMember>>, Error> {
    let mut extras = BTreeMap::new();
    for (extra, node) in table.entries_of("extras")? {
        let mut members = Vec::new();
        for node in node.array()? {
            let text = node.string()?;
            let (name, extras) = requirement::name_and_extras(text).ok_or_else(|| Error::Requirement {
                text: text.to_owned(),
                reason: "it does not begin with a name".into(),
                span: node.span,
            })?;
            members.push(ExtraMember { name, extras });
        }
        extras.insert(Name::new(extra.value), members);
    }
    Ok(extras)
}
