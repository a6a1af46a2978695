//! What we install is what pip installs, for many popular wheels of all kinds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::popular::{self, Shared, WHEELS, is_record};
use common::tree;
use sha2::{Digest, Sha256};

/// Where we do as Poetry does, and pip otherwise.
const EXPLAINED: [(&str, &str); 3] = [
    ("include/site/python3.11/pybind11_global", HEADERS),
    ("include/site/python3.11/pybind11-global", HEADERS),
    ("bin/pip3.11", "pip has a command of its own making for itself, by the version of the interpreter that runs it"),
];
const HEADERS: &str = "pip names the folder of headers as the user spelled the package, or for a file with hyphens";

#[test]
fn the_same_files_are_installed() {
    let ours = Shared::get();
    let (place, venv) = (ours.place(), ours.venv());
    let theirs = popular::theirs(&venv, |wheels| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "--python"]).arg(venv.join("bin/python"));
        pip.args(["install", "--quiet", "--no-deps", "--no-compile", "--no-index"]).args(wheels);
        popular::run(&mut pip);
    });
    popular::compare(&place, &venv, &theirs).judge("pip", &EXPLAINED);
    for script in ["black", "cygdb", "faker", "mako-render", "pygmentize", "py.test", "tqdm", "wheel"] {
        let script = format!("bin/{script}");
        assert_eq!(behaviour(&place.join(&script)), behaviour(&venv.join(&script)), "{script}");
    }
}

/// What a script does with its real modules when asked for its version.
fn behaviour(script: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(script);
    command.arg("--version").env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    let output = command.output().unwrap();
    let bin = format!("{}/", script.parent().unwrap().display());
    let text = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).replace(&bin, "");
        // The last line of a traceback tells; the others show the scripts' own lines.
        if text.starts_with("Traceback") { text.lines().last().unwrap_or_default().to_owned() } else { text }
    };
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_digest_in_every_record_holds() {
    let ours = Shared::get();
    let place = ours.place();
    let nodes = tree::outline(&place);
    let mut listed = BTreeSet::new();
    for path in nodes.keys().filter(|path| is_record(path)) {
        let site = Path::new(path).parent().unwrap().parent().unwrap();
        let mut previous = String::new();
        let content = fs::read(place.join(path)).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&content[..]);
        for row in reader.records() {
            let row = row.unwrap();
            assert!(row[0] > *previous, "{path} is not sorted at {}", &row[0]);
            previous = row[0].to_owned();
            let file = match row[0].strip_prefix("../../../") {
                Some(rest) => rest.to_owned(),
                None => format!("{}/{}", site.display(), &row[0]),
            };
            if is_record(&file) {
                assert_eq!((&row[1], &row[2]), ("", ""));
            } else {
                let content = fs::read(place.join(&file)).unwrap();
                let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&content));
                assert_eq!(&row[1], format!("sha256={digest}"), "{file}");
                assert_eq!(&row[2], content.len().to_string(), "{file}");
            }
            listed.insert(file);
        }
    }
    let files: BTreeSet<String> =
        nodes.iter().filter(|(_, node)| node.is_file()).map(|(path, _)| path.clone()).collect();
    assert_eq!(listed, files);
}

#[test]
fn two_runs_give_the_same_bytes() {
    let some: Vec<(&str, &str)> = WHEELS.into_iter().step_by(4).collect();
    let [one, other] = [(); 2].map(|()| popular::ours(Path::new("/app/.venv"), &some));
    assert!(tree::read(&one.roots.out) == tree::read(&other.roots.out));
}
