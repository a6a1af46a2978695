//! Poetry's commands.
//!
//! Follows the commands and options of Poetry 1.0 to 2.5. What is not known here is left to Poetry.

use poetry_lock::{Name, Options as Selection};
use shell::{Call, Redirected, Target, Value};

use super::{
    Meaning, needs,
    options::{Options, Part},
    provision::is_poetry,
};
use crate::dockerfile::rules;

/// A `poetry install`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::dockerfile) struct Install {
    /// What is asked for.
    pub(in crate::dockerfile) options: Selection,
    /// Bytecode as well.
    pub(in crate::dockerfile) compile: bool,
    /// Nothing else may be there.
    pub(in crate::dockerfile) sync: bool,
    /// The project's folder, as given.
    pub(in crate::dockerfile) folder: Option<String>,
    /// The Python that Poetry is run by as a module, if its name has a version.
    pub(in crate::dockerfile) python: Option<String>,
}

/// A `poetry export`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::dockerfile) struct Export {
    /// The groups and extras.
    pub(in crate::dockerfile) options: Selection,
    /// Without the digests of files.
    pub(in crate::dockerfile) without_hashes: bool,
    /// Without the addresses of sources.
    pub(in crate::dockerfile) without_urls: bool,
    /// With credentials in the addresses of sources.
    pub(in crate::dockerfile) with_credentials: bool,
    /// The file that is written, as given; `None` for the standard output.
    pub(in crate::dockerfile) file: Option<String>,
    /// The project's folder, as given.
    pub(in crate::dockerfile) folder: Option<String>,
}

impl Export {
    /// Whether its list goes to the standard output.
    pub(super) fn is_piped(&self) -> bool {
        self.file.is_none()
    }
}

/// Options that all commands have.
const FLAGS: [&str; 12] = [
    "-n",
    "--no-interaction",
    "--no-ansi",
    "--ansi",
    "-q",
    "--quiet",
    "-v",
    "-vv",
    "-vvv",
    "--verbose",
    "--no-cache",
    "--no-plugins",
];
const VALUES: [&str; 4] = ["-C", "--directory", "-P", "--project"];

/// The options in front of a command.
const GLOBAL: Options = Options { flags: &[&FLAGS, &["-V", "--version", "-h", "--help"]], values: &[&VALUES] };

const INSTALL: Options = Options {
    flags: &[
        &FLAGS,
        &[
            "--no-dev",
            "--default",
            "--all-groups",
            "--all-extras",
            "--no-root",
            "--only-root",
            "--no-directory",
            "--compile",
            "--sync",
            "--remove-untracked",
        ],
    ],
    values: &[&VALUES, &["--without", "--with", "--only", "--extras", "-E"]],
};

const EXPORT: Options = Options {
    flags: &[
        &FLAGS,
        &["--dev", "--all-groups", "--all-extras", "--without-hashes", "--without-urls", "--with-credentials"],
    ],
    values: &[&VALUES, &["-f", "--format", "-o", "--output", "--with", "--without", "--only", "--extras", "-E"]],
};

const CONFIG: Options = Options { flags: &[&FLAGS, &["--local", "--unset", "--list", "--migrate"]], values: &[] };

