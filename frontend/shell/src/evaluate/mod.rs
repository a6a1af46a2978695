//! What a script is certain to do.
//!
//! A script is gone through as a shell would, with values that are known or not. Where a command's success decides, it is
//! taken to succeed if the script would fail without it: nobody looks at what a script that fails has done. Where that does not
//! help, what follows may run or not, and what it sets is not known.

mod builtin;
mod compound;
mod condition;
mod simple;

use std::ops::Range;

use crate::{
    Shell,
    ast::{AndOr, Command, Connector, Kind, Pipeline, Script, Substitution},
    expand::Field,
    state::{State, Value},
};

/// Why a script cannot be cut at a call whose words have commands in them.
pub(crate) const COMMANDS_IN_WORDS: &str = "other commands are in its words";

/// Why a script cannot be cut at a call alone that is part of a pipeline.
pub(crate) const IN_PIPELINE: &str = "it is part of a pipeline";

/// A program that a script runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The program and its arguments.
    pub fields: Vec<Field>,
    /// From which field on their number is not known.
    pub open: Option<usize>,
    /// Variables that are set for it alone, each with its value where that is known.
    pub assignments: Vec<(String, Value)>,
    /// Its redirections.
    pub redirects: Vec<Redirected>,
    /// What holds when it runs.
    pub state: State,
    /// Whether it runs, once, in every run of the script that succeeds.
    pub certain: bool,
    /// Why the script cannot be cut in front of it and behind it, if it cannot.
    pub sealed: Option<&'static str>,
    /// Its text with its assignments and redirections; `None` if it is not written in the script, as in `` ` … ` ``.
    pub range: Option<Range<usize>>,
    /// Whether the script fails if it fails.
    pub fatal: bool,
    /// Whether it decides by its end, which is not known, whether other commands run.
    pub decides: bool,
    /// Whether something else reads what it writes to its standard output.
    pub is_read: bool,
    /// The pipeline that it is a simple command of.
    pub pipe: Option<Pipe>,
}

/// The place of a command in a pipeline of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipe {
    /// The text of the pipeline.
    pub range: Range<usize>,
    /// How many commands stand in front of it.
    pub index: usize,
    /// How many commands there are.
    pub count: usize,
}

impl Pipe {
    /// Whether it is the last command.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.index + 1 == self.count
    }
}

impl Call {
    /// The program and its arguments, if all are known.
    #[must_use]
    pub fn words(&self) -> Option<Vec<&str>> {
        if self.open.is_some() {
            return None;
        }
        self.fields.iter().map(|field| field.text.as_deref()).collect()
    }

    /// The program, if it is known.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        self.fields.first()?.text.as_deref().filter(|_| self.open != Some(0))
    }

    /// Whether commands in its words are all that ties it to others.
    #[must_use]
    pub fn is_sealed_by_words(&self) -> bool {
        self.sealed == Some(COMMANDS_IN_WORDS)
    }

    /// The value of a variable that the program sees.
    #[must_use]
    pub fn variable(&self, name: &str) -> Value {
        let own = self.assignments.iter().rev().find(|(assigned, _)| assigned == name);
        own.map_or_else(|| self.state.exported(name), |(_, value)| value.clone())
    }
}

/// A redirection of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirected {
    /// The descriptor.
    pub descriptor: u32,
    /// Where it leads.
    pub target: Target,
}

/// Where a descriptor leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file that is written anew: its path as given, where that is known.
    Write(Option<String>),
    /// The end of a file, or a file that is written in place.
    Append,
    /// A file that is read.
    Read(Option<String>),
    /// To where another descriptor leads, or nowhere.
    Descriptor,
    /// A text of the script, with what it comes to where that is known.
    Text(Option<String>),
    /// Anything else.
    Other,
}

