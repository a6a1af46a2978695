//! Random small graphs.

use buildkit_llb::{Annotate, Caps, Diff, Exec, File, FileAction, Merge, Mount, Output, Owner, Source};
use buildkit_proto::pb;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message as _;

use crate::definition::assert_whole;
use crate::sample;
use crate::splice::definition_of;

/// How to make an op from the outputs that are there already; numbers pick among them.
#[derive(Debug, Clone)]
enum Step {
    Image(u8),
    Local(Vec<String>),
    Exec { root: usize, mounts: Vec<(usize, u8)>, env: Vec<(u8, String)> },
    File { base: usize, source: usize, mode: u32, time: u64, owner: u32, data: Vec<u8> },
    Merge(Vec<usize>),
    Diff(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let pick = any::<usize>();
    prop_oneof![
        any::<u8>().prop_map(Step::Image),
        prop::collection::vec(".*", 0..3).prop_map(Step::Local),
        (pick, prop::collection::vec((pick, any::<u8>()), 0..4), prop::collection::vec((any::<u8>(), ".*"), 0..3))
            .prop_map(|(root, mounts, env)| Step::Exec { root, mounts, env }),
        (pick, pick, 0..=0o777_u32, 0..=9_000_000_000_u64, any::<u32>(), prop::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(base, source, mode, time, owner, data)| Step::File { base, source, mode, time, owner, data }),
        prop::collection::vec(pick, 0..5).prop_map(Step::Merge),
        (pick, pick).prop_map(|(lower, upper)| Step::Diff(lower, upper)),
    ]
}

/// A merge of what all steps yield. The first output is the empty file system.
fn build(steps: &[Step]) -> Output {
    let mut outputs = vec![Output::scratch()];
    for (number, step) in steps.iter().enumerate() {
        let pick = |at: &usize| outputs[at % outputs.len()].clone();
        let output = match step {
            Step::Image(name) => {
                let image = Source::image(format!("example.org/{name}:1"), sample::amd64());
                image.name(format!("step {number}")).output().unwrap()
            }
            Step::Local(patterns) => Source::local("context", "session").include_patterns(patterns).output().unwrap(),
            Step::Exec { root, mounts, env } => {
                let mut exec = Exec::new(["true"], sample::amd64()).root(pick(root));
                for (position, (input, kind)) in mounts.iter().enumerate() {
                    let dest = format!("/{kind}/{position}");
                    exec = match kind % 4 {
                        0 => exec.mount(Mount::bind(pick(input), dest)),
                        1 => exec.mount(Mount::bind_readonly(pick(input), dest).selector("/a")),
                        2 => exec.mount(Mount::cache(dest, "id")),
                        _ => exec.mount(Mount::output(dest)),
                    };
                }
                for (name, value) in env {
                    exec = exec.env(format!("V{name}"), value);
                }
                exec.location(&sample::lock(), [1]).build().unwrap().output("/").unwrap()
            }
            Step::File { base, source, mode, time, owner, data } => File::on(pick(base))
                .then(FileAction::mkfile("/a", data.clone()).mode(*mode).timestamp(*time))
                .then(FileAction::copy(pick(source), "/a", "/b").owner(Owner::new(*owner, 0)))
                .output()
                .unwrap(),
            Step::Merge(inputs) => Merge::of(inputs.iter().map(pick)).output(),
            Step::Diff(lower, upper) => Diff::between(pick(lower), pick(upper)).output(),
        };
        outputs.push(output);
    }
    Merge::of(outputs).output()
}

proptest! {
    #[test]
    fn graphs_are_whole_and_stable_and_survive_being_spliced(steps in prop::collection::vec(step(), 1..20)) {
        let output = build(&steps);
        if output.is_scratch() {
            return Ok(());
        }
        let definition = pb::Definition::from(output.marshal().unwrap());
        assert_whole(&definition);

        let again = pb::Definition::from(build(&steps).marshal().unwrap());
        prop_assert_eq!(again.encode_to_vec(), definition.encode_to_vec());

        let spliced = Output::from_definition(&definition).unwrap();
        prop_assert_eq!(&spliced, &output);
        prop_assert_eq!(pb::Definition::from(spliced.marshal().unwrap()), definition);

        let more = Merge::of([&spliced, &output]).output();
        assert_whole(more.marshal().unwrap().as_pb());
    }

    #[test]
    fn damaged_ops_are_refused_or_shown(
        op in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut def = pb::Definition::from(sample::graph().unwrap().marshal().unwrap()).def;
        def.pop();
        let mut damaged = op.get(&def).clone();
        for (at, byte) in edits {
            *at.get_mut(&mut damaged) = byte;
        }
        def.push(damaged);
        if let Ok(output) = Output::from_definition(&definition_of(def)) {
            let definition = output.marshal().unwrap();
            prop_assert_eq!(Output::from_definition(definition.as_pb()), Ok(output));
            prop_assert!(definition.describe().contains("result "));
            prop_assert!(definition.check(&Caps::default()).is_err());
        }
    }
}
