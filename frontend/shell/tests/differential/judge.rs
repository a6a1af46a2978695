//! Compares what was read with what a shell does.
#![allow(unreachable_pub, reason = "a test's own modules")]

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use shell::{Action, Assumption, Call, Dialect, Part, Reading, Shell, State, Value};

use super::stub::{NAMES, Record, records};

/// How many scripts were read and cut.
#[derive(Debug, Default)]
pub struct Counts {
    pub scripts: usize,
    pub parsed: usize,
    pub read: usize,
    pub cut: usize,
    pub failed: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scripts, parsed, read, cut, failed } = self;
        write!(
            formatter,
            "{scripts} scripts, {parsed} parsed, {read} read to the last call of poetry, {cut} cut, {failed} failed in the shell"
        )
    }
}

/// Folders and programs for scripts.
pub struct Sandbox {
    _root: tempfile::TempDir,
    folder: PathBuf,
    log: PathBuf,
    /// Each shell with the name that it is called by, and the dialect that it is one of.
    shells: Vec<(PathBuf, &'static str, Dialect)>,
}

/// Variables that shells set on their own.
const OWN: [&str; 6] = ["PWD", "OLDPWD", "SHLVL", "_", "STUB_LOG", "STUB_FAILS"];

impl Sandbox {
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let root = root.expect("a temporary folder");
        let whole = root.path().canonicalize().expect("the folder");
        let folder = whole.join("work");
        for name in ["work/a/c", "work/b", "work/venv/bin", "home", "bin", "log"] {
            fs::create_dir_all(whole.join(name)).expect("a folder");
        }
        fs::write(folder.join("env.sh"), "A=sourced; export POETRY_X=sourced\n").expect("a file");
        let venv = folder.join("venv");
        let activate = format!(
            "export VIRTUAL_ENV={0}\nexport PATH={0}/bin:\"$PATH\"\nunset PYTHONHOME\ndeactivate() {{ :; }}\n",
            venv.display()
        );
        fs::write(venv.join("bin/activate"), activate).expect("a file");
        let own = env::current_exe().expect("this program");
        for name in NAMES {
            symlink(&own, whole.join("bin").join(name)).expect("a link");
        }
        let mut shells = vec![
            (PathBuf::from("/bin/dash"), "sh", Dialect::Sh),
            (PathBuf::from("/bin/bash"), "sh", Dialect::Sh),
            (PathBuf::from("/bin/bash"), "bash", Dialect::Bash),
        ];
        for (shell, ..) in &shells {
            assert!(shell.exists(), "{} is not here", shell.display());
        }
        let busybox = PathBuf::from("/bin/busybox");
        if busybox.exists() {
            shells.push((busybox, "sh", Dialect::Sh));
        }
        Self { log: whole.join("log"), folder, _root: root, shells }
    }

