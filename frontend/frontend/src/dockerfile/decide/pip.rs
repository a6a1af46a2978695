//! What a `pip install -r` of an exported list puts where.
//!
//! Follows pip: the distributions whose lines hold for the interpreter that pip runs in, in the environment of that
//! interpreter. pip would look for anything that the list lacks in an index, so that nothing may be lacking.

use std::collections::BTreeSet;

use buildkit_llb::Output;
use install_request::Interpreter;
use poetry_lock::{Environment, Export as List, Extras, GroupChoice, LockedPackage, Options, Project, Style, Texts};

use super::{
    Setup,
    install::{EnvironmentSettings, Standpoint},
};
use crate::{
    dockerfile::{
        graph::Command,
        programs::{
            pip::{self, PipInstall},
            poetry::{Export, Install},
        },
        rules,
        stage::{
            place::Place,
            project::{self, ProjectTexts},
            version::poetry_major,
        },
        stop::{Stop, refuse},
    },
    gateway::is_folder,
    interpreter,
};

/// A list that was exported: the project that it was made from, and what was asked for.
pub(in crate::dockerfile) struct Exported {
    pub(super) texts: ProjectTexts,
    /// The project as the exporter sees it.
    pub(super) project: Project,
    export: Export,
}

/// What pip's installing depends on beside the project.
pub(in crate::dockerfile) struct Pip<'a> {
    /// The command.
    pub(super) install: &'a PipInstall,
    /// The list that it installs.
    pub(super) list: &'a Exported,
    /// The equivalent `poetry install`.
    pub(in crate::dockerfile) wanted: Install,
    /// The path of the interpreter that pip runs in, as pip was called.
    pub(super) python: String,
    /// Its environment.
    pub(super) place: Place,
}

impl Exported {
    fn list(&self) -> Result<List<'_>, Stop> {
        match self.project.export(&self.export.options) {
            Ok(list) => Ok(list),
            Err(error) => refuse(&rules::LOCK, error.to_string()),
        }
    }

    /// The list's text.
    ///
    /// # Errors
    /// If it cannot be told.
    pub(in crate::dockerfile) fn text(&self) -> Result<String, Stop> {
        let Export { without_hashes, without_urls, .. } = self.export;
        let style = Style { hashes: !without_hashes, urls: !without_urls };
        match self.list()?.text(style) {
            Ok(text) => Ok(text),
            Err(error) => refuse(&rules::LIST_CONTENT, error.to_string()),
        }
    }
}

/// Reads the project that a `poetry export` is about.
///
/// # Errors
/// If what it writes cannot be told, or a call fails.
pub(in crate::dockerfile) async fn exported(at: &Standpoint<'_>, export: &Export) -> Result<Exported, Stop> {
    let (folder, texts) = project::find(&at.view, &at.command, export.folder.as_deref()).await?;
    let Some(lock) = &texts.lock else {
        return refuse(&rules::NO_PROJECT, format!("no poetry.lock is in {folder} before it"));
    };
    // The exporter does not look at the settings.
    let read = Project::read(&Texts { pyproject: &texts.pyproject, lock, poetry_toml: None });
    let project = read.or_else(|error| texts.refuse(error))?;
    let major = poetry_major(at.history);
    if major == Some(1) && project.lock.version.has_groups() {
        return refuse(&rules::LIST_CONTENT, "Poetry 1 exports a lock of Poetry 2 in a way of its own");
    }
    let exported = Exported { texts, project, export: export.clone() };
    let list = exported.list()?;
    if let Some(name) = list.disputed().filter(|_| major != Some(1)) {
        let detail = format!("whether its list has {name} depends on the version of Poetry, which is not told");
        return refuse(&rules::LIST_CONTENT, detail);
    }
    if list.has_sources() && export.with_credentials {
        return refuse(&rules::LIST_CONTENT, "its list has credentials of sources");
    }
    Ok(exported)
}

