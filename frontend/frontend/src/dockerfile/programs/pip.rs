//! `pip install -r`.
//!
//! Follows the options of pip up to 26. What is not known here is not served.

use shell::{Call, Redirected, Value};

use super::{
    is_numbered,
    options::{Options, Part},
};

/// A `pip install -r FILE`, and nothing else to install.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::dockerfile) struct PipInstall {
    /// The program that was called: pip, or Python with `-m pip`.
    pub(in crate::dockerfile) program: String,
    /// Whether it is Python.
    pub(in crate::dockerfile) is_python: bool,
    /// The list, as given; `None` for what a pipe or a substitution brings.
    pub(in crate::dockerfile) file: Option<String>,
    /// No more than what is listed.
    pub(in crate::dockerfile) no_deps: bool,
    /// Every file has to have a digest in the list.
    pub(in crate::dockerfile) require_hashes: bool,
    /// No bytecode.
    pub(in crate::dockerfile) no_compile: bool,
}

/// Options of pip without a value that change nothing of what is installed.
pub(super) const QUIET: [&str; 22] = [
    "--no-cache-dir",
    "--no-cache",
    "--upgrade",
    "-U",
    "--disable-pip-version-check",
    "--no-input",
    "--no-color",
    "--no-warn-script-location",
    "--no-warn-conflicts",
    "--no-python-version-warning",
    "--prefer-binary",
    "--quiet",
    "-q",
    "-qq",
    "-qqq",
    "--verbose",
    "-v",
    "-vv",
    "-vvv",
    "--break-system-packages",
    "--no-build-isolation",
    "-I",
];

/// The same with a value: how often, how long and where it shows or keeps things.
pub(super) const QUIET_VALUES: [&str; 6] =
    ["--timeout", "--default-timeout", "--retries", "--progress-bar", "--root-user-action", "--cache-dir"];

const OF_LISTS: Options = Options {
    flags: &[&QUIET, &["--no-deps", "--require-hashes", "--no-compile", "--compile"]],
    values: &[&QUIET_VALUES, &["-r", "--requirement"]],
};

/// The program and the arguments of a call of pip, and whether it is Python that runs it.
pub(super) fn arguments<'a, 'b>(words: &'b [&'a str]) -> Option<(&'a str, bool, &'b [&'a str])> {
    match words {
        [program, rest @ ..] if is_numbered(super::base(program), "pip") => Some((program, false, rest)),
        [program, "-m", "pip", rest @ ..] if is_numbered(super::base(program), "python") => Some((program, true, rest)),
        _ => None,
    }
}

/// What stands for a list that a substitution brings.
const SUBSTITUTED: &str = "<(…)";

/// The call whose output is the list, by `<(…)`.
pub(in crate::dockerfile) fn substituted(call: &Call) -> Option<usize> {
    call.fields.iter().find_map(|field| field.process)
}

/// The words of a call, if all are known but one list by `<(…)`.
pub(super) fn words(call: &Call) -> Option<Vec<&str>> {
    if call.open.is_some() || call.fields.iter().filter(|field| field.process.is_some()).count() != 1 {
        return None;
    }
    let word = |field: &'_ shell::Field| field.process.is_some();
    call.fields.iter().map(|field| if word(field) { Some(SUBSTITUTED) } else { field.text.as_deref() }).collect()
}

impl PipInstall {
    /// Whether its list is what a substitution in its words brings.
    pub(super) fn is_substituted(&self, call: &Call) -> bool {
        self.file.is_none() && substituted(call).is_some() && call.is_sealed_by_words()
    }
}

/// Reads a call. `None` if it is not one that installs one list and nothing else.
pub(super) fn install(call: &Call, words: &[&str]) -> Option<PipInstall> {
    let (program, is_python, arguments) = arguments(words)?;
    let is_known = call.assignments.iter().all(|(_, value)| *value != Value::Unknown);
    let mut install = PipInstall { program: program.to_owned(), is_python, ..PipInstall::default() };
    let (mut commands, mut files) = (Vec::new(), Vec::new());
    for part in OF_LISTS.read(arguments).ok()? {
        match part {
            Part::Operand(_, word) => commands.push(word),
            Part::Value("-r" | "--requirement", file) => files.push(file),
            Part::Flag("--no-deps") => install.no_deps = true,
            Part::Flag("--require-hashes") => install.require_hashes = true,
            Part::Flag("--no-compile") => install.no_compile = true,
            Part::Flag("--compile") => install.no_compile = false,
            // It installs again what is there.
            Part::Flag("-I") => return None,
            Part::Flag(_) | Part::Value(..) => {}
        }
    }
    let ([file], ["install"]) = (&files[..], &commands[..]) else { return None };
    let is_substituted = *file == SUBSTITUTED && substituted(call).is_some();
    let is_piped = ["/dev/stdin", "-", "/dev/fd/0"].contains(file);
    install.file = (!is_piped && !is_substituted).then(|| (*file).to_owned());
    // What is piped in comes from the command in front.
    let is_fed = !is_piped || call.pipe.as_ref().is_some_and(|pipe| pipe.index == 1 && pipe.count == 2);
    let is_quiet = call.redirects.iter().all(Redirected::leaves_nothing) && !call.is_read;
    (is_known && is_quiet && is_fed).then_some(install)
}

/// Settings of pip by variables that change nothing of what is installed.
const QUIET_VARIABLES: [&str; 15] = [
    "PIP_NO_CACHE_DIR",
    "PIP_CACHE_DIR",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "PIP_ROOT_USER_ACTION",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_TIMEOUT",
    "PIP_RETRIES",
    "PIP_NO_INPUT",
    "PIP_NO_COLOR",
    "PIP_PROGRESS_BAR",
    "PIP_QUIET",
    "PIP_VERBOSE",
    "PIP_BREAK_SYSTEM_PACKAGES",
    "PIP_VERSION",
    "PIP_CERT",
];

/// A variable that pip takes for a setting which may change what is installed.
pub(in crate::dockerfile) fn setting<'a>(variables: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_setting = |name: &&str| name.starts_with("PIP_") && !QUIET_VARIABLES.contains(name);
    variables.into_iter().find(is_setting)
}

