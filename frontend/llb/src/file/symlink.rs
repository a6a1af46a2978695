use buildkit_proto::pb;

use super::{Base, Owner, timestamp};
use crate::{Error, path};

/// Makes a symbolic link. See [`FileAction::symlink`](crate::FileAction::symlink).
#[derive(Debug, Clone)]
pub struct Symlink {
    target: String,
    path: String,
    owner: Option<Owner>,
    timestamp: Option<u64>,
}

impl Symlink {
    pub(super) fn new(target: String, path: String) -> Self {
        Self { target, path, owner: None, timestamp: None }
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

    pub(super) fn encode(&self, base: Base) -> Result<pb::FileActionSymlink, Error> {
        path::check("the path of a new symbolic link", &self.path)?;
        if self.target.is_empty() {
            return Err(Error::Empty { what: format!("the target of the symbolic link {}", self.path) });
        }
        let owner = self.owner.as_ref().map(|owner| owner.encode(&self.path, base));
        Ok(pb::FileActionSymlink {
            oldpath: self.target.clone(),
            newpath: self.path.clone(),
            owner: owner.transpose()?,
            timestamp: timestamp(self.timestamp)?,
        })
    }
}
