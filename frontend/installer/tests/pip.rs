//! What we install is what pip installs, for real wheels of many kinds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::real;
use common::setup::{Setup, locked};
use common::tree::{self, Node};
use install_request::{Install, Scheme};
use sha2::{Digest, Sha256};

/// Wheels with compiled modules, bundled libraries, headers, data files, scripts that are programs, scripts to be
/// rewritten, entry points, namespace packages, and metadata of many tools.
const WHEELS: [(&str, &str); 36] = [
    ("attrs", "24.2.0"),
    ("awscli", "1.36.0"),
    ("black", "24.10.0"),
    ("certifi", "2024.8.30"),
    ("cffi", "1.17.1"),
    ("charset-normalizer", "3.4.0"),
    ("click", "8.1.7"),
    ("cryptography", "43.0.3"),
    ("django", "5.1.3"),
    ("docutils", "0.21.2"),
    ("flask", "3.0.3"),
    ("google-cloud-core", "2.4.1"),
    ("greenlet", "3.1.1"),
    ("gunicorn", "23.0.0"),
    ("ipykernel", "6.29.5"),
    ("jinja2", "3.1.4"),
    ("lxml", "5.3.0"),
    ("markupsafe", "3.0.2"),
    ("mypy", "1.13.0"),
    ("ninja", "1.11.1.1"),
    ("numpy", "2.1.3"),
    ("pandas", "2.2.3"),
    ("pillow", "11.0.0"),
    ("poetry-core", "1.9.1"),
    ("protobuf", "5.28.3"),
    ("psycopg2-binary", "2.9.10"),
    ("pytest", "8.3.3"),
    ("python-dateutil", "2.9.0.post0"),
    ("pyyaml", "6.0.2"),
    ("requests", "2.32.3"),
    ("rich", "13.9.4"),
    ("ruff", "0.7.3"),
    ("setuptools", "75.3.0"),
    ("six", "1.16.0"),
    ("sqlalchemy", "2.0.36"),
    ("zope.interface", "7.1.1"),
];

/// Installs all wheels with us, into an environment at `venv`.
fn ours(venv: &str) -> Setup {
    let setup = Setup::new(&[]);
    let scheme = Scheme {
        purelib: "lib/python3.11/site-packages".into(),
        platlib: "lib/python3.11/site-packages".into(),
        scripts: "bin".into(),
        data: String::new(),
        headers: "include/site/python3.11".into(),
    };
    let wheels = WHEELS.map(|(name, version)| {
        let path = real::wheel(name, version);
        let bytes = fs::read(&path).unwrap();
        let wheel = locked("", path.file_name().unwrap().to_str().unwrap(), &bytes);
        setup.keep(&wheel, &bytes);
        wheel
    });
    let request = Install { python: format!("{venv}/bin/python"), scheme: scheme.below(venv), wheels: wheels.to_vec() };
    let summary = setup.install(&request).unwrap();
    assert_eq!(summary.notes, Vec::<String>::new());
    assert!(summary.wheels.iter().all(|wheel| wheel.cached));
    setup
}

/// Installs all wheels with pip, into a new environment at `venv`. Returns what it added.
fn pip(venv: &Path) -> BTreeMap<String, Node> {
    let python = real::interpreters()
        .into_iter()
        .find(|python| version(python) == "3.11")
        .expect("this test needs a Python 3.11 on this machine");
    run(Command::new(python).args(["-m", "venv", "--without-pip"]).arg(venv));
    let before = tree::read(venv);
    let wheels = WHEELS.map(|(name, version)| real::wheel(name, version));
    run(Command::new("python3")
        .args(["-m", "pip", "--python"])
        .arg(venv.join("bin/python"))
        .args(["install", "--quiet", "--no-deps", "--no-compile", "--no-index"])
        .args(wheels));
    let mut after = tree::read(venv);
    after.retain(|path, _| !before.contains_key(path));
    after
}

