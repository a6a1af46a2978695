//! What one `poetry install` puts where, as layers.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{OpenVertex, Output, Platform, SourceFile as GraphFile, cap};
use buildkit_proto::pb;
use install_request::{Interpreter, Probe, layout as places};
use poetry_lock::{PoetryToml, Texts};

use super::{
    checks::{
        check_credentials, check_present, check_python, check_settings, check_sync, has_dynamic_version, is_unpacked,
        what_is_built,
    },
    files::{PROJECT_FILES, Unknown, may_change},
    pip::Pip,
    place::{self, PYTHON, Place},
    service::{Located, Problem, ProjectTexts, Served, Service, Standpoint, Wanted, refused},
    settle::{beside, roots, settled},
    shell,
    states::chain,
    step::{Scene, mount_at},
    version::poetry_major,
};
use crate::{
    error::Error,
    gateway::Ref,
    graph::{self, INTERPRETER_PATH, Materials},
    index, interpreter, layout,
    plan::{self, Plan, Target},
    python::{Family, Python},
    settings::Settings,
    source::SourceFile,
};

impl Service<'_> {
    /// Finds the project and the environment of a command.
    ///
    /// # Errors
    /// If they cannot be told, or a call fails.
    pub async fn locate(&self, at: &Standpoint<'_>, folder: Option<&str>) -> Result<Located, Problem> {
        let Standpoint { original: state, before, earlier, .. } = *at;
        let mut scene = at.scene.clone();
        if let Some(name) = scene.unknown() {
            return refused(format!("the value of {name} is known to the running shell alone"));
        }
        if scene.variables.get("HOME").is_some_and(|home| home == shell::USERS_HOME) {
            let solved = self.gateway.solve(at.state.marshal()?).await?;
            match self.home(&solved, &scene).await? {
                Some(home) => scene.variables.insert("HOME".to_owned(), home),
                None => scene.variables.remove("HOME"),
            };
        }
        let (folder, texts) = self.texts(at, folder).await?;
        let settings = texts.toml.as_deref().map(PoetryToml::read).transpose();
        let settings = settings.or_else(|error| texts.refused(error))?.unwrap_or_default();
        let parsed = poetry_lock::Pyproject::read(&texts.pyproject, poetry_lock::Dialect::Poetry2)
            .or_else(|error| texts.refused(error))?;
        let name = parsed.name.as_ref().map(|name| poetry_lock::Name::new(&name.value).to_string());
        let project = place::Project { folder: &folder, name: name.as_deref(), toml: &settings };
        let served: Vec<String> = earlier.iter().filter_map(|served| served.place.path().map(str::to_owned)).collect();
        let place = place::place(state, &scene, before, &project, self.files, &served).await?;
        Ok(Located { place, folder, texts })
    }

    /// Finds the project of a command: its folder, and its files there.
    pub(super) async fn texts(
        &self,
        at: &Standpoint<'_>,
        folder: Option<&str>,
    ) -> Result<(String, ProjectTexts), Problem> {
        let Standpoint { original: state, step: mounted, scene, .. } = *at;
        if let Some(name) = scene.unknown() {
            return refused(format!("the value of {name} is known to the running shell alone"));
        }
        let folder = scene.absolute(folder.unwrap_or("."));
        let mut before = at.before.iter().map(|part| &part.segment.text);
        if let Some(text) = before.find(|text| PROJECT_FILES.iter().any(|name| may_change(text, name))) {
            return refused(format!("`{text}` in front of it may change the project's files"));
        }
        let text = async |name: &str| -> Result<Option<String>, Unknown> {
            let path = scene.absolute(&format!("{folder}/{name}"));
            if let Some((output, path)) = mounted.and_then(|step| mount_at(step, &path)) {
                return self.files.text(&output, &path).await;
            }
            self.files.text(state, &path).await
        };
        let Some(pyproject) = text("pyproject.toml").await? else {
            return refused(format!("no pyproject.toml is copied to {folder} before it"));
        };
        let (lock, toml) = (text("poetry.lock").await?, text("poetry.toml").await?);
        Ok((folder, ProjectTexts { pyproject, lock, toml }))
    }

    /// Makes the layers of a command.
    ///
    /// # Errors
    /// If Poetry has to do it, or a call fails.
    pub async fn serve(&self, wanted: &Wanted<'_>) -> Result<Served, Problem> {
        let Wanted { step, install, earlier, .. } = *wanted;
        let scene = wanted.own_scene();
        let at = Standpoint {
            original: &step.root,
            state: wanted.state,
            step: Some(step),
            scene: &scene,
            before: wanted.before,
            earlier,
        };
        let located = self.locate(&at, install.folder.as_deref()).await?;
        self.lay(wanted, &located, None).await
    }

    /// Makes the layers of a `pip install -r` of an exported list.
    ///
    /// # Errors
    /// If pip has to do it, or a call fails.
    pub async fn serve_pip(&self, wanted: &Wanted<'_>, pip: &Pip<'_>) -> Result<Served, Problem> {
        let folder = wanted.scene.folder.clone();
        let located = Located { place: pip.place.clone(), folder, texts: pip.list.texts.clone() };
        self.lay(wanted, &located, Some(pip)).await
    }

    /// Makes the layers of a command whose project and environment are known.
    async fn lay(&self, wanted: &Wanted<'_>, located: &Located, pip: Option<&Pip<'_>>) -> Result<Served, Problem> {
        let Wanted { step, install, earlier, .. } = *wanted;
        let scene = wanted.own_scene();
        let Some(lock) = &located.texts.lock else {
            return refused(format!("no poetry.lock is copied to {} before it", located.folder));
        };
        let texts = Texts { pyproject: &located.texts.pyproject, lock, poetry_toml: located.texts.toml.as_deref() };
        let project = match pip {
            Some(pip) => pip.list.project.clone(),
            None => poetry_lock::Project::read(&texts).or_else(|error| located.texts.refused(error))?,
        };
        let platform = platform_of(&step.vertex);
        let probe_root = self.python_of(&step.root)?;
        let asked = ask(self, wanted, &located.place, &probe_root, &platform, &scene).await?;
        let (probe, found, place) = (asked.probe, asked.found, asked.place);

        if matches!(place, Place::System) && !scene.user.is_empty() {
            return refused(format!("the user {} installs into the system's environment", scene.user));
        }
        let mounted = |path: &str| {
            let mut mounts = step.exec.mounts.iter().filter(|mount| mount.dest != "/");
            mounts.any(|mount| layout::is_below(path, &mount.dest))
        };
        if let Some(path) = place.path().filter(|path| mounted(path)) {
            return refused(format!("the virtual environment {path} is in a mount, which is no part of the image"));
        }
        let state = self.gateway.solve(wanted.state.marshal()?).await?;
        if let Some(pip) = pip {
            self.check_interpreter(pip, &found, &state).await?;
            pip.check_selection(&found)?;
        }
        let file = SourceFile::toml("pyproject.toml", texts.pyproject);
        let settings = Settings::read(&file, &self.request.build_args).or_else(|error| located.texts.refused(error))?;
        let modules = layout::candidates(&project.pyproject);
        let files = match pip {
            Some(_) => BTreeSet::new(),
            None => self.listed(&state, &located.folder, &layout::folders(&modules)).await?,
        };
        let workshop = self.workshop_of(wanted, &scene, &state, &probe_root).await?;
        let mut plan = self.plan(wanted, located, &project, &settings, &found, &place, &files, lock, &platform)?;
        if let Some(pip) = pip {
            plan.interpreter.clone_from(&pip.python);
            plan.requested = true;
        }
        let rest = what_is_built(&plan);
        if let Some(reason) = rest.as_ref().filter(|_| pip.is_some() || place == Place::System) {
            return refused(reason);
        }
        plan.packages.retain(is_unpacked);
        plan.nodes.retain(|node| plan.packages.iter().any(|package| package.node == node.id));
        if pip.is_none() {
            check_settings(wanted, &scene)?;
        }
        if project.settings.system_site_packages == Some(true) || project.settings.always_copy == Some(true) {
            return refused("poetry.toml sets options of virtual environments");
        }
        check_credentials(&plan, wanted, &scene)?;
        if install.sync {
            check_sync(&plan, &place, earlier)?;
        }
        check_python(wanted, &found)?;
        let is_known = earlier.iter().any(|served| served.place.path() == place.path());
        let is_foreign = matches!(place, Place::Venv { made: false, .. }) && !is_known;
        if is_foreign && self.gateway.stat(&state, &plan.scheme.purelib).await?.is_none() {
            let path = place.path().unwrap_or_default();
            return refused(format!("the virtual environment {path} is not of the stage's own Python"));
        }
        if place == Place::System || pip.is_some() || is_foreign {
            check_present(self, &state, &plan, &place, earlier).await?;
        }
        if let Place::Venv { path, made: true } = &place
            && !earlier.iter().any(|served| served.place.path() == Some(path))
            && self.gateway.stat(&state, path).await?.is_some()
        {
            return refused(format!("there is something at {path} already, where the virtual environment would be"));
        }
        let owner = self.owner(&state, &scene).await?;
        let application = graph::Application {
            context: graph::Files::Tree { output: wanted.state.clone(), root: located.folder.clone() },
            project: String::new(),
            ignore: Vec::new(),
        };
        let makes_venv = matches!(place, Place::Venv { made: true, .. });
        let base = probe_root.clone();
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
            prefix: format!("{} ", wanted.label.trim_matches(['[', ']'])),
            can_merge: self.caps.has(cap::MERGE_OP),
        };
        let mut layers = graph::environment(&plan, &materials, makes_venv, install.compile)?;
        let (roots, beside) = (roots(&plan, &place), beside(&plan, &place));
        let parents = self.parents(&state, &roots).await?;
        if let Some(odd) = parents.iter().find(|parent| parent.is_odd()) {
            return refused(format!("{} is no folder, or has a set-group or sticky bit", odd.path));
        }
        let loose = (owner == (0, 0)).then(|| layers.clone());
        for (label, output) in &mut layers {
            let folders = (&roots, beside.as_deref());
            *output = settled(output.clone(), label, folders, &parents, owner, &materials.prefix)?;
        }
        // An environment that was removed since is made anew.
        let is_there = match &place {
            Place::Venv { path, .. } if is_known => {
                self.gateway.stat(&state, &format!("{path}/pyvenv.cfg")).await?.is_some()
            }
            _ => true,
        };
        let known: Vec<&Output> = earlier
            .iter()
            .filter(|served| is_there && served.place.path() == place.path())
            .flat_map(|served| served.layers.iter().map(|(_, output)| output))
            .collect();
        layers.retain(|(_, output)| !known.contains(&output));
        let has_root = plan.root.is_some();
        let packages = plan.packages.into_iter().map(|package| (package.name, package.version)).collect();
        Ok(Served { place, layers, packages, has_root, rest, loose })
    }

    #[allow(clippy::too_many_arguments, reason = "all that a plan depends on")]
    fn plan(
        &self,
        wanted: &Wanted<'_>,
        located: &Located,
        project: &poetry_lock::Project,
        settings: &Settings,
        found: &Interpreter,
        place: &Place,
        files: &BTreeSet<String>,
        lock: &str,
        platform: &Platform,
    ) -> Result<Plan, Problem> {
        let (interpreter, venv) = match place {
            Place::Venv { path, .. } => (found.clone(), path.clone()),
            // The folders of the system are absolute, so nothing is placed below anything.
            Place::System => {
                let prefix = found.system.scripts.trim_end_matches("/bin").to_owned();
                (Interpreter { venv: found.system.clone(), ..found.clone() }, prefix)
            }
        };
        let origin = crate::settings::Origin::Argument("poetry install".to_owned());
        let text = |value: &str| Some(crate::settings::Located { value: value.to_owned(), origin: origin.clone() });
        let settings = Settings { workdir: text(&located.folder), venv: text(&venv), ..settings.clone() };
        let version = interpreter::version(found).to_owned();
        let python = Python { family: Family::CPython, version, because: "the stage's own".to_owned() };
        let inputs = plan::Inputs {
            project,
            settings: &settings,
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
            options: Some(&wanted.install.options),
            programs: matches!(place, Place::System).then_some(found.executable.as_str()),
        };
        let mut plan = plan::make(&inputs).or_else(|error| located.texts.refused(error))?;
        if plan.root.is_some() && layout::find(&project.pyproject, files).is_empty() {
            // Poetry 1 goes on without the project, Poetry 2 fails.
            if poetry_major(&wanted.step.root, wanted.before) != Some(1) {
                return refused(
                    "the project's own modules are not there yet, so that Poetry 2 cannot install it; \
                     with --no-root it need not",
                );
            }
            plan.root = None;
        }
        if plan.root.is_some() && has_dynamic_version(&located.texts.pyproject) {
            return refused("poetry-dynamic-versioning gives the project its version");
        }
        Ok(plan)
    }

    /// The image that a stage begins with: its Python is the one that Poetry uses.
    fn python_of(&self, root: &Output) -> Result<Output, Problem> {
        let chain = chain(root);
        let Some(base) = chain.first() else {
            return refused("the stage begins with nothing");
        };
        let is_image = matches!(
            base.op().op,
            Some(pb::op::Op::Source(source)) if source.identifier.starts_with("docker-image://")
                || source.identifier.starts_with("oci-layout://")
        );
        if !is_image {
            return refused("the stage begins with no image");
        }
        Ok(base.output(0))
    }

    /// The names of files in folders of the project.
    async fn listed(
        &self,
        state: &Ref,
        project: &str,
        folders: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Problem> {
        let mut found = BTreeSet::new();
        for folder in folders {
            let path = format!("{project}/{folder}");
            if self.gateway.stat(state, &path).await?.is_some() {
                let names = self.gateway.read_dir(state, &path).await.unwrap_or_default();
                let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                found.extend(names.into_iter().map(|name| format!("{prefix}{name}")));
            }
        }
        Ok(found)
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

struct Asked {
    probe: buildkit_llb::ExecVertex,
    found: Interpreter,
    place: Place,
}

/// Asks the stage's interpreter what it is.
async fn ask(
    service: &Service<'_>,
    wanted: &Wanted<'_>,
    place: &Place,
    base: &Output,
    platform: &Platform,
    scene: &Scene,
) -> Result<Asked, Problem> {
    let request = |venv: &str| Probe { python: "python3".to_owned(), venv: venv.to_owned() };
    let run = async |venv: &str| -> Result<_, Problem> {
        let path = scene.variables.get("PATH").map(String::as_str);
        let name = format!("{} ask python3 what it is", wanted.label);
        let probe = graph::probe(service.workshop, base, platform, &request(venv), path, name)?;
        let is_layer = matches!(place, Place::Venv { made: true, .. }) && !venv.contains(PYTHON);
        // As in the other way in: what becomes a layer is in more caches.
        let found = match is_layer {
            true => read(service, probe.output(places::OUT)?, &format!("{venv}/pyvenv.cfg")).await,
            false => read(service, probe.output(places::FACTS)?, INTERPRETER_PATH).await,
        };
        let Ok(found) = found else {
            return refused("the image that the stage begins with has no Python that can be asked");
        };
        let found = match is_layer {
            true => Interpreter::from_settings(&String::from_utf8_lossy(&found))?,
            false => serde_json::from_slice(&found)?,
        };
        Ok((probe, found))
    };
    let venv = match place {
        Place::System => "/usr/local".to_owned(),
        Place::Venv { path, .. } => path.clone(),
    };
    let (probe, found) = run(&venv).await?;
    if !venv.contains(PYTHON) {
        return Ok(Asked { probe, found, place: place.clone() });
    }
    let minor = found.markers.get("python_version").cloned().unwrap_or_default();
    let path = venv.replace(PYTHON, &minor);
    let (probe, found) = run(&path).await?;
    Ok(Asked { probe, found, place: Place::Venv { path, made: true } })
}

/// A file of an output.
async fn read(service: &Service<'_>, output: Output, path: &str) -> Result<Vec<u8>, Error> {
    let solved = service.gateway.solve(output.marshal()?).await?;
    Ok(service.gateway.read_file(&solved, path).await?)
}
