use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Ask the interpreter of the root file system, and lay out an empty virtual environment:
/// `installer probe JSON`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The interpreter: an absolute path, or a name that is looked up on `PATH`.
    pub python: String,
    /// The absolute path of the virtual environment in the final image.
    pub venv: String,
}

/// What a Python interpreter says of itself: all that the choice of packages and files depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpreter {
    /// The interpreter's own path, links resolved, e.g. `/usr/local/bin/python3.11`.
    pub executable: String,
    /// The marker variables (PEP 508) by name. `platform_release` and `platform_version` are empty:
    /// they tell of the building kernel, not of the one the image will run on.
    pub markers: BTreeMap<String, String>,
    /// `sysconfig.get_platform()`, e.g. `linux-x86_64`.
    pub platform: String,
    /// The C library that the interpreter is linked with; `None` if it could not be told.
    pub libc: Option<Libc>,
    /// `sysconfig.get_config_var("EXT_SUFFIX")`, e.g. `.cpython-311-x86_64-linux-gnu.so`.
    pub ext_suffix: String,
    /// Whether this is a free-threaded build (PEP 703).
    pub free_threaded: bool,
    /// Whether this is a debug build (`Py_DEBUG`).
    pub debug: bool,
    /// The installation scheme of a virtual environment of this interpreter; paths are relative to the environment.
    pub venv: Scheme,
    /// The installation scheme of the interpreter itself; absolute paths.
    pub system: Scheme,
    /// The shared libraries of its root file system, by the names of their files.
    #[serde(default)]
    pub libraries: BTreeSet<String>,
}

/// The key in `pyvenv.cfg` behind which an environment that we laid out keeps the [`Interpreter`], without its libraries, as
/// JSON on one line. A build cache that has the environment so has the answer as well.
const SETTING: &str = "poetry-buildkit";

impl Interpreter {
    /// The line of `pyvenv.cfg`.
    ///
    /// # Errors
    /// None, as far as one can see: the type has no keys that are not texts.
    pub fn to_setting(&self) -> serde_json::Result<(&'static str, String)> {
        // Through a value, which has sorted keys.
        let value = serde_json::to_value(Self { libraries: BTreeSet::new(), ..self.clone() })?;
        Ok((SETTING, value.to_string()))
    }

    /// Reads it from the text of `pyvenv.cfg`.
    ///
    /// # Errors
    /// It is not there, or not what [`Interpreter::to_setting`] writes.
    pub fn from_settings(text: &str) -> serde_json::Result<Self> {
        let settings = text.lines().filter_map(|line| line.split_once(" = "));
        let json = settings.filter(|(key, _)| *key == SETTING).map(|(_, json)| json).next();
        serde_json::from_str(json.unwrap_or_default())
    }
}

/// A C library, for the platform tags of wheels (PEP 600, PEP 656).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Libc {
    /// Which one.
    pub family: LibcFamily,
    /// Its major version.
    pub major: u32,
    /// Its minor version.
    pub minor: u32,
}

/// The families of C libraries for which wheels exist on Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LibcFamily {
    /// GNU libc: `manylinux` wheels.
    Glibc,
    /// musl: `musllinux` wheels.
    Musl,
}

/// The folders of an installation, by the keys of `sysconfig.get_paths()`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Modules of wheels with `Root-Is-Purelib: true`.
    pub purelib: String,
    /// Modules of all other wheels.
    pub platlib: String,
    /// Scripts.
    pub scripts: String,
    /// The root of data files.
    pub data: String,
    /// C headers; those of a distribution go into a folder below it that bears its name.
    pub headers: String,
}

impl Scheme {
    /// The same scheme with every path placed below `prefix`. Absolute paths stay.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Self {
        let prefix = prefix.trim_end_matches('/');
        let join = |path: &str| match path {
            "" => prefix.to_owned(),
            absolute if absolute.starts_with('/') => absolute.to_owned(),
            relative => format!("{prefix}/{relative}"),
        };
        Self {
            purelib: join(&self.purelib),
            platlib: join(&self.platlib),
            scripts: join(&self.scripts),
            data: join(&self.data),
            headers: join(&self.headers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_an_environment_tell_of_its_interpreter() {
        let scheme = Scheme {
            purelib: "lib".into(),
            platlib: "lib".into(),
            scripts: "bin".into(),
            data: String::new(),
            headers: "include".into(),
        };
        let interpreter = Interpreter {
            executable: "/usr/bin/python = 3".into(),
            markers: [("python_version".to_owned(), "3.11".to_owned())].into(),
            platform: "linux-x86_64".into(),
            libc: Some(Libc { family: LibcFamily::Musl, major: 1, minor: 2 }),
            ext_suffix: ".so".into(),
            free_threaded: false,
            debug: false,
            venv: scheme.clone(),
            system: scheme,
            libraries: ["libc.so.6".to_owned()].into(),
        };
        let (key, value) = interpreter.to_setting().unwrap();
        assert!(!value.contains('\n') && !value.contains("libc.so.6"), "{value}");
        let found = Interpreter::from_settings(&format!("home = /usr/bin\n{key} = {value}\n")).unwrap();
        assert_eq!(found, Interpreter { libraries: BTreeSet::new(), ..interpreter });
        assert!(Interpreter::from_settings("home = /usr/bin\n").is_err());
    }

    #[test]
    fn relative_paths_are_placed_below_the_prefix() {
        let venv = Scheme {
            purelib: "lib/python3.11/site-packages".into(),
            platlib: "lib64/python3.11/site-packages".into(),
            scripts: "bin".into(),
            data: String::new(),
            headers: "/opt/include".into(),
        };
        let placed = venv.below("/app/.venv/");
        assert_eq!(placed.purelib, "/app/.venv/lib/python3.11/site-packages");
        assert_eq!(placed.scripts, "/app/.venv/bin");
        assert_eq!(placed.data, "/app/.venv");
        assert_eq!(placed.headers, "/opt/include");
    }
}
