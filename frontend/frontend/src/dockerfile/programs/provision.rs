//! Commands that install Poetry. What is not understood to the last word stays as it is, and Poetry with it.

use std::ops::Range;

use poetry_lock::Name;
use shell::{Call, Reading, Redirected, Value};

use super::{
    Meaning, Provision, base, needs,
    options::{Options, Part},
    pip,
};
use crate::dockerfile::rules;

/// Options of `pip install` and `pipx install` that have no say in what else is installed, or that what else is installed keeps.
const INSTALL: Options = Options {
    flags: &[
        &pip::QUIET,
        &[
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
            "-y",
            "--yes",
        ],
    ],
    values: &[
        &pip::QUIET_VALUES,
        &[
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
            "--cert",
            "--client-cert",
            "--proxy",
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
        ],
    ],
};

/// What a call has to do with the installation of Poetry; `None` if nothing.
pub(super) fn meaning(reading: &Reading, index: usize, words: &[&str]) -> Option<Meaning> {
    let call = &reading.calls[index];
    of_pip(call, words, &reading.text)
        .or_else(|| of_script(call, words))
        .or_else(|| of_pipeline(reading, index, words))
        .or_else(|| of_venv(call, words))
        .or_else(|| on_caches(call, words))
        .or_else(|| on_program(words))
}

/// `pip install poetry`, `pipx install poetry`, and what undoes them.
fn of_pip(call: &Call, words: &[&str], text: &str) -> Option<Meaning> {
    let of_pip = pip::arguments(words).map(|(program, _, arguments)| (program, arguments));
    let of_pipx = || (base(words.first()?) == "pipx").then(|| (words[0], &words[1..]));
    let (program, arguments) = of_pip.or_else(of_pipx)?;
    let parts = INSTALL.read(arguments);
    let has_poetry = arguments.iter().any(|word| is_poetry_itself(word));
    let is_plain = call.redirects.iter().all(Redirected::leaves_nothing);
    // Whatever goes into Poetry's own environment is Poetry's.
    let home = home_of(program, call);
    if let (Some(home), Some(&"install")) = (&home, arguments.first()) {
        return Some(match is_plain {
            true => Meaning::InstallsPoetry(Provision {
                home: Some(home.clone()),
                program: Some(format!("{home}/bin/poetry")),
                environment: Some(home.clone()),
                requirement: requirement_of(arguments.iter().copied()),
                ..Provision::default()
            }),
            false => needs(&rules::OUTPUT, "its output goes to a file"),
        });
    }
    // Programs of its own environments are run by pipx, not by pip.
    if base(program) == "pipx" && arguments.first() == Some(&"run") {
        return None;
    }
    if !has_poetry || !is_plain {
        return has_poetry.then_some(Meaning::Other);
    }
    // Without options that are known there may be values among what looks like a requirement.
    let Ok(parts) = parts else { return Some(Meaning::Other) };
    let operands: Vec<(usize, &str)> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Operand(place, word) => Some((*place, *word)),
            _ => None,
        })
        .collect();
    let (command, operands) = operands.split_first()?;
    let has_list = parts.iter().any(|part| matches!(part, Part::Value("-r" | "--requirement", _)));
    let (own, others): (Vec<_>, Vec<_>) = operands.iter().partition(|(_, word)| is_poetry(word));
    match command.1 {
        "uninstall" => return (others.is_empty() && !has_list).then_some(Meaning::NoEffect),
        "inject" if operands.first().is_some_and(|(_, word)| *word == "poetry") => {
            return Some(Meaning::InstallsPoetry(Provision::default()));
        }
        "install" => {}
        _ => return Some(Meaning::Other),
    }
    if own.is_empty() {
        return Some(Meaning::Other);
    }
    let requirement = requirement_of(own.iter().map(|(_, word)| *word));
    let environment = environment_of(program, call);
    let rest = match others.is_empty() && !has_list {
        true => None,
        false => {
            let head = words.len() - arguments.len();
            let places: Option<Vec<Range<usize>>> =
                own.iter().map(|(place, _)| call.fields.get(head + place)?.range.clone()).collect();
            // A word that is not written as the one word that it comes to.
            let Some(places) = places else { return Some(Meaning::Other) };
            Some(places.into_iter().map(|range| (with_blank(text, range), String::new())).collect())
        }
    };
    let of_environment = environment.as_ref().map(|environment| format!("{environment}/bin/poetry"));
    let program = match base(program) {
        "pipx" => {
            known_path(call, "PIPX_BIN_DIR").map(|folder| format!("{folder}/poetry")).or_else(|| users_program(call))
        }
        _ if arguments.contains(&"--user") => users_program(call),
        _ => of_environment,
    };
    Some(Meaning::InstallsPoetry(Provision { rest, program, requirement, environment, ..Provision::default() }))
}

