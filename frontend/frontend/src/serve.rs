//! One build, from the client's request to the result that BuildKit exports.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use buildkit_llb::{Annotate, Output, Platform, ProxyEnv, ResolveMode, Source, SourceFile as GraphFile, cap};
use buildkit_proto::{
    Timestamp,
    gateway::{self as proto, result},
    pb,
};
use install_request::{BuildReport, EPOCH, Interpreter, Probe, layout as places};
use poetry_lock::{Project, Texts};
use prost::Message;
use serde_json::json;

use crate::{
    calls,
    context::{Context, DOCKERIGNORE, Files, Opened, lower_case},
    dockerfile::{self, Kind, delegate::delegate},
    dockerignore,
    error::Error,
    gateway::{self, Daemon, Gateway, Ref, ResolvedImage},
    graph::{self, Builder, INTERPRETER_PATH, Materials, Workshop},
    image::{Config, Runtime},
    index, interpreter, layout,
    plan::{self, Plan, Target},
    python::{self, Python},
    reference,
    request::{self, Request},
    settings::Settings,
    source::{SourceFile, Sources},
    start,
};

/// The definition of the frontend's own image, where the daemon gives it (BuildKit 0.10 and later).
const OWN_DEFINITION: &str = "/run/config/buildkit/metadata/frontend.bin";

/// Serves the one request of this process.
///
/// # Errors
/// If the daemon cannot be reached, or does not take the answer. Everything else is part of the answer.
pub async fn serve(environment: impl IntoIterator<Item = (String, String)>) -> Result<(), gateway::Error> {
    let request = Request::from_environment(environment);
    let cache_imports = request.as_ref().map(|request| request.cache_imports.clone()).unwrap_or_default();
    let gateway = Gateway::connect(&cache_imports).await?;
    let mut sources = Sources::default();
    let answer = match &request {
        Ok(request) => answer(&gateway, request, &mut sources).await,
        Err(error) => Err(error.clone().into()),
    };
    match answer {
        Ok(result) => gateway.succeed(result).await,
        // As it came, with the places and the output of processes that it holds.
        Err(Error::Gateway(error)) => gateway.fail(error.status()).await,
        Err(Error::Question(status)) => gateway.fail(status).await,
        Err(error) => gateway.fail(error.report(&sources).status()).await,
    }
}

async fn answer(gateway: &Gateway, request: &Request, sources: &mut Sources) -> Result<proto::Result, Error> {
    let is_dockerfile = !request.filename.ends_with(".toml");
    let (mut context, dockerfile) = match Context::find(request, gateway).await {
        // BuildKit's own frontend knows more kinds of contexts, and else tells what is wrong.
        Err(_) if is_dockerfile => return Ok(delegate(gateway, request).await?),
        found => found?,
    };
    if is_dockerfile {
        match kind(request, &dockerfile).await {
            // As above; and it takes files that are not UTF-8.
            Err(_) => return Ok(delegate(gateway, request).await?),
            Ok(Kind::Instructions(dockerfile)) => {
                let daemon = gateway.ping().await?;
                let workshop = |platform: &Platform| workshop(request, platform);
                return dockerfile::serve(gateway, request, &daemon, workshop, &dockerfile).await;
            }
            Ok(Kind::Ours) => {}
            Ok(Kind::Unclear) => {
                let opened = context.clone().open(dockerfile.clone(), gateway).await?;
                if opened.project.text("pyproject.toml").await?.is_none() {
                    return Ok(delegate(gateway, request).await?);
                }
            }
        }
    }
    if let Some(question) = &request.subrequest {
        return calls::answer(question).map_err(Error::Question);
    }
    if let Some(platform) = &request.other_platform {
        return Err(request::Error::Platform(platform.clone()).into());
    }
    let daemon = gateway.ping().await?;
    let opened = context.open(dockerfile, gateway).await?;
    let inputs = Inputs::read(request, &context, &opened, sources).await?;
    let (pyproject, folders) = (&inputs.project.pyproject, plan::folders(&inputs.project));
    let folders = context.folders(gateway, &folders, pyproject.dialect).await?;
    let wheelhouse = context.wheelhouse(gateway).await?;
    let build = Build { gateway, request, daemon, context, inputs, folders, wheelhouse };
    build.run(&opened.project).await
}

/// What the user's files say.
struct Inputs {
    target: Target,
    project: Project,
    lock: Arc<SourceFile>,
    settings: Settings,
    python: Python,
    /// The image's time of creation, in seconds since 1970.
    created: i64,
    /// The patterns of the `.dockerignore` that counts, and the same as patterns of the project.
    ignore: Vec<String>,
    dockerignore: Vec<String>,
}

