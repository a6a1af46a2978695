//! Real packages, built from source by the program as a build step runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::archive::{sha256, wheel};
use common::server::{Reply, Server};
use common::setup::{Setup, scheme};
use common::tree;
use install_request::{
    Archive, Build, BuildReport, BuildSource, BuildTools, Gather, Index, Interpreter, Origin, Probe, RunScript, Target,
};

/// The index that pip uses if nobody tells it otherwise.
fn default_index() -> Index {
    let program = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)";
    let output = Command::new("python3").args(["-c", program]).output().expect("this test needs python3 with pip");
    Index { url: String::from_utf8(output.stdout).unwrap().trim().to_owned(), source: None }
}

fn target() -> Target {
    let setup = Setup::new(&[]);
    let probe = Probe { python: "python3".into(), venv: "/app/.venv".into() };
    let (success, output) = run(&setup, "probe", &probe);
    assert!(success, "{output}");
    let facts = fs::read(setup.roots.facts.join("interpreter.json")).unwrap();
    let Interpreter { markers, libc, .. } = serde_json::from_slice(&facts).unwrap();
    let marker = |name: &str| markers[name].clone();
    Target { implementation: marker("platform_python_implementation"), python: marker("python_version"), libc }
}

fn tools() -> BuildTools {
    BuildTools {
        python: "python3".into(),
        target: target(),
        indexes: vec![default_index()],
        wheelhouse: None,
        constraints: Vec::new(),
    }
}

fn request(name: &str, version: &str, source: BuildSource) -> Build {
    Build {
        name: name.into(),
        version: version.into(),
        source,
        editable: false,
        tools: tools(),
        config_settings: [].into(),
        python: "/app/.venv/bin/python".into(),
        scheme: scheme(),
        direct_url: None,
    }
}

fn sdist(name: &str, version: &str, file: &str) -> Build {
    let archive = Archive { file: file.into(), sha256: None, origin: Origin::Index(default_index()) };
    request(name, version, BuildSource::Archive { archive, subdirectory: None })
}

fn project(name: &str, folder: &Path) -> Build {
    let path = folder.to_string_lossy().into_owned();
    request(name, "1.0", BuildSource::Tree { path, subdirectory: None })
}

fn setup() -> Setup {
    let setup = Setup::new(&[]);
    fs::create_dir_all(&setup.roots.work).unwrap();
    fs::create_dir_all(&setup.roots.build_cache).unwrap();
    if let Some(bundle) = std::env::var_os("SSL_CERT_FILE") {
        fs::copy(bundle, setup.roots.secrets.join("ca-bundle")).unwrap();
    }
    setup
}

