//! gRPC over the container's own stdin and stdout (BuildKit `frontend/gateway/grpcclient`).

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    pin::Pin,
    sync::Mutex,
};

use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, Join, join},
    net::unix::pipe,
};
use tonic::transport::{Channel, Endpoint};

type Reader = Pin<Box<dyn AsyncRead + Send>>;
type Writer = Pin<Box<dyn AsyncWrite + Send>>;

/// Opens the one connection that the daemon offers. HTTP/2 begins at once, in clear text.
///
/// # Errors
/// If stdin or stdout cannot be used, or the daemon does not speak HTTP/2.
pub(super) async fn connect() -> Result<Channel, tonic::transport::Error> {
    // A lost connection cannot be had again: the pipes end with it.
    let once = Mutex::new(Some(stdio()));
    Endpoint::from_static("http://localhost")
        .connect_with_connector(tower::service_fn(move |_| {
            let taken = once.lock().ok().and_then(|mut stdio| stdio.take());
            async { taken.ok_or_else(|| io::Error::other("the connection to BuildKit is lost"))?.map(TokioIo::new) }
        }))
        .await
}

fn stdio() -> io::Result<Join<Reader, Writer>> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    Ok(join(reader(input), writer(output)))
}

// Pipes are polled without a thread; anything else goes through tokio's blocking handles.
fn reader(fd: OwnedFd) -> Reader {
    match pipe::Receiver::from_owned_fd(fd) {
        Ok(pipe) => Box::pin(pipe),
        Err(_) => Box::pin(tokio::io::stdin()),
    }
}

fn writer(fd: OwnedFd) -> Writer {
    match pipe::Sender::from_owned_fd(fd) {
        Ok(pipe) => Box::pin(pipe),
        Err(_) => Box::pin(tokio::io::stdout()),
    }
}
