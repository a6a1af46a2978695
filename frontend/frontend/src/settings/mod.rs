//! `[tool.poetry-buildkit]` and the build arguments that override it.
//!
//! [`KEYS`] lists every setting; the reference page is checked against it. A setting is read by
//! the same function from either form, so that both have the same meaning and the same errors.

mod value;

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use poetry_lock::nearest;
use thiserror::Error;
use toml::de::DeTable;

use crate::{
    plan::bins,
    source::{Place, SourceFile},
};
use value::Value;

/// What build arguments that are settings begin with: `compile-bytecode` is `POETRY_BUILDKIT_COMPILE_BYTECODE`.
pub const ARGUMENT_PREFIX: &str = "POETRY_BUILDKIT_";

/// The build argument that names the project's folder in the build context. It is no setting: a project cannot say it.
pub const PROJECT_ARGUMENT: &str = "POETRY_BUILDKIT_PROJECT";

/// The names of all settings, sorted, each with what it is for.
pub const KEYS: [(&str, &str); 32] = [
    ("all-extras", "install all extras"),
    ("all-groups", "install all dependency groups"),
    ("allow-stale-lock", "build although pyproject.toml has changed since it was locked"),
    ("apt", "Debian packages for the runtime image"),
    ("base", "the runtime image"),
    ("build-apt", "Debian packages for building source distributions"),
    ("builder", "the image in which source distributions are built"),
    ("cmd", "the image's command"),
    ("compile-bytecode", "compile modules to bytecode"),
    ("entrypoint", "the image's entry point"),
    ("env", "environment variables of the image"),
    ("exclude", "patterns of files that are no part of the application"),
    ("expose", "ports that the application listens on"),
    ("extras", "extras to install"),
    ("include", "patterns of the application's files"),
    ("index", "the address of a mirror of the default index"),
    ("indexes", "addresses of mirrors of the project's sources, by name"),
    ("known-hosts", "lines of known_hosts, for Git over SSH"),
    ("labels", "labels of the image"),
    ("layers", "how many layers dependencies are spread over"),
    ("no-binary", "packages that are not installed from wheels"),
    ("no-directory", "do not install dependencies that are folders"),
    ("no-root", "do not install the project itself"),
    ("only", "the only dependency groups to install"),
    ("only-binary", "packages that are not built from source distributions"),
    ("only-root", "install the project itself and no dependency"),
    ("python", "the version of Python"),
    ("user", "the user that the application runs as, by number"),
    ("venv", "the path of the virtual environment"),
    ("with", "optional dependency groups to install"),
    ("without", "dependency groups to leave out"),
    ("workdir", "the path of the application"),
];

/// The name of the build argument that overrides a setting.
#[must_use]
pub fn argument_name(key: &str) -> String {
    format!("{ARGUMENT_PREFIX}{}", key.to_ascii_uppercase().replace('-', "_"))
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Who says so.
    pub origin: Origin,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A place in pyproject.toml.
    File(Place),
    /// The build argument of this name.
    Argument(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(place) => place.fmt(formatter),
            Self::Argument(name) => write!(formatter, "build argument {name}"),
        }
    }
}

/// A command as an image config holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A list of words: executed as it is.
    Exec(Vec<String>),
    /// A string: given to `/bin/sh -c`.
    Shell(String),
}

impl Command {
    /// The words that are executed.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Exec(words) => words.clone(),
            Self::Shell(line) => vec!["/bin/sh".into(), "-c".into(), line.clone()],
        }
    }
}

/// Debian packages for the steps that build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildPackages {
    /// For all of them.
    All(Vec<String>),
    /// For the named dependencies.
    Each(BTreeMap<String, Vec<String>>),
}

