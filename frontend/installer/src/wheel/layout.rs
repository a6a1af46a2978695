//! Where each file of a wheel goes (binary distribution format, "Installing a wheel").

use std::collections::{BTreeMap, BTreeSet};

use install_request::{Scheme, Wheel};
use poetry_lock::Name;

use super::archive::{Archive, Entry};
use super::entry_points::{self, Function};
use super::metadata::{check_identity, root_is_purelib};
use super::{WheelError, record, scripts};
use crate::paths::{join, parent};

/// The most that a file of metadata may hold.
pub(super) const METADATA_LIMIT: u64 = 64 << 20;

/// Files of the metadata folder that say how a distribution was installed: ours to write, or to leave out.
const INSTALLATION_FILES: [&str; 4] = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json"];

/// What `INSTALLER` says.
const INSTALLER: &[u8] = b"poetry-buildkit\n";

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Its final absolute path.
    pub(crate) path: String,
    /// Where its content comes from.
    pub(crate) content: Content,
    /// Whether it may be executed.
    pub(crate) executable: bool,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// An entry of the archive.
    Entry(Entry),
    /// An entry whose first line may be the placeholder for the interpreter.
    Script(Entry),
    /// What we wrote ourselves.
    Text(Vec<u8>),
}

/// All that a wheel installs, but for its RECORD.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The files, sorted by path.
    pub(crate) files: Vec<Planned>,
    /// The folder that modules go to; the paths in RECORD are relative to it.
    pub(crate) site: String,
    /// The final path of RECORD.
    pub(crate) record: String,
    /// The digests that the wheel's own RECORD lists, by the name of the entry.
    pub(crate) listed: BTreeMap<String, Option<String>>,
    /// How many files it does not list.
    pub(crate) unlisted: usize,
    /// The first line of scripts.
    pub(crate) first_line: String,
}

