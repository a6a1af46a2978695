//! `.dockerignore` (moby `frontend/dockerfile/dockerignore`).

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
    patterns.iter().filter_map(|pattern| relative(pattern, folder)).collect()
}

fn relative(pattern: &str, folder: &str) -> Option<String> {
    let (bang, path) = match pattern.strip_prefix('!') {
        Some(path) => ("!", path),
        None => ("", pattern),
    };
    let mut parts = path.split('/');
    for name in folder.split('/').filter(|name| !name.is_empty()) {
        match parts.clone().next() {
            Some("**") => break,
            Some(part) if matches(part, name) => parts.next(),
            // All of what is above the folder.
            None => break,
            Some(_) => return None,
        };
    }
    let rest = parts.collect::<Vec<_>>().join("/");
    Some(format!("{bang}{}", if rest.is_empty() { "**" } else { &rest }))
}

/// Whether a name matches a part of a pattern, in which `*` stands for anything and `?` for one character.
fn matches(part: &str, name: &str) -> bool {
    match part.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = &part[1..];
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(rest, &name[at..]))
        }
        Some(wanted) => match name.chars().next() {
            Some(found) if wanted == '?' || wanted == found => {
                matches(&part[wanted.len_utf8()..], &name[found.len_utf8()..])
            }
            _ => false,
        },
    }
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
            ".." => {
                parts.pop();
            }
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
        let text = "\u{feff}# all\n/build/\n\n  **/*.log  \n! ./keep.log\na/../b\n!\n";
        assert_eq!(patterns(text), ["build", "**/*.log", "!keep.log", "b"]);
    }

    #[test]
    fn patterns_of_a_context_count_in_a_folder_of_it() {
        let patterns = ["**/*.log", "services/api/tmp", "services/*/data", "docs", "!services/a?i/keep", "other/x"];
        let found = below(&patterns.map(str::to_owned), "services/api");
        assert_eq!(found, ["**/*.log", "tmp", "data", "!keep"]);
        assert_eq!(below(&["services".to_owned(), "*".to_owned()], "services/api"), ["**", "**"]);
        assert_eq!(below(&["docs".to_owned()], ""), ["docs"]);
    }
}
