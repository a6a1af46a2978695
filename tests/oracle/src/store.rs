//! The files of records.
//!
//! A file is named by the subject and by the key of its inputs. Its first line has the digest of what follows: the record as
//! JSON in gzip. A file that is not as it was written is noticed, and is as if it were not there.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{digest, inputs::Inputs};

/// The format of the files. It is raised whenever anything changes about what is recorded or how, and then no older record fits.
pub const FORMAT: u32 = 1;

/// How old an answer may be, in days. There are inputs that nobody can name, like the versions of what Poetry itself needs, which
/// pip chooses anew each time.
pub const MAX_DAYS: u64 = 30;

/// How many records of one subject are kept: those of other branches, and of the other image store.
const KEPT: usize = 6;

const MAGIC: &str = "poetry-buildkit oracle record";

const DAY: u64 = 24 * 60 * 60;

/// What is known of one subject with certain inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<T> {
    /// What it is about.
    pub subject: String,
    /// Everything that went into the answers.
    pub inputs: Inputs,
    /// What the real thing did: once, or several times if that was not the same.
    pub answers: Vec<Answer<T>>,
    /// When it was asked again in vain because ours equalled none of its answers.
    pub doubted: Option<u64>,
}

/// What the real thing did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer<T> {
    /// When, in seconds since 1970.
    pub made: u64,
    /// What.
    pub value: T,
}

/// Why no record fits.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    /// There is none of the subject.
    #[error("there is no record")]
    Absent,
    /// There is one with other inputs.
    #[error("since it was recorded this has changed: {}", names(.0))]
    Changed(Vec<String>),
    /// All answers are too old.
    #[error("the record is {0} days old, and {MAX_DAYS} is the limit, as nobody knows what pip finds for Poetry today")]
    Old(u64),
    /// The file is not as it was written.
    #[error("the record {} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// The first few names of a list.
fn names(list: &[String]) -> String {
    let more = if list.len() > 6 { format!(" and {} more", list.len() - 6) } else { String::new() };
    format!("{}{more}", list.iter().take(6).map(String::as_str).collect::<Vec<_>>().join(", "))
}

impl<T> Record<T> {
    /// How long ago the youngest answer was made.
    pub fn age(&self, now: u64) -> String {
        let made = self.answers.iter().map(|answer| answer.made).max().unwrap_or_default();
        match now.saturating_sub(made) / DAY {
            0 => "today".to_owned(),
            1 => "a day ago".to_owned(),
            days => format!("{days} days ago"),
        }
    }
}

/// A folder of records.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    now: u64,
    kept: usize,
}

impl Store {
    /// The records of a folder, which need not be there, at a time in seconds since 1970.
    pub fn new(folder: impl Into<PathBuf>, now: u64) -> Self {
        Self { folder: folder.into(), now, kept: KEPT }
    }

    /// The same where so many records of one subject are kept.
    #[must_use]
    pub fn keeping(self, kept: usize) -> Self {
        Self { kept, ..self }
    }

    /// What time it is.
    pub fn now(&self) -> u64 {
        self.now
    }

    fn of_subject(&self, subject: &str) -> PathBuf {
        self.folder.join(
            subject.replace(|character: char| !(character.is_ascii_alphanumeric() || "-_.=".contains(character)), "-"),
        )
    }

    /// Where the record of a subject with certain inputs is.
    pub fn path(&self, subject: &str, inputs: &Inputs) -> PathBuf {
        self.of_subject(subject).join(format!("{}.record", inputs.key()))
    }

