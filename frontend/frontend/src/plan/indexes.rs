//! Which repository a locked file is looked up in.
//!
//! Follows `poetry.factory.Factory.create_pool` and `poetry.repositories.repository_pool`: an entry of the lock names
//! its source, and the address is the one that pyproject.toml gives to that name today.

use install_request::Index;
use poetry_lock::{Dialect, LockedPackage, Priority, Pyproject, Source, nearest};

use super::Error;
use crate::settings::{Located, Settings};

/// What Poetry calls the default index.
const PYPI: &str = "pypi";

/// The repositories of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Indexes {
    default: Index,
    /// In the order of pyproject.toml, each with its priority.
    named: Vec<(Index, Priority)>,
    default_in_use: bool,
}

impl Indexes {
    /// Reads the sources of a project. `default` is the address of the default index.
    ///
    /// # Errors
    /// If an address holds a password, a source has no address, or a setting names a source that is not there.
    pub(super) fn of(pyproject: &Pyproject, settings: &Settings, default: &str) -> Result<Self, Error> {
        let mirrors = settings.indexes.as_ref();
        check_mirrors(mirrors, pyproject)?;
        let mirror = |name: &str| {
            let (_, url) = mirrors?.value.iter().find(|(mirrored, _)| mirrored.eq_ignore_ascii_case(name))?;
            Some(url.clone())
        };
        let url = settings.index.as_ref().map_or_else(|| default.to_owned(), |setting| setting.value.clone());
        let mut named = Vec::new();
        for source in &pyproject.indexes {
            let name = &source.name.value;
            let url = match (mirror(name), &source.url) {
                (Some(mirror), _) => mirror,
                (None, Some(url)) if has_credentials(&url.value) => {
                    return Err(Error::Credentials { name: name.clone(), span: url.span });
                }
                (None, Some(url)) => url.value.trim_end_matches('/').to_owned(),
                (None, None) if name.eq_ignore_ascii_case(PYPI) => url.clone(),
                (None, None) => return Err(Error::NoAddress { name: name.clone(), span: source.name.span }),
            };
            named.push((Index { url, source: Some(name.clone()) }, source.priority));
        }
        Ok(Self {
            default: Index { url, source: None },
            default_in_use: !pyproject
                .indexes
                .iter()
                .any(|source| replaces_default(source.priority, pyproject.dialect))
                || pyproject.indexes.iter().any(|source| source.name.value.eq_ignore_ascii_case(PYPI)),
            named,
        })
    }

    /// The repository of a locked package that comes from one.
    ///
    /// # Errors
    /// If the lock names a source that pyproject.toml has not.
    pub(super) fn of_package(&self, package: &LockedPackage) -> Result<&Index, Error> {
        let Source::Index { name, .. } = &package.source else {
            let instead = match self.default_in_use {
                true => self.find(PYPI).filter(|index| index.url != self.default.url),
                false => self.named.first().map(|(index, _)| index),
            };
            return Ok(instead.unwrap_or(&self.default));
        };
        if let Some(index) = self.find(name) {
            return Ok(index);
        }
        if name.eq_ignore_ascii_case(PYPI) {
            return Ok(&self.default);
        }
        let known = self.named.iter().filter_map(|(index, _)| index.source.as_deref());
        Err(Error::UnknownSource {
            package: package.name.to_string(),
            source_name: name.clone(),
            nearest: nearest(name, known).map(str::to_owned),
            span: package.span,
        })
    }

    /// Where requirements of builds come from: all but those for single packages, in Poetry's order.
    #[must_use]
    pub(super) fn of_builds(&self) -> Vec<Index> {
        let of = |wanted: &[Priority]| {
            let named = self.named.iter().filter(|(_, priority)| wanted.contains(priority));
            named.map(|(index, _)| index.clone()).collect::<Vec<_>>()
        };
        let mut indexes = of(&[Priority::Default, Priority::Primary]);
        if self.default_in_use && self.find(PYPI).is_none() {
            indexes.push(self.default.clone());
        }
        indexes.extend(of(&[Priority::Secondary, Priority::Supplemental]));
        indexes
    }

    fn find(&self, name: &str) -> Option<&Index> {
        let is_named = |index: &Index| index.source.as_deref().is_some_and(|source| source.eq_ignore_ascii_case(name));
        self.named.iter().map(|(index, _)| index).find(|index| is_named(index))
    }
}

/// Poetry 2 drops the default index when there is any primary source, Poetry 1 when one is marked so.
fn replaces_default(priority: Priority, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Poetry2 => matches!(priority, Priority::Default | Priority::Primary),
        Dialect::Poetry1 => priority == Priority::Default,
    }
}

fn check_mirrors(
    mirrors: Option<&Located<std::collections::BTreeMap<String, String>>>,
    pyproject: &Pyproject,
) -> Result<(), Error> {
    let Some(mirrors) = mirrors else {
        return Ok(());
    };
    let known = || pyproject.indexes.iter().map(|source| source.name.value.as_str());
    match mirrors.value.keys().find(|name| !known().any(|known| known.eq_ignore_ascii_case(name))) {
        None => Ok(()),
        Some(name) => Err(Error::UnknownMirror {
            name: name.clone(),
            nearest: nearest(name, known()).map(str::to_owned),
            origin: mirrors.origin.clone(),
        }),
    }
}

