use crate::content_hash::{self, Freshness};
use crate::pyproject::Dialect;
use crate::select::{self, Options, Selection};
use crate::toml_reader::{self, Table};
use crate::{Environment, Error, InputFile, Lock, PoetryToml, Pyproject};

/// The texts that make up a Poetry project.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// The text of `pyproject.toml`.
    pub pyproject: &'a str,
    /// The text of `poetry.lock`.
    pub lock: &'a str,
    /// The text of `poetry.toml`, if there is one.
    pub poetry_toml: Option<&'a str>,
}

/// A project and its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The project, read in the dialect of the Poetry that the lock was made with.
    pub pyproject: Pyproject,
    /// The lock.
    pub lock: Lock,
    /// The project's settings.
    pub settings: PoetryToml,
    /// Whether the lock was made for this pyproject.toml.
    pub freshness: Freshness,
}

impl Project {
    /// Reads a project in the dialect that the lock shows: that of the content hash, or else of the
    /// version of the lock.
    ///
    /// # Errors
    /// If one of the texts cannot be read. That the lock is stale is no error here.
    pub fn read(texts: &Texts<'_>) -> Result<Self, Error> {
        Self::read_in(texts, None)
    }

    /// Reads a project as the Poetry of a dialect would, whichever one wrote the lock.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_as(texts: &Texts<'_>, dialect: Dialect) -> Result<Self, Error> {
        Self::read_in(texts, Some(dialect))
    }

    fn read_in(texts: &Texts<'_>, dialect: Option<Dialect>) -> Result<Self, Error> {
        let document = toml_reader::parse(texts.pyproject, InputFile::Pyproject)?;
        let root = Table::root(&document, InputFile::Pyproject);
        let lock = Lock::read(texts.lock)?;
        let freshness = content_hash::freshness(root, &lock, dialect)?;
        let dialect = match (dialect, freshness) {
            (Some(dialect), _) => dialect,
            (None, Freshness::Fresh(formula)) => formula.dialect(),
            // Poetry 2 writes locks of version 2.1, and there is nothing else to go by.
            (None, _) if lock.version.has_groups() || !is_poetry1(root)? => Dialect::Poetry2,
            (None, _) => Dialect::Poetry1,
        };
        Ok(Self {
            pyproject: Pyproject::from_root(root, dialect)?,
            lock,
            settings: texts.poetry_toml.map(PoetryToml::read).transpose()?.unwrap_or_default(),
            freshness,
        })
    }

    /// Tells which packages are installed in `environment`.
    ///
    /// # Errors
    /// If the options exclude each other or name what does not exist, the lock is stale, the
    /// project does not allow the environment's Python, the lock does not satisfy the project, or
    /// two versions of one package would be installed.
    pub fn select(&self, environment: &Environment, options: &Options) -> Result<Selection<'_>, Error> {
        select::select(self, environment, options)
    }
}

/// Poetry 1 insists on a name in `[tool.poetry]`.
fn is_poetry1(root: Table<'_>) -> Result<bool, Error> {
    let Some(tool) = root.table("tool")? else {
        return Ok(false);
    };
    Ok(tool.table("poetry")?.is_some_and(|poetry| poetry.get("name").is_some()))
}
