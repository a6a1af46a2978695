use buildkit_proto::pb;

use crate::annotate::Annotations;
use crate::vertex::{Inputs, NO_INPUT};
use crate::{Error, Output, cap, path};

/// The output index of a mount that is none.
pub(super) const NO_OUTPUT: i64 = -1;

/// A file system of a process. The functions begin mounts of the different kinds.
#[derive(Debug, Clone)]
pub enum Mount {
    /// A file system of the graph.
    Bind(BindMount),
    /// A folder that stays with the worker from build to build.
    Cache(CacheMount),
    /// A file with a secret, or the socket of an SSH agent.
    Credential(CredentialMount),
    /// A folder in memory.
    Tmpfs(TmpfsMount),
}

impl Mount {
    /// A file system that the process can change; the changed one is an output.
    pub fn bind(input: impl Into<Output>, dest: impl Into<String>) -> BindMount {
        BindMount::new(input, dest, Access::Output)
    }

    /// A file system that the process can only read.
    pub fn bind_readonly(input: impl Into<Output>, dest: impl Into<String>) -> BindMount {
        BindMount::new(input, dest, Access::Readonly)
    }

    /// A file system that the process can change; the changes are thrown away.
    pub fn bind_discarded(input: impl Into<Output>, dest: impl Into<String>) -> BindMount {
        BindMount::new(input, dest, Access::Discarded)
    }

    /// An empty folder; what the process puts there is an output.
    pub fn output(dest: impl Into<String>) -> BindMount {
        Self::bind(Output::scratch(), dest)
    }

    /// A folder that all builds of a worker share under one id. It may be empty at any time, and is
    /// never part of a result.
    pub fn cache(dest: impl Into<String>, id: impl Into<String>) -> CacheMount {
        CacheMount { dest: dest.into(), id: id.into(), sharing: Sharing::default() }
    }

    /// A file with a build secret, mode `0o400`.
    pub fn secret(dest: impl Into<String>, id: impl Into<String>) -> CredentialMount {
        CredentialMount::new(Credential::Secret, dest.into(), id.into(), 0o400)
    }

    /// The socket of the client's SSH agent with this id, mode `0o600`. The variable `SSH_AUTH_SOCK` is not set by this.
    pub fn ssh(dest: impl Into<String>, id: impl Into<String>) -> CredentialMount {
        CredentialMount::new(Credential::Ssh, dest.into(), id.into(), 0o600)
    }

    /// A folder in memory.
    pub fn tmpfs(dest: impl Into<String>) -> TmpfsMount {
        TmpfsMount { dest: dest.into(), size: 0 }
    }

    pub(super) fn dest(&self) -> &str {
        match self {
            Self::Bind(mount) => &mount.dest,
            Self::Cache(mount) => &mount.dest,
            Self::Credential(mount) => &mount.dest,
            Self::Tmpfs(mount) => &mount.dest,
        }
    }

    pub(super) fn is_output(&self) -> bool {
        matches!(self, Self::Bind(BindMount { access: Access::Output, .. }))
    }

    pub(super) fn need_caps(&self, annotations: &mut Annotations) {
        match self {
            Self::Bind(mount) => {
                annotations.need(cap::EXEC_MOUNT_BIND);
                if mount.selector.is_some() {
                    annotations.need(cap::EXEC_MOUNT_SELECTOR);
                }
                if mount.access == Access::Discarded {
                    annotations.need(cap::EXEC_MOUNT_BIND_READWRITE_NO_OUTPUT);
                }
            }
            Self::Cache(_) => {
                annotations.need(cap::EXEC_MOUNT_CACHE);
                annotations.need(cap::EXEC_MOUNT_CACHE_SHARING);
            }
            Self::Credential(mount) => annotations.need(match mount.credential {
                Credential::Secret => cap::EXEC_MOUNT_SECRET,
                Credential::Ssh => cap::EXEC_MOUNT_SSH,
            }),
            Self::Tmpfs(mount) => {
                annotations.need(cap::EXEC_MOUNT_TMPFS);
                if mount.size > 0 {
                    annotations.need(cap::EXEC_MOUNT_TMPFS_SIZE);
                }
            }
        }
    }

    /// Checks and encodes the mount; `output` is the number of its output.
    pub(super) fn encode(&self, inputs: &mut Inputs, output: i64) -> Result<pb::Mount, Error> {
        let mut encoded = pb::Mount { input: NO_INPUT, dest: self.dest().to_owned(), output, ..pb::Mount::default() };
        match self {
            Self::Bind(mount) => {
                if let Some(selector) = &mount.selector {
                    path::check("the selector of a mount", selector)?;
                    encoded.selector.clone_from(selector);
                }
                encoded.input = inputs.add(&mount.input);
                encoded.readonly = mount.access == Access::Readonly;
            }
            Self::Cache(mount) => {
                if mount.id.is_empty() {
                    return Err(Error::Empty { what: format!("the id of the cache mount at {}", mount.dest) });
                }
                encoded.set_mount_type(pb::MountType::Cache);
                encoded.cache_opt = Some(mount.encode());
            }
            Self::Credential(mount) => {
                mount.check()?;
                mount.encode(&mut encoded);
            }
            Self::Tmpfs(mount) => {
                let too_large = |_| Error::TooLarge { what: "the size of a tmpfs mount", value: mount.size };
                let size = i64::try_from(mount.size).map_err(too_large)?;
                encoded.set_mount_type(pb::MountType::Tmpfs);
                encoded.tmpfs_opt = Some(pb::TmpfsOpt { size });
            }
        }
        Ok(encoded)
    }
}

