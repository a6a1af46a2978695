//! Exec ops: processes.

mod mount;
mod process;

pub use mount::{BindMount, CacheMount, CredentialMount, Mount, Sharing, TmpfsMount};
pub use process::{Network, ProxyEnv, Security};

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use buildkit_proto::pb;

use crate::annotate::{Annotated, Annotations};
use crate::vertex::{Inputs, Vertex};
use crate::{Error, Output, Platform, cap, path};

/// Runs a process in a container.
///
/// The config of an image is not applied: environment, working folder and user are what is set here.
#[derive(Debug, Clone)]
pub struct Exec {
    args: Vec<String>,
    platform: Platform,
    root: Option<BindMount>,
    mounts: Vec<Mount>,
    env: BTreeMap<String, String>,
    secret_env: BTreeMap<String, pb::SecretEnv>,
    cwd: String,
    user: String,
    hostname: String,
    extra_hosts: Vec<pb::HostIp>,
    ulimits: BTreeMap<String, (i64, i64)>,
    cgroup_parent: String,
    proxy: Option<ProxyEnv>,
    network: Network,
    security: Security,
    valid_exit_codes: BTreeSet<u8>,
    annotations: Annotations,
}

impl Exec {
    /// A program and its arguments.
    pub fn new<T: Into<String>>(args: impl IntoIterator<Item = T>, platform: impl Into<Platform>) -> Self {
        let mut annotations = Annotations::default();
        annotations.need(cap::EXEC_META_BASE);
        Self {
            args: args.into_iter().map(Into::into).collect(),
            platform: platform.into(),
            root: None,
            mounts: Vec::new(),
            env: BTreeMap::new(),
            secret_env: BTreeMap::new(),
            cwd: "/".to_owned(),
            user: String::new(),
            hostname: String::new(),
            extra_hosts: Vec::new(),
            ulimits: BTreeMap::new(),
            cgroup_parent: String::new(),
            proxy: None,
            network: Network::default(),
            security: Security::default(),
            valid_exit_codes: BTreeSet::new(),
            annotations,
        }
    }

    /// The root file system, writable. What becomes of it is the output at `/`.
    pub fn root(mut self, root: impl Into<Output>) -> Self {
        self.root = Some(Mount::bind(root, "/"));
        self
    }

    /// The root file system, read-only. There is no output at `/` then.
    pub fn root_readonly(mut self, root: impl Into<Output>) -> Self {
        self.root = Some(Mount::bind_readonly(root, "/"));
        self
    }

    /// A further file system.
    pub fn mount(mut self, mount: impl Into<Mount>) -> Self {
        self.mounts.push(mount.into());
        self
    }

    /// An environment variable. A second call with the same name replaces the first.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// An environment variable whose value is a build secret. If the client does not have the secret, the build fails.
    pub fn secret_env(self, name: impl Into<String>, id: impl Into<String>) -> Self {
        self.add_secret_env(name.into(), id.into(), false)
    }

    /// An environment variable whose value is a build secret; empty if the client does not have the secret.
    pub fn optional_secret_env(self, name: impl Into<String>, id: impl Into<String>) -> Self {
        self.add_secret_env(name.into(), id.into(), true)
    }

    fn add_secret_env(mut self, name: String, id: String, optional: bool) -> Self {
        let secret = pb::SecretEnv { id, name: name.clone(), optional };
        self.secret_env.insert(name, secret);
        self
    }

    /// The working folder; `/` by default.
    pub fn cwd(mut self, cwd: impl Into<String>) -> Self {
        self.cwd = cwd.into();
        self
    }

