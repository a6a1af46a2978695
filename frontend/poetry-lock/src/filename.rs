//! The file names of distributions.

use pep440_rs::Version;

use crate::{Name, version};

/// What the file name of a wheel or a source distribution tells.
///
/// Reads all that Poetry reads, which is more than the specifications allow: names with dashes,
/// versions that are not normalized, old archive formats.
///
/// ```
/// use poetry_lock::{DistributionFile, FileKind};
///
/// let file = DistributionFile::parse("charset_normalizer-3.4.0-cp311-cp311-musllinux_1_2_x86_64.whl").unwrap();
/// assert_eq!(file.version.to_string(), "3.4.0");
/// assert!(matches!(file.kind, FileKind::Wheel { build: None, .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistributionFile {
    /// The package.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// What kind of file it is.
    pub kind: FileKind,
}

/// The kind of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A wheel (binary distribution format).
    Wheel {
        /// The build tag: a number and what follows it.
        build: Option<(u64, String)>,
        /// The tags the wheel is made for, `python-abi-platform`.
        tags: Vec<String>,
    },
    /// A source distribution.
    Sdist,
}

/// Endings of source distributions; of two that fit the longer comes first.
const SDIST_ENDINGS: [&str; 6] = [".tar.gz", ".tar.bz2", ".tar.xz", ".tar.Z", ".tar", ".zip"];

/// The longest name of a file that Linux takes. Tags repeat parts of the name, so that a longer one could fill the memory.
const MAX_LENGTH: usize = 255;

/// More tags than any wheel has: the product of the three sets in its name.
const MAX_TAGS: usize = 4096;

impl DistributionFile {
    /// Reads a file name. `None` if it is not that of a wheel or a source distribution, if it
    /// has no readable version, or if no file can have it.
    #[must_use]
    pub fn parse(file_name: &str) -> Option<Self> {
        if file_name.len() > MAX_LENGTH {
            return None;
        }
        if let Some(stem) = file_name.strip_suffix(".whl") {
            return parse_wheel(stem);
        }
        let stem = SDIST_ENDINGS.iter().find_map(|ending| file_name.strip_suffix(ending))?;
        parse_sdist(stem.strip_suffix(".sdist").unwrap_or(stem)).or_else(|| parse_loosely(stem))
    }
}

/// `name-version[-build]-python-abi-platform`
fn parse_wheel(stem: &str) -> Option<DistributionFile> {
    let parts: Vec<&str> = stem.split('-').collect();
    let (head, [python, abi, platform]) = parts.split_last_chunk::<3>()?;
    let starts_with_digit = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let (name, written, build) = match head {
        [name @ .., version, build] if starts_with_digit(version) && starts_with_digit(build) => {
            (name, version, Some(*build))
        }
        [name @ .., version] if starts_with_digit(version) => (name, version, None),
        _ => return None,
    };
    let name = name.join("-");
    if name.is_empty() {
        return None;
    }
    let build = match build {
        Some(build) => {
            let end = build.find(|c: char| !c.is_ascii_digit()).unwrap_or(build.len());
            let (number, rest) = build.split_at(end);
            Some((number.parse().ok()?, rest.to_owned()))
        }
        None => None,
    };
    let sets = [python, abi, platform].map(|set| set.split('.').collect::<Vec<_>>());
    if sets.iter().map(Vec::len).product::<usize>() > MAX_TAGS {
        return None;
    }
    let [pythons, abis, platforms] = &sets;
    let mut tags = Vec::new();
    for python in pythons {
        for abi in abis {
            tags.extend(platforms.iter().map(|platform| format!("{python}-{abi}-{platform}").to_lowercase()));
        }
    }
    Some(DistributionFile {
        name: Name::new(&name),
        version: version::parse(written).ok()?,
        kind: FileKind::Wheel { build, tags },
    })
}

/// `name-version`, where the version begins with a digit and has no dash.
fn parse_sdist(stem: &str) -> Option<DistributionFile> {
    let (name, written) = stem.rsplit_once('-')?;
    if name.is_empty() || !written.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(DistributionFile { name: Name::new(name), version: version::parse(written).ok()?, kind: FileKind::Sdist })
}

/// The version begins at the first digit that follows a dash, and may have dashes.
fn parse_loosely(stem: &str) -> Option<DistributionFile> {
    let dash = stem
        .match_indices('-')
        .map(|(at, _)| at)
        .find(|at| *at > 0 && stem.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit))?;
    let (name, written) = (stem.get(..dash)?, stem.get(dash + 1..)?);
    Some(DistributionFile { name: Name::new(name), version: version::parse(written).ok()?, kind: FileKind::Sdist })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_have_a_version_tags_and_perhaps_a_build() {
        let file = DistributionFile::parse("foo-bar-1.0-2x-py2.py3-none-any.whl").unwrap();
        assert_eq!((file.name.as_str(), file.version.to_string().as_str()), ("foo-bar", "1.0"));
        assert_eq!(
            file.kind,
            FileKind::Wheel { build: Some((2, "x".into())), tags: vec!["py2-none-any".into(), "py3-none-any".into()] }
        );
    }

    #[test]
    fn source_distributions_have_a_name_and_a_version() {
        for (file_name, name, version) in [
            ("jaraco.classes-3.4.0.tar.gz", "jaraco-classes", "3.4.0"),
            ("foo-2.0-1.0.tar.gz", "foo-2-0", "1.0"),
            ("foo-1.0-beta.zip", "foo", "1.0b0"),
            ("torch-2.1.0+cpu.tar.xz", "torch", "2.1.0+cpu"),
            ("foo-1.0.sdist.tar.bz2", "foo", "1.0"),
        ] {
            let file = DistributionFile::parse(file_name).unwrap();
            assert_eq!((file.name.as_str(), file.version.to_string().as_str()), (name, version), "{file_name}");
            assert_eq!(file.kind, FileKind::Sdist);
        }
    }

    #[test]
    fn other_names_are_not_distributions() {
        for file_name in [
            "",
            "foo.tar.gz",
            "foo-1.0.egg",
            "foo-1.0.exe",
            "foo-bar-py3-none-any.whl",
            "-1.0-py3-none-any.whl",
            "foo-1.0-py3-none.whl",
            "foo-x-y.zip",
            "foo-1.0-99999999999999999999-py3-none-any.whl",
        ] {
            assert_eq!(DistributionFile::parse(file_name), None, "{file_name}");
        }
        let many = vec!["a"; 30].join(".");
        assert_eq!(DistributionFile::parse(&format!("foo-1.0-{many}-{many}-{many}.whl")), None);
    }

    #[test]
    fn names_longer_than_any_file_has_are_not_read() {
        let named = |length: usize| format!("{}-1.0.zip", "x".repeat(length - "-1.0.zip".len()));
        assert!(DistributionFile::parse(&named(255)).is_some());
        assert_eq!(DistributionFile::parse(&named(256)), None);
    }
}