/// A file system of the graph. See [`Mount::bind`], [`Mount::bind_readonly`], [`Mount::bind_discarded`] and [`Mount::output`].
#[derive(Debug, Clone)]
pub struct BindMount {
    input: Output,
    dest: String,
    selector: Option<String>,
    access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Readonly,
    Output,
    Discarded,
}

impl BindMount {
    fn new(input: impl Into<Output>, dest: impl Into<String>, access: Access) -> Self {
        Self { input: input.into(), dest: dest.into(), selector: None, access }
    }

    /// Mount this path of the file system in place of the whole. What else is there is no part of the
    /// cache key then, unless the mount is an output.
    pub fn selector(mut self, path: impl Into<String>) -> Self {
        self.selector = Some(path.into());
        self
    }

    pub(super) fn is_readonly_scratch(&self) -> bool {
        self.access == Access::Readonly && self.input.is_scratch()
    }
}

/// A folder that stays with the worker. See [`Mount::cache`].
#[derive(Debug, Clone)]
pub struct CacheMount {
    dest: String,
    id: String,
    sharing: Sharing,
}

/// What happens when two processes want the same cache mount at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    /// Both use the same folder.
    #[default]
    Shared,
    /// The second gets a folder of its own.
    Private,
    /// The second waits.
    Locked,
}

impl CacheMount {
    /// What happens when two processes want it at once; they share it by default.
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    fn encode(&self) -> pb::CacheOpt {
        let sharing = match self.sharing {
            Sharing::Shared => pb::CacheSharingOpt::Shared,
            Sharing::Private => pb::CacheSharingOpt::Private,
            Sharing::Locked => pb::CacheSharingOpt::Locked,
        };
        pb::CacheOpt { id: self.id.clone(), sharing: sharing.into() }
    }
}

/// A file with a secret, or the socket of an SSH agent. See [`Mount::secret`] and [`Mount::ssh`].
#[derive(Debug, Clone)]
pub struct CredentialMount {
    credential: Credential,
    dest: String,
    id: String,
    uid: u32,
    gid: u32,
    mode: u32,
    optional: bool,
}

#[derive(Debug, Clone, Copy)]
enum Credential {
    Secret,
    Ssh,
}

impl CredentialMount {
    fn new(credential: Credential, dest: String, id: String, mode: u32) -> Self {
        Self { credential, dest, id, uid: 0, gid: 0, mode, optional: false }
    }

    /// The owner; root by default.
    pub fn owner(mut self, uid: u32, gid: u32) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    /// The permissions.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Leave it out, instead of failing, if the client does not have the secret or agent.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    fn check(&self) -> Result<(), Error> {
        if self.id.is_empty() {
            let what = match self.credential {
                Credential::Secret => "secret",
                Credential::Ssh => "SSH agent",
            };
            return Err(Error::Empty { what: format!("the id of the {what} at {}", self.dest) });
        }
        if self.mode > 0o777 {
            return Err(Error::Mode { path: self.dest.clone(), mode: self.mode });
        }
        Ok(())
    }

    fn encode(&self, encoded: &mut pb::Mount) {
        let Self { credential, dest: _, id, uid, gid, mode, optional } = self.clone();
        match credential {
            Credential::Secret => {
                encoded.set_mount_type(pb::MountType::Secret);
                encoded.secret_opt = Some(pb::SecretOpt { id, uid, gid, mode, optional });
            }
            Credential::Ssh => {
                encoded.set_mount_type(pb::MountType::Ssh);
                encoded.ssh_opt = Some(pb::SshOpt { id, uid, gid, mode, optional });
            }
        }
    }
}

/// A folder in memory. See [`Mount::tmpfs`].
#[derive(Debug, Clone)]
pub struct TmpfsMount {
    dest: String,
    size: u64,
}

impl TmpfsMount {
    /// The size in bytes; by default, or with 0, the kernel decides.
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = bytes;
        self
    }
}

impl From<BindMount> for Mount {
    fn from(mount: BindMount) -> Self {
        Self::Bind(mount)
    }
}

impl From<CacheMount> for Mount {
    fn from(mount: CacheMount) -> Self {
        Self::Cache(mount)
    }
}

impl From<CredentialMount> for Mount {
    fn from(mount: CredentialMount) -> Self {
        Self::Credential(mount)
    }
}

impl From<TmpfsMount> for Mount {
    fn from(mount: TmpfsMount) -> Self {
        Self::Tmpfs(mount)
    }
}
