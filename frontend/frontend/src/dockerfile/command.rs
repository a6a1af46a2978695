//! What a shell command has to do with Poetry.
//!
//! Follows the commands and options of Poetry 1.0 to 2.5. What is not known here is left to Poetry.

use poetry_lock::{Name, Options};

use super::{
    requirements::{self, Export, PipInstall},
    shell::{self, Simple, Variables},
};

/// A command of a `RUN` instruction.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Has nothing to do with Poetry.
    Other,
    /// Changes the state of the shell for the commands behind it.
    Prefix(Prefix),
    /// Installs Poetry. What else it does, as a command of its own; and a folder that it makes.
    Provides {
        /// The rest of the command.
        rest: Option<String>,
        /// The folder that Poetry is installed into, if it has one to itself.
        home: Option<String>,
    },
    /// `poetry config KEY VALUE`.
    Config {
        /// The key.
        key: String,
        /// The value; `None` to forget it.
        value: Option<String>,
        /// Whether it counts for the project alone.
        local: bool,
    },
    /// `poetry env use PYTHON`.
    EnvUse(String),
    /// Is of no effect where there is no Poetry, such as cleaning its cache.
    Moot,
    /// Removes these folders, which are Poetry's caches.
    Clean(Vec<String>),
    /// `poetry install` or `poetry sync`.
    Install(Install),
    /// `poetry export` to a file.
    Export(Export),
    /// `pip install -r` of one list.
    PipInstall(PipInstall),
    /// `poetry run COMMAND`: the words of the command.
    Run(Vec<String>),
    /// Needs Poetry, for a reason.
    Needs(String),
}

/// A command that the shell itself carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prefix {
    /// `cd FOLDER`.
    Folder(String),
    /// `export NAME=VALUE`.
    Variables(Vec<(String, String)>),
    /// `NAME=VALUE` alone, which is for the shell where the environment has no such variable.
    Assigned(Vec<(String, String)>),
    /// `. VENV/bin/activate`: the path of the virtual environment.
    Activate(String),
    /// `set -e` and the like.
    Options,
}

/// A `poetry install`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Install {
    /// What is asked for.
    pub options: Options,
    /// Bytecode as well.
    pub compile: bool,
    /// Nothing else may be there.
    pub sync: bool,
    /// The project's folder, as given.
    pub folder: Option<String>,
    /// Variables for this command alone.
    pub assignments: Vec<(String, String)>,
    /// The Python that Poetry is run by as a module, if its name has a version.
    pub python: Option<String>,
}

/// Programs that do not run Poetry, though its name may be among their arguments.
const HARMLESS: [&str; 19] = [
    "rm", "mkdir", "chown", "chmod", "cp", "mv", "ls", "echo", "printf", "touch", "find", "test", "[", "cat", "ln",
    "apt-get", "apt", "apk", "useradd",
];

/// Reads a segment of a script.
#[must_use]
pub fn command(text: &str, variables: &Variables) -> Command {
    let Some(simple) = shell::simple(text, variables) else {
        return unread(text, variables);
    };
    let words: Vec<&str> = simple.words.iter().map(String::as_str).collect();
    let Some((program, arguments)) = words.split_first() else {
        return Command::Prefix(Prefix::Assigned(simple.assignments));
    };
    match (*program, arguments) {
        ("cd", [folder]) => return Command::Prefix(Prefix::Folder((*folder).to_owned())),
        ("export", all) if all.iter().all(|word| word.contains('=')) => {
            let pairs = all.iter().filter_map(|word| word.split_once('='));
            return Command::Prefix(Prefix::Variables(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()));
        }
        ("set", _) => return Command::Prefix(Prefix::Options),
        ("." | "source", [script]) if script.ends_with("/bin/activate") => {
            return Command::Prefix(Prefix::Activate(script.trim_end_matches("/bin/activate").to_owned()));
        }
        _ => {}
    }
    if let Some(arguments) = arguments_of("poetry", &words) {
        return match poetry(arguments, &simple) {
            Command::Moot | Command::Config { .. } | Command::EnvUse(_)
                if !simple.redirections.iter().all(is_harmless) =>
            {
                Command::Needs("its output goes to a file".to_owned())
            }
            command => command,
        };
    }
    let shows = |word: &str| word == "poetry" || word.ends_with("/poetry") || word.ends_with("/poetry/bin/activate");
    if let Some(provides) = provides(text, &simple, variables) {
        return provides;
    }
    if let Some(install) = requirements::pip_install(&words, &simple) {
        return Command::PipInstall(install);
    }
    if let Some(folders) = caches(program, arguments, variables) {
        return Command::Clean(folders);
    }
    if let Some(command) = on_poetrys_program(text, program, arguments) {
        return command;
    }
    let runs = !HARMLESS.contains(program) && words.iter().any(|word| shows(word) || word.contains("poetry "));
    if runs { Command::Needs(format!("`{text}` may run Poetry")) } else { Command::Other }
}

