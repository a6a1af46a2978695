use crate::lock::LockVersion;
use crate::{InputFile, Name, NoCandidate, Span, UnknownVariable};

/// All that can go wrong. [`span`](Self::span) tells where, [`help`](Self::help) what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is not TOML.
    #[error("{file} is not valid TOML: {message}")]
    Toml {
        /// The text.
        file: InputFile,
        /// What the parser says.
        message: String,
        /// Where.
        span: Span,
    },
    /// A key that has to be there is not.
    #[error("{owner} has no `{key}`")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// What lacks it.
        owner: String,
        /// The place of what lacks it.
        span: Span,
    },
    /// A value is of another type or kind than it has to be.
    #[error("`{key}` has to be {expected}, but is {found}")]
    WrongType {
        /// The key.
        key: String,
        /// What is expected.
        expected: &'static str,
        /// The type or the value that is there.
        found: String,
        /// Where.
        span: Span,
    },
    /// A version cannot be read.
    #[error("{reason}")]
    Version {
        /// Why.
        reason: String,
        /// Where.
        span: Span,
    },
    /// A version constraint cannot be read.
    #[error("cannot read the version constraint `{text}`: {reason}")]
    Constraint {
        /// The constraint.
        text: String,
        /// Why.
        reason: String,
        /// Where.
        span: Span,
    },
    /// A marker cannot be read.
    #[error("cannot read the marker `{text}`: {reason}")]
    Marker {
        /// The marker.
        text: String,
        /// Why.
        reason: String,
        /// Where.
        span: Span,
    },
    /// A requirement cannot be read.
    #[error("cannot read the requirement `{text}`: {reason}")]
    Requirement {
        /// The requirement.
        text: String,
        /// Why.
        reason: String,
        /// Where.
        span: Span,
    },
    /// A name is not a legal one.
    #[error("`{text}` is not a valid name")]
    InvalidName {
        /// The name.
        text: String,
        /// Where.
        span: Span,
    },
    /// The name of a script cannot be that of a file.
    #[error("the script `{name}` has a name that no file can have")]
    ScriptName {
        /// The name.
        name: String,
        /// Where.
        span: Span,
    },
    /// The lock is of a version that is not known.
    #[error("locks of version {version} cannot be read")]
    LockVersion {
        /// The version as it is written.
        version: String,
        /// Where.
        span: Span,
    },
    /// The lock was made for another pyproject.toml.
    #[error("pyproject.toml changed significantly since poetry.lock was last generated")]
    StaleLock {
        /// The place of the content hash, if there is one.
        span: Option<Span>,
    },
    /// A value cannot be part of the content hash.
    #[error("`{key}` holds {found}, which Poetry cannot lock")]
    NotHashable {
        /// The key.
        key: String,
        /// What it holds.
        found: &'static str,
        /// Where.
        span: Span,
    },
    /// Two groups have the same normalized name.
    #[error("the dependency group `{group}` is defined twice, also as `{other}`")]
    DuplicateGroup {
        /// The group as it is spelled.
        group: String,
        /// The other spelling.
        other: String,
        /// Where.
        span: Span,
    },
    /// A group includes another that does not exist.
    #[error("the dependency group `{group}` includes `{included}`, which is not defined")]
    UndefinedGroup {
        /// The including group.
        group: String,
        /// The included group.
        included: String,
        /// Where.
        span: Span,
    },
    /// Groups include others on too many levels.
    #[error("dependency groups include each other on more than {limit} levels")]
    GroupDepth {
        /// The number of levels that is allowed.
        limit: usize,
        /// Where the include that goes too deep stands.
        span: Span,
    },
    /// Groups include each other in a circle.
    #[error("dependency groups include each other in a circle: {circle}")]
    GroupCircle {
        /// The groups, joined by arrows.
        circle: String,
        /// Where the first include of the circle stands.
        span: Span,
    },
    /// A group that is asked for is not in pyproject.toml.
    #[error(
        "there is no dependency group `{group}` (asked for with `{option}`); {}",
        known_names("the project's groups are", known)
    )]
    UnknownGroup {
        /// The group.
        group: Name,
        /// The option that named it.
        option: &'static str,
        /// The groups that exist.
        known: Vec<Name>,
        /// The group that was probably meant.
        nearest: Option<Name>,
    },
    /// An extra that is asked for is not in the lock.
    #[error("there is no extra `{extra}`; {}", known_names("the extras in poetry.lock are", known))]
    UnknownExtra {
        /// The extra.
        extra: Name,
        /// The extras that exist.
        known: Vec<Name>,
        /// The extra that was probably meant.
        nearest: Option<Name>,
    },
    /// Two options exclude each other.
    #[error("`{first}` cannot be used together with `{second}`")]
    OptionConflict {
        /// One option.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// The environment cannot be used.
    #[error("`{variable}` of the environment cannot be used: {reason}")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// Why.
        reason: String,
    },
    /// A marker depends on a variable that the environment does not tell.
    #[error("{source}")]
    UnknownVariable {
        /// The variable and the marker.
        source: UnknownVariable,
        /// The marker's place.
        span: Option<Span>,
    },
    /// The project does not allow the environment's Python.
    #[error("Python {python} is not allowed by the project ({constraint})")]
    PythonNotAllowed {
        /// The environment's version.
        python: String,
        /// The project's constraint.
        constraint: String,
        /// The constraint's place.
        span: Option<Span>,
    },
    /// Two versions of one package would be installed.
    #[error("two versions of `{name}` would be installed: {first} and {second}")]
    TwoVersions {
        /// The package.
        name: Name,
        /// One version and the marker it is selected by.
        first: String,
        /// The other.
        second: String,
        /// The place of the second entry.
        span: Span,
        /// The place of the first entry.
        first_span: Span,
    },
    /// The lock has no set of packages that satisfies the project.
    #[error("poetry.lock does not satisfy the project: {reason}")]
    NoSolution {
        /// Which demand is not met.
        reason: String,
        /// The place of a demand that is not met.
        span: Option<Span>,
    },
    /// No locked file can be installed.
    #[error("{0}")]
    NoCandidate(Box<NoCandidate>),
    /// The tags of an interpreter cannot be told.
    #[error("cannot tell the wheel tags of this interpreter: {reason}")]
    Tags {
        /// Why.
        reason: String,
    },
}

