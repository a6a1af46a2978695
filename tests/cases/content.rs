//! What is in the image: nothing but what Poetry would install, and the application.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use end_to_end::{
    docker::{docker, run},
    examples::{self, Example},
    image::{Entry, Image},
    poetry,
    ready::Ready,
    real::alone,
    say,
};
use libtest_mimic::Trial;
use poetry_lock::Name;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::index;

/// The tests: every example builds, and its container does its job.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |example: Example| {
        Trial::test(format!("content::{}", example.name), move || {
            check(&example);
            Ok(())
        })
    };
    examples::all().into_iter().map(trial).collect()
}

fn check(example: &Example) {
    if let Some(reason) = needs_a_private_engine(example) {
        say(&format!("SKIPPED: examples/{} is not built: {reason}", example.name));
        return;
    }
    let tag = tag(example);
    let (ready, plan) = {
        // They have steps in common with each other and with the Dockerfiles.
        let _alone = alone();
        let ready = Ready::new(example, index());
        ready.build.clone().tag(&tag).succeed();
        let plan = plan(&ready);
        (ready, plan)
    };
    let example = &ready.example;
    for case in &example.case.run {
        let output = run(&[], &tag, &case.arguments);
        assert_eq!(trimmed(&output), trimmed(&case.output), "{}", example.name);
    }
    if let Some(serves) = &example.case.serves {
        let container = docker(["run", "--detach", "--rm", &tag]);
        let answer = fetch(container.trim(), serves.port, &serves.path);
        docker(["kill", container.trim()]);
        assert_eq!(answer, serves.answer, "{}", example.name);
    }
    assert!(!example.case.run.is_empty() || example.case.serves.is_some(), "{} checks nothing", example.name);
    looks_right(example, &plan, &tag);
}

/// Why an example cannot be built by an engine that is not ours.
fn needs_a_private_engine(example: &Example) -> Option<&'static str> {
    let over_tls = example.case.repositories.keys().any(|address| address.starts_with("https:"));
    let is_private = std::env::var_os("POETRY_BUILDKIT_PRIVATE_ENGINE").is_some();
    (over_tls && !is_private).then_some("the engine does not trust the certificate of the tests' own Git server")
}

/// All that is demanded of the image of any example.
fn looks_right(example: &Example, plan: &Value, tag: &str) {
    let image = Image::over(tag, &format!("python:{}-slim", example.python()));
    let files = image.files();

    let has_debian_packages = plan["image"]["apt"].as_array().is_some_and(|packages| !packages.is_empty());
    let mut places = vec!["/app"];
    places.extend(example.case.outside.iter().map(String::as_str));
    for (path, entry) in &files {
        let is_ours = places.iter().any(|place| path == place || path.starts_with(&format!("{place}/")));
        if has_debian_packages && !is_ours {
            continue;
        }
        assert!(is_ours, "{}: {path} is not the application's", example.name);
        assert_eq!(entry.owner, (0, 0), "{}: {path}", example.name);
        assert_eq!(entry.mtime, install_request::EPOCH, "{}: {path}", example.name);
    }
    let programs = ["pip", "poetry", "uv", "gcc", "cc", "wheel"];
    for program in programs {
        assert!(!files.contains_key(&format!("/app/.venv/bin/{program}")), "{}: {program}", example.name);
    }

    let config = &image.config["config"];
    let user = config["User"].as_str().expect("a user");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    assert_eq!(config["WorkingDir"], "/app");
    let created = image.config["created"].as_str().expect("a time");
    assert_eq!(created, "1980-01-01T00:00:00Z");
    let own_history = image.config["history"].as_array().expect("a history").iter();
    for entry in own_history.filter(|entry| entry["comment"] == "poetry-buildkit") {
        assert_eq!(entry["created"], created, "{entry}");
    }

    let prefix =
        run(&["--entrypoint=python"], tag, &["-c", "import sys; print(sys.prefix, sys.base_prefix != sys.prefix)"]);
    assert_eq!(prefix, "/app/.venv True\n");
    let installed = distributions(tag);
    let copied = plan["root"]["copied"].as_object().into_iter().flat_map(|copied| copied.keys().cloned()).collect();
    let options = plan_options(plan);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut expected = poetry::would_install(&Example::named(&example.name), &options);
    if let Some(name) = plan["project"]["name"].as_str() {
        let root = expected.insert(name.to_owned(), plan["project"]["version"].as_str().expect("a version").to_owned());
        assert_eq!(root, None, "Poetry lists the project only in a sentence of its own");
    }
    assert_eq!(installed, expected, "{}: what is installed is not what Poetry installs", example.name);
    assert_eq!(
        records_verify(&files, &copied),
        installed.len(),
        "{}: not every distribution has a RECORD",
        example.name
    );
}

