//! `test`, `[` and `[[` over words that are known (XCU `test`; bash, "Conditional Constructs").

use super::{Evaluator, Status};
use crate::{
    Dialect,
    ast::{Piece, Word},
};

fn status(holds: Option<bool>) -> Status {
    match holds {
        Some(true) => Status::Zero,
        Some(false) => Status::NonZero,
        None => Status::Unknown,
    }
}

/// `test` with these operands. What is about files, or depends on the shell, is not known.
pub(super) fn bracket(operands: &[&str], dialect: Dialect) -> Status {
    status(expression(operands, dialect))
}

fn expression(operands: &[&str], dialect: Dialect) -> Option<bool> {
    let is_operator = |word: &str| {
        word.starts_with('-') && word.len() > 1 || ["(", ")", "!", "=", "!=", "==", "<", ">"].contains(&word)
    };
    match operands {
        [] => Some(false),
        [word] => Some(!word.is_empty()),
        ["!", word] => Some(word.is_empty()),
        ["-n", word] => Some(!word.is_empty()),
        ["-z", word] => Some(word.is_empty()),
        [_, _] => None,
        [left, operator, right] if BINARY.contains(operator) => binary(left, operator, right, dialect),
        ["!", rest @ ..] if rest.len() == 2 => expression(rest, dialect).map(|holds| !holds),
        [_, _, _] => None,
        ["!", rest @ ..] if rest.len() == 3 && BINARY.contains(&rest[1]) => {
            expression(rest, dialect).map(|holds| !holds)
        }
        // `a = b -a c = d`, which is not read where one of the words might be taken for an operator.
        [left, operator, right, connector @ ("-a" | "-o"), rest @ ..] if rest.len() >= 3 => {
            let is_plain = !is_operator(left) && !is_operator(right) && BINARY.contains(operator);
            let is_plain = is_plain && rest.len() == 3 && !is_operator(rest[0]) && !is_operator(rest[2]);
            let (first, second) = (binary(left, operator, right, dialect)?, expression(rest, dialect)?);
            is_plain.then_some(if *connector == "-a" { first && second } else { first || second })
        }
        _ => None,
    }
}

const BINARY: [&str; 9] = ["=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"];

fn binary(left: &str, operator: &str, right: &str, dialect: Dialect) -> Option<bool> {
    match operator {
        "=" => Some(left == right),
        "!=" => Some(left != right),
        // Not all of `sh` know it; then it is an error, which is as good as another word.
        "==" if dialect == Dialect::Bash || left != right => Some(left == right),
        "==" => None,
        _ => {
            let number = |text: &str| {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let is_plain = !digits.is_empty() && digits.len() < 10 && digits.chars().all(|c| c.is_ascii_digit());
                text.parse::<i64>().ok().filter(|_| is_plain)
            };
            let (left, right) = (number(left)?, number(right)?);
            Some(match operator {
                "-eq" => left == right,
                "-ne" => left != right,
                "-lt" => left < right,
                "-le" => left <= right,
                "-gt" => left > right,
                _ => left >= right,
            })
        }
    }
}

/// `[[ … ]]`.
pub(super) fn test(words: &[Word], evaluator: &mut Evaluator<'_>) -> Status {
    let mut test = Test { words, at: 0, evaluator };
    let holds = test.or();
    let is_whole = test.at == words.len();
    status(holds.filter(|_| is_whole))
}

struct Test<'a, 'b, 'c> {
    words: &'a [Word],
    at: usize,
    evaluator: &'b mut Evaluator<'c>,
}

impl Test<'_, '_, '_> {
    fn operator(&self) -> Option<&str> {
        self.words.get(self.at)?.bare()
    }

    fn or(&mut self) -> Option<bool> {
        let mut holds = self.and()?;
        while self.operator() == Some("||") {
            self.at += 1;
            let other = self.and()?;
            holds |= other;
        }
        Some(holds)
    }

    fn and(&mut self) -> Option<bool> {
        let mut holds = self.primary()?;
        while self.operator() == Some("&&") {
            self.at += 1;
            let other = self.primary()?;
            holds &= other;
        }
        Some(holds)
    }

    fn primary(&mut self) -> Option<bool> {
        match self.operator() {
            Some("!") => {
                self.at += 1;
                return self.primary().map(|holds| !holds);
            }
            Some("(") => {
                self.at += 1;
                let holds = self.or()?;
                let closes = self.operator() == Some(")");
                self.at += 1;
                return closes.then_some(holds);
            }
            Some(operator @ ("-n" | "-z")) => {
                let wants_text = operator == "-n";
                self.at += 1;
                return self.operand().map(|text| text.is_empty() != wants_text);
            }
            Some(other) if other.starts_with('-') => return None,
            _ => {}
        }
        let left = self.operand()?;
        match self.operator() {
            Some(operator @ ("=" | "==" | "!=")) => {
                let wanted = operator != "!=";
                self.at += 1;
                let right = self.words.get(self.at)?;
                self.at += 1;
                let pattern = self.evaluator.pattern(right)?;
                matches(&pattern, &left).map(|holds| holds == wanted)
            }
            None if self.at < self.words.len() => None,
            None | Some("&&" | "||" | ")") => Some(!left.is_empty()),
            Some(_) => None,
        }
    }

    fn operand(&mut self) -> Option<String> {
        let word = self.words.get(self.at)?;
        let is_plain = !matches!(word.pieces.first(), Some(Piece::Tilde(_)));
        self.at += 1;
        self.evaluator.text(word).filter(|_| is_plain)
    }
}

/// Whether a text matches a pattern of characters, each with whether it is quoted. Brackets are not read.
pub(super) fn matches(pattern: &[(char, bool)], text: &str) -> Option<bool> {
    if pattern.iter().any(|(character, quoted)| !quoted && "[]()|\\".contains(*character)) {
        return None;
    }
    let text: Vec<char> = text.chars().collect();
    // Which lengths of the text's begin the pattern so far matches.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for (character, quoted) in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match (character, quoted) {
                ('*', false) => reached[at] || at > 0 && next[at - 1],
                ('?', false) => at > 0 && reached[at - 1],
                (wanted, _) => at > 0 && reached[at - 1] && text[at - 1] == *wanted,
            };
        }
        reached = next;
    }
    reached.last().copied()
}
