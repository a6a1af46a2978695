//! The shared libraries that installed files need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use object::elf::{DT_NEEDED, FileHeader32, FileHeader64};
use object::read::elf::{Dyn, FileHeader};
use object::{Endianness, FileKind};

/// Parts of the C library and of the compiler's runtime, which every image of a distribution has.
const EVERYWHERE: [&str; 12] = [
    "libc.so",
    "libc.musl-",
    "libm.so",
    "libpthread.so",
    "libdl.so",
    "librt.so",
    "libutil.so",
    "libresolv.so",
    "libcrypt.so",
    "ld-linux",
    "ld-musl",
    "libpython",
];

/// Where Debian's package manager keeps the lists of its files.
const LISTS: &str = "/var/lib/dpkg/info";

/// The sonames that ELF files below `folder` need and that are not among these files, each with the Debian package
/// that has it here.
///
/// # Errors
/// A file cannot be read.
pub(super) fn needed_libraries(folder: &Path) -> io::Result<BTreeMap<String, Option<String>>> {
    let (mut needed, mut brought) = (BTreeSet::new(), BTreeSet::new());
    for path in files(folder)? {
        brought.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        needed.extend(needs(&fs::read(&path)?));
    }
    let is_missing = |name: &String| {
        !brought.contains(name) && !name.contains('/') && !EVERYWHERE.iter().any(|known| name.starts_with(known))
    };
    let missing: BTreeSet<String> = needed.into_iter().filter(is_missing).collect();
    let owners = owners(Path::new(LISTS), &missing);
    Ok(missing.into_iter().map(|name| (name.clone(), owners.get(&name).cloned())).collect())
}

/// All files below a folder, links left out.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The entries DT_NEEDED of a file; none if it is no ELF file, or a broken one.
fn needs(file: &[u8]) -> Vec<String> {
    match FileKind::parse(file) {
        Ok(FileKind::Elf64) => read::<FileHeader64<Endianness>>(file),
        Ok(FileKind::Elf32) => read::<FileHeader32<Endianness>>(file),
        _ => Ok(Vec::new()),
    }
    .unwrap_or_default()
}

fn read<H: FileHeader<Endian = Endianness>>(file: &[u8]) -> object::Result<Vec<String>> {
    let header = H::parse(file)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, file)?;
    let Some((entries, link)) = sections.dynamic(endian, file)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, file, link)?;
    entries
        .iter()
        .filter(|entry| entry.tag32(endian) == Some(DT_NEEDED))
        .map(|entry| Ok(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned()))
        .collect()
}

/// The packages that have files of these names.
fn owners(lists: &Path, names: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if names.is_empty() {
        return found;
    }
    let mut paths: Vec<PathBuf> =
        fs::read_dir(lists).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "list")) {
        let Ok(list) = fs::read_to_string(path) else {
            continue;
        };
        let package = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let package = package.split(':').next().unwrap_or_default().to_owned();
        for name in list.lines().filter_map(|line| line.rsplit('/').next()).filter(|name| names.contains(*name)) {
            found.entry(name.to_owned()).or_insert_with(|| package.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needs_of_this_very_program_are_found() {
        let own = fs::read("/proc/self/exe").unwrap();
        assert!(needs(&own).iter().any(|name| name.starts_with("libc.so")), "{:?}", needs(&own));
        assert!(needs(b"\x7fELF").is_empty());
        assert!(needs(b"text").is_empty());
    }

    #[test]
    fn libraries_that_are_brought_along_are_not_missing() {
        let folder = tempfile::tempdir().unwrap();
        fs::copy("/proc/self/exe", folder.path().join("program")).unwrap();
        let missing = needed_libraries(folder.path()).unwrap();
        assert!(missing.keys().all(|name| !name.starts_with("libc.so")), "{missing:?}");
        for name in missing.keys() {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(needed_libraries(folder.path()).unwrap(), BTreeMap::new());
    }

    #[test]
    fn debian_tells_the_package_of_a_library() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("libpq5:amd64.list"), "/usr/lib/x86_64-linux-gnu/libpq.so.5\n/usr/share\n")
            .unwrap();
        let names = ["libpq.so.5".to_owned(), "libx.so.1".to_owned()].into();
        assert_eq!(owners(folder.path(), &names), [("libpq.so.5".to_owned(), "libpq5".to_owned())].into());
    }
}
