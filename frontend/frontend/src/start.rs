//! The start command, where the user sets none.

use std::collections::BTreeSet;

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

/// Finds the start command: the only script; else the package that has a `__main__`; else the package's
/// well-known module; else a well-known file of the project.
///
/// `files` are the project's files as far as they are known, relative to the project. If it is not `installed`, nothing but its own
/// folder is on the module path.
#[must_use]
pub fn find(scripts: &[String], modules: &[Module], files: &BTreeSet<String>, installed: bool) -> Option<Start> {
    if let [script] = scripts {
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
        find(&scripts, &modules, &files, true).map(|start| start.words().join(" "))
    }

    #[test]
    fn a_module_that_cannot_be_imported_starts_nothing() {
        let files = ["src/app/__main__.py", "app/main.py"].map(str::to_owned).into();
        let module =
            |name: &str, base: &str, path: &str| Module { name: name.into(), path: path.into(), base: base.into() };
        let in_src = [module("app", "src", "src/app")];
        assert!(find(&[], &in_src, &files, true).is_some() && find(&[], &in_src, &files, false).is_none());
        let beside = [module("app", "", "app"), module("", "src", "src")];
        assert_eq!(find(&[], &beside, &files, false), Some(Start::Module("app.main".into())));
    }

    #[test]
    fn the_only_script_comes_first() {
        let files = ["src/app_x/__main__.py", "main.py"];
        assert_eq!(found(&["serve"], &files).as_deref(), Some("serve"));
        assert_eq!(found(&["serve", "work"], &files).as_deref(), Some("python -m app_x"));
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