#[cfg(test)]
mod tests {
    use super::{super::Meaning, *};
    use crate::dockerfile::graph::tests::script;

    fn installed(text: &str) -> Option<PipInstall> {
        script(text).meanings.iter().find_map(|meaning| match meaning {
            Meaning::PipInstall(install) => Some(install.clone()),
            _ => None,
        })
    }

    #[test]
    fn installs_of_one_list_are_read() {
        for text in [
            "pip install -r r.txt",
            "pip3 install --no-cache-dir --upgrade -r r.txt",
            "/venv/bin/pip install -U --requirement=r.txt --root-user-action=ignore -qq",
            "python -m pip --disable-pip-version-check install --requirement r.txt",
            "python3.11 -m pip install -rr.txt --timeout 100",
            "pip install -Ur r.txt",
            "pip install -qUrr.txt",
        ] {
            assert_eq!(installed(text).and_then(|install| install.file), Some("r.txt".to_owned()), "{text}");
        }
        let install =
            installed("A=1 pip install --no-deps --require-hashes --no-compile -r r.txt").expect("an install");
        assert!(install.no_deps && install.require_hashes && install.no_compile && !install.is_python);
        for text in [
            "pip install x",
            "pip install -r a -r b",
            "pip install -r a x",
            "pip install -r a -c b",
            "pip install --user -r a",
            "pip install --target /x -r a",
            "pip install --index-url https://x -r a",
            "pip install -Ir a",
            "pip wheel -r a",
            "pip-sync a",
            "uv pip install -r a",
            "pip install -r a > log",
            "pip install -r /dev/stdin",
            "[ -f x ] && pip install -r a; make",
            "pip install -r a | tee log",
        ] {
            assert_eq!(installed(text), None, "{text}");
        }
    }

    #[test]
    fn settings_of_pip_are_told_apart() {
        assert_eq!(setting(["PATH", "PIP_NO_CACHE_DIR", "PYTHON_PIP_VERSION", "PIP_CERT"]), None);
        assert_eq!(setting(["PIP_INDEX_URL"]), Some("PIP_INDEX_URL"));
    }
}
