//! `entry_points.txt` of a wheel.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poetry_buildkit_installer::fuzzing;

fuzz_target!(|content: &[u8]| {
    for (command, module, attribute) in fuzzing::entry_points(content).unwrap_or_default() {
        assert!(!command.contains(['/', '\0', '\n']) && !matches!(command.as_str(), "" | "." | ".."));
        for name in [module, attribute] {
            assert!(name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')), "{name:?} is code");
        }
    }
});
