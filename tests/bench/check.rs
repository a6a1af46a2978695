//! What is exact on any machine: steps, requests to the index, and layers, in each scenario. `./dev test` calls it, because it
//! needs a builder to itself, which it empties.

use std::collections::BTreeMap;

use end_to_end::{
    docker::{Build, docker},
    say,
};
use serde_json::Value;

use crate::{
    contender::Contender,
    examples,
    measure::{Bench, site_of, steps},
    project::Project,
    scenario::Scenario,
};

/// Builds a project in all scenarios and compares with what has to be.
pub fn check(bench: &mut Bench, project: &Project) {
    assert!(bench.registry.is_some(), "without a registry a half of the scenarios would be left out: run ./dev test");
    for contender in [Contender::Ours, Contender::DropIn] {
        bench.round(project, contender, 1);
    }
    let mut failures = Vec::new();
    for sample in &bench.samples {
        let Some(Expected { steps, requests, layers }) = expected(sample.scenario, project.packages()) else {
            continue;
        };
        // The COPY behind the install in a Dockerfile is made anew when what it stands on changes, as without us.
        let remade = usize::from(sample.contender == Contender::DropIn && requests != (0..=0));
        let is_right = steps.contains(&sample.execs)
            && requests.contains(&sample.requests)
            && sample.pushed_layers.is_none_or(|pushed| (*layers.start()..=layers.end() + remade).contains(&pushed));
        if !is_right {
            failures.push(format!("{}, {}: {sample:?}", sample.contender.name(), sample.scenario.title()));
        }
    }
    failures.extend(two_builders(bench, project));
    failures.extend(caches(bench, project));
    failures.extend(examples(bench, project));
    assert!(!bench.samples.is_empty() && failures.is_empty(), "\n{}", failures.join("\n"));
    say(&format!("{} builds had the steps, requests and layers that they should have", bench.samples.len()));
}

/// What may be counted.
struct Expected {
    steps: std::ops::RangeInclusive<usize>,
    requests: std::ops::RangeInclusive<usize>,
    /// Layers that the registry did not have.
    layers: std::ops::RangeInclusive<usize>,
}

fn expected(scenario: Scenario, packages: usize) -> Option<Expected> {
    let exactly = |steps, requests, layers| {
        Some(Expected { steps: steps..=steps, requests: requests..=requests, layers: layers..=layers })
    };
    match scenario {
        // A page and a file for each package; a step for the interpreter, and one for each package at most.
        Scenario::Cold | Scenario::OnePlatform | Scenario::PushCold => {
            Some(Expected { steps: 2..=packages + 1, requests: 2 * packages..=2 * packages, layers: 0..=64 })
        }
        Scenario::Unchanged | Scenario::Code | Scenario::Metadata | Scenario::FreshUnchanged => exactly(0, 0, 0),
        // The application is a layer of its own.
        Scenario::FreshCode => exactly(0, 0, 1),
        Scenario::Small | Scenario::Large | Scenario::Added | Scenario::PushSmall | Scenario::PushLarge => {
            exactly(1, 2, 1)
        }
        // Without cache mounts, the other packages of the step are fetched as well.
        Scenario::FreshSmall => Some(Expected { steps: 1..=1, requests: 2..=2 * packages - 2, layers: 0..=1 }),
        Scenario::Removed => Some(Expected { steps: 0..=1, requests: 0..=0, layers: 0..=1 }),
        _ => None,
    }
}

/// Two builders that are empty, at different times, have to come to the same layers, and with a fixed creation time to the same
/// image.
fn two_builders(bench: &Bench, project: &Project) -> Vec<String> {
    let site = site_of(bench, project, Contender::Ours);
    let tag = "bench-image:twice";
    let build = |build: &Build| {
        bench.fresh_builder();
        build.succeed();
        let inspected: Value = serde_json::from_str(&docker(["image", "inspect", tag])).expect("JSON");
        (inspected[0]["RootFS"]["Layers"].clone(), inspected[0]["Id"].clone())
    };
    let any_time = site.build(bench).tag(tag);
    let fixed = any_time.clone().build_arg("SOURCE_DATE_EPOCH", "1700000000");
    let [(first, _), (second, _)] = [build(&any_time), build(&any_time)];
    let [(_, one), (_, other)] = [build(&fixed), build(&fixed)];
    let compared =
        BTreeMap::from([("layers of two builders", (first, second)), ("images of two builders", (one, other))]);
    let differ = compared.into_iter().filter(|(_, (one, other))| one != other || one.is_null());
    differ.map(|(what, (one, other))| format!("{what} differ: {one} {other}")).collect()
}

/// Every kind of cache that needs no service of somebody's takes all that was built to a new builder. (That of a registry with
/// `mode=max` is one of the scenarios.)
fn caches(bench: &Bench, project: &Project) -> Vec<String> {
    let Some(registry) = &bench.registry else { return Vec::new() };
    let repository = format!("{}/caches", registry.address);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().display();
    let image = format!("{repository}:image");
    let kinds = [
        (format!("type=registry,ref={repository}:min,mode=min"), format!("type=registry,ref={repository}:min")),
        ("type=inline".to_owned(), format!("type=registry,ref={image}")),
        (format!("type=local,dest={folder},mode=max"), format!("type=local,src={folder}")),
    ];
    let site = site_of(bench, project, Contender::Ours);
    let build = || site.build(bench).tag(&image).arg("--push");
    let failures = kinds.into_iter().filter_map(|(to, from)| {
        let (first, second) = (build().arg("--cache-to").arg(&to), build().arg("--cache-from").arg(from));
        on_a_new_builder(bench, &first, &second).map(|failure| format!("with the cache {to} {failure}"))
    });
    failures.collect()
}

/// The examples of the documentation take everything to the builder of the next job.
fn examples(bench: &Bench, project: &Project) -> Vec<String> {
    let Some(registry) = &bench.registry else { return Vec::new() };
    let site = site_of(bench, project, Contender::Ours);
    let failures = examples::all(&registry.address).into_iter().filter_map(|(name, arguments)| {
        let build = arguments.into_iter().fold(site.build(bench), Build::arg);
        on_a_new_builder(bench, &build, &build).map(|failure| format!("with the example for {name} {failure}"))
    });
    failures.collect()
}

/// What a new builder should not have done in the second build, after another one did the first.
fn on_a_new_builder(bench: &Bench, first: &Build, second: &Build) -> Option<String> {
    bench.fresh_builder();
    first.succeed();
    bench.fresh_builder();
    bench.index.requests();
    let progress = second.succeed();
    let (steps, requests) = (steps(&progress), bench.index.requests().len());
    ((steps, requests) != (0, 0)).then(|| format!("a new builder ran {steps} steps and made {requests} requests"))
}
