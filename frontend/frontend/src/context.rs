//! The build context: the client's folder, a repository, or a file system that another build made.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{Annotate, Differ, Error as GraphError, File, FileAction, Local, Output, Source};
use percent_encoding::percent_decode_str;
use poetry_lock::{Dialect, Pyproject};

use crate::{
    dockerignore,
    error::Error,
    gateway::{Gateway, Ref},
    graph::{self, Application},
    layout::{self, normalized},
    plan::Folder,
    request::Request,
    settings::PROJECT_ARGUMENT,
};

/// The files of a project that decide what is built.
const PROJECT_FILES: [&str; 4] = ["pyproject.toml", "poetry.lock", "poetry.toml", ".python-version"];

/// The file of a context that says which of its files do not count.
pub const DOCKERIGNORE: &str = ".dockerignore";

/// The name of the context that files of packages come from instead of a network.
const WHEELHOUSE: &str = "wheelhouse";

/// Where the client's files are.
#[derive(Debug, Clone)]
pub struct Context {
    request: Request,
    /// The context as a file system; `None` for a folder of the client.
    tree: Option<Output>,
    /// The context's folder in `tree`, relative.
    root: String,
    /// The project's folder in the context, relative; empty for the context itself.
    project: String,
    /// The file system that another build gives the Dockerfile in.
    file_input: Option<Output>,
}

