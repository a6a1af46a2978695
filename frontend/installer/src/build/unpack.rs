//! Source distributions (PEP 527, PEP 625), which are hostile until proved otherwise.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use tar::EntryType;

use super::BuildError;
use crate::Blob;

/// The most that a source tree may hold, in bytes.
const SIZE_LIMIT: u64 = 4 << 30;
/// The most files and folders that it may hold.
const ENTRY_LIMIT: usize = 500_000;
/// An archive that grows by more than this, once it is larger than [`SMALL`], is a bomb.
const RATIO_LIMIT: u64 = 500;
const SMALL: u64 = 64 << 20;
/// The most memory that unpacking xz may take, in KiB: what `xz -9` asks for, and some more.
const XZ_MEMORY_LIMIT: u32 = 128 << 10;

/// Unpacks the archive `name` into the empty folder `into`, and returns the folder of the source tree in it.
///
/// # Errors
/// It is of an unknown kind, broken, too large, or holds what would leave the folder.
pub(crate) fn unpack(blob: Blob, name: &str, into: &Path) -> Result<PathBuf, BuildError> {
    let packed = blob.size();
    if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
        unpack_tar(MultiGzDecoder::new(blob), packed, into)?;
    } else if name.ends_with(".tar.bz2") {
        unpack_tar(MultiBzDecoder::new(blob), packed, into)?;
    } else if name.ends_with(".tar.xz") {
        unpack_tar(XzReader::new_mem_limit(blob, true, XZ_MEMORY_LIMIT), packed, into)?;
    } else if name.ends_with(".tar") {
        unpack_tar(blob, packed, into)?;
    } else if name.ends_with(".zip") {
        unpack_zip(blob, packed, into)?;
    } else {
        return Err(BuildError::Kind);
    }
    top(into).map_err(broken)
}

/// The only folder, or else the whole.
fn top(folder: &Path) -> io::Result<PathBuf> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    match &entries[..] {
        [only] if only.file_type()?.is_dir() => Ok(only.path()),
        _ => Ok(folder.to_owned()),
    }
}

fn unpack_tar(stream: impl Read, packed: u64, into: &Path) -> Result<(), BuildError> {
    let mut archive = tar::Archive::new(Limited { stream, total: Total::of(packed) });
    let mut total = Total::of(packed);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let shown = path.display().to_string();
        total.add(entry.size())?;
        if !is_inside(&path) {
            return Err(BuildError::Outside { entry: shown });
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse | EntryType::Directory => {}
            EntryType::XGlobalHeader => continue,
            kind @ (EntryType::Symlink | EntryType::Link) => {
                let target = entry.link_name().map_err(broken)?.unwrap_or_default().into_owned();
                let base = path.parent().filter(|_| kind == EntryType::Symlink).unwrap_or(Path::new(""));
                if !stays_inside(base, &target) {
                    return Err(BuildError::Outside { entry: format!("{shown} -> {}", target.display()) });
                }
            }
            _ => return Err(BuildError::Special { entry: shown }),
        }
        if !entry.unpack_in(into).map_err(broken)? {
            return Err(BuildError::Outside { entry: shown });
        }
    }
    Ok(())
}

fn unpack_zip(blob: Blob, packed: u64, into: &Path) -> Result<(), BuildError> {
    let mut archive = zip::ZipArchive::new(blob).map_err(|error| broken(error.into()))?;
    let mut total = Total::of(packed);
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(|error| broken(error.into()))?;
        let shown = entry.name().map_err(|error| broken(error.into()))?.into_owned();
        total.add(entry.size())?;
        if entry.is_symlink() {
            return Err(BuildError::Special { entry: shown });
        }
        let path = entry.enclosed_name().filter(|path| is_inside(path)).ok_or(BuildError::Outside { entry: shown })?;
        let target = into.join(path);
        if entry.is_dir() {
            fs::create_dir_all(target).map_err(broken)?;
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(broken)?;
        }
        let limit = entry.size();
        let written = io::copy(&mut (&mut entry).take(limit + 1), &mut File::create(target).map_err(broken)?);
        if written.map_err(broken)? > limit {
            return Err(BuildError::TooLarge);
        }
    }
    Ok(())
}

/// What an archive held so far.
struct Total {
    /// Bytes of all entries.
    size: u64,
    /// Entries.
    count: usize,
    /// Bytes of the archive itself.
    packed: u64,
}

impl Total {
    fn of(packed: u64) -> Self {
        Self { size: 0, count: 0, packed }
    }

    /// Adds an entry that is said to have `size` bytes, which may be any number.
    fn add(&mut self, size: u64) -> Result<(), BuildError> {
        self.size = self.size.saturating_add(size);
        self.count += 1;
        if self.count > ENTRY_LIMIT { Err(BuildError::TooLarge) } else { self.check() }
    }

