//! Why something in a Dockerfile is left to Poetry.
//!
//! Each rule has a code, which warnings show and under which docs/dockerfile.md tells it; the table there is made from
//! this one.

mod table;

pub(super) use table::*;

/// A reason for leaving something to Poetry.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name in warnings and in the documentation.
    pub code: &'static str,
    /// What it is about.
    pub summary: &'static str,
    /// What a user can do.
    pub remedy: &'static str,
}

/// A rule that holds, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The rule.
    pub rule: &'static Rule,
    /// What it holds for, as a sentence without an end. It does not repeat the command.
    pub detail: String,
}

impl Rule {
    /// Whether the user is told: not what follows from something else that is told, or what the user has said.
    pub(super) fn is_told(&self) -> bool {
        self != &SWITCHED_OFF && self != &FOLLOWS
    }
}

impl Reason {
    /// A rule that holds.
    pub(super) fn new(rule: &'static Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into() }
    }
}

/// The table of docs/dockerfile.md.
#[must_use]
pub fn table() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let row = |rule: &Rule| {
        format!("| <a id=\"{0}\"></a>`{0}` | {1} | {2} |\n", rule.code, cell(rule.summary), cell(rule.remedy))
    };
    let rows: String = ALL.iter().filter(|rule| rule.is_told()).map(|rule| row(rule)).collect();
    format!("| code | Poetry does it where | what to do |\n|---|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_names_and_every_one_is_told_once() {
        let codes: BTreeSet<&str> = ALL.iter().map(|rule| rule.code).collect();
        assert_eq!(codes.len(), ALL.len());
        for rule in ALL {
            assert!(
                rule.code.chars().all(|c| c.is_ascii_lowercase() || c == '-') && rule.code.len() <= 24,
                "{}",
                rule.code
            );
            assert!(!rule.summary.ends_with('.') && !rule.remedy.is_empty(), "{}", rule.code);
        }
    }
}
