use std::io;

use crate::index::redact;
use crate::report::Explain;

/// Why something cannot be fetched. Addresses are shown without credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The server answers with an error.
    #[error("the server answers with HTTP status {status}")]
    Status {
        /// The address asked for.
        url: String,
        /// The status code.
        status: u16,
    },
    /// The connection fails or breaks.
    #[error("the connection fails")]
    Connection {
        /// The address asked for.
        url: String,
        /// What happened.
        detail: String,
    },
    /// The host's name leads nowhere.
    #[error("the host's name cannot be resolved")]
    Host {
        /// The address asked for.
        url: String,
    },
    /// The server's certificate is not trusted, or TLS fails otherwise.
    #[error("no secure connection is possible")]
    Tls {
        /// The address asked for.
        url: String,
        /// What happened.
        detail: String,
    },
    /// The server is silent for too long.
    #[error("the server does not answer in time")]
    Stalled {
        /// The address asked for.
        url: String,
        /// What was waited for.
        detail: String,
    },
    /// The body comes too slowly.
    #[error("the server sends too slowly")]
    TooSlow {
        /// The address asked for.
        url: String,
        /// What came, and in which time.
        detail: String,
    },
    /// The body ends too early.
    #[error("the download is cut short")]
    CutShort {
        /// The address asked for.
        url: String,
        /// The size that the index lists.
        expected: u64,
        /// What was received.
        received: u64,
    },
    /// The body is too long.
    #[error("the download is larger than the {limit} bytes that are allowed")]
    TooLarge {
        /// The address asked for.
        url: String,
        /// The most that is allowed.
        limit: u64,
    },
    /// The address cannot be asked for.
    #[error("the address cannot be used")]
    Address {
        /// The address.
        url: String,
        /// What is wrong.
        detail: String,
    },
    /// The download cannot be stored.
    #[error("the download cannot be stored ({source})")]
    Write {
        /// The operating system's reason.
        source: io::Error,
    },
    /// The server sends us where we do not go: in a circle, or from TLS to plain text.
    #[error("the server redirects to where it is not safe to go")]
    Redirect {
        /// The address asked for.
        url: String,
        /// Where it leads.
        to: String,
    },
    /// The certificates given as a build secret cannot be read.
    #[error("the build secret '{id}' cannot be used ({detail})")]
    Bundle {
        /// The secret's id.
        id: String,
        /// What is wrong.
        detail: String,
    },
    /// A proxy variable cannot be understood.
    #[error("the proxy in {variable} cannot be used ({detail})")]
    Proxy {
        /// The environment variable.
        variable: String,
        /// What is wrong.
        detail: String,
    },
}

impl Explain for FetchError {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Status { url, .. } | Self::Host { url } | Self::TooLarge { url, .. } => {
                vec![("url", redact(url))]
            }
            Self::Connection { url, detail }
            | Self::Tls { url, detail }
            | Self::Stalled { url, detail }
            | Self::TooSlow { url, detail }
            | Self::Address { url, detail } => {
                vec![("url", redact(url)), ("found", detail.clone())]
            }
            Self::Redirect { url, to } => vec![("url", redact(url)), ("found", redact(to))],
            Self::CutShort { url, expected, received } => vec![
                ("url", redact(url)),
                ("expected", format!("{expected} bytes")),
                ("found", format!("{received} bytes")),
            ],
            Self::Write { .. } | Self::Bundle { .. } | Self::Proxy { .. } => Vec::new(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Status { status, .. } if *status >= 500 || matches!(status, 408 | 429) => {
                "the server is overloaded or broken, and was asked several times: build again later"
            }
            Self::Status { .. } => "open the address in a browser to see what the server has against it",
            Self::Connection { .. }
            | Self::Host { .. }
            | Self::Stalled { .. }
            | Self::TooSlow { .. }
            | Self::CutShort { .. } => {
                "see whether the builder has network access to this host; behind a proxy, pass \
                 --build-arg HTTPS_PROXY=… to the build"
            }
            Self::Tls { .. } => {
                "if the host's certificate is your company's own, pass its root: \
                 --secret id=ca-bundle,src=<file with PEM certificates>"
            }
            Self::TooLarge { .. } => "lock another version",
            Self::Redirect { .. } => "see whether the source's address in pyproject.toml is right",
            Self::Address { .. } => "correct the source's address in pyproject.toml",
            Self::Write { .. } => "see whether the builder has disk space left (docker buildx du), then build again",
            Self::Bundle { .. } => "pass a file with certificates in PEM form",
            Self::Proxy { .. } => "use an address of the form http://host:port",
        }
        .to_owned()
    }
}
