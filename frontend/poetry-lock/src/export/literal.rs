//! The comparisons that conditions are made of.

use std::fmt;

use pep440_rs::Version;

use crate::Constraint;
use crate::constraint::{Bound, Flavour, Range};
use crate::marker::Atom;

/// A comparison, or several of one variable with `==` (one of which holds) or with `!=` (all of which hold).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    /// Of the version of Python.
    Python {
        variable: &'static str,
        operator: String,
        value: String,
        /// The full versions for which it holds.
        versions: Constraint,
    },
    /// Of any other variable.
    Text { variable: &'static str, values: Vec<String>, negated: bool },
}

/// What two literals come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// It cannot be said with one literal.
    Two,
    One(Literal),
    Always,
    Never,
}

impl Literal {
    /// Reads a comparison of a marker; `None` if Poetry and pip need not agree on what it means, or it cannot be written.
    pub(super) fn of(atom: &Atom) -> Option<Self> {
        let (variable, operator, value) = atom.written()?;
        match (variable, operator) {
            ("python_version" | "python_full_version", _) => Self::python(variable, operator, value),
            ("platform_release" | "platform_version" | "implementation_version" | "extra", _) => None,
            (_, "==" | "!=") if !value.contains(['"', '\\']) => {
                Some(Self::Text { variable, values: vec![value.to_owned()], negated: operator == "!=" })
            }
            _ => None,
        }
    }

    pub(super) fn python(variable: &'static str, operator: &str, value: &str) -> Option<Self> {
        let parse = |text: String| Constraint::parse_as(&text, Flavour::Marker).ok();
        let is_series = value.ends_with(".*");
        let numbers: Option<Vec<u64>> =
            value.trim_end_matches(".*").split('.').map(|number| number.parse().ok()).collect();
        // `python_version` has two components, so that it lies above 3.8 from 3.9 on.
        let next = match (variable, numbers.as_deref()) {
            ("python_version", Some([major, minor])) => Some(format!("{major}.{}", minor + 1)),
            ("python_version", Some([major])) => Some(format!("{major}.1")),
            ("python_version", _) => return None,
            _ => None,
        };
        let missing = numbers.as_ref().map_or(0, |numbers| 3_usize.saturating_sub(numbers.len()));
        let padded = format!("{value}{}", ".0".repeat(missing));
        let versions = match (operator, next) {
            ("==" | "!=", _) if is_series => parse(format!("{operator}{value}"))?,
            _ if is_series => return None,
            (">=" | "<", _) => parse(format!("{operator}{padded}"))?,
            (">", Some(next)) => parse(format!(">={next}"))?,
            ("<=", Some(next)) => parse(format!("<{next}"))?,
            ("==" | "!=", Some(_)) if missing == 1 => parse(format!("{operator}{value}.*"))?,
            (_, Some(_)) => return None,
            (">" | "<=" | "==" | "!=", None) => parse(format!("{operator}{padded}"))?,
            _ => return None,
        };
        Some(Self::Python { variable, operator: operator.to_owned(), value: value.to_owned(), versions })
    }

    /// The literals of a range of versions of Python, as `create_nested_marker` of poetry-core writes it.
    pub(super) fn of_range(range: &Range) -> Option<Vec<Self>> {
        // What is excluded together with its pre-releases is written without them.
        let written = |bound: &Bound| match bound.version.dev() {
            Some(0) => bound.version.clone().with_dev(None),
            _ => bound.version.clone(),
        };
        let variable = |version: &Version| match version.release().len() {
            0..=2 => "python_version",
            _ => "python_full_version",
        };
        let mut literals = Vec::new();
        let mut push = |operator: &str, version: Version| {
            literals.push(Self::python(variable(&version), operator, &version.to_string())?);
            Some(())
        };
        if let Some(version) = range.as_point() {
            push("==", version.clone())?;
            return Some(literals);
        }
        if let Some(low) = &range.low {
            push(if low.inclusive { ">=" } else { ">" }, written(low))?;
        }
        if let Some(high) = &range.high {
            push(if high.inclusive { "<=" } else { "<" }, written(high))?;
        }
        Some(literals)
    }

