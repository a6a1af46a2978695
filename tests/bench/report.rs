//! Raw results, and the tables made of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
    process::Command,
};

use end_to_end::docker::docker;
use serde::{Deserialize, Serialize};

use crate::{
    contender::{self, Contender, Tools},
    measure::Sample,
    planning::Planning,
    plot,
    scenario::{LOCAL, Scenario},
};

const RESULTS: &str = "results.json";
const TABLES: &str = "results.md";

/// What a run found.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    pub machine: Machine,
    pub latency_ms: u64,
    pub rate_mb_s: Option<f64>,
    /// The number of packages of each project.
    pub packages: BTreeMap<String, usize>,
    #[serde(default)]
    pub planning: Vec<Planning>,
    pub samples: Vec<Sample>,
}

/// Where, and with what.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    pub memory_gb: u64,
    pub kernel: String,
    /// What builds: Docker Engine, or the BuildKit of another builder.
    pub engine: String,
    pub buildx: String,
    pub poetry: String,
    pub uv: String,
}

impl Machine {
    pub fn here(tools: &Tools, builder: Option<&str>) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        let buildx = Command::new("docker").args(["buildx", "version"]).output();
        let buildx = buildx.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gb: memory / 1_000_000,
            kernel: read("/proc/sys/kernel/osrelease").split('-').next().unwrap_or_default().trim().to_owned(),
            engine: match builder {
                Some(builder) => {
                    let inspected = docker(["buildx", "inspect", builder]);
                    format!("BuildKit {} ({})", field(&inspected, "BuildKit version"), field(&inspected, "Driver"))
                }
                None => format!("Docker Engine {}", docker(["version", "--format", "{{.Server.Version}}"]).trim()),
            },
            buildx: buildx.split_whitespace().nth(1).unwrap_or_default().to_owned(),
            poetry: tools.poetry.clone(),
            uv: tools.uv.clone(),
        }
    }
}

/// Writes raw results.
pub fn keep(results: &Results, folder: &Path) {
    fs::create_dir_all(folder).expect("the folder of results");
    let text = serde_json::to_string(results).expect("JSON").replace("{\"project\"", "\n{\"project\"");
    fs::write(folder.join(RESULTS), text + "\n").expect("the results can be written");
}

/// Reads the raw results in a folder.
pub fn read(folder: &Path) -> Results {
    let path = folder.join(RESULTS);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Makes tables and plots of the raw results in a folder.
pub fn write(folder: &Path) {
    let results = read(folder);
    let tables = results.tables();
    fs::write(folder.join(TABLES), &tables).expect("the tables can be written");
    for project in results.packages.keys() {
        let plot = plot::plot(project, &results);
        fs::write(folder.join(format!("{project}.svg")), plot).expect("a plot can be written");
    }
    end_to_end::say(&tables);
}

/// The seconds of a build, or of a part of it.
type Part = fn(&Sample) -> Option<f64>;

fn whole(sample: &Sample) -> Option<f64> {
    Some(sample.seconds)
}

fn before_export(sample: &Sample) -> Option<f64> {
    sample.before_export
}

/// The middle, the smallest and the largest of several numbers.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        let middle = numbers.len() / 2;
        let median =
            if numbers.len() % 2 == 1 { numbers[middle] } else { (numbers[middle - 1] + numbers[middle]) / 2.0 };
        Some(Self { median, min, max })
    }
}

impl Results {
    /// What is left without these scenarios of these projects.
    pub fn without(mut self, projects: &[String], scenarios: &[Scenario]) -> Self {
        self.samples.retain(|sample| !(projects.contains(&sample.project) && scenarios.contains(&sample.scenario)));
        self
    }

    fn samples(&self, project: &str, contender: Contender, scenario: Scenario) -> impl Iterator<Item = &Sample> {
        let project = project.to_owned();
        self.samples.iter().filter(move |sample| {
            sample.project == project && sample.contender == contender && sample.scenario == scenario
        })
    }

    pub fn seconds(&self, project: &str, contender: Contender, scenario: Scenario) -> Option<Spread> {
        self.spread(project, contender, scenario, whole)
    }

