//! What becomes of one step.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use shell::{Action, Assumption, Part, Reading};

use super::{
    install::{Standpoint, Task, locate},
    pip::exported,
    round::{Round, Verdict},
    run::{edit, runnable},
    seed_packages,
};
use crate::dockerfile::{
    decision::{Decision, Environment, Installation, Segment},
    emit::{Emitter, settings::poetry_toml},
    graph::{At, Command, Script, Step},
    programs::{Meaning, pip, poetry::Export, poetry::Install},
    rules::{self, Reason},
    stage::{history::History, ownership, project::View},
    stop::{Stop, refuse},
};

/// Stands in an edited script for the place of a `poetry run` until it is known what becomes of it.
fn marker(index: usize) -> String {
    format!("\u{1}{index}\u{1}")
}

impl Round<'_> {
    /// Decides on a step and makes it anew.
    ///
    /// # Errors
    /// If Poetry has to do it, or a call fails.
    pub(super) async fn step(&self, step: &Rc<Step>) -> Result<Verdict, Stop> {
        let Some(script) = step.script().cloned() else { return Ok(Verdict::Keep) };
        let digest = step.vertex.digest().to_owned();
        let begin = self.output(&step.root);
        let keeps = self.kept.contains(&digest);
        let earlier = self.earlier(&step.root);
        let mut work = Work {
            emitter: Emitter::new(step, self.setup.caps, begin.clone(), self.inputs(&step.vertex)),
            known: earlier.len(),
            made: earlier,
            segments: Vec::new(),
            environment: None,
        };
        let actions = self.actions(step, keeps, &work.made);
        if actions.is_empty() {
            return Ok(Verdict::Keep);
        }
        self.check_assumptions(step, &script.reading, &actions).await?;
        let folders = self.folders(step, &script.reading, &actions).await?;
        poetry_homes(step, &actions, &mut work)?;
        let parts = match script.reading.split(&actions, &folders) {
            Ok(parts) => parts,
            // What cannot be left out stays, if that is all.
            Err(_) if !actions.values().any(Action::is_cut) && actions.values().any(is_removal) => {
                return Ok(Verdict::Keep);
            }
            Err(error) => return Err(inseparable(&error).into()),
        };
        for part in parts {
            match part {
                Part::Script(text) => self.run_part(step, &script, &text, &mut work).await?,
                Part::Cut(index) => self.cut(step, &script, index, keeps, &mut work).await?,
            }
        }
        let Work { emitter, made, known, segments, environment } = work;
        let made = made.into_iter().skip(known).collect();
        let decision = match segments.iter().any(|segment| matches!(segment, Segment::Script(_))) {
            _ if segments.is_empty() => Decision::Drop,
            true => Decision::Split(segments),
            false => Decision::Replace(segments),
        };
        Ok(Verdict::Made { decision, state: emitter.state, layers: emitter.layers, made, environment })
    }

    /// What becomes of a script's calls.
    fn actions(&self, step: &Step, keeps: bool, earlier: &[Installation]) -> BTreeMap<usize, Action> {
        let mut actions = BTreeMap::new();
        for command in step.commands() {
            let at: At = (step.vertex.digest().to_owned(), command.index);
            let is_piped = command.call.pipe.is_some();
            let cut = if is_piped { Action::CutPipeline } else { Action::Cut };
            let action = match command.meaning {
                Meaning::Install(_) if self.partial.contains_key(&at) => Some(Action::CutBefore),
                Meaning::Install(_) => Some(cut),
                Meaning::Export(export) if export.file.is_some() => Some(cut),
                // It is served together with what it goes into.
                Meaning::Export(_) => None,
                Meaning::PipInstall(_) => {
                    let writer = self.lists.writer_of(&at).filter(|writer| !self.needs.contains_key(&writer.0));
                    let cut = if pip::substituted(command.call).is_some() { Action::CutWithWords } else { cut };
                    writer.map(|_| cut)
                }
                _ if keeps => None,
                Meaning::InstallsPoetry(provision) => Some(match &provision.rest {
                    Some(edits) => Action::Edit(edits.clone()),
                    None if provision.is_pipeline => Action::RemovePipeline,
                    None => Action::Remove,
                }),
                Meaning::Config { local: true, .. } => Some(cut),
                Meaning::Config { .. } | Meaning::NoEffect | Meaning::EnvUse(_) => Some(match is_piped {
                    // What answers its questions goes with it.
                    true => Action::RemovePipeline,
                    false => Action::Remove,
                }),
                Meaning::Clean(folders) if !holds_environment(folders, earlier) => Some(Action::Remove),
                Meaning::Run { front, .. } => Some(Action::Edit(vec![(front.clone(), marker(command.index))])),
                Meaning::Clean(_) | Meaning::Other | Meaning::Needs(_) => None,
            };
            actions.extend(action.map(|action| (command.index, action)));
        }
        actions
    }

    /// Looks up what the reading of a script takes for true.
    async fn check_assumptions(
        &self,
        step: &Step,
        reading: &Reading,
        actions: &BTreeMap<usize, Action>,
    ) -> Result<(), Stop> {
        if !actions.values().any(Action::is_cut) {
            return Ok(());
        }
        let state = self.output(&step.root);
        for assumption in &reading.assumptions {
            match assumption {
                Assumption::Folder(path) if !self.setup.facts.is_folder(&state, path).await? => {
                    return refuse(&rules::FOLDER, format!("{path} is no folder when the script begins"));
                }
                // `activate` is looked at where it has to be there: in front of the command that it is for.
                Assumption::Folder(_) | Assumption::Activate(_) => {}
            }
        }
        Ok(())
    }

    /// The folders that a script goes to, and that are there.
    async fn folders(
        &self,
        step: &Step,
        reading: &Reading,
        actions: &BTreeMap<usize, Action>,
    ) -> Result<BTreeSet<String>, Stop> {
        let mut found = BTreeSet::new();
        if actions.values().any(Action::is_cut) {
            let state = self.output(&step.root);
            for path in reading.folders() {
                if self.setup.facts.is_folder(&state, path).await? {
                    found.insert(path.to_owned());
                }
            }
        }
        Ok(found)
    }

    /// Runs a part of a script.
    async fn run_part(&self, step: &Rc<Step>, script: &Script, text: &str, work: &mut Work<'_>) -> Result<(), Stop> {
        let mut text = text.to_owned();
        for command in step.commands() {
            let marker = marker(command.index);
            if let (Meaning::Run { words, front }, true) = (command.meaning, text.contains(&marker)) {
                if words.is_empty() {
                    return refuse(&rules::COMMAND, "`poetry run` without a command");
                }
                let history = History::before(&self.steps, step, command.index);
                let at = self.standpoint(step, command, &history, work);
                let place = runnable(&locate(&at, None).await?, words, &work.made)?;
                let (range, replacement) = edit(&script.reading.text, command.call, front, &place);
                // The blank behind it goes along where nothing stands in its place.
                let marked = format!("{marker}{}", &script.reading.text[front.end..range.end]);
                text = text.replace(&marked, &replacement);
            }
            let environments: Vec<&str> = work.made[work.known..].iter().filter_map(Installation::made).collect();
            if let Some(path) = seed_packages::used_by(&command, &environments) {
                return Err(seed_packages::reason(path).into());
            }
        }
        if work.emitter.script(&script.shell, &text).is_none() {
            return refuse(&rules::SHELL_STATE, "its process has settings that are not known");
        }
        work.segments.push(Segment::Script(text));
        work.environment = None;
        Ok(())
    }

    fn standpoint<'a>(
        &'a self,
        step: &'a Rc<Step>,
        command: Command<'a>,
        history: &'a History,
        work: &'a Work<'_>,
    ) -> Standpoint<'a> {
        let view = View {
            facts: self.setup.facts,
            steps: &self.steps,
            original: &step.root,
            state: &work.emitter.state,
            step: Some(step),
            has_run: !work.segments.is_empty(),
            follows: work.segments.is_empty(),
        };
        Standpoint { view, command, history, earlier: &work.made, has_poetry: self.kept.contains(step.vertex.digest()) }
    }

    /// Puts something in the place of a call.
    async fn cut(
        &self,
        step: &Rc<Step>,
        script: &Script,
        index: usize,
        keeps: bool,
        work: &mut Work<'_>,
    ) -> Result<(), Stop> {
        let Some(command) = step.commands().nth(index) else { return Ok(()) };
        let history = History::before(&self.steps, step, index);
        let text = command.call.range.clone().map_or("", |range| &script.reading.text[range]).to_owned();
        self.check_activated(script, work).await?;
        match command.meaning {
            Meaning::Install(install) => {
                let made = {
                    let task = self.task(step, command, &history, install, work);
                    self.installation(&task, index).await?
                };
                let at: At = (step.vertex.digest().to_owned(), index);
                if let Some(reason) = made.rest.clone().filter(|_| !self.partial.contains_key(&at)) {
                    return Err(Stop::Partial(at, reason));
                }
                self.lay(work, made, &text)
            }
            Meaning::PipInstall(install) => {
                let at: At = (step.vertex.digest().to_owned(), index);
                let Some(writer) = self.lists.writer_of(&at).cloned() else {
                    return refuse(&rules::LIST_READ, "its list is not known");
                };
                let made = async {
                    let list = self.list(&writer, step, work).await?;
                    let pip = self.setup.pip(install, &list, &work.emitter.state, &command).await?;
                    let task = self.task(step, command, &history, &pip.wanted, work);
                    self.setup.install_list(&task, &pip).await
                };
                let made = made.await.map_err(|stop| match stop {
                    Stop::Reason(reason) if writer.0 != at.0 => Stop::Other(writer.0.clone(), reason),
                    stop => stop,
                })?;
                self.lay(work, made, &text)
            }
            Meaning::Export(export) => {
                let at = self.standpoint(step, command, &history, work);
                let list = exported(&at, export).await?;
                let path = command.absolute(export.file.as_deref().unwrap_or_default())?;
                let owner = ownership::owner(self.setup.facts, &work.emitter.state, &step.user).await?;
                work.emitter.file(&path, list.text()?, 0o644, owner, &text)?;
                work.segments.push(Segment::File(path));
                Ok(())
            }
            Meaning::Config { local: true, .. } if !keeps => self.local_settings(step, &command, &text, work).await,
            _ => refuse(&rules::COMMAND, "nothing stands for the command"),
        }
    }

    /// Checks that what a script sources is an `activate` that does what it is taken to do.
    async fn check_activated(&self, script: &Script, work: &Work<'_>) -> Result<(), Stop> {
        for assumption in &script.reading.assumptions {
            let Assumption::Activate(path) = assumption else { continue };
            let venv = path.trim_end_matches("/bin/activate");
            let is_served = work.made.iter().any(|made| made.place.path() == Some(venv));
            let is_plain = match self.setup.facts.file(&work.emitter.state, path).await? {
                Some(text) => is_activate(&String::from_utf8_lossy(&text), venv),
                None => false,
            };
            if !is_served && !is_plain {
                return refuse(
                    &rules::SHELL_STATE,
                    format!("{path} is not the `activate` of a virtual environment there"),
                );
            }
        }
        Ok(())
    }

    fn task<'a>(
        &'a self,
        step: &'a Rc<Step>,
        command: Command<'a>,
        history: &'a History,
        install: &'a Install,
        work: &'a Work<'_>,
    ) -> Task<'a> {
        Task {
            step,
            steps: &self.steps,
            command,
            history,
            install,
            state: &work.emitter.state,
            earlier: &work.made,
            label: work.emitter.label(),
            has_run: work.segments.iter().any(|segment| matches!(segment, Segment::Script(_))),
            has_poetry: self.kept.contains(step.vertex.digest()),
            is_poetry_left_out: self.provided.contains(step.vertex.digest()),
        }
    }

    /// The list that a command writes.
    async fn list(&self, writer: &At, step: &Rc<Step>, work: &Work<'_>) -> Result<super::pip::Exported, Stop> {
        let unknown = || Reason::new(&rules::LIST_READ, "its list is not known");
        let writing = self.steps.get(&writer.0).ok_or_else(unknown)?;
        let command = writing.commands().nth(writer.1).ok_or_else(unknown)?;
        let Meaning::Export(export) = command.meaning else { return Err(unknown().into()) };
        let history = History::before(&self.steps, writing, writer.1);
        let is_same = writer.0 == step.vertex.digest();
        let state = self.output(&writing.root);
        let view = View {
            facts: self.setup.facts,
            steps: &self.steps,
            original: &writing.root,
            state: if is_same { &work.emitter.state } else { &state },
            step: Some(writing),
            has_run: writer.1 > 0,
            follows: writer.1 == 0,
        };
        let has_poetry = self.kept.contains(&writer.0);
        let at = Standpoint { view, command, history: &history, earlier: &[], has_poetry };
        exported(&at, export as &Export).await
    }

    /// What `poetry config --local` leaves in poetry.toml, with all that it left there before.
    async fn local_settings(
        &self,
        step: &Rc<Step>,
        command: &Command<'_>,
        text: &str,
        work: &mut Work<'_>,
    ) -> Result<(), Stop> {
        let path = command.absolute("poetry.toml")?;
        let history = History::before(&self.steps, step, command.index + 1);
        let mut settings = BTreeMap::new();
        let mut is_first = true;
        for other in history.commands() {
            let Meaning::Config { key, value, local: true } = other.meaning else { continue };
            if other.folder()? != command.folder()? {
                continue;
            }
            is_first &= std::ptr::eq(other.call, command.call);
            match value {
                Some(value) => settings.insert(key.clone(), value.clone()),
                None => settings.remove(key),
            };
        }
        if is_first && self.setup.facts.exists(&work.emitter.state, &path).await? {
            return refuse(&rules::SETTING, "`poetry config --local` changes a poetry.toml that is there already");
        }
        if !step.user.is_empty() {
            return refuse(&rules::USER, "`poetry config --local` by a user who is not root");
        }
        match poetry_toml(&settings) {
            Some(content) => {
                work.emitter.file(&path, content, 0o600, (0, 0), text)?;
                work.segments.push(Segment::File(path));
                Ok(())
            }
            None => refuse(&rules::SETTING, "the setting is in no table"),
        }
    }

    /// Lays an installation on the step's state.
    fn lay(&self, work: &mut Work<'_>, made: Installation, text: &str) -> Result<(), Stop> {
        let is_new = made.made().is_some() && !work.made.iter().any(|other| other.place.path() == made.place.path());
        work.emitter.installation(&made, is_new, text)?;
        work.environment = made.as_copied(is_new);
        work.segments.push(Segment::Installation(made.clone(), text.to_owned()));
        work.made.push(made);
        Ok(())
    }
}

