//! Every example's plan and graph, as snapshots: a change of either shows in a diff.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use poetry_buildkit::{
    layout,
    plan::{self, Plan, Target},
    python::Python,
    settings::Settings,
    source::SourceFile,
};
use poetry_lock::{Project, Pyproject, Texts};
use toml::de::DeTable;

mod support;

#[test]
fn plans_and_graphs() {
    let mut seen = 0;
    for folder in folders() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let plan = plan(&folder.join(project(&folder)));
        insta::assert_snapshot!(format!("{name}.plan"), plan.to_json());
        insta::assert_snapshot!(format!("{name}.graph"), graph(&plan, &folder, true));
        seen += 1;
    }
    assert!(seen > 3, "the examples were not found");
}

#[test]
fn without_merges_layers_are_copied_one_on_the_other() {
    let folder = folders().into_iter().find(|folder| folder.ends_with("command-line")).unwrap();
    insta::assert_snapshot!(graph(&plan(&folder), &folder, false));
}

#[test]
fn the_same_project_gives_the_same_bytes() {
    let folder = folders().into_iter().find(|folder| folder.ends_with("annapurna")).unwrap();
    let first = graph(&plan(&folder), &folder, true);
    for _ in 0..25 {
        assert_eq!(graph(&plan(&folder), &folder, true), first);
    }
}

#[test]
fn with_a_wheelhouse_no_step_has_a_network() {
    let folder = folders().into_iter().find(|folder| folder.ends_with("air-gapped")).unwrap();
    let networks = |wheelhouse| {
        let graph = graph(&plan_of(&folder, wheelhouse), &folder, true);
        (graph.matches(" exec\n").count(), graph.matches("network: NONE").count())
    };
    let (execs, without) = networks(true);
    assert!(execs >= 3 && execs == without, "{execs} steps, {without} without a network");
    let (execs, without) = networks(false);
    assert!(execs > without, "{execs} steps, {without} without a network");
}

fn folders() -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut folders: Vec<PathBuf> = fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.toml").is_file())
        .collect();
    folders.sort();
    folders
}

/// The project's folder in an example.
fn project(example: &Path) -> String {
    let case = fs::read_to_string(example.join("case.toml")).unwrap();
    let case = DeTable::parse(&case).unwrap();
    case.get_ref().get("project").and_then(|value| value.get_ref().as_str()).unwrap_or_default().to_owned()
}

fn settings(folder: &Path) -> Settings {
    let pyproject = SourceFile::toml("pyproject.toml", fs::read_to_string(folder.join("pyproject.toml")).unwrap());
    Settings::read(&pyproject, &BTreeMap::new()).unwrap()
}

fn plan(folder: &Path) -> Plan {
    plan_of(folder, false)
}

fn plan_of(folder: &Path, wheelhouse: bool) -> Plan {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let pyproject = SourceFile::toml("pyproject.toml", read("pyproject.toml").unwrap());
    let lock = read("poetry.lock").unwrap();
    let project = Project::read(&Texts { pyproject: &pyproject.text, lock: &lock, poetry_toml: None }).unwrap();
    let settings = settings(folder);
    let python = Python::choose(
        settings.python.as_ref(),
        read(".python-version").map(|text| SourceFile::plain(".python-version", text)).as_ref(),
        &project.pyproject,
    )
    .unwrap();
    let described = support::interpreter(&python);
    plan::make(&plan::Inputs {
        project: &project,
        settings: &settings,
        python: &python,
        interpreter: &described,
        platform: "linux/amd64",
        target: Target::Runtime,
        files: &files(folder, &layout::folders(&layout::candidates(&project.pyproject))),
        start_texts: &BTreeMap::new(),
        dockerignore: &[],
        labels: &BTreeMap::new(),
        index: "https://index.example.org/simple",
        lock_text: &lock,
        folders: &linked(folder, &project),
        project_folder: None,
        wheelhouse,
        command: None,
    })
    .unwrap()
}

fn linked(folder: &Path, project: &Project) -> BTreeMap<String, Option<plan::Folder>> {
    let read = |path: String| {
        let there = folder.join(&path);
        let text = fs::read_to_string(there.join("pyproject.toml")).unwrap();
        let pyproject = Pyproject::read(&text, project.pyproject.dialect).unwrap();
        let files = files(&there, &layout::folders(&layout::candidates(&pyproject)));
        (path, Some(plan::Folder { pyproject, files }))
    };
    plan::folders(project).into_iter().map(read).collect()
}

fn files(project: &Path, folders: &BTreeSet<String>) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for folder in folders {
        for entry in fs::read_dir(project.join(folder)).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() {
                files.insert(path.strip_prefix(project).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    files
}

fn graph(plan: &Plan, example: &Path, can_merge: bool) -> String {
    let project = project(example);
    let built = support::built(plan, &settings(&example.join(&project)), &project, can_merge);
    format!("{}\nlayers:\n{}\n", built.output.marshal().unwrap().describe(), built.layers.join("\n"))
}
