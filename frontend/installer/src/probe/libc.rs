//! Which C library an interpreter is linked with.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use install_request::{Libc, LibcFamily};

/// The type of the program header that names the loader.
const PT_INTERP: u32 = 3;

/// The most program headers that are looked at.
const MOST_HEADERS: u64 = 256;

/// Reads `glibc 2.36`.
pub(super) fn parse_glibc(text: &str) -> Option<Libc> {
    version(LibcFamily::Glibc, text.strip_prefix("glibc ")?)
}

/// The C library of an executable whose loader is musl's, which tells its version when it is run by itself.
pub(super) fn musl_of(executable: &Path) -> Option<Libc> {
    let loader = loader(&File::open(executable).ok()?)?;
    let name = loader.rsplit('/').next()?;
    if !name.starts_with("ld-musl-") {
        return None;
    }
    let output = Command::new(&loader).output().ok()?;
    parse_musl(&String::from_utf8_lossy(&output.stderr))
}

fn parse_musl(text: &str) -> Option<Libc> {
    let mut lines = text.lines();
    lines.find(|line| line.starts_with("musl libc"))?;
    version(LibcFamily::Musl, lines.next()?.strip_prefix("Version ")?)
}

fn version(family: LibcFamily, text: &str) -> Option<Libc> {
    let mut numbers = text.trim().split(|c: char| !c.is_ascii_digit());
    Some(Libc { family, major: numbers.next()?.parse().ok()?, minor: numbers.next()?.parse().ok()? })
}

/// The path of the loader that an ELF file names.
fn loader(file: &File) -> Option<String> {
    let mut head = [0; 64];
    file.read_exact_at(&mut head, 0).ok()?;
    let elf = Elf { wide: *head.get(4)? == 2, little: *head.get(5)? == 1 };
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let (table, size, count) = if elf.wide {
        (elf.number(&head, 32, 8)?, elf.number(&head, 54, 2)?, elf.number(&head, 56, 2)?)
    } else {
        (elf.number(&head, 28, 4)?, elf.number(&head, 42, 2)?, elf.number(&head, 44, 2)?)
    };
    for number in 0..count.min(MOST_HEADERS) {
        let mut header = [0; 56];
        let length = if elf.wide { 56 } else { 32 };
        let place = table.checked_add(number.checked_mul(size)?)?;
        file.read_exact_at(header.get_mut(..length)?, place).ok()?;
        if elf.number(&header, 0, 4)? != u64::from(PT_INTERP) {
            continue;
        }
        let (offset, length) = if elf.wide {
            (elf.number(&header, 8, 8)?, elf.number(&header, 32, 8)?)
        } else {
            (elf.number(&header, 4, 4)?, elf.number(&header, 16, 4)?)
        };
        let mut path = vec![0; usize::try_from(length.min(4096)).ok()?];
        file.read_exact_at(&mut path, offset).ok()?;
        let path = String::from_utf8(path).ok()?;
        return Some(path.trim_end_matches('\0').to_owned());
    }
    None
}

struct Elf {
    wide: bool,
    little: bool,
}

impl Elf {
    /// The unsigned number of `width` bytes at `offset`.
    fn number(&self, bytes: &[u8], offset: usize, width: usize) -> Option<u64> {
        let field = bytes.get(offset..offset.checked_add(width)?)?;
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.little { field.iter().rev().fold(0, fold) } else { field.iter().fold(0, fold) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn libc(family: LibcFamily, major: u32, minor: u32) -> Option<Libc> {
        Some(Libc { family, major, minor })
    }

    #[test]
    fn versions_are_read_from_what_the_libraries_print() {
        assert_eq!(parse_glibc("glibc 2.36"), libc(LibcFamily::Glibc, 2, 36));
        assert_eq!(parse_glibc("glibc 2.36.9000"), libc(LibcFamily::Glibc, 2, 36));
        assert_eq!(parse_glibc("2.36"), None);
        let text = "musl libc (x86_64)\nVersion 1.2.4_git20230717\nDynamic Program Loader\nUsage: …";
        assert_eq!(parse_musl(text), libc(LibcFamily::Musl, 1, 2));
        assert_eq!(parse_musl("ld.so: some other loader"), None);
    }

    #[test]
    fn the_loader_of_this_test_is_found() {
        let this = File::open("/proc/self/exe").unwrap();
        let found = loader(&this).unwrap();
        assert!(Path::new(&found).exists(), "{found}");
        assert!(found.contains("ld-"), "{found}");
        assert_eq!(musl_of(Path::new("/proc/self/exe")), None);
        assert_eq!(musl_of(Path::new("/nowhere")), None);
    }

    #[test]
    fn narrow_and_big_endian_headers_are_read() {
        let mut file = tempfile::tempfile().unwrap();
        let mut bytes = vec![0; 200];
        bytes[..6].copy_from_slice(b"\x7fELF\x01\x02");
        bytes[28..32].copy_from_slice(&64_u32.to_be_bytes());
        bytes[42..44].copy_from_slice(&32_u16.to_be_bytes());
        bytes[44..46].copy_from_slice(&1_u16.to_be_bytes());
        bytes[64..68].copy_from_slice(&PT_INTERP.to_be_bytes());
        bytes[68..72].copy_from_slice(&100_u32.to_be_bytes());
        bytes[80..84].copy_from_slice(&5_u32.to_be_bytes());
        bytes[100..105].copy_from_slice(b"/l/x\0");
        file.write_all(&bytes).unwrap();
        assert_eq!(loader(&file).as_deref(), Some("/l/x"));
    }

    proptest! {
        #[test]
        fn any_file_is_read_without_panic(tail in proptest::collection::vec(any::<u8>(), 60..200), kind in 0..4_u8) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(b"\x7fELF").unwrap();
            file.write_all(&[kind / 2 + 1, kind % 2 + 1]).unwrap();
            file.write_all(&tail).unwrap();
            let _ = loader(&file);
        }
    }
}
