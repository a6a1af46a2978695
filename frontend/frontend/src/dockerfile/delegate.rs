//! Everything that a Dockerfile means, by BuildKit's own Dockerfile frontend.

use std::collections::BTreeMap;

use buildkit_proto::gateway::{self as proto, result as kind};

use crate::{
    gateway::{self, Bridge, Ref},
    request::Request,
};

/// The Dockerfile frontend that is part of every daemon.
const BUILT_IN: &str = "dockerfile.v0";

/// Options that are for us alone. The daemon adds `source`; the capabilities were checked against ours, and an older
/// built-in frontend need not have them.
const OURS: [&str; 2] = ["source", "frontend.caps"];

/// Lets the built-in frontend do what the client asked for.
///
/// # Errors
/// Those of the Dockerfile, which point into it, and any other error of the call.
pub async fn delegate(bridge: &dyn Bridge, request: &Request) -> Result<proto::Result, gateway::Error> {
    let mut result = ask(bridge, request).await?;
    match &mut result.result {
        Some(kind::Result::Ref(reference)) => adopt(bridge, reference).await?,
        Some(kind::Result::Refs(map)) => {
            for reference in map.refs.values_mut() {
                adopt(bridge, reference).await?;
            }
        }
        _ => {}
    }
    Ok(result)
}

/// What the built-in frontend makes of what the client asked for; its file trees are still that frontend's.
///
/// # Errors
/// As of [`delegate`].
pub async fn ask(bridge: &dyn Bridge, request: &Request) -> Result<proto::Result, gateway::Error> {
    let inputs = bridge.inputs().await?;
    let answer = bridge.delegate(BUILT_IN, options(&request.options), inputs).await;
    answer.map_err(|error| match error {
        // In the words of BuildKit's `llbBridge`.
        gateway::Error::Status(status) if status.message().contains(&format!("invalid frontend: {BUILT_IN}")) => {
            gateway::Error::NoFrontend(BUILT_IN)
        }
        error => error,
    })
}

/// Makes a file tree one of this frontend's. The daemon notes (in the build's provenance) who gave the graph of a tree, what
/// it was asked and which images it resolved; for one of the built-in frontend's, this image would not be among them.
///
/// # Errors
/// Any error of the call.
pub async fn adopt(bridge: &dyn Bridge, reference: &mut Ref) -> Result<(), gateway::Error> {
    if let Some(definition) = reference.def.clone().filter(|definition| !definition.def.is_empty()) {
        *reference = bridge.solve(definition).await?;
    }
    Ok(())
}

fn options(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut options = given.clone();
    options.retain(|key, _| !OURS.contains(&key.as_str()));
    // With this option the built-in frontend looks for no syntax line, and starts no other frontend: it would be us.
    options.entry("cmdline".to_owned()).or_insert_with(|| "poetry-buildkit".to_owned());
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::fake::{Fake, tree::Tree};

    #[test]
    fn a_daemon_without_the_built_in_frontend_is_explained() {
        let asked = |message: &str| {
            let fake = Fake::new(Tree::default(), Err(tonic::Status::unknown(message)));
            let request = Request::from_environment([]).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(ask(&fake, &request)).unwrap_err().to_string()
        };
        let explained = asked("invalid frontend: dockerfile.v0");
        assert!(
            explained.contains("`dockerfile.v0` switched off") && explained.contains("buildkitd.toml"),
            "{explained}"
        );
        assert_eq!(asked("dockerfile parse error"), "dockerfile parse error");
    }
}
