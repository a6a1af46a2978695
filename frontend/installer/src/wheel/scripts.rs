//! The text of scripts: first lines and launchers.

use super::WheelError;
use super::entry_points::Function;

/// The longest `#!python` line that is looked for.
const LONGEST_REPLACED: usize = 64 << 10;

/// What a packager writes for "the interpreter of wherever this is installed"; also the start of `#!pythonw`.
const PLACEHOLDER: &[u8] = b"#!python";

/// A script that calls `function` and exits with what it returns.
pub(crate) fn launcher(first_line: &str, function: &Function) -> String {
    let Function { module, attribute } = function;
    let imported = attribute.split('.').next().unwrap_or(attribute);
    format!(
        r#"{first_line}import sys

from {module} import {imported}

if __name__ == "__main__":
    for suffix in ("-script.pyw", ".exe"):
        if sys.argv[0].endswith(suffix):
            sys.argv[0] = sys.argv[0][: -len(suffix)]
            break
    sys.exit({attribute}())
"#
    )
}

/// Replaces a first line `#!python` while a script passes through piece by piece.
#[derive(Debug)]
pub(crate) struct Rewriter<'a> {
    first_line: &'a str,
    /// What has come so far, until it is known whether it is to be replaced.
    head: Option<Vec<u8>>,
}

impl<'a> Rewriter<'a> {
    /// Replaces the line by `first_line`, which ends in a line break.
    pub(crate) fn new(first_line: &'a str) -> Self {
        Self { first_line, head: Some(Vec::new()) }
    }

    /// Takes the next piece, and hands to `sink` what is known by now.
    ///
    /// # Errors
    /// The placeholder's line does not end, or `sink` fails.
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
        entry: &str,
        sink: &mut impl FnMut(&[u8]) -> Result<(), WheelError>,
    ) -> Result<(), WheelError> {
        let Some(head) = &mut self.head else {
            return sink(piece);
        };
        head.extend_from_slice(piece);
        if head.len() < PLACEHOLDER.len() {
            return Ok(());
        }
        if !head.starts_with(PLACEHOLDER) {
            return self.finish(sink);
        }
        let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
            if head.len() > LONGEST_REPLACED {
                return Err(WheelError::ScriptLine { entry: entry.to_owned(), limit: LONGEST_REPLACED });
            }
            return Ok(());
        };
        let rest = head.split_off(end + 1);
        self.head = None;
        sink(self.first_line.as_bytes())?;
        sink(&rest)
    }

    /// Hands over what is left. Further pieces pass unchanged.
    ///
    /// # Errors
    /// `sink` fails.
    pub(crate) fn finish(&mut self, sink: &mut impl FnMut(&[u8]) -> Result<(), WheelError>) -> Result<(), WheelError> {
        match self.head.take() {
            Some(head) if head.starts_with(PLACEHOLDER) => sink(self.first_line.as_bytes()),
            Some(head) => sink(&head),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    fn rewrite(script: &[u8], step: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sink = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        let mut rewriter = Rewriter::new("#!/app/bin/python\n");
        for piece in script.chunks(step) {
            rewriter.push(piece, "x", &mut sink).unwrap();
        }
        rewriter.finish(&mut sink).unwrap();
        out
    }

    #[test]
    fn only_the_placeholder_line_is_replaced() {
        for step in [1, 3, 1000] {
            for (script, expected) in [
                ("#!python\nprint()\n", "#!/app/bin/python\nprint()\n"),
                ("#!pythonw -E\r\nx", "#!/app/bin/python\nx"),
                ("#!python", "#!/app/bin/python\n"),
                ("#!/usr/bin/python\n", "#!/usr/bin/python\n"),
                ("#!/bin/sh\n#!python\n", "#!/bin/sh\n#!python\n"),
                ("", ""),
                ("#!pyth", "#!pyth"),
            ] {
                let found = rewrite(script.as_bytes(), step);
                assert_eq!(String::from_utf8(found).unwrap(), expected, "step {step}");
            }
        }
    }

    #[test]
    fn a_placeholder_line_without_end_is_refused() {
        let mut rewriter = Rewriter::new("#!x\n");
        let script = [b"#!python".to_vec(), vec![b' '; LONGEST_REPLACED]].concat();
        let found = rewriter.push(&script, "x", &mut |_| Ok(()));
        assert!(matches!(found, Err(WheelError::ScriptLine { .. })));
    }

    #[test]
    fn launchers_run_from_plain_long_and_spaced_paths() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("package")).unwrap();
        std::fs::write(
            home.path().join("package/__init__.py"),
            "import sys\nclass App:\n    @staticmethod\n    def run():\n        print(sys.argv[1:], sys.argv[0][-4:])\n        return 7\n",
        )
        .unwrap();
        let function = Function { module: "package".into(), attribute: "App.run".into() };
        for folder in ["plain", "with a space", "it's", &"long".repeat(40)] {
            let bin = home.path().join(folder);
            std::fs::create_dir(&bin).unwrap();
            let python = bin.join("python");
            std::os::unix::fs::symlink("/usr/bin/python3", &python).unwrap();
            let script = bin.join("tool.exe");
            let text = launcher(&install_request::first_line(python.to_str().unwrap()), &function);
            std::fs::write(&script, text).unwrap();
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
            let found = Command::new(&script).args(["a b", "c"]).env("PYTHONPATH", home.path()).output().unwrap();
            let stdout = String::from_utf8_lossy(&found.stdout);
            assert_eq!(stdout, "['a b', 'c'] tool\n", "{folder}: {found:?}");
            assert_eq!(found.status.code(), Some(7), "{folder}");
        }
    }
}
