//! Getting the verified bytes of a wheel: from the cache, or from where the lock says.

use std::fs::File;
use std::io;

use install_request::{Archive, Origin, Wheel};

use super::InstallFailure;
use crate::cache::{Cache, anonymous, digest};
use crate::fetch::{Client, Download, FetchError};
use crate::{Blob, Roots, index};

/// The most that a wheel may weigh.
const WHEEL_LIMIT: u64 = 8 << 30;

/// The bytes of a wheel, which have the locked digest.
#[derive(Debug)]
pub(super) struct Obtained {
    pub(super) blob: Blob,
    /// Whether they came from the cache.
    pub(super) cached: bool,
    /// What the user should know, though it worked.
    pub(super) notes: Vec<String>,
}

/// Takes a wheel from the cache, or gets it from where the request says and keeps it. A cache that cannot be written is
/// done without.
pub(super) fn obtain(wheel: &Wheel, roots: &Roots, client: &Client) -> Result<Obtained, InstallFailure> {
    let expected = wheel.archive.sha256.as_deref();
    if let Origin::File { path } = &wheel.archive.origin {
        return mounted(path, expected);
    }
    let cache = Cache::new(&roots.cache, &wheel.name);
    if let Some(blob) = expected.and_then(|sha256| cache.find(sha256)) {
        return Ok(Obtained { blob, cached: true, notes: Vec::new() });
    }
    let mut notes = Vec::new();
    let listed = listed(wheel, client, &mut notes)?;
    let (file, download) = match into_cache(&cache, expected, client, &listed) {
        Ok(done) => done,
        Err(FetchError::Write { source }) => {
            if cache.exists() {
                notes.push(format!(
                    "note: the cache of {} cannot be written ({source}); going on without it",
                    wheel.name
                ));
            }
            without_cache(roots, client, &listed)?
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(expected) = expected.filter(|expected| *expected != download.sha256) {
        return Err(InstallFailure::Digest {
            url: listed.url,
            expected: expected.to_owned(),
            found: download.sha256,
            size: download.size,
        });
    }
    let blob = Blob::new(file).map_err(|source| FetchError::Write { source })?;
    Ok(Obtained { blob, cached: false, notes })
}

/// Where the file is.
fn listed(wheel: &Wheel, client: &Client, notes: &mut Vec<String>) -> Result<index::File, InstallFailure> {
    let Archive { file, sha256, origin } = &wheel.archive;
    let index = match origin {
        Origin::Index(index) => index,
        Origin::Url { url } | Origin::File { path: url } => {
            return Ok(index::File { name: file.clone(), url: url.clone(), sha256: None, size: None, yanked: None });
        }
    };
    let listed = index::find(client, &index.url, &wheel.name, file)?;
    if let (Some(found), Some(expected)) = (&listed.sha256, sha256)
        && found != expected
    {
        return Err(InstallFailure::ListedDigest { url: listed.url, expected: expected.clone(), found: found.clone() });
    }
    if let Some(reason) = &listed.yanked {
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        notes.push(format!("warning: {} {} was yanked: {reason}", wheel.name, wheel.version));
    }
    Ok(listed)
}

/// A file that is mounted into the step.
fn mounted(path: &str, expected: Option<&str>) -> Result<Obtained, InstallFailure> {
    let unreadable = |source| FetchError::Write { source };
    let blob = Blob::new(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    let found = digest(blob.clone()).map_err(unreadable)?;
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        let (url, expected, size) = (path.to_owned(), expected.to_owned(), blob.size());
        return Err(InstallFailure::Digest { url, expected, found, size });
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
    let download = client.download(&listed.url, part.file(), WHEEL_LIMIT, listed.size)?;
    if expected.is_none_or(|expected| expected == download.sha256) {
        part.keep(cache, &download.sha256).map_err(unwritable)?;
    }
    let file = part.file().try_clone().map_err(unwritable)?;
    Ok((file, download))
}

/// Downloads into a nameless file beside the result.
fn without_cache(roots: &Roots, client: &Client, listed: &index::File) -> Result<(File, Download), FetchError> {
    let mut file = anonymous(&roots.out).map_err(|source| FetchError::Write { source })?;
    let download = client.download(&listed.url, &mut file, WHEEL_LIMIT, listed.size)?;
    Ok((file, download))
}
