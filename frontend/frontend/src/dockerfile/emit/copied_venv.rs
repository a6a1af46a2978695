//! A copy of a whole virtual environment from another stage, as the layers that the environment was made of. So a runtime stage
//! gets a layer for each dependency as well, instead of one that is new after every change.

use buildkit_llb::{Merge, OpenVertex, Output};
use buildkit_proto::pb;

use super::{Layer, layers::settled};
use crate::{
    dockerfile::{decision::Environment, stage::ownership::Parent},
    error::Error,
};

/// What a copy becomes.
pub(in crate::dockerfile) struct Copied {
    pub(in crate::dockerfile) output: Output,
    pub(in crate::dockerfile) layers: Vec<Layer>,
}

/// The copy of a file op that copies one thing to where it was before, and leaves owner and mode to what the Dockerfile does by
/// default: the output that it copies from, the path, and the input that it changes; `None` stands for an empty file system.
pub(in crate::dockerfile) fn whole_copy(vertex: &OpenVertex) -> Option<(Output, String, Option<Output>)> {
    let Some(pb::op::Op::File(file)) = vertex.op().op else { return None };
    let [action] = &file.actions[..] else { return None };
    let Some(pb::file_action::Action::Copy(copy)) = &action.action else { return None };
    let path = copy.src.trim_end_matches('/');
    let is_plain = copy.owner.is_none()
        && copy.mode < 0
        && copy.mode_str.is_empty()
        && copy.timestamp < 0
        && copy.include_patterns.is_empty()
        && copy.exclude_patterns.is_empty()
        && copy.dir_copy_contents
        && !copy.attempt_unpack_docker_compatibility;
    if !is_plain || copy.dest.trim_end_matches('/') != path {
        return None;
    }
    let inputs = vertex.inputs();
    let from = inputs.get(usize::try_from(action.secondary_input).ok()?)?;
    let base = match usize::try_from(action.input) {
        Ok(input) => Some(inputs.get(input)?.clone()),
        Err(_) => None,
    };
    Some((from.clone(), path.to_owned(), base))
}

/// The layers of an environment on `base`, a state of the new graph with these folders above the environment, in place of the copy that
/// `vertex` is.
///
/// # Errors
/// If an op is not valid.
pub(in crate::dockerfile) fn copied(
    vertex: &OpenVertex,
    environment: &Environment,
    base: Option<Output>,
    parents: &[Parent],
) -> Result<Copied, Error> {
    let mut inputs: Vec<Output> = base.into_iter().collect();
    let name = vertex.name();
    let mut layers = Vec::new();
    for (what, layer) in &environment.layers {
        let prefix = format!("{} ", name.trim_start_matches('[').split(']').next().unwrap_or_default());
        let roots = [environment.path.clone()].into();
        inputs.push(settled(layer.clone(), what, (&roots, None), parents, (0, 0), &prefix)?);
        let instruction = name.split_once("] ").map_or(name, |(_, instruction)| instruction);
        layers.push(Layer::from(format!("{instruction}: {what}")));
    }
    let output = vertex.located(buildkit_llb::Annotate::name(Merge::of(inputs), name)).output();
    Ok(Copied { output, layers })
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Annotate, File, FileAction, Owner, Platform, Source};

    use super::*;

    #[test]
    fn a_copy_to_the_same_place_is_told_from_others() {
        let base = Source::image("docker.io/library/python:3.11", Platform::new("linux", "amd64")).output().unwrap();
        let made = |root: Output, copy: buildkit_llb::Copy| {
            let file = File::on(root).then(copy.contents().make_parents()).name("COPY");
            whole_copy(&file.output().unwrap().vertex().unwrap().0).map(|(_, path, below)| (path, below.is_some()))
        };
        let copy = |from: &str, to: &str| FileAction::copy(&base, from, to);
        assert_eq!(made(base.clone(), copy("/app/.venv", "/app/.venv/")), Some(("/app/.venv".into(), true)));
        assert_eq!(made(Output::scratch(), copy("/app/.venv", "/app/.venv")), Some(("/app/.venv".into(), false)));
        assert_eq!(made(base.clone(), copy("/app/.venv", "/venv")), None);
        assert_eq!(made(base.clone(), copy("/app/.venv", "/app/.venv").owner(Owner::new(7, 7))), None);
    }
}
