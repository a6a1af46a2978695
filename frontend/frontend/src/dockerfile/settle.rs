//! Layers that fit into the file system that they are laid on: owners, and the modes of the folders above.

use std::collections::BTreeSet;

use buildkit_llb::{Annotate, File, FileAction, Output, Owner};
use install_request::EPOCH;

use super::{
    place::Place,
    service::{Problem, Service, refused},
    shell,
    step::Scene,
};
use crate::{
    error::Error,
    gateway::{Ref, is_folder},
    plan::Plan,
};

/// The mode of folders that are made without a wish.
const FOLDER_MODE: u32 = 0o755;

impl Service<'_> {
    /// The user and group that files belong to.
    pub(super) async fn owner(&self, state: &Ref, scene: &Scene) -> Result<(u32, u32), Problem> {
        if scene.user.is_empty() {
            return Ok((0, 0));
        }
        let (user, group) = scene.user.split_once(':').map_or((scene.user.as_str(), None), |(u, g)| (u, Some(g)));
        let number =
            |fields: &Option<Vec<String>>, column: usize| -> Option<u32> { fields.as_ref()?.get(column)?.parse().ok() };
        let entry = self.entry(state, "/etc/passwd", user).await?;
        let uid = number(&entry, 2).or_else(|| user.parse().ok());
        let gid = match group {
            None => Some(number(&entry, 3).unwrap_or(0)),
            Some(group) => match group.parse().ok() {
                Some(gid) => Some(gid),
                None => number(&self.entry(state, "/etc/group", group).await?, 2),
            },
        };
        match (uid, gid) {
            (Some(uid), Some(gid)) => Ok((uid, gid)),
            _ => refused(format!("the user {} is not in /etc/passwd", scene.user)),
        }
    }

    /// The user's home, which the daemon takes from /etc/passwd where no variable tells it; `None` if nothing does.
    pub(super) async fn home(&self, state: &Ref, scene: &Scene) -> Result<Option<String>, Problem> {
        match scene.variables.get("HOME") {
            Some(home) if home == shell::USERS_HOME => {
                let user = scene.user.split(':').next().unwrap_or_default();
                Ok(self.entry(state, "/etc/passwd", user).await?.and_then(|fields| fields.get(5).cloned()))
            }
            home => Ok(home.cloned()),
        }
    }

    /// The fields of the entry of a user or group, by name or number.
    pub(super) async fn entry(&self, state: &Ref, file: &str, name: &str) -> Result<Option<Vec<String>>, Problem> {
        if self.gateway.stat(state, file).await?.is_none() {
            return Ok(None);
        }
        let text = self.gateway.read_file(state, file).await?;
        let text = String::from_utf8_lossy(&text);
        let mut entries = text.lines().map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
        let is_meant =
            |fields: &Vec<String>| [0, 2].iter().any(|column| fields.get(*column).is_some_and(|field| field == name));
        Ok(entries.find(is_meant))
    }

    /// What is known of the folders above what is installed.
    pub(super) async fn parents(&self, state: &Ref, roots: &BTreeSet<String>) -> Result<Vec<Parent>, Problem> {
        let mut paths = BTreeSet::new();
        for root in roots {
            paths.extend(root.match_indices('/').skip(1).map(|(end, _)| root[..end].to_owned()));
            paths.insert(root.clone());
        }
        let mut parents = Vec::new();
        for path in paths {
            let known = self.gateway.stat(state, &path).await?.map(|stat| Known {
                is_folder: is_folder(&stat),
                mode: permissions(stat.mode),
                owner: (stat.uid, stat.gid),
            });
            parents.push(Parent { path, known });
        }
        Ok(parents)
    }
}

/// The permissions of a mode of Go's, with the bits for the set-group and sticky kinds.
fn permissions(mode: u32) -> u32 {
    let bit = |go: u32, unix: u32| if mode & (1 << go) != 0 { unix } else { 0 };
    (mode & 0o777) | bit(23, 0o4000) | bit(22, 0o2000) | bit(20, 0o1000)
}

/// A folder above what is installed.
pub(super) struct Parent {
    pub(super) path: String,
    /// `None` if it is not there yet.
    known: Option<Known>,
}

