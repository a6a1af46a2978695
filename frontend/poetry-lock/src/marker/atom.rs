use pep440_rs::Version;

use crate::constraint::{Flavour, MAX_TERMS};
use crate::{Constraint, Name};

use super::environment::{Environment, Extras};

/// One comparison, made ready for evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Atom {
    variable: &'static str,
    test: Test,
    /// The operator and the value as they are written with the variable in front; `None` if that cannot be.
    written: Option<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    /// The variable is a version in this set.
    Version(Constraint),
    /// The variable's text equals one of these, or none of them if `negated`.
    Text { values: Vec<String>, negated: bool },
    /// The variable's text contains this one, or does not if `negated`.
    Contains { part: String, negated: bool },
    /// One of these extras is asked for, or none if `negated`.
    Extra { names: Vec<Name>, negated: bool },
    /// An order is asked of a variable that has none.
    Unordered,
}

/// Variables that are compared as versions.
const VERSIONS: [&str; 3] = ["python_version", "python_full_version", "platform_release"];

impl Atom {
    /// `variable operator "value"`, or `"value" operator variable` if `reversed`. The error says
    /// what is wrong with the value or the operator.
    pub(super) fn new(variable: &'static str, operator: &str, value: &str, reversed: bool) -> Result<Self, String> {
        let is_python = matches!(variable, "python_version" | "python_full_version");
        if reversed && (operator == "~=" || value.contains('*')) {
            return Err(format!("`{operator}` and `*` need the variable on the left"));
        }
        let operator = if reversed { mirrored(operator) } else { operator };
        let negated = matches!(operator, "!=" | "not in");
        let test = match operator {
            "in" | "not in" if reversed && !is_python && variable != "extra" => {
                Test::Contains { part: value.to_owned(), negated }
            }
            "===" => Test::Text { values: vec![value.to_owned()], negated },
            _ if variable == "extra" => match operator {
                "==" | "!=" => Test::Extra { names: vec![Name::new(value)], negated },
                "in" | "not in" => Test::Extra { names: listed(value).map(Name::new).collect(), negated },
                _ => return Err(format!("`extra` cannot be compared with `{operator}`")),
            },
            _ if VERSIONS.contains(&variable) => Test::Version(version_set(variable, operator, value)?),
            "in" | "not in" => Test::Text { values: listed(value).map(str::to_owned).collect(), negated },
            "==" | "!=" => Test::Text { values: vec![value.trim().to_owned()], negated },
            _ => Test::Unordered,
        };
        let is_search = matches!(test, Test::Contains { .. });
        let written = (!is_search).then(|| (operator.to_owned(), value.to_owned()));
        Ok(Self { variable, test, written })
    }

    /// A variable that is compared as a version lies in `versions`, which is written as `operator "value"`.
    pub(super) fn version(variable: &'static str, versions: Constraint, operator: &str, value: &Version) -> Self {
        Self { variable, test: Test::Version(versions), written: Some((operator.to_owned(), value.to_string())) }
    }

    /// The variable, the operator and the value, if they can be written in this order.
    pub(crate) fn written(&self) -> Option<(&'static str, &str, &str)> {
        self.written.as_ref().map(|(operator, value)| (self.variable, operator.as_str(), value.as_str()))
    }

    /// Whether it holds in some environment with these extras.
    pub(crate) fn may_hold(&self, extras: Extras<'_>) -> bool {
        match (&self.test, extras) {
            (Test::Extra { names, negated }, Extras::Only(active)) => {
                names.iter().any(|name| active.contains(name)) != *negated
            }
            _ => true,
        }
    }

    /// The variable.
    pub(crate) fn variable(&self) -> &'static str {
        self.variable
    }

    /// The error is the name of a variable that the environment does not tell.
    pub(super) fn evaluate(&self, environment: &Environment, extras: Extras<'_>) -> Result<bool, &'static str> {
        let text = || environment.get(self.variable).ok_or(self.variable);
        Ok(match &self.test {
            Test::Extra { names, negated } => match extras {
                Extras::Open => true,
                Extras::Only(active) => names.iter().any(|name| active.contains(name)) != *negated,
            },
            Test::Version(versions) => versions.allows(environment.version(self.variable).ok_or(self.variable)?),
            Test::Text { values, negated } => {
                let text = text()?.trim();
                values.iter().any(|value| value == text) != *negated
            }
            Test::Contains { part, negated } => text()?.contains(part.as_str()) != *negated,
            Test::Unordered => false,
        })
    }

    pub(super) fn is_about_extras(&self) -> bool {
        self.variable == "extra"
    }

    pub(super) fn wanted_extras(&self) -> &[Name] {
        match &self.test {
            Test::Extra { names, negated: false } => names,
            _ => &[],
        }
    }
}

/// The operator that means the same with its operands exchanged.
fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

fn listed(value: &str) -> impl Iterator<Item = &str> {
    value.split([' ', ',', '|']).filter(|part| !part.is_empty())
}

fn version_set(variable: &str, operator: &str, value: &str) -> Result<Constraint, String> {
    let flavour = if variable == "platform_release" { Flavour::LooseMarker } else { Flavour::Marker };
    let parse = |text: &str| Constraint::parse_as(text, flavour).map_err(|error| error.to_string());
    if matches!(operator, "in" | "not in") {
        if listed(value).nth(MAX_TERMS).is_some() {
            return Err(format!("a list of more than {MAX_TERMS} versions"));
        }
        let mut union = Constraint::none();
        for version in listed(value) {
            // A version of one or two components stands for the whole series.
            let series = if version.matches('.').count() < 2 { ".*" } else { "" };
            union = union.union(&parse(&format!("=={version}{series}"))?);
        }
        return Ok(if operator == "in" { union } else { union.complement() });
    }
    let components = value.matches('.').count() + 1;
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let padding = if variable == "python_full_version" && is_plain {
        ".0".repeat(3_usize.saturating_sub(components))
    } else {
        String::new()
    };
    parse(&format!("{operator} {value}{padding}"))
}
