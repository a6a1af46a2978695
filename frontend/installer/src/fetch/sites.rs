//! Who may be told which credentials, and whose certificates are trusted.
//!
//! Follows `poetry.utils.authenticator`: a request gets the credentials of the source with the same scheme, host and
//! port whose path has most in common with that of the request, else what `.netrc` has for the host.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use install_request::Index;
use ureq::Agent;

use super::netrc::Netrc;
use crate::index;

/// A source of the project, and what the client gave for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The source.
    pub index: Index,
    /// The user name; may be empty.
    pub username: String,
    /// The password; may be empty.
    pub password: String,
    /// PEM certificates that are trusted there, beside all others.
    pub certificates: Option<Vec<u8>>,
}

/// The sources of a request.
#[derive(Debug, Default)]
pub(super) struct Sites {
    pub(super) sites: Vec<Site>,
    pub(super) netrc: Netrc,
}

/// A source.
#[derive(Debug)]
pub(super) struct Site {
    url: String,
    authorization: Option<String>,
    /// The client for it, if it has certificates of its own.
    agent: Option<Agent>,
}

impl Site {
    pub(super) fn new(access: &Access, agent: Option<Agent>) -> Self {
        let Access { index, username, password, .. } = access;
        let authorization = (!username.is_empty() || !password.is_empty()).then(|| basic(username, password));
        Self { url: index.url.clone(), authorization, agent }
    }
}

impl Sites {
    /// The header `Authorization` for a request.
    pub(super) fn authorization(&self, url: &str) -> Option<String> {
        if let Some(site) = self.nearest(url, |site| site.authorization.is_some()) {
            return site.authorization.clone();
        }
        let (login, password) = self.netrc.find(host(url)?)?;
        Some(basic(login, password))
    }

    /// The client for a request, if it is not the common one.
    pub(super) fn agent(&self, url: &str) -> Option<&Agent> {
        self.nearest(url, |site| site.agent.is_some())?.agent.as_ref()
    }

    fn nearest(&self, url: &str, wanted: impl Fn(&Site) -> bool) -> Option<&Site> {
        let (origin, path) = index::origin_and_path(url)?;
        self.sites
            .iter()
            .filter(|site| wanted(site))
            .filter_map(|site| {
                let (own, own_path) = index::origin_and_path(&site.url)?;
                let common = path.bytes().zip(own_path.bytes()).take_while(|(a, b)| a == b).count();
                (own == origin).then_some((common, site))
            })
            .max_by_key(|(common, _)| *common)
            .map(|(_, site)| site)
    }
}

/// `Basic …` (RFC 7617).
fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}

/// The host without its port.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority.rsplit('@').next()?;
    match place.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => place.split(':').next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(url: &str, username: &str) -> Site {
        let index = Index { url: url.to_owned(), source: Some("x".to_owned()) };
        Site::new(&Access { index, username: username.into(), password: String::new(), certificates: None }, None)
    }

    #[test]
    fn credentials_go_to_their_own_site_only() {
        let sites = Sites {
            sites: vec![
                site("https://example.org/a/simple", "a"),
                site("https://example.org/b/simple", "b"),
                site("https://none.example.org", ""),
            ],
            netrc: Netrc::parse("machine other.example.org login n password p"),
        };
        let user = |url: &str| sites.authorization(url);
        assert_eq!(user("https://example.org/a/simple/x/"), Some(basic("a", "")));
        assert_eq!(user("https://example.org:443/b/files/x.whl"), Some(basic("b", "")));
        assert_eq!(user("https://EXAMPLE.org/b"), Some(basic("b", "")));
        for foreign in ["http://example.org/a/simple/", "https://example.org:444/a", "https://example.org.evil/a", "x"]
        {
            assert_eq!(user(foreign), None, "{foreign}");
        }
        assert_eq!(user("https://other.example.org:8443/"), Some(basic("n", "p")));
        assert_eq!(user("https://none.example.org/x"), None);
    }
}
