//! Everything that goes into real Poetry's side of a case is an input of its record.

use std::{fs, os::unix::fs::symlink};

use end_to_end::{dockerfiles::Case, index::Index, real::Dockerfile, wheels};
use libtest_mimic::Trial;
use oracle::inputs::Inputs;

use crate::{Cases, index};

/// The test.
pub(crate) fn trial(all: &Cases) -> Trial {
    let all = Cases::clone(all);
    Trial::test("dockerfiles::everything_that_goes_into_a_record_counts", move || {
        check(&all);
        Ok(())
    })
}

/// Makes a case another one.
type Change = fn(&mut Case);

fn check(all: &Cases) {
    let of = |case: &Case, index: &Index| Dockerfile::new(case, index).inputs().expect("the build context");
    let case = &all["2-pinned"];
    let inputs = of(case, index());
    assert_eq!(of(case, index()).key(), inputs.key());
    let names = inputs.changed_from(&Inputs::default()).into_iter().map(str::to_owned).collect::<Vec<_>>();
    for name in
        ["engine", "image store", "form of the record", "python:3.11", "python:3.11-slim", "context/poetry.lock"]
    {
        assert!(names.iter().any(|other| other == name), "{name} is none of {names:?}");
    }

    let changes: [(&str, Change); 6] = [
        ("Dockerfile", |case| case.file = Some("../../examples/dockerfiles/3-cache-removed.Dockerfile".to_owned())),
        ("target", |case| case.target = Some("production".to_owned())),
        ("args", |case| drop(case.args.insert("A".to_owned(), "b".to_owned()))),
        ("arguments of the container", |case| case.run.push("--where".to_owned())),
        ("context/more", |case| drop(case.files.insert("more".to_owned(), String::new()))),
        ("context/annapurna", |case| case.project = "unpackaged".to_owned()),
    ];
    for (name, change) in changes {
        let mut other = case.clone();
        change(&mut other);
        let other = of(&other, index());
        assert_ne!(other.key(), inputs.key(), "{name}");
        assert!(other.changed_from(&inputs).contains(&name), "{name}: {:?}", other.changed_from(&inputs));
    }
    // What is compared with it is none.
    let mut same = case.clone();
    (same.without, same.needs_poetry) = (Vec::new(), true);
    assert_eq!(of(&same, index()).key(), inputs.key());

    // An index with another file of one package, which is at another address as well.
    let folder = tempfile::tempdir().expect("a temporary folder");
    for entry in fs::read_dir(wheels::folder()).expect("the wheels") {
        let path = entry.expect("a wheel").path();
        symlink(&path, folder.path().join(path.file_name().expect("a name"))).expect("a link");
    }
    let fastapi = fs::read_dir(folder.path()).expect("the links").flatten().map(|entry| entry.path());
    let fastapi = fastapi.into_iter().find(|path| path.display().to_string().contains("/fastapi-")).expect("fastapi");
    fs::remove_file(&fastapi).expect("the link");
    fs::write(&fastapi, "another one").expect("a wheel");
    let other = of(case, &Index::start(folder.path()));
    let changed = other.changed_from(&inputs);
    let of_index: Vec<_> = changed.iter().filter(|name| name.ends_with(" in the index")).collect();
    assert_eq!(of_index, [&"fastapi in the index"]);
    assert!(changed.contains(&"context/pyproject.toml"), "the address is in the context: {changed:?}");

    // What pip chooses the version of.
    let unpinned = of(&all["unpinned"], index());
    let name = "poetry in the default index";
    assert!(unpinned.changed_from(&Inputs::default()).contains(&name) && !names.iter().any(|other| other == name));
}