/// What a command of Poetry means.
pub(super) fn meaning(call: &Call, words: &[&str], arguments: &[&str]) -> Meaning {
    if call.assignments.iter().any(|(name, _)| name == "PATH") {
        return needs(&rules::OTHER_PROGRAM, "PATH is set for it alone");
    }
    // The command is the first word that is no option of all commands.
    let Some(at) = command_at(arguments) else {
        let is_known = GLOBAL.read(arguments).is_ok();
        return if is_known {
            Meaning::NoEffect
        } else {
            needs(&rules::OPTION, "an option of `poetry` that is not known")
        };
    };
    let (front, rest) = arguments.split_at(at);
    let (name, rest) = (rest[0], &rest[1..]);
    let Ok(front) = GLOBAL.read(front) else {
        return needs(&rules::OPTION, "an option of `poetry` that is not known");
    };
    if front.iter().any(|part| matches!(part, Part::Flag("-V" | "--version" | "-h" | "--help"))) {
        return Meaning::NoEffect;
    }
    let mut folders = Folders::default();
    for part in &front {
        folders.see(part);
    }
    match name {
        "run" if folders.count > 0 => needs(&rules::RUN_FOLDER, "`poetry run` with the project's folder as an option"),
        "run" => run(call, words, arguments, at),
        "install" | "sync" => install(call, words, rest, folders, name),
        "export" => export(call, rest, folders),
        "config" if folders.count > 0 => {
            needs(&rules::OPTION, "`poetry config` with the project's folder as an option")
        }
        "config" => config(rest),
        "check" | "about" | "show" | "list" | "help" => Meaning::NoEffect,
        _ => match (name, rest) {
            ("cache", ["clear" | "list", ..]) | ("env", ["list", ..]) => Meaning::NoEffect,
            ("env", ["use", python]) if !python.starts_with('-') => Meaning::EnvUse((*python).to_owned()),
            ("self", ["add" | "update" | "install" | "show", plugins @ ..])
                if plugins.iter().all(|word| word.starts_with('-') || is_poetry(word)) =>
            {
                Meaning::NoEffect
            }
            _ => needs(&rules::COMMAND, format!("`poetry {}` does what only Poetry does", shown(name))),
        },
    }
}

/// A name as far as a message shows it.
fn shown(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_graphic()).take(20).collect()
}

/// Where the command's name stands.
fn command_at(arguments: &[&str]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        match *word {
            "-C" | "--directory" | "-P" | "--project" => at += 2,
            word if word.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
}

/// The project's folder as options give it.
#[derive(Default)]
struct Folders {
    folder: Option<String>,
    count: usize,
}

impl Folders {
    fn see(&mut self, part: &Part<'_>) {
        if let Part::Value("-C" | "--directory" | "-P" | "--project", folder) = part {
            self.folder = Some((*folder).to_owned());
            self.count += 1;
        }
    }
}

/// Names divided by commas. What Poetry takes for a part of a name is one.
fn names(text: &str) -> Vec<Name> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Name::new).collect()
}

/// Names divided by blanks, as extras are given.
fn extras(text: &str) -> Vec<Name> {
    text.split_ascii_whitespace().map(Name::new).collect()
}

/// Whether a text has characters that a name has in no lock, and that are read in different ways.
fn is_odd(text: &str) -> bool {
    !text.is_ascii()
}

fn install(call: &Call, words: &[&str], options: &[&str], mut folders: Folders, name: &str) -> Meaning {
    let parts = match INSTALL.read(options) {
        Ok(parts) => parts,
        Err(_) => return needs(&rules::OPTION, format!("an option of `poetry {name}` that is not known")),
    };
    let mut install = Install { sync: name == "sync", ..Install::default() };
    for part in &parts {
        folders.see(part);
        let groups = &mut install.options.groups;
        match part {
            Part::Value(_, value) if is_odd(value) => {
                return needs(&rules::OPTION, format!("an option of `poetry {name}` has a value that is no name"));
            }
            // `--with "a b"` is one name to Poetry, and none of a group.
            Part::Value("--with" | "--without" | "--only", value) if value.trim().contains(char::is_whitespace) => {
                return needs(&rules::OPTION, "a group's name has a blank in it");
            }
            Part::Value("--without", value) => groups.without.extend(names(value)),
            Part::Value("--with", value) => groups.with.extend(names(value)),
            Part::Value("--only", value) => groups.only.extend(names(value)),
            Part::Value("--extras" | "-E", value) => install.options.extras.extend(extras(value)),
            Part::Value(..) => {}
            Part::Flag("--no-dev" | "--default") => groups.only.push(Name::new("main")),
            Part::Flag("--all-groups") => groups.all = true,
            Part::Flag("--all-extras") => install.options.all_extras = true,
            Part::Flag("--no-root") => install.options.no_root = true,
            Part::Flag("--only-root") => install.options.only_root = true,
            Part::Flag("--no-directory") => install.options.no_directory = true,
            Part::Flag("--compile") => install.compile = true,
            Part::Flag("--sync" | "--remove-untracked") => install.sync = true,
            Part::Flag(_) => {}
            Part::Operand(..) => return needs(&rules::OPTION, format!("`poetry {name}` with an argument")),
        }
    }
    if folders.count > 1 {
        return needs(&rules::OPTION, "the project's folder is given twice");
    }
    if call.assignments.iter().any(|(_, value)| *value == Value::Unknown) {
        return needs(&rules::UNKNOWN_WORD, "only the running shell knows a variable that is set for it");
    }
    // One that is named by its version.
    let is_module = words.get(1).is_some_and(|word| *word == "-m");
    let python = words.first().filter(|_| is_module).copied();
    let python = python.filter(|name| !name.contains('/') && !["python", "python3"].contains(name));
    install.python = python.map(str::to_owned);
    install.folder = folders.folder;
    Meaning::Install(install)
}

