//! Hostile and damaged wheels: each is refused with an error of its own, and nothing is written outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::io::Write as _;

use common::archive::{Entry, wheel_entries, zip};
use common::setup::{SITE, locked, scheme};
use common::tree;
use poetry_buildkit_installer::report::Explain;
use poetry_buildkit_installer::wheel::{Limits, Prepared, WheelError};
use poetry_buildkit_installer::{Blob, Tree};
use proptest::prelude::*;

const FILE: &str = "x-1.0-py3-none-any.whl";

fn unpack(bytes: &[u8], limits: &Limits) -> Result<(), WheelError> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("guard"), "untouched").unwrap();
    let out = folder.path().join("a/b/out");
    fs::create_dir_all(&out).unwrap();
    let before = outside(folder.path());
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let result = Blob::new(file)
        .map_err(WheelError::from)
        .and_then(|blob| Prepared::new(blob, &locked("", FILE, b""), &scheme(), "/app/.venv/bin/python", limits))
        .and_then(|prepared| prepared.write(&Tree::new(&out), &Default::default()));
    assert_eq!(outside(folder.path()), before, "something was written outside");
    result.map(drop)
}

/// All but the result, without times, which change for the folders above it.
fn outside(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    tree::read(folder)
        .into_iter()
        .filter(|(path, _)| !path.starts_with("a/b/out/"))
        .map(|(path, node)| (path, node.content))
        .collect()
}

/// A wheel with the given entries beside its proper ones.
fn wheel(extra: Vec<Entry>) -> Vec<u8> {
    let mut entries = wheel_entries("x", "1.0", &[("x/__init__.py", "")]);
    entries.extend(extra);
    zip(&entries)
}

/// A wheel with one of its proper entries replaced.
fn with_file(path: &str, content: &str) -> Vec<u8> {
    let mut entries = wheel_entries("x", "1.0", &[("x/__init__.py", "")]);
    entries.retain(|entry| entry.name != path.as_bytes());
    entries.push(Entry::new(path, content));
    zip(&entries)
}

macro_rules! refused {
    ($bytes:expr, $variant:ident) => {
        refused!($bytes, $variant, &Limits::default())
    };
    ($bytes:expr, $variant:ident, $limits:expr) => {
        let error = unpack(&$bytes, $limits).expect_err("the wheel was not refused");
        assert!(matches!(error, WheelError::$variant { .. }), "{error:?}");
        assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
    };
}

fn entry(name: &str) -> Entry {
    Entry::new(name, "hostile")
}

#[test]
fn a_proper_wheel_is_unpacked() {
    unpack(&wheel(vec![]), &Limits::default()).unwrap();
}

#[test]
fn absolute_paths() {
    refused!(wheel(vec![entry("/guard")]), AbsolutePath);
}

#[test]
fn paths_that_climb() {
    refused!(wheel(vec![entry("../../../guard")]), ParentComponent);
    refused!(wheel(vec![entry("x/../x/y")]), ParentComponent);
    refused!(wheel(vec![entry("x-1.0.data/data/../../guard")]), ParentComponent);
}

#[test]
fn paths_with_odd_components() {
    refused!(wheel(vec![entry("./guard")]), OddComponent);
    refused!(wheel(vec![entry("x//y")]), OddComponent);
}

#[test]
fn backslashes() {
    refused!(wheel(vec![entry("..\\guard")]), Backslash);
}

#[test]
fn nul_bytes() {
    refused!(wheel(vec![entry("x\0.py")]), NulByte);
}

#[test]
fn control_characters() {
    refused!(wheel(vec![entry("x\u{1b}[2J.py")]), ControlCharacter);
}

#[test]
fn names_that_are_not_utf8() {
    refused!(wheel(vec![Entry::new([0xff, b'x'], "")]), NameNotUtf8);
}

#[test]
fn names_longer_than_a_path() {
    refused!(wheel(vec![entry(&"x/".repeat(3000))]), NameTooLong);
}

#[test]
fn symbolic_links() {
    let link = Entry::new("x/link", "../../../guard").with(|entry| entry.mode = 0o120_777);
    refused!(wheel(vec![link]), Symlink);
}

#[test]
fn devices_and_other_special_files() {
    for mode in [0o020_666, 0o060_666, 0o010_666, 0o140_666, 0o040_755] {
        refused!(wheel(vec![entry("x/dev").with(|entry| entry.mode = mode)]), SpecialFile);
    }
}

#[test]
fn folders_with_data() {
    refused!(wheel(vec![entry("x/y/").with(|entry| entry.mode = 0o040_755)]), FolderWithData);
}

#[test]
fn duplicate_entries() {
    refused!(wheel(vec![entry("x/a.py"), entry("x/a.py")]), DuplicateEntry);
}

#[test]
fn names_that_differ_in_case_only() {
    refused!(wheel(vec![entry("x/a.py"), entry("x/A.py")]), CaseCollision);
    refused!(wheel(vec![entry("X/a.py")]), CaseCollision);
}

