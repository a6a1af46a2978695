//! Which wheels meet the requirements of a build.
//!
//! A depth-first search: for each requirement the newest version that fits, and back to an older one where that leads
//! nowhere. Like Poetry, it looks in the project's own sources; unlike it, the first source that has a package is the
//! only one that is asked for it, so that no other source can slip in a package of the same name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use install_request::{Archive, Index, Origin};
use poetry_lock::{
    Constraint, Dependency, DistributionFile, Environment, Extras, FileKind, Name, Origin as Source, Tags, Version,
};

use crate::Roots;
use crate::fetch::{Client, FetchError};
use crate::index::{self, IndexError};
use crate::obtain::obtain;
use crate::report::{Block, Explain};
use crate::wheel;

/// The most versions of all packages that are tried.
const MOST_TRIES: usize = 2_000;

/// A wheel that can be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: Name,
    pub(super) version: Version,
    pub(super) archive: Archive,
    /// Where the wheel's metadata alone can be had (PEP 658).
    metadata: Option<String>,
    yanked: bool,
}

/// Where requirements come from.
pub(super) enum Sources<'a> {
    /// Repositories, in order of preference.
    Indexes(&'a [Index]),
    /// Names of files in a folder, and the folder's absolute path.
    Wheelhouse(BTreeSet<String>, String),
}

/// Finds wheels.
pub(super) struct Resolver<'a> {
    pub(super) sources: Sources<'a>,
    pub(super) client: &'a Client,
    pub(super) roots: &'a Roots,
    pub(super) environment: &'a Environment,
    pub(super) tags: &'a Tags,
    pub(super) constraints: Vec<Dependency>,
    known: RefCell<BTreeMap<Name, Rc<Vec<Candidate>>>>,
    needs: RefCell<BTreeMap<String, Rc<Vec<Dependency>>>>,
}

/// Why there is no answer.
enum Problem {
    /// This choice leads nowhere; another may.
    Conflict(String),
    /// No choice is better: something cannot be had. To take an older version then would let the network decide.
    Fatal(String),
}

impl Problem {
    fn text(self) -> String {
        match self {
            Self::Conflict(text) | Self::Fatal(text) => text,
        }
    }
}

/// The state of the search: what is chosen, and with which extras.
type Chosen = BTreeMap<Name, (Candidate, BTreeSet<Name>)>;

impl<'a> Resolver<'a> {
    pub(super) fn new(
        sources: Sources<'a>,
        client: &'a Client,
        roots: &'a Roots,
        environment: &'a Environment,
        tags: &'a Tags,
        constraints: Vec<Dependency>,
    ) -> Self {
        let (known, needs) = Default::default();
        Self { sources, client, roots, environment, tags, constraints, known, needs }
    }

    /// The wheels that meet these requirements, by name.
    ///
    /// # Errors
    /// Why there are none, in a sentence.
    pub(super) fn resolve(&self, requirements: &[Dependency]) -> Result<Vec<Candidate>, String> {
        let mut tries = 0;
        let pending = self.applying(requirements, &BTreeSet::new());
        let chosen = pending.and_then(|pending| self.search(Chosen::new(), pending, &mut tries));
        let chosen = chosen.map_err(Problem::text)?;
        Ok(chosen.into_values().map(|(candidate, _)| candidate).collect())
    }

