//! What must hold of a request before any of it is used as a path.

use std::collections::BTreeSet;

use install_request::{Archive, Install, Wheel};
use poetry_lock::Name;

use crate::paths::is_plain_absolute;

/// # Errors
/// What is wrong with the request.
pub(super) fn check(request: &Install) -> Result<(), String> {
    let scheme = &request.scheme;
    for path in [&request.python, &scheme.purelib, &scheme.platlib, &scheme.scripts, &scheme.data, &scheme.headers] {
        if !is_plain_absolute(path) {
            return Err(format!("{path:?} is not an absolute path"));
        }
    }
    let mut names = BTreeSet::new();
    for wheel in &request.wheels {
        check_wheel(wheel)?;
        if !names.insert(&wheel.name) {
            return Err(format!("{} is to be installed twice", wheel.name));
        }
    }
    Ok(())
}

fn check_wheel(wheel: &Wheel) -> Result<(), String> {
    let Wheel { name, version, archive: Archive { file, sha256, .. }, .. } = wheel;
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if name.is_empty() || !plain || Name::new(name).as_str() != name {
        return Err(format!("{name:?} is not a normalized package name"));
    }
    if !file.ends_with(".whl") || file.contains(['/', '\\']) || file.contains(char::is_control) {
        return Err(format!("{file:?} is not the file name of a wheel"));
    }
    if version.is_empty() || version.contains(char::is_control) {
        return Err(format!("{version:?} is not a version"));
    }
    let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if let Some(sha256) = sha256
        && (sha256.len() != 64 || !sha256.chars().all(digits))
    {
        return Err(format!("{sha256:?} is not a sha256 digest"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use install_request::Scheme;

    fn request() -> Install {
        let path = |name: &str| format!("/app/.venv/{name}");
        Install {
            python: path("bin/python"),
            scheme: Scheme {
                purelib: path("lib"),
                platlib: path("lib"),
                scripts: path("bin"),
                data: "/app/.venv".into(),
                headers: path("include"),
            },
            wheels: vec![Wheel::of_index("a-b2", "1", "a_b2-1-py3-none-any.whl", &"0".repeat(64), "")],
        }
    }

    #[test]
    fn only_requests_with_plain_values_pass() {
        check(&request()).unwrap();
        type Change = fn(&mut Install);
        let changes: [Change; 10] = [
            |r| r.python = "python".into(),
            |r| r.scheme.data = "/app/../etc".into(),
            |r| r.scheme.purelib.clear(),
            |r| r.wheels[0].name = "../x".into(),
            |r| r.wheels[0].name = "A".into(),
            |r| r.wheels[0].archive.file = "../x.whl".into(),
            |r| r.wheels[0].archive.sha256 = Some("A".repeat(64)),
            |r| r.wheels[0].archive.sha256 = Some(String::new()),
            |r| r.wheels[0].version = "1\n".into(),
            |r| r.wheels.push(r.wheels[0].clone()),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = request();
            change(&mut changed);
            assert!(check(&changed).is_err(), "change {number}");
        }
    }
}
