//! What words come to (XCU 2.6).

use std::ops::Range;

use crate::{
    ast::{Operation, Parameter, Piece, Substitution, Word},
    evaluate::Evaluator,
    parse::is_name,
    state::Value,
};

/// A word that a command gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// It, where it is known.
    pub text: Option<String>,
    /// The pattern that stands for any number of names of files, if it is one.
    pub pattern: Option<String>,
    /// The text of the word that it comes from, if it is all that comes of it.
    pub range: Option<Range<usize>>,
    /// The call whose output it is the name of, if it is a process substitution `<(…)` of one call and nothing else.
    pub process: Option<usize>,
    /// Whether it has a slash, also where the rest of it is not known.
    pub(crate) has_slash: bool,
}

/// The words that a command gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) all: Vec<Field>,
    /// From which one on their number is not known.
    pub(crate) open: Option<usize>,
}

/// What a word comes to.
enum Expanded {
    Fields(Vec<String>),
    /// One field that is not known.
    One {
        has_slash: bool,
    },
    /// Any number of fields: the names of files that a pattern fits to.
    Pattern(String),
    /// Any number of fields.
    Any,
}

/// Puts fields together.
#[derive(Default)]
struct Builder {
    done: Vec<String>,
    current: Option<String>,
    /// Whether a shell may take a field for a pattern, or for several words in braces.
    pattern: Pattern,
    /// Whether a part is not known that is in quotes.
    unknown: bool,
    /// Whether a part is not known that may be any number of fields.
    open: bool,
    has_slash: bool,
}

/// What has been seen of a pattern outside of quotes.
#[derive(Default)]
struct Pattern {
    found: bool,
    bracket: bool,
    brace: bool,
    braces: bool,
    dot: bool,
}

impl Pattern {
    fn see(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '*' | '?' => self.found = true,
                '[' => self.bracket = true,
                ']' if self.bracket => self.found = true,
                _ => {}
            }
        }
    }

    /// Braces count only where they are written.
    fn see_written(&mut self, text: &str) {
        self.see(text);
        for character in text.chars() {
            match character {
                '{' => self.brace = true,
                ',' if self.brace => self.braces = true,
                '.' if self.brace && self.dot => self.braces = true,
                _ => {}
            }
            self.dot = character == '.';
        }
    }
}

impl Builder {
    fn quoted(&mut self, text: &str) {
        self.has_slash |= text.contains('/');
        self.current.get_or_insert_default().push_str(text);
    }

    /// The value of an expansion outside of quotes.
    fn split(&mut self, value: &str) {
        // In some shells a backslash in a value makes it a pattern.
        self.pattern.see(value);
        self.pattern.found |= value.contains('\\');
        for character in value.chars() {
            if " \t\n".contains(character) {
                self.done.extend(self.current.take());
            } else {
                self.current.get_or_insert_default().push(character);
            }
        }
    }

    fn finish(mut self, is_noglob: bool) -> Expanded {
        let is_pattern = self.pattern.found && !is_noglob;
        if self.open || self.pattern.braces || (self.unknown || is_pattern) && !self.done.is_empty() {
            return Expanded::Any;
        }
        if is_pattern {
            return if self.unknown { Expanded::Any } else { Expanded::Pattern(self.current.unwrap_or_default()) };
        }
        if self.unknown {
            return Expanded::One { has_slash: self.has_slash };
        }
        self.done.extend(self.current);
        Expanded::Fields(self.done)
    }
}

/// How the pieces of a word are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// To fields.
    Fields,
    /// To one text, as in an assignment.
    Text,
}

