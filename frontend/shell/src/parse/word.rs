//! Words and what they are made of (XCU 2.2, 2.3 and 2.6).

use std::ops::Range;

use super::{Cursor, Dialect, Parser, Unparsed, cursor::META, is_name};
use crate::ast::{Assignment, Operation, Parameter, Piece, Substitution, Word};

/// What ends a text in double quotes, or one that is read like it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// `"`
    Quote,
    /// The end of a here-document.
    Text,
}

/// An operator in `[[ … ]]`.
pub(super) fn operator(text: &str, range: Range<usize>) -> Word {
    Word { pieces: vec![Piece::Text { text: text.to_owned(), quoted: false }], range }
}

impl Word {
    /// The word as it is written, if nothing in it is quoted or expanded.
    #[must_use]
    pub fn bare(&self) -> Option<&str> {
        match &self.pieces[..] {
            [Piece::Text { text, quoted: false }] => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_bare(&self, wanted: &str) -> bool {
        self.bare() == Some(wanted)
    }
}

/// Puts characters together to pieces.
#[derive(Default)]
struct Pieces {
    all: Vec<Piece>,
}

impl Pieces {
    fn push(&mut self, character: char, is_quoted: bool) {
        if let Some(Piece::Text { text, quoted }) = self.all.last_mut()
            && *quoted == is_quoted
        {
            text.push(character);
            return;
        }
        self.all.push(Piece::Text { text: character.to_string(), quoted: is_quoted });
    }
}

impl Parser<'_> {
    /// The word that begins here; `None` if none does.
    pub(super) fn word(&mut self) -> Result<Option<Word>, Unparsed> {
        let start = self.cursor.at();
        let pieces = self.pieces(false)?;
        if pieces.is_empty() {
            return Ok(None);
        }
        Ok(Some(Word { pieces, range: start..self.cursor.at() }))
    }

    /// The assignment that begins here, if one does.
    pub(super) fn assignment(&mut self) -> Result<Option<Assignment>, Unparsed> {
        let start = self.cursor.at();
        let mut name = String::new();
        while let Some(character) = self.cursor.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(character);
            self.cursor.bump();
        }
        let append = self.dialect == Dialect::Bash && self.cursor.looks_at("+=");
        if !is_name(&name) || !self.cursor.eat(if append { "+=" } else { "=" }) {
            self.cursor.set(start);
            return Ok(None);
        }
        let begin = self.cursor.at();
        if self.cursor.peek() == Some('(') {
            return self.fail("an array");
        }
        let pieces = self.pieces(true)?;
        let value = Word { pieces, range: begin..self.cursor.at() };
        Ok(Some(Assignment { name, append, value, range: start..self.cursor.at() }))
    }

    /// The pieces up to the end of a word. In an assignment's value a home may stand behind each `:`.
    fn pieces(&mut self, is_value: bool) -> Result<Vec<Piece>, Unparsed> {
        let mut pieces = Pieces::default();
        let mut may_be_home = true;
        while let Some(character) = self.cursor.peek() {
            if "<>".contains(character) && self.dialect == Dialect::Bash && self.is_process() {
                if !pieces.all.is_empty() {
                    return self.fail("a process substitution in a word");
                }
                self.cursor.bump();
                self.cursor.bump();
                pieces.all.push(Piece::Process { writes: character == '<', commands: self.substitution(false)? });
                continue;
            }
            if META.contains(&character) {
                break;
            }
            if character == '~' && may_be_home {
                self.tilde(&mut pieces, is_value)?;
            } else {
                self.piece(&mut pieces)?;
            }
            may_be_home = is_value && character == ':';
        }
        Ok(pieces.all)
    }

    fn is_process(&mut self) -> bool {
        self.cursor.looks_at("<(") || self.cursor.looks_at(">(")
    }

    fn tilde(&mut self, pieces: &mut Pieces, is_value: bool) -> Result<(), Unparsed> {
        let start = self.cursor.at();
        self.cursor.bump();
        let mut user = String::new();
        while let Some(character) = self.cursor.peek() {
            if character == '/' || META.contains(&character) || is_value && character == ':' {
                pieces.all.push(Piece::Tilde(user));
                return Ok(());
            }
            if "\\'\"`$".contains(character) {
                // It stands for itself.
                self.cursor.set(start);
                return self.piece(pieces);
            }
            user.push(character);
            self.cursor.bump();
        }
        pieces.all.push(Piece::Tilde(user));
        Ok(())
    }

