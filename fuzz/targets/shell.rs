//! Any text is read or refused, in bounded time, and is cut at what is certain in it or refused.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use shell::{Action, Part, Shell, State, Value};

fuzz_target!(|text: &str| {
    for name in ["sh", "bash"] {
        let arguments = [name, "-c", text].map(str::to_owned);
        let Some(Ok((shell, script))) = Shell::of(&arguments) else { continue };
        let variables = [("HOME", "/root"), ("PATH", "/bin"), ("A", "x y"), ("B", "")];
        let variables = variables.map(|(name, value)| (name.to_owned(), Value::Known(value.to_owned())));
        let Ok(reading) = shell::read(script, &shell, State::new(variables.into(), "/app")) else { continue };
        let mut actions = BTreeMap::new();
        for (index, call) in reading.calls.iter().enumerate() {
            if let Some(range) = &call.range {
                assert!(script.get(range.clone()).is_some(), "a call is a part of the script");
            }
            if call.certain && call.sealed.is_none() && call.words().is_some() {
                actions.insert(index, Action::Cut);
            }
        }
        if let Ok(parts) = reading.split(&actions, &BTreeSet::new()) {
            let cuts = parts.iter().filter(|part| matches!(part, Part::Cut(_)));
            assert!(cuts.count() <= actions.len(), "a call is cut once");
        }
    }
});
