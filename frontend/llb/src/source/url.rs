//! As much of URLs (RFC 3986) as source ops need.

use crate::Error;

/// A URL in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Url<'a> {
    url: &'a str,
    source_kind: &'static str,
    pub(super) scheme: &'a str,
    user: &'a str,
    /// Host and port.
    pub(super) host: &'a str,
    /// With `/` at its beginning, if it is not empty.
    pub(super) path: &'a str,
    /// Query and fragment with the character that begins them.
    pub(super) rest: &'a str,
}

impl<'a> Url<'a> {
    pub(super) fn parse(url: &'a str, source_kind: &'static str) -> Result<Self, Error> {
        let fail = |reason| Error::Url { url: url.to_owned(), source_kind, reason };
        if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(fail("it contains white space or control characters"));
        }
        let (scheme, after) = url.split_once("://").ok_or_else(|| fail("it has no scheme"))?;
        let (authority, after) = split_before(after, &['/', '?', '#']);
        let (path, rest) = split_before(after, &['?', '#']);
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let parsed = Self { url, source_kind, scheme, user, host, path, rest };
        if parsed.user_is_secret() {
            return Err(Error::CredentialsInUrl { host: host.to_owned() });
        }
        if host.is_empty() {
            return Err(fail("it has no host"));
        }
        Ok(parsed)
    }

    /// Over HTTP, a name alone may be a token; over SSH it is just a name.
    fn user_is_secret(&self) -> bool {
        self.user.contains(':') || (self.scheme.starts_with("http") && !self.user.is_empty())
    }

    pub(super) fn expect_scheme(&self, schemes: &[&str]) -> Result<(), Error> {
        if schemes.contains(&self.scheme) { Ok(()) } else { Err(self.refuse("it has another scheme")) }
    }

    pub(super) fn refuse(&self, reason: &'static str) -> Error {
        Error::Url { url: self.url.to_owned(), source_kind: self.source_kind, reason }
    }
}

fn split_before<'a>(text: &'a str, separators: &[char]) -> (&'a str, &'a str) {
    text.split_at(text.find(separators).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_taken_apart() {
        let url = Url::parse("ssh://git@example.org:22/a/b.git?c#d", "a test").unwrap();
        assert_eq!((url.scheme, url.host, url.path, url.rest), ("ssh", "example.org:22", "/a/b.git", "?c#d"));
        let url = Url::parse("https://example.org", "a test").unwrap();
        assert_eq!((url.host, url.path, url.rest), ("example.org", "", ""));
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        for url in [
            "https://hunter2@example.org/a",
            "http://u:hunter2@example.org",
            "ssh://git:hunter2@example.org/a",
            "https://hunter2@/x@example.org/",
        ] {
            let message = Url::parse(url, "a test").unwrap_err().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for (url, reason) in [("example.org/a", "no scheme"), ("https:///a", "no host"), ("https://a b", "white space")]
        {
            let message = Url::parse(url, "a test").unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
}
