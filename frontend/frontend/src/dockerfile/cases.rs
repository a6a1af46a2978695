//! What becomes of the Dockerfiles of the end-to-end tests, without a daemon: their graphs are recorded beside them (`./dev record`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use buildkit_llb::{Caps, Exec, File, FileAction, OpenVertex, Output, Platform, Source, cap};
use buildkit_proto::{
    caps::ApiCap,
    gateway::{self as proto, result},
};
use prost::Message;
use serde::Deserialize;

use super::{
    Build, Dockerfile, Kind,
    decide::{Decided, Setup},
    facts::Facts,
    fake::{Fake, tree::Tree},
    graph::Graph,
    image::{self, ImageConfig},
};
use crate::{graph::Workshop, request::Request};

/// What is read of an entry of `cases.toml`.
#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    file: Option<String>,
    #[serde(default = "shop")]
    project: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    served: bool,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    off: bool,
}

fn shop() -> String {
    "project".to_owned()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/dockerfiles")
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(folder().join("cases.toml")).unwrap();
    let groups: BTreeMap<String, Vec<Case>> = toml::from_str(&text).unwrap();
    groups.into_values().flatten().collect()
}

impl Case {
    fn dockerfile(&self) -> String {
        let file = self.file.clone().unwrap_or_else(|| format!("{}.Dockerfile", self.name));
        fs::read_to_string(folder().join(file)).unwrap()
    }

    fn recorded(&self) -> proto::Result {
        let path = folder().join(format!("recorded/{}.pb", self.name));
        let bytes = fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; `./dev record {}` makes it", path.display(), self.name));
        proto::Result::decode(&bytes[..]).unwrap()
    }

    fn context(&self) -> Tree {
        let project = Tree::default().real("", &folder().join(&self.project));
        self.files.iter().fold(project, |tree, (path, text)| tree.file(&format!("/{path}"), text.as_bytes()))
    }
}

/// A daemon that can do all that these graphs need.
fn caps(output: &Output) -> Caps {
    let of_graph = output.marshal().unwrap().required_caps().into_keys();
    let ids = of_graph.chain([cap::MERGE_OP, cap::DIFF_OP].map(str::to_owned));
    ids.map(|id| ApiCap { id, enabled: true, ..ApiCap::default() }).collect()
}

fn workshop() -> Workshop {
    let platform = Platform::new("linux", "amd64");
    Workshop {
        tools: Source::image("docker.io/library/poetry-buildkit:latest", platform.clone()).output().unwrap(),
        platform,
        network: buildkit_llb::Network::Sandbox,
        hosts: Vec::new(),
        proxy: None,
        authority: None,
        cache_namespace: String::new(),
        no_cache: false,
    }
}

fn dockerfile(text: &str) -> Dockerfile {
    match Kind::of("Dockerfile", text) {
        Kind::Instructions(dockerfile) => dockerfile,
        other => panic!("{other:?}"),
    }
}

/// What becomes of a Dockerfile whose graph and config are `answer`: decisions, warnings, the image's commands, and the new graph.
pub(super) fn shown(text: &str, context: Tree, answer: proto::Result) -> (String, Vec<proto::WarnRequest>) {
    let dockerfile = dockerfile(text);
    let Some(result::Result::Ref(reference)) = answer.result.clone() else { panic!("one image") };
    let original = Output::from_definition(&reference.def.unwrap()).unwrap();
    let config = answer.metadata[image::CONFIG].clone();
    if !dockerfile.concerns_us() {
        return ("It is left as it is.\n".to_owned(), Vec::new());
    }
    let fake = Fake::new(context, Ok(answer));
    let (facts, request) = (Facts::new(&fake), Request::from_environment([]).unwrap());
    let (caps, workshop) = (caps(&original), workshop());
    let setup = Setup { facts: &facts, request: &request, caps: &caps, workshop: &workshop };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (decided, image) = runtime.block_on(decided(&fake, setup, &dockerfile, &original, &config));
    let mut shown = String::new();
    for (vertex, decision) in &decided.decisions {
        let line = vertex.lines().next().map_or(0, |(line, _)| line);
        shown.push_str(&format!(
            "{line:>3} {}\n      {}",
            vertex.name(),
            decision.to_string().replace('\n', "\n      ")
        ));
        shown.truncate(shown.trim_end().len());
        shown.push('\n');
    }
    if let Some(path) = &decided.stand_in {
        shown.push_str(&format!("`poetry run` is left in the image at {path}\n"));
    }
    let warnings = fake.warnings.into_inner();
    for warning in &warnings {
        shown.push_str(&format!("warning {}\n", String::from_utf8_lossy(&warning.short)));
    }
    shown.push_str(&format!("\n{}", changes(&config, &image)));
    shown.push_str(&graph(&decided.output, &original));
    (shown, warnings)
}

