//! Every Python of this machine is asked about itself, and the environment that is laid out for it works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::slice;

use common::setup::{Setup, VENV, index, locked};
use common::{archive, real, tree};
use install_request::{Compile, Install, Interpreter, LibcFamily, Probe};
use poetry_buildkit_installer::compile::compile;
use poetry_buildkit_installer::probe::{ProbeError, probe};
use serde_json::Value;

fn probed(python: &Path) -> (Setup, Interpreter) {
    let setup = Setup::new(&[]);
    let request = Probe { python: python.to_str().unwrap().to_owned(), venv: VENV.to_owned() };
    probe(&request, &setup.roots).unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let facts = fs::read(setup.roots.facts.join("interpreter.json")).unwrap();
    let interpreter = serde_json::from_slice(&facts).unwrap();
    (setup, interpreter)
}

/// What `python` prints as JSON when it runs `script`, without any variable of ours.
fn say(python: &Path, script: &str) -> Value {
    let output = Command::new(python).args(["-c", script]).env_clear().output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", python.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_facts_are_what_the_interpreter_says_itself() {
    for python in real::interpreters() {
        let (_setup, found) = probed(&python);
        let said = say(
            &python,
            "import json, os, platform, sys, sysconfig as s\n\
             print(json.dumps([os.path.realpath(sys.executable), platform.python_version(), sys.implementation.name,\n\
             s.get_platform(), s.get_config_var('EXT_SUFFIX'), platform.machine(), s.get_paths(), os.confstr('CS_GNU_LIBC_VERSION')]))",
        );
        assert_eq!(said[0], found.executable);
        assert_eq!(said[1], found.markers["python_full_version"]);
        assert_eq!(said[2], found.markers["implementation_name"]);
        assert_eq!(said[3], found.platform);
        assert_eq!(said[4], found.ext_suffix);
        assert_eq!(said[5], found.markers["platform_machine"]);
        assert_eq!(said[6]["purelib"], found.system.purelib);
        assert_eq!(said[6]["scripts"], found.system.scripts);
        let libc = found.libc.unwrap();
        assert_eq!(libc.family, LibcFamily::Glibc);
        assert_eq!(said[7], format!("glibc {}.{}", libc.major, libc.minor));
        assert_eq!(found.markers.len(), 11, "{:?}", found.markers);
        assert_eq!(found.markers["platform_release"], "");
    }
}

#[test]
fn the_scheme_is_that_of_the_interpreters_own_environments() {
    for python in real::interpreters() {
        let (_setup, found) = probed(&python);
        let folder = tempfile::tempdir().unwrap();
        let venv = folder.path().join("venv");
        let made = Command::new(&python).args(["-m", "venv", "--without-pip"]).arg(&venv).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let said = say(&venv.join("bin/python"), "import json, sysconfig as s; print(json.dumps(s.get_paths()))");
        let scheme = found.venv.below(venv.to_str().unwrap());
        let real = |path: &str| fs::canonicalize(path).unwrap_or_else(|_| path.into());
        for (key, path) in [
            ("purelib", &scheme.purelib),
            ("platlib", &scheme.platlib),
            ("scripts", &scheme.scripts),
            ("data", &scheme.data),
        ] {
            assert_eq!(real(said[key].as_str().unwrap()), real(path), "{key} of {}", python.display());
        }
    }
}

#[test]
fn two_probes_give_the_same_bytes() {
    for python in real::interpreters() {
        let (one, _) = probed(&python);
        let (other, _) = probed(&python);
        assert_eq!(tree::read(&one.roots.out), tree::read(&other.roots.out));
        assert_eq!(tree::read(&one.roots.facts), tree::read(&other.roots.facts));
        for node in tree::read(&one.roots.out).values() {
            assert_eq!(node.mtime, install_request::EPOCH as i64);
        }
    }
}

#[test]
fn the_environment_starts_and_finds_what_we_install() {
    let bytes = archive::wheel("demo", "1.0", &[("demo/__init__.py", "VALUE = 42\n")]);
    let file = "demo-1.0-py3-none-any.whl";
    let server = index(&[(file, bytes.clone())]);
    for python in real::interpreters() {
        let (setup, found) = probed(&python);
        let request = Install {
            python: format!("{VENV}/bin/python"),
            scheme: found.venv.below(VENV),
            wheels: vec![locked(&server.url, file, &bytes)],
        };
        setup.install(&request).unwrap();
        let venv = setup.out(VENV);
        let script = "import sys, json, ctypes, decimal, hashlib, random, socket, ssl, zlib\n\
                      import demo\n\
                      print(json.dumps([sys.prefix, sys.base_prefix, sys.version_info[:2], demo.VALUE, demo.__file__,\n\
                      [path for path in sys.path if path.endswith('-packages')]]))";
        let base = say(&python, "import sys, json; print(json.dumps([sys.base_prefix, sys.version_info[:2]]))");
        for name in ["python".to_owned(), "python3".to_owned(), format!("python{}", found.markers["python_version"])] {
            let said = say(&venv.join("bin").join(name), script);
            assert_eq!(said[0], venv.to_str().unwrap(), "{}", python.display());
            assert_eq!((&said[1], &said[2]), (&base[0], &base[1]));
            assert_eq!(said[3], 42);
            assert!(said[4].as_str().unwrap().starts_with(venv.to_str().unwrap()));
            let folders = said[5].as_array().unwrap();
            assert!(
                folders.iter().all(|path| path.as_str().unwrap().starts_with(venv.to_str().unwrap())),
                "the packages of the base are visible: {folders:?}"
            );
        }
    }
}