    /// The user by name or number, with or without `:` and a group; root by default. Where the root file
    /// system has no `/etc/passwd`, only two numbers will do, as in `1000:1000`.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = user.into();
        self
    }

    /// The host name.
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = hostname.into();
        self
    }

    /// A line of `/etc/hosts`. Lines stand in the order of the calls. The address is no part of the cache key.
    pub fn extra_host(mut self, host: impl Into<String>, ip: IpAddr) -> Self {
        self.extra_hosts.push(pb::HostIp { host: host.into(), ip: ip.to_string() });
        self
    }

    /// A resource limit by its name, e.g. `nofile`; -1 stands for no limit.
    pub fn ulimit(mut self, name: impl Into<String>, soft: i64, hard: i64) -> Self {
        self.ulimits.insert(name.into(), (soft, hard));
        self
    }

    /// The parent control group.
    pub fn cgroup_parent(mut self, parent: impl Into<String>) -> Self {
        self.cgroup_parent = parent.into();
        self
    }

    /// Proxies. They are no part of the cache key, as environment variables would be.
    pub fn proxy(mut self, proxy: ProxyEnv) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// The network.
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// The privileges.
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// The exit codes that count as success, in place of 0 alone.
    pub fn valid_exit_codes(mut self, codes: impl IntoIterator<Item = u8>) -> Self {
        self.valid_exit_codes = codes.into_iter().collect();
        self
    }

    /// Checks and encodes the exec. Its file systems are had from the result by their mount points.
    ///
    /// # Errors
    ///
    /// If there is no argument or no root, if the root is empty and read-only, if a path is not absolute
    /// and in its shortest form, if two mounts are at one place, if the name of a variable is none or is
    /// used twice, or if an id is empty.
    pub fn build(mut self) -> Result<ExecVertex, Error> {
        let program = self.args.first().cloned().ok_or(Error::NoArguments)?;
        path::check("the working folder", &self.cwd)?;
        self.check_variables(&program)?;
        self.need_caps();
        let mounts = self.take_mounts(&program)?;

        let mut inputs = Inputs::default();
        let mut outputs = BTreeMap::new();
        let mut encoded = Vec::with_capacity(mounts.len());
        for mount in &mounts {
            mount.need_caps(&mut self.annotations);
            let output = if mount.is_output() {
                let index = outputs.len() as i64;
                outputs.insert(mount.dest().to_owned(), index);
                index
            } else {
                mount::NO_OUTPUT
            };
            encoded.push(mount.encode(&mut inputs, output)?);
        }
        let (platform, annotations) = (self.platform.clone(), std::mem::take(&mut self.annotations));
        let op = pb::op::Op::Exec(self.encode(encoded));
        let vertex = Vertex::new(op, inputs, Some(platform), annotations);
        Ok(ExecVertex { program, vertex, outputs })
    }

    fn check_variables(&self, program: &str) -> Result<(), Error> {
        for name in self.env.keys().chain(self.secret_env.keys()) {
            if name.is_empty() || name.contains('=') {
                return Err(Error::VariableName { name: name.clone() });
            }
        }
        for (name, secret) in &self.secret_env {
            if secret.id.is_empty() {
                return Err(Error::Empty { what: format!("the id of the secret for the variable `{name}`") });
            }
            if self.env.contains_key(name) {
                return Err(Error::DuplicateVariable { program: program.to_owned(), name: name.clone() });
            }
        }
        Ok(())
    }

    fn need_caps(&mut self) {
        let used = [
            (cap::EXEC_SECRET_ENV, !self.secret_env.is_empty()),
            (cap::EXEC_META_ULIMIT, !self.ulimits.is_empty()),
            (cap::EXEC_META_CGROUP_PARENT, !self.cgroup_parent.is_empty()),
            (cap::EXEC_META_PROXY, self.proxy.is_some()),
            (cap::EXEC_META_NETWORK, self.network != Network::Sandbox),
            (cap::EXEC_META_SECURITY, self.security != Security::Sandbox),
            (cap::EXEC_VALID_EXIT_CODE, !self.valid_exit_codes.is_empty()),
        ];
        for (id, _) in used.into_iter().filter(|(_, used)| *used) {
            self.annotations.need(id);
        }
    }

    /// All mounts, the root among them, sorted by mount point: outputs are counted in this order.
    fn take_mounts(&mut self, program: &str) -> Result<Vec<Mount>, Error> {
        let program = || program.to_owned();
        let root = self.root.take().ok_or_else(|| Error::NoRoot { program: program() })?;
        if root.is_readonly_scratch() {
            return Err(Error::EmptyReadonlyRoot { program: program() });
        }
        let mut mounts = std::mem::take(&mut self.mounts);
        for mount in &mounts {
            path::check("the mount point", mount.dest())?;
            if mount.dest() == "/" {
                return Err(Error::MountAtRoot { program: program() });
            }
        }
        mounts.push(root.into());
        mounts.sort_by(|a, b| a.dest().cmp(b.dest()));
        let same = |pair: &&[Mount]| matches!(pair, [a, b] if a.dest() == b.dest());
        if let Some([mount, ..]) = mounts.windows(2).find(same) {
            return Err(Error::DuplicateMount { program: program(), dest: mount.dest().to_owned() });
        }
        Ok(mounts)
    }

    fn encode(self, mounts: Vec<pb::Mount>) -> pb::ExecOp {
        let ulimit = |(name, (soft, hard))| pb::Ulimit { name, soft, hard };
        let meta = pb::Meta {
            args: self.args,
            env: self.env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
            cwd: self.cwd,
            user: self.user,
            proxy_env: self.proxy.map(Into::into),
            extra_hosts: self.extra_hosts,
            hostname: self.hostname,
            ulimit: self.ulimits.into_iter().map(ulimit).collect(),
            cgroup_parent: self.cgroup_parent,
            // As Go clients do. Daemons before 0.11 pass over it; no capability stands for it.
            remove_mount_stubs_recursive: true,
            valid_exit_codes: self.valid_exit_codes.into_iter().map(i32::from).collect(),
        };
        pb::ExecOp {
            meta: Some(meta),
            mounts,
            network: pb::NetMode::from(self.network).into(),
            security: pb::SecurityMode::from(self.security).into(),
            secretenv: self.secret_env.into_values().collect(),
            cdi_devices: Vec::new(),
        }
    }
}

impl Annotated for Exec {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}

/// An exec that is part of a graph.
#[derive(Clone)]
pub struct ExecVertex {
    program: String,
    vertex: Arc<Vertex>,
    outputs: BTreeMap<String, i64>,
}

impl ExecVertex {
    /// What the process left at a mount point: `/` for the root, or a mount that keeps its changes.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchOutput`] if nothing is mounted there, or if the changes are not kept.
    pub fn output(&self, dest: &str) -> Result<Output, Error> {
        match self.outputs.get(dest) {
            Some(index) => Ok(Output::new(self.vertex.clone(), *index)),
            None => Err(Error::NoSuchOutput {
                program: self.program.clone(),
                dest: dest.to_owned(),
                outputs: self.outputs.keys().cloned().collect(),
            }),
        }
    }
}

impl std::fmt::Debug for ExecVertex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecVertex").field("digest", &self.vertex.digest).field("outputs", &self.outputs).finish()
    }
}
