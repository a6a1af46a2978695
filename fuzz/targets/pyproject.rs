//! `pyproject.toml`, in both dialects, and its content hash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poetry_buildkit_fuzz::{check_error, check_span};
use poetry_lock::{Dialect, HashFormula, Pyproject, content_hash};

fuzz_target!(|text: &str| {
    for dialect in [Dialect::Poetry1, Dialect::Poetry2] {
        match Pyproject::read(text, dialect) {
            Ok(pyproject) => pyproject.name.iter().for_each(|name| check_span(name.span, text)),
            Err(error) => check_error(&error, text),
        }
    }
    for formula in [HashFormula::Poetry1, HashFormula::Poetry2_0, HashFormula::Poetry2_3] {
        match content_hash(text, formula) {
            Ok(hash) => assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())),
            Err(error) => check_error(&error, text),
        }
    }
});
