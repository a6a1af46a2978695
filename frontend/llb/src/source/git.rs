use super::url::Url;
use super::{Attrs, is_lower_hex, output};
use crate::annotate::{Annotated, Annotations};
use crate::{Error, Output, cap, path};

/// A git repository. See [`Source::git`](crate::Source::git).
///
/// A reference that is a whole commit hash needs no network to compute the cache key; any other is
/// looked up at every build.
#[derive(Debug, Clone)]
pub struct Git {
    url: String,
    reference: String,
    folder: String,
    commit: Option<String>,
    attrs: Attrs,
    annotations: Annotations,
}

impl Git {
    pub(super) fn new(url: String) -> Self {
        let mut attrs = Attrs::default();
        // The secrets that BuildKit's own clients name. A missing one is no error.
        attrs.set("git.authtokensecret", "GIT_AUTH_TOKEN");
        attrs.set("git.authheadersecret", "GIT_AUTH_HEADER");
        let mut annotations = Annotations::default();
        annotations.need(cap::SOURCE_GIT);
        annotations.need(cap::SOURCE_GIT_FULL_URL);
        Self { url, reference: String::new(), folder: String::new(), commit: None, attrs, annotations }
    }

    /// A branch, tag or commit; by default the branch that the repository's HEAD names.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = reference.into();
        self
    }

    /// Only this folder of the repository, by its path without `/` at the beginning.
    pub fn folder(mut self, path: impl Into<String>) -> Self {
        self.folder = path.into();
        self.annotations.need(cap::SOURCE_GIT_SUBDIR);
        self
    }

    /// The commit that the reference must resolve to: the whole hash.
    pub fn commit(mut self, hash: impl Into<String>) -> Self {
        self.commit = Some(hash.into());
        self.annotations.need(cap::SOURCE_GIT_CHECKSUM);
        self
    }

    /// Keep the `.git` folder.
    pub fn keep_git_dir(self) -> Self {
        self.set("git.keepgitdir", "true", cap::SOURCE_GIT_KEEP_DIR)
    }

    /// Leave submodules out.
    pub fn skip_submodules(self) -> Self {
        self.set("git.skipsubmodules", "true", cap::SOURCE_GIT_SKIP_SUBMODULES)
    }

    /// The id of a build secret with a token for HTTP, in place of `GIT_AUTH_TOKEN`.
    pub fn auth_token_secret(self, id: impl Into<String>) -> Self {
        self.set("git.authtokensecret", id, cap::SOURCE_GIT_HTTP_AUTH)
    }

    /// The id of a build secret with an `Authorization` header for HTTP, in place of `GIT_AUTH_HEADER`.
    pub fn auth_header_secret(self, id: impl Into<String>) -> Self {
        self.set("git.authheadersecret", id, cap::SOURCE_GIT_HTTP_AUTH)
    }

    /// Lines of a `known_hosts` file. Without them, the daemon accepts any key of an SSH server.
    pub fn known_ssh_hosts(self, lines: impl Into<String>) -> Self {
        self.set("git.knownsshhosts", lines, cap::SOURCE_GIT_KNOWN_SSH_HOSTS)
    }

    /// The id of the client's SSH agent; `default` by default.
    pub fn ssh_agent(self, id: impl Into<String>) -> Self {
        self.set("git.mountsshsock", id, cap::SOURCE_GIT_MOUNT_SSH_SOCK)
    }

    fn set(mut self, key: &str, value: impl Into<String>, cap: &str) -> Self {
        self.attrs.set(key, value);
        self.annotations.need(cap);
        self
    }

    /// The files of the repository.
    ///
    /// # Errors
    ///
    /// If the URL is not one of git's or has credentials, a query or a fragment in it; if the reference,
    /// folder or commit are not what they should be; if an id is empty.
    pub fn output(mut self) -> Result<Output, Error> {
        let place = place(&self.url)?;
        if place.over_ssh && !self.attrs.0.contains_key("git.mountsshsock") {
            self = self.ssh_agent("default");
        }
        let Self { url, reference, folder, commit, mut attrs, annotations } = self;
        if reference.contains([':', '#']) {
            return Err(Error::GitReference { reference });
        }
        if !folder.is_empty() && !path::is_clean(&folder) {
            return Err(Error::UncleanPath { what: "the folder of a git repository", path: folder });
        }
        if let Some(commit) = commit {
            if ![40, 64].iter().any(|digits| is_lower_hex(&commit, *digits)) {
                return Err(Error::Commit { commit });
            }
            attrs.set("git.checksum", commit);
        }
        let mut identifier = format!("git://{}", place.identifier);
        if !reference.is_empty() || !folder.is_empty() {
            identifier.push('#');
            identifier.push_str(&reference);
        }
        if !folder.is_empty() {
            identifier.push(':');
            identifier.push_str(&folder);
        }
        attrs.set("git.fullurl", url);
        output(identifier, attrs, None, annotations)
    }
}

impl Annotated for Git {
    fn annotations_mut(&mut self) -> &mut Annotations {
        &mut self.annotations
    }
}

/// A repository by host and path, which are the same over HTTP and over SSH.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    identifier: String,
    over_ssh: bool,
}

fn place(url: &str) -> Result<Place, Error> {
    let long = match short_form(url) {
        Some((user, host, path)) => format!("ssh://{user}@{host}/{}", path.trim_start_matches('/')),
        None => url.to_owned(),
    };
    let parsed = Url::parse(&long, "a git source")?;
    parsed.expect_scheme(&["https", "http", "ssh", "git"])?;
    if !parsed.rest.is_empty() {
        return Err(parsed.refuse("it has a query or fragment"));
    }
    let path = parsed.path.trim_end_matches('/');
    if path.is_empty() {
        return Err(parsed.refuse("it has no path"));
    }
    Ok(Place { identifier: format!("{}{path}", parsed.host), over_ssh: parsed.scheme == "ssh" })
}

/// `user@host:path`, as scp(1) writes it.
fn short_form(url: &str) -> Option<(&str, &str, &str)> {
    let (user, rest) = url.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let is_name = |text: &str, more: char| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == more)
    };
    (is_name(user, '_') && is_name(host, '.')).then_some((user, host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_the_same_over_http_and_ssh() {
        for (url, over_ssh) in [
            ("https://example.org/a/b.git", false),
            ("https://example.org/a/b.git/", false),
            ("ssh://git@example.org/a/b.git", true),
            ("git@example.org:a/b.git", true),
            ("git@example.org:/a/b.git", true),
        ] {
            let identifier = "example.org/a/b.git".to_owned();
            assert_eq!(place(url), Ok(Place { identifier, over_ssh }), "{url}");
        }
    }

    #[test]
    fn what_is_no_repository_is_refused() {
        for url in ["example.org/a", "ftp://example.org/a", "https://example.org", "https://example.org/a#b"] {
            let message = place(url).unwrap_err().to_string();
            assert!(message.contains("is not a URL that a git source can use"), "{message}");
        }
    }
}
