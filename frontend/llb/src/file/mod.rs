//! File ops: changes of files without a process.

mod copy;
mod mkdir;
mod mkfile;
mod owner;
mod rm;
mod symlink;

use buildkit_proto::pb;
use buildkit_proto::pb::file_action::Action;

pub use copy::Copy;
pub use mkdir::Mkdir;
pub use mkfile::Mkfile;
pub use owner::{Owner, UserId};
pub use rm::Rm;
pub use symlink::Symlink;

use crate::annotate::{Annotated, Annotations};
use crate::vertex::{Inputs, NO_INPUT, Vertex};
use crate::{Error, Output, cap};

/// Changes files, one action after the other. However many there are, they make one layer.
///
/// The base is never looked into for the cache key, so the same actions on another base run again.
///
/// To make a file changes the time of the folder that it is made in, also of one that an earlier action
/// gave a time. A copy gives all folders that it makes the time that it is given; so a last copy of the
/// whole tree onto the empty file system leaves no other time.
#[derive(Debug, Clone)]
pub struct File {
    base: Output,
    actions: Vec<FileAction>,
    annotations: Annotations,
}

impl File {
    /// The file system that is changed.
    pub fn on(base: impl Into<Output>) -> Self {
        let mut annotations = Annotations::default();
        annotations.need(cap::FILE_BASE);
        Self { base: base.into(), actions: Vec::new(), annotations }
    }

    /// What is done next.
    pub fn then(mut self, action: impl Into<FileAction>) -> Self {
        self.actions.push(action.into());
        self
    }

    /// The changed file system.
    ///
    /// # Errors
    ///
    /// If there is no action, if a path is not absolute and in its shortest form, if a mode has more than
    /// nine bits or a time does not fit, or if a name is to be looked up in the empty file system.
    pub fn output(self) -> Result<Output, Error> {
        let Self { base, actions, mut annotations } = self;
        let mut inputs = Inputs::default();
        let base = Base(inputs.add(&base));
        let mut encoded = Vec::with_capacity(actions.len());
        for action in &actions {
            action.need_caps(&mut annotations);
            let secondary_input = action.source().map_or(NO_INPUT, |source| inputs.add(source));
            encoded.push((secondary_input, action.encode(base)?));
        }
        let last = encoded.len().checked_sub(1).ok_or(Error::NoActions)?;
        // An action works on the result of the one before; results are numbered after the inputs.
        let input_of = |position: usize| match position.checked_sub(1) {
            Some(previous) => inputs.len() + previous as i64,
            None => base.0,
        };
        let chain = encoded.into_iter().enumerate().map(|(position, (secondary_input, action))| pb::FileAction {
            input: input_of(position),
            secondary_input,
            output: if position == last { 0 } else { NO_OUTPUT },
            action: Some(action),
        });
        let op = pb::op::Op::File(pb::FileOp { actions: chain.collect() });
        Ok(Output::new(Vertex::new(op, inputs, None, annotations), 0))
    }
}

impl Annotated for File {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}

/// The output index of an action that is none.
const NO_OUTPUT: i64 = -1;

/// The position of the file system that is changed, among the inputs of the op.
#[derive(Debug, Clone, std::marker::Copy)]
struct Base(i64);

/// One change. The functions begin changes of the different kinds.
#[derive(Debug, Clone)]
pub enum FileAction {
    /// Copies files from another file system.
    Copy(Copy),
    /// Makes a folder.
    Mkdir(Mkdir),
    /// Writes a file.
    Mkfile(Mkfile),
    /// Removes files.
    Rm(Rm),
    /// Makes a symbolic link.
    Symlink(Symlink),
}

impl FileAction {
    /// Copies `from`, a file or folder of another file system, to `to`. If there is a folder already, or if
    /// `to` ends in `/`, the copy goes into that folder.
    pub fn copy(source: impl Into<Output>, from: impl Into<String>, to: impl Into<String>) -> Copy {
        Copy::new(source.into(), from.into(), to.into())
    }

    /// Makes a folder, mode `0o755`. One that exists is left as it is.
    pub fn mkdir(path: impl Into<String>) -> Mkdir {
        Mkdir::new(path.into())
    }

    /// Writes a file, mode `0o644`. The content is part of the graph, so it should be small.
    pub fn mkfile(path: impl Into<String>, data: impl Into<Vec<u8>>) -> Mkfile {
        Mkfile::new(path.into(), data.into())
    }

    /// Removes a file, or a folder with all below it.
    pub fn rm(path: impl Into<String>) -> Rm {
        Rm::new(path.into())
    }

    /// Makes a symbolic link at `path` that says `target`.
    pub fn symlink(target: impl Into<String>, path: impl Into<String>) -> Symlink {
        Symlink::new(target.into(), path.into())
    }

    /// The file system that files come from.
    fn source(&self) -> Option<&Output> {
        match self {
            Self::Copy(copy) => Some(copy.source()),
            _ => None,
        }
    }

    fn need_caps(&self, annotations: &mut Annotations) {
        match self {
            Self::Copy(copy) => copy.need_caps(annotations),
            Self::Rm(rm) => rm.need_caps(annotations),
            Self::Symlink(_) => annotations.need(cap::FILE_SYMLINK_CREATE),
            Self::Mkdir(_) | Self::Mkfile(_) => {}
        }
    }

    fn encode(&self, base: Base) -> Result<Action, Error> {
        match self {
            Self::Copy(copy) => copy.encode(base).map(Action::Copy),
            Self::Mkdir(mkdir) => mkdir.encode(base).map(Action::Mkdir),
            Self::Mkfile(mkfile) => mkfile.encode(base).map(Action::Mkfile),
            Self::Rm(rm) => rm.encode().map(Action::Rm),
            Self::Symlink(symlink) => symlink.encode(base).map(Action::Symlink),
        }
    }
}

impl From<Copy> for FileAction {
    fn from(copy: Copy) -> Self {
        Self::Copy(copy)
    }
}

impl From<Mkdir> for FileAction {
    fn from(mkdir: Mkdir) -> Self {
        Self::Mkdir(mkdir)
    }
}

impl From<Mkfile> for FileAction {
    fn from(mkfile: Mkfile) -> Self {
        Self::Mkfile(mkfile)
    }
}

impl From<Rm> for FileAction {
    fn from(rm: Rm) -> Self {
        Self::Rm(rm)
    }
}

impl From<Symlink> for FileAction {
    fn from(symlink: Symlink) -> Self {
        Self::Symlink(symlink)
    }
}

/// Permissions as BuildKit has them.
fn mode(path: &str, mode: u32) -> Result<i32, Error> {
    match i32::try_from(mode) {
        Ok(bits @ 0..=0o777) => Ok(bits),
        _ => Err(Error::Mode { path: path.to_owned(), mode }),
    }
}

/// A time in seconds since 1970 as BuildKit has it: in nanoseconds, and -1 for none. An unset field
/// would mean 1970.
fn timestamp(seconds: Option<u64>) -> Result<i64, Error> {
    let Some(seconds) = seconds else {
        return Ok(-1);
    };
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000_000))
        .ok_or(Error::TooLarge { what: "the time in seconds", value: seconds })
}
