//! Compound commands (XCU 2.9.4).

use super::{Element, Evaluator, Failure, Status, Text, condition};
use crate::{
    ast::{self, Case, Command, For, If, Kind, Script},
    state::Value,
};

/// The most rounds that a loop is gone through until what holds in it stays the same.
const MAX_ROUNDS: usize = 12;

impl Evaluator<'_> {
    pub(super) fn compound(&mut self, command: &Command, failure: Failure, out: &mut Vec<Element>) -> Status {
        let decides = failure == Failure::Chain;
        match &command.kind {
            Kind::Simple(_) | Kind::Function(_) => Status::Unknown,
            Kind::Group(script) => self.script(script, decides, out),
            Kind::Subshell(script) => {
                let mut body = Vec::new();
                let is_fatal = failure != Failure::Ignored;
                let text = Text { failure, ..self.text_of(&command.range) };
                let (status, ended) = self.subshell(is_fatal, |evaluator| {
                    let status = evaluator.script(script, is_fatal, &mut body);
                    (status, evaluator.ended || evaluator.escaped || evaluator.state.lost)
                });
                if !body.is_empty() {
                    out.push(Element::Subshell { body, text });
                } else if ended {
                    // How it ends is not known.
                    out.push(Element::Text(Text { checks: true, ..text }));
                }
                if ended { Status::Unknown } else { status }
            }
            Kind::If(whole) => self.if_command(command, whole, failure, out),
            Kind::Case(whole) => self.case(command, whole, failure, out),
            Kind::For(whole) => self.for_command(command, whole, failure, out),
            Kind::Loop(whole) => self.rounds(command, failure, out, |evaluator| {
                let calls = evaluator.calls.len();
                evaluator.condition(&whole.condition);
                evaluator.decide(calls);
                evaluator.script(&whole.body, false, &mut Vec::new());
            }),
            Kind::Test(words) => {
                let (calls, before) = (self.calls.len(), self.state.clone());
                if words.iter().all(ast::is_pure) {
                    let status = condition::test(words, self);
                    if status != Status::Unknown {
                        return status;
                    }
                }
                // Which of its words are looked at is not known.
                for word in words {
                    self.maybe(|evaluator| {
                        evaluator.text(word);
                    });
                }
                let text = self.sealed_text(command.range.clone(), failure, &before, calls);
                out.push(text);
                Status::Unknown
            }
        }
    }

    /// Goes through a condition, where `set -e` does not count.
    fn condition(&mut self, script: &Script) -> Status {
        self.condition_into(script, &mut Vec::new())
    }

    fn condition_into(&mut self, script: &Script, out: &mut Vec<Element>) -> Status {
        let ignores = std::mem::replace(&mut self.ignores_errors, true);
        let status = self.script(script, false, out);
        self.ignores_errors = ignores;
        status
    }

    fn if_command(&mut self, command: &Command, whole: &If, failure: Failure, out: &mut Vec<Element>) -> Status {
        let (mark, calls, before) = (out.len(), self.calls.len(), self.state.clone());
        for (index, (condition, body)) in whole.branches.iter().enumerate() {
            let status = self.condition_into(condition, out);
            if self.ended {
                return status;
            }
            match status {
                Status::Zero => return self.script(body, failure == Failure::Chain, out),
                Status::NonZero => {}
                Status::Unknown => {
                    out.truncate(mark);
                    self.decide(calls);
                    let others = &whole.branches[index + 1..];
                    self.with_seal("whether it runs depends on a condition", |evaluator| {
                        evaluator.maybe(|evaluator| {
                            evaluator.script(body, false, &mut Vec::new());
                        });
                        for (condition, body) in others {
                            evaluator.maybe(|evaluator| {
                                let calls = evaluator.calls.len();
                                evaluator.condition(condition);
                                evaluator.decide(calls);
                            });
                            evaluator.maybe(|evaluator| {
                                evaluator.script(body, false, &mut Vec::new());
                            });
                        }
                        if let Some(otherwise) = &whole.otherwise {
                            evaluator.maybe(|evaluator| {
                                evaluator.script(otherwise, false, &mut Vec::new());
                            });
                        }
                    });
                    out.push(self.sealed_text(command.range.clone(), failure, &before, calls));
                    return Status::Unknown;
                }
            }
        }
        match &whole.otherwise {
            Some(otherwise) => self.script(otherwise, failure == Failure::Chain, out),
            None => Status::Zero,
        }
    }

    fn case(&mut self, command: &Command, whole: &Case, failure: Failure, out: &mut Vec<Element>) -> Status {
        let (calls, before) = (self.calls.len(), self.state.clone());
        let word = self.text(&whole.word);
        // What expanding it sets would be lost with it.
        let word = word.filter(|_| self.state.is_untouched_since(&before) && self.calls.len() == calls);
        let mut matched = Some(false);
        for (index, (patterns, body)) in whole.branches.iter().enumerate() {
            for pattern in patterns {
                let pattern = self.pattern(pattern);
                let pattern = pattern.filter(|_| self.state.is_untouched_since(&before) && self.calls.len() == calls);
                let is_match = match (&word, &pattern) {
                    (Some(word), Some(pattern)) => condition::matches(pattern, word),
                    _ => None,
                };
                matched = match (matched, is_match) {
                    (Some(true), _) => Some(true),
                    (Some(false), is_match) => is_match,
                    (None, _) => None,
                };
                if matched != Some(false) {
                    break;
                }
            }
            match matched {
                Some(true) => return self.script(body, failure == Failure::Chain, out),
                Some(false) => {}
                None => {
                    self.with_seal("whether it runs depends on a word that is not known", |evaluator| {
                        for (patterns, body) in &whole.branches[index..] {
                            evaluator.maybe(|evaluator| {
                                for pattern in patterns {
                                    evaluator.pattern(pattern);
                                }
                            });
                            evaluator.maybe(|evaluator| {
                                evaluator.script(body, false, &mut Vec::new());
                            });
                        }
                    });
                    out.push(self.sealed_text(command.range.clone(), failure, &before, calls));
                    return Status::Unknown;
                }
            }
        }
        Status::Zero
    }

    fn for_command(&mut self, command: &Command, whole: &For, failure: Failure, out: &mut Vec<Element>) -> Status {
        if let Some(words) = &whole.words {
            self.fields(words);
        }
        self.rounds(command, failure, out, |evaluator| {
            evaluator.state.set(&whole.name, Value::Unknown, false);
            evaluator.script(&whole.body, false, &mut Vec::new());
        })
    }

    /// Goes through a loop until what holds in it stays the same.
    fn rounds(
        &mut self,
        command: &Command,
        failure: Failure,
        out: &mut Vec<Element>,
        round: impl Fn(&mut Self),
    ) -> Status {
        let (calls, before) = (self.calls.len(), self.state.clone());
        let mut is_stable = false;
        for _ in 0..MAX_ROUNDS {
            let start = self.state.clone();
            self.calls.truncate(calls);
            self.with_seal("it is in a loop", |evaluator| evaluator.maybe(&round));
            if self.state == start {
                is_stable = true;
                break;
            }
        }
        if !is_stable {
            self.lose();
        }
        let element = self.sealed_text(command.range.clone(), failure, &before, calls);
        out.push(element);
        Status::Unknown
    }
}