fn run(setup: &Setup, command: &str, request: &impl serde::Serialize) -> (bool, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_installer"))
        .arg("--root")
        .arg(setup.folder.path())
        .args([command, &serde_json::to_string(request).unwrap()])
        .output()
        .unwrap();
    (status.success(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

fn built(request: &Build) -> (Setup, BTreeSet<String>) {
    let setup = setup();
    let (success, output) = run(&setup, "build", request);
    assert!(success, "{}: {output}", request.name);
    let site = setup.site("");
    let files = tree::read(&site).keys().map(|path| path.to_string()).collect();
    (setup, files)
}

fn files(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn source_distributions_of_all_kinds_of_backends_are_built() {
    // setuptools without and with pyproject.toml, flit, hatchling, poetry-core, pdm, and one that builds itself.
    for (name, version, file, expected) in [
        ("docopt", "0.6.2", "docopt-0.6.2.tar.gz", "docopt.py"),
        ("iniconfig", "2.0.0", "iniconfig-2.0.0.tar.gz", "iniconfig/__init__.py"),
        ("tomli", "2.0.1", "tomli-2.0.1.tar.gz", "tomli/_parser.py"),
        ("mdurl", "0.1.2", "mdurl-0.1.2.tar.gz", "mdurl/__init__.py"),
        ("pastel", "0.2.1", "pastel-0.2.1.tar.gz", "pastel/pastel.py"),
        ("poetry-core", "1.9.0", "poetry_core-1.9.0.tar.gz", "poetry/core/factory.py"),
        ("six", "1.16.0", "six-1.16.0.tar.gz", "six.py"),
    ] {
        let (_, files) = built(&sdist(name, version, file));
        assert!(files.contains(expected), "{name}: {files:?}");
        assert!(files.iter().any(|file| file.ends_with(".dist-info/RECORD")), "{name}: {files:?}");
    }
}

#[test]
fn an_extension_is_compiled_and_its_libraries_are_reported() {
    let (setup, files) = built(&sdist("markupsafe", "2.1.5", "MarkupSafe-2.1.5.tar.gz"));
    assert!(files.iter().any(|file| file.starts_with("markupsafe/_speedups.") && file.ends_with(".so")), "{files:?}");
    let report = fs::read(setup.roots.facts.join("build.json")).unwrap();
    assert_eq!(serde_json::from_slice::<BuildReport>(&report).unwrap(), BuildReport::default());
}

#[test]
fn two_builds_give_the_same_bytes() {
    let request = sdist("iniconfig", "2.0.0", "iniconfig-2.0.0.tar.gz");
    assert_eq!(tree::read(&built(&request).0.roots.out), tree::read(&built(&request).0.roots.out));
}

#[test]
fn nothing_of_an_archive_runs_before_it_is_verified() {
    let setup = setup();
    let canary = setup.folder.path().join("canary");
    let source = setup.folder.path().join("evil-1.0");
    let program = format!("open({:?}, 'w')\nfrom setuptools import setup\nsetup(name='evil', version='1.0')\n", canary);
    files(&source, &[("setup.py", &program)]);
    let archive = setup.folder.path().join("evil-1.0.tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-czf").arg(&archive).arg("-C").arg(setup.folder.path()).arg("evil-1.0");
    assert!(tar.status().unwrap().success());
    let of = |sha256: String| {
        let origin = Origin::File { path: archive.to_string_lossy().into_owned() };
        let archive = Archive { file: "evil-1.0.tar.gz".into(), sha256: Some(sha256), origin };
        request("evil", "1.0", BuildSource::Archive { archive, subdirectory: None })
    };
    let (success, output) = run(&setup, "build", &of("0".repeat(64)));
    assert!(!success);
    assert!(output.contains("does not have the digest of poetry.lock"), "{output}");
    assert!(!canary.exists());
    let (success, output) = run(&setup, "build", &of(sha256(&fs::read(&archive).unwrap())));
    assert!(success, "{output}");
    assert!(canary.exists());
}

#[test]
fn a_folder_is_built_without_being_changed() {
    let folder = tempfile::tempdir().unwrap();
    let pyproject = "[project]\nname = 'demo'\nversion = '2.0'\n[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n";
    files(folder.path(), &[("pyproject.toml", pyproject), ("demo/__init__.py", "")]);
    let mut request = project("demo", folder.path());
    request.direct_url = Some("{\"url\":\"file:///app/demo\",\"dir_info\":{}}".into());
    let before = tree::read(folder.path());
    let (setup, found) = built(&request);
    assert_eq!(tree::read(folder.path()), before);
    // What it says of itself counts, not what was locked.
    assert!(found.contains("demo-2.0.dist-info/METADATA"), "{found:?}");
    assert_eq!(
        fs::read_to_string(setup.site("demo-2.0.dist-info/direct_url.json")).unwrap(),
        request.direct_url.unwrap()
    );
}

#[test]
fn archives_of_all_kinds_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let pyproject = "[project]\nname = 'demo'\nversion = '1.0'\ndescription = 'x'\n[build-system]\nrequires = ['flit_core']\nbuild-backend = 'flit_core.buildapi'\n";
    files(&folder.path().join("demo-1.0"), &[("pyproject.toml", pyproject), ("demo.py", "")]);
    let endings = [("gztar", "tar.gz"), ("bztar", "tar.bz2"), ("xztar", "tar.xz"), ("tar", "tar"), ("zip", "zip")];
    for (kind, ending) in endings {
        let program = format!("import shutil; shutil.make_archive('made', {kind:?}, '.', 'demo-1.0')");
        let made = Command::new("python3").args(["-c", &program]).current_dir(folder.path()).status().unwrap();
        assert!(made.success());
        let path = folder.path().join(format!("made.{ending}")).to_string_lossy().into_owned();
        let sha256 = Some(sha256(&fs::read(&path).unwrap()));
        let archive = Archive { file: format!("demo-1.0.{ending}"), sha256, origin: Origin::File { path } };
        let (_, files) = built(&request("demo", "1.0", BuildSource::Archive { archive, subdirectory: None }));
        assert!(files.contains("demo.py"), "{ending}: {files:?}");
    }
}

#[test]
fn an_editable_build_refers_to_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let pyproject = "[project]\nname = 'demo'\nversion = '1.0'\n[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n";
    files(folder.path(), &[("pyproject.toml", pyproject), ("src/demo/__init__.py", "")]);
    let (setup, found) = built(&Build { editable: true, ..project("demo", folder.path()) });
    let pth: Vec<&String> = found.iter().filter(|file| file.ends_with(".pth")).collect();
    let text = fs::read_to_string(setup.site(pth[0])).unwrap();
    assert_eq!(text.trim(), folder.path().join("src").to_string_lossy());
}

#[test]
fn a_backend_in_the_tree_is_found_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let pyproject = "[build-system]\nrequires = ['flit_core']\nbuild-backend = 'own'\nbackend-path = ['build']\n[project]\nname = 'demo'\nversion = '1.0'\ndescription = 'x'\n";
    files(
        folder.path(),
        &[("pyproject.toml", pyproject), ("build/own.py", "from flit_core.buildapi import *\n"), ("demo.py", "")],
    );
    let (_, found) = built(&project("demo", folder.path()));
    assert!(found.contains("demo.py"), "{found:?}");
}

const EXTENSION: &str = "#include <Python.h>\nstatic PyModuleDef module = {PyModuleDef_HEAD_INIT, \"_fast\", 0, -1, 0};\n\
     PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }\n";

#[test]
fn a_tree_whose_version_is_in_its_repository_gets_that_of_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let pyproject = "[build-system]\nrequires = ['setuptools', 'setuptools-scm']\nbuild-backend = 'setuptools.build_meta'\n\
        [project]\nname = 'tagged'\ndynamic = ['version']\n[tool.setuptools]\npy-modules = ['tagged']\n[tool.setuptools_scm]\n";
    files(folder.path(), &[("pyproject.toml", pyproject), ("tagged.py", "")]);
    let path = folder.path().to_string_lossy().into_owned();
    let (_, found) = built(&request("tagged", "3.1.4", BuildSource::Tree { path, subdirectory: None }));
    assert!(found.contains("tagged-3.1.4.dist-info/METADATA"), "{found:?}");
}

