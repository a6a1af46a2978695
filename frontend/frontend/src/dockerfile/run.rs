//! `poetry run` without Poetry.

use super::{
    command::{Command, names_poetry},
    place::{self, Place},
    service::{Located, Problem, Refused, Served},
    shell,
    step::{Part, Scene, has_shell, read},
};

/// Programs that run the command behind their options as a child.
const INITS: [&str; 4] = ["tini", "dumb-init", "docker-init", "catatonit"];

/// The commands of an entry point or of a `CMD`.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    /// The words in front of them: an init with its options, and a shell with its own.
    front: Vec<String>,
    is_script: bool,
    /// Each with whether `exec` stands in front of it.
    commands: Vec<(bool, Part)>,
}

impl Ran {
    /// Reads the words of a config. `None` if they cannot be read with certainty.
    pub(super) fn read(words: &[String], scene: Scene) -> Option<Self> {
        let init = words.first().is_some_and(|word| INITS.contains(&word.rsplit('/').next().unwrap_or(word)));
        let behind = words.iter().position(|word| word == "--").map(|at| at + 1);
        let behind = behind.or_else(|| words.iter().skip(1).position(|word| !word.starts_with('-')).map(|at| at + 1));
        let (front, own) = words.split_at(if init { behind? } else { 0 });
        let is_script = has_shell(own);
        let (shell, text) = match own.split_last() {
            Some((script, shell)) if is_script => (shell, script.clone()),
            _ => (&[][..], joined(own)),
        };
        // What an init runs stands behind its own options, else it is not found.
        if front.iter().any(|word| names_poetry(word)) {
            return None;
        }
        let mut segments = shell::segments(&text)?;
        let strip = |segment: &mut shell::Segment| {
            let rest =
                segment.text.strip_prefix("exec ").filter(|_| is_script).map(|rest| rest.trim_start().to_owned());
            rest.map(|rest| segment.text = rest).is_some()
        };
        let execs: Vec<bool> = segments.iter_mut().map(strip).collect();
        let commands = execs.into_iter().zip(read(segments, scene)).collect();
        Some(Self { front: [front, shell].concat(), is_script, commands })
    }

    /// The words in front of the commands: those of an init and of a shell.
    pub(super) fn front(&self) -> &[String] {
        &self.front
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.commands.iter().map(|(_, part)| part)
    }

    /// The commands that `poetry run` runs, each with what holds there.
    pub(super) fn of_poetry(&self) -> impl Iterator<Item = (&[String], &Scene)> {
        self.parts().filter_map(|part| match &part.command {
            Command::Run(words) => Some((words.as_slice(), &part.scene)),
            _ => None,
        })
    }

    /// The words without `poetry run`, and whether the image's own environment has to be that of `place`: a single command gets it
    /// by the image's variables, of several each has its own.
    pub(super) fn without_poetry(&self, place: &Place) -> (Vec<String>, bool) {
        // A login shell sets the path anew.
        let is_login =
            |word: &String| word == "--login" || word.starts_with('-') && !word.starts_with("--") && word.contains('l');
        let alone = self.commands.len() == 1 && !self.front.iter().any(is_login);
        if !self.is_script {
            let words = self.of_poetry().flat_map(|(words, _)| words.iter().cloned());
            return (self.front.iter().cloned().chain(words).collect(), true);
        }
        let segment = |(exec, part): &(bool, Part)| {
            let text = &part.segment.text;
            let text = match (&part.command, shell::behind_run(text)) {
                (Command::Run(_), Some((given, command))) if alone => format!("{given}{command}"),
                (Command::Run(words), _) => in_place(text, words, place),
                _ => text.clone(),
            };
            // An assignment is no program.
            let exec = if !*exec {
                ""
            } else if shell::is_assignment(&text) {
                "exec env "
            } else {
                "exec "
            };
            shell::Segment { text: format!("{exec}{text}"), ..part.segment.clone() }
        };
        let segments: Vec<shell::Segment> = self.commands.iter().map(segment).collect();
        (self.front.iter().cloned().chain([shell::joined(&segments)]).collect(), alone)
    }
}

