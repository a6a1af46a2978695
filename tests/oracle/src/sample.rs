//! What the real thing is asked again although a record fits.

use std::{collections::BTreeSet, fmt};

use crate::digest;

/// After so many days all has been asked again.
pub const DAYS: u64 = 15;

/// The variable that chooses.
pub const VARIABLE: &str = "POETRY_BUILDKIT_ORACLE";

const DAY: u64 = 24 * 60 * 60;

/// A choice of subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// All of them.
    All,
    /// None.
    None,
    /// Those whose turn it is on a day, counted from 1970.
    Day(u64),
    /// Those of these names.
    Named(BTreeSet<String>),
}

impl Choice {
    /// What the variable says: `all`, `none`, the number of a day, or names separated by commas. Without it, this day's.
    pub fn read(variable: Option<&str>, now: u64) -> Self {
        match variable.map(str::trim).filter(|text| !text.is_empty()) {
            None => Self::Day(now / DAY),
            Some("all") => Self::All,
            Some("none") => Self::None,
            Some(text) => match text.parse() {
                Ok(day) => Self::Day(day),
                Err(_) => Self::Named(text.split(',').map(|name| name.trim().to_owned()).collect()),
            },
        }
    }

    /// The chosen ones of all subjects.
    pub fn of<'a>(&self, subjects: &'a BTreeSet<String>) -> BTreeSet<&'a str> {
        let is_chosen = |(position, name): &(usize, &String)| match self {
            Self::All => true,
            Self::None => false,
            Self::Day(day) => *position as u64 % DAYS == day % DAYS,
            Self::Named(names) => names.contains(*name),
        };
        subjects.iter().enumerate().filter(is_chosen).map(|(_, name)| name.as_str()).collect()
    }

    /// Whether a subject is chosen that stands in no list. A day's are those of certain digests, so that each has one turn as well.
    pub fn includes(&self, subject: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Day(day) => {
                let number = u64::from_str_radix(&digest(subject.as_bytes())[..8], 16).unwrap_or_default();
                number % DAYS == day % DAYS
            }
            Self::Named(names) => names.contains(subject),
        }
    }

    /// Names that are none of the subjects.
    pub fn unknown<'a>(&'a self, subjects: &'a BTreeSet<String>) -> Vec<&'a str> {
        match self {
            Self::Named(names) => names.difference(subjects).map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// How the same is chosen again.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => write!(f, "{VARIABLE}=all"),
            Self::None => write!(f, "{VARIABLE}=none"),
            Self::Day(day) => write!(f, "{VARIABLE}={day}"),
            Self::Named(names) => {
                write!(f, "{VARIABLE}={}", names.iter().map(String::as_str).collect::<Vec<_>>().join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(count: usize) -> BTreeSet<String> {
        (0..count).map(|number| format!("case-{number:03}")).collect()
    }

    #[test]
    fn within_some_days_all_have_their_turn_once() {
        for count in [1, 7, 15, 106] {
            let all = subjects(count);
            let mut seen = Vec::new();
            for day in 20_000..20_000 + DAYS {
                let chosen = Choice::read(None, day * DAY + 5).of(&all);
                assert!(chosen.len() <= count.div_ceil(DAYS as usize), "{}", chosen.len());
                seen.extend(chosen);
            }
            seen.sort_unstable();
            assert_eq!(seen, all.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_stands_in_no_list_has_its_turn_once() {
        for subject in ["markers", "constraints", "installs"] {
            let days = (20_000..20_000 + DAYS).filter(|day| Choice::Day(*day).includes(subject));
            assert_eq!(days.count(), 1);
            assert!(Choice::All.includes(subject) && !Choice::None.includes(subject));
            assert_eq!(Choice::read(Some("markers,x"), 0).includes(subject), subject == "markers");
        }
    }

    #[test]
    fn what_is_told_chooses_the_same_again() {
        let all = subjects(40);
        for choice in [Some("all"), Some("none"), Some("20789"), Some("case-003, case-017"), None] {
            let choice = Choice::read(choice, 20_789 * DAY);
            let told = choice.to_string();
            let again = Choice::read(told.strip_prefix("POETRY_BUILDKIT_ORACLE="), 0);
            assert_eq!(again.of(&all), choice.of(&all), "{told}");
        }
        assert_eq!(Choice::read(Some("case-003,case-017"), 0).of(&all), BTreeSet::from(["case-003", "case-017"]));
        assert_eq!(Choice::read(Some("all"), 0).of(&all).len(), 40);
        assert_eq!(Choice::read(Some("none"), 0).of(&all).len(), 0);
        assert_eq!(Choice::read(Some("case-003,case-99"), 0).unknown(&all), ["case-99"]);
    }
}
