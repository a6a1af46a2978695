use buildkit_proto::pb;

use crate::annotate::{Annotated, Annotations};
use crate::vertex::{Inputs, NO_INPUT, Vertex};
use crate::{Output, cap};

/// What has to be laid over one file system to get another, deletions included. Laid over the lower
/// one with [`Merge`](crate::Merge), it gives the upper one again.
#[derive(Debug, Clone)]
pub struct Diff {
    lower: Output,
    upper: Output,
    annotations: Annotations,
}

impl Diff {
    /// The difference from `lower` to `upper`.
    pub fn between(lower: impl Into<Output>, upper: impl Into<Output>) -> Self {
        let mut annotations = Annotations::default();
        annotations.need(cap::DIFF_OP);
        Self { lower: lower.into(), upper: upper.into(), annotations }
    }

    /// The difference as a file system.
    ///
    /// The difference from the empty file system is the upper one itself, which is returned as it is,
    /// without the annotations of the difference.
    pub fn output(self) -> Output {
        let Self { lower, upper, annotations } = self;
        if lower.is_scratch() {
            return upper;
        }
        let mut inputs = Inputs::default();
        let mut append = |output: &Output| output.port().map_or(NO_INPUT, |port| inputs.append(port));
        let op = pb::DiffOp {
            lower: Some(pb::LowerDiffInput { input: append(&lower) }),
            upper: Some(pb::UpperDiffInput { input: append(&upper) }),
        };
        Output::new(Vertex::new(pb::op::Op::Diff(op), inputs, None, annotations), 0)
    }
}

impl Annotated for Diff {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}