impl Redirected {
    /// Whether nothing is left behind: it leads to `/dev/null` or another descriptor.
    #[must_use]
    pub fn leaves_nothing(&self) -> bool {
        match &self.target {
            Target::Write(path) | Target::Read(path) => path.as_deref() == Some("/dev/null"),
            Target::Descriptor => true,
            Target::Append | Target::Text(_) | Target::Other => false,
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Zero,
    NonZero,
    Unknown,
}

/// What becomes of the script if a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It goes on.
    Ignored,
    /// It fails, as nothing that decides about its end comes behind it.
    Chain,
    /// It fails by `set -e`.
    Exit,
}

/// What a command does to the shell that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// What it does is done again if its text is run in another shell.
    Again,
    /// What another shell cannot know.
    Lasting,
}

/// A part of a script that runs from its begin to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    /// A text.
    Text(Text),
    /// Elements in a subshell.
    Subshell { body: Vec<Element>, text: Text },
}

/// A text of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) range: Range<usize>,
    /// The only program that it runs, if it is one.
    pub(crate) call: Option<usize>,
    /// Whether it does anything but change the shell.
    pub(crate) runs: bool,
    pub(crate) effect: Effect,
    pub(crate) failure: Failure,
    /// Whether it runs beside what comes behind it.
    pub(crate) background: bool,
    /// Whether it is tied together by `&&` or `||`.
    pub(crate) is_list: bool,
    /// The folder that it goes to, which has to be there.
    pub(crate) enters: Option<String>,
    /// Whether the script fails if it fails, which is not certain.
    pub(crate) checks: bool,
    /// Whether it is known to fail.
    pub(crate) fails: bool,
    /// Whether `set -e` does not count here.
    pub(crate) ignores: bool,
    /// Whether it may be on.
    pub(crate) errexit: bool,
}

/// Something that a script's reading takes for true, and that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assumption {
    /// There is a folder at this absolute path, when the script begins and since.
    Folder(String),
    /// The file at this absolute path is the `activate` of a virtual environment, and does nothing but what Python's own does.
    Activate(String),
}

/// Goes through a script.
pub(crate) struct Evaluator<'a> {
    pub(crate) shell: &'a Shell,
    pub(crate) state: State,
    /// Whether this place is reached in every run that succeeds.
    certain: bool,
    /// Why the script cannot be cut here, if it cannot.
    sealed: Option<&'static str>,
    /// Whether what is gone through is not written in the script itself.
    detached: bool,
    /// Whether what is written to the standard output here is read by something else.
    is_read: bool,
    /// The place in a pipeline of the command that comes next.
    pipe: Option<Pipe>,
    /// Whether `set -e` does not count here.
    ignores_errors: bool,
    /// The same for what is around the pipeline here.
    ignores_around: bool,
    /// Whether the script fails if the shell that is gone through ends with an error.
    fatal_exit: bool,
    /// Whether that shell has ended here.
    ended: bool,
    /// Whether it may have ended before, without the script failing for it.
    escaped: bool,
    /// Whether the script is sure to fail, or may.
    pub(crate) fails: bool,
    /// Whether anything may have run that is not among the calls.
    pub(crate) strays: bool,
    pub(crate) calls: Vec<Call>,
    pub(crate) assumptions: Vec<Assumption>,
    /// The files that redirections write, by absolute paths; `None` for one that is not known.
    pub(crate) writes: Vec<Option<String>>,
    /// What was written to the standard output so far; `None` if that is not known.
    output: Option<String>,
    /// How the last substitution ended.
    substituted: Status,
    /// How many commands were gone through.
    steps: usize,
}

/// The most commands that are gone through. A branch that is not decided is gone through once, a loop some times.
const MAX_STEPS: usize = 20_000;

impl<'a> Evaluator<'a> {
    pub(crate) fn new(shell: &'a Shell, state: State) -> Self {
        Self {
            shell,
            state,
            certain: true,
            sealed: None,
            detached: false,
            is_read: false,
            pipe: None,
            ignores_errors: false,
            ignores_around: false,
            fatal_exit: true,
            ended: false,
            escaped: false,
            fails: false,
            strays: false,
            calls: Vec::new(),
            assumptions: Vec::new(),
            writes: Vec::new(),
            output: None,
            substituted: Status::Zero,
            steps: 0,
        }
    }

