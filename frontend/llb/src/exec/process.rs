use buildkit_proto::pb;

/// The network of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// A network of its own, with access to the outside.
    #[default]
    Sandbox,
    /// The daemon's network. The client must grant it.
    Host,
    /// Only the loopback device.
    None,
}

impl From<Network> for pb::NetMode {
    fn from(network: Network) -> Self {
        match network {
            Network::Sandbox => Self::Unset,
            Network::Host => Self::Host,
            Network::None => Self::None,
        }
    }
}

/// The privileges of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// The usual limits of a container.
    #[default]
    Sandbox,
    /// No limits. The client must grant it.
    Insecure,
}

impl From<Security> for pb::SecurityMode {
    fn from(security: Security) -> Self {
        match security {
            Security::Sandbox => Self::Sandbox,
            Security::Insecure => Self::Insecure,
        }
    }
}

/// Proxies of a process; empty texts set nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyEnv {
    /// `http_proxy`.
    pub http_proxy: String,
    /// `https_proxy`.
    pub https_proxy: String,
    /// `ftp_proxy`.
    pub ftp_proxy: String,
    /// `no_proxy`.
    pub no_proxy: String,
    /// `all_proxy`.
    pub all_proxy: String,
}

impl From<ProxyEnv> for pb::ProxyEnv {
    fn from(proxy: ProxyEnv) -> Self {
        let ProxyEnv { http_proxy, https_proxy, ftp_proxy, no_proxy, all_proxy } = proxy;
        Self { http_proxy, https_proxy, ftp_proxy, no_proxy, all_proxy }
    }
}
