use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;

use crate::{Error, Name, version};

/// The interpreter that packages are selected for: the variables of PEP 508 and their values.
///
/// A variable that is left out or empty is taken as unknown, not as an empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    python_version: Version,
    python_full_version: Version,
    platform_release: Option<Version>,
}

/// Which extras count as asked for when a marker is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extras<'a> {
    /// Just these; possibly none.
    Only(&'a BTreeSet<Name>),
    /// Undecided: every comparison with `extra` holds.
    Open,
}

impl Environment {
    /// Takes the variables of PEP 508, e.g. `python_full_version`, `sys_platform`. Others are kept
    /// but not used. `python_version` may be left out; it follows from the full version.
    ///
    /// # Errors
    /// If `python_full_version` is missing, or one of the Python versions is not a version.
    pub fn new(mut variables: BTreeMap<String, String>) -> Result<Self, Error> {
        variables.retain(|_, value| !value.is_empty());
        let read = |variable: &'static str, value: &str| {
            version::parse(value).map_err(|reason| Error::Environment { variable, reason })
        };
        let Some(full) = variables.get("python_full_version") else {
            return Err(Error::Environment { variable: "python_full_version", reason: "it is not given".into() });
        };
        // Development builds of Python call themselves e.g. `3.14.0a1+`.
        let full = full.trim_end_matches('+').to_owned();
        let python_full_version = read("python_full_version", &full)?;
        let python_version = match variables.get("python_version") {
            Some(value) => read("python_version", value)?,
            None => Version::new(python_full_version.release().iter().copied().take(2)),
        };
        let platform_release = variables.get("platform_release").and_then(|value| version::parse_loose(value).ok());
        variables.insert("python_full_version".into(), full);
        variables.insert("python_version".into(), python_version.to_string());
        Ok(Self { variables, python_version, python_full_version, platform_release })
    }

    /// CPython of version `python`, e.g. `3.11.7`, on Linux on a machine as `uname -m` names it.
    ///
    /// # Errors
    /// If `python` is not a version.
    pub fn linux(python: &str, machine: &str) -> Result<Self, Error> {
        let variables = [
            ("implementation_name", "cpython"),
            ("implementation_version", python),
            ("os_name", "posix"),
            ("platform_machine", machine),
            ("platform_python_implementation", "CPython"),
            ("platform_system", "Linux"),
            ("python_full_version", python),
            ("sys_platform", "linux"),
        ];
        Self::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// The value of a variable, if it is known.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.variables.get(variable).map(String::as_str)
    }

    /// The version of Python without pre-release parts, which is what Poetry compares with a
    /// project's or package's own demand on Python.
    #[must_use]
    pub fn python(&self) -> Version {
        version::stable(&self.python_full_version)
    }

    /// This environment with nothing known but the final version that its Python is or leads to.
    pub(super) fn only_stable_python(&self) -> Self {
        let python_full_version = self.python();
        Self {
            variables: BTreeMap::from([
                ("python_version".to_owned(), self.python_version.to_string()),
                ("python_full_version".to_owned(), python_full_version.to_string()),
            ]),
            python_version: self.python_version.clone(),
            python_full_version,
            platform_release: None,
        }
    }

    pub(super) fn version(&self, variable: &str) -> Option<&Version> {
        match variable {
            "python_version" => Some(&self.python_version),
            "python_full_version" => Some(&self.python_full_version),
            "platform_release" => self.platform_release.as_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_version_of_python_follows_from_the_full_one() {
        let environment = Environment::linux("3.14.0rc2+", "x86_64").unwrap();
        assert_eq!(environment.get("python_version"), Some("3.14"));
        assert_eq!(environment.get("python_full_version"), Some("3.14.0rc2"));
        assert_eq!(environment.python().to_string(), "3.14.0");
    }

    #[test]
    fn the_full_version_of_python_is_needed() {
        let error = Environment::new(BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "`python_full_version` of the environment cannot be used: it is not given");
        assert!(Environment::linux("three", "x86_64").is_err());
    }
}
