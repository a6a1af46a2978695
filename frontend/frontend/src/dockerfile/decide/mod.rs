//! What becomes of each step of a Dockerfile.
//!
//! A round goes through the graph, inputs before users, and decides on every step, with the file systems that the decisions
//! before it make. Where a step needs Poetry after all, all that it comes from has to have Poetry, so that the next round begins
//! with that. Needs only grow, so that the rounds end; what was found out of a file system is not asked again.

mod checks;
mod install;
mod network;
mod pip;
mod program;
mod round;
mod run;
mod seed_packages;
mod step;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use buildkit_llb::{Caps, OpenVertex, Output};

pub(super) use install::{Standpoint, locate};
use round::Round;
pub(super) use run::{edit, left_out, runnable};

use super::{
    decision::{Decision, Installation},
    emit::Layer,
    facts::Facts,
    graph::{At, Graph, Step},
    programs::Meaning,
    rules::{self, Reason},
    stage::{
        history::{History, Steps},
        lists::{Lists, Needs},
        scripts,
    },
    states::copies,
};
use crate::{error::Error, graph::Workshop, layout::is_below, request::Request};

/// What deciding needs of the build.
#[derive(Clone, Copy)]
pub(super) struct Setup<'a> {
    /// What is in the file systems.
    pub(super) facts: &'a Facts<'a>,
    /// What the client asks for.
    pub(super) request: &'a Request,
    /// What the daemon can do.
    pub(super) caps: &'a Caps,
    /// What all build steps have in common.
    pub(super) workshop: &'a Workshop,
}

/// A graph that was made anew.
pub(super) struct Decided {
    /// The result.
    pub(super) output: Output,
    /// What the result's entry point and command may have to be run in.
    pub(super) installations: Vec<Installation>,
    /// What becomes of each step that has to do with Poetry, in the graph's order.
    pub(super) decisions: Vec<(OpenVertex, Decision)>,
    /// Why Poetry runs somewhere, by the vertices of the original graph, in its order.
    pub(super) left: Vec<Left>,
    /// Whether Poetry is in the result.
    pub(super) keeps_poetry: bool,
    /// The layers that now stand for the layer of a vertex, by the vertex's digest in the original graph.
    pub(super) layers: BTreeMap<String, Vec<Layer>>,
    /// The steps as they were read last.
    pub(super) steps: Steps,
    /// The path of what stands in Poetry's place in the result, if anything does.
    pub(super) stand_in: Option<String>,
}

impl Decided {
    /// Whether something takes the place of what Poetry would do.
    pub(super) fn serves(&self) -> bool {
        let is_served = |decision: &Decision| matches!(decision, Decision::Replace(_) | Decision::Split(_));
        self.decisions.iter().any(|(_, decision)| is_served(decision))
    }
}

/// Something that is left to Poetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// The vertex in the original graph.
    pub(super) digest: String,
    /// Its lines in the Dockerfile.
    pub(super) lines: Option<std::ops::RangeInclusive<i32>>,
    /// Why.
    pub(super) reason: Reason,
}

impl Left {
    fn of(vertex: &OpenVertex, reason: &Reason) -> Self {
        let lines = vertex.lines().next().map(|(first, last)| first..=last);
        Self { digest: vertex.digest().to_owned(), lines, reason: reason.clone() }
    }
}

/// Installations that were made, by what they depend on.
type Memo = RefCell<BTreeMap<(At, (String, i64), bool), Installation>>;

/// Decides on all steps. `end_needs` is why the result itself needs Poetry, if it does; `is_off` tells of a line whether
/// the user leaves the instruction that begins there to Poetry. What is left to Poetry is told by
/// `tell` as soon as it is known for good, so that it is told also where a step fails.
///
/// # Errors
/// If a call fails, or an op is not valid.
pub(super) async fn decide(
    setup: &Setup<'_>,
    graph: &Graph,
    end_needs: Option<&Reason>,
    is_off: &dyn Fn(i32) -> bool,
) -> Result<Decided, (Error, Vec<Left>)> {
    let mut needs = Needs::new();
    let mut partial = BTreeMap::new();
    let result = rounds(setup, graph, end_needs, is_off, &mut needs, &mut partial).await;
    result.map_err(|error| {
        let left = graph.vertices.iter().filter_map(|vertex| Some(Left::of(vertex, needs.get(vertex.digest())?)));
        (error, left.filter(|left| left.reason.rule.is_told()).collect())
    })
}

