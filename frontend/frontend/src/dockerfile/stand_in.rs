//! The `poetry` of an image in which Poetry is left out.
//!
//! Compose files, jobs and health checks say `poetry run …` of images whose Dockerfile does not show it. So where an image would
//! have had Poetry, a shell script stands at the same place. It knows the commands that use what is installed, and declines all
//! others with a sentence. Follows `poetry.console.commands` (`run`, `env info`, `version`).

use buildkit_llb::{Annotate, File, FileAction, Output, Owner};
use install_request::EPOCH;
use shell::{
    Dialect,
    ast::{Kind, Word},
    quoted,
};

use super::{
    decide::Decided,
    decision::{Decision, Project},
    facts::Facts,
    graph::Command,
    programs::{self, Meaning},
    stage::{
        files::{Look, Origin, origin},
        history::History,
        ownership,
    },
    stop::Stop,
};
use crate::error::Error;

/// Where programs are that the system's pip installs.
const DEFAULT: &str = "/usr/local/bin/poetry";

/// What the script does. `@projects@` stands for a branch for each project, and `@version@` for what Poetry says of itself.
const TEXT: &str = include_str!("stand_in.sh");

/// Puts it into the result, where that would have had Poetry. `original` is the result of the original graph.
///
/// # Errors
/// If an op is not valid, or a call fails.
pub(super) async fn add(facts: &Facts<'_>, decided: &mut Decided, original: &Output) -> Result<(), Error> {
    let history = History::of(&decided.steps, original);
    let Some((path, user)) = place(&history, decided) else { return Ok(()) };
    let projects: Vec<&Project> = decided.installations.iter().filter_map(|made| made.project.as_deref()).collect();
    // What the user has put there is the user's.
    let own = origin(facts, &decided.steps, original, &path, Look::Clients).await?;
    if projects.is_empty() || !matches!(own, Origin::Nowhere) {
        return Ok(());
    }
    let text = text(&projects, version(&history).as_deref());
    let (uid, gid) = match ownership::owner(facts, &decided.output, &user).await {
        Ok(owner) => owner,
        Err(Stop::Error(error)) => return Err(*error),
        Err(_) => return Ok(()),
    };
    let owner = Owner::new(uid, gid);
    let mut file = File::on(decided.output.clone());
    let (folder, _) = path.rsplit_once('/').unwrap_or_default();
    if format!("{folder}/poetry") != DEFAULT {
        // That one is in every image.
        file = file.then(FileAction::mkdir(folder).make_parents().owner(owner.clone()).timestamp(EPOCH));
    }
    let script = FileAction::mkfile(&path, text).mode(0o755).owner(owner).timestamp(EPOCH);
    decided.output = file.then(script).name("[poetry] leave `poetry run` in the image").output()?;
    decided.stand_in = Some(path);
    Ok(())
}

/// Whether what was installed is that of the project in a folder, so that `poetry run` there has an environment.
pub(super) fn knows(decided: &Decided, folder: &str) -> bool {
    decided.installations.iter().filter_map(|made| made.project.as_deref()).any(|project| project.folder == folder)
}

/// Whether it does all that a script of the image's asks of Poetry.
pub(super) fn suffices_script(text: &str) -> bool {
    let head = text.lines().next().and_then(|line| line.strip_prefix("#!"));
    let shell = head.and_then(|head| head.trim().trim_start_matches("/usr/bin/env ").split_whitespace().next());
    match shell.map(programs::base) {
        Some("sh" | "dash" | "ash") => suffices(text, Dialect::Sh),
        Some("bash") => suffices(text, Dialect::Bash),
        _ => false,
    }
}

/// Commands that go to another folder, where another project may be, or run what is not seen.
const MOVING: [&str; 8] = [".", "alias", "cd", "chdir", "eval", "popd", "pushd", "source"];

/// Whether all that a script asks of Poetry is `poetry run` in the folder that it begins in, whatever runs of it.
pub(super) fn suffices(text: &str, dialect: Dialect) -> bool {
    let Ok(script) = shell::parse(text, dialect) else { return false };
    let mut rest = text.to_owned();
    let mut moves = false;
    script.visit_commands(&mut |command| {
        let Kind::Simple(simple) = &command.kind else { return };
        let words = match simple.words.split_first() {
            Some((first, words)) if first.bare() == Some("exec") => words,
            _ => &simple.words[..],
        };
        moves |= words.iter().take(2).filter_map(Word::bare).any(|word| MOVING.contains(&word));
        let [poetry, run, program, ..] = words else { return };
        // The environment has no pip.
        let is_pip = words.iter().any(|word| word.bare() == Some("pip"));
        let is_run = poetry.bare() == Some("poetry") && run.bare() == Some("run") && !is_pip;
        if is_run && program.bare().is_none_or(|program| !program.starts_with('-')) {
            let name = poetry.range.start..poetry.range.end;
            rest.replace_range(name.clone(), &" ".repeat(name.len()));
        }
    });
    !moves && !rest.lines().any(|line| !line.trim_start().starts_with('#') && programs::names_poetry(line))
}

