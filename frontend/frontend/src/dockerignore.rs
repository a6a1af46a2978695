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
    patterns.iter().flat_map(|pattern| relative(pattern, folder)).collect()
}

/// Whether all of a folder is left out.
#[must_use]
pub fn excludes(patterns: &[String], folder: &str) -> bool {
    let all = below(patterns, folder);
    all.iter()
        .rev()
        .find_map(|pattern| (pattern.trim_start_matches('!') == "**").then(|| pattern == "**"))
        .unwrap_or(false)
}

fn relative(pattern: &str, folder: &str) -> Vec<String> {
    let (bang, path) = match pattern.strip_prefix('!') {
        Some(path) => ("!", path),
        None => ("", pattern),
    };
    let parts: Vec<&str> = path.split('/').collect();
    let names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    let mut found = rests(&parts, &names);
    found.dedup();
    found.into_iter().map(|rest| format!("{bang}{rest}")).collect()
}

/// What is left of a pattern for each way in which its beginning matches these names; `**` where all of it does.
fn rests(parts: &[&str], names: &[&str]) -> Vec<String> {
    match (parts, names) {
        ([], _) => vec!["**".to_owned()],
        (parts, []) => vec![parts.join("/")],
        // It stands for this name and perhaps more, or for nothing.
        (["**", rest @ ..], [_, below @ ..]) => rests(parts, below).into_iter().chain(rests(rest, names)).collect(),
        ([part, rest @ ..], [name, below @ ..]) if matches(part, name) => rests(rest, below),
        _ => Vec::new(),
    }
}

/// Whether a name matches a part of a pattern, as Go's `filepath.Match` has it.
fn matches(part: &str, name: &str) -> bool {
    match part.chars().next() {
        Some('\\') => {
            let (mut rest, mut found) = (part[1..].chars(), name.chars());
            rest.next().is_some_and(|wanted| found.next() == Some(wanted)) && matches(rest.as_str(), found.as_str())
        }
        Some('[') => {
            let mut found = name.chars();
            let (Some((class, rest)), Some(c)) = (part[1..].split_once(']'), found.next()) else { return false };
            let (is_negated, class) = class.strip_prefix('^').map_or((false, class), |class| (true, class));
            let class: Vec<char> = class.chars().collect();
            let in_range = class.windows(3).any(|range| range[1] == '-' && (range[0]..=range[2]).contains(&c));
            (class.contains(&c) || in_range) != is_negated && matches(rest, found.as_str())
        }
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
        let below = |pattern: &str| below(&[pattern.to_owned()], "services/api");
        assert_eq!(below("**/api/secrets"), ["**/api/secrets", "secrets"]);
        assert_eq!(below("services/**/api/x"), ["**/api/x", "x"]);
        assert_eq!(below("!**/api"), ["!**/api", "!**"]);
        assert_eq!(below("**"), ["**"]);
        assert_eq!(below("services/[a-c]pi/x"), ["x"]);
        assert_eq!(below("services/[^a]pi/x"), [""; 0]);
        assert_eq!(below("servi\\ces/*/x"), ["x"]);
        let excludes =
            |lines: &[&str]| excludes(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), "a/b");
        assert!(excludes(&["**/b"]) && excludes(&["a"]) && !excludes(&["a", "!a/b"]) && !excludes(&["a/b/x"]));
    }
}