    fn home(&self) -> PathBuf {
        self.folder.with_file_name("home")
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let (home, path) = (self.home(), self.folder.with_file_name("bin"));
        let all = [
            ("A", "x"),
            ("B", ""),
            ("D", "a b"),
            ("E", "--only main"),
            ("ENV", "./env.sh"),
            ("F", "*"),
            ("POETRY_X", "false"),
            ("HOME", home.to_str().expect("text")),
            ("PATH", path.to_str().expect("text")),
        ];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// What is wrong with the reading of a script.
    pub fn judge(&self, script: &str, dialect: Dialect, seed: u64, counts: &mut Counts) -> Vec<String> {
        counts.scripts += 1;
        let arguments = [if dialect == Dialect::Bash { "bash" } else { "sh" }, "-c", script].map(str::to_owned);
        let Some(Ok((shell, text))) = Shell::of(&arguments) else { return vec!["it is no shell".to_owned()] };
        let mut environment: BTreeMap<String, Value> =
            self.variables().into_iter().map(|(name, value)| (name, Value::Known(value))).collect();
        environment.extend(["STUB_FAILS", "STUB_LOG"].map(|name| (name.to_owned(), Value::Unknown)));
        let state = State::new(environment, self.folder.to_str().expect("text"));
        let Ok(reading) = shell::read(text, &shell, state) else { return Vec::new() };
        counts.parsed += 1;
        let holds = reading.assumptions.iter().all(|assumption| match assumption {
            Assumption::Folder(path) => Path::new(path).is_dir(),
            Assumption::Activate(path) => Path::new(path) == self.folder.join("venv/bin/activate"),
        });
        if !holds {
            return Vec::new();
        }
        let is_poetry = |call: &Call| call.program().is_none_or(|program| program == "poetry");
        let is_read =
            reading.calls.iter().filter(|call| is_poetry(call)).all(|call| call.certain && call.words().is_some());
        let is_read = is_read && !reading.fails && !reading.strays;
        counts.read += usize::from(is_read);
        let parts = self.cut(&reading);
        counts.cut += usize::from(parts.is_some());
        let mut found = Vec::new();
        for (path, name, of) in &self.shells {
            if *of != dialect {
                continue;
            }
            // Programs fail in all ways, one after the other.
            let fails = [",", "grep", "make", "grep,make,cat", "pip"][(seed % 5) as usize];
            let run = |script: &str| self.run(path, name, script, fails);
            let (ends_well, seen) = run(script);
            let shown = format!("{} as {name}, with {fails} failing", path.display());
            counts.failed += usize::from(!ends_well);
            if ends_well {
                found.extend(differences(&reading, &seen).map(|problem| format!("{shown}: {problem}")));
            }
            let Some((parts, removed)) =
                parts.as_ref().filter(|_| !fails.contains("pip") && !reading.fails && !script.contains("$$"))
            else {
                continue;
            };
            let mut all_well = true;
            let mut together = Vec::new();
            for part in parts {
                if let (Part::Script(text), true) = (part, all_well) {
                    let (well, seen) = run(text);
                    all_well &= well;
                    together.extend(seen);
                }
            }
            if all_well != ends_well {
                found.push(format!("{shown}: ends well: {ends_well}, in parts: {all_well}: {parts:#?}"));
            } else if ends_well && !script.contains("& wait") {
                // What runs at once is noted in any order.
                let in_order = !script.contains(['|', '&']);
                if !is_rest(&seen, &together, removed, in_order) {
                    found.push(format!("{shown}: {seen:#?}\nin parts: {together:#?}\n{parts:#?}"));
                }
            }
        }
        found
    }

    /// The script cut at all its installs that are certain, and the calls that are left out for that.
    fn cut<'a>(&self, reading: &'a Reading) -> Option<(Vec<Part>, Vec<&'a Call>)> {
        let mut actions = BTreeMap::new();
        for (index, call) in reading.calls.iter().enumerate() {
            match call.program() {
                Some("poetry") if call.certain && call.sealed.is_none() && call.words().is_some() && is_noted(call) => {
                    actions.insert(index, Action::Cut);
                }
                Some("pip") if call.certain && call.range.is_some() && is_noted(call) => {
                    actions.insert(index, Action::Remove);
                }
                _ => {}
            }
        }
        if !actions.values().any(|action| *action == Action::Cut) {
            return None;
        }
        let folders =
            reading.folders().into_iter().filter(|path| Path::new(path).is_dir()).map(str::to_owned).collect();
        let parts = reading.split(&actions, &folders).ok()?;
        Some((parts, actions.keys().map(|index| &reading.calls[*index]).collect()))
    }

    /// Whether a script ends well, and what its programs noted.
    fn run(&self, shell: &Path, name: &str, script: &str, fails: &str) -> (bool, Vec<Record>) {
        // What an earlier script has left in the background still notes what it does, elsewhere.
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let log = self.log.join(RUNS.fetch_add(1, Ordering::Relaxed).to_string());
        let mut command = Command::new(shell);
        command.arg0(name);
        command.args(["-c", script]).env_clear().envs(self.variables()).env("STUB_FAILS", fails).env("STUB_LOG", &log);
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.process_group(0);
        let mut child = command.spawn().expect("a shell");
        let start = Instant::now();
        let ends_well = loop {
            match child.try_wait().expect("the shell") {
                Some(status) => break status.success(),
                None if start.elapsed() > Duration::from_secs(5) => {
                    child.kill().expect("the shell");
                    child.wait().expect("the shell");
                    break false;
                }
                None => thread::sleep(Duration::from_micros(200)),
            }
        };
        // What it has left behind.
        let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let records = records(&fs::read_to_string(&log).unwrap_or_default());
        let _ = fs::remove_file(&log);
        (ends_well, records)
    }
}

/// Whether `together` is what is left of `seen` without the records of the calls in `removed`.
fn is_rest(seen: &[Record], together: &[Record], removed: &[&Call], in_order: bool) -> bool {
    let bare = |record: &Record| {
        let mut record = record.clone();
        record.variables.retain(|name, _| !OWN.contains(&name.as_str()));
        record
    };
    let seen: Vec<Record> = seen.iter().map(bare).collect();
    let mut gone = seen.clone();
    for record in together.iter().map(bare) {
        let Some(at) = gone.iter().position(|other| *other == record) else { return false };
        gone.remove(at);
    }
    let is_of_them = assignment(removed, &gone).is_some_and(|of| of.iter().all(Option::is_some));
    // Of several that are alike it is not known which one was taken out.
    let mut others = seen.into_iter().filter(|record| !gone.contains(record));
    let mut kept = together.iter().map(bare).filter(|record| !gone.contains(record));
    is_of_them && (!in_order || others.by_ref().eq(kept.by_ref()))
}

