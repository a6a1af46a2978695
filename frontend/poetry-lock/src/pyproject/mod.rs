//! `pyproject.toml`, in all the dialects that Poetry understood over time.

mod build;
mod groups;
mod index;
mod main_group;
mod metadata;
mod python;

use std::collections::BTreeMap;

pub use build::{Build, BuildSystem, FileInclude, Format, PackageInclude, Script, ScriptKind};
pub use groups::Group;
pub use index::{Index, Priority};
pub use metadata::{License, Metadata, Person, Readme};
pub use python::PythonConstraint;

use crate::toml_reader::{self, Table};
use crate::{Dependency, Error, InputFile, Located, Name, name};

/// Which parts of pyproject.toml count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Poetry 1.x: `[tool.poetry]` alone.
    Poetry1,
    /// Poetry 2.x: `[project]` (PEP 621) and `[dependency-groups]` (PEP 735) as well.
    Poetry2,
}

/// A `pyproject.toml` as a value: what the project asks for, and what is needed to install the
/// project itself. Keys that are not known are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pyproject {
    /// How the file was read.
    pub dialect: Dialect,
    /// The name as it is written. Missing only where the project is not a package.
    pub name: Option<Located<String>>,
    /// The version.
    pub version: ProjectVersion,
    /// Descriptive fields.
    pub metadata: Metadata,
    /// The versions of Python that the project allows.
    pub python: PythonConstraint,
    /// Whether the project is a package that can be installed (`package-mode`).
    pub package_mode: bool,
    /// The version of Poetry that the project asks for (`requires-poetry`). It is not looked at.
    pub requires_poetry: Option<Located<String>>,
    /// The dependency groups in the order of the file, `main` first. `main` is always there.
    pub groups: Vec<Group>,
    /// The extras, and the packages that each of them asks for directly.
    pub extras: BTreeMap<Name, Vec<Name>>,
    /// The sources of packages, in the order of the file.
    pub indexes: Vec<Index>,
    /// Console scripts and files.
    pub scripts: Vec<Script>,
    /// Scripts with a graphical interface: name and object reference.
    pub gui_scripts: BTreeMap<String, String>,
    /// Other entry points: group, name and object reference.
    pub entry_points: BTreeMap<String, BTreeMap<String, String>>,
    /// What goes into the package and how it is built by Poetry's own backend.
    pub build: Build,
    /// `[build-system]`, if there is one.
    pub build_system: Option<BuildSystem>,
    /// `[tool.poetry.build-constraints]`: what restricts the build requirements of a package, by its name.
    pub build_constraints: BTreeMap<Name, Vec<Dependency>>,
}

/// The version of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectVersion {
    /// As it is written.
    Static(Located<String>),
    /// Listed in `[project].dynamic` and not given anywhere.
    Dynamic,
    /// Neither given nor announced as dynamic.
    Absent,
}

impl Pyproject {
    /// Reads the text of a `pyproject.toml`.
    ///
    /// # Errors
    /// If it is not TOML, a value is of the wrong type, a constraint, marker or requirement cannot
    /// be read, or groups include what does not exist or each other.
    pub fn read(text: &str, dialect: Dialect) -> Result<Self, Error> {
        let document = toml_reader::parse(text, InputFile::Pyproject)?;
        Self::from_root(Table::root(&document, InputFile::Pyproject), dialect)
    }

    pub(crate) fn from_root(root: Table<'_>, dialect: Dialect) -> Result<Self, Error> {
        let tables = Tables::find(root, dialect)?;
        let name = tables.located_string("name")?;
        if let Some(name) = &name
            && !name::is_valid_name(&name.value)
        {
            return Err(Error::InvalidName { text: name.value.clone(), span: name.span });
        }
        let main = main_group::read(&tables)?;
        let mut groups = groups::read(&tables)?;
        groups.insert(0, main.group);
        groups::check_includes(&groups)?;
        let (scripts, gui_scripts, entry_points) = build::read_scripts(&tables)?;
        Ok(Self {
            dialect,
            name,
            version: read_version(&tables)?,
            metadata: metadata::read(&tables)?,
            python: PythonConstraint::read(&tables)?,
            package_mode: tables.poetry_boolean("package-mode")?.unwrap_or(true),
            requires_poetry: tables
                .poetry
                .map(|poetry| poetry.located_string("requires-poetry"))
                .transpose()?
                .flatten(),
            groups,
            extras: main.extras,
            indexes: index::read(&tables)?,
            scripts,
            gui_scripts,
            entry_points,
            build: build::read(&tables)?,
            build_system: build::read_build_system(root)?,
            build_constraints: build::read_constraints(&tables)?,
        })
    }

    /// The group of a name.
    #[must_use]
    pub fn group(&self, name: &Name) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == *name)
    }
}

/// The tables that the project's own data come from.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    /// `[project]`, if the dialect knows it.
    project: Option<Table<'a>>,
    /// `[dependency-groups]`, if the dialect knows it.
    dependency_groups: Option<Table<'a>>,
    /// `[tool.poetry]`
    poetry: Option<Table<'a>>,
}

impl<'a> Tables<'a> {
    pub(crate) fn find(root: Table<'a>, dialect: Dialect) -> Result<Self, Error> {
        let poetry = match root.table("tool")? {
            Some(tool) => tool.table("poetry")?,
            None => None,
        };
        Ok(match dialect {
            Dialect::Poetry1 => Self { project: None, dependency_groups: None, poetry },
            Dialect::Poetry2 => {
                Self { project: root.table("project")?, dependency_groups: root.table("dependency-groups")?, poetry }
            }
        })
    }

    /// A string of `[project]`, or else of `[tool.poetry]`.
    fn located_string(&self, key: &'a str) -> Result<Option<Located<String>>, Error> {
        for table in [self.project, self.poetry].into_iter().flatten() {
            if let Some(string) = table.located_string(key)?
                && !string.value.is_empty()
            {
                return Ok(Some(string));
            }
        }
        Ok(None)
    }

    fn poetry_boolean(&self, key: &'a str) -> Result<Option<bool>, Error> {
        self.poetry.map_or(Ok(None), |poetry| poetry.boolean(key))
    }

    fn is_dynamic(&self, field: &str) -> Result<bool, Error> {
        let dynamic = self.project.map_or(Ok(vec![]), |project| project.strings("dynamic"))?;
        Ok(dynamic.iter().any(|name| name == field))
    }
}

fn read_version(tables: &Tables<'_>) -> Result<ProjectVersion, Error> {
    Ok(match tables.located_string("version")? {
        Some(version) => ProjectVersion::Static(version),
        None if tables.is_dynamic("version")? => ProjectVersion::Dynamic,
        None => ProjectVersion::Absent,
    })
}

#[cfg(test)]
mod tests;
