//! The syntax tree of a script (POSIX.1-2024, XCU 2.9 and 2.10).
//!
//! Every range is one of bytes in the script's text.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

/// Commands one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// The commands.
    pub items: Vec<Item>,
}

/// An and-or list and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The list.
    pub list: AndOr,
    /// Whether it ends with `&`, and so runs beside what comes behind it.
    pub background: bool,
}

/// Pipelines tied together by `&&` and `||`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AndOr {
    /// The first pipeline.
    pub first: Pipeline,
    /// The others, each with what stands in front of it.
    pub rest: Vec<(Connector, Pipeline)>,
    /// Its text.
    pub range: Range<usize>,
}

/// What ties two pipelines together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connector {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Commands of which each reads what the one before writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Whether `!` stands in front.
    pub negated: bool,
    /// The commands, at least one.
    pub commands: Vec<Command>,
    /// Its text.
    pub range: Range<usize>,
}

/// A command with its redirections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What it is.
    pub kind: Kind,
    /// Its redirections, in their order.
    pub redirects: Vec<Redirect>,
    /// Its text.
    pub range: Range<usize>,
}

/// A kind of command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Assignments, a program or builtin, and its arguments.
    Simple(Simple),
    /// `{ …; }`
    Group(Script),
    /// `( … )`
    Subshell(Script),
    /// `if …; then …; fi`
    If(If),
    /// `for NAME in …; do …; done`
    For(For),
    /// `while …; do …; done`, or `until`.
    Loop(Loop),
    /// `case … in … esac`
    Case(Case),
    /// `NAME() …`
    Function(Function),
    /// `[[ … ]]`: the words between the brackets, operators among them.
    Test(Vec<Word>),
}

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simple {
    /// The assignments in front.
    pub assignments: Vec<Assignment>,
    /// The program and its arguments.
    pub words: Vec<Word>,
}

/// `NAME=VALUE`, or `NAME+=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The name.
    pub name: String,
    /// Whether the value is put behind the one that is there.
    pub append: bool,
    /// The value.
    pub value: Word,
    /// The text of all of it.
    pub range: Range<usize>,
}

/// `if`, with each `elif` as a further branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct If {
    /// Conditions, and what runs if they hold.
    pub branches: Vec<(Script, Script)>,
    /// What runs if none holds.
    pub otherwise: Option<Script>,
}

/// `for`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct For {
    /// The variable.
    pub name: String,
    /// The words; `None` stands for the positional parameters.
    pub words: Option<Vec<Word>>,
    /// What runs for each.
    pub body: Script,
}

/// `while` or `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// Whether it is `until`.
    pub until: bool,
    /// The condition.
    pub condition: Script,
    /// What runs again and again.
    pub body: Script,
}

/// `case`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The word that is looked at.
    pub word: Word,
    /// The branches: patterns, and what runs if one of them matches.
    pub branches: Vec<(Vec<Word>, Script)>,
}

/// A function's definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name.
    pub name: String,
    /// The compound command that it runs.
    pub body: Box<Command>,
}

/// A word of several pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// The pieces, which are put together without a gap.
    pub pieces: Vec<Piece>,
    /// Its text.
    pub range: Range<usize>,
}

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Characters that stand for themselves; those that are not quoted may be patterns.
    Text {
        /// The characters, without what quotes them.
        text: String,
        /// Whether they were quoted.
        quoted: bool,
    },
    /// `~` or `~USER` where it stands for a home: the user's name, empty for one's own.
    Tilde(String),
    /// `$NAME`, `${NAME…}`.
    Parameter(Parameter),
    /// `$( … )` or `` ` … ` ``.
    Substitution(Substitution),
    /// `<( … )` or `>( … )`.
    Process {
        /// Whether the commands write what the file has, as in `<(…)`.
        writes: bool,
        /// The commands.
        commands: Substitution,
    },
}

/// A parameter's expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name: that of a variable, a digit, or one of `@*#?-$!0`.
    pub name: String,
    /// What is done with the value.
    pub operation: Operation,
    /// Whether it is in double quotes.
    pub quoted: bool,
}

