//! Compares the image that real Poetry made with ours: every file over the base, every distribution, the config, and what
//! containers do. What may differ is listed here, each with its reason, and nothing else may.

use std::collections::{BTreeMap, BTreeSet};

use poetry_lock::{Environment, Extras, Marker, Name};
use serde_json::Value;

use crate::{
    dockerfiles::Case,
    real::{installers, listing_of},
    side::{Item, Kind, Side},
};

/// A distribution in an image.
#[derive(Debug, Clone)]
pub(crate) struct Distribution {
    pub(crate) name: Name,
    version: String,
    /// The folder of `.dist-info`.
    info: String,
    /// Names of the distributions that it needs, but for its extras.
    needs: BTreeSet<Name>,
    /// Its files.
    files: BTreeSet<String>,
}

/// The distributions by the folder that they are in.
pub(crate) fn distributions(side: &Side) -> BTreeMap<String, Vec<Distribution>> {
    let mut found: BTreeMap<String, Vec<Distribution>> = BTreeMap::new();
    for info in side.files.keys().filter_map(|path| path.strip_suffix("/METADATA")) {
        let Some((place, folder)) = info.rsplit_once('/') else { continue };
        let Some((name, version)) = folder.strip_suffix(".dist-info").and_then(|folder| folder.rsplit_once('-')) else {
            continue;
        };
        let metadata = side.text(&format!("{info}/METADATA")).unwrap_or_default();
        let head = metadata.lines().take_while(|line| !line.is_empty());
        let needs = head.filter_map(|line| line.strip_prefix("Requires-Dist: ")).filter_map(needed).collect();
        let record = side.text(&format!("{info}/RECORD")).unwrap_or_default();
        let files =
            record.lines().map(|row| resolve(place, row.rsplitn(3, ',').last().unwrap_or_default().trim_matches('"')));
        let distribution = Distribution {
            name: Name::new(name),
            version: version.to_owned(),
            info: info.to_owned(),
            needs,
            files: files.collect(),
        };
        found.entry(place.to_owned()).or_default().push(distribution);
    }
    found
}

/// The distribution that a line `Requires-Dist` asks for, if it does for no extra, on Linux and with this Python.
fn needed(line: &str) -> Option<Name> {
    let (requirement, marker) = line.split_once(';').unwrap_or((line, ""));
    let environment = Environment::linux("3.11.2", "x86_64").expect("an environment");
    let holds = match marker.trim() {
        "" => true,
        marker => {
            let marker = Marker::parse(marker).expect("a marker");
            marker.evaluate(&environment, Extras::Only(&BTreeSet::new())).expect("a marker of known variables")
        }
    };
    let end = |character: char| !(character.is_alphanumeric() || "-_.".contains(character));
    holds.then(|| Name::new(requirement.trim().split(end).next().unwrap_or_default()))
}

fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What may differ between two images.
struct Allowed {
    /// Folders of which nothing is compared.
    folders: BTreeSet<String>,
    /// Files, and the distributions' folders they belong to.
    files: BTreeSet<String>,
    /// Folders of virtual environments.
    environments: BTreeSet<String>,
    /// Distributions that only one of both has: their `.dist-info`.
    infos: BTreeSet<String>,
    /// The `.dist-info` of distributions that were there for Poetry's sake when pip was asked for them, so that pip did not
    /// mark them as asked for.
    unmarked: BTreeSet<String>,
    /// Files `WHEEL` of projects themselves.
    roots: BTreeSet<String>,
    /// Whether pipx was there.
    is_pipx: bool,
}

impl Allowed {
    fn new(case: &Case, plain: &Side, ours: &Side) -> Self {
        let mut allowed = Self {
            folders: BTreeSet::new(),
            files: BTreeSet::new(),
            environments: plain.environments().chain(ours.environments()).collect(),
            infos: BTreeSet::new(),
            unmarked: BTreeSet::new(),
            roots: BTreeSet::new(),
            is_pipx: case.name.starts_with("pipx"),
        };
        let generated = ours.files.keys().filter(|path| path.ends_with(".dist-info/WHEEL"));
        let generated = generated.filter(|path| ours.text(path).is_some_and(|text| text.contains("poetry-buildkit")));
        allowed.roots.extend(generated.cloned());
        if let Some(folder) = variable(&plain.config, "POETRY_CACHE_DIR") {
            // Poetry's cache, at a place of its own. The virtual environments in it are no cache.
            allowed.folders.extend(["cache", "artifacts"].map(|part| format!("{folder}/{part}")));
        }
        let selection = case.selection();
        for side in [plain, ours] {
            for (place, found) in distributions(side) {
                allowed.add_place(case, &selection, &place, &found);
            }
        }
        allowed
    }

