//! The command `install`: fetch, verify and unpack wheels.

mod check;
mod error;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use install_request::{Install, Wheel};

pub use error::{InstallError, InstallFailure};

use crate::claims::Claims;
use crate::fetch::Client;
use crate::obtain::obtain;
use crate::report::{Block, megabytes, printable};
use crate::wheel::{Contents, Limits, Prepared};
use crate::{Roots, Tree};

/// The most wheels that are under way at once.
const MOST_AT_ONCE: usize = 16;

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The wheels, in the order of the request.
    pub wheels: Vec<Installed>,
    /// Notes and warnings.
    pub notes: Vec<String>,
}

/// A wheel that was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The size of the wheel.
    pub size: u64,
    /// Whether it came from the cache.
    pub cached: bool,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for wheel in &self.wheels {
            let Installed { name, version, .. } = wheel;
            let size = megabytes(wheel.size);
            let from = if wheel.cached { "cached" } else { "fetched" };
            writeln!(f, "{name} {version}  {size}  {from}")?;
        }
        let mut notes = self.notes.iter();
        notes.try_for_each(|note| writeln!(f, "{}", printable(note)))
    }
}

/// Installs wheels below `roots.out`.
///
/// The wheels are fetched at once, and each is unpacked as soon as it is verified. Of a file that several
/// carry, the one of the wheel that comes last in the request stays, as if they were installed in this order.
///
/// # Errors
/// The request makes no sense, a wheel cannot be had, is refused or cannot be written. What is below
/// `roots.out` then is no result.
pub fn install(request: &Install, roots: &Roots, client: &Client, limits: &Limits) -> Result<Summary, InstallError> {
    check::check(request).map_err(|detail| InstallError::Request { detail })?;
    let tree = Tree::new(&roots.out);
    let claims = Claims::default();
    let run = Run { request, roots, client, limits, tree: &tree, claims: &claims };
    let done = run.all()?;
    let mut notes: Vec<String> = done.iter().flat_map(|done| done.notes.clone()).collect();
    notes.extend(settle(&done, &claims, &tree)?);
    tree.seal()?;
    let wheels = request.wheels.iter().zip(&done).map(|(wheel, done)| Installed {
        name: wheel.name.clone(),
        version: wheel.version.clone(),
        size: done.size,
        cached: done.cached,
    });
    Ok(Summary { wheels: wheels.collect(), notes })
}

/// A wheel that is unpacked.
struct Done<'a> {
    wheel: &'a Wheel,
    prepared: Prepared,
    contents: Contents,
    size: u64,
    cached: bool,
    notes: Vec<String>,
}

#[derive(Clone, Copy)]
struct Run<'a> {
    request: &'a Install,
    roots: &'a Roots,
    client: &'a Client,
    limits: &'a Limits,
    tree: &'a Tree,
    claims: &'a Claims,
}

impl<'a> Run<'a> {
    /// Installs all wheels, and reports all that fail.
    fn all(self) -> Result<Vec<Done<'a>>, InstallError> {
        let wheels = &self.request.wheels;
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::with_capacity(wheels.len()));
        thread::scope(|scope| {
            for _ in 0..wheels.len().min(MOST_AT_ONCE) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(wheel) = wheels.get(number) else {
                            break;
                        };
                        let result = self.one(number, wheel);
                        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                        results.push((number, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(number, _)| *number);
        let mut done = Vec::with_capacity(results.len());
        let mut failed = Vec::new();
        for (_, result) in results {
            match result {
                Ok(wheel) => done.push(wheel),
                Err(block) => failed.push(block),
            }
        }
        if failed.is_empty() { Ok(done) } else { Err(InstallError::Wheels(failed)) }
    }

    fn one(self, number: usize, wheel: &'a Wheel) -> Result<Done<'a>, Block> {
        self.try_one(number, wheel).map_err(|error| {
            let what = format!("{} {} cannot be installed", wheel.name, wheel.version);
            Block::new(&what, vec![("file", wheel.archive.file.clone())], &error)
        })
    }

    fn try_one(self, number: usize, wheel: &'a Wheel) -> Result<Done<'a>, InstallFailure> {
        let obtained = obtain(&wheel.name, &wheel.archive, self.roots, self.client)?;
        let size = obtained.blob.size();
        let Install { scheme, python, .. } = self.request;
        let prepared = Prepared::new(obtained.blob, wheel, scheme, python, self.limits)?;
        let taken = self.claims.claim(number, prepared.paths()).map_err(|clash| self.clash(clash.path, clash.other))?;
        let contents = prepared.write(self.tree, &taken)?;
        let mut notes = obtained.notes;
        if let Some(count) = prepared.unlisted() {
            let Wheel { name, version, .. } = wheel;
            notes.push(format!("warning: {count} files of {name} {version} are missing in the RECORD of its wheel"));
        }
        Ok(Done { wheel, prepared, contents, size, cached: obtained.cached, notes })
    }

    fn clash(self, path: String, other: usize) -> InstallFailure {
        let other = self.request.wheels.get(other);
        InstallFailure::Clash { path, other: other.map(named).unwrap_or_default() }
    }
}

fn named(wheel: &Wheel) -> String {
    format!("{} {}", wheel.name, wheel.version)
}

/// Gives each file that several wheels carry to the last of them. Returns a warning for each whose content differs.
fn settle(done: &[Done<'_>], claims: &Claims, tree: &Tree) -> Result<Vec<String>, InstallError> {
    let mut warnings = Vec::new();
    for (path, first, sharers) in claims.shared() {
        let Some(last) = sharers.last().and_then(|last| done.get(*last)) else {
            continue;
        };
        if sharers.last() != Some(&first) {
            last.prepared.replace(tree, &path).map_err(|error| {
                let what = format!("{} cannot be installed", named(last.wheel));
                InstallError::Wheels(vec![Block::new(&what, Vec::new(), &error)])
            })?;
        }
        let others: BTreeSet<String> = sharers
            .iter()
            .filter_map(|number| done.get(*number))
            .filter(|other| other.contents.get(&path) != last.contents.get(&path))
            .map(|other| named(other.wheel))
            .collect();
        if !others.is_empty() {
            let others = others.into_iter().collect::<Vec<_>>().join(" and ");
            warnings.push(format!(
                "warning: {path} is in {others}, and with other content in {}, which is installed later and wins",
                named(last.wheel)
            ));
        }
    }
    Ok(warnings)
}
