//! What the client asks for: the options that BuildKit hands to a frontend
//! (BuildKit `frontend/dockerui/config.go`).

use std::{collections::BTreeMap, net::IpAddr};

use buildkit_llb::{Network, Platform};
use serde::Deserialize;
use thiserror::Error;

use crate::{gateway::CacheImport, platform};

/// What the build is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The frontend image's own reference.
    pub source: String,
    /// The client's session, for local sources.
    pub session: String,
    /// The file that `docker build -f` names, relative to its folder.
    pub filename: String,
    /// The target; empty if none is named.
    pub target: String,
    /// The platforms to build for; empty for the builder's own.
    pub platforms: Vec<Platform>,
    /// The first platform that nothing can be installed for, which only BuildKit's own frontend may build.
    pub other_platform: Option<String>,
    /// Whether the result is to be a map by platform even for a single one.
    pub multi_platform: bool,
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// Labels for the image.
    pub labels: BTreeMap<String, String>,
    /// Whether results of earlier builds may not be used.
    pub no_cache: bool,
    /// How images are resolved: `default`, `pull` or `local`.
    pub resolve_mode: String,
    /// Entries for the hosts file of build steps: name and address.
    pub extra_hosts: Vec<(String, IpAddr)>,
    /// The network of build steps.
    pub network: Network,
    /// Where results may be taken from.
    pub cache_imports: Vec<CacheImport>,
    /// Named contexts: `--build-context NAME=…`.
    pub contexts: BTreeMap<String, String>,
    /// Sessions of local sources that have one of their own.
    pub local_sessions: BTreeMap<String, String>,
    /// The main context if it is an address; empty for the client's folder.
    pub context_address: String,
    /// The folder of the main context that counts.
    pub context_folder: String,
    /// The name of the local source that holds the main context.
    pub context_local: String,
    /// The name of the local source that holds the file [`Request::filename`].
    pub file_local: String,
    /// Whether that local source was named by the client, which makes it win over any input.
    pub file_local_forced: bool,
    /// A question instead of a build (`--call`), e.g. `frontend.outline`.
    pub subrequest: Option<String>,
    /// All options as they came.
    pub options: BTreeMap<String, String>,
}

/// An option that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// A platform is not of the form `os/architecture[/variant]`, or not Linux.
    #[error("cannot build for platform `{0}`: poetry-buildkit builds for Linux, as in `linux/amd64` or `linux/arm64`")]
    Platform(String),
    /// A network mode is unknown.
    #[error("unknown network mode `{0}`: use `default`, `none` or `host`")]
    Network(String),
    /// An entry of `--add-host` is not `name=address`.
    #[error("`--add-host` must be NAME=ADDRESS, not `{0}`")]
    Host(String),
    /// The time of creation is no number.
    #[error("`SOURCE_DATE_EPOCH` must be a number of seconds since 1970, not `{0}`")]
    Epoch(String),
    /// The cache imports are not the JSON that clients send.
    #[error("the option `cache-imports` cannot be read: {0}")]
    CacheImports(String),
}

/// The prefix of the environment variables that hold options.
const OPTION_PREFIX: &str = "BUILDKIT_FRONTEND_OPT_";

#[derive(Deserialize)]
struct CacheImportJson {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Attrs", default)]
    attributes: Option<BTreeMap<String, String>>,
}

impl Request {
    /// Whether an environment is that of a frontend's container.
    pub fn is_in(environment: impl IntoIterator<Item = (String, String)>) -> bool {
        environment.into_iter().any(|(name, _)| name.starts_with(OPTION_PREFIX) || name == "BUILDKIT_SESSION_ID")
    }

    /// Reads the environment of a frontend's container.
    ///
    /// # Errors
    /// The first option that cannot be used.
    pub fn from_environment(environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut options = BTreeMap::new();
        let mut session = String::new();
        for (name, value) in environment {
            if name.starts_with(OPTION_PREFIX) {
                let (key, value) = value.split_once('=').unwrap_or((&value, ""));
                options.insert(key.to_owned(), value.to_owned());
            } else if name == "BUILDKIT_SESSION_ID" {
                session = value;
            }
        }
        Self::from_options(&options, session)
    }

    /// The image's time of creation, in seconds since 1970; `None` for the default.
    ///
    /// # Errors
    /// It is no number.
    pub fn epoch(&self) -> Result<Option<i64>, Error> {
        match self.build_args.get("SOURCE_DATE_EPOCH").map_or("", String::as_str) {
            "" => Ok(None),
            seconds => seconds.parse().map(Some).map_err(|_| Error::Epoch(seconds.to_owned())),
        }
    }

