//! Looking into a graph that somebody else made, and making it anew with other parts.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use buildkit_proto::pb;
use prost::Message as _;

use crate::annotate::{Annotated, CUSTOM_NAME};
use crate::vertex::{Port, Vertex, digest, encode};
use crate::{Annotate, Output};

/// A vertex of a graph that was read back, e.g. of one that another frontend made.
///
/// Cheap to clone. Its op can be read; a vertex that is made from it keeps what this crate does not know, its metadata,
/// and its places in source files.
#[derive(Clone)]
pub struct OpenVertex(Arc<Vertex>);

impl Output {
    /// All vertices that this file system depends on, inputs before users.
    #[must_use]
    pub fn vertices(&self) -> Vec<OpenVertex> {
        let Some(port) = self.port() else {
            return Vec::new();
        };
        let (mut order, mut seen) = (Vec::new(), HashSet::from([port.vertex.digest.clone()]));
        let mut path = vec![(&port.vertex, 0)];
        while let Some((vertex, visited)) = path.last_mut() {
            let vertex: &Arc<Vertex> = vertex;
            match vertex.inputs.get(*visited) {
                Some(input) => {
                    *visited += 1;
                    if seen.insert(input.vertex.digest.clone()) {
                        path.push((&input.vertex, 0));
                    }
                }
                None => {
                    order.push(OpenVertex(Arc::clone(vertex)));
                    path.pop();
                }
            }
        }
        order
    }

    /// The vertex that this file system is an output of, and which one; `None` for the empty file system.
    #[must_use]
    pub fn vertex(&self) -> Option<(OpenVertex, i64)> {
        self.port().map(|port| (OpenVertex(Arc::clone(&port.vertex)), port.index))
    }
}

impl OpenVertex {
    /// The digest, in the form `sha256:…`.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.0.digest
    }

    /// The op.
    #[must_use]
    pub fn op(&self) -> pb::Op {
        // It was decoded when it was read.
        pb::Op::decode(&self.0.bytes[..]).unwrap_or_default()
    }

    /// The inputs, in the order that the op refers to.
    #[must_use]
    pub fn inputs(&self) -> Vec<Output> {
        self.0.inputs.iter().map(|port| Output::new(Arc::clone(&port.vertex), port.index)).collect()
    }

    /// One of its outputs.
    #[must_use]
    pub fn output(&self, index: i64) -> Output {
        Output::new(Arc::clone(&self.0), index)
    }

    /// The name that users see in the progress display; empty if it has none of its own.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.metadata.description.get(CUSTOM_NAME).map_or("", String::as_str)
    }

    /// The lines of source files that it comes from: first and last, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (i32, i32)> {
        let ranges = self.0.locations.iter().flat_map(|location| &location.ranges);
        let line = |position: &Option<pb::Position>| position.as_ref().map_or(0, |position| position.line);
        ranges.map(move |range| (line(&range.start), line(&range.end)))
    }

    /// The same op on other inputs. What this crate does not know of it stays.
    #[must_use]
    pub fn with_inputs(&self, inputs: &[Output]) -> Self {
        let ports: Vec<Port> = inputs.iter().filter_map(|input| input.port().cloned()).collect();
        let same = |(one, other): (&Port, &Port)| one.as_input() == other.as_input();
        if ports.len() == self.0.inputs.len() && ports.iter().zip(&self.0.inputs).all(same) {
            return self.clone();
        }
        let inputs = pb::Op { inputs: ports.iter().map(Port::as_input).collect(), ..pb::Op::default() };
        let mut bytes = inputs.encode_to_vec();
        bytes.extend(without_inputs(&self.0.bytes));
        Self::new(self, bytes, ports)
    }

    /// The same vertex with another process and root, and a name of its own. `None` if its op is none that this crate
    /// knows to the last byte, so that something of it would be lost.
    #[must_use]
    pub fn with_exec(&self, exec: pb::ExecOp, inputs: &[Output], name: &str) -> Option<Self> {
        let mut op = self.op();
        // Older daemons write the kind of the op by its number, as prost does.
        if encode(op.clone()) != self.0.bytes && op.encode_to_vec() != self.0.bytes {
            return None;
        }
        let ports: Vec<Port> = inputs.iter().filter_map(|input| input.port().cloned()).collect();
        op.inputs = ports.iter().map(Port::as_input).collect();
        op.op = Some(pb::op::Op::Exec(exec));
        let mut vertex = Self::new(self, encode(op), ports);
        if let Some(own) = Arc::get_mut(&mut vertex.0) {
            own.metadata.description.insert(CUSTOM_NAME.to_owned(), name.to_owned());
        }
        Some(vertex)
    }

    /// A vertex of another digest that does the same, and has the same keys in every cache: with or without worker constraints that
    /// constrain nothing. `None` if they do, or if the op is none that this crate knows to the last byte.
    #[must_use]
    pub fn distinct(&self) -> Option<Self> {
        let mut op = self.op();
        if encode(op.clone()) != self.0.bytes && op.encode_to_vec() != self.0.bytes {
            return None;
        }
        op.constraints = match op.constraints {
            None => Some(pb::WorkerConstraints::default()),
            Some(constraints) if constraints == pb::WorkerConstraints::default() => None,
            Some(_) => return None,
        };
        Some(Self::new(self, encode(op), self.0.inputs.clone()))
    }

    /// Gives an op that stands for this vertex its places in source files.
    #[must_use]
    pub fn located<T: Annotate + Annotated>(&self, mut op: T) -> T {
        op.annotations_mut().locations.extend(self.0.locations.iter().cloned());
        op
    }

    fn new(from: &Self, bytes: Vec<u8>, inputs: Vec<Port>) -> Self {
        let Vertex { metadata, locations, .. } = &*from.0;
        Self(Arc::new(Vertex {
            digest: digest(&bytes),
            bytes,
            inputs,
            metadata: metadata.clone(),
            locations: locations.clone(),
        }))
    }
}

