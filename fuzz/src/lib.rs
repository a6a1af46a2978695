//! What several fuzz targets need.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use poetry_buildkit_installer::Blob;
use poetry_lock::{Error, Span};

/// Zip archives of any shape, shared with the installer's tests.
#[path = "../../frontend/installer/tests/common/archive.rs"]
pub mod archive;

/// The parts of an input that `separator` stands between.
pub fn parts<'a>(input: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(input);
    std::iter::from_fn(move || {
        let part = rest?;
        let found = part.windows(separator.len()).position(|window| window == separator);
        rest = found.and_then(|at| part.get(at + separator.len()..));
        Some(found.and_then(|at| part.get(..at)).unwrap_or(part))
    })
}

/// Bytes as an open file without a name.
pub fn blob(bytes: &[u8]) -> Blob {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for a temporary file");
    Blob::new(file).expect("a temporary file has a length")
}

/// Asserts that an error says something, and that its place is one in `text`.
pub fn check_error(error: &Error, text: &str) {
    assert!(!error.to_string().is_empty());
    if let Some(span) = error.span() {
        check_span(span, text);
    }
}

/// Asserts that a place is one in `text`.
pub fn check_span(span: Span, text: &str) {
    assert!(text.get(span.start..span.end).is_some(), "{span:?} is no place in {} bytes", text.len());
    let (line, column) = span.line_column(text);
    assert!(line > 0 && column > 0);
}

/// A folder to unpack into, in the middle of others that are watched.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// Makes it. All work of this process is done on this thread from now on.
    #[expect(clippy::new_without_default, reason = "it is not a value")]
    pub fn new() -> Self {
        static ONE_THREAD: Once = Once::new();
        ONE_THREAD.call_once(|| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            pool.build_global().expect("a pool of one thread");
        });
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(folder.path().join("a/b/out")).expect("a folder");
        File::create(folder.path().join("guard")).expect("a file");
        Self { folder }
    }

    /// The folder to unpack into.
    pub fn out(&self) -> PathBuf {
        self.folder.path().join("a/b/out")
    }

    /// Asserts that nothing appeared or vanished outside of the folder.
    pub fn check(&self) {
        for (folder, expected) in [("", &["a", "guard"][..]), ("a", &["b"]), ("a/b", &["out"])] {
            assert_eq!(names(&self.folder.path().join(folder)), expected, "something was written outside");
        }
        let guard = fs::metadata(self.folder.path().join("guard")).expect("the guard is there");
        assert_eq!(guard.len(), 0, "something was overwritten outside");
    }
}

/// What a folder holds, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a readable folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
