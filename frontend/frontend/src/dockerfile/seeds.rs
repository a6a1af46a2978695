//! Later uses of what Poetry puts into every environment that it makes, and we do not: pip.

use super::{
    command::{Command, names_poetry},
    step::{Part, Scene, Script, Step},
};
use crate::layout::is_below;

/// The first of these environments whose pip a step uses, and the command that does.
pub(super) fn step_uses_pip<'a>(step: &Step, environments: &[&'a str]) -> Option<(&'a str, String)> {
    match &step.script {
        Script::Commands(parts) => {
            let found = |part: &Part| Some((part_uses_pip(part, environments)?, part.segment.text.clone()));
            parts.iter().find_map(found)
        }
        _ => step.calls().iter().find_map(|(words, scene)| {
            let text = words.join(" ");
            Some((uses_pip(words, &text, scene, environments)?, text))
        }),
    }
}

/// The first of these environments whose pip a command uses.
pub(super) fn part_uses_pip<'a>(part: &Part, environments: &[&'a str]) -> Option<&'a str> {
    let (text, scene) = (&part.segment.text, &part.scene);
    match &part.command {
        Command::Run(_) | Command::Other | Command::PipInstall(_) | Command::Needs(_) => {
            uses_pip(&part.words(), text, scene, environments)
        }
        _ => None,
    }
}

fn uses_pip<'a>(words: &[String], text: &str, scene: &Scene, environments: &[&'a str]) -> Option<&'a str> {
    if !has_pip(words) {
        return None;
    }
    // `poetry run` is in the project's.
    match names_poetry(text) {
        true => environments.last().copied(),
        false => environments.iter().find(|environment| is_first(environment, words, scene)).copied(),
    }
}

/// Why an installation is left to Poetry for such a use.
pub(super) fn reason(command: &str, environment: &str) -> String {
    format!("`{command}` uses the pip of {environment}, which only Poetry puts there")
}

/// Whether the programs of an environment come before those of the system, or are named.
fn is_first(environment: &str, words: &[String], scene: &Scene) -> bool {
    let bin = format!("{environment}/bin");
    let path = scene.variables.get("PATH").map(String::as_str).unwrap_or_default();
    let mut folders = path.split(':').map(|folder| folder.trim_end_matches('/'));
    folders.find(|folder| *folder == bin || ["/usr/local/bin", "/usr/bin"].contains(folder)) == Some(&bin)
        || words.iter().any(|word| is_below(&scene.absolute(word), &bin))
}

/// Whether a command runs pip, or has a program that runs it.
fn has_pip(words: &[String]) -> bool {
    const COMMANDS: [&str; 8] = ["install", "uninstall", "list", "freeze", "show", "check", "download", "wheel"];
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let is_pip = |word: &str| {
        base(word).strip_prefix("pip").is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    words.windows(2).any(|pair| match (pair[0].as_str(), pair[1].as_str()) {
        ("-m", module) => ["pip", "ensurepip"].contains(&module),
        // It runs `sys.executable -m pip`.
        ("spacy", "download") => true,
        (program, command) => is_pip(program) && COMMANDS.contains(&command),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_run_pip() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for text in
            ["pip install x", "sudo pip3.11 uninstall -y x", "python -m pip --version", "python -m spacy download en"]
        {
            assert!(has_pip(&words(text)), "{text}");
        }
        for text in ["pipx install x", "pip --version", "apt-get install pip", "python -m pipeline install"] {
            assert!(!has_pip(&words(text)), "{text}");
        }
        let scene = |path: &str| Scene::new(&[format!("PATH={path}")], "/app", "");
        let is = |text: &str, path: &str| uses_pip(&words(text), text, &scene(path), &["/app/.venv"]).is_some();
        assert!(is("poetry run pip list >x", "/usr/bin"));
        assert!(is("pip install x", "/app/.venv/bin:/usr/bin") && is(".venv/bin/pip install x", "/usr/bin"));
        assert!(!is("pip install x", "/usr/bin:/app/.venv/bin"));
        assert!(!is("pip install x", "/usr/bin") && !is("python -m x", "/app/.venv/bin"));
    }
}
