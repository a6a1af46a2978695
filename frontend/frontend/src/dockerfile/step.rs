//! What holds when a process of a Dockerfile runs, and what came before it.

use buildkit_llb::{OpenVertex, Output};
use buildkit_proto::pb;

use super::{
    command::{self, Command, Prefix},
    shell::{self, Change, Segment, Variables},
};
use crate::layout::normalized;

/// A `RUN` instruction.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its vertex.
    pub vertex: OpenVertex,
    /// Its op.
    pub exec: pb::ExecOp,
    /// The file system that it changes.
    pub root: Output,
    /// Which output of the vertex it is afterwards.
    pub output: i64,
    /// Its script, read as far as that is possible.
    pub script: Script,
}

/// The script of a `RUN` instruction.
#[derive(Debug, Clone)]
pub enum Script {
    /// Has nothing to do with Poetry, as far as can be seen.
    Other,
    /// Names Poetry, and cannot be read: why.
    Unread(String),
    /// Commands in their order.
    Commands(Vec<Part>),
}

/// A command of a step: the digest of the step's vertex, and the command's place in its script.
pub type At = (String, usize);

/// A command of a script.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its text.
    pub segment: Segment,
    /// What it is.
    pub command: Command,
    /// What holds when it runs.
    pub scene: Scene,
}

impl Part {
    /// The words of the command, expanded where it is a simple one.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let simple = shell::simple(&self.segment.text, &self.scene.variables);
        simple.map_or_else(|| raw_words(&self.segment.text), |simple| simple.words)
    }
}

fn raw_words(text: &str) -> Vec<String> {
    shell::raw_words(text).into_iter().map(str::to_owned).collect()
}

/// What holds when a command runs.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// The environment variables, and those of the shell.
    pub variables: Variables,
    /// The absolute path of the working folder.
    pub folder: String,
    /// The user by name or number; empty for root.
    pub user: String,
    /// Whether the environment says where the user's home is.
    pub names_home: bool,
}

impl Scene {
    /// What holds for a process with this environment, each entry as `NAME=value`.
    pub fn new<'a>(environment: impl IntoIterator<Item = &'a String>, folder: &str, user: &str) -> Self {
        let variables = environment.into_iter().filter_map(|entry| entry.split_once('='));
        let mut variables: Variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let is_root = is_root(user);
        let names_home = variables.contains_key("HOME");
        let home = if is_root { "/root" } else { shell::USERS_HOME };
        variables.entry("HOME".to_owned()).or_insert_with(|| home.to_owned());
        let folder = if folder.is_empty() { "/" } else { folder };
        let user = if is_root { String::new() } else { user.to_owned() };
        Self { variables, folder: folder.to_owned(), user, names_home }
    }

    /// An absolute path of one that may be relative to the working folder.
    #[must_use]
    pub fn absolute(&self, path: &str) -> String {
        if path.starts_with(shell::USERS_HOME) {
            return normalized(path);
        }
        let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.folder) };
        format!("/{}", normalized(&whole))
    }

    /// A variable that decides where and how Poetry installs and whose value is not known.
    #[must_use]
    pub fn unknown(&self) -> Option<&str> {
        const OTHERS: [&str; 7] =
            ["PATH", "HOME", "VIRTUAL_ENV", "CONDA_PREFIX", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];
        let decides = |name: &str| {
            name.starts_with("POETRY_") || OTHERS.contains(&name) || name.to_ascii_lowercase().ends_with("_proxy")
        };
        if self.variables.contains_key(shell::ALL) {
            return Some("a variable");
        }
        let mut unknown = self.variables.iter().filter(|(_, value)| *value == shell::UNKNOWN);
        unknown.find(|(name, _)| decides(name)).map(|(name, _)| name.as_str())
    }

    fn apply(&mut self, prefix: &Prefix) {
        match prefix {
            Prefix::Folder(folder) => self.folder = self.absolute(folder),
            Prefix::Variables(pairs) => self.variables.extend(pairs.iter().cloned()),
            Prefix::Assigned(pairs) => {
                for (name, value) in pairs {
                    let is_hidden = is_for_poetry_alone(name) && !self.variables.contains_key(name);
                    let value = if is_hidden { shell::UNKNOWN } else { value };
                    self.variables.insert(name.clone(), value.to_owned());
                }
            }
            Prefix::Activate(venv) => {
                let venv = self.absolute(venv);
                let path = self.variables.get("PATH").cloned().unwrap_or_default();
                self.variables.insert("PATH".to_owned(), format!("{venv}/bin:{path}"));
                self.variables.insert("VIRTUAL_ENV".to_owned(), venv);
            }
            Prefix::Options => {}
        }
    }
}

