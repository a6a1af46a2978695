//! What a `pip install -r` of an exported list puts where.
//!
//! Follows pip: the distributions whose lines hold for the interpreter that pip runs in, in the environment of that
//! interpreter. pip would look for anything that the list lacks in an index, so that nothing may be lacking.

use std::collections::BTreeSet;

use buildkit_llb::{Annotate, File, FileAction, Output, Owner};
use install_request::{EPOCH, Interpreter};
use poetry_lock::{Environment, Export as List, Extras, GroupChoice, LockedPackage, Options, Project, Style, Texts};

use super::{
    command::Install,
    place::Place,
    requirements::{self, Export, PipInstall},
    service::{Problem, ProjectTexts, Service, Standpoint, refused},
    step::{Part, Scene, Step},
    version::poetry_major,
};
use crate::{
    gateway::{Ref, Stat, is_folder},
    interpreter,
};

/// A list that was exported: the project that it was made from, and what was asked for.
pub struct Exported {
    /// Its texts.
    pub(super) texts: ProjectTexts,
    /// The project as the exporter sees it.
    pub(super) project: Project,
    export: Export,
}

/// What pip's installing depends on beside the project.
pub struct Pip<'a> {
    /// The command.
    pub install: &'a PipInstall,
    /// The list that it installs.
    pub list: &'a Exported,
    /// What that comes to in the words of `poetry install`.
    pub(super) wanted: Install,
    /// The path of the interpreter that pip runs in, as pip was called.
    pub(super) python: String,
    /// Its environment.
    pub(super) place: Place,
}

impl Exported {
    /// The list.
    fn list(&self) -> Result<List<'_>, Problem> {
        self.project.export(&self.export.options).or_else(|error| refused(error.to_string()))
    }

    /// The list's text.
    ///
    /// # Errors
    /// If it cannot be told.
    pub fn text(&self) -> Result<String, Problem> {
        let Export { without_hashes, without_urls, .. } = self.export;
        let style = Style { hashes: !without_hashes, urls: !without_urls };
        self.list()?.text(style).or_else(|error| refused(error.to_string()))
    }
}