/// Words as a shell reads them.
pub(super) fn joined(words: &[String]) -> String {
    words.iter().map(|word| shell::quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The environment in which `poetry run` runs a command. It has to be there by then, and the command too: Poetry also runs the
/// project's own scripts where they are not installed.
pub(super) fn runnable(located: &Located, words: &[String], served: &[Served]) -> Result<Place, Problem> {
    let place = installed(&located.place, served)?;
    let has_root = served.iter().any(|served| served.has_root && served.place.path() == place.path());
    let scripts = located.scripts();
    // Without a word, the image's user says later what is run.
    let is_script = words.first().map_or(!scripts.is_empty(), |program| scripts.contains(program));
    if is_script && !has_root {
        let named = words.first().unwrap_or(&scripts[0]);
        return Err(Problem::Refused(Refused(format!("`{named}` is a script of the project, which is not installed"))));
    }
    Ok(place)
}

fn installed(place: &Place, served: &[Served]) -> Result<Place, Problem> {
    let Place::Venv { path, made: true } = place else { return Ok(place.clone()) };
    let (start, _) = path.split_once(place::PYTHON).unwrap_or((path, ""));
    let known = served.iter().find_map(|served| match &served.place {
        Place::Venv { path: served, .. } if served.starts_with(start) => Some(served.clone()),
        _ => None,
    });
    match known {
        Some(path) => Ok(Place::Venv { path, made: true }),
        None => Err(Problem::Refused(Refused("nothing was installed before it".to_owned()))),
    }
}

/// The text of a command that `poetry run` would run, with the environment first on the path.
pub(super) fn in_place(text: &str, words: &[String], place: &Place) -> String {
    let (given, command) = match shell::behind_run(text) {
        Some((given, command)) => (given, command.to_owned()),
        None => (String::new(), joined(words)),
    };
    match place {
        Place::System => format!("{given}{command}"),
        Place::Venv { path, .. } => {
            let path = shell::quoted(path);
            format!("{given}VIRTUAL_ENV={path} PATH={path}/bin:\"$PATH\" {command}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_an_image_go_on_without_poetry() {
        let venv = Place::Venv { path: "/venv".into(), made: true };
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Ran::read(&words, Scene::new(&[], "/app", "")).unwrap().without_poetry(&venv)
        };
        let init = ["dumb-init", "poetry", "run", "pytest", "--", "-x"].map(str::to_owned);
        assert!(Ran::read(&init, Scene::new(&[], "/app", "")).is_none());
        let (env, sh) = ("VIRTUAL_ENV=/venv PATH=/venv/bin:\"$PATH\"", "/bin/sh");
        assert_eq!(
            of(&["tini", "-g", "--", "poetry", "run", "x", "a b"]),
            (vec!["tini".into(), "-g".into(), "--".into(), "x".into(), "a b".into()], true)
        );
        assert_eq!(of(&[sh, "-c", "exec poetry run x $A"]), (vec![sh.into(), "-c".into(), "exec x $A".into()], true));
        let both = of(&["sh", "-c", "cd api && poetry run x migrate && A=1 exec poetry run y"]);
        assert_eq!(both.0[2], format!("cd api && {env} x migrate && A=1 exec poetry run y"));
        let login = of(&["bash", "-lc", "poetry run x"]);
        assert_eq!(login, (vec!["bash".into(), "-lc".into(), format!("{env} x")], false));
        let server = of(&["sh", "-c", "redis-server &\npoetry run x"]);
        assert_eq!(server.0[2], format!("redis-server & {env} x"));
        let both = of(&["sh", "-c", "poetry run x && exec poetry run y"]);
        assert_eq!(both, (vec!["sh".into(), "-c".into(), format!("{env} x && exec env {env} y")], false));
    }

    #[test]
    fn commands_run_in_their_environment() {
        let venv = Place::Venv { path: "/app/.venv".into(), made: true };
        let words = ["python".to_owned(), "x".to_owned()];
        let shown = in_place("A=\"$B c\" poetry run python \"$X\"", &words, &venv);
        assert_eq!(shown, "A=\"$B c\" VIRTUAL_ENV=/app/.venv PATH=/app/.venv/bin:\"$PATH\" python \"$X\"");
        assert_eq!(in_place("poetry run python x", &words, &Place::System), "python x");
    }
}
