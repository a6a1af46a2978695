//! Building on definitions that others have made.

use buildkit_llb::{Annotate, File, FileAction, Merge, Output, Source, SpliceError};
use buildkit_proto::pb;
use prost::Message as _;

use crate::definition::{assert_whole, digests};
use crate::sample;

fn graph() -> pb::Definition {
    sample::graph().unwrap().marshal().unwrap().into()
}

fn read(definition: &pb::Definition) -> Result<Output, SpliceError> {
    Output::from_definition(definition)
}

/// A definition of these ops and of a terminal op that names the last of them.
pub(crate) fn definition_of(mut def: Vec<Vec<u8>>) -> pb::Definition {
    let mut definition = pb::Definition { def: def.clone(), ..pb::Definition::default() };
    let digest = digests(&definition).pop().unwrap();
    let result = pb::Op { inputs: vec![pb::Input { digest, index: 0 }], ..pb::Op::default() };
    def.push(result.encode_to_vec());
    definition.def = def;
    definition
}

#[track_caller]
fn refused(definition: &pb::Definition, message: &str) {
    let error = read(definition).unwrap_err().to_string();
    assert!(error.starts_with(message), "{error}");
}

#[test]
fn what_is_read_is_what_was_written() {
    let definition = graph();
    let output = read(&definition).unwrap();
    assert_eq!(output, sample::graph().unwrap());
    assert_eq!(pb::Definition::from(output.marshal().unwrap()), definition);
}

#[test]
fn what_is_read_can_be_built_on() {
    let definition = graph();
    let before = read(&definition).unwrap();
    let context = Source::local("context", "session").output().unwrap();
    let after = File::on(&before).then(FileAction::copy(context, "/", "/more")).output().unwrap();
    let merged = Merge::of([&before, &after]).name("again").output().marshal().unwrap();
    let merged = merged.as_pb();
    assert_whole(merged);

    let spliced = &definition.def[..definition.def.len() - 1];
    assert_eq!(&merged.def[..spliced.len()], spliced);
    for digest in &digests(&definition)[..spliced.len()] {
        assert_eq!(merged.metadata[digest], definition.metadata[digest]);
    }
    assert_eq!(merged.source, definition.source);
}

#[test]
fn ops_of_unknown_kinds_and_fields_are_kept_byte_for_byte() {
    // Field 99 with an empty message.
    let mut op = Vec::new();
    prost::encoding::encode_key(99, prost::encoding::WireType::LengthDelimited, &mut op);
    op.push(0);
    let definition = definition_of(vec![op.clone()]);
    let output = read(&definition).unwrap();
    let again = Merge::of([&output, &sample::graph().unwrap()]).output().marshal().unwrap();
    assert_eq!(again.as_pb().def[0], op);
}

#[test]
fn linux_resources_and_nested_definitions_are_kept() {
    let mut definition = graph();
    let nested = graph();
    for metadata in definition.metadata.values_mut() {
        metadata.linux_resources = Some(pb::LinuxResources { memory: 1 << 30, ..pb::LinuxResources::default() });
    }
    definition.source.as_mut().unwrap().infos[0].definition = Some(nested.clone());
    let again = read(&definition).unwrap().marshal().unwrap();
    let again = again.as_pb();
    assert_eq!(again.source.as_ref().unwrap().infos[0].definition, Some(nested));
    for digest in digests(&definition).iter().rev().skip(1) {
        assert_eq!(again.metadata[digest], definition.metadata[digest]);
    }
}

#[test]
fn metadata_may_be_missing_and_order_may_be_any() {
    let mut definition = graph();
    definition.metadata.clear();
    definition.source = None;
    let last = definition.def.len() - 1;
    definition.def[..last].reverse();
    let output = read(&definition).unwrap();
    assert_eq!(output, sample::graph().unwrap());
    assert_whole(output.marshal().unwrap().as_pb());
}

#[test]
fn a_definition_without_ops_is_the_empty_file_system() {
    assert!(read(&pb::Definition::default()).unwrap().is_scratch());
}

#[test]
fn what_is_no_whole_definition_is_refused() {
    let whole = graph();

    let mut broken = whole.clone();
    broken.def[1].truncate(5);
    refused(&broken, "op 1 of the definition cannot be decoded: ");

    let mut headless = whole.clone();
    headless.def.pop();
    refused(&headless, "the definition does not end in an op that names its result");

    let mut nameless = whole.clone();
    *nameless.def.last_mut().unwrap() = Vec::new();
    refused(&nameless, "the definition does not end in an op that names its result");

    let mut incomplete = whole.clone();
    let missing = digests(&whole).remove(0);
    incomplete.def.remove(0);
    refused(&incomplete, &format!("the definition refers to {missing}, which is not in it"));

    let mut negative = whole.clone();
    let digest = digests(&whole).remove(0);
    let input = pb::Input { digest: digest.clone(), index: -1 };
    *negative.def.last_mut().unwrap() = pb::Op { inputs: vec![input], ..pb::Op::default() }.encode_to_vec();
    refused(&negative, &format!("the definition refers to output -1 of {digest}"));

    let mut fileless = whole;
    fileless.source.as_mut().unwrap().infos.clear();
    let message = read(&fileless).unwrap_err().to_string();
    assert!(message.ends_with(" comes from its source file 0, which is not in it"), "{message}");
}
