//! What `poetry export` writes.
//!
//! Follows poetry-plugin-export 1.8 to 1.10: which lines there are ([`walk`] for locks before 2.1, [`by_group`] for later
//! ones), and how they are written ([`text`]). The lines hold for all environments that the project allows.

mod by_group;
mod condition;
mod literal;
mod text;
mod walk;

use std::collections::BTreeSet;

use condition::{Condition, Opaque};

use crate::{Environment, Error, Extras, LockedPackage, Marker, Name, Options, Project, Source};

/// A list of requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export<'a> {
    project: &'a Project,
    groups: BTreeSet<Name>,
    extras: BTreeSet<Name>,
    lines: Vec<Line<'a>>,
    disputed: Option<&'a Name>,
}

/// A requirement of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// The locked package.
    pub package: &'a LockedPackage,
    /// The extras that it is asked for with.
    pub extras: BTreeSet<Name>,
    /// The condition; empty if there is none.
    pub marker: String,
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// With the digests of all files.
    pub hashes: bool,
    /// With the addresses of sources.
    pub urls: bool,
}

/// Why a list is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// A choice of groups or extras cannot be made, or the lock is stale.
    #[error(transparent)]
    Project(#[from] Error),
    /// A package comes from no index.
    #[error("{0} comes from no index")]
    NoIndex(Name),
    /// A marker cannot be told with certainty.
    #[error("the marker of {0} is one that Poetry and pip may read in different ways")]
    Marker(Name),
    /// The marker of the whole project.
    #[error("the project's versions of Python cannot be written as a marker")]
    Python,
    /// Nothing in the lock satisfies a dependency.
    #[error("no entry of poetry.lock suits the dependency on {0} in all environments")]
    Unmet(Name),
    /// There is no end of what leads to what.
    #[error("the dependencies are too many to follow")]
    TooMany,
    /// The format of the lock.
    #[error("the lock is of version 1.0")]
    Old,
    /// The source of a package is not known.
    #[error("the source {source_name} of {name} is not in pyproject.toml")]
    UnknownSource {
        /// The package.
        name: Name,
        /// The source.
        source_name: String,
    },
}

impl Project {
    /// What `poetry export` writes with these groups and extras. Without a choice of groups it is `main`.
    ///
    /// # Errors
    /// If that cannot be told with certainty.
    pub fn export(&self, options: &Options) -> Result<Export<'_>, ExportError> {
        let (groups, extras) = options.of_export(self)?;
        let python = Condition::of_ranges(self.pyproject.python.constraint().ranges());
        let python = python.map_err(|Opaque| ExportError::Python)?;
        let (mut lines, disputed) = match self.lock.version.has_groups() {
            true => (by_group::lines(self, &groups, &extras, &python)?, None),
            false => walk::lines(self, &groups, &extras, &python)?,
        };
        lines.retain(|line| line.marker != NEVER);
        if let Some(line) = lines.iter().find(|line| !line.package.source.is_index()) {
            return Err(ExportError::NoIndex(line.package.name.clone()));
        }
        Ok(Export { project: self, groups, extras, lines, disputed })
    }
}

/// What stands for a condition that never holds.
const NEVER: &str = "<empty>";

fn line<'a>(package: &'a LockedPackage, extras: BTreeSet<Name>, condition: &Condition) -> Line<'a> {
    let marker = match (condition.is_never(), condition.is_always()) {
        (true, _) => NEVER.to_owned(),
        (_, true) => String::new(),
        _ => condition.to_string(),
    };
    Line { package, extras, marker }
}

impl<'a> Export<'a> {
    /// The packages whose lines apply in an environment: each once, with the extras of all its lines.
    ///
    /// # Errors
    /// If a condition depends on a variable which the environment does not tell.
    pub fn installed(&self, environment: &Environment) -> Result<Vec<&'a LockedPackage>, Error> {
        let mut found: Vec<&LockedPackage> = Vec::new();
        for line in &self.lines {
            let opaque = |reason: String| Error::Marker { text: line.marker.clone(), reason, span: line.package.span };
            let marker = Marker::parse(&line.marker).map_err(|error| opaque(error.to_string()))?;
            let holds = marker
                .evaluate(environment, Extras::Only(&BTreeSet::new()))
                .map_err(|source| Error::UnknownVariable { source, span: Some(line.package.span) })?;
            if holds && !found.iter().any(|known| std::ptr::eq(*known, line.package)) {
                found.push(line.package);
            }
        }
        found.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
        Ok(found)
    }

    /// The lines, in no order that matters.
    #[must_use]
    pub fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    /// The groups that it is made of.
    #[must_use]
    pub fn groups(&self) -> &BTreeSet<Name> {
        &self.groups
    }

    /// The extras that it is made of.
    #[must_use]
    pub fn extras(&self) -> &BTreeSet<Name> {
        &self.extras
    }

    /// A package that an extra of another one asks for in some environments only, if there is one in a lock before
    /// version 2.1. Poetry 1 lists it; Poetry 2 does not.
    #[must_use]
    pub fn disputed(&self) -> Option<&'a Name> {
        self.disputed
    }

    /// Whether a line has a source of the project's own.
    #[must_use]
    pub fn has_sources(&self) -> bool {
        self.lines.iter().any(|line| matches!(line.package.source, Source::Index { .. }))
    }
}

#[cfg(test)]
mod tests;
