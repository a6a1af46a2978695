//! The start command, where the user sets none.

use std::collections::BTreeSet;

use poetry_lock::Name;

use crate::layout::Module;

/// How the image starts the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A script of the project, by its name in the environment's `bin`.
    Script(String),
    /// `python -m MODULE`.
    Module(String),
    /// `python FILE`.
    File(String),
}

impl Start {
    /// The words of the image's entry point.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Script(name) => vec![name.clone()],
            Self::Module(module) => vec!["python".into(), "-m".into(), module.clone()],
            Self::File(file) => vec!["python".into(), file.clone()],
        }
    }
}

/// Modules that a package is commonly started by, in order of preference.
const MODULES: [&str; 2] = ["main", "app"];
/// Files beside pyproject.toml that an application is commonly started by, in order of preference.
const FILES: [&str; 2] = ["main.py", "app.py"];

/// The files that a start command may be found by, of those that are there.
#[must_use]
pub fn candidates(modules: &[Module], files: &BTreeSet<String>) -> Vec<String> {
    let of_modules = modules.iter().flat_map(|package| MODULES.map(|module| format!("{}/{module}.py", package.path)));
    let all = of_modules.chain(FILES.map(str::to_owned));
    all.filter(|file| files.contains(file)).collect()
}

/// The file that a start command runs, if it is one of [`candidates`].
#[must_use]
pub fn path(start: &Start, modules: &[Module]) -> Option<String> {
    match start {
        Start::Script(_) => None,
        Start::File(file) => Some(file.clone()),
        Start::Module(name) => {
            let (package, module) = name.rsplit_once('.')?;
            let package = modules.iter().find(|known| known.name == package)?;
            Some(format!("{}/{module}.py", package.path))
        }
    }
}

/// What the image's start command would do, and a command that starts a server instead, if the file that it runs makes an application for
/// one and ends. `text` is that file's.
#[must_use]
pub fn starts_nothing(start: &Start, text: &str) -> Option<String> {
    let module = match start {
        Start::Script(_) => return None,
        Start::Module(module) => module.clone(),
        Start::File(file) => file.trim_end_matches(".py").to_owned(),
    };
    let shown = start.words().join(" ");
    let set = |words: &[&str]| format!("set `cmd = {words:?}` of [tool.poetry-buildkit]");
    let is_code = |line: &&str| !line.trim_start().starts_with('#');
    let serves = |line: &str| {
        [".run(", "serve(", "serve_forever("].iter().any(|call| line.contains(call))
            || line.trim_start().starts_with("run(")
    };
    if text.contains("__main__") || text.lines().filter(is_code).any(serves) {
        return None;
    }
    let lines = || text.lines().filter(|line| !line.starts_with([' ', '\t', '#']));
    if lines().any(|line| line.starts_with("import streamlit") || line.starts_with("from streamlit")) {
        let Start::File(file) = start else { return None };
        let advice = set(&["streamlit", "run", file, "--server.address", "0.0.0.0"]);
        return Some(format!("`{shown}` runs a script of Streamlit without its server: {advice}"));
    }
    let made = lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.split(':').next().unwrap_or_default().trim();
        let class = value.trim_start().split_once('(')?.0.rsplit('.').next()?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        (is_name && ["FastAPI", "Flask", "Litestar", "Quart", "Starlette"].contains(&class)).then_some((name, class))
    });
    let (name, class) = made?;
    let object = format!("{module}:{name}");
    let advice = match class {
        "Flask" => set(&["flask", "--app", &object, "run", "--host", "0.0.0.0"]),
        _ => set(&["uvicorn", &object, "--host", "0.0.0.0"]),
    };
    Some(format!("`{shown}` makes `{name}` ({class}) and ends, for it starts no server: {advice}"))
}

/// Of several scripts the one that bears the project's name, else `start`.
fn script<'a>(scripts: &'a [String], project: Option<&Name>) -> Option<&'a String> {
    match scripts {
        [script] => Some(script),
        several => {
            let named = several.iter().find(|script| Some(&Name::new(script)) == project);
            named.or_else(|| several.iter().find(|script| *script == "start"))
        }
    }
}

