//! The wheel tags that an interpreter supports (PEP 425, PEP 600, PEP 656, PEP 803), in the order
//! of the `packaging` library.

use std::collections::{HashMap, HashSet};

use crate::Error;

/// What decides on the tags of an interpreter on Linux. It is described, never asked: tags are
/// told for the interpreter that packages are chosen for, not for the one at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The implementation.
    pub implementation: Implementation,
    /// Major and minor version of the language.
    pub python: (u32, u32),
    /// The platform as `sysconfig.get_platform()` tells it for the interpreter's own architecture,
    /// e.g. `linux-x86_64`, `linux-aarch64`, `linux-armv7l`, `linux-i686`. (A 32-bit interpreter on
    /// a 64-bit kernel tells the kernel's; see [`Interpreter::platform_of`].)
    pub platform: String,
    /// The C library; `None` if it is none that wheels are made for.
    pub libc: Option<Libc>,
}

/// The implementation of Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Implementation {
    /// CPython.
    CPython {
        /// Whether it is a free-threaded build (PEP 703).
        free_threaded: bool,
        /// Whether it is a debug build (`Py_DEBUG`).
        debug: bool,
    },
    /// PyPy.
    PyPy {
        /// `sysconfig.get_config_var("EXT_SUFFIX")`, e.g. `.pypy39-pp73-x86_64-linux-gnu.so`.
        ext_suffix: String,
    },
}

/// A C library and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Libc {
    /// GNU libc: `manylinux` wheels.
    Glibc(u32, u32),
    /// musl: `musllinux` wheels.
    Musl(u32, u32),
}

impl Interpreter {
    /// An ordinary build of CPython.
    #[must_use]
    pub fn cpython(python: (u32, u32), platform: &str, libc: Libc) -> Self {
        Self {
            implementation: Implementation::CPython { free_threaded: false, debug: false },
            python,
            platform: platform.to_owned(),
            libc: Some(libc),
        }
    }

    /// The platform, as `sysconfig` calls it, of images for a platform that is called the way
    /// container images are: `linux/arm64` is `linux-aarch64`. `None` for those without Linux wheels.
    #[must_use]
    pub fn platform_of(image_platform: &str) -> Option<&'static str> {
        let (_, tag) = IMAGE_PLATFORMS.iter().find(|(name, _)| *name == image_platform)?;
        Some(tag)
    }
}

const IMAGE_PLATFORMS: [(&str, &str); 9] = [
    ("linux/386", "linux-i686"),
    ("linux/amd64", "linux-x86_64"),
    ("linux/arm/v6", "linux-armv6l"),
    ("linux/arm/v7", "linux-armv7l"),
    ("linux/arm64", "linux-aarch64"),
    ("linux/arm64/v8", "linux-aarch64"),
    ("linux/ppc64le", "linux-ppc64le"),
    ("linux/riscv64", "linux-riscv64"),
    ("linux/s390x", "linux-s390x"),
];

/// Architectures that `manylinux` wheels exist for.
const MANYLINUX: [&str; 10] =
    ["aarch64", "armv7l", "armv8l", "i686", "loongarch64", "ppc64", "ppc64le", "riscv64", "s390x", "x86_64"];

/// Names that versions of glibc had before PEP 600.
const LEGACY_MANYLINUX: [((u32, u32), &str); 3] =
    [((2, 17), "manylinux2014"), ((2, 12), "manylinux2010"), ((2, 5), "manylinux1")];

/// Higher than any minor version of glibc or musl will be.
const MAX_LIBC_MINOR: u32 = 999;

/// The tags of an interpreter, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    ordered: Vec<String>,
    ranks: HashMap<String, usize>,
    /// The first and the last parts of the tags.
    pythons: HashSet<String>,
    platforms: HashSet<String>,
}

