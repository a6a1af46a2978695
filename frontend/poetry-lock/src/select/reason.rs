use std::collections::BTreeSet;
use std::fmt;

use crate::Name;

/// Why a package is installed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// The active groups that lead to it.
    pub groups: BTreeSet<Name>,
    /// Whether the project itself names it.
    pub direct: bool,
    /// The extras asked for that the project names it in.
    pub extras: BTreeSet<Name>,
    /// The installed packages that ask for it.
    pub required_by: BTreeSet<Name>,
}

/// E.g. `group main, required by requests`.
impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (what, names) in [("group", &self.groups), ("extra", &self.extras), ("required by", &self.required_by)] {
            if !names.is_empty() {
                let names: Vec<_> = names.iter().map(Name::as_str).collect();
                parts.push(format!("{what} {}", names.join(", ")));
            }
        }
        formatter.write_str(&parts.join("; "))
    }
}