impl Service<'_> {
    /// Reads the project that a `poetry export` is about.
    ///
    /// # Errors
    /// If what it writes cannot be told, or a call fails.
    pub async fn exported(
        &self,
        step: &Step,
        state: &Output,
        part: &Part,
        before: &[Part],
        export: &Export,
    ) -> Result<Exported, Problem> {
        let at = Standpoint { original: &step.root, state, step: Some(step), scene: &part.scene, before, earlier: &[] };
        let (folder, texts) = self.texts(&at, export.folder.as_deref()).await?;
        let Some(lock) = &texts.lock else {
            return refused(format!("no poetry.lock is copied to {folder} before it"));
        };
        // The exporter does not look at the settings.
        let read = Project::read(&Texts { pyproject: &texts.pyproject, lock, poetry_toml: None });
        let project = read.or_else(|error| texts.refused(error))?;
        if poetry_major(&step.root, before) == Some(1) && project.lock.version.has_groups() {
            return refused("Poetry 1 exports a lock of Poetry 2 in a way of its own");
        }
        let exported = Exported { texts, project, export: export.clone() };
        let list = exported.list()?;
        if let Some(name) = list.disputed().filter(|_| poetry_major(&step.root, before) != Some(1)) {
            return refused(format!("whether its list has {name} depends on the version of Poetry, which is not told"));
        }
        if list.has_sources() && export.with_credentials {
            return refused("its list has credentials of sources");
        }
        Ok(exported)
    }

    /// A state with the list as a file.
    ///
    /// # Errors
    /// If it cannot be told what it is, or a call fails.
    pub async fn with_list(
        &self,
        step: &Step,
        state: Output,
        part: &Part,
        list: &Exported,
        path: &str,
        label: &str,
    ) -> Result<Output, Problem> {
        let (user, group) = match part.scene.user.is_empty() {
            true => (0, 0),
            false => self.owner(&self.gateway.solve(state.marshal()?).await?, &part.scene).await?,
        };
        let file = FileAction::mkfile(path, list.text()?).mode(0o644).owner(Owner::new(user, group)).timestamp(EPOCH);
        let name = format!("{label} {}", part.segment.text);
        Ok(step.vertex.located(File::on(state).then(file).name(name)).output()?)
    }

    /// Finds out where pip installs a list.
    ///
    /// # Errors
    /// If that cannot be told, or a call fails.
    pub async fn pip<'a>(
        &self,
        install: &'a PipInstall,
        list: &'a Exported,
        state: &Output,
        scene: &Scene,
    ) -> Result<Pip<'a>, Problem> {
        let mut scene = scene.clone();
        scene.variables.extend(install.assignments.iter().cloned());
        if let Some(name) = scene.unknown() {
            return refused(format!("the value of {name} is known to the running shell alone"));
        }
        if let Some(name) = requirements::setting(scene.variables.keys()) {
            return refused(format!(
                "{name} changes what pip does; \
                 `index` or `indexes` of [tool.poetry-buildkit] name a mirror for `poetry install`"
            ));
        }
        if install.require_hashes && list.export.without_hashes {
            return refused("pip is to require digests, which the list has none of");
        }
        if list.export.without_urls && list.list()?.has_sources() {
            return refused("the list does not say where the project's own sources are");
        }
        let state = self.gateway.solve(state.marshal()?).await?;
        let python = self.python_of_pip(install, &state, &scene).await?;
        let place = self.environment_of(&python, &state).await?;
        self.check_settings_of_pip(&place, &state, &scene).await?;
        let chosen = list.list()?;
        let groups: Vec<_> = chosen.groups().iter().cloned().collect();
        if groups.is_empty() {
            return refused("its list is empty");
        }
        let options = Options {
            groups: GroupChoice { only: groups, ..GroupChoice::default() },
            extras: chosen.extras().iter().cloned().collect(),
            no_root: true,
            ..Options::default()
        };
        let wanted = Install {
            options,
            compile: !install.no_compile,
            assignments: install.assignments.clone(),
            ..Install::default()
        };
        Ok(Pip { install, list, wanted, python, place })
    }

    /// The interpreter that pip runs in.
    async fn python_of_pip(&self, install: &PipInstall, state: &Ref, scene: &Scene) -> Result<String, Problem> {
        let Some(program) = self.program(&install.program, state, scene).await? else {
            return refused(format!("there is no {} where it would be called", install.program));
        };
        if install.is_python {
            return Ok(program);
        }
        let script = self.gateway.read_file(state, &program).await?;
        let first = script.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let python = std::str::from_utf8(first).ok().and_then(|line| line.strip_prefix("#!")).map(str::trim);
        let is_python = |path: &&str| {
            let name = path.rsplit('/').next().unwrap_or_default();
            path.starts_with('/') && name.starts_with("python") && !path.contains(char::is_whitespace)
        };
        match python.filter(is_python) {
            Some(python) => Ok(python.to_owned()),
            None => refused(format!("{program} does not say which interpreter it runs in")),
        }
    }

    /// The absolute path of a program, as the shell finds it.
    async fn program(&self, name: &str, state: &Ref, scene: &Scene) -> Result<Option<String>, Problem> {
        let candidates: Vec<String> = match name.contains('/') {
            true => vec![scene.absolute(name)],
            false => {
                let path = scene.variables.get("PATH").map_or("", String::as_str);
                path.split(':').map(|folder| scene.absolute(&format!("{folder}/{name}"))).collect()
            }
        };
        for candidate in candidates {
            if self.gateway.stat(state, &candidate).await?.is_some_and(|stat| !is_folder(&stat)) {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// The environment that an interpreter belongs to.
    async fn environment_of(&self, python: &str, state: &Ref) -> Result<Place, Problem> {
        let Some((folder, _)) = python.rsplit_once("/bin/") else {
            return refused(format!("{python} is in no folder `bin`"));
        };
        let settings = format!("{folder}/pyvenv.cfg");
        if self.gateway.stat(state, &settings).await?.is_none() {
            return Ok(Place::System);
        }
        Ok(Place::Venv { path: folder.to_owned(), made: false })
    }

    /// Files that pip reads settings from, which may change anything.
    async fn check_settings_of_pip(&self, place: &Place, state: &Ref, scene: &Scene) -> Result<(), Problem> {
        let home = self.home(state, scene).await?.unwrap_or_else(|| "/".to_owned());
        let user = scene.variables.get("XDG_CONFIG_HOME").cloned().unwrap_or_else(|| format!("{home}/.config"));
        let mut files = vec![
            "/etc/pip.conf".to_owned(),
            "/etc/xdg/pip/pip.conf".to_owned(),
            format!("{home}/.pip/pip.conf"),
            format!("{user}/pip/pip.conf"),
        ];
        match place {
            Place::Venv { path, .. } => files.push(format!("{path}/pip.conf")),
            // pip takes what the user has for installed.
            Place::System => files.push(format!("{home}/.local/lib")),
        }
        for file in files {
            if self.gateway.stat(state, &file).await?.is_some() {
                return refused(format!("{file} changes what pip does"));
            }
        }
        Ok(())
    }

    /// Checks that the stage's own interpreter, which was asked what it is, is the one that pip runs in.
    pub(super) async fn check_interpreter(
        &self,
        pip: &Pip<'_>,
        found: &Interpreter,
        state: &Ref,
    ) -> Result<(), Problem> {
        let Place::Venv { path, .. } = &pip.place else {
            let [own, pips] = [&found.executable, &pip.python];
            let (own_stat, pips_stat) = (self.gateway.stat(state, own).await?, self.gateway.stat(state, pips).await?);
            let key = |stat: &Stat| (stat.size, stat.mod_time, stat.mode);
            if own_stat.is_none() || own_stat.as_ref().map(key) != pips_stat.as_ref().map(key) {
                return refused(format!("pip runs in {pips}, which is not the stage's own Python {own}"));
            }
            let version = interpreter::version(found).split('.').take(2).collect::<Vec<_>>().join(".");
            for library in ["/usr/lib", "/usr/local/lib"] {
                let marker = format!("{library}/python{version}/EXTERNALLY-MANAGED");
                if self.gateway.stat(state, &marker).await?.is_some() {
                    return refused(format!("{marker} tells pip not to install into the system's environment"));
                }
            }
            return Ok(());
        };
        let settings = self.gateway.read_file(state, &format!("{path}/pyvenv.cfg")).await?;
        let settings = String::from_utf8_lossy(&settings).into_owned();
        let value = |key: &str| {
            let pairs = settings.lines().filter_map(|line| line.split_once('='));
            pairs
                .map(|(name, value)| (name.trim(), value.trim()))
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value)
        };
        let version = interpreter::version(found);
        let is_same = value("version").or(value("version_info")).is_some_and(|of_venv| {
            of_venv == version || of_venv.strip_prefix(version).is_some_and(|rest| rest.starts_with('.'))
        });
        if !is_same {
            return refused(format!("the virtual environment {path} is not of the stage's own Python {version}"));
        }
        if value("include-system-site-packages") != Some("false") {
            return refused(format!("the virtual environment {path} sees what is installed in the system's"));
        }
        Ok(())
    }
}

impl Pip<'_> {
    /// Checks that what the list comes to is what our own selection does, and lacks nothing that pip would look for.
    pub(super) fn check_selection(&self, found: &Interpreter) -> Result<(), Problem> {
        let environment = interpreter::environment(found).or_else(|error| refused(error.to_string()))?;
        let list = self.list.list()?;
        let texts = &self.list.texts;
        let listed = list.installed(&environment).or_else(|error| texts.refused(error))?;
        let selected = self.list.project.select(&environment, &self.wanted.options);
        let selected = selected.or_else(|error| texts.refused(error))?;
        let key = |package: &LockedPackage| (package.name.clone(), package.version_text.clone());
        let ours: BTreeSet<_> = selected.packages.iter().map(|selected| key(selected.package)).collect();
        let theirs: BTreeSet<_> = listed.iter().map(|package| key(package)).collect();
        if let Some((name, _)) = ours.symmetric_difference(&theirs).next() {
            return refused(format!("Poetry's list and its installation differ in {name}"));
        }
        let version = environment.python();
        if let Some(package) = listed.iter().find(|package| !package.python.allows(&version)) {
            return refused(format!("{} is not made for Python {version}", package.name));
        }
        match self.install.no_deps {
            true => Ok(()),
            false => lacking(&listed, &environment).map_or(Ok(()), |(asker, name)| {
                refused(format!("{asker} asks for {name}, which pip would look for outside of the list"))
            }),
        }
    }
}

/// A package that another one asks for and that is not among them.
fn lacking<'a>(
    packages: &[&'a LockedPackage],
    environment: &Environment,
) -> Option<(&'a poetry_lock::Name, &'a poetry_lock::Name)> {
    let none = BTreeSet::new();
    packages.iter().find_map(|package| {
        let mut needed = package.dependencies.iter().filter(|dependency| {
            let holds = dependency.marker.evaluate(environment, Extras::Only(&none)).unwrap_or(true);
            !dependency.optional && holds
        });
        let lacks = |dependency: &&poetry_lock::Dependency| {
            !packages.iter().any(|other| {
                other.name == dependency.name
                    && (dependency.is_direct() || dependency.constraint.allows(&other.version))
            })
        };
        needed.find(lacks).map(|dependency| (&package.name, &dependency.name))
    })
}