    /// Recurses once for each package that is chosen.
    fn search(&self, mut chosen: Chosen, mut pending: Vec<Dependency>, tries: &mut usize) -> Result<Chosen, Problem> {
        let wanted = loop {
            let Some(wanted) = pending.pop() else {
                return Ok(chosen);
            };
            let Some((candidate, extras)) = chosen.get_mut(&wanted.name) else {
                break wanted;
            };
            if !wanted.constraint.allows(&candidate.version) {
                let Candidate { name, version, .. } = candidate;
                return Err(Problem::Conflict(format!(
                    "{name} {version} is chosen, and {} is asked for",
                    shown(&wanted)
                )));
            }
            if !wanted.extras.is_subset(extras) {
                extras.extend(wanted.extras);
                pending.extend(self.applying(&self.dependencies(candidate)?, extras)?);
            }
        };
        let of_name = pending.iter().chain(&self.constraints).filter(|other| other.name == wanted.name);
        let constraint = of_name.fold(wanted.constraint.clone(), |all, other| all.intersect(&other.constraint));
        let all = self.candidates(&wanted.name)?;
        let fitting: Vec<&Candidate> = all.iter().filter(|candidate| constraint.allows(&candidate.version)).collect();
        // Versions that are not final, or were withdrawn, count only where there is nothing else.
        let is_last_resort = |candidate: &Candidate| candidate.yanked || candidate.version.any_prerelease();
        let (last, first): (Vec<&Candidate>, Vec<&Candidate>) =
            fitting.into_iter().partition(|candidate| is_last_resort(candidate));
        let mut problem = format!("no wheel of {} fits", shown(&wanted));
        let usable = if first.is_empty() { last } else { first };
        for candidate in usable {
            *tries += 1;
            if *tries > MOST_TRIES {
                return Err(Problem::Fatal(format!("the search was given up after {MOST_TRIES} versions")));
            }
            let attempt = self.dependencies(candidate).and_then(|dependencies| {
                let mut pending = pending.clone();
                pending.extend(self.applying(&dependencies, &wanted.extras)?);
                let mut chosen = chosen.clone();
                chosen.insert(wanted.name.clone(), (candidate.clone(), wanted.extras.clone()));
                self.search(chosen, pending, tries)
            });
            match attempt {
                Ok(found) => return Ok(found),
                Err(Problem::Conflict(reason)) => problem = reason,
                Err(fatal) => return Err(fatal),
            }
        }
        Err(Problem::Conflict(problem))
    }

    /// The requirements that apply here.
    fn applying(&self, requirements: &[Dependency], extras: &BTreeSet<Name>) -> Result<Vec<Dependency>, Problem> {
        let mut applying = Vec::new();
        for requirement in requirements {
            let holds = requirement.marker.evaluate(self.environment, Extras::Only(extras));
            let unknown = |error| format!("the marker of {} cannot be evaluated: {error}", requirement.raw_name);
            if !holds.map_err(|error| Problem::Conflict(unknown(error)))? {
                continue;
            }
            if !matches!(requirement.origin, Source::Index { .. }) {
                let name = &requirement.raw_name;
                return Err(Problem::Conflict(format!("{name} is asked for at an address, which is not supported")));
            }
            applying.push(requirement.clone());
        }
        Ok(applying)
    }

