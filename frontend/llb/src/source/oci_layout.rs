use super::{Attrs, is_lower_hex, output};
use crate::annotate::{Annotated, Annotations};
use crate::{Error, Output, Platform, cap};

/// An image from an OCI layout of the client. See [`Source::oci_layout`](crate::Source::oci_layout).
#[derive(Debug, Clone)]
pub struct OciLayout {
    reference: String,
    platform: Platform,
    attrs: Attrs,
    annotations: Annotations,
}

impl OciLayout {
    pub(super) fn new(reference: String, platform: Platform) -> Self {
        let mut annotations = Annotations::default();
        annotations.need(cap::SOURCE_OCI_LAYOUT);
        Self { reference, platform, attrs: Attrs::default(), annotations }
    }

    /// The session that has the layout, and the name of the layout there.
    pub fn store(mut self, session: impl Into<String>, name: impl Into<String>) -> Self {
        self.attrs.set("oci.session", session);
        self.attrs.set("oci.store", name);
        self
    }

    /// The file system of the image. Its config is not applied to anything.
    ///
    /// # Errors
    ///
    /// If the reference has no digest.
    pub fn output(self) -> Result<Output, Error> {
        let Self { reference, platform, attrs, annotations } = self;
        let pinned =
            reference.split_once("@sha256:").is_some_and(|(name, digest)| !name.is_empty() && is_lower_hex(digest, 64));
        if !pinned {
            return Err(Error::UnpinnedLayout { reference });
        }
        output(format!("oci-layout://{reference}"), attrs, Some(platform), annotations)
    }
}

impl Annotated for OciLayout {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}