    fn spread(&self, project: &str, contender: Contender, scenario: Scenario, part: Part) -> Option<Spread> {
        Spread::of(self.samples(project, contender, scenario).filter_map(part))
    }

    /// What `value` makes of ours and of another's sample of the same round.
    fn paired(
        &self,
        project: &str,
        [ours, other]: [(Contender, Scenario); 2],
        value: impl Fn(&Sample, &Sample) -> Option<f64>,
    ) -> Option<Spread> {
        let ours = self.samples(project, ours.0, ours.1);
        Spread::of(ours.filter_map(|ours| {
            let other = self.samples(project, other.0, other.1).find(|other| other.round == ours.round)?;
            value(ours, other)
        }))
    }

    fn ratio(&self, project: &str, scenario: Scenario, other: Contender, part: Part) -> Option<Spread> {
        self.paired(project, [(Contender::Ours, scenario), (other, scenario)], |ours, other| {
            Some(part(ours)? / part(other)?)
        })
    }

    fn tables(&self) -> String {
        let mut text = String::from("<!-- Made by ./dev bench from results.json. -->\n\n");
        let Machine { processor, processors, memory_gb, kernel, engine, buildx, poetry, uv } = &self.machine;
        let rounds = self.samples.iter().map(|sample| sample.round).max().unwrap_or(0);
        let _ = writeln!(
            text,
            "{processors} × {processor}, {memory_gb} GB, Linux {kernel}, {engine}, buildx {buildx}; Poetry {poetry}, uv {uv}. \
             Up to {rounds} rounds, in which the contenders take turns; seconds are medians (smallest–largest), ratios medians of the \
             ratios of each round. The index has {} ms of latency and {}.\n",
            self.latency_ms,
            self.rate_mb_s.map_or("no limit of bandwidth".to_owned(), |rate| format!("{rate} MB/s")),
        );
        if self.samples.iter().any(|sample| sample.layers.is_some()) {
            self.shapes(&mut text);
            return text;
        }
        self.goals(&mut text);
        let mut projects: Vec<_> = self.packages.iter().collect();
        projects.sort_by_key(|(_, packages)| **packages);
        for (project, packages) in projects {
            let _ = writeln!(text, "## {project}: {packages} packages\n\n![{project}]({project}.svg)\n");
            self.times(&mut text, project, &self.scenarios(project), ("seconds", whole));
            self.steps(&mut text, project);
            self.frontend(&mut text, project);
            self.counts(&mut text, project);
        }
        text
    }

    fn contenders(&self, project: &str) -> Vec<Contender> {
        let has = |contender: &Contender| {
            self.samples.iter().any(|sample| sample.project == project && sample.contender == *contender)
        };
        contender::ALL.into_iter().filter(has).collect()
    }

    fn scenarios(&self, project: &str) -> Vec<Scenario> {
        let has = |scenario: &Scenario| {
            self.samples.iter().any(|sample| sample.project == project && sample.scenario == *scenario)
        };
        Scenario::ALL.into_iter().filter(has).collect()
    }

    /// The part that is not the engine's alone.
    fn steps(&self, text: &mut String, project: &str) {
        let has = |scenario: &Scenario| {
            let mut samples = self.samples.iter();
            let is_one = |sample: &Sample| sample.project == project && sample.scenario == *scenario;
            samples.any(|sample| is_one(sample) && sample.before_export.is_some())
        };
        let scenarios: Vec<Scenario> = LOCAL.into_iter().filter(has).collect();
        if !scenarios.is_empty() {
            text.push_str(
                "Of these, until the export begins. What is left is the engine's own work and grows with the bytes: it compresses the new layers \
                 and unpacks them into its store.\n\n",
            );
            self.times(text, project, &scenarios, ("seconds before the export", before_export));
        }
    }

