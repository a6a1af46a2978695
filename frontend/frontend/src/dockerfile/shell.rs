//! Reading shell commands as far as they can be read with certainty.
//!
//! Follows POSIX `sh`, chapter 2. A script is cut into segments at `&&`, `;` and ends of lines. A segment that is one
//! simple command is read to the last word, with variables expanded; any other is kept as its text.

use std::{collections::BTreeMap, ops::Range};

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

/// The value of a variable that only the running shell knows. No environment can hold it.
pub const UNKNOWN: &str = "\0";
/// The name of a variable that says that all may have changed.
pub const ALL: &str = "\0";
/// The value of `HOME` where the daemon takes it from the image's /etc/passwd, until that is read.
pub const USERS_HOME: &str = "\0home";

/// Variables that shells set by themselves.
const OWN: [&str; 11] =
    ["PWD", "OLDPWD", "USER", "LOGNAME", "UID", "EUID", "HOSTNAME", "RANDOM", "SECONDS", "PPID", "SHLVL"];

/// Commands that change the shell that runs them.
const OF_SHELL: [&str; 20] = [
    ".", "alias", "cd", "declare", "eval", "exec", "export", "local", "mapfile", "popd", "pushd", "read", "readonly",
    "shopt", "source", "trap", "typeset", "ulimit", "umask", "unset",
];

/// Those of them after which more than variables is another.
const BEYOND_VARIABLES: [&str; 12] =
    [".", "alias", "cd", "eval", "exec", "popd", "pushd", "shopt", "source", "trap", "ulimit", "umask"];

/// A part of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its text, without the separator.
    pub text: String,
    /// What follows it: `&&`, `;`, or nothing.
    pub separator: &'static str,
}

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simple {
    /// The assignments before it.
    pub assignments: Vec<(String, String)>,
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Redirections: the operator with its number, and the target.
    pub redirections: Vec<(String, String)>,
}

/// Words that begin or end a compound command.
const KEYWORDS: [&str; 17] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "{", "}", "!",
    "function", "select",
];

/// Cuts a script into segments. `None` if it has compound commands, here-documents, or an end that is missing.
#[must_use]
pub fn segments(script: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut text = String::new();
    let mut characters = script.chars().peekable();
    let mut depth = 0usize;
    let mut push = |text: &mut String, separator: &'static str| {
        let trimmed = text.trim();
        if !trimmed.is_empty() {
            segments.push(Segment { text: trimmed.to_owned(), separator });
        }
        text.clear();
    };
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('\n') => text.push(' '),
                Some(next) => text.extend(['\\', next]),
                None => return None,
            },
            '\'' | '"' => {
                text.push(c);
                loop {
                    let next = characters.next()?;
                    text.push(next);
                    if next == '\\' && c == '"' {
                        text.push(characters.next()?);
                    } else if next == c {
                        break;
                    }
                }
            }
            '#' if text.is_empty() || text.ends_with(char::is_whitespace) => {
                while characters.next_if(|next| *next != '\n').is_some() {}
            }
            '(' | '{' if c == '(' || text.ends_with('$') => {
                depth += 1;
                text.push(c);
            }
            ')' | '}' if depth > 0 => {
                depth -= 1;
                text.push(c);
            }
            ';' if depth == 0 && characters.peek() == Some(&';') => return None,
            // A pipeline or list goes on behind the end of the line.
            '\n' if depth == 0 && text.trim_end().ends_with('|') => text.push(' '),
            ';' | '\n' if depth == 0 => push(&mut text, ";"),
            '&' if depth == 0 && characters.peek() == Some(&'&') => {
                characters.next();
                push(&mut text, "&&");
                // The command may go on behind the end of the line.
                while characters.next_if(|next| next.is_whitespace()).is_some() {}
            }
            '<' if characters.peek() == Some(&'<') => return None,
            _ => text.push(c),
        }
    }
    if depth > 0 {
        return None;
    }
    push(&mut text, "");
    let is_compound = |segment: &Segment| {
        let first = segment.text.split(|c: char| c.is_whitespace() || c == ';').next().unwrap_or_default();
        KEYWORDS.contains(&first) || segment.text.ends_with("()")
    };
    (!segments.iter().any(is_compound)).then_some(segments)
}

