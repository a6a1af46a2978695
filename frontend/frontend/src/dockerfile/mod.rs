//! Dockerfiles with instructions of their own.
//!
//! BuildKit's Dockerfile frontend executes them ([`delegate`]). In the graph that it makes, the steps that run
//! `poetry install` are replaced by layers of ours ([`rewrite`]); every other vertex stays what it was, with its places in
//! the user's file. Nothing is decided by the Dockerfile's text but by what its instructions came to: arguments, variables,
//! folders and mounts are those that BuildKit found.

mod checks;
pub mod command;
mod config;
pub mod delegate;
pub mod files;
mod indirect;
pub mod install;
mod lift;
pub mod lists;
mod network;
pub mod pip;
pub mod place;
pub mod requirements;
pub mod result;
pub mod rewrite;
mod run;
mod seeds;
pub mod service;
mod settle;
pub mod shell;
mod states;
pub mod step;
mod version;

use std::sync::Arc;

use buildkit_llb::{Output, Platform};
use buildkit_proto::{
    gateway::{self as proto, result as kind},
    pb,
};

use crate::{
    error::Error,
    gateway::{Daemon, Gateway, Ref},
    graph::Workshop,
    request::Request,
    source::SourceFile,
};
use files::Files;
use result::Ending;
use rewrite::{Directives, Left};
use service::Service;

/// The comment that switches serving off: in the head of the file for all of it, else for the instruction behind it.
const OFF: &str = "poetry-buildkit: off";

/// A Dockerfile.
#[derive(Debug, Clone)]
pub struct Dockerfile(Arc<SourceFile>);

/// What a file says about who builds it.
#[derive(Debug, Clone)]
pub enum Kind {
    /// It has instructions, which are executed.
    Instructions(Dockerfile),
    /// It has nothing but the line that names a frontend, so that the project says everything.
    Ours,
    /// It is not there, or says nothing at all.
    Unclear,
}

impl Kind {
    /// Reads a file.
    #[must_use]
    pub fn of(name: &str, text: &str) -> Self {
        let is_instruction = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let names_frontend = |line: &str| {
            let comment = line.trim_start().trim_start_matches('#').trim_start();
            comment.strip_prefix("syntax").is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        if text.lines().any(is_instruction) {
            let file = SourceFile { name: name.to_owned(), text: text.to_owned(), language: "Dockerfile" };
            return Self::Instructions(Dockerfile(Arc::new(file)));
        }
        if text.lines().any(names_frontend) { Self::Ours } else { Self::Unclear }
    }
}

impl Dockerfile {
    /// Whether anything in it may be served.
    fn concerns_us(&self) -> bool {
        self.0.text.to_ascii_lowercase().contains("poetry") && !self.is_off(0)
    }
}

impl Directives for Dockerfile {
    /// Line 0 stands for the whole file.
    fn is_off(&self, line: i32) -> bool {
        let is_comment = |line: &str| line.trim_start().starts_with('#');
        let is_off = |line: &str| line.trim_start().trim_start_matches('#').trim() == OFF;
        let lines: Vec<&str> = self.0.text.lines().collect();
        let Some(before) = usize::try_from(line).ok().and_then(|line| line.checked_sub(1)) else {
            return lines.iter().take_while(|line| line.trim().is_empty() || is_comment(line)).any(|line| is_off(line));
        };
        lines.iter().take(before).rev().take_while(|line| is_comment(line)).any(|line| is_off(line))
    }
}

/// Builds a Dockerfile.
///
/// # Errors
/// Those of the Dockerfile, or of a call.
pub async fn serve(
    gateway: &Gateway,
    request: &Request,
    daemon: &Daemon,
    workshop: impl FnOnce(&Platform) -> Result<Workshop, Error>,
    dockerfile: &Dockerfile,
) -> Result<proto::Result, Error> {
    if request.subrequest.is_some() || request.other_platform.is_some() || !dockerfile.concerns_us() {
        return Ok(delegate::delegate(gateway, request).await?);
    }
    let mut result = delegate::ask(gateway, request).await?;
    let own_platform = daemon.platforms.first().cloned().unwrap_or_else(|| Platform::new("linux", "amd64"));
    let workshop = workshop(&own_platform)?;
    let files = Files::new(gateway);
    let service = Service { gateway, request, caps: &daemon.llb, workshop: &workshop, files: &files };
    let build = Build { service, dockerfile };
    match &mut result.result {
        Some(kind::Result::Ref(reference)) => {
            build.one(reference, result.metadata.get_mut(result::CONFIG), true).await?;
        }
        Some(kind::Result::Refs(map)) => {
            for (index, (platform, reference)) in map.refs.iter_mut().enumerate() {
                let key = format!("{}/{platform}", result::CONFIG);
                build.one(reference, result.metadata.get_mut(&key), index == 0).await?;
            }
        }
        _ => {}
    }
    Ok(result)
}

struct Build<'a> {
    service: Service<'a>,
    dockerfile: &'a Dockerfile,
}

