//! What may be asked of a daemon, as an interface, so that it can be asked of something else in tests.

use std::{collections::BTreeMap, future::Future, pin::Pin};

use buildkit_proto::{gateway as proto, pb};

use super::{Error, Gateway, Ref, Stat};

/// An answer to come.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// The calls that builds of Dockerfiles are made of. Each says the same as the [`Gateway`]'s own.
pub trait Bridge {
    /// See [`Gateway::solve`].
    fn solve(&self, definition: pb::Definition) -> Answer<'_, Ref>;

    /// See [`Gateway::stat`].
    fn stat<'a>(&'a self, result: &'a Ref, path: &'a str) -> Answer<'a, Option<Stat>>;

    /// See [`Gateway::read_file`].
    fn read_file<'a>(&'a self, result: &'a Ref, path: &'a str) -> Answer<'a, Vec<u8>>;

    /// See [`Gateway::entries`].
    fn entries<'a>(&'a self, result: &'a Ref, path: &'a str, include: &'a str) -> Answer<'a, Vec<Stat>>;

    /// See [`Gateway::delegate`].
    fn delegate<'a>(
        &'a self,
        frontend: &'a str,
        options: BTreeMap<String, String>,
        inputs: BTreeMap<String, pb::Definition>,
    ) -> Answer<'a, proto::Result>;

    /// See [`Gateway::inputs`].
    fn inputs(&self) -> Answer<'_, BTreeMap<String, pb::Definition>>;

    /// See [`Gateway::warn`].
    fn warn(&self, warning: proto::WarnRequest) -> Answer<'_, ()>;
}

impl Bridge for Gateway {
    fn solve(&self, definition: pb::Definition) -> Answer<'_, Ref> {
        Box::pin(Self::solve(self, definition))
    }

    fn stat<'a>(&'a self, result: &'a Ref, path: &'a str) -> Answer<'a, Option<Stat>> {
        Box::pin(Self::stat(self, result, path))
    }

    fn read_file<'a>(&'a self, result: &'a Ref, path: &'a str) -> Answer<'a, Vec<u8>> {
        Box::pin(Self::read_file(self, result, path))
    }

    fn entries<'a>(&'a self, result: &'a Ref, path: &'a str, include: &'a str) -> Answer<'a, Vec<Stat>> {
        Box::pin(Self::entries(self, result, path, include))
    }

    fn delegate<'a>(
        &'a self,
        frontend: &'a str,
        options: BTreeMap<String, String>,
        inputs: BTreeMap<String, pb::Definition>,
    ) -> Answer<'a, proto::Result> {
        Box::pin(Self::delegate(self, frontend, options, inputs))
    }

    fn inputs(&self) -> Answer<'_, BTreeMap<String, pb::Definition>> {
        Box::pin(Self::inputs(self))
    }

    fn warn(&self, warning: proto::WarnRequest) -> Answer<'_, ()> {
        Box::pin(Self::warn(self, warning))
    }
}
