//! Dockerfiles that run Poetry come out as with real Poetry, file by file, and no Poetry runs.

use std::{
    collections::BTreeMap,
    env,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::Instant,
};

use end_to_end::{
    compare::{Side, behaviour, differences},
    docker::docker,
    dockerfiles::{self, Case, steps_of_poetry},
    image::Entry,
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
    further_habits = "further",
    what_is_not_as_it_seems = "unseen",
    what_is_read_of_scripts_and_files = "reading",
}

/// The index of these builds. Its port is the same in every run, if it is free: the steps that name it stay cached.
fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| Index::start_at(wheels::folder(), 38217))
}

/// Keeps builds of these Dockerfiles apart: Docker 26 falls over if builds of equal steps meet (moby/buildkit#5606), and
/// these share many.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds the cases of a group both ways and compares. `CASE=NAME` in the environment builds just that one.
fn check(group: &str) {
    let _alone = alone();
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
    assert!(case.served || case.off || !case.rules.is_empty(), "{}: what is not served has a rule", case.name);
    let tags = [format!("test-dockerfile-{}", oracle.name), format!("test-dockerfile-{}-ours", case.name)];
    let mut found = Vec::new();

    let start = Instant::now();
    let oracle = oracle.ready(index());
    let plain = oracle.plain.clone().tag(&tags[0]);
    let mut built = plain.run();
    if !built.success {
        // It fetches Poetry and what Poetry needs over the network.
        say(&format!("{}: real Poetry failed, which is tried again:\n{}", case.name, last_lines(&built.stderr)));
        built = plain.run();
    }
    if !built.success {
        return vec![format!("real Poetry cannot build it:\n{}", last_lines(&built.stderr))];
    }
    let after_plain = start.elapsed();
    let ready = case.ready(index());
    let built = ready.ours.clone().tag(&tags[1]).run();
    if !built.success {
        return vec![format!("the build failed:\n{}", last_lines(&built.stderr))];
    }
    say(&format!(
        "{}: {:.1} s with Poetry, {:.1} s with poetry-buildkit",
        case.name,
        after_plain.as_secs_f32(),
        (start.elapsed() - after_plain).as_secs_f32(),
    ));
    let rules: Vec<&str> = built.progress.warnings.iter().filter_map(|warning| code(warning)).collect();
    if rules != case.rules {
        found.push(format!("the warnings are {:?}", built.progress.warnings));
    }
    if case.served {
        found.extend(steps_of_poetry(&built.progress, case).iter().map(|step| format!("Poetry ran: {step}")));
    }
    let [plain_tag, ours_tag] = &tags;
    let sides = Side::read(&[plain_tag, ours_tag]);
    found.extend(differences(case, &sides[0], &sides[1]));
    let [(plain, plain_error), (ours, ours_error)] = thread::scope(|scope| {
        tags.each_ref().map(|tag| scope.spawn(|| behaviour(tag, &case.run))).map(|run| run.join().expect("a container"))
    });
    if plain != ours {
        found.push(format!("containers do {plain:?} and {ours:?}; they tell {plain_error:?} and {ours_error:?}"));
    }
    if plain.0 != Some(0) {
        found.push(format!("the container of real Poetry fails: {plain:?} {plain_error}"));
    }
    // So many images would fill a disk.
    docker(["image", "rm", "--force", &tags[0], &tags[1]]);
    found
}

/// The code of a warning of ours.
fn code(warning: &str) -> Option<&str> {
    let is_ours = warning.contains("Poetry runs here") || warning.contains("keeps Poetry");
    let code = warning.rsplit_once(" (").and_then(|(_, code)| code.strip_suffix(')'));
    code.filter(|_| is_ours)
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.into_iter().rev().map(|line| line.chars().take(400).collect::<String>() + "\n").collect()
}

/// Makes a difference.
type Change<'a> = dyn Fn(&mut Side) + 'a;

