//! Stands in for an interpreter that has Poetry, where a test asks it many questions at once: the same questions have the same
//! answers, so these are recorded.
//!
//! `POETRY_ORACLE_REAL_PYTHON` names the interpreter, and `POETRY_BUILDKIT_CACHE` the folder that has the records. What is
//! recorded is what `oracle.py SUBJECT` writes; all else is run as it is.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fs,
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread,
};

use oracle::{
    inputs::Inputs,
    judge::Oracle,
    known::known,
    now,
    sample::{Choice, VARIABLE},
    store::Store,
};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    // If nobody listens, there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

fn run() -> Result<(), Failure> {
    let python = PathBuf::from(env::var_os("POETRY_ORACLE_REAL_PYTHON").ok_or("POETRY_ORACLE_REAL_PYTHON is not set")?);
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let (script, subject) = match arguments.as_slice() {
        [script, subject] if Path::new(script).ends_with("oracle.py") => (script, subject.to_string_lossy()),
        // The process becomes the interpreter.
        _ => return Err(Command::new(&python).args(&arguments).exec().into()),
    };
    let mut questions = String::new();
    io::stdin().read_to_string(&mut questions)?;
    let cache = env::var_os("POETRY_BUILDKIT_CACHE").ok_or("POETRY_BUILDKIT_CACHE is not set")?;
    // One test asks several times about one subject, and each checkout has its own folders.
    let store = Store::new(Path::new(&cache).join("oracle"), now()).keeping(30);
    let choice = Choice::read(env::var(VARIABLE).ok().as_deref(), now());

    let (subject, inputs) = inputs(&python, Path::new(script), &subject, &questions)?;
    let mut poetry = Poetry { python: &python, arguments: &arguments, questions: &questions, is_certain: true };
    let (record, source) = known(&store, choice.includes(&subject), &subject, inputs, &mut poetry)?;
    say(&format!("{subject}: real Poetry {source}; {VARIABLE}={subject} asks again"));
    if !poetry.is_certain {
        say(&format!("{subject}: not recorded, as real Poetry was too slow for some of it"));
    }
    if let Some(finding) = source.finding() {
        say(&format!("FOUND: {subject}: real Poetry: {finding}"));
    }
    io::stdout().write_all(record.answers.last().ok_or("there is no answer")?.value.as_bytes())?;
    Ok(())
}

/// The name of the record, and everything that goes into the answers.
fn inputs(python: &Path, script: &Path, subject: &str, questions: &str) -> Result<(String, Inputs), Failure> {
    let mut inputs = Inputs::default();
    inputs.add("script", fs::read(script)?);
    inputs.add("subject", subject);
    inputs.add("questions", questions);
    inputs.add("interpreter and what is installed for it", installed(python)?);
    let parsed: Value = serde_json::from_str(questions)?;
    let folders = parsed.as_array().into_iter().flatten().filter_map(|question| question["folder"].as_str());
    let mut projects = Inputs::default();
    let mut kinds = BTreeSet::new();
    for folder in folders.map(Path::new) {
        projects.add_folder(&folder.display().to_string(), folder)?;
        kinds.extend(folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()));
    }
    inputs.add("projects", projects.key());
    let name = ["poetry-lock", subject].into_iter().chain(kinds.iter().map(String::as_str)).collect::<Vec<_>>();
    Ok((name.join("-"), inputs))
}

/// The version of the interpreter, and of everything that is installed for it.
fn installed(python: &Path) -> Result<String, Failure> {
    let code = "import importlib.metadata as m, sys; \
                print(sys.version, *sorted(f'{d.name} {d.version}' for d in m.distributions()), sep='\\n')";
    let output = Command::new(python).args(["-c", code]).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{} does not tell what is installed for it", python.display()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Asks real Poetry.
struct Poetry<'a> {
    python: &'a Path,
    arguments: &'a [OsString],
    questions: &'a str,
    is_certain: bool,
}

impl Poetry<'_> {
    fn answer(&self) -> Result<String, Failure> {
        let mut python = Command::new(self.python);
        let mut child = python.args(self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().ok_or("there is no pipe")?;
        let questions = self.questions.to_owned();
        let writer = thread::spawn(move || stdin.write_all(questions.as_bytes()));
        let output = child.wait_with_output()?;
        writer.join().map_err(|_| "the writer panicked")??;
        if !output.status.success() {
            return Err(format!("{} failed: {}", self.python.display(), output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

impl Oracle for Poetry<'_> {
    type Answer = String;

    fn ask(&mut self) -> Result<String, String> {
        self.answer().map_err(|error| error.to_string())
    }

    fn first(&mut self) -> Result<String, String> {
        let answer = self.ask()?;
        // Poetry comes to no end with some locks, and on a busy machine it is too slow for others, which is no answer.
        self.is_certain = !answer.contains("TimeoutError") || self.ask()? == answer;
        Ok(answer)
    }

    fn between(&self, one: &String, other: &String) -> Vec<String> {
        if one == other { Vec::new() } else { vec!["the answers differ".to_owned()] }
    }

    fn is_certain(&self) -> bool {
        self.is_certain
    }
}
