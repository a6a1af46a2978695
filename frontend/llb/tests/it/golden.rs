//! Ops have the bytes that Go's deterministic encoder writes for them.
//!
//! `../golden/main.go` encodes the same ops by hand; `../golden/generate.sh` runs it and writes `../golden/ops.txt`.

use std::collections::BTreeMap;

use buildkit_llb::{
    Annotate, Diff, Differ, Error, Exec, File, FileAction, Merge, Mount, Network, Output, Owner, Platform, ProxyEnv,
    ResolveMode, Security, Sharing, Source,
};
use buildkit_proto::pb;
use buildkit_proto::pb::op::Op as Kind;
use prost::Message as _;

use crate::definition::digests;

const SHA256: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const EPOCH: u64 = 315_532_800;

struct Op {
    digest: String,
    bytes: Vec<u8>,
}

/// What Go wrote, by name.
fn written_by_go() -> BTreeMap<&'static str, Op> {
    let lines = include_str!("../golden/ops.txt").lines();
    let parse = |line: &'static str| {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let digest = words.next().unwrap().to_owned();
        let hex = words.next().unwrap();
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes = (0..hex.len()).step_by(2).map(byte).collect();
        (name, Op { digest, bytes })
    };
    lines.map(parse).collect()
}

/// The op that yields this output.
fn op(output: &Output) -> Op {
    let definition = output.marshal().unwrap();
    let bytes = definition.as_pb().def.iter().rev().nth(1).unwrap().clone();
    Op { digest: output.digest().unwrap().to_owned(), bytes }
}

fn amd64() -> Platform {
    Platform::new("linux", "amd64")
}

fn image() -> Result<Output, Error> {
    Source::image("docker.io/library/alpine:3.20", amd64()).output()
}

fn local() -> Result<Output, Error> {
    Source::local("context", "session")
        .include_patterns(["b", "a/**", "ünïcode", "with \"quotes\" and \\"])
        .exclude_patterns(["**/*.pyc", "!keep.pyc"])
        .follow_paths(["pyproject.toml"])
        .shared_key_hint("hint")
        .differ(Differ::None)
        .output()
}

fn exec_on_scratch() -> Result<Output, Error> {
    Exec::new(["true"], amd64()).root(Output::scratch()).build()?.output("/")
}

fn exec(dest: &str) -> Result<Output, Error> {
    let (image, tool) = (image()?, exec_on_scratch()?);
    Exec::new(["/bin/sh", "-c", "", "exit 3"], Platform::new("linux", "arm64").variant("v8"))
        .root(&image)
        .mount(Mount::bind(&image, "/writable"))
        .mount(Mount::output("/out"))
        .mount(Mount::bind_readonly(&tool, "/readonly").selector("/usr/bin/tool"))
        .mount(Mount::bind_discarded(&tool, "/discarded"))
        .mount(Mount::cache("/cache/locked", "cache-1").sharing(Sharing::Locked))
        .mount(Mount::cache("/cache/private", "cache-2").sharing(Sharing::Private))
        .mount(Mount::cache("/cache/shared", "cache-3"))
        .mount(Mount::tmpfs("/memory"))
        .mount(Mount::tmpfs("/memory-with-size").size(1 << 40))
        .mount(Mount::secret("/run/secrets/a", "a"))
        .mount(Mount::secret("/run/secrets/b", "b").owner(1, u32::MAX).mode(0o444).optional())
        .mount(Mount::ssh("/run/ssh", "default").owner(1, 2).mode(0o600).optional())
        .env("PATH", "/bin")
        .env("A", "1")
        .env("EMPTY", "")
        .secret_env("SECRET_1", "id-1")
        .optional_secret_env("SECRET_2", "id-2")
        .cwd("/work")
        .user("1000:1000")
        .hostname("builder")
        .extra_host("b", "::1".parse().unwrap())
        .extra_host("a", "127.0.0.1".parse().unwrap())
        .ulimit("nofile", 1024, 4096)
        .ulimit("core", 0, -1)
        .cgroup_parent("parent")
        .proxy(ProxyEnv {
            http_proxy: "http://proxy.example.org".into(),
            no_proxy: "localhost".into(),
            ..ProxyEnv::default()
        })
        .network(Network::None)
        .security(Security::Insecure)
        .valid_exit_codes([255, 0, 3])
        .build()?
        .output(dest)
}

fn file() -> Result<Output, Error> {
    let copy = FileAction::copy(local()?, "/", "/app/")
        .owner(Owner::new("app", "staff"))
        .mode(0o644)
        .timestamp(EPOCH)
        .follow_link()
        .contents()
        .unpack()
        .make_parents()
        .wildcard_or_nothing()
        .replace()
        .include_patterns(["src/**", "a"])
        .exclude_patterns(["**/*.pyc", "!b.pyc"])
        .required_paths(["src/a"]);
    let mkdir = FileAction::mkdir("/app").make_parents().owner(Owner::new(1000, 0)).timestamp(EPOCH);
    let binary = FileAction::mkfile("/app/binary", [0, 255, 10, 13]).mode(0o600).owner(Owner::new(u32::MAX, "staff"));
    File::on(exec("/")?)
        .then(mkdir)
        .then(copy)
        .then(FileAction::copy(exec("/writable")?, "/a", "/b"))
        .then(FileAction::mkfile("/app/empty", ""))
        .then(binary)
        .then(FileAction::symlink("../target", "/app/link").owner(Owner::new(0, 0)))
        .then(FileAction::rm("/tmp/*").allow_missing().wildcard())
        .output()
}