    fn check(&self) -> Result<(), BuildError> {
        let is_bomb = self.size > SMALL && self.size / self.packed.max(1) > RATIO_LIMIT;
        if self.size > SIZE_LIMIT || is_bomb { Err(BuildError::TooLarge) } else { Ok(()) }
    }
}

/// A stream that ends with an error when it is too long, whatever it holds: names can be as large as files.
struct Limited<R> {
    stream: R,
    total: Total,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.total.size += count as u64;
        self.total.check().map_err(io::Error::other)?;
        Ok(count)
    }
}

fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Whether a link at `base` to `target` leads to somewhere in the tree.
fn stays_inside(base: &Path, target: &Path) -> bool {
    let mut depth = base.components().filter(|part| matches!(part, Component::Normal(_))).count();
    target.components().all(|part| match part {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir => match depth.checked_sub(1) {
            Some(less) => {
                depth = less;
                true
            }
            None => false,
        },
        Component::RootDir | Component::Prefix(_) => false,
    })
}

fn broken(source: io::Error) -> BuildError {
    BuildError::Broken { source }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn blob(bytes: &[u8]) -> Blob {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Blob::new(file).unwrap()
    }

    fn entry(path: &str, kind: EntryType, link: &str, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(content);
        bytes.resize(bytes.len().div_ceil(512) * 512, 0);
        bytes
    }

    fn result(entries: &[Vec<u8>]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("into");
        fs::create_dir(&into).unwrap();
        let mut bytes = entries.concat();
        bytes.extend([0; 1024]);
        let result = unpack(blob(&bytes), "a.tar", &into).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was written outside");
        result.map(|()| {
            let all = super::super::elf::files(&into).unwrap();
            all.iter().map(|path| path.strip_prefix(&into).unwrap().display().to_string()).collect()
        })
    }

    #[test]
    fn trees_are_unpacked() {
        let found = result(&[
            entry("a/", EntryType::Directory, "", b""),
            entry("a/x", EntryType::Regular, "", b"1"),
            entry("a/y", EntryType::Symlink, "x", b""),
        ]);
        assert_eq!(found.unwrap(), ["a/x"]);
    }

    #[test]
    fn what_leaves_the_tree_is_refused() {
        let outside = "holds an entry that leads out of the archive";
        for hostile in [
            entry("../x", EntryType::Regular, "", b"1"),
            entry("/x", EntryType::Regular, "", b"1"),
            entry("a/../../x", EntryType::Regular, "", b"1"),
            entry("a/l", EntryType::Symlink, "../../x", b""),
            entry("a/l", EntryType::Symlink, "/etc/passwd", b""),
            entry("l", EntryType::Link, "../x", b""),
        ] {
            assert!(result(&[hostile]).unwrap_err().contains(outside));
        }
        for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo] {
            assert!(result(&[entry("d", kind, "", b"")]).unwrap_err().contains("device, a pipe or the like"));
        }
    }

    #[test]
    fn a_link_to_a_folder_is_not_written_through() {
        let chain = [entry("a/b", EntryType::Symlink, "..", b""), entry("a/b/x", EntryType::Regular, "", b"1")];
        // Inside the tree this is harmless; the point is that nothing appears outside.
        let _ = result(&chain);
    }

    #[test]
    fn sizes_whose_sum_is_no_number_are_too_large() {
        let mut total = Total::of(1000);
        assert!(total.add(16).is_ok());
        assert!(total.add(u64::MAX - 1).is_err());
    }

    #[test]
    fn a_stream_is_limited_beside_its_entries() {
        let mut stream = Limited { stream: io::repeat(0), total: Total::of(1000) };
        assert!(io::copy(&mut stream, &mut io::sink()).is_err());
        assert!(stream.total.size < 2 * SMALL);
    }

    #[test]
    fn bombs_and_unknown_kinds_are_refused() {
        assert!(Total::of(u64::MAX).add(SIZE_LIMIT + 1).is_err());
        assert!(Total { count: ENTRY_LIMIT, ..Total::of(1) }.add(1).is_err());
        assert!(Total::of(1000).add(SMALL + 1).is_err());
        assert!(Total::of(SMALL).add(SMALL + 1).is_ok());
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(unpack(blob(b"x"), "a.rar", folder.path()), Err(BuildError::Kind)));
        assert!(matches!(unpack(blob(b"x"), "a.zip", folder.path()), Err(BuildError::Broken { .. })));
        assert!(matches!(unpack(blob(b"x"), "a.tar.gz", folder.path()), Err(BuildError::Broken { .. })));
    }
}
