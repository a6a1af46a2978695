//! Which node, and so which layer, a dependency belongs to.
//!
//! A package's node depends on its own name and kind only. So adding, removing or bumping one package
//! changes one node and moves no other package, and the number of layers has a bound whatever the lock holds.

use sha2::{Digest, Sha256};

/// How many nodes the wheels of indexes are spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Nodes for wheels with compiled code. They are the large ones: in all but the largest projects each of them
    /// has its node to itself, or shares it with one other.
    compiled: u64,
    /// Nodes for wheels of pure Python, which are small and many.
    pure: u64,
}

/// So many at most: with all other layers there are fewer than 64.
pub const MOST: u64 = 48;

impl Spread {
    /// Over as many nodes as `layers`, from 2 to [`MOST`].
    #[must_use]
    pub fn over(layers: u64) -> Self {
        let compiled = (layers * 3 / 4).clamp(1, MOST);
        Self { compiled, pure: layers.saturating_sub(compiled).max(1) }
    }

    /// The node of a wheel, by the package's normalized name.
    #[must_use]
    pub fn node(self, name: &str, compiled: bool) -> String {
        let Self { compiled: slots, pure } = self;
        if compiled { format!("compiled-{:02}", slot(name, slots)) } else { format!("pure-{:02}", slot(name, pure)) }
    }
}

impl Default for Spread {
    fn default() -> Self {
        Self::over(MOST)
    }
}

/// Layers of packages that have a node of their own, if there are more such packages.
pub const OWN: u64 = 8;

/// Whether a node can have several packages.
#[must_use]
pub fn is_shared(node: &str) -> bool {
    node.starts_with("compiled-") || node.starts_with("pure-")
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
        let spread = Spread::default();
        assert_eq!(spread.node("numpy", true), "compiled-02");
        assert_eq!(spread.node("idna", false), "pure-11");
    }

    #[test]
    fn names_spread_over_all_nodes_and_no_more() {
        for layers in [2, 3, 10, MOST] {
            let spread = Spread::over(layers);
            let nodes = |compiled| (0..2000).map(move |n| spread.node(&format!("package-{n}"), compiled));
            let nodes: std::collections::BTreeSet<_> = nodes(false).chain(nodes(true)).collect();
            assert_eq!(nodes.len() as u64, layers);
        }
    }
}