#[test]
fn a_path_that_is_a_file_and_a_folder() {
    refused!(wheel(vec![entry("x/a"), entry("x/a/b")]), FileAndFolder);
}

#[test]
fn encrypted_entries() {
    refused!(wheel(vec![entry("x/a").with(|entry| entry.flags |= 1)]), Encrypted);
}

#[test]
fn unsupported_compression() {
    for method in [1, 9, 12, 14, 93, 95, 99] {
        refused!(wheel(vec![entry("x/a").with(|entry| entry.method = method)]), Compression);
    }
}

fn deflated(name: &str, size: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for entry in wheel_entries("x", "1.0", &[]) {
        writer.start_file(String::from_utf8(entry.name).unwrap(), options).unwrap();
        writer.write_all(&entry.data).unwrap();
    }
    writer.start_file(name, options).unwrap();
    writer.write_all(&vec![0; size]).unwrap();
    writer.finish().unwrap().into_inner()
}

#[test]
fn entries_that_unpack_to_too_much() {
    let limits = Limits { entry: 99_999, ..Limits::default() };
    refused!(deflated("x/zeros", 100_000), EntryTooLarge, &limits);
    let limits = Limits { total: 99_999, ..Limits::default() };
    refused!(deflated("x/zeros", 99_999), TotalTooLarge, &limits);
}

#[test]
fn entries_that_unpack_to_many_times_their_size() {
    let limits = Limits { ratio_floor: 99_999, ..Limits::default() };
    refused!(deflated("x/zeros", 100_000), Ratio, &limits);
    unpack(&deflated("x/zeros", 99_999), &limits).unwrap();
}

#[test]
fn entries_that_unpack_to_more_than_they_declare() {
    let mut bytes = deflated("x/zeros", 100_000);
    let declared = 100_000_u32.to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 4).filter(|place| bytes[*place..*place + 4] == declared).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..place + 4].copy_from_slice(&10_000_u32.to_le_bytes());
    }
    refused!(bytes, SizeMismatch);
}

#[test]
fn entries_that_unpack_to_less_than_they_declare() {
    refused!(wheel(vec![entry("x/a").with(|entry| entry.size = 100)]), SizeMismatch);
}

#[test]
fn too_many_entries() {
    let limits = Limits { entries: 4, ..Limits::default() };
    refused!(wheel(vec![entry("x/a")]), TooManyEntries, &limits);
}

#[test]
fn wrong_checksums() {
    refused!(wheel(vec![entry("x/a").with(|entry| entry.crc ^= 1)]), Checksum);
}

#[test]
fn damaged_data() {
    let broken = Entry::new("x/a", [0xff; 50]).with(|entry| {
        entry.method = 8;
        entry.size = 1000;
    });
    refused!(wheel(vec![broken]), Corrupt);
}

#[test]
fn headers_that_disagree() {
    let renamed = entry("x/a").with(|entry| entry.local_name = Some(b"x/b".to_vec()));
    refused!(wheel(vec![renamed]), HeaderMismatch);
    let resized = entry("x/a").with(|entry| entry.local_size = Some(1));
    refused!(wheel(vec![resized]), HeaderMismatch);
}

#[test]
fn entries_that_the_directory_does_not_list() {
    let hidden = zip(&[entry("x/hidden.py")]);
    let bytes = [&hidden[..], &wheel(vec![])].concat();
    refused!(bytes, HeaderMismatch);
}

#[test]
fn overlapping_entries() {
    let quoted = zip(&[entry("x/a")]);
    let start = quoted.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    // One entry's data is all of the other entry.
    let outer = Entry::new("x/outer", &quoted[..start]);
    let inner = Entry::new("x/a", "hostile").with(|entry| entry.offset = Some(30 + 7));
    let mut entries = vec![outer, inner];
    entries.extend(wheel_entries("x", "1.0", &[]));
    refused!(zip(&entries), Overlap);
}

#[test]
fn archives_that_are_cut_short() {
    let bytes = wheel(vec![]);
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        refused!(bytes[..length], NotAnArchive);
    }
    refused!(b"<html>not found</html>"[..], NotAnArchive);
}

#[test]
fn bytes_around_the_archive_are_tolerated_as_pip_does() {
    let bytes = wheel(vec![]);
    unpack(&[b"#!/bin/sh\n", &bytes[..]].concat(), &Limits::default()).unwrap();
    unpack(&[&bytes[..], b"signature"].concat(), &Limits::default()).unwrap();
    refused!([&bytes[..], &[0; 70_000]].concat(), NotAnArchive);
}

#[test]
fn missing_metadata_folders() {
    refused!(zip(&[entry("x/a")]), NoDistInfo);
}

#[test]
fn several_metadata_folders() {
    refused!(wheel(vec![entry("y-1.0.dist-info/METADATA")]), SeveralDistInfo);
}

#[test]
fn metadata_folders_of_other_packages() {
    refused!(zip(&wheel_entries("y", "1.0", &[])), DistInfoName);
}

