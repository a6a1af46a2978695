use crate::fetch::FetchError;
use crate::index::{IndexError, redact};
use crate::report::{Block, Explain, megabytes};
use crate::wheel::WheelError;

/// Why wheels were not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The request makes no sense; the frontend never sends such a one.
    #[error("the request cannot be carried out: {detail}")]
    Request {
        /// What is wrong.
        detail: String,
    },
    /// Some wheels failed, in the order of the request.
    #[error("{}", shown(.0))]
    Wheels(Vec<Block>),
    /// The result could not be completed.
    #[error("the result cannot be completed ({0})")]
    Output(#[from] std::io::Error),
}

/// More blocks than this say the same.
const MOST_BLOCKS: usize = 4;

fn shown(blocks: &[Block]) -> String {
    let mut text: String = blocks.iter().take(MOST_BLOCKS).map(|block| format!("{block}\n")).collect();
    if blocks.len() > MOST_BLOCKS {
        text += &format!("and {} more wheels failed\n", blocks.len() - MOST_BLOCKS);
    }
    text.trim_end().to_owned()
}

/// Why one wheel was not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallFailure {
    /// The index does not say where the file is.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The file cannot be downloaded.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The index lists another digest than the lock.
    #[error("the index lists another digest than poetry.lock")]
    ListedDigest {
        /// The file's address.
        url: String,
        /// The locked digest.
        expected: String,
        /// The digest that the index lists.
        found: String,
    },
    /// The file does not have the locked digest.
    #[error("the downloaded file does not have the digest of poetry.lock")]
    Digest {
        /// The file's address.
        url: String,
        /// The locked digest.
        expected: String,
        /// The file's digest.
        found: String,
        /// The file's size.
        size: u64,
    },
    /// The wheel is refused, or cannot be unpacked.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// Two wheels cannot stand beside each other.
    #[error("{path:?} is a file in one of two packages and a folder in the other")]
    Clash {
        /// The path.
        path: String,
        /// The other package.
        other: String,
    },
}

impl Explain for InstallFailure {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Index(error) => error.facts(),
            Self::Fetch(error) => error.facts(),
            Self::Wheel(error) => error.facts(),
            Self::ListedDigest { url, expected, found } => vec![
                ("url", redact(url)),
                ("expected", format!("sha256 {expected}")),
                ("found", format!("sha256 {found}")),
                ("cause", "the file was replaced on the index, or poetry.lock was made with another index".into()),
            ],
            Self::Digest { url, expected, found, size } => vec![
                ("url", redact(url)),
                ("expected", format!("sha256 {expected}")),
                ("found", format!("sha256 {found} ({})", megabytes(*size))),
                ("cause", "the file was replaced on the server, or a proxy or mirror sends something else".into()),
            ],
            Self::Clash { other, .. } => vec![("other", other.clone())],
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Index(error) => error.remedy(),
            Self::Fetch(error) => error.remedy(),
            Self::Wheel(error) => error.remedy(),
            Self::ListedDigest { .. } | Self::Digest { .. } => {
                "do not trust the file; find out why it changed, and only then run `poetry lock`".into()
            }
            Self::Clash { .. } => "remove one of the two packages: they cannot be installed together".into(),
        }
    }
}