impl Tags {
    /// The tags of `interpreter`.
    ///
    /// # Errors
    /// If the platform is not Linux, or the version or the extension suffix makes no sense.
    pub fn of(interpreter: &Interpreter) -> Result<Self, Error> {
        let error = |reason: String| Error::Tags { reason };
        let (major, minor) = interpreter.python;
        if major != 3 || minor > 99 {
            return Err(error(format!("Python {major}.{minor} is not supported")));
        }
        let platforms = platforms(interpreter).map_err(error)?;
        let short = format!("{major}{minor}");
        let mut tags = Vec::new();
        let any_version = match &interpreter.implementation {
            Implementation::CPython { free_threaded, debug } => {
                push_cpython(&mut tags, minor, *free_threaded, *debug, &platforms);
                format!("cp{short}")
            }
            Implementation::PyPy { ext_suffix } => {
                let abi = pypy_abi(ext_suffix)
                    .ok_or_else(|| error(format!("`{ext_suffix}` is not an extension suffix of PyPy")))?;
                push_all(&mut tags, &format!("pp{short}"), &abi, &platforms);
                push_all(&mut tags, &format!("pp{short}"), "none", &platforms);
                "pp3".to_owned()
            }
        };
        let pythons: Vec<String> = std::iter::once(format!("py{short}"))
            .chain(std::iter::once("py3".to_owned()))
            .chain((0..minor).rev().map(|minor| format!("py3{minor}")))
            .collect();
        for python in &pythons {
            push_all(&mut tags, python, "none", &platforms);
        }
        tags.push(format!("{any_version}-none-any"));
        tags.extend(pythons.iter().map(|python| format!("{python}-none-any")));
        Ok(Self::from_ordered(tags))
    }

    /// The given tags, best first, e.g. as `pip debug` prints them.
    #[must_use]
    pub fn from_ordered(ordered: Vec<String>) -> Self {
        let mut ranks = HashMap::with_capacity(ordered.len());
        let (mut pythons, mut platforms) = (HashSet::new(), HashSet::new());
        for (rank, tag) in ordered.iter().enumerate() {
            ranks.entry(tag.clone()).or_insert(rank);
            if let Some((python, _, platform)) = parts(tag) {
                pythons.insert(python.to_owned());
                platforms.insert(platform.to_owned());
            }
        }
        Self { ordered, ranks, pythons, platforms }
    }

    /// Whether a file may be a wheel with one of these tags, or no wheel at all: what can be told without reading all of its
    /// name. Most files of a lock are for other platforms or interpreters.
    pub(crate) fn may_fit(&self, file_name: &str) -> bool {
        let Some((python, _, platform)) = file_name.strip_suffix(".whl").and_then(parts) else { return true };
        let knows = |set: &str, known: &HashSet<String>| {
            set.bytes().any(|byte| byte.is_ascii_uppercase()) || set.split('.').any(|part| known.contains(part))
        };
        knows(platform, &self.platforms) && knows(python, &self.pythons)
    }

    /// All tags, best first.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.ordered
    }

    /// The place of the best of these tags; the smaller, the better. `None` if none is supported.
    #[must_use]
    pub fn best_rank(&self, tags: &[String]) -> Option<usize> {
        tags.iter().filter_map(|tag| self.ranks.get(tag)).min().copied()
    }
}

/// The last three parts of the name of a wheel, or the parts of a tag: interpreters, ABIs and platforms.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let mut parts = name.rsplitn(4, '-');
    let (platform, abi, python) = (parts.next()?, parts.next()?, parts.next()?);
    Some((python, abi, platform))
}

fn push_all(tags: &mut Vec<String>, python: &str, abi: &str, platforms: &[String]) {
    tags.extend(platforms.iter().map(|platform| format!("{python}-{abi}-{platform}")));
}

fn push_cpython(tags: &mut Vec<String>, minor: u32, free_threaded: bool, debug: bool, platforms: &[String]) {
    let python = format!("cp3{minor}");
    let threads = if free_threaded { "t" } else { "" };
    if debug {
        push_all(tags, &python, &format!("{python}{threads}d"), platforms);
    }
    push_all(tags, &python, &format!("{python}{threads}"), platforms);
    let stable_abi = if free_threaded { "abi3t" } else { "abi3" };
    push_all(tags, &python, stable_abi, platforms);
    push_all(tags, &python, "none", platforms);
    for older in (2..minor).rev() {
        push_all(tags, &format!("cp3{older}"), stable_abi, platforms);
    }
}

