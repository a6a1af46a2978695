//! Builds, and what they took.

use std::{collections::BTreeMap, time::Instant};

use end_to_end::{
    docker::{Build, docker, docker_with},
    index::Index,
    progress::Progress,
    say,
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::{
    contender::{Contender, Tools},
    project::{Project, State},
    registry::Registry,
    scenario::{CI, LOCAL, PLATFORMS, Scenario},
};

/// One build.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sample {
    pub project: String,
    pub contender: Contender,
    pub scenario: Scenario,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<u64>,
    pub round: usize,
    pub seconds: f64,
    /// Of these, those from the frontend image's presence to the begin of the export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<f64>,
    /// Of all of them, those before the export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_export: Option<f64>,
    /// Steps that ran a process.
    pub execs: usize,
    /// Requests that the index saw.
    pub requests: usize,
    /// Bytes that the index sent.
    pub fetched: u64,
    /// Bytes of the image's blobs that the registry did not have.
    pub pushed: Option<u64>,
    /// The number of its layers that the registry did not have.
    pub pushed_layers: Option<usize>,
    /// Bytes of blobs that were pulled from the registry.
    pub pulled: Option<u64>,
    /// The image's size over its base, compressed, and the number of its layers.
    pub image: Option<(u64, usize)>,
}

/// What all builds share.
pub struct Bench {
    pub index: Index,
    pub registry: Option<Registry>,
    pub tools: Tools,
    pub scenarios: Vec<Scenario>,
    /// The builder of buildx that builds, if it is not the engine's own.
    pub builder: Option<String>,
    /// How many layers ours spreads dependencies over, if not as many as by default.
    pub layers: Option<u64>,
    pub samples: Vec<Sample>,
}

/// Each scenario has a tag of its own: some engines lose a race with themselves when an image takes another's place.
fn image(scenario: Scenario) -> String {
    format!("bench-image:{}", scenario.key())
}

/// The folder of a project that is built.
pub struct Site<'a> {
    folder: TempDir,
    state: State,
    project: &'a Project,
    contender: Contender,
    round: usize,
}

impl<'a> Site<'a> {
    fn new(bench: &Bench, project: &'a Project, contender: Contender, round: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = project.start(&bench.index.url());
        state.write(folder.path());
        contender.prepare(folder.path(), &bench.tools);
        Self { folder, state, project, contender, round }
    }

    pub fn build(&self, bench: &Bench) -> Build {
        let build = self.contender.build(self.folder.path(), &bench.index.url());
        let build = match &bench.builder {
            Some(builder) => build.args(["--builder", builder, "--allow", "network.host"]),
            None => build,
        };
        match bench.layers {
            Some(layers) => build.build_arg("POETRY_BUILDKIT_LAYERS", &layers.to_string()),
            None => build,
        }
    }

    fn change(&mut self, scenario: Scenario) {
        if let Some(change) = scenario.change() {
            self.state.change(change);
            self.state.write(self.folder.path());
        }
    }
}

impl Bench {
    /// All that happens to a project with one contender, in one round.
    pub fn round(&mut self, project: &Project, contender: Contender, round: usize) {
        self.local(project, contender, round);
        if CI.iter().any(|scenario| self.wants(*scenario, contender)) {
            self.ci(project, contender, round);
        }
        for scenario in PLATFORMS {
            if self.wants(scenario, contender) {
                self.platforms(project, contender, round, scenario);
            }
        }
    }

    fn wants(&self, scenario: Scenario, contender: Contender) -> bool {
        scenario.is_for(contender) && self.scenarios.contains(&scenario)
    }

    fn local(&mut self, project: &Project, contender: Contender, round: usize) {
        let wanted: Vec<Scenario> = LOCAL.into_iter().filter(|scenario| self.wants(*scenario, contender)).collect();
        if wanted.is_empty() {
            return;
        }
        self.fresh_builder();
        let mut site = Site::new(self, project, contender, round);
        for scenario in wanted {
            site.change(scenario);
            let build = site.build(self).tag(&image(scenario));
            let build = if scenario == Scenario::NoCache { build.arg("--no-cache") } else { build };
            self.measure(&site, scenario, &build);
        }
    }