    /// The record of a subject that fits its inputs.
    ///
    /// # Errors
    /// None fits.
    pub fn load<T: DeserializeOwned>(&self, subject: &str, inputs: &Inputs) -> Result<Record<T>, Misfit> {
        let path = self.path(subject, inputs);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.nearest::<T>(subject, inputs)),
            Err(error) => return Err(Misfit::Damaged { path, detail: error.to_string() }),
        };
        let mut record: Record<T> = match unpack(&bytes) {
            Ok(record) => record,
            Err(detail) => return Err(Misfit::Damaged { path, detail }),
        };
        if record.subject != subject || record.inputs != *inputs {
            return Err(Misfit::Damaged { path, detail: "it is that of something else".to_owned() });
        }
        let days = |answer: &Answer<T>| self.now.saturating_sub(answer.made) / DAY;
        let Some(youngest) = record.answers.iter().map(days).min() else {
            return Err(Misfit::Damaged { path, detail: "it holds no answer".to_owned() });
        };
        record.answers.retain(|answer| days(answer) <= MAX_DAYS);
        if record.answers.is_empty() {
            return Err(Misfit::Old(youngest));
        }
        // What is used is kept. If that cannot be noted, it goes a little sooner.
        let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Ok(record)
    }

    /// How the last record of a subject differs in its inputs.
    fn nearest<T: DeserializeOwned>(&self, subject: &str, inputs: &Inputs) -> Misfit {
        let newest = self.files(subject).into_iter().next();
        let record: Option<Record<T>> = newest.and_then(|path| unpack(&fs::read(path).ok()?).ok());
        match record {
            Some(record) => {
                Misfit::Changed(inputs.changed_from(&record.inputs).into_iter().map(str::to_owned).collect())
            }
            None => Misfit::Absent,
        }
    }

    /// The files of a subject, those first that were used last.
    fn files(&self, subject: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.of_subject(subject)).into_iter().flatten().flatten();
        let records = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "record"));
        let mut files: Vec<(SystemTime, PathBuf)> =
            records.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
        files.sort();
        files.into_iter().rev().map(|(_, path)| path).collect()
    }

    /// Writes a record, at once or not at all, and removes those of its subject that nobody has used for the longest time.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save<T: Serialize>(&self, record: &Record<T>) -> io::Result<()> {
        let path = self.path(&record.subject, &record.inputs);
        let folder = self.of_subject(&record.subject);
        fs::create_dir_all(&folder)?;
        write_whole(&path, &folder, &pack(record)?)?;
        for old in self.files(&record.subject).into_iter().skip(self.kept).filter(|old| *old != path) {
            fs::remove_file(old)?;
        }
        Ok(())
    }
}

/// Writes a file beside its place, and moves it there when it is whole.
fn write_whole(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

fn pack<T: Serialize>(record: &Record<T>) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut packed, record)?;
    let packed = packed.finish()?;
    let mut bytes = format!("{MAGIC} {FORMAT} sha256:{}\n", digest(&packed)).into_bytes();
    bytes.extend(packed);
    Ok(bytes)
}

