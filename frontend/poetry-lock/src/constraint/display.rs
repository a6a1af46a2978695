use std::fmt;

use pep440_rs::Version;

use super::Constraint;
use super::range::{Bound, Range};
use crate::version;

/// Writes the constraint so that [`Constraint::parse`] reads the same set again.
impl fmt::Display for Constraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return formatter.write_str("<empty>");
        }
        let mut ranges = self.ranges.iter().peekable();
        let mut separator = "";
        while let Some(first) = ranges.next() {
            formatter.write_str(separator)?;
            separator = " || ";
            // Ranges that only a single version keeps apart are written as one with an exclusion.
            let mut parts = Parts::beginning(first);
            let mut last = first;
            while let Some(next) = ranges.next_if(|next| punctured(last, next).is_some()) {
                parts.0.extend(punctured(last, next).map(|excluded| format!("!={excluded}")));
                last = next;
            }
            parts.end(last);
            if parts.0.is_empty() {
                parts.0.push("*".into());
            }
            formatter.write_str(&parts.0.join(","))?;
        }
        Ok(())
    }
}

struct Parts(Vec<String>);

impl Parts {
    fn beginning(range: &Range) -> Self {
        if let Some(version) = range.as_point() {
            return Self(vec![version.to_string()]);
        }
        Self(
            range
                .low
                .iter()
                .map(|bound| format!(">{}{}", if bound.inclusive { "=" } else { "" }, bound.version))
                .collect(),
        )
    }

    fn end(&mut self, range: &Range) {
        if range.as_point().is_some() {
            return;
        }
        if let Some(Bound { version, inclusive }) = &range.high {
            if *inclusive {
                self.0.push(format!("<={version}"));
            } else if let Some(release) = written_exclusive(version) {
                self.0.push(format!("<{release}"));
            } else {
                self.0.extend([format!("<={version}"), format!("!={version}")]);
            }
        }
    }
}

/// The only version between two ranges, if it is but one.
fn punctured<'a>(range: &Range, next: &'a Range) -> Option<&'a Version> {
    match (&range.high, &next.low) {
        (Some(high), Some(low)) if high == low && !high.inclusive => Some(&low.version),
        _ => None,
    }
}

/// What stands behind `<` for an exclusive upper bound; `None` if `<` would leave out more.
fn written_exclusive(bound: &Version) -> Option<Version> {
    if !bound.any_prerelease() {
        return None;
    }
    let release = bound.clone().with_dev(None);
    if !release.any_prerelease() && version::first_dev(&release) == *bound {
        Some(release)
    } else {
        Some(bound.clone())
    }
}