impl Setup<'_> {
    /// Finds out where pip installs a list.
    ///
    /// # Errors
    /// If that cannot be told, or a call fails.
    pub(in crate::dockerfile) async fn pip<'a>(
        &self,
        install: &'a PipInstall,
        list: &'a Exported,
        state: &Output,
        command: &Command<'_>,
    ) -> Result<Pip<'a>, Stop> {
        if let Some(name) = pip::setting(command.names()) {
            return refuse(&rules::LIST_PIP, format!("{name} changes what pip does"));
        }
        if install.require_hashes && list.export.without_hashes {
            return refuse(&rules::LIST_PIP, "pip is to require digests, which the list has none of");
        }
        if list.export.without_urls && list.list()?.has_sources() {
            return refuse(&rules::LIST_CONTENT, "the list does not say where the project's own sources are");
        }
        let python = self.python_of_pip(install, state, command).await?;
        let place = self.environment_of(&python, state).await?;
        self.check_settings_of_pip(&place, state, command).await?;
        let chosen = list.list()?;
        let groups: Vec<_> = chosen.groups().iter().cloned().collect();
        if groups.is_empty() {
            return refuse(&rules::LIST_CONTENT, "its list is empty");
        }
        let options = Options {
            groups: GroupChoice { only: groups, ..GroupChoice::default() },
            extras: chosen.extras().iter().cloned().collect(),
            no_root: true,
            ..Options::default()
        };
        let wanted = Install { options, compile: !install.no_compile, ..Install::default() };
        Ok(Pip { install, list, wanted, python, place })
    }

    /// The interpreter that pip runs in.
    async fn python_of_pip(&self, install: &PipInstall, state: &Output, command: &Command<'_>) -> Result<String, Stop> {
        let Some(program) = self.program(&install.program, state, command).await? else {
            return refuse(&rules::LIST_PIP, "there is no pip where it would be called");
        };
        if install.is_python {
            return Ok(program);
        }
        let script = self.facts.file(state, &program).await?.unwrap_or_default();
        let first = script.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let python = std::str::from_utf8(first).ok().and_then(|line| line.strip_prefix("#!")).map(str::trim);
        let is_python = |path: &&str| {
            let name = path.rsplit('/').next().unwrap_or_default();
            path.starts_with('/') && name.starts_with("python") && !path.contains(char::is_whitespace)
        };
        match python.filter(is_python) {
            Some(python) => Ok(python.to_owned()),
            None => refuse(&rules::LIST_PIP, format!("{program} does not say which interpreter it runs in")),
        }
    }

    /// The absolute path of a program, as the shell finds it.
    async fn program(&self, name: &str, state: &Output, command: &Command<'_>) -> Result<Option<String>, Stop> {
        let candidates: Vec<String> = match name.contains('/') {
            true => vec![command.absolute(name)?],
            false => {
                let path = command.variable("PATH")?.unwrap_or_default();
                let all = path.split(':').map(|folder| command.absolute(&format!("{folder}/{name}")));
                all.collect::<Result<_, _>>()?
            }
        };
        for candidate in candidates {
            if self.facts.stat(state, &candidate).await?.is_some_and(|stat| !is_folder(&stat)) {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// The environment that an interpreter belongs to.
    async fn environment_of(&self, python: &str, state: &Output) -> Result<Place, Stop> {
        let Some((folder, _)) = python.rsplit_once("/bin/") else {
            return refuse(&rules::LIST_PIP, format!("{python} is in no folder `bin`"));
        };
        Ok(match self.facts.exists(state, &format!("{folder}/pyvenv.cfg")).await? {
            false => Place::System,
            true => Place::Venv { path: folder.to_owned(), made: false },
        })
    }

    /// Files that pip reads settings from, which may change anything.
    async fn check_settings_of_pip(&self, place: &Place, state: &Output, command: &Command<'_>) -> Result<(), Stop> {
        let home = command.variable("HOME")?.unwrap_or_else(|| "/".to_owned());
        let user = command.variable("XDG_CONFIG_HOME")?.unwrap_or_else(|| format!("{home}/.config"));
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
            if self.facts.exists(state, &file).await? {
                return refuse(&rules::LIST_PIP, format!("{file} changes what pip does"));
            }
        }
        Ok(())
    }

    /// Checks that the stage's own interpreter, which was asked what it is, is the one that pip runs in.
    pub(super) async fn check_interpreter(
        &self,
        pip: &Pip<'_>,
        found: &Interpreter,
        state: &Output,
    ) -> Result<(), Stop> {
        let Place::Venv { path, .. } = &pip.place else {
            let [own, pips] = [&found.executable, &pip.python];
            let (own_stat, pips_stat) = (self.facts.stat(state, own).await?, self.facts.stat(state, pips).await?);
            let key = |stat: &crate::gateway::Stat| (stat.size, stat.mod_time, stat.mode);
            if own_stat.is_none() || own_stat.as_ref().map(key) != pips_stat.as_ref().map(key) {
                return refuse(
                    &rules::OTHER_PYTHON,
                    format!("pip runs in {pips}, which is not the stage's own Python"),
                );
            }
            let version = interpreter::version(found).split('.').take(2).collect::<Vec<_>>().join(".");
            for library in ["/usr/lib", "/usr/local/lib"] {
                let marker = format!("{library}/python{version}/EXTERNALLY-MANAGED");
                if self.facts.exists(state, &marker).await? {
                    return refuse(&rules::LIST_PIP, format!("{marker} tells pip not to install"));
                }
            }
            return Ok(());
        };
        let text = self.facts.file(state, &format!("{path}/pyvenv.cfg")).await?.unwrap_or_default();
        let settings = EnvironmentSettings::read(&String::from_utf8_lossy(&text));
        if !settings.is_of(interpreter::version(found)) {
            return refuse(&rules::OTHER_PYTHON, format!("{path} is not of the stage's own Python"));
        }
        if settings.value("include-system-site-packages") != Some("false") {
            return refuse(&rules::LIST_PIP, format!("{path} sees what is installed in the system's environment"));
        }
        Ok(())
    }
}

impl Pip<'_> {
    /// Checks that the list comes to what our own selection does, and lacks nothing that pip would look for.
    pub(super) fn check_selection(&self, found: &Interpreter) -> Result<(), Stop> {
        let environment = match interpreter::environment(found) {
            Ok(environment) => environment,
            Err(error) => return refuse(&rules::LIST_CONTENT, error.to_string()),
        };
        let list = self.list.list()?;
        let texts = &self.list.texts;
        let listed = list.installed(&environment).or_else(|error| texts.refuse(error))?;
        let selected = self.list.project.select(&environment, &self.wanted.options);
        let selected = selected.or_else(|error| texts.refuse(error))?;
        let key = |package: &LockedPackage| (package.name.clone(), package.version_text.clone());
        let ours: BTreeSet<_> = selected.packages.iter().map(|selected| key(selected.package)).collect();
        let theirs: BTreeSet<_> = listed.iter().map(|package| key(package)).collect();
        if let Some((name, _)) = ours.symmetric_difference(&theirs).next() {
            return refuse(&rules::LIST_CONTENT, format!("Poetry's list and its installation differ in {name}"));
        }
        let version = environment.python();
        if let Some(package) = listed.iter().find(|package| !package.python.allows(&version)) {
            return refuse(&rules::LIST_CONTENT, format!("{} is not made for Python {version}", package.name));
        }
        match self.install.no_deps {
            true => Ok(()),
            false => lacking(&listed, &environment).map_or(Ok(()), |(asker, name)| {
                refuse(&rules::LIST_CONTENT, format!("{asker} asks for {name}, which is not in the list"))
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
