//! What programs do, as far as it matters here.

/// What a program may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dockerfile) enum Writes {
    /// Nothing.
    Nothing,
    /// What its operands name, and what is below that.
    Operands,
    /// Places of the system and of the user's home that hold no project: packages, accounts, caches.
    System,
}

/// A program that is known.
struct Program {
    name: &'static str,
    writes: Writes,
}

const fn program(name: &'static str, writes: Writes) -> Program {
    Program { name, writes }
}

/// Programs that run no other one that their arguments name, and nothing that the user wrote. A package manager runs the
/// scripts of its packages.
const PROGRAMS: [Program; 47] = [
    program("[", Writes::Nothing),
    program("addgroup", Writes::System),
    program("adduser", Writes::System),
    program("apk", Writes::System),
    program("apt", Writes::System),
    program("apt-get", Writes::System),
    program("apt-mark", Writes::System),
    program("basename", Writes::Nothing),
    program("cat", Writes::Nothing),
    program("chgrp", Writes::Nothing),
    program("chmod", Writes::Nothing),
    program("chown", Writes::Nothing),
    program("cp", Writes::Operands),
    program("cut", Writes::Nothing),
    program("date", Writes::Nothing),
    program("dirname", Writes::Nothing),
    program("dpkg", Writes::System),
    program("echo", Writes::Nothing),
    program("false", Writes::Nothing),
    program("gpg", Writes::System),
    program("grep", Writes::Nothing),
    program("groupadd", Writes::System),
    program("head", Writes::Nothing),
    program("id", Writes::Nothing),
    program("install", Writes::Operands),
    program("ldconfig", Writes::System),
    program("ln", Writes::Operands),
    program("locale-gen", Writes::System),
    program("ls", Writes::Nothing),
    program("mkdir", Writes::Operands),
    program("mv", Writes::Operands),
    program("printf", Writes::Nothing),
    program("pwd", Writes::Nothing),
    program("rm", Writes::Operands),
    program("rmdir", Writes::Operands),
    program("sha256sum", Writes::Nothing),
    program("sleep", Writes::Nothing),
    program("sort", Writes::Nothing),
    program("stat", Writes::Nothing),
    program("tail", Writes::Nothing),
    program("test", Writes::Nothing),
    program("touch", Writes::Operands),
    program("true", Writes::Nothing),
    program("uname", Writes::Nothing),
    program("useradd", Writes::System),
    program("usermod", Writes::System),
    program("wc", Writes::Nothing),
];

fn find(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

/// Whether a program runs neither what its arguments name nor anything that the user wrote. `find` does where it is told to.
pub(in crate::dockerfile) fn runs_nothing(name: &str, words: &[&str]) -> bool {
    match name {
        "find" => !words.iter().any(|word| ["-exec", "-execdir", "-ok", "-okdir"].contains(word)),
        "curl" | "wget" | "tar" | "unzip" | "sed" => true,
        name => find(name).is_some(),
    }
}

/// What a program may write, if it is known. `pip install` runs the builds of what it installs, which are taken to leave
/// projects alone unless one is what is installed.
pub(in crate::dockerfile) fn writes(name: &str, words: &[&str]) -> Option<Writes> {
    let pip =
        super::is_numbered(name, "pip") || name.starts_with("python") && words.get(1..3) == Some(&["-m", "pip"][..]);
    let is_local = |word: &&str| word.starts_with(['.', '/']) || ["-e", "--editable", "-t", "--target"].contains(word);
    match name {
        "sort" if words.iter().any(|word| word.starts_with("-o") || word.starts_with("--output")) => None,
        "date" | "gpg" if words.iter().any(|word| word.contains("output")) => None,
        "pipx" => Some(Writes::System),
        _ if pip => (!words.iter().skip(1).any(is_local)).then_some(Writes::System),
        name => find(name).map(|program| program.writes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_knows_each_program_once() {
        assert!(PROGRAMS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn what_is_run_depends_on_the_arguments() {
        assert!(runs_nothing("find", &["find", ".", "-name", "x"]));
        assert!(!runs_nothing("find", &["find", ".", "-exec", "poetry", "{}"]) && !runs_nothing("make", &["make"]));
        assert_eq!(writes("pip3", &["pip3", "install", "poetry"]), Some(Writes::System));
        assert_eq!(writes("pip", &["pip", "install", "."]), None);
        assert_eq!(writes("make", &["make"]), None);
    }
}
