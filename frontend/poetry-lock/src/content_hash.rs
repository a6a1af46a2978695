//! The `content-hash` of a lock: a digest of the parts of pyproject.toml that it was made for.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use toml::de::DeValue;

use crate::toml_reader::{self, Node, Table};
use crate::{Dialect, Error, InputFile, Lock};

/// Which parts of pyproject.toml the hash covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashFormula {
    /// Poetry 1.x: dependencies, groups, extras and sources of `[tool.poetry]`.
    Poetry1,
    /// Poetry 2.0 to 2.2: the same of `[project]` as well.
    Poetry2_0,
    /// Since Poetry 2.3: also `[dependency-groups]`.
    Poetry2_3,
}

/// Whether a lock was made for a pyproject.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It was, by this formula.
    Fresh(HashFormula),
    /// It was made for another one.
    Stale,
    /// The lock has no content hash, which Poetry treats like a stale one.
    Absent,
}

impl Freshness {
    /// Whether Poetry would install from the lock.
    #[must_use]
    pub fn is_fresh(self) -> bool {
        matches!(self, Self::Fresh(_))
    }
}

const POETRY_KEYS: [&str; 5] = ["dependencies", "source", "extras", "dev-dependencies", "group"];
const PROJECT_KEYS: [&str; 3] = ["requires-python", "dependencies", "optional-dependencies"];

/// The content hash of the text of a pyproject.toml: 64 hexadecimal digits.
///
/// # Errors
/// If the text is not TOML, or a covered value has a type that JSON lacks.
pub fn content_hash(pyproject: &str, formula: HashFormula) -> Result<String, Error> {
    let document = toml_reader::parse(pyproject, InputFile::Pyproject)?;
    hash(Table::root(&document, InputFile::Pyproject), formula)
}

/// Whether `lock` was made for this pyproject.toml, by the formulas that the Poetry which wrote it
/// can have used; only those of `dialect`, if one is given.
pub(crate) fn freshness(root: Table<'_>, lock: &Lock, dialect: Option<Dialect>) -> Result<Freshness, Error> {
    let Some(expected) = &lock.content_hash else {
        return Ok(Freshness::Absent);
    };
    let before_2_3 = lock.generator.as_ref().is_some_and(|generator| *generator < pep440_rs::Version::new([2, 3, 0]));
    let formulas: &[HashFormula] = match (lock.version.has_groups(), before_2_3) {
        // Poetry 2 reads older locks, by its own formulas.
        (false, _) => &[HashFormula::Poetry1, HashFormula::Poetry2_3, HashFormula::Poetry2_0],
        (true, true) => &[HashFormula::Poetry2_3, HashFormula::Poetry2_0],
        (true, false) => &[HashFormula::Poetry2_3],
    };
    for formula in formulas.iter().filter(|formula| dialect.is_none_or(|dialect| formula.dialect() == dialect)) {
        if hash(root, *formula)? == expected.value {
            return Ok(Freshness::Fresh(*formula));
        }
    }
    Ok(Freshness::Stale)
}

impl HashFormula {
    /// The dialect of the Poetry versions that use this formula.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Poetry1 => Dialect::Poetry1,
            Self::Poetry2_0 | Self::Poetry2_3 => Dialect::Poetry2,
        }
    }
}

fn hash(root: Table<'_>, formula: HashFormula) -> Result<String, Error> {
    let standard = formula != HashFormula::Poetry1;
    let project = root.table("project")?.filter(|_| standard);
    let project: Vec<_> =
        project.into_iter().flat_map(|table| PROJECT_KEYS.map(|key| table.get(key))).flatten().collect();
    let groups = root.get("dependency-groups").filter(|_| formula == HashFormula::Poetry2_3);
    let groups = groups.filter(|node| node.as_table().is_some_and(|table| !table.entries().is_empty()));
    let poetry = match root.table("tool")? {
        Some(tool) => tool.table("poetry")?,
        None => None,
    };
    let has_standard = !project.is_empty() || groups.is_some();
    let poetry: Vec<_> = POETRY_KEYS
        .into_iter()
        .map(|key| (key, poetry.and_then(|table| table.get(key))))
        .filter(|(key, node)| node.is_some() || !(has_standard || *key == "group"))
        .map(|(key, node)| (key, node.map_or(Json::Null, Json::Toml)))
        .collect();
    let document = if has_standard {
        let mut members = vec![("tool", Json::Object(vec![("poetry", Json::Object(poetry))]))];
        if !project.is_empty() {
            members.push((
                "project",
                Json::Object(project.into_iter().map(|node| (node.key, Json::Toml(node))).collect()),
            ));
        }
        members.extend(groups.map(|node| ("dependency-groups", Json::Toml(node))));
        members
    } else {
        poetry
    };
    let mut text = String::new();
    write_json(&Json::Object(document), &mut text)?;
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(digest, "{byte:02x}");
    }
    Ok(digest)
}

