//! The tags of described interpreters are those that the `packaging` library gives to them
//! (`tests/data/tags.json`, made by `tests/data/tags.py`).

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write;

use poetry_lock::{Implementation, Interpreter, Libc, Tags};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn interpreter(row: &Value) -> Interpreter {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let libc = row["libc"].as_array().map(|libc| {
        let (major, minor) = (number(&libc[1]), number(&libc[2]));
        if libc[0] == "glibc" { Libc::Glibc(major, minor) } else { Libc::Musl(major, minor) }
    });
    let implementation = match row["ext_suffix"].as_str() {
        Some(suffix) => Implementation::PyPy { ext_suffix: suffix.to_owned() },
        None => Implementation::CPython { free_threaded: row["free_threaded"] == true, debug: row["debug"] == true },
    };
    Interpreter {
        implementation,
        python: (number(&row["python"][0]), number(&row["python"][1])),
        platform: format!("linux-{}", row["machine"].as_str().unwrap()),
        libc,
    }
}

#[test]
fn tags_and_their_order_are_those_of_packaging() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("data/tags.json")).unwrap();
    assert!(rows.len() > 80);
    for row in rows {
        let interpreter = interpreter(&row);
        let tags = Tags::of(&interpreter).unwrap();
        let tags = tags.as_slice();
        let step = (tags.len() / 12).max(1);
        let some: Vec<_> = tags.iter().step_by(step).collect();
        let theirs: Vec<_> = row["some"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
        assert_eq!(some, theirs, "{interpreter:?}");
        let digest = Sha256::digest(tags.join("\n")).iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        assert_eq!(
            (tags.len() as u64, digest.as_str()),
            (row["count"].as_u64().unwrap(), row["sha256"].as_str().unwrap()),
            "{interpreter:?}"
        );
    }
}
