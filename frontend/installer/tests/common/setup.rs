//! Temporary roots, and requests to go with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use install_request::{Archive, Install, Scheme, Wheel};
use poetry_buildkit_installer::Roots;
use poetry_buildkit_installer::fetch::{Client, Patience, Proxies, Trust};
use poetry_buildkit_installer::install::{InstallError, Summary, install};
use poetry_buildkit_installer::wheel::Limits;

use super::archive::sha256;
use super::server::{Reply, Server, json_page};

pub const VENV: &str = "/app/.venv";
pub const SITE: &str = "/app/.venv/lib/python3.11/site-packages";

/// Roots in a temporary folder, in which the caches of some packages are mounted.
pub struct Setup {
    pub folder: tempfile::TempDir,
    pub roots: Roots,
}

impl Setup {
    pub fn new(cached: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let roots = Roots::below(folder.path());
        for root in [&roots.out, &roots.facts, &roots.cache, &roots.secrets, &roots.tree] {
            fs::create_dir_all(root).unwrap();
        }
        for name in cached {
            fs::create_dir(roots.cache.join(name)).unwrap();
        }
        Self { folder, roots }
    }

    /// Puts a wheel into the cache of its package.
    pub fn keep(&self, wheel: &Wheel, bytes: &[u8]) {
        let folder = self.roots.cache.join(&wheel.name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{}.whl", wheel.archive.sha256.as_deref().unwrap())), bytes).unwrap();
    }

    /// Where the final path `path` stands in the result.
    pub fn out(&self, path: &str) -> PathBuf {
        self.roots.out.join(path.trim_start_matches('/'))
    }

    /// Where a module or metadata file stands in the result.
    pub fn site(&self, path: &str) -> PathBuf {
        self.out(&format!("{SITE}/{path}"))
    }

    pub fn install(&self, request: &Install) -> Result<Summary, InstallError> {
        install(request, &self.roots, &client(), &Limits::default())
    }
}

/// A client that loses patience soon.
pub fn client() -> Client {
    let patience = Patience {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs(1),
        idle: Duration::from_secs(1),
        window: Duration::from_millis(500),
        least: 1000,
        attempts: 3,
        first_pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(200),
    };
    Client::new(patience, Proxies::default(), &Trust::default()).unwrap()
}

pub fn scheme() -> Scheme {
    scheme_below(VENV)
}

/// The scheme of an environment at `venv`.
pub fn scheme_below(venv: &str) -> Scheme {
    let scheme = Scheme {
        purelib: "lib/python3.11/site-packages".into(),
        platlib: "lib/python3.11/site-packages".into(),
        scripts: "bin".into(),
        data: String::new(),
        headers: "include/site/python3.11".into(),
    };
    scheme.below(venv)
}

pub fn request(wheels: Vec<Wheel>) -> Install {
    Install { python: format!("{VENV}/bin/python"), scheme: scheme(), wheels }
}

/// What a lock says of the wheel `file`, whose digest is that of `bytes`.
pub fn locked(index: &str, file: &str, bytes: &[u8]) -> Wheel {
    let mut parts = file.split('-');
    let name = parts.next().unwrap().to_lowercase().replace(['_', '.'], "-");
    Wheel::of_index(&name, parts.next().unwrap(), file, &sha256(bytes), &format!("{index}/simple"))
}

/// An index with `wheels`, each by its file name.
pub fn index(wheels: &[(&str, Vec<u8>)]) -> Server {
    let wheels: BTreeMap<String, (Vec<u8>, Wheel)> =
        wheels.iter().map(|(file, bytes)| ((*file).to_owned(), (bytes.clone(), locked("", file, bytes)))).collect();
    Server::start(move |request| {
        let last = request.path.trim_end_matches('/').rsplit('/').next().unwrap();
        if let Some((bytes, _)) = wheels.get(last) {
            return Reply::ok("application/octet-stream", bytes.clone());
        }
        let listed = wheels.values().filter(|(_, wheel)| wheel.name == last);
        let listed: Vec<(&str, String, &str)> = listed
            .map(|(_, wheel)| &wheel.archive)
            .map(|Archive { file, sha256, .. }| {
                (file.as_str(), format!("../../files/{file}"), sha256.as_deref().unwrap())
            })
            .collect();
        let files: Vec<(&str, &str, &str)> =
            listed.iter().map(|(file, address, digest)| (*file, address.as_str(), *digest)).collect();
        if files.is_empty() { Reply::status(404) } else { json_page(&files) }
    })
}
