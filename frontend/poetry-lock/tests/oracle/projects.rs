//! Makes up projects and locks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use poetry_lock::{Constraint, HashFormula, content_hash};

use crate::random::Random;

/// A project, its lock, and what is asked of it.
pub(crate) struct Case {
    pub(crate) pyproject: String,
    pub(crate) lock: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) extras: BTreeSet<String>,
    /// Whether 2.1.0 and 2.1.0+local of one package are locked side by side.
    pub(crate) has_local_twins: bool,
}

/// How a case is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// A lock of version 1.1, and `[tool.poetry]`.
    Lock1_1,
    /// A lock of version 2.0, and `[tool.poetry]`.
    Lock2_0,
    /// A lock of version 2.1, and `[project]`.
    Lock2_1,
}

const VERSIONS: [&str; 8] = ["0.9", "1.0", "1.2", "1.2.1", "2.0", "2.1.0", "2.1.0+local", "3.0b1"];
const PYTHONS: [&str; 9] = ["*", ">=3.8", ">=3.8", ">=3.8", ">=3.8", ">=3.8,!=3.10.*", "^3.8", ">=3.12", "<3.11"];
const MARKERS: [&str; 8] = [
    "python_version >= \"3.10\"",
    "python_version < \"3.12\"",
    "sys_platform == \"linux\"",
    "sys_platform == \"win32\"",
    "sys_platform != \"darwin\"",
    "python_full_version < \"3.11.2\" or sys_platform == \"linux\"",
    "platform_python_implementation == \"CPython\"",
    "python_version in \"3.9, 3.11\"",
];
const EXTRAS: [&str; 3] = ["x", "y", "Big_Extra"];
const GROUPS: [(&str, bool); 4] = [("dev", false), ("docs", true), ("My.Group", false), ("test", false)];

struct Package {
    name: String,
    version: &'static str,
    python: &'static str,
    source: Option<&'static str>,
    edges: Vec<Edge>,
    extras: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Clone)]
struct Edge {
    name: String,
    constraint: String,
    extras: Vec<&'static str>,
    marker: Option<String>,
    optional: bool,
    /// Keys of a table that name the origin.
    origin: Option<&'static str>,
}

const GIT: (&str, &str) = (
    "git = \"https://example.org/a/b.git\", branch = \"main\"",
    "type = \"git\"\nurl = \"https://example.org/a/b.git\"\nreference = \"main\"\nresolved_reference = \"0123456789abcdef0123456789abcdef01234567\"",
);
const URL: (&str, &str) =
    ("url = \"https://example.org/a-1.0.zip\"", "type = \"url\"\nurl = \"https://example.org/a-1.0.zip\"");

pub(crate) fn make(random: &mut Random, style: Style) -> Case {
    let names: Vec<String> =
        (0..4 + random.below(8)).map(|index| format!("pkg-{}", (b'a' + index as u8) as char)).collect();
    let packages = make_packages(random, &names);
    let mut roots = BTreeMap::new();
    for group in ["main"].into_iter().chain(GROUPS.map(|(group, _)| group)) {
        if group != "main" && random.chance(50) {
            continue;
        }
        let edges: Vec<_> = (0..1 + random.below(3)).map(|_| make_edge(random, &names, &packages, true)).collect();
        roots.insert(group, edges);
    }
    let extras = make_root_extras(random, roots.get_mut("main").unwrap());
    let mut pyproject = write_pyproject(style, &roots, &extras);
    let formula = if style == Style::Lock2_1 { HashFormula::Poetry2_3 } else { HashFormula::Poetry1 };
    let hash = content_hash(&pyproject, formula).unwrap();
    let lock = write_lock(random, style, &packages, &extras, &roots, &hash);
    pyproject.push_str("\n[build-system]\nrequires = [\"poetry-core\"]\nbuild-backend = \"poetry.core.masonry.api\"\n");
    let mut groups: BTreeSet<String> =
        roots.keys().filter(|_| random.chance(75)).map(|group| (*group).to_owned()).collect();
    if groups.is_empty() {
        groups.insert("main".into());
    }
    let is_locked = |name: &str, version| packages.iter().any(|other| other.name == name && other.version == version);
    let has_local_twins = names.iter().any(|name| is_locked(name, "2.1.0") && is_locked(name, "2.1.0+local"));
    Case {
        pyproject,
        lock,
        environment: make_environment(random),
        groups,
        has_local_twins,
        extras: extras.keys().filter(|_| random.chance(50)).map(|extra| normalized(extra)).collect(),
    }
}

