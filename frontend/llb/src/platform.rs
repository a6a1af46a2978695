use std::fmt;

use buildkit_proto::pb;

/// An operating system and a processor, in the terms of the OCI image specification.
///
/// Values are passed on as they are: `arm64` and `aarch64` are different texts here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// E.g. `linux`.
    pub os: String,
    /// E.g. `amd64`.
    pub architecture: String,
    /// E.g. `v7` of `arm`; empty if there is none.
    pub variant: String,
    /// A version of the operating system; used by Windows only.
    pub os_version: String,
    /// Required features of the operating system; used by Windows only.
    pub os_features: Vec<String>,
}

impl Platform {
    /// A platform without variant.
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self {
            os: os.into(),
            architecture: architecture.into(),
            variant: String::new(),
            os_version: String::new(),
            os_features: Vec::new(),
        }
    }

    /// The same platform with a variant of the processor.
    pub fn variant(self, variant: impl Into<String>) -> Self {
        Self { variant: variant.into(), ..self }
    }
}

/// `os/architecture`, `os/architecture/variant`; a version and features of the operating system stand
/// in parentheses after it, as containerd writes them.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.os)?;
        if !self.os_version.is_empty() || !self.os_features.is_empty() {
            write!(f, "({}", self.os_version)?;
            for feature in &self.os_features {
                write!(f, "+{feature}")?;
            }
            f.write_str(")")?;
        }
        write!(f, "/{}", self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

impl From<pb::Platform> for Platform {
    fn from(platform: pb::Platform) -> Self {
        let pb::Platform { architecture, os, variant, os_version, os_features } = platform;
        Self { os, architecture, variant, os_version, os_features }
    }
}

impl From<Platform> for pb::Platform {
    fn from(platform: Platform) -> Self {
        let Platform { os, architecture, variant, os_version, os_features } = platform;
        Self { architecture, os, variant, os_version, os_features }
    }
}

impl From<&Platform> for Platform {
    fn from(platform: &Platform) -> Self {
        platform.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_as_containerd_shows_it() {
        assert_eq!(Platform::new("linux", "amd64").to_string(), "linux/amd64");
        assert_eq!(Platform::new("linux", "arm").variant("v7").to_string(), "linux/arm/v7");
        let windows = Platform { os_version: "10.0.17763".into(), ..Platform::new("windows", "amd64") };
        assert_eq!(windows.to_string(), "windows(10.0.17763)/amd64");
    }
}