    /// The usable wheels of a package, the newest version first.
    fn candidates(&self, name: &Name) -> Result<Rc<Vec<Candidate>>, Problem> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(Rc::clone(known));
        }
        let files = self.files(name)?;
        let mut best: BTreeMap<Version, (usize, Candidate)> = BTreeMap::new();
        let mut sdists = 0;
        for (file, archive) in files {
            let Some(parsed) = DistributionFile::parse(&file.name).filter(|parsed| parsed.name == *name) else {
                continue;
            };
            let FileKind::Wheel { tags, .. } = &parsed.kind else {
                sdists += 1;
                continue;
            };
            let Some(rank) = self.tags.best_rank(tags) else {
                continue;
            };
            let python = file.requires_python.as_deref().and_then(|text| Constraint::parse(text).ok());
            if python.as_ref().is_some_and(|python| !python.allows(&self.environment.python())) {
                continue;
            }
            let candidate = Candidate {
                name: name.clone(),
                version: parsed.version.clone(),
                metadata: file.metadata.then(|| format!("{}.metadata", file.url)),
                archive,
                yanked: file.yanked.is_some(),
            };
            let better = best.get(&parsed.version).is_none_or(|(known, _)| rank < *known);
            if better {
                best.insert(parsed.version, (rank, candidate));
            }
        }
        if best.is_empty() {
            let also =
                if sdists > 0 { "; there are source distributions, which are not built for a build" } else { "" };
            let place = if matches!(self.sources, Sources::Wheelhouse(..)) { " in the wheelhouse" } else { "" };
            return Err(Problem::Conflict(format!("there is no wheel of {name}{place} for the builder image{also}")));
        }
        let found: Rc<Vec<Candidate>> = Rc::new(best.into_values().rev().map(|(_, candidate)| candidate).collect());
        self.known.borrow_mut().insert(name.clone(), Rc::clone(&found));
        Ok(found)
    }

    fn files(&self, name: &Name) -> Result<Vec<(index::File, Archive)>, Problem> {
        match &self.sources {
            Sources::Indexes(indexes) => {
                for index in *indexes {
                    match index::files(self.client, index, name.as_str()) {
                        Ok(files) if files.is_empty() => {}
                        Ok(files) => return Ok(files.into_iter().map(|file| (file.clone(), remote(file))).collect()),
                        Err(IndexError::NoPackage { .. }) => {}
                        Err(error) => return Err(fatal(name.as_str(), &error)),
                    }
                }
                Err(Problem::Conflict(format!("no source of the project has the package {name}")))
            }
            Sources::Wheelhouse(names, folder) => {
                let file = |file: &String| {
                    let url = format!("{folder}/{file}");
                    let archive =
                        Archive { file: file.clone(), sha256: None, origin: Origin::File { path: url.clone() } };
                    (index::File { name: file.clone(), url, ..index::File::default() }, archive)
                };
                Ok(names.iter().map(file).collect())
            }
        }
    }

    /// What a wheel asks for, by its metadata.
    fn dependencies(&self, candidate: &Candidate) -> Result<Rc<Vec<Dependency>>, Problem> {
        let file = &candidate.archive.file;
        if let Some(known) = self.needs.borrow().get(file) {
            return Ok(Rc::clone(known));
        }
        let unreadable = |error: String| Problem::Conflict(format!("the metadata of {file} cannot be read: {error}"));
        let metadata = match self.metadata_alone(candidate)? {
            Some(text) => text,
            None => {
                // Without a folder it would not be kept, and be fetched again when it is installed.
                let folder = self.roots.cache.join(candidate.name.as_str());
                std::fs::create_dir_all(folder).map_err(|error| Problem::Fatal(error.to_string()))?;
                let obtained = obtain(candidate.name.as_str(), &candidate.archive, self.roots, self.client);
                let obtained = obtained.map_err(|error| fatal(file, &error))?;
                wheel::metadata_text(obtained.blob).map_err(|error| unreadable(error.to_string()))?
            }
        };
        let requirements = metadata
            .lines()
            .take_while(|line| !line.trim_end().is_empty())
            .filter_map(|line| line.strip_prefix("Requires-Dist:"))
            .map(|text| Dependency::parse(text).map_err(|error| unreadable(error.to_string())))
            .collect::<Result<Vec<_>, _>>()?;
        let requirements = Rc::new(requirements);
        self.needs.borrow_mut().insert(file.clone(), Rc::clone(&requirements));
        Ok(requirements)
    }

    /// The metadata of a wheel as a file of its own, where the index has one. Some announce what they do not have.
    fn metadata_alone(&self, candidate: &Candidate) -> Result<Option<String>, Problem> {
        let Some(url) = &candidate.metadata else {
            return Ok(None);
        };
        match self.client.page(url, "*/*", 16 << 20) {
            Ok(page) => Ok(Some(String::from_utf8_lossy(&page.body).into_owned())),
            Err(FetchError::Status { status: 404 | 410, .. }) => Ok(None),
            Err(error) => Err(fatal(&candidate.archive.file, &error)),
        }
    }
}

/// What cannot be had, with its facts and what to do.
fn fatal(what: &str, error: &impl Explain) -> Problem {
    Problem::Fatal(Block::new(what, Vec::new(), error).to_string())
}

/// A file of an index, to be had from its address.
fn remote(file: index::File) -> Archive {
    Archive { file: file.name, sha256: file.sha256, origin: Origin::Url { url: file.url } }
}

fn shown(wanted: &Dependency) -> String {
    let text = &wanted.constraint_text;
    if text == "*" { wanted.raw_name.clone() } else { format!("{} {text}", wanted.raw_name) }
}
