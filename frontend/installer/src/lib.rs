//! The program that runs inside build steps: asks the interpreter, fetches, verifies and unpacks wheels.
//!
//! Each command is one function here, [`probe`](fn@probe::probe), [`install`](fn@install::install),
//! [`wheelhouse::fill`] and [`compile`](fn@compile::compile), over a request of the crate `install_request` and the folders of
//! [`Roots`]. Whatever ends up in an image has fixed times, modes and order, so that equal requests
//! give equal bytes.

pub mod build;
pub mod cache;
pub mod compile;
pub mod fetch;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod index;
pub mod install;
pub mod obtain;
pub mod probe;
pub mod report;
pub mod secrets;
pub mod wheel;
pub mod wheelhouse;

mod blob;
mod claims;
mod paths;
mod roots;
mod sha256;
mod tree;
mod venv;

pub use blob::Blob;
pub use roots::Roots;
pub use tree::Tree;
