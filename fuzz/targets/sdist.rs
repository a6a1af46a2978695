//! A source distribution. The first letter tells the kind: `t` a tar archive, whose checksums are made to fit,
//! `g` a compressed one, or else a zip archive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poetry_buildkit_fuzz::{Sandbox, blob};
use poetry_buildkit_installer::fuzzing;

const BLOCK: usize = 512;

fuzz_target!(|input: &[u8]| {
    let Some((kind, archive)) = input.split_first() else {
        return;
    };
    let (name, archive) = match kind {
        b't' => ("x-1.0.tar", with_checksums(archive)),
        b'g' => ("x-1.0.tar.gz", archive.to_vec()),
        _ => ("x-1.0.zip", archive.to_vec()),
    };
    let sandbox = Sandbox::new();
    if let Ok(top) = fuzzing::unpack_sdist(blob(&archive), name, &sandbox.out()) {
        assert!(top.starts_with(sandbox.out()) && top.is_dir());
    }
    sandbox.check();
});

/// The archive with the checksum of every header put right, as far as its sizes can be followed.
fn with_checksums(archive: &[u8]) -> Vec<u8> {
    let mut fixed = archive.to_vec();
    let mut at = 0;
    while let Some(block) = fixed.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<BLOCK>()) {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        // Zeros end the archive.
        if block.iter().any(|byte| *byte != 0) {
            header.set_cksum();
            block.copy_from_slice(header.as_bytes());
        }
        let size = usize::try_from(header.entry_size().unwrap_or(0)).unwrap_or(usize::MAX);
        at = at.saturating_add(size.div_ceil(BLOCK).saturating_add(1).saturating_mul(BLOCK));
    }
    fixed
}
