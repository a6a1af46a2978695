/// Why an op cannot be built. Nothing is encoded in such a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A text that BuildKit would take for "not given", or would share between all that leave it empty.
    #[error("{what} is empty")]
    Empty {
        /// What is empty.
        what: String,
    },
    /// A path that does not begin with `/`.
    #[error("{what} `{path}` is not absolute: it must begin with `/`")]
    RelativePath {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: String,
    },
    /// A path with `.`, `..`, an empty component or a slash at the end, where each place must have one spelling.
    #[error("{what} `{path}` is not in its shortest form: `.`, `..`, `//` and a slash at the end are not allowed")]
    UncleanPath {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: String,
    },
    /// A number that does not fit into the field that BuildKit has for it.
    #[error("{what} {value} is too large")]
    TooLarge {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// Permissions beyond the nine bits that BuildKit applies, or a zero that it would take for "not given".
    #[error("mode {mode:#o} of `{path}` cannot be applied: BuildKit takes permission bits only, up to 0o777")]
    Mode {
        /// The file.
        path: String,
        /// The mode.
        mode: u32,
    },

    /// An image reference that a daemon would not accept, because it does not complete it itself.
    #[error(
        "`{reference}` is not a full image reference: it needs a registry and a tag or digest, as in `docker.io/library/alpine:3.20`"
    )]
    ImageReference {
        /// The reference.
        reference: String,
    },
    /// An image in an OCI layout that is not pinned.
    #[error("`{reference}` does not pin an image of an OCI layout: it needs a digest, as in `name@sha256:…`")]
    UnpinnedLayout {
        /// The reference.
        reference: String,
    },
    /// A checksum in another form than `sha256:` and 64 lower-case hexadecimal digits. BuildKit can verify no other.
    #[error("checksum `{checksum}` is not `sha256:` followed by 64 lower-case hexadecimal digits")]
    Checksum {
        /// The checksum.
        checksum: String,
    },
    /// Something else than a commit hash.
    #[error("`{commit}` is not a commit: 40 or 64 lower-case hexadecimal digits are needed")]
    Commit {
        /// What was given.
        commit: String,
    },
    /// A URL that the source cannot use.
    #[error("`{url}` is not a URL that {source_kind} can use: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// The kind of source.
        source_kind: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A URL with a user or password. It would become part of the graph, of provenance and of logs.
    #[error("the URL for host `{host}` contains credentials: pass them as a build secret instead")]
    CredentialsInUrl {
        /// The host; the credentials are not repeated here.
        host: String,
    },
    /// A file name that would lead elsewhere. Old daemons follow it.
    #[error("`{name}` is not the name of a file: it contains `/` or is `.` or `..`")]
    FileName {
        /// The name.
        name: String,
    },
    /// A git reference that cannot be told from the folder after it.
    #[error("git reference `{reference}` contains `:` or `#`")]
    GitReference {
        /// The reference.
        reference: String,
    },

    /// An exec without a program.
    #[error("an exec has no arguments: the first one names the program")]
    NoArguments,
    /// An exec without a root file system.
    #[error("exec `{program}` has no root file system")]
    NoRoot {
        /// The program.
        program: String,
    },
    /// An exec whose root file system is empty and read-only. BuildKit mounts nothing in that case, and fails.
    #[error("exec `{program}` has an empty read-only root file system: make it writable")]
    EmptyReadonlyRoot {
        /// The program.
        program: String,
    },
    /// A further mount at `/`.
    #[error("exec `{program}` has a mount at `/`: that is the place of its root file system")]
    MountAtRoot {
        /// The program.
        program: String,
    },
    /// Two mounts at one place.
    #[error("exec `{program}` has two mounts at `{dest}`")]
    DuplicateMount {
        /// The program.
        program: String,
        /// The mount point.
        dest: String,
    },
    /// A variable whose name cannot be one.
    #[error("`{name}` cannot be the name of an environment variable: it is empty or contains `=`")]
    VariableName {
        /// The name.
        name: String,
    },
    /// A variable that is both a text and a secret.
    #[error("exec `{program}` sets the variable `{name}` to a text and to a secret")]
    DuplicateVariable {
        /// The program.
        program: String,
        /// The variable.
        name: String,
    },
    /// An output that the exec does not have.
    #[error("exec `{program}` has no output at `{dest}`; it has {}", list(.outputs))]
    NoSuchOutput {
        /// The program.
        program: String,
        /// The mount point that was asked for.
        dest: String,
        /// The mount points that are outputs.
        outputs: Vec<String>,
    },

    /// A file op that does nothing.
    #[error("a file op has no actions")]
    NoActions,
    /// A user or group name, where there is no file system to look it up in.
    #[error("`{path}` is to belong to `{name}`, but an empty file system knows no names: use a number")]
    NameOnScratch {
        /// The file.
        path: String,
        /// The name of the user or group.
        name: String,
    },
    /// Required paths in a copy that does not select files.
    #[error("the copy to `{dest}` requires paths but has no include patterns: BuildKit would not look for them")]
    RequiredWithoutInclude {
        /// Where the copy goes.
        dest: String,
    },

    /// The graph of nothing. BuildKit has no definition of an empty file system.
    #[error(
        "an empty file system has no definition: return a result without a ref, or make a folder in it with a file op"
    )]
    ScratchDefinition,
}

fn list(outputs: &[String]) -> String {
    if outputs.is_empty() {
        return "none".to_owned();
    }
    outputs.join(", ")
}