async fn decided(
    fake: &Fake,
    setup: Setup<'_>,
    dockerfile: &Dockerfile,
    original: &Output,
    config: &[u8],
) -> (Decided, ImageConfig) {
    let build = Build { bridge: fake, setup, dockerfile };
    let mut image = ImageConfig::read(config).unwrap();
    let decided = build.decide(&Graph::read(original), Some(&mut image), true).await.unwrap();
    build.tell(&decided.left).await.unwrap();
    (decided, image)
}

/// What the image runs, if that is changed.
fn changes(config: &[u8], image: &ImageConfig) -> String {
    let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap()["config"].clone();
    let (before, after) = (read(config), read(&image.to_json()));
    let keys = ["Entrypoint", "Cmd", "Env", "Healthcheck"].into_iter().filter(|key| before[key] != after[key]);
    keys.map(|key| format!("{key}: {}\n", after[key])).collect()
}

/// The vertices of a graph with what they come from; those of the original are just named.
fn graph(output: &Output, original: &Output) -> String {
    let known: Vec<String> = original.vertices().iter().map(|vertex| vertex.digest().to_owned()).collect();
    let vertices = output.vertices();
    let number = |digest: &str| vertices.iter().position(|vertex| vertex.digest() == digest).unwrap_or_default();
    let shown = |vertex: &OpenVertex| {
        let inputs = vertex.inputs();
        let inputs = inputs.iter().filter_map(|input| input.digest()).map(|digest| format!(" #{}", number(digest)));
        let is_same = known.iter().any(|digest| digest == vertex.digest());
        let name = without_digests(vertex.name());
        format!(
            "#{}{} {name}{}\n",
            number(vertex.digest()),
            if is_same { " =" } else { "" },
            inputs.collect::<String>()
        )
    };
    vertices.iter().map(shown).collect()
}

/// A name without the digest of an image, which differs from machine to machine.
fn without_digests(name: &str) -> String {
    match name.split_once("@sha256:") {
        Some((before, rest)) => format!("{before}{}", rest.get(64..).unwrap_or_default()),
        None => name.to_owned(),
    }
}

