use std::collections::{BTreeMap, HashMap};
use std::fmt::{Display, Write as _};

use buildkit_proto::pb;

/// The text under construction.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn head(&mut self, number: usize, what: impl Display) {
        self.line(format_args!("#{number} {}", one_line(&what.to_string())));
    }

    pub(super) fn fact(&mut self, key: &str, value: impl Display) {
        let value = value.to_string();
        let value = if value.is_empty() { "(empty)".to_owned() } else { one_line(&value) };
        self.line(format_args!("   {}: {value}", one_line(key)));
    }

    /// Nothing, if the value is empty.
    pub(super) fn optional(&mut self, key: &str, value: &str) {
        self.each(key, Some(value).filter(|value| !value.is_empty()));
    }

    pub(super) fn each(&mut self, key: &str, values: impl IntoIterator<Item = impl Display>) {
        for value in values {
            self.fact(key, value);
        }
    }

    pub(super) fn facts(&mut self, facts: &BTreeMap<String, String>) {
        for (key, value) in facts {
            self.fact(key, value);
        }
    }

    /// Several lines that belong together.
    pub(super) fn block(&mut self, lines: &str) {
        for line in lines.split('\n') {
            let gap = if line.is_empty() { "" } else { " " };
            self.line(format_args!("   |{gap}{}", one_line(line)));
        }
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Control characters are escaped, so that a value cannot look like a line of its own.
fn one_line(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// The inputs of an op: `#3`, or `#3.1` for another output than the first.
pub(super) struct Shown(Vec<String>);

impl Shown {
    pub(super) fn new(inputs: &[pb::Input], numbers: &HashMap<String, usize>) -> Self {
        let show = |pb::Input { digest, index }: &pb::Input| match (numbers.get(digest), index) {
            (Some(number), 0) => format!("#{number}"),
            (Some(number), index) => format!("#{number}.{index}"),
            (None, index) => format!("{digest}.{index}"),
        };
        Self(inputs.iter().map(show).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, position: i64) -> &str {
        match usize::try_from(position) {
            Ok(position) => self.0.get(position).map_or("?", String::as_str),
            Err(_) => "scratch",
        }
    }

    pub(super) fn list(&self, positions: impl Iterator<Item = i64>) -> String {
        positions.map(|position| self.get(position)).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn all(&self) -> String {
        self.0.join(" ")
    }
}
