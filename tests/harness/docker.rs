//! The Docker client, as a user calls it.

use std::{
    ffi::OsString,
    process::{Command, Output},
};

use crate::{progress::Progress, say};

/// A `docker buildx build` to be run.
#[derive(Debug, Clone)]
pub struct Build {
    context: OsString,
    arguments: Vec<OsString>,
    experimental: bool,
}

/// How a build ended.
#[derive(Debug)]
pub struct Built {
    /// Whether it succeeded.
    pub success: bool,
    /// What BuildKit reported.
    pub progress: Progress,
    /// What the client wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error, as it wrote it.
    pub stderr: String,
}

impl Build {
    /// A build of a folder or an address.
    pub fn new(context: impl Into<OsString>) -> Self {
        Self { context: context.into(), arguments: Vec::new(), experimental: false }
    }

    /// The same build of another folder.
    #[must_use]
    pub fn in_folder(self, context: impl Into<OsString>) -> Self {
        Self { context: context.into(), ..self }
    }

    /// One more argument of the command line.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments of the command line.
    #[must_use]
    pub fn args<const N: usize>(self, arguments: [&str; N]) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Whether the client offers what it calls experimental.
    #[must_use]
    pub fn experimental(self, experimental: bool) -> Self {
        Self { experimental, ..self }
    }

    /// `--build-arg NAME=VALUE`.
    #[must_use]
    pub fn build_arg(self, name: &str, value: &str) -> Self {
        self.arg("--build-arg").arg(format!("{name}={value}"))
    }

    /// The value of a build argument that was given.
    pub fn argument(&self, name: &str) -> Option<String> {
        let given = self.arguments.iter().rev().filter_map(|argument| argument.to_str());
        given
            .filter_map(|argument| argument.split_once('='))
            .find_map(|(key, value)| (key == name).then(|| value.to_owned()))
    }

    /// The same build without the arguments, and the options before them, that begin like this.
    #[must_use]
    pub fn without(mut self, start: &str) -> Self {
        while let Some(at) = self.arguments.iter().position(|argument| argument.to_string_lossy().starts_with(start)) {
            self.arguments.drain(at - 1..=at);
        }
        self
    }

    /// The name of the image.
    #[must_use]
    pub fn tag(self, tag: &str) -> Self {
        self.arg("--tag").arg(tag)
    }

    /// Runs the build and reads BuildKit's record of it.
    pub fn run(&self) -> Built {
        let built = self.attempt();
        // Docker 26 sometimes loses a race with itself when it unpacks an image while other builds end. What was built is
        // right then, and is exported once more.
        match built.progress.export_error() {
            Some(error) if !built.success => {
                say(&format!("the engine failed to export an image, which is tried again: {error}"));
                self.attempt()
            }
            _ => built,
        }
    }

    fn attempt(&self) -> Built {
        let output = self.output("rawjson");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Built { success: output.status.success(), progress: Progress::parse(&text), stdout, stderr: text }
    }

    /// Runs a build that has to succeed.
    pub fn succeed(&self) -> Progress {
        let built = self.run();
        if !built.success {
            // The record of the failure itself, and what a user sees, which a second attempt shows.
            let record: Vec<&str> = built.stderr.lines().rev().take(12).collect();
            let record = record.into_iter().rev().collect::<Vec<_>>().join("\n");
            panic!("the build failed:\n{record}\nand once more:\n{}", self.shown());
        }
        built.progress
    }

    /// Runs a build that has to fail, and returns what the user sees on the terminal.
    pub fn fail(&self) -> String {
        let output = self.output("plain");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "the build succeeded:\n{text}");
        text
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.output("plain").stderr).into_owned()
    }

    fn output(&self, progress: &str) -> Output {
        let mut command = Command::new("docker");
        command
            .envs(self.experimental.then_some(("BUILDX_EXPERIMENTAL", "1")))
            .args(["buildx", "build", "--progress", progress, "--provenance=false", "--network=host"])
            .args(&self.arguments)
            .arg(&self.context);
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }
}

/// Runs the client and returns its standard output; it has to succeed.
pub fn docker<const N: usize>(arguments: [&str; N]) -> String {
    docker_with(&arguments)
}

/// The same for arguments whose number is not fixed.
pub fn docker_with(arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("docker: {error}. Run the tests with ./dev test"));
    assert!(
        output.status.success(),
        "docker {} failed:\n{}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a new container of `image` without a network, and returns what it wrote; `arguments` come before the image's
/// name, `command` after it.
pub fn run<T: AsRef<str>>(arguments: &[&str], image: &str, command: &[T]) -> String {
    let command: Vec<&str> = command.iter().map(AsRef::as_ref).collect();
    let output = Command::new("docker")
        .args(["run", "--rm", "--network=none"])
        .args(arguments)
        .arg(image)
        .args(&command)
        .output()
        .unwrap_or_else(|error| panic!("docker: {error}"));
    assert!(
        output.status.success(),
        "docker run {image} {} failed:\n{}{}",
        command.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