/// The files that are read before anything is decided.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The file that `docker build -f` names, and its neighbours.
    pub dockerfile: Files,
    /// The context's root.
    pub root: Files,
    /// The project.
    pub project: Files,
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
    /// Finds the main context (an address, an input of the client, or else a folder of the client), and the file that
    /// `docker build -f` names.
    ///
    /// # Errors
    /// If an address or an input cannot be used, or any error of a call.
    pub async fn find(request: &Request, gateway: &Gateway) -> Result<(Self, Files), Error> {
        let inputs = gateway.inputs().await?;
        let input = |name: &str| inputs.get(name).map(Output::from_definition).transpose();
        let tree = match remote(&request.context_address)? {
            Some(remote) => Some(remote),
            None => input("context")?,
        };
        let file_input = input("dockerfile")?;
        let root = normalized(&request.context_folder);
        let context = Self { request: request.clone(), tree, root, project: String::new(), file_input };
        let dockerfile = context.dockerfile(gateway).await?;
        Ok((context, dockerfile))
    }

    /// Finds the project.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn open(&mut self, dockerfile: Files, gateway: &Gateway) -> Result<Opened, Error> {
        let root = self.project(gateway).await?;
        self.project = self.find_project(&dockerfile, &root, gateway).await?;
        let project = match (&self.tree, &*self.project) {
            (_, "") => root.clone(),
            (Some(_), folder) => root.folder(folder).await,
            (None, folder) => self.project(gateway).await?.folder(folder).await,
        };
        Ok(Opened { dockerfile, root, project })
    }

    /// The project's folder relative to the context: what the build argument says, else the folder of the file that
    /// `docker build -f` names, if that is a project in the context.
    async fn find_project(&self, dockerfile: &Files, root: &Files, gateway: &Gateway) -> Result<String, Error> {
        const PROJECT: &str = "pyproject.toml";
        if let Some(folder) = self.request.build_args.get(PROJECT_ARGUMENT) {
            return Ok(normalized(folder));
        }
        if self.is_in_tree() {
            let beside = self.request.filename.rsplit_once('/').map_or("", |(folder, _)| folder);
            let is_project = dockerfile.folder(beside).await.has(PROJECT);
            return Ok(if is_project { normalized(beside) } else { String::new() });
        }
        let Some(wanted) = dockerfile.text(PROJECT).await? else {
            return Ok(String::new());
        };
        if root.text(PROJECT).await?.as_ref() == Some(&wanted) {
            return Ok(String::new());
        }
        // The client does not tell where the file is in the context, so its neighbour is looked for.
        let patterns = vec![format!("**/{PROJECT}")];
        let all = self.files(gateway, patterns, "poetry-buildkit/projects", "[internal] look for the project").await?;
        let ignore = dockerignore::patterns(&root.text(DOCKERIGNORE).await?.unwrap_or_default());
        let mut found = all.find(PROJECT, &wanted).await?;
        found.retain(|folder| !dockerignore::excludes(&ignore, folder));
        match (found.pop(), found.pop()) {
            (Some(one), Some(other)) => Err(Error::SeveralProjects { first: other, second: one }),
            (one, _) => Ok(one.unwrap_or_default()),
        }
    }

    /// The project's folder relative to the context; empty for the context itself.
    #[must_use]
    pub fn project_folder(&self) -> &str {
        &self.project
    }

    /// The user's files, for the graph. `ignore` are the patterns of the context's `.dockerignore`.
    #[must_use]
    pub fn application(&self, ignore: &[String]) -> Application {
        let context = match &self.tree {
            Some(tree) => graph::Files::Tree { output: tree.clone(), root: self.root.clone() },
            None => {
                let local = self.local(&self.request.context_local);
                let local = local.shared_key_hint("context").name("[internal] load the application");
                graph::Files::Client(Box::new(local))
            }
        };
        Application { context, project: self.project.clone(), ignore: ignore.to_vec() }
    }

    /// The files that decide what is built, and those that a start command is found by.
    async fn project(&self, gateway: &Gateway) -> Result<Files, Error> {
        let of_project = PROJECT_FILES.into_iter().chain(layout::PATTERNS).map(|pattern| self.in_project(pattern));
        let patterns = of_project.chain([DOCKERIGNORE.to_owned()]).collect();
        self.files(gateway, patterns, "poetry-buildkit/project", "[internal] load pyproject.toml and poetry.lock").await
    }

    /// What is in the folders of modules that stand elsewhere than usual. `folder` is that of their project, relative to ours.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn modules(
        &self,
        gateway: &Gateway,
        folder: &str,
        modules: &[layout::Module],
    ) -> Result<BTreeSet<String>, Error> {
        let folder = self.in_project(folder);
        // Their modules alone, also those of namespace packages.
        let pattern = |module: &layout::Module| match module.path.ends_with(".py") {
            true => module.path.clone(),
            false => join(&module.path, "**/*.py"),
        };
        let patterns: Vec<String> = modules.iter().map(|module| join(&folder, &pattern(module))).collect();
        if patterns.is_empty() {
            return Ok(BTreeSet::new());
        }
        let (name, hint) = ("[internal] look for the project's modules", format!("poetry-buildkit/modules/{folder}"));
        let files = self.files(gateway, patterns, &hint, name).await?.folder(&folder).await;
        if files.names.is_empty() {
            return Ok(BTreeSet::new());
        }
        files.listed(&layout::folders(modules)).await
    }

    /// What is known of folders, by their paths relative to the project. Those that are not in the context are left
    /// out; one without a pyproject.toml that can be read is `None`.
    ///
    /// # Errors
    /// Any error of a call.
    pub async fn folders(
        &self,
        gateway: &Gateway,
        paths: &BTreeSet<String>,
        dialect: Dialect,
    ) -> Result<BTreeMap<String, Option<Folder>>, Error> {
        let mut found = BTreeMap::new();
        if paths.is_empty() {
            return Ok(found);
        }
        let files = ["pyproject.toml", "setup.py", "setup.cfg"];
        let patterns = paths.iter().flat_map(|path| {
            files.into_iter().chain(layout::PATTERNS).map(move |pattern| self.in_project(&format!("{path}/{pattern}")))
        });
        let name = "[internal] look at the folders that poetry.lock names";
        let all = self.files(gateway, patterns.collect(), "poetry-buildkit/folders", name).await?;
        for path in paths {
            let files = all.folder(&self.in_project(path)).await;
            if files.names.is_empty() {
                continue;
            }
            let pyproject = files.text("pyproject.toml").await?.and_then(|text| Pyproject::read(&text, dialect).ok());
            let folder = match pyproject {
                Some(pyproject) => {
                    let candidates = layout::candidates(&pyproject);
                    let mut files = files.listed(&layout::folders(&candidates)).await?;
                    if !layout::is_complete(&pyproject, &files) {
                        files.extend(self.modules(gateway, path, &candidates).await?);
                    }
                    Some(Folder { pyproject, files })
                }
                None => None,
            };
            found.insert(path.clone(), folder);
        }
        Ok(found)
    }

    /// The folder that files of packages come from, if the client names one, and the names of its files.
    ///
    /// # Errors
    /// If it is of a kind that cannot be used, or any error of a call.
    pub async fn wheelhouse(&self, gateway: &Gateway) -> Result<Option<(Output, BTreeSet<String>)>, Error> {
        let Some(value) = self.request.contexts.get(WHEELHOUSE) else {
            return Ok(None);
        };
        let Some(name) = value.strip_prefix("local:") else {
            return Err(Error::Wheelhouse { value: value.clone() });
        };
        let local =
            self.local(name).shared_key_hint("poetry-buildkit/wheelhouse").name("[internal] load the wheelhouse");
        let output = local.output()?;
        let files = Files::open(gateway, output.clone(), String::new()).await?;
        Ok(Some((output, files.names)))
    }

    /// The file that `docker build -f` names, its own `.dockerignore`, and the pyproject.toml beside it.
    async fn dockerfile(&self, gateway: &Gateway) -> Result<Files, Error> {
        let name = &self.request.filename;
        if let Some(input) = &self.file_input {
            return Files::open(gateway, input.clone(), String::new()).await;
        }
        if let (Some(tree), true) = (&self.tree, self.is_in_tree()) {
            return Files::open(gateway, tree.clone(), self.root.clone()).await;
        }
        let local = self
            .local(&self.request.file_local)
            .follow_paths([
                name.clone(),
                lower_case(name),
                format!("{name}{DOCKERIGNORE}"),
                "pyproject.toml".to_owned(),
            ])
            .shared_key_hint(&self.request.file_local)
            .differ(Differ::None)
            .name(format!("[internal] load {name}"));
        Files::open(gateway, local.output()?, String::new()).await
    }

    /// Whether the file that `docker build -f` names is one of the context's file system.
    fn is_in_tree(&self) -> bool {
        self.tree.is_some() && !self.request.file_local_forced
    }

    /// The context's root. Of a client's folder it holds what matches these patterns.
    async fn files(&self, gateway: &Gateway, patterns: Vec<String>, hint: &str, name: &str) -> Result<Files, Error> {
        if let Some(tree) = &self.tree {
            return Files::open(gateway, tree.clone(), self.root.clone()).await;
        }
        let local = self.local(&self.request.context_local).include_patterns(patterns).shared_key_hint(hint).name(name);
        Files::open(gateway, local.output()?, String::new()).await
    }

    /// A path relative to the project as one relative to the context.
    fn in_project(&self, path: &str) -> String {
        normalized(&format!("{}/{path}", self.project))
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

    /// A folder of these files; an empty one if it is not there.
    async fn folder(&self, path: &str) -> Self {
        if path.is_empty() {
            return self.clone();
        }
        let mut files = Self { folder: normalized(&format!("{}/{path}", self.folder)), ..self.clone() };
        files.names = files.list("").await.unwrap_or_default().into_iter().collect();
        files
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The folders, relative to these files, in which a file of this name has this text.
    async fn find(&self, name: &str, text: &str) -> Result<Vec<String>, Error> {
        let (mut waiting, mut found) = (vec![String::new()], Vec::new());
        while let Some(path) = waiting.pop() {
            let files = self.folder(&path).await;
            if files.text(name).await?.as_deref() == Some(text) {
                found.push(path.clone());
            }
            let folders = files.names.iter().rev().filter_map(|name| name.strip_suffix('/'));
            waiting.extend(folders.map(|folder| normalized(&format!("{path}/{folder}"))));
        }
        Ok(found)
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
        let path = self.path(name);
        if !in_root || (name.contains('/') && self.gateway.stat(&self.result, &path).await?.is_none()) {
            return Ok(None);
        }
        let bytes = self.gateway.read_file(&self.result, &path).await?;
        String::from_utf8(bytes).map(Some).map_err(|_| Error::NotText { file: name.to_owned() })
    }

    /// What is in these folders, and in those below `src`; folders end in `/`, and those that are not there have nothing.
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
        format!("/{}", normalized(&format!("{}/{name}", self.folder)))
    }
}