/// A step in the making.
struct Work<'a> {
    emitter: Emitter<'a>,
    /// What is installed, also by earlier steps.
    made: Vec<Installation>,
    /// How much of that is by earlier steps.
    known: usize,
    segments: Vec<Segment>,
    /// The environment that was added last, if nothing has run since.
    environment: Option<Environment>,
}

/// Makes the folders that Poetry would have had to itself, for what copies them.
fn poetry_homes(step: &Step, actions: &BTreeMap<usize, Action>, work: &mut Work<'_>) -> Result<(), Stop> {
    let mut homes = BTreeSet::new();
    for command in step.commands().filter(|command| actions.contains_key(&command.index)) {
        if let Meaning::InstallsPoetry(provision) = command.meaning
            && let Some(home) = &provision.home
        {
            homes.insert(command.absolute(&format!("{home}/bin"))?);
        }
    }
    for home in homes {
        work.emitter.folder(&home)?;
        work.segments.push(Segment::Folder(home));
    }
    Ok(())
}

fn is_removal(action: &Action) -> bool {
    matches!(action, Action::Remove | Action::RemovePipeline)
}

fn inseparable(error: &shell::Inseparable) -> Reason {
    match error {
        shell::Inseparable::Sealed(why) => Reason::new(&rules::WITHIN, *why),
        shell::Inseparable::Lasting(_) => {
            Reason::new(&rules::SHELL_STATE, "a command sets what a shell of its own behind it would not know")
        }
        shell::Inseparable::Looks(_) => {
            Reason::new(&rules::SHELL_STATE, "a command looks at what only the running shell knows, such as `$?`")
        }
    }
}

