//! Conditions that can be combined and written, as Poetry's exporter does it with markers.
//!
//! Follows the simplifications of poetry-core (`version/markers.py`) where these are but a few comparisons. The meaning is
//! that of the markers in any case; the spelling of what has many alternatives need not be Poetry's.

use std::fmt;

use super::literal::{Literal, Merged};
use crate::constraint::Range;
use crate::marker::Expression;
use crate::{Constraint, Extras, Marker};

/// More alternatives than any real marker has.
const MOST: usize = 128;

/// Alternatives, each a list of literals that have all to hold. None at all never holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    alternatives: Vec<Vec<Literal>>,
    /// Written with what all alternatives have in common taken out.
    factored: bool,
}

/// A marker cannot be combined with others with certainty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opaque;

impl Condition {
    pub(super) fn always() -> Self {
        Self { alternatives: vec![vec![]], factored: false }
    }

    /// A marker where these extras are asked for.
    pub(super) fn of(marker: &Marker, extras: Extras<'_>) -> Result<Self, Opaque> {
        Ok(Self::simplified(alternatives(marker.expression(), extras)?))
    }

    /// The versions of Python in any of these ranges.
    pub(super) fn of_ranges(ranges: &[Range]) -> Result<Self, Opaque> {
        let alternatives: Option<Vec<_>> = ranges.iter().map(Literal::of_range).collect();
        Ok(Self::simplified(alternatives.ok_or(Opaque)?))
    }

    pub(super) fn is_never(&self) -> bool {
        self.alternatives.is_empty()
    }

    pub(super) fn is_always(&self) -> bool {
        self.alternatives.iter().any(Vec::is_empty)
    }

    /// Whether it is but one comparison. poetry-core puts those behind what they are combined with.
    fn is_single(&self) -> bool {
        matches!(&self.alternatives[..], [literals] if literals.len() == 1)
    }

    /// The same, written with what all alternatives have in common taken out.
    pub(super) fn factored(self) -> Self {
        Self { factored: true, ..self }
    }

    /// The versions of Python for which it may hold.
    pub(super) fn versions(&self) -> Constraint {
        let of = |literals: &Vec<Literal>| {
            literals.iter().fold(Constraint::any(), |all, literal| all.intersect(&literal.versions()))
        };
        self.alternatives.iter().fold(Constraint::none(), |all, literals| all.union(&of(literals)))
    }

    pub(super) fn and(&self, other: &Self) -> Result<Self, Opaque> {
        if self.is_single() && !other.is_single() {
            return other.and(self);
        }
        if self.alternatives.len() * other.alternatives.len() > MOST {
            return Err(Opaque);
        }
        let pairs = self.alternatives.iter().flat_map(|one| other.alternatives.iter().map(move |two| (one, two)));
        Ok(Self::simplified(pairs.map(|(one, two)| one.iter().chain(two).cloned().collect()).collect()))
    }

    pub(super) fn or(&self, other: &Self) -> Result<Self, Opaque> {
        if self.is_single() && !other.is_single() {
            return other.or(self);
        }
        let all: Vec<_> = self.alternatives.iter().chain(&other.alternatives).cloned().collect();
        if all.len() > MOST {
            return Err(Opaque);
        }
        Ok(Self::simplified(all).factored())
    }

    /// `MarkerUnion.of` of conjunctions.
    fn simplified(alternatives: Vec<Vec<Literal>>) -> Self {
        let mut new: Vec<Vec<Literal>> = alternatives.into_iter().filter_map(conjunction).collect();
        loop {
            let old = std::mem::take(&mut new);
            for literals in &old {
                if literals.is_empty() {
                    return Self::always();
                }
                match new.iter_mut().find_map(|known| Some((union(known, literals)?, known))) {
                    Some((union, _)) if union.is_empty() => return Self::always(),
                    Some((union, known)) => *known = union,
                    None => new.push(literals.clone()),
                }
            }
            if new == old {
                return Self { alternatives: new, factored: false };
            }
        }
    }