fn version(python: &Path) -> String {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(python).args(["-c", script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
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
fn is_record(path: &str) -> bool {
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

/// What a script does when asked for its version.
fn behaviour(script: &Path) -> (Option<i32>, String, String) {
    let output = Command::new(script).arg("--version").env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let bin = format!("{}/", script.parent().unwrap().display());
    let text = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).replace(&bin, "");
        // The last line of a traceback tells; the others show the scripts' own lines.
        if text.starts_with("Traceback") { text.lines().last().unwrap_or_default().to_owned() } else { text }
    };
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_same_files_are_installed() {
    let folder = tempfile::tempdir().unwrap();
    let venv = folder.path().join("venv");
    let theirs = pip(&venv);
    let setup = ours(venv.to_str().unwrap());
    let place = setup.out(venv.to_str().unwrap());
    let mut ours = tree::read(&place);
    ours.retain(|path, _| {
        !path.is_empty() && (theirs.contains_key(path) || fs::symlink_metadata(venv.join(path)).is_err())
    });
    let paths = |nodes: &BTreeMap<String, Node>| -> BTreeSet<String> {
        nodes.keys().filter(|path| !is_of_the_tool(path) && !is_bytecode(path)).cloned().collect()
    };
    assert_eq!(paths(&ours).symmetric_difference(&paths(&theirs)).collect::<Vec<_>>(), Vec::<&String>::new());
    let scripts: BTreeSet<String> = ours
        .iter()
        .filter(|(path, node)| path.starts_with("bin/") && node.content != theirs[*path].content)
        .map(|(path, _)| path.clone())
        .collect();
    for (path, node) in &ours {
        if is_of_the_tool(path) {
            continue;
        }
        let other = &theirs[path];
        assert_eq!(format!("{:o}", node.mode), format!("{:o}", other.mode), "{path}");
        if is_record(path) {
            assert_eq!(rows(&node.content, &scripts), rows(&other.content, &scripts), "{path}");
        } else if !scripts.contains(path) {
            assert!(node.content == other.content, "{path} differs");
        }
    }
    assert!(scripts.len() > 10, "{scripts:?}");
    for script in &scripts {
        let (one, other) = (behaviour(&place.join(script)), behaviour(&venv.join(script)));
        assert_eq!(one, other, "{script}");
    }
}

#[test]
fn every_digest_in_every_record_holds() {
    let setup = ours("/app/.venv");
    let nodes = tree::read(&setup.roots.out);
    let mut listed = BTreeSet::new();
    for (path, node) in nodes.iter().filter(|(path, _)| is_record(path)) {
        let site = Path::new(path).parent().unwrap().parent().unwrap();
        let mut previous = String::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&node.content[..]);
        for row in reader.records() {
            let row = row.unwrap();
            assert!(row[0] > *previous, "{path} is not sorted at {}", &row[0]);
            previous = row[0].to_owned();
            let file = match row[0].strip_prefix("../../../") {
                Some(rest) => format!("app/.venv/{rest}"),
                None => format!("{}/{}", site.display(), &row[0]),
            };
            let content = &nodes[&file].content;
            if is_record(&file) {
                assert_eq!((&row[1], &row[2]), ("", ""));
            } else {
                let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(content));
                assert_eq!(&row[1], format!("sha256={digest}"), "{file}");
                assert_eq!(&row[2], content.len().to_string(), "{file}");
            }
            listed.insert(file);
        }
    }
    let files: BTreeSet<String> =
        nodes.iter().filter(|(_, node)| node.mode & 0o170_000 == 0o100_000).map(|(path, _)| path.clone()).collect();
    assert_eq!(listed, files);
}

#[test]
fn two_runs_give_the_same_bytes() {
    let (one, other) = (ours("/app/.venv"), ours("/app/.venv"));
    assert!(tree::read(&one.roots.out) == tree::read(&other.roots.out));
}