#[test]
fn inside_an_environment_the_interpreter_behind_it_is_found() {
    for python in real::interpreters() {
        let folder = tempfile::tempdir().unwrap();
        let venv = folder.path().join("venv");
        let made = Command::new(&python).args(["-m", "venv", "--without-pip"]).arg(&venv).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let (_one, direct) = probed(&python);
        let (_other, through) = probed(&venv.join("bin/python"));
        assert_eq!(direct, through);
    }
}

#[test]
fn what_is_no_python_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let ask = |python: String| {
        let setup = Setup::new(&[]);
        let request = Probe { python, venv: VENV.into() };
        probe(&request, &setup.roots).unwrap_err()
    };
    let failed = ask(script("failing", "echo broken >&2; exit 1"));
    assert!(matches!(&failed, ProbeError::Failed { output, .. } if output == "broken"), "{failed:?}");
    let strange = ask(script("strange", "echo hello"));
    assert!(matches!(strange, ProbeError::Answer { .. }), "{strange:?}");
    let missing = ask("/nowhere/python3".into());
    assert!(matches!(missing, ProbeError::Missing { .. }), "{missing:?}");
    let setup = Setup::new(&[]);
    let request = Probe { python: "python3".into(), venv: "../x".into() };
    assert!(matches!(probe(&request, &setup.roots), Err(ProbeError::Venv { .. })));
}

const MODULES: [(&str, &str); 5] = [
    ("a.py", "import os\nNAMES = {'x', 'y', 'z', None, 1}\ndef f(x): return x in {'x', 'y', 'os', 'path'}\n"),
    ("b/__init__.py", "def f(path, os=None):\n    'text'\n    return path.x.y.z\n"),
    ("b/c.py", "class C:\n    x: int = 1\n    def f(self): return [self.x for x in range(3)]\n"),
    ("b/bad.py", "this is no python\n"),
    ("b/data.txt", "no module"),
];

fn compiled(python: &Path, modules: &[(&str, &str)]) -> (Setup, String) {
    let setup = Setup::new(&[]);
    for (path, content) in modules {
        let place = setup.roots.tree.join("app/lib").join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
    }
    let request =
        Compile { python: python.to_str().unwrap().to_owned(), folders: vec!["/app/lib".into(), "/app/absent".into()] };
    let text = compile(&request, &setup.roots).unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    (setup, text)
}

/// Interpreters that know bytecode without times (PEP 552).
fn compilers() -> Vec<std::path::PathBuf> {
    let mut found = real::interpreters();
    found.retain(|python| say(python, "import sys; print(sys.version_info[1])").as_u64() >= Some(7));
    found
}

#[test]
fn bytecode_is_used_whatever_the_time_of_its_source() {
    for python in compilers() {
        let (setup, text) = compiled(&python, &MODULES);
        assert!(
            text.starts_with("3 modules compiled\nnote: /app/lib/b/bad.py is left out: line 1: SyntaxError"),
            "{text}"
        );
        let folder = tempfile::tempdir().unwrap();
        let mut count = 0;
        for (path, node) in tree::read(&setup.roots.out.join("app/lib")) {
            if path.ends_with(".pyc") {
                count += 1;
                assert_eq!(node.mode, 0o100_644, "{path}");
                assert_eq!(&node.content[4..8], [1, 0, 0, 0], "{path} is not of the unchecked kind");
                let source = path.replace("__pycache__/", "");
                let source = source.split('.').next().unwrap();
                let named = format!("/app/lib/{source}.py").into_bytes();
                assert!(
                    node.content.windows(named.len()).any(|found| found == named),
                    "{path} does not name its source"
                );
                let place = folder.path().join(&path);
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                fs::write(place, &node.content).unwrap();
            }
            assert_eq!(node.mtime, install_request::EPOCH as i64, "{path}");
        }
        assert_eq!(count, 3);
        // Sources that say something else: only the bytecode knows the right answer.
        fs::write(folder.path().join("a.py"), "raise SystemExit('compiled anew')").unwrap();
        let script =
            format!("import sys, json; sys.path.insert(0, {:?}); import a; print(json.dumps(a.f('y')))", folder.path());
        assert_eq!(say(&python, &script), true, "{}", python.display());
    }
}

#[test]
fn bytecode_depends_on_its_own_source_only() {
    let django = fs::File::open(real::wheel("django", "5.1.3")).unwrap();
    let mut archive = zip::ZipArchive::new(django).unwrap();
    let mut modules: Vec<(String, String)> = Vec::new();
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).unwrap();
        if entry.name().unwrap().starts_with("django/db/") && entry.size() > 0 {
            let name = entry.name().unwrap().into_owned();
            modules.push((name, std::io::read_to_string(&mut entry).unwrap()));
        }
    }
    let first = ("0.py".to_owned(), "path = models = self = fields = query = 'connection'\n".to_owned());
    for python in compilers() {
        let bytecode = |modules: &[(String, String)]| -> BTreeMap<String, Vec<u8>> {
            let modules: Vec<(&str, &str)> =
                modules.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
            let (setup, _) = compiled(&python, &modules);
            tree::read(&setup.roots.out).into_iter().map(|(path, node)| (path, node.content)).collect()
        };
        let all = bytecode(&[slice::from_ref(&first), &modules[..]].concat());
        for part in modules.chunks(modules.len() / 3) {
            for (path, content) in bytecode(part) {
                assert!(all[&path] == content, "{path} of {}", python.display());
            }
        }
    }
}
