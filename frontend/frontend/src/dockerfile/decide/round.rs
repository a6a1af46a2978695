//! One round: every step is decided on, inputs before users.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use buildkit_llb::{OpenVertex, Output, cap};
use buildkit_proto::pb;

use super::{Memo, Setup, concerns, install::Task, seed_packages};
use crate::{
    dockerfile::{
        decision::{Decision, Environment, Installation, Segment},
        emit::{Layer, copied_venv},
        graph::{At, Step},
        programs::Meaning,
        rules::{self, Reason},
        stage::{
            history::Steps,
            lists::{Lists, Needs},
            ownership,
        },
        states::{chain, copies, key},
        stop::Stop,
    },
    error::Error,
};

/// One way through the graph with what is known to need Poetry.
pub(super) struct Round<'a> {
    pub(super) setup: &'a Setup<'a>,
    /// The steps; some are read anew in the homes of their users.
    pub(super) steps: Steps,
    pub(super) needs: &'a Needs,
    /// Who writes and reads lists of requirements.
    pub(super) lists: &'a Lists,
    /// Installs of which Poetry has to do a part.
    pub(super) partial: &'a BTreeMap<At, Reason>,
    /// The vertices at which Poetry has to be there.
    pub(super) kept: &'a BTreeSet<String>,
    /// The vertices at which something has installed Poetry in the original graph.
    pub(super) provided: &'a BTreeSet<String>,
    pub(super) memo: &'a Memo,
    /// Outputs by those of the original graph.
    pub(super) made: BTreeMap<(String, i64), Output>,
    /// Vertices that depend on what turned out to need Poetry in this round.
    pub(super) unmade: BTreeSet<String>,
    /// What steps installed, by the digests of the original graph.
    pub(super) installed: BTreeMap<String, Vec<Installation>>,
    /// What layers hold, by the digests of the original graph.
    pub(super) layers: BTreeMap<String, Vec<Layer>>,
    /// States to which a whole environment was added last, by the outputs of the original graph.
    pub(super) environments: BTreeMap<(String, i64), Environment>,
    pub(super) decisions: Vec<(OpenVertex, Decision)>,
    /// Answers of [`Self::earlier`], which is asked for states whose steps are done.
    pub(super) known: RefCell<BTreeMap<(String, i64), Vec<Installation>>>,
    /// Whether anything that Poetry would install or write was served.
    pub(super) installs: bool,
    /// What turned out to need Poetry.
    pub(super) found: Needs,
    pub(super) found_partial: BTreeMap<At, Reason>,
}

/// What became of a step.
pub(super) enum Verdict {
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
    pub(super) async fn run(&mut self, vertices: &[OpenVertex]) -> Result<(), Error> {
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
    pub(super) async fn installation(&self, task: &Task<'_>, index: usize) -> Result<Installation, Stop> {
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
    pub(super) fn output(&self, original: &Output) -> Output {
        key(original).and_then(|key| self.made.get(&key)).unwrap_or(original).clone()
    }

    pub(super) fn inputs(&self, vertex: &OpenVertex) -> Vec<Output> {
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
    pub(super) fn earlier(&self, state: &Output) -> Vec<Installation> {
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