impl Parent {
    /// Whether there is something at its path that a layer cannot repeat: no folder, or one with a bit for the set-group or sticky
    /// kind, which BuildKit's mkdir does not set.
    pub(super) fn is_odd(&self) -> bool {
        self.known.is_some_and(|known| !known.is_folder || known.mode & !0o777 != 0)
    }
}

#[derive(Clone, Copy)]
struct Known {
    is_folder: bool,
    mode: u32,
    owner: (u32, u32),
}

/// The folders that layers go into.
pub(super) fn roots(plan: &Plan, place: &Place) -> BTreeSet<String> {
    match place {
        Place::Venv { path, .. } => [path.clone()].into(),
        Place::System => {
            let scheme = &plan.scheme;
            [&scheme.purelib, &scheme.platlib, &scheme.scripts].into_iter().cloned().collect()
        }
    }
}

/// What wheels put beside modules and scripts into the system's environment: data, headers.
pub(super) fn beside(plan: &Plan, place: &Place) -> Option<String> {
    (*place == Place::System).then(|| plan.scheme.data.clone())
}

/// A layer whose folders are as those that they meet, and whose files belong to the user of the command.
pub(super) fn settled(
    layer: Output,
    label: &str,
    (roots, beside): (&BTreeSet<String>, Option<&str>),
    parents: &[Parent],
    owner: (u32, u32),
    prefix: &str,
) -> Result<Output, Error> {
    let as_they_are = |parent: &Parent| {
        let Known { mode, owner: of, .. } = parent.known.unwrap_or(Known { is_folder: true, mode: FOLDER_MODE, owner });
        mode == FOLDER_MODE && of == (0, 0)
    };
    if owner == (0, 0) && parents.iter().all(as_they_are) {
        return Ok(layer);
    }
    let mut file = File::on(Output::scratch());
    for parent in parents {
        let Known { mode, owner: (uid, gid), .. } =
            parent.known.unwrap_or(Known { is_folder: true, mode: FOLDER_MODE, owner });
        file = file.then(FileAction::mkdir(&parent.path).mode(mode).owner(Owner::new(uid, gid)).timestamp(EPOCH));
    }
    // Those of the folders of data that hold neither modules nor scripts, which are in `lib` and `bin`.
    let beside = beside.map(|data| (format!("{data}/[^bl]*"), format!("{data}/")));
    for (from, to) in roots.iter().map(|root| (format!("{root}/*"), format!("{root}/"))).chain(beside) {
        // A layer need not have all of them.
        let copy = FileAction::copy(&layer, from, to)
            .wildcard_or_nothing()
            .owner(Owner::new(owner.0, owner.1))
            .timestamp(EPOCH);
        file = file.then(copy);
    }
    Ok(file.name(format!("[{}image] settle {label}", prefix)).output()?)
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Platform, Source};
    use buildkit_proto::pb::{file_action::Action, op::Op};

    use super::*;

    #[test]
    fn data_and_headers_come_along_into_the_system() {
        let layer = Source::image("docker.io/library/python:3.11", Platform::new("linux", "amd64")).output().unwrap();
        let roots = BTreeSet::from(["/usr/local/bin".to_owned(), "/usr/local/lib/python3.11/site-packages".to_owned()]);
        let of_mode = |mode| Parent {
            path: "/usr/local/lib/python3.11/site-packages".to_owned(),
            known: Some(Known { is_folder: true, mode, owner: (0, 50) }),
        };
        assert!(of_mode(0o2775).is_odd() && of_mode(0o1777).is_odd());
        let parents = [of_mode(0o775)];
        let settled = settled(layer, "x", (&roots, Some("/usr/local")), &parents, (0, 0), "").unwrap();
        let Some(Op::File(file)) = settled.vertex().unwrap().0.op().op else { panic!("a file op") };
        let copied: Vec<String> = file
            .actions
            .into_iter()
            .filter_map(|action| match action.action {
                Some(Action::Copy(copy)) => Some(format!("{} {}", copy.src, copy.dest)),
                _ => None,
            })
            .collect();
        let site = "/usr/local/lib/python3.11/site-packages";
        let expected =
            ["/usr/local/bin/* /usr/local/bin/", &format!("{site}/* {site}/"), "/usr/local/[^bl]* /usr/local/"];
        assert_eq!(copied, expected);
    }
}