/// The path of Poetry's program where it is installed for the user alone.
fn users_program(call: &Call) -> Option<String> {
    known_path(call, "HOME").map(|home| format!("{home}/.local/bin/poetry"))
}

/// A variable that is known to be an absolute path.
fn known_path(call: &Call, name: &str) -> Option<String> {
    let value = call.variable(name);
    value.known().filter(|path| path.starts_with('/')).map(|path| path.trim_end_matches('/').to_owned())
}

/// The requirement of Poetry among others.
fn requirement_of<'a>(requirements: impl IntoIterator<Item = &'a str>) -> Option<String> {
    requirements.into_iter().find(|requirement| name_in(requirement).as_str() == "poetry").map(str::to_owned)
}

/// A word's place with the blank in front of it.
fn with_blank(text: &str, range: Range<usize>) -> Range<usize> {
    let has_blank = text[..range.start].ends_with(' ');
    range.start - usize::from(has_blank)..range.end
}

/// The installer script, as a file.
fn of_script(call: &Call, words: &[&str]) -> Option<Meaning> {
    let is_installer = |word: &&str| ["install-poetry.py", "get-poetry.py"].contains(&base(word));
    let is_python = base(words.first()?).starts_with("python");
    let is_plain = is_python
        && words.get(1).is_some_and(is_installer)
        && !words.contains(&"--uninstall")
        && call.redirects.iter().all(Redirected::leaves_nothing);
    is_plain.then(|| Meaning::InstallsPoetry(of_installer(call, &words[2..])))
}

/// What the installer script makes.
fn of_installer(call: &Call, options: &[&str]) -> Provision {
    let home = call.variable("POETRY_HOME").known().filter(|home| home.starts_with('/')).map(str::to_owned);
    let mut version = call.variable("POETRY_VERSION").known().map(str::to_owned);
    for (index, option) in options.iter().enumerate() {
        if let Some(given) = option.strip_prefix("--version=") {
            version = Some(given.to_owned());
        } else if *option == "--version" {
            version = options.get(index + 1).map(|given| (*given).to_owned());
        }
    }
    let requirement = Some(version.map_or("poetry".to_owned(), |version| format!("poetry=={version}")));
    let program = match &home {
        Some(home) => Some(format!("{}/bin/poetry", home.trim_end_matches('/'))),
        None => users_program(call),
    };
    Provision { home, program, requirement, ..Provision::default() }
}

/// The installer script, piped into Python by a program that does nothing but fetch it.
fn of_pipeline(reading: &Reading, index: usize, words: &[&str]) -> Option<Meaning> {
    let call = &reading.calls[index];
    let pipe = call.pipe.as_ref().filter(|pipe| pipe.index == 1 && pipe.count == 2)?;
    let is_python = base(words.first()?).starts_with("python");
    let behind = match words.get(1..)? {
        [] | ["-"] => &[][..],
        ["-", options @ ..] => options,
        _ => return None,
    };
    let known = ["--version", "--yes", "-y", "--preview", "-p", "--force", "-f"];
    let mut options = behind.iter();
    while let Some(option) = options.next() {
        if *option == "--version" {
            options.next()?;
        } else if !known.contains(option) && !option.starts_with("--version=") {
            return None;
        }
    }
    let fetch = index.checked_sub(1).map(|index| &reading.calls[index])?;
    let is_first = fetch.pipe.as_ref().is_some_and(|other| other.index == 0 && other.range == pipe.range);
    let is_quiet = |call: &Call| call.redirects.iter().all(Redirected::leaves_nothing);
    let is_plain = is_python && is_first && is_quiet(call) && is_quiet(fetch) && fetches(&fetch.words()?);
    let provision = Provision { is_pipeline: true, ..of_installer(call, behind) };
    is_plain.then_some(Meaning::InstallsPoetry(provision))
}