fn known_names(introduction: &str, known: &[Name]) -> String {
    if known.is_empty() {
        return "there are none".into();
    }
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("{introduction} {}", known.join(", "))
}

impl Error {
    /// The place in one of the texts that the error is about, if there is one.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Toml { span, .. }
            | Self::MissingKey { span, .. }
            | Self::WrongType { span, .. }
            | Self::Version { span, .. }
            | Self::Constraint { span, .. }
            | Self::Marker { span, .. }
            | Self::Requirement { span, .. }
            | Self::InvalidName { span, .. }
            | Self::ScriptName { span, .. }
            | Self::LockVersion { span, .. }
            | Self::NotHashable { span, .. }
            | Self::DuplicateGroup { span, .. }
            | Self::UndefinedGroup { span, .. }
            | Self::GroupCircle { span, .. }
            | Self::GroupDepth { span, .. }
            | Self::TwoVersions { span, .. } => Some(*span),
            Self::StaleLock { span }
            | Self::UnknownVariable { span, .. }
            | Self::PythonNotAllowed { span, .. }
            | Self::NoSolution { span, .. } => *span,
            Self::NoCandidate(candidate) => Some(candidate.span),
            Self::UnknownGroup { .. }
            | Self::UnknownExtra { .. }
            | Self::OptionConflict { .. }
            | Self::Environment { .. }
            | Self::Tags { .. } => None,
        }
    }

    /// What can be done about it, in a sentence or two, if that is known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Toml { file: InputFile::Lock, .. } => {
                "If the lock holds marks of a merge conflict, resolve it and run `poetry lock`.".into()
            }
            Self::MissingKey { span: Span { file: InputFile::Lock, .. }, .. }
            | Self::WrongType { span: Span { file: InputFile::Lock, .. }, .. }
            | Self::Marker { span: Span { file: InputFile::Lock, .. }, .. }
            | Self::Constraint { span: Span { file: InputFile::Lock, .. }, .. }
            | Self::NoSolution { .. } => "Regenerate the lock with `poetry lock`.".into(),
            Self::LockVersion { .. } => {
                "Versions 1.0 to 2.1 can be read. Regenerate the lock with `poetry lock` of a Poetry that writes one of them.".into()
            }
            Self::StaleLock { .. } => "Run `poetry lock` to fix the lock file.".into(),
            Self::UnknownGroup { nearest: Some(nearest), .. } | Self::UnknownExtra { nearest: Some(nearest), .. } => {
                format!("Did you mean `{nearest}`?")
            }
            Self::PythonNotAllowed { .. } => "Choose an interpreter that the project allows.".into(),
            Self::TwoVersions { .. } => {
                "Poetry would install both, one over the other. Do not ask for extras or groups together that need different versions.".into()
            }
            Self::Marker { .. } => "Correct the marker; PEP 508 tells what can stand there.".into(),
            Self::Constraint { .. } => "A constraint is e.g. `^1.2`, `>=1.2,<2.0` or `1.2.*`.".into(),
            Self::ScriptName { .. } => "Name it as it is called, without folders.".into(),
            Self::GroupCircle { .. } => "Take one of the includes out.".into(),
            Self::UnknownVariable { .. } => "Give the variable's value with the environment.".into(),
            Self::NoCandidate(candidate) => return candidate.help(),
            _ => return None,
        })
    }
}

