//! Real Poetry, in a container: what would it install?

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::Mutex,
};

use crate::docker::{Build, docker};

/// The version that is asked. It reads locks of all versions that the examples have.
const POETRY: &str = "2.4.1";

/// The packages, name and version, that `poetry install` would install into an empty environment.
/// The project is in the folder `project` of `context`.
pub fn would_install(
    context: &std::path::Path,
    project: &str,
    python: &str,
    options: &[&str],
) -> BTreeMap<String, String> {
    let image = image(python);
    let mut command = Command::new("docker");
    command.args(["run", "--rm", "--network=none", "-v"]);
    command.arg(format!("{}:/project:ro", context.display()));
    command.arg("--workdir").arg(std::path::Path::new("/project").join(project));
    command.args([&image, "install", "--dry-run", "--no-interaction", "--no-ansi"]).args(options);
    let output = command.stdin(Stdio::null()).output().expect("docker");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    let installed = text.lines().filter_map(|line| line.trim().strip_prefix("- Installing "));
    let wanted = installed.filter(|line| !line.contains("Skipped for the following reason"));
    wanted.map(name_and_version).collect()
}

/// From `NAME (VERSION)` or `NAME (VERSION COMMIT)`.
fn name_and_version(line: &str) -> (String, String) {
    let (name, rest) = line.split_once(" (").expect("a name and a version");
    let version = rest.split([')', ' ']).next().expect("a version");
    (name.to_owned(), version.to_owned())
}

/// An image with Poetry, made once.
fn image(python: &str) -> String {
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let tag = format!("poetry-oracle:{POETRY}-{python}");
    if docker(["images", "--quiet", &tag]).trim().is_empty() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = format!(
            "FROM python:{python}-slim\n\
             RUN python3 -m venv /poetry && /poetry/bin/pip install --quiet --disable-pip-version-check poetry=={POETRY}\n\
             RUN python3 -m venv --without-pip /empty\n\
             ENV VIRTUAL_ENV=/empty\n\
             WORKDIR /project\n\
             ENTRYPOINT [\"/poetry/bin/poetry\"]\n"
        );
        std::fs::write(folder.path().join("Dockerfile"), text).expect("the Dockerfile");
        Build::new(folder.path()).tag(&tag).succeed();
    }
    tag
}
