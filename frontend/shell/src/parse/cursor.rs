//! A place in a script.

/// Goes through a script. A backslash in front of the end of a line is taken out together with it (XCU 2.2.1), wherever
/// characters are read with [`Cursor::peek`] and [`Cursor::bump`].
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Characters that end a word where they are not quoted.
pub(super) const META: [char; 10] = [' ', '\t', '\n', '|', '&', ';', '(', ')', '<', '>'];

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn set(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The text from here on, continuations among it.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character.
    pub(super) fn peek(&mut self) -> Option<char> {
        while self.rest().starts_with("\\\n") {
            self.at += 2;
        }
        self.rest().chars().next()
    }

    /// Takes the next character.
    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes the next character as it is written, continuations as two characters.
    pub(super) fn bump_raw(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes these characters if they come next.
    pub(super) fn eat(&mut self, wanted: &str) -> bool {
        let start = self.at;
        let found = wanted.chars().all(|character| self.bump() == Some(character));
        if !found {
            self.at = start;
        }
        found
    }

    /// Whether these characters come next.
    pub(super) fn looks_at(&mut self, wanted: &str) -> bool {
        let start = self.at;
        let found = self.eat(wanted);
        self.at = start;
        found
    }

    /// Takes blanks, and a comment behind them.
    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
        if self.peek() == Some('#') {
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// The word that comes next if nothing in it is quoted or expanded, else an empty text. It is left where it is.
    pub(super) fn bare_word(&mut self) -> String {
        let start = self.at;
        let mut word = String::new();
        while let Some(character) = self.peek().filter(|character| !META.contains(character)) {
            if "\\'\"`$".contains(character) {
                word.clear();
                break;
            }
            word.push(character);
            self.bump();
        }
        self.at = start;
        word
    }
}