    /// What may differ in one folder of distributions.
    fn add_place(&mut self, case: &Case, selection: &BTreeMap<Name, String>, place: &str, found: &[Distribution]) {
        let has = |name: &str| found.iter().any(|distribution| distribution.name.as_str() == name);
        let is_projects = selection.iter().all(|(name, version)| {
            found.iter().any(|distribution| distribution.name == *name && distribution.version == *version)
        });
        let is_selected = |name: &Name| is_projects && selection.contains_key(name);
        let environment = self.environments.iter().find(|folder| place.starts_with(&format!("{folder}/"))).cloned();

        let (with_poetry, with_pipx) = &*installers();
        if has("poetry") {
            let shared = found
                .iter()
                .filter(|distribution| is_selected(&distribution.name) && with_poetry.contains(&distribution.name));
            self.unmarked.extend(shared.map(|distribution| distribution.info.clone()));
        }

        // Poetry, and what only Poetry needs: where it is served natively, nobody asks for it.
        let mut unneeded: BTreeSet<Name> = BTreeSet::new();
        if !case.needs_poetry {
            unneeded.extend(with_poetry.clone());
            unneeded.extend(with_pipx.iter().filter(|_| has("pipx")).cloned());
        }
        let names = found.iter().map(|distribution| distribution.name.clone());
        let mut wanted: Vec<Name> = names.filter(|name| is_selected(name) || !unneeded.contains(name)).collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            unneeded.remove(&name);
            if seen.insert(name.clone()) {
                let needs = found.iter().filter(|distribution| distribution.name == name);
                wanted.extend(needs.flat_map(|distribution| distribution.needs.clone()));
            }
        }
        // An environment that is Poetry's alone, as it is made for $POETRY_HOME or by pipx, goes with it.
        if let Some(folder) = &environment {
            if has("poetry") && !is_projects && !case.needs_poetry {
                self.folders.insert(folder.clone());
                self.folders.extend(folder.strip_suffix("/venvs/poetry").map(str::to_owned));
            }
            // What virtualenv puts into a new environment, which no lock tells.
            let seeds = ["pip", "setuptools", "wheel"].map(Name::new);
            unneeded.extend(seeds.into_iter().filter(|name| !is_selected(name)));
        }
        for distribution in found.iter().filter(|distribution| unneeded.contains(&distribution.name)) {
            if is_selected(&distribution.name) {
                continue;
            }
            self.infos.insert(distribution.info.clone());
            self.folders.insert(distribution.info.clone());
            self.files.extend(distribution.files.iter().cloned());
            // The mark of virtualenv beside a distribution that it put there.
            self.files.insert(format!("{}.virtualenv", distribution.info.trim_end_matches(".dist-info")));
        }
    }

    /// Why a path may differ.
    fn reason(&self, path: &str) -> Option<&'static str> {
        let is_in =
            |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let name = path.rsplit('/').next().unwrap_or_default();
        if path.contains("/__pycache__") || path.ends_with(".pyc") {
            return Some("bytecode holds times, and Python writes it when it likes");
        }
        if path.strip_suffix("/REQUESTED").is_some_and(|info| self.unmarked.contains(info)) {
            return Some("pip found it there, as Poetry needs the same version");
        }
        if path.ends_with(".dist-info/WHEEL") && self.roots.contains(path) {
            return Some("Poetry 1 makes none for the project itself");
        }
        if is_in("/tmp") && path != "/tmp" {
            return Some("temporary files");
        }
        if let Some((_, cached)) = path.split_once("/.cache") {
            let is_cache = cached.is_empty() || cached.starts_with('/');
            if is_cache && !cached.starts_with("/pypoetry/virtualenvs") {
                return Some("a cache");
            }
        }
        if ["/.config/pypoetry", "/.local/share/pypoetry"]
            .iter()
            .any(|own| format!("{path}/").contains(&format!("{own}/")))
        {
            return Some("Poetry's own settings");
        }
        if path.ends_with("/bin/poetry") {
            return Some("Poetry's program, wherever it was moved");
        }
        let of_pipx = ["/.local", "/.local/bin", "/.local/share", "/.local/share/man"];
        if self.is_pipx && of_pipx.iter().any(|folder| path.ends_with(folder)) {
            return Some("folders that pipx makes");
        }
        if format!("{path}/").contains("/.local/share/pipx/") || format!("{path}/").contains("/.local/state/pipx/") {
            return Some("pipx's own environments");
        }
        if self.folders.iter().any(|folder| is_in(folder)) || self.files.contains(path) {
            return Some("Poetry, or what only Poetry needs, or what virtualenv puts into an environment");
        }
        let environment = self.environments.iter().find(|folder| is_in(folder))?;
        let below = path.strip_prefix(environment.as_str())?.trim_start_matches('/');
        let is_scaffolding = match below.split_once('/') {
            None => ["pyvenv.cfg", ".gitignore", "CACHEDIR.TAG", "lib64", "include", "local"].contains(&below),
            Some(("bin", name)) => is_scaffolding_program(name),
            Some(("lib", _)) => ["_virtualenv.py", "_virtualenv.pth", "dist-packages", "python3"].contains(&name),
            // Of Debian's Python.
            Some(("local", _)) => true,
            _ => false,
        };
        is_scaffolding.then_some("an environment's own scaffolding")
    }
}

