//! Which backend builds a source tree, and what it needs (PEP 517, PEP 518).

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::BuildError;

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
    /// Reads the tree in `folder`.
    ///
    /// # Errors
    /// There is no Python project, or its pyproject.toml cannot be used.
    pub(super) fn of(folder: &Path) -> Result<Self, BuildError> {
        let unusable = |detail: String| BuildError::Pyproject { detail };
        let text = match fs::read_to_string(folder.join("pyproject.toml")) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(error.to_string())),
        };
        if text.is_none() && !folder.join("setup.py").is_file() {
            let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned());
            return Err(BuildError::NoProject { folder: folder.unwrap_or_default() });
        }
        let pyproject: Option<Pyproject> = text.map(|text| toml::from_str(&text)).transpose().map_err(|error| {
            let error: toml::de::Error = error;
            unusable(error.to_string())
        })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pyproject: Option<&str>, setup: bool) -> Result<Backend, String> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = pyproject {
            fs::write(folder.path().join("pyproject.toml"), text).unwrap();
        }
        if setup {
            fs::write(folder.path().join("setup.py"), "").unwrap();
        }
        Backend::of(folder.path()).map_err(|error| error.to_string())
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
