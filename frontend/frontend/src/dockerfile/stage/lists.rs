//! Which command writes a list of requirements, and which ones read it.
//!
//! A list is served if all that is known to read it are installations by pip that are served as well. Whoever else names the
//! file may need it as Poetry writes it, so that it is left to Poetry.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    rc::Rc,
};

use buildkit_llb::{OpenVertex, Output};
use buildkit_proto::pb;

use super::{
    files::{Look, Origin, Touch, origin},
    history::Steps,
};
use crate::{
    dockerfile::{
        facts::Facts,
        graph::{At, Command, Mounted, Process, Step},
        programs::{Meaning, pip},
        rules::{self, Reason},
        states::{chain, copies},
    },
    error::Error,
    glob,
    layout::is_below,
};

/// Which commands write and read lists.
#[derive(Debug, Default)]
pub(in crate::dockerfile) struct Lists {
    /// The absolute path of each list, by the command that writes it; `None` for one that goes into pip.
    written: BTreeMap<At, Option<String>>,
    /// The command that writes the list, by the one that installs from it.
    read: BTreeMap<At, At>,
}

/// Programs that neither change a file nor depend on what it says.
const INDIFFERENT: [&str; 6] = ["rm", "chown", "chmod", "ls", "mkdir", "cat"];

/// What is left to Poetry, by the digests of vertices.
pub(in crate::dockerfile) type Needs = BTreeMap<String, Reason>;

impl Lists {
    /// The command that writes the list which a command installs from, if both are served.
    pub(in crate::dockerfile) fn writer_of(&self, reader: &At) -> Option<&At> {
        self.read.get(reader)
    }

    /// Leaves to Poetry the lists that steps read which are left to Poetry themselves.
    pub(in crate::dockerfile) fn spread(&self, needs: &mut Needs) {
        for ((reader, _), (writer, _)) in &self.read {
            if let Some(reason) = needs.get(reader).filter(|_| !needs.contains_key(writer)).cloned() {
                let detail = format!("its list is read where {}", reason.detail);
                needs.insert(writer.clone(), Reason { detail, ..reason });
            }
        }
    }

    /// Finds out who writes and reads lists, and adds to `needs` what cannot be served for that.
    pub(in crate::dockerfile) async fn find(
        facts: &Facts<'_>,
        original: &Output,
        vertices: &[OpenVertex],
        steps: &Steps,
        needs: &mut Needs,
    ) -> Result<Self, Error> {
        let mut lists = Self::default();
        let steps_in_order: Vec<&Rc<Step>> = vertices.iter().filter_map(|vertex| steps.get(vertex.digest())).collect();
        for step in &steps_in_order {
            lists.add_written(step, needs);
        }
        if lists.written.is_empty() {
            return Ok(lists);
        }
        let names = Names::of(&lists, vertices);
        // Readers that need the list as it is: the reason why, by the list.
        let mut others: BTreeMap<At, Reason> = BTreeMap::new();
        for step in &steps_in_order {
            lists.add_readers(facts, steps, step, &names, needs, &mut others).await?;
        }
        for (writer, path) in &lists.written {
            let is_read = lists.read.values().any(|written| written == writer)
                || path.as_ref().is_some_and(|path| !is_visible(&writer.0, path, original, vertices));
            let unread = || Reason::new(&rules::LIST_READ, "no `pip install -r` that is served reads its list");
            if let Some(reason) = others.get(writer).cloned().or_else(|| (!is_read).then(unread)) {
                needs.entry(writer.0.clone()).or_insert(reason);
            }
        }
        Ok(lists)
    }

