//! Made-up scripts run in real shells, and what their programs saw is what was read, or nothing was read.
//!
//! The programs are this one under other names. Each notes its arguments, folder and variables.
//!
//! With numbers in `SHELL_SCRIPTS` (how many) and `SHELL_SEED` (from which on), more scripts are made.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, which clippy does not take for one without its harness"
)]

mod grammar;
mod judge;
mod stub;

use std::{env, process::ExitCode};

use judge::{Counts, Sandbox};
use shell::Dialect;

/// How many scripts of each dialect a plain test run makes.
const SCRIPTS: u64 = 2_000;

fn main() -> ExitCode {
    if let Some(code) = stub::run() {
        return code.into();
    }
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let scripts = number("SHELL_SCRIPTS").unwrap_or(SCRIPTS);
    let first = number("SHELL_SEED").unwrap_or(1);
    let sandbox = Sandbox::new();
    let mut wrong = 0;
    for dialect in [Dialect::Sh, Dialect::Bash] {
        let mut counts = Counts::default();
        for seed in first..first + scripts {
            let choices = grammar::Choices::seeded(seed);
            let script = grammar::Grammar { choices, bash: dialect == Dialect::Bash }.script();
            for problem in sandbox.judge(&script, dialect, seed, &mut counts) {
                wrong += 1;
                println!("seed {seed}, {dialect:?}: {problem}\n--- script\n{script}\n---");
                if wrong > 20 {
                    return ExitCode::FAILURE;
                }
            }
        }
        println!("{dialect:?}: {counts}");
        assert!(counts.read * 10 > counts.scripts, "hardly anything is read");
        assert!(counts.cut * 20 > counts.scripts, "hardly anything is cut");
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
