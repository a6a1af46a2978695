//! Reading a definition back, to build on what it yields.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use buildkit_proto::pb;
use prost::Message as _;

use crate::Output;
use crate::source_map::{Location, SourceFile};
use crate::vertex::{Port, Vertex, digest};

/// Why a definition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// Bytes that are no op.
    #[error("op {position} of the definition cannot be decoded: {source}")]
    Decode {
        /// Which op, counted from 0.
        position: usize,
        /// Why.
        source: prost::DecodeError,
    },
    /// A last op that does something, or that does not name just one result.
    #[error("the definition does not end in an op that names its result")]
    NoResult,
    /// A reference to an op that is not part of the definition.
    #[error("the definition refers to {digest}, which is not in it")]
    MissingOp {
        /// The op that is missing.
        digest: String,
    },
    /// A reference to an output that cannot be.
    #[error("the definition refers to output {index} of {digest}")]
    NegativeIndex {
        /// The op.
        digest: String,
        /// The output.
        index: i64,
    },
    /// A place in a file that is not part of the definition.
    #[error("the definition says that {digest} comes from its source file {index}, which is not in it")]
    MissingFile {
        /// The op.
        digest: String,
        /// The position of the file.
        index: i32,
    },
}

impl Output {
    /// What a definition yields, as an input for further ops: e.g. the `def` of a `Ref`, an input of the
    /// frontend, or the definition of the frontend's own image.
    ///
    /// Ops are kept byte for byte, also such as this crate does not know, with metadata and places in
    /// source files. The terminal op, and ops that the result does not depend on, are left out.
    /// A definition without ops is the empty file system.
    ///
    /// # Errors
    ///
    /// If the definition cannot be decoded, or is not whole.
    pub fn from_definition(definition: &pb::Definition) -> Result<Self, SpliceError> {
        let Some((terminal, ops)) = definition.def.split_last() else {
            return Ok(Self::scratch());
        };
        let terminal = decode(terminal, ops.len())?;
        let [result] = terminal.inputs.as_slice() else {
            return Err(SpliceError::NoResult);
        };
        if terminal.op.is_some() {
            return Err(SpliceError::NoResult);
        }
        let reader = Reader::new(definition, ops)?;
        let vertex = reader.build(&result.digest)?;
        Ok(Self::new(vertex, check_index(result)?))
    }
}

struct Reader<'a> {
    definition: &'a pb::Definition,
    ops: HashMap<String, (&'a [u8], Vec<pb::Input>)>,
    files: Vec<SourceFile>,
}

impl<'a> Reader<'a> {
    fn new(definition: &'a pb::Definition, ops: &'a [Vec<u8>]) -> Result<Self, SpliceError> {
        let ops = ops
            .iter()
            .enumerate()
            .map(|(position, bytes)| Ok((digest(bytes), (bytes.as_slice(), decode(bytes, position)?.inputs))));
        let infos = definition.source.iter().flat_map(|source| &source.infos);
        Ok(Self {
            definition,
            ops: ops.collect::<Result<_, _>>()?,
            files: infos.cloned().map(SourceFile::from).collect(),
        })
    }

    /// Builds a vertex, its inputs first. Without recursion, because the depth is up to the sender.
    fn build(&self, root: &str) -> Result<Arc<Vertex>, SpliceError> {
        let mut built = HashMap::<&str, Arc<Vertex>>::new();
        let mut entered = HashSet::new();
        let mut path = vec![self.op(root)?];
        while let Some((digest, bytes, inputs)) = path.last().copied() {
            if entered.insert(digest) {
                for input in inputs {
                    let input = self.op(&input.digest)?;
                    if !entered.contains(input.0) {
                        path.push(input);
                    }
                }
                continue;
            }
            path.pop();
            if !built.contains_key(digest) {
                let vertex = self.vertex(digest, bytes, inputs, &built)?;
                built.insert(digest, Arc::new(vertex));
            }
        }
        built.remove(root).ok_or_else(|| SpliceError::MissingOp { digest: root.to_owned() })
    }

    fn op(&self, digest: &str) -> Result<(&str, &'a [u8], &[pb::Input]), SpliceError> {
        let (digest, (bytes, inputs)) =
            self.ops.get_key_value(digest).ok_or_else(|| SpliceError::MissingOp { digest: digest.to_owned() })?;
        Ok((digest, bytes, inputs))
    }

    fn vertex(
        &self,
        digest: &str,
        bytes: &[u8],
        inputs: &[pb::Input],
        built: &HashMap<&str, Arc<Vertex>>,
    ) -> Result<Vertex, SpliceError> {
        let port = |input: &pb::Input| match built.get(input.digest.as_str()) {
            Some(vertex) => Ok(Port { vertex: vertex.clone(), index: check_index(input)? }),
            None => Err(SpliceError::MissingOp { digest: input.digest.clone() }),
        };
        Ok(Vertex {
            digest: digest.to_owned(),
            bytes: bytes.to_vec(),
            inputs: inputs.iter().map(port).collect::<Result<_, _>>()?,
            metadata: self.definition.metadata.get(digest).cloned().unwrap_or_default(),
            locations: self.locations(digest)?,
        })
    }

    fn locations(&self, digest: &str) -> Result<Vec<Location>, SpliceError> {
        let places = self.definition.source.as_ref().and_then(|source| source.locations.get(digest));
        let places = places.iter().flat_map(|places| &places.locations);
        places
            .map(|pb::Location { source_index, ranges }| {
                let file = usize::try_from(*source_index).ok().and_then(|index| self.files.get(index));
                let file =
                    file.ok_or_else(|| SpliceError::MissingFile { digest: digest.to_owned(), index: *source_index })?;
                Ok(Location { file: file.clone(), ranges: ranges.clone() })
            })
            .collect()
    }
}

fn decode(bytes: &[u8], position: usize) -> Result<pb::Op, SpliceError> {
    pb::Op::decode(bytes).map_err(|source| SpliceError::Decode { position, source })
}

fn check_index(input: &pb::Input) -> Result<i64, SpliceError> {
    let pb::Input { digest, index } = input;
    if *index < 0 {
        return Err(SpliceError::NegativeIndex { digest: digest.clone(), index: *index });
    }
    Ok(*index)
}
