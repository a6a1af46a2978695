//! What all build steps that run the installer have in common.

use std::{collections::BTreeSet, net::IpAddr};

use buildkit_llb::{Annotate, CacheMount, Error, Exec, File, FileAction, Mount, Network, Output, Platform, ProxyEnv};
use install_request::{EPOCH, Index, layout, secret};

/// The installer and how its containers are set up.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// The file system that holds the installer at `/installer`.
    pub tools: Output,
    /// The platform that steps run on.
    pub platform: Platform,
    /// The network that the client chose.
    pub network: Network,
    /// Lines for `/etc/hosts`.
    pub hosts: Vec<(String, IpAddr)>,
    /// Proxies.
    pub proxy: Option<ProxyEnv>,
    /// A file with certificates that are trusted as well: a file system, and the absolute path in it.
    pub authority: Option<(Output, String)>,
    /// What stands in front of the ids of cache mounts.
    pub cache_namespace: String,
    /// Whether everything runs again, and cache mounts are emptied.
    pub no_cache: bool,
}

/// Where the frontend image has the installer.
const INSTALLER_IN_IMAGE: &str = "/installer";

impl Workshop {
    /// A step that runs `installer COMMAND` with a request in a root file system that it cannot change, without a network.
    pub(super) fn step(&self, command: &str, request: &str, root: &Output, platform: &Platform, name: String) -> Exec {
        let installer = Mount::bind_readonly(&self.tools, layout::INSTALLER).selector(INSTALLER_IN_IMAGE);
        let exec = Exec::new([layout::INSTALLER, command], platform)
            .env(layout::REQUEST_VARIABLE, request)
            .root_readonly(root)
            .mount(installer)
            .network(Network::None)
            .name(name);
        self.marked(exec)
    }

    /// The same with the network, the proxies and the certificates that the client chose.
    pub(super) fn fetching(&self, exec: Exec) -> Exec {
        let bundle = Mount::secret(format!("{}/{}", layout::SECRETS, secret::CA_BUNDLE), secret::CA_BUNDLE).optional();
        let exec = self.hosts.iter().fold(exec, |exec, (name, address)| exec.extra_host(name, *address));
        let exec = match &self.proxy {
            Some(proxy) => exec.proxy(proxy.clone()),
            None => exec,
        };
        let exec = match &self.authority {
            Some((output, path)) => {
                let place = format!("{}/{}", layout::SECRETS, secret::STAGE_CA_BUNDLE);
                exec.mount(Mount::bind_readonly(output, place).selector(path))
            }
            None => exec,
        };
        exec.network(self.network).mount(bundle)
    }

    /// The secrets that a step needs to fetch from these sources of the project; the client may have none of them.
    pub(super) fn with_credentials<'a>(&self, exec: Exec, indexes: impl IntoIterator<Item = &'a Index>) -> Exec {
        let named: BTreeSet<&str> = indexes.into_iter().filter_map(|index| index.source.as_deref()).collect();
        let of = |source: &&str| [secret::username(source), secret::password(source), secret::certificate(source)];
        let ids = named.iter().flat_map(of).chain([secret::NETRC.to_owned()]);
        ids.fold(exec, |exec, id| exec.mount(Mount::secret(format!("{}/{id}", layout::SECRETS), id).optional()))
    }

    /// Lets a step run again where the client asks for that.
    pub(super) fn marked<T: Annotate>(&self, op: T) -> T {
        if self.no_cache { op.ignore_cache() } else { op }
    }

    /// A cache mount of ours. The client can tell caches of several teams apart by a namespace.
    pub(super) fn cache(&self, dest: &str, id: &str) -> CacheMount {
        let namespace = &self.cache_namespace;
        let separator = if namespace.is_empty() { "" } else { "/" };
        Mount::cache(dest, format!("{namespace}{separator}poetry-buildkit/{id}"))
    }
}

/// A root file system with nothing in it, for steps that need none.
pub(super) fn empty_root() -> Result<Output, Error> {
    File::on(Output::scratch())
        .then(FileAction::mkdir("/poetry-buildkit").timestamp(EPOCH))
        .name("[internal] empty root file system")
        .output()
}
