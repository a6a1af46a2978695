use install_request::secret;
use poetry_lock::Span;
use thiserror::Error;

use crate::{interpreter, settings::Origin};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The lock and what was asked for do not go together.
    #[error(transparent)]
    Lock(#[from] poetry_lock::Error),
    /// A group or an extra that a setting asks for is not there, or settings exclude each other.
    #[error("{source}")]
    Choice {
        /// What is wrong.
        source: poetry_lock::Error,
        /// Who asked for it.
        origin: Origin,
    },
    /// The interpreter cannot be used.
    #[error(transparent)]
    Interpreter(#[from] interpreter::Error),
    /// A file has no sha256 in the lock.
    #[error("`{file}` has no sha256 in poetry.lock, so it cannot be verified")]
    NoSha256 {
        /// The file.
        file: String,
        /// Its place in the lock.
        span: Span,
    },
    /// The lock names a source that pyproject.toml has not.
    #[error("`{package}` was locked from the source `{source_name}`, which pyproject.toml does not have")]
    UnknownSource {
        /// The package.
        package: String,
        /// The source.
        source_name: String,
        /// The name of a source that was probably meant.
        nearest: Option<String>,
        /// The place of the package in the lock.
        span: Span,
    },
    /// A mirror is set for a source that pyproject.toml has not.
    #[error("`indexes` names the source `{name}`, which pyproject.toml does not have")]
    UnknownMirror {
        /// The name.
        name: String,
        /// The name of a source that was probably meant.
        nearest: Option<String>,
        /// Who set it.
        origin: Origin,
    },
    /// The address of a source holds a password.
    #[error("the address of the source `{name}` holds credentials, which would be seen in the build's records")]
    Credentials {
        /// The source.
        name: String,
        /// The place of the address.
        span: Span,
    },
    /// The address of a package holds a password.
    #[error("the address of `{name}` holds credentials, which would be seen in the build's records")]
    PackageCredentials {
        /// The package.
        name: String,
        /// The place of the package in the lock.
        span: Span,
    },
    /// A source has no address.
    #[error("the source `{name}` has no `url`")]
    NoAddress {
        /// The source.
        name: String,
        /// Its place.
        span: Span,
    },
    /// A path of the lock leads out of the build context.
    #[error("`{name}` is at `{path}`, which is not in the build context")]
    Outside {
        /// The package.
        name: String,
        /// The path, as the lock spells it.
        path: String,
        /// The place of the package in the lock.
        span: Span,
    },
    /// A package of the project itself is outside of the project's folder.
    #[error("the package `{path}` of `packages` is outside of the project's folder")]
    PackageOutside {
        /// Its path, relative to the project.
        path: String,
        /// Where it is named.
        span: Span,
    },
    /// An editable folder would stand where something else is.
    #[error("`{name}` would be at `{place}` in the image, which is a place of the system or of the application")]
    Taken {
        /// The package.
        name: String,
        /// The absolute path in the image.
        place: String,
        /// The place of the package in the lock.
        span: Span,
    },
    /// A folder of the lock is not there.
    #[error("`{name}` is at `{path}`, where there is no Python project")]
    NoFolder {
        /// The package.
        name: String,
        /// The path, as the lock spells it.
        path: String,
        /// The place of the package in the lock.
        span: Span,
    },
    /// A Git repository cannot be had without a network.
    #[error("`{name}` comes from a Git repository, which a wheelhouse cannot stand in for")]
    GitInWheelhouse {
        /// The package.
        name: String,
        /// The place of the package in the lock.
        span: Span,
    },
    /// No key of an SSH server is known.
    #[error("`{name}` comes from the SSH server `{host}`, whose key is not known")]
    UnknownHost {
        /// The package.
        name: String,
        /// The server.
        host: String,
        /// The place of the package in the lock.
        span: Span,
    },
    /// The address of a Git repository is none that BuildKit can use.
    #[error("`{name}` comes from Git: {reason}")]
    GitAddress {
        /// The package.
        name: String,
        /// What is wrong with the address, which it names.
        reason: String,
        /// The place of the package in the lock.
        span: Span,
    },
    /// A Git commit is not a whole one.
    #[error("`{name}` is locked at `{commit}`, which is no whole commit hash")]
    NoCommit {
        /// The package.
        name: String,
        /// What is there instead.
        commit: String,
        /// The place of the package in the lock.
        span: Span,
    },
}

impl Error {
    /// The place in pyproject.toml or poetry.lock.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Lock(error) => error.span(),
            Self::NoSha256 { span, .. }
            | Self::UnknownSource { span, .. }
            | Self::Credentials { span, .. }
            | Self::PackageCredentials { span, .. }
            | Self::Taken { span, .. }
            | Self::NoAddress { span, .. }
            | Self::Outside { span, .. }
            | Self::NoFolder { span, .. }
            | Self::GitInWheelhouse { span, .. }
            | Self::UnknownHost { span, .. }
            | Self::GitAddress { span, .. }
            | Self::PackageOutside { span, .. }
            | Self::NoCommit { span, .. } => Some(*span),
            Self::Choice { .. } | Self::Interpreter(_) | Self::UnknownMirror { .. } => None,
        }
    }

    /// Who set what is wrong.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Choice { origin, .. } | Self::UnknownMirror { origin, .. } => Some(origin),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Lock(error) | Self::Choice { source: error, .. } => return error.help(),
            Self::Interpreter(_) => return None,
            Self::NoSha256 { .. } => "lock again with `poetry lock`: Poetry writes a sha256 for every file".to_owned(),
            Self::UnknownSource { nearest: Some(nearest), .. } | Self::UnknownMirror { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?")
            }
            Self::UnknownSource { .. } => {
                "add it to [[tool.poetry.source]], or lock again with `poetry lock`".to_owned()
            }
            Self::UnknownMirror { .. } => {
                "name a source of [[tool.poetry.source]]; `index` is for the default index".to_owned()
            }
            Self::Credentials { name, .. } => format!(
                "take them out of `url`, and pass them as build secrets: `--secret id={} --secret id={}`",
                secret::username(name),
                secret::password(name)
            ),
            Self::PackageCredentials { .. } => format!(
                "take them out of pyproject.toml, lock again, and pass them as a build secret: `--secret id={}` for an \
                 archive, `--secret id=GIT_AUTH_TOKEN` for a repository",
                secret::NETRC
            ),
            Self::NoAddress { .. } => "give the source a `url`, or take it out".to_owned(),
            Self::Outside { .. } => "build from a folder that holds both, and name the project's file: \
                 `docker buildx build -f PROJECT/Dockerfile .`"
                .to_owned(),
            Self::PackageOutside { .. } => {
                "give it a pyproject.toml of its own, and depend on it with `{ path = \"…\", develop = true }`; or write a \
                 Dockerfile that copies both and runs `poetry install`"
                    .to_owned()
            }
            Self::Taken { .. } => {
                "set `workdir` of [tool.poetry-buildkit] to a deeper folder, e.g. `/srv/repository/service`: \
                 the folders of editable packages are placed relative to it"
                    .to_owned()
            }
            Self::NoFolder { .. } => {
                "look whether .dockerignore leaves the folder out; if it is elsewhere by now, lock again \
                 with `poetry lock`"
                    .to_owned()
            }
            Self::GitInWheelhouse { .. } => {
                "build with a network, or publish the package to an index and lock it from there".to_owned()
            }
            Self::UnknownHost { .. } => {
                "set `known-hosts` of [tool.poetry-buildkit] to what `ssh-keyscan` prints for it, once it is checked"
                    .to_owned()
            }
            Self::GitAddress { .. } => {
                "depend on `https://HOST/PATH` or `git@HOST:PATH` and lock again with `poetry lock`; a repository on \
                 this machine's disk can be a folder dependency in the build context"
                    .to_owned()
            }
            Self::NoCommit { .. } => "lock again with `poetry lock`".to_owned(),
        })
    }
}
