//! Scripts that an interpreter runs.

/// The longest first line that every Linux kernel reads in full, with `#!` and the line break.
const LONGEST_FIRST_LINE: usize = 127;

/// The first line of a script that `python` runs, with its line break.
///
/// Paths that a kernel would cut or split are left to `/bin/sh`: it reads the second line as a command,
/// while Python reads the second and third lines as a string.
#[must_use]
pub fn first_line(python: &str) -> String {
    if python.len() + "#!\n".len() <= LONGEST_FIRST_LINE && !python.contains([' ', '\t']) {
        format!("#!{python}\n")
    } else {
        let quoted = python.replace('\'', r#"'"'"'"#);
        format!("#!/bin/sh\n'''exec' '{quoted}' \"$0\" \"$@\"\n' '''\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_a_kernel_would_cut_are_left_to_the_shell() {
        assert_eq!(first_line("/app/.venv/bin/python"), "#!/app/.venv/bin/python\n");
        assert_eq!(first_line("/my app/python"), "#!/bin/sh\n'''exec' '/my app/python' \"$0\" \"$@\"\n' '''\n");
        assert!(first_line(&"/x".repeat(100)).starts_with("#!/bin/sh\n"));
    }
}
