//! Decisions as vertices. Nothing here asks the daemon or decides anything.

pub(super) mod copied_venv;
pub(super) mod layers;
pub(super) mod settings;

use buildkit_llb::{Annotate, Caps, Diff, File, FileAction, Merge, Output, Owner, cap};
use install_request::EPOCH;

use super::{decision::Installation, graph::Step, states::lasting};
use crate::error::Error;

/// A layer of the new graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    /// What made it, for the image's history.
    pub(super) text: String,
    /// How many earlier layers it lies below.
    pub(super) below: usize,
}

impl From<String> for Layer {
    fn from(text: String) -> Self {
        Self { text, below: 0 }
    }
}

/// A step in the making.
pub(super) struct Emitter<'a> {
    step: &'a Step,
    caps: &'a Caps,
    /// What stands in front of the names of vertices, e.g. `[builder 4/7]`.
    label: String,
    /// The inputs of the step's vertex in the new graph.
    inputs: Vec<Output>,
    /// The file system so far.
    pub(super) state: Output,
    /// The layers so far.
    pub(super) layers: Vec<Layer>,
}

impl<'a> Emitter<'a> {
    /// Begins a step on `state`, with its vertex's inputs in the new graph.
    pub(super) fn new(step: &'a Step, caps: &'a Caps, state: Output, inputs: Vec<Output>) -> Self {
        let label = label(step.vertex.name());
        Self { step, caps, label, inputs, state, layers: Vec::new() }
    }

    /// What stands in front of the names of vertices.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Runs a script as the step's process. `None` if the process has settings that would be lost.
    pub(super) fn script(&mut self, shell: &[String], script: &str) -> Option<()> {
        let mut exec = self.step.exec.clone();
        let meta = exec.meta.as_mut()?;
        meta.args = shell.iter().cloned().chain([script.to_owned()]).collect();
        let mut inputs: Vec<Output> = Vec::new();
        for mount in &mut exec.mounts {
            if mount.input < 0 {
                continue;
            }
            let is_root = mount.dest == "/" && mount.selector.is_empty();
            let input = match is_root {
                true => self.state.clone(),
                false => self.inputs.get(usize::try_from(mount.input).ok()?).cloned()?,
            };
            let position = inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
                inputs.push(input);
                inputs.len() - 1
            });
            mount.input = position as i64;
        }
        let name = format!("{} RUN {script}", self.label);
        self.state = self.step.vertex.with_exec(exec, &inputs, &name)?.output(0);
        self.layers.push(format!("RUN {script}").into());
        Some(())
    }

    /// Makes a folder with those above it.
    pub(super) fn folder(&mut self, path: &str) -> Result<(), Error> {
        let folder = FileAction::mkdir(path).make_parents().timestamp(EPOCH);
        let name = format!("{} leave Poetry out", self.label);
        self.state = self.step.vertex.located(File::on(self.state.clone()).then(folder).name(name)).output()?;
        self.layers.push(format!("RUN mkdir -p {path}").into());
        Ok(())
    }

    /// Writes a file.
    pub(super) fn file(
        &mut self,
        path: &str,
        text: String,
        mode: u32,
        owner: (u32, u32),
        command: &str,
    ) -> Result<(), Error> {
        let owner = Owner::new(owner.0, owner.1);
        let file = FileAction::mkfile(path, text).mode(mode).owner(owner).timestamp(EPOCH);
        let name = format!("{} {command}", self.label);
        self.state = self.step.vertex.located(File::on(self.state.clone()).then(file).name(name)).output()?;
        self.layers.push(format!("RUN {command}").into());
        Ok(())
    }

    /// Lays the layers of an installation on it. A new environment lies below what changes often.
    pub(super) fn installation(&mut self, made: &Installation, is_new: bool, command: &str) -> Result<(), Error> {
        let name = format!("{} {command}", self.label);
        let mut count = 0;
        if self.caps.has(cap::MERGE_OP) {
            let layers = made.layers.iter().map(|(_, output)| output.clone());
            // What no step has touched may as well lie below what changes often: layers that stay on what stays need not be
            // unpacked again.
            let below = lasting(&self.state).filter(|_| is_new && self.caps.has(cap::DIFF_OP));
            let inputs: Vec<Output> = match below {
                Some((below, above)) => {
                    count = above;
                    let name = format!("{} what the files add", self.label);
                    let above = self.step.vertex.located(Diff::between(&below, &self.state).name(name)).output();
                    std::iter::once(below).chain(layers).chain([above]).collect()
                }
                None => std::iter::once(self.state.clone()).chain(layers).collect(),
            };
            self.state = self.step.vertex.located(Merge::of(inputs).name(name)).output();
        } else {
            for (what, layer) in &made.layers {
                let copy = FileAction::copy(layer, "/", "/").contents();
                let file = File::on(self.state.clone()).then(copy).name(format!("{name}: {what}"));
                self.state = self.step.vertex.located(file).output()?;
            }
        }
        let layer = |what: &String| Layer { text: format!("{command}: {what}"), below: count };
        self.layers.extend(made.layers.iter().map(|(what, _)| layer(what)));
        Ok(())
    }
}

/// What a vertex's name begins with, e.g. `[builder 4/7]`.
fn label(name: &str) -> String {
    match name.find(']') {
        Some(end) if name.starts_with('[') => name[..=end].to_owned(),
        _ => "[poetry]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_the_stage() {
        assert_eq!(label("[builder 4/7] RUN x"), "[builder 4/7]");
        assert_eq!(label("RUN x"), "[poetry]");
    }
}
