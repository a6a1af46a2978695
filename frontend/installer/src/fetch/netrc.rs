//! Files in the format of `.netrc` (Python's `netrc` module).

use std::iter::Peekable;
use std::str::Chars;

/// What a file says of one host, or of all others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    /// `None` for all hosts that have no entry of their own.
    machine: Option<String>,
    login: String,
    password: String,
}

/// Logins by host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Netrc {
    entries: Vec<Entry>,
}

impl Netrc {
    /// Reads a file. What is no entry is skipped.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lexer = Lexer { rest: text.chars().peekable() };
        while let Some(word) = lexer.keyword() {
            match (word.as_str(), entries.last_mut()) {
                ("machine", _) => entries.push(Entry { machine: lexer.word(), ..Entry::default() }),
                ("default", _) => entries.push(Entry::default()),
                ("macdef", _) => lexer.skip_macro(),
                ("login" | "user", Some(entry)) => entry.login = lexer.word().unwrap_or_default(),
                ("password", Some(entry)) => entry.password = lexer.word().unwrap_or_default(),
                ("account", _) => {
                    lexer.word();
                }
                _ => {}
            }
        }
        Self { entries }
    }

    /// Login and password for a host.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<(&str, &str)> {
        let of_host = |entry: &&Entry| entry.machine.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(host));
        let entry = self.entries.iter().find(of_host);
        let entry = entry.or_else(|| self.entries.iter().find(|entry| entry.machine.is_none()))?;
        Some((&entry.login, &entry.password))
    }
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Lexer<'_> {
    /// The next word that is no part of a comment.
    fn keyword(&mut self) -> Option<String> {
        self.skip_blanks();
        while self.rest.peek() == Some(&'#') {
            while self.rest.next_if(|c| *c != '\n').is_some() {}
            self.skip_blanks();
        }
        self.word()
    }

    fn skip_blanks(&mut self) {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
    }

    /// The next word, which may begin with `#`. A word in double quotes may hold blanks; a backslash takes the next
    /// character as it is.
    fn word(&mut self) -> Option<String> {
        self.skip_blanks();
        let quoted = self.rest.next_if_eq(&'"').is_some();
        let ends = |c: char| if quoted { c == '"' } else { c.is_whitespace() };
        let mut word = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => word.extend(self.rest.next()),
                c if ends(c) => return Some(word),
                c => word.push(c),
            }
        }
        (!word.is_empty()).then_some(word)
    }

    /// A macro ends at an empty line.
    fn skip_macro(&mut self) {
        let mut newlines = 0;
        while newlines < 2 {
            match self.rest.next() {
                Some('\n') => newlines += 1,
                Some(_) => newlines = 0,
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_their_own_entries_or_the_default() {
        let netrc = Netrc::parse(
            "# comment\nmachine a.example.org login me password \"two words\\\"\"\n\
             macdef init\ncd /\nmachine x\n\nmachine B.example.org\n  login you # here\n  password p#1\n\
             default login any password thing\n",
        );
        assert_eq!(netrc.find("a.example.org"), Some(("me", "two words\"")));
        assert_eq!(netrc.find("b.example.org"), Some(("you", "p#1")));
        assert_eq!(netrc.find("c.example.org"), Some(("any", "thing")));
        assert_eq!(Netrc::parse("").find("a"), None);
        let hashes = Netrc::parse("machine a login me password #secret\nmachine b login you password #\n# the end\n");
        assert_eq!(hashes.find("a"), Some(("me", "#secret")));
        assert_eq!(hashes.find("b"), Some(("you", "#")));
        assert_eq!(Netrc::parse("machine a login \"b").find("a"), Some(("b", "")));
    }
}