impl fmt::Debug for OpenVertex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.digest(), self.name())
    }
}

/// The encoded fields of an op but for its inputs, which are field 1. What is no field any more stays as it is.
fn without_inputs(bytes: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((field, length)) = first_field(rest) {
        let (this, next) = rest.split_at(length);
        if field != 1 {
            kept.extend_from_slice(this);
        }
        rest = next;
    }
    kept.extend_from_slice(rest);
    kept
}

/// The number of the first field of an encoded message, and the length of the whole field in bytes.
fn first_field(bytes: &[u8]) -> Option<(u64, usize)> {
    let (key, start) = varint(bytes)?;
    let length = match key & 7 {
        0 => varint(bytes.get(start..)?)?.1,
        1 => 8,
        2 => {
            let (length, size) = varint(bytes.get(start..)?)?;
            size.checked_add(usize::try_from(length).ok()?)?
        }
        5 => 4,
        _ => return None,
    };
    let end = start.checked_add(length)?;
    (end <= bytes.len()).then_some((key >> 3, end))
}

/// The number that the bytes begin with, and its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(index * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exec, File, FileAction, Platform, Source};

    fn graph() -> Output {
        let platform = Platform::new("linux", "amd64");
        let base = Source::image("docker.io/library/alpine:3.20", &platform).output().unwrap();
        let run = Exec::new(["/bin/sh", "-c", "make"], &platform).root(&base).name("RUN make").build().unwrap();
        let file = File::on(run.output("/").unwrap()).then(FileAction::mkdir("/x").timestamp(0));
        file.output().unwrap()
    }

    fn read(output: &Output) -> Output {
        Output::from_definition(output.marshal().unwrap().as_pb()).unwrap()
    }

    #[test]
    fn a_graph_is_made_anew_from_its_vertices() {
        let graph = read(&graph());
        let vertices = graph.vertices();
        let names: Vec<&str> = vertices.iter().map(OpenVertex::name).collect();
        assert_eq!(names.len(), 3);
        assert_eq!(names[1], "RUN make");
        let last = &vertices[2];
        assert_eq!(last.with_inputs(&last.inputs()).output(0), graph);
        let other = last.with_inputs(&[vertices[0].output(0)]);
        assert_ne!(other.digest(), last.digest());
        // Byte for byte what the builder makes.
        let same = File::on(vertices[0].output(0)).then(FileAction::mkdir("/x").timestamp(0)).output().unwrap();
        assert_eq!(other.output(0), same);
        assert_eq!(read(&other.output(0)), same);
    }

    #[test]
    fn unknown_fields_survive_other_inputs_and_forbid_another_process() {
        let graph = graph();
        let (run, _) = graph.vertices()[1].output(0).vertex().unwrap();
        let mut bytes = run.0.bytes.clone();
        // Field 100, which no version has yet.
        bytes.extend([0xa2, 0x06, 0x01, b'x']);
        let unknown = OpenVertex::new(&run, bytes, run.0.inputs.clone());
        let moved = unknown.with_inputs(&[graph]);
        assert!(moved.0.bytes.ends_with(&[0xa2, 0x06, 0x01, b'x']));
        let pb::op::Op::Exec(exec) = run.op().op.unwrap() else { panic!("an exec") };
        assert!(unknown.with_exec(exec.clone(), &unknown.inputs(), "x").is_none());
        let renamed = run.with_exec(exec, &run.inputs(), "x").unwrap();
        assert_eq!((renamed.digest(), renamed.name()), (run.digest(), "x"));
    }
}
