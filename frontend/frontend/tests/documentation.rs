//! The documentation names every setting and every rule, and no other.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use poetry_buildkit::{dockerfile::rules, plan::Target, settings::KEYS};

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

fn file(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn page(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap()
}

/// With `UPDATE_DOCUMENTATION` in the environment the table is written anew.
#[test]
fn the_rules_are_documented_as_they_are() {
    let text = page("docs/dockerfile.md");
    let (before, rest) = text.split_once("writes it. -->\n").unwrap();
    let after = &rest[rest.find("\n\n").unwrap()..];
    let expected = format!("{before}writes it. -->\n{}{after}", rules::table().trim_end());
    if std::env::var_os("UPDATE_DOCUMENTATION").is_some() {
        std::fs::write(file("docs/dockerfile.md"), &expected).unwrap();
    } else {
        assert_eq!(text, expected, "`UPDATE_DOCUMENTATION=1 cargo test --test documentation` writes the table anew");
    }
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
