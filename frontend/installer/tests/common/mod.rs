//! What the tests share: archives of any shape, a web server, real wheels, and temporary roots.
#![allow(dead_code, unreachable_pub, missing_docs)]

pub mod archive;
pub mod popular;
pub mod real;
pub mod server;
pub mod setup;
pub mod tree;
