//! What a script does.

use std::collections::BTreeSet;

use crate::{
    Shell, Unparsed,
    ast::Script,
    evaluate::{Assumption, Call, Element, Evaluator, Status},
    parse::parse,
    shell::Unclear,
    state::State,
};

/// What is known of what a script does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The script.
    pub text: String,
    /// The programs that it runs, in their order. Those that only may run are among them, a loop's once.
    pub calls: Vec<Call>,
    /// What was taken for true to know that.
    pub assumptions: Vec<Assumption>,
    /// Whether it fails, or may fail, by what it says itself.
    pub fails: bool,
    /// Whether it may do what is not followed, such as `eval`, so that other programs than these may run.
    pub strays: bool,
    pub(crate) script: Script,
    pub(crate) elements: Vec<Element>,
}

/// Why a script is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Its text.
    #[error(transparent)]
    Text(#[from] Unparsed),
    /// How it is started.
    #[error(transparent)]
    Start(#[from] Unclear),
}

/// Reads a script.
///
/// # Errors
/// If shells may differ in what they make of it.
pub fn read(text: &str, shell: &Shell, state: State) -> Result<Reading, Unread> {
    let state = shell.begin(state)?;
    let script = parse(text, shell.dialect)?;
    let mut evaluator = Evaluator::new(shell, state);
    let mut elements = Vec::new();
    let status = evaluator.script(&script, true, &mut elements);
    let fails = evaluator.fails || status == Status::NonZero;
    let Evaluator { calls, assumptions, strays, .. } = evaluator;
    Ok(Reading { text: text.to_owned(), calls, assumptions, fails, strays, script, elements })
}

impl Reading {
    /// The absolute paths of the folders that it goes to.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        visit(&self.elements, &mut found);
        found
    }
}

fn visit<'a>(elements: &'a [Element], found: &mut BTreeSet<&'a str>) {
    for element in elements {
        match element {
            Element::Text(text) => found.extend(text.enters.as_deref()),
            Element::Subshell { body, .. } => visit(body, found),
        }
    }
}
