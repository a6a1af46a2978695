//! What builtins do to the shell that runs them (XCU 2.15, and the manuals of bash and dash).
//!
//! This is the one place that knows. A builtin that is not named here is taken for a program, so the list of those that
//! change the shell in ways that are not followed has to be whole for all shells that scripts are read for.

use super::{Assumption, Evaluator, Failure, Status, condition, simple::assigned_name};
use crate::{ast::Word, expand::Fields, parse::is_name, state::Value};

/// Builtins that may change anything, or that end what is gone through here.
const NOT_FOLLOWED: [&str; 45] = [
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "chdir",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disown",
    "enable",
    "eval",
    "fc",
    "fg",
    "getopts",
    "help",
    "history",
    "let",
    "local",
    "logout",
    "mapfile",
    "newgrp",
    "popd",
    "pushd",
    "readarray",
    "readonly",
    "return",
    "select",
    "setvar",
    "shift",
    "shopt",
    "suspend",
    "times",
    "trap",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "source",
    "time",
];

/// Builtins that leave the shell as it is.
const HARMLESS: [&str; 5] = ["jobs", "kill", "pwd", "type", "wait"];

/// Builtins with which some shells end where they fail (XCU 2.8.1).
pub(super) const SPECIAL: [&str; 14] = [
    ".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "trap",
    "unset",
];

/// What a builtin did.
pub(super) struct Done {
    pub(super) status: Status,
    /// What it wrote to the standard output; `None` if that is not known.
    pub(super) writes: Option<String>,
    /// The folder that it goes to.
    pub(super) enters: Option<String>,
}

/// What a first word is.
pub(super) enum Builtin {
    /// A builtin.
    Done(Done),
    /// A program, behind so many words; whether the shell ends with it.
    Program { skip: usize, ends: bool },
}

/// The words of a command, the first among them.
pub(super) struct Operands<'a> {
    pub(super) words: &'a [Word],
    pub(super) fields: &'a Fields,
}

impl Operands<'_> {
    /// The operands, if all are known.
    fn known(&self) -> Option<Vec<&str>> {
        let all = self.fields.all.get(1..).unwrap_or_default();
        all.iter().map(|field| field.text.as_deref()).collect::<Option<_>>().filter(|_| self.fields.open.is_none())
    }
}

fn silent(status: Status) -> Builtin {
    Builtin::Done(Done { status, writes: Some(String::new()), enters: None })
}

fn noisy(status: Status) -> Builtin {
    Builtin::Done(Done { status, writes: None, enters: None })
}

