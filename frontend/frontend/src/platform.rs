//! Platforms as Docker names them: `linux/arm/v7` (containerd `platforms`).

use buildkit_llb::Platform;

/// Reads `linux/ARCHITECTURE[/VARIANT]` or an architecture alone, and normalizes its spelling. `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<Platform> {
    let mut parts = text.split('/');
    let first = parts.next()?;
    let architecture = match (first, text.contains('/')) {
        ("linux", true) => parts.next()?,
        (architecture, false) => architecture,
        _ => return None,
    };
    let variant = parts.next().unwrap_or_default();
    if parts.next().is_some() {
        return None;
    }
    let (architecture, variant) = match (architecture, variant) {
        ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64", ""),
        ("aarch64" | "arm64", "" | "v8" | "8") => ("arm64", ""),
        ("armhf", "") | ("arm", "" | "7" | "v7") => ("arm", "v7"),
        ("armel", "") | ("arm", "6" | "v6") => ("arm", "v6"),
        ("i386" | "386", "") => ("386", ""),
        (known @ ("ppc64le" | "s390x" | "riscv64"), "") => (known, ""),
        _ => return None,
    };
    Some(Platform::new("linux", architecture).variant(variant))
}

/// What Python's `platform.machine()` says on that architecture.
#[must_use]
pub fn machine(platform: &Platform) -> &str {
    match (platform.architecture.as_str(), platform.variant.as_str()) {
        ("amd64", _) => "x86_64",
        ("arm64", _) => "aarch64",
        ("arm", "v6") => "armv6l",
        ("arm", _) => "armv7l",
        ("386", _) => "i686",
        (other, _) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_normalized() {
        for (text, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("arm64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("linux/riscv64", "linux/riscv64"),
        ] {
            assert_eq!(parse(text).map(|platform| platform.to_string()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn other_systems_and_nonsense_are_no_platform() {
        for text in ["windows/amd64", "linux", "linux/", "", "linux/amd64/v3/x", "linux/vax"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
