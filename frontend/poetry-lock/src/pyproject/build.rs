use std::collections::BTreeMap;

use super::{Tables, groups};
use crate::toml_reader::{Node, Table};
use crate::{Dependency, Error, Located, Name, Span};

/// What goes into the project's package and how it is built, by Poetry's own backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Build {
    /// The packages and modules (`packages`); empty if they are to be found by the project's name.
    pub packages: Vec<PackageInclude>,
    /// Further files that go in.
    pub include: Vec<FileInclude>,
    /// Patterns of files that stay out.
    pub exclude: Vec<String>,
    /// The script that compiles extension modules.
    pub script: Option<Located<String>>,
    /// Whether a `setup.py` is generated and used for the script.
    pub generate_setup_file: bool,
}

/// An element of `packages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageInclude {
    /// A folder, a file or a pattern.
    pub include: Located<String>,
    /// The folder that `include` is relative to, relative to the project.
    pub from: Option<String>,
    /// The folder in the package that it goes to.
    pub to: Option<String>,
    /// The formats it goes into; both if the project does not say.
    pub formats: Vec<Format>,
}

/// An element of `include`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInclude {
    /// A path or a pattern.
    pub path: String,
    /// The formats it goes into; the source distribution if the project does not say.
    pub formats: Vec<Format>,
}

/// A format of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// A source distribution.
    Sdist,
    /// A wheel.
    Wheel,
}

/// A command that the project installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The name of the command.
    pub name: String,
    /// What it is.
    pub kind: ScriptKind,
    /// Where it is defined.
    pub span: Span,
}

/// What a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptKind {
    /// A function of a module.
    Console {
        /// The object reference, `module:function`, without extras in brackets.
        reference: String,
        /// The extras that the command needs.
        extras: Vec<String>,
    },
    /// A file that is copied, relative to the project.
    File {
        /// Its path.
        path: String,
    },
}

/// `[build-system]` (PEP 518).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSystem {
    /// What the backend needs.
    pub requires: Vec<Located<String>>,
    /// The backend as an object reference.
    pub backend: Option<Located<String>>,
    /// Folders of the project that the backend is found in.
    pub backend_path: Vec<String>,
}

/// Console scripts and files, graphical scripts, and other entry points.
type Scripts = (Vec<Script>, BTreeMap<String, String>, BTreeMap<String, BTreeMap<String, String>>);

pub(super) fn read_scripts(tables: &Tables<'_>) -> Result<Scripts, Error> {
    let mut scripts = Vec::new();
    let mut gui_scripts = BTreeMap::new();
    let mut entry_points = BTreeMap::new();
    if let Some(project) = tables.project {
        for (name, node) in project.entries_of("scripts")? {
            scripts.push(console_script(name, node.string()?, vec![])?);
        }
        for (name, node) in project.entries_of("gui-scripts")? {
            gui_scripts.insert(script_name(&name)?, node.string()?.to_owned());
        }
        for (group, node) in project.entries_of("entry-points")? {
            entry_points.insert(group.value.to_owned(), string_map(node.table()?.entries())?);
        }
    }
    if let Some(poetry) = tables.poetry {
        // Files can only be declared here; commands count if [project] has none.
        let with_commands = scripts.is_empty();
        for (name, node) in poetry.entries_of("scripts")? {
            let script = read_script(name, node)?;
            scripts.extend(script.filter(|script| with_commands || matches!(script.kind, ScriptKind::File { .. })));
        }
        if entry_points.is_empty() {
            for (group, node) in poetry.entries_of("plugins")? {
                entry_points.insert(group.value.to_owned(), string_map(node.table()?.entries())?);
            }
        }
    }
    Ok((scripts, gui_scripts, entry_points))
}

