//! The file systems of a stage, one after the other.

use buildkit_llb::{OpenVertex, Output};
use buildkit_proto::pb;

/// The vertices that made a file system, from its base on, each changing what the one before left.
pub(in crate::dockerfile) fn chain(state: &Output) -> Vec<OpenVertex> {
    states(state).iter().filter_map(|state| Some(state.vertex()?.0)).collect()
}

/// The file systems that one came from, from its base on, it itself being the last.
pub(in crate::dockerfile) fn states(state: &Output) -> Vec<Output> {
    let mut chain = Vec::new();
    let mut next = Some(state.clone());
    while let Some(state) = next {
        let Some((vertex, index)) = state.vertex() else { break };
        let inputs = vertex.inputs();
        let input = |index: i64| usize::try_from(index).ok().and_then(|index| inputs.get(index)).cloned();
        next = match vertex.op().op {
            Some(pb::op::Op::Exec(exec)) => {
                exec.mounts.iter().find(|mount| mount.output == index).and_then(|mount| input(mount.input))
            }
            Some(pb::op::Op::File(file)) => base_of(&file, index, inputs.len()).and_then(input),
            Some(pb::op::Op::Merge(_)) => input(0),
            _ => None,
        };
        chain.push(state);
    }
    chain.reverse();
    chain
}

/// The input that a file op changes.
fn base_of(file: &pb::FileOp, output: i64, inputs: usize) -> Option<i64> {
    let inputs = i64::try_from(inputs).ok()?;
    let mut action = file.actions.iter().find(|action| action.output == output)?;
    while action.input >= inputs {
        action = file.actions.get(usize::try_from(action.input - inputs).ok()?)?;
    }
    Some(action.input)
}

/// The file system below the first change that files of the client's made, and the number of changes since then, if all of
/// these lie one on the other.
pub(in crate::dockerfile) fn lasting(state: &Output) -> Option<(Output, usize)> {
    let states = states(state);
    let is_clients = |vertex: &OpenVertex| matches!(vertex.op().op, Some(pb::op::Op::Source(source)) if source.identifier.starts_with("local://"));
    let first = states.iter().position(|state| state.vertices().iter().any(is_clients))?;
    let is_merged =
        |state: &Output| matches!(state.vertex().and_then(|(vertex, _)| vertex.op().op), Some(pb::op::Op::Merge(_)));
    let (below, above) = states.split_at(first);
    if above.iter().any(is_merged) { None } else { Some((below.last()?.clone(), above.len())) }
}

/// Names an output of a vertex.
pub(in crate::dockerfile) fn key(output: &Output) -> Option<(String, i64)> {
    output.vertex().map(|(vertex, index)| (vertex.digest().to_owned(), index))
}

/// What a file op copies from other stages.
pub(in crate::dockerfile) fn copies(vertex: &OpenVertex) -> Vec<(Output, pb::FileActionCopy)> {
    let Some(pb::op::Op::File(file)) = vertex.op().op else { return Vec::new() };
    let inputs = vertex.inputs();
    let copy = |action: pb::FileAction| match action.action {
        Some(pb::file_action::Action::Copy(copy)) => {
            let from = inputs.get(usize::try_from(action.secondary_input).ok()?)?;
            Some((from.clone(), copy))
        }
        _ => None,
    };
    file.actions.into_iter().filter_map(copy).collect()
}
