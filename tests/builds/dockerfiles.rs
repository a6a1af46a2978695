//! Dockerfiles that run Poetry come out as with real Poetry, file by file, and no Poetry runs.

use std::{collections::BTreeMap, env, sync::OnceLock, time::Instant};

use end_to_end::{
    compare::{Side, behaviour, differences},
    dockerfiles::{self, Case, steps_of_poetry},
    index::Index,
    say, wheels,
};

/// A test for each group of `cases.toml`, and one that no group is left out.
macro_rules! groups {
    ($($test:ident = $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                check($name);
            }
        )*

        #[test]
        fn every_group_of_dockerfiles_is_tested() {
            let tested = [$($name),*];
            let groups = dockerfiles::groups();
            let left: Vec<_> = groups.keys().filter(|group| !tested.contains(&group.as_str())).collect();
            assert!(left.is_empty(), "{left:?}");
        }
    };
}

groups! {
    the_six_of_the_article = "article",
    one_stage_without_an_environment = "one-stage",
    poetry_at_any_place = "poetry-home",
    environments_of_ones_own = "environments",
    several_targets = "targets",
    arguments_choose_what_is_installed = "arguments",
    users_that_are_not_root = "users",
    projects_in_subfolders = "folders",
    lists_of_requirements = "exports",
    poetry_runs_things = "poetry-run",
    mounts_and_heredocs = "buildkit",
    options_of_the_install = "options",
    commands_around_the_install = "around",
}

/// The index of these builds. Its port is the same in every run, if it is free: the steps that name it stay cached.
fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| Index::start_at(wheels::folder(), 38217))
}

/// Builds the cases of a group both ways and compares. `CASE=NAME` in the environment builds just that one.
fn check(group: &str) {
    let cases = dockerfiles::groups().remove(group).expect("a group of cases.toml");
    let all: BTreeMap<String, Case> =
        dockerfiles::groups().into_values().flatten().map(|case| (case.name.clone(), case)).collect();
    let wanted = env::var("CASE").ok();
    let wanted = |case: &&Case| wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|name| name == case.name));
    let mut table = Vec::new();
    let mut wrong = Vec::new();
    for case in cases.iter().filter(wanted) {
        let found = differing(case, &all);
        let served = if case.served { "served" } else { "not served" };
        let equal = if found.is_empty() { "equal" } else { "DIFFERENT" };
        table.push(format!("{:<28} {served:<12} {equal}", case.name));
        if !found.is_empty() {
            let rest = found.len().saturating_sub(20);
            let shown = found.into_iter().take(20).collect::<Vec<_>>().join("\n  ");
            wrong.push(format!("{}:\n  {shown}\n  and {rest} more", case.name));
        }
    }
    if !table.is_empty() {
        say(&format!("Dockerfiles of the group {group}:\n{}", table.join("\n")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as it should be.
fn differing(case: &Case, all: &BTreeMap<String, Case>) -> Vec<String> {
    let oracle = match &case.like {
        Some(like) => &all[like],
        None => case,
    };
    assert!(case.plain || case.like.is_some(), "{}: there is nothing to compare it with", case.name);
    assert_eq!(case.served, case.reason.is_none(), "{}: what is not served has a reason", case.name);
    let tags = [format!("test-dockerfile-{}", oracle.name), format!("test-dockerfile-{}-ours", case.name)];
    let mut found = Vec::new();

    let start = Instant::now();
    let oracle_ready = oracle.ready(index());
    let built = oracle_ready.plain.clone().tag(&tags[0]).run();
    if !built.success {
        return vec![format!("real Poetry cannot build it:\n{}", last_lines(&built.stderr))];
    }
    let after_plain = start.elapsed();
    let ready = case.ready(index());
    let ours = if env::var_os("COMPARE_PLAIN").is_some() { case_plain(&oracle_ready) } else { ready.ours.clone() };
    let built = ours.tag(&tags[1]).run();
    if !built.success {
        return vec![format!("the build failed:\n{}", last_lines(&built.stderr))];
    }
    say(&format!(
        "{}: {:.1} s with Poetry, {:.1} s with poetry-buildkit",
        case.name,
        after_plain.as_secs_f32(),
        (start.elapsed() - after_plain).as_secs_f32(),
    ));
    if case.served && env::var_os("COMPARE_PLAIN").is_none() {
        found.extend(steps_of_poetry(&built.progress, case).iter().map(|step| format!("Poetry ran: {step}")));
    }
    found.extend(differences(case, &Side::read(&tags[0]), &Side::read(&tags[1])));
    let [(plain, plain_error), (ours, ours_error)] = tags.each_ref().map(|tag| behaviour(tag, &case.run));
    if plain != ours {
        found.push(format!("containers do {plain:?} and {ours:?}; they tell {plain_error:?} and {ours_error:?}"));
    }
    if plain.0 != Some(0) {
        found.push(format!("the container of real Poetry fails: {plain:?} {plain_error}"));
    }
    found
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.into_iter().rev().map(|line| line.chars().take(400).collect::<String>() + "\n").collect()
}

fn case_plain(ready: &dockerfiles::Ready) -> end_to_end::docker::Build {
    if env::var("COMPARE_PLAIN").is_ok_and(|value| value == "again") {
        return ready.plain.clone().arg("--no-cache");
    }
    ready.plain.clone()
}
