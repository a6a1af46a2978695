use pep440_rs::Version;

use super::Constraint;
use super::range::{Bound, Range};
use crate::version;

/// A text is no constraint. The message is one sentence that quotes the offending part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConstraintError(String);

/// More versions than any real constraint names. Sets of versions are merged in quadratic time.
pub(crate) const MAX_TERMS: usize = 250;

/// More pairs of parentheses than any real constraint has around it.
const MAX_DEPTH: usize = 64;

/// What separates terms and alternatives.
const SEPARATORS: [char; 6] = [',', ' ', '\t', '\n', '\r', '|'];

/// How a constraint is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// On versions of packages.
    Package,
    /// On the version of Python in a marker: upper bounds are taken as they are written.
    Marker,
    /// On `platform_release` in a marker: the same, and versions are read loosely.
    LooseMarker,
}

impl Constraint {
    /// Reads a constraint in Poetry's language.
    ///
    /// - `1.2`, `==1.2`, `=1.2`, `!=1.2`, `>1.2`, `>=1.2`, `<1.2`, `<=1.2`;
    /// - `~=1.2` (compatible release, PEP 440);
    /// - `^1.2`: up to the next breaking version; `~1.2`: up to the next minor version, `~1` to the next major one;
    /// - `*`, `1.*`, `==1.2.*`, `!=1.2.*`;
    /// - a comma or a blank means "and", `||` or `|` means "or"; a trailing comma is ignored;
    /// - parentheses around the whole or around an alternative, as old projects have them.
    ///
    /// # Errors
    /// If the text is not of that language, or names more than 250 versions.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        Self::parse_as(text, Flavour::Package)
    }

    pub(crate) fn parse_as(text: &str, flavour: Flavour) -> Result<Self, ConstraintError> {
        if text.split(SEPARATORS).filter(|term| !term.is_empty()).nth(MAX_TERMS).is_some() {
            return Err(ConstraintError(format!("a constraint on more than {MAX_TERMS} versions")));
        }
        let text = without_parentheses(text).replace("||", "|");
        let mut depth = 0_usize;
        let alternatives = text.split(|character| {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            character == '|' && depth == 0
        });
        let mut union = Self::none();
        for alternative in alternatives {
            union = union.union(&parse_alternative(without_parentheses(alternative), flavour)?);
        }
        Ok(union)
    }
}

/// The text inside of the pairs of parentheses that enclose all of it.
fn without_parentheses(text: &str) -> &str {
    let mut text = text.trim();
    for _ in 0..MAX_DEPTH {
        match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inner) if encloses_all(inner) => text = inner.trim(),
            _ => break,
        }
    }
    text
}

fn encloses_all(inner: &str) -> bool {
    let mut depth = 0_usize;
    for character in inner.chars() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

fn parse_alternative(text: &str, flavour: Flavour) -> Result<Constraint, ConstraintError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(ConstraintError("an empty version constraint".into()));
    }
    let mut all = Constraint::any();
    while !rest.is_empty() {
        let after_operator = rest.trim_start_matches(['^', '~', '=', '>', '<', '!']);
        let (operator, _) = rest.split_at(rest.len() - after_operator.len());
        let after_operator = after_operator.trim_start();
        let end = after_operator.find([',', ' ', '\t', '\n', '\r']).unwrap_or(after_operator.len());
        let (operand, after) = after_operator.split_at(end);
        all = all.intersect(&parse_term(operator, operand, flavour)?);
        rest = after.trim_start();
        if let Some(after_comma) = rest.strip_prefix(',') {
            rest = after_comma.trim_start();
        }
    }
    Ok(all)
}

fn parse_term(operator: &str, operand: &str, flavour: Flavour) -> Result<Constraint, ConstraintError> {
    let bad =
        |reason: &str| Err(ConstraintError(format!("`{operator}{operand}` is not a version constraint: {reason}")));
    if operator.is_empty() && is_wildcard(operand) {
        return Ok(Constraint::any());
    }
    let (written, wildcard) = match operand.find(".*") {
        Some(at) if operand.get(at..).is_some_and(|tail| tail.replace(".*", "").is_empty()) => {
            (operand.get(..at).unwrap_or(operand), true)
        }
        _ => (operand, false),
    };
    let read = if flavour == Flavour::LooseMarker { version::parse_loose } else { version::parse };
    let version = match read(if written == "dev" { "0.0.dev0" } else { written }) {
        Ok(version) => version,
        Err(reason) => return bad(&reason),
    };
    let from = |high: Version| {
        Range::new(Some(Bound::including(version.clone())), Some(Bound::excluding(exclusive_high(high, flavour))))
    };
    let stable = version::stable(&version);
    Ok(match operator {
        "~" | "^" | "~=" if wildcard => {
            return bad("a wildcard needs no operator, or `==` or `!=`");
        }
        "" | "=" | "==" if wildcard => Constraint::from_range(series(&version, flavour)),
        "!=" if wildcard => Constraint::from_range(series(&version, flavour)).complement(),
        "" | "=" | "==" => Constraint::exactly(version),
        "!=" => Constraint::exactly(version).complement(),
        ">" => Constraint::from_range(Range::new(Some(Bound::excluding(version)), None)),
        ">=" => Constraint::from_range(Range::new(Some(Bound::including(version)), None)),
        "<" => Constraint::from_range(Range::new(None, Some(Bound::excluding(exclusive_high(version, flavour))))),
        "<=" => Constraint::from_range(Range::new(None, Some(Bound::including(version)))),
        "^" => Constraint::from_range(from(version::next_breaking(&version))),
        "~" => Constraint::from_range(from(version::raise(&stable, usize::from(version.release().len() > 1)))),
        "~=" => Constraint::from_range(from(version::raise(&stable, version.release().len().saturating_sub(2)))),
        _ => return bad("the operator is unknown"),
    })
}

