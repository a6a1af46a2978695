//! What an example needs around it: an index of its own with a password, Git servers, or no network at all.

use std::{any::Any, collections::BTreeMap, fs, path::Path, sync::OnceLock, time::SystemTime};

use poetry_lock::{HashFormula, content_hash};
use tempfile::TempDir;

use crate::{
    docker::Build,
    examples::Example,
    git::{HttpsServer, SshServer},
    index::Index,
    tls, wheels,
};

/// The user name and the password of private indexes, and the token of private repositories. They must not be seen
/// anywhere after a build, and no other run has the same.
#[derive(Debug)]
pub struct Canaries {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// The token.
    pub token: String,
    /// When they were made, in seconds since 1970.
    pub since: u64,
}

/// Those of this run.
pub fn canaries() -> &'static Canaries {
    static CANARIES: OnceLock<Canaries> = OnceLock::new();
    CANARIES.get_or_init(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
        let canary = |name: &str| format!("canary-{name}-{}", now.as_nanos());
        let (username, password, token) = (canary("user"), canary("password"), canary("token"));
        Canaries { username, password, token, since: now.as_secs() }
    })
}

/// An example whose build can start.
pub struct Ready {
    /// A build of it.
    pub build: Build,
    /// The example, or a copy of it whose addresses are those of servers on loopback.
    pub example: Example,
    keep: Vec<Box<dyn Any>>,
}

impl Ready {
    /// Starts what the example needs.
    pub fn new(example: &Example, index: &Index) -> Self {
        let build = example.build(&example.folder).build_arg("POETRY_BUILDKIT_INDEX", &index.url());
        let mut ready = Self { build, example: example.clone(), keep: Vec::new() };
        if !example.case.repositories.is_empty() {
            ready.serve_repositories(index);
        }
        if !example.case.private.is_empty() {
            ready.serve_privately();
        }
        if example.case.offline {
            ready.cut_off();
        }
        ready
    }

    /// The build without one of its secrets.
    #[must_use]
    pub fn without_secret(&self, id: &str) -> Build {
        self.build.clone().without(&format!("id={id},"))
    }

    /// Serves the private sources, and passes their password and certificate.
    fn serve_privately(&mut self) {
        let private = Index::private(wheels::folder(), &canaries().username, &canaries().password);
        let mut mirrors = Vec::new();
        for source in &self.example.case.private.clone() {
            mirrors.push(format!("{source} = {:?}", private.url()));
            let id = source.to_uppercase();
            self.secret(&format!("POETRY_HTTP_BASIC_{id}_USERNAME"), &canaries().username);
            self.secret(&format!("POETRY_HTTP_BASIC_{id}_PASSWORD"), &canaries().password);
            let authority = fs::read_to_string(tls::authority()).expect("the authority's certificate");
            self.secret(&format!("POETRY_CERTIFICATES_{id}_CERT"), &authority);
        }
        self.build = self.build.clone().build_arg("POETRY_BUILDKIT_INDEXES", &format!("{{ {} }}", mirrors.join(", ")));
    }

    /// Serves the repositories, over TLS or SSH as their addresses say.
    fn serve_repositories(&mut self, index: &Index) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/repositories");
        let name = |address: &str| address.rsplit('/').next().unwrap_or_default().to_owned();
        let of = |scheme: &str| -> Vec<(String, String)> {
            let all = self.example.case.repositories.iter().filter(|(address, _)| address.starts_with(scheme));
            all.map(|(address, folder)| (address.clone(), folder.clone())).collect()
        };
        let mut addresses = BTreeMap::new();
        let https = HttpsServer::start(&canaries().token);
        for (address, folder) in of("https:") {
            addresses.insert(address.clone(), https.add(&name(&address), &fixtures.join(folder)));
        }
        let over_ssh: Vec<(String, String)> = of("ssh:");
        let served: Vec<_> = over_ssh.iter().map(|(address, folder)| (name(address), fixtures.join(folder))).collect();
        let served: Vec<(&str, &Path)> = served.iter().map(|(name, files)| (name.as_str(), files.as_path())).collect();
        let ssh = SshServer::start(&served);
        addresses.extend(over_ssh.iter().map(|(address, _)| (address.clone(), ssh.url(&name(address)))));

        let copy = self.copy(&addresses);
        self.build = self
            .example
            .build(&self.example.folder)
            .build_arg("POETRY_BUILDKIT_INDEX", &index.url())
            .build_arg("POETRY_BUILDKIT_KNOWN_HOSTS", &format!("[{:?}]", ssh.known_host()))
            .arg("--ssh")
            .arg(format!("default={}", ssh.key().display()));
        self.secret("GIT_AUTH_TOKEN", &canaries().token);
        self.keep.extend([Box::new(copy) as Box<dyn Any>, Box::new(https), Box::new(ssh)]);
    }

    /// Goes on with a copy of the example that has other addresses.
    fn copy(&mut self, addresses: &BTreeMap<String, String>) -> TempDir {
        let copy = self.example.copy();
        let changed = |text: String| addresses.iter().fold(text, |text, (from, to)| text.replace(from, to));
        let read = |name: &str| changed(fs::read_to_string(copy.path().join(name)).expect("a file of the project"));
        let (pyproject, lock) = (read("pyproject.toml"), read("poetry.lock"));
        let hash = content_hash(&pyproject, HashFormula::Poetry2_3).expect("a content hash");
        let lines = lock.lines().map(|line| match line.starts_with("content-hash = ") {
            true => format!("content-hash = {hash:?}\n"),
            false => format!("{line}\n"),
        });
        fs::write(copy.path().join("poetry.lock"), lines.collect::<String>()).expect("poetry.lock");
        fs::write(copy.path().join("pyproject.toml"), pyproject).expect("pyproject.toml");
        let name = self.example.name.clone();
        self.example = Example { name, ..Example::in_folder(copy.path().to_owned()) };
        copy
    }

    /// Fills a wheelhouse, and goes on with a build from it that has no network.
    fn cut_off(&mut self) {
        let wheelhouse = tempfile::tempdir().expect("a temporary folder");
        let dest = format!("type=local,dest={}", wheelhouse.path().display());
        self.build.clone().args(["--target", "wheelhouse", "--output", &dest]).succeed();
        self.build = self
            .example
            .build(&self.example.folder)
            .args(["--network", "none"])
            .arg("--build-context")
            .arg(format!("wheelhouse={}", wheelhouse.path().display()));
        self.keep.push(Box::new(wheelhouse));
    }

    /// Passes a build secret.
    fn secret(&mut self, id: &str, value: &str) {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::io::Write::write_all(&mut file, value.as_bytes()).expect("the secret");
        self.build = self.build.clone().arg("--secret").arg(format!("id={id},src={}", file.path().display()));
        self.keep.push(Box::new(file));
    }
}