/// One text of several segments.
#[must_use]
pub fn joined<'a>(segments: impl IntoIterator<Item = &'a Segment>) -> String {
    let mut text = String::new();
    let mut separator = "";
    for segment in segments {
        match separator {
            "" => {}
            ";" => text.push_str(end(&text)),
            separator => text.push_str(&format!(" {separator} ")),
        }
        text.push_str(&segment.text);
        // Without one, the segment was the last.
        separator = if segment.separator.is_empty() { "&&" } else { segment.separator };
    }
    text
}

/// What ends a command, with what it stands behind: `&` has ended it already.
#[must_use]
pub fn end(text: &str) -> &'static str {
    if text.ends_with('&') && !text.ends_with("\\&") { " " } else { "; " }
}

/// Reads a segment as a simple command, with variables expanded. `None` if it is none, or depends on what is not known.
#[must_use]
pub fn simple(text: &str, variables: &Variables) -> Option<Simple> {
    let mut reader = Reader { rest: text.chars().collect(), at: 0, variables };
    let mut command = Simple::default();
    loop {
        reader.spaces();
        let Some(c) = reader.peek() else { break };
        if let Some(operator) = reader.redirection() {
            reader.spaces();
            let target = reader.word()?;
            command.redirections.push((operator, target.parts.concat()));
            continue;
        }
        if "|&;()<>`".contains(c) {
            return None;
        }
        let word = reader.word()?;
        match word.assignment {
            Some((name, value)) if command.words.is_empty() => command.assignments.push((name, value)),
            _ => command.words.extend(word.parts),
        }
    }
    Some(command)
}

/// Whether a command is there to tell whether others are to run.
#[must_use]
pub fn is_condition(text: &str) -> bool {
    const CONDITIONS: [&str; 11] =
        ["[", "[[", "test", "grep", "cmp", "diff", "command", "which", "type", "true", "false"];
    raw_words(text).into_iter().find(|word| !is_assignment(word)).is_some_and(|word| CONDITIONS.contains(&word))
}

/// The characters that are outside of quotes, parentheses and `${…}`, with their places.
fn bare(text: &str) -> Vec<(usize, char)> {
    let (mut found, mut quote, mut escaped, mut depth) = (Vec::new(), None, false, 0usize);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, '{') if depth > 0 || text[..at].ends_with('$') => depth += 1,
            (None, ')' | '}') if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            _ => found.push((at, c)),
        }
    }
    found
}

/// The words of a command as they are written, assignments and redirections among them.
#[must_use]
pub fn raw_words(text: &str) -> Vec<&str> {
    word_ranges(text).into_iter().map(|range| &text[range]).collect()
}

fn word_ranges(text: &str) -> Vec<Range<usize>> {
    let spaces = bare(text).into_iter().filter(|(_, c)| c.is_whitespace());
    let ends = spaces.map(|(at, c)| (at, at + c.len_utf8())).chain([(text.len(), text.len())]);
    let mut start = 0;
    let words = ends.map(|(end, next)| std::mem::replace(&mut start, next)..end);
    words.filter(|word| !word.is_empty()).collect()
}

/// What `NAME=VALUE poetry run COMMAND` has in front of `poetry` and behind `run`, both as they are written: the shell is still to expand
/// their variables, and what these hold is not for the name of a step. `None` if `run` is no word.
#[must_use]
pub fn behind_run(text: &str) -> Option<(String, &str)> {
    let words = word_ranges(text);
    let given = words.iter().map(|range| &text[range.clone()]).take_while(|word| is_assignment(word));
    let given = given.map(|word| format!("{word} ")).collect();
    let run = words.into_iter().find(|range| text[range.clone()] == *"run")?;
    Some((given, text[run.end..].trim_start()))
}

