use std::io;

use crate::report::Explain;

/// Why a wheel is refused, or could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WheelError {
    /// The archive's directory cannot be read: not a zip file, or cut short.
    #[error("the file is not a readable zip archive ({detail})")]
    NotAnArchive {
        /// What the reader stumbled over.
        detail: String,
    },
    /// More entries than any wheel has.
    #[error("the archive has {count} entries, more than the {limit} that are allowed")]
    TooManyEntries {
        /// Entries in the archive.
        count: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// A name that is no UTF-8.
    #[error("the name of entry {entry:?} is not UTF-8")]
    NameNotUtf8 {
        /// The name, as far as it is readable.
        entry: String,
    },
    /// A name that starts at the root.
    #[error("entry {entry:?} has an absolute path")]
    AbsolutePath {
        /// The name.
        entry: String,
    },
    /// A name with `..` as a component.
    #[error("entry {entry:?} climbs out of its folder with '..'")]
    ParentComponent {
        /// The name.
        entry: String,
    },
    /// A name with an empty or `.` component.
    #[error("entry {entry:?} has an empty or '.' component in its path")]
    OddComponent {
        /// The name.
        entry: String,
    },
    /// A name with a backslash.
    #[error("entry {entry:?} has a backslash in its path")]
    Backslash {
        /// The name.
        entry: String,
    },
    /// A name with a NUL byte.
    #[error("entry {entry:?} has a NUL byte in its path")]
    NulByte {
        /// The name.
        entry: String,
    },
    /// A name with a control character.
    #[error("entry {entry:?} has a control character in its path")]
    ControlCharacter {
        /// The name.
        entry: String,
    },
    /// A name longer than Linux allows for a path.
    #[error("an entry's path of {length} bytes is longer than {limit}")]
    NameTooLong {
        /// Its length.
        length: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// A symbolic link.
    #[error("entry {entry:?} is a symbolic link")]
    Symlink {
        /// The name.
        entry: String,
    },
    /// A device, pipe, socket, or a mode that contradicts the name.
    #[error("entry {entry:?} is neither a file nor a folder (mode {mode:o})")]
    SpecialFile {
        /// The name.
        entry: String,
        /// Its Unix mode.
        mode: u32,
    },
    /// A folder that carries data.
    #[error("entry {entry:?} is a folder but carries data")]
    FolderWithData {
        /// The name.
        entry: String,
    },
    /// Two entries of the same name.
    #[error("the archive holds two entries of the same name")]
    DuplicateEntry,
    /// Two entries whose names differ only in case.
    #[error("entries {first:?} and {second:?} differ only in case")]
    CaseCollision {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A path that is a file and a folder at once.
    #[error("{path:?} is both a file and a folder")]
    FileAndFolder {
        /// The path.
        path: String,
    },
    /// An encrypted entry.
    #[error("entry {entry:?} is encrypted")]
    Encrypted {
        /// The name.
        entry: String,
    },
    /// A compression method other than stored and deflated.
    #[error("entry {entry:?} uses the unsupported compression method {method}")]
    Compression {
        /// The name.
        entry: String,
        /// The method.
        method: String,
    },
    /// An entry that is too large.
    #[error("entry {entry:?} unpacks to {size} bytes, more than the {limit} that are allowed")]
    EntryTooLarge {
        /// The name.
        entry: String,
        /// Its size.
        size: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// All entries together are too large.
    #[error("the archive unpacks to more than the {limit} bytes that are allowed")]
    TotalTooLarge {
        /// The most that is allowed.
        limit: u64,
    },
    /// An entry whose compressed data is too small for its size.
    #[error("entry {entry:?} unpacks {compressed} bytes to {size}, as archives do that are made to fill disks")]
    Ratio {
        /// The name.
        entry: String,
        /// Its compressed size.
        compressed: u64,
        /// Its size.
        size: u64,
    },
    /// Entries that share bytes of the archive.
    #[error("entries of the archive overlap")]
    Overlap,
    /// A local header that contradicts the central directory, or is missing there.
    #[error("the archive's two descriptions of its entries disagree ({detail})")]
    HeaderMismatch {
        /// What differs.
        detail: String,
    },
    /// Data that does not have its checksum.
    #[error("the checksum of entry {entry:?} is wrong")]
    Checksum {
        /// The name.
        entry: String,
    },
    /// Data that is not as long as declared.
    #[error("entry {entry:?} does not have its declared size of {declared} bytes")]
    SizeMismatch {
        /// The name.
        entry: String,
        /// The declared size.
        declared: u64,
    },
    /// Data that cannot be decompressed or is cut short.
    #[error("the data of entry {entry:?} is damaged ({detail})")]
    Corrupt {
        /// The name.
        entry: String,
        /// What the decoder said.
        detail: String,
    },

    /// No folder of metadata.
    #[error("the archive has no .dist-info folder")]
    NoDistInfo,
    /// More than one folder of metadata.
    #[error("the archive has several .dist-info folders: {}", found.join(", "))]
    SeveralDistInfo {
        /// The folders.
        found: Vec<String>,
    },
    /// The folder of metadata bears another package's name.
    #[error("the metadata folder {found:?} belongs to another package")]
    DistInfoName {
        /// The folder.
        found: String,
        /// The package that was locked.
        locked: String,
    },
    /// A required metadata file is missing.
    #[error("the archive has no file {file:?}")]
    MissingFile {
        /// The file.
        file: String,
    },
    /// A metadata file cannot be understood.
    #[error("{file:?} cannot be understood: {detail}")]
    BadMetadata {
        /// The file.
        file: String,
        /// What is wrong.
        detail: String,
    },
    /// A format newer than this program.
    #[error("the wheel's format version is {found:?}, and only 1.x is known")]
    WheelVersion {
        /// The version found.
        found: String,
    },
    /// The metadata names another package.
    #[error("the wheel is of another package")]
    Name {
        /// The name in the metadata.
        found: String,
        /// The name in the lock.
        locked: String,
    },
    /// The metadata names another version.
    #[error("the wheel is of another version")]
    Version {
        /// The version in the metadata.
        found: String,
        /// The version in the lock.
        locked: String,
    },
    /// A file in the `.data` folder that belongs to no known scheme.
    #[error("entry {entry:?} belongs to no known part of the .data folder")]
    DataScheme {
        /// The name.
        entry: String,
    },
    /// Two files of the wheel that go to the same place.
    #[error("two files of the wheel go to the same place, {path:?}")]
    SameDestination {
        /// The place.
        path: String,
    },
    /// A file that goes into the metadata of another distribution.
    #[error("{path:?} would change the metadata of another package")]
    ForeignMetadata {
        /// The final path.
        path: String,
    },
    /// A hash in RECORD that the file does not have.
    #[error("{entry:?} does not have the digest that the wheel's own RECORD lists")]
    RecordHash {
        /// The name.
        entry: String,
        /// The digest that RECORD lists.
        expected: String,
        /// The digest of the file.
        found: String,
    },
    /// A script name that is no plain file name.
    #[error("the entry point {name:?} has a name that cannot be a file in a bin folder")]
    ScriptName {
        /// The name.
        name: String,
    },
    /// A file that would take the place of one of the environment's own.
    #[error("{path:?} would take the place of a file of the environment itself")]
    Reserved {
        /// The final path.
        path: String,
    },
    /// A script whose first line does not end.
    #[error("the first line of script {entry:?} is longer than {limit} bytes")]
    ScriptLine {
        /// The name.
        entry: String,
        /// The most that is allowed.
        limit: usize,
    },
    /// An entry point that names no function.
    #[error("the entry point {name:?} refers to {value:?}, which is not of the form module:function")]
    BadEntryPoint {
        /// The name.
        name: String,
        /// What it refers to.
        value: String,
    },

    /// A file could not be written.
    #[error("{path:?} cannot be written ({source})")]
    Write {
        /// The final path.
        path: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The archive could not be read back.
    #[error("the downloaded archive cannot be read ({source})")]
    Read {
        /// The operating system's reason.
        #[from]
        source: io::Error,
    },
}

impl Explain for WheelError {
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::DistInfoName { found, locked } | Self::Name { found, locked } | Self::Version { found, locked } => {
                vec![("locked", locked.clone()), ("found", found.clone())]
            }
            Self::RecordHash { expected, found, .. } => vec![
                ("expected", format!("sha256={expected}")),
                ("found", format!("sha256={found}")),
                ("cause", "the wheel was changed after it was made, and before it was locked".into()),
            ],
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                vec![("cause", "the builder has no disk space left".into())]
            }
            _ => Vec::new(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Write { .. } | Self::Read { .. } => {
                "see whether the builder has disk space left (docker buildx du), then build again"
            }
            Self::Name { .. } | Self::Version { .. } | Self::DistInfoName { .. } => {
                "lock another version, and tell the project that published this file"
            }
            Self::WheelVersion { .. } => "use a newer poetry-buildkit, or lock another version",
            _ => {
                "the file is what poetry.lock asks for, but it is not safe to install: lock another version, \
                 and tell the project that published it"
            }
        }
        .to_owned()
    }
}
