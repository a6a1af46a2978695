//! Commands that write and read lists of requirements: `poetry export` and `pip install -r`.
//!
//! Follows the options of poetry-plugin-export up to 1.10 and pip up to 26. What is not known here is not served.

use poetry_lock::{Name, Options};

use super::{command::is_harmless, shell::Simple};

/// A `poetry export`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Export {
    /// The groups and extras.
    pub options: Options,
    /// Without the digests of files.
    pub without_hashes: bool,
    /// Without the addresses of sources.
    pub without_urls: bool,
    /// With credentials in the addresses of sources.
    pub with_credentials: bool,
    /// The file that is written, as given.
    pub file: String,
    /// The project's folder, as given.
    pub folder: Option<String>,
}

/// A `pip install -r FILE`, and nothing else to install.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PipInstall {
    /// The program that was called: pip, or Python with `-m pip`.
    pub program: String,
    /// Whether it is Python.
    pub is_python: bool,
    /// The list, as given.
    pub file: String,
    /// No more than what is listed.
    pub no_deps: bool,
    /// Every file has to have a digest in the list.
    pub require_hashes: bool,
    /// No bytecode.
    pub no_compile: bool,
    /// Variables for this command alone.
    pub assignments: Vec<(String, String)>,
}

/// Takes the value of an option: behind `=`, or the next word.
fn value_of<'a>(given: Option<&'a str>, rest: &mut std::slice::Iter<'_, &'a str>) -> Option<&'a str> {
    given.or_else(|| rest.next().copied())
}

fn key_and_value(option: &str) -> (&str, Option<&str>) {
    match option.split_once('=') {
        Some((key, value)) if key.starts_with("--") => (key, Some(value)),
        // `-oFILE`, `-rFILE`
        _ if option.starts_with('-') && !option.starts_with("--") && option.len() > 2 && option.is_char_boundary(2) => {
            (&option[..2], Some(&option[2..]))
        }
        _ => (option, None),
    }
}

/// The options of `poetry export`. The error is why it cannot be served.
pub(super) fn export(options: &[&str], redirected: Option<&str>) -> Result<Export, String> {
    let mut export = Export::default();
    let mut output = None;
    let names = |text: &str| -> Vec<Name> {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Name::new).collect()
    };
    let unknown = |option: &str| format!("the option `{option}` of `poetry export` is not known");
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        let (key, given) = key_and_value(option);
        let mut value = || value_of(given, &mut rest).ok_or_else(|| unknown(option));
        match key {
            "-f" | "--format" => match value()? {
                "requirements.txt" => {}
                format => return Err(format!("the format {format} is not known")),
            },
            "-o" | "--output" => output = Some(value()?),
            "--with" => export.options.groups.with.extend(names(value()?)),
            "--without" => export.options.groups.without.extend(names(value()?)),
            "--only" => export.options.groups.only.extend(names(value()?)),
            "-E" | "--extras" => export.options.extras.extend(value()?.split_whitespace().map(Name::new)),
            "--dev" if given.is_none() => export.options.groups.with.push(Name::new("dev")),
            "--all-groups" if given.is_none() => export.options.groups.all = true,
            "--all-extras" if given.is_none() => export.options.all_extras = true,
            "--without-hashes" if given.is_none() => export.without_hashes = true,
            "--without-urls" if given.is_none() => export.without_urls = true,
            "--with-credentials" if given.is_none() => export.with_credentials = true,
            _ => return Err(unknown(option)),
        }
    }
    export.file = match (output, redirected) {
        (Some(file), None) | (None, Some(file)) => file.to_owned(),
        _ => return Err("its list does not go to one file".to_owned()),
    };
    Ok(export)
}

/// Reads a command. `None` if it is not one that installs one list and nothing else.
pub(super) fn pip_install(words: &[&str], simple: &Simple) -> Option<PipInstall> {
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let is = |word: &str, name: &str| {
        let base = base(word);
        base.strip_prefix(name).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    let (program, is_python, arguments) = match words {
        [program, rest @ ..] if is(program, "pip") => (program, false, rest),
        [program, "-m", "pip", rest @ ..] if is(program, "python") => (program, true, rest),
        _ => return None,
    };
    if !simple.redirections.iter().all(is_harmless) {
        return None;
    }
    let assignments = simple.assignments.clone();
    let mut install = PipInstall { program: (*program).to_owned(), is_python, assignments, ..PipInstall::default() };
    let (mut is_install, mut files) = (false, Vec::new());
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let (key, given) = key_and_value(option);
        match key {
            "install" if !is_install => is_install = true,
            "-r" | "--requirement" => files.push(value_of(given, &mut rest)?),
            // They change what pip says, keeps or waits for, and nothing where all versions are given.
            "--timeout" | "--default-timeout" | "--retries" | "--progress-bar" | "--root-user-action"
            | "--cache-dir" => {
                value_of(given, &mut rest)?;
            }
            _ if is_quiet(option) => {}
            "--no-deps" => install.no_deps = true,
            "--require-hashes" => install.require_hashes = true,
            "--no-compile" => install.no_compile = true,
            "--compile" => install.no_compile = false,
            _ => return None,
        }
    }
    let [file] = files[..] else { return None };
    file.clone_into(&mut install.file);
    is_install.then_some(install)
}

