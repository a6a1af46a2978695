//! What the commands of a script have to do with Poetry.

pub(super) mod options;
pub(super) mod pip;
pub(super) mod poetry;
mod provision;
pub(super) mod table;

use std::ops::Range;

use shell::{Call, Reading, Redirected};

use super::rules::{self, Reason};
use pip::PipInstall;
use poetry::{Export, Install};

/// What a command has to do with Poetry.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// Nothing, as far as can be seen.
    Other,
    /// Installs Poetry.
    InstallsPoetry(Provision),
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
    NoEffect,
    /// Removes these folders, as given, if they are Poetry's caches and hold no environment.
    Clean(Vec<String>),
    /// `poetry install` or `poetry sync`.
    Install(Install),
    /// `poetry export` to a file or into pip.
    Export(Export),
    /// `pip install -r` of one list.
    PipInstall(PipInstall),
    /// `poetry run COMMAND`.
    Run {
        /// The words of the command.
        words: Vec<String>,
        /// The place of `poetry run` in the script.
        front: Range<usize>,
    },
    /// Needs Poetry, for a reason.
    Needs(Reason),
}

/// A way to install Poetry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Provision {
    /// What is left of the command, as texts in place of others; `None` if nothing is.
    pub(super) rest: Option<Vec<(Range<usize>, String)>>,
    /// The folder that Poetry is installed into, if it has one to itself.
    pub(super) home: Option<String>,
    /// The path of its program, as far as it is known.
    pub(super) program: Option<String>,
    /// The virtual environment whose pip installs it.
    pub(super) environment: Option<String>,
    /// What is asked for, e.g. `poetry==1.8.5`.
    pub(super) requirement: Option<String>,
    /// Whether it is the whole pipeline that the command is the last of.
    pub(super) is_pipeline: bool,
}

/// What each call of a script means.
pub(super) fn meanings(reading: &Reading) -> Vec<Meaning> {
    (0..reading.calls.len()).map(|index| settled(meaning(reading, index), reading, index)).collect()
}

/// What a call by itself means.
fn meaning(reading: &Reading, index: usize) -> Meaning {
    let call = &reading.calls[index];
    let Some(words) = call.words() else {
        let install = pip::words(call).and_then(|words| pip::install(call, &words));
        return install.map_or_else(|| unknown(call, &reading.text), Meaning::PipInstall);
    };
    if let Some(arguments) = arguments_of("poetry", &words) {
        return poetry::meaning(call, &words, arguments);
    }
    if let Some(meaning) = provision::meaning(reading, index, &words) {
        return meaning;
    }
    if let Some(install) = pip::install(call, &words) {
        return Meaning::PipInstall(install);
    }
    let shows = |word: &&str| {
        *word == "poetry"
            || word.ends_with("/poetry")
            || word.ends_with("/poetry/bin/activate")
            || word.contains("poetry ")
    };
    let program = words.first().map_or("", |word| base(word));
    if !table::runs_nothing(program, &words) && words.iter().skip(1).any(shows) {
        return needs(&rules::RUNS_POETRY, "a command that may run Poetry");
    }
    Meaning::Other
}

/// What a call means of whose words not all are known.
fn unknown(call: &Call, text: &str) -> Meaning {
    let program = call.program();
    let fields: Vec<&str> = call.fields.iter().filter_map(|field| field.text.as_deref()).collect();
    let is_python = program.is_some_and(|program| base(program).starts_with("python"));
    let calls_poetry =
        program.is_some_and(|program| base(program) == "poetry") || is_python && fields.contains(&"poetry");
    let may_be = program.is_none() && text.contains("poetry");
    let harmless = program.is_some_and(|program| table::runs_nothing(base(program), &fields));
    let shows =
        fields.iter().skip(1).any(|word| *word == "poetry" || word.ends_with("/poetry") || word.contains("poetry "));
    let installs = program.is_some_and(|program| is_numbered(base(program), "pip") || base(program) == "pipx");
    match () {
        () if calls_poetry => needs(&rules::UNKNOWN_WORD, "only the running shell knows its options"),
        () if may_be => needs(&rules::UNKNOWN_WORD, "only the running shell knows which program is called"),
        () if shows && !harmless && !installs => needs(&rules::RUNS_POETRY, "a command that may run Poetry"),
        () => Meaning::Other,
    }
}