/// Whether a variable says something to Poetry, and hardly anything to a script that expands it.
fn is_for_poetry_alone(name: &str) -> bool {
    ["POETRY_VIRTUALENVS_", "POETRY_INSTALLER_"].iter().any(|start| name.starts_with(start)) || name == "VIRTUAL_ENV"
}

/// Whether a user is root.
#[must_use]
pub fn is_root(user: &str) -> bool {
    ["", "root", "0"].contains(&user.split(':').next().unwrap_or_default())
}

impl Step {
    /// Reads a vertex. `None` if it is no process of a Dockerfile.
    #[must_use]
    pub fn of(vertex: &OpenVertex) -> Option<Self> {
        let Some(pb::op::Op::Exec(exec)) = vertex.op().op else { return None };
        let mount = exec.mounts.iter().find(|mount| mount.dest == "/" && mount.selector.is_empty())?;
        let root = vertex.inputs().get(usize::try_from(mount.input).ok()?)?.clone();
        let output = mount.output;
        let script = script(&exec.meta.as_ref()?.args, scene(&exec)?);
        Some(Self { vertex: vertex.clone(), exec, root, output, script })
    }

    /// The same step, in the user's home where that is not known from the environment.
    #[must_use]
    pub fn at_home(&self, home: &str) -> Self {
        let arguments = self.exec.meta.as_ref().map(|meta| meta.args.clone()).unwrap_or_default();
        let mut scene = scene(&self.exec).unwrap_or_default();
        scene.variables.insert("HOME".to_owned(), home.to_owned());
        Self { script: script(&arguments, scene), ..self.clone() }
    }

    /// What holds when it begins.
    #[must_use]
    pub fn scene(&self) -> Scene {
        scene(&self.exec).unwrap_or_default()
    }

    /// The words of all commands that can be told, also where nothing is known of Poetry, and what holds when they run.
    #[must_use]
    pub fn calls(&self) -> Vec<(Vec<String>, Scene)> {
        let (Some(scene), text) = (scene(&self.exec), self.text()) else { return Vec::new() };
        let Some(segments) = shell::segments(&text) else { return vec![(raw_words(&text), scene)] };
        let words = |part: Part| match &part.command {
            Command::Other => Some((part.words(), part.scene)),
            // What stands behind `poetry run`.
            Command::Run(words) => Some((words.clone(), part.scene)),
            _ => None,
        };
        read(segments, scene).into_iter().filter_map(words).collect()
    }

    /// Why the step needs Poetry, if it does by itself.
    #[must_use]
    pub fn needs(&self) -> Option<String> {
        match &self.script {
            Script::Other => None,
            Script::Unread(reason) => Some(reason.clone()),
            Script::Commands(parts) => parts.iter().find_map(|part| match &part.command {
                Command::Needs(reason) => Some(reason.clone()),
                _ => None,
            }),
        }
    }

    /// Its commands.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        match &self.script {
            Script::Commands(parts) => parts,
            _ => &[],
        }
    }

    /// The text of its script.
    #[must_use]
    pub fn text(&self) -> String {
        let arguments = self.exec.meta.as_ref().map(|meta| meta.args.clone()).unwrap_or_default();
        if has_shell(&arguments) { arguments.last().cloned().unwrap_or_default() } else { arguments.join(" ") }
    }
}

