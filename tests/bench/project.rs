//! The projects that are built, and the changes that are made to them.

use std::{fs, path::Path};

use buildkit_llb::Platform;
use end_to_end::{
    locked::Locked,
    wheels::{self, Wanted},
};
use poetry_buildkit::platform;
use poetry_lock::{GroupChoice, Options};
use serde::Deserialize;

/// The Python of all projects.
pub const PYTHON: &str = "3.11";

/// A folder of `projects`.
#[derive(Debug, Clone)]
pub struct Project {
    pub name: String,
    pub base: Locked,
    pub changes: Changes,
}

/// `changes.toml`: entries of the lock as other versions have them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// A small pure package's.
    small: String,
    /// One of the largest compiled packages'.
    large: String,
    /// That of a package that the project does not have.
    added: String,
    /// The name of a package that nothing else needs.
    removed: String,
}

/// A change of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Code,
    Metadata,
    Small,
    Large,
    Added,
    Removed,
}

impl Project {
    pub fn named(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/projects").join(name);
        let path = folder.join("changes.toml");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let changes = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: name.to_owned(), base: Locked::read(&folder), changes }
    }

    /// The project as it is installed from the index at `url`.
    pub fn start(&self, url: &str) -> State {
        let mut locked = self.base.clone();
        locked.take_from(url);
        State { locked, code: "print(\"ready\")\n".to_owned(), changes: self.changes.clone() }
    }

    /// How many packages are installed.
    pub fn packages(&self) -> usize {
        wheels::locked(&self.base.project(), PYTHON, &amd64()).len()
    }

    /// All files that any state of it needs.
    pub fn wanted(&self, platforms: &[Platform]) -> Vec<Wanted> {
        let mut bumped = self.base.clone();
        bumped.bump(&self.changes.small);
        bumped.bump(&self.changes.large);
        bumped.add(&self.changes.added);
        let states = [self.base.project(), bumped.project()];
        let all = platforms.iter().flat_map(|platform| states.iter().map(move |state| (state, platform)));
        all.flat_map(|(state, platform)| wheels::locked(state, PYTHON, platform)).collect()
    }
}

/// A project at one moment of its life.
#[derive(Debug, Clone)]
pub struct State {
    pub locked: Locked,
    code: String,
    changes: Changes,
}

impl State {
    pub fn change(&mut self, change: Change) {
        match change {
            Change::Code => self.code.push_str("print(\"changed\")\n"),
            Change::Metadata => {
                let text = &mut self.locked.pyproject;
                *text = text.replacen("version = \"1.0.0\"", "version = \"1.0.1\"", 1);
                text.push_str("\n[tool.ruff]\nline-length = 100\n");
            }
            Change::Small => self.locked.bump(&self.changes.small.clone()),
            Change::Large => self.locked.bump(&self.changes.large.clone()),
            Change::Added => self.locked.add(&self.changes.added.clone()),
            Change::Removed => self.locked.remove(&self.changes.removed.clone()),
        }
    }

    /// Writes the project's files, and the exported lock for those who cannot read the lock itself.
    pub fn write(&self, folder: &Path) {
        self.locked.write(folder);
        fs::create_dir_all(folder.join("app")).expect("the application's folder");
        fs::write(folder.join("app/__init__.py"), "").expect("a file of the application");
        fs::write(folder.join("app/main.py"), &self.code).expect("a file of the application");
        fs::write(folder.join("requirements.txt"), self.requirements()).expect("requirements.txt");
    }

    /// As `poetry export` writes it, but for one interpreter.
    fn requirements(&self) -> String {
        let project = self.locked.project();
        let (environment, _) = wheels::machine(PYTHON, &amd64());
        let options = Options { groups: GroupChoice::default(), ..Options::default() };
        let selection = project.select(&environment, &options).expect("a selection");
        let line = |package: &poetry_lock::LockedPackage| {
            let hashes = package.files.iter().map(|file| format!(" \\\n    --hash={}", file.hash));
            format!("{}=={}{}\n", package.name, package.version_text, hashes.collect::<String>())
        };
        selection.packages.iter().map(|selected| line(selected.package)).collect()
    }
}

pub fn amd64() -> Platform {
    platform::parse("linux/amd64").expect("a platform")
}
