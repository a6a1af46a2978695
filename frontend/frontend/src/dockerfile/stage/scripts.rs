//! Poetry that is run without being named in the Dockerfile: by a script of the user's, or by what `make` and its like read.
//!
//! What a program does that is not known cannot be told for certain. This finds what people do; a file is looked at where the
//! client brought it.

use std::rc::Rc;

use buildkit_llb::Output;

use super::{
    files::{Look, Origin, origin},
    history::Steps,
};
use crate::{
    dockerfile::{
        facts::Facts,
        graph::{Command, Mounted, Process, Step},
        programs::{self, Meaning, base, table},
        rules::{self, Reason},
    },
    error::Error,
};

/// The size of the largest file, in bytes, that is taken for a script.
const MAX_BYTES: i64 = 1 << 20;

/// The files in which programs find what they are to run: relative to the working folder, or absolute.
const TASKS: [(&str, &[&str]); 10] = [
    ("make", &["GNUmakefile", "makefile", "Makefile"]),
    ("just", &["justfile", "Justfile", ".justfile"]),
    ("task", &["Taskfile.yml", "Taskfile.yaml"]),
    ("tox", &["tox.ini"]),
    ("nox", &["noxfile.py"]),
    ("invoke", &["tasks.py"]),
    ("inv", &["tasks.py"]),
    ("honcho", &["Procfile"]),
    ("foreman", &["Procfile"]),
    (
        "supervisord",
        &[
            "supervisord.conf",
            "/etc/supervisord.conf",
            "/etc/supervisor/supervisord.conf",
            "/etc/supervisor/conf.d/supervisord.conf",
        ],
    ),
];

/// The ends of the names of files that hold commands.
const EXTENSIONS: [&str; 7] = ["sh", "bash", "py", "mk", "conf", "ini", "cfg"];

/// A file that names Poetry, which what the image starts with runs.
pub(in crate::dockerfile) struct Naming {
    /// Its path.
    pub(in crate::dockerfile) path: String,
    /// Its text.
    pub(in crate::dockerfile) text: String,
}

/// Why a step needs Poetry, if a file of the user's that it runs names it. Files that images bring are not looked into, nor are those
/// that cannot be told.
pub(in crate::dockerfile) async fn of_step(
    facts: &Facts<'_>,
    steps: &Steps,
    step: &Rc<Step>,
) -> Result<Option<Reason>, Error> {
    for path in of_process(step) {
        let mounted = step.mount_at(&path);
        let (state, inside) = match mounted {
            Some(Mounted::Tree { output, path, .. }) => (output, path),
            Some(Mounted::Unknown) => continue,
            None => (step.root.clone(), path.clone()),
        };
        if naming(facts, steps, &state, &inside).await?.is_some() {
            return Ok(Some(Reason::new(&rules::RUNS_POETRY, format!("{path} runs Poetry"))));
        }
    }
    Ok(None)
}

/// The files of the user's that name Poetry among those that an image runs, on its last state. The application's own modules are
/// taken not to run Poetry.
pub(in crate::dockerfile) async fn of_image(
    facts: &Facts<'_>,
    steps: &Steps,
    state: &Output,
    paths: &[String],
) -> Result<Vec<Naming>, Error> {
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| !is_python(path)) {
        let text = naming(facts, steps, state, path).await?;
        found.extend(text.map(|text| Naming { path: path.clone(), text }));
    }
    Ok(found)
}

/// Whether Poetry is installed in a step.
pub(in crate::dockerfile) fn provides(step: &Step) -> bool {
    step.commands().any(|command| matches!(command.meaning, Meaning::InstallsPoetry(_)))
}

fn is_python(path: &str) -> bool {
    path.ends_with(".py")
}

