//! Simple commands (XCU 2.9.1).

use super::{
    COMMANDS_IN_WORDS, Call, Effect, Element, Evaluator, Failure, Redirected, Status, Target, Text,
    builtin::{Builtin, Done, Operands, SPECIAL, absolute},
};
use crate::{
    Dialect,
    ast::{self, Assignment, Command, Piece, Redirect, Redirection, Simple, Word},
    expand::Fields,
    state::{State, Value},
};

impl Evaluator<'_> {
    pub(super) fn simple(
        &mut self,
        command: &Command,
        simple: &Simple,
        failure: Failure,
        out: &mut Vec<Element>,
    ) -> Status {
        let before = self.state.clone();
        let calls = self.calls.len();
        let ended = std::mem::replace(&mut self.substituted, Status::Zero);
        // In bash the operands of `export` are read as assignments, by all others not.
        let fields = match simple.words.split_first() {
            Some((first, rest)) if self.shell.dialect == Dialect::Bash && first.bare() == Some("export") => {
                self.operands_of_export(first, rest)
            }
            _ => self.fields(&simple.words),
        };
        // Without a program it ends as the last substitution does.
        let substituted = std::mem::replace(&mut self.substituted, ended);
        let redirects: Vec<Redirected> = command.redirects.iter().map(|redirect| self.redirected(redirect)).collect();
        let has_calls = self.calls.len() > calls;
        let leaves_nothing = redirects.iter().all(Redirected::leaves_nothing);
        let text = Text { failure, ..self.text_of(&command.range) };

        if fields.all.is_empty() {
            let without = if has_calls { Status::Unknown } else { substituted };
            let status = self.assign_all(&simple.assignments, without);
            // What makes or empties a file runs, and so does a substitution.
            let runs = self.calls.len() > calls || !leaves_nothing || self.state.lost && !before.lost;
            // With a redirection, how the substitution ended counts in some shells only.
            let mut words = simple.assignments.iter().map(|one| &one.value).chain(&simple.words);
            let is_told = redirects.is_empty() || words.all(ast::is_plain);
            let status = if leaves_nothing && is_told { status } else { Status::Unknown };
            let checks = failure != Failure::Ignored && status == Status::Unknown;
            let fails = status == Status::NonZero;
            out.push(Element::Text(Text { runs, effect: self.effect(&before, !runs), checks, fails, ..text }));
            return status;
        }
        let program = fields.all[0].text.clone().filter(|_| fields.open != Some(0));
        let is_function = program.as_ref().is_some_and(|program| self.state.functions.contains(program));
        let Some(program) = program.filter(|_| !is_function) else {
            // A path is no builtin and no function.
            let is_path = fields.open != Some(0) && !is_function && fields.all[0].has_slash;
            if !is_path {
                // Anything may be called.
                self.lose();
            }
            let effect = if is_path { Effect::None } else { Effect::Lasting };
            return self.call(command, simple, fields, redirects, (Text { effect, ..text }, has_calls), &before, out);
        };
        let words = Operands { words: &simple.words, fields: &fields };
        let Done { status, writes, enters } = match self.builtin(&program, &words, failure) {
            Builtin::Done(done) => done,
            Builtin::Program { skip, ends } => {
                let open = fields.open.map(|open| open - skip);
                let fields = Fields { all: fields.all[skip..].to_vec(), open };
                let status = self.call(command, simple, fields, redirects, (text, has_calls), &before, out);
                if ends {
                    // If it fails, the shell does.
                    self.end(Status::Zero);
                }
                return status;
            }
        };
        for assignment in &simple.assignments {
            // Whether what is set in front of a builtin stays differs.
            self.text(&assignment.value);
            self.state.set(&assignment.name, Value::Unknown, false);
            self.unclear_export(&assignment.name);
        }
        let is_plain = leaves_nothing && simple.assignments.is_empty();
        let is_led = redirects.iter().any(|redirect| redirect.descriptor != 2);
        let is_silent = writes.as_deref() == Some("");
        self.write(writes.filter(|text| !is_led || text.is_empty()));
        let status = if is_plain { status } else { Status::Unknown };
        if status == Status::Unknown && SPECIAL.contains(&program.as_str()) && !self.fatal_exit && !self.ended {
            (self.escaped, self.certain) = (true, false);
        }
        let runs = !is_plain || !is_silent || self.calls.len() > calls || self.state.lost && !before.lost;
        if !runs
            && status != Status::Unknown
            && enters.is_none()
            && self.state.is_untouched_since(&before)
            && !self.ended
        {
            // Nothing is left of it but how it ended, which is known.
            return status;
        }
        // Some shells end where some builtins fail.
        let is_unclear = status == Status::Unknown || self.ended && status != Status::Zero;
        let checks = is_unclear || failure != Failure::Ignored && enters.is_some();
        let effect = match self.effect(&before, !runs) {
            // It remembers the folder that it was in.
            Effect::None if enters.is_some() => Effect::Again,
            effect => effect,
        };
        let fails = status == Status::NonZero;
        out.push(Element::Text(Text { runs, effect, enters, checks, fails, ..text }));
        status
    }

    /// What a command did to the shell.
    fn effect(&self, before: &State, is_repeatable: bool) -> Effect {
        match self.state.is_untouched_since(before) {
            true => Effect::None,
            false if is_repeatable && self.state.is_known_since(before) => Effect::Again,
            false => Effect::Lasting,
        }
    }

    /// Notes a program that is called.
    #[allow(clippy::too_many_arguments, reason = "all that a call is made of")]
    fn call(
        &mut self,
        command: &Command,
        simple: &Simple,
        fields: Fields,
        redirects: Vec<Redirected>,
        (text, has_calls): (Text, bool),
        before: &State,
        out: &mut Vec<Element>,
    ) -> Status {
        let mut assignments: Vec<(String, Value)> = Vec::new();
        let mut state = self.state.clone();
        let calls = self.calls.len();
        for assignment in &simple.assignments {
            // Whether one sees another in front of it differs.
            let depends = assignments.iter().any(|(name, _)| mentions(&assignment.value, name));
            let text = self.text(&assignment.value);
            // With `set -u` it may end the shell.
            self.state.lost |= text.is_none() && self.state.options.nounset != Some(false);
            let value = Value::of(text.filter(|_| !depends && !assignment.append));
            assignments.push((assignment.name.clone(), value));
        }
        // Whether the program sees what `${A:=B}` in one of them sets differs.
        state.join(&self.state);
        let lasts = !self.state.is_untouched_since(before);
        if assignments.iter().any(|(name, _)| crate::state::is_of_shell(name)) {
            self.state.lost = true;
        }
        let range = (!self.detached).then(|| command.range.clone());
        let has_calls = self.calls.len() > calls || has_calls;
        let sealed = self.sealed.or(has_calls.then_some(COMMANDS_IN_WORDS));
        self.calls.push(Call {
            fields: fields.all,
            open: fields.open,
            assignments,
            redirects,
            state,
            certain: self.certain && !self.state.lost,
            sealed,
            range,
            fatal: text.failure != Failure::Ignored,
            decides: false,
            is_read: self.is_read,
            pipe: self.pipe.clone(),
        });
        self.write(None);
        let call = Some(self.calls.len() - 1);
        let effect = if lasts { Effect::Lasting } else { text.effect };
        out.push(Element::Text(Text { call, effect, ..text }));
        Status::Unknown
    }

    /// Adds to what was written.
    pub(super) fn write(&mut self, text: Option<String>) {
        self.output = match (self.output.take(), text) {
            (Some(output), Some(text)) => Some(output + &text),
            _ => None,
        };
    }

    /// Assignments that are for the shell; `status` is how it would end without them.
    fn assign_all(&mut self, assignments: &[Assignment], mut status: Status) -> Status {
        for assignment in assignments {
            let calls = self.calls.len();
            let ended = std::mem::replace(&mut self.substituted, Status::Zero);
            let value = self.text(&assignment.value);
            let value = match assignment.append {
                false => value,
                true => match (self.state.value(&assignment.name), value) {
                    (Value::Known(old), Some(value)) => Some(old + &value),
                    (Value::Unset, value) => value,
                    _ => None,
                },
            };
            // It ends as the last substitution does.
            let has_substitution = !ast::is_plain(&assignment.value);
            if has_substitution {
                status = if self.calls.len() > calls { Status::Unknown } else { self.substituted };
            }
            self.substituted = ended;
            self.state.set(&assignment.name, Value::of(value), false);
        }
        status
    }

    /// A variable of which it is not known whether programs see it.
    fn unclear_export(&mut self, name: &str) {
        if let Some(variable) = self.state.variables.get_mut(name) {
            variable.exported = None;
        }
    }

    /// The operands of bash's `export`: an assignment is not split, and `~` in it is not read.
    fn operands_of_export(&mut self, program: &Word, operands: &[Word]) -> Fields {
        let mut fields = self.fields(std::slice::from_ref(program));
        for operand in operands {
            if assigned_name(operand).is_none() || is_expanded(operand) {
                let mut others = self.fields(std::slice::from_ref(operand));
                if let Some(open) = others.open {
                    fields.open.get_or_insert(fields.all.len() + open);
                }
                fields.all.append(&mut others.all);
                continue;
            }
            let text = self.text(operand);
            fields.all.push(crate::expand::Field {
                text,
                pattern: None,
                range: Some(operand.range.clone()),
                process: None,
                has_slash: false,
            });
        }
        fields
    }

    pub(super) fn redirected(&mut self, redirect: &Redirect) -> Redirected {
        let output = redirect.descriptor.unwrap_or(1);
        let input = redirect.descriptor.unwrap_or(0);
        let path = |evaluator: &mut Self| {
            let mut fields = evaluator.fields(std::slice::from_ref(&redirect.target));
            match (fields.all.pop(), fields.all.is_empty()) {
                (Some(field), true) => field.text,
                _ => None,
            }
        };
        let (descriptor, target) = match &redirect.operator {
            Redirection::Write | Redirection::Clobber => (output, Target::Write(path(self))),
            Redirection::Read => (input, Target::Read(path(self))),
            Redirection::HereDocument(body) => {
                let detached = std::mem::replace(&mut self.detached, true);
                let text = body.get().and_then(|body| self.text(body));
                self.detached = detached;
                (input, Target::Text(text))
            }
            Redirection::HereString => (input, Target::Text(self.text(&redirect.target).map(|text| text + "\n"))),
            Redirection::DuplicateOutput | Redirection::DuplicateInput => {
                let is_input = redirect.operator == Redirection::DuplicateInput;
                let is_plain = redirect.target.bare().is_some_and(|text| text == "-" || text.parse::<u32>().is_ok());
                if !is_plain {
                    path(self);
                }
                (if is_input { input } else { output }, if is_plain { Target::Descriptor } else { Target::Other })
            }
            Redirection::WriteBoth => match path(self) {
                Some(path) if path == "/dev/null" => (1, Target::Write(Some(path))),
                _ => (1, Target::Other),
            },
            Redirection::Append | Redirection::AppendBoth | Redirection::ReadWrite => {
                let path = path(self);
                if path.as_deref() == Some("/dev/null") {
                    (output, Target::Write(path))
                } else {
                    self.writes.push(path.and_then(|path| absolute(self.state.folder(), &path)));
                    (output, Target::Append)
                }
            }
        };
        match &target {
            Target::Write(path) if path.as_deref() == Some("/dev/null") => {}
            Target::Write(path) => {
                let path = path.as_ref().and_then(|path| absolute(self.state.folder(), path));
                self.writes.push(path);
            }
            Target::Other => self.writes.push(None),
            Target::Append | Target::Read(_) | Target::Descriptor | Target::Text(_) => {}
        }
        Redirected { descriptor, target }
    }
}

/// The variable that an operand assigns to.
pub(super) fn assigned_name(word: &Word) -> Option<&str> {
    let Some(Piece::Text { text, quoted: false }) = word.pieces.first() else { return None };
    text.split_once('=').map(|(name, _)| name).filter(|name| crate::parse::is_name(name))
}

/// Whether a shell may expand more in an operand of `export` than in an assignment.
fn is_expanded(word: &Word) -> bool {
    word.pieces.iter().any(|piece| match piece {
        Piece::Text { text, quoted } => !quoted && text.contains(['~', '{']),
        _ => false,
    })
}

/// Whether a word expands a variable.
fn mentions(word: &Word, name: &str) -> bool {
    let mut found = false;
    ast::visit_parameters(word, &mut |parameter| found |= parameter.name == name);
    found
}
