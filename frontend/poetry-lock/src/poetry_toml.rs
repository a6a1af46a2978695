//! `poetry.toml`, Poetry's settings for one project.

use std::collections::BTreeMap;

use crate::toml_reader::{self, Node, Table};
use crate::{Error, InputFile, Name};

/// The settings that influence what is installed and where. `None` means: not set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoetryToml {
    /// `virtualenvs.create`: whether there is a virtual environment at all.
    pub virtualenvs_create: Option<bool>,
    /// `virtualenvs.in-project`: whether it is the folder `.venv` of the project.
    pub virtualenvs_in_project: Option<bool>,
    /// `virtualenvs.path`: the folder of virtual environments.
    pub virtualenvs_path: Option<String>,
    /// `virtualenvs.prompt`: the name that the shell shows.
    pub virtualenvs_prompt: Option<String>,
    /// `virtualenvs.options.system-site-packages`
    pub system_site_packages: Option<bool>,
    /// `virtualenvs.options.no-pip`
    pub no_pip: Option<bool>,
    /// `virtualenvs.options.always-copy`
    pub always_copy: Option<bool>,
    /// `installer.re-resolve`: whether a lock of version 2.1 is read like an older one.
    pub re_resolve: Option<bool>,
    /// `installer.no-binary` and `installer.only-binary`.
    pub files: FilePolicy,
    /// `installer.build-config-settings`: what build backends are told (PEP 517), by package.
    pub build_config_settings: BTreeMap<Name, BTreeMap<String, ConfigSetting>>,
}

/// The value of a setting for a build backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigSetting {
    /// One value.
    One(String),
    /// Several values.
    Several(Vec<String>),
}

/// Which packages must not be installed from wheels, and which must not be from source
/// distributions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilePolicy {
    /// No wheels for these.
    pub no_binary: PackageSet,
    /// No source distributions for these.
    pub only_binary: PackageSet,
}

/// A set of packages as a setting writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageSet {
    /// Whether all packages are in the set (`:all:` or true).
    pub all: bool,
    /// Packages that are named.
    pub names: Vec<Name>,
}

impl PackageSet {
    /// Reads names separated by commas, `:all:`, `:none:`, `true` or `false`.
    ///
    /// ```
    /// use poetry_lock::{Name, PackageSet};
    ///
    /// assert!(PackageSet::parse(":all:").all);
    /// assert_eq!(PackageSet::parse("Foo_Bar, baz").names, [Name::new("foo-bar"), Name::new("baz")]);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut set = Self::default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match item {
                ":all:" | "true" | "1" => set.all = true,
                ":none:" | "false" | "0" => {}
                name => set.names.push(Name::new(name)),
            }
        }
        set
    }

    fn read(node: Node<'_>) -> Result<Self, Error> {
        if let Some(all) = node.value.as_bool() {
            return Ok(Self { all, names: vec![] });
        }
        let Some(elements) = node.as_array() else {
            return Ok(Self::parse(node.string()?));
        };
        let mut set = Self::default();
        for element in elements {
            let Self { all, names } = Self::parse(element.string()?);
            set.all |= all;
            set.names.extend(names);
        }
        Ok(set)
    }

    fn names(&self, package: &Name) -> bool {
        self.names.contains(package)
    }
}

impl FilePolicy {
    /// Whether a wheel may be installed for `package`. A package that is named in one of the
    /// settings is not touched by an `:all:` in the other.
    #[must_use]
    pub fn allows_wheel(&self, package: &Name) -> bool {
        !(self.no_binary.names(package) || self.no_binary.all && !self.only_binary.names(package))
    }

    /// Whether a source distribution may be installed for `package`.
    #[must_use]
    pub fn allows_sdist(&self, package: &Name) -> bool {
        !(self.only_binary.names(package) || self.only_binary.all && !self.no_binary.names(package))
    }
}

