//! What is known of a subject: from a record that fits, or asked now.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    inputs::Inputs,
    judge::{Again, Oracle, again},
    store::{Answer, Misfit, Record, Store},
};

/// Where an answer is from.
#[derive(Debug)]
pub enum Source {
    /// From a record of this age.
    Recorded(String),
    /// Asked now, because no record fits.
    Asked(Misfit),
    /// Asked again, although there is a record of this age.
    Again(Again, String),
}

impl Source {
    /// What was found out about the real thing, if that is more than that it does what it did.
    pub fn finding(&self) -> Option<String> {
        match self {
            Self::Again(Again::Wavers(what), _) => {
                let (shown, more) = few(what.iter().map(String::as_str));
                Some(format!("it is not the same in every run: {}{more}", shown.join(", ")))
            }
            Self::Again(Again::Changed(lines), age) => {
                let (shown, more) = few(lines.iter().map(String::as_str));
                Some(format!("it does not do what it did {age}:\n  {}{more}", shown.join("\n  ")))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recorded(age) => write!(f, "recorded {age}"),
            Self::Asked(misfit) => write!(f, "asked now: {misfit}"),
            Self::Again(Again::Same, age) => write!(f, "asked again, the same as {age}"),
            Self::Again(Again::Wavers(_), _) => write!(f, "asked again, and not the same in every run"),
            Self::Again(Again::Changed(_), age) => write!(f, "asked again, and not the same as {age}"),
        }
    }
}

/// The first few of many, and how many more there are.
pub fn few<'a>(all: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, String) {
    let mut shown: Vec<&str> = all.collect();
    let left = shown.len().saturating_sub(10);
    shown.truncate(10);
    (shown, if left > 0 { format!(" and {left} more") } else { String::new() })
}

/// What is known of a subject with certain inputs. With a record that fits, the real thing is asked again only if the subject is
/// chosen.
///
/// # Errors
/// The real thing does not answer, or its answer cannot be recorded.
pub fn known<O: Oracle>(
    store: &Store,
    is_chosen: bool,
    subject: &str,
    inputs: Inputs,
    oracle: &mut O,
) -> Result<(Record<O::Answer>, Source), String>
where
    O::Answer: Serialize + DeserializeOwned,
{
    let (record, source) = match store.load::<O::Answer>(subject, &inputs) {
        Ok(record) if !is_chosen => {
            let age = record.age(store.now());
            return Ok((record, Source::Recorded(age)));
        }
        Ok(mut record) => {
            let age = record.age(store.now());
            let found = again(&mut record, oracle, store.now())?;
            (record, Source::Again(found, age))
        }
        Err(misfit) => {
            let answers = vec![Answer { made: store.now(), value: oracle.first()? }];
            let record = Record { subject: subject.to_owned(), inputs, answers, doubted: None };
            (record, Source::Asked(misfit))
        }
    };
    if oracle.is_certain() {
        store.save(&record).map_err(|error| format!("{subject} cannot be recorded: {error}"))?;
    }
    Ok((record, source))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    /// Counts how often it is asked, and answers with a text.
    struct Counting {
        text: &'static str,
        asked: usize,
        is_certain: bool,
    }

    impl Oracle for Counting {
        type Answer = String;

        fn ask(&mut self) -> Result<String, String> {
            self.asked += 1;
            Ok(self.text.to_owned())
        }

        fn between(&self, one: &String, other: &String) -> Vec<String> {
            if one == other { Vec::new() } else { vec![format!("text is {one:?} and {other:?}")] }
        }

        fn is_certain(&self) -> bool {
            self.is_certain
        }
    }

    fn inputs(dockerfile: &str) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.add("Dockerfile", dockerfile);
        inputs
    }

    struct Setup {
        folder: tempfile::TempDir,
        oracle: Counting,
        day: u64,
    }

    impl Setup {
        fn new() -> Self {
            let oracle = Counting { text: "a", asked: 0, is_certain: true };
            Self { folder: tempfile::tempdir().unwrap(), oracle, day: 20_000 }
        }

        fn store(&self) -> Store {
            Store::new(self.folder.path(), self.day * DAY)
        }

        /// The answers that are known, where they are from, and how often the real thing was asked for that.
        fn known(&mut self, is_chosen: bool, dockerfile: &str) -> (Vec<String>, String, usize) {
            self.oracle.asked = 0;
            let (record, source) =
                known(&self.store(), is_chosen, "1-naive", inputs(dockerfile), &mut self.oracle).unwrap();
            let answers = record.answers.into_iter().map(|answer| answer.value).collect();
            (answers, format!("{source}; {:?}", source.finding()), self.oracle.asked)
        }
    }

    fn told(answer: &str, source: &str, finding: Option<&str>, asked: usize) -> (Vec<String>, String, usize) {
        (vec![answer.to_owned()], format!("{source}; {finding:?}"), asked)
    }

    #[test]
    fn it_is_asked_once_for_the_same_and_again_for_what_is_another() {
        let mut setup = Setup::new();
        assert_eq!(setup.known(false, "FROM a"), told("a", "asked now: there is no record", None, 1));
        setup.day += 1;
        assert_eq!(setup.known(false, "FROM a"), told("a", "recorded a day ago", None, 0));
        let changed = "asked now: since it was recorded this has changed: Dockerfile";
        assert_eq!(setup.known(false, "FROM b"), told("a", changed, None, 1));
        setup.day += 40;
        let (_, source, asked) = setup.known(false, "FROM a");
        assert!(source.starts_with("asked now: the record is 41 days old") && asked == 1, "{source}");
    }

    #[test]
    fn a_damaged_record_is_told_and_made_anew() {
        let mut setup = Setup::new();
        setup.known(false, "FROM a");
        let path = setup.store().path("1-naive", &inputs("FROM a"));
        let whole = fs::read(&path).unwrap();
        let mut edited = whole.clone();
        *edited.last_mut().unwrap() ^= 1;
        for damaged in [&whole[..whole.len() - 5], &edited, b""] {
            fs::write(&path, damaged).unwrap();
            setup.oracle.text = "b";
            let (answers, source, asked) = setup.known(false, "FROM a");
            assert!(source.contains(" is damaged: it") && (answers, asked) == (vec!["b".to_owned()], 1), "{source}");
            assert_eq!(setup.known(false, "FROM a"), told("b", "recorded today", None, 0));
        }
    }

    #[test]
    fn what_is_chosen_is_asked_again_and_a_change_is_a_finding() {
        let mut setup = Setup::new();
        setup.known(false, "FROM a");
        setup.day += 3;
        assert_eq!(setup.known(true, "FROM a"), told("a", "asked again, the same as 3 days ago", None, 1));
        setup.oracle.text = "b";
        assert_eq!(setup.known(false, "FROM a"), told("a", "recorded today", None, 0));
        let finding = "it does not do what it did today:\n  text is \"a\" and \"b\"";
        assert_eq!(setup.known(true, "FROM a"), told("b", "asked again, and not the same as today", Some(finding), 2));
        assert_eq!(setup.known(false, "FROM a"), told("b", "recorded today", None, 0));
    }

    #[test]
    fn what_is_not_certain_is_not_recorded() {
        let mut setup = Setup::new();
        setup.oracle.is_certain = false;
        for _ in 0..2 {
            assert_eq!(setup.known(false, "FROM a"), told("a", "asked now: there is no record", None, 1));
        }
    }
}
