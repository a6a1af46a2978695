//! The messages between the frontend and the installer: what an interpreter is, and what to install.
//!
//! The frontend cannot run Python and the installer cannot see the project. A build step therefore
//! starts the installer with one of these requests as JSON, and the interpreter's answer
//! comes back as a JSON file that the frontend reads. Both sides share these types and nothing else.

mod build;
mod compile;
mod install;
mod interpreter;
mod script;

pub use build::{Build, BuildReport, BuildSource, BuildTools, ConfigSetting, Gather, RunScript, Target};
pub use compile::Compile;
pub use install::{Archive, Fetch, Fetched, Index, Install, Origin, Wheel};
pub use interpreter::{Interpreter, Libc, LibcFamily, Probe, Scheme};
pub use script::first_line;

/// The path of programs where an image names none (BuildKit `util/system/path.go`).
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Places inside a build step's container that both sides must agree on.
pub mod layout {
    /// The environment variable with the request, as JSON. As an argument it would fill the message that BuildKit shows
    /// when a step fails.
    pub const REQUEST_VARIABLE: &str = "POETRY_BUILDKIT_REQUEST";
    /// Where the installer itself is mounted.
    pub const INSTALLER: &str = "/poetry-buildkit/installer";
    /// The folder whose content becomes the step's result: files stand below it at their final
    /// absolute paths.
    pub const OUT: &str = "/poetry-buildkit/out";
    /// The folder that receives [`INTERPRETER_FILE`].
    pub const FACTS: &str = "/poetry-buildkit/facts";
    /// The name, below [`FACTS`], of the JSON form of an [`Interpreter`](crate::Interpreter).
    pub const INTERPRETER_FILE: &str = "interpreter.json";
    /// The name, below [`FACTS`], of the JSON form of a [`BuildReport`](crate::BuildReport).
    pub const BUILD_REPORT_FILE: &str = "build.json";
    /// The folder that a build may use as it likes: an empty file system that is thrown away.
    pub const WORK: &str = "/poetry-buildkit/work";
    /// The build cache mount of a dependency that is built from source: compilers' and build tools' own caches.
    pub const BUILD_CACHE: &str = "/poetry-buildkit/build-cache";
    /// Where files of a wheelhouse or of the project are mounted.
    pub const FILES: &str = "/poetry-buildkit/files";
    /// Where a whole wheelhouse is mounted.
    pub const WHEELHOUSE: &str = "/poetry-buildkit/wheelhouse";
    /// The folder that holds one cache mount per dependency, named by its normalized name.
    pub const CACHE: &str = "/poetry-buildkit/cache";
    /// Where the installed files are mounted for [`Compile`](crate::Compile), at their final absolute paths.
    pub const TREE: &str = "/poetry-buildkit/tree";
    /// Where build secrets are mounted, one file per secret id.
    pub const SECRETS: &str = "/run/secrets";
}

/// Ids of build secrets (`docker buildx build --secret id=…`).
pub mod secret {
    /// PEM certificates that are trusted in addition to the public roots, e.g. a proxy's own.
    pub const CA_BUNDLE: &str = "ca-bundle";
    /// The certificates that a stage of a Dockerfile trusts. No secret, but it stands where [`CA_BUNDLE`] does.
    pub const STAGE_CA_BUNDLE: &str = "stage-ca-bundle";
    /// Credentials in the format of `.netrc`.
    pub const NETRC: &str = "netrc";

    /// The part of a source's name in the names of Poetry's variables: upper case, `-` is `_`.
    fn variable(source: &str) -> String {
        source.to_uppercase().replace('-', "_")
    }

    /// The user name for a source of the project, named as Poetry's own variable.
    #[must_use]
    pub fn username(source: &str) -> String {
        format!("POETRY_HTTP_BASIC_{}_USERNAME", variable(source))
    }

    /// The password for a source of the project, named as Poetry's own variable.
    #[must_use]
    pub fn password(source: &str) -> String {
        format!("POETRY_HTTP_BASIC_{}_PASSWORD", variable(source))
    }

    /// PEM certificates that are trusted for a source of the project in addition to the others, named as Poetry's own variable.
    #[must_use]
    pub fn certificate(source: &str) -> String {
        format!("POETRY_CERTIFICATES_{}_CERT", variable(source))
    }
}

/// The modification time, in seconds since 1970, of every file and folder that we create:
/// 1980-01-01T00:00:00Z, the earliest that a zip archive can hold.
pub const EPOCH: u64 = 315_532_800;
