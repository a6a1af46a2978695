//! The files METADATA and WHEEL: which distribution a wheel holds, and how it is spread.

use std::str::FromStr;

use install_request::Wheel;
use poetry_lock::{Name, Version};

use super::WheelError;

/// The first value of the header `key`, whose case does not count.
fn header<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .take_while(|line| !line.trim_end().is_empty())
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim())
}

fn required<'a>(text: &'a str, key: &str, file: &str) -> Result<&'a str, WheelError> {
    header(text, key).filter(|value| !value.is_empty()).ok_or_else(|| WheelError::BadMetadata {
        file: file.to_owned(),
        detail: format!("the header {key} is missing"),
    })
}

/// Whether the wheel's root goes to `purelib`.
///
/// # Errors
/// The format's version is missing, or not 1.x.
pub(crate) fn root_is_purelib(wheel: &[u8]) -> Result<bool, WheelError> {
    let text = String::from_utf8_lossy(wheel);
    let version = required(&text, "Wheel-Version", "WHEEL")?;
    if version.split('.').next() != Some("1") {
        return Err(WheelError::WheelVersion { found: version.to_owned() });
    }
    Ok(header(&text, "Root-Is-Purelib").is_some_and(|value| value.eq_ignore_ascii_case("true")))
}

/// The name of the distribution as METADATA spells it.
///
/// # Errors
/// METADATA lacks a name or a version, or they are not those that were locked.
pub(crate) fn check_identity(metadata: &[u8], locked: &Wheel) -> Result<String, WheelError> {
    let text = String::from_utf8_lossy(metadata);
    let name = required(&text, "Name", "METADATA")?;
    let version = required(&text, "Version", "METADATA")?;
    if Name::new(name) != Name::new(&locked.name) {
        return Err(WheelError::Name { found: name.to_owned(), locked: locked.name.clone() });
    }
    if !same_version(version, &locked.version) {
        return Err(WheelError::Version { found: version.to_owned(), locked: locked.version.clone() });
    }
    Ok(name.to_owned())
}

/// Whether two spellings mean one version (PEP 440). Versions of older schemes must be spelled alike.
fn same_version(one: &str, other: &str) -> bool {
    match (Version::from_str(one), Version::from_str(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(name: &str, version: &str) -> Wheel {
        Wheel::of_index(name, version, "x.whl", "", "")
    }

    #[test]
    fn names_and_versions_are_compared_in_their_normal_form() {
        let metadata = b"Metadata-Version: 2.1\r\nname: Zope.Interface__x\r\nVersion: 2023.07.22\r\n\r\nVersion: 9\r\n";
        let found = check_identity(metadata, &locked("zope-interface-x", "2023.7.22")).unwrap();
        assert_eq!(found, "Zope.Interface__x");
        let wrong = check_identity(metadata, &locked("zope", "2023.7.22"));
        assert!(matches!(wrong, Err(WheelError::Name { .. })));
        let wrong = check_identity(metadata, &locked("zope-interface-x", "2023.7.23"));
        assert!(matches!(wrong, Err(WheelError::Version { .. })));
        let missing = check_identity(b"Name: a\n\nVersion: 1\n", &locked("a", "1"));
        assert!(matches!(missing, Err(WheelError::BadMetadata { .. })));
    }

    #[test]
    fn versions_of_older_schemes_are_compared_as_text() {
        assert!(same_version("2004d", "2004d"));
        assert!(!same_version("2004d", "2004e"));
        assert!(same_version("1.0", "1.0.0"));
        assert!(!same_version("1.0+local", "1.0"));
    }

    #[test]
    fn the_format_must_be_of_version_one() {
        assert!(root_is_purelib(b"Wheel-Version: 1.0\nRoot-Is-Purelib: True\n").unwrap());
        assert!(!root_is_purelib(b"Wheel-Version: 1.9\nRoot-Is-Purelib: false\n").unwrap());
        assert!(!root_is_purelib(b"Wheel-Version: 1.0\n").unwrap());
        let newer = root_is_purelib(b"Wheel-Version: 2.0\n");
        assert!(matches!(newer, Err(WheelError::WheelVersion { .. })));
        assert!(matches!(root_is_purelib(b"x"), Err(WheelError::BadMetadata { .. })));
    }
}
