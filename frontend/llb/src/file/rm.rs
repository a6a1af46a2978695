use buildkit_proto::pb;

use crate::annotate::Annotations;
use crate::{Error, cap, path};

/// Removes files. See [`FileAction::rm`](crate::FileAction::rm).
#[derive(Debug, Clone)]
pub struct Rm {
    path: String,
    allow_missing: bool,
    wildcard: bool,
}

impl Rm {
    pub(super) fn new(path: String) -> Self {
        Self { path, allow_missing: false, wildcard: false }
    }

    /// Do not fail if it is missing.
    pub fn allow_missing(mut self) -> Self {
        self.allow_missing = true;
        self
    }

    /// The path is a pattern.
    pub fn wildcard(mut self) -> Self {
        self.wildcard = true;
        self
    }

    pub(super) fn need_caps(&self, annotations: &mut Annotations) {
        if self.wildcard {
            annotations.need(cap::FILE_RM_WILDCARD);
        }
    }

    pub(super) fn encode(&self) -> Result<pb::FileActionRm, Error> {
        path::check("the path to remove", &self.path)?;
        Ok(pb::FileActionRm {
            path: self.path.clone(),
            allow_not_found: self.allow_missing,
            allow_wildcard: self.wildcard,
        })
    }
}
