//! What real Poetry does, from records where one fits. How records work is told by the crate `oracle`; here is what they hold,
//! and everything that goes into it.

mod dockerfile;
mod engine;
mod installers;
mod published;

use std::{
    collections::BTreeSet,
    env,
    sync::{Mutex, OnceLock, PoisonError},
};

use oracle::{
    inputs::Inputs,
    judge::Oracle,
    now,
    sample::{Choice, VARIABLE},
    store::{Answer, Record, Store},
};
use serde::{Serialize, de::DeserializeOwned};

pub use dockerfile::{Behaviour, Dockerfile, Real, alone, last_lines, within};
pub use engine::{add_base, add_engine, listing_of};
pub use installers::{names as installers, subjects as installer_subjects};

use crate::{dockerfiles, examples, poetry, say, wheels};

/// The records of this machine.
pub fn store() -> Store {
    Store::new(wheels::cache().join("oracle"), now())
}

/// What real Poetry is asked again in this run.
pub fn choice() -> &'static Choice {
    static CHOICE: OnceLock<Choice> = OnceLock::new();
    CHOICE.get_or_init(|| Choice::read(env::var(VARIABLE).ok().as_deref(), now()))
}

/// Everything that real Poetry is asked for.
pub fn subjects() -> &'static BTreeSet<String> {
    static SUBJECTS: OnceLock<BTreeSet<String>> = OnceLock::new();
    SUBJECTS.get_or_init(|| {
        let cases = dockerfiles::groups()
            .into_values()
            .flatten()
            .filter(|case| case.plain && case.live.is_none())
            .map(|case| case.name);
        let installs = examples::all().into_iter().map(|example| poetry::subject(&example.name));
        cases.chain(installs).chain(installer_subjects()).collect()
    })
}

/// The names of those that are asked again in this run, whether a record fits or not.
pub fn chosen() -> &'static BTreeSet<&'static str> {
    static CHOSEN: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    CHOSEN.get_or_init(|| choice().of(subjects()))
}

/// What is known of a subject, and a word on where that is from: from the record that fits, or asked now. If its turn is in
/// this run, it is asked again.
///
/// # Errors
/// The real thing does not answer.
pub fn known<O: Oracle>(subject: &str, inputs: Inputs, oracle: &mut O) -> Result<(Record<O::Answer>, String), String>
where
    O::Answer: Serialize + DeserializeOwned,
{
    static ASKED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let is_first = || ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(subject.to_owned());
    let is_chosen = chosen().contains(subject) && is_first();
    let (record, source) = oracle::known::known(&store(), is_chosen, subject, inputs, oracle)?;
    if let Some(finding) = source.finding() {
        find(format!("{subject}: real Poetry: {finding}"));
    }
    Ok((record, source.to_string()))
}

/// An answer that is not kept, and not doubted: if it is asked again, it uses the same steps.
pub fn unrecorded<T>(subject: &str, value: T) -> Record<T> {
    let answers = vec![Answer { made: now(), value }];
    Record { subject: subject.to_owned(), inputs: Inputs::default(), answers, doubted: Some(now()) }
}

/// What was found out about real Poetry in this run.
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Says at once what was found out about real Poetry, and keeps it for [`findings`].
pub fn find(text: String) {
    say(&format!("FOUND: {text}"));
    FOUND.lock().unwrap_or_else(PoisonError::into_inner).push(text);
}

/// What was found out about real Poetry in this run, to be said once more at its end.
pub fn findings() -> Vec<String> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Keeps a record for the next time.
pub fn keep<T: Serialize>(record: &Record<T>) {
    // Without it the next run asks again, so nothing is wrong but the time that takes.
    if let Err(error) = store().save(record) {
        say(&format!("{}: real Poetry's answer cannot be recorded: {error}", record.subject));
    }
}
