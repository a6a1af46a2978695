//! Reads shell scripts: what a script is certain to run, with which words, variables and folder; and cuts it in two around a
//! command.
//!
//! Knows the shell and nothing else. A script for `sh` is read only as far as `dash`, `bash --posix` and busybox agree.

pub mod ast;
mod evaluate;
mod expand;
mod parse;
mod quote;
mod read;
mod shell;
mod split;
mod state;

pub use evaluate::{Assumption, Call, Pipe, Redirected, Target};
pub use expand::Field;
pub use parse::{Dialect, Unparsed, parse};
pub use quote::quoted;
pub use read::{Reading, Unread, program, read};
pub use shell::{Shell, Unclear};
pub use split::{Action, Inseparable, Part};
pub use state::{State, Value};
