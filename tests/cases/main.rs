//! Tests that come from lists, each with a name of its own: the examples, and the Dockerfiles that run Poetry, which come out as
//! with real Poetry, file by file, and no Poetry runs.
//!
//! Real Poetry's side is a record, if one fits (`end_to_end::real`). Where ours is not equal to it, and for those whose turn it is, real
//! Poetry builds anew.

mod content;
mod differences;
mod inputs;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{Arc, OnceLock},
    time::Instant,
};

use end_to_end::{
    dockerfiles::{self, Case, steps_of_poetry},
    index::Index,
    real::{self, Dockerfile, Real, alone, last_lines, within},
    say, wheels,
};
use libtest_mimic::{Arguments, Failed, Trial};
use oracle::{
    judge::{Oracle, judge},
    known::few,
    now,
};

/// All cases by their names.
type Cases = Arc<BTreeMap<String, Case>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let groups = dockerfiles::groups();
    let all: Cases = Arc::new(groups.values().flatten().map(|case| (case.name.clone(), case.clone())).collect());
    let mut trials = content::trials();
    trials.extend([differences::trial(&all), inputs::trial(&all)]);
    for (group, cases) in groups {
        for case in cases {
            let all = Arc::clone(&all);
            trials.push(Trial::test(format!("dockerfiles::{group}::{}", case.name), move || check(&case, &all)));
        }
    }
    if !arguments.list {
        tell_choice();
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    for found in real::findings() {
        say(&format!("FOUND: {found}"));
    }
    conclusion.exit_code()
}

/// Says what real Poetry builds anew in this run, and how the same is chosen again.
fn tell_choice() {
    let (choice, chosen) = (real::choice(), real::chosen());
    let mut unknown = choice.unknown(real::subjects());
    // These are not ours: the tests of that package ask them.
    unknown.retain(|name| !name.starts_with("poetry-lock-"));
    assert!(unknown.is_empty(), "real Poetry is never asked for {unknown:?}, but for {:?}", real::subjects());
    let names: Vec<&str> = chosen.iter().copied().collect();
    say(&format!(
        "real Poetry does {} of {} things again although they are recorded ({choice} chooses the same, or all, none, or names): {}",
        chosen.len(),
        real::subjects().len(),
        names.join(" ")
    ));
}

/// The index of these builds. Its port is the same in every run, if it is free: it is in the build contexts, so that with
/// another one no record fits.
fn index() -> &'static Index {
    const PORT: u16 = 38217;
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let index = Index::start_at(wheels::folder(), PORT);
        if !index.url().contains(&format!(":{PORT}/")) {
            say(&format!("the port {PORT} is in use: real Poetry builds all cases, because the index is at another address than recorded"));
        }
        index
    })
}

/// Builds a case, and compares it with real Poetry's side.
fn check(case: &Case, all: &Cases) -> Result<(), Failed> {
    let found = differing(case, all)?;
    if found.is_empty() {
        return Ok(());
    }
    let rest = found.len().saturating_sub(20);
    let shown = found.into_iter().take(20).collect::<Vec<_>>().join("\n  ");
    Err(format!("{}:\n  {shown}\n  and {rest} more", case.name).into())
}

/// What is not as it should be.
fn differing(case: &Case, all: &Cases) -> Result<Vec<String>, String> {
    let of_real = case.like.as_ref().map_or(case, |like| &all[like]);
    assert!(case.plain || case.like.is_some(), "{}: there is nothing to compare it with", case.name);
    assert!(case.served || case.off || !case.rules.is_empty(), "{}: what is not served has a rule", case.name);

    let mut poetry = Dockerfile::new(of_real, index());
    let (mut record, source) = match &of_real.live {
        None => real::known(&of_real.name, poetry.inputs()?, &mut poetry)?,
        Some(reason) => (real::unrecorded(&of_real.name, poetry.first()?), format!("asked now, as {reason}")),
    };

    let start = Instant::now();
    let tag = format!("test-dockerfile-{}-ours", case.name);
    let ready = case.ready(index());
    let mut build = ready.ours.clone().tag(&tag);
    if of_real.live.is_some() {
        build = within(build, &poetry.scope()?);
    }
    let built = {
        let _alone = alone();
        build.run()
    };
    if !built.success {
        return Err(format!("the build failed:\n{}", last_lines(&built.stderr)));
    }
    let seconds = start.elapsed().as_secs_f32();
    let mut found = Vec::new();
    let codes: Vec<&str> = built.progress.warnings.iter().filter_map(|warning| code(warning)).collect();
    if codes != case.rules {
        found.push(format!("the warnings are {:?}", built.progress.warnings));
    }
    if case.served {
        found.extend(steps_of_poetry(&built.progress, case).iter().map(|step| format!("Poetry ran: {step}")));
    }
    let ours = Real::of_image(&tag, &case.run);
    let verdict = judge(&mut record, &mut poetry, |real| real.differences(case, &ours), now())?;
    if verdict.asked > 0 && of_real.live.is_none() {
        real::keep(&record);
    }
    say(&format!(
        "{}: real Poetry {source}; ours in {seconds:.1} s, {}, {}",
        case.name,
        if case.served { "served" } else { "not served" },
        if verdict.differences.is_empty() { "equal" } else { "DIFFERENT" },
    ));
    if !verdict.wavers.is_empty() {
        let (shown, more) = few(verdict.wavers.iter().map(String::as_str));
        let shown = shown.join(", ");
        let found = format!("{}: real Poetry is not the same in every run: {shown}{more}", of_real.name);
        if verdict.asked > 0 { real::find(found) } else { say(&found) }
    }
    if !verdict.differences.is_empty() {
        found.push(format!(
            "differs from all {} answers of real Poetry, which was asked again {}; from the nearest in this:",
            record.answers.len(),
            if verdict.asked > 0 { format!("{} times", verdict.asked) } else { "within the last day".to_owned() },
        ));
    }
    found.extend(verdict.differences);
    Ok(found)
}

/// The code of a warning of ours.
fn code(warning: &str) -> Option<&str> {
    let is_ours = warning.contains("Poetry runs here") || warning.contains("keeps Poetry");
    let code = warning.rsplit_once(" (").and_then(|(_, code)| code.strip_suffix(')'));
    code.filter(|_| is_ours)
}