fn is_wildcard(text: &str) -> bool {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    text.split('.').all(|part| matches!(part, "*" | "x" | "X"))
}

/// `<2` does not allow the pre-releases of 2 (PEP 440), so that it ends below the first of them.
fn exclusive_high(version: Version, flavour: Flavour) -> Version {
    if flavour != Flavour::Package || version.any_prerelease() { version } else { version::first_dev(&version) }
}

/// `1.2.*`: from the first development release of 1.2 up to that of 1.3.
fn series(version: &Version, flavour: Flavour) -> Option<Range> {
    let next = if let (Some(post), None) = (version.post(), version.dev()) {
        version.clone().without_local().with_post(Some(post.saturating_add(1)))
    } else if version.any_prerelease() {
        // `1.0rc1.*` is no series that PEP 440 knows; it is taken for that version alone.
        return Some(Range::point(version.clone()));
    } else {
        version::raise(version, version.release().len().saturating_sub(1))
    };
    let (low, high) = match flavour {
        Flavour::Package => (version::first_dev(version), version::first_dev(&next)),
        Flavour::Marker | Flavour::LooseMarker => (version.clone(), next),
    };
    Range::new(Some(Bound::including(low)), Some(Bound::excluding(high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Constraint::parse(text).unwrap().to_string()
    }

    #[test]
    fn every_form_of_the_language_is_read() {
        for (text, meaning) in [
            ("*", "*"),
            ("x.X", "*"),
            ("1.2", "1.2"),
            ("v1.2", "1.2"),
            ("= 1.2", "1.2"),
            ("== 1.2.*", ">=1.2.dev0,<1.3"),
            ("1.*.*", ">=1.dev0,<2"),
            ("~1", ">=1,<2"),
            ("~1.2", ">=1.2,<1.3"),
            ("~1.2.3", ">=1.2.3,<1.3.0"),
            ("~=1.4.5", ">=1.4.5,<1.5.0"),
            ("~=2.2", ">=2.2,<3.0"),
            ("~=0.0.0.5", ">=0.0.0.5,<0.0.1.0"),
            ("^1.2.3", ">=1.2.3,<2.0.0"),
            ("^0.2", ">=0.2,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            (">1,<=2", ">1,<=2"),
            (">= 1 < 2", ">=1,<2"),
            (">=1,<2,", ">=1,<2"),
            ("<1 || >=2 | 1.5", "<1 || 1.5 || >=2"),
            ("(>=20.4.3,<20.4.5 || >=20.4.7)", ">=20.4.3,<20.4.5 || >=20.4.7"),
            ("(<1) || (>2)", "<1 || >2"),
            ("!=1.5,>=1,<2", ">=1,!=1.5,<2"),
            ("^1.0a1", ">=1.0a1,<2.0"),
            (">=1.2.*", ">=1.2"),
        ] {
            assert_eq!(shown(text), meaning, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "||",
            ">=1 ||",
            "foo",
            ">=",
            "=>1",
            "1.2.x.y",
            "^1.*",
            "<2.0.0;python_version<3.8",
            "(1",
            "===1",
            ">=*",
        ] {
            assert!(Constraint::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn texts_that_would_take_long_are_refused() {
        let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(shown(&nested(MAX_DEPTH)), "1");
        assert!(Constraint::parse(&nested(100_000)).is_err());
        for (term, separator) in [("1", "|"), ("!=1", ","), ("!=1", " ")] {
            let of = |count: usize| vec![term; count].join(separator);
            assert!(Constraint::parse(&of(MAX_TERMS)).is_ok());
            assert!(Constraint::parse(&of(MAX_TERMS + 1)).is_err());
        }
    }

    #[test]
    fn the_error_quotes_the_offending_part() {
        let error = Constraint::parse(">=1,<foo").unwrap_err();
        assert_eq!(error.to_string(), "`<foo` is not a version constraint: `foo` is not a version (PEP 440)");
    }
}
