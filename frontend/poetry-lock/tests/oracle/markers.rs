use std::collections::{BTreeMap, BTreeSet};

use poetry_lock::{Environment, Extras, Marker, Name};
use serde_json::json;

use crate::random::Random;
use crate::{ask, cases, refuse, seed};

const SERIES: [&str; 9] = ["2.7", "3", "3.6", "3.8", "3.9", "3.10", "3.11", "3.12", "4.0"];
const FULL: [&str; 6] = ["3.8.0", "3.9.1", "3.9.18", "3.11.7", "3.12.0", "3.13.0rc1"];
const ORDERS: [&str; 8] = ["==", "!=", "<", "<=", ">", ">=", "~=", "in"];
const TEXTS: [(&str, &[&str]); 7] = [
    ("sys_platform", &["linux", "linux2", "win32", "darwin", "cygwin"]),
    ("os_name", &["posix", "nt", "java"]),
    ("platform_system", &["Linux", "Windows", "Darwin"]),
    ("platform_machine", &["x86_64", "aarch64", "arm64", "AMD64"]),
    ("implementation_name", &["cpython", "pypy"]),
    ("platform_python_implementation", &["CPython", "PyPy"]),
    ("implementation_version", &["3.11.7", "3.8", "7.3"]),
];

fn environments() -> Vec<BTreeMap<String, String>> {
    let make = |python: &str, platform: &str, os: &str, system: &str, machine: &str, release: &str| {
        let short: Vec<_> = python.split('.').take(2).collect();
        let implementation = if machine == "arm64" { ("pypy", "PyPy") } else { ("cpython", "CPython") };
        [
            ("implementation_name", implementation.0),
            ("implementation_version", python),
            ("os_name", os),
            ("platform_machine", machine),
            ("platform_release", release),
            ("platform_system", system),
            ("platform_version", "1"),
            ("python_full_version", python),
            ("platform_python_implementation", implementation.1),
            ("python_version", &short.join(".")),
            ("sys_platform", platform),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    };
    vec![
        make("3.11.7", "linux", "posix", "Linux", "x86_64", "6.8.0-45-generic"),
        make("3.9.18", "darwin", "posix", "Darwin", "arm64", "20.6.0"),
        make("3.8.0", "win32", "nt", "Windows", "AMD64", "10"),
        make("3.13.0", "linux", "posix", "Linux", "aarch64", "5.15.90.1-microsoft-standard-WSL2"),
        make("3.14.0rc2", "linux", "posix", "Linux", "x86_64", "6.8.0"),
        make("2.7.18", "linux2", "posix", "Linux", "x86_64", "4.4.0"),
    ]
}

fn list(random: &mut Random, from: &[&str]) -> String {
    let operator = random.pick(&["in", "not in"]);
    let separator = random.pick(&[" ", ", ", "|", ","]);
    let values: Vec<_> = (0..=random.below(3)).map(|_| random.pick(from)).collect();
    format!("{operator} \"{}\"", values.join(separator))
}

fn comparison(random: &mut Random) -> String {
    match random.below(10) {
        // Poetry changes the meaning of some markers that compare `python_version` with three
        // components or `python_full_version` with a list of fewer. Such are not made here.
        0..=2 => {
            let operator = random.pick(&ORDERS);
            match operator {
                "in" => format!("python_version {}", list(random, &SERIES)),
                "~=" => format!("python_version ~= \"{}\"", random.pick(&["2.7", "3.8", "3.11"])),
                "==" | "!=" if random.chance(30) => {
                    format!("python_version {operator} \"{}.*\"", random.pick(&["2.7", "3.9", "3.11"]))
                }
                _ => format!("python_version {operator} \"{}\"", random.pick(&SERIES)),
            }
        }
        3..=4 => {
            let operator = random.pick(&ORDERS);
            match operator {
                "in" => format!("python_full_version {}", list(random, &FULL)),
                "~=" => format!("python_full_version ~= \"{}\"", random.pick(&["3.8", "3.9.1", "3.11.2"])),
                "==" | "!=" => format!("python_full_version {operator} \"{}\"", random.pick(&FULL)),
                _ => {
                    let value = if random.chance(50) { random.pick(&SERIES) } else { random.pick(&FULL) };
                    format!("python_full_version {operator} \"{value}\"")
                }
            }
        }
        5..=7 => {
            let (variable, values) = TEXTS[random.below(TEXTS.len())];
            let operator = random.pick(&["==", "!=", "==", "!=", "in", "not in", "<", ">="]);
            let value = match operator {
                "in" | "not in" => {
                    let separator = random.pick(&[" ", ", ", "|"]);
                    (0..=random.below(2)).map(|_| random.pick(values)).collect::<Vec<_>>().join(separator)
                }
                _ => random.pick(values).to_owned(),
            };
            format!("{variable} {operator} '{value}'")
        }
        8 => {
            let operator = random.pick(&["==", "!=", ">", ">=", "<", "<="]);
            format!("platform_release {operator} \"{}\"", random.pick(&["5", "6.8.0", "20.6.0", "10"]))
        }
        _ => {
            // Where no extras apply, Poetry finds that `x` and not `x` at once cannot be; we do not.
            random.pick(&["extra == 'a'", "extra == 'b'", "extra != 'c'", "extra != 'Big_Extra'"]).to_owned()
        }
    }
}

fn marker(random: &mut Random, depth: usize) -> String {
    let parts: Vec<_> = (0..=random.below(3))
        .map(|_| {
            if depth > 0 && random.chance(35) { format!("({})", marker(random, depth - 1)) } else { comparison(random) }
        })
        .collect();
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push_str(random.pick(&[" and ", " or "]));
        }
        text.push_str(part);
    }
    text
}