impl Layout {
    /// Reads the wheel's metadata and finds the place of each file.
    ///
    /// As Poetry does, files in `__pycache__` are left out, files that RECORD does not list are
    /// installed, and lines of RECORD without a file are passed over.
    ///
    /// # Errors
    /// The metadata is missing or not what was locked, or a file has no place of its own.
    pub(crate) fn new(
        archive: &Archive,
        entries: Vec<Entry>,
        locked: &Wheel,
        scheme: &Scheme,
        python: &str,
    ) -> Result<Self, WheelError> {
        let dist_info = find_dist_info(&entries, locked)?;
        let read = |file: &str| {
            let name = format!("{dist_info}/{file}");
            let entry = entries.iter().find(|entry| entry.name == name);
            entry.map(|entry| archive.read(entry, METADATA_LIMIT)).transpose()
        };
        let required =
            |file: &str| read(file)?.ok_or_else(|| WheelError::MissingFile { file: format!("{dist_info}/{file}") });
        let site = match root_is_purelib(&required("WHEEL")?)? {
            true => &scheme.purelib,
            false => &scheme.platlib,
        };
        let name = check_identity(&required("METADATA")?, locked)?;
        let listed = record::parse(&required("RECORD")?)?;
        let commands = match read("entry_points.txt")? {
            Some(content) => entry_points::parse(&content)?,
            None => BTreeMap::new(),
        };

        let unlisted = entries
            .iter()
            .filter(|entry| !listed.contains_key(&entry.name))
            .filter(|entry| !is_left_out(&entry.name, &dist_info) && !is_signature(&entry.name))
            .count();
        let first_line = install_request::first_line(python);
        let mut files = launchers(&commands, scheme, &first_line);
        files.push(Planned {
            path: join(site, &format!("{dist_info}/INSTALLER")),
            content: Content::Text(INSTALLER.to_vec()),
            executable: false,
        });
        files.extend(locked.direct_url.as_ref().map(|text| Planned {
            path: join(site, &format!("{dist_info}/direct_url.json")),
            content: Content::Text(text.clone().into_bytes()),
            executable: false,
        }));
        files.extend(locked.requested.then(|| Planned {
            path: join(site, &format!("{dist_info}/REQUESTED")),
            content: Content::Text(Vec::new()),
            executable: false,
        }));
        // As Poetry: by the name of the file, not by that of the metadata.
        let distribution = locked.archive.file.split('-').next().unwrap_or(&name);
        let headers = join(&scheme.headers, distribution);
        let places = Places { scheme, site, headers: &headers, name: &name };
        let written: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
        for entry in entries {
            if is_left_out(&entry.name, &dist_info) {
                continue;
            }
            let planned = places.plan(entry)?;
            if !written.contains(&planned.path) {
                files.push(planned);
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let record = join(site, &format!("{dist_info}/RECORD"));
        check_destinations(&files, &record, scheme)?;
        Ok(Self { files, site: site.clone(), record, unlisted, listed, first_line })
    }
}

/// The name of the one folder of metadata, which must bear the package's name.
fn find_dist_info(entries: &[Entry], locked: &Wheel) -> Result<String, WheelError> {
    let found: BTreeSet<&str> = entries
        .iter()
        .filter_map(|entry| entry.name.split_once('/'))
        .map(|(top, _)| top)
        .filter(|top| top.ends_with(".dist-info"))
        .collect();
    let dist_info = *found.first().ok_or(WheelError::NoDistInfo)?;
    if found.len() > 1 {
        return Err(WheelError::SeveralDistInfo { found: found.into_iter().map(str::to_owned).collect() });
    }
    if !is_named_after(dist_info, ".dist-info", &locked.name) {
        return Err(WheelError::DistInfoName { found: dist_info.to_owned(), locked: locked.name.clone() });
    }
    Ok(dist_info.to_owned())
}

/// Whether `folder` is of the form `name-version.ending`.
fn is_named_after(folder: &str, ending: &str, name: &str) -> bool {
    folder
        .strip_suffix(ending)
        .and_then(|stem| stem.rsplit_once('-'))
        .is_some_and(|(found, _)| Name::new(found) == Name::new(name))
}

fn launchers(commands: &BTreeMap<String, Function>, scheme: &Scheme, first_line: &str) -> Vec<Planned> {
    commands
        .iter()
        .map(|(name, function)| Planned {
            path: join(&scheme.scripts, name),
            content: Content::Text(scripts::launcher(first_line, function).into_bytes()),
            executable: true,
        })
        .collect()
}

fn is_left_out(entry: &str, dist_info: &str) -> bool {
    let (folder, file) = entry.rsplit_once('/').unwrap_or(("", entry));
    folder.split('/').any(|part| part == "__pycache__") || (folder == dist_info && INSTALLATION_FILES.contains(&file))
}

/// Signatures of RECORD, which it cannot list.
fn is_signature(entry: &str) -> bool {
    entry.ends_with("/RECORD.jws") || entry.ends_with("/RECORD.p7s")
}

struct Places<'a> {
    scheme: &'a Scheme,
    site: &'a str,
    headers: &'a str,
    name: &'a str,
}

impl Places<'_> {
    fn plan(&self, entry: Entry) -> Result<Planned, WheelError> {
        let data = entry.name.split_once('/').filter(|(top, _)| is_named_after(top, ".data", self.name));
        let Some((_, inside)) = data else {
            return Ok(Planned {
                path: join(self.site, &entry.name),
                executable: entry.executable,
                content: Content::Entry(entry),
            });
        };
        let (folder, rest) = match inside.split_once('/') {
            Some(("purelib", rest)) => (&*self.scheme.purelib, rest),
            Some(("platlib", rest)) => (&*self.scheme.platlib, rest),
            Some(("data", rest)) => (&*self.scheme.data, rest),
            Some(("headers", rest)) => (self.headers, rest),
            Some(("scripts", rest)) => {
                return Ok(Planned {
                    path: join(&self.scheme.scripts, rest),
                    executable: entry.executable || entry.modeless,
                    content: Content::Script(entry),
                });
            }
            _ => return Err(WheelError::DataScheme { entry: entry.name }),
        };
        Ok(Planned { path: join(folder, rest), executable: entry.executable, content: Content::Entry(entry) })
    }
}

/// Checks that each of the sorted files has a place of its own, and none takes that of a file of the
/// environment or of another distribution's metadata.
fn check_destinations(files: &[Planned], record: &str, scheme: &Scheme) -> Result<(), WheelError> {
    let paths = || files.iter().map(|file| file.path.as_str());
    let twice = paths()
        .zip(paths().skip(1))
        .find_map(|(one, next)| (one == next).then_some(one))
        .or_else(|| paths().find(|path| *path == record));
    if let Some(path) = twice {
        let path = path.to_owned();
        return Err(WheelError::SameDestination { path });
    }
    let settings = join(&scheme.data, "pyvenv.cfg");
    for path in paths() {
        let script = path.rsplit('/').next().unwrap_or(path);
        if path == settings || (parent(path) == scheme.scripts && is_interpreter(script)) {
            let path = path.to_owned();
            return Err(WheelError::Reserved { path });
        }
        let own = parent(record);
        let metadata = |site: &str| {
            let inside = path.strip_prefix(site)?.strip_prefix('/')?;
            let (top, _) = inside.split_once('/')?;
            (top.ends_with(".dist-info") && join(site, top) != own).then_some(())
        };
        if metadata(&scheme.purelib).or(metadata(&scheme.platlib)).is_some() {
            let path = path.to_owned();
            return Err(WheelError::ForeignMetadata { path });
        }
    }
    Ok(())
}

/// Whether a file name is `python`, `python3` or `python3.11`, of any numbers.
fn is_interpreter(name: &str) -> bool {
    name.strip_prefix("python").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}