/// Whether a program is in every environment: Python under its names, the scripts that activate, and pip's.
fn is_scaffolding_program(name: &str) -> bool {
    let stem = name.trim_end_matches(|character: char| character.is_ascii_digit() || ".-".contains(character));
    let scripts = [
        "deactivate.csh",
        "activate.xsh",
        "activate",
        "activate.csh",
        "activate.fish",
        "activate.nu",
        "activate.ps1",
        "Activate.ps1",
    ];
    ["python", "pip", "wheel"].contains(&stem) || scripts.contains(&name) || name == "activate_this.py"
}

/// All differences, one a line.
pub fn differences(case: &Case, plain: &Side, ours: &Side) -> Vec<String> {
    if plain.base != ours.base {
        return vec![format!("built on {} and on {}", plain.base, ours.base)];
    }
    let allowed = Allowed::new(case, plain, ours);
    let mut found = Vec::new();
    of_distributions(&allowed, plain, ours, &mut found);
    of_files(&allowed, plain, ours, &mut found);
    of_config(plain, ours, &mut found);
    found
}

fn of_distributions(allowed: &Allowed, plain: &Side, ours: &Side, found: &mut Vec<String>) {
    let all = |side: &Side| -> BTreeSet<String> {
        let all = distributions(side).into_values().flatten();
        all.map(|distribution| distribution.info)
            .filter(|info| !allowed.infos.contains(info) && allowed.reason(&format!("{info}/METADATA")).is_none())
            .collect()
    };
    let (plain, ours) = (all(plain), all(ours));
    found.extend(plain.difference(&ours).map(|info| format!("{info} is not in ours")));
    found.extend(ours.difference(&plain).map(|info| format!("{info} is in ours only")));
}

fn of_files(allowed: &Allowed, plain: &Side, ours: &Side, found: &mut Vec<String>) {
    let base = listing_of(&plain.base);
    let own = [plain, ours].into_iter().flat_map(|side| side.files.keys().chain(&side.removed));
    let mut paths: BTreeSet<&str> = own.map(|path| path.trim_end_matches('/')).collect();
    paths.extend(base.keys().filter(|path| plain.has_removed(path) || ours.has_removed(path)).map(String::as_str));
    for path in paths {
        let (of_plain, of_ours) = (plain.at(&base, path), ours.at(&base, path));
        let difference = match (&of_plain, &of_ours) {
            (Some(one), Some(other)) => {
                let unknown = !plain.files.contains_key(path) || !ours.files.contains_key(path);
                let info = path.strip_suffix("/RECORD").filter(|info| allowed.unmarked.contains(*info));
                difference(path, one, other, unknown, info.is_some())
            }
            (Some(one), None) => missing(allowed, path, one, plain).then(|| "is not in ours".to_owned()),
            (None, Some(other)) => missing(allowed, path, other, ours).then(|| "is in ours only".to_owned()),
            (None, None) => None,
        };
        let links = [&of_plain, &of_ours].into_iter().flatten().filter_map(|entry| entry.link.as_deref());
        // A name for a program of an environment that is Poetry's alone.
        let mut links_away =
            links.filter(|link| allowed.folders.iter().any(|folder| link.starts_with(&format!("{folder}/"))));
        if let Some(difference) = difference
            && allowed.reason(path).is_none()
            && links_away.next().is_none_or(|_| of_plain.is_some() && of_ours.is_some())
        {
            found.push(format!("{path} {difference}"));
        }
    }
}

