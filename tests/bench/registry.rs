//! A registry on loopback, which `./dev bench` starts.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use end_to_end::docker::docker;
use serde_json::Value;

/// The registry.
#[derive(Debug)]
pub struct Registry {
    /// Its host and port.
    pub address: String,
    log: PathBuf,
    read: usize,
}

impl Registry {
    /// What `BENCH_REGISTRY` (an address) and `BENCH_REGISTRY_LOG` (its access log) name.
    pub fn from_environment() -> Option<Self> {
        let address = env::var("BENCH_REGISTRY").ok()?;
        Some(Self { address, log: env::var_os("BENCH_REGISTRY_LOG")?.into(), read: 0 })
    }

    /// Sizes of the blobs of an image, compressed, by digest.
    pub fn blobs(&self, image: &str) -> BTreeMap<String, u64> {
        let manifest = docker(["buildx", "imagetools", "inspect", "--raw", image]);
        let manifest: Value = serde_json::from_str(&manifest).expect("a manifest");
        let blobs = manifest["layers"].as_array().into_iter().flatten().chain([&manifest["config"]]);
        blobs.map(|blob| (blob["digest"].to_string(), blob["size"].as_u64().unwrap_or(0))).collect()
    }

    /// Bytes of blobs that were pulled since the last call, by its access log.
    pub fn pulled(&mut self) -> u64 {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let new = log.get(self.read..).unwrap_or_default();
        self.read = log.len();
        let pulls = new.lines().filter(|line| line.contains("\"GET ") && line.contains("/blobs/"));
        let written = pulls.filter_map(|line| line.split("\" ").nth(1)?.split(' ').nth(1)?.parse::<u64>().ok());
        written.sum()
    }
}
