//! The interpreter that packages are chosen for: what the probe reported, or what a command line describes.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Platform;
use install_request::{Interpreter, Libc, LibcFamily, Scheme, Target};
use poetry_lock::{Environment, Implementation, Tags, Version};
use thiserror::Error;

use crate::platform;

/// An interpreter that packages cannot be chosen for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The markers or the tags cannot be told.
    #[error("{0}")]
    Lock(#[from] poetry_lock::Error),
    /// Its version cannot be read.
    #[error("`{0}` is not a version of Python such as `3.12.4`")]
    Version(String),
}

/// The interpreter in another platform's variant of its image: the same, on another machine.
///
/// The images of one tag hold the same Python for every platform, so nothing has to be run on the target's own
/// machine.
#[must_use]
pub fn on_platform(interpreter: &Interpreter, target: &Platform) -> Interpreter {
    let machine = platform::machine(target);
    let mut moved = interpreter.clone();
    if let Some(own) = moved.markers.insert("platform_machine".into(), machine.to_owned()) {
        moved.ext_suffix = moved.ext_suffix.replace(&own, machine);
    }
    moved.platform = format!("linux-{machine}");
    moved
}

/// The variables that markers are evaluated with.
///
/// # Errors
/// If the Python version is missing or cannot be read.
pub fn environment(interpreter: &Interpreter) -> Result<Environment, Error> {
    Ok(Environment::new(interpreter.markers.clone())?)
}

/// The tags of wheels that it can use, best first.
///
/// # Errors
/// If the version or the platform makes no sense.
pub fn tags(interpreter: &Interpreter) -> Result<Tags, Error> {
    let implementation = match implementation_name(interpreter) {
        "pypy" => Implementation::PyPy { ext_suffix: interpreter.ext_suffix.clone() },
        _ => Implementation::CPython { free_threaded: interpreter.free_threaded, debug: interpreter.debug },
    };
    let libc = interpreter.libc.map(|Libc { family, major, minor }| match family {
        LibcFamily::Glibc => poetry_lock::Libc::Glibc(major, minor),
        LibcFamily::Musl => poetry_lock::Libc::Musl(major, minor),
    });
    Ok(Tags::of(&poetry_lock::Interpreter {
        implementation,
        python: minor_version(version(interpreter))?,
        platform: interpreter.platform.clone(),
        libc,
    })?)
}

/// What a builder's interpreter has to be like.
#[must_use]
pub fn target(interpreter: &Interpreter) -> Target {
    let marker = |name: &str| interpreter.markers.get(name).cloned().unwrap_or_default();
    Target {
        implementation: marker("platform_python_implementation"),
        python: marker("python_version"),
        libc: interpreter.libc,
    }
}

/// The full version, e.g. `3.11.7`.
#[must_use]
pub fn version(interpreter: &Interpreter) -> &str {
    interpreter.markers.get("python_full_version").map_or("", String::as_str)
}

/// `cpython` or `pypy`.
#[must_use]
pub fn implementation_name(interpreter: &Interpreter) -> &str {
    interpreter.markers.get("implementation_name").map_or("cpython", String::as_str)
}

/// CPython as it would be on a platform, without asking anything: for planning without a daemon.
///
/// # Errors
/// If `version` is not one such as `3.12.4`.
pub fn described(version: &str, target: &Platform, libc: Libc) -> Result<Interpreter, Error> {
    let (major, minor) = minor_version(version)?;
    let machine = platform::machine(target);
    let markers: BTreeMap<&str, &str> = [
        ("implementation_name", "cpython"),
        ("implementation_version", version),
        ("os_name", "posix"),
        ("platform_machine", machine),
        ("platform_python_implementation", "CPython"),
        ("platform_release", ""),
        ("platform_system", "Linux"),
        ("platform_version", ""),
        ("python_full_version", version),
        ("sys_platform", "linux"),
    ]
    .into();
    let mut markers: BTreeMap<String, String> =
        markers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    markers.insert("python_version".into(), format!("{major}.{minor}"));
    let scheme = |prefix: &str| {
        let packages = format!("{prefix}lib/python{major}.{minor}/site-packages");
        Scheme {
            purelib: packages.clone(),
            platlib: packages,
            scripts: format!("{prefix}bin"),
            data: prefix.trim_end_matches('/').to_owned(),
            headers: format!("{prefix}include/python{major}.{minor}"),
        }
    };
    Ok(Interpreter {
        executable: format!("/usr/local/bin/python{major}.{minor}"),
        markers,
        platform: format!("linux-{machine}"),
        libc: Some(libc),
        ext_suffix: format!(".cpython-{major}{minor}-{machine}-linux-gnu.so"),
        free_threaded: false,
        debug: false,
        venv: Scheme { headers: format!("include/site/python{major}.{minor}"), ..scheme("") },
        system: scheme("/usr/local/"),
        libraries: BTreeSet::new(),
    })
}

fn minor_version(text: &str) -> Result<(u32, u32), Error> {
    let error = || Error::Version(text.to_owned());
    let parsed: Version = text.trim_end_matches('+').parse().map_err(|_| error())?;
    let part = |index: usize| parsed.release().get(index).and_then(|number| u32::try_from(*number).ok());
    Ok((part(0).ok_or_else(error)?, part(1).ok_or_else(error)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLIBC: Libc = Libc { family: LibcFamily::Glibc, major: 2, minor: 36 };

    fn on(platform: &str) -> Interpreter {
        described("3.11.7", &platform::parse(platform).unwrap(), GLIBC).unwrap()
    }

    #[test]
    fn another_platform_differs_in_the_machine_only() {
        let moved = on_platform(&on("linux/amd64"), &platform::parse("linux/arm64").unwrap());
        assert_eq!(moved, on("linux/arm64"));
        assert!(tags(&moved).unwrap().as_slice().contains(&"cp311-cp311-manylinux_2_28_aarch64".to_owned()));
    }

    #[test]
    fn markers_see_the_described_interpreter() {
        let environment = environment(&on("linux/arm/v7")).unwrap();
        let marker = poetry_lock::Marker::parse("platform_machine == 'armv7l' and python_version == '3.11'").unwrap();
        assert!(marker.evaluate(&environment, poetry_lock::Extras::Open).unwrap());
    }

    #[test]
    fn nonsense_is_no_version() {
        let error = described("three", &platform::parse("linux/amd64").unwrap(), GLIBC).unwrap_err();
        assert_eq!(error.to_string(), "`three` is not a version of Python such as `3.12.4`");
    }
}
