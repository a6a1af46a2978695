use crate::Error;
use crate::toml_reader::Table;

/// Where a locked package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The default index.
    Default,
    /// A source of the project (`type = "legacy"`).
    Index {
        /// The source's name, as it is spelled in pyproject.toml.
        name: String,
        /// Its address when the lock was made. Poetry downloads from the address that
        /// pyproject.toml gives to the source.
        url: String,
    },
    /// A Git repository.
    Git {
        /// The address.
        url: String,
        /// The branch, tag or revision that was asked for.
        reference: String,
        /// The commit that it stood for. Locks of version 1.0 have the commit in `reference`.
        resolved_reference: Option<String>,
        /// The folder inside the repository.
        subdirectory: Option<String>,
    },
    /// An archive at an address.
    Url {
        /// The address.
        url: String,
        /// The folder inside the archive.
        subdirectory: Option<String>,
    },
    /// A file, relative to the folder of the lock.
    File {
        /// The path, with `/`.
        path: String,
        /// The folder inside the archive.
        subdirectory: Option<String>,
    },
    /// A folder, relative to the folder of the lock.
    Directory {
        /// The path, with `/`.
        path: String,
    },
}

impl Source {
    pub(super) fn read(table: Table<'_>) -> Result<Self, Error> {
        const OWNER: &str = "[package.source]";
        let kind = table.require("type", OWNER)?;
        let url = table.require("url", OWNER)?.string()?.to_owned();
        let subdirectory = table.string("subdirectory")?.map(str::to_owned);
        Ok(match kind.string()? {
            "legacy" => Self::Index { name: table.require("reference", OWNER)?.string()?.to_owned(), url },
            "git" => Self::Git {
                url,
                reference: table.require("reference", OWNER)?.string()?.to_owned(),
                resolved_reference: table.string("resolved_reference")?.map(str::to_owned),
                subdirectory,
            },
            "url" => Self::Url { url, subdirectory },
            "file" => Self::File { path: url, subdirectory },
            "directory" => Self::Directory { path: url },
            _ => {
                return Err(kind.wrong_value("one of `legacy`, `git`, `url`, `file` and `directory`"));
            }
        })
    }

    /// Whether files of the package are had from an index.
    #[must_use]
    pub fn is_index(&self) -> bool {
        matches!(self, Self::Default | Self::Index { .. })
    }

    /// The Git commit, for a Git repository.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        match self {
            Self::Git { reference, resolved_reference, .. } => Some(resolved_reference.as_deref().unwrap_or(reference)),
            _ => None,
        }
    }
}