#[test]
fn missing_metadata_files() {
    for file in ["METADATA", "WHEEL", "RECORD"] {
        let mut entries = wheel_entries("x", "1.0", &[]);
        entries.retain(|entry| !entry.name.ends_with(file.as_bytes()));
        refused!(zip(&entries), MissingFile);
    }
}

#[test]
fn metadata_of_other_packages() {
    let text = "Metadata-Version: 2.1\nName: y\nVersion: 1.0\n";
    refused!(with_file("x-1.0.dist-info/METADATA", text), Name);
}

#[test]
fn metadata_of_other_versions() {
    let text = "Metadata-Version: 2.1\nName: x\nVersion: 1.1\n";
    refused!(with_file("x-1.0.dist-info/METADATA", text), Version);
}

#[test]
fn metadata_that_cannot_be_understood() {
    refused!(with_file("x-1.0.dist-info/METADATA", "nothing"), BadMetadata);
    refused!(with_file("x-1.0.dist-info/WHEEL", "nothing"), BadMetadata);
    refused!(with_file("x-1.0.dist-info/entry_points.txt", "[console_scripts]\nx\n"), BadMetadata);
}

#[test]
fn wheels_of_a_newer_format() {
    refused!(with_file("x-1.0.dist-info/WHEEL", "Wheel-Version: 2.0\n"), WheelVersion);
}

#[test]
fn data_of_no_known_scheme() {
    for name in ["x-1.0.data/etc/passwd", "x-1.0.data/file"] {
        refused!(wheel(vec![entry(name)]), DataScheme);
    }
}

#[test]
fn two_files_for_one_place() {
    refused!(wheel(vec![entry("x-1.0.data/purelib/x/__init__.py")]), SameDestination);
    refused!(wheel(vec![entry("x-1.0.data/purelib/x-1.0.dist-info/RECORD")]), SameDestination);
}

#[test]
fn metadata_of_other_distributions() {
    let inside = "lib/python3.11/site-packages/y-1.0.dist-info/RECORD";
    for name in ["purelib/y-1.0.dist-info/METADATA", &format!("data/{inside}")] {
        refused!(wheel(vec![entry(&format!("x-1.0.data/{name}"))]), ForeignMetadata);
    }
}

#[test]
fn files_of_the_environment_itself() {
    for name in ["data/pyvenv.cfg", "data/bin/python", "scripts/python", "scripts/python3.11"] {
        refused!(wheel(vec![entry(&format!("x-1.0.data/{name}"))]), Reserved);
    }
    let points = "[console_scripts]\npython3 = x:main\n";
    refused!(with_file("x-1.0.dist-info/entry_points.txt", points), Reserved);
}

#[test]
fn entry_points_that_leave_the_folder_of_scripts() {
    for name in ["../guard", "a/b", ".."] {
        let points = format!("[console_scripts]\n{name} = x:main\n");
        refused!(with_file("x-1.0.dist-info/entry_points.txt", &points), ScriptName);
    }
}

#[test]
fn entry_points_that_are_no_functions() {
    let points = "[console_scripts]\na = x:main;import os\n";
    refused!(with_file("x-1.0.dist-info/entry_points.txt", points), BadEntryPoint);
}

#[test]
fn scripts_with_an_endless_first_line() {
    let script = format!("#!python{}", " ".repeat(100_000));
    refused!(wheel(vec![Entry::new("x-1.0.data/scripts/run", script)]), ScriptLine);
}

#[test]
fn digests_in_record_that_are_wrong() {
    let record = "x/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nx-1.0.dist-info/RECORD,,\n";
    unpack(&with_file("x-1.0.dist-info/RECORD", record), &Limits::default()).unwrap();
    let wrong = record.replace("47DE", "47DF");
    refused!(with_file("x-1.0.dist-info/RECORD", &wrong), RecordHash);
}

#[test]
fn record_may_list_too_much_or_too_little() {
    let record = "x/absent.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n";
    unpack(&with_file("x-1.0.dist-info/RECORD", record), &Limits::default()).unwrap();
}

#[test]
fn places_that_are_taken_are_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&wheel(vec![])).unwrap();
    let prepared = Prepared::new(
        Blob::new(file).unwrap(),
        &locked("", FILE, b""),
        &scheme(),
        "/app/.venv/bin/python",
        &Limits::default(),
    )
    .unwrap();
    let tree = Tree::new(folder.path());
    fs::create_dir_all(tree.place(SITE)).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), tree.place(&format!("{SITE}/x"))).unwrap();
    let result = prepared.write(&tree, &Default::default());
    assert!(matches!(result, Err(WheelError::Write { .. })), "{result:?}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_archives_never_panic_and_never_escape(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        length in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = wheel(vec![
            Entry::new("x-1.0.data/scripts/run", "#!python\nprint()\n"),
            Entry::new("x-1.0.dist-info/entry_points.txt", "[console_scripts]\na = x:main\n"),
        ]);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if !whole {
            bytes.truncate(length.index(bytes.len()));
        }
        let _ = unpack(&bytes, &Limits::default());
    }
}
