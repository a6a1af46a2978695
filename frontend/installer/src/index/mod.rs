//! Simple repositories (PEP 503, PEP 691): where a file is had from.

mod html;
mod json;
mod url;

pub use url::redact;
pub(crate) use url::{join, origin_and_path};

use install_request::{Index, secret};

use crate::fetch::{Client, FetchError, Page};
use crate::report::Explain;

/// What we ask for: JSON, or else HTML.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// The most that a page may hold.
const PAGE_LIMIT: u64 = 256 << 20;

/// A file that a repository lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Its digest, as far as the repository tells.
    pub sha256: Option<String>,
    /// Its size, as far as the repository tells.
    pub size: Option<u64>,
    /// Why it was yanked (PEP 592), if it was; may be empty.
    pub yanked: Option<String>,
    /// The versions of Python that it is made for, as far as the repository tells (PEP 503).
    pub requires_python: Option<String>,
    /// Whether its metadata can be had by itself (PEP 658, PEP 714).
    pub metadata: bool,
}

/// Why a repository does not say where a file is.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The page cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The package is not there.
    #[error("the index has no page for the package")]
    NoPackage {
        /// The page's address.
        url: String,
    },
    /// The index wants credentials, or refuses those it got.
    #[error("the index refuses access")]
    Denied {
        /// The address of the page or the file.
        url: String,
        /// The status code.
        status: u16,
        /// The name of the source in pyproject.toml; `None` for the default index.
        source_name: Option<String>,
        /// Whether it got any credentials.
        given: bool,
    },
    /// The page cannot be understood.
    #[error("the index answers with something that is no package page")]
    Unreadable {
        /// The page's address.
        url: String,
        /// What is wrong.
        detail: String,
    },
    /// The package is there, but not the file.
    #[error("the index does not list the file")]
    NotListed {
        /// The page's address.
        url: String,
        /// How many files it lists.
        count: usize,
    },
}

impl Explain for IndexError {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Fetch(error) => error.facts(),
            Self::NoPackage { url } => vec![("page", redact(url))],
            Self::Denied { url, status, source_name, given } => {
                let credentials = if *given { "given, and not accepted" } else { "none given" };
                let mut facts = vec![("url", redact(url)), ("found", format!("HTTP status {status}"))];
                facts.extend(source_name.iter().map(|name| ("source", name.clone())));
                facts.push(("credentials", credentials.to_owned()));
                facts
            }
            Self::Unreadable { url, detail } => {
                vec![("page", redact(url)), ("found", detail.clone())]
            }
            Self::NotListed { url, count } => vec![
                ("page", redact(url)),
                ("found", format!("{count} other files")),
                ("cause", "the file was deleted, or poetry.lock was made with another index".into()),
            ],
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Fetch(error) => error.remedy(),
            Self::NoPackage { .. } => {
                "see whether the source in pyproject.toml is the one that poetry.lock was made with".into()
            }
            Self::Denied { source_name: Some(name), .. } => format!(
                "pass the credentials of this source to the build, e.g. from variables of the same names:\n\
                 --secret id={0} --secret id={1}",
                secret::username(name),
                secret::password(name)
            ),
            Self::Denied { source_name: None, .. } => {
                format!("pass credentials for this host to the build: --secret id={},src=$HOME/.netrc", secret::NETRC)
            }
            Self::Unreadable { .. } => {
                "see whether the address is that of a simple repository (PEP 503), and open the page in a browser"
                    .into()
            }
            Self::NotListed { .. } => "run `poetry lock` and build again".into(),
        }
    }
}

/// Finds the file `name` of `package` on a repository. Of several, as merged repositories have them, the one with the
/// digest `sha256` is taken, else one whose digest is not told.
///
/// # Errors
/// The page cannot be had or understood, or does not list the file.
pub fn find(
    client: &Client,
    index: &Index,
    package: &str,
    name: &str,
    sha256: Option<&str>,
) -> Result<File, IndexError> {
    let files = files(client, index, package)?;
    let count = files.len();
    chosen(files, name, sha256).ok_or_else(|| IndexError::NotListed { url: page_of(index, package), count })
}