    /// What all alternatives have in common, and what is left of each, if that is one literal of each. With the place of
    /// the latter among the former.
    fn factors(&self) -> Option<(Vec<&Literal>, Vec<&Literal>, usize)> {
        let (first, others) = self.alternatives.split_first()?;
        let is_common = |literal: &&Literal| others.iter().all(|other| other.contains(literal));
        let common: Vec<&Literal> = first.iter().filter(is_common).collect();
        let rest = |literals: &'_ Vec<Literal>| -> Option<usize> {
            let mut rest = (0..literals.len()).filter(|at| !common.contains(&&literals[*at]));
            rest.next().filter(|_| rest.next().is_none())
        };
        let rests: Option<Vec<&Literal>> =
            self.alternatives.iter().map(|literals| literals.get(rest(literals)?)).collect();
        let place = rest(first)?;
        rests.filter(|_| !common.is_empty()).map(|rests| (common, rests, place))
    }
}

/// `MultiMarker.of`. `None` if it never holds.
fn conjunction(literals: Vec<Literal>) -> Option<Vec<Literal>> {
    let mut new = literals;
    loop {
        let old = std::mem::take(&mut new);
        for literal in &old {
            let mut merged = false;
            for known in &mut new {
                match known.and(literal) {
                    Merged::Never => return None,
                    Merged::One(one) => {
                        *known = one;
                        merged = true;
                        break;
                    }
                    Merged::Always | Merged::Two => {}
                }
            }
            if !merged {
                new.push(literal.clone());
            }
        }
        if new == old {
            return Some(new);
        }
    }
}

/// One conjunction for two, if they come to one: if one of them covers the other, or they differ in one literal.
fn union(one: &[Literal], two: &[Literal]) -> Option<Vec<Literal>> {
    let covers = |wide: &[Literal], narrow: &[Literal]| {
        wide.iter().all(|literal| narrow.iter().any(|other| literal.follows_from(other)))
    };
    if covers(one, two) {
        return Some(one.to_vec());
    }
    if covers(two, one) {
        return Some(two.to_vec());
    }
    if let Some(joined) = joined_ranges(one, two) {
        return Some(joined);
    }
    let differing: Vec<usize> = (0..one.len()).filter(|at| !two.contains(&one[*at])).collect();
    let others: Vec<&Literal> = two.iter().filter(|literal| !one.contains(literal)).collect();
    let ([at], [other]) = (&differing[..], &others[..]) else { return None };
    let mut result = one.to_vec();
    match one[*at].or(other) {
        Merged::One(literal) => result[*at] = literal,
        Merged::Always => drop(result.remove(*at)),
        Merged::Two | Merged::Never => return None,
    }
    Some(result)
}

/// One conjunction for two that differ in their ranges of versions of Python alone, if these make one range.
fn joined_ranges(one: &[Literal], two: &[Literal]) -> Option<Vec<Literal>> {
    let is_python = |literal: &&Literal| matches!(literal, Literal::Python { .. });
    let others = |from: &[Literal], of: &[Literal]| {
        from.iter().filter(|literal| !is_python(literal)).all(|literal| of.contains(literal))
    };
    if !others(one, two) || !others(two, one) {
        return None;
    }
    let range = |literals: &[Literal]| {
        literals.iter().fold(Constraint::any(), |all, literal| all.intersect(&literal.versions()))
    };
    let whole = range(one).union(&range(two));
    let holds = |literal: &&Literal| whole.intersect(&literal.versions()) == whole;
    let mut result: Vec<Literal> = one.iter().filter(holds).cloned().collect();
    for literal in two.iter().filter(is_python).filter(holds) {
        if !result.iter().any(|known| literal.follows_from(known)) {
            result.push(literal.clone());
        }
    }
    (range(&result) == whole).then_some(result)
}

