//! What one `poetry install` puts where, as layers.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use buildkit_llb::{OpenVertex, Output, Platform, SourceFile as GraphFile, cap};
use buildkit_proto::pb;
use install_request::{Interpreter, Probe, layout as places};
use poetry_lock::{PoetryToml, Texts};

use super::{
    Setup,
    checks::{
        check_credentials, check_present, check_python, check_settings, check_sync, has_dynamic_version, what_is_built,
    },
    pip::Pip,
    program,
};
use crate::{
    dockerfile::{
        decision::{Installation, Project},
        emit::layers::{beside, roots, settled},
        graph::{Command, Step},
        programs::poetry::Install,
        rules,
        stage::{
            history::{History, Steps},
            ownership::{owner, parents},
            place::{self, PYTHON, Place, Settings},
            project::{self, ProjectTexts, View},
            version::poetry_major,
        },
        states::chain,
        stop::{Stop, refuse},
    },
    graph::{self, INTERPRETER_PATH, Materials},
    index, interpreter, layout,
    plan::{self, Plan, Target},
    python::{Family, Python},
    source::SourceFile,
};

/// Where a command stands.
pub(in crate::dockerfile) struct Standpoint<'a> {
    /// What it sees of files.
    pub(in crate::dockerfile) view: View<'a>,
    /// It itself.
    pub(in crate::dockerfile) command: Command<'a>,
    /// What ran in its stage before.
    pub(in crate::dockerfile) history: &'a History,
    /// What earlier commands of the stage installed.
    pub(in crate::dockerfile) earlier: &'a [Installation],
    /// Whether Poetry itself is there.
    pub(in crate::dockerfile) has_poetry: bool,
}

/// An installation command where it stands.
pub(in crate::dockerfile) struct Task<'a> {
    /// The step that it is part of.
    pub(in crate::dockerfile) step: &'a Rc<Step>,
    pub(in crate::dockerfile) steps: &'a Steps,
    pub(in crate::dockerfile) command: Command<'a>,
    pub(in crate::dockerfile) history: &'a History,
    /// Its options.
    pub(in crate::dockerfile) install: &'a Install,
    /// The state of the new graph that it is applied to.
    pub(in crate::dockerfile) state: &'a Output,
    /// What earlier commands of the stage installed.
    pub(in crate::dockerfile) earlier: &'a [Installation],
    /// What stands in front of the names of vertices, e.g. `[builder 4/7]`.
    pub(in crate::dockerfile) label: &'a str,
    /// Whether other commands of the step have run before it, as a process of their own.
    pub(in crate::dockerfile) has_run: bool,
    /// Whether Poetry itself is there.
    pub(in crate::dockerfile) has_poetry: bool,
    /// Whether some step before, or another stage that this one has files of, installs Poetry.
    pub(in crate::dockerfile) is_poetry_left_out: bool,
}

/// Where the environment of a command is, and what its project is.
pub(in crate::dockerfile) struct Located<'a> {
    /// The environment.
    pub(in crate::dockerfile) place: Place,
    /// The absolute path of the project's folder.
    pub(in crate::dockerfile) folder: String,
    pub(in crate::dockerfile) texts: ProjectTexts,
    pub(in crate::dockerfile) settings: Settings<'a>,
}

impl Located<'_> {
    /// The names of the project's scripts.
    pub(in crate::dockerfile) fn scripts(&self) -> Vec<String> {
        let pyproject = poetry_lock::Pyproject::read(&self.texts.pyproject, poetry_lock::Dialect::Poetry2);
        pyproject.map(|pyproject| pyproject.scripts.into_iter().map(|script| script.name).collect()).unwrap_or_default()
    }
}

/// Finds the project and the environment of a command.
///
/// # Errors
/// If they cannot be told, or a call fails.
pub(in crate::dockerfile) async fn locate<'a>(
    at: &'a Standpoint<'a>,
    folder: Option<&str>,
) -> Result<Located<'a>, Stop> {
    let (folder, texts) = project::find(&at.view, &at.command, folder).await?;
    let toml = texts.toml.as_deref().map(PoetryToml::read).transpose();
    let toml = toml.or_else(|error| texts.refuse(error))?.unwrap_or_default();
    let parsed = poetry_lock::Pyproject::read(&texts.pyproject, poetry_lock::Dialect::Poetry2)
        .or_else(|error| texts.refuse(error))?;
    let name = parsed.name.as_ref().map(|name| poetry_lock::Name::new(&name.value).to_string());
    let project = place::Project { folder: &folder, name: name.as_deref(), toml: &toml };
    let served: Vec<String> = at.earlier.iter().filter_map(|made| made.place.path().map(str::to_owned)).collect();
    let settings = Settings::read(&at.view, &at.command, at.history, &folder, at.has_poetry).await?;
    let place = place::place(&at.view, &at.command, at.history, &settings, &project, &served).await?;
    Ok(Located { place, folder, texts, settings })
}

