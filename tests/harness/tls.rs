//! TLS with certificates of an authority that only the tests know. `./dev` makes them.

use std::{fs, net::TcpStream, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::wheels;

/// The certificate of the authority, in PEM form.
pub fn authority() -> PathBuf {
    file("ca.pem")
}

/// A connection to a client that trusts the authority. The handshake happens when it is first read.
pub fn accept(connection: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let chain = vec![CertificateDer::from_pem_file(file("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a key that fits the certificate");
    StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("a connection"), connection)
}

/// The header `Authorization` of HTTP's basic authentication.
pub fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}

fn file(name: &str) -> PathBuf {
    let path = wheels::cache().join("tls").join(name);
    assert!(fs::exists(&path).unwrap_or(false), "{} is not there. Run the tests with ./dev test", path.display());
    path
}