fn string_map(entries: Vec<(Located<&str>, Node<'_>)>) -> Result<BTreeMap<String, String>, Error> {
    entries.into_iter().map(|(name, node)| Ok((name.value.to_owned(), node.string()?.to_owned()))).collect()
}

/// A script of `[tool.poetry.scripts]`: an object reference, or a table with a `type`.
fn read_script(name: Located<&str>, node: Node<'_>) -> Result<Option<Script>, Error> {
    let Some(table) = node.as_table() else {
        return console_script(name, node.string()?, vec![]).map(Some);
    };
    // Poetry 1.0 called the reference `callable`.
    let reference = match table.string("reference")? {
        Some(reference) => Some(reference),
        None => table.string("callable")?,
    };
    let Some(reference) = reference else {
        return Ok(None);
    };
    if table.string("type")? == Some("file") {
        return Ok(Some(Script {
            name: script_name(&name)?,
            kind: ScriptKind::File { path: reference.into() },
            span: name.span,
        }));
    }
    console_script(name, reference, table.strings("extras")?).map(Some)
}

/// `reference` may end in extras in brackets: `module:function[extra]`.
fn console_script(name: Located<&str>, reference: &str, mut extras: Vec<String>) -> Result<Script, Error> {
    let (reference, bracket) = reference.split_once('[').unwrap_or((reference, ""));
    let bracket = bracket.trim_end().trim_end_matches(']');
    extras.extend(bracket.split(',').map(str::trim).filter(|extra| !extra.is_empty()).map(str::to_owned));
    let kind = ScriptKind::Console { reference: reference.trim().to_owned(), extras };
    Ok(Script { name: script_name(&name)?, kind, span: name.span })
}

/// The name of a script, which becomes that of a file.
fn script_name(name: &Located<&str>) -> Result<String, Error> {
    let text = name.value;
    let is_file_name = !matches!(text, "" | "." | "..") && !text.contains(|c: char| c == '/' || c.is_control());
    is_file_name.then(|| text.to_owned()).ok_or_else(|| Error::ScriptName { name: text.to_owned(), span: name.span })
}

pub(super) fn read(tables: &Tables<'_>) -> Result<Build, Error> {
    let Some(poetry) = tables.poetry else {
        return Ok(Build::default());
    };
    let mut build = Build { exclude: read_exclude(poetry)?, ..Build::default() };
    for node in poetry.array("packages")? {
        let table = node.table()?;
        build.packages.push(PackageInclude {
            include: table.require("include", "an element of `packages`")?.located_string()?,
            from: table.string("from")?.map(str::to_owned),
            to: table.string("to")?.map(str::to_owned),
            formats: read_formats(table, &[Format::Sdist, Format::Wheel])?,
        });
    }
    for node in poetry.array("include")? {
        build.include.push(match node.as_table() {
            Some(table) => FileInclude {
                path: table.require("path", "an element of `include`")?.string()?.to_owned(),
                formats: read_formats(table, &[Format::Sdist])?,
            },
            None => FileInclude { path: node.string()?.to_owned(), formats: vec![Format::Sdist] },
        });
    }
    if let Some(node) = poetry.get("build") {
        match node.as_table() {
            Some(table) => {
                build.script = table.located_string("script")?;
                build.generate_setup_file = table.boolean("generate-setup-file")?.unwrap_or(false);
            }
            None => build.script = Some(node.located_string()?),
        }
    }
    Ok(build)
}

/// Patterns, or in Poetry 2.x tables with a `path`.
fn read_exclude(poetry: Table<'_>) -> Result<Vec<String>, Error> {
    let mut patterns = Vec::new();
    for node in poetry.array("exclude")? {
        patterns.extend(match node.as_table() {
            Some(table) => table.string("path")?.map(str::to_owned),
            None => Some(node.string()?.to_owned()),
        });
    }
    Ok(patterns)
}

fn read_formats(table: Table<'_>, default: &[Format]) -> Result<Vec<Format>, Error> {
    let Some(node) = table.get("format") else {
        return Ok(default.to_vec());
    };
    let several = node.as_array().unwrap_or_else(|| vec![node]);
    several
        .into_iter()
        .map(|node| match node.string()? {
            "sdist" => Ok(Format::Sdist),
            "wheel" => Ok(Format::Wheel),
            _ => Err(node.wrong_value("`sdist` or `wheel`")),
        })
        .collect()
}

pub(super) fn read_constraints(tables: &Tables<'_>) -> Result<BTreeMap<Name, Vec<Dependency>>, Error> {
    let packages = tables.poetry.map_or(Ok(vec![]), |poetry| poetry.entries_of("build-constraints"))?;
    let read = |(package, node): (Located<&str>, Node<'_>)| {
        Ok((Name::new(package.value), groups::read_dependencies(node.table()?.entries())?))
    };
    packages.into_iter().map(read).collect()
}

pub(super) fn read_build_system(root: Table<'_>) -> Result<Option<BuildSystem>, Error> {
    let Some(table) = root.table("build-system")? else {
        return Ok(None);
    };
    Ok(Some(BuildSystem {
        requires: table.array("requires")?.into_iter().map(Node::located_string).collect::<Result<_, _>>()?,
        backend: table.located_string("build-backend")?,
        backend_path: table.strings("backend-path")?,
    }))
}
