use buildkit_proto::pb;

use crate::annotate::{Annotated, Annotations};
use crate::vertex::{Inputs, Vertex};
use crate::{Output, cap};

/// Lays file systems over each other, the first at the bottom. Later ones win, and what was deleted in
/// a later one is deleted in the earlier ones.
///
/// A merge is lazy: nothing is copied to make it, and an image of it is made of the layers of its inputs.
#[derive(Debug, Clone)]
pub struct Merge {
    inputs: Vec<Output>,
    annotations: Annotations,
}

impl Merge {
    /// The merge of these file systems.
    pub fn of<T: Into<Output>>(inputs: impl IntoIterator<Item = T>) -> Self {
        let mut annotations = Annotations::default();
        annotations.need(cap::MERGE_OP);
        Self { inputs: inputs.into_iter().map(Into::into).collect(), annotations }
    }

    /// The merged file system.
    ///
    /// Empty inputs change nothing and are left out. A single input that remains is returned as it is,
    /// without the annotations of the merge; if none remains, the empty file system is returned.
    pub fn output(self) -> Output {
        let Self { inputs, annotations } = self;
        let mut inputs: Vec<Output> = inputs.into_iter().filter(|input| !input.is_scratch()).collect();
        if inputs.len() < 2 {
            return inputs.pop().unwrap_or_default();
        }
        let mut ports = Inputs::default();
        let positions = inputs.iter().filter_map(Output::port).map(|port| ports.append(port));
        let op = pb::MergeOp { inputs: positions.map(|input| pb::MergeInput { input }).collect() };
        Output::new(Vertex::new(pb::op::Op::Merge(op), ports, None, annotations), 0)
    }
}

impl Annotated for Merge {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}
