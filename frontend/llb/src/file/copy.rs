use buildkit_proto::pb;

use super::{Base, Owner, mode, timestamp};
use crate::annotate::Annotations;
use crate::{Error, Output, cap, path};

/// Copies files from another file system. See [`FileAction::copy`](crate::FileAction::copy).
#[derive(Debug, Clone)]
pub struct Copy {
    source: Output,
    from: String,
    to: String,
    owner: Option<Owner>,
    mode: Option<u32>,
    timestamp: Option<u64>,
    contents: bool,
    parents: bool,
    follow_link: bool,
    wildcard: bool,
    allow_no_match: bool,
    unpack: bool,
    replace: bool,
    include: Vec<String>,
    exclude: Vec<String>,
    required: Vec<String>,
}

impl Copy {
    pub(super) fn new(source: Output, from: String, to: String) -> Self {
        Self {
            source,
            from,
            to,
            owner: None,
            mode: None,
            timestamp: None,
            contents: false,
            parents: false,
            follow_link: false,
            wildcard: false,
            allow_no_match: false,
            unpack: false,
            replace: false,
            include: Vec::new(),
            exclude: Vec::new(),
            required: Vec::new(),
        }
    }

    /// The owner of all that is copied; kept by default.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The permissions of all that is copied; kept by default.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// The modification time of all that is copied, in seconds since 1970; kept by default.
    pub fn timestamp(mut self, seconds: u64) -> Self {
        self.timestamp = Some(seconds);
        self
    }

    /// Copy what is in the folder, not the folder itself.
    pub fn contents(mut self) -> Self {
        self.contents = true;
        self
    }

    /// Make missing folders on the way to the target.
    pub fn make_parents(mut self) -> Self {
        self.parents = true;
        self
    }

    /// If `from` is a symbolic link, copy what it points to.
    pub fn follow_link(mut self) -> Self {
        self.follow_link = true;
        self
    }

    /// `from` is a pattern, which must match something.
    pub fn wildcard(mut self) -> Self {
        self.wildcard = true;
        self
    }

    /// `from` is a pattern, which may match nothing.
    pub fn wildcard_or_nothing(mut self) -> Self {
        (self.wildcard, self.allow_no_match) = (true, true);
        self
    }

    /// Unpack tar archives, compressed or not. Other archives are copied.
    pub fn unpack(mut self) -> Self {
        self.unpack = true;
        self
    }

    /// Let a file take the place of a folder, and the reverse.
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// Copy only what matches one of these patterns.
    pub fn include_patterns<T: Into<String>>(mut self, patterns: impl IntoIterator<Item = T>) -> Self {
        self.include = patterns.into_iter().map(Into::into).collect();
        self
    }

    /// Copy nothing that matches these patterns. Their order counts.
    pub fn exclude_patterns<T: Into<String>>(mut self, patterns: impl IntoIterator<Item = T>) -> Self {
        self.exclude = patterns.into_iter().map(Into::into).collect();
        self
    }

    /// Fail if one of these paths is missing. Goes with include patterns.
    pub fn required_paths<T: Into<String>>(mut self, paths: impl IntoIterator<Item = T>) -> Self {
        self.required = paths.into_iter().map(Into::into).collect();
        self
    }

    pub(super) fn source(&self) -> &Output {
        &self.source
    }

    pub(super) fn need_caps(&self, annotations: &mut Annotations) {
        if !self.include.is_empty() || !self.exclude.is_empty() {
            annotations.need(cap::FILE_COPY_INCLUDE_EXCLUDE_PATTERNS);
        }
        if !self.required.is_empty() {
            annotations.need(cap::FILE_COPY_REQUIRED_PATHS);
        }
        if self.replace {
            annotations.need(cap::FILE_COPY_ALWAYS_REPLACE);
        }
    }

    pub(super) fn encode(&self, base: Base) -> Result<pb::FileActionCopy, Error> {
        path::check_folder("the path to copy from", &self.from)?;
        path::check_folder("the path to copy to", &self.to)?;
        if !self.required.is_empty() && self.include.is_empty() {
            return Err(Error::RequiredWithoutInclude { dest: self.to.clone() });
        }
        let owner = self.owner.as_ref().map(|owner| owner.encode(&self.to, base));
        Ok(pb::FileActionCopy {
            src: self.from.clone(),
            dest: self.to.clone(),
            owner: owner.transpose()?,
            // Unset would mean no permissions at all.
            mode: self.mode.map_or(Ok(-1), |bits| mode(&self.to, bits))?,
            follow_symlink: self.follow_link,
            dir_copy_contents: self.contents,
            attempt_unpack_docker_compatibility: self.unpack,
            create_dest_path: self.parents,
            allow_wildcard: self.wildcard,
            allow_empty_wildcard: self.allow_no_match,
            timestamp: timestamp(self.timestamp)?,
            include_patterns: self.include.clone(),
            exclude_patterns: self.exclude.clone(),
            always_replace_existing_dest_paths: self.replace,
            // Its capability is not one that daemons register, so it could not be probed.
            mode_str: String::new(),
            required_paths: self.required.clone(),
        })
    }
}
