//! A definition as text.
//!
//! Each op has a head line with its number and indented lines for all that is not a default. Messages
//! are taken apart without `..`, so that a new field cannot be forgotten.

mod exec;
mod file;
mod name;
mod text;

pub(crate) use name::display_name;

use std::collections::HashMap;

use buildkit_proto::pb;
use buildkit_proto::pb::op::Op as Kind;
use prost::Message as _;
use text::{Shown, Text};

use crate::Platform;
use crate::annotate::CUSTOM_NAME;
use crate::vertex::digest;

/// See [`Definition::describe`](crate::Definition::describe).
pub(crate) fn describe(definition: &pb::Definition) -> String {
    let pb::Definition { def, metadata, source } = definition;
    let mut text = Text::default();
    let mut numbers = HashMap::new();
    for (number, bytes) in def.iter().enumerate() {
        let digest = digest(bytes);
        let op = pb::Op::decode(bytes.as_slice());
        match &op {
            Ok(op) => text.head(number, headline(op, &Shown::new(&op.inputs, &numbers))),
            Err(error) => text.head(number, format_args!("undecodable: {error}")),
        }
        if let Some(metadata) = metadata.get(&digest) {
            describe_metadata(&mut text, metadata);
        }
        if let Some(source) = source {
            describe_places(&mut text, source, &digest);
        }
        if let Ok(op) = &op {
            describe_op(&mut text, op, &Shown::new(&op.inputs, &numbers));
        }
        numbers.insert(digest, number);
    }
    text.finish()
}

/// What the op is, and for the simple kinds all there is to it.
fn headline(op: &pb::Op, inputs: &Shown) -> String {
    match &op.op {
        Some(Kind::Exec(_)) => "exec".to_owned(),
        Some(Kind::Source(source)) => format!("source {}", source.identifier),
        Some(Kind::File(_)) => "file".to_owned(),
        Some(Kind::Build(_)) => "build".to_owned(),
        Some(Kind::Merge(pb::MergeOp { inputs: merged })) => {
            let positions = merged.iter().map(|pb::MergeInput { input }| *input);
            format!("merge {}", inputs.list(positions))
        }
        Some(Kind::Diff(pb::DiffOp { lower, upper })) => {
            let lower = lower.map_or("?", |pb::LowerDiffInput { input }| inputs.get(input));
            let upper = upper.map_or("?", |pb::UpperDiffInput { input }| inputs.get(input));
            format!("diff {lower} -> {upper}")
        }
        Some(Kind::Passthrough(pb::PassthroughOp { id, outputs })) => {
            let outputs = inputs.list(outputs.iter().copied());
            format!("passthrough {id}: {outputs} of {}", inputs.all())
        }
        None => format!("result {}", inputs.all()),
    }
}

fn describe_op(text: &mut Text, op: &pb::Op, inputs: &Shown) {
    let pb::Op { inputs: _, op, platform, constraints } = op;
    if let Some(platform) = platform {
        text.fact("platform", Platform::from(platform.clone()));
    }
    if let Some(pb::WorkerConstraints { filter }) = constraints {
        text.each("worker", filter);
    }
    match op {
        Some(Kind::Exec(exec)) => exec::describe(text, exec, inputs),
        Some(Kind::Source(pb::SourceOp { identifier: _, attrs })) => text.facts(attrs),
        Some(Kind::File(file)) => file::describe(text, file, inputs),
        Some(Kind::Build(build)) => describe_build(text, build, inputs),
        Some(Kind::Merge(_) | Kind::Diff(_) | Kind::Passthrough(_)) | None => {}
    }
}

fn describe_build(text: &mut Text, build: &pb::BuildOp, inputs: &Shown) {
    let pb::BuildOp { builder, inputs: named, def, attrs } = build;
    text.fact("builder", inputs.get(*builder));
    for (name, pb::BuildInput { input }) in named {
        text.fact("input", format_args!("{name} = {}", inputs.get(*input)));
    }
    text.facts(attrs);
    if let Some(def) = def {
        let ops = def.def.len();
        text.fact("definition", format_args!("{ops} ops, {}", digest(&def.encode_to_vec())));
    }
}

fn describe_metadata(text: &mut Text, metadata: &pb::OpMetadata) {
    let pb::OpMetadata {
        ignore_cache,
        description,
        export_cache,
        // They follow from the op.
        caps: _,
        progress_group,
        linux_resources,
    } = metadata;
    for (key, value) in description {
        let key = if key == CUSTOM_NAME { "name" } else { key };
        text.fact(key, value);
    }
    if *ignore_cache {
        text.fact("ignore cache", true);
    }
    if let Some(pb::ExportCache { value }) = export_cache {
        text.fact("export cache", value);
    }
    if let Some(pb::ProgressGroup { id, name, weak }) = progress_group {
        let weak = if *weak { ", weak" } else { "" };
        text.fact("progress group", format_args!("{id} = {name}{weak}"));
    }
    if let Some(resources) = linux_resources {
        let pb::LinuxResources { memory, memory_swap, cpu_shares, cpu_period, cpu_quota, cpuset_cpus, cpuset_mems } =
            resources;
        text.fact("memory", format_args!("{memory}, with swap {memory_swap}"));
        text.fact("cpu", format_args!("shares {cpu_shares}, {cpu_quota} of {cpu_period}"));
        text.optional("cpus", cpuset_cpus);
        text.optional("memory nodes", cpuset_mems);
    }
}

fn describe_places(text: &mut Text, source: &pb::Source, digest: &str) {
    let places = source.locations.get(digest).into_iter().flat_map(|places| &places.locations);
    for pb::Location { source_index, ranges } in places {
        let info = usize::try_from(*source_index).ok().and_then(|index| source.infos.get(index));
        let name = info.map_or("?", |info| info.filename.as_str());
        for pb::Range { start, end } in ranges {
            let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
            let position = |pb::Position { line, character }| match character {
                0 => line.to_string(),
                _ => format!("{line}:{character}"),
            };
            text.fact("from", format_args!("{name} {}-{}", position(start), position(end)));
        }
    }
}
