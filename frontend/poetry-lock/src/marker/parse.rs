use super::atom::Atom;
use super::{Expression, Marker};
use crate::constraint::{Bound, Flavour, Range};
use crate::{Constraint, ConstraintError};

/// A text is no marker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct MarkerError {
    /// What is wrong, in one sentence.
    pub reason: String,
    /// The byte of the text where it shows.
    pub offset: usize,
}

/// Deeper nesting than any real marker has.
const MAX_DEPTH: usize = 64;

/// The names that PEP 508 knows, and the older spellings of some.
const VARIABLES: [(&str, &str); 18] = [
    ("extra", "extra"),
    ("implementation_name", "implementation_name"),
    ("implementation_version", "implementation_version"),
    ("os.name", "os_name"),
    ("os_name", "os_name"),
    ("platform.machine", "platform_machine"),
    ("platform.python_implementation", "platform_python_implementation"),
    ("platform.version", "platform_version"),
    ("platform_machine", "platform_machine"),
    ("platform_python_implementation", "platform_python_implementation"),
    ("platform_release", "platform_release"),
    ("platform_system", "platform_system"),
    ("platform_version", "platform_version"),
    ("python_full_version", "python_full_version"),
    ("python_implementation", "platform_python_implementation"),
    ("python_version", "python_version"),
    ("sys.platform", "sys_platform"),
    ("sys_platform", "sys_platform"),
];

/// The longer before the shorter that they begin with.
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", ">=", "<=", ">", "<"];

impl Marker {
    /// Reads a marker.
    ///
    /// # Errors
    /// If the text is not a marker, or compares a version with something that is none.
    pub fn parse(text: &str) -> Result<Self, MarkerError> {
        let expression = match text.trim() {
            "" | "*" => return Ok(Self::always()),
            "<empty>" => Expression::Any(vec![]),
            _ => {
                let mut parser = Parser { text, position: 0 };
                let expression = parser.disjunction(0)?;
                parser.skip_blanks();
                if parser.position < text.len() {
                    return Err(parser.error("`and`, `or` or the end of the marker is expected"));
                }
                expression
            }
        };
        Ok(Self { text: text.trim().to_owned(), span: None, expression })
    }

    /// The `python = "<3.10"` of a dependency as a marker.
    pub(crate) fn from_python(constraint: &str) -> Result<Self, ConstraintError> {
        let versions = Constraint::parse_as(constraint, Flavour::Marker)?;
        if versions.is_any() {
            return Ok(Self::always());
        }
        let ranges = versions.ranges().iter().map(python_range).collect();
        Ok(Self { text: format!("python {constraint}"), span: None, expression: Expression::Any(ranges) })
    }

    /// The `platform = "linux"` of a dependency as a marker.
    pub(crate) fn from_platform(platforms: &str) -> Result<Self, MarkerError> {
        let bad = |reason| MarkerError { reason, offset: 0 };
        let mut alternatives = Vec::new();
        for alternative in platforms.replace("||", "|").split('|') {
            let mut parts = Vec::new();
            for part in alternative.split(',') {
                let value = part.trim_start_matches([' ', '=', '!']);
                let operator = if part.trim_start().starts_with('!') { "!=" } else { "==" };
                parts.push(Expression::Atom(Atom::new("sys_platform", operator, value, false).map_err(bad)?));
            }
            alternatives.push(Expression::All(parts));
        }
        Ok(Self { text: format!("sys_platform {platforms}"), span: None, expression: Expression::Any(alternatives) })
    }
}

/// A bound with fewer than three components speaks of the series, `python_version`, unless it
/// cuts the series in two.
fn python_range(range: &Range) -> Expression {
    let variable = |bound: &Bound, cuts: bool| {
        if cuts || bound.version.release().len() > 2 { "python_full_version" } else { "python_version" }
    };
    if let Some(version) = range.as_point() {
        let variable = variable(&Bound::including(version.clone()), false);
        return Expression::Atom(Atom::version(variable, Constraint::exactly(version.clone()), "==", version));
    }
    let mut parts = Vec::new();
    let mut push = |variable, range, operator: &str, version| {
        parts.push(Expression::Atom(Atom::version(variable, Constraint::from_range(range), operator, version)));
    };
    if let Some(low) = &range.low {
        let operator = if low.inclusive { ">=" } else { ">" };
        push(variable(low, !low.inclusive), Range::new(Some(low.clone()), None), operator, &low.version);
    }
    if let Some(high) = &range.high {
        let operator = if high.inclusive { "<=" } else { "<" };
        push(variable(high, high.inclusive), Range::new(None, Some(high.clone())), operator, &high.version);
    }
    Expression::All(parts)
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
}

