//! The build context: the client's folder, a repository, or a file system that another build made.

use std::collections::BTreeSet;

use buildkit_llb::{Annotate, Differ, Error as GraphError, File, FileAction, Local, Output, Source};

use crate::{
    error::Error,
    gateway::{Gateway, Ref},
    graph::Application,
    layout,
    request::Request,
};

/// The files beside pyproject.toml that decide what is built.
const PROJECT_FILES: [&str; 5] = ["pyproject.toml", "poetry.lock", "poetry.toml", ".python-version", ".dockerignore"];

/// Where the client's files are.
#[derive(Debug, Clone)]
pub struct Context {
    request: Request,
    tree: Option<Output>,
    folder: String,
}

/// A solved file tree that can be read.
#[derive(Debug, Clone)]
pub struct Files {
    gateway: Gateway,
    result: Ref,
    folder: String,
    names: BTreeSet<String>,
}

impl Context {
    /// Finds the main context: an address, an input of the client, or else a folder of the client.
    ///
    /// # Errors
    /// If an address or an input cannot be used.
    pub async fn find(request: &Request, gateway: &Gateway) -> Result<Self, Error> {
        let folder = format!("/{}", request.context_folder.trim_matches('/'));
        let tree = if let Some(remote) = remote(&request.context_address)? {
            Some(remote)
        } else if let Some(input) = gateway.inputs().await?.get("context") {
            Some(Output::from_definition(input)?)
        } else {
            None
        };
        Ok(Self { request: request.clone(), tree, folder })
    }

    /// The application's files, for the graph.
    #[must_use]
    pub fn application(&self) -> Application {
        match &self.tree {
            Some(tree) => Application::Tree { output: tree.clone(), folder: self.folder.clone() },
            None => Application::Client(Box::new(
                self.local(&self.request.context_local)
                    .shared_key_hint("context")
                    .name("[internal] load the application"),
            )),
        }
    }

    /// The files that decide what is built, and those that a start command is found by.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn project(&self, gateway: &Gateway) -> Result<Files, Error> {
        let patterns = PROJECT_FILES.into_iter().chain(layout::PATTERNS).map(str::to_owned).collect();
        self.files(gateway, patterns, "poetry-buildkit/project", "[internal] load pyproject.toml and poetry.lock").await
    }

    /// Modules that stand elsewhere than usual.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn modules(&self, gateway: &Gateway, modules: &[layout::Module]) -> Result<Files, Error> {
        let patterns = modules.iter().flat_map(|module| [module.path.clone(), format!("{}/*.py", module.path)]);
        self.files(gateway, patterns.collect(), "poetry-buildkit/modules", "[internal] look for the project's modules")
            .await
    }

    /// The file that `docker build -f` names, and its own `.dockerignore`.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn dockerfile(&self, gateway: &Gateway) -> Result<Files, Error> {
        let name = &self.request.filename;
        if let (Some(tree), false) = (&self.tree, self.request.file_local_forced) {
            return Files::open(gateway, tree.clone(), self.folder.clone()).await;
        }
        let local = self
            .local(&self.request.file_local)
            .include_patterns([name.clone(), format!("{name}.dockerignore")])
            .shared_key_hint(&self.request.file_local)
            .differ(Differ::None)
            .name(format!("[internal] load {name}"));
        Files::open(gateway, local.output()?, "/".to_owned()).await
    }

    async fn files(&self, gateway: &Gateway, patterns: Vec<String>, hint: &str, name: &str) -> Result<Files, Error> {
        if let Some(tree) = &self.tree {
            return Files::open(gateway, tree.clone(), self.folder.clone()).await;
        }
        let local = self.local(&self.request.context_local).include_patterns(patterns).shared_key_hint(hint).name(name);
        Files::open(gateway, local.output()?, "/".to_owned()).await
    }

    fn local(&self, name: &str) -> Local {
        let session = self.request.local_sessions.get(name).unwrap_or(&self.request.session);
        Source::local(name, session)
    }
}