/// Whether each marker holds in each environment: by us, by Poetry and by `packaging`.
fn compare(
    texts: &[String],
    extras: Option<&[&str]>,
    mut each: impl FnMut(&str, &Environment, Result<bool, String>, Option<bool>, Option<bool>),
) -> bool {
    let environments = environments();
    let questions = json!({"markers": texts, "environments": environments, "extras": extras});
    let Some(answers) = ask("markers", &questions) else { return false };
    let active: Option<BTreeSet<Name>> = extras.map(|extras| extras.iter().map(|extra| Name::new(extra)).collect());
    let extras = active.as_ref().map_or(Extras::Open, Extras::Only);
    for (text, answers) in texts.iter().zip(answers.as_array().unwrap()) {
        let marker = Marker::parse(text).map_err(|error| error.to_string());
        for (variables, answer) in environments.iter().zip(answers.as_array().unwrap()) {
            let environment = Environment::new(variables.clone()).unwrap();
            let ours = marker.as_ref().map_err(Clone::clone);
            let ours = ours.and_then(|marker| marker.evaluate(&environment, extras).map_err(|error| error.to_string()));
            each(text, &environment, ours, answer[0].as_bool(), answer[1].as_bool());
        }
    }
    true
}

#[test]
fn markers_hold_where_they_do_in_poetry() {
    let mut random = Random::new(seed());
    let texts: Vec<_> = (0..cases(3_000)).map(|_| marker(&mut random, 1)).collect();
    let mut differences = Vec::new();
    let mut compared = 0;
    for extras in [None, Some(&[][..]), Some(&["a"][..]), Some(&["a", "big-extra"][..])] {
        let asked = compare(&texts, extras, |text, environment, ours, poetry, _| {
            compared += 1;
            if poetry.map(Ok) != Some(ours.clone()) {
                let python = environment.get("python_full_version");
                differences.push(format!("{text}\n  {python:?} {extras:?}: ours {ours:?}, Poetry's {poetry:?}"));
            }
        });
        if !asked {
            return;
        }
    }
    refuse("markers", compared, &differences);
}

/// Comparisons that Poetry refuses have the meaning that `packaging` gives them.
#[test]
fn reversed_comparisons_hold_where_they_do_in_packaging() {
    let mut texts = Vec::new();
    for variable in ["python_version", "python_full_version", "sys_platform", "platform_machine"] {
        for operator in ["==", "!=", "<", "<=", ">", ">=", "==="] {
            let values: &[&str] = match (variable.starts_with("python"), operator) {
                (true, _) => &["3.8", "3.9.18", "3.11", "3.11.7", "4"],
                (false, "==" | "!=") => &["linux", "x86_64", "arm64"],
                // Texts have no order in Poetry, and `packaging` does not know `===` for them.
                (false, _) => &[],
            };
            texts.extend(values.iter().map(|value| format!("'{value}' {operator} {variable}")));
            if operator == "===" {
                texts.extend(values.iter().map(|value| format!("{variable} === '{value}'")));
            }
        }
    }
    let mut differences = Vec::new();
    let mut compared = 0;
    let asked = compare(&texts, None, |text, environment, ours, poetry, packaging| {
        compared += 1;
        let theirs = poetry.or(packaging);
        if theirs.map(Ok) != Some(ours.clone()) {
            let python = environment.get("python_full_version");
            differences.push(format!("{text}\n  {python:?}: ours {ours:?}, theirs {theirs:?}"));
        }
    });
    if asked {
        refuse("reversed comparisons", compared, &differences);
    }
}
