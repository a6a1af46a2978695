//! Time and memory that planning takes, by the binary of the frontend image run by hand.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use end_to_end::docker::docker;
use serde::{Deserialize, Serialize};

use crate::{project::Project, report::Spread};

/// A measured plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Planning {
    pub packages: usize,
    /// Of each run.
    pub seconds: Vec<f64>,
    /// The most that was resident, in a run of its own.
    pub kilobytes: u64,
}

const RUNS: usize = 9;

/// Plans for locks of several sizes, made of the entries of the largest project's lock.
pub fn planning() -> Vec<Planning> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let binary = folder.path().join("poetry-buildkit");
    let container = docker(["create", "poetry-buildkit"]);
    docker(["cp", &format!("{}:/poetry-buildkit", container.trim()), &binary.to_string_lossy()]);
    docker(["rm", container.trim()]);
    let project = Project::named("large");
    let sizes = [100, 400, 1000];
    sizes.map(|packages| measured(&binary, &project, packages)).into()
}

fn measured(binary: &Path, project: &Project, packages: usize) -> Planning {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut locked = project.base.clone();
    locked.resize(packages);
    locked.write(folder.path());
    fs::write(folder.path().join("main.py"), "").expect("a file of the application");
    let mut measured = Planning { packages, seconds: Vec::new(), kilobytes: 0 };
    let start = || {
        let mut command = Command::new(binary);
        command.arg("plan").arg(folder.path()).stdout(Stdio::null());
        command.spawn().expect("the frontend can be run by hand")
    };
    for _ in 0..RUNS {
        let begin = Instant::now();
        let ended = start().wait().expect("the process can be waited for");
        measured.seconds.push(begin.elapsed().as_secs_f64());
        assert!(ended.success(), "planning {packages} packages failed");
    }
    // In a run of its own, since looking at a process slows it down.
    let mut process = start();
    let status = format!("/proc/{}/status", process.id());
    while process.try_wait().expect("the process can be waited for").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().split(' ').next()?.parse().ok());
        measured.kilobytes = measured.kilobytes.max(peak.unwrap_or(0));
        thread::sleep(Duration::from_micros(500));
    }
    measured
}

impl Planning {
    pub fn median(&self) -> f64 {
        Spread::of(self.seconds.iter().copied()).map_or(0.0, |spread| spread.median)
    }
}