impl Inputs {
    async fn read(
        request: &Request,
        context: &Context,
        Opened { dockerfile, root, project: files }: &Opened,
        sources: &mut Sources,
    ) -> Result<Self, Error> {
        let target = Target::parse(&request.target).ok_or_else(|| {
            let known: Vec<String> = Target::ALL.iter().map(|(_, name, _)| format!("`{name}`")).collect();
            Error::Target(request.target.clone(), known.join(", "))
        })?;
        let created = request.epoch()?.unwrap_or(EPOCH.cast_signed());
        let pyproject = files.text("pyproject.toml").await?.ok_or(Error::MissingFile { file: "pyproject.toml" })?;
        let pyproject = SourceFile::toml("pyproject.toml", pyproject);
        sources.pyproject = Some(Arc::clone(&pyproject));
        let lock = files.text("poetry.lock").await?.ok_or(Error::MissingFile { file: "poetry.lock" })?;
        let lock = SourceFile::toml("poetry.lock", lock);
        sources.lock = Some(Arc::clone(&lock));
        sources.poetry_toml = files.text("poetry.toml").await?.map(|text| SourceFile::toml("poetry.toml", text));

        let poetry_toml = sources.poetry_toml.as_ref().map(|file| file.text.as_str());
        let project = Project::read(&Texts { pyproject: &pyproject.text, lock: &lock.text, poetry_toml })?;
        let settings = Settings::read(&pyproject, &request.build_args)?;
        let python_version = files.text(python::FILE).await?.map(|text| SourceFile::plain(python::FILE, text));
        let python = Python::choose(settings.python.as_ref(), python_version.as_ref(), &project.pyproject)?;
        let own_ignore = dockerfile.text(&format!("{}.dockerignore", request.filename)).await?;
        let ignore = match own_ignore {
            Some(text) => Some(text),
            None => root.text(DOCKERIGNORE).await?,
        };
        let ignore = dockerignore::patterns(&ignore.unwrap_or_default());
        let dockerignore = dockerignore::below(&ignore, context.project_folder());
        Ok(Self { target, project, lock, settings, python, created, ignore, dockerignore })
    }
}

/// The kind of the file that `docker build -f` names.
async fn kind(request: &Request, files: &Files) -> Result<Kind, Error> {
    for name in [request.filename.clone(), lower_case(&request.filename)] {
        if let Some(text) = files.text(&name).await? {
            return Ok(Kind::of(&name, &text));
        }
    }
    Ok(Kind::Unclear)
}

struct Build<'a> {
    gateway: &'a Gateway,
    request: &'a Request,
    daemon: Daemon,
    context: Context,
    inputs: Inputs,
    folders: BTreeMap<String, Option<plan::Folder>>,
    wheelhouse: Option<(Output, BTreeSet<String>)>,
}

/// A base image for one platform.
#[derive(Clone)]
struct Base {
    output: Output,
    config: Config,
    config_bytes: Vec<u8>,
}