    /// One piece outside of quotes.
    fn piece(&mut self, pieces: &mut Pieces) -> Result<(), Unparsed> {
        match self.cursor.peek() {
            Some('\'') => {
                self.cursor.bump();
                pieces.all.push(Piece::Text { text: self.single_quoted()?, quoted: true });
            }
            Some('"') => {
                self.cursor.bump();
                let inner = self.pieces_in_quotes(Ending::Quote)?;
                if inner.is_empty() {
                    pieces.all.push(Piece::Text { text: String::new(), quoted: true });
                }
                pieces.all.extend(inner);
            }
            Some('\\') => {
                self.cursor.bump();
                match self.cursor.bump_raw() {
                    Some(character) => pieces.push(character, true),
                    None => return self.fail("a backslash at the end"),
                }
            }
            Some('`') => {
                self.cursor.bump();
                pieces.all.push(self.backquoted(false)?);
            }
            Some('$') => self.dollar(pieces, false)?,
            Some(character) => {
                self.cursor.bump();
                pieces.push(character, false);
            }
            None => {}
        }
        Ok(())
    }

    fn single_quoted(&mut self) -> Result<String, Unparsed> {
        let mut text = String::new();
        loop {
            match self.cursor.bump_raw() {
                Some('\'') => return Ok(text),
                Some(character) => text.push(character),
                None => return self.fail("a quote without an end"),
            }
        }
    }

    /// The pieces up to a closing quote, which is taken too, or to the end of the text.
    pub(super) fn pieces_in_quotes(&mut self, ending: Ending) -> Result<Vec<Piece>, Unparsed> {
        let mut pieces = Pieces::default();
        loop {
            match self.cursor.peek() {
                None if ending == Ending::Text => return Ok(pieces.all),
                None => return self.fail("a quote without an end"),
                Some('"') if ending == Ending::Quote => {
                    self.cursor.bump();
                    return Ok(pieces.all);
                }
                Some('\\') => {
                    self.cursor.bump();
                    let Some(character) = self.cursor.bump_raw() else {
                        return self.fail("a backslash at the end");
                    };
                    let is_escaped = "$`\\".contains(character) || character == '"' && ending == Ending::Quote;
                    if !is_escaped {
                        pieces.push('\\', true);
                    }
                    pieces.push(character, true);
                }
                Some('`') => {
                    self.cursor.bump();
                    pieces.all.push(self.backquoted(true)?);
                }
                Some('$') => self.dollar(&mut pieces, true)?,
                Some(character) => {
                    self.cursor.bump();
                    pieces.push(character, true);
                }
            }
        }
    }

    /// What begins with `$`.
    fn dollar(&mut self, pieces: &mut Pieces, quoted: bool) -> Result<(), Unparsed> {
        self.cursor.bump();
        match self.cursor.peek() {
            Some('(') => {
                if self.cursor.looks_at("((") {
                    return self.fail("arithmetic");
                }
                self.cursor.bump();
                pieces.all.push(Piece::Substitution(self.substitution(quoted)?));
            }
            Some('{') => {
                self.cursor.bump();
                pieces.all.push(Piece::Parameter(self.braced(quoted)?));
            }
            Some('[') => return self.fail("`$[`"),
            Some('\'' | '"') if !quoted => return self.fail("`$` in front of a quote"),
            Some(character) if character.is_ascii_alphabetic() || character == '_' => {
                let name = self.parameter_name();
                pieces.all.push(Piece::Parameter(Parameter { name, operation: Operation::Value, quoted }));
            }
            Some(character) if character.is_ascii_digit() || "@*#?-$!".contains(character) => {
                self.cursor.bump();
                let name = character.to_string();
                pieces.all.push(Piece::Parameter(Parameter { name, operation: Operation::Value, quoted }));
            }
            _ => pieces.push('$', quoted),
        }
        Ok(())
    }

