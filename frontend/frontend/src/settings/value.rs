//! One setting's value, written in TOML or as the text of a build argument.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::{BuildPackages, Command, Error, Located, Origin};

pub(super) struct Value<'a> {
    key: String,
    form: Form<'a>,
    origin: Origin,
}

enum Form<'a> {
    Toml(&'a DeValue<'a>),
    Argument(&'a str),
}

impl<'a> Value<'a> {
    pub(super) fn toml(key: &str, value: &'a DeValue<'a>, origin: Origin) -> Self {
        Self { key: key.to_owned(), form: Form::Toml(value), origin }
    }

    pub(super) fn argument(key: &str, text: &'a str, origin: Origin) -> Self {
        Self { key: key.to_owned(), form: Form::Argument(text), origin }
    }

    pub(super) fn boolean(self) -> Result<Located<bool>, Error> {
        const EXPECTED: &str = "true or false";
        let value = match self.form {
            Form::Toml(value) => value.as_bool().ok_or_else(|| self.wrong_type(EXPECTED))?,
            Form::Argument("true" | "1") => true,
            Form::Argument("false" | "0") => false,
            Form::Argument(_) => return Err(self.wrong_type(EXPECTED)),
        };
        Ok(self.located(value))
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(self, least: u64, most: u64) -> Result<Located<u64>, Error> {
        let number = match self.form {
            Form::Toml(value) => value.as_integer().ok_or_else(|| self.wrong_type("an integer"))?.as_str(),
            Form::Argument(text) => text.trim(),
        };
        match number.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(self.located(number)),
            _ => Err(self.bad(&format!("must be a number from {least} to {most}, not `{number}`"))),
        }
    }

    pub(super) fn text(self) -> Result<Located<String>, Error> {
        let value = match self.form {
            Form::Toml(value) => value.as_str().ok_or_else(|| self.wrong_type("a string"))?,
            Form::Argument(text) => text.trim(),
        };
        if value.is_empty() {
            return Err(self.bad("must not be empty"));
        }
        let value = value.to_owned();
        Ok(self.located(value))
    }

    /// A list; a single string is a list of one, and the text of an argument is a TOML list or has commas.
    pub(super) fn texts(self) -> Result<Located<Vec<String>>, Error> {
        const EXPECTED: &str = "a string or a list of strings";
        let values = match self.form {
            Form::Toml(value) => strings(value, true).ok_or_else(|| self.wrong_type(EXPECTED))?,
            Form::Argument(text) if text.trim_start().starts_with('[') => {
                parsed(text, |value| strings(value, false)).ok_or_else(|| self.wrong_type(EXPECTED))?
            }
            Form::Argument(text) => {
                text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
            }
        };
        Ok(self.located(values))
    }

    pub(super) fn command(self) -> Result<Located<Command>, Error> {
        const EXPECTED: &str = "a string or a list of strings";
        let value = match self.form {
            Form::Toml(value) => match value.as_str() {
                Some(line) => Command::Shell(line.to_owned()),
                None => Command::Exec(strings(value, false).ok_or_else(|| self.wrong_type(EXPECTED))?),
            },
            Form::Argument(text) if text.trim_start().starts_with('[') => {
                Command::Exec(parsed(text, |value| strings(value, false)).ok_or_else(|| self.wrong_type(EXPECTED))?)
            }
            Form::Argument(text) => Command::Shell(text.to_owned()),
        };
        Ok(self.located(value))
    }