fn merge() -> Result<Output, Error> {
    Ok(Merge::of([image()?, exec("/out")?, Output::scratch(), file()?, image()?]).output())
}

fn image_with_options() -> Result<Output, Error> {
    let windows = Platform {
        os_version: "10.0.17763".into(),
        os_features: vec!["win32k".into(), "b".into()],
        ..Platform::new("windows", "arm").variant("v7")
    };
    Source::image("example.org:5000/a/b:c", windows).resolve_mode(ResolveMode::Pull).internal().output()
}

fn oci_layout() -> Result<Output, Error> {
    Source::oci_layout(format!("layout@{SHA256}"), amd64()).store("session", "name").output()
}

fn git() -> Result<Output, Error> {
    Source::git("git@example.org:a/b.git")
        .reference("v1")
        .folder("sub/folder")
        .commit("0123456789abcdef0123456789abcdef01234567")
        .keep_git_dir()
        .skip_submodules()
        .auth_token_secret("token")
        .known_ssh_hosts("example.org ssh-ed25519 AAAA\n")
        .output()
}

fn http() -> Result<Output, Error> {
    Source::http("https://example.org/a-1.0-py3-none-any.whl")
        .checksum(SHA256)
        .filename("a-1.0-py3-none-any.whl")
        .mode(0o644)
        .owner(1000, u32::MAX)
        .auth_header_secret("auth")
        .output()
}

fn file_with_zeros() -> Result<Output, Error> {
    File::on(Output::scratch())
        .then(FileAction::mkdir("/a").mode(0).timestamp(0))
        .then(FileAction::copy(Output::scratch(), "/", "/a").mode(0).timestamp(0))
        .output()
}

fn outputs() -> Result<Vec<(&'static str, Output)>, Error> {
    Ok(vec![
        ("image", image()?),
        ("image-with-options", image_with_options()?),
        ("oci-layout", oci_layout()?),
        ("local", local()?),
        ("git", git()?),
        ("http", http()?),
        ("exec-on-scratch", exec_on_scratch()?),
        ("exec", exec("/")?),
        ("file", file()?),
        ("file-with-zeros", file_with_zeros()?),
        ("merge", merge()?),
        ("diff", Diff::between(image()?, merge()?).output()),
        ("diff-to-scratch", Diff::between(image()?, Output::scratch()).output()),
    ])
}

/// One graph with all of them.
pub(crate) fn all() -> Result<Output, Error> {
    Ok(Merge::of(outputs()?.into_iter().map(|(_, output)| output)).output())
}

/// The same ops by the builders.
fn built() -> Result<BTreeMap<&'static str, Op>, Error> {
    let mut ops: BTreeMap<_, _> = outputs()?.iter().map(|(name, output)| (*name, op(output))).collect();
    let definition = exec("/writable")?.marshal()?;
    let bytes = definition.as_pb().def.last().unwrap().clone();
    let digest = digests(definition.as_pb()).pop().unwrap();
    ops.insert("result", Op { digest, bytes });
    Ok(ops)
}

#[test]
fn ops_have_the_bytes_that_go_writes() {
    let mut go = written_by_go();
    go.retain(|name, _| !name.starts_with("raw-") && !name.starts_with("differs-"));
    let ours = built().unwrap();
    assert_eq!(ours.keys().collect::<Vec<_>>(), go.keys().collect::<Vec<_>>());
    for (name, op) in ours {
        let read = |bytes: &[u8]| pb::Op::decode(bytes).unwrap();
        assert_eq!(read(&op.bytes), read(&go[name].bytes), "{name} means something else");
        assert_eq!(op.bytes, go[name].bytes, "{name} has other bytes");
        assert_eq!(op.digest, go[name].digest, "{name} has another digest");
    }
}

/// Only with our own order of fields does the encoding agree; see `vertex::encode`. The other cases of
/// `differs-` cannot be made with the builders: they set no map but the attributes of sources, and those
/// they do not leave empty.
#[test]
fn prost_alone_agrees_with_go_but_for_oneofs_and_empty_map_entries() {
    for (name, op) in written_by_go() {
        let again = pb::Op::decode(op.bytes.as_slice()).unwrap().encode_to_vec();
        if name.starts_with("raw-") {
            assert_eq!(again, op.bytes, "{name}");
        }
        if name.starts_with("differs-") {
            assert_ne!(again, op.bytes, "{name}");
        }
    }
}

#[test]
fn an_empty_attribute_cannot_be_built() {
    let empty = [
        Source::local("", "session").output(),
        Source::local("context", "").output(),
        Source::local("context", "session").shared_key_hint("").output(),
        Source::git("https://example.org/a").auth_token_secret("").output(),
        Source::git("https://example.org/a").known_ssh_hosts("").output(),
        Source::http("https://example.org/a").filename("").output(),
        Source::http("https://example.org/a").auth_header_secret("").output(),
        Source::oci_layout(format!("a@{SHA256}"), amd64()).store("", "name").output(),
    ];
    for output in empty {
        assert!(matches!(output, Err(Error::Empty { .. })), "{output:?}");
    }
    // An empty list is no attribute at all.
    let output = Source::local("context", "session").include_patterns([""; 0]).output().unwrap();
    let Some(Kind::Source(source)) = pb::Op::decode(op(&output).bytes.as_slice()).unwrap().op else {
        panic!("not a source");
    };
    assert_eq!(source.attrs.keys().collect::<Vec<_>>(), ["local.session"]);
}

#[test]
fn names_are_no_part_of_the_bytes() {
    let named = Source::image("docker.io/library/alpine:3.20", amd64()).name("base").ignore_cache().output();
    assert_eq!(named, image());
}
