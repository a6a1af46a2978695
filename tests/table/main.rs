//! Measures the Dockerfiles of the tests with real Poetry and with poetry-buildkit, and prints the table of the documentation.
//!
//! `./dev table [ROUNDS [CASE…]]`. Both ways take turns in one run on one engine; what is printed are medians.

use std::{env, fs, time::Instant};

use end_to_end::{
    docker::{Build, docker},
    dockerfiles::{self, BASES, Case},
    image::Image,
    index::Index,
    say, wheels,
};

/// What was measured of one way to build.
#[derive(Default)]
struct Measured {
    /// Seconds of builds with nothing cached.
    cold: Vec<f64>,
    /// Seconds of builds after a change of the application's code.
    code: Vec<f64>,
    /// Bytes of the layers over the base.
    size: u64,
}

fn main() {
    let mut arguments = env::args().skip(1);
    let rounds: usize = arguments.next().map_or(1, |text| text.parse().expect("a number of rounds"));
    let wanted: Vec<String> = arguments.collect();
    let index = Index::start(wheels::folder());
    let cases = dockerfiles::groups().into_values().flatten().filter(|case| case.plain);
    let cases: Vec<Case> = cases.filter(|case| wanted.is_empty() || wanted.contains(&case.name)).collect();
    println!(
        "Docker Engine {}, {} CPUs; medians of {rounds}.\n",
        docker(["version", "--format", "{{.Server.Version}}"]).trim(),
        std::thread::available_parallelism().map_or(0, usize::from),
    );
    println!(
        "| Dockerfile | served | cold: Poetry | ours | ratio | code changed: Poetry | ours | ratio | MB over the base: Poetry | ours |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for case in &cases {
        let [plain, ours] = measure(case, &index, rounds);
        let ratio = |plain: &[f64], ours: &[f64]| median(plain) / median(ours);
        println!(
            "| {} | {} | {:.1} s | {:.1} s | {:.1} | {:.1} s | {:.1} s | {:.1} | {:.1} | {:.1} |",
            case.name,
            if case.served { "yes" } else { "no" },
            median(&plain.cold),
            median(&ours.cold),
            ratio(&plain.cold, &ours.cold),
            median(&plain.code),
            median(&ours.code),
            ratio(&plain.code, &ours.code),
            plain.size as f64 / 1e6,
            ours.size as f64 / 1e6,
        );
    }
}

/// With real Poetry and with ours, by turns.
fn measure(case: &Case, index: &Index, rounds: usize) -> [Measured; 2] {
    let ready = case.ready(index);
    let tags = ["table-plain", "table-ours"];
    let builds = [(&ready.plain, tags[0]), (&ready.ours, tags[1])].map(|(build, tag)| build.clone().tag(tag));
    let mut measured: [Measured; 2] = Default::default();
    for round in 0..rounds {
        for (build, measured) in builds.iter().zip(&mut measured) {
            measured.cold.push(timed(&build.clone().arg("--no-cache")));
        }
        change(&ready.context(), round);
        for (build, measured) in builds.iter().zip(&mut measured) {
            measured.code.push(timed(build));
        }
    }
    for (tag, measured) in tags.iter().zip(&mut measured) {
        let (image, _) = Image::over_one_of(tag, &BASES);
        let files = image.layers.iter().flat_map(|layer| layer.entries.values());
        measured.size = files.map(|entry| entry.content.len() as u64).sum();
    }
    say(&format!("{} measured", case.name));
    measured
}

/// Seconds of a build, with the image in the engine's store at its end.
fn timed(build: &Build) -> f64 {
    let start = Instant::now();
    build.succeed();
    start.elapsed().as_secs_f64()
}

/// Changes a file of the application that all projects have.
fn change(context: &std::path::Path, round: usize) {
    let mut waiting = vec![context.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.file_name().is_some_and(|name| name == "__init__.py" || name == "main.py") {
                let text = fs::read_to_string(&path).expect("a file of the application");
                fs::write(&path, format!("{text}\n# Changed in round {round}.\n")).expect("the same");
            }
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
