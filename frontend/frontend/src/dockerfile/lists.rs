//! Which step writes a list of requirements, and which steps read it.
//!
//! A list is served if all that is known to read it are installations by pip that are served as well. Whoever else names the
//! file may need it as Poetry writes it, so that it is left to Poetry.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{OpenVertex, Output};
use buildkit_proto::pb;

use super::{
    command::Command,
    files::{Files, Unknown},
    shell::{self, Variables},
    states::{chain, copies},
    step::{At, Step, mount_at},
};
use crate::{error::Error, glob, layout::is_below};

/// Who writes and reads lists.
#[derive(Debug, Default)]
pub struct Lists {
    /// The absolute path of each list, by the command that writes it.
    written: BTreeMap<At, String>,
    /// The command that writes the list, by the one that installs from it.
    read: BTreeMap<At, At>,
}

/// Programs that neither change a file nor depend on what it says.
const INDIFFERENT: [&str; 9] = ["rm", "chown", "chmod", "ls", "test", "[", "echo", "mkdir", "cat"];

impl Lists {
    /// The command that writes the list which a command installs from, if both are served.
    #[must_use]
    pub fn writer_of(&self, reader: &At) -> Option<&At> {
        self.read.get(reader)
    }

    /// Leaves to Poetry the lists that steps read which are left to Poetry themselves.
    pub fn spread(&self, left: &mut BTreeMap<String, String>) {
        for ((reader, _), (writer, _)) in &self.read {
            if let Some(reason) = left.get(reader).filter(|_| !left.contains_key(writer)).cloned() {
                left.insert(writer.clone(), format!("its list is read where {reason}"));
            }
        }
    }

    /// Finds out who writes and reads lists, and adds to `left` what cannot be served for that.
    ///
    /// # Errors
    /// If a call fails.
    pub async fn find(
        files: &Files<'_>,
        original: &Output,
        vertices: &[OpenVertex],
        steps: &BTreeMap<String, Step>,
        left: &mut BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let mut lists = Self::default();
        let all = vertices.iter().filter_map(|vertex| steps.get(vertex.digest()));
        let steps: Vec<&Step> = all.collect();
        for step in &steps {
            lists.add_written(step, left);
        }
        if lists.written.is_empty() {
            return Ok(lists);
        }
        let names = Names::of(&lists, vertices);
        // Readers that need the list as it is: the reason why, by the list.
        let mut others: BTreeMap<At, String> = BTreeMap::new();
        for step in &steps {
            lists.add_readers(files, step, &names, left, &mut others).await?;
        }
        for (writer, path) in &lists.written {
            let is_read = lists.read.values().any(|written| written == writer)
                || !is_visible(&writer.0, path, original, vertices);
            let reason = others
                .get(writer)
                .cloned()
                .or_else(|| (!is_read).then(|| "no `pip install -r` that is served reads its list".to_owned()));
            if let Some(reason) = reason {
                left.entry(writer.0.clone()).or_insert(reason);
            }
        }
        Ok(lists)
    }

    fn add_written(&mut self, step: &Step, left: &mut BTreeMap<String, String>) {
        let digest = step.vertex.digest().to_owned();
        for (index, part) in step.parts().iter().enumerate() {
            let Command::Export(export) = &part.command else { continue };
            let path = part.scene.absolute(&export.file);
            let mut mounts = step.exec.mounts.iter().filter(|mount| mount.dest != "/");
            if mounts.any(|mount| is_below(&path, &mount.dest)) {
                left.entry(digest.clone()).or_insert(format!("{path} is in a mount, which is no part of the image"));
            }
            self.written.insert((digest.clone(), index), path);
        }
    }

    /// Relates the commands of a step to the lists that they name.
    async fn add_readers(
        &mut self,
        files: &Files<'_>,
        step: &Step,
        names: &Names,
        left: &BTreeMap<String, String>,
        others: &mut BTreeMap<At, String>,
    ) -> Result<(), Error> {
        let digest = step.vertex.digest();
        let mut blame = |name: &str, text: &str| {
            let command = text.lines().next().unwrap_or_default();
            let reason = format!(
                "`{command}` reads its list; where only `pip install -r` with plain options does, that is served natively"
            );
            for writer in names.lists.get(name).into_iter().flatten() {
                others.entry(writer.clone()).or_insert_with(|| reason.clone());
            }
        };
        for name in names.lists.keys() {
            let text = step.text();
            if !mentions(&text, name) {
                continue;
            }
            if left.contains_key(digest) || step.parts().is_empty() {
                let segments = shell::segments(&text).filter(|_| !left.contains_key(digest));
                match segments {
                    Some(segments) => {
                        let mut segments = segments.iter().map(|segment| segment.text.as_str());
                        if let Some(segment) = segments.find(|text| mentions(text, name) && !is_indifferent(text)) {
                            blame(name, segment);
                        }
                    }
                    None => blame(name, &text),
                }
                continue;
            }
            for (index, part) in step.parts().iter().enumerate() {
                let text = &part.segment.text;
                match &part.command {
                    _ if !mentions(text, name) => {}
                    Command::Export(_) => {}
                    Command::PipInstall(install) if base(&install.file) == name => {
                        let path = part.scene.absolute(&install.file);
                        match self.origin(files, step, index, &path).await {
                            Ok(Some(writer)) => drop(self.read.insert((digest.to_owned(), index), writer)),
                            Ok(None) => {}
                            Err(Unknown::Gateway(error)) => return Err(error.into()),
                            Err(Unknown::Uncertain(_)) => blame(name, text),
                        }
                    }
                    _ if is_indifferent(text) => {}
                    _ => blame(name, text),
                }
            }
        }
        Ok(())
    }