fn normalized(name: &str) -> String {
    name.to_lowercase().replace(['.', '_'], "-")
}

fn make_environment(random: &mut Random) -> BTreeMap<String, String> {
    let python = random.pick(&["3.11.7", "3.11.7", "3.9.18", "3.12.1", "3.14.0rc2"]);
    let (platform, os, system) =
        [("linux", "posix", "Linux"), ("darwin", "posix", "Darwin"), ("win32", "nt", "Windows")][random.below(3)];
    let short: Vec<_> = python.split('.').take(2).collect();
    [
        ("implementation_name", "cpython"),
        ("implementation_version", python),
        ("os_name", os),
        ("platform_machine", "x86_64"),
        ("platform_release", "6.8.0"),
        ("platform_system", system),
        ("platform_version", "1"),
        ("python_full_version", python),
        ("platform_python_implementation", "CPython"),
        ("python_version", &short.join(".")),
        ("sys_platform", platform),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn make_packages(random: &mut Random, names: &[String]) -> Vec<Package> {
    let mut packages = Vec::new();
    for name in names {
        if random.chance(8) {
            let (_, source) = [GIT, URL][random.below(2)];
            packages.push(Package {
                name: name.clone(),
                version: "1.0",
                python: "*",
                source: Some(source),
                edges: vec![],
                extras: BTreeMap::new(),
            });
            continue;
        }
        let mut versions: Vec<_> = (0..1 + random.below(3) * random.below(2)).map(|_| random.pick(&VERSIONS)).collect();
        versions.sort_unstable();
        versions.dedup();
        for version in versions {
            packages.push(Package {
                name: name.clone(),
                version,
                python: random.pick(&PYTHONS),
                source: None,
                edges: vec![],
                extras: BTreeMap::new(),
            });
        }
    }
    for index in 0..packages.len() {
        let others: Vec<_> = names.iter().filter(|name| **name != packages[index].name).cloned().collect();
        for _ in 0..random.below(4) {
            let mut edge = make_edge(random, &others, &packages, false);
            if random.chance(30) {
                let extra = random.pick(&EXTRAS);
                let condition = format!("extra == \"{}\"", normalized(extra));
                edge.marker =
                    Some(edge.marker.map_or(condition.clone(), |marker| format!("({marker}) and {condition}")));
                edge.optional = true;
                packages[index].extras.entry(extra).or_default().push(edge.name.clone());
            }
            packages[index].edges.push(edge);
        }
        if random.chance(10) && packages[index].extras.len() == 1 {
            let own = format!("{}[{}]", packages[index].name, packages[index].extras.keys().next().unwrap());
            packages[index].extras.insert("all", vec![own]);
        }
    }
    packages
}

fn make_edge(random: &mut Random, names: &[String], packages: &[Package], direct: bool) -> Edge {
    let name = names[random.below(names.len())].clone();
    let locked: Vec<_> = packages.iter().filter(|package| package.name == name).collect();
    if let Some(source) = locked.first().and_then(|package| package.source) {
        let origin = [GIT, URL].into_iter().find(|(_, written)| *written == source).map(|(key, _)| key);
        return Edge {
            name,
            constraint: "*".into(),
            extras: vec![],
            marker: None,
            optional: false,
            origin: origin.filter(|_| direct),
        };
    }
    // Most constraints allow some locked version, as in a real lock.
    let allows_some = |text: &str| {
        let constraint = Constraint::parse(text).unwrap();
        locked.iter().any(|package| constraint.allows(&package.version.parse().unwrap()))
    };
    let mut constraint = "*".to_owned();
    if random.chance(40) {
        let exact = format!("=={}", locked.first().map_or("1.0", |package| package.version));
        let tried = random.pick(&[">=1.0", "<2.0", "^1.0", "~1.2", "!=1.2", ">=1.0,<3", ">=2.0", &exact]);
        if random.chance(3) || allows_some(tried) {
            constraint = tried.to_owned();
        }
    }
    Edge {
        name,
        constraint,
        extras: if random.chance(20) { vec![EXTRAS[random.below(EXTRAS.len())]] } else { vec![] },
        marker: random.chance(30).then(|| random.pick(&MARKERS).to_owned()),
        optional: false,
        origin: None,
    }
}

/// Makes some of the project's dependencies optional and parts of extras.
fn make_root_extras(random: &mut Random, main: &mut [Edge]) -> BTreeMap<&'static str, Vec<String>> {
    let mut extras: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for edge in main {
        if random.chance(35) {
            edge.optional = true;
            extras.entry(random.pick(&["fast", "Full_Set"])).or_default().push(edge.name.clone());
        }
    }
    extras
}

fn write_edge(edge: &Edge) -> String {
    let mut parts = match edge.origin {
        Some(origin) => vec![origin.to_owned()],
        None => vec![format!("version = \"{}\"", edge.constraint)],
    };
    if edge.optional {
        parts.push("optional = true".into());
    }
    if !edge.extras.is_empty() {
        parts.push(format!("extras = {:?}", edge.extras));
    }
    if let Some(marker) = &edge.marker {
        parts.push(format!("markers = '{marker}'"));
    }
    format!("{{{}}}", parts.join(", "))
}

/// Edges by name, as a table of dependencies has them.
fn write_edges(edges: &[Edge]) -> String {
    let mut by_name: Vec<(&str, Vec<String>)> = Vec::new();
    for edge in edges {
        match by_name.iter_mut().find(|(name, _)| *name == edge.name) {
            Some((_, several)) => several.push(write_edge(edge)),
            None => by_name.push((&edge.name, vec![write_edge(edge)])),
        }
    }
    by_name.iter().fold(String::new(), |mut text, (name, edges)| {
        let value = if edges.len() == 1 { edges[0].clone() } else { format!("[{}]", edges.join(", ")) };
        writeln!(text, "{name} = {value}").unwrap();
        text
    })
}

fn write_requirement(edge: &Edge) -> String {
    let mut text = edge.name.clone();
    if !edge.extras.is_empty() {
        write!(text, "[{}]", edge.extras.join(",")).unwrap();
    }
    match edge.origin {
        Some(origin) if origin == GIT.0 => text.push_str(" @ git+https://example.org/a/b.git@main"),
        Some(_) => text.push_str(" @ https://example.org/a-1.0.zip"),
        None if edge.constraint.starts_with(['^', '~']) => text.push_str(" >=1.2,<2"),
        None if edge.constraint != "*" => write!(text, " {}", edge.constraint).unwrap(),
        None => {}
    }
    if let Some(marker) = &edge.marker {
        write!(text, " ; {}", marker.replace('"', "'")).unwrap();
    }
    format!("\"{text}\"")
}

fn write_pyproject(style: Style, roots: &BTreeMap<&str, Vec<Edge>>, extras: &BTreeMap<&str, Vec<String>>) -> String {
    let mut text = String::new();
    if style == Style::Lock2_1 {
        let required = |optional: bool, edges: &[Edge]| -> Vec<String> {
            edges.iter().filter(|edge| edge.optional == optional).map(write_requirement).collect()
        };
        let main = &roots["main"];
        write!(text, "[project]\nname = \"root\"\nversion = \"1.0\"\nrequires-python = \">=3.8\"\n").unwrap();
        writeln!(text, "dependencies = [{}]\n\n[project.optional-dependencies]", required(false, main).join(", "))
            .unwrap();
        for (extra, members) in extras {
            let of_extra: Vec<_> =
                main.iter().filter(|edge| edge.optional && members.contains(&edge.name)).cloned().collect();
            writeln!(text, "{extra} = [{}]", required(true, &of_extra).join(", ")).unwrap();
        }
        text.push_str("\n[dependency-groups]\n");
        for (group, edges) in roots.iter().filter(|(group, _)| **group != "main") {
            writeln!(text, "\"{group}\" = [{}]", required(false, edges).join(", ")).unwrap();
        }
    } else {
        text.push_str("[tool.poetry]\nname = \"root\"\nversion = \"1.0\"\ndescription = \"\"\nauthors = []\n");
        write!(text, "\n[tool.poetry.dependencies]\npython = \">=3.8\"\n{}", write_edges(&roots["main"])).unwrap();
        text.push_str("\n[tool.poetry.extras]\n");
        for (extra, members) in extras {
            writeln!(text, "{extra} = {members:?}").unwrap();
        }
        for (group, edges) in roots.iter().filter(|(group, _)| **group != "main") {
            write!(text, "\n[tool.poetry.group.\"{group}\".dependencies]\n{}", write_edges(edges)).unwrap();
        }
    }
    for (group, optional) in GROUPS.iter().filter(|(group, optional)| *optional && roots.contains_key(group)) {
        write!(text, "\n[tool.poetry.group.\"{group}\"]\noptional = {optional}\n").unwrap();
    }
    text
}

fn write_lock(
    random: &mut Random,
    style: Style,
    packages: &[Package],
    extras: &BTreeMap<&str, Vec<String>>,
    roots: &BTreeMap<&str, Vec<Edge>>,
    hash: &str,
) -> String {
    let raw = |name: &str| if style == Style::Lock1_1 { name.replace("pkg-", "Pkg_") } else { name.to_owned() };
    let mut text = String::new();
    for package in packages {
        let Package { name, version, python, source, edges, extras } = package;
        let optional = random.chance(30);
        write!(text, "[[package]]\nname = \"{}\"\nversion = \"{version}\"\ndescription = \"\"\n", raw(name)).unwrap();
        write!(text, "optional = {optional}\npython-versions = \"{python}\"\n").unwrap();
        match style {
            Style::Lock1_1 => text.push_str("category = \"main\"\n"),
            Style::Lock2_0 => text.push_str("files = []\n"),
            Style::Lock2_1 => {
                text.push_str("files = []\n");
                write_groups(random, &mut text, roots);
            }
        }
        write!(text, "\n[package.dependencies]\n{}", write_edges(edges)).unwrap();
        text.push_str("\n[package.extras]\n");
        for (extra, members) in extras {
            writeln!(text, "{extra} = {members:?}").unwrap();
        }
        if let Some(source) = source {
            write!(text, "\n[package.source]\n{source}\n").unwrap();
        }
        text.push('\n');
    }
    text.push_str("[extras]\n");
    for (extra, members) in extras {
        writeln!(text, "{} = {members:?}", normalized(extra)).unwrap();
    }
    let version = match style {
        Style::Lock1_1 => "1.1",
        Style::Lock2_0 => "2.0",
        Style::Lock2_1 => "2.1",
    };
    write!(
        text,
        "\n[metadata]\nlock-version = \"{version}\"\npython-versions = \">=3.8\"\ncontent-hash = \"{hash}\"\n"
    )
    .unwrap();
    if style == Style::Lock1_1 {
        text.push_str("\n[metadata.files]\n");
        let names: BTreeSet<_> = packages.iter().map(|package| raw(&package.name)).collect();
        for name in names {
            writeln!(text, "{name} = []").unwrap();
        }
    }
    text
}

fn write_groups(random: &mut Random, text: &mut String, roots: &BTreeMap<&str, Vec<Edge>>) {
    let mut groups: Vec<_> = roots.keys().filter(|_| random.chance(60)).copied().collect();
    if groups.is_empty() {
        groups.push("main");
    }
    writeln!(text, "groups = {groups:?}").unwrap();
    let marker = |random: &mut Random| match random.below(5) {
        0 => "extra == \"fast\"".to_owned(),
        1 => format!("({}) and (extra == \"fast\" or extra == \"full-set\")", random.pick(&MARKERS)),
        2 => "extra != \"fast\"".to_owned(),
        _ => random.pick(&MARKERS).to_owned(),
    };
    match random.below(4) {
        0 => {
            let marker = marker(random);
            writeln!(text, "markers = '{marker}'").unwrap();
        }
        1 => {
            groups.retain(|_| random.chance(70));
            let markers: Vec<_> =
                groups.iter().map(|group| format!("\"{group}\" = '{}'", random.pick(&MARKERS))).collect();
            writeln!(text, "markers = {{{}}}", markers.join(", ")).unwrap();
        }
        _ => {}
    }
}
