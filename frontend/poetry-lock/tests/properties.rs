//! What holds for any input.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use poetry_lock::{
    Constraint, Dialect, DistributionFile, HashFormula, Lock, Marker, PackageSet, PoetryToml, Project, Pyproject,
    Texts, Version, content_hash,
};
use proptest::prelude::*;

const PYPROJECT: &str = include_str!("fixtures/2.1/pyproject.toml");
const LOCK: &str = include_str!("fixtures/2.1/poetry.lock");
const OLD_LOCK: &str = include_str!("fixtures/1.1/poetry.lock");

fn version() -> impl Strategy<Value = Version> {
    let text = r"([0-2]!)?(0|1|2|10)(\.[0-3]){0,3}((a|b|rc)[0-2])?(\.post[0-2])?(\.dev[0-2])?(\+[a-z0-9]{1,3}(\.[0-9]{1,2})?)?";
    proptest::string::string_regex(text).unwrap().prop_map(|text| text.parse().unwrap())
}

fn public_version() -> impl Strategy<Value = Version> {
    version().prop_map(Version::without_local)
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let term = (prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "^", "~", "~="]), public_version())
        .prop_map(|(operator, version)| format!("{operator}{version}"));
    let all = prop::collection::vec(term, 1..4).prop_map(|terms| terms.join(","));
    prop::collection::vec(all, 1..3).prop_map(|parts| Constraint::parse(&parts.join(" || ")).unwrap())
}

/// A text with a few bytes exchanged, dropped or doubled.
fn damaged(text: &'static str) -> impl Strategy<Value = String> {
    prop::collection::vec((0..text.len(), any::<prop::sample::Index>(), 0..3_u8), 0..6).prop_map(move |damages| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, from, kind) in damages {
            let at = at % bytes.len();
            let other = bytes[from.index(bytes.len())];
            match kind {
                0 => bytes[at] = other,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, other),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

proptest! {
    #[test]
    fn parsers_take_any_text(text in any::<String>()) {
        let _ = Constraint::parse(&text);
        let _ = Marker::parse(&text);
        let _ = DistributionFile::parse(&text);
        let _ = PackageSet::parse(&text);
        let _ = Lock::read(&text);
        let _ = Pyproject::read(&text, Dialect::Poetry2);
        let _ = PoetryToml::read(&text);
        let _ = content_hash(&text, HashFormula::Poetry2_3);
    }

    #[test]
    fn parsers_take_texts_of_their_own_alphabet(
        constraint in r"[0-9.*^~=!<>,| ()a+vx-]{0,24}",
        marker in r#"(python_version|sys_platform|extra|in|not|and|or|==|>=|"3\.[0-9]"|'x'|\(|\)| ){0,12}"#,
        file in r"[a-z0-9._+-]{0,20}(-[a-z0-9._]{0,6}){0,5}(\.whl|\.tar\.gz|\.zip)?",
    ) {
        let _ = Constraint::parse(&constraint);
        let _ = Marker::parse(&marker);
        let _ = DistributionFile::parse(&file);
    }

    #[test]
    fn damaged_files_are_read_or_refused(pyproject in damaged(PYPROJECT), lock in damaged(LOCK), old_lock in damaged(OLD_LOCK)) {
        for lock in [&lock, &old_lock] {
            for dialect in [Dialect::Poetry1, Dialect::Poetry2] {
                let texts = Texts { pyproject: &pyproject, lock, poetry_toml: None };
                if let Err(error) = Project::read_as(&texts, dialect) {
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }

    #[test]
    fn versions_have_a_total_order(a in version(), b in version(), c in version()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
        prop_assert_eq!(a.to_string().parse::<Version>().unwrap(), a);
    }

    #[test]
    fn a_constraint_that_is_written_is_read_again(constraint in constraint(), version in version()) {
        if !constraint.is_empty() {
            let again = Constraint::parse(&constraint.to_string()).unwrap();
            prop_assert_eq!(again.allows(&version), constraint.allows(&version), "{}", constraint);
        }
    }

    /// Of public versions without a post-release: the rules of `>` and of local versions make
    /// constraints allow a little less than an interval would.
    #[test]
    fn sets_of_versions_combine_like_sets(a in constraint(), b in constraint(), version in public_version()) {
        let version = version.with_post(None);
        prop_assert_eq!(a.intersect(&b).allows(&version), a.allows(&version) && b.allows(&version));
        prop_assert_eq!(a.union(&b).allows(&version), a.allows(&version) || b.allows(&version));
    }
}
