//! Which of the locked files of a package is installed.

use std::cmp::Reverse;

use crate::filename::{DistributionFile, FileKind};
use crate::{Error, FilePolicy, LockedFile, LockedPackage, Name, Source, Span, Tags};

/// What a package is installed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact<'a> {
    /// A file of an index.
    Locked(Choice<'a>),
    /// An archive at an address.
    Url {
        /// The address.
        url: &'a str,
        /// The name of the archive: the last part of the address, decoded.
        file_name: String,
        /// Its hash. Locks of version 1.1 and older have none.
        hash: Option<&'a str>,
        /// The folder inside the archive.
        subdirectory: Option<&'a str>,
    },
    /// A file beside the project.
    File {
        /// Its path, relative to the folder of the lock.
        path: &'a str,
        /// Its hash.
        hash: Option<&'a str>,
        /// The folder inside the archive.
        subdirectory: Option<&'a str>,
    },
    /// A folder, relative to the folder of the lock, which a wheel is built from.
    Directory {
        /// Its path.
        path: &'a str,
    },
    /// A Git repository, which a wheel is built from.
    Git {
        /// The address.
        url: &'a str,
        /// The branch, tag or revision that was asked for.
        reference: &'a str,
        /// The commit that it stood for.
        commit: &'a str,
        /// The folder inside the repository.
        subdirectory: Option<&'a str>,
    },
}

/// A file of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The file.
    pub file: &'a LockedFile,
    /// Whether it is a wheel.
    pub is_wheel: bool,
    /// Other files that rank the same. Poetry takes the one that the index lists first.
    pub ties: Vec<&'a LockedFile>,
}

/// No locked file of a package can be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCandidate {
    /// The package.
    pub name: Name,
    /// Its version.
    pub version: String,
    /// The locked files, each with the reason why it will not do.
    pub refused: Vec<(String, Refusal)>,
    /// The best of the tags that a wheel could have.
    pub wanted_tags: Vec<String>,
    /// The place of the package in the lock.
    pub span: Span,
}

/// Why a file cannot be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// A wheel for other interpreters or platforms.
    Tags,
    /// A wheel, where `no-binary` is set.
    NoBinary,
    /// A source distribution, where `only-binary` is set.
    OnlyBinary,
    /// Neither a wheel nor a source distribution of this package and version.
    Unusable,
}

/// The number of tags that an error names.
const WANTED_TAGS: usize = 3;
/// The number of locked files that an error names.
const SHOWN_FILES: usize = 8;

impl LockedPackage {
    /// Tells what the package is installed from on an interpreter with these tags.
    ///
    /// Of the files of an index the best is chosen as Poetry does: a wheel with a build tag before
    /// all without one, then the wheel with the best tag, then a source distribution.
    ///
    /// # Errors
    /// If the package has an index or an address, and none of its files can be installed. As in Poetry, a local file is
    /// taken as it is.
    pub fn artifact(&self, tags: &Tags, policy: &FilePolicy) -> Result<Artifact<'_>, Error> {
        let first_hash = || self.files.first().map(|file| file.hash.as_str());
        Ok(match &self.source {
            Source::Default | Source::Index { .. } => Artifact::Locked(choose(self, tags, policy)?),
            Source::Url { url, subdirectory } => {
                let file_name = file_name(url);
                if is_foreign(&file_name, tags) {
                    return Err(no_candidate(self, vec![(file_name, Refusal::Tags)], tags));
                }
                Artifact::Url { url, file_name, hash: first_hash(), subdirectory: subdirectory.as_deref() }
            }
            Source::File { path, subdirectory } => {
                Artifact::File { path, hash: first_hash(), subdirectory: subdirectory.as_deref() }
            }
            Source::Directory { path } => Artifact::Directory { path },
            Source::Git { url, reference, resolved_reference, subdirectory } => Artifact::Git {
                url,
                reference,
                commit: resolved_reference.as_deref().unwrap_or(reference),
                subdirectory: subdirectory.as_deref(),
            },
        })
    }
}

