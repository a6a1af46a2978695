//! Capabilities: what each feature needs, and what is said if a daemon lacks it.

use std::collections::BTreeSet;

use buildkit_llb::{
    Annotate, Caps, Diff, Differ, Exec, File, FileAction, Merge, Mount, Network, Output, ProxyEnv, ResolveMode,
    Security, Source, cap,
};
use buildkit_proto::caps::ApiCap;

use crate::sample;

fn enabled(id: &str) -> ApiCap {
    ApiCap { id: id.into(), enabled: true, ..ApiCap::default() }
}

/// What an op needs beside what all ops of its kind need.
fn needs(output: Result<Output, buildkit_llb::Error>) -> BTreeSet<String> {
    let definition = output.unwrap().marshal().unwrap();
    let always = [cap::CONSTRAINTS, cap::PLATFORM, cap::FILE_BASE, cap::EXEC_META_BASE, cap::EXEC_MOUNT_BIND];
    let needs = definition.required_caps().into_keys();
    needs.filter(|id| !always.contains(&id.as_str())).collect()
}

#[track_caller]
fn assert_needs(output: Result<Output, buildkit_llb::Error>, caps: &[&str]) {
    let caps: BTreeSet<String> = caps.iter().map(|&id| id.to_owned()).collect();
    assert_eq!(needs(output), caps);
}

#[test]
fn sources_need_what_they_use() {
    let image = || Source::image("docker.io/library/alpine:3.20", sample::amd64());
    assert_needs(image().resolve_mode(ResolveMode::Local).output(), &["source.image"]);
    assert_needs(image().resolve_mode(ResolveMode::Pull).output(), &["source.image", "source.image.resolvemode"]);
    let digest = format!("a@sha256:{}", "0".repeat(64));
    assert_needs(Source::oci_layout(digest, sample::amd64()).output(), &["source.ocilayout"]);

    let local = || Source::local("context", "session");
    let always = ["source.local", "source.local.sessionid"];
    assert_needs(local().include_patterns([""; 0]).output(), &always);
    for (local, cap) in [
        (local().include_patterns(["a"]), "source.local.includepatterns"),
        (local().exclude_patterns(["a"]), "source.local.excludepatterns"),
        (local().follow_paths(["a"]), "source.local.followpaths"),
        (local().shared_key_hint("a"), "source.local.sharedkeyhint"),
        (local().differ(Differ::Metadata), "source.local.differ"),
    ] {
        assert_needs(local.output(), &[always[0], always[1], cap]);
    }

    let git = || Source::git("https://example.org/a");
    let always = ["source.git", "source.git.fullurl"];
    assert_needs(git().reference("main").output(), &always);
    for (git, cap) in [
        (git().folder("a"), "source.git.subdir"),
        (git().commit("0".repeat(40)), "source.git.checksum"),
        (git().keep_git_dir(), "source.git.keepgitdir"),
        (git().skip_submodules(), "source.git.skipsubmodules"),
        (git().auth_token_secret("a"), "source.git.httpauth"),
        (git().auth_header_secret("a"), "source.git.httpauth"),
        (git().known_ssh_hosts("a"), "source.git.knownsshhosts"),
        (Source::git("git@example.org:a"), "source.git.mountsshsock"),
    ] {
        assert_needs(git.output(), &[always[0], always[1], cap]);
    }

    let http = || Source::http("https://example.org/a");
    assert_needs(http().filename("a").owner(0, 0).output(), &["source.http"]);
    for (http, cap) in [
        (http().checksum(format!("sha256:{}", "0".repeat(64))), "source.http.checksum"),
        (http().mode(0o644), "source.http.perm"),
        (http().owner(0, 1), "soruce.http.uidgid"),
        (http().auth_header_secret("a"), "source.http.auth"),
    ] {
        assert_needs(http.output(), &["source.http", cap]);
    }
}

#[test]
fn execs_need_what_they_use() {
    let exec = || Exec::new(["true"], sample::amd64()).root(Output::scratch());
    let root = |exec: Exec| exec.build().and_then(|exec| exec.output("/"));
    assert_needs(root(exec().network(Network::Sandbox).mount(Mount::output("/a"))), &[]);
    let part = Mount::bind_readonly(Output::scratch(), "/a").selector("/b");
    let uses: [(Exec, &[&str]); 16] = [
        (exec().network(Network::None), &["exec.meta.network"]),
        (exec().network(Network::Host), &["exec.meta.network"]),
        (exec().security(Security::Insecure), &["exec.meta.security"]),
        (exec().proxy(ProxyEnv::default()), &["exec.meta.proxyenv"]),
        (exec().ulimit("core", 0, 0), &["exec.meta.ulimit"]),
        (exec().cgroup_parent("a"), &["exec.meta.cgroup.parent"]),
        (exec().valid_exit_codes([0]), &["exec.validexitcode"]),
        (exec().secret_env("A", "a"), &["exec.secretenv"]),
        (exec().mount(part), &["exec.mount.selector"]),
        (exec().mount(Mount::bind_discarded(Output::scratch(), "/a")), &["exec.mount.bind.readwrite-nooutput"]),
        (exec().mount(Mount::cache("/a", "a")), &["exec.mount.cache", "exec.mount.cache.sharing"]),
        (exec().mount(Mount::tmpfs("/a")), &["exec.mount.tmpfs"]),
        (exec().mount(Mount::tmpfs("/a").size(1)), &["exec.mount.tmpfs", "exec.mount.tmpfs.size"]),
        (exec().mount(Mount::secret("/a", "a")), &["exec.mount.secret"]),
        (exec().mount(Mount::ssh("/a", "a")), &["exec.mount.ssh"]),
        (exec().hostname("a").extra_host("a", "::1".parse().unwrap()), &[]),
    ];
    for (exec, caps) in uses {
        assert_needs(root(exec), caps);
    }
}

