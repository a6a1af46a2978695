//! The application's files.

use buildkit_llb::{Annotate, Error, File, FileAction, Local, Output, Owner};
use install_request::EPOCH;

use super::{Layer, Materials, settled};
use crate::{dockerignore, layout::normalized, plan::Plan};

/// The user's files.
#[derive(Debug, Clone)]
pub struct Application {
    /// The build context.
    pub context: Files,
    /// The project's folder in the context, relative.
    pub project: String,
    /// The patterns of the context's `.dockerignore`.
    pub ignore: Vec<String>,
}

/// Where a build context comes from.
#[derive(Debug, Clone)]
pub enum Files {
    /// A folder of the client, which has not been asked for yet: just what is needed travels.
    Client(Box<Local>),
    /// A folder of a file system that is there as a whole.
    Tree {
        /// The file system.
        output: Output,
        /// The context's folder in it, relative.
        root: String,
    },
}

/// What no build needs of a folder, whatever the user says.
const VOLATILE: [&str; 9] = [
    "**/.git",
    "**/.venv",
    "**/__pycache__",
    "**/*.pyc",
    "**/.mypy_cache",
    "**/.pytest_cache",
    "**/.ruff_cache",
    "**/.tox",
    "**/node_modules",
];

/// What commonly holds secrets: no folder that something is built from or refers to has it.
const SECRET: [&str; 2] = ["**/.env", "**/.env.*"];

impl Application {
    /// A file system that holds a file or folder of the user's, and its absolute path there. `path` is relative to the
    /// project. Of a client's folder nothing else travels.
    pub(super) fn part(&self, path: &str) -> Result<(Output, String), Error> {
        let path = self.in_context(path);
        match &self.context {
            Files::Client(local) => {
                let mut local = Local::clone(local).exclude_patterns(VOLATILE);
                if !path.is_empty() {
                    local = local.include_patterns([path.as_str()]);
                }
                let local =
                    local.shared_key_hint(format!("poetry-buildkit/{path}")).name(format!("[internal] load {path}"));
                Ok((local.output()?, format!("/{path}")))
            }
            Files::Tree { output, root } => Ok((output.clone(), format!("/{}", normalized(&format!("{root}/{path}"))))),
        }
    }

    /// A copy of a folder of the user's, without what is ignored: its content alone decides about what depends on it.
    pub(super) fn folder(&self, path: &str, name: String) -> Result<Output, Error> {
        let (output, from) = self.part(path)?;
        let ignored = dockerignore::below(&self.ignore, &self.in_context(path));
        let copy = FileAction::copy(output, from, "/")
            .contents()
            .owner(Owner::new(0, 0))
            .timestamp(EPOCH)
            .exclude_patterns(ignored.into_iter().chain(VOLATILE.into_iter().chain(SECRET).map(str::to_owned)));
        File::on(Output::scratch()).then(copy).name(name).output()
    }

    /// A path relative to the project as one relative to the context.
    fn in_context(&self, path: &str) -> String {
        normalized(&format!("{}/{path}", self.project))
    }
}

/// The layer with the files.
pub(super) fn layer(plan: &Plan, materials: &Materials<'_>) -> Result<Layer, Error> {
    let image = &plan.image;
    let folder = &materials.application.project;
    let (source, folder) = match &materials.application.context {
        Files::Client(local) => {
            let mut include: Vec<String> = image.include.iter().map(|pattern| below(folder, pattern)).collect();
            if include.is_empty() && !folder.is_empty() {
                include.push(folder.clone());
            }
            let exclude = image.exclude.iter().map(|pattern| below(folder, pattern));
            (Local::clone(local).exclude_patterns(exclude).include_patterns(include).output()?, format!("/{folder}"))
        }
        Files::Tree { output, root } => (output.clone(), format!("/{}", normalized(&format!("{root}/{folder}")))),
    };
    let copy = FileAction::copy(source, folder, &image.workdir)
        .contents()
        .make_parents()
        .owner(Owner::new(0, 0))
        .timestamp(EPOCH)
        .include_patterns(image.include.iter().map(String::as_str))
        .exclude_patterns(image.exclude.iter().map(String::as_str));
    let name = format!("[{}app] copy the application to {}", materials.prefix, image.workdir);
    let output = materials.workshop.marked(File::on(Output::scratch()).then(copy).name(&name)).output()?;
    let output = settled(output, &image.workdir, name)?;
    Ok(Layer::new(format!("application {}", image.workdir), output))
}

/// A pattern of a folder as one of the folder that it is in.
fn below(folder: &str, pattern: &str) -> String {
    let (bang, pattern) = match pattern.strip_prefix('!') {
        Some(pattern) => ("!", pattern),
        None => ("", pattern),
    };
    if folder.is_empty() { format!("{bang}{pattern}") } else { format!("{bang}{folder}/{pattern}") }
}
