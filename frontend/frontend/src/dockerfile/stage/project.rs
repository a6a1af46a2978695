//! The project that a command is about, and its files where the command sees them.

use std::rc::Rc;

use buildkit_llb::Output;

use super::{
    files::{Look, Origin, origin},
    history::Steps,
};
use crate::{
    dockerfile::{
        facts::Facts,
        graph::{Command, Mounted, Step},
        rules,
        stop::{Stop, refuse},
    },
    error::Error,
    source::{SourceFile, Sources},
};

/// What a command sees of the files of its stage.
#[derive(Clone, Copy)]
pub(in crate::dockerfile) struct View<'a> {
    pub(in crate::dockerfile) facts: &'a Facts<'a>,
    pub(in crate::dockerfile) steps: &'a Steps,
    /// The state that the step begins with in the original graph.
    pub(in crate::dockerfile) original: &'a Output,
    /// The state that the command begins with in the new graph.
    pub(in crate::dockerfile) state: &'a Output,
    /// The step that it is part of, for its mounts.
    pub(in crate::dockerfile) step: Option<&'a Rc<Step>>,
    /// Whether other commands of the step have run before it.
    pub(in crate::dockerfile) has_run: bool,
    /// Whether files are followed to where they come from, so that the state need not be made to read them. What that overlooks
    /// is a file that came under another name through a link.
    pub(in crate::dockerfile) follows: bool,
}

impl View<'_> {
    /// The content of the file at an absolute path; `None` if there is none.
    ///
    /// # Errors
    /// If it is in a mount whose content is not known, or a call fails.
    pub(in crate::dockerfile) async fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Stop> {
        match self.step.and_then(|step| step.mount_at(path)) {
            Some(Mounted::Tree { output, path, is_fixed }) if is_fixed || !self.has_run => {
                return Ok(self.facts.file(&output, &path).await?);
            }
            Some(_) => {
                return refuse(&rules::PROJECT_FILES, format!("{path} is in a mount whose content is not known"));
            }
            None => {}
        }
        if self.follows && !self.has_run {
            match origin(self.facts, self.steps, self.original, path, Look::Exact).await? {
                Origin::At(output, path) => return Ok(self.facts.file(&output, &path).await?),
                Origin::Text(bytes) => return Ok(Some(bytes)),
                Origin::Nowhere => return Ok(None),
                Origin::Unknown | Origin::Made(_) => {}
            }
        }
        Ok(self.facts.file(self.state, path).await?)
    }

    /// The same as a text.
    ///
    /// # Errors
    /// As of [`Self::file`], and if it is none.
    pub(in crate::dockerfile) async fn text(&self, path: &str) -> Result<Option<String>, Stop> {
        let Some(bytes) = self.file(path).await? else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => refuse(&rules::PROJECT_FILES, format!("{path} is not valid UTF-8")),
        }
    }
}

/// A project's files.
#[derive(Debug, Clone)]
pub(in crate::dockerfile) struct ProjectTexts {
    pub(in crate::dockerfile) pyproject: String,
    pub(in crate::dockerfile) lock: Option<String>,
    pub(in crate::dockerfile) toml: Option<String>,
}

impl ProjectTexts {
    /// Leaves a command to Poetry because of an error in the project's files.
    pub(in crate::dockerfile) fn refuse<T>(&self, error: impl Into<Error>) -> Result<T, Stop> {
        let file = |name: &str, text: &str| Some(SourceFile::toml(name, text));
        let sources = Sources {
            pyproject: file("pyproject.toml", &self.pyproject),
            lock: self.lock.as_deref().and_then(|text| file("poetry.lock", text)),
            poetry_toml: self.toml.as_deref().and_then(|text| file("poetry.toml", text)),
        };
        let text = error.into().report(&sources).text();
        refuse(&rules::LOCK, text.lines().next().unwrap_or_default())
    }
}

/// Finds the project of a command: the folder of the next pyproject.toml from its working folder upwards, as Poetry looks for it,
/// and its files there.
///
/// # Errors
/// If there is none, or it cannot be told.
pub(in crate::dockerfile) async fn find(
    view: &View<'_>,
    command: &Command<'_>,
    folder: Option<&str>,
) -> Result<(String, ProjectTexts), Stop> {
    let start = command.absolute(folder.unwrap_or("."))?;
    let mut folder = start.clone();
    loop {
        let at = |name: &str| format!("{}/{name}", folder.trim_end_matches('/'));
        if let Some(pyproject) = view.text(&at("pyproject.toml")).await? {
            let lock = view.text(&at("poetry.lock")).await?;
            let toml = view.text(&at("poetry.toml")).await?;
            return Ok((folder, ProjectTexts { pyproject, lock, toml }));
        }
        match folder.rsplit_once('/') {
            Some((above, _)) if folder != "/" => {
                folder = if above.is_empty() { "/".to_owned() } else { above.to_owned() }
            }
            _ => return refuse(&rules::NO_PROJECT, format!("no pyproject.toml is in {start} before it")),
        }
    }
}
