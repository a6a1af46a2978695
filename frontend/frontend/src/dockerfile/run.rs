//! `poetry run` without Poetry.

use super::{
    place::{self, Place},
    service::{Located, Problem, Refused, Served},
    shell,
};

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
    let quoted = || words.iter().map(|word| shell::quoted(word)).collect::<Vec<_>>().join(" ");
    let (given, command) = match shell::behind_run(text) {
        Some((given, command)) => (given, command.to_owned()),
        None => (String::new(), quoted()),
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
    fn commands_run_in_their_environment() {
        let venv = Place::Venv { path: "/app/.venv".into(), made: true };
        let words = ["python".to_owned(), "x".to_owned()];
        let shown = in_place("A=\"$B c\" poetry run python \"$X\"", &words, &venv);
        assert_eq!(shown, "A=\"$B c\" VIRTUAL_ENV=/app/.venv PATH=/app/.venv/bin:\"$PATH\" python \"$X\"");
        assert_eq!(in_place("poetry run python x", &words, &Place::System), "python x");
    }
}
