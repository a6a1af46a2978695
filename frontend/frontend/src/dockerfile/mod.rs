//! Dockerfiles with instructions of their own.
//!
//! BuildKit's Dockerfile frontend executes them ([`delegate`]). In the graph that it makes, the steps that run
//! `poetry install` are replaced by layers of ours; every other vertex stays what it was, with its places in the user's file. What is
//! decided rests on what the instructions came to: arguments, variables, folders and mounts are those that BuildKit found.
//!
//! | module | what it does | asks the daemon |
//! |---|---|---|
//! | `states` | says which file systems came before one | no |
//! | `graph` | reads the vertices, and each script once | no |
//! | `programs` | says what commands have to do with Poetry | no |
//! | `stage` | says what ran before a command, and where its files, its project and its environment are | through `facts` |
//! | `facts` | looks into file systems, once for each question | yes |
//! | `decide` | decides what becomes of each step (`decision`), or why Poetry does it (`rules`, `stop`) | through `facts` |
//! | `emit` | makes vertices of decisions | no |
//! | `image` | takes `poetry run` out of what the image runs | through `facts` |
//! | `stand_in` | leaves a `poetry` that knows `run` in the image | through `facts` |

#[cfg(test)]
mod cases;
mod decide;
mod decision;
pub mod delegate;
mod emit;
mod facts;
#[cfg(test)]
mod fake;
mod graph;
mod image;
mod programs;
pub mod rules;
mod stage;
mod stand_in;
mod states;
mod stop;

use std::sync::Arc;

use buildkit_llb::{Output, Platform};
use buildkit_proto::{
    gateway::{self as proto, result as kind},
    pb,
};

use crate::{
    error::Error,
    gateway::{Bridge, Daemon, Ref},
    graph::Workshop,
    request::Request,
    source::SourceFile,
};
use decide::{Decided, Left, Setup};
use facts::Facts;
use graph::Graph;
use image::{Asks, ImageConfig};
use rules::Reason;
use stop::Stop;

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

impl Dockerfile {
    /// Whether the user leaves the instruction that begins in this line as it is. Line 0 stands for the whole file.
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
    bridge: &dyn Bridge,
    request: &Request,
    daemon: &Daemon,
    workshop: impl FnOnce(&Platform) -> Result<Workshop, Error>,
    dockerfile: &Dockerfile,
) -> Result<proto::Result, Error> {
    if request.subrequest.is_some() || request.other_platform.is_some() || !dockerfile.concerns_us() {
        return Ok(delegate::delegate(bridge, request).await?);
    }
    let mut result = delegate::ask(bridge, request).await?;
    let own_platform = daemon.platforms.first().cloned().unwrap_or_else(|| Platform::new("linux", "amd64"));
    let workshop = workshop(&own_platform)?;
    let facts = Facts::new(bridge);
    let setup = Setup { facts: &facts, request, caps: &daemon.llb, workshop: &workshop };
    let build = Build { bridge, setup, dockerfile };
    match &mut result.result {
        Some(kind::Result::Ref(reference)) => {
            build.one(reference, result.metadata.get_mut(image::CONFIG), true).await?;
        }
        Some(kind::Result::Refs(map)) => {
            for (index, (platform, reference)) in map.refs.iter_mut().enumerate() {
                let key = format!("{}/{platform}", image::CONFIG);
                build.one(reference, result.metadata.get_mut(&key), index == 0).await?;
            }
        }
        _ => {}
    }
    Ok(result)
}