/// A command on the file that is Poetry's program, which is not there where Poetry is left out.
fn on_poetrys_program(text: &str, program: &str, arguments: &[&str]) -> Option<Command> {
    let is_program = |word: &&str| word.ends_with("/bin/poetry");
    let (options, operands): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with('-'));
    if !operands.iter().any(is_program) {
        return None;
    }
    let files = match program {
        // Into the working folder.
        "ln" if operands.len() == 1 => &operands[..],
        "ln" | "cp" | "mv" => operands.split_last().map_or(&[][..], |(_, sources)| sources),
        // The first is the mode or the owner.
        "chmod" | "chown" => operands.get(1..).unwrap_or_default(),
        "rm" => &operands,
        "echo" | "printf" => return None,
        _ if HARMLESS.contains(&program) => &[],
        _ => return None,
    };
    let forced = program == "rm"
        && options.iter().any(|option| *option == "--force" || !option.starts_with("--") && option.contains('f'));
    Some(match (!files.is_empty() && files.iter().all(is_program), program) {
        (true, "rm") => Command::Moot,
        (true, _) => Command::Provides { rest: None, home: None },
        (false, _) if forced => return None,
        (false, _) => Command::Needs(format!("`{text}` is about Poetry's program")),
    })
}

/// The folders that `rm` removes, if all of them are Poetry's caches.
fn caches(program: &str, arguments: &[&str], variables: &Variables) -> Option<Vec<String>> {
    let folders: Vec<&str> = arguments.iter().filter(|word| !word.starts_with('-')).copied().collect();
    let own = variables.get("POETRY_CACHE_DIR").map(|folder| folder.trim_end_matches('/').to_owned());
    let home = variables.get("HOME").filter(|home| home.starts_with('/'));
    let home = home.map(|home| format!("{home}/.cache/pypoetry"));
    let known: Vec<String> = own.into_iter().chain(home).filter(|folder| folder.len() > 1).collect();
    let is_cache = |folder: &&str| {
        let of = |known: &String| {
            folder.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        known.iter().any(of) && !folder.contains("..")
    };
    let all = program == "rm" && !folders.is_empty() && folders.iter().all(is_cache);
    all.then(|| folders.into_iter().map(|folder| folder.trim_end_matches('/').to_owned()).collect())
}

/// A segment that is no simple command.
fn unread(text: &str, variables: &Variables) -> Command {
    let installs = text.contains("install.python-poetry.org")
        || text.contains("get-poetry.py")
        || text.contains("install-poetry.py");
    if installs && !text.contains("||") {
        let given = text.split_whitespace().find_map(|word| word.strip_prefix("POETRY_HOME="));
        let home = given.map(|home| home.trim_matches(['"', '\'']).to_owned());
        let home = home.or_else(|| variables.get("POETRY_HOME").cloned()).filter(|home| home.starts_with('/'));
        return Command::Provides { rest: None, home };
    }
    // What comes to nothing when it fails is taken to succeed.
    if let Some((command, "true" | ":")) = text.rsplit_once("||").map(|(command, other)| (command, other.trim()))
        && let read @ (Command::Config { .. } | Command::EnvUse(_) | Command::Moot) =
            self::command(command.trim(), variables)
    {
        return read;
    }
    // An answer to a question that a command without a terminal need not be asked.
    let answered = text.split_once('|').filter(|(answer, _)| {
        ["yes", "echo", "printf"].contains(&answer.split_whitespace().next().unwrap_or_default())
    });
    if let Some((_, command)) = answered
        && let read @ (Command::Moot | Command::Install(_)) = self::command(command.trim(), variables)
    {
        return read;
    }
    // The environment of the first command is its own, so that the others are as they were.
    if let Some((first, others)) = shell::first_of_several(text)
        && let run @ Command::Run(_) = self::command(first.trim(), variables)
        && !names_poetry(others)
    {
        return run;
    }
    if names_poetry(text) {
        return Command::Needs(format!("`{text}` cannot be read with certainty"));
    }
    Command::Other
}

/// Whether a text has `poetry` as the name of a program.
#[must_use]
pub fn names_poetry(text: &str) -> bool {
    text.match_indices("poetry").any(|(at, name)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        let begins = before.is_none_or(|c| c.is_whitespace() || "/\"'(`;&|=,[".contains(c));
        let ends = after.is_none_or(|c| c.is_whitespace() || "\"')`;&|,]".contains(c));
        begins && ends
    })
}