    fn parameter_name(&mut self) -> String {
        let mut name = String::new();
        while let Some(character) = self.cursor.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(character);
            self.cursor.bump();
        }
        name
    }

    /// `${…}`, behind the brace.
    fn braced(&mut self, quoted: bool) -> Result<Parameter, Unparsed> {
        let mut name = self.parameter_name();
        if name.is_empty() {
            match self.cursor.peek() {
                Some('#') if self.cursor.looks_at("#}") => name.extend(self.cursor.bump()),
                Some('#') => {
                    self.cursor.bump();
                    name = self.parameter_name();
                    if name.is_empty() || !self.cursor.eat("}") {
                        return self.fail("an expansion that is not known");
                    }
                    return Ok(Parameter { name, operation: Operation::Other(Vec::new()), quoted });
                }
                Some(character) if "@*?-$!".contains(character) => name.extend(self.cursor.bump()),
                _ => return self.fail("an expansion that is not known"),
            }
        }
        let is_position = name.chars().all(|character| character.is_ascii_digit());
        if !(is_name(&name) || is_position || name.len() == 1) {
            return self.fail("an expansion that is not known");
        }
        let colon = self.cursor.looks_at(":-")
            || self.cursor.looks_at(":=")
            || self.cursor.looks_at(":+")
            || self.cursor.looks_at(":?");
        if colon {
            self.cursor.bump();
        }
        let operation = match self.cursor.bump() {
            Some('}') => return Ok(Parameter { name, operation: Operation::Value, quoted }),
            Some(operator @ ('-' | '=' | '+' | '?')) => {
                Operation::Alternative { operator, colon, word: self.word_in_braces(quoted)? }
            }
            Some('%' | '#') => Operation::Other(vec![self.word_in_braces(quoted)?]),
            Some('/' | '^' | ',' | ':' | '@') if self.dialect == Dialect::Bash => {
                Operation::Other(vec![self.word_in_braces(quoted)?])
            }
            _ => return self.fail("an expansion that is not known"),
        };
        Ok(Parameter { name, operation, quoted })
    }

    /// The word up to a closing brace, which is taken too. Where shells differ in what quotes mean there, it is not read.
    fn word_in_braces(&mut self, quoted: bool) -> Result<Word, Unparsed> {
        self.nested(|parser| {
            let start = parser.cursor.at();
            let mut pieces = Pieces::default();
            loop {
                let end = parser.cursor.at();
                match parser.cursor.peek() {
                    Some('}') => {
                        parser.cursor.bump();
                        return Ok(Word { pieces: pieces.all, range: start..end });
                    }
                    Some('\'' | '"' | '\\' | '`') if quoted => return parser.fail("quotes in an expansion in quotes"),
                    Some('$') => parser.dollar(&mut pieces, quoted)?,
                    Some('~') => return parser.fail("`~` in an expansion"),
                    Some('\n') => return parser.fail("an end of a line in an expansion"),
                    Some(character) if quoted || META.contains(&character) => {
                        parser.cursor.bump();
                        pieces.push(character, quoted);
                    }
                    Some(_) => parser.piece(&mut pieces)?,
                    None => return parser.fail("an expansion without an end"),
                }
            }
        })
    }

    /// The commands of `$( … )`, behind the parenthesis.
    fn substitution(&mut self, quoted: bool) -> Result<Substitution, Unparsed> {
        let documents = self.documents.len();
        let script = self.script()?;
        self.expect_character(')')?;
        if self.documents.len() > documents {
            return self.fail("a here-document that begins in a substitution and ends behind it");
        }
        Ok(Substitution { script, quoted, detached: self.detached })
    }

    /// The commands of `` ` … ` ``, behind the first mark.
    fn backquoted(&mut self, quoted: bool) -> Result<Piece, Unparsed> {
        let start = self.cursor.at();
        let mut text = String::new();
        loop {
            match self.cursor.bump_raw() {
                Some('`') => break,
                Some('\\') => match self.cursor.bump_raw() {
                    Some(character) if "`\\$".contains(character) || quoted && character == '"' => text.push(character),
                    Some(character) => text.extend(['\\', character]),
                    None => return self.fail("a backslash at the end"),
                },
                Some(character) => text.push(character),
                None => return self.fail("a substitution without an end"),
            }
        }
        let depth = self.depth + 1;
        if depth > super::MAX_DEPTH {
            return self.fail("commands that are nested too deeply");
        }
        let mut inner =
            Parser { cursor: Cursor::new(&text), dialect: self.dialect, depth, documents: Vec::new(), detached: true };
        let script = inner.script().and_then(|script| match inner.cursor.peek() {
            None => inner.check_documents().map(|()| script),
            Some(_) => inner.fail("a token that ends nothing"),
        });
        let script = script.map_err(|error| Unparsed { at: start, ..error })?;
        Ok(Piece::Substitution(Substitution { script, quoted, detached: true }))
    }
}
