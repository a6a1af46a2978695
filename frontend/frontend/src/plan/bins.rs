//! Which node, and so which layer, a dependency belongs to.
//!
//! A package's node depends on its own name and kind only. So adding, removing or bumping one package
//! changes one node and moves no other package, and the number of layers has a bound whatever the lock holds.

use sha2::{Digest, Sha256};

/// Nodes for wheels with compiled code. They are the large ones: in all but the largest projects each of them
/// has its node to itself, or shares it with one other.
pub const COMPILED: u64 = 36;
/// Nodes for wheels of pure Python, which are small and many.
pub const PURE: u64 = 12;

/// Layers of packages that have a node of their own, if there are more such packages.
pub const OWN: u64 = 8;

/// Whether a node can have several packages.
#[must_use]
pub fn is_shared(node: &str) -> bool {
    node.starts_with("compiled-") || node.starts_with("pure-")
}

/// The node of a wheel, by the package's normalized name.
#[must_use]
pub fn node(name: &str, compiled: bool) -> String {
    if compiled { format!("compiled-{:02}", slot(name, COMPILED)) } else { format!("pure-{:02}", slot(name, PURE)) }
}

/// One of so many places, by a name.
#[must_use]
pub fn slot(name: &str, slots: u64) -> u64 {
    let digest = Sha256::digest(name);
    let start = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    start % slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_known_from_the_name_alone() {
        assert_eq!(node("numpy", true), "compiled-02");
        assert_eq!(node("idna", false), "pure-11");
    }

    #[test]
    fn names_spread_over_all_nodes() {
        let nodes: std::collections::BTreeSet<_> = (0..1000).map(|n| node(&format!("package-{n}"), false)).collect();
        assert_eq!(nodes.len() as u64, PURE);
    }
}