/// One side of a comparison.
enum Operand<'a> {
    Variable(&'static str),
    Value(&'a str),
}

impl<'a> Parser<'a> {
    fn disjunction(&mut self, depth: usize) -> Result<Expression, MarkerError> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.keyword("or") {
            parts.push(self.conjunction(depth)?);
        }
        Ok(single_or(parts, Expression::Any))
    }

    fn conjunction(&mut self, depth: usize) -> Result<Expression, MarkerError> {
        let mut parts = vec![self.factor(depth)?];
        while self.keyword("and") {
            parts.push(self.factor(depth)?);
        }
        Ok(single_or(parts, Expression::All))
    }

    fn factor(&mut self, depth: usize) -> Result<Expression, MarkerError> {
        if depth > MAX_DEPTH {
            return Err(self.error("the parentheses are nested too deeply"));
        }
        if self.symbol("(") {
            let inner = self.disjunction(depth + 1)?;
            return if self.symbol(")") { Ok(inner) } else { Err(self.error("`)` is expected")) };
        }
        let start = self.position;
        let left = self.operand()?;
        let operator = self.operator()?;
        let right = self.operand()?;
        let atom = match (left, right) {
            (Operand::Variable(variable), Operand::Value(value)) => Atom::new(variable, operator, value, false),
            (Operand::Value(value), Operand::Variable(variable)) => Atom::new(variable, operator, value, true),
            _ => Err("a comparison needs one variable and one quoted value".to_owned()),
        };
        atom.map(Expression::Atom).map_err(|reason| MarkerError { reason, offset: start })
    }

    fn operand(&mut self) -> Result<Operand<'a>, MarkerError> {
        self.skip_blanks();
        let rest = self.rest();
        let mut characters = rest.char_indices();
        match characters.next() {
            Some((_, quote @ ('"' | '\''))) => {
                let mut escaped = false;
                for (at, character) in characters {
                    if character == quote && !escaped {
                        self.position += at + 1;
                        return Ok(Operand::Value(rest.get(1..at).unwrap_or_default()));
                    }
                    escaped = character == '\\' && !escaped && quote == '"';
                }
                Err(self.error("the closing quote is missing"))
            }
            Some((_, character)) if character.is_ascii_alphabetic() => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or(rest);
                match VARIABLES.iter().find(|(spelling, _)| *spelling == word) {
                    Some((_, variable)) => {
                        self.position += end;
                        Ok(Operand::Variable(variable))
                    }
                    None => Err(self.error(&format!("`{word}` is not a marker variable (PEP 508)"))),
                }
            }
            _ => Err(self.error("a marker variable or a quoted value is expected")),
        }
    }

    fn operator(&mut self) -> Result<&'static str, MarkerError> {
        if let Some(operator) = OPERATORS.into_iter().find(|operator| self.symbol(operator)) {
            return Ok(operator);
        }
        if self.keyword("in") {
            return Ok("in");
        }
        let before = self.position;
        if self.keyword("not") && self.keyword("in") {
            return Ok("not in");
        }
        self.position = before;
        Err(self.error("a comparison operator is expected"))
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(symbol);
        if found {
            self.position += symbol.len();
        }
        found
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        self.skip_blanks();
        let found = self
            .rest()
            .strip_prefix(keyword)
            .is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        if found {
            self.position += keyword.len();
        }
        found
    }

    fn skip_blanks(&mut self) {
        self.position = self.text.len() - self.rest().trim_start().len();
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn error(&self, reason: &str) -> MarkerError {
        let rest = self.rest().trim_start();
        let reason =
            if rest.is_empty() { format!("{reason}, but the marker ends") } else { format!("{reason} at `{rest}`") };
        MarkerError { reason, offset: self.position }
    }
}

fn single_or(mut parts: Vec<Expression>, several: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            several(parts)
        }
    }
}