impl<'a> Task<'a> {
    /// Where it stands.
    pub(in crate::dockerfile) fn standpoint(&self, setup: &'a Setup<'a>) -> Standpoint<'a> {
        let view = View {
            facts: setup.facts,
            steps: self.steps,
            original: &self.step.root,
            state: self.state,
            step: Some(self.step),
            has_run: self.has_run,
            // The state has to be made for the installation in any case.
            follows: false,
        };
        Standpoint {
            view,
            command: self.command,
            history: self.history,
            earlier: self.earlier,
            has_poetry: self.has_poetry,
        }
    }
}

impl Setup<'_> {
    /// The layers of a command.
    ///
    /// # Errors
    /// If Poetry has to do it, or a call fails.
    pub(in crate::dockerfile) async fn install(&self, task: &Task<'_>) -> Result<Installation, Stop> {
        program::check_poetry(self.facts, task.state, &task.command, task.is_poetry_left_out).await?;
        let at = task.standpoint(self);
        let located = locate(&at, task.install.folder.as_deref()).await?;
        check_folder(self, task, &located.folder).await?;
        self.lay(task, &located, None).await
    }

    /// The layers of a `pip install -r` of an exported list.
    ///
    /// # Errors
    /// If pip has to do it, or a call fails.
    pub(in crate::dockerfile) async fn install_list(
        &self,
        task: &Task<'_>,
        pip: &Pip<'_>,
    ) -> Result<Installation, Stop> {
        let folder = task.command.folder()?.to_owned();
        let settings = Settings::none(&task.command);
        let located = Located { place: pip.place.clone(), folder, texts: pip.list.texts.clone(), settings };
        self.lay(task, &located, Some(pip)).await
    }

    /// The layers of a command whose project and environment are known.
    async fn lay(&self, task: &Task<'_>, located: &Located<'_>, pip: Option<&Pip<'_>>) -> Result<Installation, Stop> {
        let Task { step, install, earlier, state, .. } = *task;
        let (facts, texts) = (self.facts, &located.texts);
        let Some(lock) = &texts.lock else {
            return refuse(&rules::NO_PROJECT, format!("no poetry.lock is in {} before it", located.folder));
        };
        let project = match pip {
            Some(pip) => pip.list.project.clone(),
            None => {
                let all = Texts { pyproject: &texts.pyproject, lock, poetry_toml: texts.toml.as_deref() };
                poetry_lock::Project::read(&all).or_else(|error| texts.refuse(error))?
            }
        };
        let platform = platform_of(&step.vertex);
        let base = self.base_of(&step.root)?;
        let Asked { probe, found, place } = self.ask(task, &located.place, &base, &platform).await?;
        program::check_python(facts, &base, state, &task.command, &found.executable).await?;

        if matches!(place, Place::System) && !step.user.is_empty() {
            return refuse(&rules::USER, "a user who is not root installs into the system's environment");
        }
        if let Some(pip) = pip {
            self.check_interpreter(pip, &found, state).await?;
            pip.check_selection(&found)?;
        }
        let file = SourceFile::toml("pyproject.toml", &texts.pyproject);
        let settings = crate::settings::Settings::read(&file, &self.request.build_args);
        let settings = settings.or_else(|error| texts.refuse(error))?;
        let modules = layout::candidates(&project.pyproject);
        let files = match pip {
            Some(_) => BTreeSet::new(),
            None => self.listed(state, &located.folder, &layout::folders(&modules)).await?,
        };
        let plan = self.plan(task, located, &project, &settings, &found, &place, &files, lock, &platform, pip)?;
        let rest = what_is_built(&plan);
        if let Some(reason) = rest.as_ref().filter(|_| pip.is_some() || place == Place::System) {
            return Err(reason.clone().into());
        }
        if pip.is_none() {
            check_settings(&located.settings)?;
            if project.settings.system_site_packages == Some(true) || project.settings.always_copy == Some(true) {
                return refuse(&rules::SETTING, "poetry.toml sets options of virtual environments");
            }
            check_credentials(&plan, task, &located.settings)?;
        }
        if install.sync {
            check_sync(&plan, &place, earlier)?;
        }
        check_python(task, &found)?;
        let is_known = earlier.iter().any(|made| made.place.path() == place.path());
        let is_foreign = matches!(place, Place::Venv { made: false, .. }) && !is_known;
        if is_foreign && pip.is_none() {
            self.check_environment(&place, &found, state).await?;
        }
        if place == Place::System || pip.is_some() || is_foreign {
            check_present(facts, state, &plan, &place, earlier).await?;
        }
        if let Place::Venv { path, made: true } = &place
            && !is_known
            && facts.exists(state, path).await?
        {
            return refuse(&rules::TAKEN, format!("there is something at {path} already"));
        }
        let (roots, beside) = (roots(&plan, &place), beside(&plan, &place));
        if let Some(root) = roots.iter().chain(beside.iter()).find(|root| covers(step, root, &place)) {
            return refuse(&rules::MOUNT, format!("a mount covers {root}"));
        }
        let owner = owner(facts, state, &step.user).await?;
        let above = parents(facts, state, &roots).await?;
        if let Some(odd) = above.iter().find(|parent| parent.is_odd()) {
            return refuse(&rules::PLACE, format!("{} is no plain folder", odd.path));
        }
        let workshop = self.workshop_of(task, &base).await?;
        let application = graph::Application {
            context: graph::Files::Tree { output: state.clone(), root: located.folder.clone() },
            project: String::new(),
            ignore: Vec::new(),
        };
        let materials = Materials {
            workshop: &workshop,
            probe: &probe,
            base: base.clone(),
            build_base: base,
            python: &found.executable,
            build_platform: &platform,
            target_platform: &platform,
            application: &application,
            settings: &settings,
            builder: None,
            wheelhouse: None,
            lock: Some(GraphFile::new("poetry.lock", "TOML", lines_of_packages(&plan, lock))),
            prefix: format!("{} ", task.label.trim_matches(['[', ']'])),
            can_merge: self.caps.has(cap::MERGE_OP),
        };
        let makes_venv = matches!(place, Place::Venv { made: true, .. });
        let mut layers = graph::environment(&plan, &materials, makes_venv, install.compile)?;
        let loose = (owner == (0, 0)).then(|| layers.clone());
        for (label, output) in &mut layers {
            let folders = (&roots, beside.as_deref());
            *output = settled(output.clone(), label, folders, &above, owner, &materials.prefix)?;
        }
        // An environment that was removed since is made anew.
        let is_there = match &place {
            Place::Venv { path, .. } if is_known => facts.exists(state, &format!("{path}/pyvenv.cfg")).await?,
            _ => true,
        };
        let known: Vec<&Output> = earlier
            .iter()
            .filter(|made| is_there && made.place.path() == place.path())
            .flat_map(|made| made.layers.iter().map(|(_, output)| output))
            .collect();
        layers.retain(|(_, output)| !known.contains(&output));
        let has_root = plan.root.is_some();
        let packages = plan.packages.into_iter().map(|package| (package.name, package.version)).collect();
        let project = pip.is_none().then(|| {
            let environment = place.path().map(str::to_owned);
            let own = environment.as_ref().map(|environment| format!("{environment}/bin/python"));
            let python = own.unwrap_or_else(|| found.executable.clone());
            Box::new(Project { folder: located.folder.clone(), environment, python })
        });
        Ok(Installation { place, layers, packages, has_root, rest, project, loose })
    }

    #[allow(clippy::too_many_arguments, reason = "all that a plan depends on")]
    fn plan(
        &self,
        task: &Task<'_>,
        located: &Located<'_>,
        project: &poetry_lock::Project,
        settings: &crate::settings::Settings,
        found: &Interpreter,
        place: &Place,
        files: &BTreeSet<String>,
        lock: &str,
        platform: &Platform,
        pip: Option<&Pip<'_>>,
    ) -> Result<Plan, Stop> {
        let (interpreter, prefix, programs) = match place {
            Place::Venv { path, .. } => (found.clone(), path.clone(), None),
            // The folders of the system are absolute, so nothing is placed below anything.
            Place::System => {
                let prefix = found.system.scripts.trim_end_matches("/bin").to_owned();
                (Interpreter { venv: found.system.clone(), ..found.clone() }, prefix, Some(found.executable.as_str()))
            }
        };
        let version = interpreter::version(found).to_owned();
        let python = Python { family: Family::CPython, version, because: "the stage's own".to_owned() };
        let make = |options: &poetry_lock::Options| {
            let inputs = plan::Inputs {
                project,
                settings,
                python: &python,
                interpreter: &interpreter,
                platform: &platform.to_string(),
                target: Target::Runtime,
                files,
                start_texts: &BTreeMap::new(),
                dockerignore: &[],
                labels: &BTreeMap::new(),
                index: index::DEFAULT,
                lock_text: lock,
                folders: &BTreeMap::new(),
                project_folder: None,
                wheelhouse: false,
                command: Some(plan::Command {
                    options,
                    folder: &located.folder,
                    prefix: &prefix,
                    // pip's programs are run by the interpreter as pip was called by.
                    python: pip.map(|pip| pip.python.as_str()).or(programs),
                    requested: pip.is_some(),
                }),
            };
            plan::make(&inputs).or_else(|error| located.texts.refuse(error))
        };
        let options = &task.install.options;
        let plan = make(options)?;
        if plan.root.is_none() {
            return Ok(plan);
        }
        if layout::find(&project.pyproject, files).is_empty() {
            // Poetry 1 goes on without the project, Poetry 2 fails.
            if poetry_major(task.history) != Some(1) {
                return refuse(&rules::MODULES, "the project's own modules are not there yet");
            }
            return make(&poetry_lock::Options { no_root: true, ..options.clone() });
        }
        if has_dynamic_version(&located.texts.pyproject) {
            return refuse(&rules::DYNAMIC_VERSION, "poetry-dynamic-versioning gives the project its version");
        }
        Ok(plan)
    }

    /// The image that a stage begins with: its Python is the one that Poetry uses.
    fn base_of(&self, root: &Output) -> Result<Output, Stop> {
        let is_image = |vertex: &OpenVertex| {
            matches!(
                vertex.op().op,
                Some(pb::op::Op::Source(source)) if source.identifier.starts_with("docker-image://")
                    || source.identifier.starts_with("oci-layout://")
            )
        };
        match chain(root).first() {
            Some(base) if is_image(base) => Ok(base.output(0)),
            _ => refuse(&rules::NO_PYTHON, "the stage begins with no image"),
        }
    }

    /// Checks that a virtual environment that something else made is of the stage's own Python, and shows nothing but itself.
    async fn check_environment(&self, place: &Place, found: &Interpreter, state: &Output) -> Result<(), Stop> {
        let Place::Venv { path, .. } = place else { return Ok(()) };
        let foreign = |what: &str| refuse(&rules::ACTIVE_ENVIRONMENT, format!("{path} {what}"));
        let text = self.facts.file(state, &format!("{path}/pyvenv.cfg")).await?.unwrap_or_default();
        let settings = EnvironmentSettings::read(&String::from_utf8_lossy(&text));
        if !settings.is_of(interpreter::version(found)) {
            return foreign("is not of the stage's own Python");
        }
        if settings.value("include-system-site-packages") != Some("false") {
            return foreign("sees what is installed in the system's environment");
        }
        let own = self.facts.stat(state, &found.executable).await?;
        let its = self.facts.stat(state, &format!("{path}/bin/python")).await?;
        if own.is_none() || own.map(|stat| stat.size) != its.map(|stat| stat.size) {
            return foreign("is of another Python, or broken");
        }
        Ok(())
    }

    /// The names of files in folders of the project.
    async fn listed(
        &self,
        state: &Output,
        project: &str,
        folders: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Stop> {
        let mut found = BTreeSet::new();
        for folder in folders {
            let names = self.facts.names(state, &format!("{project}/{folder}")).await?;
            let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            found.extend(names.into_iter().map(|name| format!("{prefix}{name}")));
        }
        Ok(found)
    }

    /// Asks the stage's interpreter what it is.
    async fn ask(&self, task: &Task<'_>, place: &Place, base: &Output, platform: &Platform) -> Result<Asked, Stop> {
        let venv = match place {
            Place::System => "/usr/local".to_owned(),
            Place::Venv { path, .. } => path.clone(),
        };
        let is_layer = matches!(place, Place::Venv { made: true, .. });
        let (probe, found) = self.probe(task, &venv, is_layer, base, platform).await?;
        if !venv.contains(PYTHON) {
            return Ok(Asked { probe, found, place: place.clone() });
        }
        let minor = found.markers.get("python_version").cloned().unwrap_or_default();
        let path = venv.replace(PYTHON, &minor);
        let (probe, found) = self.probe(task, &path, true, base, platform).await?;
        Ok(Asked { probe, found, place: Place::Venv { path, made: true } })
    }

    async fn probe(
        &self,
        task: &Task<'_>,
        venv: &str,
        is_layer: bool,
        base: &Output,
        platform: &Platform,
    ) -> Result<(buildkit_llb::ExecVertex, Interpreter), Stop> {
        let python = self.python_of(task, base).await?;
        let path = task.command.variable("PATH")?;
        let name = format!("{} ask python3 what it is", task.label);
        let probe = Probe { python, venv: venv.to_owned() };
        let probe = graph::probe(self.workshop, base, platform, &probe, path.as_deref(), name)?;
        // As in the other way in: what becomes a layer is in more caches.
        let is_layer = is_layer && !venv.contains(PYTHON);
        let (output, path) = match is_layer {
            true => (probe.output(places::OUT)?, format!("{venv}/pyvenv.cfg")),
            false => (probe.output(places::FACTS)?, INTERPRETER_PATH.to_owned()),
        };
        let found = self.facts.file(&output, &path).await?.unwrap_or_default();
        let found = match is_layer {
            true => Interpreter::from_settings(&String::from_utf8_lossy(&found))?,
            false => serde_json::from_slice(&found)?,
        };
        Ok((probe, found))
    }

    /// The name of the interpreter that is asked: an image without one is not asked, so that no step of it fails.
    async fn python_of(&self, task: &Task<'_>, base: &Output) -> Result<String, Stop> {
        let path = task.command.variable("PATH")?.unwrap_or_default();
        for folder in path.split(':').filter(|folder| folder.starts_with('/')) {
            if self.facts.exists(base, &format!("{folder}/python3")).await? {
                return Ok("python3".to_owned());
            }
        }
        refuse(&rules::NO_PYTHON, "the image that the stage begins with has no Python")
    }
}