/// The last part of the path of an address, with `%2B` and the like decoded.
fn file_name(url: &str) -> String {
    let path = url.split(['#', '?']).next().unwrap_or(url).trim_end_matches('/');
    let encoded = path.rsplit('/').next().unwrap_or(path);
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        match after.get(..2).map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend(rest.bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn choose<'a>(package: &'a LockedPackage, tags: &Tags, policy: &FilePolicy) -> Result<Choice<'a>, Error> {
    let may_fit = package.files.iter().filter(|file| tags.may_fit(&file.name));
    let ranked: Vec<(Rank, &LockedFile)> =
        may_fit.filter_map(|file| Some((rank(package, file, tags, policy).ok()?, file))).collect();
    let best = ranked.iter().map(|(rank, _)| rank).max().cloned();
    let mut best_files = ranked.iter().filter(|(rank, _)| Some(rank) == best.as_ref()).map(|(_, file)| *file);
    match (&best, best_files.next()) {
        (Some(rank), Some(file)) => Ok(Choice { file, is_wheel: rank.is_wheel, ties: best_files.collect() }),
        _ => Err(no_candidate(package, refused(package, tags, policy), tags)),
    }
}

fn no_candidate(package: &LockedPackage, refused: Vec<(String, Refusal)>, tags: &Tags) -> Error {
    Error::NoCandidate(Box::new(NoCandidate {
        name: package.name.clone(),
        version: package.version_text.clone(),
        refused,
        wanted_tags: wanted(tags),
        span: package.span,
    }))
}

/// Whether a file is a wheel for other interpreters or platforms.
fn is_foreign(file_name: &str, tags: &Tags) -> bool {
    match DistributionFile::parse(file_name).map(|file| file.kind) {
        Some(FileKind::Wheel { tags: own, .. }) => tags.best_rank(&own).is_none(),
        _ => false,
    }
}

/// Why none of the files will do.
fn refused(package: &LockedPackage, tags: &Tags, policy: &FilePolicy) -> Vec<(String, Refusal)> {
    let refusal = |file: &LockedFile| Some((file.name.clone(), rank(package, file, tags, policy).err()?));
    package.files.iter().filter_map(refusal).collect()
}

/// The tags that the best wheels have. Of those of an index none has `linux_…`, which promises nothing of the C library.
fn wanted(tags: &Tags) -> Vec<String> {
    let promising = tags.as_slice().iter().filter(|tag| !tag.contains("-linux_"));
    promising.take(WANTED_TAGS).cloned().collect()
}

/// The order of preference: the greater, the better.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    build: Option<(u64, String)>,
    tag: Reverse<usize>,
    is_wheel: bool,
}

fn rank(package: &LockedPackage, file: &LockedFile, tags: &Tags, policy: &FilePolicy) -> Result<Rank, Refusal> {
    let parsed = DistributionFile::parse(&file.name).ok_or(Refusal::Unusable)?;
    if parsed.name != package.name || parsed.version != package.version {
        return Err(Refusal::Unusable);
    }
    match parsed.kind {
        FileKind::Wheel { .. } if !policy.allows_wheel(&package.name) => Err(Refusal::NoBinary),
        FileKind::Wheel { build, tags: own } => {
            let rank = tags.best_rank(&own).ok_or(Refusal::Tags)?;
            Ok(Rank { build, tag: Reverse(rank), is_wheel: true })
        }
        FileKind::Sdist if !policy.allows_sdist(&package.name) => Err(Refusal::OnlyBinary),
        FileKind::Sdist => Ok(Rank { build: None, tag: Reverse(tags.as_slice().len()), is_wheel: false }),
    }
}