/// The arguments of a program, also if Python runs it as a module.
fn arguments_of<'a, 'b>(program: &str, words: &'b [&'a str]) -> Option<&'b [&'a str]> {
    let is = |word: &str, name: &str| word == name || word.ends_with(&format!("/{name}"));
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    match words {
        [first, rest @ ..] if is(first, program) => Some(rest),
        [first, "-m", module, rest @ ..] if base(first).starts_with("python") && *module == program => Some(rest),
        _ => None,
    }
}

/// Whether a redirection leaves nothing behind: the operator with its number, and the target.
pub(super) fn is_harmless((operator, target): &(String, String)) -> bool {
    operator.starts_with(['>', '1', '2', '&']) && (target == "/dev/null" || target == "1" || target == "2")
}

/// A command that installs Poetry, by pip, by pipx, or into a virtual environment of its own. Where it is not understood to the
/// last word, it stays as it is, and Poetry with it.
fn provides(text: &str, simple: &Simple, variables: &Variables) -> Option<Command> {
    let words: &[&str] = &simple.words.iter().map(String::as_str).collect::<Vec<_>>();
    let pip = ["pip", "pip3"].iter().find_map(|name| arguments_of(name, words));
    if let Some([install, arguments @ ..]) = pip.or_else(|| arguments_of("pipx", words)) {
        let is_all_poetry = arguments.iter().all(|word| word.starts_with('-') || is_poetry(word));
        if *install == "uninstall" && is_all_poetry && arguments.iter().any(|word| is_poetry_itself(word)) {
            return Some(Command::Moot);
        }
        if *install == "inject" && arguments.first() == Some(&"poetry") {
            return Some(Command::Provides { rest: None, home: None });
        }
        if *install != "install" {
            return None;
        }
        let is_quiet = simple.redirections.iter().all(is_harmless);
        // Whatever goes into Poetry's own environment is Poetry's.
        if let Some(home) = home_of(words.first()?, variables) {
            return Some(match is_quiet {
                true => Command::Provides { rest: None, home: Some(home) },
                false => Command::Needs("its output goes to a file".to_owned()),
            });
        }
        let Some((of_poetry, others)) = poetry_among(arguments).filter(|_| is_quiet) else {
            return arguments.iter().any(|word| is_poetry(word)).then_some(Command::Other);
        };
        if of_poetry.is_empty() {
            return None;
        }
        if !others {
            return Some(Command::Provides { rest: None, home: None });
        }
        let head = words.len() - arguments.len();
        let left_out = of_poetry.into_iter().map(|index| head + index).collect::<Vec<_>>();
        return Some(match text_without(text, &left_out, words.len(), variables) {
            Some(rest) => Command::Provides { rest: Some(rest), home: None },
            None => Command::Other,
        });
    }
    let python = words.first()?.rsplit('/').next()?;
    // The installer script, as a file.
    let is_installer = |word: &&str| {
        let name = word.rsplit('/').next().unwrap_or(word);
        ["install-poetry.py", "get-poetry.py"].contains(&name)
    };
    if python.starts_with("python") && words.get(1).is_some_and(is_installer) && !words.contains(&"--uninstall") {
        let home = simple.assignments.iter().find(|(name, _)| name == "POETRY_HOME").map(|(_, home)| home);
        let home = home.or_else(|| variables.get("POETRY_HOME")).filter(|home| home.starts_with('/'));
        return Some(Command::Provides { rest: None, home: home.cloned() });
    }
    if let (true, ["-m", "venv" | "virtualenv", folders @ ..]) = (python.starts_with("python"), &words[1..]) {
        let folder = folders.iter().find(|word| !word.starts_with('-'))?;
        return is_home(folder, variables).then(|| Command::Provides { rest: None, home: Some((*folder).to_owned()) });
    }
    None
}

/// Whether a folder has programs of the system's or of the user's, beside Poetry.
pub(super) fn is_shared(folder: &str, variables: &Variables) -> bool {
    let is_users = variables.get("HOME").is_some_and(|home| folder == format!("{home}/.local"));
    is_users || ["", "/usr", "/usr/local"].contains(&folder)
}