impl Build<'_> {
    /// Serves one image. Warnings are the same for all platforms, so one of them is enough to `warn`.
    async fn one(&self, reference: &mut Ref, config: Option<&mut Vec<u8>>, warn: bool) -> Result<(), Error> {
        // The empty file system has no identifier, and no graph.
        if reference.id.is_empty() {
            return Ok(());
        }
        let Some(definition) = &reference.def else {
            let reason =
                "this daemon does not tell the graph of a Dockerfile; Docker Engine 23 and later do".to_owned();
            let left = Left { digest: String::new(), lines: None, text: self.dockerfile.0.name.clone(), reason };
            // A daemon that old need not take warnings either.
            let _ = self.warn(&left).await;
            return Ok(());
        };
        let original = Output::from_definition(definition)?;
        let mut ending = config.as_ref().and_then(|config| Ending::read(config));
        let needs = match &ending {
            Some(ending) => ending.needs(self.service.files, &original).await,
            None => None,
        };
        let mut rewritten = rewrite::rewrite(&self.service, &original, needs, self.dockerfile).await?;
        if let Some(ending) = ending.as_mut().filter(|_| !rewritten.keeps_poetry) {
            let done = ending.without_poetry(&self.service, &original, &rewritten.output, &rewritten.served).await?;
            if let Err(reason) = done {
                rewritten = rewrite::rewrite(&self.service, &original, Some(reason), self.dockerfile).await?;
            }
        }
        for left in rewritten.left.iter().filter(|_| warn) {
            self.warn(left).await?;
        }
        if rewritten.output == original {
            delegate::adopt(self.service.gateway, reference).await?;
        } else {
            let definition = rewritten.output.marshal()?;
            definition.check(self.service.caps)?;
            *reference = self.service.gateway.solve(definition).await?;
        }
        if let (Some(config), Some(mut ending)) = (config, ending) {
            ending.rewrite_history(&states::chain(&original), &rewritten.layers);
            if Ending::read(config).is_some_and(|original| original != ending) {
                *config = ending.to_json();
            }
        }
        Ok(())
    }

    async fn warn(&self, left: &Left) -> Result<(), Error> {
        let file = &self.dockerfile.0;
        let lines = left.lines.clone();
        let place = lines.as_ref().map_or(String::new(), |lines| format!("{}:{}: ", file.name, lines.start()));
        let first = left.text.lines().next().unwrap_or_default();
        let short = format!("{place}Poetry itself runs in `{first}`: {}", left.reason);
        let position = |line: i32| Some(pb::Position { line, character: 0 });
        let range = lines.map(|lines| pb::Range { start: position(*lines.start()), end: position(*lines.end()) });
        let request = proto::WarnRequest {
            digest: left.digest.clone(),
            level: 1,
            short: short.into_bytes(),
            info: Some(pb::SourceInfo {
                filename: file.name.clone(),
                data: file.masked().into_bytes(),
                definition: None,
                language: file.language.to_owned(),
            }),
            ranges: range.into_iter().collect(),
            ..Default::default()
        };
        Ok(self.service.gateway.warn(request).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_switch_serving_off() {
        let file = |text: &str| match Kind::of("Dockerfile", text) {
            Kind::Instructions(file) => file,
            other => panic!("{other:?}"),
        };
        let whole = file("# syntax=x\n# poetry-buildkit: off\nFROM a\nRUN poetry install\n");
        assert!(whole.is_off(0) && !whole.concerns_us());
        let one =
            file("# syntax=x\nFROM a\n# poetry-buildkit: off\n# Because.\nRUN poetry install\nRUN poetry build\n");
        assert!(one.concerns_us() && one.is_off(5) && !one.is_off(6) && !one.is_off(2));
        assert!(matches!(Kind::of("Dockerfile", "# syntax = x\n\n# y\n"), Kind::Ours));
        assert!(matches!(Kind::of("Dockerfile", "# y\n"), Kind::Unclear));
    }
}