/// Whether an environment that was served is in one of these folders.
fn holds_environment(folders: &[String], earlier: &[Installation]) -> bool {
    let mut paths = earlier.iter().filter_map(|made| made.place.path());
    paths.any(|path| folders.iter().any(|folder| path.starts_with(folder.as_str())))
}

/// Whether a script is the `activate` of Python's venv or of virtualenv, for an environment at this path. Those differ in details that
/// do not matter; what has other commands is none.
fn is_activate(text: &str, venv: &str) -> bool {
    let names_it = [format!("VIRTUAL_ENV={venv}"), format!("VIRTUAL_ENV='{venv}'"), format!("VIRTUAL_ENV=\"{venv}\"")];
    let is_its_own = text.lines().any(|line| {
        let line = line.trim().trim_start_matches("export ");
        names_it.iter().any(|name| line == name)
    });
    let known = |line: &str| {
        const BEGINS: [&str; 42] = [
            "#",
            "deactivate",
            "}",
            "{",
            "fi",
            "if ",
            "then",
            "else",
            "elif ",
            "unset ",
            "export PATH",
            "export PYTHONHOME",
            "export PS1",
            "export VIRTUAL_ENV",
            "export TK_LIBRARY",
            "export TCL_LIBRARY",
            "PATH=",
            "PYTHONHOME=",
            "PS1=",
            "VIRTUAL_ENV=",
            "VIRTUAL_ENV_PROMPT=",
            "_OLD_VIRTUAL_",
            "hash -r",
            "return",
            "pydoc",
            "TCL_LIBRARY=",
            "TK_LIBRARY=",
            "case ",
            "esac",
            "linux",
            "cygwin",
            "CYGWIN",
            "msys",
            ";;",
            "*)",
            "local ",
            "export _OLD",
            "[ ",
            "test ",
            "export PKG_CONFIG_PATH",
            "PKG_CONFIG_PATH=",
            "python -m pydoc",
        ];
        line.is_empty() || BEGINS.iter().any(|begin| line.starts_with(begin))
    };
    let runs = ["eval", "`", "source ", ". /", " | ", "<(", "POETRY"];
    // What is run for its output is a name of the environment alone.
    let asks = |line: &str| {
        let mut asked = line.split("$(").skip(1);
        asked.all(|call| ["basename ", "cygpath ", "uname"].iter().any(|program| call.starts_with(program)))
    };
    let tests = |line: &str| match line.strip_prefix("el").unwrap_or(line).strip_prefix("if ") {
        Some(condition) => condition.starts_with("[ ") || condition.starts_with("! [ "),
        None => true,
    };
    let mut lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    is_its_own
        && lines.all(|line| known(line) && asks(line) && tests(line) && !runs.iter().any(|word| line.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activate_is_told_from_other_scripts() {
        let plain = "# This file must be used with \"source bin/activate\"\ndeactivate () {\n    if [ -n \"${_OLD_VIRTUAL_PATH:-}\" ] ; then\n        \
            PATH=\"${_OLD_VIRTUAL_PATH:-}\"\n        export PATH\n        unset _OLD_VIRTUAL_PATH\n    fi\n    hash -r 2> /dev/null\n}\n\
            deactivate nondestructive\nVIRTUAL_ENV=/venv\nexport VIRTUAL_ENV\n_OLD_VIRTUAL_PATH=\"$PATH\"\nPATH=\"$VIRTUAL_ENV/bin:$PATH\"\nexport PATH\n";
        assert!(is_activate(plain, "/venv") && is_activate(&plain.replace("=/venv", "='/venv'"), "/venv"));
        assert!(!is_activate(plain, "/other"));
        assert!(!is_activate(&format!("{plain}export POETRY_VIRTUALENVS_CREATE=false\n"), "/venv"));
        assert!(!is_activate(&format!("{plain}make\n"), "/venv") && !is_activate("", "/venv"));
        assert!(!is_activate(&format!("{plain}if make; then\nfi\n"), "/venv"));
        assert!(!is_activate(&format!("{plain}PATH=\"$(make)\"\n"), "/venv"));
    }
}
