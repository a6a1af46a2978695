//! Ours against what the real thing did, which is not the same in every run.

use std::collections::BTreeSet;

use crate::store::{Answer, Record};

/// How often the real thing is asked again at most because ours is not equal to what it did.
const AGAIN: usize = 2;

const DAY: u64 = 24 * 60 * 60;

/// The real thing.
pub trait Oracle {
    /// What it did.
    type Answer;

    /// Asks it, with nothing left over from the last time.
    ///
    /// # Errors
    /// It does not answer.
    fn ask(&mut self) -> Result<Self::Answer, String>;

    /// Asks it when nothing is known yet. That may use what others were answered at the same time.
    ///
    /// # Errors
    /// It does not answer.
    fn first(&mut self) -> Result<Self::Answer, String> {
        self.ask()
    }

    /// What differs between two of its answers, one a line, as if the other one were ours. A line's first word is what it is
    /// about.
    fn between(&self, one: &Self::Answer, other: &Self::Answer) -> Vec<String>;

    /// Whether what it answered last may be recorded.
    fn is_certain(&self) -> bool {
        true
    }
}

/// What came out when it was asked again although a record fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// The same as before.
    Same,
    /// It differs from run to run, in these.
    Wavers(BTreeSet<String>),
    /// It does something else now, with these differences to the record.
    Changed(Vec<String>),
}

/// What came out for ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How ours differs from that answer which it is nearest to. Empty if it equals one as a whole.
    pub differences: Vec<String>,
    /// What the answers themselves differ in.
    pub wavers: BTreeSet<String>,
    /// How often the real thing was asked for this.
    pub asked: usize,
}

/// Asks again although there is a record, and brings the record up to date.
///
/// # Errors
/// The real thing does not answer.
pub fn again<O: Oracle>(record: &mut Record<O::Answer>, oracle: &mut O, now: u64) -> Result<Again, String> {
    let first = Answer { made: now, value: oracle.ask()? };
    record.doubted = None;
    if let Some(known) = record.answers.iter_mut().find(|known| oracle.between(&known.value, &first.value).is_empty()) {
        *known = first;
        return Ok(Again::Same);
    }
    // Is it another one each time, or another one now?
    let second = Answer { made: now, value: oracle.ask()? };
    let of_runs = subjects(&oracle.between(&first.value, &second.value));
    let nearest = |to: &O::Answer| nearest(record, |known| oracle.between(known, to));
    let (to_first, to_second) = (nearest(&first.value), nearest(&second.value));
    let always = &subjects(&to_first) & &subjects(&to_second);
    let changed: Vec<String> = to_second
        .into_iter()
        .filter(|line| always.contains(subject(line)) && !of_runs.contains(subject(line)))
        .collect();
    if changed.is_empty() {
        record.answers.extend([first, second]);
        keep_different(record, oracle);
        return Ok(Again::Wavers(wavers(record, oracle)));
    }
    record.answers = vec![first, second];
    keep_different(record, oracle);
    Ok(Again::Changed(changed))
}

/// Compares ours with all answers of a record; `differs` tells how ours differs from one. If it equals none, the real thing is
/// asked again, and ours has to equal what it does then, as a whole. That is done once a day at most.
///
/// # Errors
/// The real thing does not answer.
pub fn judge<O: Oracle>(
    record: &mut Record<O::Answer>,
    oracle: &mut O,
    differs: impl Fn(&O::Answer) -> Vec<String>,
    now: u64,
) -> Result<Verdict, String> {
    let mut asked = 0;
    let mut differences = nearest(record, &differs);
    let is_known = record.doubted.is_some_and(|doubted| now.saturating_sub(doubted) < DAY);
    while !differences.is_empty() && !is_known && asked < AGAIN {
        let answer = Answer { made: now, value: oracle.ask()? };
        asked += 1;
        let new = differs(&answer.value);
        if new.len() < differences.len() {
            differences = new;
        }
        record.answers.push(answer);
    }
    if asked > 0 {
        record.doubted = (!differences.is_empty()).then_some(now);
        keep_different(record, oracle);
    }
    Ok(Verdict { differences, wavers: wavers(record, oracle), asked })
}

