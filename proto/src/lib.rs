//! Types of BuildKit's gateway protocol and of LLB, generated from our own `.proto` files.
//!
//! The files stand in `proto/proto`. Package, message and service names, field numbers and types are
//! those of BuildKit; field names are in snake case, which does not show on the wire. Map fields are
//! `BTreeMap`s, so that encoding is deterministic.
//!
//! The generated code is committed, so that a build needs no code generator. A test compares it with
//! the `.proto` files; after a change of those, `UPDATE=1 cargo test -p buildkit-proto --test generated` writes it anew.
//!
//! The feature `server` adds the daemon's side of the gateway, for tests.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated code; what the .proto files do not comment has no documentation"
)]
mod generated {
    include!("generated/mod.rs");
}

/// What a daemon tells about a file of a solved result.
pub use generated::fsutil::types as stat;
/// The status of a failed call.
pub use generated::google::rpc;
/// Capabilities: what a daemon says it can do, by name.
pub use generated::moby::buildkit::v1::apicaps as caps;
/// The gateway: what a frontend in a container can ask of the daemon.
pub use generated::moby::buildkit::v1::frontend as gateway;
/// Source policies: rules that allow, deny or rewrite the sources of a build.
pub use generated::moby::buildkit::v1::sourcepolicy as policy;
/// Workers: the parts of a daemon that run vertices.
pub use generated::moby::buildkit::v1::types as worker;
/// LLB, the build graph.
pub use generated::pb;

pub use prost_types::{Any, Timestamp};