/// Whether a folder is the one that Poetry has to itself.
fn is_home(folder: &str, variables: &Variables) -> bool {
    let folder = folder.trim_end_matches('/');
    if is_shared(folder, variables) {
        return false;
    }
    let named = variables.get("POETRY_HOME").is_some_and(|home| home.trim_end_matches('/') == folder);
    let venv = variables.get("POETRY_VENV").is_some_and(|home| home.trim_end_matches('/') == folder);
    named || venv || folder.ends_with("/poetry") || folder.ends_with("/poetry-venv") || folder.ends_with("/.poetry")
}

/// The folder that a program of Poetry's own environment is in.
fn home_of(program: &str, variables: &Variables) -> Option<String> {
    let (folder, _) = program.rsplit_once("/bin/")?;
    is_home(folder, variables).then(|| folder.to_owned())
}

/// The text of a command without some of its words. `None` if a word is not written as the one word that it comes to.
fn text_without(text: &str, left_out: &[usize], count: usize, variables: &Variables) -> Option<String> {
    let (mut kept, mut position) = (Vec::new(), 0);
    for word in shell::raw_words(text) {
        let read = shell::simple(word, variables)?;
        let is_word = match (&read.assignments[..], &read.words[..], &read.redirections[..]) {
            ([_], [], []) => position > 0,
            ([], [_], []) => true,
            ([], [], [_]) => false,
            _ => return None,
        };
        if !(is_word && left_out.contains(&position)) {
            kept.push(word);
        }
        position += usize::from(is_word);
    }
    (position == count).then(|| kept.join(" "))
}

/// Which arguments of `pip install` are Poetry and its plugins, and whether anything else is installed. `None` if an option is not known,
/// so that what stands behind it may be its value.
fn poetry_among(arguments: &[&str]) -> Option<(Vec<usize>, bool)> {
    const WITH_VALUE: [&str; 36] = [
        "-r",
        "--requirement",
        "-c",
        "--constraint",
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "--trusted-host",
        "-t",
        "--target",
        "--prefix",
        "--root",
        "--timeout",
        "--default-timeout",
        "--retries",
        "--cert",
        "--client-cert",
        "--cache-dir",
        "--progress-bar",
        "--root-user-action",
        "--proxy",
        "--log",
        "--src",
        "--exists-action",
        "--upgrade-strategy",
        "--no-binary",
        "--only-binary",
        "--use-feature",
        "--use-deprecated",
        "--python",
        "--python-version",
        "--pip-args",
        "--suffix",
        "--index",
    ];
    // Besides those that `pip install -r` is read with.
    const FLAGS: [&str; 16] = [
        "--ignore-installed",
        "--no-index",
        "--require-hashes",
        "--require-virtualenv",
        "--use-pep517",
        "--ignore-requires-python",
        "--force-reinstall",
        "--force",
        "--user",
        "--global",
        "--system-site-packages",
        "--no-deps",
        "--pre",
        "--no-compile",
        "--compile",
        "--isolated",
    ];
    let has_poetry = arguments.iter().any(|word| is_poetry_itself(word));
    let (mut of_poetry, mut others) = (Vec::new(), false);
    let mut rest = arguments.iter().enumerate();
    while let Some((index, word)) = rest.next() {
        if WITH_VALUE.contains(word) {
            rest.next();
            others |= ["-r", "--requirement"].contains(word);
        } else if let Some(letters) = word.strip_prefix('-') {
            let is_list = word.starts_with("--requirement=") || (word.starts_with("-r") && !word.starts_with("--"));
            others |= is_list;
            let is_cluster = letters.chars().all(|c| "qvUI".contains(c));
            let is_flag = FLAGS.contains(word) || requirements::is_quiet(word) || is_cluster;
            if !(is_flag || is_list || word.starts_with("--") && word.contains('=')) {
                return None;
            }
        } else if is_poetry(word) && has_poetry {
            of_poetry.push(index);
        } else {
            others = true;
        }
    }
    Some((of_poetry, others))
}

/// The name in a requirement.
fn name_in(requirement: &str) -> Name {
    Name::new(requirement.trim().split(['=', '<', '>', '~', '!', '[', ';', ' ', '@']).next().unwrap_or_default())
}