    /// Goes through commands. If `decides`, the script fails where the last of them does.
    pub(crate) fn script(&mut self, script: &Script, decides: bool, out: &mut Vec<Element>) -> Status {
        let mut status = Status::Zero;
        for (index, item) in script.items.iter().enumerate() {
            if self.ended {
                break;
            }
            if item.background {
                self.background(&item.list, out);
                status = Status::Zero;
                continue;
            }
            let is_last = index + 1 == script.items.len();
            status = self.list(&item.list, decides && is_last, out);
        }
        status
    }

    fn background(&mut self, list: &AndOr, out: &mut Vec<Element>) {
        self.apart("it runs in the background", |evaluator| {
            // It may still be on its way when the script ends.
            evaluator.certain = false;
            evaluator.list(list, false, &mut Vec::new());
        });
        self.state.jobs = true;
        self.output = None;
        out.push(Element::Text(Text { background: true, effect: Effect::Lasting, ..self.text_of(&list.range) }));
    }

    /// A text that runs something, and whose end does not matter.
    fn text_of(&self, range: &Range<usize>) -> Text {
        Text {
            range: range.clone(),
            call: None,
            runs: true,
            effect: Effect::None,
            failure: Failure::Ignored,
            background: false,
            is_list: false,
            enters: None,
            checks: false,
            fails: false,
            ignores: self.ignores_errors,
            errexit: self.state.options.errexit != Some(false),
        }
    }

    fn list(&mut self, list: &AndOr, decides: bool, out: &mut Vec<Element>) -> Status {
        let mut status = Status::Zero;
        let mut next = 0;
        while next <= list.rest.len() && !self.ended {
            let pipeline = pipeline_at(list, next);
            let behind = &list.rest[next..];
            if next > 0 && is_skipped(list.rest[next - 1].0, status) {
                next += 1;
                continue;
            }
            let (place, calls, before) = (out.len(), self.calls.len(), self.state.clone());
            let guard = behind.first().filter(|(connector, other)| *connector == Connector::Or && fails(other));
            let guard = guard.filter(|_| self.fatal_exit).map(|(_, other)| other.range.end);
            let exits = behind.is_empty() && exits_with_errors(pipeline) && !self.ignores_errors;
            let failure = match self.state.options.errexit.filter(|_| !self.state.lost) {
                _ if guard.is_some() => Failure::Chain,
                Some(true) if exits && self.fatal_exit => Failure::Exit,
                _ if decides && behind.iter().all(|(connector, _)| *connector == Connector::And) => Failure::Chain,
                _ => Failure::Ignored,
            };
            let ignores = self.ignores_errors || !behind.is_empty() || pipeline.negated;
            let ignored = std::mem::replace(&mut self.ignores_errors, ignores);
            self.ignores_around = ignored;
            status = self.pipeline(pipeline, failure, out);
            (self.ignores_errors, self.ignores_around) = (ignored, ignored);
            if self.ended {
                break;
            }
            if let Some(end) = guard {
                match &mut out[place..] {
                    [] => {}
                    [Element::Text(text)] if text.range == pipeline.range => {
                        (text.range.end, text.is_list) = (end, true)
                    }
                    _ => {
                        out.truncate(place);
                        let text = self.sealed_text(pipeline.range.start..end, failure, &before, calls);
                        out.push(text);
                    }
                }
            }
            match status {
                Status::Unknown if failure != Failure::Ignored => status = Status::Zero,
                Status::Unknown if !behind.is_empty() => {
                    // What comes behind it may run or not.
                    out.truncate(place);
                    let is_harmless = matches!(behind, [(Connector::Or, other)] if succeeds(other));
                    if !is_harmless {
                        self.decide(calls);
                    }
                    for (index, (_, other)) in behind.iter().enumerate() {
                        let calls = self.calls.len();
                        self.maybe(|evaluator| {
                            evaluator.pipeline(other, Failure::Ignored, &mut Vec::new());
                        });
                        if index + 1 < behind.len() {
                            self.decide(calls);
                        }
                    }
                    let range = pipeline.range.start..list.range.end;
                    let failure = if decides { Failure::Chain } else { Failure::Ignored };
                    out.push(self.sealed_text(range, failure, &before, calls));
                    return if is_harmless || decides { Status::Zero } else { Status::Unknown };
                }
                // The shell may have ended by `set -e`, where that is not the end of the script.
                Status::Unknown if exits && !self.fatal_exit && self.state.options.errexit != Some(false) => {
                    (self.escaped, self.certain) = (true, false);
                }
                Status::NonZero if exits && self.state.options.errexit == Some(true) => self.end(status),
                Status::NonZero if exits && self.state.options.errexit.is_none() => {
                    (self.escaped, self.certain) = (true, false);
                }
                _ => {}
            }
            next += 1;
        }
        status
    }