#[test]
fn build_scripts_leave_their_result_in_the_projects_folder() {
    let script = |text: &str, setup: Option<&str>| {
        let (folder, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        files(folder.path(), &[("src/demo/_fast.c", EXTENSION), ("src/demo/__init__.py", "")]);
        // What the image leaves out.
        files(whole.path(), &[("build.py", text), ("src/demo/__init__.py", "raise SystemExit('not this one')")]);
        let request = RunScript {
            name: "demo".into(),
            folder: folder.path().to_string_lossy().into_owned(),
            files: whole.path().to_string_lossy().into_owned(),
            script: "build.py".into(),
            requires: vec!["setuptools".into(), "wheel".into()],
            setup: setup.map(str::to_owned),
            tools: tools(),
        };
        let (success, output) = run(&self::setup(), "script", &request);
        (success, output, tree::read(folder.path()).into_keys().collect::<BTreeSet<_>>())
    };
    // As Poetry runs it today, and by way of the setup.py that Poetry used to generate.
    let own = "import setuptools, subprocess\nfrom pathlib import Path\nPath('src/demo/made.txt').write_text('x')\n";
    let (success, output, found) = script(own, None);
    assert!(success && found.contains("src/demo/made.txt"), "{output}");
    let with_setup = "from setuptools import Extension\ndef build(arguments):\n    arguments['ext_modules'] = \
                      [Extension('demo._fast', ['src/demo/_fast.c'])]\n";
    let (success, output, found) = script(with_setup, Some("src"));
    let is_extension = |path: &String| path.starts_with("src/demo/_fast.") && path.ends_with(".so");
    assert!(success && found.iter().any(is_extension), "{output} {found:?}");
    assert!(!found.iter().any(|path| path.contains("__pycache__")), "{found:?}");
    assert!(!found.contains("build.py"), "{found:?}");

    let (success, output, _) = script("import sys; sys.exit('pg_config not found')", None);
    assert!(!success);
    insta::assert_snapshot!(output);
}

#[test]
fn what_is_gathered_is_enough_for_a_build_without_a_network() {
    let Build { name, source, tools, .. } = sdist("iniconfig", "2.0.0", "iniconfig-2.0.0.tar.gz");
    let gathered = setup();
    let gather = Gather { name, source, editable: false, tools, config_settings: [].into() };
    let (success, output) = run(&gathered, "gather", &gather);
    assert!(success, "{output}");
    let wheelhouse = gathered.roots.out.to_string_lossy().into_owned();
    let found: Vec<String> = tree::read(&gathered.roots.out).into_keys().collect();
    assert!(found.contains(&"iniconfig-2.0.0.tar.gz".to_owned()), "{found:?}");
    assert!(found.iter().any(|file| file.starts_with("hatchling-")), "{found:?}");

    let origin = Origin::File { path: format!("{wheelhouse}/iniconfig-2.0.0.tar.gz") };
    let archive = Archive { file: "iniconfig-2.0.0.tar.gz".into(), sha256: None, origin };
    let mut offline = request("iniconfig", "2.0.0", BuildSource::Archive { archive, subdirectory: None });
    offline.tools.indexes = Vec::new();
    offline.tools.wheelhouse = Some(wheelhouse.clone());
    let (_, files) = built(&offline);
    assert!(files.contains("iniconfig/__init__.py"), "{files:?}");

    for entry in fs::read_dir(&wheelhouse).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("hatchling-") {
            fs::remove_file(path).unwrap();
        }
    }
    let (success, output) = run(&setup(), "build", &offline);
    assert!(!success && output.contains("hatchling"), "{output}");
}

