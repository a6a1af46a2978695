//! The command `fetch`: fills a wheelhouse, a flat folder with the files of packages.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, FileTimes, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use install_request::{EPOCH, Fetch, Fetched};

use crate::Roots;
use crate::fetch::Client;
use crate::obtain::{ObtainError, obtain};
use crate::report::{Block, Explain, megabytes};

/// The most files that are fetched at once.
const MOST_AT_ONCE: usize = 16;

/// What was fetched: file names and sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled(BTreeMap<String, u64>);

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(file, size)| writeln!(f, "{file}  {}", megabytes(*size)))
    }
}

/// Why a file is not in the wheelhouse.
#[derive(Debug, thiserror::Error)]
enum FillError {
    #[error(transparent)]
    Obtain(#[from] ObtainError),
    #[error("its name cannot be that of a file")]
    Name,
    #[error("another package has a file of this name and of another content")]
    Twice,
    #[error("the file cannot be written ({0})")]
    Write(#[from] io::Error),
}

impl Explain for FillError {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Obtain(error) => error.facts(),
            _ => Vec::new(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Obtain(error) => error.remedy(),
            Self::Name | Self::Twice => "run `poetry lock` and build again".to_owned(),
            Self::Write(_) => {
                "see whether the builder has disk space left (docker buildx du), then build again".to_owned()
            }
        }
    }
}

/// Fetches and verifies files, and writes them into `roots.out` under their own names.
///
/// # Errors
/// A text for the user about each file that cannot be had.
pub fn fill(request: &Fetch, roots: &Roots, client: &Client) -> Result<Filled, String> {
    let waiting = Mutex::new(request.archives.iter());
    let results = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..request.archives.len().min(MOST_AT_ONCE) {
            scope.spawn(|| {
                while let Some(wanted) = next(&waiting) {
                    let result = one(wanted, request, roots, client);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.insert(wanted.archive.file.clone(), result.map_err(|error| blocked(wanted, &error)));
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failed: Vec<String> = results.values().filter_map(|result| result.as_ref().err().cloned()).collect();
    if !failed.is_empty() {
        return Err(failed.join("\n"));
    }
    Ok(Filled(results.into_iter().filter_map(|(file, result)| Some((file, result.ok()?))).collect()))
}

fn next<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).next()
}

fn blocked(wanted: &Fetched, error: &FillError) -> String {
    Block::new(&format!("{} cannot be fetched", wanted.name), vec![("file", wanted.archive.file.clone())], error)
        .to_string()
}

fn one(wanted: &Fetched, request: &Fetch, roots: &Roots, client: &Client) -> Result<u64, FillError> {
    let file = &wanted.archive.file;
    if file.is_empty() || file.starts_with('.') || file.contains(['/', '\0']) {
        return Err(FillError::Name);
    }
    let is_twin = |other: &Fetched| other.archive.file == *file && other.archive.sha256 != wanted.archive.sha256;
    if request.archives.iter().any(is_twin) {
        return Err(FillError::Twice);
    }
    let obtained = obtain(&wanted.name, &wanted.archive, roots, client)?;
    let mut target = File::create(roots.out.join(file))?;
    let size = io::copy(&mut obtained.blob.clone(), &mut target)?;
    target.set_permissions(Permissions::from_mode(0o644))?;
    target.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH)))?;
    Ok(size)
}