    /// Notes that it depends on the calls from `calls` on what runs behind them.
    pub(super) fn decide(&mut self, calls: usize) {
        self.calls[calls..].iter_mut().for_each(|call| call.decides = true);
    }

    /// A text that is kept as it is, with all calls from `calls` on.
    fn sealed_text(&mut self, range: Range<usize>, failure: Failure, before: &State, calls: usize) -> Element {
        for call in &mut self.calls[calls..] {
            call.sealed.get_or_insert("whether other commands run depends on it, or whether it runs on others");
        }
        let effect = if self.state.is_untouched_since(before) { Effect::None } else { Effect::Lasting };
        Element::Text(Text { effect, failure, is_list: true, ..self.text_of(&range) })
    }

    fn pipeline(&mut self, pipeline: &Pipeline, failure: Failure, out: &mut Vec<Element>) -> Status {
        let negate = |status| match (pipeline.negated, status) {
            (true, Status::Zero) => Status::NonZero,
            (true, Status::NonZero) => Status::Zero,
            (_, status) => status,
        };
        if let [command] = &pipeline.commands[..] {
            if !pipeline.negated {
                return self.command(command, failure, out);
            }
            let (before, calls) = (self.state.clone(), self.calls.len());
            let mut inner = Vec::new();
            let status = self.with_seal("its end is turned round", |evaluator| {
                evaluator.command(command, Failure::Ignored, &mut inner)
            });
            self.decide(calls);
            if !inner.is_empty() {
                let text = self.sealed_text(pipeline.range.clone(), failure, &before, calls);
                out.push(text);
            }
            return negate(status);
        }
        let count = pipeline.commands.len();
        let mut last = None;
        for (index, command) in pipeline.commands.iter().enumerate() {
            let is_simple = matches!(command.kind, Kind::Simple(_));
            let pipe = is_simple.then(|| Pipe { range: pipeline.range.clone(), index, count });
            let is_read = self.is_read || index + 1 < count;
            let calls = self.calls.len();
            // Where nobody reads what it writes, it is ended before it comes to its end.
            let may_break = index + 1 < count && !is_simple;
            self.apart(IN_PIPELINE, |evaluator| {
                evaluator.certain &= !may_break;
                let outer = std::mem::replace(&mut evaluator.is_read, is_read);
                evaluator.pipe = pipe;
                evaluator.command(command, Failure::Ignored, &mut Vec::new());
                evaluator.is_read = outer;
            });
            self.pipe = None;
            last = (self.calls.len() > calls && is_simple).then(|| self.calls.len() - 1);
        }
        // The whole of it may be cut out, if it stands for itself.
        let call = last.filter(|_| self.sealed.is_none() && !pipeline.negated);
        self.output = None;
        out.push(Element::Text(Text { failure, call, ..self.text_of(&pipeline.range) }));
        Status::Unknown
    }

