use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Archive, Index, Libc, Scheme};

/// Build a wheel from source in the builder image, and install it: `installer build JSON` (PEP 517, PEP 660).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The package's normalized name (PEP 503).
    pub name: String,
    /// The version as the lock spells it. A folder or repository may have another by now; then that is no error.
    pub version: String,
    /// What it is built from.
    pub source: BuildSource,
    /// Build an editable wheel (PEP 660) instead of an ordinary one.
    pub editable: bool,
    /// What it is built with.
    pub tools: BuildTools,
    /// Settings for the build backend (PEP 517 `config_settings`): strings, or lists of strings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config_settings: BTreeMap<String, ConfigSetting>,
    /// The absolute path of the interpreter that installed scripts name in their first line.
    pub python: String,
    /// Where the built wheel's files go: absolute paths in the final image.
    pub scheme: Scheme,
    /// The content of `direct_url.json` (PEP 610); `None` for what comes from an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_url: Option<String>,
}

/// Fetch all that a later [`Build`] without a network needs, and keep it as files below [`OUT`](crate::layout::OUT):
/// `installer gather JSON`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gather {
    /// The package's normalized name (PEP 503).
    pub name: String,
    /// What it is built from.
    pub source: BuildSource,
    /// Whether an editable wheel will be built.
    pub editable: bool,
    /// What it is built with.
    pub tools: BuildTools,
    /// Settings for the build backend (PEP 517 `config_settings`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config_settings: BTreeMap<String, ConfigSetting>,
}

/// Run the build script of a project (`[tool.poetry.build]`) in its own folder, as `poetry install` does:
/// `installer script JSON`. What the script leaves in the folder is the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunScript {
    /// The project's normalized name (PEP 503).
    pub name: String,
    /// The absolute path of the project, which can be written.
    pub folder: String,
    /// The absolute path of all of the project's files. What `folder` lacks of them is there while the script runs.
    pub files: String,
    /// The script, relative to the project.
    pub script: String,
    /// The requirements of the project's build (PEP 518), as requirements (PEP 508).
    pub requires: Vec<String>,
    /// The folder of the project's modules, relative to the project, if the script's function `build` is to prepare the
    /// arguments of setuptools, which then builds the extension modules in place (`generate-setup-file`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// What it is run with.
    pub tools: BuildTools,
}

/// What things are built with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildTools {
    /// The builder's interpreter: an absolute path, or a name that is looked up on `PATH`.
    pub python: String,
    /// The interpreter that the result is for.
    pub target: Target,
    /// Where build requirements come from, in order of preference.
    pub indexes: Vec<Index>,
    /// A folder in the step's container that build requirements come from instead; nothing is fetched then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheelhouse: Option<String>,
    /// Further constraints on build requirements, as PEP 508 requirements with constraints of Poetry
    /// (`tool.poetry.build-constraints`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
}

/// The interpreter that a wheel is built for. The builder's has to be like it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `platform_python_implementation`, e.g. `CPython`.
    pub implementation: String,
    /// Its minor version, e.g. `3.12`.
    pub python: String,
    /// The C library; the builder's may be older, but not newer.
    pub libc: Option<Libc>,
}

/// What a wheel is built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum BuildSource {
    /// A source distribution, or another archive of a source tree.
    Archive {
        /// The file. It is verified before anything of it runs.
        #[serde(flatten)]
        archive: Archive,
        /// The project's folder inside the archive, where it is not its root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subdirectory: Option<String>,
    },
    /// A folder that is mounted into the step. For an editable wheel it is the folder's path in the final image too.
    Tree {
        /// Its absolute path.
        path: String,
        /// The project's folder inside of it, where it is not its root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subdirectory: Option<String>,
    },
}

impl BuildSource {
    /// The index that it is looked up in.
    #[must_use]
    pub fn index(&self) -> Option<&Index> {
        match self {
            Self::Archive { archive, .. } => archive.index(),
            Self::Tree { .. } => None,
        }
    }
}

/// The value of a setting for a build backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigSetting {
    /// One value.
    One(String),
    /// Several values.
    Several(Vec<String>),
}

/// What a build left to say, as the file [`BUILD_REPORT_FILE`](crate::layout::BUILD_REPORT_FILE) below
/// [`FACTS`](crate::layout::FACTS).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildReport {
    /// The shared libraries (sonames) that the built wheel's ELF files need and do not bring with them, sorted, each with
    /// the Debian package of the builder image that it belongs to, where that could be told.
    pub needed_libraries: BTreeMap<String, Option<String>>,
}
