//! The project itself, installed as `poetry install` does it: editable, without a build.
//!
//! Follows `poetry.masonry.builders.editable`: a `.pth` file, scripts, and a dist-info folder. No README and no
//! license file is needed. Nothing of it runs a program, so a new version of the project costs nothing.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use install_request::{Scheme, first_line};
use poetry_lock::{Name, ProjectVersion, Pyproject, ScriptKind};
use sha2::{Digest, Sha256};

use super::{GeneratedFile, Root, package};
use crate::layout::{Module, normalized};

/// Lays out the files of the installation.
///
/// `workdir` is where the application's files are in the image, `python` the interpreter of the environment, and
/// `modules` the project's own modules.
#[must_use]
pub fn install(
    pyproject: &Pyproject,
    modules: &[Module],
    workdir: &str,
    python: &str,
    scheme: &Scheme,
) -> Option<Root> {
    let raw_name = &pyproject.name.as_ref()?.value;
    let name = Name::new(raw_name);
    let version = match &pyproject.version {
        ProjectVersion::Static(version) => version.value.as_str(),
        ProjectVersion::Dynamic | ProjectVersion::Absent => "0.0.0",
    };
    let module = name.as_str().replace('-', "_");
    let normalized =
        version.parse().map_or_else(|_| version.to_owned(), |version: poetry_lock::Version| version.to_string());
    let dist_info = format!("{}/{module}-{normalized}.dist-info", scheme.purelib);

    let mut files = BTreeMap::new();
    let mut add = |path: String, content: String, executable: bool| {
        files.insert(path, GeneratedFile { content, executable });
    };
    let mut folders: Vec<String> = modules.iter().map(|module| below(workdir, &module.base)).collect();
    folders.sort();
    folders.dedup();
    add(
        format!("{}/{module}.pth", scheme.purelib),
        folders.iter().map(|folder| format!("{folder}\n")).collect(),
        false,
    );
    for (name, reference) in commands(pyproject) {
        if let Some(text) = launcher(python, reference) {
            add(format!("{}/{name}", scheme.scripts), text, true);
        }
    }
    add(format!("{dist_info}/METADATA"), metadata(pyproject, raw_name, &normalized), false);
    add(format!("{dist_info}/WHEEL"), WHEEL.to_owned(), false);
    add(format!("{dist_info}/INSTALLER"), "poetry-buildkit".to_owned(), false);
    add(
        format!("{dist_info}/direct_url.json"),
        serde_json::json!({ "dir_info": { "editable": true }, "url": package::file_url(workdir) }).to_string(),
        false,
    );
    let entry_points = entry_points(pyproject);
    if !entry_points.is_empty() {
        add(format!("{dist_info}/entry_points.txt"), entry_points, false);
    }
    let copied = scripts_of_files(pyproject, scheme);
    let record = record(&files, &copied, &scheme.purelib, &dist_info);
    files.insert(format!("{dist_info}/RECORD"), GeneratedFile { content: record, executable: false });
    Some(Root { label: format!("{name} {normalized}"), files, copied, build_script: None })
}

const WHEEL: &str = "Wheel-Version: 1.0\nGenerator: poetry-buildkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n";

/// The console and graphical scripts, each with its object reference.
fn commands(pyproject: &Pyproject) -> impl Iterator<Item = (&str, &str)> {
    let console = pyproject.scripts.iter().filter_map(|script| match &script.kind {
        ScriptKind::Console { reference, .. } => Some((script.name.as_str(), reference.as_str())),
        ScriptKind::File { .. } => None,
    });
    console.chain(pyproject.gui_scripts.iter().map(|(name, reference)| (name.as_str(), reference.as_str())))
}

/// The scripts that are files of the project, as Poetry 2.5 installs them: paths relative to the project by those in the
/// environment. Names and paths that lead elsewhere are no such scripts.
fn scripts_of_files(pyproject: &Pyproject, scheme: &Scheme) -> BTreeMap<String, String> {
    let copied = pyproject.scripts.iter().filter_map(|script| {
        let ScriptKind::File { path } = &script.kind else {
            return None;
        };
        let path = normalized(path);
        let stays = !path.is_empty() && !path.starts_with("..") && !script.name.contains('/');
        stays.then(|| (format!("{}/{}", scheme.scripts, script.name), path))
    });
    copied.collect()
}

/// Whether a script can call the reference: `module:attribute`.
pub(super) fn is_launchable(reference: &str) -> bool {
    launcher("python", reference).is_some()
}

/// A script that calls `module:attribute`; `None` if the reference is not of that form.
fn launcher(python: &str, reference: &str) -> Option<String> {
    let (module, attribute) = reference.split_once(':')?;
    let (module, attribute) = (module.trim(), attribute.trim());
    let imported = attribute.split('.').next().unwrap_or(attribute);
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    (is_name(module) && is_name(attribute)).then(|| {
        format!(
            "{}import sys\nfrom {module} import {imported}\n\nif __name__ == '__main__':\n    sys.exit({attribute}())\n",
            first_line(python)
        )
    })
}

