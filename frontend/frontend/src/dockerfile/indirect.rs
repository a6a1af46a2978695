//! Poetry that is run without being named in the Dockerfile: by a script of the user's, or by what `make` and its like read.

use buildkit_llb::Output;

use super::{
    command::{self, Command},
    files::Files,
    place, shell,
    step::{Scene, Step, mount_at},
};

/// Programs that read no script, whatever their arguments are.
const READ_NONE: [&str; 14] =
    ["rm", "mkdir", "chown", "chmod", "cp", "mv", "ls", "echo", "printf", "touch", "test", "[", "ln", "install"];

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

/// Why a step needs Poetry, if a file of the user's that it runs names it. Files that images bring are not looked into, nor are those
/// that cannot be told.
pub(super) async fn step(files: &Files<'_>, step: &Step) -> Option<String> {
    if !provides(step) && !place::steps(&step.root).iter().any(provides) {
        return None;
    }
    for (words, scene) in step.calls() {
        for path in scripts(&words, &scene) {
            let (state, inside) = mount_at(step, &path).unwrap_or_else(|| (step.root.clone(), path.clone()));
            if names_poetry(files, &state, &inside).await {
                return Some(format!("`{path}` runs Poetry"));
            }
        }
    }
    None
}

/// The same for what an image runs, on its last state. The application's own modules are taken not to run Poetry.
pub(super) async fn ending(files: &Files<'_>, state: &Output, commands: &[(Vec<String>, Scene)]) -> Option<String> {
    if !place::steps(state).iter().any(provides) {
        return None;
    }
    for (words, scene) in commands {
        for path in scripts(words, scene).into_iter().filter(|path| !is_python(path)) {
            if names_poetry(files, state, &path).await {
                return Some(format!("the image runs `{path}`, which runs Poetry"));
            }
        }
    }
    None
}

/// Whether Poetry is installed in a step.
fn provides(step: &Step) -> bool {
    step.parts().iter().any(|part| matches!(part.command, Command::Provides { .. }))
}

fn is_python(path: &str) -> bool {
    path.ends_with(".py")
}

async fn names_poetry(files: &Files<'_>, state: &Output, path: &str) -> bool {
    // The table of pyproject.toml has that name as well.
    let calls = |line: &str| match is_python(path) {
        true => ["\"poetry\",", "'poetry',", "poetry install", "poetry run", "poetry export", "poetry build"]
            .iter()
            .any(|call| line.contains(call)),
        false => command::names_poetry(line),
    };
    let Ok(Some(bytes)) = files.clients(state, path).await else { return false };
    // `;` begins a comment of a configuration, and no command.
    String::from_utf8_lossy(&bytes).lines().any(|line| !line.trim_start().starts_with(['#', ';']) && calls(line))
}

/// The absolute paths of files that a command may run or take what it runs from.
fn scripts(words: &[String], scene: &Scene) -> Vec<String> {
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let mut found = Vec::new();
    let mut folder = scene.folder.clone();
    // A word may be a script of its own, as behind `-c`.
    let words = words.iter().flat_map(|word| word.split_whitespace());
    let words = words.map(|word| word.trim_matches(['"', '\'', ';', '(', ')']));
    let mut rest = words.skip_while(|word| shell::is_assignment(word)).peekable();
    let program = rest.peek().map(|word| base(word)).unwrap_or_default();
    if READ_NONE.contains(&program.as_str()) {
        return found;
    }
    let tasks = TASKS.iter().find(|(name, _)| *name == program);
    let path = scene.variables.get("PATH").map(String::as_str).unwrap_or_default();
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
            ("-C" | "--directory", Some(_)) => folder = scene.absolute(rest.next().unwrap_or_default()),
            ("-f" | "--file" | "--makefile", Some(_)) => found.extend(rest.next().map(|file| scene.absolute(file))),
            _ if named && is_script(&name) && !name.is_empty() => found.push(scene.absolute(word)),
            _ => {}
        }
    }
    let files = tasks.into_iter().flat_map(|(_, files)| *files);
    found.extend(files.map(|file| match file.starts_with('/') {
        true => (*file).to_owned(),
        false => scene.absolute(&format!("{folder}/{file}")),
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_commands_run() {
        let of = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            scripts(&words, &Scene::new(&["PATH=/usr/local/bin:.".to_owned()], "/app", ""))
        };
        assert_eq!(of("start --x"), ["/usr/local/bin/start"]);
        assert_eq!(of("/usr/bin/supervisord -n -c conf/all.conf")[..2], ["/usr/bin/supervisord", "/app/conf/all.conf"]);
        assert!(of("/usr/bin/supervisord").contains(&"/etc/supervisord.conf".to_owned()));
        assert_eq!(of("./scripts/setup.sh --x"), ["/app/scripts/setup.sh"]);
        assert_eq!(of("bash -e setup.sh"), ["/usr/local/bin/bash", "/usr/local/bin/setup.sh", "/app/setup.sh"]);
        assert_eq!(of("bash -c \"./setup.sh --dev\""), ["/usr/local/bin/bash", "/app/setup.sh"]);
        assert_eq!(of("A=1 /tini -- /entrypoint"), ["/tini", "/entrypoint"]);
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