impl Evaluator<'_> {
    /// The fields of words.
    pub(crate) fn fields(&mut self, words: &[Word]) -> Fields {
        let mut fields = Fields::default();
        for word in words {
            let calls = self.calls.len();
            let process = |evaluator: &Self| {
                let reads =
                    matches!(&word.pieces[..], [Piece::Process { writes: true, commands }] if commands.is_simple());
                (reads && evaluator.calls.len() == calls + 1).then_some(calls)
            };
            let mut push = |text: Option<String>, range: Option<&Range<usize>>, has_slash: bool| {
                fields.all.push(Field { text, pattern: None, range: range.cloned(), process: None, has_slash });
            };
            match self.expand(word) {
                Expanded::Fields(texts) => {
                    let range = (texts.len() == 1).then_some(&word.range);
                    for text in texts {
                        let has_slash = text.contains('/');
                        push(Some(text), range, has_slash);
                    }
                }
                Expanded::One { has_slash } => {
                    push(None, Some(&word.range), has_slash);
                    if let Some(field) = fields.all.last_mut() {
                        field.process = process(self);
                    }
                }
                Expanded::Pattern(pattern) => {
                    fields.open.get_or_insert(fields.all.len());
                    let pattern = Some(pattern);
                    fields.all.push(Field { text: None, pattern, range: None, process: None, has_slash: false });
                }
                Expanded::Any => {
                    push(None, None, false);
                    let open = fields.all.len() - 1;
                    fields.open.get_or_insert(open);
                }
            }
        }
        fields
    }

    fn expand(&mut self, word: &Word) -> Expanded {
        // `"$@"`
        if let [Piece::Parameter(Parameter { name, operation: Operation::Value, quoted: true })] = &word.pieces[..]
            && name == "@"
        {
            return self.state.parameters.clone().filter(|_| !self.state.lost).map_or(Expanded::Any, Expanded::Fields);
        }
        // `NAME=~` as an argument is a home in some shells.
        let has_home = |text: &str| {
            let value = text.split_once('=').filter(|(name, _)| is_name(name)).map(|(_, value)| value);
            value.is_some_and(|value| value.starts_with('~') || value.contains(":~"))
        };
        let mut builder = Builder::default();
        if let Some(Piece::Text { text, quoted: false }) = word.pieces.first() {
            builder.open |= has_home(text);
        }
        self.pieces(&word.pieces, Mode::Fields, &mut builder);
        let is_noglob = self.state.options.noglob == Some(true) && !self.state.lost;
        builder.finish(is_noglob)
    }

    /// What a word comes to where it is not split, as an assignment's value and the word of `case`.
    pub(crate) fn text(&mut self, word: &Word) -> Option<String> {
        let mut builder = Builder::default();
        self.pieces(&word.pieces, Mode::Text, &mut builder);
        if builder.unknown || builder.open { None } else { Some(builder.current.unwrap_or_default()) }
    }

    /// What a pattern comes to: characters, each with whether it is quoted.
    pub(crate) fn pattern(&mut self, word: &Word) -> Option<Vec<(char, bool)>> {
        let mut pattern = Vec::new();
        for piece in &word.pieces {
            let (text, quoted) = match piece {
                Piece::Text { text, quoted } => (text.clone(), *quoted),
                Piece::Parameter(parameter) => (self.parameter_text(parameter)?, parameter.quoted),
                Piece::Substitution(substitution) => (self.output_of(substitution)?, substitution.quoted),
                Piece::Tilde(_) | Piece::Process { .. } => return None,
            };
            // What a backslash in a value means there differs.
            if !quoted && text.contains('\\') {
                return None;
            }
            pattern.extend(text.chars().map(|character| (character, quoted)));
        }
        Some(pattern)
    }

    fn pieces(&mut self, pieces: &[Piece], mode: Mode, builder: &mut Builder) {
        for piece in pieces {
            match piece {
                Piece::Text { text, quoted } => {
                    if !quoted && mode == Mode::Fields {
                        builder.pattern.see_written(text);
                    }
                    builder.quoted(text);
                }
                Piece::Tilde(user) => match self.state.value("HOME") {
                    Value::Known(home) if user.is_empty() && !home.is_empty() => builder.quoted(&home),
                    _ => builder.unknown = true,
                },
                Piece::Parameter(parameter) => self.parameter(parameter, mode, builder),
                Piece::Substitution(substitution) => {
                    let output = self.output_of(substitution);
                    self.value(output, substitution.quoted, mode, builder);
                }
                Piece::Process { commands, .. } => {
                    self.process(commands);
                    builder.unknown = true;
                    builder.has_slash = true;
                }
            }
        }
    }

    fn value(&self, value: Option<String>, quoted: bool, mode: Mode, builder: &mut Builder) {
        let is_whole = quoted || mode == Mode::Text;
        match value {
            Some(value) if is_whole => builder.quoted(&value),
            Some(value) => builder.split(&value),
            None if is_whole => builder.unknown = true,
            None => builder.open = true,
        }
    }

    fn parameter(&mut self, parameter: &Parameter, mode: Mode, builder: &mut Builder) {
        let Parameter { name, operation, quoted } = parameter;
        match operation {
            Operation::Value => {
                let value = self.parameter_value(name);
                self.value(value, *quoted, mode, builder);
            }
            Operation::Other(words) => {
                for word in words {
                    self.text(word);
                }
                self.value(None, *quoted, mode, builder);
            }
            Operation::Alternative { operator, colon, word } => {
                let value = self.state.value(name);
                let is_there = match &value {
                    _ if !is_name(name) => None,
                    Value::Known(value) => Some(!(*colon && value.is_empty())),
                    Value::Unset => Some(false),
                    Value::Unknown => None,
                };
                match (operator, is_there) {
                    ('-' | '=' | '?', Some(true)) => {
                        self.value(value.known().map(str::to_owned), *quoted, mode, builder);
                    }
                    ('+', Some(false)) => self.value(Some(String::new()), *quoted, mode, builder),
                    ('-', Some(false)) | ('+', Some(true)) => self.alternative(word, *quoted, mode, builder),
                    ('=', Some(false)) => {
                        let value = self.text(word);
                        self.state.set(name, Value::of(value.clone()), false);
                        self.value(value, *quoted, mode, builder);
                    }
                    ('-' | '+', _) => {
                        self.maybe(|evaluator| {
                            evaluator.text(word);
                        });
                        self.value(None, *quoted, mode, builder);
                    }
                    ('=', _) => {
                        self.maybe(|evaluator| {
                            evaluator.text(word);
                        });
                        self.state.set(name, Value::Unknown, false);
                        self.value(None, *quoted, mode, builder);
                    }
                    // It may end the shell.
                    _ => {
                        self.state.lost = true;
                        self.value(None, *quoted, mode, builder);
                    }
                }
            }
        }
    }

    /// The word of `${NAME:-WORD}` in the place of the value: outside of quotes what is not quoted in it is split.
    fn alternative(&mut self, word: &Word, quoted: bool, mode: Mode, builder: &mut Builder) {
        if quoted || mode == Mode::Text {
            let text = self.text(word);
            return self.value(text, true, mode, builder);
        }
        for piece in &word.pieces {
            match piece {
                Piece::Text { text, quoted: false } => builder.split(text),
                piece => self.pieces(std::slice::from_ref(piece), mode, builder),
            }
        }
    }

    /// The value of a parameter where that is one text.
    fn parameter_value(&mut self, name: &str) -> Option<String> {
        if !is_name(name) {
            let parameters = self.state.parameters.as_ref().filter(|_| !self.state.lost)?;
            return match name {
                "#" => Some(parameters.len().to_string()),
                "@" | "*" if parameters.len() < 2 => Some(parameters.first().cloned().unwrap_or_default()),
                "@" | "*" | "0" => None,
                name => {
                    let index = name.parse::<usize>().ok()?.checked_sub(1)?;
                    match parameters.get(index) {
                        Some(value) => Some(value.clone()),
                        None => self.unset(),
                    }
                }
            };
        }
        match self.state.value(name) {
            Value::Known(value) => Some(value),
            Value::Unset => self.unset(),
            Value::Unknown => None,
        }
    }

    /// What a parameter comes to that is not there.
    fn unset(&mut self) -> Option<String> {
        if self.state.options.nounset == Some(false) {
            return Some(String::new());
        }
        self.state.lost = true;
        None
    }

    fn parameter_text(&mut self, parameter: &Parameter) -> Option<String> {
        let mut builder = Builder::default();
        self.parameter(parameter, Mode::Text, &mut builder);
        if builder.unknown || builder.open { None } else { Some(builder.current.unwrap_or_default()) }
    }

    /// What a substitution comes to, without the ends of lines behind it.
    fn output_of(&mut self, substitution: &Substitution) -> Option<String> {
        let output = self.substitution(substitution)?;
        // The zero byte is left out by some shells.
        (!output.contains('\0')).then(|| output.trim_end_matches('\n').to_owned())
    }
}