/// The text of a file of the user's that names Poetry.
async fn naming(facts: &Facts<'_>, steps: &Steps, state: &Output, path: &str) -> Result<Option<String>, Error> {
    let bytes = match origin(facts, steps, state, path, Look::Clients).await? {
        Origin::At(output, path) => {
            let is_script = facts.stat(&output, &path).await?.is_some_and(|stat| stat.size <= MAX_BYTES);
            if is_script { facts.file(&output, &path).await? } else { None }
        }
        Origin::Text(bytes) => Some(bytes),
        Origin::Nowhere | Origin::Unknown | Origin::Made(_) => None,
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // The table of pyproject.toml has that name as well.
    let calls = |line: &str| match is_python(path) {
        true => ["\"poetry\",", "'poetry',", "poetry install", "poetry run", "poetry export", "poetry build"]
            .iter()
            .any(|call| line.contains(call)),
        false => programs::names_poetry(line),
    };
    // `;` begins a comment of a configuration, and no command.
    let names = text.lines().any(|line| !line.trim_start().starts_with(['#', ';']) && calls(line));
    Ok(names.then_some(text))
}

/// The absolute paths of files that a process may run or take what it runs from.
fn of_process(step: &Step) -> Vec<String> {
    match &step.process {
        Process::Read(_) => step.commands().flat_map(|command| of_command(&command)).collect(),
        // The words of a text that is not read, each of which may be a script.
        Process::Unread(text, _) => {
            let folder = step.exec.meta.as_ref().map_or("/", |meta| meta.cwd.as_str());
            let is_script = |word: &&str| word.ends_with(".sh") || word.contains('/');
            let words = text.split_whitespace().map(|word| word.trim_matches(['"', '\'', ';', '(', ')']));
            words.filter(is_script).map(|word| absolute(folder, word)).collect()
        }
    }
}

/// The absolute paths of files that a command may run or take what it runs from.
pub(in crate::dockerfile) fn of_command(command: &Command<'_>) -> Vec<String> {
    let folder = command.folder().unwrap_or("/").to_owned();
    let words: Vec<&str> = match command.meaning {
        // What stands behind `poetry run`.
        Meaning::Run { words, .. } => words.iter().map(String::as_str).collect(),
        Meaning::Other | Meaning::Needs(_) | Meaning::PipInstall(_) => {
            command.call.fields.iter().filter_map(|field| field.text.as_deref()).collect()
        }
        _ => return Vec::new(),
    };
    let path = command.call.variable("PATH").known().unwrap_or_default().to_owned();
    scripts(&words, &folder, &path)
}

fn absolute(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    format!("/{}", crate::layout::normalized(&whole))
}

fn scripts(words: &[&str], folder: &str, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let program = words.first().map_or("", |word| base(word));
    if table::runs_nothing(program, words) {
        return found;
    }
    // A word may be a script of its own, as behind `-c`.
    let words = words.iter().flat_map(|word| word.split_whitespace());
    let mut rest = words.map(|word| word.trim_matches(['"', '\'', ';', '(', ')']));
    let tasks = TASKS.iter().find(|(name, _)| *name == program);
    let mut folder = folder.to_owned();
    let on_path = |word: &str| {
        path.split(':')
            .filter(|folder| folder.starts_with('/'))
            .map(|folder| format!("{folder}/{word}"))
            .collect::<Vec<_>>()
    };
    let mut is_program = true;
    while let Some(word) = rest.next() {
        let is_script = |name: &str| match name.rsplit_once('.') {
            Some((stem, extension)) => stem.is_empty() || EXTENSIONS.contains(&extension),
            None => true,
        };
        let name = base(word);
        let named = word.contains('/') || name.ends_with(".sh") || name.ends_with(".py");
        if !word.contains('/') && (is_program || name.ends_with(".sh")) {
            found.extend(on_path(word));
        }
        is_program = word == "--";
        match (word, tasks) {
            ("-C" | "--directory", Some(_)) => folder = absolute(&folder, rest.next().unwrap_or_default()),
            ("-f" | "--file" | "--makefile", Some(_)) => found.extend(rest.next().map(|file| absolute(&folder, file))),
            _ if named && is_script(name) && !name.is_empty() => found.push(absolute(&folder, word)),
            _ => {}
        }
    }
    let files = tasks.into_iter().flat_map(|(_, files)| *files);
    found.extend(files.map(|file| absolute(&folder, file)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_commands_run() {
        let of = |text: &str| scripts(&text.split(' ').collect::<Vec<_>>(), "/app", "/usr/local/bin:.");
        assert_eq!(of("start --x"), ["/usr/local/bin/start"]);
        assert_eq!(of("/usr/bin/supervisord -n -c conf/all.conf")[..2], ["/usr/bin/supervisord", "/app/conf/all.conf"]);
        assert!(of("/usr/bin/supervisord").contains(&"/etc/supervisord.conf".to_owned()));
        assert_eq!(of("./scripts/setup.sh --x"), ["/app/scripts/setup.sh"]);
        assert_eq!(of("bash -e setup.sh"), ["/usr/local/bin/bash", "/usr/local/bin/setup.sh", "/app/setup.sh"]);
        assert_eq!(of("bash -c \"./setup.sh --dev\""), ["/usr/local/bin/bash", "/app/setup.sh"]);
        assert_eq!(of("/tini -- start"), ["/tini", "/usr/local/bin/start"]);
        assert_eq!(of("/dev/pipes/EOF"), ["/dev/pipes/EOF"]);
        assert_eq!(
            of("/usr/bin/make -C api install"),
            ["/usr/bin/make", "/app/api/GNUmakefile", "/app/api/makefile", "/app/api/Makefile"]
        );
        assert_eq!(of("python tools/build.py"), ["/usr/local/bin/python", "/app/tools/build.py"]);
        assert_eq!(of("chmod +x /entrypoint.sh"), Vec::<String>::new());
        for text in ["pip install -r /app/requirements.txt", "gunicorn app.main:app"] {
            assert_eq!(of(text).len(), 1, "{text}");
        }
    }
}
