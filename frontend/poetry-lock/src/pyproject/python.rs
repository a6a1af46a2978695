use std::fmt;

use pep440_rs::Version;

use super::Tables;
use crate::constraint::{Bound, Range};
use crate::{Constraint, Error, Located};

/// The versions of Python that a project allows: `requires-python`, or `python` among the
/// dependencies of `[tool.poetry]`, which may narrow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonConstraint {
    /// The constraint as it is written, if it is written at all.
    pub text: Option<Located<String>>,
    constraint: Constraint,
}

/// What Poetry takes for a project that does not say anything.
const UNRESTRICTED: &str = "~2.7 || >=3.4";

/// Minor versions of Python 3 that are looked at.
const MINORS: std::ops::Range<u64> = 0..100;

impl PythonConstraint {
    pub(super) fn read(tables: &Tables<'_>) -> Result<Self, Error> {
        let mut text = match tables.project {
            Some(project) => project.located_string("requires-python")?,
            None => None,
        };
        if let Some(poetry) = tables.poetry {
            for (name, node) in poetry.entries_of("dependencies")? {
                if name.value.eq_ignore_ascii_case("python") && node.as_str().is_some() {
                    text = Some(node.located_string()?);
                }
            }
        }
        let written = text.as_ref().map_or("*", |text| &text.value);
        let parse = |written| Constraint::parse(written).map_err(|reason| (written, reason));
        let constraint = parse(written)
            .and_then(|constraint| if constraint.is_any() { parse(UNRESTRICTED) } else { Ok(constraint) });
        match (constraint, &text) {
            (Ok(constraint), _) => Ok(Self { constraint, text }),
            (Err((written, reason)), Some(Located { span, .. })) => {
                Err(Error::Constraint { text: written.to_owned(), reason: reason.to_string(), span: *span })
            }
            (Err(_), None) => Ok(Self { constraint: Constraint::any(), text }),
        }
    }

    /// Whether the project allows this version of Python, e.g. `3.11.7`.
    #[must_use]
    pub fn allows(&self, python: &Version) -> bool {
        self.constraint.allows(python)
    }

    /// Whether the project allows any release of this minor version, e.g. `(3, 11)`.
    #[must_use]
    pub fn allows_minor(&self, (major, minor): (u64, u64)) -> bool {
        let low = Bound::including(Version::new([major, minor]));
        let high = Bound::excluding(Version::new([major, minor + 1]).with_dev(Some(0)));
        !self.constraint.intersect(&Constraint::from_range(Range::new(Some(low), Some(high)))).is_empty()
    }

    /// The lowest minor version of Python 3 of which the project allows any release.
    #[must_use]
    pub fn lowest_minor(&self) -> Option<(u64, u64)> {
        MINORS.map(|minor| (3, minor)).find(|version| self.allows_minor(*version))
    }

    /// The constraint as a set of versions.
    #[must_use]
    pub fn constraint(&self) -> &Constraint {
        &self.constraint
    }
}

/// The constraint as it is written.
impl fmt::Display for PythonConstraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text.as_ref().map_or("*", |text| &text.value))
    }
}