/// `importlib.metadata`'s own view of the environment.
fn distributions(tag: &str) -> BTreeMap<String, String> {
    let code =
        "import importlib.metadata as m, json; print(json.dumps([[d.name, d.version] for d in m.distributions()]))";
    let output = run(&["--entrypoint=python"], tag, &["-c", code]);
    let pairs: Vec<(String, String)> = serde_json::from_str(&output).expect("JSON");
    let count = pairs.len();
    let map: BTreeMap<_, _> =
        pairs.into_iter().map(|(name, version)| (Name::new(&name).to_string(), version)).collect();
    assert_eq!(map.len(), count, "a distribution is there twice");
    map
}

/// Checks every digest of every RECORD, and returns how many RECORDs there are. What is copied from the project has none.
fn records_verify(files: &BTreeMap<String, Entry>, copied: &BTreeSet<String>) -> usize {
    let records: Vec<&String> = files.keys().filter(|path| path.ends_with(".dist-info/RECORD")).collect();
    let mut listed = BTreeSet::new();
    for record in &records {
        let site_packages = record.trim_end_matches("/RECORD").rsplit_once('/').expect("a folder").0;
        let text = String::from_utf8(files[*record].content.clone()).expect("UTF-8");
        assert!(text.lines().is_sorted_by_key(|row| row.rsplitn(3, ',').last()), "{record} is not sorted");
        for row in text.lines() {
            let mut columns = row.rsplitn(3, ',');
            let (size, hash, path) = (columns.next(), columns.next(), columns.next());
            let path = resolve(site_packages, path.expect("a path").trim_matches('"'));
            listed.insert(path.clone());
            let entry = files.get(&path).unwrap_or_else(|| panic!("{record} lists {path}, which is not there"));
            if let Some(expected) = hash.and_then(|hash| hash.strip_prefix("sha256=")) {
                let found = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&entry.content));
                assert_eq!(found, expected, "{path}");
                assert_eq!(size.map(str::to_owned), Some(entry.content.len().to_string()), "{path}");
            } else {
                assert!(path.ends_with("/RECORD") || copied.contains(&path), "{record} has no digest of {path}");
            }
        }
    }
    for (path, entry) in files {
        let in_packages = path.contains("/site-packages/") && entry.kind.is_file();
        assert!(!in_packages || listed.contains(path), "no RECORD lists {path}");
    }
    records.len()
}

fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// The plan that the build itself made, from the target `plan`.
fn plan(ready: &Ready) -> Value {
    let out = tempfile::tempdir().expect("a temporary folder");
    let dest = format!("type=local,dest={}", out.path().display());
    ready.build.clone().args(["--target", "plan", "--output", &dest]).succeed();
    let text = std::fs::read_to_string(out.path().join("plan.json")).expect("plan.json");
    serde_json::from_str(&text).expect("JSON")
}

/// The options of `poetry install` that ask for the same groups and extras.
fn plan_options(plan: &Value) -> Vec<String> {
    let names = |key: &str| {
        let names = plan[key].as_array().expect("a list").iter();
        names.map(|name| name.as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let mut options = vec!["--no-root".to_owned(), format!("--only={}", names("groups").join(","))];
    options.extend(names("extras").iter().map(|extra| format!("--extras={extra}")));
    options
}

/// Asks a server in a container, from inside of it.
fn fetch(container: &str, port: u16, path: &str) -> String {
    let code = format!(
        "import time, urllib.request as r\n\
         for _ in range(100):\n\
         \x20   try: print(r.urlopen('http://127.0.0.1:{port}{path}').read().decode(), end=''); break\n\
         \x20   except OSError: time.sleep(0.1)\n"
    );
    docker(["exec", container, "python", "-c", &code])
}

fn trimmed(text: &str) -> String {
    text.trim_matches('\n').lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn tag(example: &Example) -> String {
    format!("test-content-{}", example.name)
}