/// Where Poetry's program would be, and whose it is: root's where that is empty. `None` if it would not be there, or is.
fn place(history: &History, decided: &Decided) -> Option<(String, String)> {
    let mut place = None;
    for step in history.steps() {
        let is_left_out = decided.decisions.iter().any(|(vertex, decision)| {
            vertex.digest() == step.vertex.digest() && !matches!(decision, Decision::Keep | Decision::Leave(_))
        });
        for command in step.commands() {
            match command.meaning {
                Meaning::InstallsPoetry(provision) if is_left_out => {
                    // Who may not write to the system's folders gets it at home.
                    let home = command.call.variable("HOME");
                    let home = home.known().filter(|_| !step.user.is_empty());
                    let users = home.map(|home| (format!("{home}/.local/bin/poetry"), step.user.clone()));
                    let own = provision.program.clone().map(|path| (path, step.user.clone())).or(users);
                    place = own.or(place).or_else(|| Some((DEFAULT.to_owned(), String::new())));
                }
                Meaning::InstallsPoetry(_) => return None,
                _ if removes(&command) => place = None,
                _ => {}
            }
        }
    }
    place
}

/// Whether a command takes Poetry away.
fn removes(command: &Command<'_>) -> bool {
    let Some(words) = command.call.words() else { return false };
    let is_poetry = |word: &&str| *word == "poetry" || word.ends_with("/poetry") || word.contains("/poetry/");
    let removes = words.first().is_some_and(|program| programs::base(program) == "rm") || words.contains(&"uninstall");
    removes && words.iter().any(is_poetry)
}

/// The version that the file pins.
fn version(history: &History) -> Option<String> {
    let pinned = |requirement: String| {
        let version = requirement.strip_prefix("poetry==")?.to_owned();
        let is_plain = version.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        (is_plain && !version.is_empty()).then_some(version)
    };
    history.provisions().into_iter().filter_map(|provision| provision.requirement).filter_map(pinned).next_back()
}

/// The script, for projects that were installed.
fn text(projects: &[&Project], version: Option<&str>) -> String {
    let mut branches: Vec<String> = Vec::new();
    // The last of several installations of one project counts.
    for (index, project) in projects.iter().enumerate() {
        if projects[index + 1..].iter().any(|other| other.folder == project.folder) {
            continue;
        }
        let Project { folder, environment, python } = project;
        let environment = quoted(environment.as_deref().unwrap_or_default());
        branches.push(format!("{}) environment={environment} python={} ;;", quoted(folder), quoted(python)));
    }
    let version = version.map_or("Poetry".to_owned(), |version| format!("Poetry (version {version})"));
    TEXT.replace("@projects@", &branches.join("\n  ")).replace("@version@", &quoted(&version))
}

#[cfg(test)]
mod tests {
    use std::{
        env, fs,
        path::Path,
        process::{Command, Stdio},
    };

    use super::*;

    const PYPROJECT: &str = "[project]\nname = \"My.Shop\"\nversion = \"1.2\"\n";

    /// A script for a project with an environment in its folder.
    fn script(folder: &Path) -> String {
        let folder = folder.to_str().unwrap();
        let environment = format!("{folder}/.venv");
        let python = format!("{environment}/bin/python");
        let project = Project { folder: folder.to_owned(), environment: Some(environment), python };
        text(&[&project], Some("2.5.1"))
    }

