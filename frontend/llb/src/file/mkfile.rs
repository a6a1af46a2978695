use buildkit_proto::pb;

use super::{Base, Owner, mode, timestamp};
use crate::{Error, path};

/// Writes a file. See [`FileAction::mkfile`](crate::FileAction::mkfile).
#[derive(Debug, Clone)]
pub struct Mkfile {
    path: String,
    data: Vec<u8>,
    mode: u32,
    owner: Option<Owner>,
    timestamp: Option<u64>,
}

impl Mkfile {
    pub(super) fn new(path: String, data: Vec<u8>) -> Self {
        Self { path, data, mode: 0o644, owner: None, timestamp: None }
    }

    /// The permissions.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
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

    pub(super) fn encode(&self, base: Base) -> Result<pb::FileActionMkFile, Error> {
        path::check("the path of a new file", &self.path)?;
        let owner = self.owner.as_ref().map(|owner| owner.encode(&self.path, base));
        Ok(pb::FileActionMkFile {
            path: self.path.clone(),
            mode: mode(&self.path, self.mode)?,
            data: self.data.clone(),
            owner: owner.transpose()?,
            timestamp: timestamp(self.timestamp)?,
        })
    }
}
