//! The name of a distribution.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poetry_lock::{DistributionFile, FileKind, Name};

fuzz_target!(|text: &str| {
    let Some(file) = DistributionFile::parse(text) else {
        return;
    };
    assert_eq!(Name::new(file.name.as_str()), file.name);
    assert_eq!(file.version.to_string().parse().as_ref(), Ok(&file.version));
    if let FileKind::Wheel { tags, .. } = &file.kind {
        assert!(!tags.is_empty() && tags.iter().all(|tag| tag.matches('-').count() == 2));
    }
});
