//! The same graph has the same bytes, however often, in whatever order and in whatever process it is built.

use std::process::Command;

use buildkit_llb::{Exec, File, FileAction, Mount, Output, Source};
use buildkit_proto::pb;
use prost::Message as _;

use crate::sample;

fn encode(output: &Output) -> Vec<u8> {
    pb::Definition::from(output.marshal().unwrap()).encode_to_vec()
}

#[test]
fn encoding_again_gives_the_same_bytes() {
    let graph = sample::graph().unwrap();
    let first = encode(&graph);
    // A map with random order would show after a few rounds.
    for _ in 0..25 {
        assert_eq!(encode(&sample::graph().unwrap()), first);
        assert_eq!(encode(&graph.clone()), first);
    }
}

#[test]
fn another_process_gives_the_same_bytes() {
    const CHILD: &str = "LLB_TEST_CHILD";
    let graph = sample::graph().unwrap();
    let line = format!("graph {:?} {} bytes", graph, encode(&graph).len());
    if std::env::var_os(CHILD).is_some() {
        println!("{line}");
        return;
    }
    for _ in 0..3 {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "determinism::another_process_gives_the_same_bytes", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let printed = String::from_utf8(child.stdout).unwrap();
        assert!(printed.lines().any(|printed| printed.ends_with(&line)), "{line:?} is not in {printed:?}");
    }
}

#[test]
fn order_of_options_does_not_matter() {
    let mounts = || {
        [
            Mount::output("/b").into(),
            Mount::cache("/c", "id").into(),
            Mount::bind_readonly(Output::scratch(), "/d").into(),
            Mount::output("/a").into(),
            Mount::secret("/e", "id").into(),
        ] as [Mount; 5]
    };
    let exec = Exec::new(["true"], sample::amd64());
    let one = mounts().into_iter().fold(exec.clone(), Exec::mount);
    let one = one.env("A", "1").env("B", "2").secret_env("C", "c").secret_env("D", "d");
    let one = one.ulimit("core", 1, 2).ulimit("nofile", 3, 4).valid_exit_codes([0, 1]);
    let one = one.user("u").cwd("/w").root(Output::scratch()).build().unwrap();
    let two = exec.root(Output::scratch()).cwd("/w").user("u");
    let two = two.valid_exit_codes([1, 0, 1]).ulimit("nofile", 3, 4).ulimit("core", 1, 2);
    let two = two.secret_env("D", "d").secret_env("C", "c").env("B", "0").env("A", "1").env("B", "2");
    let two = mounts().into_iter().rev().fold(two, Exec::mount).build().unwrap();
    for dest in ["/", "/a", "/b"] {
        assert_eq!(one.output(dest), two.output(dest));
    }

    let local = || Source::local("context", "session");
    let one = local().include_patterns(["a"]).exclude_patterns(["b"]).shared_key_hint("c");
    let two = local().shared_key_hint("c").exclude_patterns(["b"]).include_patterns(["a"]);
    assert_eq!(one.output(), two.output());

    let copy = || FileAction::copy(Output::scratch(), "/a", "/b");
    let one = File::on(Output::scratch()).then(copy().mode(0o600).contents().timestamp(1));
    let two = File::on(Output::scratch()).then(copy().timestamp(1).contents().mode(0o600));
    assert_eq!(one.output(), two.output());
}

#[test]
fn order_of_inputs_and_actions_matters() {
    let a = FileAction::mkdir("/a");
    let b = FileAction::mkdir("/b");
    let one = File::on(Output::scratch()).then(a.clone()).then(b.clone()).output();
    let two = File::on(Output::scratch()).then(b).then(a).output();
    assert_ne!(one, two);
}
