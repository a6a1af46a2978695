use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use buildkit_proto::pb;

use crate::annotate::unite;
use crate::cap;
use crate::caps::{Caps, MissingCaps, check};
use crate::describe::{describe, display_name};
use crate::source_map::SourceMap;
use crate::vertex::{Port, Vertex, digest, encode};

/// A whole graph, ready to be sent: to be solved, or as an input of another frontend.
///
/// Ops stand in a fixed order, inputs before users, each once; the last is the terminal op, which
/// names the result. Every op has an entry in the metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition(pb::Definition);

impl Definition {
    pub(crate) fn new(result: &Port) -> Self {
        let mut def = Vec::new();
        let mut metadata = BTreeMap::<String, pb::OpMetadata>::new();
        let mut sources = SourceMap::default();
        for vertex in inputs_first(&result.vertex) {
            sources.add(&vertex.digest, &vertex.locations);
            match metadata.get_mut(&vertex.digest) {
                Some(known) => unite(known, &vertex.metadata),
                None => {
                    metadata.insert(vertex.digest.clone(), vertex.metadata.clone());
                    def.push(vertex.bytes.clone());
                }
            }
        }
        let (bytes, needs) = terminal(result, &metadata);
        metadata.insert(digest(&bytes), needs);
        def.push(bytes);
        Self(pb::Definition { def, metadata, source: Some(sources.finish()) })
    }

    /// The message that goes over the wire.
    pub fn as_pb(&self) -> &pb::Definition {
        &self.0
    }

    /// The capabilities that the graph needs, each with the names of the vertices that need it.
    pub fn required_caps(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut required = BTreeMap::<String, BTreeSet<String>>::new();
        for bytes in &self.0.def {
            let Some(metadata) = self.0.metadata.get(&digest(bytes)) else {
                continue;
            };
            let name = display_name(bytes, metadata);
            for id in metadata.caps.keys() {
                required.entry(id.clone()).or_default().insert(name.clone());
            }
        }
        required
    }

    /// Checks that a daemon has the capabilities that the graph needs.
    ///
    /// # Errors
    ///
    /// [`MissingCaps`], with every capability that is missing or disabled, and the vertices that need it.
    pub fn check(&self, caps: &Caps) -> Result<(), MissingCaps> {
        check(self.required_caps(), caps)
    }

    /// The graph as text, for people and for snapshot tests: ops in their order, with numbers in place of digests.
    ///
    /// Everything is shown but capabilities, the content of source files, and graphs within a graph.
    pub fn describe(&self) -> String {
        describe(&self.0)
    }
}

impl From<Definition> for pb::Definition {
    fn from(definition: Definition) -> Self {
        definition.0
    }
}

/// The op that names the result, and its metadata: the capabilities that the metadata of the others needs.
fn terminal(result: &Port, others: &BTreeMap<String, pb::OpMetadata>) -> (Vec<u8>, pb::OpMetadata) {
    let op = pb::Op { inputs: vec![result.as_input()], ..pb::Op::default() };
    let used = |is_used: fn(&pb::OpMetadata) -> bool| others.values().any(is_used);
    let caps = [
        (cap::CONSTRAINTS, true),
        (cap::PLATFORM, true),
        (cap::META_IGNORE_CACHE, used(|metadata| metadata.ignore_cache)),
        (cap::META_DESCRIPTION, used(|metadata| !metadata.description.is_empty())),
        (cap::META_EXPORT_CACHE, used(|metadata| metadata.export_cache.is_some())),
    ];
    let caps = caps.into_iter().filter(|(_, used)| *used).map(|(id, used)| (id.to_owned(), used));
    (encode(op), pb::OpMetadata { caps: caps.collect(), ..pb::OpMetadata::default() })
}

/// All vertices below one, inputs before users. Equal vertices that were built apart are all there.
fn inputs_first(root: &Arc<Vertex>) -> Vec<&Vertex> {
    let mut order = Vec::new();
    let mut seen = HashSet::from([Arc::as_ptr(root)]);
    // Each entry of the path is a vertex and how many of its inputs have been visited.
    let mut path = vec![(root, 0)];
    while let Some((vertex, visited)) = path.last_mut() {
        let vertex = *vertex;
        match vertex.inputs.get(*visited) {
            Some(input) => {
                *visited += 1;
                if seen.insert(Arc::as_ptr(&input.vertex)) {
                    path.push((&input.vertex, 0));
                }
            }
            None => {
                order.push(vertex.as_ref());
                path.pop();
            }
        }
    }
    order
}