/// What holds when a process begins.
fn scene(exec: &pb::ExecOp) -> Option<Scene> {
    let meta = exec.meta.as_ref()?;
    let mut scene = Scene::new(&meta.env, &meta.cwd, &meta.user);
    // Secrets that the process sees as variables.
    let secrets = exec.secretenv.iter().map(|secret| (secret.name.clone(), shell::UNKNOWN.to_owned()));
    scene.variables.extend(secrets);
    Some(scene)
}

/// Whether the arguments of a process are a shell with its options and a script.
#[must_use]
pub fn has_shell(arguments: &[String]) -> bool {
    let is_shell =
        |program: &str| ["sh", "bash", "ash", "dash"].contains(&program.rsplit('/').next().unwrap_or(program));
    match arguments {
        [program, .., option, _] => is_shell(program) && option.starts_with('-') && option.ends_with('c'),
        _ => false,
    }
}

/// Reads the arguments of a process: those of a shell, or a program with its own.
fn script(arguments: &[String], scene: Scene) -> Script {
    let text = match arguments {
        [.., script] if has_shell(arguments) => script.clone(),
        words => words.iter().map(|word| shell::quoted(word)).collect::<Vec<_>>().join(" "),
    };
    let named = text.contains("poetry");
    let Some(segments) = shell::segments(&text) else {
        let unread = command::names_poetry(&text);
        return if unread {
            Script::Unread("its shell script cannot be read with certainty".to_owned())
        } else {
            Script::Other
        };
    };
    // Where Poetry is not named its environment may still be, e.g. by a variable.
    let mut parts = read(segments, scene);
    let concerns = |part: &Part| !matches!(part.command, Command::Other | Command::Prefix(_) | Command::Clean(_));
    if !named && !parts.iter().any(concerns) {
        parts.clear();
    }
    if parts.is_empty() { Script::Other } else { Script::Commands(parts) }
}

/// Reads the commands of a script, each with what holds when it runs.
#[must_use]
pub fn read(segments: Vec<Segment>, mut scene: Scene) -> Vec<Part> {
    segments
        .into_iter()
        .map(|segment| {
            let command = command::command(&segment.text, &scene.variables);
            let here = scene.clone();
            match &command {
                Command::Prefix(prefix) => scene.apply(prefix),
                _ => {
                    let set = shell::set_by(&segment.text, &scene.variables).into_iter();
                    scene.variables.extend(set.map(|name| (name, shell::UNKNOWN.to_owned())));
                }
            }
            Part { segment, command, scene: here }
        })
        .collect()
}

/// Why a script cannot be cut in front of a command, if the commands would not do what they do in one shell.
#[must_use]
pub fn inseparable(parts: &[Part], index: usize) -> Option<String> {
    let (before, behind) = parts.split_at(index);
    let runs = |part: &&Part| {
        matches!(part.command, Command::Other | Command::Run { .. } | Command::Provides { rest: Some(_), .. })
    };
    let runs_behind = behind.iter().skip(1).any(|part| runs(&part));
    for text in before.iter().filter(runs).map(|part| &part.segment.text) {
        match shell::change(text) {
            Change::None => {}
            Change::Variables if !runs_behind => {}
            _ => return Some(format!("a shell of its own for it would not know what `{text}` sets")),
        }
    }
    // Whether anything comes behind the commands that are tied together by `&&`.
    let goes_on = behind.iter().skip_while(|part| part.segment.separator == "&&").count() > 1;
    let mut tied = before.iter().rev().take_while(|part| part.segment.separator == "&&");
    let condition = tied.find(|part| shell::is_condition(&part.segment.text)).filter(|_| goes_on);
    condition.map(|part| format!("whether it runs depends on `{}`", part.segment.text))
}

