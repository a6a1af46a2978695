//! Everything that a Dockerfile means, by BuildKit's own Dockerfile frontend.

use std::collections::BTreeMap;

use buildkit_llb::Output;
use buildkit_proto::{
    gateway::{self as proto, result as kind},
    pb,
};

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
/// it was asked and which images it resolved; for one of the built-in frontend's, this image would not be among them. It notes that
/// by the digest of the vertex that makes the tree, and forgets it if two frontends gave the same vertex, so it gets a digest of its own.
///
/// # Errors
/// Any error of the call.
pub async fn adopt(bridge: &dyn Bridge, reference: &mut Ref) -> Result<(), gateway::Error> {
    if let Some(definition) = reference.def.clone().filter(|definition| !definition.def.is_empty()) {
        let definition = own(&definition).unwrap_or(definition);
        *reference = bridge.solve(definition).await?;
    }
    Ok(())
}

/// The same graph, whose last vertex has another digest.
fn own(definition: &pb::Definition) -> Option<pb::Definition> {
    let output = Output::from_definition(definition).ok()?;
    let (vertex, index) = output.vertex()?;
    Some(vertex.distinct()?.output(index).marshal().ok()?.into())
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
    use buildkit_llb::{Annotate, File, FileAction, OpenVertex, Platform, Source};

    use super::*;
    use crate::dockerfile::fake::{Fake, tree::Tree};

    #[test]
    fn a_graph_that_stays_is_ours_by_its_last_vertex() {
        let base = Source::image("docker.io/library/python:3.11", Platform::new("linux", "amd64")).output().unwrap();
        let copied = File::on(base).then(FileAction::mkdir("/app")).name("WORKDIR /app").output().unwrap();
        let definition: pb::Definition = copied.marshal().unwrap().into();
        let mine = Output::from_definition(&own(&definition).unwrap()).unwrap();
        let (before, after) = (copied.vertex().unwrap().0, mine.vertex().unwrap().0);
        assert_ne!(before.digest(), after.digest());
        assert_eq!((before.name(), before.op().op), (after.name(), after.op().op));
        let digest = |vertex: &OpenVertex| vertex.inputs()[0].digest().map(str::to_owned);
        assert_eq!(digest(&before), digest(&after));
        // And back again.
        let again = Output::from_definition(&own(&mine.marshal().unwrap().into()).unwrap()).unwrap();
        assert_eq!(again.digest(), copied.digest());
    }

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