/// What is odd, but does not stop anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The lock has no `lock-version`.
    #[error("poetry.lock has no `lock-version`; it is read as version 1.0")]
    NoLockVersion {
        /// Where it belongs.
        span: Span,
    },
    /// The lock is of a newer minor version than is known.
    #[error("poetry.lock is of version {version}, which is newer than what is known; it is read as version 2.1")]
    NewerLockVersion {
        /// Its version.
        version: LockVersion,
        /// Where it stands.
        span: Span,
    },
    /// The lock was made for another pyproject.toml, and is used all the same.
    #[error("pyproject.toml changed significantly since poetry.lock was last generated")]
    StaleLock {
        /// The place of the content hash, if there is one.
        span: Option<Span>,
    },
    /// A selected package is not made for the environment's Python. Poetry does not look at that.
    #[error("`{name}` {version} is made for Python {constraint}, not for {python}")]
    PackagePython {
        /// The package.
        name: Name,
        /// Its version.
        version: String,
        /// The Python versions it is made for.
        constraint: String,
        /// The environment's version.
        python: String,
        /// The package's place in the lock.
        span: Span,
    },
    /// An archive has no hash in the lock that it could be compared with.
    #[error(
        "`{name}` {version} has no hash in this lock, so that its archive cannot be verified; locks of Poetry 1.5 and \
         later have one"
    )]
    NoHash {
        /// The package.
        name: Name,
        /// Its version.
        version: String,
        /// The package's place in the lock.
        span: Span,
    },
    /// Options that have no effect beside `only`.
    #[error("`with` and `without` are ignored because `only` is given")]
    IgnoredGroups,
    /// The two ways to read a lock of version 2.1 lead to different packages.
    #[error("the markers in poetry.lock select other packages than its dependencies do: {difference}")]
    CrossCheck {
        /// What differs.
        difference: String,
    },
}

impl Warning {
    /// The place in one of the texts that the warning is about, if there is one.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::NoLockVersion { span }
            | Self::NewerLockVersion { span, .. }
            | Self::PackagePython { span, .. }
            | Self::NoHash { span, .. } => Some(*span),
            Self::StaleLock { span } => *span,
            Self::IgnoredGroups | Self::CrossCheck { .. } => None,
        }
    }
}