/// Whether a command writes the installer script to its output, and does nothing else.
fn fetches(words: &[&str]) -> bool {
    const CURL: Options = Options {
        flags: &[&[
            "-s",
            "-S",
            "-L",
            "-f",
            "-k",
            "--silent",
            "--show-error",
            "--location",
            "--fail",
            "--insecure",
            "--compressed",
            "--tlsv1.2",
            "-4",
            "--ipv4",
        ]],
        values: &[&[
            "--proto",
            "--retry",
            "--retry-delay",
            "--retry-max-time",
            "--connect-timeout",
            "-m",
            "--max-time",
        ]],
    };
    const WGET: Options = Options {
        flags: &[&["-q", "--quiet", "-nv", "--no-verbose", "-qO-", "-O-", "--no-check-certificate"]],
        values: &[&["-O", "--output-document", "--tries", "--timeout"]],
    };
    let Some((program, arguments)) = words.split_first() else { return false };
    let (options, is_wget) = match base(program) {
        "curl" => (CURL, false),
        "wget" => (WGET, true),
        _ => return false,
    };
    let Ok(parts) = options.read(arguments) else { return false };
    let is_url = |word: &str| {
        let rest = word.strip_prefix("https://").unwrap_or(word);
        rest.trim_end_matches('/') == "install.python-poetry.org"
            || rest.starts_with("raw.githubusercontent.com/python-poetry/") && rest.ends_with("poetry.py")
    };
    let mut urls = 0;
    let mut to_output = !is_wget;
    for part in parts {
        match part {
            Part::Operand(_, word) if is_url(word) => urls += 1,
            Part::Operand(..) => return false,
            Part::Value("-O" | "--output-document", file) if file != "-" => return false,
            Part::Value("-O" | "--output-document", _) | Part::Flag("-qO-" | "-O-") => to_output = true,
            Part::Flag(_) | Part::Value(..) => {}
        }
    }
    urls == 1 && to_output
}

/// A virtual environment for Poetry alone.
fn of_venv(call: &Call, words: &[&str]) -> Option<Meaning> {
    let [program, "-m", "venv" | "virtualenv", folders @ ..] = words else { return None };
    if !base(program).starts_with("python") || !call.redirects.iter().all(Redirected::leaves_nothing) {
        return None;
    }
    let mut named = folders.iter().filter(|word| !word.starts_with('-'));
    let (folder, None) = (named.next()?, named.next()) else { return None };
    let provision = Provision { home: Some((*folder).to_owned()), ..Provision::default() };
    is_home(folder, call).then_some(Meaning::InstallsPoetry(provision))
}

/// `rm` of folders that are Poetry's caches.
fn on_caches(call: &Call, words: &[&str]) -> Option<Meaning> {
    let ["rm", arguments @ ..] = words else { return None };
    let folders: Vec<&str> = arguments.iter().filter(|word| !word.starts_with('-')).copied().collect();
    let known = |name: &str| call.variable(name).known().map(|folder| folder.trim_end_matches('/').to_owned());
    let own = known("POETRY_CACHE_DIR").into_iter();
    let of_home = known("HOME").filter(|home| home.starts_with('/')).map(|home| format!("{home}/.cache/pypoetry"));
    let all: Vec<String> = own.chain(of_home).filter(|folder| folder.len() > 1).collect();
    let is_cache = |folder: &&str| {
        let of = |known: &String| {
            folder.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        all.iter().any(of) && !folder.contains("..")
    };
    let is_all = !folders.is_empty() && folders.iter().all(is_cache);
    is_all.then(|| Meaning::Clean(folders.into_iter().map(|folder| folder.trim_end_matches('/').to_owned()).collect()))
}

/// A command on the file that is Poetry's program, which is not there where Poetry is left out.
fn on_program(words: &[&str]) -> Option<Meaning> {
    let (program, arguments) = words.split_first()?;
    let is_program = |word: &&str| word.ends_with("/bin/poetry");
    let (options, operands): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with('-'));
    if !operands.iter().any(is_program) {
        return None;
    }
    let program = base(program);
    let files = match program {
        // Into the working folder.
        "ln" if operands.len() == 1 => &operands[..],
        "ln" | "cp" | "mv" => operands.split_last().map_or(&[][..], |(_, sources)| sources),
        // The first is the mode or the owner.
        "chmod" | "chown" => operands.get(1..).unwrap_or_default(),
        "rm" => &operands,
        "echo" | "printf" => return None,
        name if super::table::runs_nothing(name, words) => &[],
        _ => return None,
    };
    let forced = program == "rm"
        && options.iter().any(|option| *option == "--force" || !option.starts_with("--") && option.contains('f'));
    Some(match (!files.is_empty() && files.iter().all(is_program), program) {
        (true, "rm") => Meaning::NoEffect,
        (true, "ln" | "cp" | "mv") => {
            let program = operands.last().filter(|_| operands.len() == 2).and_then(|target| copied_program(target));
            Meaning::InstallsPoetry(Provision { program, ..Provision::default() })
        }
        (true, _) => Meaning::InstallsPoetry(Provision::default()),
        (false, _) if forced => return None,
        (false, _) => needs(&rules::COPIES_POETRY, "it is about Poetry's own program"),
    })
}

