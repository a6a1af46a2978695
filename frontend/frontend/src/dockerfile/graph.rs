//! The graph of a Dockerfile, and its processes with their scripts, each read once.

use std::{collections::BTreeMap, rc::Rc};

use buildkit_llb::{OpenVertex, Output};
use buildkit_proto::pb;
use install_request::DEFAULT_PATH;
use shell::{Call, Reading, Shell, State, Value};

use super::{
    programs::{self, Meaning},
    rules::{self, Reason},
};
use crate::layout::normalized;

/// The graph of a Dockerfile.
pub(super) struct Graph {
    /// Its result.
    pub(super) output: Output,
    /// Its vertices, inputs before users.
    pub(super) vertices: Vec<OpenVertex>,
    /// Its processes, by the digests of their vertices.
    pub(super) steps: BTreeMap<String, Step>,
}

/// A command of a step: the digest of the step's vertex, and the command's number in its script.
pub(super) type At = (String, usize);

/// A process of a Dockerfile, as `RUN` makes it.
#[derive(Clone)]
pub(super) struct Step {
    /// Its vertex.
    pub(super) vertex: OpenVertex,
    /// Its op.
    pub(super) exec: pb::ExecOp,
    /// The file system that it changes.
    pub(super) root: Output,
    /// Which output of the vertex it is afterwards.
    pub(super) output: i64,
    /// The user by name or number; empty for root.
    pub(super) user: String,
    /// What it runs.
    pub(super) process: Process,
}

/// What a process runs.
#[derive(Clone)]
pub(super) enum Process {
    /// A script that was read.
    Read(Rc<Script>),
    /// One that was not: its text, and why.
    Unread(String, Reason),
}

/// A script that was read.
pub(super) struct Script {
    /// What it does.
    pub(super) reading: Reading,
    /// What each of its calls has to do with Poetry.
    pub(super) meanings: Vec<Meaning>,
    /// The arguments in front of the script.
    pub(super) shell: Vec<String>,
}

/// A call and what it means.
#[derive(Clone, Copy)]
pub(super) struct Command<'a> {
    /// Its number in its script.
    pub(super) index: usize,
    /// The call.
    pub(super) call: &'a Call,
    /// What it has to do with Poetry.
    pub(super) meaning: &'a Meaning,
}

impl Graph {
    /// Reads a graph.
    pub(super) fn read(output: &Output) -> Self {
        let vertices = output.vertices();
        let steps = vertices.iter().filter_map(|vertex| Some((vertex.digest().to_owned(), Step::of(vertex)?)));
        Self { output: output.clone(), steps: steps.collect(), vertices }
    }
}

impl Step {
    /// Reads a vertex. `None` if it is no process of a Dockerfile.
    pub(super) fn of(vertex: &OpenVertex) -> Option<Self> {
        let Some(pb::op::Op::Exec(exec)) = vertex.op().op else { return None };
        let mount = exec.mounts.iter().find(|mount| mount.dest == "/" && mount.selector.is_empty())?;
        let root = vertex.inputs().get(usize::try_from(mount.input).ok()?)?.clone();
        let output = mount.output;
        let meta = exec.meta.as_ref()?;
        let user = if is_root(&meta.user) { String::new() } else { meta.user.clone() };
        // Root's is looked up when the step is decided on.
        let home = user.is_empty().then_some("/root");
        let process = process(&exec, home)?;
        Some(Self { vertex: vertex.clone(), exec, root, output, user, process })
    }

    /// Whether the home of its user is told by its variables.
    pub(super) fn names_home(&self) -> bool {
        let mut variables = self.exec.meta.iter().flat_map(|meta| &meta.env);
        variables.any(|entry| entry.starts_with("HOME="))
    }

    /// The same in another home of its user.
    pub(super) fn at_home(&self, home: &str) -> Self {
        let process = process(&self.exec, Some(home)).unwrap_or_else(|| self.process.clone());
        Self { process, ..self.clone() }
    }

    /// Its script, if that was read.
    pub(super) fn script(&self) -> Option<&Rc<Script>> {
        match &self.process {
            Process::Read(script) => Some(script),
            Process::Unread(..) => None,
        }
    }