    /// The versions of Python for which it may hold.
    pub(super) fn versions(&self) -> Constraint {
        match self {
            Self::Python { versions, .. } => versions.clone(),
            Self::Text { .. } => Constraint::any(),
        }
    }

    /// Whether it holds wherever `other` does.
    pub(super) fn follows_from(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Python { versions: wide, .. }, Self::Python { versions: narrow, .. }) => {
                wide.intersect(narrow) == *narrow
            }
            _ => self == other || self.and(other) == Merged::One(other.clone()),
        }
    }

    pub(super) fn and(&self, other: &Self) -> Merged {
        match (self, other) {
            (Self::Python { versions: one, .. }, Self::Python { versions: two, .. }) => {
                self.or_two(other, one, two, one.intersect(two))
            }
            (
                Self::Text { variable, values: one, negated: not_one },
                Self::Text { variable: of_other, values: two, negated: not_two },
            ) if variable == of_other => {
                let (values, negated) = match (not_one, not_two) {
                    (false, false) => (kept(one, two, true), false),
                    (false, true) => (kept(one, two, false), false),
                    (true, false) => (kept(two, one, false), false),
                    (true, true) => (joined(one, two), true),
                };
                match values.is_empty() {
                    true => Merged::Never,
                    false => Merged::One(Self::Text { variable, values, negated }),
                }
            }
            _ => Merged::Two,
        }
    }

    pub(super) fn or(&self, other: &Self) -> Merged {
        match (self, other) {
            (Self::Python { versions: one, .. }, Self::Python { versions: two, .. }) => {
                self.or_two(other, one, two, one.union(two))
            }
            (
                Self::Text { variable, values: one, negated: not_one },
                Self::Text { variable: of_other, values: two, negated: not_two },
            ) if variable == of_other => {
                let (values, negated) = match (not_one, not_two) {
                    (false, false) => (joined(one, two), false),
                    (false, true) => (kept(two, one, false), true),
                    (true, false) => (kept(one, two, false), true),
                    (true, true) => (kept(one, two, true), true),
                };
                match values.is_empty() {
                    true => Merged::Always,
                    false => Merged::One(Self::Text { variable, values, negated }),
                }
            }
            _ => Merged::Two,
        }
    }

    fn or_two(&self, other: &Self, one: &Constraint, two: &Constraint, result: Constraint) -> Merged {
        if result.is_empty() {
            Merged::Never
        } else if result.is_any() {
            Merged::Always
        } else if result == *one && !(one == two && self.is_full()) {
            Merged::One(self.clone())
        } else if result == *two {
            Merged::One(other.clone())
        } else {
            Merged::Two
        }
    }

    /// Whether it names the full version of Python.
    fn is_full(&self) -> bool {
        matches!(self, Self::Python { variable: "python_full_version", .. })
    }

    /// Whether it is written with several comparisons, of which one has to hold.
    pub(super) fn is_choice(&self) -> bool {
        matches!(self, Self::Text { values, negated: false, .. } if values.len() > 1)
    }
}

fn kept(values: &[String], others: &[String], in_both: bool) -> Vec<String> {
    values.iter().filter(|value| others.contains(value) == in_both).cloned().collect()
}

fn joined(one: &[String], two: &[String]) -> Vec<String> {
    one.iter().chain(two.iter().filter(|value| !one.contains(value))).cloned().collect()
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Python { variable, operator, value, .. } => write!(formatter, "{variable} {operator} \"{value}\""),
            Self::Text { variable, values, negated } => {
                let (operator, glue) = if *negated { ("!=", " and ") } else { ("==", " or ") };
                let written: Vec<_> = values.iter().map(|value| format!("{variable} {operator} \"{value}\"")).collect();
                formatter.write_str(&written.join(glue))
            }
        }
    }
}
