//! A typed builder of LLB, BuildKit's build graph, with stable bytes.
//!
//! An [`Output`] is a file system that a graph yields. Ops take outputs and make new ones: a [`Source`]
//! brings in a file system from outside, an [`Exec`] runs a process, a [`File`] changes files,
//! [`Merge`] and [`Diff`] combine. Nothing runs here: [`Output::marshal`] gives a [`Definition`], which
//! a BuildKit daemon solves.
//!
//! ```
//! use buildkit_llb::{
//!     Annotate, Exec, File, FileAction, Merge, Mount, Network, Output, Owner, Platform, Source,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let platform = Platform::new("linux", "amd64");
//! let base = Source::image("docker.io/library/alpine:3.20", &platform).output()?;
//! let context = Source::local("context", "id-of-the-session").exclude_patterns([".git"]).output()?;
//!
//! // A process with an empty folder, which becomes a file system of its own.
//! let build = Exec::new(["/bin/sh", "-c", "make -C /src DESTDIR=/out install"], &platform)
//!     .root_readonly(&base)
//!     .mount(Mount::bind_readonly(&context, "/src").selector("/lib"))
//!     .mount(Mount::output("/out"))
//!     .mount(Mount::cache("/var/cache/make", "example/make"))
//!     .network(Network::None)
//!     .name("build the library")
//!     .build()?;
//!
//! // The application, with a fixed owner and time.
//! let app = File::on(Output::scratch())
//!     .then(FileAction::mkdir("/app").owner(Owner::new(1000, 1000)).timestamp(315_532_800))
//!     .then(
//!         FileAction::copy(&context, "/app", "/app")
//!             .contents()
//!             .owner(Owner::new(1000, 1000))
//!             .timestamp(315_532_800),
//!     )
//!     .output()?;
//!
//! let image = Merge::of([base, build.output("/out")?, app]).output();
//! let definition = image.marshal()?;
//!
//! assert!(definition.describe().ends_with(
//!     "\
//! #4 merge #0 #2 #3
//! #5 result #4
//! "
//! ));
//! # Ok(())
//! # }
//! ```
//!
//! # Identity
//!
//! A vertex is identified by the digest of its bytes. They are those that Go's deterministic encoder
//! writes for the same op, because a daemon encodes every op anew and goes by the digest of that: equal
//! ops are one vertex, whoever built them, and places in source files are found again. The order of
//! calls on a builder does not matter, except where it means something: actions of a [`File`], inputs of
//! a [`Merge`], patterns, lines of `/etc/hosts`.
//!
//! # Names and hints
//!
//! [`Annotate`] gives a vertex a name, a progress group and places in the user's files. They are no part of its identity.
//!
//! # Capabilities
//!
//! A daemon drops what it does not know without a word. Each op therefore records the capabilities that
//! it needs; [`Definition::check`] compares them with the [`Caps`] of a daemon, and [`Caps::has`] asks
//! before an op is chosen.
//!
//! # Empty file systems
//!
//! [`Output::scratch`] is an input like any other. It has no definition; [`Output::marshal`] is an error there.

mod annotate;
pub mod cap;
mod caps;
mod definition;
mod describe;
mod diff;
mod error;
mod exec;
mod file;
mod merge;
mod open;
mod output;
mod path;
mod platform;
mod source;
mod source_map;
mod splice;
mod vertex;

pub use annotate::{Annotate, ProgressGroup};
pub use caps::{Caps, MissingCap, MissingCaps};
pub use definition::Definition;
pub use diff::Diff;
pub use error::Error;
pub use exec::{
    BindMount, CacheMount, CredentialMount, Exec, ExecVertex, Mount, Network, ProxyEnv, Security, Sharing, TmpfsMount,
};
pub use file::{Copy, File, FileAction, Mkdir, Mkfile, Owner, Rm, Symlink, UserId};
pub use merge::Merge;
pub use open::OpenVertex;
pub use output::Output;
pub use platform::Platform;
pub use source::{Differ, Git, Http, Image, Local, OciLayout, ResolveMode, Source};
pub use source_map::{Lines, SourceFile};
pub use splice::SpliceError;
