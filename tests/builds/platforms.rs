//! Several platforms at once, without an emulator.

use std::fs;

use end_to_end::{examples::Example, image::Image};

use crate::{alone, build, index};

/// Values of `e_machine` in the header of an ELF file.
const MACHINES: [(&str, u16); 2] = [("amd64", 62), ("arm64", 183)];

#[test]
fn wheels_of_another_platform_need_no_emulator() {
    let emulators = fs::read_dir("/proc/sys/fs/binfmt_misc").map_or(0, |entries| {
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("qemu-")).count()
    });
    assert_eq!(emulators, 0, "an emulator is registered, so this test would show nothing");

    let example = Example::named("data");
    let tag = "test-platforms";
    let build = build(&example, &example.folder, index()).args(["--platform", "linux/amd64,linux/arm64"]);
    alone(build, "platforms").tag(tag).succeed();

    let images = Image::platforms(tag);
    assert_eq!(images.len(), MACHINES.len());
    for Image { architecture, layers, .. } in images {
        let (_, machine) = MACHINES.iter().find(|(name, _)| *name == architecture).expect("a known architecture");
        let own = layers.iter().flat_map(|layer| &layer.entries).filter(|(path, _)| path.starts_with("/srv/"));
        let libraries: Vec<_> = own.filter(|(_, entry)| entry.content.starts_with(b"\x7fELF")).collect();
        assert!(libraries.len() > 50, "numpy and pandas have many shared libraries, not {}", libraries.len());
        for (path, entry) in libraries {
            let found = u16::from_le_bytes([entry.content[18], entry.content[19]]);
            assert_eq!(found, *machine, "{path} is not for {architecture}");
        }
    }
}
