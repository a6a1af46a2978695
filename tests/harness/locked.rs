//! The text of a project and of its lock, and changes to both as a developer and Poetry make them.

use std::{collections::BTreeSet, fs, path::Path};

use poetry_lock::{HashFormula, Project, Texts, content_hash};

/// `pyproject.toml` and `poetry.lock`.
#[derive(Debug, Clone)]
pub struct Locked {
    /// The text of `pyproject.toml`.
    pub pyproject: String,
    /// What stands in front of the packages.
    head: String,
    /// The packages, each with its tables.
    packages: Vec<String>,
    /// What stands behind them.
    tail: String,
}

const PACKAGE: &str = "[[package]]\n";

impl Locked {
    /// Reads both files of a folder.
    pub fn read(folder: &Path) -> Self {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let lock = read("poetry.lock");
        let end = lock.find("\n[extras]\n").or_else(|| lock.find("\n[metadata]\n")).expect("a lock has metadata");
        let mut packages = lock[..end].split(PACKAGE);
        let head = packages.next().unwrap_or_default().to_owned();
        let packages = packages.map(|package| format!("{}\n", package.trim_end())).collect();
        Self { pyproject: read("pyproject.toml"), head, packages, tail: lock[end..].to_owned() }
    }

    /// Writes both files.
    pub fn write(&self, folder: &Path) {
        fs::write(folder.join("pyproject.toml"), &self.pyproject).expect("pyproject.toml");
        fs::write(folder.join("poetry.lock"), self.lock()).expect("poetry.lock");
    }

    /// The text of `poetry.lock`.
    pub fn lock(&self) -> String {
        let packages = self.packages.iter().map(|package| format!("{PACKAGE}{package}\n"));
        format!("{}{}{}", self.head, packages.collect::<String>(), self.tail.trim_start())
    }

    /// The names of all packages.
    pub fn names(&self) -> BTreeSet<String> {
        self.packages.iter().map(|package| name(package).to_owned()).collect()
    }

    /// The project as it stands.
    pub fn project(&self) -> Project {
        let texts = Texts { pyproject: &self.pyproject, lock: &self.lock(), poetry_toml: None };
        Project::read(&texts).expect("a project")
    }

    /// Lets everything come from an index at an address instead of the default index.
    pub fn take_from(&mut self, url: &str) {
        let source = format!("\n[[tool.poetry.source]]\nname = \"local\"\nurl = \"{url}/\"\npriority = \"primary\"\n");
        self.pyproject.push_str(&source);
        let source = format!("\n[package.source]\ntype = \"legacy\"\nurl = \"{url}\"\nreference = \"local\"\n");
        self.packages.iter_mut().for_each(|package| package.push_str(&source));
        self.sign();
    }

    /// Puts an entry of the lock, `[[package]]` and what follows it, in the place of the one of its name.
    pub fn bump(&mut self, package: &str) {
        let new = package.trim().trim_start_matches(PACKAGE);
        let name = name(new);
        let old = self.packages.iter_mut().find(|package| self::name(package) == name);
        let old = old.unwrap_or_else(|| panic!("the lock has no {name}"));
        let source = old.find("\n[package.source]\n").map_or(String::new(), |at| old[at..].to_owned());
        *old = format!("{new}\n{source}");
    }

    /// Adds an entry, and a dependency on it.
    pub fn add(&mut self, package: &str) {
        let new = package.trim().trim_start_matches(PACKAGE);
        let name = name(new);
        let source = self.packages.first().and_then(|package| package.split_once("\n[package.source]\n"));
        let source = source.map_or(String::new(), |(_, source)| format!("\n[package.source]\n{source}"));
        self.packages.push(format!("{new}\n{source}"));
        self.pyproject =
            self.pyproject.replacen("dependencies = [\n", &format!("dependencies = [\n    \"{name}\",\n"), 1);
        self.sign();
    }

    /// Leaves out entries, or repeats them under other names, until there are so many.
    pub fn resize(&mut self, packages: usize) {
        let all = self.packages.clone();
        self.packages.truncate(packages);
        for number in self.packages.len()..packages {
            let original = &all[number % all.len()];
            self.packages.push(renamed(original, &format!("{}-{}", name(original), number / all.len())));
        }
    }

    /// Removes an entry and the dependency on it.
    pub fn remove(&mut self, name: &str) {
        let before = (self.packages.len(), self.pyproject.len());
        self.packages.retain(|package| self::name(package) != name);
        self.pyproject = self.pyproject.replacen(&format!("    \"{name}\",\n"), "", 1);
        assert!(self.packages.len() < before.0 && self.pyproject.len() < before.1, "the project has no {name}");
        self.sign();
    }

    /// Brings the lock's record of `pyproject.toml` up to date.
    fn sign(&mut self) {
        let is_newer = self.tail.contains("lock-version = \"2.1\"\n");
        let formula = if is_newer { HashFormula::Poetry2_3 } else { HashFormula::Poetry1 };
        let hash = content_hash(&self.pyproject, formula).expect("a content hash");
        let sign = |line: &str| match line.starts_with("content-hash = ") {
            true => format!("content-hash = {hash:?}\n"),
            false => format!("{line}\n"),
        };
        self.tail = self.tail.lines().map(sign).collect();
    }
}

fn name(package: &str) -> &str {
    let quoted = package.strip_prefix("name = \"").and_then(|rest| rest.split_once('"'));
    quoted.map(|(name, _)| name).unwrap_or_else(|| panic!("an entry of a lock begins with its name: {package}"))
}

/// An entry under another name, with its wheels only.
fn renamed(package: &str, name: &str) -> String {
    let stem = name.replace(['-', '.'], "_");
    let line = |line: &str| match line.split_once("{file = \"") {
        Some((_, file)) if file.contains(".whl\"") => {
            let rest = file.split_once('-').map_or(file, |(_, rest)| rest);
            format!("    {{file = \"{stem}-{rest}\n")
        }
        Some(_) => String::new(),
        None if line.starts_with("name = ") => format!("name = \"{name}\"\n"),
        None => format!("{line}\n"),
    };
    package.lines().map(line).collect()
}
