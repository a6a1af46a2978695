//! Which backend builds a source tree, and what it needs (PEP 517, PEP 518).

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::BuildError;
use super::source::SourceTree;

/// `[build-system]`, with what stands for a missing one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Backend {
    /// Requirements (PEP 508).
    pub(super) requires: Vec<String>,
    /// The backend as an object reference.
    pub(super) name: String,
    /// Folders of the tree that the backend is found in.
    pub(super) path: Vec<String>,
}

#[derive(Deserialize)]
struct Pyproject {
    #[serde(rename = "build-system")]
    build_system: Option<BuildSystem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BuildSystem {
    requires: Option<Vec<String>>,
    build_backend: Option<String>,
    #[serde(default)]
    backend_path: Vec<String>,
}

impl Backend {
    /// Reads what the project in the folder `project` of `tree` says.
    ///
    /// # Errors
    /// There is no Python project, or its pyproject.toml cannot be used.
    pub(super) fn of(SourceTree { tree, project }: &SourceTree) -> Result<Self, BuildError> {
        let unusable = |detail: String| BuildError::Pyproject { detail };
        let text = text(tree, &project.join("pyproject.toml")).map_err(|error| unusable(error.to_string()))?;
        if text.is_none() && !project.join("setup.py").is_file() {
            let folder = project.file_name().map(|name| name.to_string_lossy().into_owned());
            return Err(BuildError::NoProject { folder: folder.unwrap_or_default() });
        }
        let parsed = text.as_deref().map(toml::from_str::<Pyproject>).transpose();
        let pyproject = parsed.map_err(|error| unusable(error.to_string()))?;
        let Some(system) = pyproject.and_then(|pyproject| pyproject.build_system) else {
            return Ok(Self::legacy(vec!["setuptools>=40.8.0".to_owned()]));
        };
        let requires = system.requires.ok_or_else(|| unusable("[build-system] has no `requires`".to_owned()))?;
        let Some(name) = system.build_backend else {
            return Ok(Self::legacy(requires));
        };
        let leaves = |path: &String| path.starts_with('/') || path.split('/').any(|part| part == "..");
        if let Some(path) = system.backend_path.iter().find(|path| leaves(path)) {
            return Err(unusable(format!("`backend-path` leads out of the project: {path}")));
        }
        Ok(Self { requires, name, path: system.backend_path })
    }

    fn legacy(requires: Vec<String>) -> Self {
        Self { requires, name: "setuptools.build_meta:__legacy__".to_owned(), path: Vec::new() }
    }
}

/// The text of a file, if there is one in `tree`. This program may read what the tree's author may not, the build's
/// secrets among it, and an error shows lines: so a link out of the tree is not followed.
fn text(tree: &Path, path: &Path) -> io::Result<Option<String>> {
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match real.starts_with(tree.canonicalize()?) {
        true => fs::read_to_string(real).map(Some),
        false => Err(io::Error::other("it is a link that leads out of the source tree")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::report::Explain;

    fn tree(folder: &Path) -> SourceTree {
        SourceTree { tree: folder.to_owned(), project: folder.to_owned() }
    }

    fn of(pyproject: Option<&str>, setup: bool) -> Result<Backend, String> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = pyproject {
            fs::write(folder.path().join("pyproject.toml"), text).unwrap();
        }
        if setup {
            fs::write(folder.path().join("setup.py"), "").unwrap();
        }
        Backend::of(&tree(folder.path())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_outside_of_the_tree_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, source) = (folder.path().join("secret"), folder.path().join("source"));
        fs::write(&secret, "sesame, and no TOML").unwrap();
        fs::create_dir_all(source.join("a/b")).unwrap();
        symlink("..", source.join("a/b/up")).unwrap();
        for target in ["../secret", "a/b/up/../../secret"] {
            let link = source.join("pyproject.toml");
            symlink(target, &link).unwrap();
            let error = Backend::of(&tree(&source)).unwrap_err();
            assert_eq!(error.facts(), [("cause", "it is a link that leads out of the source tree".to_owned())]);
            fs::remove_file(link).unwrap();
        }
        symlink("a/real.toml", source.join("pyproject.toml")).unwrap();
        fs::write(source.join("a/real.toml"), "[build-system]\nrequires = ['a']\n").unwrap();
        assert_eq!(Backend::of(&tree(&source)).unwrap(), Backend::legacy(vec!["a".into()]));
    }

    #[test]
    fn a_tree_without_a_build_system_is_built_by_setuptools() {
        let legacy = Backend::legacy(vec!["setuptools>=40.8.0".into()]);
        assert_eq!(of(None, true).unwrap(), legacy);
        assert_eq!(of(Some("[tool.black]\n"), false).unwrap(), legacy);
        assert_eq!(of(Some("[build-system]\nrequires = ['a']\n"), false).unwrap(), Backend::legacy(vec!["a".into()]));
    }

    #[test]
    fn what_is_no_project_is_refused() {
        assert_eq!(of(None, false).unwrap_err(), "there is neither pyproject.toml nor setup.py");
        for text in
            ["[build-system]\n", "[", "[build-system]\nrequires = []\nbuild-backend = 'a'\nbackend-path = ['../x']\n"]
        {
            assert_eq!(of(Some(text), false).unwrap_err(), "its pyproject.toml cannot be used", "{text}");
        }
    }
}