fn export(call: &Call, options: &[&str], mut folders: Folders) -> Meaning {
    let Ok(parts) = EXPORT.read(options) else {
        return needs(&rules::OPTION, "an option of `poetry export` that is not known");
    };
    let mut export = Export::default();
    let mut output = None;
    for part in &parts {
        folders.see(part);
        match part {
            Part::Value(_, value) if is_odd(value) => {
                return needs(&rules::OPTION, "an option of `poetry export` that is not known");
            }
            Part::Value("-f" | "--format", "requirements.txt") => {}
            Part::Value("-f" | "--format", _) => return needs(&rules::OPTION, "`poetry export` in another format"),
            Part::Value("-o" | "--output", file) => output = Some((*file).to_owned()),
            Part::Value("--with", value) => export.options.groups.with.extend(names(value)),
            Part::Value("--without", value) => export.options.groups.without.extend(names(value)),
            Part::Value("--only", value) => export.options.groups.only.extend(names(value)),
            Part::Value("-E" | "--extras", value) => export.options.extras.extend(extras(value)),
            Part::Value(..) => {}
            Part::Flag("--dev") => export.options.groups.with.push(Name::new("dev")),
            Part::Flag("--all-groups") => export.options.groups.all = true,
            Part::Flag("--all-extras") => export.options.all_extras = true,
            Part::Flag("--without-hashes") => export.without_hashes = true,
            Part::Flag("--without-urls") => export.without_urls = true,
            Part::Flag("--with-credentials") => export.with_credentials = true,
            Part::Flag(_) => {}
            Part::Operand(..) => return needs(&rules::OPTION, "`poetry export` with an argument"),
        }
    }
    let mut others = call.redirects.iter().filter(|redirected| !redirected.leaves_nothing());
    let redirected = match (others.next(), others.next()) {
        (None, _) => None,
        (Some(Redirected { descriptor: 1, target: Target::Write(Some(file)) }), None) => Some(file.clone()),
        _ => return needs(&rules::OUTPUT, "its list goes to several files, or behind what is in one"),
    };
    export.file = match (output, redirected) {
        (Some(_), Some(_)) => return needs(&rules::OUTPUT, "its list goes to one file and its output to another"),
        (output, redirected) => output.or(redirected),
    };
    // Where the list goes is relative to the project's folder in some versions only.
    if folders.count > 1 || folders.count == 1 && !export.file.as_ref().is_none_or(|file| file.starts_with('/')) {
        return needs(&rules::OPTION, "the list's path is not absolute, beside an option for the project's folder");
    }
    export.folder = folders.folder;
    Meaning::Export(export)
}

fn config(options: &[&str]) -> Meaning {
    let Ok(parts) = CONFIG.read(options) else {
        return needs(&rules::OPTION, "an option of `poetry config` that is not known");
    };
    let has = |flag: &str| parts.iter().any(|part| matches!(part, Part::Flag(found) if *found == flag));
    let values: Vec<&str> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Operand(_, value) => Some(*value),
            _ => None,
        })
        .collect();
    if has("--list") || has("--migrate") {
        return if has("--migrate") { needs(&rules::COMMAND, "`poetry config --migrate`") } else { Meaning::NoEffect };
    }
    // Credentials go to the user's auth.toml in any case.
    let is_secret =
        values.first().is_some_and(|key| ["http-basic.", "pypi-token."].iter().any(|start| key.starts_with(start)));
    let local = has("--local") && !is_secret;
    let config = |key: &str, value: Option<String>| Meaning::Config { key: key.to_owned(), value, local };
    match (&values[..], has("--unset")) {
        ([key, values @ ..], false) if key.starts_with("http-basic.") && !values.is_empty() => {
            config(key, Some(values.join(" ")))
        }
        ([key], true) => config(key, None),
        ([key, value], false) => config(key, Some((*value).to_owned())),
        // It shows a setting.
        ([] | [_], false) => Meaning::NoEffect,
        _ => needs(&rules::OPTION, "a form of `poetry config` that is not known"),
    }
}