/// Core metadata 2.1, without the description.
fn metadata(pyproject: &Pyproject, name: &str, version: &str) -> String {
    let about = &pyproject.metadata;
    let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let mut field = |key: &str, value: &str| {
        let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.is_empty() {
            text.push_str(&format!("{key}: {line}\n"));
        }
    };
    field("Summary", about.description.as_deref().unwrap_or_default());
    field("Keywords", &about.keywords.join(","));
    for (key, people) in [("Author", &about.authors), ("Maintainer", &about.maintainers)] {
        let names: Vec<&str> = people.iter().filter_map(|person| person.name.as_deref()).collect();
        let addresses: Vec<&str> = people.iter().filter_map(|person| person.email.as_deref()).collect();
        field(key, &names.join(", "));
        field(&format!("{key}-email"), &addresses.join(", "));
    }
    if pyproject.python.text.is_some() {
        field("Requires-Python", &pyproject.python.constraint().to_string());
    }
    for classifier in &about.classifiers {
        field("Classifier", classifier);
    }
    for (label, address) in &about.urls {
        field("Project-URL", &format!("{label}, {address}"));
    }
    for extra in pyproject.extras.keys() {
        field("Provides-Extra", extra.as_str());
    }
    text
}

fn entry_points(pyproject: &Pyproject) -> String {
    let mut groups: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for script in &pyproject.scripts {
        if let ScriptKind::Console { reference, .. } = &script.kind {
            groups.entry("console_scripts").or_default().insert(&script.name, reference);
        }
    }
    for (name, reference) in &pyproject.gui_scripts {
        groups.entry("gui_scripts").or_default().insert(name, reference);
    }
    for (group, points) in &pyproject.entry_points {
        let group = groups.entry(group).or_default();
        group.extend(points.iter().map(|(name, reference)| (name.as_str(), reference.as_str())));
    }
    let section = |(group, points): (&&str, &BTreeMap<&str, &str>)| {
        let lines: String = points.iter().map(|(name, reference)| format!("{name}={reference}\n")).collect();
        format!("[{group}]\n{lines}\n")
    };
    groups.iter().map(section).collect()
}

/// RECORD (PEP 376), sorted; paths are relative to the folder of the dist-info folder. The content of copied files is not
/// known here, so they have no digest.
fn record(
    files: &BTreeMap<String, GeneratedFile>,
    copied: &BTreeMap<String, String>,
    site_packages: &str,
    dist_info: &str,
) -> String {
    let mut rows: Vec<String> = files
        .iter()
        .map(|(path, file)| {
            let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&file.content));
            format!("{},sha256={digest},{}\n", quoted(&relative(path, site_packages)), file.content.len())
        })
        .collect();
    let own = format!("{dist_info}/RECORD");
    let undigested = copied.keys().map(String::as_str).chain([own.as_str()]);
    rows.extend(undigested.map(|path| format!("{},,\n", quoted(&relative(path, site_packages)))));
    rows.sort();
    rows.concat()
}

fn quoted(path: &str) -> String {
    if path.contains([',', '"']) { format!("\"{}\"", path.replace('"', "\"\"")) } else { path.to_owned() }
}

/// `path` as seen from the folder `from`; both are absolute.
fn relative(path: &str, from: &str) -> String {
    let (path, from): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), from.split('/').collect());
    let common = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; from.len() - common];
    parts.extend(&path[common..]);
    parts.join("/")
}

fn below(folder: &str, path: &str) -> String {
    if path.is_empty() { folder.to_owned() } else { format!("{folder}/{path}") }
}

#[cfg(test)]
mod tests {
    use poetry_lock::Dialect;

    use super::*;

    #[test]
    fn the_project_is_installed_as_poetry_does_it() {
        let text = r#"
            [project]
            name = "My.App"
            version = "1.0-rc1"
            description = "Does\n things"
            requires-python = ">=3.11"
            authors = [{name = "A. N. Other", email = "a@example.org"}]
            [project.scripts]
            run-it = "my_app.cli:App.main"
            [project.entry-points."my.plugins"]
            one = "my_app.plugin"
            [project.optional-dependencies]
            fast = []
        "#;
        let pyproject = Pyproject::read(text, Dialect::Poetry2).unwrap();
        let scheme = Scheme {
            purelib: "/app/.venv/lib/python3.11/site-packages".into(),
            platlib: "/app/.venv/lib/python3.11/site-packages".into(),
            scripts: "/app/.venv/bin".into(),
            data: "/app/.venv".into(),
            headers: "/app/.venv/include/site/python3.11".into(),
        };
        let modules = [Module { name: "my_app".into(), path: "src/my_app".into(), base: "src".into() }];
        let root = install(&pyproject, &modules, "/app", "/app/.venv/bin/python", &scheme).unwrap();
        let shown: String = root
            .files
            .iter()
            .map(|(path, file)| {
                format!("=== {path}{}\n{}\n", if file.executable { " (executable)" } else { "" }, file.content)
            })
            .collect();
        insta::assert_snapshot!(shown);
    }
}
