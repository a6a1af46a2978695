//! Source ops: file systems from outside of the graph.

mod git;
mod http;
mod image;
mod local;
mod oci_layout;
mod url;

use std::collections::BTreeMap;

use buildkit_proto::pb;

pub use git::Git;
pub use http::Http;
pub use image::{Image, ResolveMode};
pub use local::{Differ, Local};
pub use oci_layout::OciLayout;

use crate::annotate::Annotations;
use crate::vertex::{Inputs, Vertex};
use crate::{Error, Output, Platform};

/// Where file systems come from: each function begins a source op.
#[derive(Debug)]
pub enum Source {}

impl Source {
    /// An image from a registry. `reference` is a full one, with registry and with tag or digest,
    /// e.g. `docker.io/library/alpine:3.20`.
    pub fn image(reference: impl Into<String>, platform: impl Into<Platform>) -> Image {
        Image::new(reference.into(), platform.into())
    }

    /// An image from an OCI layout of the client, e.g. `name@sha256:…`.
    pub fn oci_layout(reference: impl Into<String>, platform: impl Into<Platform>) -> OciLayout {
        OciLayout::new(reference.into(), platform.into())
    }

    /// A folder of the client, by the name that the client gave it. `session` is the id of the client's session.
    pub fn local(name: impl Into<String>, session: impl Into<String>) -> Local {
        Local::new(name.into(), session.into())
    }

    /// A git repository, by `https://`, `http://`, `ssh://` or `git://` URL or in the short form `user@host:path`.
    pub fn git(url: impl Into<String>) -> Git {
        Git::new(url.into())
    }

    /// A file over HTTP, as the only file of a file system.
    pub fn http(url: impl Into<String>) -> Http {
        Http::new(url.into())
    }
}

/// The options of a source op, as it sends them.
///
/// BuildKit takes an empty value for none, and Go encodes it in other bytes than prost; so it is an error.
#[derive(Debug, Clone, Default)]
struct Attrs(BTreeMap<String, String>);

impl Attrs {
    fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Lists are JSON arrays.
    fn set_list(&mut self, key: &str, values: &[String]) {
        self.set(key, serde_json::Value::from(values).to_string());
    }
}

fn output(
    identifier: String,
    attrs: Attrs,
    platform: Option<Platform>,
    annotations: Annotations,
) -> Result<Output, Error> {
    let Attrs(attrs) = attrs;
    if let Some((key, _)) = attrs.iter().find(|(_, value)| value.is_empty()) {
        return Err(Error::Empty { what: format!("{key} of source {identifier}") });
    }
    let op = pb::op::Op::Source(pb::SourceOp { identifier, attrs });
    Ok(Output::new(Vertex::new(op, Inputs::default(), platform, annotations), 0))
}

fn is_lower_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
