//! Which `poetry` and which Python a command would find.

use buildkit_llb::Output;

use crate::{
    dockerfile::{
        facts::Facts,
        graph::Command,
        rules,
        stop::{Stop, refuse},
    },
    error::Error,
    gateway::{Stat, is_folder},
};

/// Checks that the `poetry` of a command is Poetry's own program: the one that is there, else the one that was left out.
///
/// # Errors
/// If it is another program, or there is none, or a call fails.
pub(super) async fn check_poetry(
    facts: &Facts<'_>,
    state: &Output,
    command: &Command<'_>,
    is_left_out: bool,
) -> Result<(), Stop> {
    let program = command.call.program().unwrap_or_default();
    if super::super::programs::base(program) == "poetry" {
        for path in candidates(command, program)? {
            let Some(stat) = facts.stat(state, &path).await?.filter(|stat| !is_folder(stat)) else { continue };
            let text = match stat.size <= MAX_BYTES {
                true => facts.file(state, &path).await?.unwrap_or_default(),
                false => Vec::new(),
            };
            return match is_poetrys(&String::from_utf8_lossy(&text)) {
                true => Ok(()),
                false => refuse(&rules::OTHER_PROGRAM, format!("{path} is not Poetry's own program")),
            };
        }
    }
    match is_left_out {
        true => Ok(()),
        false => refuse(&rules::OTHER_PROGRAM, "nothing before it installs Poetry"),
    }
}

/// The size, in bytes, of the largest file that is taken for a generated program.
const MAX_BYTES: i64 = 4096;

/// Where a program may be, the first that is there being the one.
fn candidates(command: &Command<'_>, program: &str) -> Result<Vec<String>, Stop> {
    if program.contains('/') {
        return Ok(vec![command.absolute(program)?]);
    }
    let path = command.variable("PATH")?.unwrap_or_default();
    path.split(':').map(|folder| Ok(command.absolute(&format!("{folder}/{program}"))?)).collect()
}

/// Whether a program is one that an installer generates for Poetry's entry point, to the last line.
fn is_poetrys(text: &str) -> bool {
    const LINES: [&str; 18] = [
        "# -*- coding: utf-8 -*-",
        "import re",
        "import sys",
        "from poetry.console.application import main",
        "if __name__ == '__main__':",
        "if __name__ == \"__main__\":",
        "sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])",
        "sys.argv[0] = re.sub(r\"(-script\\.pyw|\\.exe)?$\", \"\", sys.argv[0])",
        "sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])",
        "if sys.argv[0].endswith(\"-script.pyw\"):",
        "if sys.argv[0].endswith('.exe'):",
        "sys.argv[0] = sys.argv[0][:-11]",
        "elif sys.argv[0].endswith(\".exe\"):",
        "sys.argv[0] = sys.argv[0][:-4]",
        "sys.argv[0] = sys.argv[0].removesuffix('.exe')",
        "sys.argv[0] = sys.argv[0].removesuffix(\".exe\")",
        "sys.exit(main())",
        "' '''",
    ];
    let mut lines = text.lines();
    let Some(first) = lines.next().and_then(|line| line.strip_prefix("#!")) else { return false };
    let interpreter = first.trim();
    let is_known = interpreter == "/bin/sh" || !interpreter.contains(' ') && interpreter.contains("/python");
    // What a path that is too long for the kernel is put into.
    let runs_python =
        |line: &str| line.starts_with("'''exec' ") && line.ends_with(" \"$0\" \"$@\"") && line.contains("/python");
    let calls_main = text.lines().any(|line| line.trim() == "sys.exit(main())");
    is_known
        && calls_main
        && lines.map(str::trim).all(|line| line.is_empty() || LINES.contains(&line) || runs_python(line))
}

/// Checks that the stage's Python is still that of the image that it begins with, and the first on the path outside of virtual
/// environments.
///
/// # Errors
/// If it may be another one, or a call fails.
pub(super) async fn check_python(
    facts: &Facts<'_>,
    base: &Output,
    state: &Output,
    command: &Command<'_>,
    executable: &str,
) -> Result<(), Stop> {
    let other = || refuse(&rules::OTHER_PYTHON, "a step may have put another Python in the place of the base image's");
    if !is_same(facts, base, state, executable).await? {
        return other();
    }
    for path in candidates(command, "python3")? {
        let Some(stat) = facts.stat(state, &path).await? else { continue };
        if is_folder(&stat) || is_in_environment(facts, state, &path).await? {
            continue;
        }
        return if is_same(facts, base, state, &path).await? { Ok(()) } else { other() };
    }
    Ok(())
}

async fn is_in_environment(facts: &Facts<'_>, state: &Output, program: &str) -> Result<bool, Error> {
    match program.rsplit_once("/bin/") {
        Some((environment, _)) => facts.exists(state, &format!("{environment}/pyvenv.cfg")).await,
        None => Ok(false),
    }
}

/// Whether the same file is at a path of two states, as far as it can be told without reading it.
pub(super) async fn is_same(facts: &Facts<'_>, one: &Output, other: &Output, path: &str) -> Result<bool, Error> {
    let key = |stat: &Stat| (stat.size, stat.mod_time, stat.mode);
    let (one, other) = (facts.stat(one, path).await?, facts.stat(other, path).await?);
    Ok(one.is_some() && one.as_ref().map(key) == other.as_ref().map(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_programs_are_told_from_others() {
        let body = "# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom poetry.console.application import main\n\
                    if __name__ == '__main__':\n    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n    sys.exit(main())\n";
        let of_pip = format!("#!/opt/poetry/bin/python3\n{body}");
        let of_long_path = format!("#!/bin/sh\n'''exec' /long/bin/python \"$0\" \"$@\"\n' '''\n{body}");
        assert!(is_poetrys(&of_pip) && is_poetrys(&of_long_path));
        for text in [
            "#!/bin/sh\nexec /opt/poetry/bin/poetry \"$@\" --with test\n",
            &format!("#!/bin/sh\ntouch /x\n{body}"),
            &of_pip.replace("sys.exit(main())", "sys.exit(main() or 1)"),
            &of_pip.replace("poetry.console", "other.console"),
            "",
            "\x7fELF",
        ] {
            assert!(!is_poetrys(text), "{text}");
        }
    }
}