impl Build<'_> {
    async fn run(&self, files: &Files) -> Result<proto::Result, Error> {
        let own_platform = self.daemon.platforms.first().cloned().unwrap_or_else(|| Platform::new("linux", "amd64"));
        let targets = match &self.request.platforms[..] {
            [] => vec![own_platform.clone()],
            platforms => platforms.to_vec(),
        };
        let workshop = workshop(self.request, &own_platform)?;
        let modules = self.module_files(files).await?;
        let start_texts = self.start_texts(files, &modules).await?;
        let as_map = targets.len() > 1 || self.request.multi_platform;
        let mut result = proto::Result::default();
        let mut refs = BTreeMap::new();
        // The probe runs where nothing has to be emulated, if the base image has a variant for that.
        let native = match self.base(&own_platform).await {
            Ok(base) => Some(base),
            Err(error) if targets.contains(&own_platform) => return Err(error),
            Err(_) => None,
        };
        for target in &targets {
            let base = match &native {
                Some(native) if *target == own_platform => native.clone(),
                _ => self.base(target).await?,
            };
            let probed = match &native {
                Some(native) => (&own_platform, native),
                None => (target, &base),
            };
            let prefix = if as_map { format!("{target} ") } else { String::new() };
            let (built, plan) =
                self.platform(target, &base, probed, &workshop, (&modules, &start_texts), prefix).await?;
            let config = self.config(&plan, &base, &built.layers, target);
            let id = target.to_string();
            let key = |name: &str| if as_map { format!("{name}/{id}") } else { name.to_owned() };
            result.metadata.insert(key("containerimage.config"), config);
            if base_counts(plan.target) {
                result.metadata.insert(key("containerimage.base.config"), base.config_bytes.clone());
            }
            refs.insert(id, built.reference);
        }
        result.result = Some(if as_map {
            result.metadata.insert("refs.platforms".to_owned(), platforms_json(&targets));
            result::Result::Refs(proto::RefMap { refs })
        } else {
            let reference = refs.into_values().next().unwrap_or_default();
            result::Result::Ref(reference)
        });
        Ok(result)
    }

    async fn platform(
        &self,
        target: &Platform,
        base: &Base,
        (build_platform, build_base): (&Platform, &Base),
        workshop: &Workshop,
        (modules, start_texts): (&BTreeSet<String>, &BTreeMap<String, String>),
        prefix: String,
    ) -> Result<(Solved, Plan), Error> {
        let reference = plan::base(&self.inputs.settings, &self.inputs.python);
        let python = self.inputs.python.version.clone();
        let request = Probe { python: "python3".to_owned(), venv: self.venv() };
        let name = format!("[python] ask {reference} for its interpreter ({python}: {})", self.inputs.python.because);
        let probe = graph::probe(workshop, &build_base.output, build_platform, &request, None, name)?;
        // The answer is read from the environment, which is a part of the image: so a cache that has the image's layers has it.
        let environment = probe.output(places::OUT)?;
        let definition = environment.marshal()?;
        definition.check(&self.daemon.llb)?;
        let environment_ref = self.gateway.solve(definition).await?;
        let path = format!("{}/pyvenv.cfg", request.venv);
        let answer = self.gateway.read_file(&environment_ref, &path).await?;
        let found = Interpreter::from_settings(&String::from_utf8_lossy(&answer))?;
        let moved = if target == build_platform { found.clone() } else { interpreter::on_platform(&found, target) };

        let plan = plan::make(&plan::Inputs {
            project: &self.inputs.project,
            settings: &self.inputs.settings,
            python: &self.inputs.python,
            interpreter: &moved,
            platform: &target.to_string(),
            target: self.inputs.target,
            files: modules,
            start_texts,
            dockerignore: &self.inputs.dockerignore,
            labels: &self.request.labels,
            index: index::DEFAULT,
            lock_text: &self.inputs.lock.text,
            folders: &self.folders,
            project_folder: Some(self.context.project_folder()),
            wheelhouse: self.wheelhouse.is_some(),
            command: None,
        })?;
        self.check_wheelhouse(&plan)?;
        self.warn(&plan, environment.digest().unwrap_or_default()).await?;

        let lines: Vec<_> =
            plan.packages.iter().map(|package| package.lock_line as usize..=package.lock_line as usize).collect();
        let application = self.context.application(&self.inputs.ignore);
        let builder = self.builder(&plan, target).await?;
        let built = graph::build(
            &plan,
            &Materials {
                workshop,
                probe: &probe,
                base: base.output.clone(),
                build_base: build_base.output.clone(),
                python: &found.executable,
                build_platform,
                target_platform: target,
                application: &application,
                settings: &self.inputs.settings,
                builder,
                wheelhouse: self.wheelhouse.as_ref().map(|(output, _)| output.clone()),
                lock: Some(GraphFile::new("poetry.lock", "TOML", self.inputs.lock.around(&lines))),
                prefix,
                can_merge: self.daemon.llb.has(cap::MERGE_OP),
            },
        )?;
        let definition = built.output.marshal()?;
        definition.check(&self.daemon.llb)?;
        let reference = self.gateway.solve(definition).await?;
        if target == build_platform && base_counts(plan.target) && !built.reports.is_empty() {
            let facts = self.gateway.solve(probe.output(places::FACTS)?.marshal()?).await?;
            let facts = self.gateway.read_file(&facts, INTERPRETER_PATH).await?;
            let libraries = serde_json::from_slice::<Interpreter>(&facts)?.libraries;
            self.check_libraries(&built.reports, &libraries, &reference, &plan).await?;
        }
        Ok((Solved { reference, layers: built.layers }, plan))
    }

    /// Every file that is to come from the wheelhouse has to be there.
    fn check_wheelhouse(&self, plan: &Plan) -> Result<(), Error> {
        let Some((_, names)) = &self.wheelhouse else {
            return Ok(());
        };
        let files: Vec<String> =
            plan.mounted_files().filter(|file| !names.contains(*file)).map(str::to_owned).collect();
        if files.is_empty() { Ok(()) } else { Err(Error::NotInWheelhouse { files }) }
    }

    /// Warns of shared libraries that what was built needs and the runtime image lacks. `libraries` are its own; none
    /// if they are not known.
    async fn check_libraries(
        &self,
        reports: &[(String, Output)],
        libraries: &BTreeSet<String>,
        whole: &Ref,
        plan: &Plan,
    ) -> Result<(), Error> {
        if libraries.is_empty() {
            return Ok(());
        }
        // Reading a report waits for its build, and all other steps can run meanwhile. If one fails, the result says so.
        let read = self.missing_libraries(reports, libraries, plan);
        let (warnings, _) = tokio::join!(read, self.gateway.evaluate(whole));
        for (vertex, warning) in warnings.unwrap_or_default() {
            self.warn_of(&vertex, &warning).await?;
        }
        Ok(())
    }

    /// The digests of vertices and warnings about them.
    async fn missing_libraries(
        &self,
        reports: &[(String, Output)],
        libraries: &BTreeSet<String>,
        plan: &Plan,
    ) -> Result<Vec<(String, String)>, Error> {
        let mut warnings = Vec::new();
        for (package, output) in reports {
            let report = self.gateway.solve(output.marshal()?).await?;
            let text = self.gateway.read_file(&report, places::BUILD_REPORT_FILE).await?;
            let BuildReport { needed_libraries } = serde_json::from_slice(&text)?;
            for (library, debian) in needed_libraries {
                // What `apt` installs is there in the end.
                let installed = debian.as_ref().is_some_and(|name| plan.image.apt.contains(name));
                if libraries.contains(&library) || installed {
                    continue;
                }
                let help = debian.map(|name| format!(": add \"{name}\" to `apt` of [tool.poetry-buildkit]"));
                let digest = output.digest().unwrap_or_default().to_owned();
                let warning = format!(
                    "{package} needs the library {library}, which the runtime image does not have{}",
                    help.unwrap_or_default()
                );
                warnings.push((digest, warning));
            }
        }
        Ok(warnings)
    }

    /// The files that the project's modules and start command are found by.
    async fn module_files(&self, files: &Files) -> Result<BTreeSet<String>, Error> {
        let pyproject = &self.inputs.project.pyproject;
        let candidates = layout::candidates(pyproject);
        let folders = layout::folders(&candidates);
        let listed = files.listed(&folders).await?;
        if layout::is_complete(pyproject, &listed) || !pyproject.package_mode {
            return Ok(listed);
        }
        let elsewhere = self.context.modules(self.gateway, "", &candidates).await?;
        Ok(listed.into_iter().chain(elsewhere).collect())
    }

    /// The texts of the files that a start command may be found by, if none is set.
    async fn start_texts(&self, files: &Files, listed: &BTreeSet<String>) -> Result<BTreeMap<String, String>, Error> {
        let (settings, mut texts) = (&self.inputs.settings, BTreeMap::new());
        if settings.entrypoint.is_none() && settings.cmd.is_none() {
            for path in start::candidates(&layout::find(&self.inputs.project.pyproject, listed), listed) {
                // One that is no text starts nothing either, and is not ours to judge.
                if let Some(text) = files.text(&path).await.ok().flatten() {
                    texts.insert(path, text);
                }
            }
        }
        Ok(texts)
    }

    /// Resolves the base image for a platform.
    async fn base(&self, platform: &Platform) -> Result<Base, Error> {
        self.image("base", plan::base(&self.inputs.settings, &self.inputs.python), platform).await
    }

    /// Resolves the image that things are built in, if anything is.
    async fn builder(&self, plan: &Plan, platform: &Platform) -> Result<Option<Builder>, Error> {
        if !plan.builds() || plan.target == Target::Plan {
            return Ok(None);
        }
        let image = self.image("builder", plan.builder.clone(), platform).await?;
        let variable = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let env = image.config.environment().filter_map(variable).collect();
        Ok(Some(Builder { output: image.output, env }))
    }

    /// Resolves an image for a platform. A named context can stand in for it, by the name of its setting or by its own.
    async fn image(&self, setting: &str, configured: String, platform: &Platform) -> Result<Base, Error> {
        let whole = reference::normalized(&configured);
        let contexts = &self.request.contexts;
        let replaced = [format!("{setting}::{platform}"), setting.to_owned(), configured.clone(), whole.clone()]
            .into_iter()
            .find_map(|name| contexts.get_key_value(&name));
        let whole = match replaced {
            None => whole,
            Some((name, value)) => match value.strip_prefix("docker-image://") {
                Some(image) => reference::normalized(image),
                None => return Err(Error::NamedContext { name: name.clone(), value: value.clone() }),
            },
        };
        let log = format!("[internal] load metadata for {whole}");
        let resolved = self.gateway.resolve_image(&whole, platform, &self.request.resolve_mode, &log).await;
        let ResolvedImage { reference, digest, config } = resolved.map_err(|source| Error::BaseImage {
            reference: configured,
            platform: platform.to_string(),
            source,
        })?;
        let mode = match self.request.resolve_mode.as_str() {
            "pull" => ResolveMode::Pull,
            "local" => ResolveMode::Local,
            _ => ResolveMode::Default,
        };
        let output = Source::image(reference::pinned(&reference, &digest), platform)
            .resolve_mode(mode)
            .name(format!("[{setting}] {reference}"))
            .output()?;
        Ok(Base { output, config: Config::parse(&config)?, config_bytes: config })
    }

    fn config(&self, plan: &Plan, base: &Base, layers: &[String], platform: &Platform) -> Vec<u8> {
        let created = Timestamp { seconds: self.inputs.created, nanos: 0 }.to_string();
        let image = &plan.image;
        let config = if base_counts(plan.target) {
            let runtime = Runtime {
                workdir: image.workdir.clone(),
                venv: Some(image.venv.clone()),
                env: image.env.clone(),
                entrypoint: image.entrypoint.clone(),
                cmd: image.cmd.clone(),
                expose: image.expose.clone(),
                labels: image.labels.clone(),
                user: image.user.clone(),
            };
            base.config.with(&runtime, layers, &created)
        } else {
            let runtime = Runtime { workdir: "/".to_owned(), labels: image.labels.clone(), ..Runtime::default() };
            Config::scratch(&platform.architecture, &platform.variant).with(&runtime, layers, &created)
        };
        config.to_json()
    }

    fn venv(&self) -> String {
        plan::venv(&self.inputs.settings)
    }

    async fn warn(&self, plan: &Plan, vertex: &str) -> Result<(), Error> {
        for warning in &plan.warnings {
            self.warn_of(vertex, warning).await?;
        }
        Ok(())
    }

    async fn warn_of(&self, vertex: &str, warning: &str) -> Result<(), Error> {
        let short = warning.as_bytes().to_vec();
        let request = proto::WarnRequest { digest: vertex.to_owned(), level: 1, short, ..Default::default() };
        Ok(self.gateway.warn(request).await?)
    }
}

