//! What is worth another attempt, and when.

use std::thread::sleep;
use std::time::Duration;

use super::{FetchError, Patience};

/// A failed attempt.
#[derive(Debug)]
pub(super) enum Failure {
    /// The same will happen again.
    Final(FetchError),
    /// It may pass; `after` is the pause that the server asks for.
    Passing { error: FetchError, after: Option<Duration> },
}

impl Failure {
    pub(super) fn passing(error: FetchError) -> Self {
        Self::Passing { error, after: None }
    }

    /// What an answer other than a success means. `after` is its header Retry-After; a date there is not
    /// looked at, because it would need the right time here.
    pub(super) fn of_status(url: &str, status: u16, after: &str) -> Self {
        let error = FetchError::Status { url: url.to_owned(), status };
        match status {
            408 | 429 | 500 | 502 | 503 | 504 => {
                Self::Passing { error, after: after.trim().parse().ok().map(Duration::from_secs) }
            }
            _ => Self::Final(error),
        }
    }

    /// What an error of the HTTP library means.
    pub(super) fn of(url: &str, error: ureq::Error) -> Self {
        let url = url.to_owned();
        let detail = error.to_string();
        match error {
            ureq::Error::Timeout(_) => Self::passing(FetchError::Stalled { url, detail }),
            ureq::Error::HostNotFound => Self::passing(FetchError::Host { url }),
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Self::Final(FetchError::Tls { url, detail }),
            // A failed handshake comes as an input error around the TLS library's own.
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Self::Final(FetchError::Tls { url, detail })
            }
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => Self::Final(FetchError::Address { url, detail }),
            ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => {
                Self::Final(FetchError::Connection { url, detail })
            }
            _ => Self::passing(FetchError::Connection { url, detail }),
        }
    }
}

/// Tries until it works, a failure is final, or patience ends.
pub(super) fn run<T>(patience: &Patience, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, FetchError> {
    let mut pause = patience.first_pause;
    for _ in 1..patience.attempts {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Passing { after, .. }) => {
                sleep(after.unwrap_or(pause).min(patience.longest_pause));
                pause = pause.saturating_mul(2);
            }
        }
    }
    attempt().map_err(|failure| match failure {
        Failure::Final(error) | Failure::Passing { error, .. } => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(attempts: u32) -> Patience {
        Patience {
            attempts,
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(5),
            ..Patience::default()
        }
    }

    fn attempts(status: u16, patience: &Patience) -> (u32, Result<(), FetchError>) {
        let mut count = 0;
        let result = run(patience, || {
            count += 1;
            Err(Failure::of_status("http://example.org/", status, "3600"))
        });
        (count, result)
    }

    #[test]
    fn only_passing_failures_are_tried_again() {
        for status in [408, 429, 500, 502, 503, 504] {
            let (count, result) = attempts(status, &patience(4));
            assert_eq!(count, 4, "{status}");
            assert!(matches!(result, Err(FetchError::Status { status: s, .. }) if s == status));
        }
        for status in [400, 401, 403, 404, 410, 418, 501] {
            assert_eq!(attempts(status, &patience(4)).0, 1, "{status}");
        }
    }

    #[test]
    fn the_servers_wish_is_honoured_within_bounds() {
        let after = |header| match Failure::of_status("http://example.org/", 429, header) {
            Failure::Passing { after, .. } => after,
            Failure::Final(error) => panic!("{error}"),
        };
        assert_eq!(after(" 2 "), Some(Duration::from_secs(2)));
        assert_eq!(after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(after("-1"), None);
        let start = std::time::Instant::now();
        let _ = attempts(429, &patience(3));
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}
