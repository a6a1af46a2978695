//! How the steps of a command reach the network: as its own process would.

use buildkit_llb::{Network, Output, ProxyEnv};
use buildkit_proto::pb;

use super::{
    service::{Problem, Service, Wanted},
    step::Scene,
};
use crate::{
    gateway::{Ref, is_folder},
    graph::Workshop,
};

impl Service<'_> {
    /// How the steps of a command reach the network: as its own process would.
    pub(super) async fn workshop_of(
        &self,
        wanted: &Wanted<'_>,
        scene: &Scene,
        state: &Ref,
        base: &Output,
    ) -> Result<Workshop, Problem> {
        let mut workshop = self.workshop.clone();
        workshop.network = match wanted.step.exec.network {
            network if network == pb::NetMode::Host as i32 => Network::Host,
            network if network == pb::NetMode::None as i32 => Network::None,
            _ => Network::Sandbox,
        };
        let variable = |name: &str| {
            let value = scene.variables.get(name).or_else(|| scene.variables.get(&name.to_ascii_uppercase()));
            value.cloned().unwrap_or_default()
        };
        let proxy = ProxyEnv {
            http_proxy: variable("http_proxy"),
            https_proxy: variable("https_proxy"),
            ftp_proxy: String::new(),
            no_proxy: variable("no_proxy"),
            all_proxy: variable("all_proxy"),
        };
        if workshop.proxy.is_none() && proxy != ProxyEnv::default() {
            workshop.proxy = Some(proxy);
        }
        // What the library trusts that Poetry fetches with.
        let bundle = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];
        if let Some(path) = bundle.iter().find_map(|name| scene.variables.get(*name)).map(|path| scene.absolute(path))
            && self.gateway.stat(state, &path).await?.is_some_and(|stat| !is_folder(&stat))
        {
            // The image's own file needs no step to have run.
            let of_base = self.gateway.solve(base.marshal()?).await?;
            let is_bases =
                self.gateway.read_file(&of_base, &path).await.ok() == self.gateway.read_file(state, &path).await.ok();
            workshop.authority = Some((if is_bases { base.clone() } else { wanted.state.clone() }, path));
        }
        Ok(workshop)
    }
}
