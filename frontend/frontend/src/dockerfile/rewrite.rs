//! The graph of a Dockerfile with what is served in place of what Poetry would do.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use buildkit_llb::{Annotate, Diff, File, FileAction, Merge, OpenVertex, Output, cap};
use buildkit_proto::pb;
use install_request::EPOCH;

use super::{
    command::Command,
    indirect,
    lift::{self, Environment},
    lists::Lists,
    place,
    requirements::PipInstall,
    run::{in_place, runnable},
    seeds,
    service::{Layer, Problem, Refused, Served, Service, Standpoint, Wanted},
    shell::{self, Segment},
    states::{chain, copies, key, lasting},
    step::{At, Part, Scene, Script, Step, has_shell, inseparable},
};
use crate::{error::Error, layout::is_below};

/// A graph that was made anew.
pub struct Rewritten {
    /// The result.
    pub output: Output,
    /// What the result's entry point and command may have to be run in.
    pub served: Vec<Served>,
    /// What was left to Poetry: the digest of a vertex of the original graph, its lines, and why.
    pub left: Vec<Left>,
    /// Whether Poetry is in the result.
    pub keeps_poetry: bool,
    /// The layers that now stand for the layer of a vertex, by the vertex's digest in the original graph.
    pub layers: BTreeMap<String, Vec<Layer>>,
}

/// A command that is left to Poetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The digest of its vertex.
    pub digest: String,
    /// Its lines in the Dockerfile.
    pub lines: Option<RangeInclusive<i32>>,
    /// Its text.
    pub text: String,
    /// Why.
    pub reason: String,
}

/// What the user switched off.
pub trait Directives {
    /// Whether an instruction that begins in this line is left as it is.
    fn is_off(&self, line: i32) -> bool;
}

/// Makes a graph anew. `end_needs` is why the result's entry point needs Poetry, if it does.
///
/// # Errors
/// If a call fails, or an op is not valid.
pub async fn rewrite(
    service: &Service<'_>,
    original: &Output,
    end_needs: Option<String>,
    directives: &impl Directives,
) -> Result<Rewritten, Error> {
    let vertices = original.vertices();
    let steps: BTreeMap<String, Step> =
        vertices.iter().filter_map(|vertex| Some((vertex.digest().to_owned(), Step::of(vertex)?))).collect();
    let is_off = |step: &&Step| {
        let is_off = step.vertex.lines().next().is_some_and(|(line, _)| directives.is_off(line));
        is_off && !matches!(step.script, Script::Other)
    };
    let off: BTreeSet<String> = steps.values().filter(is_off).map(|step| step.vertex.digest().to_owned()).collect();
    let mut left: BTreeMap<String, String> = vertices
        .iter()
        .filter_map(|vertex| {
            let digest = vertex.digest();
            let needs = match steps.get(digest) {
                _ if off.contains(digest) => Some("it is switched off".to_owned()),
                Some(step) => step.needs(),
                None => copies_poetry(vertex),
            };
            Some((digest.to_owned(), needs?))
        })
        .collect();
    for step in steps.values() {
        let digest = step.vertex.digest();
        if left.contains_key(digest) {
            continue;
        }
        if let Some(reason) = indirect::step(service.files, step).await {
            left.insert(digest.to_owned(), reason);
        }
    }
    let lists = Lists::find(service.files, original, &vertices, &steps, &mut left).await?;
    let end = original.digest().unwrap_or_default().to_owned();
    // Steps that are served as far as possible, and for the rest need Poetry as well.
    let mut partial: BTreeMap<String, String> = BTreeMap::new();
    loop {
        lists.spread(&mut left);
        let mut needing: BTreeSet<&str> = left.keys().chain(partial.keys()).map(String::as_str).collect();
        if end_needs.is_some() {
            needing.insert(&end);
        }
        let kept = ancestors(&vertices, &needing);
        let mut pass = Pass {
            service,
            steps: &steps,
            left: &left,
            lists: &lists,
            partial: &partial,
            kept: &kept,
            made: BTreeMap::new(),
            served: BTreeMap::new(),
            layers: BTreeMap::new(),
            environments: BTreeMap::new(),
            known: RefCell::default(),
            installs: false,
        };
        match pass.run(&vertices).await? {
            Outcome::Left(digest, Refused(reason)) => {
                left.insert(digest, reason);
            }
            Outcome::Partial(digest, reason) => {
                partial.insert(digest, reason);
            }
            Outcome::Done => {
                // Where Poetry does nothing here, it is there for something that cannot be seen.
                let output = if pass.installs { pass.output(original) } else { original.clone() };
                let (served, layers) = (pass.earlier(original), std::mem::take(&mut pass.layers));
                let layers = if pass.installs { layers } else { BTreeMap::new() };
                let keeps_poetry = kept.contains(&end) || !pass.installs;
                let left = vertices.iter().filter_map(|vertex| {
                    let digest = vertex.digest();
                    let reason = left.get(digest).or_else(|| partial.get(digest));
                    let reason = reason.filter(|_| !off.contains(digest))?.clone();
                    let lines = vertex.lines().next().map(|(first, last)| first..=last);
                    let text = steps.get(vertex.digest()).map_or_else(|| vertex.name().to_owned(), Step::text);
                    Some(Left { digest: vertex.digest().to_owned(), lines, text, reason })
                });
                return Ok(Rewritten { output, served, left: left.collect(), keeps_poetry, layers });
            }
        }
    }
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

/// One attempt with what is known to need Poetry.
struct Pass<'a> {
    service: &'a Service<'a>,
    steps: &'a BTreeMap<String, Step>,
    left: &'a BTreeMap<String, String>,
    /// Who writes and reads lists of requirements.
    lists: &'a Lists,
    partial: &'a BTreeMap<String, String>,
    /// The vertices at which Poetry has to be there.
    kept: &'a BTreeSet<String>,
    /// Outputs by those of the original graph.
    made: BTreeMap<(String, i64), Output>,
    /// What steps installed, by the digests of the original graph.
    served: BTreeMap<String, Vec<Served>>,
    /// What layers hold, by the digests of the original graph.
    layers: BTreeMap<String, Vec<Layer>>,
    /// States to which a whole environment was added last, by the outputs of the original graph.
    environments: BTreeMap<(String, i64), Environment>,
    /// Answers of [`Self::earlier`], which is asked for states whose steps are done.
    known: RefCell<BTreeMap<(String, i64), Vec<Served>>>,
    /// Whether anything that Poetry would install or write was served.
    installs: bool,
}