struct Solved {
    reference: Ref,
    layers: Vec<String>,
}

/// Whether an image for this target is built on the base image.
fn base_counts(target: Target) -> bool {
    matches!(target, Target::Runtime | Target::Dev)
}

/// What the build steps have in common.
fn workshop(request: &Request, platform: &Platform) -> Result<Workshop, Error> {
    let arguments = &request.build_args;
    let argument = |name: &str| {
        arguments.get(name).or_else(|| arguments.get(&name.to_ascii_uppercase())).cloned().unwrap_or_default()
    };
    let proxy = ProxyEnv {
        http_proxy: argument("http_proxy"),
        https_proxy: argument("https_proxy"),
        ftp_proxy: argument("ftp_proxy"),
        no_proxy: argument("no_proxy"),
        all_proxy: argument("all_proxy"),
    };
    Ok(Workshop {
        tools: own_image(&request.source, platform)?,
        platform: platform.clone(),
        network: request.network,
        hosts: request.extra_hosts.clone(),
        proxy: (proxy != ProxyEnv::default()).then_some(proxy),
        authority: None,
        cache_namespace: argument("BUILDKIT_CACHE_MOUNT_NS"),
        no_cache: request.no_cache,
    })
}

/// The file system of the frontend's own image.
fn own_image(source: &str, platform: &Platform) -> Result<Output, Error> {
    if let Ok(bytes) = std::fs::read(OWN_DEFINITION)
        && let Ok(definition) = pb::Definition::decode(&bytes[..])
    {
        return Ok(Output::from_definition(&definition)?);
    }
    if source.is_empty() {
        return Err(Error::NoToolImage);
    }
    Ok(Source::image(reference::normalized(source), platform).internal().output()?)
}

fn platforms_json(platforms: &[Platform]) -> Vec<u8> {
    let list: Vec<_> = platforms
        .iter()
        .map(|platform| {
            let mut described = json!({ "architecture": platform.architecture, "os": platform.os });
            if !platform.variant.is_empty() {
                described["variant"] = json!(platform.variant);
            }
            json!({ "ID": platform.to_string(), "Platform": described })
        })
        .collect();
    json!({ "Platforms": list }).to_string().into_bytes()
}