    fn times(&self, text: &mut String, project: &str, scenarios: &[Scenario], (title, part): (&str, Part)) {
        let contenders = self.contenders(project);
        let others: Vec<Contender> =
            contenders.iter().copied().filter(|contender| *contender != Contender::Ours).collect();
        let names: String = contenders.iter().map(|contender| format!(" {} |", contender.name())).collect();
        let ratios: String = others.iter().map(|contender| format!(" ours : {} |", contender.name())).collect();
        let _ = writeln!(text, "| {title} |{names}{ratios}\n|---|{}", "---|".repeat(contenders.len() + others.len()));
        for scenario in scenarios.iter().copied() {
            let _ = write!(text, "| {} |", scenario.title());
            for contender in &contenders {
                let cell = self
                    .spread(project, *contender, scenario, part)
                    .map(|spread| format!("{:.2} ({:.2}–{:.2})", spread.median, spread.min, spread.max));
                let _ = write!(text, " {} |", cell.unwrap_or_default());
            }
            for other in &others {
                let cell = self.ratio(project, scenario, *other, part).map(|spread| format!("{:.2}", spread.median));
                let _ = write!(text, " {} |", cell.unwrap_or_default());
            }
            text.push('\n');
        }
        text.push('\n');
    }

    /// What of it is the frontend's own time, where nothing else happens.
    fn frontend(&self, text: &mut String, project: &str) {
        for contender in [Contender::DropIn, Contender::Ours] {
            let samples = self.samples(project, contender, Scenario::Unchanged);
            if let Some(Spread { median, min, max }) = Spread::of(samples.filter_map(|sample| sample.frontend)) {
                let name = contender.name();
                let _ = writeln!(
                    text,
                    "`{name}`, nothing changed: {median:.2} s ({min:.2}–{max:.2}) from the start of the frontend's container to the begin of \
                     the export.\n"
                );
            }
        }
    }

    fn counts(&self, text: &mut String, project: &str) {
        let contenders = self.contenders(project);
        let names: String = contenders.iter().map(|contender| format!(" {} |", contender.name())).collect();
        let _ = writeln!(
            text,
            "Steps that ran a process; requests to the index and MB that it sent; MB pushed; MB pulled from the registry; size over scratch in MB and layers:\n\n\
             | |{names}\n|---|{}",
            "---|".repeat(contenders.len())
        );
        for scenario in self.scenarios(project) {
            let _ = write!(text, "| {} |", scenario.title());
            for contender in &contenders {
                let cell = self.samples(project, *contender, scenario).next().map(|sample| {
                    let mut cell = format!("{} steps", sample.execs);
                    if sample.requests > 0 {
                        let _ = write!(cell, ", {} requests, {}", sample.requests, megabytes(sample.fetched));
                    }
                    if let Some(pushed) = sample.pushed {
                        let _ = write!(cell, "; pushed {}", megabytes(pushed));
                    }
                    if let Some(pulled) = sample.pulled.filter(|_| sample.pushed.is_some()) {
                        let _ = write!(cell, ", pulled {}", megabytes(pulled));
                    }
                    if let Some((size, layers)) = sample.image {
                        let _ = write!(cell, "; image {} in {layers}", megabytes(size));
                    }
                    cell
                });
                let _ = write!(text, " {} |", cell.unwrap_or_default());
            }
            text.push('\n');
        }
        text.push('\n');
    }

