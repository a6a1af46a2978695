//! Definitions as text.

use buildkit_llb::{Annotate, File, FileAction, Output};
use buildkit_proto::pb;
use buildkit_proto::pb::op::Op as Kind;
use prost::Message as _;

use crate::definition::digests;
use crate::{golden, sample};

#[test]
fn a_graph_reads_as_a_list_of_its_ops() {
    let definition = sample::graph().unwrap().marshal().unwrap();
    insta::assert_snapshot!(definition.describe());
}

#[test]
fn every_option_is_shown() {
    let definition = golden::all().unwrap().marshal().unwrap();
    insta::assert_snapshot!(definition.describe());
}

#[test]
fn what_only_other_clients_make_is_shown_too() {
    let build = pb::BuildOp {
        builder: -1,
        inputs: [("in".to_owned(), pb::BuildInput { input: 0 })].into(),
        def: Some(sample::graph().unwrap().marshal().unwrap().into()),
        attrs: [("llbbuild.filename".to_owned(), "file".to_owned())].into(),
    };
    let passthrough = pb::PassthroughOp { id: "gate".into(), outputs: vec![1, 0] };
    let mut definition = pb::Definition::default();
    for op in [Kind::Build(build), Kind::Passthrough(passthrough)] {
        let inputs = digests(&definition).into_iter().map(|digest| pb::Input { digest, index: 2 });
        let constraints = pb::WorkerConstraints { filter: vec!["label==value".into()] };
        let op = pb::Op { inputs: inputs.collect(), op: Some(op), constraints: Some(constraints), ..pb::Op::default() };
        definition.def.push(op.encode_to_vec());
    }
    let digest = digests(&definition).pop().unwrap();
    let resources = pb::LinuxResources { memory: 1 << 30, cpuset_cpus: "0-2".into(), ..Default::default() };
    let metadata = pb::OpMetadata { linux_resources: Some(resources), ..Default::default() };
    definition.metadata.insert(digest.clone(), metadata);
    let result = pb::Op { inputs: vec![pb::Input { digest, index: 0 }], ..pb::Op::default() };
    definition.def.push(result.encode_to_vec());
    let output = Output::from_definition(&definition).unwrap();
    insta::assert_snapshot!(output.marshal().unwrap().describe());
}

#[test]
fn a_value_cannot_look_like_a_line_of_its_own() {
    let output = File::on(Output::scratch())
        .then(FileAction::mkfile("/a", "one\n#9 two\n"))
        .name("three\n#9 four")
        .output()
        .unwrap();
    assert_eq!(
        output.marshal().unwrap().describe(),
        "#0 file\n   name: three\\n#9 four\n   action 0: on scratch, output 0\n   mkfile: /a\n   mode: 644\n   | one\n   | #9 two\n   |\n#1 result #0\n"
    );
}
