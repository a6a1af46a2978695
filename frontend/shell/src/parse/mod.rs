//! From text to the syntax tree (POSIX.1-2024, XCU 2.10).
//!
//! What shells read differently is not read: for `sh` that is whatever `dash`, `bash --posix` and busybox do not agree on.

mod cursor;
mod redirect;
mod word;

use crate::ast::{AndOr, Case, Command, Connector, For, Function, If, Item, Kind, Loop, Pipeline, Script, Simple};
use cursor::Cursor;

/// Which shell reads a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// `sh`, whichever shell that is.
    Sh,
    /// `bash`.
    Bash,
}

/// Why a script is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}, at byte {at}")]
pub struct Unparsed {
    /// The place in the script, in bytes.
    pub at: usize,
    /// What stands there.
    pub what: &'static str,
}

/// How deep commands may be nested.
const MAX_DEPTH: usize = 60;

/// Words that begin or end a compound command.
const RESERVED: [&str; 16] =
    ["!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while"];

/// Builtins that a function may stand in for, in some shells only, or whose meaning is counted on.
const BUILTINS: [&str; 24] = [
    "alias", "bg", "break", "cd", "command", "continue", "echo", "eval", "exec", "exit", "export", "false", "printf",
    "pwd", "read", "readonly", "return", "set", "shift", "test", "times", "trap", "true", "unset",
];

/// Words that begin a command in some shells only.
const RESERVED_IN_SOME: [&str; 5] = ["function", "select", "time", "coproc", "[["];

/// Reads a script.
///
/// # Errors
/// If it is not valid, or shells differ in how they read it.
pub fn parse(text: &str, dialect: Dialect) -> Result<Script, Unparsed> {
    let mut parser = Parser { cursor: Cursor::new(text), dialect, depth: 0, documents: Vec::new(), detached: false };
    let script = parser.script()?;
    if parser.cursor.peek().is_some() {
        return parser.fail("a token that ends nothing");
    }
    parser.check_documents()?;
    Ok(script)
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    dialect: Dialect,
    depth: usize,
    /// Here-documents whose lines are still to come.
    documents: Vec<redirect::Document>,
    /// Whether the text is not the script's own.
    detached: bool,
}

