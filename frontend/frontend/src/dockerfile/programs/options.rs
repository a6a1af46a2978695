//! Options of a command line, read by a table of those that are known.

/// The options of a program or of one of its commands.
pub(in crate::dockerfile) struct Options {
    /// Those without a value, in lists.
    pub(in crate::dockerfile) flags: &'static [&'static [&'static str]],
    /// Those with one: behind `=`, behind the letter, or as the next word.
    pub(in crate::dockerfile) values: &'static [&'static [&'static str]],
}

/// A part of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dockerfile) enum Part<'a> {
    /// An option without a value.
    Flag(&'static str),
    /// An option and its value.
    Value(&'static str, &'a str),
    /// Anything else, with its place among the words.
    Operand(usize, &'a str),
}

impl Options {
    /// Reads words up to the end, or to `--`, which is not among them. The error is the word that is not known.
    pub(in crate::dockerfile) fn read<'a>(&self, words: &[&'a str]) -> Result<Vec<Part<'a>>, &'a str> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let place = at;
            at += 1;
            if *word == "--" {
                // What stands behind it are operands, whatever they look like.
                parts.extend(words.iter().enumerate().skip(at).map(|(place, word)| Part::Operand(place, word)));
                break;
            }
            if word.len() < 2 || !word.starts_with('-') {
                parts.push(Part::Operand(place, word));
                continue;
            }
            if let Some(flag) = known(self.flags, word) {
                parts.push(Part::Flag(flag));
                continue;
            }
            let (name, given) = match word.split_once('=') {
                Some((name, value)) if word.starts_with("--") => (name, Some(value)),
                _ => (*word, None),
            };
            if let Some(option) = known(self.values, name) {
                let value = match given {
                    Some(value) => value,
                    None => {
                        at += 1;
                        words.get(at - 1).ok_or(*word)?
                    }
                };
                parts.push(Part::Value(option, value));
                continue;
            }
            if word.starts_with("--") || !self.letters(word, words, &mut at, &mut parts) {
                return Err(word);
            }
        }
        Ok(parts)
    }

    /// Several letters behind one dash, of which the last may have a value.
    fn letters<'a>(&self, word: &'a str, words: &[&'a str], at: &mut usize, parts: &mut Vec<Part<'a>>) -> bool {
        for (index, letter) in word[1..].char_indices() {
            let name = format!("-{letter}");
            if let Some(flag) = known(self.flags, &name) {
                parts.push(Part::Flag(flag));
                continue;
            }
            let Some(option) = known(self.values, &name) else { return false };
            let given = &word[1 + index + letter.len_utf8()..];
            let value = match given {
                "" => {
                    *at += 1;
                    match words.get(*at - 1) {
                        Some(value) => value,
                        None => return false,
                    }
                }
                given => given.strip_prefix('=').unwrap_or(given),
            };
            parts.push(Part::Value(option, value));
            return true;
        }
        true
    }
}

fn known(all: &'static [&'static [&'static str]], word: &str) -> Option<&'static str> {
    all.iter().copied().flatten().copied().find(|known| *known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options { flags: &[&["-q", "-U"], &["--yes", "-vv"]], values: &[&["-r", "--file", "-E"]] };

    #[test]
    fn options_are_read_in_all_spellings() {
        for (text, expected) in [
            ("-q --yes", vec![Part::Flag("-q"), Part::Flag("--yes")]),
            (
                "-r a --file b --file=c",
                vec![Part::Value("-r", "a"), Part::Value("--file", "b"), Part::Value("--file", "c")],
            ),
            ("-qUr a", vec![Part::Flag("-q"), Part::Flag("-U"), Part::Value("-r", "a")]),
            ("-Ura", vec![Part::Flag("-U"), Part::Value("-r", "a")]),
            ("-ra x -", vec![Part::Value("-r", "a"), Part::Operand(1, "x"), Part::Operand(2, "-")]),
            (
                "-vv -q -- -q x",
                vec![Part::Flag("-vv"), Part::Flag("-q"), Part::Operand(3, "-q"), Part::Operand(4, "x")],
            ),
        ] {
            assert_eq!(OPTIONS.read(&text.split(' ').collect::<Vec<_>>()), Ok(expected), "{text}");
        }
        for (text, unknown) in
            [("--no", "--no"), ("-qx", "-qx"), ("-r", "-r"), ("--file", "--file"), ("--yes=1", "--yes=1")]
        {
            assert_eq!(OPTIONS.read(&text.split(' ').collect::<Vec<_>>()), Err(unknown), "{text}");
        }
    }
}
