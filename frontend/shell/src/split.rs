//! A script in several parts, each for a shell of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::{
    ast::{Command, Kind, Pipeline, Script, Word, visit_parameters, visit_substituted},
    evaluate::{COMMANDS_IN_WORDS, Effect, Element, Failure, IN_PIPELINE, Text},
    read::Reading,
};

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The script is cut here: something else does what it would do.
    Cut,
    /// The same for the whole pipeline that it is the last command of.
    CutPipeline,
    /// The same for it and the commands in its words.
    CutWithWords,
    /// The script is cut in front of it: something else is done before it runs.
    CutBefore,
    /// It is left out.
    Remove,
    /// The whole pipeline that it is the last command of is left out.
    RemovePipeline,
    /// Texts are put in place of parts of it, each by its place in the script.
    Edit(Vec<(Range<usize>, String)>),
}

impl Action {
    /// Whether the script is cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        match self {
            Self::Cut | Self::CutPipeline | Self::CutWithWords | Self::CutBefore => true,
            Self::Remove | Self::RemovePipeline | Self::Edit(_) => false,
        }
    }
}

/// A part of a script that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A script of its own.
    Script(String),
    /// The place of a call, by its number.
    Cut(usize),
}

/// Why a script cannot be cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inseparable {
    /// The call is part of something else.
    #[error("{0}")]
    Sealed(&'static str),
    /// A command changes the shell in a way that another shell would not know.
    #[error("`{0}` sets what a shell of its own behind it would not know")]
    Lasting(String),
    /// Something looks at what only the running shell knows.
    #[error("`{0}` looks at what only the running shell knows")]
    Looks(String),
}

/// A text that is printed, and how it is tied to what comes behind it.
#[derive(Clone)]
struct Printed {
    text: String,
    /// The here-documents that begin in it.
    documents: String,
    failure: Failure,
    background: bool,
    is_list: bool,
}

/// A shell on the way through the elements: the script's own, and those in it.
#[derive(Default, Clone)]
struct Frame {
    /// What has to be done again in each part.
    again: Vec<Printed>,
    /// The part in the making.
    part: Vec<Printed>,
    runs: bool,
}

impl Frame {
    /// Puts what is left of a shell within this one into the part in the making.
    fn add_subshell(&mut self, inner: &Self, failure: Failure, ignores: bool) {
        // Two parentheses would be something else.
        let inner = print(&inner.part);
        let text = if inner.starts_with('(') { format!("( {inner} )") } else { format!("({inner})") };
        let text = if ignores { format!("{text}{}", guard(failure)) } else { text };
        self.part.push(Printed { text, documents: String::new(), failure, background: false, is_list: ignores });
        self.runs = true;
    }
}

struct Splitter<'a> {
    reading: &'a Reading,
    actions: &'a BTreeMap<usize, Action>,
    folders: &'a BTreeSet<String>,
    /// The shells around the present one, the outermost first.
    frames: Vec<Frame>,
    parts: Vec<Part>,
    /// The text of what changed a shell for good, if anything has.
    lasting: Option<String>,
    /// The same in front of the last cut.
    lost: Option<String>,
    documents: Vec<Range<usize>>,
}

impl Reading {
    /// The script with other things in place of some calls, by their numbers, as scripts of their own and the cuts between
    /// them. A script that would do nothing is left out; so is one that would only go to one of `folders`, which are there.
    ///
    /// # Errors
    /// If what is behind a cut would not be as it was.
    pub fn split(
        &self,
        actions: &BTreeMap<usize, Action>,
        folders: &BTreeSet<String>,
    ) -> Result<Vec<Part>, Inseparable> {
        for (call, action) in actions {
            let Some(sealed) = self.calls.get(*call).and_then(|call| call.sealed) else { continue };
            let is_possible = match action {
                Action::Cut | Action::CutBefore => false,
                Action::CutPipeline => sealed == IN_PIPELINE && is_own(&self.elements, *call),
                Action::CutWithWords => sealed == COMMANDS_IN_WORDS && is_own(&self.elements, *call),
                Action::Remove | Action::RemovePipeline => sealed != COMMANDS_IN_WORDS,
                Action::Edit(_) => true,
            };
            if !is_possible {
                return Err(Inseparable::Sealed(sealed));
            }
        }
        let mut documents = Vec::new();
        self.script.visit_documents(&mut |range| documents.push(range));
        let mut splitter = Splitter {
            reading: self,
            actions,
            folders,
            frames: vec![Frame::default()],
            parts: Vec::new(),
            lasting: None,
            lost: None,
            documents,
        };
        splitter.elements(&self.elements)?;
        splitter.close();
        Ok(splitter.parts)
    }
}

