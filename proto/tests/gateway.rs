//! The client and the server speak to each other under BuildKit's own names.

use buildkit_proto::caps::ApiCap;
use buildkit_proto::gateway::llb_bridge_client::LlbBridgeClient;
use buildkit_proto::gateway::llb_bridge_server::{LlbBridge, LlbBridgeServer, SERVICE_NAME};
use buildkit_proto::gateway::{PingRequest, PongResponse};
use hyper_util::rt::TokioIo;
use tonic::codegen::tokio_stream::{self, StreamExt};
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

struct Daemon;

#[tonic::async_trait]
impl LlbBridge for Daemon {
    async fn ping(&self, _: Request<PingRequest>) -> Result<Response<PongResponse>, Status> {
        let merge = ApiCap { id: "mergeop".into(), enabled: true, ..ApiCap::default() };
        Ok(Response::new(PongResponse { llb_caps: vec![merge], ..PongResponse::default() }))
    }
}

#[test]
fn service_has_the_name_that_daemons_serve() {
    assert_eq!(SERVICE_NAME, "moby.buildkit.v1.frontend.LLBBridge");
}

#[tokio::test]
async fn ping_is_answered_over_a_pipe() {
    let (ours, theirs) = tokio::io::duplex(4096);
    // The server stops when no connection can come any more, so the stream must not end.
    let incoming = tokio_stream::once(Ok::<_, std::io::Error>(theirs));
    let incoming = incoming.chain(tokio_stream::pending());
    let server = Server::builder().add_service(LlbBridgeServer::new(Daemon));
    tokio::spawn(server.serve_with_incoming(incoming));

    let mut ours = Some(ours);
    let connector = tower::service_fn(move |_| {
        let io = ours.take().map(TokioIo::new);
        async { io.ok_or_else(|| std::io::Error::other("the pipe is used up")) }
    });
    let endpoint = Endpoint::from_static("http://buildkit.invalid");
    let channel = endpoint.connect_with_connector(connector).await.unwrap();
    let mut client = LlbBridgeClient::new(channel);

    let pong = client.ping(PingRequest {}).await.unwrap().into_inner();
    assert_eq!(pong.llb_caps[0].id, "mergeop");
    assert!(pong.llb_caps[0].enabled);
}