    fn add_written(&mut self, step: &Rc<Step>, needs: &mut Needs) {
        let digest = step.vertex.digest();
        for command in step.commands() {
            let Meaning::Export(export) = command.meaning else { continue };
            let at = (digest.to_owned(), command.index);
            let Some(file) = &export.file else {
                // It goes into the next command of the pipeline.
                if let Some(reader) = piped_into(step, &command) {
                    self.read.insert((digest.to_owned(), reader), at.clone());
                }
                self.written.insert(at, None);
                continue;
            };
            match command.absolute(file) {
                Ok(path) => {
                    if step.is_mounted(&path) {
                        let reason =
                            Reason::new(&rules::MOUNT, "the list is in a mount, which is no part of the image");
                        needs.entry(digest.to_owned()).or_insert(reason);
                    }
                    self.written.insert(at, Some(path));
                }
                Err(reason) => drop(needs.entry(digest.to_owned()).or_insert(reason)),
            }
        }
    }

    /// Relates the commands of a step to the lists that they name.
    async fn add_readers(
        &mut self,
        facts: &Facts<'_>,
        steps: &Steps,
        step: &Rc<Step>,
        names: &Names,
        needs: &Needs,
        others: &mut BTreeMap<At, Reason>,
    ) -> Result<(), Error> {
        let digest = step.vertex.digest();
        for name in names.lists.keys() {
            if !mentions(step.text(), name) {
                continue;
            }
            // What is left of the text when the commands are taken out that are known to do no harm.
            let mut rest = step.text().to_owned();
            let mut is_unclear = false;
            for command in step.commands() {
                let Some(range) = command.call.range.clone() else { continue };
                let is_known = match command.meaning {
                    Meaning::Export(_) => true,
                    Meaning::PipInstall(install) if install.file.as_deref().is_some_and(|file| base(file) == name) => {
                        let file = install.file.as_deref().unwrap_or_default();
                        match self.maker(facts, steps, step, &command, file).await? {
                            Origin::Made(writer) if !needs.contains_key(digest) => {
                                self.read.insert((digest.to_owned(), command.index), writer);
                                true
                            }
                            Origin::Made(_) | Origin::Unknown => {
                                is_unclear = true;
                                false
                            }
                            Origin::At(..) | Origin::Text(_) | Origin::Nowhere => true,
                        }
                    }
                    _ => is_indifferent(&command),
                };
                if is_known {
                    blank(&mut rest, range);
                }
            }
            if mentions(&rest, name) {
                let detail = match is_unclear {
                    true => "the `pip install -r` of its list may find another one",
                    false => "something else than `pip install -r` names its list",
                };
                for writer in names.lists.get(name).into_iter().flatten() {
                    others.entry(writer.clone()).or_insert_with(|| Reason::new(&rules::LIST_READ, detail));
                }
            }
        }
        Ok(())
    }

    /// The command that wrote the file at a path, as a command of a step finds it.
    async fn maker(
        &self,
        facts: &Facts<'_>,
        steps: &Steps,
        step: &Rc<Step>,
        command: &Command<'_>,
        file: &str,
    ) -> Result<Origin, Error> {
        let Ok(path) = command.absolute(file) else { return Ok(Origin::Unknown) };
        let touch = |step: &Step, path: &str| self.touch(step, path, usize::MAX);
        match step.mount_at(&path) {
            Some(Mounted::Tree { output, path, .. }) => {
                return origin(facts, steps, &output, &path, Look::Maker(&touch)).await;
            }
            Some(Mounted::Unknown) => return Ok(Origin::Unknown),
            None => {}
        }
        match self.touch(step, &path, command.index) {
            Touch::Makes(at) => Ok(Origin::Made(at)),
            Touch::Changes => Ok(Origin::Unknown),
            Touch::Spares => origin(facts, steps, &step.root, &path, Look::Maker(&touch)).await,
        }
    }

    /// What the first commands of a step do to the file at a path.
    fn touch(&self, step: &Step, path: &str, count: usize) -> Touch {
        let Process::Read(script) = &step.process else {
            return if mentions(step.text(), base(path)) { Touch::Changes } else { Touch::Spares };
        };
        let commands: Vec<Command<'_>> = step.commands().take(count).collect();
        for command in commands.iter().rev() {
            let at = (step.vertex.digest().to_owned(), command.index);
            if self.written.get(&at).is_some_and(|written| written.as_deref() == Some(path)) {
                return Touch::Makes(at);
            }
            if changes(command, path) {
                return Touch::Changes;
            }
        }
        let is_written = |written: &Option<String>| written.as_ref().is_none_or(|written| written == path);
        match script.reading.writes.iter().any(is_written) && count == usize::MAX {
            true => Touch::Changes,
            false => Touch::Spares,
        }
    }
}