impl PoetryToml {
    /// Reads the text of a `poetry.toml`. Keys that are not known are ignored.
    ///
    /// # Errors
    /// If it is not TOML, or a known key has a value of the wrong type.
    pub fn read(text: &str) -> Result<Self, Error> {
        let document = toml_reader::parse(text, InputFile::PoetryToml)?;
        let root = Table::root(&document, InputFile::PoetryToml);
        let mut settings = Self::default();
        if let Some(table) = root.table("virtualenvs")? {
            settings.virtualenvs_create = table.boolean("create")?;
            settings.virtualenvs_in_project = table.boolean("in-project")?;
            settings.virtualenvs_path = table.string("path")?.map(str::to_owned);
            settings.virtualenvs_prompt = table.string("prompt")?.map(str::to_owned);
            if let Some(options) = table.table("options")? {
                settings.system_site_packages = options.boolean("system-site-packages")?;
                settings.no_pip = options.boolean("no-pip")?;
                settings.always_copy = options.boolean("always-copy")?;
            }
        }
        if let Some(table) = root.table("installer")? {
            settings.re_resolve = table.boolean("re-resolve")?;
            let set = |key| table.get(key).map(PackageSet::read).transpose().map(Option::unwrap_or_default);
            settings.files = FilePolicy { no_binary: set("no-binary")?, only_binary: set("only-binary")? };
            for (package, node) in table.entries_of("build-config-settings")? {
                let read = |(key, node): (crate::Located<&str>, Node<'_>)| {
                    Ok((key.value.to_owned(), ConfigSetting::read(node)?))
                };
                let values = node.table()?.entries().into_iter().map(read).collect::<Result<_, Error>>()?;
                settings.build_config_settings.insert(Name::new(package.value), values);
            }
        }
        Ok(settings)
    }
}

impl ConfigSetting {
    fn read(node: Node<'_>) -> Result<Self, Error> {
        Ok(match node.as_array() {
            Some(values) => Self::Several(
                values.into_iter().map(|value| value.string().map(str::to_owned)).collect::<Result<_, _>>()?,
            ),
            None => Self::One(node.string()?.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read() {
        let settings = PoetryToml::read(
            "[virtualenvs]\ncreate = true\nin-project = false\n[virtualenvs.options]\nno-pip = true\n\
             [installer]\nno-binary = ['Foo_x', ':none:']\nonly-binary = true\nparallel = true\n\
             [installer.build-config-settings.Foo_x]\neditable_mode = 'compat'\nargs = ['-a', '-b']\n",
        )
        .unwrap();
        assert_eq!(settings.virtualenvs_create, Some(true));
        assert_eq!(settings.virtualenvs_in_project, Some(false));
        assert_eq!(settings.no_pip, Some(true));
        assert_eq!(settings.files.no_binary.names, [Name::new("foo-x")]);
        assert!(settings.files.only_binary.all);
        let expected = [
            ("editable_mode".to_owned(), ConfigSetting::One("compat".into())),
            ("args".to_owned(), ConfigSetting::Several(vec!["-a".into(), "-b".into()])),
        ];
        assert_eq!(settings.build_config_settings[&Name::new("foo-x")], expected.into());
        assert_eq!(PoetryToml::read("").unwrap(), PoetryToml::default());
    }

    #[test]
    fn a_name_beats_all_of_the_opposite_setting() {
        let policy = FilePolicy { no_binary: PackageSet::parse(":all:"), only_binary: PackageSet::parse("foo") };
        assert!(policy.allows_wheel(&Name::new("foo")) && !policy.allows_sdist(&Name::new("foo")));
        assert!(!policy.allows_wheel(&Name::new("bar")) && policy.allows_sdist(&Name::new("bar")));
    }

    #[test]
    fn a_wrong_type_is_an_error_with_its_place() {
        let error = PoetryToml::read("[virtualenvs]\ncreate = 'yes'\n").unwrap_err();
        assert_eq!(error.to_string(), "`create` has to be true or false, but is string");
        let span = error.span().unwrap();
        assert_eq!((span.file, span.start), (InputFile::PoetryToml, 23));
    }
}
