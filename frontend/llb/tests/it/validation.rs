//! What cannot work is refused before it is encoded, with a message that says what to do.

use buildkit_llb::{Error, Exec, File, FileAction, Merge, Mount, Output, Owner, Platform, Source};

fn scratch() -> Output {
    Output::scratch()
}

fn exec() -> Exec {
    Exec::new(["make", "install"], Platform::new("linux", "amd64")).root(scratch())
}

fn file(action: impl Into<FileAction>) -> Result<Output, Error> {
    File::on(scratch()).then(action).output()
}

#[track_caller]
fn refused<T>(result: Result<T, Error>, message: &str) {
    assert_eq!(result.err().map(|error| error.to_string()).as_deref(), Some(message));
}

#[test]
fn an_exec_needs_a_program_and_a_root() {
    let platform = || Platform::new("linux", "amd64");
    refused(
        Exec::new([""; 0], platform()).root(scratch()).build(),
        "an exec has no arguments: the first one names the program",
    );
    refused(Exec::new(["make"], platform()).build(), "exec `make` has no root file system");
    refused(
        Exec::new(["make"], platform()).root_readonly(scratch()).build(),
        "exec `make` has an empty read-only root file system: make it writable",
    );
}

#[test]
fn paths_of_an_exec_are_absolute_and_clean() {
    refused(exec().cwd("work").build(), "the working folder `work` is not absolute: it must begin with `/`");
    refused(exec().cwd("").build(), "the working folder is empty");
    refused(exec().mount(Mount::tmpfs("tmp")).build(), "the mount point `tmp` is not absolute: it must begin with `/`");
    refused(
        exec().mount(Mount::tmpfs("/a/../b")).build(),
        "the mount point `/a/../b` is not in its shortest form: `.`, `..`, `//` and a slash at the end are not allowed",
    );
    refused(
        exec().mount(Mount::bind_readonly(scratch(), "/a").selector("b")).build(),
        "the selector of a mount `b` is not absolute: it must begin with `/`",
    );
}

#[test]
fn each_place_has_one_mount() {
    refused(
        exec().mount(Mount::tmpfs("/a")).mount(Mount::output("/b")).mount(Mount::secret("/a", "id")).build(),
        "exec `make` has two mounts at `/a`",
    );
    refused(
        exec().mount(Mount::tmpfs("/")).build(),
        "exec `make` has a mount at `/`: that is the place of its root file system",
    );
}

#[test]
fn ids_are_not_empty() {
    refused(exec().mount(Mount::cache("/a", "")).build(), "the id of the cache mount at /a is empty");
    refused(exec().mount(Mount::secret("/a", "")).build(), "the id of the secret at /a is empty");
    refused(exec().mount(Mount::ssh("/a", "")).build(), "the id of the SSH agent at /a is empty");
    refused(exec().secret_env("A", "").build(), "the id of the secret for the variable `A` is empty");
    refused(Source::local("", "session").output(), "the name of a local source is empty");
    refused(Source::local("context", "").output(), "local.session of source local://context is empty");
}

#[test]
fn variables_have_names_and_one_value() {
    refused(
        exec().env("A=B", "c").build(),
        "`A=B` cannot be the name of an environment variable: it is empty or contains `=`",
    );
    refused(
        exec().optional_secret_env("", "id").build(),
        "`` cannot be the name of an environment variable: it is empty or contains `=`",
    );
    refused(
        exec().env("A", "").secret_env("A", "id").build(),
        "exec `make` sets the variable `A` to a text and to a secret",
    );
}

#[test]
fn only_outputs_can_be_asked_for() {
    let exec = exec()
        .mount(Mount::output("/out"))
        .mount(Mount::cache("/cache", "id"))
        .mount(Mount::bind_discarded(scratch(), "/discarded"))
        .build();
    for dest in ["/cache", "/discarded", "/nowhere"] {
        refused(
            exec.clone().and_then(|exec| exec.output(dest)),
            &format!("exec `make` has no output at `{dest}`; it has /, /out"),
        );
    }
}

