//! Getting the verified bytes of an archive: from the cache, or from where the lock says.

use std::fs::File;
use std::io;

use install_request::{Archive, Index, Origin};

use crate::cache::{Cache, anonymous, digest};
use crate::fetch::{Client, Download, FetchError};
use crate::index::{self, IndexError, redact};
use crate::report::{Explain, megabytes};
use crate::{Blob, Roots};

/// The most that an archive may weigh.
const ARCHIVE_LIMIT: u64 = 8 << 30;

/// The bytes of an archive, which have the locked digest if there is one.
#[derive(Debug)]
pub struct Obtained {
    /// The bytes.
    pub blob: Blob,
    /// Whether they came from the cache.
    pub cached: bool,
    /// What the user should know, though it worked.
    pub notes: Vec<String>,
}

/// Why an archive cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ObtainError {
    /// The index does not say where the file is.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The file cannot be downloaded.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The index lists another digest than the lock.
    #[error("the index lists another digest than poetry.lock")]
    ListedDigest {
        /// The file's address.
        url: String,
        /// The locked digest.
        expected: String,
        /// The digest that the index lists.
        found: String,
    },
    /// The file does not have the locked digest.
    #[error("the file does not have the digest of poetry.lock")]
    Digest {
        /// The file's address.
        url: String,
        /// The locked digest.
        expected: String,
        /// The file's digest.
        found: String,
        /// The file's size.
        size: u64,
    },
    /// A file that is mounted into the step cannot be read.
    #[error("the file cannot be read ({source})")]
    Mounted {
        /// The operating system's reason.
        source: io::Error,
    },
}

impl Explain for ObtainError {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Index(error) => error.facts(),
            Self::Fetch(error) => error.facts(),
            Self::ListedDigest { url, expected, found } => vec![
                ("url", redact(url)),
                ("expected", format!("sha256 {expected}")),
                ("found", format!("sha256 {found}")),
                ("cause", "the file was replaced on the index, or poetry.lock was made with another index".into()),
            ],
            Self::Digest { url, expected, found, size } => vec![
                ("url", redact(url)),
                ("expected", format!("sha256 {expected}")),
                ("found", format!("sha256 {found} ({})", megabytes(*size))),
                (
                    "cause",
                    "the file was replaced where it comes from, or a proxy or mirror sends something else".into(),
                ),
            ],
            Self::Mounted { .. } => Vec::new(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Index(error) => error.remedy(),
            Self::Fetch(error) => error.remedy(),
            Self::ListedDigest { .. } | Self::Digest { .. } => {
                "do not trust the file; find out why it changed, and only then run `poetry lock`".into()
            }
            Self::Mounted { .. } => "see whether the file is in the build context or in the wheelhouse".into(),
        }
    }
}

/// Takes an archive of the package `name` from the cache, or gets it from where the request says and keeps it. A cache
/// that cannot be written is done without.
///
/// # Errors
/// The archive cannot be had, or is another one than the locked.
pub fn obtain(name: &str, archive: &Archive, roots: &Roots, client: &Client) -> Result<Obtained, ObtainError> {
    let expected = archive.sha256.as_deref();
    if let Origin::File { path } = &archive.origin {
        return mounted(path, expected);
    }
    let cache = Cache::new(&roots.cache, name);
    if let Some(blob) = expected.and_then(|sha256| cache.find(sha256)) {
        return Ok(Obtained { blob, cached: true, notes: Vec::new() });
    }
    let mut notes = Vec::new();
    let (listed, index) = listed(name, archive, client, &mut notes)?;
    let (file, download) = match into_cache(&cache, expected, client, &listed) {
        Ok(done) => done,
        Err(FetchError::Write { source }) => {
            if cache.exists() {
                notes.push(format!("note: the cache of {name} cannot be written ({source}); going on without it"));
            }
            without_cache(roots, client, &listed)?
        }
        Err(error) => return Err(index::denied(client, &index, error).into()),
    };
    if let Some(expected) = expected.filter(|expected| *expected != download.sha256) {
        return Err(ObtainError::Digest {
            url: listed.url,
            expected: expected.to_owned(),
            found: download.sha256,
            size: download.size,
        });
    }
    let blob = Blob::new(file).map_err(|source| FetchError::Write { source })?;
    Ok(Obtained { blob, cached: false, notes })
}

/// Where the file is, and by which index.
fn listed(
    name: &str,
    Archive { file, sha256, origin }: &Archive,
    client: &Client,
    notes: &mut Vec<String>,
) -> Result<(index::File, Index), ObtainError> {
    let index = match origin {
        Origin::Index(index) => index,
        Origin::Url { url } | Origin::File { path: url } => {
            let listed = index::File { name: file.clone(), url: url.clone(), ..index::File::default() };
            return Ok((listed, Index { url: url.clone(), source: None }));
        }
    };
    let listed = index::find(client, index, name, file, sha256.as_deref())?;
    if let (Some(found), Some(expected)) = (&listed.sha256, sha256)
        && found != expected
    {
        return Err(ObtainError::ListedDigest { url: listed.url, expected: expected.clone(), found: found.clone() });
    }
    if let Some(reason) = &listed.yanked {
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        notes.push(format!("warning: {file} of {name} was yanked: {reason}"));
    }
    Ok((listed, index.clone()))
}

/// A file that is mounted into the step.
fn mounted(path: &str, expected: Option<&str>) -> Result<Obtained, ObtainError> {
    let unreadable = |source| ObtainError::Mounted { source };
    let blob = Blob::new(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    if let Some(expected) = expected {
        let found = digest(blob.clone()).map_err(unreadable)?;
        if found != expected {
            let (url, expected, size) = (path.to_owned(), expected.to_owned(), blob.size());
            return Err(ObtainError::Digest { url, expected, found, size });
        }
    }
    Ok(Obtained { blob, cached: true, notes: Vec::new() })
}

fn into_cache(
    cache: &Cache,
    expected: Option<&str>,
    client: &Client,
    listed: &index::File,
) -> Result<(File, Download), FetchError> {
    let unwritable = |source: io::Error| FetchError::Write { source };
    let mut part = cache.begin().map_err(unwritable)?;
    let download = client.download(&listed.url, part.file(), ARCHIVE_LIMIT, listed.size)?;
    if expected.is_none_or(|expected| expected == download.sha256) {
        part.keep(cache, &download.sha256).map_err(unwritable)?;
    }
    let file = part.file().try_clone().map_err(unwritable)?;
    Ok((file, download))
}

/// Downloads into a nameless file beside the result.
fn without_cache(roots: &Roots, client: &Client, listed: &index::File) -> Result<(File, Download), FetchError> {
    let mut file = anonymous(&roots.out).map_err(|source| FetchError::Write { source })?;
    let download = client.download(&listed.url, &mut file, ARCHIVE_LIMIT, listed.size)?;
    Ok((file, download))
}