/// The shortest list of differences to an answer of a record.
fn nearest<T>(record: &Record<T>, differs: impl Fn(&T) -> Vec<String>) -> Vec<String> {
    let all = record.answers.iter().map(|answer| differs(&answer.value));
    all.min_by_key(Vec::len).unwrap_or_else(|| vec!["there is no answer".to_owned()])
}

/// Of answers that are the same the youngest is kept, and of others the youngest few.
fn keep_different<O: Oracle>(record: &mut Record<O::Answer>, oracle: &O) {
    let mut kept: Vec<Answer<O::Answer>> = Vec::new();
    while let Some(answer) = record.answers.pop() {
        if kept.len() <= AGAIN && kept.iter().all(|other| !oracle.between(&answer.value, &other.value).is_empty()) {
            kept.push(answer);
        }
    }
    kept.reverse();
    record.answers = kept;
}

/// What the answers of a record differ in.
pub fn wavers<O: Oracle>(record: &Record<O::Answer>, oracle: &O) -> BTreeSet<String> {
    let pairs = record.answers.iter().zip(record.answers.iter().skip(1));
    pairs.flat_map(|(one, other)| subjects(&oracle.between(&one.value, &other.value))).collect()
}

fn subjects(differences: &[String]) -> BTreeSet<String> {
    differences.iter().map(|line| subject(line).to_owned()).collect()
}

