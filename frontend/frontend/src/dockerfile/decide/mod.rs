//! What becomes of each step of a Dockerfile.
//!
//! A round goes through the graph, inputs before users, and decides on every step, with the file systems that the decisions
//! before it make. Where a step needs Poetry after all, all that it comes from has to have Poetry, so that the next round begins
//! with that. Needs only grow, so that the rounds end; what was found out of a file system is not asked again.

mod checks;
mod install;
mod network;
pub(super) mod ownership;
mod pip;
mod program;
mod run;
mod seed_packages;
mod step;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use buildkit_llb::{Caps, OpenVertex, Output, cap};
use buildkit_proto::pb;

pub(super) use install::{Standpoint, locate};
pub(super) use run::{edit, left_out, runnable};

use super::{
    Directives, Stop,
    emit::{
        Layer,
        copied_venv::{self, Environment},
    },
    facts::Facts,
    graph::{At, Graph, Step},
    programs::Meaning,
    rules::{self, Reason},
    stage::{
        history::{History, Steps},
        lists::{Lists, Needs},
        place::Place,
        scripts,
        states::{chain, copies, key},
    },
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

/// What becomes of a step.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    /// It stays as it is.
    Keep,
    /// Nothing of it is left.
    Drop,
    /// Layers and files stand for all of it.
    Replace(Vec<Segment>),
    /// Layers and files stand for a part of it, and processes do the rest.
    Split(Vec<Segment>),
    /// Poetry does it.
    Leave(Reason),
}

/// What stands for a part of a step.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// A process with this script.
    Script(String),
    /// Layers, for a command with this text.
    Installation(Installation, String),
    /// A file at this path.
    File(String),
    /// A folder that Poetry would have been in.
    Folder(String),
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keep => writeln!(f, "keep"),
            Self::Drop => writeln!(f, "drop"),
            Self::Leave(reason) => writeln!(f, "leave: {} ({})", reason.detail, reason.rule.code),
            Self::Replace(segments) | Self::Split(segments) => {
                writeln!(f, "{}", if matches!(self, Self::Replace(_)) { "replace" } else { "split" })?;
                segments.iter().try_for_each(|segment| write!(f, "{segment}"))
            }
        }
    }
}

impl std::fmt::Display for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Script(text) => writeln!(f, "  run {text:?}"),
            Self::File(path) => writeln!(f, "  file {path}"),
            Self::Folder(path) => writeln!(f, "  folder {path}"),
            Self::Installation(made, text) => {
                let packages: Vec<String> =
                    made.packages.iter().map(|(name, version)| format!("{name} {version}")).collect();
                let root = if made.has_root { " and the project" } else { "" };
                writeln!(f, "  install {text:?} at {}: {}{root}", made.place, packages.join(", "))?;
                made.rest
                    .iter()
                    .try_for_each(|rest| writeln!(f, "    and Poetry: {} ({})", rest.detail, rest.rule.code))
            }
        }
    }
}

/// What a command installed.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    /// Where.
    pub(super) place: Place,
    /// The layers, each with what it holds.
    pub(super) layers: Vec<(String, Output)>,
    /// The packages, with their versions.
    pub(super) packages: BTreeMap<String, String>,
    /// Whether the project itself is installed.
    pub(super) has_root: bool,
    /// Why Poetry has to run as well, for what is not in the layers.
    pub(super) rest: Option<Reason>,
    /// The same layers before they were fitted to the stage's folders, if root owns them.
    loose: Option<Vec<(String, Output)>>,
}

impl Installation {
    /// The path of the virtual environment, if Poetry would have made it.
    fn made(&self) -> Option<&str> {
        match &self.place {
            Place::Venv { path, made: true } => Some(path),
            _ => None,
        }
    }

