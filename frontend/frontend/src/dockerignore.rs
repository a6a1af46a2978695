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
}
