use buildkit_proto::pb;

use super::{Base, Owner, mode, timestamp};
use crate::{Error, path};

/// Makes a folder. See [`FileAction::mkdir`](crate::FileAction::mkdir).
#[derive(Debug, Clone)]
pub struct Mkdir {
    path: String,
    mode: u32,
    parents: bool,
    owner: Option<Owner>,
    timestamp: Option<u64>,
}

impl Mkdir {
    pub(super) fn new(path: String) -> Self {
        Self { path, mode: 0o755, parents: false, owner: None, timestamp: None }
    }

    /// The permissions.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Make missing folders on the way to it, with the same mode, owner and time.
    pub fn make_parents(mut self) -> Self {
        self.parents = true;
        self
    }

    /// The owner; root by default.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The modification time in seconds since 1970; the time of the build by default.
    pub fn timestamp(mut self, seconds: u64) -> Self {
        self.timestamp = Some(seconds);
        self
    }

    pub(super) fn encode(&self, base: Base) -> Result<pb::FileActionMkDir, Error> {
        path::check("the path of a new folder", &self.path)?;
        let owner = self.owner.as_ref().map(|owner| owner.encode(&self.path, base));
        Ok(pb::FileActionMkDir {
            path: self.path.clone(),
            mode: mode(&self.path, self.mode)?,
            make_parents: self.parents,
            owner: owner.transpose()?,
            timestamp: timestamp(self.timestamp)?,
        })
    }
}
