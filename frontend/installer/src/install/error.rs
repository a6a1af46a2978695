use crate::obtain::ObtainError;
use crate::report::{Block, Explain};
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
    /// The wheel cannot be had.
    #[error(transparent)]
    Obtain(#[from] ObtainError),
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
            Self::Obtain(error) => error.facts(),
            Self::Wheel(error) => error.facts(),
            Self::Clash { other, .. } => vec![("other", other.clone())],
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Obtain(error) => error.remedy(),
            Self::Wheel(error) => error.remedy(),
            Self::Clash { .. } => "remove one of the two packages: they cannot be installed together".into(),
        }
    }
}
