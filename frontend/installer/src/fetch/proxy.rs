//! Proxies, as the usual environment variables name them.

use ureq::Proxy;

use super::FetchError;

/// The proxies for plain and for secure addresses.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, each also in lower case, which comes first.
    ///
    /// # Errors
    /// A proxy's address cannot be understood, or is of a kind that is not supported.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, FetchError> {
        let find = |name: &str| {
            [name.to_ascii_lowercase(), name.to_owned()]
                .into_iter()
                .find_map(|name| get(&name).filter(|value| !value.trim().is_empty()))
        };
        let exceptions = find("NO_PROXY").unwrap_or_default();
        let proxy = |name: &str| {
            [name, "ALL_PROXY"]
                .into_iter()
                .find_map(|name| find(name).map(|value| (name, value)))
                .map(|(name, value)| read(name, value.trim(), &exceptions))
                .transpose()
        };
        Ok(Self { http: proxy("HTTP_PROXY")?, https: proxy("HTTPS_PROXY")? })
    }

    /// The proxy for an address.
    pub(super) fn of(&self, url: &str) -> Option<&Proxy> {
        let secure = url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("https:"));
        if secure { &self.https } else { &self.http }.as_ref()
    }
}

fn read(variable: &str, value: &str, exceptions: &str) -> Result<Proxy, FetchError> {
    let bad = |detail: &str| FetchError::Proxy { variable: variable.to_owned(), detail: detail.to_owned() };
    let named = Proxy::new(value).map_err(|error| bad(&error.to_string()))?;
    if !matches!(named.protocol(), ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https) {
        return Err(bad("only HTTP proxies are supported"));
    }
    let mut builder = Proxy::builder(named.protocol()).host(named.host()).port(named.port());
    if let Some(user) = named.username() {
        builder = builder.username(user);
    }
    if let Some(password) = named.password() {
        builder = builder.password(password);
    }
    for exception in exceptions.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        builder = builder.no_proxy(exception);
    }
    builder.build().map_err(|error| bad(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, FetchError> {
        Proxies::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn each_scheme_has_its_own_variable() {
        let found = proxies(&[
            ("https_proxy", "http://user:p%40ss@one:3128"),
            ("HTTPS_PROXY", "http://ignored"),
            ("HTTP_PROXY", "two"),
            ("NO_PROXY", "localhost, .example.org"),
        ])
        .unwrap();
        let secure = found.of("HTTPS://a.example.net/x").unwrap();
        assert_eq!((secure.host(), secure.port()), ("one", 3128));
        assert_eq!((secure.username(), secure.password()), (Some("user"), Some("p@ss")));
        assert!(secure.is_no_proxy(&"https://a.example.org/".parse().unwrap()));
        assert!(secure.is_no_proxy(&"https://localhost/".parse().unwrap()));
        assert!(!secure.is_no_proxy(&"https://a.example.net/".parse().unwrap()));
        let plain = found.of("http://a/x").unwrap();
        assert_eq!((plain.host(), plain.port()), ("two", 80));
    }

    #[test]
    fn one_variable_serves_all_schemes() {
        let found = proxies(&[("ALL_PROXY", "http://one:1"), ("HTTP_PROXY", " ")]).unwrap();
        assert!(found.of("http://a/").is_some() && found.of("https://a/").is_some());
        let none = proxies(&[]).unwrap();
        assert!(none.of("http://a/").is_none() && none.of("https://a/").is_none());
    }

    #[test]
    fn proxies_of_other_kinds_are_refused() {
        for value in ["socks5://one:1", "ftp://one", "http://"] {
            let found = proxies(&[("ALL_PROXY", value)]);
            assert!(matches!(found, Err(FetchError::Proxy { .. })), "{value}");
        }
    }
}