/// Where Poetry's program is after it was copied or linked to there.
fn copied_program(target: &str) -> Option<String> {
    let in_folder = target.ends_with("/bin") || target.ends_with('/');
    let path = if in_folder { format!("{}/poetry", target.trim_end_matches('/')) } else { target.to_owned() };
    path.starts_with('/').then_some(path)
}

/// The virtual environment that a pip installs into, as far as it is named.
fn environment_of(program: &str, call: &Call) -> Option<String> {
    let folder = match program.rsplit_once('/') {
        Some((folder, _)) => folder.to_owned(),
        None => call.variable("PATH").known()?.split(':').next()?.to_owned(),
    };
    let environment = folder.trim_end_matches('/').strip_suffix("/bin")?;
    (!is_shared(environment, call)).then(|| environment.to_owned())
}

/// Whether a folder has programs of the system's or of the user's, beside Poetry.
fn is_shared(folder: &str, call: &Call) -> bool {
    let home = call.variable("HOME");
    let is_users = match &home {
        Value::Known(home) => folder == format!("{home}/.local"),
        _ => folder.ends_with("/.local"),
    };
    is_users || ["", "/usr", "/usr/local"].contains(&folder)
}

/// Whether a folder is one that Poetry has to itself.
fn is_home(folder: &str, call: &Call) -> bool {
    let folder = folder.trim_end_matches('/');
    if is_shared(folder, call) {
        return false;
    }
    let is_named = |name: &str| call.variable(name).known().is_some_and(|home| home.trim_end_matches('/') == folder);
    let is_its_name = ["/poetry", "/poetry-venv", "/.poetry"].iter().any(|end| folder.ends_with(end));
    is_named("POETRY_HOME") || is_named("POETRY_VENV") || is_its_name
}

/// The folder that a program of Poetry's own environment is in.
fn home_of(program: &str, call: &Call) -> Option<String> {
    let (folder, _) = program.rsplit_once("/bin/")?;
    is_home(folder, call).then(|| folder.to_owned())
}

/// The name in a requirement.
fn name_in(requirement: &str) -> Name {
    Name::new(requirement.trim().split(['=', '<', '>', '~', '!', '[', ';', ' ', '@']).next().unwrap_or_default())
}

/// Whether a requirement is Poetry, one of its plugins, or its core, which others need too.
pub(super) fn is_poetry(requirement: &str) -> bool {
    is_poetry_itself(requirement) || name_in(requirement).as_str() == "poetry-core"
}

