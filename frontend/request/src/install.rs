use serde::{Deserialize, Serialize};

use crate::Scheme;

/// Fetch, verify and unpack wheels: `installer install JSON`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The absolute path of the interpreter that scripts name in their first line.
    pub python: String,
    /// Where files go: absolute paths in the final image.
    pub scheme: Scheme,
    /// The wheels, installed in this order.
    pub wheels: Vec<Wheel>,
}

/// One wheel (binary distribution format) and what the lock says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// The package's normalized name (PEP 503).
    pub name: String,
    /// The version as the lock spells it.
    pub version: String,
    /// The file.
    #[serde(flatten)]
    pub archive: Archive,
    /// The content of `direct_url.json` (PEP 610); `None` for what comes from an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_url: Option<String>,
    /// Whether the user asked for it by name, which an empty file `REQUESTED` tells (PEP 376). Poetry writes none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requested: bool,
}

impl Wheel {
    /// A wheel of an index.
    #[must_use]
    pub fn of_index(name: &str, version: &str, file: &str, sha256: &str, url: &str) -> Self {
        let index = Index { url: url.to_owned(), source: None };
        let archive = Archive { file: file.to_owned(), sha256: Some(sha256.to_owned()), origin: Origin::Index(index) };
        Self { name: name.to_owned(), version: version.to_owned(), archive, direct_url: None, requested: false }
    }
}

/// A file of a distribution, and how its bytes are verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Its name as the lock spells it.
    pub file: String,
    /// The locked digest: 64 lower-case hexadecimal digits, without a prefix. `None` for an archive at an address
    /// in a lock that is too old to have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where it is had from.
    pub origin: Origin,
}

impl Archive {
    /// The index that it is looked up in.
    #[must_use]
    pub fn index(&self) -> Option<&Index> {
        match &self.origin {
            Origin::Index(index) => Some(index),
            _ => None,
        }
    }
}

/// Fetch and verify files, and keep them as they are: `installer fetch JSON`. They are written below
/// [`OUT`](crate::layout::OUT) under their own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// The files.
    pub archives: Vec<Fetched>,
}

/// A file to be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    /// The package's normalized name (PEP 503).
    pub name: String,
    /// The file.
    pub archive: Archive,
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Origin {
    /// A simple repository (PEP 503, PEP 691); the address of the file is read from the page of the package.
    Index(Index),
    /// An address.
    Url {
        /// The address, without credentials.
        url: String,
    },
    /// A file that is mounted into the step: from a wheelhouse, or of the project itself.
    File {
        /// Its absolute path in the step's container.
        path: String,
    },
}

/// A simple repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Its root, e.g. `https://example.org/simple`, without credentials.
    pub url: String,
    /// Its name among the project's sources, by which its credentials and certificates are found among the
    /// secrets; `None` for the default index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
