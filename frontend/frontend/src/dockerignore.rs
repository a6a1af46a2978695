//! `.dockerignore` (moby `frontend/dockerfile/dockerignore`).

use std::collections::BTreeSet;

use crate::glob;

/// The patterns of a `.dockerignore`, without comments, in the form that BuildKit takes.
#[must_use]
pub fn patterns(text: &str) -> Vec<String> {
    text.trim_start_matches('\u{feff}')
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::trim)
        .filter_map(pattern)
        .collect()
}

/// The patterns of a context as patterns of a folder in it, for those that say something of that folder.
#[must_use]
pub fn below(patterns: &[String], folder: &str) -> Vec<String> {
    patterns.iter().flat_map(|pattern| relative(pattern, folder)).collect()
}

/// Whether all of a folder is left out.
#[must_use]
pub fn excludes(patterns: &[String], folder: &str) -> bool {
    // The last that speaks of all of it counts, if none behind it takes a part back.
    let below = below(patterns, folder);
    let last = below.iter().rfind(|pattern| *pattern == "**" || pattern.starts_with('!'));
    last.is_some_and(|last| last == "**")
}

fn relative(pattern: &str, folder: &str) -> Vec<String> {
    let (bang, path) = match pattern.strip_prefix('!') {
        Some(path) => ("!", path),
        None => ("", pattern),
    };
    let mut parts: Vec<&str> = path.split('/').collect();
    // Several in a row mean the same, and would make as many patterns.
    parts.dedup_by(|part, before| *part == "**" && before == part);
    rests(&parts, folder).into_iter().map(|rest| format!("{bang}{rest}")).collect()
}

/// What is left of a pattern for each way in which its beginning matches a folder; `**` where all of it does, for then all of what
/// is below is meant.
fn rests(parts: &[&str], folder: &str) -> Vec<String> {
    // The numbers of parts that may have been matched so far.
    let mut matched = BTreeSet::from([0]);
    for name in folder.split('/').filter(|name| !name.is_empty()) {
        let mut next = BTreeSet::new();
        let mut waiting: Vec<usize> = matched.into_iter().collect();
        while let Some(at) = waiting.pop() {
            match parts.get(at) {
                None => drop(next.insert(at)),
                // It stands for this name and perhaps more, or for nothing.
                Some(&"**") => {
                    next.insert(at);
                    waiting.push(at + 1);
                }
                Some(part) => {
                    if glob::matches(part, name) {
                        next.insert(at + 1);
                    }
                    // `**.log` is for any depth, as `**/*.log` is.
                    if part.starts_with("**") {
                        next.insert(at);
                    }
                }
            }
        }
        matched = next;
    }
    let rest = |at: usize| if at == parts.len() { "**".to_owned() } else { parts[at..].join("/") };
    let mut found: Vec<String> = matched.into_iter().map(rest).collect();
    found.dedup();
    found
}

fn pattern(line: &str) -> Option<String> {
    let (bang, path) = match line.strip_prefix('!') {
        Some(path) => ("!", path.trim()),
        None => ("", line),
    };
    if path.is_empty() {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // What is above the context is none of its files.
            ".." if parts.pop().is_none() && !path.starts_with('/') => return None,
            ".." => {}
            part => parts.push(part),
        }
    }
    let cleaned = if parts.is_empty() { ".".to_owned() } else { parts.join("/") };
    Some(format!("{bang}{cleaned}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cleaned_and_comments_left_out() {
        let text = "\u{feff}# all\n/build/\n\n  **/*.log  \n! ./keep.log\na/../b\n!\n../c\n/../d\n";
        assert_eq!(patterns(text), ["build", "**/*.log", "!keep.log", "b", "d"]);
    }

    #[test]
    fn patterns_of_a_context_count_in_a_folder_of_it() {
        let patterns = ["**/*.log", "services/api/tmp", "services/*/data", "docs", "!services/a?i/keep", "other/x"];
        let found = below(&patterns.map(str::to_owned), "services/api");
        assert_eq!(found, ["**/*.log", "tmp", "data", "!keep"]);
        assert_eq!(below(&["services".to_owned(), "*".to_owned()], "services/api"), ["**", "**"]);
        assert_eq!(below(&["docs".to_owned()], ""), ["docs"]);
        let below = |pattern: &str| below(&[pattern.to_owned()], "services/api");
        assert_eq!(below("**/api/secrets"), ["**/api/secrets", "secrets"]);
        assert_eq!(below("services/**/api/x"), ["**/api/x", "x"]);
        assert_eq!(below("!**/api"), ["!**/api", "!**"]);
        assert_eq!(below("**"), ["**"]);
        assert_eq!(below("services/[a-c]pi/x"), ["x"]);
        assert_eq!(below("services/[^a]pi/x"), [""; 0]);
        assert_eq!(below("servi\\ces/*/x"), ["x"]);
        assert_eq!(below(&format!("{}x", "**/".repeat(500))), ["**/x"]);
        let excludes =
            |lines: &[&str]| excludes(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), "a/b");
        assert_eq!(below("**.log"), ["**.log"]);
        assert_eq!(below("**api/x"), ["**api/x", "x"]);
        let allowed = ["*", "!a/b/pyproject.toml", "!a/b/app"];
        assert!(!excludes(&allowed) && excludes(&["!a/b/x", "*"]) && !excludes(&["*", "!a/b/x", "a/b/y"]));
        assert!(excludes(&["**/b"]) && excludes(&["a"]) && !excludes(&["a", "!a/b"]) && !excludes(&["a/b/x"]));
    }
}