    /// Its commands in their order.
    pub(super) fn commands(&self) -> impl Iterator<Item = Command<'_>> {
        let script = self.script().map(Rc::as_ref);
        let calls = script.into_iter().flat_map(|script| script.reading.calls.iter().zip(&script.meanings));
        calls.enumerate().map(|(index, (call, meaning))| Command { index, call, meaning })
    }

    /// The text of its script.
    pub(super) fn text(&self) -> &str {
        match &self.process {
            Process::Read(script) => &script.reading.text,
            Process::Unread(text, _) => text,
        }
    }

    /// Why it needs Poetry, if it does by what it says itself.
    pub(super) fn needs(&self) -> Option<Reason> {
        match &self.process {
            Process::Unread(text, reason) => text.contains("poetry").then(|| reason.clone()),
            Process::Read(script) => {
                let reading = &script.reading;
                let mut reasons = self.commands().filter_map(|command| match command.meaning {
                    Meaning::Needs(reason) => Some(reason.clone()),
                    _ => None,
                });
                let concerns = script.meanings.iter().any(|meaning| !matches!(meaning, Meaning::Other));
                let fails = || {
                    let detail = "the script ends with an error by itself";
                    (reading.fails && concerns).then(|| Reason::new(&rules::SCRIPT_FAILS, detail))
                };
                // What is not followed, such as `eval`, may run it.
                let strays = || {
                    let detail = "it has commands that change the shell in ways that are not followed";
                    (reading.strays && reading.text.contains("poetry")).then(|| Reason::new(&rules::CONDITION, detail))
                };
                reasons.next().or_else(fails).or_else(strays)
            }
        }
    }

    /// The mount that a path is in: what is mounted, and the path there; `None` if it is in none.
    pub(super) fn mount_at(&self, path: &str) -> Option<Mounted> {
        let mounts = self.exec.mounts.iter().filter(|mount| mount.dest != "/");
        let inside = |mount: &pb::Mount| {
            let rest = path.strip_prefix(mount.dest.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
        };
        let (mount, rest) =
            mounts.filter_map(|mount| Some((mount, inside(mount)?))).max_by_key(|(mount, _)| mount.dest.len())?;
        let is_bound = mount.mount_type == pb::MountType::Bind as i32;
        let inputs = self.vertex.inputs();
        let input = usize::try_from(mount.input).ok().and_then(|index| inputs.get(index)).filter(|_| is_bound);
        Some(match input {
            Some(input) => Mounted::Tree {
                output: input.clone(),
                path: format!("/{}", normalized(&format!("{}{rest}", mount.selector))),
                is_fixed: mount.readonly,
            },
            None => Mounted::Unknown,
        })
    }

    /// Whether a mount covers a path, or is somewhere below it.
    pub(super) fn is_mounted(&self, path: &str) -> bool {
        let is_below = |path: &str, folder: &str| crate::layout::is_below(path, folder.trim_end_matches('/'));
        let mut mounts = self.exec.mounts.iter().filter(|mount| mount.dest != "/");
        mounts.any(|mount| is_below(path, &mount.dest) || is_below(&mount.dest, path))
    }
}

/// What a path in a mount leads to.
pub(super) enum Mounted {
    /// A path in an output, and whether commands of the step cannot change it.
    Tree { output: Output, path: String, is_fixed: bool },
    /// Something that is not known, such as a cache or a secret.
    Unknown,
}

impl Command<'_> {
    /// The value of a variable that it sees; `None` if it has none.
    ///
    /// # Errors
    /// If only the running shell knows.
    pub(super) fn variable(&self, name: &str) -> Result<Option<String>, Reason> {
        match self.call.variable(name) {
            Value::Known(value) => Ok(Some(value)),
            Value::Unset => Ok(None),
            Value::Unknown => {
                let detail = format!("only the running shell knows the value of {name}");
                Err(Reason::new(&rules::UNKNOWN_WORD, detail))
            }
        }
    }

    /// The names of variables that it may see.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.call.assignments.iter().map(|(name, _)| name.as_str());
        self.call.state.names().chain(own).filter(|name| self.call.variable(name) != Value::Unset)
    }

    /// The working folder.
    ///
    /// # Errors
    /// If only the running shell knows.
    pub(super) fn folder(&self) -> Result<&str, Reason> {
        let unknown = || Reason::new(&rules::FOLDER, "only the running shell knows the working folder");
        self.call.state.folder().ok_or_else(unknown)
    }

    /// An absolute path of one that may be relative to the working folder.
    ///
    /// # Errors
    /// If only the running shell knows the folder.
    pub(super) fn absolute(&self, path: &str) -> Result<String, Reason> {
        let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.folder()?) };
        Ok(format!("/{}", normalized(&whole)))
    }

    /// The absolute paths that its operands may name, all words without a dash taken for paths; of a pattern, the folder that it begins in.
    /// `None` if one of them is not known.
    pub(super) fn operands(&self) -> Option<Vec<String>> {
        let mut found = Vec::new();
        for field in self.call.fields.iter().skip(1) {
            let path = match (&field.text, &field.pattern) {
                (Some(word), _) if word.starts_with('-') => continue,
                (Some(word), _) => self.absolute(word),
                (None, Some(pattern)) => {
                    let end = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
                    let folder = pattern[..end]
                        .rsplit_once('/')
                        .map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder });
                    self.absolute(folder)
                }
                (None, None) => return None,
            };
            found.push(path.ok()?);
        }
        Some(found)
    }

    /// The program that is called, without its folder; empty if that is not known.
    pub(super) fn program(&self) -> &str {
        programs::base(self.call.program().unwrap_or_default())
    }
}

/// Whether a user is root.
pub(super) fn is_root(user: &str) -> bool {
    ["", "root", "0"].contains(&user.split(':').next().unwrap_or_default())
}

