//! How the steps of a command reach the network: as its own process would.

use buildkit_llb::{Network, Output, ProxyEnv};
use buildkit_proto::pb;

use super::{Setup, install::Task};
use crate::{dockerfile::stop::Stop, gateway::is_folder, graph::Workshop};

impl Setup<'_> {
    /// How the steps of a command reach the network: as its own process would.
    pub(super) async fn workshop_of(&self, task: &Task<'_>, base: &Output) -> Result<Workshop, Stop> {
        let mut workshop = self.workshop.clone();
        let command = &task.command;
        workshop.network = match task.step.exec.network {
            network if network == pb::NetMode::Host as i32 => Network::Host,
            network if network == pb::NetMode::None as i32 => Network::None,
            _ => Network::Sandbox,
        };
        let variable = |name: &str| -> Result<String, Stop> {
            let lower = command.variable(name)?;
            Ok(match lower {
                Some(value) => value,
                None => command.variable(&name.to_ascii_uppercase())?.unwrap_or_default(),
            })
        };
        let proxy = ProxyEnv {
            http_proxy: variable("http_proxy")?,
            https_proxy: variable("https_proxy")?,
            ftp_proxy: String::new(),
            no_proxy: variable("no_proxy")?,
            all_proxy: variable("all_proxy")?,
        };
        if workshop.proxy.is_none() && proxy != ProxyEnv::default() {
            workshop.proxy = Some(proxy);
        }
        // What the library trusts that Poetry fetches with.
        for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
            let Some(path) = command.variable(name)?.filter(|path| !path.is_empty()) else { continue };
            let path = command.absolute(&path)?;
            if self.facts.stat(task.state, &path).await?.is_some_and(|stat| !is_folder(&stat)) {
                // The image's own file needs no step to have run.
                let is_bases = self.facts.file(base, &path).await? == self.facts.file(task.state, &path).await?;
                workshop.authority = Some((if is_bases { base.clone() } else { task.state.clone() }, path));
            }
            break;
        }
        Ok(workshop)
    }
}
