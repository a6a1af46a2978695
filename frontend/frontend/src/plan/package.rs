//! What a locked package is installed from, and how.
//!
//! Follows `poetry.installation.chooser` and `poetry.installation.executor`, and for `direct_url.json` PEP 610 as
//! Poetry writes it.

use std::collections::BTreeMap;

use install_request::{Archive, ConfigSetting, Origin, layout as places};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poetry_lock::{Artifact, Environment, Extras, FilePolicy, LockedPackage, Name, PackageSet, Selected, Source, Tags};
use serde_json::{Value, json};

use super::{
    BuildFrom, Error, File, How, Inputs, LocalFolder, Package, Recipe,
    bins::Spread,
    indexes::{Indexes, has_credentials},
    make::Lines,
    nodes, root,
};
use crate::{
    layout,
    settings::{BuildPackages, Settings},
};

/// Host keys of the large Git hosts, as they publish them.
const KNOWN_HOSTS: [(&str, &str); 3] = [
    ("bitbucket.org", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO"),
    ("github.com", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"),
    ("gitlab.com", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf"),
];

/// Decides on packages, one by one.
#[derive(Debug)]
pub(super) struct Packages<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) tags: &'a Tags,
    pub(super) indexes: &'a Indexes,
    pub(super) policy: FilePolicy,
    pub(super) environment: &'a Environment,
    /// Of poetry.lock.
    pub(super) lines: Lines,
    /// The absolute path of the application in the image.
    pub(super) workdir: &'a str,
    /// The absolute path of the virtual environment in the image.
    pub(super) venv: &'a str,
    /// The path of the interpreter that programs of packages are run by.
    pub(super) python: &'a str,
    /// How they are spread over nodes.
    pub(super) spread: Spread,
}

impl Packages<'_> {
    pub(super) fn decide(&self, selected: &Selected<'_>) -> Result<Package, Error> {
        let locked = selected.package;
        let (how, direct_url) = self.how(locked)?;
        let mut package = Package {
            name: locked.name.to_string(),
            version: locked.version_text.clone(),
            source: source(locked),
            node: nodes::id(locked, &how, self.spread),
            file: None,
            sha256: None,
            because: selected.reason.to_string(),
            how,
            direct_url,
            lock_line: self.lines.line(locked.span),
        };
        package.file = package.archive().map(|file| file.archive.file.clone());
        package.sha256 = package.archive().and_then(|file| file.archive.sha256.clone());
        Ok(package)
    }

    fn how(&self, locked: &LockedPackage) -> Result<(How, Option<String>), Error> {
        Ok(match locked.artifact(self.tags, &self.policy)? {
            Artifact::Locked(choice) => {
                let sha256 = choice.file.hash.strip_prefix("sha256:");
                let sha256 =
                    sha256.ok_or_else(|| Error::NoSha256 { file: choice.file.name.clone(), span: choice.file.span })?;
                let origin = Origin::Index(self.indexes.of_package(locked)?.clone());
                let file = self.file(choice.file.name.clone(), Some(sha256), origin);
                (self.installed(locked, file, None), None)
            }
            Artifact::Url { url, file_name, hash, subdirectory } => {
                refuse_credentials(locked, has_credentials(url))?;
                let sha256 = hash.and_then(|hash| hash.strip_prefix("sha256:"));
                let about = direct_url(url, archive_info(sha256), subdirectory);
                let file = self.file(file_name, sha256, Origin::Url { url: url.to_owned() });
                (self.installed(locked, file, subdirectory), Some(about))
            }
            Artifact::File { path, hash, subdirectory } => {
                let LocalFolder { path, place } = self.folder(locked, path)?;
                let sha256 = hash.and_then(|hash| hash.strip_prefix("sha256:"));
                let about = direct_url(&file_url(&place), archive_info(sha256), subdirectory);
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                let archive = Archive { origin: mounted(&name), file: name, sha256: sha256.map(str::to_owned) };
                (self.installed(locked, File { archive, local: Some(path) }, subdirectory), Some(about))
            }
            Artifact::Git { url, reference, commit, subdirectory } => {
                self.git(locked, url, reference, commit, subdirectory)?
            }
            Artifact::Directory { path } => self.directory(locked, path)?,
        })
    }

    /// A file of an index or at an address, which a wheelhouse can stand in for.
    fn file(&self, name: String, sha256: Option<&str>, origin: Origin) -> File {
        let origin = if self.inputs.wheelhouse { mounted(&name) } else { origin };
        File { archive: Archive { file: name, sha256: sha256.map(str::to_owned), origin }, local: None }
    }

    fn installed(&self, locked: &LockedPackage, file: File, subdirectory: Option<&str>) -> How {
        if file.archive.file.ends_with(".whl") {
            return How::Wheel(file);
        }
        let from = BuildFrom::Archive { file, subdirectory: subdirectory.map(str::to_owned) };
        How::Build(self.recipe(locked, from, false))
    }

    fn recipe(&self, locked: &LockedPackage, from: BuildFrom, editable: bool) -> Recipe {
        let setting = |(key, value): (&String, &poetry_lock::ConfigSetting)| {
            let value = match value {
                poetry_lock::ConfigSetting::One(text) => ConfigSetting::One(text.clone()),
                poetry_lock::ConfigSetting::Several(texts) => ConfigSetting::Several(texts.clone()),
            };
            (key.clone(), value)
        };
        let settings = self.inputs.project.settings.build_config_settings.get(&locked.name);
        Recipe {
            from,
            editable,
            apt: build_apt(self.inputs.settings, &locked.name),
            constraints: build_constraints(self.inputs, self.environment, &locked.name),
            config_settings: settings.into_iter().flatten().map(setting).collect(),
        }
    }

    fn git(
        &self,
        locked: &LockedPackage,
        url: &str,
        reference: &str,
        commit: &str,
        subdirectory: Option<&str>,
    ) -> Result<(How, Option<String>), Error> {
        let (name, span) = (locked.name.to_string(), locked.span);
        refuse_credentials(locked, git_has_credentials(url))?;
        if self.inputs.wheelhouse {
            return Err(Error::GitInWheelhouse { name, span });
        }
        let commit = commit.to_owned();
        let is_hex = commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !([40, 64].contains(&commit.len()) && is_hex) {
            return Err(Error::NoCommit { name, commit, span });
        }
        if let Err(source) = buildkit_llb::Source::git(url).output() {
            return Err(Error::GitAddress { name, reason: source.to_string(), span });
        }
        if let Some(host) = ssh_host(url)
            && known_hosts(self.inputs.settings, host).is_empty()
        {
            return Err(Error::UnknownHost { name, host: host.to_owned(), span });
        }
        let repository = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(url);
        let place = format!("{}/src/{}", self.venv, repository.trim_end_matches(".git"));
        let about = if locked.develop {
            direct_url(&file_url(&place), dir_info(true), None)
        } else {
            let info = json!({ "vcs": "git", "requested_revision": reference, "commit_id": commit });
            direct_url(url, ("vcs_info", info), subdirectory)
        };
        let subdirectory = subdirectory.map(str::to_owned);
        let from = BuildFrom::Git { url: url.to_owned(), commit, subdirectory, place };
        Ok((How::Build(self.recipe(locked, from, locked.develop)), Some(about)))
    }

    fn directory(&self, locked: &LockedPackage, path: &str) -> Result<(How, Option<String>), Error> {
        let folder = self.folder(locked, path)?;
        if self.inputs.project_folder.is_some() && !self.inputs.folders.contains_key(&folder.path) {
            return Err(Error::NoFolder { name: locked.name.to_string(), path: path.to_owned(), span: locked.span });
        }
        let is_elsewhere = folder.path.starts_with("..");
        if locked.develop && is_elsewhere && is_taken(&folder.place, &[self.workdir, self.venv]) {
            return Err(Error::Taken { name: locked.name.to_string(), place: folder.place, span: locked.span });
        }
        let about = direct_url(&file_url(&folder.place), dir_info(locked.develop), None);
        let how = match self.linked(locked, &folder) {
            Some(files) => How::Linked { folder, files },
            None => How::Build(self.recipe(locked, BuildFrom::Folder(folder), locked.develop)),
        };
        Ok((how, Some(about)))
    }

    /// The files of an editable installation, where they can be told without running the project's build backend.
    fn linked(&self, locked: &LockedPackage, folder: &LocalFolder) -> Option<BTreeMap<String, super::GeneratedFile>> {
        let super::Folder { pyproject, files } =
            self.inputs.folders.get(&folder.path)?.as_ref().filter(|_| locked.develop)?;
        let backend = pyproject.build_system.as_ref()?.backend.as_ref()?.value.as_str();
        if !["poetry.core.masonry.api", "poetry.masonry.api"].contains(&backend) || pyproject.build.script.is_some() {
            return None;
        }
        let modules = layout::find(pyproject, files);
        if modules.is_empty() {
            return None;
        }
        let scheme = self.inputs.interpreter.venv.below(self.venv);
        let root = root::install(pyproject, &modules, &folder.place, self.python, &scheme)?;
        root.copied.is_empty().then_some(root.files)
    }

    /// A path of the lock, relative to the project and in the image.
    fn folder(&self, locked: &LockedPackage, path: &str) -> Result<LocalFolder, Error> {
        let outside = || Error::Outside { name: locked.name.to_string(), path: path.to_owned(), span: locked.span };
        if path.starts_with('/') {
            return Err(outside());
        }
        let relative = layout::normalized(path);
        if let Some(project) = self.inputs.project_folder
            && layout::normalized(&format!("{project}/{relative}")).starts_with("..")
        {
            return Err(outside());
        }
        // Above the root there is nothing else.
        let place = layout::normalized(&format!("{}/{relative}", self.workdir.trim_start_matches('/')));
        let place = place.split('/').filter(|part| *part != "..").collect::<Vec<_>>().join("/");
        Ok(LocalFolder { path: relative, place: format!("/{place}") })
    }
}

