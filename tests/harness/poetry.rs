//! Real Poetry, in a container: what would it install?

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use oracle::{inputs::Inputs, judge::Oracle};

use crate::{
    docker::{Build, docker},
    examples::Example,
    real::{add_base, add_engine, known},
};

/// The version that is asked. It reads locks of all versions that the examples have.
const POETRY: &str = "2.4.1";

/// The name of the record of an example.
pub fn subject(example: &str) -> String {
    format!("poetry-install-{example}")
}

/// The packages, name and version, that `poetry install` would install of an example into an empty environment.
pub fn would_install(example: &Example, options: &[&str]) -> BTreeMap<String, String> {
    let mut inputs = Inputs::default();
    let python = example.python();
    add_engine(&mut inputs);
    add_base(&mut inputs, &format!("python:{python}-slim"));
    inputs.add("image with Poetry", dockerfile(&python));
    inputs.add("folder of the project", &example.case.project);
    inputs.add("options", format!("{options:?}"));
    inputs.add_folder("example", &example.folder).expect("the example");
    let mut install = Install { example, python, options };
    let (mut record, _) = known(&subject(&example.name), inputs, &mut install)
        .unwrap_or_else(|error| panic!("{}: real Poetry would install: {error}", example.name));
    record.answers.pop().expect("an answer").value
}

/// Asks for that.
struct Install<'a> {
    example: &'a Example,
    python: String,
    options: &'a [&'a str],
}

impl Oracle for Install<'_> {
    type Answer = BTreeMap<String, String>;

    fn ask(&mut self) -> Result<Self::Answer, String> {
        let image = image(&self.python);
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--network=none", "-v"]);
        command.arg(format!("{}:/project:ro", self.example.folder.display()));
        command.arg("--workdir").arg(std::path::Path::new("/project").join(&self.example.case.project));
        command.args([&image, "install", "--dry-run", "--no-interaction", "--no-ansi"]).args(self.options);
        let output = command.stdin(Stdio::null()).output().expect("docker");
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        }
        let installed = text.lines().filter_map(|line| line.trim().strip_prefix("- Installing "));
        let wanted = installed.filter(|line| !line.contains("Skipped for the following reason"));
        Ok(wanted.map(name_and_version).collect())
    }

    fn between(&self, one: &Self::Answer, other: &Self::Answer) -> Vec<String> {
        let names = one.keys().chain(other.keys()).collect::<std::collections::BTreeSet<_>>();
        let differ = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
        differ.map(|name| format!("{name} is {:?} and {:?}", one.get(name), other.get(name))).collect()
    }
}

/// From `NAME (VERSION)` or `NAME (VERSION COMMIT)`.
fn name_and_version(line: &str) -> (String, String) {
    let (name, rest) = line.split_once(" (").expect("a name and a version");
    let version = rest.split([')', ' ']).next().expect("a version");
    (name.to_owned(), version.to_owned())
}

fn dockerfile(python: &str) -> String {
    format!(
        "FROM python:{python}-slim\n\
         RUN python3 -m venv /poetry && /poetry/bin/pip install --quiet --disable-pip-version-check poetry=={POETRY}\n\
         RUN python3 -m venv --without-pip /empty\n\
         ENV VIRTUAL_ENV=/empty\n\
         WORKDIR /project\n\
         ENTRYPOINT [\"/poetry/bin/poetry\"]\n"
    )
}

/// An image with Poetry, made once.
fn image(python: &str) -> String {
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let tag = format!("poetry-oracle:{POETRY}-{python}");
    if docker(["images", "--quiet", &tag]).trim().is_empty() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("Dockerfile"), dockerfile(python)).expect("the Dockerfile");
        Build::new(folder.path()).tag(&tag).succeed();
    }
    tag
}