struct Build<'a> {
    bridge: &'a dyn Bridge,
    setup: Setup<'a>,
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
            // A daemon that old need not take warnings either.
            let _ = self
                .warn(
                    "",
                    None,
                    "this daemon does not tell the graph of a Dockerfile; Docker Engine 23 and later do",
                    "",
                )
                .await;
            return Ok(());
        };
        let original = Output::from_definition(definition)?;
        let graph = Graph::read(&original);
        let mut image = config.as_ref().and_then(|config| ImageConfig::read(config));
        let decided = self.decide(&graph, image.as_mut(), warn).await?;
        if warn {
            self.tell(&decided.left).await?;
        }
        if decided.output == original {
            delegate::adopt(self.bridge, reference).await?;
        } else {
            let definition = decided.output.marshal()?;
            definition.check(self.setup.caps)?;
            *reference = self.bridge.solve(definition.into()).await?;
        }
        if let (Some(config), Some(mut image)) = (config, image) {
            image.rewrite_history(&states::chain(&original), &decided.layers);
            if let Some(stand_in) = &decided.stand_in {
                image.add_history(&format!("COPY poetry {stand_in}"));
            }
            if ImageConfig::read(config).is_some_and(|original| original != image) {
                *config = image.to_json();
            }
        }
        Ok(())
    }

    /// Decides on all steps, and on what the image runs.
    async fn decide(&self, graph: &Graph, image: Option<&mut ImageConfig>, warn: bool) -> Result<Decided, Error> {
        let steps = graph.steps.iter().map(|(digest, step)| (digest.clone(), step.clone().into())).collect();
        let asks = match &image {
            Some(image) => image.asks(self.setup.facts, &steps, &graph.output).await?,
            None => Asks::Nothing,
        };
        let needs = if let Asks::Poetry(reason) = &asks { Some(reason) } else { None };
        let mut decided = self.decided(graph, needs, warn).await?;
        let Some(image) = image.filter(|_| !decided.keeps_poetry) else { return Ok(decided) };
        match image.without_poetry(&self.setup, &graph.output, &decided).await {
            Ok(()) => {
                stand_in::add(self.setup.facts, &mut decided, &graph.output).await?;
                match (asks, &decided.stand_in) {
                    (Asks::Run(_), Some(path)) if image.finds(path) && stand_in::knows(&decided, image.folder()) => {
                        Ok(decided)
                    }
                    (Asks::Run(reason), _) => self.decided(graph, Some(&reason), warn).await,
                    _ => Ok(decided),
                }
            }
            Err(Stop::Error(error)) => Err(*error),
            Err(Stop::Reason(reason) | Stop::Other(_, reason) | Stop::Partial(_, reason)) => {
                self.decided(graph, Some(&reason), warn).await
            }
        }
    }

    async fn decided(&self, graph: &Graph, needs: Option<&Reason>, warn: bool) -> Result<Decided, Error> {
        match decide::decide(&self.setup, graph, needs, &|line| self.dockerfile.is_off(line)).await {
            Ok(mut decided) => {
                // It is told where Poetry would have been left out but for that.
                if let Some(reason) = needs.filter(|_| decided.serves()) {
                    decided.left.push(Left { digest: String::new(), lines: None, reason: reason.clone() });
                }
                Ok(decided)
            }
            Err((error, left)) => {
                // A step has failed. What is left to Poetry may be why, so it is told all the same.
                if warn {
                    self.tell(&left).await?;
                }
                Err(error)
            }
        }
    }

    async fn tell(&self, left: &[Left]) -> Result<(), Error> {
        for Left { digest, lines, reason } in left {
            let Reason { rule, detail } = reason;
            let what = if digest.is_empty() { "the image keeps Poetry" } else { "Poetry runs here" };
            let end = format!(" ({})", rule.code);
            let place =
                lines.as_ref().map_or(String::new(), |lines| format!("{}:{}: ", self.dockerfile.0.name, lines.start()));
            let start = format!("{place}{what}: ");
            let text =
                format!("{start}{}{end}", shortened(detail, MAX_WARNING.saturating_sub(start.len() + end.len())));
            self.warn(
                digest,
                lines.clone(),
                &text,
                &format!("{}. What to do: {} (docs/dockerfile.md#{})", rule.summary, rule.remedy, rule.code),
            )
            .await?;
        }
        Ok(())
    }

    async fn warn(
        &self,
        digest: &str,
        lines: Option<std::ops::RangeInclusive<i32>>,
        short: &str,
        detail: &str,
    ) -> Result<(), Error> {
        let file = &self.dockerfile.0;
        let position = |line: i32| Some(pb::Position { line, character: 0 });
        let range = lines.map(|lines| pb::Range { start: position(*lines.start()), end: position(*lines.end()) });
        let request = proto::WarnRequest {
            digest: digest.to_owned(),
            level: 1,
            short: short.as_bytes().to_vec(),
            detail: Some(detail)
                .filter(|detail| !detail.is_empty())
                .map(|detail| detail.as_bytes().to_vec())
                .into_iter()
                .collect(),
            info: Some(pb::SourceInfo {
                filename: file.name.clone(),
                data: file.masked().into_bytes(),
                definition: None,
                language: file.language.to_owned(),
            }),
            ranges: range.into_iter().collect(),
            ..Default::default()
        };
        Ok(self.bridge.warn(request).await?)
    }
}

/// The longest warning, in characters.
const MAX_WARNING: usize = 120;

/// A text that is cut where it is longer than so many characters.
fn shortened(text: &str, most: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() <= most {
        return text;
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
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