#[test]
fn what_becomes_of_each_dockerfile() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (text, answer) = (case.dockerfile(), case.recorded());
        let Some(result::Result::Ref(reference)) = &answer.result else { panic!("{}: one image", case.name) };
        let recorded = reference.def.iter().flat_map(|definition| &definition.source).flat_map(|source| &source.infos);
        if !recorded.map(|info| String::from_utf8_lossy(&info.data)).any(|recorded| recorded == text) {
            wrong.push(format!(
                "{0}: its graph is of another Dockerfile; `./dev record {0}` records it anew",
                case.name
            ));
            continue;
        }
        let (shown, warnings) = shown(&text, case.context(), answer);
        let warnings: Vec<_> = warnings.iter().map(|warning| String::from_utf8_lossy(&warning.short)).collect();
        let codes = warnings.iter().filter_map(|warning| warning.rsplit_once(" (")?.1.strip_suffix(')'));
        if !codes.eq(case.rules.iter().map(String::as_str)) || !(case.served || case.off || !case.rules.is_empty()) {
            wrong.push(format!("{}: the warnings are {warnings:?}", case.name));
        }
        if let Some(long) = warnings.iter().find(|warning| warning.chars().count() > 120) {
            wrong.push(format!("{}: the warning is long: {long}", case.name));
        }
        insta::with_settings!({ snapshot_path => folder().join("recorded"), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(case.name.clone(), shown);
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What becomes of a case whose graph and config are changed.
fn changed(name: &str, change: impl Fn(Output, &mut serde_json::Value) -> Output) -> String {
    let case = cases().into_iter().find(|case| case.name == name).unwrap();
    let mut answer = case.recorded();
    let Some(result::Result::Ref(reference)) = &mut answer.result else { panic!("one image") };
    let original = Output::from_definition(reference.def.as_ref().unwrap()).unwrap();
    let mut config = serde_json::from_slice(&answer.metadata[image::CONFIG]).unwrap();
    reference.def = Some(change(original, &mut config).marshal().unwrap().into());
    answer.metadata.insert(image::CONFIG.to_owned(), config.to_string().into_bytes());
    shown(&case.dockerfile(), case.context(), answer).0
}

#[test]
fn what_the_user_puts_in_the_place_of_poetry_stays() {
    let is_left = |shown: String| shown.contains("`poetry run` is left in the image");
    assert!(is_left(changed("2-pinned", |output, _| output)));
    assert!(!is_left(changed("2-pinned", |output, _| {
        let own = FileAction::mkfile("/usr/local/bin/poetry", "#!/bin/sh\n").mode(0o755);
        File::on(output).then(own).output().unwrap()
    })));
}

#[test]
fn an_image_that_runs_poetry_run_elsewhere_keeps_poetry() {
    let keeps = |shown: String| shown.contains("warning the image keeps Poetry: ");
    assert!(!keeps(changed("healthcheck", |output, _| output)));
    for (key, value) in [("WorkingDir", "/srv".into()), ("Env", serde_json::json!(["PATH=/usr/bin:/bin"]))] {
        let shown = changed("healthcheck", |output, config| {
            config["config"][key] = value.clone();
            output
        });
        assert!(keeps(shown), "{key}");
    }
}

#[test]
fn what_is_left_to_poetry_is_told_where_a_later_step_fails() {
    let platform = || Platform::new("linux", "amd64");
    let run = |state: &Output, script: &str| {
        let exec = Exec::new(["/bin/sh", "-c", script], platform()).root(state).cwd("/app");
        exec.build().unwrap().output("/").unwrap()
    };
    let base = Source::image("docker.io/library/python:3.11", platform()).output().unwrap();
    let first = run(&run(&base, "pip install poetry"), "test -e x && poetry install; true");
    let last = run(&run(&first, "cp -r /src/. ."), "poetry install --no-root");
    let config = br#"{"config":{}}"#.to_vec();
    let (graph, dockerfile) = (Graph::read(&last), dockerfile("FROM python\nRUN poetry install\n"));
    let mut fake = Fake::new(Tree::default(), Ok(proto::Result::default()));
    fake.failing = Some("cp -r");
    let (facts, request, caps, workshop) =
        (Facts::new(&fake), Request::from_environment([]).unwrap(), caps(&last), workshop());
    let setup = Setup { facts: &facts, request: &request, caps: &caps, workshop: &workshop };
    let build = Build { bridge: &fake, setup, dockerfile: &dockerfile };
    let mut image = ImageConfig::read(&config).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(build.decide(&graph, Some(&mut image), true)).err().unwrap();
    assert_eq!(error.to_string(), "exit code: 1");
    let told: Vec<String> =
        fake.warnings.borrow().iter().map(|warning| String::from_utf8_lossy(&warning.short).into_owned()).collect();
    assert!(told.len() == 1 && told[0].ends_with("(condition)"), "{told:?}");
}