fn run(call: &Call, words: &[&str], arguments: &[&str], at: usize) -> Meaning {
    let command: Vec<String> = arguments[at + 1..].iter().map(|word| (*word).to_owned()).collect();
    if command.iter().any(|word| super::names_poetry(word)) {
        return needs(&rules::RUNS_POETRY, "what `poetry run` runs names Poetry");
    }
    // From the word that calls Poetry to `run`, both as they are written.
    let first = call.fields.first().and_then(|field| field.range.clone());
    let run = words.len() - arguments.len() + at;
    let last = call.fields.get(run).and_then(|field| field.range.clone());
    match (first, last) {
        (Some(first), Some(last)) => Meaning::Run { words: command, front: first.start..last.end },
        _ => needs(&rules::UNKNOWN_WORD, "`poetry run` is not written as two words"),
    }
}

#[cfg(test)]
mod tests {
    use poetry_lock::GroupChoice;

    use super::*;
    use crate::dockerfile::graph::tests::script;

    fn read(text: &str) -> Meaning {
        script(text).meanings[0].clone()
    }

    #[test]
    fn installs_are_read_with_the_options_of_every_version() {
        let main = GroupChoice { only: vec![Name::new("main")], ..GroupChoice::default() };
        let options = Selection { groups: main, ..Selection::default() };
        let plain = Install { options, ..Install::default() };
        for text in [
            "poetry install --no-dev",
            "poetry install --only main",
            "poetry -n install --only=main --no-ansi -vvv",
            "python -m poetry install $GROUPS_OF --no-interaction",
            "$POETRY_HOME/bin/poetry install --only main",
            "/root/.local/bin/poetry install --no-dev >/dev/null 2>&1",
            "~/.local/bin/poetry install --default",
            "yes | poetry install --no-dev",
            "command poetry install -qn --no-dev",
            "if [ \"$DEV\" = 1 ]; then poetry install; else poetry install --no-dev; fi",
        ] {
            assert_eq!(script(text).meanings.last(), Some(&Meaning::Install(plain.clone())), "{text}");
        }
        let Meaning::Install(install) = read(
            "A=1 poetry -C api install --with 'docs,lint' --without=dev -E \"a b\" --extras c -Ed --no-root --compile",
        ) else {
            panic!("an install");
        };
        for text in ["poetry sync", "poetry install --sync", "poetry install --remove-untracked"] {
            assert_eq!(read(text), Meaning::Install(Install { sync: true, ..Install::default() }), "{text}");
        }
        let names = |all: &[&str]| all.iter().map(|name| Name::new(name)).collect::<Vec<_>>();
        assert_eq!(install.options.extras, names(&["a", "b", "c", "d"]));
        assert_eq!(
            (install.options.groups.with, install.options.groups.without),
            (names(&["docs", "lint"]), names(&["dev"]))
        );
        assert_eq!((install.folder.as_deref(), install.options.no_root, install.compile), (Some("api"), true, true));
    }

