//! `poetry run` without Poetry.

use std::ops::Range;

use shell::Call;

use super::install::Located;
use crate::dockerfile::{
    decision::Installation,
    rules,
    stage::place::{self, Place},
    stop::{Stop, refuse},
};

/// The environment in which `poetry run` runs a command. It has to be there by then, and the command too: Poetry also runs the
/// project's own scripts where they are not installed.
///
/// # Errors
/// If it is not.
pub(in crate::dockerfile) fn runnable(
    located: &Located<'_>,
    words: &[String],
    earlier: &[Installation],
) -> Result<Place, Stop> {
    let place = installed(&located.place, earlier)?;
    let has_root = earlier.iter().any(|made| made.has_root && made.place.path() == place.path());
    let scripts = located.scripts();
    // Without a word, the image's user says later what is run.
    let is_script = words.first().map_or(!scripts.is_empty(), |program| scripts.contains(program));
    if is_script && !has_root {
        return refuse(&rules::SCRIPT_MISSING, "it runs a script of the project, which is not installed");
    }
    Ok(place)
}

fn installed(place: &Place, earlier: &[Installation]) -> Result<Place, Stop> {
    let Place::Venv { path, made: true } = place else { return Ok(place.clone()) };
    let (start, _) = path.split_once(place::PYTHON).unwrap_or((path, ""));
    let known = earlier.iter().find_map(|made| match &made.place {
        Place::Venv { path: served, .. } if served.starts_with(start) => Some(served.clone()),
        _ => None,
    });
    match known {
        Some(path) => Ok(Place::Venv { path, made: true }),
        None => refuse(&rules::SCRIPT_MISSING, "nothing is installed before `poetry run`"),
    }
}

/// What stands in the place of `poetry run` in a script, with the blank behind it where nothing does.
pub(in crate::dockerfile) fn edit(
    text: &str,
    call: &Call,
    front: &Range<usize>,
    place: &Place,
) -> (Range<usize>, String) {
    match place {
        Place::System => left_out(text, front),
        Place::Venv { path, .. } => {
            let path = shell::quoted(path);
            // Behind `exec` an assignment is no assignment.
            let start = call.range.as_ref().map_or(front.start, |range| range.start);
            let is_behind = text[start..front.start].split_whitespace().any(|word| ["exec", "command"].contains(&word));
            let env = if is_behind { "env " } else { "" };
            (front.clone(), format!("{env}VIRTUAL_ENV={path} PATH={path}/bin:\"$PATH\""))
        }
    }
}

/// `poetry run` taken out.
pub(in crate::dockerfile) fn left_out(text: &str, front: &Range<usize>) -> (Range<usize>, String) {
    let has_blank = text[front.end..].starts_with(' ');
    (front.start..front.end + usize::from(has_blank), String::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::{graph::tests::script, programs::Meaning};

    #[test]
    fn commands_run_in_their_environment() {
        let shown = |text: &str, place: &Place| {
            let script = script(text);
            let Meaning::Run { front, .. } = &script.meanings[0] else { panic!("{text}") };
            let (range, replacement) = edit(text, &script.reading.calls[0], front, place);
            let mut text = text.to_owned();
            text.replace_range(range, &replacement);
            text
        };
        let venv = Place::Venv { path: "/app/.venv".into(), made: true };
        let variables = "VIRTUAL_ENV=/app/.venv PATH=/app/.venv/bin:\"$PATH\"";
        assert_eq!(
            shown("A=\"$B c\" poetry run python \"$X\"", &venv),
            format!("A=\"$B c\" {variables} python \"$X\"")
        );
        assert_eq!(shown("exec poetry run x", &venv), format!("exec env {variables} x"));
        assert_eq!(shown("poetry run python x", &Place::System), "python x");
        assert_eq!(shown("A=1 poetry run x | tee log", &Place::System), "A=1 x | tee log");
    }
}
