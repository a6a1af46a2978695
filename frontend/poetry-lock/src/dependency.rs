//! What a project or a package asks for.

use std::collections::BTreeSet;

use crate::toml_reader::{Node, Table};
use crate::{Constraint, Error, InputFile, Marker, MarkerError, Name, Span, requirement};

/// One requirement of the project or of a locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The name of the wanted package.
    pub name: Name,
    /// The name as it is written.
    pub raw_name: String,
    /// The versions that will do.
    pub constraint: Constraint,
    /// The constraint as it is written.
    pub constraint_text: String,
    /// Where the package has to come from.
    pub origin: Origin,
    /// The extras of the wanted package that are asked for.
    pub extras: BTreeSet<Name>,
    /// When the dependency applies.
    pub marker: Marker,
    /// Whether it applies only if an extra asks for it.
    pub optional: bool,
    /// The extras of the asking package that ask for it.
    pub in_extras: Vec<Name>,
    /// Whether a package from a folder or a repository is to be installed in editable mode.
    pub develop: bool,
    /// Where it is written.
    pub span: Span,
}

/// Where a dependency has to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A package index.
    Index {
        /// The name of the source it is bound to, as it is written.
        source: Option<String>,
    },
    /// A Git repository.
    Git {
        /// The address as it is written, without `git+`.
        url: String,
        /// What to check out.
        reference: GitReference,
        /// The folder inside the repository.
        subdirectory: Option<String>,
    },
    /// A file or a folder, relative to the folder of the project unless absolute.
    Path {
        /// The path as it is written, with `/`.
        path: String,
        /// The folder inside an archive or below the folder.
        subdirectory: Option<String>,
    },
    /// An archive at an address.
    Url {
        /// The address without its fragment.
        url: String,
        /// The folder inside the archive.
        subdirectory: Option<String>,
    },
}

/// What is checked out of a Git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitReference {
    /// Nothing is named.
    Default,
    /// `branch`
    Branch(String),
    /// `tag`
    Tag(String),
    /// `rev`
    Revision(String),
}

impl GitReference {
    /// The reference as the lock spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Default => "HEAD",
            Self::Branch(name) | Self::Tag(name) | Self::Revision(name) => name,
        }
    }
}

impl Dependency {
    /// Reads a requirement as PEP 508 writes it. Its spans lead nowhere.
    ///
    /// ```
    /// let dependency = poetry_lock::Dependency::parse("Foo[bar] (>=1.0) ; python_version > '3.8'")?;
    /// assert_eq!(dependency.name.as_str(), "foo");
    /// # Ok::<(), poetry_lock::Error>(())
    /// ```
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        requirement::parse(text, Span { file: InputFile::Pyproject, start: 0, end: 0 })
    }

    pub(crate) fn new(raw_name: &str, span: Span) -> Self {
        Self {
            name: Name::new(raw_name),
            raw_name: raw_name.to_owned(),
            constraint: Constraint::any(),
            constraint_text: "*".to_owned(),
            origin: Origin::Index { source: None },
            extras: BTreeSet::new(),
            marker: Marker::always(),
            optional: false,
            in_extras: Vec::new(),
            develop: false,
            span,
        }
    }

    /// Reads the value of a key of a table of dependencies: a constraint, a table, or an array of
    /// these, which are several dependencies on one package.
    pub(crate) fn read_all(raw_name: &str, node: Node<'_>) -> Result<Vec<Self>, Error> {
        match node.as_array() {
            Some(several) => several.into_iter().map(|node| Self::read(raw_name, node)).collect(),
            None => Ok(vec![Self::read(raw_name, node)?]),
        }
    }

    fn read(raw_name: &str, node: Node<'_>) -> Result<Self, Error> {
        let mut dependency = Self::new(raw_name, node.span);
        if node.as_str().is_some() {
            dependency.set_constraint(node)?;
            return Ok(dependency);
        }
        let Some(table) = node.as_table() else {
            return Err(node.wrong_type("a version constraint, a table, or an array of these"));
        };
        dependency.optional = table.boolean("optional")?.unwrap_or(false);
        dependency.develop = table.boolean("develop")?.unwrap_or(false);
        dependency.extras = table.strings("extras")?.iter().map(|extra| Name::new(extra)).collect();
        dependency.origin = read_origin(table)?;
        if let (Origin::Index { .. }, Some(version)) = (&dependency.origin, table.get("version")) {
            dependency.set_constraint(version)?;
        }
        for (key, read) in [
            (
                "markers",
                (|text| Marker::parse(text).map_err(|error| error.to_string())) as fn(&str) -> Result<Marker, String>,
            ),
            ("python", |text| Marker::from_python(text).map_err(|error| error.to_string())),
            ("platform", |text| Marker::from_platform(text).map_err(|error: MarkerError| error.to_string())),
        ] {
            if let Some(node) = table.get(key) {
                let text = node.string()?;
                let marker =
                    read(text).map_err(|reason| Error::Marker { text: text.to_owned(), reason, span: node.span })?;
                dependency.restrict(marker.at(node.span));
            }
        }
        Ok(dependency)
    }

    fn set_constraint(&mut self, node: Node<'_>) -> Result<(), Error> {
        let text = node.string()?;
        self.constraint = Constraint::parse(text).map_err(|reason| Error::Constraint {
            text: text.to_owned(),
            reason: reason.to_string(),
            span: node.span,
        })?;
        self.constraint_text = text.to_owned();
        Ok(())
    }

    /// Adds a marker to those that must hold. A marker that names extras makes the dependency
    /// optional, as it does in Poetry.
    pub(crate) fn restrict(&mut self, marker: Marker) {
        for extra in marker.wanted_extras() {
            if !self.in_extras.contains(&extra) {
                self.in_extras.push(extra);
            }
        }
        self.optional |= marker.mentions_extras();
        self.marker = std::mem::replace(&mut self.marker, Marker::always()).and(marker);
    }

    /// Whether the dependency names its origin itself instead of leaving it to an index.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        !matches!(self.origin, Origin::Index { .. })
    }
}

fn read_origin(table: Table<'_>) -> Result<Origin, Error> {
    let subdirectory = || Ok::<_, Error>(table.string("subdirectory")?.map(str::to_owned));
    if let Some(url) = table.string("git")? {
        let reference = if let Some(branch) = table.string("branch")? {
            GitReference::Branch(branch.to_owned())
        } else if let Some(tag) = table.string("tag")? {
            GitReference::Tag(tag.to_owned())
        } else if let Some(revision) = table.string("rev")? {
            GitReference::Revision(revision.to_owned())
        } else {
            GitReference::Default
        };
        return Ok(Origin::Git { url: url.to_owned(), reference, subdirectory: subdirectory()? });
    }
    for key in ["file", "path"] {
        if let Some(path) = table.string(key)? {
            return Ok(Origin::Path { path: path.replace('\\', "/"), subdirectory: subdirectory()? });
        }
    }
    if let Some(url) = table.string("url")? {
        return Ok(Origin::Url { url: url.to_owned(), subdirectory: subdirectory()? });
    }
    Ok(Origin::Index { source: table.string("source")?.map(str::to_owned) })
}
