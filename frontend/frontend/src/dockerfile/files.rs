//! Which file of the user's stands at a path of a stage.
//!
//! Follows BuildKit's file ops backwards (`solver/llbsolver/file`, `fsutil/copy`) to the build context, another stage or an
//! image. No step has to run for that. Processes are taken to leave a project's files alone, unless their text names them.

use std::{cell::RefCell, collections::BTreeMap};

use buildkit_llb::{OpenVertex, Output};
use buildkit_proto::pb;

use super::{
    shell,
    step::{At, has_shell},
};
use crate::{
    gateway::{Error, Gateway, Ref, is_folder},
    glob,
    layout::is_below,
};

/// The files that decide what is installed.
pub const PROJECT_FILES: [&str; 3] = ["pyproject.toml", "poetry.lock", "poetry.toml"];

/// The most vertices that are looked into for one file.
const MOST_STEPS: usize = 10_000;

/// The size of the largest file, in bytes, that is taken for a script.
const MOST_BYTES: i64 = 1 << 20;

/// Reads the user's files.
pub struct Files<'a> {
    gateway: &'a Gateway,
    /// Solved sources, by the digest of their vertex.
    solved: RefCell<BTreeMap<String, Ref>>,
}

/// Why a file is not known.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// A call of the daemon failed.
    #[error(transparent)]
    Gateway(#[from] Error),
    /// It cannot be told without running something.
    #[error("{0}")]
    Uncertain(String),
}

/// What tells the command that a process writes a file with.
pub type Maker<'a> = dyn Fn(&OpenVertex, &pb::ExecOp, &str) -> Result<Option<At>, Unknown> + 'a;

/// What is looked for, and where.
#[derive(Clone, Copy)]
enum Look<'a> {
    /// A file, also in images.
    Everywhere,
    /// A file, but not in images.
    NotInImages,
    /// A file or the command that makes it.
    For(&'a Maker<'a>),
}

/// Where a file comes from.
enum Found {
    /// A path in a source.
    At(Output, String),
    /// A text of the Dockerfile.
    Text(Vec<u8>),
    /// A command.
    Made(At),
}

impl<'a> Files<'a> {
    /// Files that are read through a gateway.
    #[must_use]
    pub fn new(gateway: &'a Gateway) -> Self {
        Self { gateway, solved: RefCell::default() }
    }