    #[test]
    fn what_is_not_known_needs_poetry() {
        for (text, rule) in [
            ("poetry install --dry-run", &rules::OPTION),
            ("poetry install --new-option", &rules::OPTION),
            ("poetry install --with \"dev test\"", &rules::OPTION),
            ("poetry install --with dev\u{a0}x", &rules::OPTION),
            ("poetry -C a -C b install", &rules::OPTION),
            ("poetry --frob install", &rules::OPTION),
            ("poetry install > log", &rules::OUTPUT),
            ("poetry show > deps.txt", &rules::OUTPUT),
            ("x=$(poetry --version)", &rules::OUTPUT),
            ("poetry export >> requirements.txt", &rules::OUTPUT),
            ("poetry install || true", &rules::WITHIN),
            ("poetry install | tee log", &rules::OUTPUT),
            ("poetry install $(cat args)", &rules::UNKNOWN_WORD),
            ("[ -f x ] && poetry install; make", &rules::CONDITION),
            ("for x in a b; do poetry install; done", &rules::CONDITION),
            ("poetry build", &rules::COMMAND),
            ("poetry lock", &rules::COMMAND),
            ("poetry env info --path", &rules::COMMAND),
            ("poetry self add poetry-dynamic-versioning", &rules::COMMAND),
            ("poetry export --without-hashes", &rules::LIST_READ),
            ("pipx run poetry install", &rules::RUNS_POETRY),
            ("poetry export -f pylock.toml -o pylock.toml", &rules::OPTION),
            ("poetry -C api export -o requirements.txt", &rules::OPTION),
            ("sudo poetry install", &rules::RUNS_POETRY),
            ("sh -c 'poetry install'; true", &rules::RUNS_POETRY),
            ("poetry run poetry build", &rules::RUNS_POETRY),
            ("poetry -C api run x", &rules::RUN_FOLDER),
            ("PATH=/x poetry install", &rules::OTHER_PROGRAM),
        ] {
            let script = script(text);
            let mut reasons = script.meanings.iter().filter_map(|meaning| match meaning {
                Meaning::Needs(reason) => Some(reason.rule),
                _ => None,
            });
            assert_eq!(reasons.next().map(|rule| rule.code), Some(rule.code), "{text}: {:?}", script.meanings);
        }
    }

    #[test]
    fn settings_and_commands_without_effect() {
        let config =
            |key: &str, value: &str, local| Meaning::Config { key: key.into(), value: Some(value.into()), local };
        for (text, expected) in [
            ("poetry config virtualenvs.create false", config("virtualenvs.create", "false", false)),
            ("poetry config --local virtualenvs.in-project true", config("virtualenvs.in-project", "true", true)),
            ("poetry config virtualenvs.create false || true", config("virtualenvs.create", "false", false)),
            ("poetry config --local http-basic.x me sesame", config("http-basic.x", "me sesame", false)),
            ("poetry cache clear --all . -n", Meaning::NoEffect),
            ("yes | poetry cache clear --all . -n", Meaning::NoEffect),
            ("poetry check", Meaning::NoEffect),
            ("poetry --version", Meaning::NoEffect),
            ("poetry config --list", Meaning::NoEffect),
            ("poetry self add poetry-plugin-export", Meaning::NoEffect),
            ("poetry env use system", Meaning::EnvUse("system".into())),
        ] {
            assert_eq!(script(text).meanings.last(), Some(&expected), "{text}");
        }
    }

    #[test]
    fn exports_are_read_in_all_spellings() {
        let plain = Export { file: Some("r.txt".into()), without_hashes: true, ..Export::default() };
        for text in [
            "poetry export -f requirements.txt --output r.txt --without-hashes",
            "poetry export --without-hashes --format=requirements.txt -o r.txt",
            "poetry export --without-hashes > r.txt",
            "poetry export -frequirements.txt -or.txt --without-hashes 2>/dev/null",
        ] {
            assert_eq!(read(text), Meaning::Export(plain.clone()), "{text}");
        }
        let piped = script("poetry export --without-hashes | pip install -r /dev/stdin");
        assert!(matches!(&piped.meanings[..], [Meaning::Export(_), Meaning::PipInstall(_)]), "{:?}", piped.meanings);
    }

    #[test]
    fn a_python_of_another_version_is_noted() {
        let python = |text: &str| match read(text) {
            Meaning::Install(install) => install.python,
            other => panic!("{other:?}"),
        };
        assert_eq!(python("python3.12 -m poetry install").as_deref(), Some("python3.12"));
        for text in ["python3 -m poetry install", "/venv/bin/python -m poetry install", "poetry install"] {
            assert_eq!(python(text), None, "{text}");
        }
    }

    #[test]
    fn what_poetry_runs_stands_behind_its_front() {
        let text = "A=\"x run y\" poetry run gunicorn \"$DEV run\" | tee log";
        let script = script(text);
        let Meaning::Run { words, front } = &script.meanings[0] else { panic!("{:?}", script.meanings) };
        assert_eq!((&text[front.clone()], &words[0]), ("poetry run", &"gunicorn".to_owned()));
    }
}
