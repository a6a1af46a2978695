//! What is not served stays what it was: other Dockerfiles, questions about them, and their errors.

use std::{fs, sync::Once};

use end_to_end::{
    docker::{Build, docker, run},
    dockerfiles::{self, Case},
    image::Image,
    index::Index,
    real::alone,
    wheels,
};

/// A Dockerfile with every instruction and none that concerns us.
const PLAIN: &str = r#"ARG VERSION=3.11
FROM test-drop-in-base:${VERSION} AS base
ARG NAME=world
ENV GREETING="hello $NAME" \
    EMPTY=
LABEL org.example.title="Plain" one=1
WORKDIR /srv
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY --chmod=640 data.txt ./
COPY <<EOF made.txt
from a here-document
EOF
ADD data.txt added.txt
RUN <<EOF
echo "$GREETING" >greeting.txt
EOF
RUN --mount=type=cache,target=/cache --mount=type=bind,source=data.txt,target=/bound.txt cat /bound.txt >bound.txt
RUN ["/bin/sh", "-c", "echo exec form >exec.txt"]
ONBUILD RUN echo never

FROM base AS last
STOPSIGNAL SIGINT
EXPOSE 8080/tcp 9000
VOLUME /data
HEALTHCHECK --interval=5s CMD test -f /srv/made.txt
USER nobody
ENTRYPOINT ["cat"]
CMD ["/srv/greeting.txt"]
"#;

/// The base image of [`PLAIN`], whose content no other test builds on: BuildKit makes one of vertices of equal content that are
/// solved at one time, and shows both builds the names that either gave it.
const BASE: &str = "test-drop-in-base:3.11";

/// Makes the base image.
fn base() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("Dockerfile"), "FROM python:3.11-slim\nCOPY Dockerfile /base\n")
            .expect("a Dockerfile");
        Build::new(folder.path()).tag(BASE).succeed();
    });
}

const SYNTAX: &str = "# syntax=poetry-buildkit\n";

/// A build context with a Dockerfile by the built-in frontend, and the same by ours.
fn both(dockerfile: &str) -> (tempfile::TempDir, Build, Build) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("data.txt"), "data\n").expect("a file");
    let build = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a Dockerfile");
        Build::new(folder.path()).arg("--file").arg(path)
    };
    // An empty line in front, so that lines have the same numbers.
    let builds = (
        build("plain.Dockerfile", &format!("\n{dockerfile}")),
        build("ours.Dockerfile", &format!("{SYNTAX}{dockerfile}")),
    );
    (folder, builds.0, builds.1)
}

/// The case of a Dockerfile by its name.
fn case(name: &str) -> Case {
    let mut all = dockerfiles::groups().into_values().flatten();
    all.find(|case| case.name == name).unwrap_or_else(|| panic!("there is no case {name}"))
}

