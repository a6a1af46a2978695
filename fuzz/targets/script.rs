//! A script that is made of the fuzzer's choices does in real shells what was read of it.
#![no_main]

use std::{process, sync::OnceLock};

use libfuzzer_sys::fuzz_target;
use shell::Dialect;

#[allow(dead_code, reason = "the tests make choices by seeds")]
#[path = "../../frontend/shell/tests/differential/grammar.rs"]
mod grammar;
#[path = "../../frontend/shell/tests/differential/judge.rs"]
mod judge;
#[path = "../../frontend/shell/tests/differential/stub.rs"]
mod stub;

fuzz_target!(
    init: {
        // The programs that scripts call are this one under other names.
        if let Some(code) = stub::run() {
            process::exit(code.into());
        }
    },
    |data: &[u8]| {
        static SANDBOX: OnceLock<judge::Sandbox> = OnceLock::new();
        let sandbox = SANDBOX.get_or_init(judge::Sandbox::new);
        let (first, rest) = data.split_first().unwrap_or((&0, &[]));
        let dialect = if first % 2 == 0 { Dialect::Sh } else { Dialect::Bash };
        let choices = grammar::Choices::of(rest);
        let script = grammar::Grammar { choices, bash: dialect == Dialect::Bash }.script();
        let problems = sandbox.judge(&script, dialect, u64::from(first / 2), &mut judge::Counts::default());
        assert!(problems.is_empty(), "{problems:#?}\n{script}");
    }
);