fn alternatives(expression: &Expression, extras: Extras<'_>) -> Result<Vec<Vec<Literal>>, Opaque> {
    match expression {
        Expression::Atom(atom) if atom.variable() == "extra" => {
            Ok(if atom.may_hold(extras) { vec![vec![]] } else { vec![] })
        }
        Expression::Atom(atom) => Ok(vec![vec![Literal::of(atom).ok_or(Opaque)?]]),
        Expression::Any(parts) => {
            let all: Result<Vec<_>, _> = parts.iter().map(|part| alternatives(part, extras)).collect();
            Ok(all?.concat())
        }
        Expression::All(parts) => {
            let mut all: Vec<Vec<Literal>> = vec![vec![]];
            for part in parts {
                let part = alternatives(part, extras)?;
                if all.len() * part.len() > MOST {
                    return Err(Opaque);
                }
                let pairs = all.iter().flat_map(|one| part.iter().map(move |two| (one, two)));
                all = pairs.map(|(one, two)| one.iter().chain(two).cloned().collect()).collect();
            }
            Ok(all)
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conjunction = |literals: &[&Literal]| -> String {
            let in_several = literals.len() > 1;
            let written = literals.iter().map(|literal| match literal.is_choice() && in_several {
                true => format!("({literal})"),
                false => literal.to_string(),
            });
            written.collect::<Vec<_>>().join(" and ")
        };
        let plain = || {
            let alternatives = self.alternatives.iter();
            let written = alternatives.map(|literals| conjunction(&literals.iter().collect::<Vec<_>>()));
            written.collect::<Vec<_>>().join(" or ")
        };
        let Some((common, rests, place)) = self.factors().filter(|_| self.factored && self.alternatives.len() > 1)
        else {
            return formatter.write_str(&plain());
        };
        let choice = rests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        let (before, behind) = common.split_at(place.min(common.len()));
        let parts = [conjunction(before), format!("({choice})"), conjunction(behind)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        formatter.write_str(&parts.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> Condition {
        Condition::of(&Marker::parse(text).unwrap(), Extras::Open).unwrap()
    }

    const PYTHON: &str = r#"python_version >= "3.11" and python_version < "4.0""#;

    /// As printed by poetry-core 1.9.1.
    #[test]
    fn conditions_are_combined_as_poetry_does() {
        let python = condition(PYTHON);
        for (one, two, expected) in [
            (r#"sys_platform == "win32""#, PYTHON, format!(r#"{PYTHON} and sys_platform == "win32""#)),
            (r#"python_version >= "3.7""#, PYTHON, PYTHON.to_owned()),
            (
                r#"python_version < "3.13""#,
                PYTHON,
                r#"python_version >= "3.11" and python_version < "3.13""#.to_owned(),
            ),
            (
                r#"python_version < "3.13" and sys_platform == "win32""#,
                PYTHON,
                r#"python_version < "3.13" and sys_platform == "win32" and python_version >= "3.11""#.to_owned(),
            ),
            (r#"python_full_version >= "3.11.0""#, PYTHON, PYTHON.to_owned()),
            (r#"extra == "x""#, PYTHON, PYTHON.to_owned()),
        ] {
            assert_eq!(condition(one).and(&condition(two)).unwrap().to_string(), expected);
        }
        assert!(condition(r#"python_version < "3.8""#).and(&python).unwrap().is_never());
        let windows = |text: &str| python.and(&condition(text)).unwrap();
        let (one, two) = (windows(r#"sys_platform == "win32""#), windows(r#"platform_system == "Windows""#));
        let both = format!(r#"{PYTHON} and (sys_platform == "win32" or platform_system == "Windows")"#);
        assert_eq!(one.or(&two).unwrap().to_string(), both);
        assert_eq!(one.or(&python).unwrap(), Condition { factored: true, ..python.clone() });
        let machines = windows(r#"platform_machine == "a" or platform_machine == "b""#);
        let written = format!(r#"{PYTHON} and (platform_machine == "a" or platform_machine == "b")"#);
        assert_eq!(machines.to_string(), written);
    }

    #[test]
    fn what_poetry_and_pip_read_in_other_ways_is_opaque() {
        for text in [
            r#"platform_release >= "5""#,
            r#"sys_platform in "linux win32""#,
            r#""tegra" in platform_release"#,
            r#"implementation_version >= "3""#,
            r#"python_version in "3.8 3.9""#,
        ] {
            assert_eq!(Condition::of(&Marker::parse(text).unwrap(), Extras::Open), Err(Opaque), "{text}");
        }
    }
}
