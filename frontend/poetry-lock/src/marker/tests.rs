use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn environment() -> Environment {
    let mut variables: BTreeMap<String, String> = [
        ("implementation_name", "cpython"),
        ("implementation_version", "3.11.7"),
        ("os_name", "posix"),
        ("platform_machine", "x86_64"),
        ("platform_release", "6.8.0-45-generic"),
        ("platform_system", "Linux"),
        ("python_full_version", "3.11.7"),
        ("sys_platform", "linux"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    variables.insert("platform_python_implementation".into(), "CPython".into());
    Environment::new(variables).unwrap()
}

fn holds(text: &str) -> bool {
    Marker::parse(text).unwrap().evaluate(&environment(), Extras::Open).unwrap()
}

fn holds_with(text: &str, extras: &[&str]) -> bool {
    let extras: BTreeSet<Name> = extras.iter().map(|extra| Name::new(extra)).collect();
    Marker::parse(text).unwrap().evaluate(&environment(), Extras::Only(&extras)).unwrap()
}

#[test]
fn comparisons_follow_poetry() {
    for (text, value) in [
        (r#"python_version >= "3.9""#, true),
        (r#"python_version == "3.11.*""#, true),
        (r#"python_version ~= "3.8""#, true),
        (r#"python_version in "3.9, 3.11""#, true),
        (r#"python_version in "3.9|3.10""#, false),
        (r#"python_version not in "3.9 3.10""#, true),
        (r#"python_full_version in "3.11.7 3.12.0""#, true),
        (r#"python_full_version >= "3.11""#, true),
        (r#"python_full_version < "3.11""#, false),
        (r#"sys_platform in "linux2""#, false),
        (r#"sys_platform in "linux, darwin""#, true),
        (r#"sys_platform == "Linux""#, false),
        (r#"sys.platform == 'linux' and os.name=='posix'"#, true),
        (r#"python_implementation == "CPython""#, true),
        (r#"platform_release >= "5""#, true),
        (r#""generic" in platform_release"#, true),
        (r#""tegra" not in platform_release"#, true),
        (r#"implementation_version >= "3.8""#, false),
        (r#"platform_machine < "z""#, false),
        ("", true),
        ("*", true),
        ("<empty>", false),
    ] {
        assert_eq!(holds(text), value, "{text}");
    }
}

#[test]
fn forms_that_poetry_refuses_have_their_meaning_of_pep_508() {
    for (text, value) in [
        (r#""3.8" <= python_version"#, true),
        (r#""3.12" > python_version"#, true),
        (r#""linux" == sys_platform"#, true),
        (r#"python_version === "3.11""#, true),
        (r#"python_version === "3.11.0""#, false),
    ] {
        assert_eq!(holds(text), value, "{text}");
    }
}

#[test]
fn and_binds_stronger_than_or() {
    assert!(holds(r#"os_name == "posix" or os_name == "nt" and os_name == "nt""#));
    assert!(!holds(r#"(os_name == "posix" or os_name == "nt") and os_name == "nt""#));
    assert!(holds(r#"python_version>"3"and os_name=="posix""#));
}

#[test]
fn extras_are_a_set_of_normalized_names() {
    assert!(holds_with(r#"extra == "Big_Extra""#, &["big-extra", "other"]));
    assert!(!holds_with(r#"extra == "x""#, &[]));
    assert!(holds_with(r#"extra != "x""#, &[]));
    assert!(!holds_with(r#"extra != "x""#, &["x"]));
    assert!(holds_with(r#"extra == "x" and extra == "y""#, &["x", "y"]));
    assert!(holds(r#"extra == "x""#) && holds(r#"extra != "x""#));
}

#[test]
fn an_unknown_variable_matters_only_where_the_answer_depends_on_it() {
    let environment = Environment::linux("3.11.7", "x86_64").unwrap();
    let evaluate = |text| Marker::parse(text).unwrap().evaluate(&environment, Extras::Open);
    assert_eq!(evaluate(r#"sys_platform == "darwin" and platform_release >= "20""#), Ok(false));
    assert_eq!(evaluate(r#"platform_release >= "20" or sys_platform == "linux""#), Ok(true));
    assert_eq!(
        evaluate(r#"platform_release >= "20""#).unwrap_err().to_string(),
        "the environment does not tell `platform_release`, which the marker `platform_release >= \"20\"` depends on"
    );
}

#[test]
fn what_is_no_marker_is_an_error_with_its_place() {
    for (text, offset, reason) in [
        ("python_version", 14, "a comparison operator is expected, but the marker ends"),
        (r#"python_version => "3""#, 15, r#"a comparison operator is expected at `=> "3"`"#),
        (r#"foo == "1""#, 0, r#"`foo` is not a marker variable (PEP 508) at `foo == "1"`"#),
        (r#"os_name == "posix" os_name"#, 19, "`and`, `or` or the end of the marker is expected at `os_name`"),
        (r#"os_name == "posix"#, 11, r#"the closing quote is missing at `"posix`"#),
        (r#"(os_name == "posix""#, 19, "`)` is expected, but the marker ends"),
        (r#""a" == "b""#, 0, "a comparison needs one variable and one quoted value"),
        (r#"python_version >= "abc""#, 0, "`>=abc` is not a version constraint: `abc` is not a version (PEP 440)"),
        (r#""3.8" ~= python_version"#, 0, "`~=` and `*` need the variable on the left"),
        (r#"extra >= "a""#, 0, "`extra` cannot be compared with `>=`"),
    ] {
        let error = Marker::parse(text).unwrap_err();
        assert_eq!((error.offset, error.reason.as_str()), (offset, reason), "{text}");
    }
    let deep = format!("{}os_name == 'posix'{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Marker::parse(&deep).is_err());
}

#[test]
fn a_demand_on_python_becomes_a_marker() {
    for (python, value) in [
        ("*", true),
        ("^3.8", true),
        ("<3.11", false),
        ("<=3.11", false),
        (">3.11", true),
        ("3.11", true),
        ("3.11.7", true),
        ("~3.10 || >=3.11.8", false),
    ] {
        let marker = Marker::from_python(python).unwrap();
        assert_eq!(marker.evaluate(&environment(), Extras::Open), Ok(value), "{python}");
    }
}

#[test]
fn a_platform_becomes_a_marker() {
    for (platform, value) in [("linux", true), ("!=linux", false), ("win32 || linux", true), ("!=win32,!=darwin", true)]
    {
        let marker = Marker::from_platform(platform).unwrap();
        assert_eq!(marker.evaluate(&environment(), Extras::Open), Ok(value), "{platform}");
    }
}

#[test]
fn extras_that_are_asked_for_are_collected() {
    let marker = Marker::parse(r#"extra == "A" and os_name == "x" or extra == "b" or extra != "c""#).unwrap();
    assert_eq!(marker.wanted_extras(), [Name::new("a"), Name::new("b")]);
    assert!(marker.mentions_extras());
}

#[test]
fn lists_that_would_take_long_are_refused() {
    let listed = |count: usize| Marker::parse(&format!("python_version in '{}'", vec!["3.9"; count].join(" ")));
    assert!(listed(250).is_ok());
    assert!(listed(251).is_err());
}

#[test]
fn a_pre_release_of_python_counts_as_its_final_version_where_only_python_matters() {
    let environment = Environment::linux("3.14.0rc2", "x86_64").unwrap();
    let marker = Marker::parse(r#"python_full_version >= "3.14" and sys_platform == "win32""#).unwrap();
    assert!(marker.may_hold_for_python(&environment));
    assert!(!Marker::parse(r#"python_version < "3.14""#).unwrap().may_hold_for_python(&environment));
}