/// Whether something that only one image has counts. A folder does not that is there for the sake of what may differ.
fn missing(allowed: &Allowed, path: &str, item: &Item, side: &Side) -> bool {
    if item.kind != Kind::Folder {
        return true;
    }
    let start = format!("{path}/");
    let mut below = side.files.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start)).peekable();
    if below.peek().is_none() {
        return true;
    }
    let mut files = below.filter(|(_, item)| item.kind != Kind::Folder).peekable();
    files.peek().is_none() || files.any(|(path, _)| allowed.reason(path).is_none())
}

/// How two items at one path differ; `unknown` if the content of one is that of the base, `unmarked` if it is the RECORD of
/// what need not be marked as asked for.
fn difference(path: &str, plain: &Item, ours: &Item, unknown: bool, unmarked: bool) -> Option<String> {
    if plain.kind != ours.kind {
        return Some(format!("is a {:?} and a {:?}", plain.kind, ours.kind));
    }
    if plain.mode != ours.mode && plain.kind != Kind::Symlink {
        return Some(format!("has the mode {:o} and {:o}", plain.mode, ours.mode));
    }
    if plain.owner != ours.owner {
        return Some(format!("belongs to {:?} and {:?}", plain.owner, ours.owner));
    }
    if plain.link != ours.link {
        return Some(format!("leads to {:?} and {:?}", plain.link, ours.link));
    }
    if plain.kind == Kind::Folder || plain.content.digest == ours.content.digest && !unknown {
        return None;
    }
    if plain.link.is_some() {
        return None;
    }
    if unknown {
        return Some("is changed in one of both".to_owned());
    }
    let (Some(plain), Some(ours)) = (plain.content.text.as_deref(), ours.content.text.as_deref()) else {
        return Some(format!("is not the same: {} and {} bytes", plain.content.length, ours.content.length));
    };
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    let is_equal = folder.ends_with(".dist-info")
        && match name {
            // Who installed it: pip, if Poetry itself needs the same version and is in the same environment.
            "INSTALLER" => {
                (plain.to_lowercase().starts_with("poetry") || plain.trim() == "pip")
                    && ours.trim() == "poetry-buildkit"
            }
            // The order of lines, and the lines of files that may differ.
            "RECORD" => {
                let rows = |record: &str| {
                    let mut rows = rows(folder, record);
                    rows.retain(|path, _| !unmarked || *path != format!("{folder}/REQUESTED"));
                    rows
                };
                rows(plain) == rows(ours)
            }
            // For the project itself Poetry adds the README, and classifiers that differ from version to version.
            "METADATA" => !ours.contains("\n\n") && fields(ours).is_subset(&fields(plain)),
            // The spelling of the project's address.
            "direct_url.json" => url(plain) == url(ours),
            _ => false,
        };
    // Each version of Poetry has a form of its own for the programs that it generates.
    let is_program = folder.ends_with("/bin") && called(plain).is_some() && called(plain) == called(ours);
    (!is_equal && !is_program).then(|| format!("is not the same: {}", first_difference(plain, ours)))
}

/// The files of a RECORD by their absolute paths, each with its digest where it may not differ.
fn rows(info: &str, record: &str) -> BTreeMap<String, String> {
    let place = info.rsplit_once('/').unwrap_or_default().0;
    let row = |row: &str| {
        let (path, rest) = row.split_once(',').unwrap_or((row, ""));
        let path = resolve(place, path.trim_matches('"'));
        let may_differ = path.contains("/bin/") || path.contains(".dist-info/");
        // The dist-info that Poetry 1 makes for the project itself has no such file.
        let is_absent = path.ends_with(".pyc") || path.ends_with(".dist-info/WHEEL");
        (!is_absent).then(|| (path, if may_differ { String::new() } else { rest.to_owned() }))
    };
    record.lines().filter_map(row).collect()
}

fn fields(metadata: &str) -> BTreeSet<&str> {
    metadata.lines().filter(|line| !line.starts_with("Metadata-Version: ")).collect()
}

/// What a generated program is run by, and what it calls.
fn called(program: &str) -> Option<(&str, &str)> {
    let import = program.lines().find(|line| line.starts_with("from ") && line.contains(" import "))?;
    Some((program.lines().next().filter(|line| line.starts_with("#!"))?, import))
}

fn url(text: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    let url = value["url"].as_str()?.trim_end_matches('/').to_owned();
    value["url"] = url.into();
    Some(value)
}

