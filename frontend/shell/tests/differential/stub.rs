//! A program that notes how it was called.
#![allow(unreachable_pub, reason = "a test's own modules")]

use std::{
    collections::BTreeMap,
    env, fs,
    io::{Read, Write},
};

/// The names that this program goes by.
pub const NAMES: [&str; 6] = ["poetry", "pip", "make", "grep", "cat", "yes"];

/// How a program was called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Its name and arguments.
    pub words: Vec<String>,
    /// The working folder.
    pub folder: String,
    /// The variables that it saw.
    pub variables: BTreeMap<String, String>,
}

/// Does what such a program does, if this is one: the code that it ends with.
pub fn run() -> Option<u8> {
    let mut words: Vec<String> = env::args().collect();
    let name = words.first()?.rsplit('/').next()?.to_owned();
    if !NAMES.contains(&name.as_str()) {
        return None;
    }
    words[0].clone_from(&name);
    Some(note(&name, &words).unwrap_or(99))
}

fn note(name: &str, words: &[String]) -> Option<u8> {
    let mut text = format!("{}\0{}\0", words.len(), words.join("\0"));
    text.push_str(&format!("{}\0", env::current_dir().ok()?.display()));
    let variables: Vec<(String, String)> = env::vars().collect();
    text.push_str(&format!("{}\0", variables.len()));
    for (name, value) in variables {
        text.push_str(&format!("{name}\0{value}\0"));
    }
    let mut log = fs::OpenOptions::new().append(true).create(true).open(env::var_os("STUB_LOG")?).ok()?;
    log.write_all(text.as_bytes()).ok()?;
    match name {
        "cat" => {
            let mut text = Vec::new();
            let _ = std::io::stdin().read_to_end(&mut text);
            let _ = std::io::stdout().write_all(&text);
        }
        "yes" => drop(std::io::stdout().write_all(b"y\n")),
        "make" => drop(std::io::stdout().write_all(b"made\n")),
        _ => {}
    }
    // Whether each of them fails is told from outside.
    let fails = env::var("STUB_FAILS").ok()?;
    Some(u8::from(fails.split(',').any(|fails| fails == name)))
}

/// Reads what was noted.
pub fn records(log: &str) -> Vec<Record> {
    let mut fields = log.split('\0').map(str::to_owned);
    let mut records = Vec::new();
    loop {
        let Some(count) = fields.next().and_then(|count| count.parse::<usize>().ok()) else { return records };
        let words = fields.by_ref().take(count).collect();
        let folder = fields.next().unwrap_or_default();
        let count = fields.next().and_then(|count| count.parse::<usize>().ok()).unwrap_or_default();
        let mut variables = BTreeMap::new();
        for _ in 0..count {
            variables.insert(fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        }
        records.push(Record { words, folder, variables });
    }
}