/// The mount of a step that a path is in, and the path in what is mounted.
pub(super) fn mount_at(step: &Step, path: &str) -> Option<(Output, String)> {
    let inputs = step.vertex.inputs();
    let mounts = step.exec.mounts.iter().filter(|mount| mount.dest != "/" && mount.input >= 0);
    mounts
        .filter_map(|mount| {
            let rest = path.strip_prefix(mount.dest.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then_some((mount, rest))
        })
        .max_by_key(|(mount, _)| mount.dest.len())
        .and_then(|(mount, rest)| {
            let input = inputs.get(usize::try_from(mount.input).ok()?)?.clone();
            Some((input, format!("/{}", normalized(&format!("{}{rest}", mount.selector)))))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(script: &[&str]) -> Vec<(String, Command, String)> {
        let arguments: Vec<String> = script.iter().map(|word| (*word).to_owned()).collect();
        let environment = ["PATH=/usr/bin".to_owned(), "DIR=/srv".to_owned()];
        match super::script(&arguments, Scene::new(&environment, "/app", "")) {
            Script::Commands(parts) => {
                parts.into_iter().map(|part| (part.segment.text, part.command, part.scene.folder)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn folders_and_variables_hold_for_the_commands_behind_them() {
        let parts = parts(&[
            "/bin/bash",
            "-o",
            "pipefail",
            "-c",
            "cd api && export A=1 && cd $DIR/x; poetry install --only=$A",
        ]);
        assert_eq!(parts[3].2, "/srv/x");
        let Command::Install(install) = &parts[3].1 else { panic!("an install") };
        assert_eq!(install.options.groups.only[0].as_str(), "1");
    }

    #[test]
    fn what_a_program_puts_into_a_variable_is_left_to_the_shell() {
        let parts = parts(&["/bin/sh", "-c", "export A=$(cat x) && poetry install $A && poetry install"]);
        let mut scene = Scene::new(&[], "/", "");
        assert_eq!(scene.unknown(), None);
        scene.variables.insert("A".to_owned(), shell::UNKNOWN.to_owned());
        assert_eq!(scene.unknown(), None);
        scene.variables.insert("PATH".to_owned(), shell::UNKNOWN.to_owned());
        assert_eq!(scene.unknown(), Some("PATH"));
        assert!(matches!(parts[1].1, Command::Needs(_)) && matches!(parts[2].1, Command::Install(_)), "{parts:?}");
    }

    #[test]
    fn scripts_that_cannot_be_cut() {
        let reason = |script: &str| {
            let arguments = ["/bin/sh", "-c", script].map(str::to_owned);
            let Script::Commands(parts) = super::script(&arguments, Scene::new(&[], "/app", "")) else {
                panic!("{script}")
            };
            let index = parts.iter().position(|part| matches!(part.command, Command::Install(_))).unwrap();
            inseparable(&parts, index)
        };
        for script in [
            "make && poetry install && make",
            "V=$(x) && poetry install && poetry cache clear --all .",
            "cd api && export A=1 && poetry install; make",
            "[ -f x ] && make; poetry install; make",
            "[ -f x ] && poetry install",
            "(cd x && umask 0) && poetry install && make",
        ] {
            assert_eq!(reason(script), None, "{script}");
        }
        for (script, expected) in [
            ("V=$(x) && poetry install && make", "would not know what `V=$(x)` sets"),
            ("umask 027; poetry install", "would not know what `umask 027` sets"),
            ("redis-server & \n poetry install", "would not know what `redis-server &` sets"),
            ("[ -f x ] && poetry install; make", "depends on `[ -f x ]`"),
            ("test -n \"$A\" && make && poetry install && make; make", "depends on `test -n"),
        ] {
            assert!(reason(script).is_some_and(|reason| reason.contains(expected)), "{script}: {:?}", reason(script));
        }
    }

    #[test]
    fn the_form_without_a_shell_is_read_too() {
        let parts = parts(&["poetry", "install", "-E", "a b"]);
        assert!(matches!(&parts[0].1, Command::Install(install) if install.options.extras.len() == 2));
    }
}
