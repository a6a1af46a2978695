//! The arithmetic on versions (PEP 440) that Poetry's constraints are made of.

use pep440_rs::{LocalSegment, Version};

/// Reads a version as PEP 440 spells it. The error is one sentence.
pub(crate) fn parse(text: &str) -> Result<Version, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not a version (PEP 440)"))
}

/// Reads what `platform_release` holds: a version, or digits and dots followed by anything, e.g.
/// `6.8.0-45-generic`, of which the rest becomes the local part.
pub(crate) fn parse_loose(text: &str) -> Result<Version, String> {
    let text = text.trim();
    if let Ok(version) = text.parse() {
        return Ok(version);
    }
    let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, rest) = text.split_at(digits_end);
    let release: Version =
        digits.trim_end_matches('.').parse().map_err(|_| format!("`{text}` does not begin with a version"))?;
    let rest = rest.trim_start_matches(['-', '+']);
    let local = if rest.is_empty() { vec![] } else { vec![LocalSegment::String(rest.to_lowercase())] };
    Ok(release.with_local(local))
}

/// The version without pre-release and development parts; a post-release of a final stays one.
pub(crate) fn stable(version: &Version) -> Version {
    if !version.any_prerelease() {
        return version.clone();
    }
    let post = if version.pre().is_none() { version.post() } else { None };
    version.only_release().with_epoch(version.epoch()).with_post(post)
}

/// The release with the component at `index` raised by one and all after it set to zero.
pub(crate) fn raise(version: &Version, index: usize) -> Version {
    let mut release = version.release().to_vec();
    release.resize(release.len().max(index + 1), 0);
    for (position, part) in release.iter_mut().enumerate() {
        match position.cmp(&index) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => *part = part.saturating_add(1),
            std::cmp::Ordering::Greater => *part = 0,
        }
    }
    Version::new(release).with_epoch(version.epoch())
}

/// The first version that `^version` no longer allows: its first component that is not zero is
/// raised, or the last that is written.
pub(crate) fn next_breaking(version: &Version) -> Version {
    let stable = stable(version);
    let part = |index: usize| stable.release().get(index).copied();
    let index = match (part(0), part(1), part(2)) {
        (Some(1..), ..) | (_, None, _) => 0,
        (_, Some(1..), _) | (_, _, None) => 1,
        _ => 2,
    };
    raise(&stable, index)
}

/// The earliest development release that leads to `version`.
pub(crate) fn first_dev(version: &Version) -> Version {
    version.clone().with_local(vec![]).with_dev(Some(0))
}

/// The version without its post-release part.
pub(crate) fn without_post(version: &Version) -> Version {
    if version.is_post() { version.clone().with_post(None).with_dev(None) } else { version.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        parse(text).unwrap()
    }

    #[test]
    fn the_next_breaking_version_raises_the_first_component_that_is_not_zero() {
        for (of, next) in [
            ("1.2.3", "2.0.0"),
            ("0.2.3", "0.3.0"),
            ("0.0.3", "0.0.4"),
            ("0.0", "0.1"),
            ("0", "1"),
            ("1.0a1", "2.0"),
            ("1!1.2", "1!2.0"),
            ("0.0.0.5", "0.0.1.0"),
        ] {
            assert_eq!(next_breaking(&v(of)).to_string(), next, "{of}");
        }
    }

    #[test]
    fn stable_drops_pre_and_development_parts() {
        for (of, stable_of) in
            [("1.0rc1", "1.0"), ("1.0.post1.dev2", "1.0.post1"), ("1.0a1.post2", "1.0"), ("1.0", "1.0")]
        {
            assert_eq!(stable(&v(of)).to_string(), stable_of, "{of}");
        }
    }

    #[test]
    fn kernel_releases_are_read_as_loose_versions() {
        assert_eq!(parse_loose("20.6.0").unwrap(), v("20.6.0"));
        let kernel = parse_loose("6.8.0-45-generic").unwrap();
        assert!(kernel > v("6.8.0") && kernel < v("6.8.1"));
        assert_eq!(parse_loose("5.10.165-143.735.amzn2.x86_64").unwrap().release(), [5, 10, 165]);
        assert!(parse_loose("generic").is_err());
    }

    #[test]
    fn numbers_too_large_for_a_component_are_refused() {
        assert!(parse("99999999999999999999999").is_err());
    }
}
