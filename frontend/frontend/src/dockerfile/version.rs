//! Which Poetry a stage installs.

use buildkit_llb::Output;

use super::{place, step::Part};

/// The major version of Poetry that the stage installs, as far as it says so.
pub(super) fn poetry_major(root: &Output, before: &[Part]) -> Option<u64> {
    told(root, before, major_of_requirement, major)
}

/// Whether the stage installs a Poetry that is known to be older than 1.8.
pub(super) fn is_before_1_8(root: &Output, before: &[Part]) -> bool {
    let old = |version: &str| minor(version).map(|minor| minor < (1, 8));
    let pinned = |text: &str| {
        let version = text.strip_prefix("==").or_else(|| text.strip_prefix("~="))?;
        let end = version.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(version.len());
        // `~=1.7` is any 1, and `~=1.7.1` is 1.7.
        let is_told = text.starts_with("==") || version[..end].matches('.').count() > 1;
        old(version).filter(|_| is_told)
    };
    told(root, before, pinned, old) == Some(true)
}

/// What the stage tells of its Poetry: by what stands behind the name, or by the installer's variable.
fn told<T>(
    root: &Output,
    before: &[Part],
    of_requirement: impl Fn(&str) -> Option<T>,
    of_version: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let texts = place::steps(root).into_iter().map(|step| (step.text(), step.exec.meta.unwrap_or_default().env));
    let own = before.iter().map(|part| (part.segment.text.clone(), Vec::new()));
    texts.chain(own).find_map(|(text, env)| {
        let mut requirements = text.split("poetry").skip(1);
        let pinned = requirements.find_map(&of_requirement);
        let named = text.contains("poetry").then(|| {
            let version = env.iter().find_map(|entry| entry.strip_prefix("POETRY_VERSION="));
            version.and_then(&of_version)
        });
        pinned.or(named.flatten())
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

/// The major version that stands behind a name, e.g. `==1.8.5`, `~=1.8` or `>=1.6,<2`, if there is but one.
fn major_of_requirement(text: &str) -> Option<u64> {
    let ends = |c: char| c.is_whitespace() || c == '"' || c == '\'' || c == ';';
    let constraint = text.split(ends).next().unwrap_or_default();
    if let Some(version) = constraint.strip_prefix("==").or_else(|| constraint.strip_prefix("~=")) {
        return major(version);
    }
    let is_constraint = constraint.starts_with(['<', '>', '!']);
    let limits = constraint.split(',').filter_map(|part| part.strip_prefix('<'));
    let is_below = limits.filter_map(major).any(|limit| limit == 2);
    (is_constraint && is_below).then_some(1)
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Exec, Platform, Source};

    use super::*;

    #[test]
    fn an_old_poetry_is_told_by_its_pin_or_the_variable() {
        let is_old = |script: &str, version: &str| {
            let platform = Platform::new("linux", "amd64");
            let base = Source::image("docker.io/library/python:3.11", platform.clone()).output().unwrap();
            let exec = Exec::new(["/bin/sh", "-c", script], platform).root(&base).env("POETRY_VERSION", version);
            is_before_1_8(&exec.build().unwrap().output("/").unwrap(), &[])
        };
        assert!(is_old("pip install 'poetry==1.7.1'", "") && is_old("pip install poetry~=1.3.2", ""));
        assert!(is_old("curl https://install.python-poetry.org | python3 -", "1.4.0"));
        assert!(!is_old("pip install poetry==1.8.5", "") && !is_old("pip install poetry", "2.1.0"));
        assert!(!is_old("pip install poetry~=1.7", "") && !is_old("pip install 'poetry<2'", ""));
    }

    #[test]
    fn requirements_tell_the_major_version() {
        for (text, expected) in [
            ("==1.8.5 x", Some(1)),
            ("~=2.1\"", Some(2)),
            ("<2", Some(1)),
            (">=1.6,<2.0'", Some(1)),
            (">=1.6", None),
            ("<3", None),
            (" <2", None),
            ("==$VERSION", None),
            ("-plugin-export<2", None),
        ] {
            assert_eq!(major_of_requirement(text), expected, "{text}");
        }
    }
}