/// Options without a value that change nothing of what is installed.
pub(super) fn is_quiet(option: &str) -> bool {
    const KNOWN: [&str; 15] = [
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
        "--verbose",
        "--break-system-packages",
        "--no-build-isolation",
    ];
    let repeated = option.strip_prefix('-').is_some_and(|letters| {
        !letters.is_empty() && (letters.chars().all(|c| c == 'q') || letters.chars().all(|c| c == 'v'))
    });
    KNOWN.contains(&option) || repeated
}

/// Settings of pip by variables that change nothing of what is installed.
const QUIET_VARIABLES: [&str; 14] = [
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
];

/// A variable that pip takes for a setting which may change what is installed.
pub(super) fn setting<'a>(variables: impl IntoIterator<Item = &'a String>) -> Option<&'a str> {
    let is_setting = |name: &&String| name.starts_with("PIP_") && !QUIET_VARIABLES.contains(&name.as_str());
    variables.into_iter().find(is_setting).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::shell;

    fn exported(text: &str) -> Result<Export, String> {
        export(&text.split_whitespace().collect::<Vec<_>>(), None)
    }

    fn installed(text: &str) -> Option<PipInstall> {
        let simple = shell::simple(text, &shell::Variables::default()).unwrap();
        pip_install(&simple.words.iter().map(String::as_str).collect::<Vec<_>>(), &simple)
    }

    #[test]
    fn exports_are_read_in_all_spellings() {
        let plain = Export { file: "r.txt".into(), without_hashes: true, ..Export::default() };
        for text in [
            "-f requirements.txt --output r.txt --without-hashes",
            "--without-hashes --format=requirements.txt -o r.txt",
            "--without-hashes --output=r.txt",
            "-frequirements.txt -or.txt --without-hashes",
        ] {
            assert_eq!(exported(text), Ok(plain.clone()), "{text}");
        }
        let redirected = export(&["--without-hashes"], Some("r.txt"));
        assert_eq!(redirected, Ok(plain));
        let all = exported("-o r --with a,b --only=c --without d -E x --extras y --dev --without-urls").unwrap();
        let names = |all: &[&str]| all.iter().map(|name| Name::new(name)).collect::<Vec<_>>();
        assert_eq!(all.options.groups.with, names(&["a", "b", "dev"]));
        assert_eq!(all.options.extras, names(&["x", "y"]));
        assert!(all.without_urls && !all.without_hashes && !all.with_credentials);
        for text in ["-o r -f pylock.toml", "-f constraints.txt -o r", "", "-o r --frob", "-o"] {
            assert!(exported(text).is_err(), "{text}");
        }
    }

    #[test]
    fn installs_of_one_list_are_read() {
        for text in [
            "pip install -r r.txt",
            "pip3 install --no-cache-dir --upgrade -r r.txt",
            "/venv/bin/pip install -U --requirement=r.txt --root-user-action=ignore -qq",
            "python -m pip --disable-pip-version-check install --requirement r.txt",
            "python3.11 -m pip install -rr.txt --timeout 100",
        ] {
            assert_eq!(installed(text).map(|install| install.file), Some("r.txt".to_owned()), "{text}");
        }
        let install = installed("A=1 pip install --no-deps --require-hashes --no-compile -r r.txt").unwrap();
        assert!(install.no_deps && install.require_hashes && install.no_compile && !install.is_python);
        assert_eq!(install.assignments, [("A".to_owned(), "1".to_owned())]);
        for text in [
            "pip install x",
            "pip install -r a -r b",
            "pip install -r a x",
            "pip install -r a -c b",
            "pip install --user -r a",
            "pip install --target /x -r a",
            "pip install --index-url https://x -r a",
            "pip wheel -r a",
            "pip download -r a",
            "pip-sync a",
            "uv pip install -r a",
            "pip install -r a > log",
        ] {
            assert_eq!(installed(text), None, "{text}");
        }
    }

    #[test]
    fn settings_of_pip_are_told_apart() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(setting(&names(&["PATH", "PIP_NO_CACHE_DIR", "PYTHON_PIP_VERSION"])), None);
        assert_eq!(setting(&names(&["PIP_INDEX_URL"])), Some("PIP_INDEX_URL"));
    }
}
