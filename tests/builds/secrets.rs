//! Credentials reach those that ask for them, and are found nowhere afterwards.

use std::{ffi::OsStr, fs, path::Path, process::Command};

use end_to_end::{
    docker::{Build, docker, run},
    examples::Example,
    image::Image,
    ready::{Canaries, Ready, canaries},
    say, tls,
    wheels::{self, Wanted},
};

use crate::{alone, index};

/// What must not be seen: the credentials themselves, and as a header has them.
fn patterns() -> Vec<String> {
    let Canaries { username, password, token, .. } = canaries();
    let header = |username: &str, password: &str| tls::basic(username, password).replace("Basic ", "");
    vec![username.clone(), password.clone(), token.clone(), header(username, password), header("x-access-token", token)]
}

/// The patterns as a file for `grep`.
fn pattern_file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), patterns().join("\n") + "\n").expect("the patterns");
    file
}

fn holds_none(what: &str, bytes: &[u8]) {
    for canary in patterns() {
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{what} holds {canary}");
    }
}

#[test]
fn no_credential_is_left_behind() {
    let example = Example::named("private-index");
    let ready = Ready::new(&example, index());
    let tag = "test-secrets";
    let build = alone(ready.build.clone(), "secrets");
    let built = build.clone().tag(tag).run();
    assert!(built.success, "{}", built.stderr);
    // The record has every op with its arguments and variables, and all that steps print.
    holds_none("the progress", built.stderr.as_bytes());
    holds_none("the history", docker(["history", "--no-trunc", "--format", "{{json .}}", tag]).as_bytes());
    let image = Image::over(tag, "python:3.11-slim");
    holds_none("the config", image.config.to_string().as_bytes());
    for (path, entry) in image.files() {
        holds_none(&path, &entry.content);
    }

    let out = tempfile::tempdir().expect("a temporary folder");
    let layout = out.path().join("image.tar");
    let dest = format!("type=oci,dest={},compression=uncompressed", layout.display());
    build.clone().args(["--provenance=mode=max", "--output", &dest]).succeed();
    let bytes = fs::read(&layout).expect("the image");
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("POETRY_HTTP_BASIC_CORP_PASSWORD"), "the provenance names the secrets");
    holds_none("the image with its provenance", &bytes);

    // The cache mounts, from inside of a build of our own.
    let namespace = build.argument("BUILDKIT_CACHE_MOUNT_NS").expect("a namespace");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = format!(
        "FROM python:3.11-slim\nRUN --mount=type=cache,id=poetry-buildkit/wheel/tomlkit,target=/c \
         --mount=type=secret,id=patterns \
         echo {namespace} && ls -l /c && ! grep --recursive --text --fixed-strings --file=/run/secrets/patterns /c\n"
    );
    fs::write(folder.path().join("Dockerfile"), text).expect("the Dockerfile");
    let file = pattern_file();
    let look = Build::new(folder.path()).build_arg("BUILDKIT_CACHE_MOUNT_NS", &namespace);
    let progress = look.arg("--secret").arg(format!("id=patterns,src={}", file.path().display())).succeed();
    assert!(progress.vertices.values().any(|vertex| vertex.log.contains(".whl")), "the cache mount holds the wheel");
}

#[test]
fn no_credential_is_left_in_the_engine() {
    let Some(engine) = std::env::var_os("POETRY_BUILDKIT_PRIVATE_ENGINE") else {
        say("SKIPPED: the state of an engine that is not ours is not searched for credentials");
        return;
    };
    let mut places = Vec::new();
    for name in ["private-index", "git"] {
        let ready = Ready::new(&Example::named(name), index());
        let build = alone(ready.build.clone(), &format!("engine-{name}"));
        places.extend(build.argument("POETRY_BUILDKIT_VENV"));
        build.tag("test-secrets-engine").succeed();
    }
    let file = pattern_file();
    assert_eq!(changed_files_with(&engine, file.path()), "", "files of the engine hold credentials");
    // What is no secret is found in this way.
    fs::write(file.path(), places.join("\n") + "\n").expect("the patterns");
    assert_ne!(changed_files_with(&engine, file.path()), "", "the search finds nothing at all");
}

/// The files of an engine that hold one of the patterns in a file, among those that were changed since there are credentials of
/// this run. No other can hold them.
fn changed_files_with(engine: &OsStr, patterns: &Path) -> String {
    let data = Path::new(engine).join("data");
    let found = Command::new("find")
        .args([data.join("buildkit"), data.join("containerd")])
        // The time of the last change of the file itself, which nothing can set.
        .args(["-type", "f", "-newerct", &format!("@{}", canaries().since)])
        .args(["-exec", "grep", "--files-with-matches", "--text", "--fixed-strings"])
        .arg(format!("--file={}", patterns.display()))
        .args(["{}", "+"])
        .output()
        .expect("find");
    String::from_utf8_lossy(&found.stdout).into_owned()
}

