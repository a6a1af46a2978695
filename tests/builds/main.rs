//! Real builds on a real Docker Engine: what does the image do?

mod caching;
mod drop_in;
mod errors;
mod faults;
mod platforms;
mod secrets;
mod settings;
mod sources;
mod targets;

use std::{sync::OnceLock, time::SystemTime};

use end_to_end::{docker::Build, examples::Example, index::Index, wheels};

/// The index that most tests share. Tests that count its requests start one of their own. Its port is the same in every run, if
/// it is free: steps that name it stay cached as long as nothing about them changes.
fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| Index::start_at(wheels::folder(), 38218))
}

/// A build of an example, or of a copy of it, from an index.
fn build(example: &Example, folder: &std::path::Path, index: &Index) -> Build {
    example.build(folder).build_arg("POETRY_BUILDKIT_INDEX", &index.url())
}

/// Lets a build share nothing with other tests or earlier runs: neither steps nor cache mounts.
fn alone(build: Build, test: &str) -> Build {
    static RUN: OnceLock<u128> = OnceLock::new();
    let run = RUN.get_or_init(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_nanos());
    let own = format!("{test}-{run}");
    build.build_arg("POETRY_BUILDKIT_VENV", &format!("/srv/{own}")).build_arg("BUILDKIT_CACHE_MOUNT_NS", &own)
}