    /// The environment as a copy of it in another stage would have it, if this is all of it.
    fn as_copied(&self, is_new: bool) -> Option<Environment> {
        match (&self.loose, &self.rest, self.place.path()) {
            (Some(layers), None, Some(path)) if is_new => {
                Some(Environment { path: path.to_owned(), layers: layers.clone() })
            }
            _ => None,
        }
    }
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

/// Decides on all steps. `end_needs` is why the result itself needs Poetry, if it does. What is left to Poetry is told by
/// `tell` as soon as it is known for good, so that it is told also where a step fails.
///
/// # Errors
/// If a call fails, or an op is not valid.
pub(super) async fn decide(
    setup: &Setup<'_>,
    graph: &Graph,
    end_needs: Option<&Reason>,
    directives: &dyn Directives,
) -> Result<Decided, (Error, Vec<Left>)> {
    let mut needs = Needs::new();
    let mut partial = BTreeMap::new();
    let result = rounds(setup, graph, end_needs, directives, &mut needs, &mut partial).await;
    result.map_err(|error| {
        let left = graph.vertices.iter().filter_map(|vertex| Some(Left::of(vertex, needs.get(vertex.digest())?)));
        (error, left.filter(|left| left.reason.rule.is_told()).collect())
    })
}

async fn rounds(
    setup: &Setup<'_>,
    graph: &Graph,
    end_needs: Option<&Reason>,
    directives: &dyn Directives,
    needs: &mut Needs,
    partial: &mut BTreeMap<At, Reason>,
) -> Result<Decided, Error> {
    let mut steps: Steps = graph.steps.iter().map(|(digest, step)| (digest.clone(), Rc::new(step.clone()))).collect();
    let provided = provided(graph, &steps);
    for vertex in &graph.vertices {
        let digest = vertex.digest();
        let is_off = vertex.lines().next().is_some_and(|(line, _)| directives.is_off(line));
        let reason = match steps.get(digest) {
            Some(step) if is_off && concerns(step) => Some(Reason::new(&rules::SWITCHED_OFF, "it is switched off")),
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
        return Ok(Decided { output, installations, decisions, left, keeps_poetry, layers, steps });
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

/// One way through the graph with what is known to need Poetry.
struct Round<'a> {
    setup: &'a Setup<'a>,
    /// The steps; some are read anew in the homes of their users.
    steps: Steps,
    needs: &'a Needs,
    /// Who writes and reads lists of requirements.
    lists: &'a Lists,
    /// Installs of which Poetry has to do a part.
    partial: &'a BTreeMap<At, Reason>,
    /// The vertices at which Poetry has to be there.
    kept: &'a BTreeSet<String>,
    /// The vertices at which something has installed Poetry in the original graph.
    provided: &'a BTreeSet<String>,
    memo: &'a Memo,
    /// Outputs by those of the original graph.
    made: BTreeMap<(String, i64), Output>,
    /// Vertices that depend on what turned out to need Poetry in this round.
    unmade: BTreeSet<String>,
    /// What steps installed, by the digests of the original graph.
    installed: BTreeMap<String, Vec<Installation>>,
    /// What layers hold, by the digests of the original graph.
    layers: BTreeMap<String, Vec<Layer>>,
    /// States to which a whole environment was added last, by the outputs of the original graph.
    environments: BTreeMap<(String, i64), Environment>,
    decisions: Vec<(OpenVertex, Decision)>,
    /// Answers of [`Self::earlier`], which is asked for states whose steps are done.
    known: RefCell<BTreeMap<(String, i64), Vec<Installation>>>,
    /// Whether anything that Poetry would install or write was served.
    installs: bool,
    /// What turned out to need Poetry.
    found: Needs,
    found_partial: BTreeMap<At, Reason>,
}

/// What became of a step.
enum Verdict {
    Keep,
    Made {
        decision: Decision,
        state: Output,
        layers: Vec<Layer>,
        made: Vec<Installation>,
        environment: Option<Environment>,
    },
}

impl Round<'_> {
    async fn run(&mut self, vertices: &[OpenVertex]) -> Result<(), Error> {
        for vertex in vertices {
            let digest = vertex.digest();
            let is_unmade =
                vertex.inputs().iter().any(|input| input.digest().is_some_and(|digest| self.unmade.contains(digest)));
            if is_unmade {
                self.unmade.insert(digest.to_owned());
                continue;
            }
            let step = self.steps.get(digest).cloned();
            if let Some((installation, reason)) = step.as_ref().and_then(|step| self.of_seeds(step)) {
                self.found.insert(installation, reason);
                self.unmade.insert(digest.to_owned());
                continue;
            }
            if let Some(reason) = self.needs.get(digest) {
                self.carry(vertex);
                self.decisions.push((vertex.clone(), Decision::Leave(reason.clone())));
                continue;
            }
            let Some(step) = step else {
                if !self.copied(vertex).await? {
                    self.carry(vertex);
                }
                continue;
            };
            let step = match self.at_home(&step).await? {
                Some(step) => {
                    self.steps.insert(digest.to_owned(), Rc::clone(&step));
                    if let Some(reason) = step.needs() {
                        self.found.insert(digest.to_owned(), reason);
                        self.unmade.insert(digest.to_owned());
                        continue;
                    }
                    step
                }
                None => step,
            };
            match self.step(&step).await {
                Ok(Verdict::Keep) => {
                    self.carry(vertex);
                    if concerns(&step) {
                        self.decisions.push((vertex.clone(), Decision::Keep));
                    }
                }
                Ok(Verdict::Made { decision, state, layers, made, environment }) => {
                    let key = (digest.to_owned(), step.output);
                    let serves = |segment: &Segment| matches!(segment, Segment::Installation(..) | Segment::File(_));
                    if let Decision::Replace(segments) | Decision::Split(segments) = &decision {
                        self.installs |= segments.iter().any(serves);
                    }
                    self.environments.extend(environment.map(|environment| (key.clone(), environment)));
                    self.made.insert(key, state);
                    self.layers.insert(digest.to_owned(), layers);
                    self.installed.insert(digest.to_owned(), made);
                    self.decisions.push((vertex.clone(), decision));
                }
                Err(stop) => {
                    self.unmade.insert(digest.to_owned());
                    match stop {
                        Stop::Reason(reason) => {
                            let reason = self.following(&step, reason);
                            self.found.insert(digest.to_owned(), reason);
                        }
                        Stop::Other(other, reason) => {
                            self.found.insert(other, reason);
                        }
                        Stop::Partial(at, reason) => {
                            self.found_partial.insert(at, reason);
                        }
                        Stop::Error(error) => return Err(*error),
                    }
                }
            }
        }
        Ok(())
    }

    /// Why a step needs Poetry: where Poetry installs what is missing, that follows.
    fn following(&self, step: &Step, reason: Reason) -> Reason {
        let is_left = |vertex: &OpenVertex| self.needs.contains_key(vertex.digest());
        match reason.rule == &rules::SCRIPT_MISSING && chain(&step.root).iter().any(is_left) {
            true => Reason::new(&rules::FOLLOWS, reason.detail),
            false => reason,
        }
    }

    /// A step with a home of its user that its variables do not tell, if that is another one than it was read with.
    async fn at_home(&self, step: &Rc<Step>) -> Result<Option<Rc<Step>>, Error> {
        let installs = |step: &Step| {
            step.commands().any(|command| {
                matches!(
                    command.meaning,
                    Meaning::Install(_) | Meaning::Export(_) | Meaning::PipInstall(_) | Meaning::Run { .. }
                )
            })
        };
        // Root's is nearly always /root, which is looked up only where the state has to be made anyway.
        let matters = if step.user.is_empty() { installs(step) } else { concerns(step) };
        if step.names_home() || !matters {
            return Ok(None);
        }
        let home = self.setup.facts.home(&self.output(&step.root), &step.user).await?;
        let is_known = step.user.is_empty() && home == "/root";
        Ok((!is_known).then(|| Rc::new(step.at_home(&home))))
    }

    /// The layers of an installation; those that an earlier round made in the same place are taken again.
    async fn installation(&self, task: &install::Task<'_>, index: usize) -> Result<Installation, Stop> {
        let at = (task.step.vertex.digest().to_owned(), index);
        let key = (at, key(task.state).unwrap_or_default(), task.has_poetry);
        if let Some(known) = self.memo.borrow().get(&key) {
            return Ok(known.clone());
        }
        let made = self.setup.install(task).await?;
        self.memo.borrow_mut().insert(key, made.clone());
        Ok(made)
    }

    /// The output of the new graph that stands for one of the original.
    fn output(&self, original: &Output) -> Output {
        key(original).and_then(|key| self.made.get(&key)).unwrap_or(original).clone()
    }

    fn inputs(&self, vertex: &OpenVertex) -> Vec<Output> {
        vertex.inputs().iter().map(|input| self.output(input)).collect()
    }

    /// Takes a vertex over on its new inputs.
    fn carry(&mut self, vertex: &OpenVertex) {
        let moved = vertex.with_inputs(&self.inputs(vertex));
        if moved.digest() != vertex.digest() {
            // A vertex has at most one output per mount or action.
            let count = match vertex.op().op {
                Some(pb::op::Op::Exec(exec)) => exec.mounts.len(),
                Some(pb::op::Op::File(file)) => file.actions.len(),
                _ => 1,
            };
            for index in 0..count as i64 {
                self.made.insert((vertex.digest().to_owned(), index), moved.output(index));
            }
        }
    }

    /// Puts the layers of an environment in the place of a copy of all of it. Whether that was possible.
    async fn copied(&mut self, vertex: &OpenVertex) -> Result<bool, Error> {
        let Some((from, path, below)) = copied_venv::whole_copy(vertex) else { return Ok(false) };
        let environment = key(&from).and_then(|key| self.environments.get(&key));
        let Some(environment) = environment.filter(|environment| environment.path == path) else { return Ok(false) };
        if !self.setup.caps.has(cap::MERGE_OP) {
            return Ok(false);
        }
        let below = below.map(|below| self.output(&below));
        let mut parents = Vec::new();
        if let Some(base) = &below {
            if self.setup.facts.exists(base, &path).await? {
                return Ok(false);
            }
            parents = ownership::parents(self.setup.facts, base, &[path.clone()].into()).await?;
            if parents.iter().any(ownership::Parent::is_odd) {
                return Ok(false);
            }
        }
        let copied = copied_venv::copied(vertex, environment, below, &parents)?;
        let digest = vertex.digest().to_owned();
        self.made.insert((digest.clone(), 0), copied.output);
        self.layers.insert(digest, copied.layers);
        Ok(true)
    }

    /// What was installed in the stage so far, or was copied from stages where it was.
    fn earlier(&self, state: &Output) -> Vec<Installation> {
        let key = key(state).unwrap_or_default();
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let mut found = Vec::new();
        for vertex in chain(state) {
            found.extend(self.installed.get(vertex.digest()).into_iter().flatten().cloned());
            for (from, copy) in copies(&vertex) {
                let is_moved = |made: &Installation| {
                    let inside = |folder: &str| {
                        let folder = folder.trim_end_matches('/').to_owned();
                        made.place.path().and_then(|path| path.strip_prefix(&folder).map(str::to_owned))
                    };
                    // To the same path, as a whole.
                    let (from, to) = (inside(&copy.src), inside(&copy.dest));
                    from.is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && to == Some(rest))
                };
                found.extend(self.earlier(&from).into_iter().filter(is_moved));
            }
        }
        self.known.borrow_mut().insert(key, found.clone());
        found
    }

    /// The step that made an environment whose pip another step uses, and why it is left to Poetry.
    fn of_seeds(&self, step: &Step) -> Option<(String, Reason)> {
        let earlier = self.earlier(&step.root);
        let environments: Vec<&str> = earlier.iter().filter_map(Installation::made).collect();
        let path = seed_packages::used_by_step(step, &environments)?;
        let makes = |digest: &str| {
            let made = self.installed.get(digest).into_iter().flatten();
            made.filter_map(Installation::made).any(|made| made == path)
        };
        // In this stage, else in one that it copies from.
        let chain = chain(&step.root);
        let mut digests = chain.iter().map(OpenVertex::digest).chain(self.installed.keys().map(String::as_str));
        Some((digests.find(|digest| makes(digest))?.to_owned(), seed_packages::reason(path)))
    }
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