#[test]
fn a_build_that_gives_no_answer_or_another_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pyproject = "[build-system]\nrequires = []\nbuild-backend = 'own'\nbackend-path = ['.']\n";
    let failed = |setup: &Setup, program: &str| {
        files(folder.path(), &[("pyproject.toml", pyproject), ("own.py", program)]);
        let (success, output) = run(setup, "build", &project("demo", folder.path()));
        assert!(!success, "{output}");
        output
    };
    let output = failed(&self::setup(), "import os\ndef build_wheel(*_, **__):\n    os._exit(0)\n");
    assert!(output.contains("ended in build_wheel without an answer"), "{output}");
    let linked = "import os\ndef build_wheel(folder, *_, **__):\n    os.symlink('/etc/passwd', folder + '/demo-1.0-py3-none-any.whl')\n    return ''\n";
    let output = failed(&self::setup(), linked);
    assert!(output.contains("made no wheel"), "{output}");
}

#[test]
fn a_process_that_a_build_leaves_behind_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let pyproject = "[build-system]\nrequires = ['flit_core']\nbuild-backend = 'own'\nbackend-path = ['.']\n[project]\nname = 'demo'\nversion = '1.0'\ndescription = 'x'\n";
    let left = folder.path().join("left");
    let program = format!(
        "import subprocess\nfrom flit_core.buildapi import *\nfor session in (False, True):\n    subprocess.Popen(['sh', '-c', 'sleep 600 & echo $! >>{}; wait'], start_new_session=session)\n",
        left.display()
    );
    files(folder.path(), &[("pyproject.toml", pyproject), ("own.py", &program), ("demo.py", "")]);
    built(&project("demo", folder.path()));
    // The second kind is ended with the step, so here by us.
    for process in fs::read_to_string(left).unwrap().lines() {
        let _ = Command::new("kill").arg(process).stderr(std::process::Stdio::null()).status();
    }
}

