//! Sets of the states that a package can be in.

/// A set of states of one package: each of its locked entries may be the one that is installed,
/// or the package may be absent. Bit 0 stands for absence, bit n + 1 for entry n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct States(u128);

/// How many locked entries one package can have.
pub(super) const MAX_ENTRIES: usize = 127;

impl States {
    pub(super) const EMPTY: Self = Self(0);
    pub(super) const ABSENT: Self = Self(1);

    /// Absence, and each of `entries` entries.
    pub(super) fn all(entries: usize) -> Self {
        Self(u128::MAX >> (MAX_ENTRIES - entries.min(MAX_ENTRIES)))
    }

    pub(super) fn entry(index: usize) -> Self {
        Self(if index < MAX_ENTRIES { 2 << index } else { 0 })
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the package has to be installed in some entry.
    pub(super) fn excludes_absence(self) -> bool {
        self.0 & 1 == 0
    }

    /// The first entry of the set.
    pub(super) fn first_entry(self) -> Option<usize> {
        let entries = self.0 >> 1;
        (entries != 0).then(|| entries.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_all_sizes_hold_absence_and_their_entries() {
        assert_eq!(States::all(0), States::ABSENT);
        assert_eq!(States::all(2), States::ABSENT.union(States::entry(0)).union(States::entry(1)));
        assert_eq!(States::all(MAX_ENTRIES).without(States::ABSENT).first_entry(), Some(0));
        assert!(States::entry(MAX_ENTRIES - 1).is_subset(States::all(MAX_ENTRIES)));
        assert_eq!(States::ABSENT.first_entry(), None);
    }
}