impl std::fmt::Display for NoCandidate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, version, refused, .. } = self;
        if refused.is_empty() {
            return write!(formatter, "poetry.lock names no files for `{name}` {version}");
        }
        write!(formatter, "none of the {} locked files of `{name}` {version} can be installed", refused.len())?;
        let of = |wanted| refused.iter().filter(|(_, reason)| *reason == wanted).count();
        let mut separator = ": ";
        for (count, what) in [
            (of(Refusal::Tags), "for other interpreters or platforms"),
            (of(Refusal::NoBinary), "excluded by `installer.no-binary`"),
            (of(Refusal::OnlyBinary), "excluded by `installer.only-binary`"),
            (of(Refusal::Unusable), "in an unknown format"),
        ] {
            if count > 0 {
                write!(formatter, "{separator}{count} {what}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

impl NoCandidate {
    /// What would help.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        if self.refused.is_empty() {
            return Some("Regenerate the lock with `poetry lock`.".into());
        }
        let has = |wanted| self.refused.iter().any(|(_, reason)| *reason == wanted);
        let mut advice = Vec::new();
        if has(Refusal::OnlyBinary) {
            advice.push("Allow source distributions for it (`installer.only-binary`).".to_owned());
        }
        if has(Refusal::NoBinary) {
            advice.push("Allow wheels for it (`installer.no-binary`).".to_owned());
        }
        if has(Refusal::Tags) {
            advice.extend(self.advice_on_tags());
        }
        if has(Refusal::Tags) {
            advice.push(format!("The locked files are {}.", self.shown_files()));
        }
        (!advice.is_empty()).then(|| advice.join(" "))
    }

    fn shown_files(&self) -> String {
        let shown = self.refused.iter().take(SHOWN_FILES).map(|(file, _)| format!("`{file}`"));
        let mut shown: Vec<String> = shown.collect();
        if let Some(more) = self.refused.len().checked_sub(SHOWN_FILES).filter(|more| *more > 0) {
            shown.push(format!("and {more} more"));
        }
        shown.join(", ")
    }

    /// Which change of interpreter, platform or C library would make a wheel fit.
    fn advice_on_tags(&self) -> Vec<String> {
        let wanted = self.wanted_tags.first().map(String::as_str).unwrap_or_default();
        let machine = wanted.rsplit('-').next().map(machine_of).unwrap_or_default();
        let mut pythons = Vec::new();
        let mut libcs = Vec::new();
        let mut machines = Vec::new();
        for (file, reason) in &self.refused {
            let Some(DistributionFile { kind: FileKind::Wheel { tags, .. }, .. }) = DistributionFile::parse(file)
            else {
                continue;
            };
            if *reason != Refusal::Tags {
                continue;
            }
            for tag in &tags {
                let mut parts = tag.splitn(3, '-');
                let (Some(python), Some(_), Some(platform)) = (parts.next(), parts.next(), parts.next()) else {
                    continue;
                };
                push_new(&mut pythons, python);
                if platform.starts_with("manylinux") || platform.starts_with("musllinux") {
                    push_new(&mut libcs, if platform.starts_with("musl") { "musl" } else { "glibc" });
                    push_new(&mut machines, machine_of(platform));
                }
            }
        }
        let mut advice = vec![format!("A wheel for it would have a tag like `{}`.", self.wanted_tags.join("`, `"))];
        if !pythons.is_empty() {
            advice.push(format!("There are wheels for {}.", pythons.join(", ")));
        }
        if !libcs.is_empty() && machines.iter().any(|found| found == machine) {
            advice.push(format!(
                "On {machine} there are wheels for {}: another base image or another Python may fit.",
                libcs.join(" and ")
            ));
        } else if !machines.is_empty() {
            advice.push(format!("There are Linux wheels for {} only.", machines.join(", ")));
        }
        advice
    }
}

/// `x86_64` of `manylinux_2_17_x86_64`.
fn machine_of(platform: &str) -> &str {
    let rest = platform.split_once('_').map_or("", |(_, rest)| rest);
    rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
}

fn push_new(list: &mut Vec<String>, item: &str) {
    if !item.is_empty() && !list.iter().any(|known| known == item) {
        list.push(item.to_owned());
    }
}
