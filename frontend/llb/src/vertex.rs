use std::fmt::Write as _;
use std::sync::Arc;

use buildkit_proto::pb;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::annotate::Annotations;
use crate::source_map::Location;
use crate::{Output, Platform};

/// An encoded op and what is known about it. Its identity is the digest of its bytes.
pub(crate) struct Vertex {
    pub(crate) digest: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) metadata: pb::OpMetadata,
    pub(crate) locations: Vec<Location>,
}

/// One output of a vertex.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) vertex: Arc<Vertex>,
    pub(crate) index: i64,
}

impl Port {
    pub(crate) fn as_input(&self) -> pb::Input {
        pb::Input { digest: self.vertex.digest.clone(), index: self.index }
    }
}

impl Vertex {
    /// Encodes an op. Like Go clients, it always has worker constraints, if empty ones.
    pub(crate) fn new(
        kind: pb::op::Op,
        inputs: Inputs,
        platform: Option<Platform>,
        annotations: Annotations,
    ) -> Arc<Self> {
        let op = pb::Op {
            inputs: inputs.0.iter().map(Port::as_input).collect(),
            op: Some(kind),
            platform: platform.map(Into::into),
            constraints: Some(pb::WorkerConstraints::default()),
        };
        let bytes = encode(op);
        Arc::new(Self {
            digest: digest(&bytes),
            bytes,
            inputs: inputs.0,
            metadata: annotations.metadata,
            locations: annotations.locations,
        })
    }
}

/// A long chain of vertices is dropped one by one, not by recursion.
impl Drop for Vertex {
    fn drop(&mut self) {
        let mut ports = std::mem::take(&mut self.inputs);
        while let Some(port) = ports.pop() {
            if let Some(mut orphan) = Arc::into_inner(port.vertex) {
                ports.append(&mut orphan.inputs);
            }
        }
    }
}

/// The inputs of an op that is being built; the op refers to them by position.
#[derive(Default)]
pub(crate) struct Inputs(Vec<Port>);

/// The position of an empty file system, which is no input.
pub(crate) const NO_INPUT: i64 = -1;

impl Inputs {
    /// Adds an input, unless it is there already, and tells its position.
    pub(crate) fn add(&mut self, output: &Output) -> i64 {
        let Some(port) = output.port() else {
            return NO_INPUT;
        };
        let same = |known: &Port| known.vertex.digest == port.vertex.digest && known.index == port.index;
        match self.0.iter().position(same) {
            Some(position) => position as i64,
            None => self.append(port),
        }
    }

    /// Adds an input, though it may be there already, and tells its position.
    pub(crate) fn append(&mut self, port: &Port) -> i64 {
        self.0.push(port.clone());
        self.len() - 1
    }

    pub(crate) fn len(&self) -> i64 {
        self.0.len() as i64
    }
}

/// The bytes of an op as Go's deterministic encoder writes them, which BuildKit computes digests of.
///
/// Go writes the members of a oneof after all other fields; prost writes them by number. `Op` is the
/// only message of a graph where that differs.
pub(crate) fn encode(mut op: pb::Op) -> Vec<u8> {
    let kind = pb::Op { op: op.op.take(), ..pb::Op::default() };
    let mut bytes = op.encode_to_vec();
    bytes.extend(kind.encode_to_vec());
    bytes
}

/// The SHA-256 digest in the form `sha256:…`.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
