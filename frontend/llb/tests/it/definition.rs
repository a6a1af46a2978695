//! Definitions: order, equal vertices, metadata, places in source files.

use std::collections::BTreeSet;

use buildkit_llb::{Annotate, Diff, Exec, File, FileAction, Lines, Merge, Output, ProgressGroup, Source, SourceFile};
use buildkit_proto::pb;
use prost::Message as _;

use crate::sample;

fn marshal(output: &Output) -> pb::Definition {
    output.marshal().unwrap().into()
}

fn image(name: &str) -> buildkit_llb::Image {
    Source::image(format!("example.org/{name}:1"), sample::amd64())
}

fn metadata<'a>(definition: &'a pb::Definition, output: &Output) -> &'a pb::OpMetadata {
    &definition.metadata[output.digest().unwrap()]
}

/// The digests of the ops, in their order; the terminal op is the last.
pub(crate) fn digests(definition: &pb::Definition) -> Vec<String> {
    let digest = |bytes: &Vec<u8>| {
        use sha2::Digest as _;
        let hex: Vec<String> = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{}", hex.concat())
    };
    definition.def.iter().map(digest).collect()
}

/// What a daemon expects: inputs before users, each op once, one terminal op, metadata for all.
pub(crate) fn assert_whole(definition: &pb::Definition) {
    let digests = digests(definition);
    let mut known = BTreeSet::new();
    for (position, (digest, bytes)) in digests.iter().zip(&definition.def).enumerate() {
        let op = pb::Op::decode(bytes.as_slice()).unwrap();
        for input in &op.inputs {
            assert!(known.contains(&input.digest), "op {position} comes before its input");
        }
        let is_last = position + 1 == digests.len();
        assert_eq!(op.op.is_none(), is_last, "op {position}");
        assert!(!is_last || op.inputs.len() == 1);
        assert!(definition.metadata.contains_key(digest), "op {position} has no metadata");
        assert!(known.insert(digest.clone()), "op {position} is there twice");
    }
    assert_eq!(definition.metadata.len(), digests.len());
}

#[test]
fn inputs_come_before_users_and_every_op_has_metadata() {
    assert_whole(&marshal(&sample::graph().unwrap()));
}

#[test]
fn equal_ops_are_one_vertex() {
    let (one, two) = (image("a").output().unwrap(), image("a").output().unwrap());
    assert_eq!(one, two);
    let definition = marshal(&Merge::of([one, two]).output());
    assert_whole(&definition);
    assert_eq!(definition.def.len(), 3);
}

#[test]
fn annotations_of_equal_vertices_are_united_and_the_first_wins() {
    let file = SourceFile::new("a.toml", "TOML", "a");
    let first = image("a")
        .name("first")
        .description("a", "1")
        .progress_group(ProgressGroup::new("1", "one"))
        .location(&file, [1])
        .output()
        .unwrap();
    let second = image("a")
        .name("second")
        .description("b", "2")
        .progress_group(ProgressGroup::new("2", "two"))
        .export_cache(false)
        .ignore_cache()
        .location(&file, [1])
        .location(&file, [Lines::from(2..=3)])
        .output()
        .unwrap();
    let definition = marshal(&Merge::of([&first, &second]).output());
    let united = metadata(&definition, &first);
    assert!(united.ignore_cache);
    assert_eq!(united.description["llb.customname"], "first");
    assert_eq!((&united.description["a"][..], &united.description["b"][..]), ("1", "2"));
    assert_eq!(united.progress_group.as_ref().unwrap().id, "1");
    assert_eq!(united.export_cache, Some(pb::ExportCache { value: false }));
    let places = &definition.source.unwrap().locations[first.digest().unwrap()];
    let lines: Vec<_> = places.locations.iter().map(|place| place.ranges[0].start.unwrap().line).collect();
    assert_eq!(lines, [1, 2]);

    let definition = marshal(&Merge::of([&second, &first]).output());
    assert_eq!(metadata(&definition, &first).description["llb.customname"], "second");
}

#[test]
fn source_files_are_numbered_once_in_order() {
    let one = || SourceFile::new("one", "TOML", "1");
    let two = SourceFile::new("two", "TOML", "2");
    let a = image("a").location(&two, [1]).output().unwrap();
    let b = image("b").location(&one(), [7]).location(&two, [2]).output().unwrap();
    let c = image("c").location(&one(), [8]).output().unwrap();
    let source = marshal(&Merge::of([&a, &b, &c]).output()).source.unwrap();
    let names: Vec<_> = source.infos.iter().map(|info| info.filename.as_str()).collect();
    assert_eq!(names, ["two", "one"]);
    let files = |output: &Output| -> Vec<_> {
        let places = &source.locations[output.digest().unwrap()].locations;
        places.iter().map(|place| place.source_index).collect()
    };
    assert_eq!((files(&a), files(&b), files(&c)), (vec![0], vec![1, 0], vec![1]));
}

#[test]
fn a_merge_of_one_and_a_difference_from_nothing_are_their_input() {
    let image = image("a").output().unwrap();
    let scratch = Output::scratch();
    assert_eq!(Merge::of([&scratch, &image, &scratch]).name("merge").output(), image);
    assert_eq!(Diff::between(&scratch, &image).output(), image);
    assert!(Merge::of([&scratch]).output().is_scratch());
    assert!(Diff::between(&scratch, &scratch).output().is_scratch());
    assert!(!Diff::between(&image, &scratch).output().is_scratch());
}

#[test]
fn outputs_of_one_exec_are_told_apart() {
    let exec = Exec::new(["true"], sample::amd64())
        .root(Output::scratch())
        .mount(buildkit_llb::Mount::output("/out"))
        .build()
        .unwrap();
    let (root, out) = (exec.output("/").unwrap(), exec.output("/out").unwrap());
    assert_ne!(root, out);
    assert_eq!(root.digest(), out.digest());
    let definition = marshal(&Merge::of([&root, &out]).output());
    // One exec, one merge, one terminal op.
    assert_eq!(definition.def.len(), 3);
    let merge = pb::Op::decode(definition.def[1].as_slice()).unwrap();
    assert_eq!(merge.inputs.iter().map(|input| input.index).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn long_chains_need_no_deep_stack() {
    let build = || {
        let mut tree = Output::scratch();
        for _ in 0..50_000 {
            tree = File::on(tree).then(FileAction::mkdir("/a")).output().unwrap();
        }
        let definition = marshal(&tree);
        let again = Output::from_definition(&definition).unwrap();
        assert_eq!(again, tree);
        assert_eq!(definition.def.len(), 50_001);
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(build).unwrap().join().unwrap();
}