/// A pyvenv.cfg.
pub(super) struct EnvironmentSettings(BTreeMap<String, String>);

impl EnvironmentSettings {
    pub(super) fn read(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Self(pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect())
    }

    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether it is an environment of this version of Python.
    pub(super) fn is_of(&self, version: &str) -> bool {
        self.value("version")
            .or(self.value("version_info"))
            .is_some_and(|own| own == version || own.strip_prefix(version).is_some_and(|rest| rest.starts_with('.')))
    }
}

struct Asked {
    probe: buildkit_llb::ExecVertex,
    found: Interpreter,
    place: Place,
}

/// Checks that a project's folder is not reached through a link: Poetry would take it for another one.
async fn check_folder(setup: &Setup<'_>, task: &Task<'_>, folder: &str) -> Result<(), Stop> {
    match setup.facts.real_path(task.state, folder).await? {
        Some(real) if real == folder => Ok(()),
        _ => refuse(&rules::FOLDER, format!("a link leads to {folder}")),
    }
}

/// Whether a mount of a step covers what is installed below a folder. What is in the system's folders is there without mounts.
fn covers(step: &Step, root: &str, place: &Place) -> bool {
    match place {
        Place::Venv { .. } => step.is_mounted(root),
        Place::System => step.exec.mounts.iter().filter(|mount| mount.dest != "/").any(|mount| {
            let dest = mount.dest.trim_end_matches('/');
            layout::is_below(root, dest) || layout::is_below(dest, root) && dest.contains("-packages")
        }),
    }
}

fn platform_of(vertex: &OpenVertex) -> Platform {
    vertex.op().platform.map_or_else(|| Platform::new("linux", "amd64"), Into::into)
}

/// The lines of poetry.lock that errors of steps show.
fn lines_of_packages(plan: &Plan, lock: &str) -> String {
    let lines: Vec<_> =
        plan.packages.iter().map(|package| package.lock_line as usize..=package.lock_line as usize).collect();
    SourceFile::toml("poetry.lock", lock).around(&lines)
}