/// The record in a file, or what is wrong with it.
fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<Record<T>, String> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let (head, packed) = (&bytes[..end], &bytes[end + 1..]);
    let wanted = format!("{MAGIC} {FORMAT} sha256:{}", digest(packed));
    if head != wanted.as_bytes() {
        let is_of_another_format = !head.starts_with(format!("{MAGIC} {FORMAT} ").as_bytes());
        return Err(
            if is_of_another_format { "it is of another format" } else { "its digest is another one" }.to_owned()
        );
    }
    let mut text = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut text).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 20_789 * DAY;

    fn inputs(dockerfile: &str) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.add("Dockerfile", dockerfile);
        inputs.add("engine", "26.1.5");
        inputs
    }

    fn record(dockerfile: &str) -> Record<String> {
        let answers = vec![Answer { made: NOW - 2 * DAY, value: "its files, ".repeat(500) }];
        Record { subject: "1-naive".to_owned(), inputs: inputs(dockerfile), answers, doubted: None }
    }

    fn store(folder: &Path) -> Store {
        Store::new(folder.join("oracle"), NOW)
    }

    fn misfit(store: &Store, inputs: &Inputs) -> String {
        store.load::<String>("1-naive", inputs).expect_err("a record fits").to_string()
    }

    #[test]
    fn what_is_recorded_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        assert_eq!(misfit(&store, &inputs("FROM a")), "there is no record");
        store.save(&record("FROM a")).unwrap();
        assert_eq!(store.load::<String>("1-naive", &inputs("FROM a")).unwrap(), record("FROM a"));
        let left = fs::read_dir(folder.path().join("oracle/1-naive")).unwrap().count();
        assert_eq!(left, 1, "nothing is left over from writing");
    }

    #[test]
    fn with_other_inputs_none_fits_and_the_change_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        store.save(&record("FROM a")).unwrap();
        assert_eq!(misfit(&store, &inputs("FROM b")), "since it was recorded this has changed: Dockerfile");
        // That of another subject does not fit either, whatever its file is called.
        let [from, to] = ["1-naive", "2-pinned"].map(|subject| store.path(subject, &inputs("FROM a")));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        let shown = store.load::<String>("2-pinned", &inputs("FROM a")).unwrap_err().to_string();
        assert!(shown.ends_with("is damaged: it is that of something else"), "{shown}");
    }

    #[test]
    fn a_record_that_is_not_as_it_was_written_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        store.save(&record("FROM a")).unwrap();
        let path = store.path("1-naive", &inputs("FROM a"));
        let whole = fs::read(&path).unwrap();
        let head = whole.iter().position(|byte| *byte == b'\n').unwrap();
        // Any byte that is another one, and any end that is missing.
        for at in (0..whole.len()).step_by(7).chain([head, whole.len() - 1]) {
            let mut edited = whole.clone();
            edited[at] ^= 1;
            fs::write(&path, &edited).unwrap();
            let shown = misfit(&store, &inputs("FROM a"));
            assert!(shown.starts_with("the record ") && shown.contains(" is damaged: it"), "{at}: {shown}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(misfit(&store, &inputs("FROM a")).contains(" is damaged: it"), "{at}");
        }
        // Whoever edits it by hand forgets the digest.
        let text = serde_json::to_string(&Record { doubted: Some(1), ..record("FROM a") }).unwrap();
        let mut packed = GzEncoder::new(whole[..=head].to_vec(), Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        fs::write(&path, packed.finish().unwrap()).unwrap();
        assert!(misfit(&store, &inputs("FROM a")).ends_with("is damaged: its digest is another one"));
        // One of another format.
        let other = String::from_utf8_lossy(&whole[..head]).replace(" 1 sha256", " 0 sha256").into_bytes();
        fs::write(&path, [&other[..], &whole[head..]].concat()).unwrap();
        assert!(misfit(&store, &inputs("FROM a")).ends_with("is damaged: it is of another format"));
        // What is recorded anew takes its place.
        store.save(&record("FROM a")).unwrap();
        assert_eq!(store.load::<String>("1-naive", &inputs("FROM a")).unwrap(), record("FROM a"));
    }

    #[test]
    fn old_answers_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let mut record = record("FROM a");
        record.answers[0].made = NOW - (MAX_DAYS + 1) * DAY;
        store.save(&record).unwrap();
        assert!(misfit(&store, &inputs("FROM a")).starts_with("the record is 31 days old"));
        record.answers.push(Answer { made: NOW - MAX_DAYS * DAY, value: "younger".to_owned() });
        store.save(&record).unwrap();
        let found = store.load::<String>("1-naive", &inputs("FROM a")).unwrap();
        assert_eq!(found.answers, record.answers[1..]);
        record.answers.clear();
        store.save(&record).unwrap();
        assert!(misfit(&store, &inputs("FROM a")).ends_with("it holds no answer"));
    }

    #[test]
    fn few_are_kept_of_each_subject() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let name = |number: usize| format!("FROM {number}");
        let moment = |seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        for number in 0..KEPT {
            store.save(&record(&name(number))).unwrap();
            let file = fs::File::open(store.path("1-naive", &inputs(&name(number)))).unwrap();
            file.set_modified(moment(number as u64)).unwrap();
        }
        // The first one is used; the second one has waited the longest then.
        store.load::<String>("1-naive", &inputs(&name(0))).unwrap();
        store.save(&record("FROM new")).unwrap();
        let is_there = |name: &str| store.load::<String>("1-naive", &inputs(name)).is_ok();
        assert!(is_there("FROM new") && is_there(&name(0)) && !is_there(&name(1)) && is_there(&name(2)));
    }
}