impl Evaluator<'_> {
    pub(super) fn builtin(&mut self, name: &str, operands: &Operands<'_>, failure: Failure) -> Builtin {
        let known = operands.known();
        match name {
            ":" | "true" => silent(Status::Zero),
            "false" => silent(Status::NonZero),
            "test" => silent(known.map_or(Status::Unknown, |words| condition::bracket(&words, self.shell.dialect))),
            "[" => match known.as_deref() {
                Some([words @ .., "]"]) => silent(condition::bracket(words, self.shell.dialect)),
                _ => silent(Status::Unknown),
            },
            "echo" => self.echo(known.as_deref()),
            "printf" => self.printf(known.as_deref()),
            "cd" => self.cd(known.as_deref(), failure),
            "export" => self.export_all(operands),
            "unset" => self.unset_all(known.as_deref()),
            "set" => self.set_options(known.as_deref()),
            "." => self.activate(known.as_deref()),
            "source" if self.shell.dialect == crate::Dialect::Bash => self.activate(known.as_deref()),
            "read" => self.read(known.as_deref()),
            "exit" => {
                let code = match known.as_deref() {
                    Some([code]) => code.parse::<u8>().ok(),
                    _ => None,
                };
                let status = match code {
                    Some(0) => Status::Zero,
                    Some(_) => Status::NonZero,
                    None => Status::Unknown,
                };
                self.end(status);
                silent(status)
            }
            "exec" => match operands.fields.all.get(1).and_then(|field| field.text.as_deref()) {
                Some(word) if !word.starts_with('-') && operands.fields.open != Some(1) => {
                    Builtin::Program { skip: 1, ends: true }
                }
                _ => self.not_followed(),
            },
            "command" => match operands.fields.all.get(1).and_then(|field| field.text.as_deref()) {
                Some("-v" | "-V") => noisy(Status::Unknown),
                Some(word) if is_program(word) && operands.fields.open != Some(1) => {
                    Builtin::Program { skip: 1, ends: false }
                }
                _ => self.not_followed(),
            },
            "hash" if matches!(known.as_deref(), Some([] | ["-r"])) => noisy(Status::Unknown),
            "hash" => self.not_followed(),
            name if HARMLESS.contains(&name) => noisy(Status::Unknown),
            name if NOT_FOLLOWED.contains(&name) => self.not_followed(),
            _ => Builtin::Program { skip: 0, ends: false },
        }
    }

    fn not_followed(&mut self) -> Builtin {
        self.lose();
        noisy(Status::Unknown)
    }

    /// The shell ends here.
    pub(super) fn end(&mut self, status: Status) {
        self.ended = true;
        let is_failure = status == Status::NonZero && self.fatal_exit;
        self.escaped |= !is_failure && !self.certain;
        self.fails |= status != Status::Zero && self.certain && self.fatal_exit;
    }

    fn echo(&mut self, words: Option<&[&str]>) -> Builtin {
        let Some(words) = words else { return noisy(Status::Zero) };
        // Options and backslashes mean other things in other shells.
        let is_option = |word: &&&str| {
            word.strip_prefix('-')
                .is_some_and(|letters| !letters.is_empty() && letters.chars().all(|c| "neE".contains(c)))
        };
        if words.first().filter(is_option).is_some() || words.iter().any(|word| word.contains('\\')) {
            return noisy(Status::Zero);
        }
        Builtin::Done(Done { status: Status::Zero, writes: Some(format!("{}\n", words.join(" "))), enters: None })
    }

    fn printf(&mut self, words: Option<&[&str]>) -> Builtin {
        let writes = match words {
            Some([format]) if !format.contains(['%', '\\']) && !format.starts_with('-') => Some((*format).to_owned()),
            Some(["%s", word]) => Some((*word).to_owned()),
            Some(["%s\\n", word]) => Some(format!("{word}\n")),
            Some([format, ..]) if format.starts_with('-') => return self.not_followed(),
            None => return self.not_followed(),
            _ => None,
        };
        let status = if writes.is_some() { Status::Zero } else { Status::Unknown };
        Builtin::Done(Done { status, writes, enters: None })
    }

    fn cd(&mut self, words: Option<&[&str]>, failure: Failure) -> Builtin {
        let home = self.state.value("HOME");
        let path = match words {
            Some([]) => home.known(),
            Some([path]) if !path.starts_with('-') => Some(*path),
            // `cd -` goes where the shell was before.
            Some(_) => return self.not_followed(),
            None => None,
        };
        let path = path.filter(|path| !path.is_empty()).and_then(|path| absolute(self.state.folder(), path));
        let Some(path) = path else {
            self.state.folder = None;
            return noisy(Status::Unknown);
        };
        // Where the script goes on without it, the folder has to be there.
        if failure == Failure::Ignored && !self.certain {
            self.state.folder = None;
            return noisy(Status::Unknown);
        }
        if failure == Failure::Ignored {
            self.assumptions.push(Assumption::Folder(path.clone()));
        }
        self.state.folder = Some(path.clone());
        Builtin::Done(Done { status: Status::Zero, writes: Some(String::new()), enters: Some(path) })
    }

    fn export_all(&mut self, operands: &Operands<'_>) -> Builtin {
        let all = operands.fields.all.get(1..).unwrap_or_default();
        let is_whole = operands.fields.open.is_none() && all.iter().all(|field| field.range.is_some());
        if is_whole && !all.is_empty() {
            let words = operands.words.get(1..).unwrap_or_default();
            for (field, word) in all.iter().zip(words) {
                match (&field.text, assigned_name(word)) {
                    (Some(text), _) => match text.split_once('=') {
                        Some((name, value)) if is_name(name) => {
                            self.state.set(name, Value::Known(value.to_owned()), true);
                        }
                        None if is_name(text) => self.state.export(text),
                        _ => return self.not_followed(),
                    },
                    (None, Some(name)) => self.state.set(name, Value::Unknown, true),
                    (None, None) => return self.not_followed(),
                }
            }
            return silent(Status::Zero);
        }
        // Some shells split what is not quoted, so that further names may be exported.
        for word in operands.words.get(1..).unwrap_or_default() {
            match (assigned_name(word), word.bare()) {
                (Some(name), _) => self.state.set(name, Value::Unknown, true),
                (None, Some(name)) if is_name(name) => self.state.export(name),
                _ => return self.not_followed(),
            }
        }
        for variable in self.state.variables.values_mut().filter(|variable| variable.exported == Some(false)) {
            variable.exported = None;
        }
        // With a word that is no name it fails, and without any it lists.
        noisy(Status::Unknown)
    }

    fn unset_all(&mut self, words: Option<&[&str]>) -> Builtin {
        let names = match words {
            Some(["-v", names @ ..]) => names,
            Some(names) => names,
            None => return self.not_followed(),
        };
        let is_plain =
            |name: &&str| is_name(name) && !crate::state::is_own(name) && !self.state.functions.contains(*name);
        if !names.iter().all(is_plain) {
            return self.not_followed();
        }
        for name in names {
            self.state.unset(name);
        }
        silent(Status::Zero)
    }

    fn set_options(&mut self, words: Option<&[&str]>) -> Builtin {
        let Some(words) = words else { return self.not_followed() };
        let mut rest = words.iter();
        let mut is_known = true;
        while let Some(word) = rest.next() {
            let on = word.starts_with('-');
            match *word {
                "--" => {
                    self.state.parameters = Some(rest.map(|word| (*word).to_owned()).collect());
                    return silent(if is_known { Status::Zero } else { Status::Unknown });
                }
                "-" | "+" => return self.not_followed(),
                word if word.starts_with(['-', '+']) => {
                    for letter in word[1..].chars() {
                        let name = match letter {
                            'o' => match rest.next() {
                                Some(name) => name,
                                None => return self.not_followed(),
                            },
                            'e' => "errexit",
                            'u' => "nounset",
                            'f' => "noglob",
                            'a' => "allexport",
                            'x' => "xtrace",
                            'v' => "verbose",
                            _ => return self.not_followed(),
                        };
                        // Not all of `sh` have it; those that have not end with an error.
                        is_known &= name != "pipefail" || self.shell.dialect == crate::Dialect::Bash;
                        // Where it does not count, bash lets it count from here on in some places.
                        let is_odd = name == "errexit" && on && self.ignores_around;
                        if is_odd || !self.state.set_option(name, on) {
                            return self.not_followed();
                        }
                    }
                }
                _ => return self.not_followed(),
            }
        }
        match words {
            // It lists.
            [] => noisy(Status::Zero),
            _ if is_known => silent(Status::Zero),
            _ => silent(Status::Unknown),
        }
    }

    /// `. VENV/bin/activate`, as Python's venv and virtualenv make it.
    fn activate(&mut self, words: Option<&[&str]>) -> Builtin {
        let path = match words {
            Some([path]) if path.contains('/') => absolute(self.state.folder(), path),
            _ => None,
        };
        let Some(path) = path else { return self.not_followed() };
        let Some(venv) = path.strip_suffix("/bin/activate").filter(|venv| !venv.is_empty()) else {
            return self.not_followed();
        };
        let old = self.state.value("PATH");
        let path_of = |old: &str| format!("{venv}/bin:{old}");
        self.state.set("PATH", Value::of(old.known().map(path_of)), true);
        self.state.set("VIRTUAL_ENV", Value::Known(venv.to_owned()), true);
        self.state.unset("PYTHONHOME");
        for name in ["VIRTUAL_ENV_PROMPT", "_OLD_VIRTUAL_PATH", "_OLD_VIRTUAL_PS1", "_OLD_VIRTUAL_PYTHONHOME"] {
            self.state.forget(name);
        }
        self.state.functions.extend(["deactivate", "pydoc"].map(str::to_owned));
        self.assumptions.push(Assumption::Activate(path));
        silent(Status::Zero)
    }

    fn read(&mut self, words: Option<&[&str]>) -> Builtin {
        let Some(words) = words else { return self.not_followed() };
        let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
        if !options.iter().all(|option| *option == "-r") || !names.iter().all(|name| is_name(name)) {
            return self.not_followed();
        }
        for name in names {
            self.state.set(name, Value::Unknown, false);
        }
        silent(Status::Unknown)
    }
}

/// Whether a word behind `command` is a program and no builtin.
fn is_program(word: &str) -> bool {
    const OTHERS: [&str; 19] = [
        ".", ":", "[", "cd", "command", "echo", "exec", "exit", "export", "false", "hash", "printf", "read", "set",
        "shift", "test", "true", "unset", "sh",
    ];
    !word.starts_with('-') && !OTHERS.contains(&word) && !HARMLESS.contains(&word) && !NOT_FOLLOWED.contains(&word)
}

/// An absolute path of one that may be relative to a folder, as `cd` works it out: `..` takes back the part in front of it.
pub(super) fn absolute(folder: Option<&str>, path: &str) -> Option<String> {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", folder?) };
    // What a second slash at the begin means is up to the system.
    if path.starts_with("//") {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}