impl Splitter<'_> {
    fn elements(&mut self, elements: &[Element]) -> Result<(), Inseparable> {
        for element in elements {
            match element {
                Element::Text(text) => self.text(text)?,
                Element::Subshell { body, text } => {
                    if !self.has_cut(body) {
                        self.text(text)?;
                        continue;
                    }
                    let (lasting, lost) = (self.lasting.clone(), self.lost.clone());
                    let ignores = self.ignores(text);
                    self.frames.push(Frame::default());
                    self.elements(body)?;
                    let frame = self.frames.pop().unwrap_or_default();
                    (self.lasting, self.lost) = (lasting, lost.or(self.lost.take()));
                    if let Some(outer) = self.frames.last_mut().filter(|_| frame.runs) {
                        outer.add_subshell(&frame, text.failure, ignores);
                    }
                }
            }
        }
        Ok(())
    }

    fn has_cut(&self, elements: &[Element]) -> bool {
        elements.iter().any(|element| match element {
            Element::Text(text) => {
                text.call.is_some_and(|call| matches!(self.actions.get(&call), Some(action) if action.is_cut()))
            }
            Element::Subshell { body, .. } => self.has_cut(body),
        })
    }

    fn text(&mut self, text: &Text) -> Result<(), Inseparable> {
        let action = text.call.and_then(|call| self.actions.get(&call).map(|action| (call, action)));
        match action {
            Some((call, Action::Cut | Action::CutPipeline | Action::CutWithWords)) => {
                if text.effect != Effect::None {
                    self.lasting = Some(self.reading.text[text.range.clone()].to_owned());
                }
                self.cut(call);
                return Ok(());
            }
            Some((call, Action::CutBefore)) => self.cut(call),
            Some((_, Action::RemovePipeline)) if text.effect == Effect::None => return Ok(()),
            Some((call, Action::Remove)) if text.effect == Effect::None && self.is_alone(call) => return Ok(()),
            _ => {}
        }
        let source = &self.reading.text[text.range.clone()];
        if text.runs || text.checks || text.effect != Effect::None {
            if let Some(lost) = self.lost.as_ref().filter(|_| text.runs || text.checks) {
                return Err(Inseparable::Lasting(lost.clone()));
            }
            if looks_at_shell(&self.reading.script, &text.range) {
                return Err(Inseparable::Looks(source.to_owned()));
            }
        }
        if text.effect == Effect::Lasting {
            self.lasting = Some(source.to_owned());
        }
        let printed = self.printed(text);
        if let Some(frame) = self.frames.last_mut() {
            if text.effect == Effect::Again && !text.runs {
                frame.again.push(printed.clone());
            }
            let is_there = text.enters.as_ref().is_some_and(|folder| self.folders.contains(folder));
            frame.runs |= text.runs || text.checks && !is_there;
            frame.part.push(printed);
        }
        Ok(())
    }

    /// Whether `set -e` may be on in a text, by itself or before it, where it does not count.
    fn ignores(&self, text: &Text) -> bool {
        text.ignores && (text.errexit || sets_options(&self.reading.script, &text.range))
    }

    /// Whether a call is no part of a pipeline.
    fn is_alone(&self, call: usize) -> bool {
        self.reading.calls.get(call).is_some_and(|call| call.pipe.is_none())
    }

    fn cut(&mut self, call: usize) {
        self.close();
        self.parts.push(Part::Cut(call));
        self.lost = self.lasting.clone();
    }

    /// Ends a part, and begins the next one in the same shells.
    fn close(&mut self) {
        let mut inner: Option<Frame> = None;
        for frame in self.frames.iter().rev() {
            let mut whole = frame.clone();
            if let Some(inner) = inner.filter(|inner| inner.runs) {
                whole.add_subshell(&inner, Failure::Chain, false);
            }
            inner = Some(whole);
        }
        if let Some(whole) = inner.filter(|whole| whole.runs) {
            self.parts.push(Part::Script(print(&whole.part)));
        }
        for frame in &mut self.frames {
            frame.part.clone_from(&frame.again);
            frame.runs = false;
        }
    }

    fn printed(&self, text: &Text) -> Printed {
        let source = &self.reading.text;
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for (call, action) in self.actions {
            let Some(call) = self.reading.calls.get(*call) else { continue };
            let whole = call.pipe.as_ref().map(|pipe| pipe.range.clone());
            let range = match action {
                Action::RemovePipeline => whole,
                _ => call.range.clone(),
            };
            let Some(range) = range else { continue };
            if range.start < text.range.start || range.end > text.range.end {
                continue;
            }
            match action {
                Action::Cut | Action::CutPipeline | Action::CutWithWords | Action::CutBefore => {}
                Action::Remove | Action::RemovePipeline => edits.push((range, "true".to_owned())),
                Action::Edit(own) => edits.extend(own.iter().cloned()),
            }
        }
        if text.enters.is_some() && text.failure == Failure::Ignored {
            // It was taken to succeed.
            edits.push((text.range.end..text.range.end, " || exit 1".to_owned()));
        }
        let is_guarded = self.ignores(text) && !text.background && (text.runs || text.checks || text.fails);
        if is_guarded {
            edits.push((text.range.end..text.range.end, guard(text.failure).to_owned()));
        }
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut printed, mut at) = (String::new(), text.range.start);
        for (range, replacement) in edits {
            if range.start < at {
                continue;
            }
            printed.push_str(&source[at..range.start]);
            printed.push_str(&replacement);
            at = range.end;
        }
        printed.push_str(&source[at..text.range.end]);
        let begins = |document: &&Range<usize>| {
            // Its lines come behind the line in which it begins.
            document.start >= text.range.end && self.begins_in(document, &text.range)
        };
        let documents = self.documents.iter().filter(begins).map(|range| &source[range.clone()]);
        let mut documents: String = documents.collect();
        if !documents.is_empty() && !documents.ends_with('\n') {
            documents.push('\n');
        }
        Printed {
            text: printed.trim_end().to_owned(),
            documents,
            failure: text.failure,
            background: text.background,
            is_list: text.is_list || is_guarded || text.enters.is_some() && text.failure == Failure::Ignored,
        }
    }

    fn begins_in(&self, document: &Range<usize>, range: &Range<usize>) -> bool {
        let mut found = false;
        self.reading.script.visit_document_starts(&mut |start, body| {
            found |= body == *document && range.contains(&start);
        });
        found
    }
}

