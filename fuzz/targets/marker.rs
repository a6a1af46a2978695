//! An environment marker.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use poetry_lock::{Environment, Extras, Marker, Name};

static LINUX: LazyLock<Environment> = LazyLock::new(|| Environment::linux("3.11.7", "x86_64").expect("a version"));

fuzz_target!(|text: &str| {
    let marker = match Marker::parse(text) {
        Ok(marker) => marker,
        Err(error) => {
            assert!(text.is_char_boundary(error.offset) && !error.reason.is_empty());
            return;
        }
    };
    let again = Marker::parse(&marker.to_string());
    assert_eq!(again.as_ref(), Ok(&marker), "it is not read as it is written");
    let extras = BTreeSet::from([Name::new("a"), Name::new("b")]);
    let value = |marker: &Marker| marker.evaluate(&LINUX, Extras::Only(&extras)).map_err(|error| error.variable);
    // Refused if it is the deepest that is allowed, and for `*` and `<empty>`, which stand alone.
    if let Ok(doubled) = Marker::parse(&format!("({marker}) or ({marker}) and ({marker})")) {
        assert_eq!(value(&doubled), value(&marker));
    }
    let _ = marker.evaluate(&LINUX, Extras::Open);
});
