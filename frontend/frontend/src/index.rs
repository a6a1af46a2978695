//! The default index of packages.

/// The simple repository that packages without a source of their own come from.
pub const DEFAULT: &str = "https://pypi.org/simple";