async fn rounds(
    setup: &Setup<'_>,
    graph: &Graph,
    end_needs: Option<&Reason>,
    is_off: &dyn Fn(i32) -> bool,
    needs: &mut Needs,
    partial: &mut BTreeMap<At, Reason>,
) -> Result<Decided, Error> {
    let mut steps: Steps = graph.steps.iter().map(|(digest, step)| (digest.clone(), Rc::new(step.clone()))).collect();
    let provided = provided(graph, &steps);
    for vertex in &graph.vertices {
        let digest = vertex.digest();
        let is_left = vertex.lines().next().is_some_and(|(line, _)| is_off(line));
        let reason = match steps.get(digest) {
            Some(step) if is_left && concerns(step) => Some(Reason::new(&rules::SWITCHED_OFF, "it is switched off")),
            Some(step) => match step.needs() {
                // It is read once more, with the home of its user.
                Some(_) if !step.user.is_empty() && !step.names_home() => None,
                Some(reason) => Some(reason),
                None if provided.contains(digest) || scripts::provides(step) => {
                    scripts::of_step(setup.facts, &steps, step).await?
                }
                None => None,
            },
            None => copies_poetry(vertex, &steps),
        };
        needs.extend(reason.map(|reason| (digest.to_owned(), reason)));
    }
    let lists = Lists::find(setup.facts, &graph.output, &graph.vertices, &steps, needs).await?;
    let end = graph.output.digest().unwrap_or_default().to_owned();
    let memo = Memo::default();
    loop {
        lists.spread(needs);
        let mut needing: BTreeSet<&str> = needs.keys().map(String::as_str).collect();
        needing.extend(partial.keys().map(|(digest, _)| digest.as_str()));
        if end_needs.is_some() {
            needing.insert(&end);
        }
        let kept = ancestors(&graph.vertices, &needing);
        let mut round = Round {
            setup,
            steps: std::mem::take(&mut steps),
            needs,
            lists: &lists,
            partial,
            kept: &kept,
            provided: &provided,
            memo: &memo,
            made: BTreeMap::new(),
            unmade: BTreeSet::new(),
            installed: BTreeMap::new(),
            layers: BTreeMap::new(),
            environments: BTreeMap::new(),
            decisions: Vec::new(),
            known: RefCell::default(),
            installs: false,
            found: Needs::new(),
            found_partial: BTreeMap::new(),
        };
        round.run(&graph.vertices).await?;
        if !(round.found.is_empty() && round.found_partial.is_empty()) {
            let Round { found, found_partial, steps: read, .. } = round;
            steps = read;
            for (digest, reason) in found {
                needs.entry(digest).or_insert(reason);
            }
            partial.extend(found_partial);
            continue;
        }
        // Where Poetry does nothing here, it is there for something that cannot be seen.
        let is_used = round.installs;
        let output = if is_used { round.output(&graph.output) } else { graph.output.clone() };
        let installations = round.earlier(&graph.output);
        let keeps_poetry = kept.contains(&end) || !is_used;
        let (decisions, layers) = (round.decisions, if is_used { round.layers } else { BTreeMap::new() });
        let steps = round.steps;
        let left = graph.vertices.iter().filter_map(|vertex| {
            let digest = vertex.digest();
            let of_part = || partial.iter().find(|((step, _), _)| step == digest).map(|(_, reason)| reason);
            Some(Left::of(vertex, needs.get(digest).or_else(of_part)?))
        });
        let left = left.filter(|left| left.reason.rule.is_told()).collect();
        return Ok(Decided { output, installations, decisions, left, keeps_poetry, layers, steps, stand_in: None });
    }
}

/// Whether a step has anything to do with Poetry, as far as can be seen.
fn concerns(step: &Step) -> bool {
    step.needs().is_some() || step.commands().any(|command| !matches!(command.meaning, Meaning::Other))
}

