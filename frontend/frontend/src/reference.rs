//! References of images (distribution `reference`).

/// The whole form of a reference: with its registry, and with a tag if it has neither tag nor digest.
///
/// ```
/// use poetry_buildkit::reference::normalized;
/// assert_eq!(normalized("python:3.12-slim"), "docker.io/library/python:3.12-slim");
/// assert_eq!(normalized("localhost:5000/a"), "localhost:5000/a:latest");
/// ```
#[must_use]
pub fn normalized(reference: &str) -> String {
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    let first = name.split('/').next().unwrap_or_default();
    let has_registry = name.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let mut whole = match (has_registry, name.contains('/')) {
        (true, _) => name.to_owned(),
        (false, true) => format!("docker.io/{name}"),
        (false, false) => format!("docker.io/library/{name}"),
    };
    let has_tag = whole.rsplit('/').next().is_some_and(|last| last.contains(':'));
    match digest {
        Some(digest) => {
            whole.push('@');
            whole.push_str(digest);
        }
        None if !has_tag => whole.push_str(":latest"),
        None => {}
    }
    whole
}

/// The reference with a digest, which then decides. An empty digest changes nothing.
#[must_use]
pub fn pinned(reference: &str, digest: &str) -> String {
    if digest.is_empty() || reference.contains('@') { reference.to_owned() } else { format!("{reference}@{digest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registry_and_tag_are_added() {
        for (short, whole) in [
            ("a", "docker.io/library/a:latest"),
            ("a/b:1", "docker.io/a/b:1"),
            ("example.org/a", "example.org/a:latest"),
            ("a@sha256:0", "docker.io/library/a@sha256:0"),
            ("a:1@sha256:0", "docker.io/library/a:1@sha256:0"),
        ] {
            assert_eq!(normalized(short), whole);
        }
    }

    #[test]
    fn a_digest_is_added_once() {
        assert_eq!(pinned("a:1", "sha256:0"), "a:1@sha256:0");
        assert_eq!(pinned("a@sha256:1", "sha256:0"), "a@sha256:1");
        assert_eq!(pinned("a:1", ""), "a:1");
    }
}
