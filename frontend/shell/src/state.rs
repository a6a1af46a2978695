//! What is known of a shell at one point of a script.

use std::collections::{BTreeMap, BTreeSet};

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// It is this.
    Known(String),
    /// There is no such variable.
    Unset,
    /// Only the running shell knows.
    Unknown,
}

impl Value {
    /// The value where it is known.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn of(value: Option<String>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) value: Value,
    /// Whether programs see it; `None` if that is not known.
    pub(crate) exported: Option<bool>,
}

/// Options of the shell; `None` stands for one that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    /// `-e`
    pub(crate) errexit: Option<bool>,
    /// `-u`
    pub(crate) nounset: Option<bool>,
    /// `-f`
    pub(crate) noglob: Option<bool>,
    /// `-a`
    pub(crate) allexport: Option<bool>,
    /// `-o pipefail`
    pub(crate) pipefail: Option<bool>,
    /// `-x`
    pub(crate) xtrace: Option<bool>,
}

impl Default for Options {
    fn default() -> Self {
        let off = Some(false);
        Self { errexit: off, nounset: off, noglob: off, allexport: off, pipefail: off, xtrace: off }
    }
}

/// A shell's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) folder: Option<String>,
    pub(crate) options: Options,
    /// The positional parameters.
    pub(crate) parameters: Option<Vec<String>>,
    pub(crate) functions: BTreeSet<String>,
    /// Whether something may still run in the background.
    pub(crate) jobs: bool,
    /// Whether anything at all may be another.
    pub(crate) lost: bool,
    blind: Blind,
}

/// How often a variable was given a value that is not known. Two states may hold the same all the same.
#[derive(Debug, Clone, Copy, Default)]
struct Blind(usize);

impl PartialEq for Blind {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Blind {}

/// Variables that shells set by themselves, whatever the environment says.
const OWN: [&str; 29] = [
    "COLUMNS",
    "DIRSTACK",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "HOSTNAME",
    "HOSTTYPE",
    "IFS",
    "LINENO",
    "LINES",
    "MACHTYPE",
    "OLDPWD",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "OSTYPE",
    "PIPESTATUS",
    "PPID",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SHLVL",
    "SRANDOM",
    "UID",
];

/// Variables that some shells set where the environment does not.
const OWN_IF_UNSET: [&str; 7] = ["HOME", "LOGNAME", "MAILCHECK", "PATH", "SHELL", "TERM", "USER"];

/// Variables that change how a shell works. `ENV` names a file that only interactive shells read, which are not followed.
const OF_SHELL: [&str; 9] =
    ["BASHOPTS", "CDPATH", "EXECIGNORE", "FIGNORE", "GLOBIGNORE", "IFS", "POSIXLY_CORRECT", "PS4", "SHELLOPTS"];

/// Whether a shell sets a variable by itself.
pub(crate) fn is_own(name: &str) -> bool {
    OWN.contains(&name) || name == "_" || ["BASH", "EPOCH", "COMP_"].iter().any(|start| name.starts_with(start))
}

/// Whether a variable changes how a shell works. `BASH_FUNC_…` defines functions, and `BASH_ENV` names a file that is run.
pub(crate) fn is_of_shell(name: &str) -> bool {
    OF_SHELL.contains(&name) || name.starts_with("BASH")
}

impl State {
    /// The state of a shell that begins with this environment in the folder at this absolute path, which has no link on
    /// its way. `HOME` and `PATH` have to be told, as [`Value::Unknown`] if need be, wherever programs see them.
    #[must_use]
    pub fn new(environment: BTreeMap<String, Value>, folder: &str) -> Self {
        let exported = |value: Value| Variable { exported: Some(value != Value::Unset), value };
        Self {
            variables: environment.into_iter().map(|(name, value)| (name, exported(value))).collect(),
            folder: Some(folder.to_owned()),
            options: Options::default(),
            parameters: Some(Vec::new()),
            functions: BTreeSet::new(),
            jobs: false,
            lost: false,
            blind: Blind::default(),
        }
    }

    /// The same with a variable that programs see, and whose value is not known.
    #[must_use]
    pub fn with_unknown(mut self, name: &str) -> Self {
        self.variables.insert(name.to_owned(), Variable { value: Value::Unknown, exported: Some(true) });
        self
    }

    /// What a shell begins with that is started as a program here.
    #[must_use]
    pub fn of_program(&self) -> Self {
        let exported = |name: &String| {
            let value = self.exported(name);
            let exported = Some(value != Value::Unset);
            (name.clone(), Variable { value, exported })
        };
        Self {
            variables: self.variables.keys().map(exported).collect(),
            folder: self.folder.clone(),
            options: Options::default(),
            parameters: Some(Vec::new()),
            functions: BTreeSet::new(),
            jobs: self.jobs,
            lost: self.lost,
            blind: self.blind,
        }
    }

    /// The value of a variable for the shell itself.
    #[must_use]
    pub fn value(&self, name: &str) -> Value {
        if self.lost || is_own(name) {
            return Value::Unknown;
        }
        match self.variables.get(name) {
            Some(variable) => variable.value.clone(),
            None if OWN_IF_UNSET.contains(&name) => Value::Unknown,
            None => Value::Unset,
        }
    }