impl Parser<'_> {
    fn fail<T>(&self, what: &'static str) -> Result<T, Unparsed> {
        Err(Unparsed { at: self.cursor.at(), what })
    }

    /// Runs a part of the parser one level deeper.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Unparsed>) -> Result<T, Unparsed> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail("commands that are nested too deeply");
        }
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// Commands up to the end, or to what ends the compound command that they are in.
    fn script(&mut self) -> Result<Script, Unparsed> {
        self.nested(|parser| {
            let mut items = Vec::new();
            loop {
                parser.newlines()?;
                if parser.is_end() {
                    return Ok(Script { items });
                }
                let list = parser.and_or()?;
                parser.cursor.blanks();
                let background = match parser.cursor.peek() {
                    Some(';') if !parser.cursor.looks_at(";;") => parser.cursor.bump().is_none(),
                    Some('&') => parser.cursor.bump().is_some(),
                    Some('\n') => false,
                    _ => {
                        items.push(Item { list, background: false });
                        return Ok(Script { items });
                    }
                };
                items.push(Item { list, background });
            }
        })
    }

    /// Whether a list of commands ends here.
    fn is_end(&mut self) -> bool {
        match self.cursor.peek() {
            None | Some(')') => true,
            Some(';') => self.cursor.looks_at(";;"),
            _ => {
                let ends = ["then", "else", "elif", "fi", "do", "done", "esac", "}"];
                self.reserved().is_some_and(|word| ends.contains(&word))
            }
        }
    }

    /// Ends of lines, with the here-documents behind them.
    fn newlines(&mut self) -> Result<(), Unparsed> {
        loop {
            self.cursor.blanks();
            if self.cursor.peek() != Some('\n') {
                return Ok(());
            }
            self.cursor.bump();
            self.read_documents()?;
        }
    }

    fn and_or(&mut self) -> Result<AndOr, Unparsed> {
        let first = self.pipeline()?;
        let mut rest: Vec<(Connector, Pipeline)> = Vec::new();
        loop {
            self.cursor.blanks();
            let connector = if self.cursor.eat("&&") {
                Connector::And
            } else if self.cursor.eat("||") {
                Connector::Or
            } else {
                let end = rest.last().map_or(first.range.end, |(_, last)| last.range.end);
                return Ok(AndOr { range: first.range.start..end, first, rest });
            };
            self.newlines()?;
            rest.push((connector, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, Unparsed> {
        self.cursor.blanks();
        let start = self.cursor.at();
        let negated = self.reserved() == Some("!");
        if negated {
            self.cursor.bump();
            self.cursor.blanks();
            if self.reserved() == Some("!") {
                return self.fail("`!` twice");
            }
        }
        let mut commands = vec![self.command()?];
        loop {
            self.cursor.blanks();
            if self.cursor.peek() != Some('|') || self.cursor.looks_at("||") {
                break;
            }
            if self.cursor.looks_at("|&") {
                return self.fail("`|&`");
            }
            self.cursor.bump();
            self.newlines()?;
            commands.push(self.command()?);
        }
        let end = commands.last().map_or(start, |command| command.range.end);
        Ok(Pipeline { negated, commands, range: start..end })
    }

    fn command(&mut self) -> Result<Command, Unparsed> {
        self.cursor.blanks();
        let start = self.cursor.at();
        let kind = match self.compound()? {
            Some(kind) => kind,
            None => return self.simple(start),
        };
        self.finish(kind, start)
    }

    /// A compound command with the redirections behind it.
    fn finish(&mut self, kind: Kind, start: usize) -> Result<Command, Unparsed> {
        let (mut redirects, mut end) = (Vec::new(), self.cursor.at());
        loop {
            self.cursor.blanks();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => break,
            }
            end = self.cursor.at();
        }
        Ok(Command { kind, redirects, range: start..end })
    }

    /// A compound command, if one begins here.
    fn compound(&mut self) -> Result<Option<Kind>, Unparsed> {
        if self.cursor.peek() == Some('(') {
            if self.cursor.looks_at("((") {
                return self.fail("`((`");
            }
            self.cursor.bump();
            let script = self.script()?;
            self.expect_character(')')?;
            return self.non_empty(script).map(|script| Some(Kind::Subshell(script)));
        }
        let Some(word) = self.reserved() else { return Ok(None) };
        Ok(Some(match word {
            "{" => {
                self.expect("{")?;
                let script = self.script()?;
                self.expect("}")?;
                Kind::Group(self.non_empty(script)?)
            }
            "if" => Kind::If(self.if_command()?),
            "while" | "until" => {
                self.expect(word)?;
                let condition = self.script()?;
                let (condition, body) = (self.non_empty(condition)?, self.do_group()?);
                Kind::Loop(Loop { until: word == "until", condition, body })
            }
            "for" => self.for_command()?,
            "case" => self.case()?,
            "[[" if self.dialect == Dialect::Bash => Kind::Test(self.test()?),
            _ => return self.fail("a reserved word that begins no command here"),
        }))
    }

    fn non_empty(&self, script: Script) -> Result<Script, Unparsed> {
        if script.items.is_empty() { self.fail("no command where one has to be") } else { Ok(script) }
    }

    fn if_command(&mut self) -> Result<If, Unparsed> {
        self.expect("if")?;
        let mut branches = Vec::new();
        loop {
            let condition = self.script()?;
            let condition = self.non_empty(condition)?;
            self.expect("then")?;
            let body = self.script()?;
            branches.push((condition, self.non_empty(body)?));
            match self.reserved() {
                Some("elif") => self.expect("elif")?,
                Some("else") => {
                    self.expect("else")?;
                    let body = self.script()?;
                    let otherwise = Some(self.non_empty(body)?);
                    self.expect("fi")?;
                    return Ok(If { branches, otherwise });
                }
                _ => {
                    self.expect("fi")?;
                    return Ok(If { branches, otherwise: None });
                }
            }
        }
    }

    fn do_group(&mut self) -> Result<Script, Unparsed> {
        self.expect("do")?;
        let body = self.script()?;
        self.expect("done")?;
        self.non_empty(body)
    }

    fn for_command(&mut self) -> Result<Kind, Unparsed> {
        self.expect("for")?;
        self.cursor.blanks();
        let name = self.name()?;
        self.newlines()?;
        let words = if self.reserved() == Some("in") {
            self.expect("in")?;
            let mut words = Vec::new();
            loop {
                self.cursor.blanks();
                match self.word()? {
                    Some(word) => words.push(word),
                    None => break,
                }
            }
            if !matches!(self.cursor.peek(), Some(';' | '\n')) || self.cursor.looks_at(";;") {
                return self.fail("no end of the words of `for`");
            }
            Some(words)
        } else {
            None
        };
        if self.cursor.peek() == Some(';') {
            self.cursor.bump();
        }
        self.newlines()?;
        Ok(Kind::For(For { name, words, body: self.do_group()? }))
    }

    fn case(&mut self) -> Result<Kind, Unparsed> {
        self.expect("case")?;
        self.cursor.blanks();
        let Some(word) = self.word()? else { return self.fail("no word behind `case`") };
        self.newlines()?;
        self.expect("in")?;
        let mut branches = Vec::new();
        loop {
            self.newlines()?;
            if self.reserved() == Some("esac") {
                self.expect("esac")?;
                return Ok(Kind::Case(Case { word, branches }));
            }
            self.cursor.eat("(");
            let mut patterns = Vec::new();
            loop {
                self.cursor.blanks();
                match self.word()? {
                    Some(pattern) => patterns.push(pattern),
                    None => return self.fail("no pattern where one has to be"),
                }
                self.cursor.blanks();
                if self.cursor.looks_at("||") || !self.cursor.eat("|") {
                    break;
                }
            }
            self.expect_character(')')?;
            let body = self.script()?;
            branches.push((patterns, body));
            if self.cursor.looks_at(";;&") {
                return self.fail("`;;&`");
            }
            if !self.cursor.eat(";;") && self.reserved() != Some("esac") {
                return self.fail("no end of a branch of `case`");
            }
        }
    }

    /// The words of `[[ … ]]`, operators among them as words of their own. Regular expressions are not read.
    fn test(&mut self) -> Result<Vec<crate::ast::Word>, Unparsed> {
        self.expect("[[")?;
        let mut words = Vec::new();
        loop {
            self.newlines()?;
            let start = self.cursor.at();
            if self.cursor.eat("]]") {
                return self.check_test(words);
            }
            if let Some(operator) = ["&&", "||", "(", ")", "<", ">"].iter().find(|operator| self.cursor.eat(operator)) {
                words.push(word::operator(operator, start..self.cursor.at()));
                continue;
            }
            match self.word()? {
                Some(word) if word.is_bare("=~") => return self.fail("`=~`"),
                Some(word) if word.is_bare("]]") => return self.check_test(words),
                Some(word) => words.push(word),
                None => return self.fail("no end of `[[`"),
            }
        }
    }

    /// The words, if they are an expression.
    fn check_test(&self, words: Vec<crate::ast::Word>) -> Result<Vec<crate::ast::Word>, Unparsed> {
        let tokens: Vec<Option<&str>> = words.iter().map(crate::ast::Word::bare).collect();
        if expression(&tokens).is_some_and(<[_]>::is_empty) {
            Ok(words)
        } else {
            self.fail("`[[` with an unknown form")
        }
    }

    fn simple(&mut self, start: usize) -> Result<Command, Unparsed> {
        let (mut simple, mut redirects) = (Simple::default(), Vec::new());
        let mut end = start;
        loop {
            self.cursor.blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
            } else if simple.words.is_empty()
                && let Some(assignment) = self.assignment()?
            {
                simple.assignments.push(assignment);
            } else if let Some(word) = self.word()? {
                if simple.words.is_empty() && self.is_unclear(&word) {
                    return self.fail("a word that begins a command in some shells only");
                }
                simple.words.push(word);
            } else {
                break;
            }
            end = self.cursor.at();
        }
        let is_empty = simple.words.is_empty() && simple.assignments.is_empty() && redirects.is_empty();
        if self.cursor.peek() == Some('(') {
            return self.function(simple, redirects.is_empty(), start);
        }
        if is_empty {
            return self.fail("no command where one has to be");
        }
        Ok(Command { kind: Kind::Simple(simple), redirects, range: start..end })
    }

    /// Whether a shell may take the first word of a command for something else than a program.
    fn is_unclear(&self, word: &crate::ast::Word) -> bool {
        let Some(text) = word.bare() else { return false };
        let is_array = text.split_once('[').is_some_and(|(name, rest)| is_name(name) && rest.contains('='));
        let is_append = text.split_once("+=").is_some_and(|(name, _)| is_name(name));
        RESERVED_IN_SOME.contains(&text) || RESERVED.contains(&text) || is_array || is_append
    }

    fn function(&mut self, simple: Simple, is_plain: bool, start: usize) -> Result<Command, Unparsed> {
        let name = match &simple.words[..] {
            [word] if simple.assignments.is_empty() && is_plain => word.bare().filter(|name| is_name(name)),
            _ => None,
        };
        let Some(name) = name.map(str::to_owned) else { return self.fail("`(` in a command") };
        if BUILTINS.contains(&name.as_str()) {
            return self.fail("a function with the name of a builtin");
        }
        self.expect_character('(')?;
        self.expect_character(')')?;
        self.newlines()?;
        let begin = self.cursor.at();
        let Some(kind) = self.nested(Self::compound)? else {
            return self.fail("a function without a compound command");
        };
        let body = Box::new(self.finish(kind, begin)?);
        let range = start..body.range.end;
        Ok(Command { kind: Kind::Function(Function { name, body }), redirects: Vec::new(), range })
    }

    /// The reserved word that stands here, which is left where it is.
    fn reserved(&mut self) -> Option<&'static str> {
        let word = self.cursor.bare_word();
        let known = RESERVED.iter().chain(RESERVED_IN_SOME.last().filter(|_| self.dialect == Dialect::Bash));
        known.copied().find(|known| *known == word)
    }

    fn expect(&mut self, word: &str) -> Result<(), Unparsed> {
        self.cursor.blanks();
        if self.reserved() == Some(word) && self.cursor.eat(word) {
            return Ok(());
        }
        self.fail("a reserved word is missing")
    }

    fn expect_character(&mut self, character: char) -> Result<(), Unparsed> {
        self.cursor.blanks();
        if self.cursor.peek() == Some(character) {
            self.cursor.bump();
            return Ok(());
        }
        self.fail("a parenthesis is missing")
    }

    fn name(&mut self) -> Result<String, Unparsed> {
        let name = self.cursor.bare_word();
        if is_name(&name) && self.cursor.eat(&name) { Ok(name) } else { self.fail("no name where one has to be") }
    }
}