#[test]
fn file_ops_and_combinations_need_what_they_use() {
    let file = |action: FileAction| File::on(Output::scratch()).then(action).output();
    let copy = || FileAction::copy(Output::scratch(), "/a", "/b");
    let patterns = "file.copy.includeexcludepatterns";
    let uses: [(FileAction, &[&str]); 7] = [
        (copy().wildcard().into(), &[]),
        (copy().include_patterns(["a"]).into(), &[patterns]),
        (copy().exclude_patterns(["a"]).into(), &[patterns]),
        (copy().include_patterns(["a"]).required_paths(["a"]).into(), &[patterns, "file.copy.requiredpaths"]),
        (copy().replace().into(), &["file.copy.alwaysreplaceexistingdestpaths"]),
        (FileAction::rm("/a").wildcard().into(), &["file.rm.wildcard"]),
        (FileAction::symlink("a", "/b").into(), &["file.symlink.create"]),
    ];
    for (action, caps) in uses {
        assert_needs(file(action), caps);
    }

    let one = || File::on(Output::scratch()).then(FileAction::mkdir("/a")).output();
    let two = || File::on(Output::scratch()).then(FileAction::mkdir("/b")).output();
    assert_needs(Ok(Merge::of([one().unwrap(), two().unwrap()]).output()), &["mergeop"]);
    assert_needs(Ok(Diff::between(one().unwrap(), two().unwrap()).output()), &["diffop"]);
}

#[test]
fn annotations_need_what_they_use() {
    let file = || File::on(Output::scratch()).then(FileAction::mkdir("/a"));
    assert_needs(file().name("a").output(), &["meta.description"]);
    assert_needs(file().ignore_cache().output(), &["meta.ignorecache"]);
    assert_needs(file().export_cache(true).output(), &["meta.exportcache"]);
}

#[test]
fn a_capability_is_there_only_if_it_is_enabled() {
    let disabled = ApiCap { id: "diffop".into(), ..ApiCap::default() };
    let caps: Caps = [enabled("mergeop"), disabled].into_iter().collect();
    assert!(caps.has(cap::MERGE_OP));
    assert!(!caps.has(cap::DIFF_OP));
    assert!(!caps.has("unheard.of"));
}

#[test]
fn what_is_missing_is_named_with_the_vertices_that_need_it() {
    let definition = sample::graph().unwrap().marshal().unwrap();
    let all: Vec<ApiCap> = definition.required_caps().keys().map(|id| enabled(id)).collect();
    assert_eq!(definition.check(&all.iter().cloned().collect()), Ok(()));

    let mut some = all;
    some.retain(|cap| cap.id != cap::EXEC_MOUNT_CACHE && cap.id != cap::SOURCE_LOCAL);
    for cap in &mut some {
        if cap.id == cap::MERGE_OP {
            cap.enabled = false;
            cap.disabled_reason_msg = "not with this storage".into();
        }
    }
    let error = definition.check(&some.into_iter().collect()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this BuildKit daemon cannot run the graph:\
         \ncapability exec.mount.cache (this version does not know it), needed by `[a] install`, `[b] install`\
         \ncapability mergeop (it is disabled: not with this storage), needed by `assemble`\
         \ncapability source.local (this version does not know it), needed by `local://context`"
    );
}

#[test]
fn of_many_vertices_only_some_are_named() {
    let steps = (0..5).map(|step| {
        let mkdir = FileAction::mkdir(format!("/{step}"));
        File::on(Output::scratch()).then(mkdir).output().unwrap()
    });
    let definition = Merge::of(steps).output().marshal().unwrap();
    let caps = ["mergeop", "constraints", "platform"].into_iter().map(enabled).collect();
    assert_eq!(
        definition.check(&caps).unwrap_err().to_string(),
        "this BuildKit daemon cannot run the graph:\
         \ncapability file.base (this version does not know it), needed by `mkdir /0`, `mkdir /1`, `mkdir /2` and 2 more"
    );
}
