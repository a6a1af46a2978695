//! Layers that fit into the file system that they are laid on: owners, and the modes of the folders above.

use std::collections::BTreeSet;

use buildkit_llb::{Annotate, File, FileAction, Output, Owner};
use install_request::EPOCH;

use crate::{
    dockerfile::stage::{
        ownership::{Known, Parent},
        place::Place,
    },
    error::Error,
    plan::Plan,
};

/// The mode of folders that are made without a wish.
const FOLDER_MODE: u32 = 0o755;

/// The folders that layers go into.
pub(in crate::dockerfile) fn roots(plan: &Plan, place: &Place) -> BTreeSet<String> {
    match place {
        Place::Venv { path, .. } => [path.clone()].into(),
        Place::System => {
            let scheme = &plan.scheme;
            [&scheme.purelib, &scheme.platlib, &scheme.scripts].into_iter().cloned().collect()
        }
    }
}

/// What wheels put beside modules and scripts into the system's environment: data, headers.
pub(in crate::dockerfile) fn beside(plan: &Plan, place: &Place) -> Option<String> {
    (*place == Place::System).then(|| plan.scheme.data.clone())
}

/// A layer whose folders are as those that they meet, and whose files belong to the user of the command.
pub(in crate::dockerfile) fn settled(
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