/// What a command that is not followed may do to the shell that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing.
    None,
    /// It sets variables.
    Variables,
    /// It changes more than that, such as the working folder.
    More,
}

/// What a command may do to the shell that runs it.
#[must_use]
pub fn change(text: &str) -> Change {
    let pieces = pieces(text);
    let is_one = |operator: &str| ["", "||"].contains(&operator);
    let mut before = "";
    let changes = pieces.into_iter().map(|(piece, operator)| {
        // What is in a pipeline or in parentheses has a shell of its own.
        let is_own = piece.trim_start().starts_with('(') || !is_one(operator) || !is_one(before);
        before = operator;
        match operator {
            // What runs on would have to run behind the cut as well.
            "&" => Change::More,
            _ if is_own => Change::None,
            _ => of_one(piece),
        }
    });
    changes.max().unwrap_or(Change::None)
}

fn of_one(text: &str) -> Change {
    match raw_words(text).into_iter().find(|word| !is_assignment(word)) {
        Some(program) if BEYOND_VARIABLES.contains(&program) => Change::More,
        Some(program) if OF_SHELL.contains(&program) => Change::Variables,
        // An assignment in front of a command is for that command; `${A:=x}` is for all.
        Some(_) if !text.contains(":=") => Change::None,
        None if text.trim().is_empty() => Change::None,
        _ => Change::Variables,
    }
}

/// The commands of a list or pipeline, each with the operator behind it: `|`, `||`, `&`, or none.
fn pieces(text: &str) -> Vec<(&str, &'static str)> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for (at, c) in bare(text).into_iter().filter(|(_, c)| ['|', '&'].contains(c)) {
        let (before, behind) = (&text[..at], &text[at + 1..]);
        let operator = match c {
            // The second of `||`.
            _ if at < start => continue,
            '|' if behind.starts_with('|') => "||",
            '|' => "|",
            // That of a redirection.
            _ if behind.starts_with('>') || before.ends_with(['>', '<', '|']) => continue,
            _ => "&",
        };
        pieces.push((&text[start..at], operator));
        start = at + operator.len();
    }
    pieces.push((&text[start..], ""));
    pieces
}

/// Cuts a pipeline or a list behind its first command. `None` if it is only one command.
#[must_use]
pub fn first_of_several(text: &str) -> Option<(&str, &str)> {
    let (first, operator) = pieces(text).into_iter().next()?;
    operator.starts_with('|').then(|| text.split_at(first.len()))
}

/// The names of variables that a command may set in a way that is not read.
#[must_use]
pub fn set_by(text: &str, variables: &Variables) -> Vec<String> {
    let assigned = |text: &str| -> Vec<String> {
        let is_other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let names = text.match_indices('=').filter_map(|(end, _)| text[..end].rsplit(is_other).next());
        names.filter(|name| is_name(name)).map(str::to_owned).collect()
    };
    match simple(text, variables) {
        None if [".", "source", "eval"].contains(&raw_words(text).first().copied().unwrap_or_default()) => {
            vec![ALL.to_owned()]
        }
        None => assigned(text),
        Some(command) => match command.words.split_first() {
            Some((program, _)) if ["eval", ".", "source"].contains(&program.as_str()) => vec![ALL.to_owned()],
            Some((program, names)) if ["read", "mapfile", "getopts", "unset"].contains(&program.as_str()) => {
                names.to_vec()
            }
            _ => Vec::new(),
        },
    }
}

/// Writes a word so that a shell reads it as it is.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

struct Reader<'a> {
    rest: Vec<char>,
    at: usize,
    variables: &'a Variables,
}

