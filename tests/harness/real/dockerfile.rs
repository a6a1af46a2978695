//! Real Poetry's side of a Dockerfile: the image that BuildKit's own frontend makes of it, and what its container does.

use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use oracle::{inputs::Inputs, judge::Oracle, now};
use serde::{Deserialize, Serialize};

use super::{add_base, add_engine, installers, published::add_published};
use crate::{
    compare::differences,
    docker::{Build, docker},
    dockerfiles::{BASES, Case, Ready},
    index::Index,
    say,
    side::Side,
};

/// What real Poetry made of a Dockerfile, or ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Real {
    /// The image.
    pub side: Side,
    /// What its container does.
    pub behaviour: Behaviour,
}

/// What a container does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// How it ends.
    pub status: Option<i32>,
    /// What it prints.
    pub output: String,
    /// What it tells on standard error, to be shown.
    pub errors: String,
}

impl Real {
    /// Reads an image of the engine's store, runs it, and removes it: so many images would fill a disk.
    pub fn of_image(tag: &str, arguments: &[String]) -> Self {
        let real = Self { side: Side::read(tag), behaviour: Behaviour::of(tag, arguments) };
        docker(["image", "rm", "--force", tag]);
        real
    }

    /// All that ours differs in, one a line.
    pub fn differences(&self, case: &Case, ours: &Self) -> Vec<String> {
        let mut found = differences(case, &self.side, &ours.side);
        let (one, other) = (&self.behaviour, &ours.behaviour);
        if (one.status, &one.output) != (other.status, &other.output) {
            found.push(format!("containers do {one:?} and {other:?}"));
        }
        found
    }
}

impl Behaviour {
    fn of(tag: &str, arguments: &[String]) -> Self {
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--network=none", tag]).args(arguments);
        let output = command.output().unwrap_or_else(|error| panic!("docker: {error}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status.code(), output: text(&output.stdout), errors: text(&output.stderr) }
    }
}

/// Keeps builds of these Dockerfiles apart: Docker 26 falls over if builds of equal steps meet (moby/buildkit#5606), and
/// these share many.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which steps need not run because BuildKit has their results.
pub(super) enum Scope {
    /// None.
    Anew,
    /// Those of this scope.
    Of(String),
}

/// The scope of this day, and of what the default index has: steps in it would find the same versions again.
pub(super) fn scope(dockerfile: &str) -> String {
    let mut inputs = Inputs::default();
    add_published(&mut inputs, dockerfile);
    format!("day-{}.{}.invalid", now() / 86_400, inputs.key())
}

/// A build that takes only steps of a scope from BuildKit's cache.
pub fn within(build: Build, scope: &str) -> Build {
    // A host name that nobody looks up. It is a part of every step, and of no image.
    build.arg("--add-host").arg(format!("{scope}:127.0.0.1"))
}

/// Builds with BuildKit's own frontend.
pub(super) fn build(build: &Build, tag: &str, scope: Scope) -> Result<(), String> {
    let build = match scope {
        Scope::Anew => build.clone().arg("--no-cache"),
        Scope::Of(scope) => within(build.clone(), &scope),
    };
    let build = build.tag(tag);
    let mut built = build.run();
    if !built.success {
        // It fetches Poetry and what Poetry needs over the network.
        say(&format!("{tag}: real Poetry failed, which is tried again:\n{}", last_lines(&built.stderr)));
        built = build.run();
    }
    if built.success { Ok(()) } else { Err(format!("real Poetry cannot build it:\n{}", last_lines(&built.stderr))) }
}

/// The end of a text.
pub fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.into_iter().rev().map(|line| line.chars().take(400).collect::<String>() + "\n").collect()
}

/// Builds a case with real Poetry.
#[derive(Debug)]
pub struct Dockerfile<'a> {
    case: &'a Case,
    index: &'a Index,
    ready: Ready,
    /// The packages of the index that the build may ask for, because they are inputs.
    packages: BTreeSet<String>,
    asked: usize,
}

impl<'a> Dockerfile<'a> {
    /// A case that installs from an index.
    pub fn new(case: &'a Case, index: &'a Index) -> Self {
        let ready = case.ready(index);
        let packages = case.packages(&ready.context());
        Self { case, index, ready, packages, asked: 0 }
    }

    /// Everything that goes into the image and into what its container does.
    ///
    /// # Errors
    /// The build context cannot be read.
    pub fn inputs(&self) -> Result<Inputs, String> {
        let mut inputs = Inputs::default();
        add_engine(&mut inputs);
        BASES.iter().for_each(|base| add_base(&mut inputs, base));
        let text = fs::read_to_string(&self.ready.dockerfile).map_err(|error| error.to_string())?;
        add_published(&mut inputs, &text);
        inputs.add("Dockerfile", text);
        inputs.add_folder("context", &self.ready.context()).map_err(|error| error.to_string())?;
        inputs.add("target", self.case.target.as_deref().unwrap_or_default());
        inputs.add("args", format!("{:?}", self.case.args));
        inputs.add("arguments of the container", format!("{:?}", self.case.run));
        for package in &self.packages {
            inputs.add(format!("{package} in the index"), format!("{:?}", self.index.files(package)));
        }
        Ok(inputs)
    }

    /// Which steps may be taken for its first build.
    ///
    /// # Errors
    /// The Dockerfile cannot be read.
    pub fn scope(&self) -> Result<String, String> {
        let text = fs::read_to_string(&self.ready.dockerfile).map_err(|error| error.to_string())?;
        Ok(scope(&text))
    }

    fn build(&mut self, scope: Scope) -> Result<Real, String> {
        let tag = format!("test-dockerfile-{}", self.case.name);
        let start = Instant::now();
        {
            let _alone = alone();
            self.index.requests();
            build(&self.ready.plain, &tag, scope)?;
            self.check_requests()?;
        }
        let real = Real::of_image(&tag, &self.case.run);
        if real.behaviour.status != Some(0) {
            return Err(format!("the container of real Poetry fails: {:?}", real.behaviour));
        }
        say(&format!("{}: real Poetry in {:.1} s", self.case.name, start.elapsed().as_secs_f32()));
        Ok(real)
    }

    /// Whether the build asked the index for nothing but what is an input of the record.
    fn check_requests(&self) -> Result<(), String> {
        let requests = self.index.requests();
        let pages = requests.iter().filter_map(|path| path.strip_prefix("/simple/"));
        let unknown: BTreeSet<&str> =
            pages.map(|page| page.trim_matches('/')).filter(|name| !self.packages.contains(*name)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(format!(
            "real Poetry asks the index for {unknown:?}, which is in no lock of the context: Case::packages has to name it"
        ))
    }
}

impl Oracle for Dockerfile<'_> {
    type Answer = Real;

    fn ask(&mut self) -> Result<Real, String> {
        self.asked += 1;
        if self.asked > 1 {
            installers::refresh();
        }
        self.build(Scope::Anew)
    }

    fn first(&mut self) -> Result<Real, String> {
        let scope = self.scope()?;
        self.build(Scope::Of(scope))
    }

    fn between(&self, one: &Real, other: &Real) -> Vec<String> {
        one.differences(self.case, other)
    }
}