/// The vertices that something before installs Poetry for, or in them.
fn provided(graph: &Graph, steps: &Steps) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for vertex in &graph.vertices {
        let digest = vertex.digest();
        let is_behind = vertex.inputs().iter().any(|input| input.digest().is_some_and(|digest| found.contains(digest)));
        if is_behind || steps.get(digest).is_some_and(|step| scripts::provides(step)) {
            found.insert(digest.to_owned());
        }
    }
    found
}

/// Everything that these vertices depend on, and they themselves.
fn ancestors(vertices: &[OpenVertex], of: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for vertex in vertices.iter().rev() {
        if of.contains(vertex.digest()) || found.contains(vertex.digest()) {
            found.insert(vertex.digest().to_owned());
            found.extend(vertex.inputs().iter().filter_map(|input| input.digest().map(str::to_owned)));
        }
    }
    found
}

/// Why a copy from another stage needs Poetry to be there, if it does: it copies what installing Poetry makes.
fn copies_poetry(vertex: &OpenVertex, steps: &Steps) -> Option<Reason> {
    copies(vertex).into_iter().find_map(|(from, copy)| {
        let history = History::of(steps, &from);
        let source = copy.src.trim_end_matches('/');
        let mut provided = history.commands().filter_map(|command| match command.meaning {
            Meaning::InstallsPoetry(provision) => Some((provision.home.clone(), command)),
            _ => None,
        });
        // The folder that Poetry has to itself is there in any case.
        let is_missing = provided.any(|(home, command)| {
            let home = home.and_then(|home| command.absolute(&home).ok());
            let in_home = home.is_some_and(|home| is_below(&home, source));
            let is_users = match command.call.variable("HOME").known() {
                Some(home) => is_below(source, &format!("{home}/.local")),
                None => source.contains("/.local"),
            };
            let is_named = source.ends_with("/poetry") || source.contains("pypoetry") || source.contains("/poetry/");
            !in_home && (is_users || is_named)
        });
        is_missing.then(|| Reason::new(&rules::COPIES_POETRY, format!("it copies {} of Poetry", copy.src)))
    })
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Exec, File, FileAction, Platform, Source};

    use super::*;

    fn base() -> Output {
        Source::image("docker.io/library/python:3.11", Platform::new("linux", "amd64")).output().unwrap()
    }

    fn run(state: &Output, script: &str) -> Output {
        let exec = Exec::new(["/bin/sh", "-c", script], Platform::new("linux", "amd64")).root(state);
        exec.env("HOME", "/root").env("POETRY_HOME", "/opt/poetry").build().unwrap().output("/").unwrap()
    }

    fn copy(state: &Output, from: &Output, source: &str, dest: &str) -> Output {
        File::on(state).then(FileAction::copy(from, source, dest).make_parents()).output().unwrap()
    }

    #[test]
    fn copies_of_poetry_need_it() {
        let reason = |builder: &Output, source: &str| {
            let output = copy(&base(), builder, source, source);
            let steps = Graph::read(&output).steps.into_iter().map(|(digest, step)| (digest, step.into())).collect();
            copies_poetry(&output.vertex().unwrap().0, &steps).is_some()
        };
        let user = run(&base(), "pip install --user poetry");
        let home = run(&base(), "python -m venv $POETRY_HOME && $POETRY_HOME/bin/pip install poetry");
        assert!(reason(&user, "/root/.local") && reason(&user, "/root/.local/bin/poetry"));
        assert!(!reason(&user, "/app/.venv") && !reason(&user, "/app/poetry.lock"));
        assert!(!reason(&home, "/opt/poetry") && reason(&home, "/opt/poetry/bin/poetry"));
        assert!(!reason(&run(&base(), "make"), "/root/.local"));
    }

    #[test]
    fn a_need_reaches_everything_below_it() {
        let installed = run(&base(), "pip install poetry");
        let built = run(&installed, "poetry build");
        let other = run(&installed, "true");
        let last = copy(&other, &built, "/dist", "/dist");
        let vertices = last.vertices();
        let kept = ancestors(&vertices, &[built.digest().unwrap()].into());
        let is_kept = |state: &Output| kept.contains(state.digest().unwrap());
        assert!(is_kept(&built) && is_kept(&installed) && !is_kept(&other) && !is_kept(&last));
    }
}
