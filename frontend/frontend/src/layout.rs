//! The project's own modules: where they are, and which folders have to be on the module path.
//!
//! Follows `poetry.core.masonry.utils.module` and the editable builder: `packages` of `[tool.poetry]`, else a
//! package or module that bears the project's name, beside pyproject.toml or in `src`.

use std::collections::BTreeSet;

use poetry_lock::{Name, Pyproject};

/// A top-level package or module of the project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// The import name, e.g. `annapurna`; empty where a pattern stands for several in [`Self::base`].
    pub name: String,
    /// The path of the package's folder or of the module, relative to the project, e.g. `src/annapurna`.
    pub path: String,
    /// The folder that has to be on the module path, relative to the project; empty for the project itself.
    pub base: String,
}

/// Patterns (`.dockerignore` syntax) of the files that [`find`] and the search for a start command look at.
pub const PATTERNS: [&str; 10] = [
    "*.py",
    "*/__init__.py",
    "*/__main__.py",
    "*/main.py",
    "*/app.py",
    "src/*.py",
    "src/*/__init__.py",
    "src/*/__main__.py",
    "src/*/main.py",
    "src/*/app.py",
];

/// Where the project's modules may be, by what pyproject.toml says.
#[must_use]
pub fn candidates(pyproject: &Pyproject) -> Vec<Module> {
    let explicit: Vec<Module> = pyproject
        .build
        .packages
        .iter()
        .map(|package| {
            let base = clean(package.from.as_deref().unwrap_or_default());
            let include = clean(&package.include.value);
            let include = include.split("/*").next().unwrap_or_default();
            // Of several, whose names are not known.
            if include.contains(['*', '?', '[']) {
                return Module { name: String::new(), path: base.clone(), base };
            }
            let stem = include.strip_suffix(".py").unwrap_or(include);
            Module { name: stem.replace('/', "."), path: join(&base, include), base }
        })
        .collect();
    if !explicit.is_empty() {
        return explicit;
    }
    let Some(name) = &pyproject.name else {
        return Vec::new();
    };
    let module = Name::new(&name.value).as_str().replace('-', "_");
    ["", "src"]
        .into_iter()
        .flat_map(|base| [module.clone(), format!("{module}.py")].map(|file| (base, file)))
        .map(|(base, file)| Module { name: module.clone(), path: join(base, &file), base: base.to_owned() })
        .collect()
}

/// The folders that have to be listed to find candidates: their own and all above, down from the project itself.
#[must_use]
pub fn folders(candidates: &[Module]) -> BTreeSet<String> {
    let above = |path: &str| {
        let ends: Vec<usize> = path.match_indices('/').map(|(end, _)| end).chain([path.len()]).collect();
        ends.into_iter().map(|end| path[..end].to_owned()).collect::<Vec<_>>()
    };
    candidates.iter().flat_map(|module| above(&module.path)).chain([String::new()]).collect()
}

/// Whether all that may be there is known to be there.
#[must_use]
pub fn is_complete(pyproject: &Pyproject, files: &BTreeSet<String>) -> bool {
    let found = find(pyproject, files).len();
    match pyproject.build.packages.is_empty() {
        true => found > 0,
        false => found == candidates(pyproject).len(),
    }
}

/// The candidates that are there. Without `packages`, only the first of them counts.
///
/// `files` are the project's files as far as they are known, relative to the project; folders end in `/`.
#[must_use]
pub fn find(pyproject: &Pyproject, files: &BTreeSet<String>) -> Vec<Module> {
    let mut found: Vec<Module> =
        candidates(pyproject).into_iter().filter(|module| exists(&module.path, files)).collect();
    if pyproject.build.packages.is_empty() {
        found.truncate(1);
    }
    found
}

fn exists(path: &str, files: &BTreeSet<String>) -> bool {
    if path.is_empty() {
        return !files.is_empty();
    }
    let folder = format!("{path}/");
    files.contains(path) || files.range(folder.clone()..).next().is_some_and(|file| file.starts_with(&folder))
}

/// Whether a path is that of a folder, or is in it.
#[must_use]
pub fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A relative path without `.` and with `..` at its beginning only.
#[must_use]
pub fn normalized(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn clean(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.join("/")
}

fn join(base: &str, path: &str) -> String {
    if base.is_empty() { path.to_owned() } else { format!("{base}/{path}") }
}

#[cfg(test)]
mod tests {
    use poetry_lock::Dialect;

    use super::*;

    fn found(packages: &str, files: &[&str]) -> Vec<(String, String)> {
        let text = format!("[tool.poetry]\nname = 'My.App_X'\npackages = {packages}");
        let pyproject = Pyproject::read(&text, Dialect::Poetry1).unwrap();
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        find(&pyproject, &files).into_iter().map(|module| (module.name, module.path)).collect()
    }

    fn one(name: &str, path: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), path.to_owned())]
    }

    #[test]
    fn a_package_of_the_projects_name_is_found_beside_pyproject_and_in_src() {
        assert_eq!(found("[]", &["my_app_x/__init__.py"]), one("my_app_x", "my_app_x"));
        assert_eq!(found("[]", &["my_app_x.py"]), one("my_app_x", "my_app_x.py"));
        assert_eq!(found("[]", &["src/my_app_x/a.py"]), one("my_app_x", "src/my_app_x"));
        assert_eq!(found("[]", &["other/__init__.py", "my_app_xy/__init__.py"]), []);
    }

    #[test]
    fn packages_of_pyproject_come_first() {
        let files = ["lib/a/b/__init__.py", "my_app_x/__init__.py", "c.py"];
        let packages = "[{include = 'a/b', from = 'lib'}, {include = 'c.py'}, {include = 'gone'}]";
        let expected = [("a.b", "lib/a/b"), ("c", "c.py")].map(|(name, path)| (name.to_owned(), path.to_owned()));
        assert_eq!(found(packages, &files), expected);
        assert_eq!(found("[{include = 'a/**/*.py', from = 'lib'}]", &files), one("a", "lib/a"));
        // A namespace package has no module of its own; a pattern stands for all that is there.
        assert_eq!(found("[{include = 'acme', from = 'src'}]", &["src/acme/shop/"]), one("acme", "src/acme"));
        for pattern in ["*", "**/*.py", "my_*"] {
            let packages = format!("[{{include = '{pattern}', from = 'lib'}}]");
            assert_eq!(found(&packages, &files), one("", "lib"), "{pattern}");
        }
        assert_eq!(found("[{include = '*.py'}]", &["a.py"]), one("", ""));
    }
}
