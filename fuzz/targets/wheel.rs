//! A wheel: a zip archive if it begins like one, or else what a well-formed one is made from.
#![no_main]

use std::collections::BTreeSet;

use install_request::{Scheme, Wheel};
use libfuzzer_sys::fuzz_target;
use poetry_buildkit_fuzz::archive::{Entry, zip};
use poetry_buildkit_fuzz::{Sandbox, blob, parts};
use poetry_buildkit_installer::Tree;
use poetry_buildkit_installer::wheel::{Limits, Prepared};

const PYTHON: &str = "/app/.venv/bin/python";

fuzz_target!(|input: &[u8]| {
    let bytes = if input.starts_with(b"PK") { input.to_vec() } else { zip(&entries(input)) };
    let wheel = Wheel::of_index("x", "1.0", "x-1.0-py3-none-any.whl", &"0".repeat(64), "https://example.org/simple");
    let limits = Limits { entries: 1000, entry: 1 << 20, total: 4 << 20, ..Limits::default() };
    let Ok(prepared) = Prepared::new(blob(&bytes), &wheel, &scheme(), PYTHON, &limits) else {
        return;
    };
    let paths: BTreeSet<String> = prepared.paths().map(str::to_owned).collect();
    assert!(paths.iter().all(|path| path.starts_with("/app/.venv/")), "{paths:?}");
    let sandbox = Sandbox::new();
    if let Ok(contents) = prepared.write(&Tree::new(sandbox.out()), &BTreeSet::new()) {
        assert_eq!(contents.into_keys().collect::<BTreeSet<_>>(), paths);
        assert!(paths.iter().all(|path| sandbox.out().join(&path[1..]).is_file()));
    }
    sandbox.check();
});

fn scheme() -> Scheme {
    let scheme = Scheme {
        purelib: "lib/python3.11/site-packages".into(),
        platlib: "lib64/python3.11/site-packages".into(),
        scripts: "bin".into(),
        data: String::new(),
        headers: "include/site/python3.11".into(),
    };
    scheme.below("/app/.venv")
}

/// Entries separated by two bars, each a name and, after a NUL, its content. A name that begins with `!` is
/// that of an executable file.
fn entries(input: &[u8]) -> Vec<Entry> {
    let entry = |part: &[u8]| {
        let mut fields = parts(part, b"\0");
        let name = fields.next().unwrap_or_default();
        let name = &name[..name.len().min(5000)];
        let content = fields.next().unwrap_or_default();
        match name.strip_prefix(b"!") {
            Some(name) => Entry::new(name, content).with(|entry| entry.mode = 0o100_755),
            None => Entry::new(name, content),
        }
    };
    parts(input, b"||").take(1000).map(entry).collect()
}