/// Whether a requirement is Poetry, one of its plugins or its core, which others need too.
fn is_poetry(requirement: &str) -> bool {
    let name = name_in(requirement);
    is_poetry_itself(requirement) || name.as_str() == "poetry-core"
}

/// Whether a requirement is Poetry or one of its plugins.
fn is_poetry_itself(requirement: &str) -> bool {
    let name = name_in(requirement);
    name.as_str() == "poetry" || name.as_str().starts_with("poetry-plugin-")
}

fn poetry(arguments: &[&str], simple: &Simple) -> Command {
    let needs = |reason: String| Command::Needs(reason);
    let mut folder = None;
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    let mut name = None;
    while let Some(word) = rest.next() {
        match *word {
            "-n" | "--no-interaction" | "--no-ansi" | "--ansi" | "-q" | "--quiet" | "-v" | "-vv" | "-vvv"
            | "--verbose" | "--no-cache" | "--no-plugins" => {}
            "-C" | "--directory" | "-P" | "--project" => folder = rest.next().map(|word| (*word).to_owned()),
            word if word.starts_with("--directory=") || word.starts_with("--project=") => {
                folder = word.split_once('=').map(|(_, folder)| folder.to_owned());
            }
            "-V" | "--version" | "-h" | "--help" if name.is_none() => return Command::Moot,
            word if word.starts_with('-') && name.is_none() => {
                return needs(format!("`poetry {word}` is not known"));
            }
            word if name.is_none() => {
                name = Some(word);
                if word == "run" {
                    let words: Vec<String> = rest.map(|word| (*word).to_owned()).collect();
                    if words.iter().any(|word| names_poetry(word)) {
                        return needs(format!("`{}` runs Poetry", words.join(" ")));
                    }
                    let plain = folder.is_none() && simple.redirections.is_empty();
                    return match plain {
                        true => Command::Run(words),
                        false => needs("`poetry run` with a folder or a redirection".to_owned()),
                    };
                }
            }
            word => words.push(word),
        }
    }
    let Some(name) = name else { return Command::Moot };
    match (name, &words[..]) {
        ("install" | "sync", options) => {
            if !simple.redirections.iter().all(is_harmless) {
                return needs("its output goes to a file".to_owned());
            }
            match install(options) {
                Ok(install) => {
                    let sync = install.sync || name == "sync";
                    let is_module = simple.words.get(1).is_some_and(|word| word == "-m");
                    let python = simple.words.first().filter(|_| is_module).cloned();
                    // One that is named by its version.
                    let python =
                        python.filter(|name| !name.contains('/') && !["python", "python3"].contains(&name.as_str()));
                    let assignments = simple.assignments.clone();
                    Command::Install(Install { folder, assignments, python, sync, ..install })
                }
                Err(option) => needs(format!("the option `{option}` of `poetry {name}` is not known")),
            }
        }
        ("export", options) => {
            let mut to_files = simple.redirections.iter().filter(|redirection| !is_harmless(redirection));
            let file = match (to_files.next(), to_files.next()) {
                (None, _) => None,
                (Some((operator, file)), None) if [">", "1>", ">|"].contains(&operator.as_str()) => Some(file.as_str()),
                _ => return needs("its output goes to several files, or behind what is in one".to_owned()),
            };
            match requirements::export(options, file) {
                // Where the list goes is relative to the project's folder in some versions only.
                Ok(export) if folder.is_some() && file.is_none() && !export.file.starts_with('/') => {
                    needs("the file is not given as an absolute path beside the project's folder".to_owned())
                }
                Ok(export) => Command::Export(Export { folder, ..export }),
                Err(reason) => needs(reason),
            }
        }
        ("config", options) => {
            // Credentials go to the user's auth.toml in any case.
            let is_secret = |word: &&str| ["http-basic.", "pypi-token."].iter().any(|start| word.starts_with(start));
            let local = options.contains(&"--local") && !options.iter().any(is_secret);
            let unset = options.contains(&"--unset");
            let values: Vec<&&str> = options.iter().filter(|word| !word.starts_with("--")).collect();
            match (&values[..], unset) {
                ([key, values @ ..], false) if key.starts_with("http-basic.") && !values.is_empty() => {
                    let value = values.iter().map(|value| **value).collect::<Vec<_>>().join(" ");
                    Command::Config { key: (**key).to_owned(), value: Some(value), local }
                }
                ([key], true) => Command::Config { key: (**key).to_owned(), value: None, local },
                ([key, value], false) => {
                    Command::Config { key: (**key).to_owned(), value: Some((**value).to_owned()), local }
                }
                ([], _) => Command::Moot,
                _ => needs("this form of `poetry config` is not known".to_owned()),
            }
        }
        ("check" | "about" | "show" | "list" | "help", _)
        | ("cache", ["clear" | "list", ..])
        | ("env", ["list", ..]) => Command::Moot,
        ("env", ["use", python]) if !python.starts_with('-') => Command::EnvUse((*python).to_owned()),
        ("self", ["add" | "update" | "install" | "show", plugins @ ..])
            if plugins.iter().all(|word| word.starts_with('-') || is_poetry(word)) =>
        {
            Command::Moot
        }
        (name, _) => needs(format!("`poetry {name}` runs Poetry itself")),
    }
}