/// What the user set. Everything has a default that is found in the project or fixed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The runtime image.
    pub base: Option<Located<String>>,
    /// The image in which source distributions are built.
    pub builder: Option<Located<String>>,
    /// The Python version, e.g. `3.12` or `3.12.4`.
    pub python: Option<Located<String>>,
    /// Optional groups to add.
    pub with: Option<Located<Vec<String>>>,
    /// Groups to leave out.
    pub without: Option<Located<Vec<String>>>,
    /// The only groups to install.
    pub only: Option<Located<Vec<String>>>,
    /// Extras to install.
    pub extras: Option<Located<Vec<String>>>,
    /// Install all extras.
    pub all_extras: Option<Located<bool>>,
    /// Install all groups, optional ones as well.
    pub all_groups: Option<Located<bool>>,
    /// Do not install the project itself.
    pub no_root: Option<Located<bool>>,
    /// Install the project itself and no dependency.
    pub only_root: Option<Located<bool>>,
    /// Do not install dependencies that are folders.
    pub no_directory: Option<Located<bool>>,
    /// The absolute path of the application.
    pub workdir: Option<Located<String>>,
    /// The absolute path of the virtual environment.
    pub venv: Option<Located<String>>,
    /// Patterns of the application's files.
    pub include: Option<Located<Vec<String>>>,
    /// Patterns of files that are left out, in the syntax of `.dockerignore`.
    pub exclude: Option<Located<Vec<String>>>,
    /// The image's entry point.
    pub entrypoint: Option<Located<Command>>,
    /// The image's command.
    pub cmd: Option<Located<Command>>,
    /// Environment variables of the image.
    pub env: Option<Located<BTreeMap<String, String>>>,
    /// Ports, e.g. `8000` or `53/udp`.
    pub expose: Option<Located<Vec<String>>>,
    /// Labels of the image.
    pub labels: Option<Located<BTreeMap<String, String>>>,
    /// `uid` or `uid:gid`.
    pub user: Option<Located<String>>,
    /// Debian packages for the runtime image.
    pub apt: Option<Located<Vec<String>>>,
    /// How many layers the wheels of dependencies are spread over.
    pub layers: Option<Located<u64>>,
    /// Compile modules to bytecode.
    pub compile_bytecode: Option<Located<bool>>,
    /// The simple repository that stands in for the default index.
    pub index: Option<Located<String>>,
    /// The simple repositories that stand in for sources of the project, by the sources' names.
    pub indexes: Option<Located<BTreeMap<String, String>>>,
    /// Use a lock that was made for another pyproject.toml.
    pub allow_stale_lock: Option<Located<bool>>,
    /// Debian packages for building source distributions.
    pub build_apt: Option<Located<BuildPackages>>,
    /// Lines of `known_hosts`.
    pub known_hosts: Option<Located<Vec<String>>>,
    /// Packages that are not installed from wheels, as Poetry's `installer.no-binary`.
    pub no_binary: Option<Located<Vec<String>>>,
    /// Packages that are not built from source distributions, as Poetry's `installer.only-binary`.
    pub only_binary: Option<Located<Vec<String>>>,
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// No setting has this name.
    #[error("unknown setting `{key}`")]
    UnknownKey {
        /// The name as written.
        key: String,
        /// Who wrote it.
        origin: Origin,
    },
    /// The value is of another type than the setting wants.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType {
        /// The setting.
        key: String,
        /// What it wants, with an article.
        expected: &'static str,
        /// What was found, with an article.
        found: String,
        /// Who wrote it.
        origin: Origin,
    },
    /// The value is of the right type but cannot be meant.
    #[error("`{key}` {problem}")]
    BadValue {
        /// The setting.
        key: String,
        /// What is wrong with the value.
        problem: String,
        /// Who wrote it.
        origin: Origin,
    },
    /// The file cannot be read.
    #[error("pyproject.toml is not valid TOML: {problem}")]
    NotToml {
        /// What is wrong.
        problem: String,
        /// Where.
        origin: Origin,
    },
    /// `tool.poetry-buildkit` is not a table.
    #[error("`tool.poetry-buildkit` must be a table")]
    NotATable {
        /// Where it is written.
        origin: Origin,
    },
}

impl Error {
    /// Who wrote what is wrong.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        match self {
            Self::UnknownKey { origin, .. }
            | Self::WrongType { origin, .. }
            | Self::BadValue { origin, .. }
            | Self::NotToml { origin, .. }
            | Self::NotATable { origin } => origin,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnknownKey { key, .. } => {
                let known = KEYS.map(|(name, _)| name);
                Some(match nearest(key, known) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("the settings are {}", known.join(", ")),
                })
            }
            _ => None,
        }
    }
}

impl Settings {
    /// Reads the table `[tool.poetry-buildkit]` of a pyproject.toml, and applies the build
    /// arguments whose names begin with [`ARGUMENT_PREFIX`] on top of it.
    ///
    /// # Errors
    /// The file is no TOML, or the first setting that is unknown, of the wrong type, or out of range.
    pub fn read(file: &Arc<SourceFile>, arguments: &BTreeMap<String, String>) -> Result<Self, Error> {
        let at = |span: Range<usize>| Origin::File(Place::new(file, span));
        let parsed = DeTable::parse(&file.text).map_err(|error| Error::NotToml {
            problem: error.message().to_owned(),
            origin: at(error.span().unwrap_or_default()),
        })?;
        let mut settings = Self::default();
        let tool = parsed.get_ref().get("tool").and_then(|tool| tool.get_ref().as_table());
        if let Some(entry) = tool.and_then(|tool| tool.get("poetry-buildkit")) {
            let table = entry.get_ref().as_table().ok_or_else(|| Error::NotATable { origin: at(entry.span()) })?;
            for (key, value) in table {
                let name = key.get_ref().as_ref();
                settings.set(name, Value::toml(name, value.get_ref(), at(value.span())), at(key.span()))?;
            }
        }
        for (argument, text) in arguments {
            if argument == PROJECT_ARGUMENT {
                continue;
            }
            if let Some(name) = argument.strip_prefix(ARGUMENT_PREFIX) {
                let key = name.to_ascii_lowercase().replace('_', "-");
                let origin = Origin::Argument(argument.clone());
                settings.set(&key, Value::argument(&key, text, origin.clone()), origin)?;
            }
        }
        Ok(settings)
    }