/// What is left behind an expression of `[[`; `None` if none begins.
fn expression<'a, 'b>(tokens: &'a [Option<&'b str>]) -> Option<&'a [Option<&'b str>]> {
    let mut rest = primary(tokens)?;
    while let [Some("&&" | "||"), others @ ..] = rest {
        rest = primary(others)?;
    }
    Some(rest)
}

fn primary<'a, 'b>(tokens: &'a [Option<&'b str>]) -> Option<&'a [Option<&'b str>]> {
    const OPERATORS: [&str; 21] = [
        "&&", "||", "(", ")", "!", "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot",
        "-ef", "-a", "-o",
    ];
    let is_word = |token: &Option<&str>| token.is_none_or(|token| !OPERATORS.contains(&token));
    let is_option = |token: &Option<&str>| token.is_some_and(|token| token.starts_with('-'));
    match tokens {
        [Some("!"), rest @ ..] => primary(rest),
        [Some("("), rest @ ..] => match expression(rest)? {
            [Some(")"), rest @ ..] => Some(rest),
            _ => None,
        },
        [Some("-n" | "-z" | "-f" | "-d" | "-e" | "-x" | "-r" | "-s" | "-v"), word, rest @ ..] if is_word(word) => {
            Some(rest)
        }
        [word, Some(operator), other, rest @ ..]
            if is_word(word) && !is_option(word) && OPERATORS[5..19].contains(operator) && is_word(other) =>
        {
            Some(rest)
        }
        [word, rest @ ..] if is_word(word) && !is_option(word) => Some(rest),
        _ => None,
    }
}

/// Whether a text is the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
