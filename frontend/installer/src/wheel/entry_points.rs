//! `entry_points.txt`: which commands a distribution offers.

use std::collections::BTreeMap;

use super::WheelError;

/// The function that a command calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// The module, with dots.
    pub(crate) module: String,
    /// The attribute of the module, with dots.
    pub(crate) attribute: String,
}

/// The commands of the sections `console_scripts` and `gui_scripts`, which are the same on Linux.
/// Other sections are not looked at. Of two commands with one name the later counts.
///
/// # Errors
/// The file is not UTF-8, a line cannot be understood, or a command's name is no file name.
pub(crate) fn parse(content: &[u8]) -> Result<BTreeMap<String, Function>, WheelError> {
    let bad = |detail: String| WheelError::BadMetadata { file: "entry_points.txt".to_owned(), detail };
    let text = std::str::from_utf8(content).map_err(|error| bad(error.to_string()))?;
    let mut commands = BTreeMap::new();
    let mut wanted = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            wanted = matches!(section.trim(), "console_scripts" | "gui_scripts");
            continue;
        }
        if !wanted {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| bad(format!("line {} has no '='", number + 1)))?;
        let (name, value) = (name.trim(), value.trim());
        if !is_file_name(name) {
            return Err(WheelError::ScriptName { name: name.to_owned() });
        }
        let function = parse_reference(value)
            .ok_or_else(|| WheelError::BadEntryPoint { name: name.to_owned(), value: value.to_owned() })?;
        commands.insert(name.to_owned(), function);
    }
    Ok(commands)
}

/// Parses `module:attribute [extra, ...]`; the extras say nothing to an installer.
fn parse_reference(value: &str) -> Option<Function> {
    let value = match value.split_once('[') {
        Some((value, extras)) if extras.ends_with(']') => value,
        Some(_) => return None,
        None => value,
    };
    let (module, attribute) = value.split_once(':')?;
    let (module, attribute) = (module.trim(), attribute.trim());
    (is_dotted_name(module) && is_dotted_name(attribute))
        .then(|| Function { module: module.to_owned(), attribute: attribute.to_owned() })
}

fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= 255
        && !name.contains(['/', '\\'])
        && !name.contains(char::is_control)
}

/// Whether the name can be written into Python source: identifiers joined by dots.
fn is_dotted_name(name: &str) -> bool {
    name.split('.').all(|part| {
        let mut letters = part.chars();
        letters.next().is_some_and(|c| c == '_' || c.is_alphabetic())
            && letters.all(|c| c == '_' || c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn commands(text: &str) -> Vec<(String, String, String)> {
        parse(text.as_bytes()).unwrap().into_iter().map(|(name, f)| (name, f.module, f.attribute)).collect()
    }

    fn command(name: &str, module: &str, attribute: &str) -> (String, String, String) {
        (name.into(), module.into(), attribute.into())
    }

    #[test]
    fn commands_come_from_both_script_sections_only() {
        let text = "[console_scripts]\n# a comment\nfoo=pkg.cli:main\n\n Bar.x = pkg : App.run [extra1, extra2]\n\
                    [plugins]\nanything goes here\n[gui_scripts]\nwin = pkg.gui:start\r\n";
        assert_eq!(
            commands(text),
            [command("Bar.x", "pkg", "App.run"), command("foo", "pkg.cli", "main"), command("win", "pkg.gui", "start"),]
        );
    }

    #[test]
    fn the_later_of_two_commands_counts() {
        let text = "[console_scripts]\na=m:one\na=m:two\n";
        assert_eq!(commands(text), [command("a", "m", "two")]);
    }

    #[test]
    fn names_that_leave_the_bin_folder_are_refused() {
        for name in ["../x", "a/b", "..", ".", "", "a\\b", "/etc/x"] {
            let found = parse(format!("[console_scripts]\n{name} = m:f\n").as_bytes());
            assert!(matches!(found, Err(WheelError::ScriptName { .. })), "{name}");
        }
    }

    #[test]
    fn references_that_are_no_function_are_refused() {
        for value in ["m", "m:", ":f", "m:f()", "m:f;import os", "m f:g", "m:f [x", "m:f\u{2028}g", "1m:f", "m..n:f"] {
            let found = parse(format!("[console_scripts]\nx = {value}\n").as_bytes());
            assert!(matches!(found, Err(WheelError::BadEntryPoint { .. })), "{value}");
        }
    }

    #[test]
    fn a_line_without_a_value_is_refused() {
        let found = parse(b"[console_scripts]\nfoo\n");
        assert!(matches!(found, Err(WheelError::BadMetadata { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&content);
        }

        #[test]
        fn any_section_is_parsed_without_panic(lines in "(\\[console_scripts\\]\n)?([ a-z=:.\\[\\]#;\n/]{0,60})") {
            let _ = parse(lines.as_bytes());
        }
    }
}