    /// Who set one of the settings that choose what is installed.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        fn of<T>(setting: &Option<Located<T>>) -> Option<&Origin> {
            setting.as_ref().map(|setting| &setting.origin)
        }
        match key {
            "all-extras" => of(&self.all_extras),
            "all-groups" => of(&self.all_groups),
            "extras" => of(&self.extras),
            "no-root" => of(&self.no_root),
            "only" => of(&self.only),
            "only-root" => of(&self.only_root),
            "with" => of(&self.with),
            "without" => of(&self.without),
            _ => None,
        }
    }

    fn set(&mut self, key: &str, value: Value<'_>, key_origin: Origin) -> Result<(), Error> {
        match key {
            "all-extras" => self.all_extras = Some(value.boolean()?),
            "all-groups" => self.all_groups = Some(value.boolean()?),
            "allow-stale-lock" => self.allow_stale_lock = Some(value.boolean()?),
            "apt" => self.apt = Some(value.debian_packages()?),
            "base" => self.base = Some(value.text()?),
            "build-apt" => self.build_apt = Some(value.build_packages()?),
            "builder" => self.builder = Some(value.text()?),
            "cmd" => self.cmd = Some(value.command()?),
            "compile-bytecode" => self.compile_bytecode = Some(value.boolean()?),
            "entrypoint" => self.entrypoint = Some(value.command()?),
            "env" => self.env = Some(value.variables()?),
            "exclude" => self.exclude = Some(value.texts()?),
            "expose" => self.expose = Some(value.ports()?),
            "extras" => self.extras = Some(value.texts()?),
            "include" => self.include = Some(value.texts()?),
            "index" => self.index = Some(value.address()?),
            "indexes" => self.indexes = Some(value.addresses()?),
            "known-hosts" => self.known_hosts = Some(value.texts()?),
            "labels" => self.labels = Some(value.map()?),
            "layers" => self.layers = Some(value.number(2, bins::MOST)?),
            "no-binary" => self.no_binary = Some(value.texts()?),
            "no-directory" => self.no_directory = Some(value.boolean()?),
            "no-root" => self.no_root = Some(value.boolean()?),
            "only" => self.only = Some(value.texts()?),
            "only-binary" => self.only_binary = Some(value.texts()?),
            "only-root" => self.only_root = Some(value.boolean()?),
            "python" => self.python = Some(value.text()?),
            "user" => self.user = Some(value.user()?),
            "venv" => self.venv = Some(value.path()?),
            "with" => self.with = Some(value.texts()?),
            "without" => self.without = Some(value.texts()?),
            "workdir" => self.workdir = Some(value.path()?),
            _ => {
                return Err(Error::UnknownKey { key: key.to_owned(), origin: key_origin });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, arguments: &[(&str, &str)]) -> Result<Settings, Error> {
        let file = SourceFile::toml("pyproject.toml", text);
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::read(&file, &arguments)
    }

    fn value<T>(setting: Option<Located<T>>) -> T {
        setting.expect("the setting is there").value
    }

    #[test]
    fn every_key_is_known_and_the_list_is_sorted() {
        assert!(KEYS.is_sorted());
        for (key, _) in KEYS {
            let error = read(&format!("[tool.poetry-buildkit]\n{key} = 2020-01-01"), &[]).unwrap_err();
            assert!(matches!(error, Error::WrongType { .. }), "{key}: {error:?}");
        }
    }

    #[test]
    fn an_unknown_key_points_at_its_line_and_suggests_the_nearest() {
        let error = read("[tool.poetry-buildkit]\nbase = 'x'\nentry-point = 'y'\n", &[]).unwrap_err();
        assert_eq!(error.to_string(), "unknown setting `entry-point`");
        assert_eq!(error.origin().to_string(), "pyproject.toml:3");
        assert_eq!(error.help().as_deref(), Some("did you mean `entrypoint`?"));
        let error = read("", &[("POETRY_BUILDKIT_EXTRA", "x")]).unwrap_err();
        assert_eq!(error.origin().to_string(), "build argument POETRY_BUILDKIT_EXTRA");
        assert_eq!(error.help().as_deref(), Some("did you mean `extras`?"));
    }

    #[test]
    fn a_wrong_type_says_what_is_wanted_and_what_was_found() {
        let error = read("[tool.poetry-buildkit]\nwith = 1", &[]).unwrap_err();
        assert_eq!(error.to_string(), "`with` must be a string or a list of strings, not an integer");
        let error = read("[tool.poetry-buildkit]\nenv = { A = 1 }", &[]).unwrap_err();
        assert_eq!(error.to_string(), "`env.A` must be a string, not an integer");
        let error = read("tool.poetry-buildkit = 3", &[]).unwrap_err();
        assert_eq!(error.to_string(), "`tool.poetry-buildkit` must be a table");
    }

    #[test]
    fn what_is_no_toml_number_or_address_is_refused() {
        let error = read("[tool\n", &[]).unwrap_err();
        assert_eq!(error.origin().to_string(), "pyproject.toml:1");
        assert!(error.to_string().starts_with("pyproject.toml is not valid TOML: "), "{error}");
        for setting in ["expose = '+80'", "user = '+65532'"] {
            assert!(read(&format!("[tool.poetry-buildkit]\n{setting}"), &[]).is_err(), "{setting}");
        }
        for address in ["me:sesame@mirror.example/simple", "https://me:sesame@mirror.example/simple"] {
            let error = read("", &[("POETRY_BUILDKIT_INDEX", address)]).unwrap_err().to_string();
            assert!(error.contains("must not hold a user name") && !error.contains("sesame"), "{error}");
        }
    }

    #[test]
    fn build_arguments_override_the_file() {
        let settings = read(
            "[tool.poetry-buildkit]\nextras = ['a']\nbase = 'old'\ncompile-bytecode = false",
            &[
                ("POETRY_BUILDKIT_EXTRAS", "b, c"),
                ("POETRY_BUILDKIT_WITH", "['docs']"),
                ("POETRY_BUILDKIT_BASE", "new:1"),
                ("POETRY_BUILDKIT_COMPILE_BYTECODE", "true"),
                ("POETRY_BUILDKIT_ENV", "{ A = \"1\" }"),
                ("POETRY_BUILDKIT_CMD", "[\"python\", \"-V\"]"),
                ("POETRY_BUILDKIT_ENTRYPOINT", "exec run"),
                ("HTTP_PROXY", "ignored"),
            ],
        )
        .unwrap();
        assert_eq!(value(settings.extras), ["b", "c"]);
        assert_eq!(value(settings.with), ["docs"]);
        assert_eq!(value(settings.base), "new:1");
        assert!(value(settings.compile_bytecode));
        assert_eq!(value(settings.env)["A"], "1");
        assert_eq!(value(settings.cmd).words(), ["python", "-V"]);
        assert_eq!(value(settings.entrypoint).words(), ["/bin/sh", "-c", "exec run"]);
    }

    #[test]
    fn packages_for_building_are_for_all_or_for_each() {
        let packages =
            |text: &str| value(read(&format!("[tool.poetry-buildkit]\nbuild-apt = {text}"), &[]).unwrap().build_apt);
        assert_eq!(packages("['libpq-dev']"), BuildPackages::All(vec!["libpq-dev".into()]));
        let each = [("psycopg2".to_owned(), vec!["libpq-dev".to_owned()])].into();
        assert_eq!(packages("{ psycopg2 = 'libpq-dev' }"), BuildPackages::Each(each));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for (text, message) in [
            ("venv = 'venv'", "`venv` must be an absolute path, not `venv`"),
            ("workdir = '/a/../b'", "`workdir` must not have a `..` in it"),
            ("venv = '/'", "`venv` must not be the root folder"),
            (
                "user = 'app'",
                "`user` must be numeric (`uid` or `uid:gid`), so that `runAsNonRoot` can be checked, not `app`",
            ),
            (
                "expose = ['80/http']",
                "`expose` must be a port from 1 to 65535, as in `8000` or `53/udp`, not `80/http`",
            ),
            ("apt = ['a;b']", "`apt` must name Debian packages; `a;b` is not such a name"),
            ("env = { 'A=B' = 'c' }", "`env` has a variable name with `=` in it: `A=B`"),
            ("index = 'ftp://x'", "`index` must be an address that begins with https:// or http://, not `ftp://x`"),
            (
                "index = 'https://u:p@x/simple'",
                "`index` must not hold a user name or password: it would be kept in the build's records",
            ),
            ("base = ''", "`base` must not be empty"),
            ("layers = 1", "`layers` must be a number from 2 to 48, not `1`"),
            ("layers = -3", "`layers` must be a number from 2 to 48, not `-3`"),
            (
                "build-apt = { psycopg2 = ['libpq dev'] }",
                "`build-apt.psycopg2` must name Debian packages; `libpq dev` is not such a name",
            ),
            (
                "indexes = { corp = 'corp.example.org' }",
                "`indexes.corp` must be an address that begins with https:// or http://, not `corp.example.org`",
            ),
        ] {
            let error = read(&format!("[tool.poetry-buildkit]\n{text}"), &[]).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
