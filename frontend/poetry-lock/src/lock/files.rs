use pep440_rs::Version;

use super::package::LockedFile;
use super::source::Source;
use crate::toml_reader::{Node, Table};
use crate::{DistributionFile, Error, Name};

/// The files of a package: its own `files`, or what older formats keep under `[metadata]`.
pub(super) fn read(
    package: Table<'_>,
    raw_name: &str,
    version: &Version,
    source: &Source,
    metadata: Table<'_>,
) -> Result<Vec<LockedFile>, Error> {
    if let Some(files) = package.get("files") {
        return files.array()?.into_iter().map(read_file).collect();
    }
    // Before there were file names there were bare hashes.
    if metadata.get("hashes").is_some()
        || matches!(source, Source::Git { .. } | Source::Directory { .. } | Source::Url { .. })
    {
        return Ok(vec![]);
    }
    let missing = || Error::MissingKey { key: "files", owner: format!("the package `{raw_name}`"), span: package.span };
    let all = metadata.table("files")?.ok_or_else(missing)?;
    let name = Name::new(raw_name);
    let same_name = || all.entries().into_iter().find(|(key, _)| Name::new(key.value) == name).map(|(_, node)| node);
    let node = all.get(raw_name).or_else(same_name).ok_or_else(missing)?;
    let mut files = node.array()?.into_iter().map(read_file).collect::<Result<Vec<_>, _>>()?;
    // One entry holds the files of all locked versions of a name.
    files.retain(|file| match source {
        Source::File { path, .. } => path.rsplit('/').next() == Some(&file.name),
        _ => DistributionFile::parse(&file.name).is_some_and(|parsed| parsed.version == *version),
    });
    Ok(files)
}

fn read_file(node: Node<'_>) -> Result<LockedFile, Error> {
    let table = node.table()?;
    Ok(LockedFile {
        name: table.require("file", "an element of `files`")?.string()?.to_owned(),
        hash: table.require("hash", "an element of `files`")?.string()?.to_owned(),
        span: node.span,
    })
}
