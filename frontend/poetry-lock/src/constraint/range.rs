use std::cmp::Ordering;

use pep440_rs::Version;

use crate::version;

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) version: Version,
    pub(crate) inclusive: bool,
}

impl Bound {
    pub(crate) fn including(version: Version) -> Self {
        Self { version, inclusive: true }
    }

    pub(crate) fn excluding(version: Version) -> Self {
        Self { version, inclusive: false }
    }

    /// The same place seen from the other side.
    pub(crate) fn opposite(&self) -> Self {
        Self { version: self.version.clone(), inclusive: !self.inclusive }
    }
}

/// A gapless set of versions that is not empty. A missing bound is an open end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) low: Option<Bound>,
    pub(crate) high: Option<Bound>,
}

impl Range {
    pub(crate) const FULL: Self = Self { low: None, high: None };

    /// The range between two bounds; `None` if nothing lies between them.
    pub(crate) fn new(low: Option<Bound>, high: Option<Bound>) -> Option<Self> {
        let empty = match (&low, &high) {
            (Some(low), Some(high)) => match low.version.cmp(&high.version) {
                Ordering::Less => false,
                Ordering::Equal => !(low.inclusive && high.inclusive),
                Ordering::Greater => true,
            },
            _ => false,
        };
        (!empty).then_some(Self { low, high })
    }

    pub(crate) fn point(version: Version) -> Self {
        Self { low: Some(Bound::including(version.clone())), high: Some(Bound::including(version)) }
    }

    /// The version of a range that holds no other.
    pub(crate) fn as_point(&self) -> Option<&Version> {
        match (&self.low, &self.high) {
            (Some(low), Some(high)) if low == high => Some(&low.version),
            _ => None,
        }
    }

    /// Whether the range holds `version`, by the rules of PEP 440 for `>` and for local versions.
    pub(crate) fn allows(&self, version: &Version) -> bool {
        let comparable = |bound: &Version, version: Version| {
            if bound.is_local() { version } else { version.without_local() }
        };
        if let Some(Bound { version: bound, inclusive }) = &self.low {
            let version = if !inclusive && !bound.is_post() { version::without_post(version) } else { version.clone() };
            match comparable(bound, version).cmp(bound) {
                Ordering::Less => return false,
                Ordering::Equal if !inclusive => return false,
                _ => {}
            }
        }
        if let Some(Bound { version: bound, inclusive }) = &self.high {
            match comparable(bound, version.clone()).cmp(bound) {
                Ordering::Greater => return false,
                Ordering::Equal if !inclusive => return false,
                _ => {}
            }
        }
        true
    }

    pub(crate) fn intersect(&self, other: &Self) -> Option<Self> {
        match (self.as_point(), other.as_point()) {
            (_, Some(version)) if self.allows(version) => return Some(other.clone()),
            (Some(version), _) if other.allows(version) => return Some(self.clone()),
            (None, None) => {}
            _ => return None,
        }
        let low = if self.compare_low(other).is_lt() { &other.low } else { &self.low };
        let high = if self.compare_high(other).is_lt() { &self.high } else { &other.high };
        Self::new(low.clone(), high.clone())
    }

    pub(crate) fn compare_low(&self, other: &Self) -> Ordering {
        match (&self.low, &other.low) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => a.version.cmp(&b.version).then(b.inclusive.cmp(&a.inclusive)),
        }
    }

    fn compare_high(&self, other: &Self) -> Ordering {
        match (&self.high, &other.high) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.version.cmp(&b.version).then(a.inclusive.cmp(&b.inclusive)),
        }
    }

    /// Whether nothing lies between this range and a `next` one that does not begin below it. A
    /// single version that lies inside but is not allowed, as 2.post1 by `>2`, is not reached.
    pub(crate) fn reaches(&self, next: &Self) -> bool {
        if let Some(version) = next.as_point() {
            let ends_there = |high: &Bound| high.version == *version;
            return self.allows(version) || self.high.as_ref().is_some_and(ends_there);
        }
        match (&self.high, &next.low) {
            (Some(high), Some(low)) => match high.version.cmp(&low.version) {
                Ordering::Less => false,
                Ordering::Equal => high.inclusive || low.inclusive,
                Ordering::Greater => true,
            },
            _ => true,
        }
    }

    /// Moves the upper end to that of `next`, if that is higher.
    pub(crate) fn extend_to(&mut self, next: &Self) {
        if self.compare_high(next).is_lt() {
            self.high.clone_from(&next.high);
        }
    }
}
