//! What goes wrong on the way of a wheel, and what is left behind.

use end_to_end::{
    docker::Build,
    examples::Example,
    index::{Fault, Index},
    wheels,
};

use crate::{alone, build};

/// The example with its own index, its own cache mounts and its own steps.
fn setup(test: &str) -> (Build, Index) {
    let example = Example::named("command-line");
    let index = Index::start(wheels::folder());
    (alone(build(&example, &example.folder, &index), test), index)
}

const WHEEL: &str = "rich-13.9.4-py3-none-any.whl";

#[test]
fn an_index_that_fails_twice_is_asked_a_third_time() {
    let (build, index) = setup("faults-status");
    index.fail(WHEEL, &[Fault::Status(500), Fault::Status(503)]);
    index.fail("mdurl", &[Fault::Status(502)]);
    build.succeed();
    let asked = |path: &str| index.requests().iter().filter(|request| *request == path).count();
    assert_eq!(asked(&format!("/files/{WHEEL}")), 3);
}

#[test]
fn a_connection_that_is_cut_in_mid_file_is_made_again() {
    let (build, index) = setup("faults-cut");
    index.fail(WHEEL, &[Fault::Cut(1000), Fault::Cut(100_000)]);
    let progress = build.succeed();
    assert!(progress.vertex("] rich 13.9.4").log.contains("fetched"));
    let files = index.requests().iter().filter(|request| request.ends_with(WHEEL)).count();
    assert_eq!(files, 3);
}

#[test]
fn a_file_that_is_not_the_locked_one_is_refused_and_not_kept() {
    let (build, index) = setup("faults-hash");
    index.fail(WHEEL, &[Fault::Corrupt; 10]);
    let shown = build.fail();
    let locked = wheels::digest(&wheels::folder().join(WHEEL));
    for part in ["rich", "13.9.4", WHEEL, &locked, "expected", "found"] {
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    }
    index.requests();

    // Nothing wrong was kept: the file is fetched once more, and is right now.
    index.fail(WHEEL, &[]);
    let progress = build.succeed();
    assert!(progress.vertex("] rich 13.9.4").log.contains("fetched"));
}