/// Finds the start command: the only script or the one of the project's name; else the package that has a `__main__`; else the package's
/// well-known module; else a well-known file of the project.
///
/// `files` are the project's files as far as they are known, relative to the project. If it is not `installed`, nothing but its own
/// folder is on the module path.
#[must_use]
pub fn find(
    scripts: &[String],
    project: Option<&Name>,
    modules: &[Module],
    files: &BTreeSet<String>,
    installed: bool,
) -> Option<Start> {
    if let Some(script) = script(scripts, project) {
        return Some(Start::Script(script.clone()));
    }
    let can_start = |package: &Module| !package.name.is_empty() && (installed || package.base.is_empty());
    let has =
        |package: &Module, module: &str| can_start(package) && files.contains(&format!("{}/{module}.py", package.path));
    let by_main = modules.iter().find(|package| has(package, "__main__"));
    let by_module = || {
        MODULES.iter().find_map(|module| {
            let package = modules.iter().find(|package| has(package, module))?;
            Some(Start::Module(format!("{}.{module}", package.name)))
        })
    };
    let by_file = || FILES.iter().find(|file| files.contains(**file));
    by_main
        .map(|package| Start::Module(package.name.clone()))
        .or_else(by_module)
        .or_else(|| by_file().map(|file| Start::File((*file).to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(scripts: &[&str], files: &[&str]) -> Option<String> {
        let modules = [Module { name: "app_x".into(), path: "src/app_x".into(), base: "src".into() }];
        let scripts: Vec<String> = scripts.iter().map(|script| (*script).to_owned()).collect();
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        find(&scripts, Some(&Name::new("App.X")), &modules, &files, true).map(|start| start.words().join(" "))
    }

    #[test]
    fn a_module_that_cannot_be_imported_starts_nothing() {
        let files = ["src/app/__main__.py", "app/main.py"].map(str::to_owned).into();
        let module =
            |name: &str, base: &str, path: &str| Module { name: name.into(), path: path.into(), base: base.into() };
        let in_src = [module("app", "src", "src/app")];
        assert!(find(&[], None, &in_src, &files, true).is_some() && find(&[], None, &in_src, &files, false).is_none());
        let beside = [module("app", "", "app"), module("", "src", "src")];
        assert_eq!(find(&[], None, &beside, &files, false), Some(Start::Module("app.main".into())));
    }

    #[test]
    fn the_only_script_comes_first() {
        let files = ["src/app_x/__main__.py", "main.py"];
        assert_eq!(found(&["serve"], &files).as_deref(), Some("serve"));
        assert_eq!(found(&["serve", "work"], &files).as_deref(), Some("python -m app_x"));
        assert_eq!(found(&["dev", "start", "app_x"], &files).as_deref(), Some("app_x"));
        assert_eq!(found(&["dev", "start"], &files).as_deref(), Some("start"));
    }

    #[test]
    fn an_application_that_nothing_serves_is_told_from_a_program() {
        let of = |start: Start, text: &str| starts_nothing(&start, text);
        let module = || Start::Module("shop.main".into());
        assert_eq!(
            of(module(), "import fastapi\n\napi: FastAPI = fastapi.FastAPI(title='x')\n").unwrap(),
            "`python -m shop.main` makes `api` (FastAPI) and ends, for it starts no server: set `cmd = [\"uvicorn\", \
             \"shop.main:api\", \"--host\", \"0.0.0.0\"]` of [tool.poetry-buildkit]"
        );
        assert!(
            of(Start::File("app.py".into()), "app = Flask(__name__)\n")
                .unwrap()
                .contains("\"flask\", \"--app\", \"app:app\"")
        );
        assert!(of(Start::File("app.py".into()), "import streamlit as st\n").unwrap().contains("\"run\", \"app.py\""));
        for text in [
            "app = FastAPI()\nif __name__ == '__main__':\n    x()\n",
            "app = FastAPI()\nuvicorn.run(app)\n",
            "app = Flask(__name__)\nserve(app, port=8080)\n",
            "def make():\n    app = FastAPI()\n",
            "print('hello')\n",
        ] {
            assert_eq!(of(module(), text), None, "{text}");
        }
    }

    #[test]
    fn then_main_of_the_package_then_its_module_then_a_file() {
        let all = ["src/app_x/__main__.py", "src/app_x/main.py", "main.py", "app.py"];
        assert_eq!(found(&[], &all).as_deref(), Some("python -m app_x"));
        assert_eq!(found(&[], &all[1..]).as_deref(), Some("python -m app_x.main"));
        assert_eq!(found(&[], &all[2..]).as_deref(), Some("python main.py"));
        assert_eq!(found(&[], &all[3..]).as_deref(), Some("python app.py"));
        assert_eq!(found(&[], &["tests/main.py"]), None);
    }
}