/// What does not fit together of what was read and what happened.
fn differences(reading: &Reading, seen: &[Record]) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut rest: Vec<&Record> = seen.iter().collect();
    let mut last = 0;
    // Those of which all is known first: they fit one record only.
    let certain = || reading.calls.iter().filter(|call| call.certain && is_noted(call));
    let known = certain().filter(|call| call.words().is_some());
    let mut others: Vec<&Call> = certain().filter(|call| call.words().is_none()).collect();
    others.sort_by_key(|call| {
        let told = call.fields.iter().take(call.open.unwrap_or(usize::MAX)).filter(|field| field.text.is_some());
        std::cmp::Reverse(told.count())
    });
    for call in known.chain(others) {
        let place = |record: &Record| seen.iter().position(|other| std::ptr::eq(other, record)).unwrap_or_default();
        let is_it = |record: &&Record| matches(call, record).is_ok();
        // The next one, where several are alike.
        let next = rest.iter().position(|record| is_it(record) && (call.sealed.is_some() || place(record) >= last));
        let wanted = next.or_else(|| rest.iter().position(is_it));
        let Some(at) = wanted else {
            let reasons: Vec<String> = rest.iter().filter_map(|record| matches(call, record).err()).collect();
            found.push(format!("{:?} did not run: {reasons:?}", call.fields));
            continue;
        };
        let record = rest.remove(at);
        let place = place(record);
        if call.sealed.is_none() && call.words().is_some() {
            if place < last {
                found.push(format!("{:?} ran before another", call.fields));
            }
            last = place;
        }
    }
    // Of records that are much alike a call may have taken that of another.
    if found.iter().any(|problem| problem.contains("did not run"))
        && let Some(assigned) = assignment(&certain().collect::<Vec<_>>(), seen)
    {
        found.clear();
        rest = seen.iter().zip(&assigned).filter(|(_, call)| call.is_none()).map(|(record, _)| record).collect();
    }
    for record in rest {
        let is_foreseen = |call: &Call| match call.certain && is_noted(call) {
            true => false,
            // Where it is looked for is not known, or whether it runs.
            false => call.program().is_none_or(|program| program == record.words[0]),
        };
        if !(reading.calls.iter().any(is_foreseen) || reading.strays) {
            found.push(format!("{:?} was not foreseen", record.words));
        }
    }
    found.into_iter()
}

/// For each record the number of the call that it is of, each call having one; `None` if that cannot be.
fn assignment(calls: &[&Call], seen: &[Record]) -> Option<Vec<Option<usize>>> {
    fn assign(
        call: usize,
        calls: &[&Call],
        seen: &[Record],
        of: &mut Vec<Option<usize>>,
        tried: &mut Vec<bool>,
    ) -> bool {
        for record in 0..seen.len() {
            if tried[record] || matches(calls[call], &seen[record]).is_err() {
                continue;
            }
            tried[record] = true;
            if of[record].is_none_or(|other| assign(other, calls, seen, of, tried)) {
                of[record] = Some(call);
                return true;
            }
        }
        false
    }
    let mut of = vec![None; seen.len()];
    let mut all = 0..calls.len();
    all.all(|call| assign(call, calls, seen, &mut of, &mut vec![false; seen.len()])).then_some(of)
}

/// Whether a call is of a program that notes it.
fn is_noted(call: &Call) -> bool {
    let is_path = |(name, _): &(String, Value)| name == "PATH";
    call.program().is_some_and(|program| NAMES.contains(&program))
        && !call.assignments.iter().any(is_path)
        && call.variable("PATH").known().is_some_and(|path| path.contains("/bin"))
}

/// How a call differs from what was noted.
fn matches(call: &Call, record: &Record) -> Result<(), String> {
    let count = call.open.unwrap_or(call.fields.len());
    let is_count = if call.open.is_some() { record.words.len() >= count } else { record.words.len() == count };
    let fields = call.fields.iter().take(count).zip(&record.words);
    if !is_count || !fields.clone().all(|(field, word)| field.text.as_ref().is_none_or(|text| text == word)) {
        return Err(format!("it got {:?}", record.words));
    }
    if call.state.folder().is_some_and(|folder| folder != record.folder) {
        return Err(format!("it ran in {} in place of {:?}", record.folder, call.state.folder()));
    }
    for name in ["A", "B", "C", "D", "E", "F", "POETRY_X", "VIRTUAL_ENV", "HOME", "PATH", "s", "x", "c", "ROUND"] {
        let seen = record.variables.get(name);
        let fits = match call.variable(name) {
            Value::Known(value) => seen == Some(&value),
            Value::Unset => seen.is_none(),
            Value::Unknown => true,
        };
        if !fits {
            return Err(format!("{name} was {seen:?} in place of {:?}", call.variable(name)));
        }
    }
    Ok(())
}