/// Folders of a Linux system. In many images some of them are links, which a layer with a folder would replace.
const SYSTEM: [&str; 18] = [
    "",
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "poetry-buildkit",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr",
    "var",
];

/// Whether a folder of the user's must not be put at this absolute path: a folder of the system, or one that is, holds or
/// is inside of one of `own`.
fn is_taken(place: &str, own: &[&str]) -> bool {
    let contains = |outer: &str, inner: &str| {
        inner.strip_prefix(outer.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let top = place.trim_start_matches('/').split('/').next().unwrap_or_default();
    SYSTEM.contains(&top) || own.iter().any(|own| contains(own, place) || contains(place, own))
}

fn refuse_credentials(locked: &LockedPackage, has_credentials: bool) -> Result<(), Error> {
    let (name, span) = (locked.name.to_string(), locked.span);
    if has_credentials { Err(Error::PackageCredentials { name, span }) } else { Ok(()) }
}

/// Whether the address of a repository holds more than the name of the user at an SSH server.
fn git_has_credentials(url: &str) -> bool {
    if ssh_host(url).is_none() {
        return has_credentials(url);
    }
    let authority = url.split_once("://").and_then(|(_, rest)| rest.split('/').next());
    authority.and_then(|authority| authority.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':'))
}

/// The Debian packages that the build of a package needs.
pub(super) fn build_apt(settings: &Settings, package: &Name) -> Vec<String> {
    let mut packages = match settings.build_apt.as_ref().map(|setting| &setting.value) {
        None => Vec::new(),
        Some(BuildPackages::All(packages)) => packages.clone(),
        Some(BuildPackages::Each(packages)) => {
            let of =
                |(name, packages): (&String, &Vec<String>)| (Name::new(name) == *package).then(|| packages.clone());
            packages.iter().filter_map(of).flatten().collect()
        }
    };
    packages.sort();
    packages.dedup();
    packages
}

/// What restricts the build requirements of a package (`[tool.poetry.build-constraints]`), as far as it applies.
pub(super) fn build_constraints(inputs: &Inputs<'_>, environment: &Environment, package: &Name) -> Vec<String> {
    let constraints = inputs.project.pyproject.build_constraints.get(package).into_iter().flatten();
    let applying = constraints.filter(|wanted| wanted.marker.evaluate(environment, Extras::Open).unwrap_or(true));
    applying.map(|wanted| format!("{} ({})", wanted.raw_name, wanted.constraint_text)).collect()
}

/// Which files may be chosen: the settings, else poetry.toml.
pub(super) fn policy(inputs: &Inputs<'_>) -> FilePolicy {
    let set = |setting: &Option<crate::settings::Located<Vec<String>>>, default: &PackageSet| {
        setting.as_ref().map_or_else(|| default.clone(), |setting| PackageSet::parse(&setting.value.join(",")))
    };
    let default = &inputs.project.settings.files;
    FilePolicy {
        no_binary: set(&inputs.settings.no_binary, &default.no_binary),
        only_binary: set(&inputs.settings.only_binary, &default.only_binary),
    }
}

/// The lines of `known_hosts` for a host: the user's own, and ours.
pub(crate) fn known_hosts(settings: &Settings, host: &str) -> String {
    let own = settings.known_hosts.iter().flat_map(|lines| lines.value.iter().cloned());
    let ours = KNOWN_HOSTS.iter().filter(|(name, _)| *name == host).map(|(name, key)| format!("{name} {key}"));
    own.chain(ours).collect::<Vec<_>>().join("\n")
}

/// The host of an address over SSH: `ssh://user@host:port/path` or `user@host:path`.
pub(crate) fn ssh_host(url: &str) -> Option<&str> {
    let authority = match url.split_once("://") {
        Some(("ssh", rest)) => rest.split('/').next()?,
        Some(_) => return None,
        None => url.split_once(':')?.0,
    };
    let host = authority.rsplit('@').next()?;
    host.split(':').next().filter(|host| !host.is_empty())
}

/// A file that is mounted into the step.
fn mounted(name: &str) -> Origin {
    Origin::File { path: format!("{}/{name}", places::FILES) }
}

fn archive_info(sha256: Option<&str>) -> (&'static str, Value) {
    let hashes = sha256.map_or_else(|| json!({}), |sha256| json!({ "hashes": { "sha256": sha256 } }));
    ("archive_info", hashes)
}

fn dir_info(editable: bool) -> (&'static str, Value) {
    ("dir_info", if editable { json!({ "editable": true }) } else { json!({}) })
}

/// The address of an absolute path, as Python's `Path.as_uri` has it.
pub(super) fn file_url(path: &str) -> String {
    const QUOTED: AsciiSet = NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');
    format!("file://{}", utf8_percent_encode(path, &QUOTED))
}

/// `direct_url.json` (PEP 610).
fn direct_url(url: &str, (kind, info): (&str, Value), subdirectory: Option<&str>) -> String {
    let mut object = json!({ "url": url, kind: info });
    if let Some(subdirectory) = subdirectory {
        object["subdirectory"] = json!(subdirectory);
    }
    object.to_string()
}

/// `[package.source]` as the lock has it, and `develop` for what can be editable.
fn source(locked: &LockedPackage) -> Option<BTreeMap<String, Value>> {
    let (develop, pairs) = match &locked.source {
        Source::Default => return None,
        Source::Index { name, url } => (None, vec![("type", "legacy"), ("url", url), ("reference", name)]),
        Source::Git { url, reference, resolved_reference, subdirectory } => {
            let mut pairs = vec![("type", "git"), ("url", url.as_str()), ("reference", reference)];
            pairs.extend(resolved_reference.as_deref().map(|commit| ("resolved_reference", commit)));
            pairs.extend(subdirectory.as_deref().map(|folder| ("subdirectory", folder)));
            (Some(locked.develop), pairs)
        }
        Source::Url { url, subdirectory } => {
            let mut pairs = vec![("type", "url"), ("url", url.as_str())];
            pairs.extend(subdirectory.as_deref().map(|folder| ("subdirectory", folder)));
            (None, pairs)
        }
        Source::File { path, subdirectory } => {
            let mut pairs = vec![("type", "file"), ("url", path.as_str())];
            pairs.extend(subdirectory.as_deref().map(|folder| ("subdirectory", folder)));
            (None, pairs)
        }
        Source::Directory { path } => (Some(locked.develop), vec![("type", "directory"), ("url", path)]),
    };
    let mut object: BTreeMap<String, Value> =
        pairs.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    if let Some(develop) = develop {
        object.insert("develop".to_owned(), json!(develop));
    }
    Some(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_over_ssh() {
        assert_eq!(ssh_host("git@example.org:a/b.git"), Some("example.org"));
        assert_eq!(ssh_host("ssh://git@example.org:2222/a/b.git"), Some("example.org"));
        assert_eq!(ssh_host("https://example.org/a/b.git"), None);
    }

    #[test]
    fn keys_of_hosts_are_known_besides_the_users_own() {
        let origin = crate::settings::Origin::Argument("x".to_owned());
        let own = crate::settings::Located { value: vec!["git.example.org ssh-ed25519 A".to_owned()], origin };
        let settings = Settings { known_hosts: Some(own), ..Settings::default() };
        let lines = |host: &str| known_hosts(&settings, host).lines().count();
        assert_eq!((lines("git.example.org"), lines("github.com")), (1, 2));
    }

    #[test]
    fn places_of_the_system_and_of_the_application_are_taken() {
        let own = ["/app", "/opt/env"];
        for place in ["/lib", "/lib/util", "/usr/share/x", "/", "/app", "/app/x", "/opt", "/opt/env/lib"] {
            assert!(is_taken(place, &own), "{place}");
        }
        for place in ["/libs/shared", "/apps", "/opt/environment", "/srv/lib"] {
            assert!(!is_taken(place, &own), "{place}");
        }
    }

    #[test]
    fn passwords_in_addresses_of_repositories_are_found() {
        for url in ["https://t@x.org/a", "https://u:p@x.org/a.git", "http://u:p@x.org/a", "ssh://u:p@x.org/a.git"] {
            assert!(git_has_credentials(url), "{url}");
        }
        for url in ["https://x.org/a@b", "git@x.org:a/b.git", "ssh://git@x.org:22/a.git", "git://x.org/a"] {
            assert!(!git_has_credentials(url), "{url}");
        }
    }

    #[test]
    fn direct_urls_are_those_of_pep_610() {
        assert_eq!(file_url("/srv/my app/ü+a"), "file:///srv/my%20app/%C3%BC%2Ba");
        let text = direct_url("https://example.org/a.zip", archive_info(Some("00")), Some("sub"));
        assert_eq!(
            text,
            r#"{"archive_info":{"hashes":{"sha256":"00"}},"subdirectory":"sub","url":"https://example.org/a.zip"}"#
        );
        assert_eq!(
            direct_url("file:///app/a", dir_info(true), None),
            r#"{"dir_info":{"editable":true},"url":"file:///app/a"}"#
        );
    }
}