/// The command that reads what another one writes, in a pipeline or by `<(…)`, if that is pip.
fn piped_into(step: &Step, writer: &Command<'_>) -> Option<usize> {
    let mut commands = step.commands();
    let Some(pipe) = &writer.call.pipe else {
        let is_it = |command: &Command<'_>| {
            matches!(command.meaning, Meaning::PipInstall(_)) && pip::substituted(command.call) == Some(writer.index)
        };
        return commands.find(is_it).map(|command| command.index);
    };
    let next = commands.find(|command| {
        let other = command.call.pipe.as_ref();
        other.is_some_and(|other| other.range == pipe.range && other.index == pipe.index + 1)
    })?;
    matches!(next.meaning, Meaning::PipInstall(install) if install.file.is_none()).then_some(next.index)
}

/// Whether a command may change the file at a path.
fn changes(command: &Command<'_>, path: &str) -> bool {
    if matches!(command.meaning, Meaning::PipInstall(_) | Meaning::Export(_)) {
        return false;
    }
    let mut words = Vec::new();
    for field in &command.call.fields {
        match field.text.as_ref().or(field.pattern.as_ref()) {
            Some(word) => words.push(word.as_str()),
            // What is not known may be its name.
            None => return true,
        }
    }
    // A pattern in another folder, e.g. that of apt's lists.
    let elsewhere = |word: &&&str| {
        let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        word.starts_with('/') && folder(word) != folder(path) && !word.contains(base(path))
    };
    let named: Vec<&str> = words.iter().filter(|word| !elsewhere(word)).copied().collect();
    mentions(&named.join(" "), base(path)) && (!is_indifferent(command) || command.program() == "rm")
}

/// Puts blanks in place of a part of a text.
fn blank(text: &mut String, range: Range<usize>) {
    if let Some(part) = text.get(range.clone()) {
        let blanks = " ".repeat(part.len());
        text.replace_range(range, &blanks);
    }
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
            if let Some(path) = path {
                names.lists.entry(base(path).to_owned()).or_default().insert(at.clone());
            }
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
    crate::dockerfile::programs::base(path)
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
fn is_indifferent(command: &Command<'_>) -> bool {
    let is_plain = command.call.redirects.iter().all(shell::Redirected::leaves_nothing) && !command.call.is_read;
    INDIFFERENT.contains(&command.program()) && is_plain
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Exec, File, FileAction, Platform, Source};

    use super::*;
    use crate::dockerfile::graph::tests::script;

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
        let may = |text: &str| {
            let script = script(text);
            let command =
                |index: usize| Command { index, call: &script.reading.calls[index], meaning: &script.meanings[index] };
            (0..script.meanings.len()).any(|index| changes(&command(index), "/app/r.txt"))
        };
        for text in ["rm r.txt", "sed -i s/a/b/ r.txt", "rm -rf /app/*", "mv x *"] {
            assert!(may(text), "{text}");
        }
        for text in ["cat r.txt", "rm -rf /var/lib/apt/lists/*", "make"] {
            assert!(!may(text), "{text}");
        }
    }

    #[test]
    fn other_names_are_followed() {
        let at: At = ("digest".into(), 0);
        let lists = Lists { written: [(at.clone(), Some("/src/r.txt".into()))].into(), read: BTreeMap::new() };
        let mut names = Names::of(&lists, &[]);
        names.rename("/src/r.txt", "/code/deps.txt");
        names.rename("/src/*.txt", "/code/");
        names.rename("/other", "/x");
        assert_eq!(names.lists.keys().collect::<Vec<_>>(), ["deps.txt", "r.txt"]);
        assert_eq!(names.lists["deps.txt"], [at].into());
    }
}
