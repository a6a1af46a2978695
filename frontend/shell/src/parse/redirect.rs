//! Redirections and here-documents (XCU 2.7).

use std::sync::{Arc, OnceLock};

use super::{Dialect, Parser, Unparsed, word::Ending};
use crate::ast::{Piece, Redirect, Redirection, Word};

/// A here-document whose lines are still to come.
pub(super) struct Document {
    delimiter: String,
    /// Whether nothing in it is expanded.
    quoted: bool,
    /// Whether tabs in front of its lines are left out.
    strips: bool,
    body: Arc<OnceLock<Word>>,
}

impl Parser<'_> {
    /// A redirection, if one begins here.
    pub(super) fn redirect(&mut self) -> Result<Option<Redirect>, Unparsed> {
        let start = self.cursor.at();
        let mut digits = String::new();
        while let Some(digit) = self.cursor.peek().filter(char::is_ascii_digit) {
            digits.push(digit);
            self.cursor.bump();
        }
        let is_both = digits.is_empty() && self.cursor.looks_at("&>");
        if !is_both && !matches!(self.cursor.peek(), Some('<' | '>')) {
            self.cursor.set(start);
            return Ok(None);
        }
        if is_both && self.dialect == Dialect::Sh {
            return self.fail("`&>`");
        }
        // Not a redirection but a word.
        if digits.is_empty() && (self.cursor.looks_at("<(") || self.cursor.looks_at(">(")) {
            return Ok(None);
        }
        let descriptor = match digits.as_str() {
            "" => None,
            // `dash` takes one digit for a descriptor, and more for a word.
            digits if digits.len() > 1 => return self.fail("a descriptor of several digits"),
            digits => digits.parse().ok(),
        };
        let operators = [
            ("&>>", Redirection::AppendBoth),
            ("&>", Redirection::WriteBoth),
            ("<<<", Redirection::HereString),
            ("<<-", Redirection::HereDocument(Arc::default())),
            ("<<", Redirection::HereDocument(Arc::default())),
            ("<&", Redirection::DuplicateInput),
            ("<>", Redirection::ReadWrite),
            ("<", Redirection::Read),
            (">>", Redirection::Append),
            (">&", Redirection::DuplicateOutput),
            (">|", Redirection::Clobber),
            (">", Redirection::Write),
        ];
        let found = operators.into_iter().find(|(operator, _)| self.cursor.eat(operator));
        let Some((text, operator)) = found else { return self.fail("an unknown redirection") };
        if operator == Redirection::HereString && self.dialect == Dialect::Sh {
            return self.fail("`<<<`");
        }
        self.cursor.blanks();
        let begin = self.cursor.at();
        let Some(target) = self.word()? else { return self.fail("a redirection without a target") };
        if let Redirection::HereDocument(body) = &operator {
            let quoted = self.cursor.text()[begin..self.cursor.at()].contains(['\'', '"', '\\']);
            let mut delimiter = String::new();
            for piece in &target.pieces {
                match piece {
                    Piece::Text { text, .. } => delimiter.push_str(text),
                    _ => return self.fail("an end of a here-document that is expanded"),
                }
            }
            let body = Arc::clone(body);
            self.documents.push(Document { delimiter, quoted, strips: text == "<<-", body });
        }
        let range = start..self.cursor.at();
        Ok(Some(Redirect { descriptor, operator, target, range }))
    }

    /// Reads the here-documents that begin behind the end of a line.
    pub(super) fn read_documents(&mut self) -> Result<(), Unparsed> {
        for document in std::mem::take(&mut self.documents) {
            let body = self.document(&document)?;
            document.body.set(body).or_else(|_| self.fail("a here-document"))?;
        }
        Ok(())
    }

    /// An error if a here-document has no lines.
    pub(super) fn check_documents(&self) -> Result<(), Unparsed> {
        if self.documents.is_empty() { Ok(()) } else { self.fail("a here-document without an end") }
    }

    fn document(&mut self, document: &Document) -> Result<Word, Unparsed> {
        let start = self.cursor.at();
        let mut text = String::new();
        loop {
            let rest = self.cursor.rest();
            if rest.is_empty() {
                return self.fail("a here-document without an end");
            }
            let (line, is_last) = rest.find('\n').map_or((rest, true), |end| (&rest[..end], false));
            self.cursor.set(self.cursor.at() + line.len() + usize::from(!is_last));
            let stripped = if document.strips { line.trim_start_matches('\t') } else { line };
            if stripped == document.delimiter {
                break;
            }
            // It goes on in the next line, and whether tabs in front of that are left out differs.
            if !document.quoted && line.ends_with('\\') {
                return self.fail("a line of a here-document that goes on");
            }
            text.push_str(stripped);
            text.push('\n');
        }
        let range = start..self.cursor.at();
        if document.quoted {
            return Ok(Word { pieces: vec![Piece::Text { text, quoted: true }], range });
        }
        let mut inner = Parser {
            cursor: super::Cursor::new(&text),
            dialect: self.dialect,
            depth: self.depth + 1,
            documents: Vec::new(),
            detached: true,
        };
        let pieces = inner.pieces_in_quotes(Ending::Text).map_err(|error| Unparsed { at: start, ..error })?;
        inner.check_documents().map_err(|error| Unparsed { at: start, ..error })?;
        Ok(Word { pieces, range })
    }
}
