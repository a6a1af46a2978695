//! The reference page names every setting, and no other.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use poetry_buildkit::{plan::Target, settings::KEYS};

/// The names in the first column of the tables whose first column is headed `setting`.
fn documented(page: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut in_settings = false;
    for line in page.lines() {
        let first = line.trim_start_matches('|').split('|').next().unwrap_or_default().trim();
        match line.starts_with('|') {
            false => in_settings = false,
            true if first == "setting" => in_settings = true,
            true if in_settings && first.starts_with('`') => {
                names.extend(first.split(',').map(|name| name.trim().trim_matches('`').to_owned()));
            }
            true => {}
        }
    }
    names
}

fn page(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_setting_is_documented_and_every_documented_one_exists() {
    let known: BTreeSet<String> = KEYS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(documented(&page("docs/settings.md")), known);
    assert_eq!(documented(&page("README.md")), known);
}

#[test]
fn every_target_is_documented() {
    let page = page("docs/settings.md");
    for (_, name, _) in Target::ALL {
        assert!(page.contains(&format!("`--target {name}`")), "{name}");
    }
}