/// What stands behind a command in which `set -e` does not count, so that it does not count in a part of the script either.
fn guard(failure: Failure) -> &'static str {
    if failure == Failure::Ignored { " || true" } else { " || exit 1" }
}

/// Whether an element is a call, or the pipeline that ends with it.
fn is_own(elements: &[Element], call: usize) -> bool {
    elements.iter().any(|element| match element {
        Element::Text(text) => text.call == Some(call),
        Element::Subshell { body, .. } => is_own(body, call),
    })
}

/// Elements as a script.
fn print(all: &[Printed]) -> String {
    let mut script = String::new();
    let mut groups = 0;
    for (index, printed) in all.iter().enumerate() {
        let rest = &all[index + 1..];
        let is_tied = printed.failure == Failure::Chain && !rest.is_empty();
        let is_behind = index > 0 && all[index - 1].failure == Failure::Chain;
        let text = match printed.is_list && (is_tied || is_behind) {
            true => format!("{{ {}; }}", printed.text),
            false => printed.text.clone(),
        };
        script.push_str(&text);
        let separator = match () {
            () if printed.background => " &",
            () if is_tied => " &&",
            () if rest.is_empty() && printed.failure == Failure::Ignored => "; true",
            () if rest.is_empty() => "",
            () => ";",
        };
        script.push_str(separator);
        if !printed.documents.is_empty() {
            script.push('\n');
            script.push_str(&printed.documents);
        } else if !rest.is_empty() {
            script.push(' ');
        }
        // What is tied by `&&` is tied to all that comes behind it.
        let (last, between) = rest.split_last().map_or((None, rest), |(last, between)| (Some(last), between));
        let goes_on = between.iter().any(|other| other.failure != Failure::Chain)
            || last.is_some_and(|last| last.failure == Failure::Ignored);
        if is_tied && goes_on {
            script.push_str("{ ");
            groups += 1;
        }
    }
    for _ in 0..groups {
        // A here-document ends with its line.
        script.push_str(if script.ends_with('\n') { "}" } else { "; }" });
    }
    script
}