enum Json<'a> {
    Null,
    Object(Vec<(&'a str, Json<'a>)>),
    Toml(Node<'a>),
}

/// Writes as Python's `json.dumps(value, sort_keys=True)` does: blanks after `,` and `:`, and
/// nothing but ASCII.
fn write_json(json: &Json<'_>, out: &mut String) -> Result<(), Error> {
    let node = match json {
        Json::Null => {
            out.push_str("null");
            return Ok(());
        }
        Json::Object(members) => {
            return write_object(members.iter().map(|(key, value)| (*key, value)).collect(), out);
        }
        Json::Toml(node) => node,
    };
    match node.value {
        DeValue::String(text) => write_string(text, out),
        DeValue::Integer(integer) => write_integer(integer.as_str(), integer.radix(), out),
        DeValue::Float(float) => write_float(float.as_str(), out),
        DeValue::Boolean(boolean) => out.push_str(if *boolean { "true" } else { "false" }),
        DeValue::Datetime(_) => {
            return Err(Error::NotHashable { key: node.key.to_owned(), found: "a date or a time", span: node.span });
        }
        DeValue::Array(_) => {
            out.push('[');
            for (index, element) in node.as_array().unwrap_or_default().into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_json(&Json::Toml(element), out)?;
            }
            out.push(']');
        }
        DeValue::Table(_) => {
            let entries = node.as_table().map(Table::entries).unwrap_or_default();
            let members: Vec<_> = entries.into_iter().map(|(key, node)| (key.value, Json::Toml(node))).collect();
            return write_object(members.iter().map(|(key, value)| (*key, value)).collect(), out);
        }
    }
    Ok(())
}

fn write_object(mut members: Vec<(&str, &Json<'_>)>, out: &mut String) -> Result<(), Error> {
    members.sort_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, value)) in members.into_iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        write_string(key, out);
        out.push_str(": ");
        write_json(value, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

fn write_integer(digits: &str, radix: u32, out: &mut String) {
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    match i128::from_str_radix(digits, radix) {
        Ok(value) if radix != 10 => {
            let _ = write!(out, "{value}");
        }
        _ => out.push_str(if digits == "-0" { "0" } else { digits }),
    }
}

/// As Python's `repr` writes a float: the shortest digits that tell it from all others, in
/// scientific notation below 1e-4 and from 1e16 on.
fn write_float(digits: &str, out: &mut String) {
    let value: f64 = digits.parse().unwrap_or(f64::NAN);
    if !value.is_finite() {
        out.push_str(if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        });
        return;
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let _ = if (-4..16).contains(&exponent) {
        write!(out, "{value:?}")
    } else {
        write!(out, "{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_of(toml: &str) -> String {
        let document = toml_reader::parse(toml, InputFile::Pyproject).unwrap();
        let root = Table::root(&document, InputFile::Pyproject);
        let mut out = String::new();
        write_json(&Json::Toml(root.get("x").unwrap()), &mut out).unwrap();
        out
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        for (toml, json) in [
            ("x = {b = 1, a = [true, {}], \"ä\" = 'z'}", r#"{"a": [true, {}], "b": 1, "\u00e4": "z"}"#),
            ("x = \"\\\"\\\\\\u0001\\u007f😀\"", r#""\"\\\u0001\u007f\ud83d\ude00""#),
            ("x = [1_000, +5, -0, 0x1F, 0o17, 99999999999999999999]", "[1000, 5, 0, 31, 15, 99999999999999999999]"),
            (
                "x = [1.0, 1e16, 1e15, 1e-5, 0.0001, 1.5e300, -0.0]",
                "[1.0, 1e+16, 1000000000000000.0, 1e-05, 0.0001, 1.5e+300, -0.0]",
            ),
            ("x = [inf, -inf, nan]", "[Infinity, -Infinity, NaN]"),
        ] {
            assert_eq!(json_of(toml), json, "{toml}");
        }
    }

    #[test]
    fn dates_cannot_be_hashed() {
        let error = content_hash("[tool.poetry.dependencies]\na = 2020-01-01\n", HashFormula::Poetry1).unwrap_err();
        assert_eq!(error.to_string(), "`a` holds a date or a time, which Poetry cannot lock");
        assert!(error.span().is_some());
    }
}