/// `.pypy39-pp73-x86_64-linux-gnu.so` is `pypy39_pp73`.
fn pypy_abi(ext_suffix: &str) -> Option<String> {
    let name = ext_suffix.strip_prefix('.')?.split('.').next()?;
    let mut parts = name.split('-');
    let (implementation, abi) = (parts.next()?, parts.next()?);
    implementation.starts_with("pypy").then(|| format!("{implementation}_{abi}"))
}

fn platforms(interpreter: &Interpreter) -> Result<Vec<String>, String> {
    let platform = interpreter.platform.replace(['-', '.', ' '], "_").to_lowercase();
    let architecture =
        platform.strip_prefix("linux_").ok_or_else(|| format!("`{platform}` is not a Linux platform"))?;
    // A 32-bit ARM interpreter on a 64-bit kernel runs all that is made for 32-bit kernels.
    let architectures = if architecture == "armv8l" { vec!["armv8l", "armv7l"] } else { vec![architecture] };
    let mut platforms: Vec<String> = architectures.iter().map(|architecture| format!("linux_{architecture}")).collect();
    match interpreter.libc {
        Some(Libc::Glibc(2, minor)) if minor <= MAX_LIBC_MINOR => {
            // Wheels for older versions of glibc exist on x86 alone.
            let oldest = if matches!(architecture, "x86_64" | "i686") { 5 } else { 17 };
            for architecture in architectures.iter().filter(|name| MANYLINUX.contains(name)) {
                push_manylinux(&mut platforms, architecture, oldest, minor);
            }
        }
        Some(Libc::Musl(major, minor)) if minor <= MAX_LIBC_MINOR => {
            for architecture in architectures {
                platforms.extend((0..=minor).rev().map(|minor| format!("musllinux_{major}_{minor}_{architecture}")));
            }
        }
        Some(Libc::Glibc(major, minor)) => {
            return Err(format!("glibc {major}.{minor} is not known"));
        }
        Some(Libc::Musl(major, minor)) => return Err(format!("musl {major}.{minor} is not known")),
        None => {}
    }
    Ok(platforms)
}

fn push_manylinux(platforms: &mut Vec<String>, architecture: &str, oldest: u32, newest: u32) {
    for minor in (oldest..=newest).rev() {
        platforms.push(format!("manylinux_2_{minor}_{architecture}"));
        let legacy = LEGACY_MANYLINUX.iter().find(|(version, _)| *version == (2, minor));
        platforms.extend(legacy.map(|(_, name)| format!("{name}_{architecture}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_tag_of_a_wheel_counts() {
        let tags = Tags::of(&Interpreter::cpython((3, 11), "linux-x86_64", Libc::Glibc(2, 36))).unwrap();
        let rank = |tag: &str| tags.best_rank(&[tag.to_owned()]);
        assert_eq!(rank("cp311-cp311-linux_x86_64"), Some(0));
        assert!(rank("cp311-cp311-manylinux2014_x86_64") < rank("cp310-abi3-manylinux2014_x86_64"));
        assert!(rank("cp310-abi3-manylinux2014_x86_64") < rank("py3-none-any"));
        assert_eq!(rank("cp312-cp312-manylinux2014_x86_64"), None);
        assert_eq!(rank("cp311-cp311-musllinux_1_2_x86_64"), None);
    }

    #[test]
    fn image_platforms_have_names_in_tags() {
        assert_eq!(Interpreter::platform_of("linux/arm/v7"), Some("linux-armv7l"));
        assert_eq!(Interpreter::platform_of("windows/amd64"), None);
    }

    #[test]
    fn what_has_no_wheels_is_an_error() {
        for (python, platform, libc) in [
            ((2, 7), "linux-x86_64", Libc::Glibc(2, 36)),
            ((3, 11), "win-amd64", Libc::Glibc(2, 36)),
            ((3, 11), "linux-x86_64", Libc::Glibc(3, 0)),
            ((3, 11), "linux-x86_64", Libc::Musl(1, u32::MAX)),
        ] {
            assert!(Tags::of(&Interpreter::cpython(python, platform, libc)).is_err());
        }
        let implementation = Implementation::PyPy { ext_suffix: ".so".into() };
        let pypy = Interpreter { implementation, ..Interpreter::cpython((3, 9), "linux-x86_64", Libc::Glibc(2, 36)) };
        assert!(Tags::of(&pypy).is_err());
    }
}