    fn command(&mut self, command: &Command, failure: Failure, out: &mut Vec<Element>) -> Status {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.lose();
        }
        if self.state.lost {
            self.certain = false;
        }
        match &command.kind {
            Kind::Simple(simple) => self.simple(command, simple, failure, out),
            Kind::Function(function) => {
                self.state.functions.insert(function.name.clone());
                let text = self.text_of(&command.range);
                out.push(Element::Text(Text { runs: false, effect: Effect::Again, failure, ..text }));
                // What it does where it is called is not followed, but what it may run is seen.
                self.apart("it is in a function", |evaluator| {
                    evaluator.state.lost = true;
                    evaluator.certain = false;
                    evaluator.command(&function.body, Failure::Ignored, &mut Vec::new());
                });
                Status::Zero
            }
            _ if command.redirects.is_empty() => self.compound(command, failure, out),
            _ => {
                for redirect in &command.redirects {
                    self.redirected(redirect);
                }
                let (before, calls) = (self.state.clone(), self.calls.len());
                let is_read = std::mem::replace(&mut self.is_read, true);
                self.with_seal("its output or input is led elsewhere", |evaluator| {
                    evaluator.compound(command, Failure::Ignored, &mut Vec::new())
                });
                self.is_read = is_read;
                self.output = None;
                let text = self.sealed_text(command.range.clone(), failure, &before, calls);
                out.push(text);
                // The redirection itself may fail.
                Status::Unknown
            }
        }
    }

    /// Goes through something that may run or not.
    pub(crate) fn maybe(&mut self, part: impl FnOnce(&mut Self)) {
        let before = self.state.clone();
        let (certain, output) = (std::mem::replace(&mut self.certain, false), self.output.clone());
        part(self);
        self.certain = certain && !self.escaped && !self.state.lost;
        if std::mem::replace(&mut self.ended, false) {
            // What comes behind is only reached if it did not run.
            self.state = before;
        } else {
            self.state.join(&before);
        }
        self.output = self.output.take().filter(|own| Some(own) == output.as_ref());
    }

    /// Goes through something in a shell of its own, whose end does not matter.
    fn apart<T>(&mut self, seal: &'static str, part: impl FnOnce(&mut Self) -> T) -> T {
        self.subshell(false, |evaluator| evaluator.with_seal(seal, part))
    }

    /// Goes through something in a shell of its own; whether the script fails if it does.
    fn subshell<T>(&mut self, is_fatal: bool, part: impl FnOnce(&mut Self) -> T) -> T {
        let state = self.state.clone();
        let outer = (self.certain, self.ended, self.escaped, self.fatal_exit);
        self.fatal_exit = is_fatal && self.fatal_exit;
        self.escaped = false;
        let result = part(self);
        // What it has written counts for the shell around it, unless its end is not known.
        if self.escaped || self.state.lost {
            self.output = None;
        }
        self.state = state;
        (self.certain, self.ended, self.escaped, self.fatal_exit) = outer;
        result
    }

    fn with_seal<T>(&mut self, seal: &'static str, part: impl FnOnce(&mut Self) -> T) -> T {
        let sealed = self.sealed;
        self.sealed.get_or_insert(seal);
        let result = part(self);
        self.sealed = sealed;
        result
    }

    /// Gives up: nothing is known from here on.
    pub(crate) fn lose(&mut self) {
        self.strays = true;
        self.state.lost = true;
        self.certain = false;
        self.output = None;
    }

    /// What the commands of a substitution write, where that is known.
    pub(crate) fn substitution(&mut self, substitution: &Substitution) -> Option<String> {
        let output = self.output.replace(String::new());
        let detached = self.detached;
        let (is_read, pipe) = (std::mem::replace(&mut self.is_read, true), self.pipe.take());
        self.detached |= substitution.detached;
        let text = self.apart("it is in a substitution", |evaluator| {
            // Whether `set -e` counts there differs.
            if evaluator.state.options.errexit != Some(false) {
                evaluator.state.options.errexit = None;
            }
            let status = evaluator.script(&substitution.script, false, &mut Vec::new());
            let is_known = evaluator.certain && !evaluator.state.lost && !evaluator.escaped;
            (evaluator.output.take().filter(|_| is_known), if is_known { status } else { Status::Unknown })
        });
        (self.detached, self.output, self.is_read, self.pipe) = (detached, output, is_read, pipe);
        let (text, status) = text;
        self.substituted = status;
        text
    }

    /// Goes through the commands of a process substitution.
    pub(crate) fn process(&mut self, substitution: &Substitution) {
        let output = self.output.take();
        let (is_read, pipe) = (std::mem::replace(&mut self.is_read, true), self.pipe.take());
        self.apart("it runs beside another", |evaluator| {
            evaluator.script(&substitution.script, false, &mut Vec::new());
        });
        (self.output, self.is_read, self.pipe) = (output, is_read, pipe);
    }
}