/// A word after expansion. An unquoted variable can make none or several of it.
struct Word {
    parts: Vec<String>,
    assignment: Option<(String, String)>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// An operator such as `>`, `>>`, `2>` or `&>`, with `&` of a copied descriptor.
    fn redirection(&mut self) -> Option<String> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit() || c == '&') {
            self.at += 1;
        }
        if !self.peek().is_some_and(|c| c == '>' || c == '<') {
            self.at = start;
            return None;
        }
        while self.peek().is_some_and(|c| c == '>' || c == '<' || c == '&') {
            self.at += 1;
        }
        Some(self.rest[start..self.at].iter().collect())
    }

    fn word(&mut self) -> Option<Word> {
        let start = self.at;
        let (mut parts, mut current, mut exists) = (Vec::new(), String::new(), false);
        let mut name = None;
        while let Some(c) = self.peek() {
            match c {
                c if c.is_whitespace() => break,
                '|' | '&' | ';' | '(' | ')' | '<' | '>' => break,
                '`' => return None,
                '\'' => {
                    self.at += 1;
                    exists = true;
                    loop {
                        match self.next()? {
                            '\'' => break,
                            c => current.push(c),
                        }
                    }
                }
                '"' => {
                    self.at += 1;
                    exists = true;
                    self.double_quoted(&mut current)?;
                }
                '\\' => {
                    self.at += 1;
                    current.push(self.next()?);
                }
                '$' => {
                    let value = self.variable()?;
                    if name.is_some() {
                        current.push_str(&value);
                        continue;
                    }
                    let mut fields = value.split(char::is_whitespace).filter(|field| !field.is_empty());
                    if value.starts_with(char::is_whitespace) && !current.is_empty() {
                        parts.push(std::mem::take(&mut current));
                    }
                    current.push_str(fields.next().unwrap_or_default());
                    for field in fields {
                        parts.push(std::mem::replace(&mut current, field.to_owned()));
                    }
                }
                '~' if self.at == start => {
                    self.at += 1;
                    if self.peek().is_some_and(|c| c != '/' && !c.is_whitespace()) {
                        return None;
                    }
                    current.push_str(self.variables.get("HOME").filter(|home| *home != UNKNOWN)?);
                }
                '=' if name.is_none() && parts.is_empty() && !exists && is_name(&current) => {
                    self.at += 1;
                    name = Some(current.len());
                    current.push('=');
                }
                c => {
                    self.at += 1;
                    current.push(c);
                }
            }
        }
        if self.at == start {
            return None;
        }
        let assignment = name.map(|length| (current[..length].to_owned(), current[length + 1..].to_owned()));
        if exists || !current.is_empty() {
            parts.push(current);
        }
        Some(Word { parts, assignment })
    }

    fn double_quoted(&mut self, into: &mut String) -> Option<()> {
        loop {
            match self.peek()? {
                '"' => {
                    self.at += 1;
                    return Some(());
                }
                '`' => return None,
                '$' => into.push_str(&self.variable()?),
                '\\' => {
                    self.at += 1;
                    let c = self.next()?;
                    if !"$`\"\\".contains(c) {
                        into.push('\\');
                    }
                    into.push(c);
                }
                c => {
                    self.at += 1;
                    into.push(c);
                }
            }
        }
    }

    /// `$NAME`, `${NAME}`, `${NAME:-default}` and their like.
    fn variable(&mut self) -> Option<String> {
        self.at += 1;
        let braces = self.peek() == Some('{');
        self.at += usize::from(braces);
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.at += 1;
        }
        let name: String = self.rest[start..self.at].iter().collect();
        if !is_name(&name) {
            return None;
        }
        let value = self.variables.get(&name).cloned();
        let is_unknown = match &value {
            Some(value) => value == UNKNOWN,
            None => OWN.contains(&name.as_str()),
        };
        if is_unknown || self.variables.contains_key(ALL) {
            return None;
        }
        if !braces {
            return Some(value.unwrap_or_default());
        }
        let colon = self.peek() == Some(':');
        self.at += usize::from(colon);
        let is_set = value.as_ref().is_some_and(|value| !colon || !value.is_empty());
        match self.next()? {
            '}' if !colon => Some(value.unwrap_or_default()),
            operator @ ('-' | '+') => {
                let start = self.at;
                while self.peek()? != '}' {
                    if "$`'\"\\".contains(self.peek()?) {
                        return None;
                    }
                    self.at += 1;
                }
                let word: String = self.rest[start..self.at].iter().collect();
                self.at += 1;
                Some(match (operator, is_set) {
                    ('-', true) => value.unwrap_or_default(),
                    ('-', false) | ('+', true) => word,
                    _ => String::new(),
                })
            }
            _ => None,
        }
    }
}

