//! HTTP: pages and files, with time-outs, retries, redirects, proxies and certificates.

mod error;
mod netrc;
mod pace;
mod proxy;
mod retry;
mod sites;

use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};
use std::time::Duration;

use install_request::secret;
use ureq::http::{HeaderMap, Response, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

pub use error::FetchError;
pub use netrc::Netrc;
use pace::Pace;
pub use proxy::Proxies;
use retry::Failure;
pub use sites::Access;
use sites::{Site, Sites};

use crate::index;
use crate::sha256::{Hasher, hex};

/// The most redirects that are followed for one thing.
const MOST_REDIRECTS: usize = 10;

/// How patient a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to be made, with TLS.
    pub connect: Duration,
    /// For the head of an answer.
    pub answer: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// The time in which at least [`least`](Self::least) bytes of a body have to come.
    pub window: Duration,
    /// See [`window`](Self::window).
    pub least: u64,
    /// How often the same thing is asked for.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause, also when the server asks for a longer one.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            answer: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            window: Duration::from_secs(60),
            least: 60 << 10,
            attempts: 5,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// An HTTP client; its connections are shared by all threads.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    sites: Sites,
    proxies: Proxies,
    patience: Patience,
}

/// Whom a client trusts, and who trusts it.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// PEM certificates that are trusted in addition to the public roots.
    pub ca_bundle: Option<Vec<u8>>,
    /// Sources with credentials or certificates of their own.
    pub access: Vec<Access>,
    /// Credentials for all other hosts.
    pub netrc: Netrc,
}

/// A page that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it was in the end, after redirects.
    pub url: String,
    /// Its media type, as the server writes it.
    pub content_type: String,
    /// Its content.
    pub body: Vec<u8>,
}

/// A file that was downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its digest.
    pub sha256: String,
    /// Its size.
    pub size: u64,
}

impl Client {
    /// A client.
    ///
    /// # Errors
    /// A bundle holds no certificate, or something that is none.
    pub fn new(patience: Patience, proxies: Proxies, trust: &Trust) -> Result<Self, FetchError> {
        let common: Vec<(&str, &[u8])> =
            trust.ca_bundle.iter().map(|bundle| ("ca-bundle", bundle.as_slice())).collect();
        let mut sites = Vec::new();
        for access in &trust.access {
            let own = match &access.certificates {
                Some(own) => {
                    let id = access.index.source.as_deref().map(secret::certificate).unwrap_or_default();
                    Some(agent(&patience, &[&common[..], &[(id.as_str(), own.as_slice())]].concat())?)
                }
                None => None,
            };
            sites.push(Site::new(access, own));
        }
        let agent = agent(&patience, &common)?;
        Ok(Self { agent, sites: Sites { sites, netrc: trust.netrc.clone() }, proxies, patience })
    }

    /// Whether a request for this address gets credentials.
    #[must_use]
    pub fn has_credentials(&self, url: &str) -> bool {
        self.sites.authorization(url).is_some()
    }

    /// Fetches a page of at most `limit` bytes.
    ///
    /// # Errors
    /// All attempts failed, or the answer is final and no success.
    pub fn page(&self, url: &str, accept: &str, limit: u64) -> Result<Page, FetchError> {
        retry::run(&self.patience, || {
            let (response, address) = self.get(url, accept, "gzip")?;
            let content_type = text(response.headers(), header::CONTENT_TYPE);
            let mut body = Vec::new();
            let sink = |piece: &[u8]| {
                body.extend_from_slice(piece);
                Ok(())
            };
            receive(response, url, limit, None, &self.patience, sink)?;
            Ok(Page { url: address, content_type, body })
        })
    }

    /// Downloads a file of at most `limit` bytes into `file`, whose content is replaced.
    /// If its `size` is known, a shorter answer counts as cut short.
    ///
    /// # Errors
    /// All attempts failed, the answer is final and no success, or `file` cannot be written.
    pub fn download(&self, url: &str, file: &mut File, limit: u64, size: Option<u64>) -> Result<Download, FetchError> {
        retry::run(&self.patience, || {
            let (response, _) = self.get(url, "*/*", "identity")?;
            let unwritable = |source| Failure::Final(FetchError::Write { source });
            file.set_len(0).and_then(|()| file.rewind()).map_err(unwritable)?;
            let mut hasher = Hasher::new();
            let size = receive(response, url, limit, size, &self.patience, |piece| {
                hasher.update(piece);
                file.write_all(piece)
            })?;
            Ok(Download { sha256: hex(&hasher.finish()), size })
        })
    }