fn pipeline_at(list: &AndOr, index: usize) -> &Pipeline {
    index.checked_sub(1).and_then(|index| list.rest.get(index)).map_or(&list.first, |(_, pipeline)| pipeline)
}

fn is_skipped(connector: Connector, status: Status) -> bool {
    matches!((connector, status), (Connector::And, Status::NonZero) | (Connector::Or, Status::Zero))
}

/// Whether `set -e` counts for the end of a pipeline as a whole. Within a group and the like it counts for each command.
fn exits_with_errors(pipeline: &Pipeline) -> bool {
    let is_whole = |command: &Command| matches!(command.kind, Kind::Simple(_) | Kind::Subshell(_) | Kind::Test(_));
    !pipeline.negated && (pipeline.commands.len() > 1 || pipeline.commands.iter().all(is_whole))
}

/// Whether a pipeline is sure to end the script with an error: `exit 1`, or `{ echo …; exit 1; }`.
fn fails(pipeline: &Pipeline) -> bool {
    let [command] = &pipeline.commands[..] else { return false };
    if pipeline.negated || !command.redirects.is_empty() {
        return false;
    }
    match &command.kind {
        Kind::Simple(simple) => {
            let words: Vec<Option<&str>> = simple.words.iter().map(crate::ast::Word::bare).collect();
            let code = match words[..] {
                [Some("exit"), Some(code)] if simple.assignments.is_empty() => code.parse::<u32>().ok(),
                _ => None,
            };
            code.is_some_and(|code| (1..=255).contains(&code))
        }
        Kind::Group(script) => {
            let is_plain = |list: &AndOr| match &list.first.commands[..] {
                [Command { kind: Kind::Simple(simple), .. }] if list.rest.is_empty() && !list.first.negated => {
                    let program = simple.words.first().and_then(crate::ast::Word::bare);
                    program.is_some_and(|program| ["echo", "printf"].contains(&program))
                }
                _ => false,
            };
            match script.items.split_last() {
                Some((last, others)) => {
                    let ends = last.list.rest.is_empty() && !last.background && fails(&last.list.first);
                    ends && others.iter().all(|item| !item.background && is_plain(&item.list))
                }
                None => false,
            }
        }
        _ => false,
    }
}

/// Whether a pipeline is `true` or `:`.
fn succeeds(pipeline: &Pipeline) -> bool {
    match &pipeline.commands[..] {
        [Command { kind: Kind::Simple(simple), redirects, .. }] if redirects.is_empty() && !pipeline.negated => {
            let words: Vec<Option<&str>> = simple.words.iter().map(crate::ast::Word::bare).collect();
            simple.assignments.is_empty() && matches!(words[..], [Some("true" | ":")])
        }
        _ => false,
    }
}