impl Files {
    async fn open(gateway: &Gateway, output: Output, folder: String) -> Result<Self, Error> {
        let result = gateway.solve(output.marshal()?).await?;
        let mut files = Self { gateway: gateway.clone(), result, folder, names: BTreeSet::new() };
        files.names = files.list("").await?.into_iter().collect();
        Ok(files)
    }

    /// The text of a file in the folder itself; `None` if it is not there.
    ///
    /// # Errors
    /// Any error of the call, or that the file is not UTF-8.
    pub async fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let in_root = match name.split_once('/') {
            Some((first, _)) => self.names.contains(&format!("{first}/")),
            None => self.names.contains(name),
        };
        if !in_root {
            return Ok(None);
        }
        let bytes = self.gateway.read_file(&self.result, &self.path(name)).await?;
        String::from_utf8(bytes).map(Some).map_err(|_| Error::NotText { file: name.to_owned() })
    }

    /// The files of these folders, and of those below `src`; folders that are not there have none.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn listed(&self, folders: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        for folder in folders {
            if self.is_folder(folder, &found) {
                let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                found.extend(self.list(folder).await?.into_iter().map(|name| format!("{prefix}{name}")));
            }
        }
        found.retain(|name| !name.ends_with('/'));
        Ok(found)
    }

    fn is_folder(&self, folder: &str, found: &BTreeSet<String>) -> bool {
        let name = format!("{folder}/");
        folder.is_empty() || self.names.contains(&name) || found.contains(&name)
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        Ok(self.gateway.read_dir(&self.result, &self.path(folder)).await?)
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.trim_end_matches('/'))
    }
}

/// A context that is an address: a git repository, or an archive over HTTP. `None` if it is no address.
fn remote(address: &str) -> Result<Option<Output>, GraphError> {
    if let Some((url, reference, folder)) = git(address) {
        let mut source = Source::git(url).name(format!("[internal] load {address}"));
        if !reference.is_empty() {
            source = source.reference(reference);
        }
        if !folder.is_empty() {
            source = source.folder(folder.trim_matches('/'));
        }
        return source.output().map(Some);
    }
    if address.starts_with("http://") || address.starts_with("https://") {
        let archive = Source::http(address).filename("context").name(format!("[internal] load {address}")).output()?;
        let unpack = FileAction::copy(archive, "/context", "/").unpack();
        return File::on(Output::scratch()).then(unpack).output().map(Some);
    }
    Ok(None)
}

/// `URL[#reference[:folder]]` where the URL is one of a repository (BuildKit `util/gitutil`).
fn git(address: &str) -> Option<(String, &str, &str)> {
    let (url, fragment) = address.split_once('#').unwrap_or((address, ""));
    let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
    let over_http = url.starts_with("http://") || url.starts_with("https://");
    let is_repository = url.starts_with("git://")
        || url.starts_with("ssh://")
        || url.starts_with("git@")
        || url.starts_with("github.com/")
        || (over_http && url.split('?').next().is_some_and(|path| path.trim_end_matches('/').ends_with(".git")));
    let url = if url.starts_with("github.com/") { format!("https://{url}") } else { url.to_owned() };
    is_repository.then_some((url, reference, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_archives() {
        let of = |address| git(address).map(|(url, reference, folder)| format!("{url} {reference} {folder}"));
        assert_eq!(of("https://example.org/a.git#main:sub").as_deref(), Some("https://example.org/a.git main sub"));
        assert_eq!(of("git@example.org:a/b").as_deref(), Some("git@example.org:a/b  "));
        assert_eq!(of("github.com/a/b#:sub").as_deref(), Some("https://github.com/a/b  sub"));
        assert_eq!(of("https://example.org/a.tar.gz"), None);
        assert_eq!(of("."), None);
    }
}
