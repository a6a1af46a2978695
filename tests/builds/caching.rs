//! What runs again, and what does not: by BuildKit's own record and by the requests that the index sees.

use std::{fs, path::PathBuf};

use end_to_end::{
    examples::{self, Example},
    image::Image,
    index::Index,
    wheels,
};

use crate::{alone, build};

#[test]
fn a_change_runs_what_it_concerns_and_nothing_else() {
    let example = Example::named("command-line");
    let folder = example.copy();
    let index = Index::start(wheels::folder());
    let tag = "test-caching";
    let run = || {
        let progress = alone(build(&example, folder.path(), &index), "caching").tag(tag).succeed();
        let ran: Vec<String> = progress.execs().into_iter().map(str::to_owned).collect();
        (ran, index.requests(), Image::over(tag, "python:3.13-slim"))
    };
    let edit = |file: &str, from: &str, to: &str| {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).expect("a file of the project");
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replace(from, to)).expect("the file can be changed");
    };

    let (ran, requests, first) = run();
    assert!(ran.len() > 3 && !requests.is_empty(), "{ran:?} {requests:?}");

    let (ran, requests, again) = run();
    assert_eq!((ran.len(), requests.len()), (0, 0), "nothing changed: {ran:?} {requests:?}");
    assert_eq!(again.config, first.config);

    edit("src/greet/cli.py", "Hello", "Good day");
    let (ran, requests, code) = run();
    assert_eq!((ran.len(), requests.len()), (0, 0), "code changed: {ran:?} {requests:?}");
    assert_eq!(changed(&first, &code), ["application /app"]);

    edit("pyproject.toml", "0.3.1", "0.4.0");
    let (ran, requests, version) = run();
    assert_eq!((ran.len(), requests.len()), (0, 0), "version changed: {ran:?} {requests:?}");
    assert_eq!(changed(&code, &version), ["project greet 0.4.0", "application /app"]);

    fs::copy(bumped_lock(), folder.path().join("poetry.lock")).expect("poetry.lock");
    let (ran, requests, bumped) = run();
    assert_eq!(ran.len(), 1, "one package bumped: {ran:?}");
    assert!(ran[0].contains("click 8.1.8"), "{ran:?}");
    assert_eq!(
        requests,
        ["/simple/click/", "/files/click-8.1.8-py3-none-any.whl"],
        "the rest came from the cache mounts"
    );
    assert_eq!(changed(&version, &bumped).len(), 1);
}

/// The same lock with another version of one package.
fn bumped_lock() -> PathBuf {
    let fixtures = examples::fixtures();
    let bumped = fixtures.iter().find(|fixture| fixture.name == "command-line-bumped").expect("the fixture");
    bumped.folder.join("poetry.lock")
}

/// The layers over the base that differ, as the image's history calls them.
fn changed(before: &Image, after: &Image) -> Vec<String> {
    let old = before.diff_ids();
    let history = after.config["history"].as_array().expect("a history");
    let labels = history.iter().filter(|entry| entry["comment"] == "poetry-buildkit");
    let labels = labels.map(|entry| entry["created_by"].as_str().expect("a label"));
    let layers = after.diff_ids();
    assert_eq!(layers.len(), labels.clone().count(), "every layer has its entry in the history");
    layers
        .into_iter()
        .zip(labels)
        .filter(|(layer, _)| !old.contains(layer))
        .map(|(_, label)| label.to_owned())
        .collect()
}