    /// What was to be reached, and what was.
    fn goals(&self, text: &mut String) {
        text.push_str("| goal | limit | measured | reached |\n|---|---|---|---|\n");
        let mut row = |goal: String, limit: f64, unit: &str, measured: Option<f64>| {
            if let Some(measured) = measured {
                let reached = if measured <= limit { "yes" } else { "**no**" };
                let _ = writeln!(text, "| {goal} | {limit}{unit} | {measured:.2}{unit} | {reached} |");
            }
        };
        let median = |spread: Option<Spread>| spread.map(|spread| spread.median);
        for (project, poetry) in [("web", 0.2), ("science", 0.3)] {
            for (what, part) in [("", whole as Part), (", before the export", before_export)] {
                let of = |other| median(self.ratio(project, Scenario::Cold, other, part));
                row(format!("{project}, cold{what}: ours : poetry"), poetry, "", of(Contender::Poetry));
                row(format!("{project}, cold{what}: ours : uv"), 0.8, "", of(Contender::Uv));
            }
        }
        for project in self.packages.keys() {
            for scenario in [Scenario::Unchanged, Scenario::Code] {
                let more =
                    self.paired(project, [(Contender::Ours, scenario), (Contender::Uv, scenario)], |ours, other| {
                        Some(ours.seconds - other.seconds)
                    });
                row(
                    format!("{project}, {}: more than the built-in frontend", scenario.title()),
                    0.25,
                    " s",
                    median(more),
                );
            }
            let more = self.paired(
                project,
                [(Contender::Ours, Scenario::Metadata), (Contender::Ours, Scenario::Unchanged)],
                |ours, other| Some(ours.seconds - other.seconds),
            );
            row(
                format!("{project}, {}: more than nothing changed", Scenario::Metadata.title()),
                0.25,
                " s",
                median(more),
            );
            for (scenario, limit) in [(Scenario::PushSmall, 0.3), (Scenario::FreshUnchanged, 0.25)] {
                let ratio = median(self.ratio(project, scenario, Contender::Uv, whole));
                row(format!("{project}, {}: ours : uv", scenario.title()), limit, "", ratio);
            }
            let part = self.paired(
                project,
                [(Contender::Ours, Scenario::PushSmall), (Contender::Ours, Scenario::PushCold)],
                |small, cold| Some(small.pushed? as f64 / cold.pushed? as f64 * 100.0),
            );
            row(format!("{project}, one small bump: pushed, of what the image has"), 5.0, " %", median(part));
            let platforms = self.paired(
                project,
                [(Contender::Ours, Scenario::TwoPlatforms), (Contender::Ours, Scenario::OnePlatform)],
                |two, one| Some(two.seconds / one.seconds / 2.0),
            );
            row(format!("{project}, two platforms: time for each, of one alone"), 1.3, "", median(platforms));
            let size = self.paired(
                project,
                [(Contender::Ours, Scenario::PushCold), (Contender::Poetry, Scenario::PushCold)],
                |ours, other| Some(ours.image?.0 as f64 / other.image?.0 as f64),
            );
            row(format!("{project}, image: ours : poetry"), 1.0, "", median(size));
            let layers = self.samples(project, Contender::Ours, Scenario::PushCold).find_map(|sample| sample.image);
            row(format!("{project}, layers of the image"), 64.0, "", layers.map(|(_, layers)| layers as f64));
        }
        for planning in &self.planning {
            let packages = planning.packages;
            row(format!("planning, {packages} packages: time"), 100.0, " ms", Some(planning.median() * 1000.0));
            row(
                format!("planning, {packages} packages: memory"),
                100.0,
                " MB",
                Some(planning.kilobytes as f64 / 1000.0),
            );
        }
        text.push('\n');
    }
}

impl Results {
    /// Ours with different numbers of layers.
    fn shapes(&self, text: &mut String) {
        let layers: BTreeSet<u64> = self.samples.iter().filter_map(|sample| sample.layers).collect();
        for project in self.packages.keys() {
            let scenarios: Vec<Scenario> = self.scenarios(project);
            let titles: String = scenarios.iter().map(|scenario| format!(" {} |", scenario.title())).collect();
            let _ = writeln!(text, "## {project}\n\n| `layers` |{titles}\n|---|{}", "---|".repeat(scenarios.len()));
            for layers in &layers {
                let _ = write!(text, "| {layers} |");
                for scenario in &scenarios {
                    let samples = self.samples(project, Contender::Ours, *scenario);
                    let samples: Vec<&Sample> = samples.filter(|sample| sample.layers == Some(*layers)).collect();
                    let seconds = Spread::of(samples.iter().map(|sample| sample.seconds));
                    let _ = match (samples.first(), seconds) {
                        (Some(sample), Some(seconds)) => {
                            let pushed = sample.pushed.map(|pushed| format!(", pushed {}", megabytes(pushed)));
                            let pushed = pushed.unwrap_or_default();
                            write!(text, " {:.2} s, {} steps{pushed} |", seconds.median, sample.execs)
                        }
                        _ => write!(text, " |"),
                    };
                }
                text.push('\n');
            }
            text.push('\n');
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
