//! The build steps, and what users see while they run.

use std::collections::BTreeMap;

use poetry_lock::{DistributionFile, FileKind, LockedPackage};

use super::{BuildFrom, How, Node, Package, bins::Spread};

/// The node of all packages that are folders on the module path.
pub const LINKED: &str = "linked";

/// The id of a package's node. It depends on the package alone, so that no other package moves it.
pub(super) fn id(locked: &LockedPackage, how: &How, spread: Spread) -> String {
    let name = locked.name.as_str();
    match how {
        How::Wheel(file) if locked.source.is_index() => spread.node(name, is_compiled(&file.archive.file)),
        How::Wheel(_) => format!("archive-{name}"),
        How::Build(_) => format!("build-{name}"),
        How::Linked { .. } => LINKED.to_owned(),
    }
}

/// Whether a wheel is made for some platforms only.
fn is_compiled(file: &str) -> bool {
    match DistributionFile::parse(file).map(|file| file.kind) {
        Some(FileKind::Wheel { tags, .. }) => !tags.iter().all(|tag| tag.ends_with("-any")),
        _ => true,
    }
}

/// All nodes, by id.
pub(super) fn nodes(packages: &[Package]) -> Vec<Node> {
    let mut members: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        members.entry(&package.node).or_default().push(package);
    }
    members
        .into_iter()
        .map(|(id, packages)| Node {
            id: id.to_owned(),
            packages: packages.iter().map(|package| package.name.clone()).collect(),
            label: label(&packages),
        })
        .collect()
}

/// E.g. `numpy 2.1.3 (cp311, manylinux_2_28_x86_64)`.
fn label(packages: &[&Package]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> = packages
        .iter()
        .take(SHOWN)
        .map(|package| format!("{} {}{}", package.name, package.version, about(package)))
        .collect();
    if packages.len() > SHOWN {
        shown.push(format!("and {} more", packages.len() - SHOWN));
    }
    shown.join(", ")
}

/// What users may want to know of a package, in brackets: the tag of a compiled wheel, or what it is built from.
fn about(package: &Package) -> String {
    match &package.how {
        How::Wheel(file) => tag(&file.archive.file),
        How::Build(recipe) => match &recipe.from {
            BuildFrom::Archive { file, .. } => format!(" (build {})", file.archive.file),
            BuildFrom::Git { url, commit, .. } => format!(" (build {url} at {})", commit.get(..12).unwrap_or(commit)),
            BuildFrom::Folder(folder) => format!(" (build {})", folder.path),
        },
        How::Linked { folder, .. } => format!(" ({})", folder.path),
    }
}

fn tag(file: &str) -> String {
    let mut parts = file.trim_end_matches(".whl").rsplitn(4, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(platform), Some(_), Some(python)) if platform != "any" => {
            let newest = platform.split('.').next().unwrap_or(platform);
            format!(" ({python}, {newest})")
        }
        _ => String::new(),
    }
}