/// What a call means where it stands.
fn settled(meaning: Meaning, reading: &Reading, index: usize) -> Meaning {
    let call = &reading.calls[index];
    let leaves_something = !call.redirects.iter().all(Redirected::leaves_nothing) || call.is_read;
    let pipe = call.pipe.as_ref();
    let is_last = pipe.is_some_and(shell::Pipe::is_last);
    match &meaning {
        Meaning::Other | Meaning::Needs(_) => meaning,
        // Where it may not run, or only a part of it, what installs Poetry is left as it is.
        Meaning::InstallsPoetry(provision) if call.is_read && !provision.is_pipeline => Meaning::Other,
        Meaning::InstallsPoetry(_) => meaning,
        Meaning::PipInstall(install)
            if !call.certain || call.sealed.is_some() && !is_last && !install.is_substituted(call) =>
        {
            Meaning::Other
        }
        Meaning::Clean(_) if !call.certain || leaves_something => Meaning::Other,
        Meaning::PipInstall(_) | Meaning::Clean(_) => meaning,
        Meaning::Export(export) if export.is_piped() => match pipe.filter(|pipe| pipe.index == 0 && pipe.count == 2) {
            Some(_) if call.certain => meaning,
            None if call.certain && is_substituted(reading, index) => meaning,
            _ => needs(&rules::LIST_READ, "its list goes neither into a file nor into `pip install -r`"),
        },
        // It is taken to succeed, and it may not.
        Meaning::NoEffect | Meaning::Config { .. } | Meaning::EnvUse(_) if call.decides => {
            needs(&rules::CONDITION, "other commands depend on how it ends")
        }
        // Nothing depends on whether it runs.
        Meaning::NoEffect if !call.certain && !leaves_something && call.range.is_some() => meaning,
        _ if !call.certain => needs(&rules::CONDITION, "whether it runs depends on what only the build knows"),
        Meaning::NoEffect | Meaning::Config { .. } | Meaning::EnvUse(_) if leaves_something => {
            needs(&rules::OUTPUT, "its output goes to a file or another command")
        }
        Meaning::Run { .. } | Meaning::NoEffect | Meaning::EnvUse(_) => meaning,
        Meaning::Config { local: false, .. } => meaning,
        Meaning::Install(_) if leaves_something => {
            needs(&rules::OUTPUT, "its output goes to a file or another command")
        }
        // An answer to a question that a command without a terminal is not asked.
        Meaning::Install(_) if is_last && answers(reading, index) => meaning,
        Meaning::Export(_) if call.is_read => needs(&rules::WITHIN, "another command reads its output"),
        _ => match call.sealed {
            Some(why) => needs(&rules::WITHIN, why),
            None => meaning,
        },
    }
}

/// Whether pip installs from what a command writes, by `<(…)`.
fn is_substituted(reading: &Reading, index: usize) -> bool {
    let mut installs = reading.calls.iter().filter(|call| pip::substituted(call) == Some(index));
    installs.any(|call| pip::words(call).and_then(|words| pip::install(call, &words)).is_some())
}

/// Whether what stands in front of a command in its pipeline is one plain command that only writes what it says.
fn answers(reading: &Reading, index: usize) -> bool {
    let call = &reading.calls[index];
    let (Some(pipe), Some(range)) = (&call.pipe, &call.range) else { return false };
    let front = reading.text[pipe.range.start..range.start].trim_end();
    let Some(front) = front.strip_suffix('|').map(str::trim) else { return false };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_.'\"\\%".contains(c);
    pipe.count == 2
        && ["yes", "echo", "printf"].contains(&front.split(' ').next().unwrap_or_default())
        && front.chars().all(is_plain)
}

/// Something that needs Poetry.
fn needs(rule: &'static rules::Rule, detail: impl Into<String>) -> Meaning {
    Meaning::Needs(Reason::new(rule, detail))
}

/// The name of a program without its folder.
pub(super) fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// Whether a name is another one with a version behind it, such as `pip3.11`.
pub(super) fn is_numbered(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem).is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The arguments of a program, also if Python runs it as a module.
fn arguments_of<'a, 'b>(program: &str, words: &'b [&'a str]) -> Option<&'b [&'a str]> {
    match words {
        [first, rest @ ..] if base(first) == program => Some(rest),
        [first, "-m", module, rest @ ..] if base(first).starts_with("python") && *module == program => Some(rest),
        _ => None,
    }
}

/// A text as a name of the shell's: whether a script has `poetry` as the name of a program.
pub(super) fn names_poetry(text: &str) -> bool {
    text.match_indices("poetry").any(|(at, name)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        let begins = before.is_none_or(|c| c.is_whitespace() || "/\"'(`;&|=,[".contains(c));
        let ends = after.is_none_or(|c| c.is_whitespace() || "\"')`;&|,]".contains(c));
        begins && ends
    })
}