    /// The code that a command ends with, and what it writes.
    fn run(program: &[&str], arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).args(arguments).current_dir(folder).stdin(Stdio::null());
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", folder).env("A", "x y");
        let output = command.output().expect(program[0]);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").trim_end().to_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    #[test]
    fn it_suffices_where_poetry_only_runs_something() {
        let start = "#!/bin/bash -e\n# poetry install\n";
        for text in [
            "poetry run alembic upgrade head\nexec poetry run gunicorn app:app \"$@\"\n",
            "if [ -n \"$MIGRATE\" ]; then\n  poetry run x || exit 1\nfi\nexec \"$@\"\n",
            "start() { PORT=80 poetry run $SERVER; }\nstart &\npoetry run worker >log 2>&1\n",
        ] {
            assert!(suffices_script(&format!("{start}{text}")), "{text}");
        }
        for text in [
            "poetry install\npoetry run x",
            "poetry run sh -c 'poetry install'",
            "x=$(poetry run y)",
            "poetry run --quiet x",
            "poetry run python -m pip install x",
            "poetry $COMMAND",
            "cd /srv/tool && poetry run x",
            "command cd ..; poetry run x",
            ". ./env.sh\npoetry run x",
            "poetry run",
            "echo `poetry version`",
        ] {
            assert!(!suffices_script(&format!("{start}{text}\n")), "{text}");
        }
        assert!(!suffices_script("#!/usr/bin/python3\nsubprocess.run(['poetry', 'run', 'x'])\n"));
        assert!(suffices_script("#!/usr/bin/env sh\npoetry run x\n") && !suffices_script("poetry run x\n"));
    }

    #[test]
    fn it_does_what_poetry_does() {
        let python = env::var_os("POETRY_ORACLE_REAL_PYTHON").or_else(|| env::var_os("POETRY_ORACLE_PYTHON"));
        let Some(python) = python.and_then(|python| python.into_string().ok()) else {
            println!("SKIPPED: POETRY_ORACLE_PYTHON does not name a Python with Poetry 2.5.1");
            return;
        };
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().canonicalize().expect("the folder").join("shop 'n'");
        fs::create_dir_all(folder.join("inner")).expect("a folder");
        fs::write(folder.join("pyproject.toml"), PYPROJECT).expect("a file");
        let made = Command::new(&python).args(["-m", "venv", "--without-pip", ".venv"]).current_dir(&folder).status();
        assert!(made.expect("python").success());
        let path = root.path().join("poetry");
        fs::write(&path, script(&folder)).expect("a file");
        let (ours, real) = (["/bin/sh", path.to_str().expect("text")], [python.as_str(), "-m", "poetry"]);
        let shown = "import os, sys; print(sys.argv, sys.executable, os.getcwd(), \
            *(os.environ.get(name) for name in ('VIRTUAL_ENV', 'PATH', 'A', 'PYTHONHOME')))";
        for (arguments, inside) in [
            (&["run", "python", "-c", shown, "a b", "*", "--x", "-n"][..], ""),
            (&["-q", "run", "python", "-c", shown], ""),
            (&["--no-interaction", "run", "python", "-c", shown], "inner"),
            (&["run", "sh", "-c", "echo \"$0 $1\"; exit 3", "x", "y z"], ""),
            (&["run", "none-such", "x"], ""),
            (&["run"], ""),
            (&["env", "info"], ""),
            (&["env", "info", "-p"], "inner"),
            (&["env", "info", "--path"], ""),
            (&["env", "info", "-e"], ""),
            (&["version"], ""),
            (&["version", "-s"], "inner"),
            (&["--version"], ""),
            (&["-V"], "inner"),
            (&["version"], ".."),
            (&["run", "true"], ".."),
        ] {
            let inside = folder.join(inside);
            let (ours, real) = (run(&ours, arguments, &inside), run(&real, arguments, &inside));
            let ours = (ours.0, ours.1, ours.2.replace("/bin/sh", "sh"));
            assert_eq!(ours, (real.0, real.1, real.2.trim_start().to_owned()), "{arguments:?}");
        }
        for arguments in [&["install"][..], &["env", "list"], &["-C", "x", "run", "y"], &["run", "--x"], &[]] {
            let (code, written, told) = run(&ours, arguments, &folder);
            assert_eq!((code, written.as_str()), (Some(1), ""), "{arguments:?}");
            assert!(told.starts_with("poetry ") && told.contains("has no Poetry"), "{told}");
        }
        // Poetry brings a pip, and no other one may be taken for that of the environment.
        let (code, _, told) = run(&ours, &["run", "pip", "--version"], &folder);
        assert!(code == Some(1) && told.contains("No module named pip"), "{told}");
        let other = root.path().join("other");
        fs::create_dir(&other).expect("a folder");
        fs::write(other.join("pyproject.toml"), PYPROJECT).expect("a file");
        let (code, _, told) = run(&ours, &["run", "true"], &other);
        assert!(code == Some(1) && told.contains("nothing is installed for the project in"), "{told}");
    }
}