#[test]
fn a_dockerfile_without_poetry_gives_the_same_image() {
    base();
    let (_folder, plain, ours) = both(PLAIN);
    let image = |build: Build, tag: &str| {
        let progress = build.build_arg("SOURCE_DATE_EPOCH", "0").tag(tag).succeed();
        (Image::over(tag, BASE), progress)
    };
    let (plain, plain_progress) = image(plain, "test-drop-in-plain");
    let (ours, our_progress) = image(ours, "test-drop-in-ours");
    assert_eq!(ours.config, plain.config);
    assert_eq!(ours.diff_ids(), plain.diff_ids());
    assert_eq!(our_progress.warnings, plain_progress.warnings);
    let steps = |progress: &end_to_end::progress::Progress| {
        let names =
            progress.names().into_iter().filter(|name| !name.starts_with("[internal]") && name.starts_with('['));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(steps(&our_progress), steps(&plain_progress));
    assert_eq!(docker(["run", "--rm", "test-drop-in-ours"]), "hello world\n");
}

#[test]
fn questions_are_answered_as_by_the_built_in_frontend() {
    base();
    let (_folder, plain, ours) = both(PLAIN);
    let is_new = docker(["buildx", "build", "--help"]).contains("--call");
    let option = if is_new { "--call" } else { "--print" };
    for question in ["outline", "targets", "outline,format=json", "targets,format=json"] {
        let ask = |build: &Build| {
            let built = build.clone().experimental(!is_new).arg(format!("{option}={question}")).run();
            assert!(built.success, "{question}: {}", built.stderr);
            built.stdout.replace("plain.Dockerfile", "ours.Dockerfile")
        };
        let (plain, ours) = (ask(&plain), ask(&ours));
        assert!(plain.contains("base") || plain.contains("NAME"), "{plain}");
        // The sources in the answer are the files, which differ in their first line.
        if !question.contains("json") {
            assert_eq!(ours, plain, "{question}");
        }
    }
}

#[test]
fn errors_point_into_the_users_own_file() {
    // From the excerpt on; what is in front of it has times.
    let shown = |build: Build| {
        let text = build.fail().replace("plain.Dockerfile", "ours.Dockerfile");
        let start = text.rfind("ours.Dockerfile:").unwrap_or_else(|| panic!("no excerpt in:\n{text}"));
        let shown = text[start..].replace(SYNTAX.trim_end(), "");
        // Where the daemon keeps the context.
        let shown = match shown.split_once(" of ref ") {
            Some((before, after)) => format!("{before}{}", after.split_once(": ").map_or(after, |(_, rest)| rest)),
            None => shown,
        };
        shown.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    for (broken, part) in [
        ("FROM python:3.11-slim\nFRUM x\n", "unknown instruction: FRUM"),
        ("FROM python:3.11-slim\nRUN echo before\nRUN false\nRUN poetry install\n", "exit code: 1"),
        ("FROM python:3.11-slim\nCOPY none.txt .\nRUN poetry check\n", "none.txt"),
    ] {
        let (_folder, plain, ours) = both(broken);
        let (plain, ours) = (shown(plain), shown(ours));
        assert!(plain.contains(part), "{plain}");
        assert_eq!(ours, plain);
    }
}

#[test]
fn a_change_of_the_code_runs_no_step() {
    let _alone = alone();
    let index = Index::start(wheels::folder());
    // The one copies everything before the install.
    for name in ["1-naive", "5-multi-stage"] {
        let ready = case(name).ready(&index);
        let build = ready.ours.clone().tag("test-drop-in-code");
        build.succeed();
        index.requests();
        let file = ready.context().join("annapurna/main.py");
        let text = fs::read_to_string(&file).expect("a file of the application");
        fs::write(&file, format!("{text}\nprint('changed')\n")).expect("the same");
        let progress = build.succeed();
        assert_eq!((progress.execs(), index.requests()), (Vec::<&str>::new(), Vec::<String>::new()), "{name}");
        assert!(docker(["run", "--rm", "test-drop-in-code"]).contains("changed"), "{name}");
    }
}

#[test]
fn what_is_left_to_poetry_is_told_with_its_line_and_reason() {
    let (folder, _, ours) = both("FROM python:3.11-slim\nWORKDIR /app\nRUN test -e x && poetry install; true\n");
    let warning = |build: &Build| build.succeed().warnings;
    let expected =
        "ours.Dockerfile:4: Poetry runs here: whether it runs depends on what only the build knows (condition)";
    assert_eq!(warning(&ours), [expected]);
    // Whoever switches it off knows.
    let off = folder.path().join("off.Dockerfile");
    fs::write(
        &off,
        format!("{SYNTAX}# poetry-buildkit: off\nFROM python:3.11-slim\nRUN test -e x && poetry install; true\n"),
    )
    .expect("a file");
    assert_eq!(warning(&Build::new(folder.path()).arg("--file").arg(off)), Vec::<String>::new());
}

#[test]
fn an_image_without_poetry_has_poetry_run() {
    let _alone = alone();
    let index = Index::start(wheels::folder());
    for (name, path, environment) in [
        ("default-venv", "/usr/local/bin/poetry", "/root/.cache/pypoetry/virtualenvs/shop-"),
        ("config-create-false", "/usr/local/bin/poetry", ""),
        ("root-local-bin", "/root/.local/bin/poetry", "/app/.venv"),
        ("user-in-project", "/home/app/.local/bin/poetry", "/home/app/src/.venv"),
    ] {
        let tag = &format!("test-poetry-run-{name}");
        case(name).ready(&index).ours.clone().tag(tag).succeed();
        // As compose's `command:` does, whatever the image's own entry point is.
        let shell = |text: &str| run(&["--entrypoint", "sh"], tag, &["-c", text]);
        let program = "import jinja2, os; print(jinja2.__file__, os.environ.get('VIRTUAL_ENV'))";
        let shown = shell(&format!("{path} run python -c \"{program}\""));
        let (file, venv) = shown.trim().split_once(' ').expect("two words");
        match environment {
            "" => assert_eq!((venv, file.starts_with("/usr/")), ("None", true), "{name}: {shown}"),
            start => {
                assert!(venv.starts_with(start) && file.starts_with(venv), "{name}: {shown}");
                assert_eq!(shell(&format!("{path} env info --path")).trim(), venv, "{name}");
            }
        }
        let refused = shell(&format!("{path} install 2>&1; echo \"ends with $?\""));
        assert!(refused.contains("this image has no Poetry") && refused.ends_with("ends with 1\n"), "{refused}");
        let history = docker(["history", "--no-trunc", "--format", "{{.CreatedBy}} {{.Size}}", tag]);
        let top = history.lines().next().unwrap_or_default();
        assert!(top.starts_with(&format!("COPY poetry {path} # poetry-buildkit")), "{history}");
    }
}

#[test]
fn the_history_tells_of_every_layer() {
    let _alone = alone();
    let ready = case("3-cache-removed").ready(&Index::start(wheels::folder()));
    ready.ours.clone().tag("test-drop-in-history").succeed();
    let image = Image::over("test-drop-in-history", "python:3.11");
    let history = image.config["history"].as_array().expect("a history").clone();
    let base = docker(["image", "inspect", "--format", "{{len .RootFS.Layers}}", "python:3.11"]);
    let base: usize = base.trim().parse().expect("a number");
    let layers: Vec<&str> = history
        .iter()
        .filter(|entry| entry["empty_layer"] != true)
        .filter_map(|entry| entry["created_by"].as_str())
        .skip(base)
        .collect();
    assert_eq!(layers.len(), image.layers.len(), "{layers:?}");
    for (layer, text) in image.layers.iter().zip(&layers) {
        let holds = |part: &str| layer.entries.keys().any(|path| path.contains(part));
        if text.contains(": virtual environment /app/.venv") {
            assert!(holds("/app/.venv/pyvenv.cfg"), "{text}: {:?}", layer.entries.keys());
        }
        assert_eq!(
            text.contains("poetry install") && text.contains("fastapi"),
            holds("site-packages/fastapi/"),
            "{text}"
        );
        assert_eq!(text.starts_with("COPY annapurna"), holds("/app/annapurna/"), "{text}");
    }
}

#[test]
fn files_of_other_names_and_none_are_as_without_us() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let build = || Build::new(folder.path()).build_arg("BUILDKIT_SYNTAX", "poetry-buildkit");
    let absent = build().fail();
    assert!(absent.contains("failed to read dockerfile"), "{absent}");
    fs::write(folder.path().join("Dockerfile"), "# nothing\n").expect("a Dockerfile");
    let empty = build().fail();
    assert!(empty.contains("no instructions") || empty.contains("cannot be empty"), "{empty}");
    fs::remove_file(folder.path().join("Dockerfile")).expect("the Dockerfile");
    fs::write(folder.path().join("dockerfile"), "FROM python:3.11-slim\nCOPY dockerfile /x\n").expect("a Dockerfile");
    build().succeed();
}

#[test]
fn what_a_project_cannot_be_built_of_is_left_to_the_built_in_frontend() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("Dockerfile");
    let build = || {
        Build::new(folder.path()).build_arg("BUILDKIT_SYNTAX", "poetry-buildkit").args(["--output", "type=cacheonly"])
    };
    fs::write(&file, b"# \xe4\nFROM scratch\nCOPY . /\n").expect("a Dockerfile in Latin-1");
    build().succeed();
    fs::write(&file, "FROM scratch\nLABEL made.with=poetry\nCOPY . /\n").expect("a Dockerfile");
    let progress = build().args(["--platform", "windows/amd64"]).succeed();
    assert_eq!(progress.warnings, Vec::<String>::new());
    fs::write(&file, "FROM scratch\nLABEL made.with=poetry\n").expect("a Dockerfile");
    assert_eq!(build().succeed().warnings, Vec::<String>::new());
    fs::create_dir_all(folder.path().join("a/b")).expect("folders");
    fs::copy(&file, folder.path().join("a/b/dockerfile")).expect("a Dockerfile in lower case");
    build().arg("--file").arg(folder.path().join("a/b/Dockerfile")).succeed();
    fs::rename(&file, folder.path().join("other")).expect("a Dockerfile by another name");
    std::os::unix::fs::symlink("other", &file).expect("a link to it");
    build().succeed();
}

#[test]
fn a_step_before_the_install_that_fails_is_shown_with_its_lines() {
    let _alone = alone();
    let index = Index::start(wheels::folder());
    let ready = case("2-pinned").ready(&index);
    let failing = ready.context().join("failing.Dockerfile");
    let text = "FROM python:3.11-slim\nWORKDIR /app\nCOPY pyproject.toml poetry.lock ./\nRUN echo out of luck && false\n\
                RUN poetry install --no-root\n";
    fs::write(&failing, format!("{SYNTAX}{text}")).expect("a Dockerfile");
    let shown = Build::new(ready.context()).arg("--file").arg(&failing).fail();
    assert!(shown.contains(">>> RUN echo out of luck && false") && shown.contains("exit code: 1"), "{shown}");
    assert!(shown.contains("failing.Dockerfile:5"), "{shown}");
}