    /// The content of the file at an absolute path; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be told, or a call fails.
    pub async fn text(&self, state: &Output, path: &str) -> Result<Option<String>, Unknown> {
        let bytes = match self.find(state, path, Look::Everywhere).await? {
            Some(found) => self.content(found, i64::MAX).await?,
            None => None,
        };
        let Some(bytes) = bytes else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|_| Unknown::Uncertain(format!("{path} is not valid UTF-8")))
    }

    /// The content of the file at an absolute path that the client, and no image, brought; `None` if there is none, or one that
    /// is too large for a script.
    ///
    /// # Errors
    /// If it cannot be told, or a call fails.
    pub async fn clients(&self, state: &Output, path: &str) -> Result<Option<Vec<u8>>, Unknown> {
        match self.find(state, path, Look::NotInImages).await? {
            Some(found) => self.content(found, MOST_BYTES).await,
            None => Ok(None),
        }
    }

    /// Of a file that is longer, `None`.
    async fn content(&self, found: Found, most: i64) -> Result<Option<Vec<u8>>, Unknown> {
        match found {
            Found::Made(_) => Ok(None),
            Found::Text(bytes) => Ok(Some(bytes)),
            Found::At(source, path) => {
                let solved = self.solve(&source).await?;
                match self.gateway.stat(&solved, &path).await? {
                    Some(stat) if !is_folder(&stat) && stat.size <= most => {
                        Ok(Some(self.gateway.read_file(&solved, &path).await?))
                    }
                    _ => Ok(None),
                }
            }
        }
    }

    /// Whether there is a file or folder at an absolute path.
    ///
    /// # Errors
    /// If it cannot be told, or a call fails.
    pub async fn exists(&self, state: &Output, path: &str) -> Result<bool, Unknown> {
        Ok(self.find(state, path, Look::Everywhere).await?.is_some())
    }

    /// The command that writes the file at an absolute path; `None` if the file comes from elsewhere, or there is none.
    ///
    /// # Errors
    /// If it cannot be told, or a call fails.
    pub async fn maker(&self, state: &Output, path: &str, maker: &Maker<'_>) -> Result<Option<At>, Unknown> {
        Ok(match self.find(state, path, Look::For(maker)).await? {
            Some(Found::Made(at)) => Some(at),
            _ => None,
        })
    }

    /// Follows a path down to where it comes from. What is found there exists.
    async fn find(&self, state: &Output, path: &str, look: Look<'_>) -> Result<Option<Found>, Unknown> {
        if path.contains(shell::USERS_HOME) {
            return Err(Unknown::Uncertain("the user's home folder is not known".to_owned()));
        }
        let maker = match look {
            Look::For(maker) => Some(maker),
            _ => None,
        };
        // States that are left to look into; the first that has it is the one.
        let mut waiting = vec![(state.clone(), path.to_owned())];
        let mut steps = 0;
        while let Some((state, path)) = waiting.pop() {
            steps += 1;
            if steps > MOST_STEPS {
                return Err(Unknown::Uncertain(format!("too many copies lead to {path}")));
            }
            let Some((vertex, index)) = state.vertex() else { continue };
            let inputs = vertex.inputs();
            let input = |index: i64| usize::try_from(index).ok().and_then(|index| inputs.get(index)).cloned();
            match vertex.op().op {
                Some(pb::op::Op::Source(source))
                    if matches!(look, Look::NotInImages)
                        && ["docker-image://", "oci-layout://"]
                            .iter()
                            .any(|kind| source.identifier.starts_with(kind)) => {}
                Some(pb::op::Op::Source(_)) => {
                    let solved = self.solve(&state).await?;
                    if self.gateway.stat(&solved, &path).await?.is_some() {
                        return Ok(Some(Found::At(state, path)));
                    }
                }
                Some(pb::op::Op::Exec(exec)) => {
                    check(&exec, &path)?;
                    if let Some(made) = maker.map(|maker| maker(&vertex, &exec, &path)).transpose()?.flatten() {
                        return Ok(Some(Found::Made(made)));
                    }
                    let mount = exec.mounts.iter().find(|mount| mount.output == index);
                    let mount = mount.filter(|mount| mount.dest == "/" && mount.selector.is_empty());
                    let root = mount.and_then(|mount| input(mount.input));
                    let root = root.ok_or_else(|| Unknown::Uncertain("a step has no root of its own".to_owned()))?;
                    waiting.push((root, path));
                }
                Some(pb::op::Op::Merge(_)) => waiting.extend(inputs.into_iter().map(|input| (input, path.clone()))),
                Some(pb::op::Op::File(file)) => {
                    if let Some(found) = self.in_actions(&file, index, &vertex, &path, &mut waiting).await? {
                        return Ok(found);
                    }
                }
                _ => return Err(Unknown::Uncertain(format!("`{}` cannot be looked into", vertex.name()))),
            }
        }
        Ok(None)
    }

    /// Looks through the actions of a file op, the last first. `Some(None)` if the path was removed; states that are to
    /// be looked into go into `waiting`.
    async fn in_actions(
        &self,
        file: &pb::FileOp,
        index: i64,
        vertex: &OpenVertex,
        path: &str,
        waiting: &mut Vec<(Output, String)>,
    ) -> Result<Option<Option<Found>>, Unknown> {
        let inputs = vertex.inputs();
        let count = inputs.len();
        let Some(mut at) = file.actions.iter().position(|action| action.output == index) else {
            return Err(Unknown::Uncertain(format!("`{}` has no such output", vertex.name())));
        };
        // What is looked into later is pushed first.
        let mut candidates = Vec::new();
        let below = loop {
            let Some(action) = file.actions.get(at) else { break None };
            match &action.action {
                Some(pb::file_action::Action::Copy(copy)) => {
                    let from = usize::try_from(action.secondary_input).ok();
                    // Another action's result is an intermediate state, which Dockerfiles do not make.
                    let from = from.and_then(|from| inputs.get(from)).cloned();
                    for source in sources(copy, path) {
                        if !(copy.include_patterns.is_empty() && copy.exclude_patterns.is_empty()) {
                            return Err(Unknown::Uncertain(format!("`{}` copies by patterns", vertex.name())));
                        }
                        let from = from.clone().ok_or_else(|| Unknown::Uncertain("a copy of a copy".to_owned()))?;
                        candidates.push((from, source));
                    }
                }
                Some(pb::file_action::Action::Mkfile(made)) if made.path == path => {
                    if candidates.is_empty() {
                        return Ok(Some(Some(Found::Text(made.data.clone()))));
                    }
                    return Err(Unknown::Uncertain(format!("`{}` writes {path} twice", vertex.name())));
                }
                Some(pb::file_action::Action::Rm(removed)) if is_below(path, &removed.path) => {
                    if candidates.is_empty() {
                        return Ok(Some(None));
                    }
                    break None;
                }
                _ => {}
            }
            match usize::try_from(action.input) {
                Ok(input) if input < count => break inputs.get(input).cloned(),
                Ok(input) => at = input - count,
                Err(_) => break None,
            }
        };
        waiting.extend(below.map(|below| (below, path.to_owned())));
        waiting.extend(candidates.into_iter().rev());
        Ok(None)
    }

    async fn solve(&self, output: &Output) -> Result<Ref, Unknown> {
        let digest = output.digest().unwrap_or_default().to_owned();
        if let Some(known) = self.solved.borrow().get(&digest) {
            return Ok(known.clone());
        }
        let definition = output.marshal().map_err(|error| Unknown::Uncertain(error.to_string()))?;
        let solved = self.gateway.solve(definition).await?;
        self.solved.borrow_mut().insert(digest, solved.clone());
        Ok(solved)
    }
}