/// The options of `poetry install`, of all versions.
fn install(options: &[&str]) -> Result<Install, String> {
    let mut install = Install::default();
    let names =
        |text: &str| -> Vec<Name> { text.split([',', ' ']).filter(|name| !name.is_empty()).map(Name::new).collect() };
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        let (key, given) = match option.split_once('=') {
            Some((key, value)) if key.starts_with("--") => (key, Some(value)),
            _ => (*option, None),
        };
        let mut value = || given.or_else(|| rest.next().copied()).ok_or_else(|| (*option).to_owned());
        match key {
            "--without" => install.options.groups.without.extend(names(value()?)),
            "--with" => install.options.groups.with.extend(names(value()?)),
            "--only" => install.options.groups.only.extend(names(value()?)),
            "--extras" | "-E" => install.options.extras.extend(names(value()?)),
            _ if key.starts_with("-E") && key.len() > 2 => install.options.extras.extend(names(&key[2..])),
            "--no-dev" => install.options.groups.only.push(Name::new("main")),
            "--default" => install.options.groups.only.push(Name::new("main")),
            "--all-groups" => install.options.groups.all = true,
            "--all-extras" => install.options.all_extras = true,
            "--no-root" => install.options.no_root = true,
            "--only-root" => install.options.only_root = true,
            "--no-directory" => install.options.no_directory = true,
            "--compile" => install.compile = true,
            "--sync" | "--remove-untracked" => install.sync = true,
            _ => return Err((*option).to_owned()),
        }
    }
    Ok(install)
}

#[cfg(test)]
mod tests {
    use poetry_lock::GroupChoice;

    use super::*;

