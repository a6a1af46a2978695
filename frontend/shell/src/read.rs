//! What a script does.

use std::collections::BTreeSet;

use crate::{
    Shell, Unparsed,
    ast::Script,
    evaluate::{Assumption, Call, Effect, Element, Evaluator, Failure, Status, Text},
    expand::Field,
    parse::parse,
    quote::quoted,
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
    /// The files that its redirections may write, by absolute paths; `None` for one that is not known.
    pub writes: Vec<Option<String>>,
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
    let Evaluator { calls, assumptions, writes, strays, .. } = evaluator;
    Ok(Reading { text: text.to_owned(), calls, assumptions, writes, fails, strays, script, elements })
}

impl Reading {
    /// The call that all of the script is, if it is but one that is certain to run.
    #[must_use]
    pub fn only_call(&self) -> Option<&Call> {
        match (&self.elements[..], &self.calls[..]) {
            ([Element::Text(text)], [call])
                if text.call == Some(0) && call.certain && call.fatal && call.pipe.is_none() =>
            {
                Some(call)
            }
            _ => None,
        }
    }

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

/// A program that is started without a shell, read as one that a shell would start with these words.
#[must_use]
pub fn program(words: &[String], state: State) -> Reading {
    let (mut text, mut fields) = (String::new(), Vec::new());
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        let start = text.len();
        text.push_str(&quoted(word));
        let range = Some(start..text.len());
        fields.push(Field {
            text: Some(word.clone()),
            pattern: None,
            range,
            process: None,
            has_slash: word.contains('/'),
        });
    }
    let range = 0..text.len();
    let call = Call {
        fields,
        open: None,
        assignments: Vec::new(),
        redirects: Vec::new(),
        state,
        certain: true,
        sealed: None,
        range: Some(range.clone()),
        fatal: true,
        decides: false,
        is_read: false,
        pipe: None,
    };
    let element = Element::Text(Text {
        range,
        call: Some(0),
        runs: true,
        effect: Effect::None,
        failure: Failure::Chain,
        background: false,
        is_list: false,
        enters: None,
        checks: false,
        fails: false,
        ignores: false,
        errexit: false,
    });
    Reading {
        text,
        calls: vec![call],
        assumptions: Vec::new(),
        writes: Vec::new(),
        fails: false,
        strays: false,
        script: Script::default(),
        elements: vec![element],
    }
}