/// Whether a process may change a project's files.
fn check(exec: &pb::ExecOp, path: &str) -> Result<(), Unknown> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if !PROJECT_FILES.contains(&name) {
        return Ok(());
    }
    let arguments = exec.meta.as_ref().map(|meta| meta.args.clone()).unwrap_or_default();
    let text = match arguments.as_slice() {
        [.., script] if has_shell(&arguments) => script.clone(),
        words => words.join(" "),
    };
    match may_change(&text, name) {
        true => Err(Unknown::Uncertain(format!("`{text}` may change {name}"))),
        false => Ok(()),
    }
}

/// Whether a script may change a file of a project.
#[must_use]
pub fn may_change(script: &str, name: &str) -> bool {
    match shell::segments(script) {
        Some(segments) => segments.iter().any(|segment| command_may_change(&segment.text, name)),
        None => script.split([';', '&', '|', '\n']).any(|command| command_may_change(command, name)),
    }
}

fn command_may_change(text: &str, name: &str) -> bool {
    const READERS: [&str; 14] = [
        "[",
        "cat",
        "chmod",
        "chown",
        "echo",
        "grep",
        "head",
        "ls",
        "md5sum",
        "printf",
        "sha256sum",
        "stat",
        "test",
        "wc",
    ];
    const CHANGING: [&str; 8] = ["add", "lock", "update", "init", "remove", "version", "new", "source"];
    const OTHERS: [&str; 11] =
        ["install", "sync", "run", "export", "config", "check", "build", "show", "cache", "env", "self"];
    let words = shell::raw_words(text);
    let reads = words.first().is_some_and(|program| READERS.contains(program));
    if reads && !text.contains(['>', '|', '&', ';', '\n', '`', '$']) {
        return false;
    }
    let named = PROJECT_FILES.iter().any(|file| text.contains(file));
    let mut behind = words.iter().skip_while(|word| word.rsplit('/').next() != Some("poetry")).skip(1);
    let command = behind.find(|word| CHANGING.contains(word) || OTHERS.contains(word));
    let changed = command.is_some_and(|command| CHANGING.contains(command));
    let configured = name == "poetry.toml" && text.contains("--local");
    (named || changed) && !configured
}

/// The paths in a copy's source that would stand at `path` after it. Which of them exists decides.
fn sources(copy: &pb::FileActionCopy, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (folder, pattern) = copy.src.trim_end_matches('/').rsplit_once('/').unwrap_or(("", &copy.src));
    let dest = copy.dest.trim_end_matches('/');
    // A folder whose content is copied, or that is copied as a whole.
    if let Some(rest) = path.strip_prefix(dest).filter(|rest| rest.starts_with('/')) {
        found.push(format!("{}{rest}", copy.src.trim_end_matches('/')));
    }
    // A file into a folder.
    let matches = pattern == name || copy.allow_wildcard && glob::matches(pattern, name);
    if parent == dest && matches {
        found.push(format!("{folder}/{name}"));
    }
    // A file under a name of its own.
    if path == copy.dest {
        found.push(copy.src.clone());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_may_change_a_project() {
        for script in [
            "rm -f poetry.lock",
            "sed -i s/a/b/ /app/pyproject.toml",
            "cp pyproject.prod.toml pyproject.toml",
            "echo x >> pyproject.toml",
            "cd /app && poetry -n lock",
            "/opt/poetry/bin/poetry -C api update",
            "python -m poetry source add x https://x.example",
            "for f in *; do poetry lock; done",
        ] {
            assert!(may_change(script, "poetry.lock"), "{script}");
        }
        for script in [
            "[ -f pyproject.toml ] && chmod 644 poetry.lock",
            "cat poetry.lock && ls",
            "poetry install --with lock",
            "pip install poetry && test -f pyproject.toml",
        ] {
            assert!(!may_change(script, "poetry.lock"), "{script}");
        }
        assert!(!may_change("poetry config --local virtualenvs.create false", "poetry.toml"));
    }

    #[test]
    fn sources_of_copies() {
        let copy = |src: &str, dest: &str| pb::FileActionCopy {
            src: src.into(),
            dest: dest.into(),
            allow_wildcard: true,
            dir_copy_contents: true,
            ..Default::default()
        };
        for (src, dest, path, expected) in [
            ("/", "/app/", "/app/poetry.lock", vec!["/poetry.lock"]),
            ("/poetry.lock", "/app/", "/app/poetry.lock", vec!["/poetry.lock/poetry.lock", "/poetry.lock"]),
            ("/poetry.lock*", "/app/", "/app/poetry.lock", vec!["/poetry.lock*/poetry.lock", "/poetry.lock"]),
            ("/api/*.toml", "/app", "/app/pyproject.toml", vec!["/api/*.toml/pyproject.toml", "/api/pyproject.toml"]),
            ("/a.lock", "/app/poetry.lock", "/app/poetry.lock", vec!["/a.lock"]),
            ("/services", "/app/services", "/app/services/api/poetry.lock", vec!["/services/api/poetry.lock"]),
            ("/other", "/x/", "/app/poetry.lock", vec![]),
            ("/", "/", "/poetry.lock", vec!["/poetry.lock"]),
        ] {
            assert_eq!(sources(&copy(src, dest), path), expected, "{src} {dest} {path}");
        }
    }
}