/// Whether an address holds `user:password@`.
pub(super) fn has_credentials(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

#[cfg(test)]
mod tests {
    use poetry_lock::Lock;

    use super::*;
    use crate::settings::Origin;

    const DEFAULT: &str = "https://default.example.org/simple";

    fn indexes(sources: &str, dialect: Dialect, settings: &Settings) -> Result<Indexes, Error> {
        let pyproject = Pyproject::read(&format!("[tool.poetry]\nname = 'a'\n{sources}"), dialect).unwrap();
        Indexes::of(&pyproject, settings, DEFAULT)
    }

    fn url(indexes: &Indexes, source: &str) -> Result<String, Error> {
        let source = match source {
            "" => String::new(),
            name => {
                format!("[package.source]\ntype = 'legacy'\nurl = 'https://old.example.org'\nreference = '{name}'\n")
            }
        };
        let lock = Lock::read(&format!(
            "[[package]]\nname = 'b'\nversion = '1'\noptional = false\npython-versions = '*'\nfiles = []\ngroups = ['main']\n\
             {source}[metadata]\nlock-version = '2.1'\npython-versions = '*'\ncontent-hash = ''\n"
        ))
        .unwrap();
        indexes.of_package(&lock.packages[0]).map(|index| index.url.clone())
    }

    fn source(name: &str, priority: &str) -> String {
        format!(
            "[[tool.poetry.source]]\nname = '{name}'\nurl = 'https://{name}.example.org/simple/'\npriority = '{priority}'\n"
        )
    }

    #[test]
    fn a_lock_names_its_source_and_pyproject_knows_the_address() {
        let found = indexes(&source("Corp", "supplemental"), Dialect::Poetry2, &Settings::default()).unwrap();
        assert_eq!(url(&found, "corp").unwrap(), "https://Corp.example.org/simple");
        assert_eq!(url(&found, "").unwrap(), DEFAULT);
        assert_eq!(url(&found, "PyPI").unwrap(), DEFAULT);
        let error = url(&found, "Corpo").unwrap_err();
        assert!(matches!(error, Error::UnknownSource { nearest: Some(nearest), .. } if nearest == "Corp"));
    }

    #[test]
    fn a_primary_source_stands_in_for_the_default_index_in_poetry_2_only() {
        let primary = source("corp", "primary");
        let listed = format!("{primary}[[tool.poetry.source]]\nname = 'pypi'\n");
        let of = |sources: &str, dialect| indexes(sources, dialect, &Settings::default()).unwrap();
        assert_eq!(url(&of(&primary, Dialect::Poetry2), "").unwrap(), "https://corp.example.org/simple");
        assert_eq!(url(&of(&primary, Dialect::Poetry1), "").unwrap(), DEFAULT);
        assert_eq!(url(&of(&listed, Dialect::Poetry2), "").unwrap(), DEFAULT);
        assert_eq!(
            url(&of(&source("corp", "default"), Dialect::Poetry1), "").unwrap(),
            "https://corp.example.org/simple"
        );
    }

    #[test]
    fn builds_look_in_all_but_explicit_sources() {
        let sources = [source("a", "supplemental"), source("b", "explicit"), source("c", "supplemental")].concat();
        let found = indexes(&sources, Dialect::Poetry2, &Settings::default()).unwrap().of_builds();
        let names: Vec<_> = found.iter().map(|index| index.source.as_deref().unwrap_or("-")).collect();
        assert_eq!(names, ["-", "a", "c"]);
    }

    #[test]
    fn mirrors_take_the_place_of_addresses() {
        let origin = Origin::Argument("POETRY_BUILDKIT_INDEXES".into());
        let mirrors = |name: &str| Settings {
            index: Some(Located { value: "https://mirror.example.org".into(), origin: origin.clone() }),
            indexes: Some(Located {
                value: [(name.to_owned(), "https://m.example.org".to_owned())].into(),
                origin: origin.clone(),
            }),
            ..Settings::default()
        };
        let sources = source("corp", "supplemental");
        let found = indexes(&sources, Dialect::Poetry2, &mirrors("CORP")).unwrap();
        assert_eq!(url(&found, "corp").unwrap(), "https://m.example.org");
        assert_eq!(url(&found, "").unwrap(), "https://mirror.example.org");
        let error = indexes(&sources, Dialect::Poetry2, &mirrors("corpo")).unwrap_err();
        assert!(matches!(error, Error::UnknownMirror { nearest: Some(nearest), .. } if nearest == "corp"));
    }

    #[test]
    fn a_mirror_of_a_listed_default_index_counts() {
        let origin = Origin::Argument("POETRY_BUILDKIT_INDEXES".into());
        let value = [("pypi".to_owned(), "https://m.example.org".to_owned())].into();
        let mirrored = Settings { indexes: Some(Located { value, origin }), ..Settings::default() };
        let of = |settings| {
            let sources = "[[tool.poetry.source]]\nname = 'PyPI'\npriority = 'primary'\n";
            indexes(sources, Dialect::Poetry2, settings).unwrap()
        };
        assert_eq!(url(&of(&mirrored), "").unwrap(), "https://m.example.org");
        let plain = of(&Settings::default());
        assert_eq!(url(&plain, "").unwrap(), DEFAULT);
    }

    #[test]
    fn a_password_in_an_address_is_refused() {
        let sources =
            "[[tool.poetry.source]]\nname = 'x'\nurl = 'https://a:b@example.org/simple'\npriority = 'explicit'\n";
        let error = indexes(sources, Dialect::Poetry2, &Settings::default()).unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }));
        assert!(!error.to_string().contains("a:b"));
    }
}
