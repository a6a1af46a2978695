//! Which Python the image has, and which images that Python comes in.

use std::{fmt, ops::Range, sync::Arc};

use poetry_lock::{Pyproject, Version};
use thiserror::Error;

use crate::{
    settings::{Located, Origin},
    source::{Place, SourceFile},
};

/// The file of a folder's Python, as pyenv and uv have it.
pub const FILE: &str = ".python-version";

/// The oldest Python 3 that is chosen by itself.
const OLDEST: (u64, u64) = (3, 8);
/// Nothing newer than this is chosen by itself.
const NEWEST_MINOR: u64 = 99;
/// The newest release of a minor version that is asked for by itself: none has so many.
const NEWEST_PATCH: u64 = 30;

/// A version of Python and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// `python` or `pypy`: the name of the official image.
    pub family: Family,
    /// The version as far as it is given: `3.12` or `3.12.4`.
    pub version: String,
    /// Who says so, for people.
    pub because: String,
}

/// An implementation that has official images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// CPython.
    CPython,
    /// PyPy.
    PyPy,
}

/// Why no Python could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// A version is not of the form `3.12` or `3.12.4`, with or without `pypy` in front.
    #[error("`{text}` is not a version of Python such as `3.12`, `3.12.4` or `pypy3.10`")]
    NotAVersion {
        /// What is written.
        text: String,
        /// Who wrote it.
        origin: Origin,
    },
    /// The project does not allow the version.
    #[error("Python {version} ({because}) is not allowed by the project ({constraint})")]
    NotAllowed {
        /// The version.
        version: String,
        /// Who asked for it, for people.
        because: String,
        /// The project's constraint.
        constraint: String,
        /// Who wrote the version.
        origin: Origin,
    },
    /// The project's constraint allows no Python 3 that we know of.
    #[error("the project allows no Python from {}.{} on ({constraint})", OLDEST.0, OLDEST.1)]
    NoneAllowed {
        /// The project's constraint.
        constraint: String,
    },
}

impl Error {
    /// Who wrote what is wrong, if it is not the project's constraint.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::NotAVersion { origin, .. } | Self::NotAllowed { origin, .. } => Some(origin),
            Self::NoneAllowed { .. } => None,
        }
    }
}

impl Python {
    /// Chooses: the setting, else the first version of `.python-version` that the project allows, else the oldest minor
    /// version that it allows, or of that the newest release if not all are. That is the version that `poetry init` wrote down because the project was begun with it,
    /// and it stays the same when a new Python comes out.
    ///
    /// # Errors
    /// If what is asked for is no version, or the project does not allow it.
    pub fn choose(
        setting: Option<&Located<String>>,
        python_version_file: Option<&Arc<SourceFile>>,
        pyproject: &Pyproject,
    ) -> Result<Self, Error> {
        if let Some(setting) = setting {
            let because = format!("setting `python`, {}", setting.origin);
            return Self::asked_for(&setting.value, because, &setting.origin, pyproject);
        }
        if let Some(file) = python_version_file {
            let asked = versions(&file.text).map(|range| {
                let origin = Origin::File(Place::new(file, range.clone()));
                Self::asked_for(&file.text[range], FILE.into(), &origin, pyproject)
            });
            let mut asked: Vec<_> = asked.collect();
            if !asked.is_empty() {
                // The first that will do, else what is wrong with the first.
                return asked.swap_remove(asked.iter().position(Result::is_ok).unwrap_or(0));
            }
        }
        let oldest = (OLDEST.1..=NEWEST_MINOR)
            .map(|minor| (OLDEST.0, minor))
            .find(|version| pyproject.python.allows_minor(*version));
        match oldest {
            Some((major, minor)) => {
                let allows = |patch: &u64| pyproject.python.allows(&Version::new([major, minor, *patch]));
                // The image of a minor version has its newest release, which the project may not allow.
                let newest = (0..=99).rev().find(allows).filter(|patch| *patch < NEWEST_PATCH);
                let patch = newest.map_or_else(String::new, |patch| format!(".{patch}"));
                Ok(Self {
                    family: Family::CPython,
                    version: format!("{major}.{minor}{patch}"),
                    because: format!("the oldest that the project allows ({})", pyproject.python),
                })
            }
            None => Err(Error::NoneAllowed { constraint: pyproject.python.to_string() }),
        }
    }