/// What an expansion does with a parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Nothing.
    Value,
    /// `${NAME:-WORD}` and its like.
    Alternative {
        /// `-`, `=`, `+` or `?`.
        operator: char,
        /// Whether an empty value counts as none.
        colon: bool,
        /// The word.
        word: Word,
    },
    /// What is not worked out, such as `${#NAME}` and `${NAME%PATTERN}`; with the words in it.
    Other(Vec<Word>),
}

/// A command's output as a part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// The commands.
    pub script: Script,
    /// Whether it is in double quotes.
    pub quoted: bool,
    /// Whether the ranges in it are not those of the script, as in `` ` … ` ``.
    pub detached: bool,
}

impl Substitution {
    /// Whether it is one simple command.
    pub(crate) fn is_simple(&self) -> bool {
        let [item] = &self.script.items[..] else { return false };
        let is_whole = item.list.rest.is_empty() && !item.background && !item.list.first.negated;
        is_whole && matches!(&item.list.first.commands[..], [Command { kind: Kind::Simple(_), .. }])
    }
}

/// A redirection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The descriptor, where it is written.
    pub descriptor: Option<u32>,
    /// What is done with it.
    pub operator: Redirection,
    /// The file, descriptor, text or end of a here-document.
    pub target: Word,
    /// Its text, but for a here-document's lines.
    pub range: Range<usize>,
}

/// A redirection's operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirection {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>|`
    Clobber,
    /// `>>`
    Append,
    /// `<>`
    ReadWrite,
    /// `<&`
    DuplicateInput,
    /// `>&`
    DuplicateOutput,
    /// `&>` of bash: both outputs.
    WriteBoth,
    /// `&>>` of bash.
    AppendBoth,
    /// `<<<` of bash: the word is the text that is read.
    HereString,
    /// `<<` or `<<-`: the text that is read, which stands behind the line.
    HereDocument(Arc<OnceLock<Word>>),
}

/// Calls `visit` for every parameter that a word expands, also within the commands of its substitutions.
pub fn visit_parameters(word: &Word, visit: &mut impl FnMut(&Parameter)) {
    for piece in &word.pieces {
        match piece {
            Piece::Text { .. } | Piece::Tilde(_) => {}
            Piece::Parameter(parameter) => {
                visit(parameter);
                match &parameter.operation {
                    Operation::Value => {}
                    Operation::Alternative { word, .. } => visit_parameters(word, visit),
                    Operation::Other(words) => words.iter().for_each(|word| visit_parameters(word, visit)),
                }
            }
            Piece::Substitution(substitution) | Piece::Process { commands: substitution, .. } => {
                substitution.script.visit_words(&mut |word| visit_parameters(word, visit));
            }
        }
    }
}

/// Calls `visit` for every word of the commands in a word's substitutions.
pub(crate) fn visit_substituted(word: &Word, visit: &mut dyn FnMut(&Word)) {
    for piece in &word.pieces {
        match piece {
            Piece::Text { .. } | Piece::Tilde(_) => {}
            Piece::Parameter(parameter) => match &parameter.operation {
                Operation::Value => {}
                Operation::Alternative { word, .. } => visit_substituted(word, visit),
                Operation::Other(words) => words.iter().for_each(|word| visit_substituted(word, visit)),
            },
            Piece::Substitution(substitution) | Piece::Process { commands: substitution, .. } => {
                substitution.script.visit_words(&mut |word| {
                    visit(word);
                    visit_substituted(word, visit);
                });
            }
        }
    }
}

impl Script {
    /// Calls `visit` for every command, and then for those within it; commands within words are up to the visitor.
    pub fn visit_commands(&self, visit: &mut dyn FnMut(&Command)) {
        for item in &self.items {
            let pipelines = std::iter::once(&item.list.first).chain(item.list.rest.iter().map(|(_, other)| other));
            pipelines.flat_map(|pipeline| &pipeline.commands).for_each(|command| command.visit(visit));
        }
    }

    /// Calls `visit` for every list of its commands, also within others.
    pub(crate) fn visit_lists(&self, visit: &mut dyn FnMut(&AndOr)) {
        self.items.iter().for_each(|item| visit(&item.list));
        self.visit_commands(&mut |command| {
            command.scripts().into_iter().flat_map(|script| &script.items).for_each(|item| visit(&item.list));
        });
    }

