//! Sets of versions, in the language that Poetry's constraints are written in.

mod display;
mod parse;
mod range;

pub use parse::ConstraintError;
pub(crate) use parse::{Flavour, MAX_TERMS};
use pep440_rs::Version;
pub(crate) use range::{Bound, Range};

/// A set of versions: what `^1.2`, `>=2,<3 || >=3.1` or `1.*` allow.
///
/// [`parse`](Self::parse) describes the language. Two rules of PEP 440 are part of what a constraint
/// [`allows`](Self::allows): `<2` does not allow the pre-releases of 2, `>2` neither its
/// post-releases nor its local versions, and `==2` allows all local versions of 2.
///
/// ```
/// use poetry_lock::Constraint;
///
/// let caret = Constraint::parse("^1.2 || 3.*")?;
/// assert!(caret.allows(&"1.9.1".parse()?));
/// assert!(!caret.allows(&"2.0rc1".parse()?));
/// assert_eq!(caret.to_string(), ">=1.2,<2.0 || >=3.dev0,<4");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// In ascending order, neither overlapping nor touching; but single versions may lie inside
    /// of a range that does not allow them.
    ranges: Vec<Range>,
}

impl Constraint {
    /// Allows every version.
    #[must_use]
    pub fn any() -> Self {
        Self { ranges: vec![Range::FULL] }
    }

    /// Allows no version.
    #[must_use]
    pub fn none() -> Self {
        Self { ranges: vec![] }
    }

    /// Allows `version` and, if it is not a local version itself, its local versions.
    #[must_use]
    pub fn exactly(version: Version) -> Self {
        Self { ranges: vec![Range::point(version)] }
    }

    /// Whether `version` is in the set.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        match self.excluded_version() {
            Some(excluded) => !Range::point(excluded.clone()).allows(version),
            None => self.ranges.iter().any(|range| range.allows(version)),
        }
    }

    /// Whether every version is in the set.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.ranges == [Range::FULL]
    }

    /// Whether no version is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether there is a version above which nothing is allowed.
    #[must_use]
    pub fn has_upper_bound(&self) -> bool {
        self.ranges.last().is_none_or(|range| range.high.is_some())
    }

    /// The versions in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let pairs = self.ranges.iter().flat_map(|a| other.ranges.iter().map(move |b| (a, b)));
        Self::of(pairs.filter_map(|(a, b)| a.intersect(b)).collect())
    }

    /// The versions in at least one of the sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.ranges.iter().chain(&other.ranges).cloned().collect())
    }

    /// The versions that are not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut gaps = Vec::new();
        let mut low = None;
        for range in &self.ranges {
            if let Some(bound) = &range.low {
                gaps.extend(Range::new(low.take(), Some(bound.opposite())));
            }
            match &range.high {
                Some(bound) => low = Some(bound.opposite()),
                None => return Self { ranges: gaps },
            }
        }
        gaps.extend(Range::new(low, None));
        Self { ranges: gaps }
    }

    fn of(mut ranges: Vec<Range>) -> Self {
        ranges.sort_by(Range::compare_low);
        let mut merged: Vec<Range> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if last.reaches(&range) => last.extend_to(&range),
                _ => merged.push(range),
            }
        }
        Self { ranges: merged }
    }

    /// The only version that is not in the set, if there is just one: `!=1.0`.
    fn excluded_version(&self) -> Option<&Version> {
        match self.ranges.as_slice() {
            [Range { low: None, high: Some(high) }, Range { low: Some(low), high: None }]
                if high == low && !high.inclusive =>
            {
                Some(&low.version)
            }
            _ => None,
        }
    }

    pub(crate) fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    pub(crate) fn from_range(range: Option<Range>) -> Self {
        Self { ranges: range.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(text: &str) -> Constraint {
        Constraint::parse(text).unwrap()
    }

    fn allowed<'a>(constraint: &Constraint, versions: &[&'a str]) -> Vec<&'a str> {
        versions.iter().copied().filter(|v| constraint.allows(&v.parse().unwrap())).collect()
    }

    #[test]
    fn an_exclusive_upper_bound_leaves_out_its_own_pre_releases() {
        assert_eq!(allowed(&c("<2"), &["2.dev0", "2a1", "1.9", "1.9.post1", "2"]), ["1.9", "1.9.post1"]);
        assert_eq!(allowed(&c("<2a2"), &["2a1", "2a2", "2.dev0"]), ["2a1", "2.dev0"]);
    }

    #[test]
    fn an_exclusive_lower_bound_leaves_out_its_own_post_and_local_versions() {
        assert_eq!(allowed(&c(">1"), &["1", "1.post1", "1+x", "1.0.1"]), ["1.0.1"]);
        assert_eq!(allowed(&c(">1.post1"), &["1.post1", "1.post2"]), ["1.post2"]);
    }

    #[test]
    fn an_exact_version_allows_its_local_versions() {
        assert_eq!(allowed(&c("2.1.0"), &["2.1", "2.1.0+cpu", "2.1.0.post1"]), ["2.1", "2.1.0+cpu"]);
        assert_eq!(allowed(&c("2.1.0+cpu"), &["2.1", "2.1.0+cpu", "2.1.0+cu118"]), ["2.1.0+cpu"]);
    }

    #[test]
    fn excluding_one_version_keeps_its_post_releases() {
        assert_eq!(allowed(&c("!=2"), &["2", "2+x", "2.post1", "2rc1"]), ["2.post1", "2rc1"]);
    }

    #[test]
    fn excluding_a_series_excludes_its_pre_releases() {
        assert_eq!(allowed(&c("!=1.*"), &["0.9", "1a1", "1.5", "2.dev1", "2"]), ["0.9", "2.dev1", "2"]);
    }

    #[test]
    fn sets_can_be_combined() {
        assert_eq!(c(">=1,<3").intersect(&c(">=2,<4")), c(">=2,<3"));
        assert_eq!(c(">=1,<3").union(&c(">=2,<4")), c(">=1,<4"));
        assert_eq!(c(">=1,<=2").union(&c(">2")), c(">=1"));
        assert!(c("<1").intersect(&c(">=1")).is_empty());
        assert_eq!(c("1.*").complement().complement(), c("1.*"));
        assert_eq!(Constraint::any().complement(), Constraint::none());
        assert_eq!(Constraint::none().complement(), Constraint::any());
        assert_eq!(c("2.1").intersect(&c("2.1+cpu")), c("2.1+cpu"));
    }

    #[test]
    fn upper_bounds_are_known() {
        assert!(c("^1").has_upper_bound() && Constraint::none().has_upper_bound());
        assert!(!c("<1 || >2").has_upper_bound() && !Constraint::any().has_upper_bound());
    }
}
