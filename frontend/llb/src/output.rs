use std::fmt;
use std::sync::Arc;

use crate::vertex::{Port, Vertex};
use crate::{Definition, Error};

/// A file system that a graph yields: one output of a vertex, or the empty file system ("scratch").
///
/// Cheap to clone. Two outputs are equal if they are the same output of equal ops, whoever built them.
#[derive(Clone, Default)]
pub struct Output(Option<Port>);

impl Output {
    /// The empty file system.
    pub fn scratch() -> Self {
        Self(None)
    }

    pub(crate) fn new(vertex: Arc<Vertex>, index: i64) -> Self {
        Self(Some(Port { vertex, index }))
    }

    pub(crate) fn port(&self) -> Option<&Port> {
        self.0.as_ref()
    }

    /// Whether this is the empty file system.
    pub fn is_scratch(&self) -> bool {
        self.0.is_none()
    }

    /// The digest of the vertex, in the form `sha256:…`; `None` for the empty file system.
    pub fn digest(&self) -> Option<&str> {
        self.port().map(|port| port.vertex.digest.as_str())
    }

    /// The graph that yields this file system.
    ///
    /// # Errors
    ///
    /// [`Error::ScratchDefinition`], because BuildKit has no definition of the empty file system.
    pub fn marshal(&self) -> Result<Definition, Error> {
        self.port().map(Definition::new).ok_or(Error::ScratchDefinition)
    }
}

impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        let identity = |output: &Self| output.port().map(Port::as_input);
        identity(self) == identity(other)
    }
}

impl Eq for Output {}

impl From<&Output> for Output {
    fn from(output: &Output) -> Self {
        output.clone()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port() {
            None => f.write_str("scratch"),
            Some(port) => write!(f, "{}[{}]", port.vertex.digest, port.index),
        }
    }
}
