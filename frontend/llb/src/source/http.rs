use super::url::Url;
use super::{Attrs, is_lower_hex, output};
use crate::annotate::{Annotated, Annotations};
use crate::{Error, Output, cap};

/// A file over HTTP. See [`Source::http`](crate::Source::http).
///
/// With a checksum, the cache key is the checksum together with file name, mode and owner; the URL is
/// no part of it, and no network is needed to compute it.
#[derive(Debug, Clone)]
pub struct Http {
    url: String,
    checksum: Option<String>,
    filename: Option<String>,
    mode: Option<u32>,
    attrs: Attrs,
    annotations: Annotations,
}

impl Http {
    pub(super) fn new(url: String) -> Self {
        let mut annotations = Annotations::default();
        annotations.need(cap::SOURCE_HTTP);
        Self { url, checksum: None, filename: None, mode: None, attrs: Attrs::default(), annotations }
    }

    /// The digest that the file must have: `sha256:` and 64 lower-case hexadecimal digits.
    pub fn checksum(mut self, checksum: impl Into<String>) -> Self {
        self.checksum = Some(checksum.into());
        self
    }

    /// The name of the file; by default what the server says, else the last part of the URL.
    pub fn filename(mut self, name: impl Into<String>) -> Self {
        self.filename = Some(name.into());
        self
    }

    /// The permissions of the file; `0o600` by default.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// The owner of the file; root by default.
    pub fn owner(mut self, uid: u32, gid: u32) -> Self {
        for (key, id) in [("http.uid", uid), ("http.gid", gid)] {
            if id != 0 {
                self.attrs.set(key, id.to_string());
                self.annotations.need(cap::SOURCE_HTTP_UID_GID);
            }
        }
        self
    }

    /// The id of a build secret that holds the whole `Authorization` header.
    pub fn auth_header_secret(mut self, id: impl Into<String>) -> Self {
        self.attrs.set("http.authheadersecret", id);
        self.annotations.need(cap::SOURCE_HTTP_AUTH);
        self
    }

    /// A file system with just the file.
    ///
    /// # Errors
    ///
    /// If the URL is not one of `http://` or `https://` or has credentials in it, if the checksum is
    /// not a SHA-256 digest, if the file name is a path, if the mode is 0 or has more than nine bits, or if a text is empty.
    pub fn output(self) -> Result<Output, Error> {
        let Self { url, checksum, filename, mode, mut attrs, mut annotations } = self;
        Url::parse(&url, "an HTTP source")?.expect_scheme(&["http", "https"])?;
        if let Some(checksum) = checksum {
            if !checksum.strip_prefix("sha256:").is_some_and(|hex| is_lower_hex(hex, 64)) {
                return Err(Error::Checksum { checksum });
            }
            attrs.set("http.checksum", checksum);
            annotations.need(cap::SOURCE_HTTP_CHECKSUM);
        }
        if let Some(name) = filename {
            if matches!(name.as_str(), "." | "..") || name.contains('/') {
                return Err(Error::FileName { name });
            }
            attrs.set("http.filename", name);
        }
        if let Some(mode) = mode {
            if !(1..=0o777).contains(&mode) {
                return Err(Error::Mode { path: url, mode });
            }
            attrs.set("http.perm", format!("0{mode:o}"));
            annotations.need(cap::SOURCE_HTTP_PERM);
        }
        output(url, attrs, None, annotations)
    }
}

impl Annotated for Http {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}