fn join(folder: &str, path: &str) -> String {
    normalized(&format!("{folder}/{path}"))
}

/// The other spelling that BuildKit takes for the usual name of a Dockerfile.
#[must_use]
pub fn lower_case(name: &str) -> String {
    match name.strip_suffix("Dockerfile") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => format!("{folder}dockerfile"),
        _ => name.to_owned(),
    }
}

/// A context that is an address: a git repository, or an archive over HTTP. `None` if it is no address.
fn remote(address: &str) -> Result<Option<Output>, GraphError> {
    if let Some(Repository { url, reference, folder, commit }) = git(address) {
        let mut source = Source::git(url).name(format!("[internal] load {address}"));
        if !reference.is_empty() {
            source = source.reference(reference);
        }
        if !folder.is_empty() {
            source = source.folder(folder.trim_matches('/'));
        }
        if !commit.is_empty() {
            source = source.commit(commit);
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

/// What an address says of a Git repository.
#[derive(Debug, Default, PartialEq, Eq)]
struct Repository {
    url: String,
    reference: String,
    folder: String,
    commit: String,
}

/// `URL[#reference[:folder]]` or `URL?branch=…&tag=…&ref=…&subdir=…&checksum=…`, where the URL is one of a repository (BuildKit
/// `frontend/dockerui/context.go`, `util/gitutil`). `None` for other addresses.
fn git(address: &str) -> Option<Repository> {
    let (whole, fragment) = address.split_once('#').unwrap_or((address, ""));
    let (url, query) = whole.split_once('?').unwrap_or((whole, ""));
    let over_http = url.starts_with("http://") || url.starts_with("https://");
    let is_repository = url.starts_with("git://")
        || url.starts_with("ssh://")
        || url.starts_with("git@")
        || url.starts_with("github.com/")
        || (over_http && url.trim_end_matches('/').ends_with(".git"));
    if !is_repository {
        return None;
    }
    let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
    let mut found = Repository {
        url: if url.starts_with("github.com/") { format!("https://{url}") } else { url.to_owned() },
        reference: reference.to_owned(),
        folder: folder.to_owned(),
        commit: String::new(),
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        match key {
            "ref" => found.reference = value,
            "branch" => found.reference = format!("refs/heads/{value}"),
            "tag" => found.reference = format!("refs/tags/{value}"),
            "subdir" => found.folder = value,
            "checksum" | "commit" => found.commit = value,
            // What is not known is refused with the address.
            _ => found.url = whole.to_owned(),
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_archives() {
        let of = |address| {
            git(address).map(|found| format!("{} {} {}", found.url, found.reference, found.folder + &found.commit))
        };
        assert_eq!(of("https://example.org/a.git#main:sub").as_deref(), Some("https://example.org/a.git main sub"));
        assert_eq!(of("git@example.org:a/b").as_deref(), Some("git@example.org:a/b  "));
        assert_eq!(of("github.com/a/b#:sub").as_deref(), Some("https://github.com/a/b  sub"));
        assert_eq!(
            of("https://example.org/a.git?tag=v1&subdir=x").as_deref(),
            Some("https://example.org/a.git refs/tags/v1 x")
        );
        assert_eq!(of("https://example.org/a.git?ref=main%2Fx").as_deref(), Some("https://example.org/a.git main/x "));
        assert_eq!(of("https://example.org/a.git?x=1").as_deref(), Some("https://example.org/a.git?x=1  "));
        assert_eq!(of("https://example.org/a.tar.gz"), None);
        assert_eq!(of("."), None);
    }
}