#[test]
fn what_may_not_differ_is_found_and_what_may_is_not() {
    let all: BTreeMap<String, Case> =
        dockerfiles::groups().into_values().flatten().map(|case| (case.name.clone(), case)).collect();
    let plain = |name: &str| {
        let tag = format!("test-dockerfile-{name}");
        all[name].ready(index()).plain.tag(&tag).succeed();
        Side::read(&[&tag]).remove(0)
    };
    // Poetry shares the environment with the project.
    let (case, shared) = (&all["config-create-false"], plain("config-create-false"));
    let jinja = file(&shared, "/usr/local/lib/", "/jinja2/environment.py");
    let packages = jinja.trim_end_matches("/jinja2/environment.py");
    let certifi = file(&shared, &format!("{packages}/certifi-"), "/METADATA");
    let record = file(&shared, &format!("{packages}/jinja2-"), "/RECORD");
    let wrong: [(&str, &Change<'_>); 12] = [
        ("a file that is missing", &|side| drop(side.files.entries.remove(&jinja))),
        ("other content", &|side| entry(side, &jinja).content.push(b'\n')),
        ("another mode", &|side| entry(side, &jinja).mode = 0o600),
        ("another owner", &|side| entry(side, &jinja).owner = (1000, 1000)),
        ("a file too many", &|side| {
            drop(side.files.entries.insert("/app/x".to_owned(), side.files.entries[&jinja].clone()))
        }),
        ("a package that Poetry needs as well", &|side| remove(side, certifi.rsplit_once('/').expect("a folder").0)),
        ("a line of a RECORD", &|side| {
            let text = String::from_utf8_lossy(&entry(side, &record).content).into_owned();
            entry(side, &record).content =
                text.lines().skip(5).map(|line| format!("{line}\n")).collect::<String>().into();
        }),
        ("a file of the base that is removed", &|side| side.files.removed.extend(["/etc/passwd".to_owned()])),
        ("a folder of the base that is removed", &|side| side.files.removed.extend(["/usr/share/doc".to_owned()])),
        ("another variable", &|side| side.config["Env"].as_array_mut().expect("a list").push("A=b".into())),
        ("a variable that only `poetry run` excuses", &|side| {
            side.config["Env"].as_array_mut().expect("a list").push("VIRTUAL_ENV=/venv".into());
        }),
        ("another command", &|side| side.config["Cmd"] = serde_json::json!(["python", "-m", "shop"])),
    ];
    for (what, change) in wrong {
        let mut ours = shared.clone();
        change(&mut ours);
        assert_ne!(differences(case, &shared, &ours), [""; 0], "{what} is not found");
    }
    let mut ours = shared.clone();
    for name in ["poetry", "cleo", "dulwich", "keyring"] {
        remove(&mut ours, &format!("{packages}/{name}"));
        let info = file(&shared, &format!("{packages}/{name}-"), "/METADATA");
        remove(&mut ours, info.rsplit_once('/').expect("a folder").0);
    }
    remove(&mut ours, "/usr/local/bin/poetry");
    remove(&mut ours, "/root/.cache");
    remove(&mut ours, "/root/.config");
    let installer = record.replace("/RECORD", "/INSTALLER");
    entry(&mut ours, &installer).content = b"poetry-buildkit\n".to_vec();
    assert_eq!(differences(case, &shared, &ours), [""; 0]);

    // It has another one, where `poetry run` starts the program.
    let (case, apart) = (&all["default-venv"], plain("default-venv"));
    let activate = file(&apart, "/root/.cache/pypoetry/virtualenvs/", "/bin/activate");
    let venv = activate.trim_end_matches("/bin/activate").to_owned();
    let mut ours = apart.clone();
    ours.config["Entrypoint"] = serde_json::json!(["shop"]);
    let variables = ours.config["Env"].as_array_mut().expect("a list");
    for variable in variables.iter_mut() {
        if let Some(path) = variable.as_str().and_then(|variable| variable.strip_prefix("PATH=")) {
            *variable = format!("PATH={venv}/bin:{path}").into();
        }
    }
    variables.push(format!("VIRTUAL_ENV={venv}").into());
    remove(&mut ours, &activate);
    remove(&mut ours, &file(&apart, &format!("{venv}/lib/"), "/_virtualenv.py"));
    assert_eq!(differences(case, &apart, &ours), [""; 0]);
    let script = format!("{venv}/bin/shop");
    remove(&mut ours, &script);
    assert_eq!(differences(case, &apart, &ours), [format!("{script} is not in ours")]);
}

/// The first file whose path begins and ends like this.
fn file(side: &Side, start: &str, end: &str) -> String {
    let mut paths = side.files.entries.keys();
    let found = paths.find(|path| path.starts_with(start) && path.ends_with(end));
    found.unwrap_or_else(|| panic!("there is no {start}*{end}")).clone()
}

fn entry<'a>(side: &'a mut Side, path: &str) -> &'a mut Entry {
    side.files.entries.get_mut(path).unwrap_or_else(|| panic!("there is no {path}"))
}

/// Takes a file away, or a folder with all in it.
fn remove(side: &mut Side, path: &str) {
    side.files.entries.retain(|other, _| other != path && !other.starts_with(&format!("{path}/")));
}
