//! Environment markers (PEP 508) with the meaning that Poetry gives them.
//!
//! Where Poetry (poetry-core 2.5) differs from the `packaging` library, Poetry is followed:
//!
//! - `in` and `not in` take a list of values, separated by blanks, commas or bars: `sys_platform in
//!   "linux2"` is not a search for a substring. Written the other way round, `"tegra" in
//!   platform_release`, it is one.
//! - `platform_release` is compared as a loosely read version.
//! - Of the other variables only `python_version` and `python_full_version` have an order; `<`,
//!   `>=` and `~=` on the rest are false.
//! - `extra == "x"` holds if x is among the extras asked for, `extra != "x"` if it is not, both by
//!   normalized names. Where no extras apply at all (see [`Extras::Open`]) both hold.
//! - `python_full_version` is padded to three components.
//! - Besides PEP 508, the empty text and `*` always hold and `<empty>` never does.
//!
//! What Poetry refuses but PEP 508 defines is read as PEP 508 says: comparisons with the variable
//! on the right (`"3.8" <= python_version`), and `===`, the comparison of texts.
//!
//! A variable that the environment does not tell is an error, unless the answer does not depend
//! on it.

mod atom;
mod environment;
mod parse;

use std::fmt;

pub(crate) use atom::Atom;
pub use environment::{Environment, Extras};
pub use parse::MarkerError;

use crate::{Name, Span};

/// A condition on the environment that something is installed for.
///
/// ```
/// use poetry_lock::{Environment, Extras, Marker};
///
/// let marker = Marker::parse(r#"python_version >= "3.9" and sys_platform == "linux""#)?;
/// let environment = Environment::linux("3.11.7", "x86_64")?;
/// assert!(marker.evaluate(&environment, Extras::Open)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    text: String,
    span: Option<Span>,
    expression: Expression,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Atom(Atom),
}

/// The environment does not tell a variable that a marker's truth depends on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment does not tell `{variable}`, which the marker `{marker}` depends on")]
pub struct UnknownVariable {
    /// The variable's name.
    pub variable: String,
    /// The marker's text.
    pub marker: String,
}

impl Marker {
    /// The marker that always holds.
    #[must_use]
    pub fn always() -> Self {
        Self { text: String::new(), span: None, expression: Expression::All(vec![]) }
    }

    /// Whether this is the marker that always holds. Others may hold always as well.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.expression == Expression::All(vec![])
    }

    /// The marker as it was written; the empty text if it always holds.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the marker was read from, if from a file.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// Whether the marker holds in `environment`.
    ///
    /// # Errors
    /// If that depends on a variable which the environment does not tell.
    pub fn evaluate(&self, environment: &Environment, extras: Extras<'_>) -> Result<bool, UnknownVariable> {
        self.expression
            .evaluate(environment, extras)
            .map_err(|variable| UnknownVariable { variable: variable.to_owned(), marker: self.text.clone() })
    }

    /// Whether the marker could hold for this version of Python on some platform with some extras.
    pub(crate) fn may_hold_for_python(&self, environment: &Environment) -> bool {
        self.expression.evaluate(&environment.only_stable_python(), Extras::Open).unwrap_or(true)
    }

    /// The extras that the marker asks for with `extra == "x"`, in the order of mention.
    pub(crate) fn wanted_extras(&self) -> Vec<Name> {
        let mut extras = Vec::new();
        self.expression.each_atom(&mut |atom| {
            for extra in atom.wanted_extras() {
                if !extras.contains(extra) {
                    extras.push(extra.clone());
                }
            }
        });
        extras
    }

    /// Whether the marker names extras at all.
    pub(crate) fn mentions_extras(&self) -> bool {
        let mut found = false;
        self.expression.each_atom(&mut |atom| found |= atom.is_about_extras());
        found
    }

    /// The marker that holds where both do.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        if self.is_always() {
            return other;
        }
        if other.is_always() {
            return self;
        }
        Self {
            text: format!("({}) and ({})", self.text, other.text),
            span: self.span.or(other.span),
            expression: Expression::All(vec![self.expression, other.expression]),
        }
    }

    pub(crate) fn expression(&self) -> &Expression {
        &self.expression
    }

    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Expression {
    /// Three-valued: the error names a variable that the answer depends on.
    fn evaluate(&self, environment: &Environment, extras: Extras<'_>) -> Result<bool, &'static str> {
        let (parts, decisive) = match self {
            Self::Atom(atom) => return atom.evaluate(environment, extras),
            Self::All(parts) => (parts, false),
            Self::Any(parts) => (parts, true),
        };
        let mut unknown = None;
        for part in parts {
            match part.evaluate(environment, extras) {
                Ok(value) if value == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(variable) => unknown = unknown.or(Some(variable)),
            }
        }
        unknown.map_or(Ok(!decisive), Err)
    }

    fn each_atom(&self, visit: &mut impl FnMut(&Atom)) {
        match self {
            Self::Atom(atom) => visit(atom),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.each_atom(visit);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