/// An index with two versions of a build backend that tells its version. What it answers to a request for the metadata of
/// the newer one is `metadata`.
fn backends(metadata: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    let file = |version: &str| format!("teller-{version}-py3-none-any.whl");
    let bytes = move |version: &str| {
        let program = format!("def build_wheel(*_, **__):\n    raise SystemExit('built by teller {version}')\n");
        wheel("teller", version, &[("teller.py", &program)])
    };
    Server::start(move |request| match request.path.as_str() {
        "/simple/teller/" => {
            let listed = ["1.0", "2.0"].map(|version| {
                let file = file(version);
                serde_json::json!({"filename": file, "url": format!("/files/{file}"), "hashes": {"sha256": sha256(&bytes(version))},
                    "core-metadata": version == "2.0"})
            });
            let page = serde_json::json!({"meta": {"api-version": "1.1"}, "files": listed});
            Reply::ok("application/vnd.pypi.simple.v1+json", page.to_string())
        }
        path if path.ends_with(".metadata") => metadata(),
        path if path.contains("-2.0-") => Reply::ok("x/y", bytes("2.0")),
        _ => Reply::ok("x/y", bytes("1.0")),
    })
}

#[test]
fn an_index_that_fails_does_not_choose_an_older_version() {
    let folder = tempfile::tempdir().unwrap();
    files(folder.path(), &[("pyproject.toml", "[build-system]\nrequires = ['teller']\nbuild-backend = 'teller'\n")]);
    let output = |server: &Server| {
        let mut request = project("demo", folder.path());
        request.tools.indexes = vec![Index { url: format!("{}/simple", server.url), source: None }];
        let (success, output) = run(&setup(), "build", &request);
        assert!(!success, "{output}");
        output
    };
    let broken = output(&backends(|| Reply::status(403)));
    assert!(broken.contains("HTTP status 403") && !broken.contains("built by"), "{broken}");
    // Some indexes announce metadata that they do not have.
    let absent = output(&backends(|| Reply::status(404)));
    assert!(absent.contains("built by teller 2.0"), "{absent}");
}

/// What the user sees, with the changing parts replaced.
fn failure(request: &Build) -> String {
    let setup = setup();
    let (success, output) = run(&setup, "build", request);
    assert!(!success, "{output}");
    let error = output.find("error: demo").expect("an error block");
    output[error..].replace(&*setup.folder.path().to_string_lossy(), "")
}

#[test]
fn failures_explain_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    let setup_py = |name: &str, program: &str| files(&at(name), &[("setup.py", program)]);
    setup_py("header", "import sys; sys.exit('x.c:1:10: fatal error: libpq-fe.h: No such file or directory')");
    setup_py("plain", "raise SystemExit('out of luck')");
    files(&at("broken"), &[("pyproject.toml", "[build-system")]);
    files(&at("nothing"), &[("README", "")]);
    files(
        &at("requires"),
        &[("pyproject.toml", "[build-system]\nrequires = ['setuptools>=99999']\nbuild-backend = 'x'\n")],
    );
    for name in ["header", "plain", "broken", "nothing", "requires"] {
        insta::assert_snapshot!(format!("build_{name}"), failure(&project("demo", &at(name))));
    }
    let mut foreign = project("demo", &at("plain"));
    foreign.tools.target.python = "3.0".into();
    foreign.tools.target.libc = None;
    assert!(failure(&foreign).contains("the builder image has another Python than the runtime image"));
}