    /// Calls `visit` for every word of its commands; words within words are up to the visitor.
    pub fn visit_words(&self, visit: &mut dyn FnMut(&Word)) {
        self.visit_commands(&mut |command| command.own_words(visit));
    }

    /// Calls `visit` for the lines of every here-document that stand in the script's own text.
    pub(crate) fn visit_documents(&self, visit: &mut dyn FnMut(Range<usize>)) {
        self.visit_document_starts(&mut |_, body| visit(body));
    }

    /// The same with the place of the operator.
    pub(crate) fn visit_document_starts(&self, visit: &mut dyn FnMut(usize, Range<usize>)) {
        self.visit_commands(&mut |command| {
            for redirect in &command.redirects {
                if let Redirection::HereDocument(body) = &redirect.operator
                    && let Some(body) = body.get()
                {
                    visit(redirect.range.start, body.range.clone());
                }
            }
        });
    }
}

impl Command {
    fn visit(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        if let Kind::Function(function) = &self.kind {
            function.body.visit(visit);
        }
        self.scripts().into_iter().for_each(|script| script.visit_commands(visit));
    }

    /// The scripts that it is made of.
    fn scripts(&self) -> Vec<&Script> {
        match &self.kind {
            Kind::Simple(_) | Kind::Test(_) | Kind::Function(_) => Vec::new(),
            Kind::Group(script) | Kind::Subshell(script) => vec![script],
            Kind::If(whole) => {
                let branches = whole.branches.iter().flat_map(|(condition, body)| [condition, body]);
                branches.chain(&whole.otherwise).collect()
            }
            Kind::For(whole) => vec![&whole.body],
            Kind::Loop(whole) => vec![&whole.condition, &whole.body],
            Kind::Case(whole) => whole.branches.iter().map(|(_, body)| body).collect(),
        }
    }

    /// Calls `visit` for every word that is its own, and not that of a command within it.
    fn own_words(&self, visit: &mut dyn FnMut(&Word)) {
        match &self.kind {
            Kind::Simple(simple) => {
                simple.assignments.iter().for_each(|assignment| visit(&assignment.value));
                simple.words.iter().for_each(&mut *visit);
            }
            Kind::For(whole) => whole.words.iter().flatten().for_each(&mut *visit),
            Kind::Case(whole) => {
                visit(&whole.word);
                whole.branches.iter().flat_map(|(patterns, _)| patterns).for_each(&mut *visit);
            }
            Kind::Test(words) => words.iter().for_each(&mut *visit),
            Kind::Group(_) | Kind::Subshell(_) | Kind::If(_) | Kind::Loop(_) | Kind::Function(_) => {}
        }
        for redirect in &self.redirects {
            visit(&redirect.target);
            if let Redirection::HereDocument(body) = &redirect.operator {
                body.get().into_iter().for_each(&mut *visit);
            }
        }
    }
}

/// Whether no command is substituted in a word.
pub(crate) fn is_plain(word: &Word) -> bool {
    word.pieces.iter().all(|piece| match piece {
        Piece::Text { .. } | Piece::Tilde(_) => true,
        Piece::Parameter(parameter) => match &parameter.operation {
            Operation::Value => true,
            Operation::Alternative { word, .. } => is_plain(word),
            Operation::Other(words) => words.iter().all(is_plain),
        },
        Piece::Substitution(_) | Piece::Process { .. } => false,
    })
}

/// Whether expanding a word does nothing but expand it.
pub(crate) fn is_pure(word: &Word) -> bool {
    word.pieces.iter().all(|piece| match piece {
        Piece::Text { .. } | Piece::Tilde(_) => true,
        Piece::Parameter(parameter) => match &parameter.operation {
            Operation::Value => true,
            Operation::Alternative { operator, word, .. } => ['-', '+'].contains(operator) && is_pure(word),
            Operation::Other(words) => words.iter().all(is_pure),
        },
        Piece::Substitution(_) | Piece::Process { .. } => false,
    })
}