    /// The command that wrote the file at a path, as a command of a step finds it.
    async fn origin(&self, files: &Files<'_>, step: &Step, index: usize, path: &str) -> Result<Option<At>, Unknown> {
        let made = |vertex: &OpenVertex, exec: &pb::ExecOp, path: &str| self.made(vertex, exec, path);
        if let Some((output, path)) = mount_at(step, path) {
            return files.maker(&output, &path, &made).await;
        }
        let before = step.parts().get(..index).unwrap_or_default();
        let digest = step.vertex.digest();
        for (place, part) in before.iter().enumerate().rev() {
            let at = (digest.to_owned(), place);
            if self.written.get(&at).is_some_and(|written| written == path) {
                return Ok(Some(at));
            }
            changes(&part.segment.text, &part.command, path)?;
        }
        files.maker(&step.root, path, &made).await
    }

    /// What a process did to the file at a path.
    fn made(&self, vertex: &OpenVertex, exec: &pb::ExecOp, path: &str) -> Result<Option<At>, Unknown> {
        let step = Step::of(vertex);
        let parts = step.as_ref().map(Step::parts).unwrap_or_default();
        if parts.is_empty() {
            let text = exec.meta.as_ref().map(|meta| meta.args.join(" ")).unwrap_or_default();
            changes(&text, &Command::Other, path)?;
        }
        for (place, part) in parts.iter().enumerate().rev() {
            let at = (vertex.digest().to_owned(), place);
            if self.written.get(&at).is_some_and(|written| written == path) {
                return Ok(Some(at));
            }
            changes(&part.segment.text, &part.command, path)?;
        }
        Ok(None)
    }
}

/// An error if a command may change the file at a path.
fn changes(text: &str, command: &Command, path: &str) -> Result<(), Unknown> {
    // What an export writes is known.
    let is_known = matches!(command, Command::PipInstall(_) | Command::Export(_));
    let removes = text.split_whitespace().next() == Some("rm");
    // A pattern in another folder, e.g. that of apt's lists.
    let elsewhere = |word: &str| {
        let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        word.starts_with('/') && folder(word) != folder(path) && !word.contains(base(path))
    };
    let named: Vec<&str> = text.split_whitespace().filter(|word| !elsewhere(word)).collect();
    if is_known || !mentions(&named.join(" "), base(path)) || is_indifferent(text) && !removes {
        return Ok(());
    }
    Err(Unknown::Uncertain(format!("`{text}` may change {path}")))
}

/// The names that lists have, also where they were copied or mounted under another one.
struct Names {
    /// The lists by the name of the file.
    lists: BTreeMap<String, BTreeSet<At>>,
}

impl Names {
    fn of(lists: &Lists, vertices: &[OpenVertex]) -> Self {
        let mut names = Self { lists: BTreeMap::new() };
        for (at, path) in &lists.written {
            names.lists.entry(base(path).to_owned()).or_default().insert(at.clone());
        }
        for vertex in vertices {
            for (_, copy) in copies(vertex) {
                names.rename(&copy.src, &copy.dest);
            }
            if let Some(pb::op::Op::Exec(exec)) = vertex.op().op {
                for mount in &exec.mounts {
                    names.rename(&mount.selector, &mount.dest);
                }
            }
        }
        names
    }

    fn rename(&mut self, from: &str, to: &str) {
        if to.ends_with('/') {
            return;
        }
        let (from, to) = (base(from), base(to));
        let found: BTreeSet<At> = self
            .lists
            .iter()
            .filter(|(name, _)| *name == from || glob::matches(from, name))
            .flat_map(|(_, lists)| lists.clone())
            .collect();
        if !found.is_empty() && !to.is_empty() {
            self.lists.entry(to.to_owned()).or_default().extend(found);
        }
    }
}