/// Whether a part of a script looks at what only the running shell knows.
fn looks_at_shell(script: &Script, range: &Range<usize>) -> bool {
    const SPECIAL: [&str; 12] =
        ["?", "$", "!", "-", "0", "LINENO", "OLDPWD", "PPID", "RANDOM", "SECONDS", "PIPESTATUS", "_"];
    let is_within = |inner: &Range<usize>| inner.start >= range.start && inner.end <= range.end;
    let mut found = false;
    script.visit_words(&mut |word| {
        if is_within(&word.range) {
            visit_parameters(word, &mut |parameter| {
                found |= SPECIAL.contains(&parameter.name.as_str()) || parameter.name.starts_with("BASH");
            });
            visit_substituted(word, &mut |word| found |= word.bare().is_some_and(ends_as_the_last));
        }
    });
    script.visit_lists(&mut |list| {
        let mut before: Option<&Pipeline> = None;
        for pipeline in std::iter::once(&list.first).chain(list.rest.iter().map(|(_, pipeline)| pipeline)) {
            // Behind `&&` or `||` it ends as what is in front of it.
            let is_told = before.is_some_and(|before| is_within(&before.range)) && pipeline.commands.len() == 1;
            let mut exits =
                pipeline.commands.iter().filter(|command| is_within(&command.range) && is_bare_exit(command));
            found |= exits.next().is_some() && !is_told;
            before = Some(pipeline);
        }
    });
    found
}

/// Whether a part of a script may set options of the shell.
fn sets_options(script: &Script, range: &Range<usize>) -> bool {
    let mut found = false;
    script.visit_commands(&mut |command| {
        if command.range.start >= range.start
            && command.range.end <= range.end
            && let Kind::Simple(simple) = &command.kind
        {
            found |= simple.words.first().is_some_and(|word| word.bare().is_none_or(|name| name == "set"));
        }
    });
    script.visit_words(&mut |word| {
        if word.range.start >= range.start && word.range.end <= range.end {
            visit_substituted(word, &mut |word| found |= word.bare() == Some("set"));
        }
    });
    found
}

/// Whether a command is `exit` or `return` without a number.
fn is_bare_exit(command: &Command) -> bool {
    let Kind::Simple(simple) = &command.kind else { return false };
    let mut words = simple.words.iter().map(Word::bare);
    let is_exit = words.next().flatten().is_some_and(ends_as_the_last);
    is_exit && words.next().flatten().is_none_or(|code| code.parse::<u8>().is_err())
}

/// Whether a command ends, where no number is given, as the one in front of it did.
fn ends_as_the_last(command: &str) -> bool {
    ["exit", "return"].contains(&command)
}
