//! Where the file at a path of a stage comes from, as far as that can be told without making the stage.
//!
//! Follows BuildKit's file ops backwards (`solver/llbsolver/file`, `fsutil/copy`) to the build context, another stage or an
//! image. It gives up where anything on the way may have another effect than that of a plain copy.

use buildkit_llb::{OpenVertex, Output};
use buildkit_proto::pb;

use super::history::Steps;
use crate::{
    dockerfile::{
        facts::Facts,
        graph::{At, Command, Process, Step},
        programs::{
            Meaning,
            table::{self, Writes},
        },
    },
    error::Error,
    glob,
    layout::is_below,
};

/// The most vertices that are looked into for one file.
const MAX_STEPS: usize = 10_000;

/// Where a file comes from.
#[derive(Debug, Clone)]
pub(in crate::dockerfile) enum Origin {
    /// A path in an output that nothing ran for.
    At(Output, String),
    /// A text of the Dockerfile.
    Text(Vec<u8>),
    /// A command of a step makes it.
    Made(At),
    /// There is none.
    Nowhere,
    /// It cannot be told without making the stage.
    Unknown,
}

/// What a step does to a file.
pub(in crate::dockerfile) enum Touch {
    /// One of its commands makes it.
    Makes(At),
    /// It leaves it alone.
    Spares,
    /// It may change it.
    Changes,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(in crate::dockerfile) enum Look<'a> {
    /// The file that is there for certain.
    Exact,
    /// The file as the client brought it, whatever processes did since; not one of an image.
    Clients,
    /// The command that makes the file, by what steps do to it.
    Maker(&'a dyn Fn(&Step, &str) -> Touch),
}

/// Follows the file at an absolute path of a state.
///
/// # Errors
/// If a call fails.
pub(in crate::dockerfile) async fn origin(
    facts: &Facts<'_>,
    steps: &Steps,
    state: &Output,
    path: &str,
    look: Look<'_>,
) -> Result<Origin, Error> {
    // States that are left to look into; the first that has it is the one.
    let mut waiting = vec![(state.clone(), path.to_owned())];
    let mut count = 0;
    while let Some((state, path)) = waiting.pop() {
        count += 1;
        if count > MAX_STEPS {
            return Ok(Origin::Unknown);
        }
        let Some((vertex, index)) = state.vertex() else { continue };
        let inputs = vertex.inputs();
        let input = |index: i64| usize::try_from(index).ok().and_then(|index| inputs.get(index)).cloned();
        match vertex.op().op {
            Some(pb::op::Op::Source(source)) => {
                let is_image =
                    ["docker-image://", "oci-layout://"].iter().any(|kind| source.identifier.starts_with(kind));
                if is_image && matches!(look, Look::Clients) {
                    continue;
                }
                if facts.exists(&state, &path).await? {
                    return Ok(Origin::At(state, path));
                }
            }
            Some(pb::op::Op::Exec(exec)) => {
                let step = steps.get(vertex.digest());
                let touch = match look {
                    Look::Clients => Touch::Spares,
                    Look::Exact if step.is_some_and(|step| leaves_alone(step, &path)) => Touch::Spares,
                    Look::Exact => Touch::Changes,
                    Look::Maker(touch) => step.map_or(Touch::Changes, |step| touch(step, &path)),
                };
                if let Touch::Makes(at) = touch {
                    return Ok(Origin::Made(at));
                }
                let is_alone = matches!(touch, Touch::Spares);
                let mount = exec.mounts.iter().find(|mount| mount.output == index);
                let root = mount.filter(|mount| mount.dest == "/" && mount.selector.is_empty());
                match root.and_then(|mount| input(mount.input)).filter(|_| is_alone) {
                    Some(root) => waiting.push((root, path)),
                    None => return Ok(Origin::Unknown),
                }
            }
            Some(pb::op::Op::Merge(_)) => waiting.extend(inputs.into_iter().map(|input| (input, path.clone()))),
            Some(pb::op::Op::File(file)) => match in_actions(facts, &file, index, &vertex, &path).await? {
                Within::Found(origin) => return Ok(origin),
                Within::Elsewhere(states) => waiting.extend(states),
            },
            _ => return Ok(Origin::Unknown),
        }
    }
    Ok(Origin::Nowhere)
}

/// What a file op says of a path.
enum Within {
    Found(Origin),
    /// It is in one of these, the last first.
    Elsewhere(Vec<(Output, String)>),
}

/// Looks through the actions of a file op, the last first.
async fn in_actions(
    facts: &Facts<'_>,
    file: &pb::FileOp,
    index: i64,
    vertex: &OpenVertex,
    path: &str,
) -> Result<Within, Error> {
    let inputs = vertex.inputs();
    let count = inputs.len();
    let unknown = Ok(Within::Found(Origin::Unknown));
    let Some(mut at) = file.actions.iter().position(|action| action.output == index) else { return unknown };
    let mut candidates = Vec::new();
    let below = loop {
        let Some(action) = file.actions.get(at) else { break None };
        match &action.action {
            Some(pb::file_action::Action::Copy(copy)) => {
                // Another action's result is an intermediate state, which Dockerfiles do not make.
                let from = usize::try_from(action.secondary_input).ok().and_then(|from| inputs.get(from));
                match sources(facts, copy, path, from).await? {
                    Some(sources) => candidates.extend(from.into_iter().flat_map(|from| {
                        sources.clone().into_iter().map(|source| (from.clone(), source)).collect::<Vec<_>>()
                    })),
                    None => return unknown,
                }
            }
            Some(pb::file_action::Action::Mkfile(made)) if made.path == path => {
                return match candidates.is_empty() {
                    true => Ok(Within::Found(Origin::Text(made.data.clone()))),
                    false => unknown,
                };
            }
            Some(pb::file_action::Action::Rm(removed)) if removed.allow_wildcard => return unknown,
            Some(pb::file_action::Action::Rm(removed)) if is_below(path, &removed.path) => {
                if candidates.is_empty() {
                    return Ok(Within::Found(Origin::Nowhere));
                }
                break None;
            }
            Some(pb::file_action::Action::Symlink(_)) => return unknown,
            _ => {}
        }
        match usize::try_from(action.input) {
            Ok(input) if input < count => break inputs.get(input).cloned(),
            Ok(input) => at = input - count,
            Err(_) => break None,
        }
    };
    let below = below.map(|below| (below, path.to_owned()));
    Ok(Within::Elsewhere(below.into_iter().chain(candidates.into_iter().rev()).collect()))
}

/// The paths in a copy's source that would stand at `path` after it; which of them exists decides. `None` if that cannot be told.
async fn sources(
    facts: &Facts<'_>,
    copy: &pb::FileActionCopy,
    path: &str,
    from: Option<&Output>,
) -> Result<Option<Vec<String>>, Error> {
    let dest = copy.dest.trim_end_matches('/');
    let is_inside = path == copy.dest || path.strip_prefix(dest).is_some_and(|rest| rest.starts_with('/'));
    // It makes nothing at the path, nor above it.
    if !is_inside && !is_below(dest, path) {
        return Ok(Some(Vec::new()));
    }
    let Some(from) = from else { return Ok(None) };
    if !(copy.include_patterns.is_empty() && copy.exclude_patterns.is_empty()) {
        return Ok(None);
    }
    let (folder, last) = copy.src.trim_end_matches('/').rsplit_once('/').unwrap_or(("", &copy.src));
    let is_pattern = |text: &str| copy.allow_wildcard && text.contains(['*', '?', '[', '\\']);
    if is_pattern(folder) {
        return Ok(None);
    }
    // What an archive holds is not known.
    if copy.attempt_unpack_docker_compatibility && !facts.is_folder(from, &copy.src).await? {
        return Ok(None);
    }
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut found = Vec::new();
    if is_pattern(last) {
        for entry in facts.names(from, if folder.is_empty() { "/" } else { folder }).await? {
            let entry_name = entry.trim_end_matches('/');
            if !glob::matches(last, entry_name) {
                continue;
            }
            // What is in a folder goes where the folder goes.
            if entry.ends_with('/') {
                return Ok(None);
            }
            if parent == dest && entry_name == name {
                found.push(format!("{folder}/{name}"));
            }
        }
        return Ok(Some(found));
    }
    // A folder whose content is copied, or that is copied as a whole.
    if let Some(rest) = path.strip_prefix(dest).filter(|rest| rest.starts_with('/')) {
        found.push(format!("{}{rest}", copy.src.trim_end_matches('/')));
    }
    // A file into a folder.
    if parent == dest && last == name {
        found.push(format!("{folder}/{name}"));
    }
    // A file under a name of its own.
    if path == copy.dest {
        found.push(copy.src.clone());
    }
    Ok(Some(found))
}

/// Whether a process is known to leave a file alone, and the folders above it.
fn leaves_alone(step: &Step, path: &str) -> bool {
    let Process::Read(script) = &step.process else { return false };
    let reading = &script.reading;
    let is_apart = |other: &str| !is_below(other, path) && !is_below(path, other);
    let redirected = reading.writes.iter().all(|written| written.as_deref().is_some_and(is_apart));
    redirected && !reading.strays && step.commands().all(|command| spares(command, &is_apart))
}

/// Whether a command is known to write only what is apart from a file.
fn spares(command: Command<'_>, is_apart: &dyn Fn(&str) -> bool) -> bool {
    match command.meaning {
        Meaning::InstallsPoetry(provision) if provision.rest.is_none() => return true,
        Meaning::NoEffect | Meaning::EnvUse(_) | Meaning::PipInstall(_) | Meaning::Config { local: false, .. } => {
            return true;
        }
        Meaning::Export(export) => {
            let written = export.file.as_ref().map(|file| command.absolute(file));
            return written.is_none_or(|written| written.is_ok_and(|written| is_apart(&written)));
        }
        // They run what the user wrote, or write files of the project.
        Meaning::Run { .. } | Meaning::Needs(_) | Meaning::Install(_) | Meaning::Config { .. } => return false,
        Meaning::InstallsPoetry(_) | Meaning::Other | Meaning::Clean(_) => {}
    }
    let words: Vec<&str> = command.call.fields.iter().filter_map(|field| field.text.as_deref()).collect();
    match table::writes(command.program(), &words) {
        Some(Writes::Nothing | Writes::System) => true,
        Some(Writes::Operands) => command.operands().is_some_and(|paths| paths.iter().all(|path| is_apart(path))),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Exec, Platform, Source};

    use super::*;

    #[test]
    fn processes_that_leave_a_project_alone() {
        let alone = |script: &str| {
            let platform = Platform::new("linux", "amd64");
            let base = Source::image("docker.io/library/python:3.11", platform.clone()).output().unwrap();
            let exec = Exec::new(["/bin/sh", "-c", script], platform).root(&base).cwd("/app");
            let state = exec.build().unwrap().output("/").unwrap();
            leaves_alone(&Step::of(&state.vertex().unwrap().0).unwrap(), "/app/poetry.lock")
        };
        for script in [
            "apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*",
            "pip install -U pip poetry==1.8.5",
            "mkdir -p /srv/data && chown -R 1000 . && touch /app/README.md",
            "useradd -m app; echo x > /etc/motd",
            "curl -sSL https://install.python-poetry.org | python3 -",
            "poetry config virtualenvs.create false",
            "poetry export -o requirements.txt",
        ] {
            let fetches = script.starts_with("curl");
            assert_eq!(alone(script), !fetches, "{script}");
        }
        for script in [
            "rm -f poetry.lock",
            "cp -r b/. .",
            "tar xzf x.tgz",
            "mv d/*.lock .",
            "python3 -c 'x'",
            "make",
            "echo x >> poetry.lock",
            "printf x > $(name)",
            "rm -rf /app && ln -s /srv/b /app",
            "ln -s /x /app",
            "poetry lock",
            "poetry run x",
            "eval x",
            "pip install .",
            "npm ci",
        ] {
            assert!(!alone(script), "{script}");
        }
    }
}