#[test]
fn modes_times_and_sizes_fit() {
    refused(
        file(FileAction::mkdir("/a").mode(0o4755)),
        "mode 0o4755 of `/a` cannot be applied: BuildKit takes permission bits only, up to 0o777",
    );
    refused(
        file(FileAction::copy(scratch(), "/a", "/b").mode(u32::MAX)),
        "mode 0o37777777777 of `/b` cannot be applied: BuildKit takes permission bits only, up to 0o777",
    );
    refused(
        exec().mount(Mount::secret("/a", "id").mode(0o1000)).build(),
        "mode 0o1000 of `/a` cannot be applied: BuildKit takes permission bits only, up to 0o777",
    );
    refused(
        Source::http("https://example.org/a").mode(0).output(),
        "mode 0o0 of `https://example.org/a` cannot be applied: BuildKit takes permission bits only, up to 0o777",
    );
    refused(
        file(FileAction::mkfile("/a", "").timestamp(10_000_000_000)),
        "the time in seconds 10000000000 is too large",
    );
    refused(
        exec().mount(Mount::tmpfs("/a").size(u64::MAX)).build(),
        "the size of a tmpfs mount 18446744073709551615 is too large",
    );
}

#[test]
fn file_ops_have_actions_with_whole_paths() {
    refused(File::on(scratch()).output(), "a file op has no actions");
    refused(file(FileAction::copy(scratch(), "", "/b")), "the path to copy from is empty");
    refused(file(FileAction::copy(scratch(), "/a", "")), "the path to copy to is empty");
    refused(
        file(FileAction::copy(scratch(), "/a", "b")),
        "the path to copy to `b` is not absolute: it must begin with `/`",
    );
    for (action, what) in [
        (FileAction::from(FileAction::mkdir("a")), "the path of a new folder"),
        (FileAction::mkfile("a", "").into(), "the path of a new file"),
        (FileAction::symlink("b", "a").into(), "the path of a new symbolic link"),
        (FileAction::rm("a").into(), "the path to remove"),
    ] {
        refused(file(action), &format!("{what} `a` is not absolute: it must begin with `/`"));
    }
    refused(file(FileAction::symlink("", "/a")), "the target of the symbolic link /a is empty");
    refused(
        file(FileAction::copy(scratch(), "/a", "/b").required_paths(["c"])),
        "the copy to `/b` requires paths but has no include patterns: BuildKit would not look for them",
    );
}

#[test]
fn names_of_owners_need_a_file_system_that_knows_them() {
    refused(
        file(FileAction::mkdir("/a").owner(Owner::new(0, "staff"))),
        "`/a` is to belong to `staff`, but an empty file system knows no names: use a number",
    );
    refused(file(FileAction::mkdir("/a").owner(Owner::new("", 0))), "the name of the owner of /a is empty");
}

#[test]
fn sources_say_what_they_are() {
    let platform = || Platform::new("linux", "amd64");
    refused(
        Source::image("alpine", platform()).output(),
        "`alpine` is not a full image reference: it needs a registry and a tag or digest, as in `docker.io/library/alpine:3.20`",
    );
    refused(
        Source::oci_layout("a:b", platform()).output(),
        "`a:b` does not pin an image of an OCI layout: it needs a digest, as in `name@sha256:…`",
    );
    for checksum in ["", "sha512:00", "sha256:0123", &format!("sha256:{}", "A".repeat(64))] {
        refused(
            Source::http("https://example.org/a").checksum(checksum).output(),
            &format!("checksum `{checksum}` is not `sha256:` followed by 64 lower-case hexadecimal digits"),
        );
    }
    refused(
        Source::http("ftp://example.org/a").output(),
        "`ftp://example.org/a` is not a URL that an HTTP source can use: it has another scheme",
    );
    refused(
        Source::http("https://user:hunter2@example.org/a").output(),
        "the URL for host `example.org` contains credentials: pass them as a build secret instead",
    );
    for name in ["..", "a/b", "../../etc/passwd"] {
        refused(
            Source::http("https://example.org/a").filename(name).output(),
            &format!("`{name}` is not the name of a file: it contains `/` or is `.` or `..`"),
        );
    }
    let git = || Source::git("https://example.org/a");
    refused(git().commit("v1").output(), "`v1` is not a commit: 40 or 64 lower-case hexadecimal digits are needed");
    refused(git().reference("a:b").output(), "git reference `a:b` contains `:` or `#`");
    refused(
        git().folder("../a").output(),
        "the folder of a git repository `../a` is not in its shortest form: `.`, `..`, `//` and a slash at the end are not allowed",
    );
}

#[test]
fn the_empty_file_system_has_no_definition() {
    refused(
        Merge::of([scratch(), scratch()]).output().marshal(),
        "an empty file system has no definition: return a result without a ref, or make a folder in it with a file op",
    );
}
