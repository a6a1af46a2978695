use std::collections::{BTreeMap, BTreeSet};

use buildkit_proto::caps::ApiCap;

/// What a daemon can do, from its answer to `Ping`.
///
/// Fields and attributes that a daemon does not know are dropped without a word, so ask before use.
#[derive(Debug, Clone, Default)]
pub struct Caps(BTreeMap<String, ApiCap>);

impl Caps {
    /// Whether the daemon knows the capability and has it enabled. Names are in [`cap`](crate::cap).
    pub fn has(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|cap| cap.enabled)
    }

    fn why_not(&self, id: &str) -> String {
        let Some(cap) = self.0.get(id) else {
            return "this version does not know it".to_owned();
        };
        match (cap.disabled_reason_msg.as_str(), cap.disabled_reason.as_str()) {
            ("", "") => "it is disabled".to_owned(),
            ("", reason) | (reason, _) => format!("it is disabled: {reason}"),
        }
    }
}

impl FromIterator<ApiCap> for Caps {
    fn from_iter<T: IntoIterator<Item = ApiCap>>(caps: T) -> Self {
        Self(caps.into_iter().map(|cap| (cap.id.clone(), cap)).collect())
    }
}

/// Capabilities that a graph needs and a daemon lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this BuildKit daemon cannot run the graph:{}", lines(.missing))]
pub struct MissingCaps {
    /// The capabilities, by name.
    pub missing: Vec<MissingCap>,
}

/// A capability that a daemon lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCap {
    /// Its name.
    pub id: String,
    /// Why the daemon lacks it.
    pub reason: String,
    /// The names of the vertices that need it.
    pub vertices: BTreeSet<String>,
}

impl std::fmt::Display for MissingCap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, reason, vertices } = self;
        write!(f, "capability {id} ({reason}), needed by")?;
        let separators = std::iter::once(" ").chain(std::iter::repeat(", "));
        for (separator, vertex) in separators.zip(vertices).take(SHOWN) {
            write!(f, "{separator}`{vertex}`")?;
        }
        match vertices.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

fn lines(missing: &[MissingCap]) -> String {
    missing.iter().map(|cap| format!("\n{cap}")).collect()
}

/// How many vertices the message names for each capability.
const SHOWN: usize = 3;

/// Compares what a graph needs, by the names of its vertices, with what a daemon has.
pub(crate) fn check(needed: BTreeMap<String, BTreeSet<String>>, caps: &Caps) -> Result<(), MissingCaps> {
    let missing: Vec<MissingCap> = needed
        .into_iter()
        .filter(|(id, _)| !caps.has(id))
        .map(|(id, vertices)| MissingCap { reason: caps.why_not(&id), id, vertices })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(MissingCaps { missing }) }
}
