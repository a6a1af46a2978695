//! Lines of text: two constraints, and versions that they allow or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poetry_lock::{Constraint, Version};

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let mut constraint = || lines.next().and_then(|line| Constraint::parse(line).ok());
    let (Some(a), Some(b)) = (constraint(), constraint()) else {
        return;
    };
    let versions: Vec<Version> = lines.take(8).filter_map(|line| line.parse().ok()).collect();
    versions.iter().for_each(check_version);
    for version in &versions {
        check_written(&a, version);
    }
    // The rules of `>`, and those of local versions, make constraints allow a little less than an interval.
    let is_simple = |version: &&Version| !version.is_local() && !version.is_post();
    if text.contains('+') {
        return;
    }
    for version in versions.iter().filter(is_simple) {
        let (in_a, in_b) = (a.allows(version), b.allows(version));
        assert_eq!(a.intersect(&b).allows(version), in_a && in_b, "{version} in {a} and in {b}");
        assert_eq!(a.union(&b).allows(version), in_a || in_b, "{version} in {a} or in {b}");
    }
});

/// It is read as it is written.
fn check_version(version: &Version) {
    let again: Version = version.to_string().parse().expect("what is written can be read");
    assert_eq!(again, *version);
    assert!(Constraint::exactly(version.clone()).allows(version));
}

/// A constraint is read as it is written.
fn check_written(constraint: &Constraint, version: &Version) {
    if !constraint.is_empty() {
        let again = Constraint::parse(&constraint.to_string()).expect("what is written can be read");
        assert_eq!(again.allows(version), constraint.allows(version), "{version} in {constraint} and in {again}");
    }
}
