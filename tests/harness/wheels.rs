//! Real wheels, downloaded once from the default index and kept.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use buildkit_llb::Platform;
use install_request::{Index, Libc, LibcFamily};
use poetry_buildkit::{index, interpreter};
use poetry_buildkit_installer::fetch::{Client, Patience, Proxies, Trust};
use poetry_buildkit_installer::index::find;
use poetry_lock::{Artifact, Environment, GroupChoice, Options, Project, Tags};
use sha2::{Digest, Sha256};

use crate::{
    dockerfiles,
    examples::{self, Example},
};

/// What outlives a run of the tests.
pub fn cache() -> PathBuf {
    let cache = env::var_os("POETRY_BUILDKIT_CACHE").map(PathBuf::from);
    cache.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
}

/// The folder with every file that a build of an example can ask for.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = cache().join("wheels");
        fs::create_dir_all(&folder).expect("the folder for wheels can be made");
        let projects = examples::all().into_iter().chain(examples::fixtures()).chain(dockerfiles::projects());
        let wanted: Vec<Wanted> = projects.flat_map(|example| of_example(&example)).collect();
        download(&wanted, &folder);
        folder
    })
}

/// A file that is wanted from the default index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Its name.
    pub file: String,
    /// The package that it is a file of.
    pub package: String,
    /// Its digest, where it is locked.
    pub sha256: Option<String>,
}

fn of_example(example: &Example) -> Vec<Wanted> {
    let project = example.project();
    let python = example.python();
    let locked = example.platforms().into_iter().flat_map(|platform| locked(&project, &python, &platform));
    let build = example.case.build_requirements.iter().map(|requirement| {
        let (name, version) = requirement.split_once("==").expect("name==version");
        let file = format!("{}-{version}-py3-none-any.whl", name.replace('-', "_"));
        Wanted { file, package: name.to_owned(), sha256: None }
    });
    locked.chain(build).collect()
}

/// The files of all that any group or extra of a project needs.
pub fn locked(project: &Project, python: &str, platform: &Platform) -> Vec<Wanted> {
    let (environment, tags) = machine(python, platform);
    let groups = GroupChoice { all: true, ..GroupChoice::default() };
    let options = Options { groups, all_extras: true, ..Options::default() };
    let selection = project.select(&environment, &options).unwrap_or_else(|error| panic!("{error}"));
    let file = |package: &poetry_lock::LockedPackage| match package.artifact(&tags, &project.settings.files) {
        Ok(Artifact::Locked(choice)) => {
            let sha256 = Some(choice.file.hash.trim_start_matches("sha256:").to_owned());
            Some(Wanted { file: choice.file.name.clone(), package: package.name.to_string(), sha256 })
        }
        Ok(_) => None,
        Err(error) => panic!("{}: {error}", package.name),
    };
    selection.packages.iter().filter_map(|selected| file(selected.package)).collect()
}

/// Downloads what a folder does not have yet, several files at once.
pub fn download(wanted: &[Wanted], folder: &Path) {
    let mut missing: Vec<&Wanted> = wanted.iter().filter(|wanted| !folder.join(&wanted.file).exists()).collect();
    missing.sort();
    missing.dedup();
    let client = client();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8.min(missing.len()) {
            scope.spawn(|| {
                while let Some(wanted) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                    fetch(&client, wanted, folder);
                }
            });
        }
    });
}

fn fetch(client: &Client, Wanted { file, package, sha256 }: &Wanted, folder: &Path) {
    let default = Index { url: index::DEFAULT.to_owned(), source: None };
    let found = find(client, &default, package, file, sha256.as_deref())
        .unwrap_or_else(|error| panic!("{file} cannot be found in the default index: {error}"));
    let part = folder.join(format!(".{file}.{}", std::process::id()));
    let mut target = fs::File::create(&part).expect("the file can be written");
    client
        .download(&found.url, &mut target, u64::MAX, None)
        .unwrap_or_else(|error| panic!("{file} cannot be downloaded: {error}"));
    let expected = sha256.clone().or(found.sha256).expect("a digest");
    assert_eq!(digest(&part), expected, "{file}");
    fs::rename(&part, folder.join(file)).expect("the file can be kept");
}

/// What decides on markers and on files, for a minor version of Python.
pub fn machine(python: &str, platform: &Platform) -> (Environment, Tags) {
    let libc = Libc { family: LibcFamily::Glibc, major: 2, minor: 36 };
    let described = interpreter::described(&format!("{python}.0"), platform, libc).expect("an interpreter");
    let environment = interpreter::environment(&described).expect("an environment");
    (environment, interpreter::tags(&described).expect("tags"))
}

/// A client for the default index.
pub fn client() -> Client {
    let bundle = env::var_os("SSL_CERT_FILE").and_then(|path| fs::read(path).ok());
    let proxies = Proxies::from_variables(|name| env::var(name).ok()).expect("proxies");
    let trust = Trust { ca_bundle: bundle, ..Trust::default() };
    Client::new(Patience::default(), proxies, &trust).expect("a client")
}

/// The SHA-256 digest of a file, in hexadecimal digits.
pub fn digest(path: &Path) -> String {
    let content = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}