    /// In a registry, and from it.
    fn ci(&mut self, project: &Project, contender: Contender, round: usize) {
        let Some(address) = self.registry.as_ref().map(|registry| registry.address.clone()) else { return };
        let repository =
            format!("{address}/{}-{}-{}-{round}", project.name, contender.name(), self.layers.unwrap_or_default());
        let cache = format!("type=registry,ref={repository}:cache");
        let image = |scenario: Scenario| format!("{repository}:{}", scenario.key());
        let push = |site: &Site<'_>, bench: &Self, scenario| site.build(bench).tag(&image(scenario)).arg("--push");

        self.fresh_builder();
        let mut site = Site::new(self, project, contender, round);
        let build = push(&site, self, Scenario::PushCold).arg("--cache-to").arg(format!("{cache},mode=max"));
        self.measure(&site, Scenario::PushCold, &build);
        let mut before = self.describe(&image(Scenario::PushCold), &BTreeMap::new());
        for scenario in [Scenario::PushSmall, Scenario::PushLarge] {
            if self.wants(scenario, contender) {
                site.change(scenario);
                self.measure(&site, scenario, &push(&site, self, scenario));
                before = self.describe(&image(scenario), &before);
            }
        }
        for scenario in [Scenario::FreshUnchanged, Scenario::FreshCode, Scenario::FreshSmall] {
            if self.wants(scenario, contender) {
                self.fresh_builder();
                let mut site = Site::new(self, project, contender, round);
                site.change(scenario);
                self.measure(&site, scenario, &push(&site, self, scenario).arg("--cache-from").arg(&cache));
                before = self.describe(&image(scenario), &before);
            }
        }
        self.fresh_builder();
    }

    fn platforms(&mut self, project: &Project, contender: Contender, round: usize, scenario: Scenario) {
        self.fresh_builder();
        let site = Site::new(self, project, contender, round);
        let platforms = if scenario == Scenario::OnePlatform { "linux/amd64" } else { "linux/amd64,linux/arm64" };
        self.measure(&site, scenario, &site.build(self).tag(&image(scenario)).args(["--platform", platforms]));
    }

    /// The first build of `second` on a builder that has built `first` already.
    pub fn second_project(&mut self, first: &Project, second: &Project, contender: Contender, round: usize) {
        if self.wants(Scenario::SecondProject, contender) {
            self.fresh_builder();
            let site = Site::new(self, first, contender, round);
            site.build(self).tag(&image(Scenario::Cold)).succeed();
            let site = Site::new(self, second, contender, round);
            self.measure(&site, Scenario::SecondProject, &site.build(self).tag(&image(Scenario::SecondProject)));
        }
    }

    fn measure(&mut self, site: &Site<'_>, scenario: Scenario, build: &Build) {
        self.index.requests();
        self.index.sent();
        let start = Instant::now();
        let progress = build.succeed();
        let seconds = start.elapsed().as_secs_f64();
        let sample = Sample {
            project: site.project.name.clone(),
            contender: site.contender,
            scenario,
            layers: self.layers,
            round: site.round,
            seconds,
            frontend: progress.frontend(),
            before_export: progress.before_export(),
            execs: steps(&progress),
            requests: self.index.requests().len(),
            fetched: self.index.sent(),
            pushed: None,
            pushed_layers: None,
            pulled: self.registry.as_mut().map(Registry::pulled),
            image: None,
        };
        say(&format!(
            "{:8} {:8} {:16} {:2} {:7.2} s, {} steps, {} requests",
            sample.project,
            sample.contender.name(),
            format!("{scenario:?}"),
            sample.round,
            seconds,
            sample.execs,
            sample.requests
        ));
        self.samples.push(sample);
    }

    /// Adds what the last build pushed, and returns the blobs that the registry has of the repository.
    fn describe(&mut self, image: &str, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let Some(registry) = &self.registry else { return BTreeMap::new() };
        let blobs = registry.blobs(image);
        if let Some(sample) = self.samples.last_mut() {
            let new = blobs.iter().filter(|(digest, _)| !before.contains_key(*digest));
            sample.pushed = Some(new.clone().map(|(_, size)| size).sum());
            // Besides the config, which is a blob as well.
            sample.pushed_layers = Some(new.count().saturating_sub(1));
            sample.image = Some((blobs.values().sum(), blobs.len() - 1));
        }
        before.iter().chain(&blobs).map(|(digest, size)| (digest.clone(), *size)).collect()
    }

    /// Makes the builder one that has built nothing. The engine's own keeps the base images.
    pub fn fresh_builder(&self) {
        if let Some(builder) = &self.builder {
            docker(["buildx", "prune", "--builder", builder, "--all", "--force"]);
            return;
        }
        let images = docker(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
        let registry = self.registry.as_ref().map(|registry| format!("{}/", registry.address));
        let is_ours = |image: &&str| {
            image.starts_with("bench-image:") || registry.as_ref().is_some_and(|registry| image.starts_with(registry))
        };
        let images: Vec<&str> = images.lines().filter(is_ours).collect();
        docker_with(&[&["image", "rm", "--force", "bench-image:none"], &images[..]].concat());
        docker(["builder", "prune", "--all", "--force"]);
    }
}

/// How many steps of ours and of Dockerfiles ran a process.
pub fn steps(progress: &Progress) -> usize {
    progress.execs().len() + progress.ran().iter().filter(|name| name.contains("] RUN ")).count()
}

/// A project as it is at first.
pub fn site_of<'a>(bench: &Bench, project: &'a Project, contender: Contender) -> Site<'a> {
    Site::new(bench, project, contender, 0)
}