/// What a shell knows that begins with an environment, each entry as `NAME=value`.
pub(super) fn state<'a>(environment: impl IntoIterator<Item = &'a String>, folder: &str, home: Option<&str>) -> State {
    let variables = environment.into_iter().filter_map(|entry| entry.split_once('='));
    let mut variables: BTreeMap<String, Value> =
        variables.map(|(name, value)| (name.to_owned(), Value::Known(value.to_owned()))).collect();
    let home = home.map_or(Value::Unknown, |home| Value::Known(home.to_owned()));
    variables.entry("HOME".to_owned()).or_insert(home);
    variables.entry("PATH".to_owned()).or_insert_with(|| Value::Known(DEFAULT_PATH.to_owned()));
    State::new(variables, if folder.is_empty() { "/" } else { folder })
}

/// What the process of an op runs.
fn process(exec: &pb::ExecOp, home: Option<&str>) -> Option<Process> {
    let meta = exec.meta.as_ref()?;
    let mut environment = meta.env.clone();
    // What a secret is, the shell alone knows.
    environment.retain(|entry| !exec.secretenv.iter().any(|secret| entry.starts_with(&format!("{}=", secret.name))));
    let mut state = state(&environment, &meta.cwd, home);
    for secret in &exec.secretenv {
        state = state.with_unknown(&secret.name);
    }
    Some(read(&meta.args, state))
}

/// Reads the arguments of a process: those of a shell, or a program with its own.
pub(super) fn read(arguments: &[String], state: State) -> Process {
    let unread = |text: &str, rule, detail: String| Process::Unread(text.to_owned(), Reason::new(rule, detail));
    let (mut arguments, mut state) = (arguments.to_vec(), state);
    loop {
        let text = arguments.last().cloned().unwrap_or_default();
        let reading = match Shell::of(&arguments) {
            None => {
                let reading = shell::program(&arguments, state);
                return Process::Read(Rc::new(Script::new(reading, vec!["/bin/sh".into(), "-c".into()])));
            }
            Some(Err(error)) => return unread(&arguments.join(" "), &rules::SHELL_START, error.to_string()),
            Some(Ok((shell, text))) => shell::read(text, &shell, state),
        };
        let reading = match reading {
            Ok(reading) => reading,
            Err(shell::Unread::Start(error)) => return unread(&text, &rules::SHELL_START, error.to_string()),
            Err(shell::Unread::Text(error)) => {
                return unread(&text, &rules::SHELL_SYNTAX, format!("its script has {}", error.what));
            }
        };
        // A shell that does nothing but start another one with a script.
        match inner(&reading) {
            Some((inner, inner_state)) => (arguments, state) = (inner, inner_state),
            None => {
                arguments.pop();
                return Process::Read(Rc::new(Script::new(reading, arguments)));
            }
        }
    }
}

/// The shell that a script starts, if it does nothing else.
fn inner(reading: &Reading) -> Option<(Vec<String>, State)> {
    let call = reading.only_call()?;
    let is_plain = call.assignments.is_empty() && call.redirects.is_empty();
    let words: Vec<String> = call.words()?.into_iter().map(str::to_owned).collect();
    (is_plain && Shell::of(&words).is_some()).then(|| (words, call.state.of_program()))
}

impl Script {
    fn new(reading: Reading, shell: Vec<String>) -> Self {
        let meanings = programs::meanings(&reading);
        Self { reading, meanings, shell }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A script that `sh` runs in /app with some variables.
    pub(in crate::dockerfile) fn script(text: &str) -> Rc<Script> {
        let environment =
            ["PATH=/usr/bin", "POETRY_HOME=/opt/poetry", "GROUPS_OF=--only main", "DEV="].map(str::to_owned);
        let arguments = ["/bin/sh", "-c", text].map(str::to_owned);
        match read(&arguments, state(&environment, "/app", Some("/root"))) {
            Process::Read(script) => script,
            Process::Unread(_, reason) => panic!("{text}: {reason:?}"),
        }
    }

    #[test]
    fn a_shell_within_a_shell_is_the_shell() {
        let script = script("bash -euc 'cd api && poetry install'");
        assert_eq!(script.shell, ["bash", "-euc"]);
        assert!(matches!(script.meanings[..], [Meaning::Install(_)]));
        assert_eq!(script.reading.calls[0].state.folder(), Some("/app/api"));
    }

    #[test]
    fn what_is_not_read_is_left_where_poetry_is_named() {
        let of = |text: &str| {
            let arguments = ["/bin/sh", "-c", text].map(str::to_owned);
            read(&arguments, state(&[], "/app", Some("/root")))
        };
        assert!(
            matches!(of("poetry install &> log"), Process::Unread(text, reason) if text.contains("poetry") && reason.rule == &rules::SHELL_SYNTAX)
        );
        let login = ["bash", "-lc", "poetry install"].map(str::to_owned);
        assert!(
            matches!(read(&login, state(&[], "/", None)), Process::Unread(_, reason) if reason.rule == &rules::SHELL_START)
        );
    }
}