fn chosen(files: Vec<File>, name: &str, sha256: Option<&str>) -> Option<File> {
    let named = files.into_iter().filter(|file| file.name == name);
    named.min_by_key(|file| match (&file.sha256, sha256) {
        (Some(found), Some(expected)) => {
            if found == expected {
                0
            } else {
                2
            }
        }
        _ => 1,
    })
}

/// The address of a package's page. An index may also be one page with the files of all packages, as Poetry has it
/// (`poetry.repositories.single_page_repository`).
fn page_of(index: &Index, package: &str) -> String {
    let path = index.url.split(['?', '#']).next().unwrap_or_default();
    match path.ends_with(".html") || path.ends_with(".htm") {
        true => index.url.clone(),
        false => format!("{}/{package}/", index.url.trim_end_matches('/')),
    }
}

/// All files of `package` on a repository; files of other packages may be among them.
///
/// # Errors
/// The page cannot be had or understood.
pub fn files(client: &Client, index: &Index, package: &str) -> Result<Vec<File>, IndexError> {
    let address = page_of(index, package);
    let page = client.page(&address, ACCEPT, PAGE_LIMIT).map_err(|error| refused(client, index, address, error))?;
    parse(&page).map_err(|detail| IndexError::Unreadable { url: page.url.clone(), detail })
}

fn refused(client: &Client, index: &Index, url: String, error: FetchError) -> IndexError {
    match error {
        FetchError::Status { status: 404 | 410, .. } => IndexError::NoPackage { url },
        error => denied(client, index, error),
    }
}

/// What an answer means that asks for credentials.
pub(crate) fn denied(client: &Client, index: &Index, error: FetchError) -> IndexError {
    match error {
        FetchError::Status { url, status } if matches!(status, 401 | 403 | 407) => {
            IndexError::Denied { given: client.has_credentials(&url), url, status, source_name: index.source.clone() }
        }
        error => IndexError::Fetch(error),
    }
}

/// The files that a page lists, whatever its format.
pub(crate) fn parse(page: &Page) -> Result<Vec<File>, String> {
    let kind = page.content_type.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    if kind.ends_with("json") {
        json::parse(&page.body, &page.url)
    } else {
        // A file server may not know what it serves.
        let files = html::parse(&page.body, &page.url);
        let is_page = kind.ends_with("html") || kind.is_empty() || !files.is_empty();
        if is_page { Ok(files) } else { Err(format!("content of type {kind:?}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_files_of_one_name_the_locked_one_is_taken() {
        let file = |name: &str, sha256: Option<&str>| File {
            name: name.into(),
            sha256: sha256.map(str::to_owned),
            ..File::default()
        };
        let files =
            || vec![file("x.whl", Some("a")), file("x.whl", Some("b")), file("x.whl", None), file("y.whl", Some("b"))];
        let of = |sha256| chosen(files(), "x.whl", sha256).unwrap().sha256;
        assert_eq!(of(Some("b")).as_deref(), Some("b"));
        assert_eq!(of(Some("c")), None);
        assert_eq!(chosen(files(), "z.whl", Some("b")), None);
    }

    #[test]
    fn a_page_of_a_file_server_is_read() {
        let page = |content_type: &str, body: &str| {
            parse(&Page { url: "https://x.example/x/".into(), content_type: content_type.into(), body: body.into() })
        };
        let links = "<a href='x-1.0.whl'>x</a>";
        for content_type in ["text/html; charset=utf-8", "binary/octet-stream", "text/plain", ""] {
            assert_eq!(page(content_type, links).unwrap().len(), 1, "{content_type}");
        }
        assert_eq!(page("text/html", "").unwrap().len(), 0);
        assert_eq!(page("text/plain", "go away").unwrap_err(), "content of type \"text/plain\"");
    }
}