fn subject(difference: &str) -> &str {
    difference.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};

    use super::*;
    use crate::inputs::Inputs;

    /// Files and what is in them.
    type Files = BTreeMap<&'static str, &'static str>;

    const NOW: u64 = 20_789 * DAY;

    /// Gives these answers, one after the other, and no more.
    struct Told(VecDeque<Files>);

    impl Oracle for Told {
        type Answer = Files;

        fn ask(&mut self) -> Result<Files, String> {
            self.0.pop_front().ok_or_else(|| "asked once too often".to_owned())
        }

        fn between(&self, one: &Files, other: &Files) -> Vec<String> {
            differences(one, other)
        }
    }

    fn differences(one: &Files, other: &Files) -> Vec<String> {
        let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
        let differ = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
        differ.map(|name| format!("{name} is {:?} and {:?}", one.get(name), other.get(name))).collect()
    }

    fn files(jinja: &'static str, click: &'static str) -> Files {
        [("jinja2/environment.py", jinja), ("click/core.py", click)].into()
    }

    fn told<const N: usize>(answers: [Files; N]) -> Told {
        Told(answers.into())
    }

    fn record<const N: usize>(answers: [Files; N]) -> Record<Files> {
        let answers = answers.into_iter().map(|value| Answer { made: NOW - 3 * DAY, value }).collect();
        Record { subject: "case".to_owned(), inputs: Inputs::default(), answers, doubted: None }
    }

    fn judged(record: &mut Record<Files>, oracle: &mut Told, ours: &Files) -> Verdict {
        let verdict = judge(record, oracle, |real| differences(real, ours), NOW).unwrap();
        assert!(oracle.0.is_empty(), "it is asked less often than expected: {} left", oracle.0.len());
        verdict
    }

    fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn what_equals_the_record_asks_nothing() {
        let mut record = record([files("644", "644")]);
        let verdict = judged(&mut record, &mut told([]), &files("644", "644"));
        assert_eq!(verdict, Verdict { differences: vec![], wavers: names([]), asked: 0 });
    }

    #[test]
    fn a_file_that_wavers_is_told_and_does_not_fail() {
        // The mode of one file was another one when it was recorded.
        let mut record = record([files("666", "644")]);
        let ours = files("644", "644");
        let verdict = judged(&mut record, &mut told([files("644", "644")]), &ours);
        assert_eq!(verdict, Verdict { differences: vec![], wavers: names(["jinja2/environment.py"]), asked: 1 });
        // It is known from then on.
        let verdict = judged(&mut record, &mut told([]), &ours);
        assert_eq!(verdict, Verdict { differences: vec![], wavers: names(["jinja2/environment.py"]), asked: 0 });
    }

    #[test]
    fn a_difference_of_ours_stays_one() {
        let real = files("644", "644");
        let ours = files("600", "644");
        let mut record = record([real.clone()]);
        let verdict = judged(&mut record, &mut told([real.clone(), real.clone()]), &ours);
        assert_eq!(verdict.differences, differences(&real, &ours));
        assert_eq!((verdict.wavers, verdict.asked), (names([]), 2));
        // Whoever works on it is not kept waiting each time.
        let verdict = judged(&mut record, &mut told([]), &ours);
        assert_eq!((verdict.differences, verdict.asked), (differences(&real, &ours), 0));
        // Another day, it is asked again.
        let later =
            judge(&mut record, &mut told([real.clone(), ours.clone()]), |real| differences(real, &ours), NOW + DAY);
        assert_eq!((later.as_ref().unwrap().asked, later.unwrap().differences), (2, vec![]));
        // And as soon as ours is right, all is well.
        assert_eq!(judged(&mut record, &mut told([]), &real).differences, [""; 0]);
    }

    #[test]
    fn ours_has_to_equal_one_real_answer_as_a_whole() {
        // Each of its files is in some real answer, but no real answer has both.
        let ours = files("644", "644");
        let mut record = record([files("666", "644")]);
        let real = [files("644", "666"), files("644", "666")];
        let verdict = judged(&mut record, &mut told(real), &ours);
        assert_eq!(verdict.differences.len(), 1);
        assert_eq!(verdict.wavers, names(["jinja2/environment.py", "click/core.py"]));
    }

    #[test]
    fn asked_again_it_is_the_same_or_wavers_or_is_something_else() {
        let (old, new) = (files("644", "644"), files("644", "755"));
        let mut same = record([old.clone()]);
        assert_eq!(again(&mut same, &mut told([old.clone()]), NOW), Ok(Again::Same));
        assert_eq!((same.answers.len(), same.answers[0].made), (1, NOW));

        // Once another one, and then as ever.
        let odd = files("666", "644");
        let mut wavering = record([old.clone()]);
        let found = again(&mut wavering, &mut told([odd.clone(), old.clone()]), NOW);
        assert_eq!(found, Ok(Again::Wavers(names(["jinja2/environment.py"]))));
        assert_eq!(wavering.answers.iter().map(|answer| &answer.value).collect::<Vec<_>>(), [&odd, &old]);
        // It was the record that was odd.
        let mut wavering = record([odd.clone()]);
        let found = again(&mut wavering, &mut told([old.clone(), odd.clone()]), NOW);
        assert_eq!(found, Ok(Again::Wavers(names(["jinja2/environment.py"]))));

        // Another one now: what the record has does not count any more.
        let mut changed = record([old.clone()]);
        let found = again(&mut changed, &mut told([new.clone(), new.clone()]), NOW);
        assert_eq!(found, Ok(Again::Changed(differences(&old, &new))));
        let judged = judge(&mut changed, &mut told([new.clone(), new.clone()]), |real| differences(real, &old), NOW);
        assert_eq!(judged.unwrap().differences, differences(&new, &old));

        // Both at once: only what is always another one is called changed.
        let mut both = record([old.clone()]);
        let found = again(&mut both, &mut told([files("666", "755"), new.clone()]), NOW);
        assert_eq!(found, Ok(Again::Changed(differences(&old, &new))));
        assert_eq!(both.answers.len(), 2);
    }

    #[test]
    fn who_does_not_answer_is_no_judge() {
        let mut record = record([files("644", "644")]);
        let known = record.clone();
        assert!(again(&mut record, &mut told([]), NOW).is_err());
        assert!(judge(&mut record, &mut told([]), |_| vec!["x differs".to_owned()], NOW).is_err());
        assert_eq!(record, known);
    }
}