/// Whether a list gets out of the stage that it is written in: into the result, into another stage, or into a step there.
fn is_visible(writer: &str, path: &str, original: &Output, vertices: &[OpenVertex]) -> bool {
    let has_list = |state: &Output| chain(state).iter().any(|vertex| vertex.digest() == writer);
    let takes = |from: &str| {
        let from = if from.is_empty() { "/" } else { from };
        is_below(path, from) || glob::matches(base(from), base(path))
    };
    let is_taken = |vertex: &OpenVertex| {
        let copied = copies(vertex).into_iter().any(|(from, copy)| takes(&copy.src) && has_list(&from));
        let inputs = vertex.inputs();
        let mounts = match vertex.op().op {
            Some(pb::op::Op::Exec(exec)) => exec.mounts,
            _ => Vec::new(),
        };
        let mut mounts = mounts.iter().filter(|mount| mount.dest != "/" && takes(&mount.selector));
        let input = |index: i64| usize::try_from(index).ok().and_then(|index| inputs.get(index));
        copied || mounts.any(|mount| input(mount.input).is_some_and(&has_list))
    };
    has_list(original) || vertices.iter().any(is_taken)
}

fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// Whether a text has a file's name, or a pattern that it matches.
fn mentions(text: &str, name: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || "\"'`;|&<>()=,{}".contains(c);
    let matches = |word: &str| {
        let pattern = base(word);
        pattern.contains(['*', '?', '[']) && (pattern.contains('[') || glob::matches(pattern, name))
    };
    text.contains(name) || text.split(is_end).any(matches)
}

/// Whether a command does not care what its files say.
fn is_indifferent(text: &str) -> bool {
    let Some(simple) = shell::simple(text, &Variables::default()) else { return false };
    let is_quiet = |(_, target): &(String, String)| target == "/dev/null" || target == "1" || target == "2";
    let program = simple.words.first().map(|word| base(word)).unwrap_or_default();
    INDIFFERENT.contains(&program) && simple.redirections.iter().all(is_quiet)
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Exec, File, FileAction, Platform, Source};

    use super::*;

    #[test]
    fn a_list_that_leaves_its_stage_is_visible() {
        let platform = || Platform::new("linux", "amd64");
        let base = Source::image("docker.io/library/python:3.11", platform()).output().unwrap();
        let export = Exec::new(["/bin/sh", "-c", "poetry export -o r.txt"], platform()).root(&base);
        let stage = export.build().unwrap().output("/").unwrap();
        let copy = |source: &str| {
            File::on(&base).then(FileAction::copy(&stage, source, "/x").make_parents()).output().unwrap()
        };
        let writer = stage.digest().unwrap();
        let visible = |end: &Output| is_visible(writer, "/app/r.txt", end, &end.vertices());
        assert!(visible(&stage) && visible(&copy("/app")) && visible(&copy("/app/*.txt")) && visible(&copy("/")));
        assert!(!visible(&copy("/venv")) && !visible(&copy("/app/main.txt")));
    }

    #[test]
    fn who_names_a_file_is_found() {
        for text in ["sed -i s/a/b/ /app/r.txt", "cat *.txt", "x --file=r.txt", "pip-sync 'r.txt'", "x r?txt"] {
            assert!(mentions(text, "r.txt"), "{text}");
        }
        for text in ["pip install x", "cat *.toml", "echo r"] {
            assert!(!mentions(text, "r.txt"), "{text}");
        }
    }

    #[test]
    fn what_may_change_a_file_is_found() {
        let may = |text: &str| changes(text, &Command::Other, "/app/r.txt").is_err();
        for text in ["rm r.txt", "sed -i s/a/b/ r.txt", "rm -rf /app/*", "mv x *"] {
            assert!(may(text), "{text}");
        }
        for text in ["cat r.txt", "rm -rf /var/lib/apt/lists/*", "make"] {
            assert!(!may(text), "{text}");
        }
    }

    #[test]
    fn some_commands_do_not_care() {
        for text in ["rm -f r.txt", "cat r.txt", "chown 1000 r.txt", "echo r.txt > /dev/null"] {
            assert!(is_indifferent(text), "{text}");
        }
        for text in ["cat r.txt | grep x", "echo flask >> r.txt", "grep -v x r.txt", "cp r.txt /x", "$(cat r.txt)"] {
            assert!(!is_indifferent(text), "{text}");
        }
    }

    #[test]
    fn other_names_are_followed() {
        let at: At = ("digest".into(), 0);
        let lists = Lists { written: [(at.clone(), "/src/r.txt".into())].into(), read: BTreeMap::new() };
        let mut names = Names::of(&lists, &[]);
        names.rename("/src/r.txt", "/code/deps.txt");
        names.rename("/src/*.txt", "/code/");
        names.rename("/other", "/x");
        assert_eq!(names.lists.keys().collect::<Vec<_>>(), ["deps.txt", "r.txt"]);
        assert_eq!(names.lists["deps.txt"], [at].into());
    }
}
