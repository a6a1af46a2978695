use super::{Attrs, output};
use crate::annotate::{Annotated, Annotations};
use crate::{Error, Output, cap};

/// A folder of the client. See [`Source::local`](crate::Source::local).
///
/// Its content is never part of a cache key by itself: what uses it directly, other than by copying or
/// mounting read-only, runs every time.
#[derive(Debug, Clone)]
pub struct Local {
    name: String,
    attrs: Attrs,
    annotations: Annotations,
}

/// How a daemon finds out which files have changed since an earlier transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differ {
    /// Not at all: everything is transferred. Best for very few files.
    None,
    /// By size, time, mode and owner.
    Metadata,
}

impl Local {
    pub(super) fn new(name: String, session: String) -> Self {
        let mut attrs = Attrs::default();
        attrs.set("local.session", session);
        let mut annotations = Annotations::default();
        annotations.need(cap::SOURCE_LOCAL);
        annotations.need(cap::SOURCE_LOCAL_SESSION_ID);
        Self { name, attrs, annotations }
    }

    /// Transfer only what matches one of these patterns, in the syntax of `.dockerignore`.
    pub fn include_patterns<T: Into<String>>(self, patterns: impl IntoIterator<Item = T>) -> Self {
        self.list("local.includepattern", cap::SOURCE_LOCAL_INCLUDE_PATTERNS, patterns)
    }

    /// Transfer nothing that matches these patterns, in the syntax of `.dockerignore`. Their order counts.
    pub fn exclude_patterns<T: Into<String>>(self, patterns: impl IntoIterator<Item = T>) -> Self {
        self.list("local.excludepatterns", cap::SOURCE_LOCAL_EXCLUDE_PATTERNS, patterns)
    }

    /// Transfer only these paths and what their symbolic links point to.
    pub fn follow_paths<T: Into<String>>(self, paths: impl IntoIterator<Item = T>) -> Self {
        self.list("local.followpaths", cap::SOURCE_LOCAL_FOLLOW_PATHS, paths)
    }

    /// Transfers with the same hint build on each other. Give a hint of its own to one that takes only
    /// a few files, or it and the transfer of everything evict each other.
    pub fn shared_key_hint(mut self, hint: impl Into<String>) -> Self {
        self.attrs.set("local.sharedkeyhint", hint);
        self.annotations.need(cap::SOURCE_LOCAL_SHARED_KEY_HINT);
        self
    }

    /// How changed files are found.
    pub fn differ(mut self, differ: Differ) -> Self {
        let differ = match differ {
            Differ::None => "none",
            Differ::Metadata => "metadata",
        };
        self.attrs.set("local.differ", differ);
        self.annotations.need(cap::SOURCE_LOCAL_DIFFER);
        self
    }

    /// An empty list restricts nothing.
    fn list<T: Into<String>>(mut self, key: &str, cap: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if !values.is_empty() {
            self.attrs.set_list(key, &values);
            self.annotations.need(cap);
        }
        self
    }

    /// The folder as a file system.
    ///
    /// # Errors
    ///
    /// If the name, the session or another text is empty.
    pub fn output(self) -> Result<Output, Error> {
        let Self { name, attrs, annotations } = self;
        if name.is_empty() {
            return Err(Error::Empty { what: "the name of a local source".to_owned() });
        }
        output(format!("local://{name}"), attrs, None, annotations)
    }
}

impl Annotated for Local {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}
