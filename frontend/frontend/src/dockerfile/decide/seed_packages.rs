//! Later uses of what Poetry puts into every environment that it makes, and we do not: pip.

use crate::{
    dockerfile::{
        graph::{Command, Process, Step},
        programs::{self, Meaning},
        rules::{self, Reason},
    },
    layout::is_below,
};

/// The first of these environments whose pip a step uses.
pub(super) fn used_by_step<'a>(step: &Step, environments: &[&'a str]) -> Option<&'a str> {
    if environments.is_empty() {
        return None;
    }
    match &step.process {
        Process::Read(_) => step.commands().find_map(|command| used_by(&command, environments)),
        Process::Unread(text, _) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            let is_named = |environment: &&&str| {
                words.iter().any(|word| is_below(word.trim_matches(['"', '\'']), &format!("{environment}/bin")))
            };
            has_pip(&words).then(|| environments.iter().find(is_named).or(environments.last()).copied())?
        }
    }
}

/// The first of these environments whose pip a command uses.
pub(super) fn used_by<'a>(command: &Command<'_>, environments: &[&'a str]) -> Option<&'a str> {
    let is_run = matches!(command.meaning, Meaning::Run { .. });
    let words: Vec<&str> = match command.meaning {
        Meaning::Run { words, .. } => words.iter().map(String::as_str).collect(),
        Meaning::Other | Meaning::PipInstall(_) | Meaning::Needs(_) => {
            command.call.fields.iter().filter_map(|field| field.text.as_deref()).collect()
        }
        _ => return None,
    };
    if !has_pip(&words) {
        return None;
    }
    // `poetry run` is in the project's.
    match is_run || words.iter().any(|word| programs::names_poetry(word)) {
        true => environments.last().copied(),
        false => environments.iter().find(|environment| is_first(environment, &words, command)).copied(),
    }
}

/// Why an installation is left to Poetry for such a use.
pub(super) fn reason(environment: &str) -> Reason {
    Reason::new(&rules::USES_PIP, format!("a later command uses the pip of {environment}"))
}

/// Whether the programs of an environment come before those of the system, or are named.
fn is_first(environment: &str, words: &[&str], command: &Command<'_>) -> bool {
    let bin = format!("{environment}/bin");
    let path = command.call.variable("PATH").known().unwrap_or_default().to_owned();
    let mut folders = path.split(':').map(|folder| folder.trim_end_matches('/'));
    folders.find(|folder| *folder == bin || ["/usr/local/bin", "/usr/bin"].contains(folder)) == Some(&bin)
        || words.iter().any(|word| command.absolute(word).is_ok_and(|path| is_below(&path, &bin)))
}

/// Whether a command runs pip, or has a program that runs it.
fn has_pip(words: &[&str]) -> bool {
    const COMMANDS: [&str; 8] = ["install", "uninstall", "list", "freeze", "show", "check", "download", "wheel"];
    let is_pip = |word: &str| programs::is_numbered(programs::base(word), "pip");
    words.windows(2).any(|pair| match (pair[0], pair[1]) {
        ("-m", module) => ["pip", "ensurepip"].contains(&module),
        // It runs `sys.executable -m pip`.
        ("spacy", "download") => true,
        (program, command) => is_pip(program) && COMMANDS.contains(&command),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::graph::{read, state};

    #[test]
    fn commands_that_run_pip() {
        let words = |text: &'static str| text.split(' ').collect::<Vec<_>>();
        for text in
            ["pip install x", "sudo pip3.11 uninstall -y x", "python -m pip --version", "python -m spacy download en"]
        {
            assert!(has_pip(&words(text)), "{text}");
        }
        for text in ["pipx install x", "pip --version", "apt-get install pip", "python -m pipeline install"] {
            assert!(!has_pip(&words(text)), "{text}");
        }
        let is = |text: &str, path: &str| {
            let arguments = ["sh", "-c", text].map(str::to_owned);
            let Process::Read(script) = read(&arguments, state(&[format!("PATH={path}")], "/app", None)) else {
                panic!("{text}")
            };
            let (call, meaning) = (&script.reading.calls[0], &script.meanings[0]);
            used_by(&Command { index: 0, call, meaning }, &["/app/.venv"]).is_some()
        };
        assert!(is("poetry run pip list >x", "/usr/bin"));
        assert!(is("pip install x", "/app/.venv/bin:/usr/bin") && is(".venv/bin/pip install x", "/usr/bin"));
        assert!(!is("pip install x", "/usr/bin:/app/.venv/bin"));
        assert!(!is("pip install x", "/usr/bin") && !is("python -m x", "/app/.venv/bin"));
    }
}
