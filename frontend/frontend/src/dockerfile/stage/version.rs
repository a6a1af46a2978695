//! Which Poetry a stage installs.

use super::history::History;

/// The major version of Poetry that the stage installs, as far as it says so.
pub(in crate::dockerfile) fn poetry_major(history: &History) -> Option<u64> {
    requirements(history).find_map(|requirement| major_of_requirement(&requirement))
}

/// Whether the stage installs a Poetry that is known to be older than 1.8.
pub(in crate::dockerfile) fn is_before_1_8(history: &History) -> bool {
    requirements(history).any(|requirement| {
        let Some(version) = requirement.strip_prefix("==").or_else(|| requirement.strip_prefix("~=")) else {
            return false;
        };
        let end = version.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(version.len());
        // `~=1.7` is any 1, and `~=1.7.1` is 1.7.
        let is_told = requirement.starts_with("==") || version[..end].matches('.').count() > 1;
        is_told && minor(version).is_some_and(|minor| minor < (1, 8))
    })
}

/// What stands behind the name in requirements of Poetry.
fn requirements(history: &History) -> impl Iterator<Item = String> {
    let all = history.provisions().into_iter().filter_map(|provision| provision.requirement);
    all.filter_map(|requirement| {
        let rest = requirement.trim().strip_prefix("poetry")?;
        let rest = rest.split([';', ' ']).next().unwrap_or_default();
        rest.starts_with(['=', '<', '>', '~', '!']).then(|| rest.to_owned())
    })
}

fn minor(version: &str) -> Option<(u64, u64)> {
    let (_, rest) = version.split_once('.')?;
    Some((major(version)?, major(rest)?))
}

fn major(version: &str) -> Option<u64> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The major version that a constraint such as `==1.8.5`, `~=1.8` or `>=1.6,<2` implies; `None` if it allows several.
fn major_of_requirement(constraint: &str) -> Option<u64> {
    if let Some(version) = constraint.strip_prefix("==").or_else(|| constraint.strip_prefix("~=")) {
        return major(version);
    }
    let limits = constraint.split(',').filter_map(|part| part.strip_prefix('<'));
    let is_below = limits.filter_map(major).any(|limit| limit == 2);
    is_below.then_some(1)
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Exec, Platform, Source};

    use super::*;
    use crate::dockerfile::graph::Graph;

    fn history(script: &str, version: &str) -> History {
        let platform = Platform::new("linux", "amd64");
        let base = Source::image("docker.io/library/python:3.11", platform.clone()).output().unwrap();
        let exec = Exec::new(["/bin/sh", "-c", script], platform).root(&base).env("POETRY_VERSION", version);
        let state = exec.build().unwrap().output("/").unwrap();
        let steps = Graph::read(&state).steps.into_iter().map(|(digest, step)| (digest, step.into())).collect();
        History::of(&steps, &state)
    }

    #[test]
    fn an_old_poetry_is_told_by_its_pin_or_the_variable() {
        let is_old = |script: &str, version: &str| is_before_1_8(&history(script, version));
        assert!(is_old("pip install 'poetry==1.7.1'", "") && is_old("pip install poetry~=1.3.2", ""));
        assert!(is_old("curl https://install.python-poetry.org | python3 -", "1.4.0"));
        assert!(is_old("pip install \"poetry==$POETRY_VERSION\"", "1.4.0"));
        assert!(!is_old("pip install poetry==1.8.5", "") && !is_old("pip install poetry", "2.1.0"));
        assert!(!is_old("pip install poetry~=1.7", "") && !is_old("pip install 'poetry<2'", ""));
        assert!(!is_old("echo poetry==1.7", ""));
    }

    #[test]
    fn requirements_tell_the_major_version() {
        for (text, expected) in [
            ("==1.8.5", Some(1)),
            ("~=2.1", Some(2)),
            ("<2", Some(1)),
            (">=1.6,<2.0", Some(1)),
            (">=1.6", None),
            ("<3", None),
        ] {
            assert_eq!(major_of_requirement(text), expected, "{text}");
        }
        assert_eq!(poetry_major(&history("pip install poetry-plugin-export poetry==2.1", "")), Some(2));
        assert_eq!(poetry_major(&history("pip install 'poetry-plugin-export<2'", "")), None);
    }
}