/// Whether a requirement is Poetry or one of its plugins.
fn is_poetry_itself(requirement: &str) -> bool {
    let name = name_in(requirement);
    name.as_str() == "poetry" || name.as_str().starts_with("poetry-plugin-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::graph::tests::script;

    /// What is left of a script without what installs Poetry, and the folder that Poetry had.
    fn without(text: &str) -> Option<(Option<String>, Option<String>)> {
        let script = script(text);
        let meaning = script.meanings.last().expect("a call");
        let Meaning::InstallsPoetry(provision) = meaning else { return None };
        let rest = provision.rest.as_ref().map(|edits| {
            let mut left = text.to_owned();
            for (range, replacement) in edits.iter().rev() {
                left.replace_range(range.clone(), replacement);
            }
            left
        });
        Some((rest, provision.home.clone()))
    }

    #[test]
    fn ways_to_install_poetry() {
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
                "pip install poetry \"corp>1\" --extra-index-url https://u@x",
                Some("pip install \"corp>1\" --extra-index-url https://u@x"),
                None,
            ),
            ("pipx inject poetry poetry-plugin-export", None, None),
            ("python -m venv $POETRY_HOME", None, Some("/opt/poetry")),
            ("$POETRY_HOME/bin/pip install -U pip", None, Some("/opt/poetry")),
            ("curl -sSL https://install.python-poetry.org | python3 -", None, Some("/opt/poetry")),
            ("wget -qO- https://install.python-poetry.org | python3", None, Some("/opt/poetry")),
            (
                "curl -sSL https://install.python-poetry.org | POETRY_HOME=/etc/poetry python3 - --version 1.8",
                None,
                Some("/etc/poetry"),
            ),
            ("POETRY_HOME=/opt/p python3 install-poetry.py --yes", None, Some("/opt/p")),
            ("ln -s /opt/poetry/bin/poetry /usr/local/bin/poetry", None, None),
            ("mv /root/.local/bin/poetry /usr/local/bin/poetry", None, None),
            ("chown -R app:app /opt/poetry/bin/poetry /usr/bin/poetry", None, None),
        ] {
            assert_eq!(without(text), Some((rest.map(str::to_owned), home.map(str::to_owned))), "{text}");
        }
        for text in [
            "pip install x",
            "python -m venv /venv",
            "pip wheel -r list",
            "pip install poetry-core",
            "pip install --option-of-tomorrow poetry",
            "pip install poetry >log",
            "mkdir -p /opt/poetry",
            "touch poetry.lock",
            "echo /opt/poetry/bin/poetry",
            "rm -rf /x /usr/bin/poetry",
        ] {
            let script = script(text);
            assert!(script.meanings.iter().all(|meaning| *meaning == Meaning::Other), "{text}: {:?}", script.meanings);
        }
    }

    #[test]
    fn what_does_more_than_install_poetry_stays() {
        for text in [
            "(curl -sSL https://install.python-poetry.org | python3 - ; pip install gunicorn)",
            "printf 'https://install.python-poetry.org\\n' | tee /etc/motd",
            "curl -sSL https://install.python-poetry.org | tee /opt/install-poetry.py | python3 -",
            "curl -sSL https://install.python-poetry.org https://x | python3 -",
            "curl -sSL -o x https://install.python-poetry.org | python3 -",
            "curl -sSL https://install.python-poetry.org | python3 - --git x",
        ] {
            let script = script(text);
            let installs =
                script.meanings.iter().filter(|meaning| matches!(meaning, Meaning::InstallsPoetry(_))).count();
            let expected = usize::from(text.starts_with('('));
            assert_eq!(installs, expected, "{text}: {:?}", script.meanings);
            assert!(script.reading.calls.len() > installs, "{text}");
        }
    }

    #[test]
    fn poetrys_home_is_no_folder_of_others() {
        for (home, is_its_own) in
            [("/opt/poetry", true), ("/usr/local", false), ("/usr", false), ("/root/.local", false)]
        {
            let text = format!("POETRY_HOME={home}; {home}/bin/python -m pip install --upgrade pip");
            assert_eq!(without(&text).is_some(), is_its_own, "{home}");
        }
    }

    #[test]
    fn caches_and_the_program_are_removed() {
        let meaning = |text: &str| script(text).meanings[0].clone();
        assert_eq!(
            meaning("rm -rf ~/.cache/pypoetry/cache"),
            Meaning::Clean(vec!["/root/.cache/pypoetry/cache".into()])
        );
        assert_eq!(meaning("rm -r /usr/bin/poetry"), Meaning::NoEffect);
        assert_eq!(meaning("pip uninstall -y poetry"), Meaning::NoEffect);
        for text in
            ["ls -l /opt/poetry/bin/poetry", "chmod +x /start.sh /opt/poetry/bin/poetry", "rm /x /usr/bin/poetry"]
        {
            assert!(matches!(meaning(text), Meaning::Needs(_)), "{text}");
        }
    }
}