    fn asked_for(text: &str, because: String, origin: &Origin, pyproject: &Pyproject) -> Result<Self, Error> {
        let not_a_version = || Error::NotAVersion { text: text.to_owned(), origin: origin.clone() };
        let (family, version) = match text.strip_prefix("pypy") {
            Some(version) => (Family::PyPy, version.split('-').next().unwrap_or_default()),
            None => (Family::CPython, text),
        };
        let numbers: Vec<u64> =
            version.split('.').map(|part| part.parse().map_err(|_| not_a_version())).collect::<Result<_, _>>()?;
        let allowed = match numbers[..] {
            [3, minor] => pyproject.python.allows_minor((3, minor)),
            [3, _, _] => pyproject.python.allows(&Version::new(numbers)),
            _ => return Err(not_a_version()),
        };
        if !allowed {
            return Err(Error::NotAllowed {
                version: version.to_owned(),
                because,
                constraint: pyproject.python.to_string(),
                origin: origin.clone(),
            });
        }
        Ok(Self { family, version: version.to_owned(), because })
    }

    /// The slim official image.
    #[must_use]
    pub fn base(&self) -> String {
        format!("{self}-slim")
    }

    /// The full official image, with compilers.
    #[must_use]
    pub fn builder(&self) -> String {
        self.to_string()
    }
}

/// The official image's name and tag.
impl fmt::Display for Python {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.family {
            Family::CPython => "python",
            Family::PyPy => "pypy",
        };
        write!(formatter, "{name}:{}", self.version)
    }
}

/// Where the versions of pyenv's file are: one a line, with comments. Names of virtual environments are passed over, and of
/// `3.11.1/envs/NAME` the version counts.
fn versions(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = end;
        end += line.len();
        let version = line.split(['#', '/']).next().unwrap_or_default().trim();
        let is_version = version.starts_with(|c: char| c.is_ascii_digit()) || version.starts_with("pypy");
        let start = start + line.find(version)?;
        is_version.then(|| start..start + version.len())
    })
}

#[cfg(test)]
mod tests {
    use poetry_lock::Dialect;

    use super::*;

    fn chosen(constraint: &str, setting: Option<&str>, file: Option<&str>) -> Result<String, String> {
        let text = format!("[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\npython = '{constraint}'");
        let pyproject = Pyproject::read(&text, Dialect::Poetry1).unwrap();
        let setting = setting.map(|value| Located {
            value: value.to_owned(),
            origin: Origin::Argument("POETRY_BUILDKIT_PYTHON".into()),
        });
        let file = file.map(|text| SourceFile::plain(FILE, text));
        Python::choose(setting.as_ref(), file.as_ref(), &pyproject)
            .map(|python| python.base())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_setting_wins_then_the_file_then_the_oldest_allowed() {
        assert_eq!(chosen("^3.11", Some("3.12"), Some("3.13")).unwrap(), "python:3.12-slim");
        assert_eq!(chosen("^3.11", None, Some("# team\n3.13.1 # x\n")).unwrap(), "python:3.13.1-slim");
        assert_eq!(chosen("^3.11", None, Some("\n")).unwrap(), "python:3.11-slim");
        assert_eq!(chosen(">3.9.1,!=3.10.*,<4", None, None).unwrap(), "python:3.9-slim");
        assert_eq!(chosen("*", None, None).unwrap(), "python:3.8-slim");
        assert_eq!(chosen("3.11.3", None, None).unwrap(), "python:3.11.3-slim");
        assert_eq!(chosen("~3.11,<3.11.5", None, None).unwrap(), "python:3.11.4-slim");
        assert_eq!(chosen(">=3.10,<3.10.99", None, None).unwrap(), "python:3.10-slim");
        assert_eq!(chosen("3.10", None, None).unwrap(), "python:3.10.0-slim");
        assert_eq!(chosen("^3.11", None, Some("my-app\n")).unwrap(), "python:3.11-slim");
        assert_eq!(chosen("^3.11", None, Some("3.12.1/envs/my-app\n")).unwrap(), "python:3.12.1-slim");
        assert_eq!(chosen("^3.11", None, Some("3.9.1\n3.12.0\n")).unwrap(), "python:3.12.0-slim");
        assert_eq!(chosen("^3.9", Some("pypy3.10-7.3.12"), None).unwrap(), "pypy:3.10-slim");
    }

    #[test]
    fn what_the_project_does_not_allow_is_refused() {
        assert_eq!(
            chosen("^3.11", None, Some("3.9")).unwrap_err(),
            "Python 3.9 (.python-version) is not allowed by the project (^3.11)"
        );
        assert_eq!(
            chosen("^3.11", Some("3.11.x"), None).unwrap_err(),
            "`3.11.x` is not a version of Python such as `3.12`, `3.12.4` or `pypy3.10`"
        );
        assert_eq!(chosen("~2.7", None, None).unwrap_err(), "the project allows no Python from 3.8 on (~2.7)");
    }
}