    fn read(text: &str) -> Command {
        let variables = [("HOME", "/root"), ("POETRY_HOME", "/opt/poetry"), ("GROUPS", "--only main")];
        command(text, &variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn installs_are_read_with_the_options_of_every_version() {
        let main = GroupChoice { only: vec![Name::new("main")], ..GroupChoice::default() };
        let options = Options { groups: main, ..Options::default() };
        let plain = Install { options, ..Install::default() };
        for text in [
            "poetry install --no-dev",
            "poetry install --only main",
            "poetry -n install --only=main --no-ansi -vvv",
            "python -m poetry install $GROUPS --no-interaction",
            "$POETRY_HOME/bin/poetry install --only main",
            "/root/.local/bin/poetry install --no-dev >/dev/null 2>&1",
            "~/.local/bin/poetry install --default",
        ] {
            assert_eq!(read(text), Command::Install(plain.clone()), "{text}");
        }
        let Command::Install(install) = read(
            "A=1 poetry -C api install --with 'docs,lint' --without=dev -E \"a b\" --extras c -Ed --no-root --compile",
        ) else {
            panic!("an install");
        };
        for text in ["poetry sync", "poetry install --sync", "poetry install --remove-untracked"] {
            assert_eq!(read(text), Command::Install(Install { sync: true, ..Install::default() }), "{text}");
        }
        let names = |all: &[&str]| all.iter().map(|name| Name::new(name)).collect::<Vec<_>>();
        assert_eq!(install.options.extras, names(&["a", "b", "c", "d"]));
        assert_eq!(
            (install.options.groups.with, install.options.groups.without),
            (names(&["docs", "lint"]), names(&["dev"]))
        );
        assert_eq!((install.folder.as_deref(), install.options.no_root, install.compile), (Some("api"), true, true));
        assert_eq!(install.assignments, [("A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn what_is_not_known_needs_poetry() {
        for text in [
            "poetry install --dry-run",
            "poetry install --new-option",
            "poetry install > log",
            "poetry install || true",
            "poetry install $(cat args)",
            "poetry build",
            "poetry add x",
            "poetry lock",
            "poetry shell",
            "poetry env info --path",
            "poetry --frob install",
            "poetry export -f requirements.txt | pip install -r /dev/stdin",
            "poetry export --without-hashes",
            "poetry export >> requirements.txt",
            "poetry export -f pylock.toml -o pylock.toml",
            "poetry -C api export -o requirements.txt",
            "sh -c 'poetry install'",
            "watchmedo poetry",
            "poetry self add poetry-dynamic-versioning",
            "poetry show > deps.txt",
            "poetry --version >> v",
            "poetry env use --x",
        ] {
            assert!(matches!(read(text), Command::Needs(_)), "{text}: {:?}", read(text));
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_left_of_pip_is_what_was_written(
            before in "((A=[a-z$\"']{0,3} )?(python -m )?pip install ){0,1}",
            words in proptest::collection::vec("poetry|poetry==1.8|'poetry'|poetry-core|[-a-z$=.]{1,6}|-[rqU]|>x|é", 0..6),
        ) {
            let text = format!("{before}{}", words.join(" "));
            if let Command::Provides { rest: Some(rest), .. } = read(&text) {
                let mut written = text.split_whitespace();
                proptest::prop_assert!(rest.split_whitespace().all(|word| written.any(|other| other == word)));
                // Behind an option it may be the name of a list.
                let kept: Vec<&str> = rest.split_whitespace().collect();
                let is_value = |pair: &&[&str]| pair[1].starts_with("poetry") && !pair[1].contains("core");
                proptest::prop_assert!(kept.windows(2).filter(is_value).all(|pair| pair[0].starts_with('-')));
            }
        }
    }

    #[test]
    fn ways_to_install_poetry() {
        let provides = |rest: Option<&str>, home: Option<&str>| Command::Provides {
            rest: rest.map(str::to_owned),
            home: home.map(str::to_owned),
        };
        for (text, rest, home) in [
            ("pip install poetry", None, None),
            ("pip3 install --no-cache-dir 'poetry==1.8.5' poetry-plugin-export", None, None),
            ("python3 -m pip install --user 'poetry>=1'", None, None),
            (
                "pip install -U pip setuptools poetry==1.8.5 gunicorn",
                Some("pip install -U pip setuptools gunicorn"),
                None,
            ),
            ("pip install poetry -r requirements.txt", Some("pip install -r requirements.txt"), None),
            ("pipx install poetry==1.8.5", None, None),
            ("pipx install --python python3.11 poetry", None, None),
            ("pip install -qU --no-cache-dir poetry", None, None),
            ("$POETRY_HOME/bin/pip install --frob poetry x", None, Some("/opt/poetry")),
            ("pip install --progress-bar off --root-user-action=ignore poetry >/dev/null", None, None),
            (
                "PIP_INDEX_URL=$INDEX pip install poetry ./wheels/*.whl \"corp>1\" --extra-index-url https://$TOKEN@x",
                Some("PIP_INDEX_URL=$INDEX pip install ./wheels/*.whl \"corp>1\" --extra-index-url https://$TOKEN@x"),
                None,
            ),
            ("pipx inject poetry poetry-plugin-export", None, None),
            ("python -m venv $POETRY_HOME", None, Some("/opt/poetry")),
            ("$POETRY_HOME/bin/pip install -U pip", None, Some("/opt/poetry")),
            ("/opt/poetry/bin/pip install poetry==1.8.5", None, Some("/opt/poetry")),
            ("curl -sSL https://install.python-poetry.org | python3 -", None, Some("/opt/poetry")),
            (
                "curl -sSL https://install.python-poetry.org | POETRY_HOME=/etc/poetry python3 - --version 1.8",
                None,
                Some("/etc/poetry"),
            ),
            ("ln -s /opt/poetry/bin/poetry /usr/local/bin/poetry", None, None),
        ] {
            assert_eq!(read(text), provides(rest, home), "{text}");
        }
        for text in [
            "pip install x",
            "python -m venv /venv",
            "pip wheel -r list",
            "apt-get install -y curl",
            "pip install poetry-core",
            "pip install --option-of-tomorrow poetry",
            "pip install poetry >log",
        ] {
            assert_eq!(read(text), Command::Other, "{text}");
        }
        assert!(matches!(read("pip install -r requirements.txt"), Command::PipInstall(_)));
        assert_eq!(read("pip uninstall -y poetry"), Command::Moot);
    }

    #[test]
    fn poetrys_home_is_no_folder_of_others() {
        let home = |home: &str| {
            let variables = [("HOME", "/root"), ("POETRY_HOME", home)];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            command(&format!("{home}/bin/python -m pip install --upgrade pip"), &variables)
        };
        assert!(matches!(home("/opt/poetry"), Command::Provides { .. }));
        for shared in ["/usr/local", "/usr", "/root/.local"] {
            assert_eq!(home(shared), Command::Other, "{shared}");
        }
    }

    #[test]
    fn a_python_of_another_version_is_noted() {
        let python = |text: &str| match read(text) {
            Command::Install(install) => install.python,
            other => panic!("{other:?}"),
        };
        assert_eq!(python("python3.12 -m poetry install").as_deref(), Some("python3.12"));
        for text in ["python3 -m poetry install", "/venv/bin/python -m poetry install", "poetry install"] {
            assert_eq!(python(text), None, "{text}");
        }
    }

    #[test]
    fn the_commands_around_it() {
        let config =
            |key: &str, value: &str, local| Command::Config { key: key.into(), value: Some(value.into()), local };
        assert_eq!(read("poetry config virtualenvs.create false"), config("virtualenvs.create", "false", false));
        assert_eq!(
            read("poetry config --local virtualenvs.in-project true"),
            config("virtualenvs.in-project", "true", true)
        );
        for text in [
            "poetry cache clear --all . -n",
            "poetry cache clear pypi --all",
            "poetry check",
            "poetry --version",
            "poetry self add poetry-plugin-export",
        ] {
            assert_eq!(read(text), Command::Moot, "{text}");
        }
        assert_eq!(
            read("poetry config virtualenvs.create false || true"),
            config("virtualenvs.create", "false", false)
        );
        assert_eq!(read("poetry config --local http-basic.x me sesame"), config("http-basic.x", "me sesame", false));
        let assigned = Prefix::Assigned(vec![("A".into(), "b".into())]);
        assert_eq!(read("A=b"), Command::Prefix(assigned));
        assert_eq!(read("cd /app"), Command::Prefix(Prefix::Folder("/app".into())));
        assert_eq!(read(". /venv/bin/activate"), Command::Prefix(Prefix::Activate("/venv".into())));
        assert_eq!(read("export A=b"), Command::Prefix(Prefix::Variables(vec![("A".into(), "b".into())])));
        let run = Command::Run(vec!["python".into(), "-m".into(), "x".into(), "-v".into()]);
        assert_eq!(read("poetry run python -m x -v"), run);
        assert_eq!(read("poetry run python -m x -v | tee log"), run);
        assert!(matches!(read("poetry run x | poetry run y"), Command::Needs(_)));
        assert!(matches!(read("poetry run poetry build"), Command::Needs(_)));
        let provides = |home: Option<&str>| Command::Provides { rest: None, home: home.map(str::to_owned) };
        assert_eq!(read("POETRY_HOME=/opt/p python3 install-poetry.py --yes"), provides(Some("/opt/p")));
        assert_eq!(read("rm -rf ~/.cache/pypoetry/cache"), Command::Clean(vec!["/root/.cache/pypoetry/cache".into()]));
        assert_eq!(read("yes | poetry cache clear --all . -n"), Command::Moot);
        for text in [
            "mv /root/.local/bin/poetry /usr/local/bin/poetry",
            "ln -s /opt/poetry/bin/poetry /usr/local/bin",
            "ln -s /opt/poetry/bin/poetry",
            "chmod 755 /opt/poetry/bin/poetry",
            "chown -R app:app /opt/poetry/bin/poetry /usr/bin/poetry",
        ] {
            assert_eq!(read(text), Command::Provides { rest: None, home: None }, "{text}");
        }
        for text in
            ["ls -l /opt/poetry/bin/poetry", "chmod +x /start.sh /opt/poetry/bin/poetry", "rm /x /usr/bin/poetry"]
        {
            assert!(matches!(read(text), Command::Needs(_)), "{text}");
        }
        assert_eq!(read("rm -r /usr/bin/poetry"), Command::Moot);
        for text in [
            "rm -rf /x /usr/bin/poetry",
            "echo /opt/poetry/bin/poetry",
            "rm -rf /root/.cache",
            "mkdir -p /opt/poetry",
            "touch poetry.lock",
            "cp poetry.lock /x",
            "rm -rf $POETRY_HOME",
            "python -m shop",
        ] {
            assert_eq!(read(text), Command::Other, "{text}");
        }
    }
}