    /// The answer to a request, if it is a success, and where it came from in the end.
    fn get(&self, url: &str, accept: &str, encoding: &str) -> Result<(Response<Body>, String), Failure> {
        let mut address = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.ask(&address, accept, encoding)?;
            let status = response.status();
            if status.is_success() {
                return Ok((response, address));
            }
            let location = text(response.headers(), header::LOCATION);
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) || location.is_empty() {
                let after = text(response.headers(), header::RETRY_AFTER);
                return Err(Failure::of_status(&address, status.as_u16(), &after));
            }
            let next = index::join(&address, &location).filter(|next| !is_downgrade(&address, next));
            address = next.ok_or(Failure::Final(FetchError::Redirect { url: address, to: location }))?;
        }
        Err(Failure::Final(FetchError::Redirect { url: url.to_owned(), to: address }))
    }

    /// Asks once. Credentials are those of the address itself, so that none follows a redirect to another host.
    fn ask(&self, url: &str, accept: &str, encoding: &str) -> Result<Response<Body>, Failure> {
        let agent = self.sites.agent(url).unwrap_or(&self.agent);
        let mut request = agent.get(url).header(header::ACCEPT, accept).header(header::ACCEPT_ENCODING, encoding);
        if let Some(authorization) = self.sites.authorization(url) {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.config().proxy(self.proxies.of(url).cloned()).build();
        request.call().map_err(|error| Failure::of(url, error))
    }
}

/// Whether a redirect leaves TLS.
fn is_downgrade(from: &str, to: &str) -> bool {
    let is_secure = |url: &str| url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
    is_secure(from) && !is_secure(to)
}

/// An HTTP library's client that trusts the public roots and these bundles, each given with the id of its secret.
fn agent(patience: &Patience, bundles: &[(&str, &[u8])]) -> Result<Agent, FetchError> {
    let tls = match bundles {
        [] => TlsConfig::default(),
        bundles => TlsConfig::builder().root_certs(roots(bundles)?).build(),
    };
    Ok(Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("poetry-buildkit/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.answer))
        .timeout_per_read(Some(patience.idle))
        .timeout_per_write(Some(patience.idle))
        .max_idle_connections(64)
        .max_idle_connections_per_host(32)
        .build()
        .new_agent())
}

/// Hands a body to `sink` piece by piece, and returns its length.
fn receive(
    response: Response<Body>,
    url: &str,
    limit: u64,
    size: Option<u64>,
    patience: &Patience,
    mut sink: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, Failure> {
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
    let mut buffer = vec![0; 128 << 10];
    let mut received = 0_u64;
    let mut pace = Pace::new(patience);
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::of(url, error.into())),
        };
        received += count as u64;
        pace.take(count as u64)
            .map_err(|detail| Failure::passing(FetchError::TooSlow { url: url.to_owned(), detail }))?;
        if received > limit {
            return Err(Failure::Final(FetchError::TooLarge { url: url.to_owned(), limit }));
        }
        sink(buffer.get(..count).unwrap_or_default()).map_err(|source| Failure::Final(FetchError::Write { source }))?;
    }
    match size {
        Some(expected) if received < expected => {
            Err(Failure::passing(FetchError::CutShort { url: url.to_owned(), expected, received }))
        }
        _ => Ok(received),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// The public roots and the certificates of these bundles.
fn roots(bundles: &[(&str, &[u8])]) -> Result<RootCerts, FetchError> {
    let mut own = Vec::new();
    for (id, bundle) in bundles {
        let unusable = |detail| FetchError::Bundle { id: (*id).to_owned(), detail };
        let before = own.len();
        for item in parse_pem(bundle) {
            match item {
                Ok(PemItem::Certificate(certificate)) => own.push(certificate),
                Ok(_) => {}
                Err(error) => return Err(unusable(error.to_string())),
            }
        }
        if own.len() == before {
            return Err(unusable("it holds no certificate".to_owned()));
        }
    }
    let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    let public = public.iter().map(|der| Certificate::from_der(der).to_owned());
    own.extend(public);
    Ok(RootCerts::from(own))
}