    pub(super) fn map(self) -> Result<Located<BTreeMap<String, String>>, Error> {
        const EXPECTED: &str = "a table of strings";
        let read = |value: &DeValue<'_>| {
            value.as_table().map(|table| {
                table
                    .iter()
                    .map(|(name, value)| {
                        let name = name.get_ref().to_string();
                        match value.get_ref().as_str() {
                            Some(text) => Ok((name, text.to_owned())),
                            None => Err((name, described(value.get_ref()))),
                        }
                    })
                    .collect::<Result<BTreeMap<_, _>, _>>()
            })
        };
        let entries = match self.form {
            Form::Toml(value) => read(value),
            Form::Argument(text) => parsed(text, read),
        }
        .ok_or_else(|| self.wrong_type(EXPECTED))?;
        match entries {
            Ok(entries) => Ok(self.located(entries)),
            Err((name, found)) => Err(Error::WrongType {
                key: format!("{}.{name}", self.key),
                expected: "a string",
                found,
                origin: self.origin,
            }),
        }
    }

    pub(super) fn variables(self) -> Result<Located<BTreeMap<String, String>>, Error> {
        self.map()?.checked("env", |variables| {
            match variables.keys().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
                Some(name) => Err(format!("has a variable name with `=` in it: `{name}`")),
                None => Ok(()),
            }
        })
    }

    pub(super) fn path(self) -> Result<Located<String>, Error> {
        let key = self.key.clone();
        let mut path = self.text()?.checked(&key, |path| {
            if !path.starts_with('/') {
                Err(format!("must be an absolute path, not `{path}`"))
            } else if path.split('/').any(|part| part == "..") {
                Err("must not have a `..` in it".to_owned())
            } else if path.split('/').all(|part| part.is_empty() || part == ".") {
                Err("must not be the root folder".to_owned())
            } else {
                Ok(())
            }
        })?;
        let parts: Vec<&str> = path.value.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        path.value = format!("/{}", parts.join("/"));
        Ok(path)
    }

    pub(super) fn user(self) -> Result<Located<String>, Error> {
        self.text()?.checked("user", |user| {
            let numeric = |id: &str| number(id).is_some_and(|id| u32::try_from(id).is_ok());
            let (uid, gid) = user.split_once(':').unwrap_or((user, "0"));
            if numeric(uid) && numeric(gid) {
                Ok(())
            } else {
                Err(format!(
                    "must be numeric (`uid` or `uid:gid`), so that `runAsNonRoot` can be checked, not `{user}`"
                ))
            }
        })
    }

    pub(super) fn ports(self) -> Result<Located<Vec<String>>, Error> {
        let is_port = |port: &str| {
            let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            ["tcp", "udp", "sctp"].contains(&protocol)
                && self::number(number).is_some_and(|number| (1..=65_535).contains(&number))
        };
        self.texts()?.each("expose", |port| {
            if is_port(port) {
                Ok(())
            } else {
                Err(format!("must be a port from 1 to 65535, as in `8000` or `53/udp`, not `{port}`"))
            }
        })
    }

    /// Package names of Debian policy 5.6.1, with an optional `:arch`, `=version` or `/suite`.
    pub(super) fn debian_packages(self) -> Result<Located<Vec<String>>, Error> {
        let key = self.key.clone();
        self.texts()?.each(&key, check_debian_package)
    }

    /// One list for all, or a table of lists by dependency.
    pub(super) fn build_packages(self) -> Result<Located<BuildPackages>, Error> {
        const EXPECTED: &str = "a list of strings, or a table of lists of strings";
        let read = |value: &DeValue<'_>| -> Option<BTreeMap<String, Vec<String>>> {
            let entries = value.as_table()?.iter();
            entries.map(|(name, list)| Some((name.get_ref().to_string(), strings(list.get_ref(), true)?))).collect()
        };
        let is_table = match self.form {
            Form::Toml(value) => value.is_table(),
            Form::Argument(text) => text.trim_start().starts_with('{'),
        };
        if !is_table {
            let Located { value, origin } = self.debian_packages()?;
            return Ok(Located { value: BuildPackages::All(value), origin });
        }
        let each = match self.form {
            Form::Toml(value) => read(value),
            Form::Argument(text) => parsed(text, read),
        };
        let each = each.ok_or_else(|| self.wrong_type(EXPECTED))?;
        for (name, packages) in &each {
            for package in packages {
                check_debian_package(package).map_err(|problem| Error::BadValue {
                    key: format!("{}.{name}", self.key),
                    problem,
                    origin: self.origin.clone(),
                })?;
            }
        }
        Ok(self.located(BuildPackages::Each(each)))
    }

    pub(super) fn address(self) -> Result<Located<String>, Error> {
        let key = self.key.clone();
        let mut address = self.text()?.checked(&key, |address| check_address(address))?;
        address.value = address.value.trim_end_matches('/').to_owned();
        Ok(address)
    }

    /// Addresses by name.
    pub(super) fn addresses(self) -> Result<Located<BTreeMap<String, String>>, Error> {
        let key = self.key.clone();
        let mut addresses = self.map()?;
        for (name, address) in &mut addresses.value {
            check_address(address).map_err(|problem| Error::BadValue {
                key: format!("{key}.{name}"),
                problem,
                origin: addresses.origin.clone(),
            })?;
            *address = address.trim_end_matches('/').to_owned();
        }
        Ok(addresses)
    }

    fn located<T>(self, value: T) -> Located<T> {
        Located { value, origin: self.origin }
    }

    fn wrong_type(&self, expected: &'static str) -> Error {
        Error::WrongType {
            key: self.key.clone(),
            expected,
            found: match self.form {
                Form::Toml(value) => described(value),
                Form::Argument(text) => format!("`{text}`"),
            },
            origin: self.origin.clone(),
        }
    }

    fn bad(&self, problem: &str) -> Error {
        Error::BadValue { key: self.key.clone(), problem: problem.to_owned(), origin: self.origin.clone() }
    }
}

impl<T> Located<T> {
    fn checked(self, key: &str, check: impl Fn(&T) -> Result<(), String>) -> Result<Self, Error> {
        match check(&self.value) {
            Ok(()) => Ok(self),
            Err(problem) => Err(Error::BadValue { key: key.to_owned(), problem, origin: self.origin }),
        }
    }
}

impl Located<Vec<String>> {
    fn each(self, key: &str, check: impl Fn(&str) -> Result<(), String>) -> Result<Self, Error> {
        self.checked(key, |items| items.iter().try_for_each(|item| check(item)))
    }
}

/// A number of digits alone.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn check_debian_package(package: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-.:=~/_".contains(c);
    if package.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) && package.chars().all(allowed) {
        Ok(())
    } else {
        Err(format!("must name Debian packages; `{package}` is not such a name"))
    }
}

/// The address of a simple repository. Credentials in it would be kept in the build's records.
pub(crate) fn check_address(address: &str) -> Result<(), String> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    // First, so that no error shows them.
    if rest.split('/').next().is_some_and(|host| host.contains('@')) {
        return Err("must not hold a user name or password: it would be kept in the build's records".to_owned());
    }
    match scheme {
        "https" | "http" => Ok(()),
        _ => Err(format!("must be an address that begins with https:// or http://, not `{address}`")),
    }
}

fn strings(value: &DeValue<'_>, single: bool) -> Option<Vec<String>> {
    if let (true, Some(text)) = (single, value.as_str()) {
        return Some(vec![text.to_owned()]);
    }
    value.as_array()?.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

/// Reads the text of a build argument as a TOML value.
fn parsed<T>(text: &str, read: impl Fn(&DeValue<'_>) -> Option<T>) -> Option<T> {
    let document = format!("value = {text}");
    let table = DeTable::parse(&document).ok()?;
    read(table.get_ref().get("value")?.get_ref())
}

fn described(value: &DeValue<'_>) -> String {
    let article = match value.type_str().chars().next() {
        Some('a' | 'e' | 'i' | 'o' | 'u') => "an",
        _ => "a",
    };
    format!("{article} {}", value.type_str())
}
