use poetry_lock::{Constraint, Version};
use serde_json::json;

use crate::random::Random;
use crate::{ask, cases, refuse, seed};

const RELEASES: [&str; 14] =
    ["0", "0.0.3", "0.2", "0.2.3", "1", "1.0", "1.0.0", "1.2", "1.2.3", "1.2.3.4", "2", "2.0.1", "3", "2021.3.1"];
const SUFFIXES: [&str; 10] = ["", "", "", "", "a1", "rc2", ".dev1", ".post1", "+local.1", ".post2.dev3"];

/// Local versions are only allowed in comparisons for equality (PEP 440).
fn version(random: &mut Random) -> String {
    let suffix = random.pick(&SUFFIXES);
    format!("{}{}", random.pick(&RELEASES), if suffix.starts_with('+') { "" } else { suffix })
}

fn any_version(random: &mut Random) -> String {
    format!("{}{}", random.pick(&RELEASES), random.pick(&SUFFIXES))
}

fn term(random: &mut Random) -> String {
    let blank = random.pick(&["", "", " "]);
    match random.below(8) {
        0 => random.pick(&["*", "1.*", "1.2.*", "==1.*", "!=1.*", "!= 1.2.*", "0.*", "==1.2.3.*"]).to_owned(),
        1 => format!("{}{blank}{}", random.pick(&["^", "~"]), version(random)),
        2 => format!("~={blank}{}", version(random)),
        3 => any_version(random),
        4 => format!("{}{blank}{}", random.pick(&["==", "!=", "="]), any_version(random)),
        _ => format!("{}{blank}{}", random.pick(&[">", ">=", "<", "<="]), version(random)),
    }
}

fn constraint(random: &mut Random) -> String {
    let alternatives: Vec<_> = (0..1 + usize::from(random.chance(25)))
        .map(|_| {
            let terms: Vec<_> = (0..1 + random.below(3)).map(|_| term(random)).collect();
            terms.join(random.pick(&[",", ", ", ",", " "]))
        })
        .collect();
    alternatives.join(random.pick(&[" || ", "||", " | "]))
}

#[test]
fn constraints_allow_what_they_do_in_poetry() {
    let mut random = Random::new(seed());
    let texts: Vec<_> = (0..cases(5_000)).map(|_| constraint(&mut random)).collect();
    let versions: Vec<_> = RELEASES
        .iter()
        .flat_map(|release| SUFFIXES[3..].iter().map(move |suffix| format!("{release}{suffix}")))
        .collect();
    let Some(answers) = ask("constraints", &json!({"constraints": texts, "versions": versions})) else { return };
    let parsed: Vec<Version> = versions.iter().map(|version| version.parse().unwrap()).collect();
    let mut differences = Vec::new();
    let mut compared = 0;
    for (text, answer) in texts.iter().zip(answers.as_array().unwrap()) {
        let ours = Constraint::parse(text).ok();
        let Some(theirs) = answer.as_array() else {
            compared += 1;
            differences.extend(ours.map(|ours| format!("{text}: Poetry refuses, ours is {ours}")));
            continue;
        };
        for ((version, parsed), theirs) in versions.iter().zip(&parsed).zip(theirs) {
            compared += 1;
            let allowed = ours.as_ref().map(|constraint| constraint.allows(parsed));
            if allowed != theirs.as_bool() {
                differences.push(format!("{text} of {version}: ours {allowed:?}, Poetry's {theirs}"));
            }
        }
    }
    refuse("constraints", compared, &differences);
}