/// Whether a word in front of a command is an assignment.
#[must_use]
pub fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let all = [("HOME", "/root"), ("ARGS", "--only main"), ("EMPTY", ""), ("VENV", "/my venv")];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn words(text: &str) -> Option<Vec<String>> {
        simple(text, &variables()).map(|command| command.words)
    }

    #[test]
    fn scripts_are_cut_at_their_separators() {
        let texts = |script: &str| {
            segments(script).map(|all| all.into_iter().map(|one| (one.text, one.separator)).collect::<Vec<_>>())
        };
        let cut = texts("a 'x && y' && b \"; z\"; c  \\\n -d # not this; nor that\ne &&\n f").unwrap();
        let cut: Vec<(&str, &str)> = cut.iter().map(|(text, separator)| (text.as_str(), *separator)).collect();
        assert_eq!(cut, [("a 'x && y'", "&&"), ("b \"; z\"", ";"), ("c    -d", ";"), ("e", "&&"), ("f", "")]);
        // What is not understood within stays together.
        let whole = texts("a $(b; c) && (d; e) && f || g && h | i").unwrap();
        let whole: Vec<&str> = whole.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(whole, ["a $(b; c)", "(d; e)", "f || g", "h | i"]);
        for compound in
            ["if a; then b; fi", "for i in a; do b; done", "cat <<E\nx\nE", "a 'b", "case x in a) b ;; esac"]
        {
            assert_eq!(texts(compound), None, "{compound}");
        }
        assert_eq!(joined(&segments("a && b; c").unwrap()), "a && b; c");
        assert_eq!(joined(&segments("a && b; c").unwrap()[..2]), "a && b");
    }

    #[test]
    fn words_are_expanded() {
        for (text, expected) in [
            (
                "poetry install $ARGS \"$ARGS\" $EMPTY \"$EMPTY\"",
                vec!["poetry", "install", "--only", "main", "--only main", ""],
            ),
            (
                "a ${ARGS:-x} ${EMPTY:-x} ${EMPTY-x} ${NONE-y} ${NONE} ${ARGS:+z}",
                vec!["a", "--only", "main", "x", "y", "z"],
            ),
            (
                "~/.local/bin/poetry -E 'a b' c\\ d \"e\\\"f\" g~",
                vec!["/root/.local/bin/poetry", "-E", "a b", "c d", "e\"f", "g~"],
            ),
            ("x--$ARGS-y", vec!["x----only", "main-y"]),
            ("--extras=a", vec!["--extras=a"]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        for unknown in ["a $(b)", "a `b`", "a | b", "a & b", "(a)", "a ${B:?x}", "a $1", "a ${A##x}", "a || b"] {
            assert_eq!(words(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn assignments_and_redirections_are_told_apart() {
        let command = simple("A=1 B=\"$ARGS\" C= run --x=1 D=2 >out 2>&1 </dev/null", &variables()).unwrap();
        let assignments: Vec<(&str, &str)> =
            command.assignments.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(assignments, [("A", "1"), ("B", "--only main"), ("C", "")]);
        assert_eq!(command.words, ["run", "--x=1", "D=2"]);
        let redirections: Vec<(&str, &str)> =
            command.redirections.iter().map(|(o, t)| (o.as_str(), t.as_str())).collect();
        assert_eq!(redirections, [(">", "out"), ("2>&", "1"), ("<", "/dev/null")]);
    }

    #[test]
    fn what_only_the_shell_knows_is_not_guessed() {
        let set = |text: &str| set_by(text, &variables());
        assert_eq!(set("export A=$(cat x)"), ["A"]);
        assert_eq!(set("B=`x`"), ["B"]);
        assert_eq!(set("read C D < x"), ["C", "D"]);
        assert_eq!(set(". ./env"), [ALL]);
        assert_eq!(set("eval \"$(cat env)\""), [ALL]);
        assert!(["a $PWD/x", "a ${USER}"].iter().all(|text| words(text).is_none()));
        assert_eq!(set("make A=1"), Vec::<String>::new());
        let unknown = |name: &str| {
            let mut variables = variables();
            variables.insert(name.to_owned(), UNKNOWN.to_owned());
            simple("poetry install $A", &variables)
        };
        assert_eq!((unknown("A"), unknown(ALL)), (None, None));
        assert!(unknown("B").is_some());
    }

    #[test]
    fn commands_that_change_the_shell() {
        for (text, expected) in [
            ("make A=$(x)", Change::None),
            ("A=$(x y) make", Change::None),
            ("A=$(x y)", Change::Variables),
            ("export A=$(x)", Change::Variables),
            ("A=`x`", Change::Variables),
            (": ${A:=x}", Change::Variables),
            ("a || export B=$(y)", Change::Variables),
            ("umask 027", Change::More),
            ("(cd x && npm ci)", Change::None),
            ("curl 'https://x/?a=1&b=2' -o y 2>&1", Change::None),
            ("sed 's|^A=1|cd|' x", Change::None),
            ("x | read A", Change::None),
            ("redis-server &", Change::More),
            ("pushd api", Change::More),
            ("cd $(x)", Change::More),
        ] {
            assert_eq!(change(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_into_what_it_was(text in "([a-z =|&;(){}$'\"`\\\\\n\t<>]|\\PC){0,40}") {
            let whole: String = pieces(&text).into_iter().map(|(piece, operator)| format!("{piece}{operator}")).collect();
            proptest::prop_assert_eq!(whole, &*text);
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            proptest::prop_assert_eq!(bare(&raw_words(&text).concat()), bare(&text));
            let _ = (change(&text), set_by(&text, &variables()), segments(&text).map(|all| joined(&all)));
        }
    }

    #[test]
    fn words_as_they_are_written() {
        assert_eq!(raw_words("A='b c' run \"$X y\" a\\ b  >out"), ["A='b c'", "run", "\"$X y\"", "a\\ b", ">out"]);
    }

    #[test]
    fn pipelines_go_on_behind_the_end_of_the_line() {
        let texts: Vec<String> =
            segments("a ||\n  b\nc |\nd").unwrap().into_iter().map(|segment| segment.text).collect();
        assert_eq!(texts, ["a ||   b", "c | d"]);
    }

    #[test]
    fn what_poetry_runs_as_it_is_written() {
        let text = "A=\"x run y\" B=$C poetry run gunicorn \"$D run\" ";
        assert_eq!(behind_run(text), Some(("A=\"x run y\" B=$C ".to_owned(), "gunicorn \"$D run\" ")));
        assert_eq!(behind_run("poetry run x"), Some((String::new(), "x")));
        assert_eq!(behind_run("poetry \"run\" x"), None);
    }

    #[test]
    fn the_first_command_of_several() {
        assert_eq!(first_of_several("a '|' \"x\\\"|\" | b | c"), Some(("a '|' \"x\\\"|\" ", "| b | c")));
        assert_eq!(first_of_several("a || b"), Some(("a ", "|| b")));
        assert_eq!(first_of_several("a \\| b"), None);
    }

    #[test]
    fn quoted_words_are_read_as_they_were() {
        for word in ["a", "", "a b", "it's", "$x", "a\"b", "~"] {
            assert_eq!(words(&format!("x {}", quoted(word))).unwrap()[1], word);
        }
    }
}
