//! Patterns for one name in a path.

/// What a part of a pattern stands for.
enum Token {
    /// Any number of characters.
    Any,
    /// One of these ranges, or none of them.
    One { ranges: Vec<(char, char)>, negated: bool },
}

/// Whether a name matches a pattern of `*`, `?`, `[a-z]`, `[^a-z]` and `\` in front of what stands for itself, as Go's
/// `path/filepath.Match` has it. A pattern that is not valid matches nothing. Takes time of the product of both lengths at most.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some(tokens) = tokens(pattern) else { return false };
    let name: Vec<char> = name.chars().collect();
    let (mut token, mut at) = (0, 0);
    // Where the last `*` is, and the end of what it stands for so far.
    let mut star = None;
    loop {
        match (tokens.get(token), name.get(at)) {
            (None, None) => return true,
            (Some(Token::Any), _) => {
                star = Some((token, at));
                token += 1;
            }
            (Some(Token::One { ranges, negated }), Some(c))
                if ranges.iter().any(|(first, last)| (first..=last).contains(&c)) != *negated =>
            {
                token += 1;
                at += 1;
            }
            _ => match &mut star {
                Some((any, end)) if *end < name.len() => {
                    *end += 1;
                    (token, at) = (*any + 1, *end);
                }
                _ => return false,
            },
        }
    }
}

/// `None` if the pattern is not valid.
fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let one = |c: char| Token::One { ranges: vec![(c, c)], negated: false };
    let mut tokens = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '?' => Token::One { ranges: Vec::new(), negated: true },
            '\\' => one(rest.next()?),
            '[' => {
                let negated = rest.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                let bound = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| match rest.next()? {
                    '\\' => rest.next(),
                    c => Some(c),
                };
                while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
                    let first = bound(&mut rest)?;
                    let last = if rest.next_if_eq(&'-').is_some() { bound(&mut rest)? } else { first };
                    ranges.push((first, last));
                }
                Token::One { ranges, negated }
            }
            c => one(c),
        });
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_name_matches_itself_and_what_begins_and_ends_like_it(name in "\\PC{0,20}", other in "\\PC{0,5}") {
            let escaped: String = name.chars().flat_map(|c| ['\\', c]).collect();
            proptest::prop_assert!(matches(&escaped, &name));
            let (starred, longer) = (format!("{escaped}*{escaped}"), format!("{name}{other}{name}"));
            proptest::prop_assert!(matches(&starred, &longer));
            let _ = matches(&name, &other);
        }
    }

    #[test]
    fn names_match_as_in_go() {
        for (pattern, name) in [
            ("a*c?e", "abbcde"),
            ("*", ""),
            ("*.py", "a.b.py"),
            ("a*b*c", "aXbXbc"),
            ("[a-cx]pi", "bpi"),
            ("[^a]pi", "bpi"),
            ("\\*[\\]]", "*]"),
            ("ä?", "äö"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a*c", "ab"), ("?", ""), ("[^a]pi", "api"), ("\\*", "x"), ("[a", "a"), ("a\\", "a"), ("", "a")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(!matches(&"a*".repeat(2000), &"a".repeat(1999)));
    }
}