/// How an attempt ends.
enum Outcome {
    /// With a new graph.
    Done,
    /// At a step that Poetry has to do.
    Left(String, Refused),
    /// At a step of which Poetry has to do a part.
    Partial(String, String),
}

/// Why a step ends an attempt.
enum Stop {
    Problem(Problem),
    /// Another step has to be left to Poetry for it.
    Other(String, String),
    Partial(String),
}

impl<T: Into<Problem>> From<T> for Stop {
    fn from(problem: T) -> Self {
        Self::Problem(problem.into())
    }
}

impl Pass<'_> {
    /// Goes through the graph. A step that cannot be served ends the attempt.
    async fn run(&mut self, vertices: &[OpenVertex]) -> Result<Outcome, Error> {
        for vertex in vertices {
            let digest = vertex.digest();
            if let Some((installation, reason)) = self.steps.get(digest).and_then(|step| self.of_seeds(step)) {
                return Ok(Outcome::Left(installation, Refused(reason)));
            }
            let step = self.steps.get(digest).filter(|_| !self.left.contains_key(digest));
            let step = step.filter(|step| !matches!(step.script, Script::Other));
            match step {
                None if self.lift(vertex).await? => {}
                None => self.carry(vertex),
                Some(step) => match self.step(step).await {
                    Ok(()) => {}
                    Err(Stop::Problem(Problem::Refused(refused))) => {
                        return Ok(Outcome::Left(digest.to_owned(), refused));
                    }
                    Err(Stop::Other(digest, reason)) => return Ok(Outcome::Left(digest, Refused(reason))),
                    Err(Stop::Partial(reason)) => return Ok(Outcome::Partial(digest.to_owned(), reason)),
                    Err(Stop::Problem(Problem::Error(error))) => return Err(error),
                },
            }
        }
        Ok(Outcome::Done)
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
            // More outputs than mounts and actions there cannot be.
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
    async fn lift(&mut self, vertex: &OpenVertex) -> Result<bool, Error> {
        let Some((from, path, below)) = lift::whole_copy(vertex) else { return Ok(false) };
        let environment = key(&from).and_then(|key| self.environments.get(&key));
        let Some(environment) = environment.filter(|environment| environment.path == path) else { return Ok(false) };
        let below = below.map(|below| self.output(&below));
        match self.service.lift(vertex, environment, below).await {
            Ok(Some(lifted)) => {
                let digest = vertex.digest().to_owned();
                self.made.insert((digest.clone(), 0), lifted.output);
                self.layers.insert(digest, lifted.layers);
                Ok(true)
            }
            Ok(None) | Err(Problem::Refused(_)) => Ok(false),
            Err(Problem::Error(error)) => Err(error),
        }
    }

    /// What was served in the stage so far, or was copied from stages where it was served.
    fn earlier(&self, state: &Output) -> Vec<Served> {
        let key = key(state).unwrap_or_default();
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let mut found = Vec::new();
        for vertex in chain(state) {
            found.extend(self.served.get(vertex.digest()).into_iter().flatten().cloned());
            for (from, copy) in copies(&vertex) {
                let is_moved = |served: &Served| {
                    let inside = |folder: &str| {
                        let folder = folder.trim_end_matches('/').to_owned();
                        served.place.path().and_then(|path| path.strip_prefix(&folder).map(str::to_owned))
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
    fn of_seeds(&self, step: &Step) -> Option<(String, String)> {
        let earlier = self.earlier(&step.root);
        let environments: Vec<&str> = earlier.iter().filter_map(Served::made).collect();
        let (path, text) = seeds::step_uses_pip(step, &environments)?;
        let makes = |digest: &str| {
            let served = self.served.get(digest).into_iter().flatten();
            served.filter_map(Served::made).any(|made| made == path)
        };
        // In this stage, else in one that it copies from.
        let chain = chain(&step.root);
        let mut digests = chain.iter().map(OpenVertex::digest).chain(self.served.keys().map(String::as_str));
        Some((digests.find(|digest| makes(digest))?.to_owned(), seeds::reason(&text, path)))
    }

    async fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let digest = step.vertex.digest().to_owned();
        let at_home;
        let step = match step.scene() {
            scene if scene.user.is_empty() || scene.names_home => step,
            scene => {
                let state = self.service.gateway.solve(self.output(&step.root).marshal()?).await?;
                // That of a user who is not in /etc/passwd is the root folder.
                let home = self.service.home(&state, &scene).await?.unwrap_or_else(|| "/".to_owned());
                at_home = step.at_home(&home);
                &at_home
            }
        };
        let keeps = self.kept.contains(&digest);
        let mut served = self.earlier(&step.root);
        let known = served.len();
        let label = label(step.vertex.name());
        let mut work = Work::on(self.output(&step.root));
        for (index, part) in step.parts().iter().enumerate() {
            let before = step.parts().get(..index).unwrap_or_default();
            let mut segment = part.segment.clone();
            if index + 1 == step.parts().len() {
                segment.separator = "";
            }
            let here = served.get(known..).unwrap_or_default();
            let environments: Vec<&str> = here.iter().filter_map(Served::made).collect();
            if let Some(path) = seeds::part_uses_pip(part, &environments) {
                return Err(Problem::Refused(Refused(seeds::reason(&part.segment.text, path))).into());
            }
            match &part.command {
                Command::Install(install) => {
                    self.cut(step, index, &mut work, &label)?;
                    self.installs = true;
                    let wanted = Wanted {
                        step,
                        before,
                        scene: &part.scene,
                        install,
                        state: &work.state,
                        earlier: &served,
                        label: &label,
                    };
                    let made = self.service.serve(&wanted).await?;
                    if let Some(reason) = made.rest.clone().filter(|_| !self.partial.contains_key(&digest)) {
                        return Err(Stop::Partial(reason));
                    }
                    let is_new =
                        made.made().is_some() && !served.iter().any(|served| served.place.path() == made.place.path());
                    self.lay(step, &mut work, &made, is_new, &label, part)?;
                    // Poetry finds what is there, and does the rest.
                    if made.rest.is_some() {
                        work.wait(segment);
                    }
                    served.push(made);
                }
                Command::Export(export) => {
                    self.cut(step, index, &mut work, &label)?;
                    self.installs = true;
                    let list = self.service.exported(step, &work.state, part, before, export).await?;
                    let path = part.scene.absolute(&export.file);
                    work.state = self.service.with_list(step, work.state, part, &list, &path, &label).await?;
                    work.layers.push(format!("RUN {}", part.segment.text).into());
                }
                Command::PipInstall(install) => {
                    let writer = self.lists.writer_of(&(digest.clone(), index));
                    let Some(writer) = writer.filter(|(writer, _)| !self.left.contains_key(writer)) else {
                        work.wait(segment);
                        continue;
                    };
                    self.cut(step, index, &mut work, &label)?;
                    let made = self.installed_list(step, index, install, &work.state, &served, &label, writer).await?;
                    self.lay(step, &mut work, &made, false, &label, part)?;
                    served.push(made);
                }
                Command::Prefix(_) => {
                    work.waiting.push(segment.clone());
                    work.prefixes.push(segment);
                }
                Command::Provides { rest, home } if !keeps => {
                    if let Some(home) = home {
                        self.cut(step, index, &mut work, &label)?;
                        let folder = FileAction::mkdir(part.scene.absolute(&format!("{home}/bin")))
                            .make_parents()
                            .timestamp(EPOCH);
                        let name = format!("{label} leave Poetry out");
                        work.state = step.vertex.located(File::on(work.state).then(folder).name(name)).output()?;
                        work.layers.push(format!("RUN mkdir -p {home}/bin").into());
                    }
                    match rest {
                        Some(rest) => {
                            segment.text = rest.clone();
                            work.wait(segment);
                        }
                        None => work.leave_out(&segment),
                    }
                }
                Command::Config { local: true, .. } if !keeps => {
                    self.cut(step, index, &mut work, &label)?;
                    work.state = self.service.local_settings(step, before, work.state, part, &label).await?;
                    work.layers.push(format!("RUN {}", part.segment.text).into());
                }
                Command::Config { .. } | Command::Moot | Command::EnvUse(_) if !keeps => work.leave_out(&segment),
                Command::Clean(folders) if !keeps && !holds_environment(folders, &served) => work.leave_out(&segment),
                Command::Run(words) if !keeps => {
                    let at = Standpoint {
                        original: &step.root,
                        state: &work.state,
                        step: Some(step),
                        scene: &part.scene,
                        before,
                        earlier: &served,
                    };
                    let place = runnable(&self.service.locate(&at, None).await?, words, &served)?;
                    segment.text = in_place(&part.segment.text, words, &place);
                    work.wait(segment);
                }
                Command::Needs(reason) => return Err(Problem::Refused(Refused(reason.clone())).into()),
                _ => work.wait(segment),
            }
        }
        let is_whole =
            work.waiting.iter().map(|segment| &segment.text).eq(step.parts().iter().map(|part| &part.segment.text));
        if is_whole && work.state == self.output(&step.root) {
            self.carry(&step.vertex);
            return Ok(());
        }
        self.run_waiting(step, &mut work, &label)?;
        if let Some(environment) = work.environment {
            self.environments.insert((digest.clone(), step.output), environment);
        }
        self.made.insert((digest.clone(), step.output), work.state);
        self.layers.insert(digest.clone(), work.layers);
        self.served.insert(digest, served.split_off(known));
        Ok(())
    }

    /// What pip would install from a list.
    #[allow(clippy::too_many_arguments, reason = "all that an installation depends on")]
    async fn installed_list(
        &self,
        step: &Step,
        index: usize,
        install: &PipInstall,
        state: &Output,
        earlier: &[Served],
        label: &str,
        writer: &At,
    ) -> Result<Served, Stop> {
        let made = async {
            let unknown = || Problem::Refused(Refused("its list is not known".to_owned()));
            let (part, before) = part_of(step, index).ok_or_else(unknown)?;
            let writing = self.steps.get(&writer.0).ok_or_else(unknown)?;
            let (written, written_before) = part_of(writing, writer.1).ok_or_else(unknown)?;
            let Command::Export(export) = &written.command else { return Err(unknown()) };
            let list = self.service.exported(writing, &writing.root, written, written_before, export).await?;
            let pip = self.service.pip(install, &list, state, &part.scene).await?;
            let wanted = Wanted { step, before, scene: &part.scene, install: &pip.wanted, state, earlier, label };
            self.service.serve_pip(&wanted, &pip).await
        };
        made.await.map_err(|problem| match problem {
            Problem::Refused(Refused(reason)) => {
                let text = step.parts().get(index).map_or("", |part| part.segment.text.as_str());
                Stop::Other(writer.0.clone(), format!("`{text}` reads its list, and {reason}"))
            }
            error => Stop::Problem(error),
        })
    }

    /// Puts the layers of a command on the step's state.
    fn lay(
        &self,
        step: &Step,
        work: &mut Work,
        made: &Served,
        is_new: bool,
        label: &str,
        part: &Part,
    ) -> Result<(), Problem> {
        let (state, below) = self.laid(step, work.state.clone(), made, is_new, label, part)?;
        work.state = state;
        let layer = |what: &String| Layer { text: format!("{}: {what}", part.segment.text), below };
        work.layers.extend(made.layers.iter().map(|(what, _)| layer(what)));
        work.environment = match (&made.loose, &made.rest, made.place.path()) {
            (Some(layers), None, Some(path)) if is_new => {
                Some(Environment { path: path.to_owned(), layers: layers.clone() })
            }
            _ => None,
        };
        Ok(())
    }

    /// Ends a process in front of a command that is served.
    fn cut(&self, step: &Step, index: usize, work: &mut Work, label: &str) -> Result<(), Problem> {
        match inseparable(step.parts(), index) {
            Some(reason) => Err(Problem::Refused(Refused(reason))),
            None => self.run_waiting(step, work, label),
        }
    }

    /// Runs the commands that wait. The shell's own state is made anew for those behind them.
    fn run_waiting(&self, step: &Step, work: &mut Work, label: &str) -> Result<(), Problem> {
        if std::mem::take(&mut work.runs) {
            let mut script = shell::joined(&work.waiting);
            // Whether the last command succeeds does not matter where another one followed.
            if work.waiting.last().is_some_and(|last| last.separator == ";") {
                script.push_str(shell::end(&script));
                script.push_str("true");
            }
            work.state = self.process(step, &work.state, &script, label)?;
            work.layers.push(format!("RUN {script}").into());
            work.environment = None;
        }
        work.waiting.clone_from(&work.prefixes);
        Ok(())
    }

    /// The step with other commands, on another state.
    fn process(&self, step: &Step, state: &Output, script: &str, label: &str) -> Result<Output, Problem> {
        let refused = || Problem::Refused(Refused("its process has settings that are not known".to_owned()));
        let mut exec = step.exec.clone();
        let meta = exec.meta.as_mut().ok_or_else(refused)?;
        let is_script = has_shell(&meta.args);
        match meta.args.last_mut().filter(|_| is_script) {
            Some(text) => script.clone_into(text),
            None => meta.args = vec!["/bin/sh".into(), "-c".into(), script.to_owned()],
        }
        let original = self.inputs(&step.vertex);
        let mut inputs: Vec<Output> = Vec::new();
        for mount in &mut exec.mounts {
            if mount.input < 0 {
                continue;
            }
            let is_root = mount.dest == "/" && mount.selector.is_empty();
            let input = match is_root {
                true => state.clone(),
                false => {
                    let index = usize::try_from(mount.input).map_err(|_| refused())?;
                    original.get(index).cloned().ok_or_else(refused)?
                }
            };
            let position = inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
                inputs.push(input);
                inputs.len() - 1
            });
            mount.input = position as i64;
        }
        let name = format!("{label} RUN {script}");
        let vertex = step.vertex.with_exec(exec, &inputs, &name).ok_or_else(refused)?;
        Ok(vertex.output(0))
    }

    /// A state with the layers of an installation, and how many layers of the state they lie below.
    fn laid(
        &self,
        step: &Step,
        state: Output,
        made: &Served,
        is_new: bool,
        label: &str,
        part: &Part,
    ) -> Result<(Output, usize), Problem> {
        let name = format!("{label} {}", part.segment.text);
        if self.service.caps.has(cap::MERGE_OP) {
            let layers = made.layers.iter().map(|(_, output)| output.clone());
            // What no step has touched may as well lie below what changes often: layers that stay on what stays need not be
            // unpacked again.
            let below = lasting(&state).filter(|_| is_new && self.service.caps.has(cap::DIFF_OP));
            let mut count = 0;
            let inputs: Vec<Output> = match below {
                Some((below, above)) => {
                    count = above;
                    let name = format!("{label} what the files add");
                    let above = step.vertex.located(Diff::between(&below, &state).name(name)).output();
                    std::iter::once(below).chain(layers).chain([above]).collect()
                }
                None => std::iter::once(state).chain(layers).collect(),
            };
            return Ok((step.vertex.located(Merge::of(inputs).name(name)).output(), count));
        }
        let state = made.layers.iter().try_fold(state, |below, (what, layer)| -> Result<Output, Problem> {
            let copy = FileAction::copy(layer, "/", "/").contents();
            let file = step.vertex.located(File::on(below).then(copy).name(format!("{name}: {what}")));
            Ok(file.output()?)
        })?;
        Ok((state, 0))
    }
}

/// A command of a step, and those in front of it.
fn part_of(step: &Step, index: usize) -> Option<(&Part, &[Part])> {
    Some((step.parts().get(index)?, step.parts().get(..index)?))
}

/// Why a copy from another stage needs Poetry to be there, if it does: it copies what installing Poetry makes.
fn copies_poetry(vertex: &OpenVertex) -> Option<String> {
    copies(vertex).into_iter().find_map(|(from, copy)| {
        let steps = place::steps(&from);
        let provided = steps.iter().flat_map(Step::parts);
        let mut provided = provided.filter_map(|part| match &part.command {
            Command::Provides { home, .. } => Some((home.as_ref().map(|home| part.scene.absolute(home)), &part.scene)),
            _ => None,
        });
        let source = copy.src.trim_end_matches('/');
        // The folder that Poetry has to itself is there in any case.
        let is_missing = |home: &Option<String>, scene: &Scene| {
            let in_home = home.as_ref().is_some_and(|home| is_below(home, source));
            let is_users = match scene.variables.get("HOME") {
                Some(home) if home == shell::USERS_HOME => source.contains("/.local"),
                home => is_below(source, &format!("{}/.local", home.map_or("/root", String::as_str))),
            };
            let is_named = source.ends_with("/poetry") || source.contains("pypoetry") || source.contains("/poetry/");
            !in_home && (is_users || is_named)
        };
        provided.any(|(home, scene)| is_missing(&home, scene)).then(|| format!("it copies {} of Poetry", copy.src))
    })
}

/// Whether an environment that was served is in one of these folders.
fn holds_environment(folders: &[String], served: &[Served]) -> bool {
    let mut paths = served.iter().filter_map(|served| served.place.path());
    paths.any(|path| folders.iter().any(|folder| path.starts_with(folder.as_str())))
}

/// A step in the making.
struct Work {
    state: Output,
    /// Commands that are still to be run.
    waiting: Vec<Segment>,
    /// Whether there are any besides those of the shell itself.
    runs: bool,
    /// The commands of the shell itself so far.
    prefixes: Vec<Segment>,
    layers: Vec<Layer>,
    /// The environment that was added last, if nothing has run since.
    environment: Option<Environment>,
}

impl Work {
    fn on(state: Output) -> Self {
        Self { state, waiting: Vec::new(), runs: false, prefixes: Vec::new(), layers: Vec::new(), environment: None }
    }

    fn wait(&mut self, segment: Segment) {
        self.waiting.push(segment);
        self.runs = true;
    }

    /// Goes on without a command. What was tied to it by `&&` is now tied to what follows it.
    fn leave_out(&mut self, segment: &Segment) {
        if let Some(last) = self.waiting.last_mut().filter(|last| last.separator == "&&") {
            last.separator = segment.separator;
        }
    }
}

/// What a vertex's name begins with, e.g. `[builder 4/7]`.
fn label(name: &str) -> String {
    match name.find(']') {
        Some(end) if name.starts_with('[') => name[..=end].to_owned(),
        _ => "[poetry]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Exec, Platform, Source};

    use super::*;

    #[test]
    fn names_begin_with_the_stage() {
        assert_eq!(label("[builder 4/7] RUN x"), "[builder 4/7]");
    }

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
    fn layers_lie_below_the_first_change_of_the_clients() {
        let context = Source::local("context", "session").output().unwrap();
        let tools = run(&base(), "apt-get install gcc");
        let app = run(&copy(&tools, &context, "/", "/app"), "touch README.md");
        assert_eq!(lasting(&app), Some((tools.clone(), 2)));
        assert_eq!(lasting(&tools), None);
        let linked = Merge::of([app.clone(), copy(&Output::scratch(), &context, "/x", "/x")]).output();
        assert_eq!(lasting(&linked), None);
    }

    #[test]
    fn copies_of_poetry_need_it() {
        let reason = |builder: &Output, source: &str| {
            copies_poetry(&copy(&base(), builder, source, source).vertex().unwrap().0).is_some()
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
