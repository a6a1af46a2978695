//! RECORD of a wheel. What is written of the paths in it is read again.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use poetry_buildkit_installer::fuzzing;

const RECORD: &str = "x-1.0.dist-info/RECORD";

fuzz_target!(|content: &[u8]| {
    let Ok(mut paths) = fuzzing::record(content) else {
        return;
    };
    let written = fuzzing::write_record(&paths, RECORD);
    paths.insert(RECORD.to_owned());
    let again: BTreeSet<String> = fuzzing::record(&written).expect("what was written can be read");
    assert_eq!(again, paths);
});
