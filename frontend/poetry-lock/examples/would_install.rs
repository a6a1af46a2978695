//! Prints what `poetry install` would install from the project in a folder, on CPython on Linux.
//!
//! `cargo run --example would_install -- FOLDER [PYTHON]`

use std::io::Write;
use std::path::PathBuf;
use std::{env, fs, io};

use poetry_lock::{Artifact, Environment, Error, Interpreter, Libc, Options, Project, Tags, Texts, Version};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("the folder of a project is needed")?);
    let python = arguments.next().map_or_else(|| "3.11.7".to_owned(), |python| python.to_string_lossy().into_owned());
    let pyproject = fs::read_to_string(folder.join("pyproject.toml"))?;
    let lock = fs::read_to_string(folder.join("poetry.lock"))?;
    let poetry_toml = fs::read_to_string(folder.join("poetry.toml")).ok();
    let texts = Texts { pyproject: &pyproject, lock: &lock, poetry_toml: poetry_toml.as_deref() };
    for line in would_install(&texts, &python).map_err(|error| located(&error, &texts))? {
        writeln!(io::stdout(), "{line}")?;
    }
    Ok(())
}

fn would_install(texts: &Texts<'_>, python: &str) -> Result<Vec<String>, Error> {
    let environment = Environment::linux(python, "x86_64")?;
    let version: Version = environment.python();
    let minor = version.release().get(1).and_then(|minor| u32::try_from(*minor).ok()).unwrap_or_default();
    let tags = Tags::of(&Interpreter::cpython((3, minor), "linux-x86_64", Libc::Glibc(2, 36)))?;
    let project = Project::read(texts)?;
    let selection = project.select(&environment, &Options::default())?;
    let mut lines: Vec<_> = selection.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    for selected in &selection.packages {
        let from = match selected.package.artifact(&tags, &project.settings.files)? {
            Artifact::Locked(choice) => choice.file.name.clone(),
            other => format!("{other:?}"),
        };
        lines.push(format!(
            "{} {} from {from} ({})",
            selected.package.name, selected.package.version_text, selected.reason
        ));
    }
    Ok(lines)
}

fn located(error: &Error, texts: &Texts<'_>) -> String {
    let place = error.span().map(|span| {
        let text = match span.file {
            poetry_lock::InputFile::Pyproject => texts.pyproject,
            poetry_lock::InputFile::Lock => texts.lock,
            poetry_lock::InputFile::PoetryToml => texts.poetry_toml.unwrap_or_default(),
        };
        let (line, column) = span.line_column(text);
        format!("{}:{line}:{column}: ", span.file)
    });
    let help = error.help().map(|help| format!("\n{help}"));
    format!("{}{error}{}", place.unwrap_or_default(), help.unwrap_or_default())
}
