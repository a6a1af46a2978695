//! Who files belong to, and what is above the folders that layers go into.

use std::collections::BTreeSet;

use buildkit_llb::Output;

use crate::{
    dockerfile::{
        facts::Facts,
        rules,
        stop::{Stop, refuse},
    },
    error::Error,
    gateway::is_folder,
    layout::is_below,
};

/// The user and group that files of a command belong to.
///
/// # Errors
/// If the user is not known, or a call fails.
pub(in crate::dockerfile) async fn owner(facts: &Facts<'_>, state: &Output, user: &str) -> Result<(u32, u32), Stop> {
    if user.is_empty() {
        return Ok((0, 0));
    }
    let (name, group) = user.split_once(':').map_or((user, None), |(name, group)| (name, Some(group)));
    let number =
        |fields: &Option<Vec<String>>, column: usize| -> Option<u32> { fields.as_ref()?.get(column)?.parse().ok() };
    let entry = facts.account(state, "/etc/passwd", name).await?;
    let uid = number(&entry, 2).or_else(|| name.parse().ok());
    let gid = match group {
        None => Some(number(&entry, 3).unwrap_or(0)),
        Some(group) => match group.parse().ok() {
            Some(gid) => Some(gid),
            None => number(&facts.account(state, "/etc/group", group).await?, 2),
        },
    };
    match (uid, gid) {
        (Some(uid), Some(gid)) => Ok((uid, gid)),
        _ => refuse(&rules::USER, "the user is not in /etc/passwd"),
    }
}

/// What is known of the folders above what is installed, and of these themselves. Links are not followed.
///
/// # Errors
/// If a call fails.
pub(in crate::dockerfile) async fn parents(
    facts: &Facts<'_>,
    state: &Output,
    roots: &BTreeSet<String>,
) -> Result<Vec<Parent>, Error> {
    let mut paths = BTreeSet::new();
    for root in roots {
        paths.extend(root.match_indices('/').skip(1).map(|(end, _)| root[..end].to_owned()));
        paths.insert(root.clone());
    }
    let mut parents: Vec<Parent> = Vec::new();
    for path in paths {
        // Behind what is no folder there is nothing to be asked for.
        let is_behind = parents.iter().any(|parent| parent.is_absent() && is_below(&path, &parent.path));
        let entry = if is_behind { None } else { facts.entry(state, &path).await? };
        let known = entry.map(|stat| Known {
            is_folder: is_folder(&stat),
            mode: permissions(stat.mode),
            owner: (stat.uid, stat.gid),
        });
        parents.push(Parent { path, known });
    }
    Ok(parents)
}

/// The permissions of a mode of Go's, with the bits for the set-group and sticky kinds.
fn permissions(mode: u32) -> u32 {
    let bit = |go: u32, unix: u32| if mode & (1 << go) != 0 { unix } else { 0 };
    (mode & 0o777) | bit(23, 0o4000) | bit(22, 0o2000) | bit(20, 0o1000)
}

/// A folder above what is installed.
pub(in crate::dockerfile) struct Parent {
    pub(in crate::dockerfile) path: String,
    /// `None` if it is not there yet.
    pub(in crate::dockerfile) known: Option<Known>,
}

impl Parent {
    fn is_absent(&self) -> bool {
        self.known.is_none()
    }

    /// Whether there is something at its path that a layer cannot repeat: no folder but a link or a file, or one with a bit for the set-group or sticky
    /// kind, which BuildKit's mkdir does not set.
    pub(in crate::dockerfile) fn is_odd(&self) -> bool {
        self.known.is_some_and(|known| !known.is_folder || known.mode & !0o777 != 0)
    }
}

/// What is known of what is there.
#[derive(Clone, Copy)]
pub(in crate::dockerfile) struct Known {
    pub(in crate::dockerfile) is_folder: bool,
    /// The permissions, with the bits for the set-user, set-group and sticky kinds.
    pub(in crate::dockerfile) mode: u32,
    pub(in crate::dockerfile) owner: (u32, u32),
}