#[test]
fn what_is_built_of_an_explicit_source_is_fetched_with_its_secrets() {
    let sha256 = "430cf247ee57df2b94ee3fbe588e71d362a941ebb545dec29b53961d61add2a1";
    let archive = Wanted {
        file: "tomlkit-0.13.3.tar.gz".to_owned(),
        package: "tomlkit".to_owned(),
        sha256: Some(sha256.to_owned()),
    };
    wheels::download(&[archive], wheels::folder());
    let ready = Ready::new(&Example::named("private-index"), index());
    let build = alone(ready.build.clone(), "built").build_arg("POETRY_BUILDKIT_NO_BINARY", "tomlkit");
    let progress = build.tag("test-built").succeed();
    assert!(progress.vertices.values().any(|vertex| vertex.log.contains("built")), "tomlkit is built");
    let shown = run(&["--entrypoint=python"], "test-built", &["-c", "import tomlkit; print(tomlkit.__version__)"]);
    assert_eq!(shown.trim(), "0.13.3");
}

#[test]
fn missing_and_wrong_credentials_name_the_secrets() {
    let example = Example::named("private-index");
    let ready = Ready::new(&example, index());
    let without = alone(ready.without_secret("POETRY_HTTP_BASIC_CORP_PASSWORD"), "secrets-missing").fail();
    for part in ["POETRY_HTTP_BASIC_CORP_USERNAME", "POETRY_HTTP_BASIC_CORP_PASSWORD", "poetry.lock", "tomlkit"] {
        assert!(without.contains(part), "{part} is not in:\n{without}");
    }
    let untrusted = alone(ready.without_secret("POETRY_CERTIFICATES_CORP_CERT"), "secrets-untrusted").fail();
    assert!(untrusted.contains("no secure connection is possible"), "{untrusted}");
}

/// A build backend that tells what it can read and write of what is not its own.
const SPY: &str = r#"
import os, zipfile

def readable(path):
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError:
        return None

def build_wheel(folder, *_, **__):
    found = []
    for top in ("/poetry-buildkit", "/run"):
        for at, _, names in os.walk(top):
            found += [os.path.join(at, name) for name in names if b"canary" + b"-" in (readable(os.path.join(at, name)) or b"")]
    found += [path for path in ("/proc/1/environ", "/proc/1/mem") if readable(path) is not None]
    for place in ("/poetry-buildkit/out", "/poetry-buildkit/facts", "/poetry-buildkit/cache/spy", "/poetry-buildkit/work/orders"):
        if os.path.isdir(place) and os.access(place, os.W_OK):
            found.append(place)
    secrets = sorted(os.listdir("/run/secrets"))
    name = "spy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("spy.py", f"FOUND = {found!r}\nSECRETS = {secrets!r}\n")
        wheel.writestr("spy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: spy\nVersion: 1.0\n")
        wheel.writestr("spy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: spy\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("spy-1.0.dist-info/RECORD", "")
    return name
"#;

#[test]
fn what_is_built_reads_no_secret_and_writes_no_result() {
    let ready = Ready::new(&Example::named("private-index"), index());
    let folder = ready.example.copy();
    let add = |name: &str, change: &dyn Fn(String) -> String| {
        let path = folder.path().join(name);
        fs::write(&path, change(fs::read_to_string(&path).expect("a file of the project"))).expect("the same");
    };
    let dependency = "[tool.poetry.dependencies]\nspy = { path = \"spy\" }\n";
    // An explicit source serves no build requirements, so its secrets would not be there.
    let change =
        |text: String| text.replace("[tool.poetry.dependencies]\n", dependency).replace("explicit", "supplemental");
    add("pyproject.toml", &change);
    let entry = "[[package]]\nname = \"spy\"\nversion = \"1.0\"\ndescription = \"\"\noptional = false\npython-versions = \"*\"\n\
                 groups = [\"main\"]\nfiles = []\ndevelop = false\n\n[package.source]\ntype = \"directory\"\nurl = \"spy\"\n\n";
    add("poetry.lock", &|text| text.replace("[metadata]\n", &format!("{entry}[metadata]\n")));
    fs::create_dir(folder.path().join("spy")).expect("a folder");
    let backend = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
    fs::write(folder.path().join("spy/pyproject.toml"), backend).expect("a file");
    fs::write(folder.path().join("spy/backend.py"), SPY).expect("a file");
    let build =
        alone(ready.build.in_folder(folder.path()), "spy").build_arg("POETRY_BUILDKIT_ALLOW_STALE_LOCK", "true");
    build.tag("test-spy").succeed();
    let shown = run(&["--entrypoint=python"], "test-spy", &["-c", "import spy; print(spy.FOUND, spy.SECRETS)"]);
    assert!(shown.starts_with("[] [") && shown.contains("POETRY_HTTP_BASIC_CORP_PASSWORD"), "{shown}");
}
