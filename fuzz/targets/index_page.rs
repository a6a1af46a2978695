//! The page of a package on an index: JSON if it begins like JSON, or else HTML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poetry_buildkit_installer::fuzzing;

const URL: &str = "https://example.org/simple/x/";

fuzz_target!(|page: &[u8]| {
    let kind = if page.starts_with(b"{") { "application/json" } else { "text/html; charset=utf-8" };
    let Ok(files) = fuzzing::index_page(kind, URL, page) else {
        return;
    };
    for file in files {
        assert!(file.url.is_ascii() && file.url.contains("://"), "{}", file.url);
        let digest = file.sha256.unwrap_or_default();
        assert_eq!(digest, digest.to_ascii_lowercase());
    }
});