    /// The value of a variable that a program sees which is run here.
    #[must_use]
    pub fn exported(&self, name: &str) -> Value {
        match self.variables.get(name) {
            _ if self.lost || is_own(name) => Value::Unknown,
            None if OWN_IF_UNSET.contains(&name) => Value::Unknown,
            None => Value::Unset,
            Some(variable) => match variable.exported {
                Some(true) => variable.value.clone(),
                Some(false) => Value::Unset,
                None => Value::Unknown,
            },
        }
    }

    /// The names of variables of which something is known.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// The absolute path of the working folder, where it is known.
    #[must_use]
    pub fn folder(&self) -> Option<&str> {
        self.folder.as_deref().filter(|_| !self.lost)
    }

    /// Whether nothing is known any more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether something may still run in the background.
    #[must_use]
    pub fn has_jobs(&self) -> bool {
        self.jobs
    }

    /// Gives a variable a value, and exports it if that is said.
    pub(crate) fn set(&mut self, name: &str, value: Value, export: bool) {
        if is_of_shell(name) || is_own(name) {
            self.lost = true;
            return;
        }
        self.blind.0 += usize::from(value == Value::Unknown);
        // Whether a shell exports what it has set by itself differs.
        let unset = if OWN_IF_UNSET.contains(&name) { None } else { Some(false) };
        let now = self.variables.get(name).map_or(unset, |known| known.exported);
        let exported = match self.options.allexport {
            _ if export || now == Some(true) => Some(true),
            Some(true) => Some(true),
            Some(false) => now,
            None => None,
        };
        self.variables.insert(name.to_owned(), Variable { value, exported });
    }

    /// Whether nothing was set since it was another, earlier state.
    pub(crate) fn is_untouched_since(&self, before: &Self) -> bool {
        self == before && self.blind.0 == before.blind.0
    }

    /// Marks a variable for export without a new value.
    pub(crate) fn export(&mut self, name: &str) {
        let value = self.value(name);
        self.set(name, value, true);
    }

    /// Takes a variable away.
    pub(crate) fn unset(&mut self, name: &str) {
        self.lost |= is_of_shell(name) || is_own(name);
        self.variables.insert(name.to_owned(), Variable { value: Value::Unset, exported: Some(false) });
    }

    /// Forgets all that is known of a variable.
    pub(crate) fn forget(&mut self, name: &str) {
        self.blind.0 += 1;
        self.variables.insert(name.to_owned(), Variable { value: Value::Unknown, exported: None });
    }

    /// Switches an option on or off. Whether it is one that is followed.
    pub(crate) fn set_option(&mut self, name: &str, on: bool) -> bool {
        let options = &mut self.options;
        let option = match name {
            "errexit" => &mut options.errexit,
            "nounset" => &mut options.nounset,
            "noglob" => &mut options.noglob,
            "allexport" => &mut options.allexport,
            "pipefail" => &mut options.pipefail,
            "xtrace" => &mut options.xtrace,
            // It shows what is read.
            "verbose" => return true,
            _ => return false,
        };
        *option = Some(on);
        true
    }

    /// Whether all that is another than in an earlier state is known.
    pub(crate) fn is_known_since(&self, earlier: &Self) -> bool {
        let is_known = |name: &String, variable: &Variable| {
            earlier.variables.get(name) == Some(variable)
                || variable.value != Value::Unknown && variable.exported.is_some()
        };
        let options = [
            (self.options.errexit, earlier.options.errexit),
            (self.options.nounset, earlier.options.nounset),
            (self.options.noglob, earlier.options.noglob),
            (self.options.allexport, earlier.options.allexport),
            (self.options.pipefail, earlier.options.pipefail),
            (self.options.xtrace, earlier.options.xtrace),
        ];
        let is_kept = |(now, before): &(Option<bool>, Option<bool>)| now.is_some() || now == before;
        !self.lost
            && self.variables.iter().all(|(name, variable)| is_known(name, variable))
            && options.iter().all(is_kept)
            && (self.folder.is_some() || self.folder == earlier.folder)
            && (self.parameters.is_some() || self.parameters == earlier.parameters)
    }

    /// What may hold where either this state or another one does.
    pub(crate) fn join(&mut self, other: &Self) {
        let names: BTreeSet<String> = self.variables.keys().chain(other.variables.keys()).cloned().collect();
        for name in names {
            let of = |state: &Self| {
                let unset = Variable { value: state.value(&name), exported: Some(false) };
                state.variables.get(&name).cloned().unwrap_or(unset)
            };
            let (own, others) = (of(self), of(other));
            let value = if own.value == others.value { own.value } else { Value::Unknown };
            let exported = if own.exported == others.exported { own.exported } else { None };
            self.variables.insert(name, Variable { value, exported });
        }
        self.blind.0 = self.blind.0.max(other.blind.0);
        let both = |own: Option<bool>, other: Option<bool>| own.filter(|_| own == other);
        let (own, others) = (self.options, other.options);
        self.options = Options {
            errexit: both(own.errexit, others.errexit),
            nounset: both(own.nounset, others.nounset),
            noglob: both(own.noglob, others.noglob),
            allexport: both(own.allexport, others.allexport),
            pipefail: both(own.pipefail, others.pipefail),
            xtrace: both(own.xtrace, others.xtrace),
        };
        self.folder = self.folder.take().filter(|folder| Some(folder) == other.folder.as_ref());
        self.parameters = self.parameters.take().filter(|own| Some(own) == other.parameters.as_ref());
        self.functions.extend(other.functions.iter().cloned());
        self.jobs |= other.jobs;
        self.lost |= other.lost;
    }
}