fn first_difference(plain: &str, ours: &str) -> String {
    let (mut plain, mut ours) = (plain.lines(), ours.lines());
    loop {
        match (plain.next(), ours.next()) {
            (None, None) => return "in the ends of lines".to_owned(),
            (one, other) if one != other => {
                let shown = |line: Option<&str>| line.map(|line| line.chars().take(100).collect::<String>());
                return format!("{:?} and {:?}", shown(one), shown(other));
            }
            _ => {}
        }
    }
}

fn of_config(plain: &Side, ours: &Side, found: &mut Vec<String>) {
    let mut environments = ours.environments();
    let environment_of = environments.next().filter(|_| environments.next().is_none());
    let (plain, ours) = (&plain.config, &ours.config);
    let mut check = |key: &str, one: &Value, other: &Value| {
        if one != other {
            found.push(format!("{key} is {one} and {other}"));
        }
    };
    for key in ["User", "WorkingDir", "ExposedPorts", "Labels", "Healthcheck", "StopSignal", "Volumes"] {
        check(key, &plain[key], &ours[key]);
    }
    let mut runs_without_poetry = false;
    for key in ["Entrypoint", "Cmd"] {
        // Without Poetry the program that it was to run is run at once.
        let own = without_variables(&ours[key]);
        let shortened = without_poetry_run(&plain[key]).filter(|shortened| *shortened == own);
        let shortened = shortened.filter(|_| is_each_in(environment_of.as_deref(), &plain[key], &ours[key]));
        runs_without_poetry |= shortened.is_some();
        check(key, shortened.as_ref().unwrap_or(&plain[key]), if shortened.is_some() { &own } else { &ours[key] });
    }
    let mut variables = environment(plain);
    if let Some(venv) = variable(ours, "VIRTUAL_ENV").filter(|_| runs_without_poetry) {
        // `poetry run` sets both.
        variables.insert("VIRTUAL_ENV".to_owned(), venv.clone());
        let path = variables.entry("PATH".to_owned()).or_default();
        let bin = format!("{venv}/bin");
        if path.split(':').next() != Some(&bin) {
            *path = format!("{bin}:{path}");
        }
    }
    check("Env", &serde_json::json!(variables), &serde_json::json!(environment(ours)));
}

/// An entry point or command with `poetry run` taken off, if it has it.
fn without_poetry_run(command: &Value) -> Option<Value> {
    let mut words: Vec<&str> = command.as_array()?.iter().filter_map(Value::as_str).collect();
    let is_poetry = |word: &str| word == "poetry" || word.ends_with("/bin/poetry");
    if let Some(at) = words.windows(2).position(|pair| is_poetry(pair[0]) && pair[1] == "run") {
        words.drain(at..at + 2);
        return Some(if words.is_empty() { Value::Null } else { serde_json::json!(words) });
    }
    let script = words.pop()?;
    let without = script.replace("poetry run ", "");
    words.push(without.trim_start());
    (without.len() < script.len()).then(|| serde_json::json!(words))
}

/// Whether each of several commands of `poetry run` has the variables of an environment.
fn is_each_in(environment: Option<&str>, plain: &Value, ours: &Value) -> bool {
    let script = |command: &Value| command.as_array().and_then(|words| words.last()?.as_str().map(str::to_owned));
    let (plain, ours) = (script(plain).unwrap_or_default(), script(ours).unwrap_or_default());
    let wanted = plain.matches("poetry run ").count();
    match environment {
        Some(path) if wanted > 1 => {
            ours.matches(&format!("VIRTUAL_ENV={path} PATH={path}/bin:\"$PATH\" ")).count() == wanted
        }
        _ => !ours.contains("VIRTUAL_ENV="),
    }
}

/// The same without the variables that each of several commands gets in place of the whole image.
fn without_variables(command: &Value) -> Value {
    let without = |word: &str| {
        // An assignment is no program that could be executed.
        if word.contains("exec VIRTUAL_ENV=") {
            return word.to_owned();
        }
        let mut word = word.replace("exec env VIRTUAL_ENV=", "exec VIRTUAL_ENV=");
        while let Some((before, rest)) = word.split_once("VIRTUAL_ENV=") {
            let Some((_, command)) = rest.split_once(":\"$PATH\" ") else { break };
            word = format!("{before}{command}");
        }
        word
    };
    match command.as_array() {
        Some(words) => words.iter().filter_map(Value::as_str).map(without).collect(),
        None => command.clone(),
    }
}

fn environment(config: &Value) -> BTreeMap<String, String> {
    let list = config["Env"].as_array().into_iter().flatten().filter_map(Value::as_str);
    list.filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn variable(config: &Value, name: &str) -> Option<String> {
    environment(config).remove(name)
}