    fn from_options(options: &BTreeMap<String, String>, session: String) -> Result<Self, Error> {
        let text = |key: &str| options.get(key).cloned().unwrap_or_default();
        let text_or = |key: &str, default: &str| match options.get(key) {
            Some(value) if !value.is_empty() => value.clone(),
            _ => default.to_owned(),
        };
        let map = |prefix: &str| {
            options
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())))
                .collect::<BTreeMap<_, _>>()
        };
        let build_args = map("build-arg:");
        let multi_platform = options
            .get("multi-platform")
            .or_else(|| build_args.get("BUILDKIT_MULTI_PLATFORM"))
            .is_some_and(|value| is_true(value));
        Ok(Self {
            source: text("source"),
            session,
            filename: text_or("filename", "Dockerfile"),
            target: text("target"),
            platforms: split(&text("platform")).filter_map(platform::parse).collect(),
            other_platform: split(&text("platform")).find(|name| platform::parse(name).is_none()).map(str::to_owned),
            multi_platform,
            labels: map("label:"),
            no_cache: options.contains_key("no-cache"),
            resolve_mode: text_or("image-resolve-mode", "default"),
            extra_hosts: split(&text("add-hosts"))
                .map(|entry| {
                    let host = entry.split_once('=').and_then(|(name, address)| Some((name, address.parse().ok()?)));
                    let (name, address) = host.ok_or_else(|| Error::Host(entry.to_owned()))?;
                    Ok((name.to_owned(), address))
                })
                .collect::<Result<_, _>>()?,
            network: match text("force-network-mode").as_str() {
                "" | "sandbox" | "default" => Network::Sandbox,
                "none" => Network::None,
                "host" => Network::Host,
                other => return Err(Error::Network(other.to_owned())),
            },
            cache_imports: cache_imports(&text("cache-imports"), &text("cache-from"))?,
            contexts: map("context:"),
            local_sessions: map("local-sessionid:"),
            context_address: text(&text_or("contextkey", "context")),
            context_folder: text("contextsubdir"),
            context_local: text_or("contextkey", "context"),
            file_local: text_or("dockerfilekey", "dockerfile"),
            file_local_forced: options.contains_key("dockerfilekey"),
            subrequest: options.get("requestid").cloned(),
            build_args,
            options: options.clone(),
        })
    }
}

/// `cache-imports` is JSON; `cache-from` is the older form, a list of registry references.
fn cache_imports(imports: &str, from: &str) -> Result<Vec<CacheImport>, Error> {
    let mut found = Vec::new();
    if !imports.is_empty() {
        let listed: Vec<CacheImportJson> =
            serde_json::from_str(imports).map_err(|error| Error::CacheImports(error.to_string()))?;
        found.extend(
            listed
                .into_iter()
                .map(|import| CacheImport { kind: import.kind, attributes: import.attributes.unwrap_or_default() }),
        );
    }
    found.extend(split(from).map(|reference| CacheImport {
        kind: "registry".into(),
        attributes: [("ref".to_owned(), reference.to_owned())].into(),
    }));
    Ok(found)
}

fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Go's `strconv.ParseBool`.
fn is_true(text: &str) -> bool {
    ["1", "t", "T", "true", "True", "TRUE"].contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(options: &[&str]) -> Result<Request, Error> {
        let numbered = options
            .iter()
            .enumerate()
            .map(|(number, option)| (format!("{OPTION_PREFIX}{number}"), (*option).to_owned()));
        let session = ("BUILDKIT_SESSION_ID".to_owned(), "session".to_owned());
        Request::from_environment(numbered.chain([session]))
    }

    #[test]
    fn an_empty_environment_is_no_frontends() {
        assert!(!Request::is_in([("PATH".to_owned(), "/bin".to_owned())]));
        assert!(Request::is_in([("BUILDKIT_FRONTEND_OPT_0".to_owned(), "a=b".to_owned())]));
    }

    #[test]
    fn the_time_of_creation_is_a_number() {
        let epoch = |value: &str| request(&[&format!("build-arg:SOURCE_DATE_EPOCH={value}")]).unwrap().epoch();
        assert_eq!((epoch("1700000000"), epoch("")), (Ok(Some(1_700_000_000)), Ok(None)));
        let error = epoch("yesterday").unwrap_err();
        assert_eq!(error.to_string(), "`SOURCE_DATE_EPOCH` must be a number of seconds since 1970, not `yesterday`");
    }

    #[test]
    fn options_have_their_defaults() {
        let request = request(&["source=poetry-buildkit"]).unwrap();
        assert_eq!(request.session, "session");
        assert_eq!(request.filename, "Dockerfile");
        assert_eq!((&*request.context_local, &*request.file_local), ("context", "dockerfile"));
        assert_eq!(request.resolve_mode, "default");
        assert!(!request.no_cache && !request.multi_platform);
    }

    #[test]
    fn values_may_hold_equals_signs_and_keys_colons() {
        let request = request(&[
            "build-arg:A=b=c",
            "label:x.y=1",
            "context:python:3.11-slim=docker-image://other",
            "no-cache=",
            "platform=linux/amd64,linux/arm64",
            "add-hosts=a=10.0.0.1,b=::1",
            "force-network-mode=host",
            "cache-imports=[{\"Type\":\"registry\",\"Attrs\":{\"ref\":\"r/c\"}}]",
            "cache-from=r/old",
        ])
        .unwrap();
        assert_eq!(request.build_args["A"], "b=c");
        assert_eq!(request.labels["x.y"], "1");
        assert_eq!(request.contexts["python:3.11-slim"], "docker-image://other");
        assert!(request.no_cache);
        assert_eq!(request.platforms.len(), 2);
        assert_eq!(request.extra_hosts[1], ("b".to_owned(), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])));
        assert_eq!(request.network, Network::Host);
        let references: Vec<_> = request.cache_imports.iter().map(|import| &*import.attributes["ref"]).collect();
        assert_eq!(references, ["r/c", "r/old"]);
    }

    #[test]
    fn platforms_that_are_not_for_projects_are_told_apart() {
        let request = request(&["platform=linux/amd64,windows/amd64"]).unwrap();
        assert_eq!(request.platforms, [Platform::new("linux", "amd64")]);
        assert_eq!(request.other_platform.as_deref(), Some("windows/amd64"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (option, message) in [
            ("force-network-mode=some", "unknown network mode `some`"),
            ("add-hosts=a", "`--add-host` must be NAME=ADDRESS, not `a`"),
            ("cache-imports={", "the option `cache-imports` cannot be read"),
        ] {
            let error = request(&[option]).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
