//! Why something is not served.

use super::{
    graph::At,
    rules::{Reason, Rule},
};
use crate::error::Error;

/// Why something is not served.
pub(super) enum Stop {
    /// Poetry does it.
    Reason(Reason),
    /// Another step has to be left to Poetry for it: the digest of that step's vertex.
    Other(String, Reason),
    /// Poetry has to do a part of a command.
    Partial(At, Reason),
    /// The build fails.
    Error(Box<Error>),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl<T: Into<Error>> From<T> for Stop {
    fn from(error: T) -> Self {
        Self::Error(Box::new(error.into()))
    }
}

/// Leaves something to Poetry.
pub(super) fn refuse<T>(rule: &'static Rule, detail: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Reason(Reason::new(rule, detail)))
}
