use super::{Attrs, output};
use crate::annotate::{Annotated, Annotations};
use crate::{Error, Output, Platform, cap};

/// An image from a registry. See [`Source::image`](crate::Source::image).
#[derive(Debug, Clone)]
pub struct Image {
    reference: String,
    platform: Platform,
    attrs: Attrs,
    annotations: Annotations,
}

/// Whether the registry is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResolveMode {
    /// As the daemon is configured.
    #[default]
    Default,
    /// Always.
    Pull,
    /// Only if the daemon does not have the image.
    Local,
}

impl Image {
    pub(super) fn new(reference: String, platform: Platform) -> Self {
        let mut annotations = Annotations::default();
        annotations.need(cap::SOURCE_IMAGE);
        Self { reference, platform, attrs: Attrs::default(), annotations }
    }

    /// Whether the registry is asked.
    pub fn resolve_mode(mut self, mode: ResolveMode) -> Self {
        const KEY: &str = "image.resolvemode";
        match mode {
            ResolveMode::Default => {
                self.attrs.0.remove(KEY);
            }
            ResolveMode::Pull => {
                self.attrs.set(KEY, "pull");
                self.annotations.need(cap::SOURCE_IMAGE_RESOLVE_MODE);
            }
            ResolveMode::Local => self.attrs.set(KEY, "local"),
        }
        self
    }

    /// The image is a tool of the build, not something that the user named. Shown in lists of disk usage only.
    pub fn internal(mut self) -> Self {
        self.attrs.set("image.recordtype", "internal");
        self
    }

    /// The file system of the image. Its config is not applied to anything.
    ///
    /// # Errors
    ///
    /// If the reference is not a full one.
    pub fn output(self) -> Result<Output, Error> {
        let Self { reference, platform, attrs, annotations } = self;
        if !is_full(&reference) {
            return Err(Error::ImageReference { reference });
        }
        output(format!("docker-image://{reference}"), attrs, Some(platform), annotations)
    }
}

impl Annotated for Image {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}

/// Whether a reference has a registry, a path and a tag or digest. The rules are those of the
/// distribution project: the first component names a registry if it has a dot or port, or is `localhost`.
fn is_full(reference: &str) -> bool {
    let Some((registry, rest)) = reference.split_once('/') else {
        return false;
    };
    let (named, digest) = match rest.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (rest, None),
    };
    let (path, tag) = match named.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (named, None),
    };
    (registry.contains(['.', ':']) || registry == "localhost")
        && !reference.contains(char::is_whitespace)
        && !path.is_empty()
        && (tag.is_some() || digest.is_some())
        && [tag, digest].into_iter().flatten().all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_references_have_registry_and_tag_or_digest() {
        for reference in [
            "docker.io/library/alpine:3.20",
            "localhost/a:b",
            "example.org:5000/a/b/c@sha256:00",
            "example.org/a:b@sha256:00",
        ] {
            assert!(is_full(reference), "{reference}");
        }
        for reference in [
            "",
            "alpine",
            "alpine:3.20",
            "library/alpine:3.20",
            "docker.io/library/alpine",
            "docker.io/a:",
            "docker.io/:a",
            "docker.io/a b:c",
        ] {
            assert!(!is_full(reference), "{reference}");
        }
    }
}
