//! Measures poetry-buildkit against what people use today, and writes the tables and plots of the documentation.
//!
//! `./dev bench` calls it; all contenders take turns in one run, on one engine, with one local index.

mod check;
mod contender;
mod examples;
mod measure;
mod planning;
mod plot;
mod project;
mod registry;
mod report;
mod scenario;
mod setup;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Parser;
use end_to_end::index::Link;

use contender::Contender;
use project::Project;
use scenario::{CI, Scenario};

/// Measures poetry-buildkit against Poetry, pip and uv in Dockerfiles.
#[derive(Debug, Parser)]
struct Arguments {
    /// Three rounds of the two smaller projects with the scenarios that people meet every day: less than ten minutes.
    #[arg(long)]
    quick: bool,
    /// Rounds that are counted.
    #[arg(long)]
    rounds: Option<usize>,
    /// Names of projects, separated by commas: small, web, science, large.
    #[arg(long, value_delimiter = ',', value_parser = ["small", "web", "science", "large"])]
    projects: Vec<String>,
    /// Names of contenders: poetry, pip, uv, drop-in, ours.
    #[arg(long, value_delimiter = ',', value_parser = contender)]
    contenders: Vec<Contender>,
    /// Numbers of layers that ours spreads dependencies over, to compare these instead of contenders.
    #[arg(long, value_delimiter = ',')]
    layers: Vec<u64>,
    /// Names of scenarios, as the raw results have them.
    #[arg(long, value_delimiter = ',', value_parser = scenario)]
    scenarios: Vec<Scenario>,
    /// A builder of buildx that pushes what it builds, in place of the engine's own; it has to ask the benchmark's registry for the
    /// images of docker.io, as docs/benchmarks tells.
    #[arg(long)]
    builder: Option<String>,
    /// Milliseconds that every answer of the index takes to begin.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Megabytes that the index sends in a second, if that is limited.
    #[arg(long)]
    rate: Option<f64>,
    /// Where the results are written to.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
    /// Keeps what is there of other projects and scenarios.
    #[arg(long)]
    keep: bool,
    /// Measures nothing, and counts what has to be exact: steps, requests and layers of the smallest project.
    #[arg(long)]
    check: bool,
    /// Writes tables and plots of the results that are there, and measures nothing.
    #[arg(long)]
    report_only: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if arguments.check {
        let project = Project::named("small");
        let scenarios = Scenario::ALL.to_vec();
        let mut bench = setup::bench(Link::default(), std::slice::from_ref(&project), &[], scenarios, None);
        return check::check(&mut bench, &project);
    }
    if !arguments.report_only {
        measure(&arguments);
    }
    report::write(&arguments.out);
}

/// Keeps the results of each round when it is over.
fn measure(arguments: &Arguments) {
    let names = chosen(
        &arguments.projects,
        if arguments.quick { &["small", "web"] } else { &["small", "web", "science", "large"] },
    );
    let projects: Vec<Project> = names.iter().map(|name| Project::named(name)).collect();
    let contenders: Vec<Contender> = contender::ALL
        .into_iter()
        .filter(|contender| match arguments.contenders.is_empty() {
            true => !arguments.quick || matches!(contender, Contender::Poetry | Contender::Uv | Contender::Ours),
            false => arguments.contenders.contains(contender),
        })
        .collect();
    let quick = [Scenario::Cold, Scenario::Unchanged, Scenario::Code, Scenario::Metadata, Scenario::Small];
    let scenarios: Vec<Scenario> = Scenario::ALL
        .into_iter()
        .filter(|scenario| match arguments.scenarios.is_empty() {
            true if arguments.builder.is_some() => CI.contains(scenario),
            true => !arguments.quick || quick.contains(scenario),
            false => arguments.scenarios.contains(scenario),
        })
        .collect();
    let rounds = arguments.rounds.unwrap_or(if arguments.quick { 3 } else { 5 });

    let link = Link {
        latency: Duration::from_millis(arguments.latency),
        rate: arguments.rate.map(|rate| (rate * 1e6) as u64),
    };
    let mut bench = setup::bench(link, &projects, &contenders, scenarios, arguments.builder.clone());
    let ways: Vec<(Contender, Option<u64>)> = match arguments.layers.is_empty() {
        true => contenders.iter().map(|contender| (*contender, None)).collect(),
        false => arguments.layers.iter().map(|layers| (Contender::Ours, Some(*layers))).collect(),
    };
    let is_whole = !arguments.quick && arguments.layers.is_empty();
    let kept = arguments.keep.then(|| report::read(&arguments.out));
    let kept = kept.map(|kept| kept.without(&names, &bench.scenarios));
    let planning = if is_whole { planning::planning() } else { Vec::new() };
    for round in 1..=rounds {
        for project in &projects {
            // So that nobody is always the first, or the one after the slowest.
            for turn in 0..ways.len() {
                let (contender, layers) = ways[(turn + round) % ways.len()];
                bench.layers = layers;
                bench.round(project, contender, round);
            }
        }
        if let (Some(first), Some(second)) = (find(&projects, "web"), find(&projects, "science"))
            && arguments.layers.is_empty()
        {
            for contender in &contenders {
                bench.second_project(first, second, *contender, round);
            }
        }
        let mut packages: BTreeMap<String, usize> =
            projects.iter().map(|project| (project.name.clone(), project.packages())).collect();
        packages.extend(kept.iter().flat_map(|kept| kept.packages.clone()));
        let samples = kept.iter().flat_map(|kept| &kept.samples).chain(&bench.samples).cloned().collect();
        let results = report::Results {
            machine: report::Machine::here(&bench.tools, bench.builder.as_deref()),
            latency_ms: arguments.latency,
            rate_mb_s: arguments.rate,
            packages,
            planning: planning.clone(),
            samples,
        };
        report::keep(&results, &arguments.out);
    }
}

fn contender(name: &str) -> Result<Contender, String> {
    let names = contender::ALL.map(Contender::name).join(", ");
    let found = contender::ALL.into_iter().find(|contender| contender.name() == name);
    found.ok_or_else(|| format!("the contenders are {names}"))
}

fn scenario(name: &str) -> Result<Scenario, String> {
    let names = Scenario::ALL.map(Scenario::key).join(", ");
    let found = Scenario::ALL.into_iter().find(|scenario| scenario.key() == name);
    found.ok_or_else(|| format!("the scenarios are {names}"))
}

fn find<'a>(projects: &'a [Project], name: &str) -> Option<&'a Project> {
    projects.iter().find(|project| project.name == name)
}

fn chosen(given: &[String], default: &[&str]) -> Vec<String> {
    if given.is_empty() { default.iter().map(|name| (*name).to_owned()).collect() } else { given.to_vec() }
}
