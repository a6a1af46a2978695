//! Scripts out of what people write in Dockerfiles, made from numbers.
#![allow(unreachable_pub, reason = "a test's own modules")]

/// Where choices come from: a list of bytes, which a fuzzer may give, or a generator of numbers.
pub struct Choices<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl<'a> Choices<'a> {
    /// Choices by a fuzzer's bytes; where they end, the first of what can be chosen is.
    #[allow(dead_code, reason = "used by the fuzz target")]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, state: 0 }
    }

    /// Choices by a seed.
    pub fn seeded(seed: u64) -> Choices<'static> {
        Choices { bytes: &[], state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        if let Some((first, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            return usize::from(*first) % limit;
        }
        if self.state == 0 {
            return 0;
        }
        // xorshift*
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }

    fn one<'b>(&mut self, of: &[&'b str]) -> &'b str {
        of[self.below(of.len())]
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }
}

/// Makes scripts.
pub struct Grammar<'a> {
    pub choices: Choices<'a>,
    pub bash: bool,
}

const NAMES: [&str; 7] = ["A", "B", "C", "D", "E", "POETRY_X", "VIRTUAL_ENV"];

impl Grammar<'_> {
    /// A script.
    pub fn script(&mut self) -> String {
        let (count, depth) = (1 + self.choices.below(4), self.choices.below(4));
        let mut script = self.list(count, depth);
        // Most of them are about an install.
        if !script.contains("poetry") {
            script.push_str(self.choices.one(&["; ", " && ", "\n", "; ", " || "]));
            script.push_str(&self.poetry());
        }
        script
    }

    fn list(&mut self, count: usize, depth: usize) -> String {
        let mut list = String::new();
        for index in 0..count {
            if index > 0 {
                list.push_str(self.choices.one(&[" && ", "; ", "\n", " && ", " || ", " && \\\n ", " ; # note\n"]));
            }
            list.push_str(&self.command(depth));
            if self.choices.percent(2) {
                list.push_str(" & wait");
            }
        }
        list
    }

    /// What stands in a body: a list with an end of its own.
    fn body(&mut self, depth: usize) -> String {
        let count = 1 + self.choices.below(2);
        self.list(count, depth.saturating_sub(1))
    }

    fn command(&mut self, depth: usize) -> String {
        let kinds = if depth == 0 { 12 } else { 20 };
        let command = match self.choices.below(kinds) {
            0 | 1 => self.poetry(),
            2 => self.program(),
            3 => self.assignment(),
            4 => self.export(),
            5 => self.cd(),
            6 => self.set(),
            7 | 8 => self.condition(),
            9 => self.choices.one(&["true", "false", ":", "true", "exit 0", "exit 1", "exit", "exit 3"]).to_owned(),
            10 => self.other(),
            11 => self.export(),
            12 | 13 => self.if_command(depth),
            14 => self.case(depth),
            15 => format!("{{ {}; }}", self.body(depth)),
            16 => format!("({})", self.body(depth)),
            17 => self.pipeline(depth),
            18 => self.loops(depth),
            _ => self.function(depth),
        };
        if self.choices.percent(5) {
            format!("{command}{}", self.choices.one(&[" >/dev/null", " 2>&1", " 2>/dev/null", " </dev/null"]))
        } else if self.choices.percent(4) {
            format!("{command} || {}", self.choices.one(&["exit 1", "true", "{ echo no >&2; exit 1; }", ":", "exit 0"]))
        } else if self.choices.percent(2) && !command.contains('\n') {
            format!("! {command}")
        } else {
            command
        }
    }

    fn poetry(&mut self) -> String {
        let front = match self.choices.below(14) {
            0 => format!("{}={} ", self.name(), self.word()),
            1 => format!("A={} B=$A ", self.word()),
            2 => "command ".to_owned(),
            3 => "exec ".to_owned(),
            _ => String::new(),
        };
        let mut command = format!("{front}poetry {}", self.choices.one(&["install", "install", "run x", "config a b"]));
        for _ in 0..self.choices.below(3) {
            command.push(' ');
            command.push_str(&self.word());
        }
        if self.choices.percent(3) {
            command = command.replacen("po", "po\\\n", 1);
        }
        command
    }

    fn program(&mut self) -> String {
        let program =
            self.choices.one(&["make", "pip install poetry", "grep -q x", "make", "\"$B/make\"", "$D", "'make'"]);
        let front = if self.choices.percent(10) { format!("{}={} ", self.name(), self.word()) } else { String::new() };
        if self.choices.percent(40) { format!("{front}{program} {}", self.word()) } else { format!("{front}{program}") }
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.choices.below(NAMES.len())]
    }

    fn assignment(&mut self) -> String {
        let name = self.name();
        let operator = if self.bash && self.choices.percent(15) { "+=" } else { "=" };
        let mut text = format!("{name}{operator}{}", self.value());
        if self.choices.percent(15) {
            text.push_str(&format!(" {}={}", self.name(), self.value()));
        }
        text
    }

    fn export(&mut self) -> String {
        let name = self.name();
        match self.choices.below(12) {
            0..=4 => format!("export {name}={}", self.value()),
            5 => format!("export {name}"),
            6 => format!("export {name}={} {} {}=1", self.value(), self.name(), self.name()),
            7 => format!("unset {name}"),
            8 => format!("export {}", self.word()),
            9 if self.bash => {
                let builtin = self.choices.one(&["declare -x", "typeset", "export -n", "readonly", "local"]);
                format!("{builtin} {name}={}", self.value())
            }
            9 => format!("readonly {name}={}", self.value()),
            10 => format!("export \"{name}=$A\""),
            _ => format!("export -- {name}={}", self.value()),
        }
    }

    fn cd(&mut self) -> String {
        let folders = [
            "a", "b", "a/c", "..", "$HOME", "nosuch", "\"$A\"", "$A", "-", ".", "~", "./a", "", "a/../b", "-P a", "/",
            "$F",
        ];
        let text = format!("cd {}", self.choices.one(&folders));
        if self.choices.percent(5) { format!("A=1 {text}") } else { text }
    }

    fn set(&mut self) -> String {
        let options = [
            "-e",
            "-ex",
            "+e",
            "-eu",
            "-u",
            "-o pipefail",
            "-euo pipefail",
            "-f",
            "+f",
            "-a",
            "-- x 'y z'",
            "-x",
            "-e",
            "--",
            "-o errexit",
            "-n",
            "-v",
            "-eo",
            "-E",
        ];
        format!("set {}", self.choices.one(&options))
    }

    fn condition(&mut self) -> String {
        let (one, two) = (self.word(), self.word());
        match self.choices.below(14) {
            0..=3 => format!("[ {one} {} {two} ]", self.choices.one(&["=", "!=", "=", "=="])),
            4 => format!("test {} {one}", self.choices.one(&["-n", "-z"])),
            5 => format!("[ {one} ]"),
            6 => format!("[ {} {one} ]", self.choices.one(&["-f", "-d", "-e", "-x", "!"])),
            7 => format!("[ {one} {} 2 ]", self.choices.one(&["-eq", "-gt", "-le", "-a", "-o"])),
            8 => format!("[ {one} = {two} {} x = x ]", self.choices.one(&["-a", "-o"])),
            9 if self.bash => format!("[[ {one} {} {two} ]]", self.choices.one(&["==", "!=", "=", "<"])),
            10 if self.bash => format!("[[ {} {one} && -z {two} ]]", self.choices.one(&["-n", "-z", "!", ""])),
            11 => format!("[ ! {one} = {two} ]"),
            12 => format!("test {one} = {two}"),
            _ => "[ \"$A\" = x ]".to_owned(),
        }
    }

    fn other(&mut self) -> String {
        let commands = [
            "eval 'A=2'",
            "eval \"poetry x\"",
            ". ./env.sh",
            ". venv/bin/activate",
            "alias make='poetry x'",
            "trap 'poetry x' EXIT",
            "read A </dev/null",
            "echo $A",
            "printf '%s' x",
            "shift",
            "umask 022",
            "type make",
            "command -v poetry",
            "hash -r",
            "return",
            "break",
            "IFS=,",
            "CDPATH=/",
            "$(echo export) A=3",
            "c=export; $c A=4",
            "builtin cd a",
            "pushd a",
            "command cd a",
            "command export A=5",
            ": ${C:=7}",
            ": \"${A:?}\"",
            "echo `poetry y`",
            "x=$(poetry y)",
            "source ./env.sh",
            "local A=3",
            "let A=3",
            "printf -v A 3",
            "exec 2>&1",
            "set",
            "export",
            "wait",
            "cat <<E\n$A\nE",
            "make <<'E'\n$(poetry y)\nE",
            "readonly A",
            "PATH=/nosuch",
            "export PATH=\"$PATH\"",
            "while false; do make; done",
            "A=5 :",
            "A=5 export B",
            "A=5 true",
            "echo x >/dev/null",
            "\\make",
            "\"cd\" a",
            "test",
            "[",
            "echo \"$@\"",
            "make \"$@\" $# $1",
            "make $?",
            "make $$x",
            "unset -f make",
            "getopts a A",
            "set -o",
        ];
        self.choices.one(&commands).to_owned()
    }

    fn if_command(&mut self, depth: usize) -> String {
        let condition = if self.choices.percent(70) { self.condition() } else { self.body(depth) };
        let end = self.choices.one(&["; ", "\n"]);
        let mut text = format!("if {condition}{end}then {}{end}", self.body(depth));
        if self.choices.percent(25) {
            text.push_str(&format!("elif {}{end}then {}{end}", self.condition(), self.body(depth)));
        }
        if self.choices.percent(60) {
            text.push_str(&format!("else {}{end}", self.body(depth)));
        }
        text + "fi"
    }

    fn case(&mut self, depth: usize) -> String {
        let word = self.word();
        let mut text = format!("case {word} in ");
        for _ in 0..1 + self.choices.below(3) {
            let pattern =
                self.choices.one(&["x", "*", "a*", "?", "\"$A\"", "x|y", "$A", "[ab]", "''", "prod|'x'", "\"*\""]);
            text.push_str(&format!("{pattern}) {};; ", self.body(depth)));
        }
        text + "esac"
    }

    fn pipeline(&mut self, depth: usize) -> String {
        let (one, two) = (self.command(depth.saturating_sub(1)), self.command(depth.saturating_sub(1)));
        match self.choices.below(3) {
            0 => format!("yes | {two}"),
            1 => format!("{one} | cat"),
            _ => format!("{one} | {two}"),
        }
    }

    fn loops(&mut self, depth: usize) -> String {
        let body = self.body(depth);
        match self.choices.below(4) {
            0 => format!("for A in {} {}; do {body}; done", self.word(), self.word()),
            1 => format!("for s in a b; do {body}; done"),
            2 => format!("while [ \"$ROUND\" != 1 ]; do ROUND=1; {body}; done"),
            _ => format!("until true; do {body}; done"),
        }
    }

    fn function(&mut self, depth: usize) -> String {
        let name = self.choices.one(&["f", "poetry", "make", "cd", "export", "f", "true"]);
        let body = match self.choices.below(3) {
            0 => format!("({})", self.body(depth)),
            _ => format!("{{ {}; }}", self.body(depth)),
        };
        // None that calls itself.
        let name = if body.contains(name) { "g" } else { name };
        let body = if body.contains("g()") || body.contains(" g") { "{ make x; }".to_owned() } else { body };
        let call = if self.choices.percent(60) { format!("; {name}") } else { String::new() };
        format!("{name}() {body}{call}")
    }

    /// What stands behind the `=` of an assignment.
    fn value(&mut self) -> String {
        match self.choices.below(8) {
            0 => format!("{}:{}", self.plain(), self.word()),
            1 => "~/x:~".to_owned(),
            2 => String::new(),
            _ => self.word(),
        }
    }

    fn plain(&mut self) -> &'static str {
        self.choices.one(&["x", "1", "main", "--only", "a", "2", "prod", "false"])
    }

    fn word(&mut self) -> String {
        let name = self.choices.one(&["A", "B", "C", "D", "E", "F", "A", "POETRY_X", "HOME", "NONE"]);
        match self.choices.below(34) {
            0..=5 => self.plain().to_owned(),
            6..=8 => format!("\"${name}\""),
            9 | 10 => format!("${name}"),
            11 => format!("${{{name}}}"),
            12 => format!("${{{name}:-{}}}", self.plain()),
            13 => format!("\"${{{name}:-x y}}\""),
            14 => format!("${{{name}-y z}}"),
            15 => format!("${{{name}:+{}}}", self.plain()),
            16 => format!("${{{name}:=w}}"),
            17 => format!("'{}'", self.choices.one(&["x", "a b", "$A", ""])),
            18 => format!("\"x ${name} y\""),
            19 => format!("$(echo {})", self.plain()),
            20 => format!("\"$(test \"${name}\" = x && echo '--only main')\""),
            21 => format!("$(test \"${name}\" = x && echo '--only main')"),
            22 => format!("$({})", self.condition_output()),
            23 => self.choices.one(&["~", "~/x", "~nosuch", "x~", "--x=~", "A=~"]).to_owned(),
            24 => self.choices.one(&["*", "a*", "[ab]", "?", "a[", "\\*"]).to_owned(),
            25 => self.choices.one(&["{a,b}", "{1..3}", "{a}", "x{", "a,b"]).to_owned(),
            26 => self.choices.one(&["\"$@\"", "$@", "$*", "$1", "\"$#\"", "${1}", "\"$*\""]).to_owned(),
            27 => "a\\ b".to_owned(),
            28 => "\"\"".to_owned(),
            29 => self.choices.one(&["$?", "$PWD", "$$", "`echo x`", "\"`echo a b`\"", "$0", "$-"]).to_owned(),
            30 => self.choices.one(&["${#A}", "${A%x}", "${A#x}", "${A##*/}", "${A%%x*}"]).to_owned(),
            31 => format!("x${name}y"),
            32 => format!("\"${name}\"x'${name}'"),
            _ => self
                .choices
                .one(&["\"a\\\"b\"", "'a'\"b\"c", "\"\\$A\"", "a\\\nb", "\"a\\\nb\"", "a#b", "-n", "!", "("])
                .to_owned(),
        }
    }

    fn condition_output(&mut self) -> String {
        match self.choices.below(6) {
            0 => format!("if {}; then echo x; else echo y; fi", self.condition()),
            1 => format!("{} && echo a b", self.condition()),
            2 => "echo x; echo y".to_owned(),
            3 => "printf '%s' x".to_owned(),
            4 => "cd a && echo x".to_owned(),
            _ => "make".to_owned(),
        }
    }
}
