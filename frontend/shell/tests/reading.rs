//! What is read of scripts, and how they are cut, by examples.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;

use shell::{Action, Assumption, Dialect, Part, Reading, Shell, State, Unread, Value};

fn state() -> State {
    let variables =
        [("HOME", "/root"), ("PATH", "/usr/bin"), ("DEV", ""), ("ENV_NAME", "production"), ("ARGS", "--only main")];
    State::new(variables.map(|(name, value)| (name.to_owned(), Value::Known(value.to_owned()))).into(), "/app")
}

fn read_as(shell: &str, script: &str) -> Result<Reading, Unread> {
    let arguments = [shell, "-c", script].map(str::to_owned);
    let (shell, text) = Shell::of(&arguments).expect("a shell").expect("its arguments");
    shell::read(text, &shell, state())
}

fn read(script: &str) -> Reading {
    read_as("sh", script).unwrap_or_else(|error| panic!("{script}: {error}"))
}

/// The programs that are certain to run, with their words; `?` stands for a word that is not known.
fn certain(script: &str) -> Vec<String> {
    let reading = read(script);
    let calls = reading.calls.iter().filter(|call| call.certain);
    calls
        .map(|call| call.fields.iter().map(|field| field.text.as_deref().unwrap_or("?")).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn conditions_over_known_words_are_decided() {
    for (script, expected) in [
        (
            "if [ \"$DEV\" = true ]; then poetry install; else poetry install --only main; fi",
            "poetry install --only main",
        ),
        ("[ \"$DEV\" = 1 ] && OPTS=\"--with test\"; poetry install $OPTS", "poetry install"),
        ("poetry install $(test \"$ENV_NAME\" = production && echo \"--only main\")", "poetry install --only main"),
        ("poetry install $([ \"$ENV_NAME\" == development ] || echo --only=main)", "poetry install --only=main"),
        (
            "case \"$ENV_NAME\" in prod*) poetry install --only main;; *) poetry install;; esac",
            "poetry install --only main",
        ),
        ("test -n \"$DEV\" && poetry install --with dev || poetry install --no-dev", "poetry install --no-dev"),
        ("if test -z \"$DEV\" && [ x = x -a \"$DEV\" != y ]; then poetry install; fi", "poetry install"),
        ("$(test -n \"$DEV\") || poetry install", "poetry install"),
        ("A=1 $(test -n \"$DEV\" && echo make) && poetry install || poetry check", "poetry check"),
        ("[ -n \"$DEV\" ] || { poetry install $ARGS; }", "poetry install --only main"),
        ("OPTS=; if [ $ENV_NAME != production ]; then OPTS=--with=dev; fi; poetry install $OPTS", "poetry install"),
    ] {
        assert_eq!(certain(script), [expected], "{script}");
    }
}

#[test]
fn what_is_behind_a_condition_that_is_not_known_may_run_or_not() {
    for script in [
        "[ -f x ] && exit 0; poetry install",
        "grep -q x y && poetry install; make",
        "test -f x || exit 0; poetry install",
        "if make; then poetry install; fi",
        "for s in a b; do poetry install; done",
        "while read -r x; do poetry install; done",
        "f() { poetry install; }; f",
        "eval \"$X\"; poetry install",
        "$(cat x) && poetry install",
        ". ./env.sh; poetry install",
        "make & poetry install &",
        "trap 'rm x' EXIT; poetry install",
        "shopt -s x; poetry install",
        "umask 027; poetry install",
        "alias poetry=x\npoetry install",
        "(make || exit 1; poetry install); true",
    ] {
        let reading = read(script);
        let installs: Vec<bool> =
            reading.calls.iter().filter(|call| call.program() == Some("poetry")).map(|call| call.certain).collect();
        assert!(!installs.is_empty() && installs.iter().all(|certain| !certain), "{script}: {installs:?}");
    }
}

#[test]
fn a_script_that_would_fail_is_taken_to_succeed() {
    for script in [
        "make && poetry install",
        "set -e; make; poetry install",
        "make || exit 1; poetry install",
        "make || { echo no >&2; exit 2; }; poetry install",
        "[ -f x ] && poetry install",
        "(make && poetry install)",
        "! false && { make && poetry install; }",
    ] {
        assert!(certain(script).contains(&"poetry install".to_owned()), "{script}");
    }
}

#[test]
fn variables_and_folders_are_those_of_the_command() {
    let reading = read("cd api && export A=1 B=\"$ARGS x\" && C=2 D=3 poetry install");
    let call = &reading.calls[0];
    assert_eq!(call.state.folder(), Some("/app/api"));
    let known = |text: &str| Value::Known(text.to_owned());
    assert_eq!(
        [call.variable("A"), call.variable("B"), call.variable("C")],
        [known("1"), known("--only main x"), known("2")]
    );
    assert_eq!(call.variable("E"), Value::Unset);

    let of = |script: &str, name: &str| read(script).calls.last().expect("a call").variable(name);
    // A variable of the shell is for the shell.
    assert_eq!(of("A=1; make", "A"), Value::Unset);
    assert_eq!(of("A=1; export A; make", "A"), known("1"));
    assert_eq!(of("DEV=1; make", "DEV"), known("1"));
    assert_eq!(of("set -a; A=1; make", "A"), known("1"));
    assert_eq!(of("unset DEV; make", "DEV"), Value::Unset);
    assert_eq!(of("export A=$(cat x); make", "A"), Value::Unknown);
    assert_eq!(of("[ -f x ] && export A=1; make", "A"), Value::Unknown);
    assert_eq!(of(": ${DEV:=x}; make", "DEV"), known("x"));
    assert_eq!(of(". /venv/bin/activate && make", "PATH"), known("/venv/bin:/usr/bin"));
}

#[test]
fn what_has_to_be_looked_up_is_told() {
    assert_eq!(read("cd api; make").assumptions, [Assumption::Folder("/app/api".into())]);
    assert_eq!(read("cd api && make").assumptions, []);
    assert_eq!(read(". venv/bin/activate; make").assumptions, [Assumption::Activate("/app/venv/bin/activate".into())]);
}

#[test]
fn shells_that_differ_are_not_read() {
    for script in [
        "a &> b",
        "a=(1)",
        "[[ a = b ]]",
        "a <<< b",
        "echo $((1+1))",
        "function f { a; }",
        "echo $'a'",
        "a |& b",
        "for ((;;)); do a; done",
    ] {
        assert!(matches!(read_as("sh", script), Err(Unread::Text(_))), "{script}");
    }
    assert!(read_as("bash", "[[ a = b ]] &> x").is_ok());
    for arguments in
        [["bash", "-lc", "a"], ["bash", "-ic", "a"], ["sh", "-nc", "a"], ["zsh", "-c", "a"], ["sh", "-c", "a"]]
    {
        let words = arguments.map(str::to_owned);
        let read = Shell::of(&words).expect("a shell");
        assert_eq!(read.is_ok(), arguments[1] == "-c" && arguments[0] == "sh", "{arguments:?}");
    }
    let with = |name: &str| {
        let words = ["sh", "-c", "a"].map(str::to_owned);
        let (shell, _) = Shell::of(&words).expect("a shell").expect("its arguments");
        shell::read("a", &shell, State::new([(name.to_owned(), Value::Known("x".into()))].into(), "/"))
    };
    for name in ["BASH_ENV", "CDPATH", "IFS", "BASH_FUNC_poetry%%"] {
        assert!(matches!(with(name), Err(Unread::Start(_))), "{name}");
    }
    assert!(with("HOSTNAME").is_ok());
    assert_eq!(Shell::of(&["poetry".to_owned(), "install".to_owned()]), None);
    let words = ["/bin/sh", "-ec", "a"].map(str::to_owned);
    assert_eq!(Shell::of(&words).expect("a shell").expect("its arguments").0.dialect, Dialect::Sh);
}

/// A script cut at its installs, without what installs Poetry.
fn cut(script: &str) -> Result<Vec<String>, String> {
    let reading = read(script);
    let mut actions = BTreeMap::new();
    for (index, call) in reading.calls.iter().enumerate() {
        match call.words().as_deref() {
            Some(["poetry", "install", ..]) => drop(actions.insert(index, Action::Cut)),
            Some(["poetry", "build", ..]) => drop(actions.insert(index, Action::CutBefore)),
            Some(["pip", ..]) => drop(actions.insert(index, Action::Remove)),
            Some(["python3", "-"]) => drop(actions.insert(index, Action::RemovePipeline)),
            Some(["poetry", "piped"]) => drop(actions.insert(index, Action::CutPipeline)),
            _ => {}
        }
    }
    let parts = reading.split(&actions, &["/app/api".to_owned()].into()).map_err(|error| error.to_string())?;
    Ok(parts
        .into_iter()
        .map(|part| match part {
            Part::Script(text) => text,
            Part::Cut(_) => "-".to_owned(),
        })
        .collect())
}

#[test]
fn scripts_are_cut_around_an_install() {
    for (script, expected) in [
        ("poetry install", vec!["-"]),
        ("make && poetry install && make x", vec!["make", "-", "make x"]),
        ("pip install poetry && poetry install && rm x", vec!["-", "rm x"]),
        ("make; poetry install; make x; make y", vec!["make; true", "-", "make x; make y"]),
        (
            "set -e; cd api; A=1; make; poetry install; make x",
            vec!["set -e; cd api; A=1; make", "-", "set -e; cd api; A=1; make x"],
        ),
        ("cd api; make; poetry install; make x", vec!["cd api || exit 1; make; true", "-", "cd api || exit 1; make x"]),
        (
            "(cd api && make && poetry install && make x) && make y",
            vec!["(cd api && make)", "-", "(cd api && make x) && make y"],
        ),
        ("(cd api && poetry install); make y", vec!["-", "make y"]),
        ("cd api && poetry install", vec!["-"]),
        ("cd web && poetry install", vec!["cd web", "-"]),
        ("if [ \"$DEV\" = 1 ]; then make; fi; poetry install", vec!["-"]),
        ("make || true; poetry install", vec!["make || true; true", "-"]),
        ("cat <<E >x && poetry install && make\na\nE\n", vec!["cat <<E >x\na\nE\n", "-", "make"]),
        ("pip install poetry; make", vec!["make"]),
        ("cd api && poetry build && make", vec!["-", "cd api && poetry build && make"]),
        ("a && b; poetry install", vec!["a && b; true", "-"]),
        ("curl x | python3 - && poetry install && make", vec!["-", "make"]),
        ("[ -f x ] || curl x | python3 -; make", vec!["[ -f x ] || true; make"]),
        ("yes | poetry piped && make", vec!["-", "make"]),
        ("yes | pip install poetry; make", vec!["yes | true; make"]),
        ("{ a; b; } && poetry install && c", vec!["a; b", "-", "c"]),
    ] {
        let parts = cut(script);
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(parts.as_ref().map(Vec::as_slice), Ok(&expected[..]), "{script}");
    }
}

#[test]
fn scripts_that_cannot_be_cut() {
    for (script, reason) in [
        ("A=$(x) && poetry install && make", "`A=$(x)` sets what"),
        ("[ -f x ] && A=1; poetry install; make", "sets what"),
        ("poetry install && echo $?", "looks at what only"),
        ("poetry install; export A=$(false); exit", "looks at what only"),
        ("poetry install; { exit; } && make", "looks at what only"),
        ("poetry install; make | exit", "looks at what only"),
        ("poetry install | cat", "part of a pipeline"),
        ("x & poetry install; make", "sets what"),
        ("poetry install > log 2>&1 || true", "whether other commands run depends on it"),
        ("A=$(make) poetry install", "other commands are in its words"),
    ] {
        let found = cut(script).expect_err(script);
        assert!(found.contains(reason), "{script}: {found}");
    }
    assert_eq!(cut("A=$(x) && poetry install"), Ok(vec!["A=$(x)".to_owned(), "-".to_owned()]));
}

#[test]
fn words_are_told_with_their_places() {
    let script = "A=1 pip install 'poetry==1.8' \"gunicorn\" $ARGS x$DEV";
    let reading = read(script);
    let fields: Vec<(Option<&str>, Option<&str>)> = reading.calls[0]
        .fields
        .iter()
        .map(|field| (field.text.as_deref(), field.range.clone().map(|range| &script[range])))
        .collect();
    assert_eq!(fields[2], (Some("poetry==1.8"), Some("'poetry==1.8'")));
    assert_eq!(fields[4..], [(Some("--only"), None), (Some("main"), None), (Some("x"), Some("x$DEV"))]);
    let edited = reading.split(
        &[(0, Action::Edit(vec![(reading.calls[0].fields[2].range.clone().unwrap(), String::new())]))].into(),
        &[].into(),
    );
    assert_eq!(edited, Ok(vec![Part::Script("A=1 pip install  \"gunicorn\" $ARGS x$DEV".into())]));
}

#[test]
fn a_process_substitution_of_one_command_is_cut_with_what_it_feeds() {
    let reading = read_as("bash", "pip install -r <(poetry export --only main) && touch /done").expect("a script");
    let pip = &reading.calls[1];
    assert_eq!(pip.fields[3].process, Some(0));
    assert!(pip.is_sealed_by_words() && reading.calls[0].is_read);
    let cut = |action: Action| reading.split(&[(1, action)].into(), &std::collections::BTreeSet::new());
    assert!(cut(Action::Cut).is_err());
    let parts = cut(Action::CutWithWords).expect("parts");
    assert_eq!(parts, [Part::Cut(1), Part::Script("touch /done".to_owned())]);
    for script in ["pip install -r <(a; b)", "pip install -r <(a | b)", "pip install -r >(a)", "pip install -r x<(a)"] {
        let process = |call: &shell::Call| call.fields.iter().any(|field| field.process.is_some());
        assert!(!read_as("bash", script).is_ok_and(|reading| reading.calls.iter().any(process)), "{script}");
    }
}

#[test]
fn a_part_of_a_script_ends_as_the_script_does() {
    let parts = |script: &str| {
        let reading = read(script);
        let is_install =
            |call: &shell::Call| call.words().is_some_and(|words| words.starts_with(&["poetry", "install"]));
        let cuts = reading.calls.iter().enumerate().filter(|(_, call)| call.certain && is_install(call));
        reading.split(&cuts.map(|(index, _)| (index, Action::Cut)).collect(), &std::collections::BTreeSet::new())
    };
    // What a loop sets is looked at behind the cut.
    assert!(parts("for A in x y; do true; done; poetry install && [ \"$A\" = y ]").is_err());
    // `set -u` ends the shell.
    let last = parts("set -u; poetry install && B=$NONE").expect("parts");
    assert_eq!(last.last(), Some(&Part::Script("set -u; B=$NONE".to_owned())));
    assert!(certain("set -u; unset DEV; A=$DEV poetry install").is_empty());
    // Where `set -e` is set in a place where it does not count, bash lets it count in others.
    assert!(certain("true && ! if set -e; then false; fi; poetry install").is_empty());
    assert_eq!(certain("set -ex && poetry install"), ["poetry install"]);
    // What is set anew is another one, also where neither value is known.
    let last = parts("poetry install; for A in x y; do true; done; export A=$(date); make").expect("parts");
    assert_eq!(last.last(), Some(&Part::Script("for A in x y; do true; done; export A=$(date); make".to_owned())));
    let last = parts("poetry install; make || exit").expect("parts");
    assert_eq!(last.last(), Some(&Part::Script("make || exit".to_owned())));
    let first = parts("x && if y || :; then make <<E; poetry install; fi\nE\n").expect("parts");
    assert_eq!(first[0], Part::Script("x && { { y || :; }; make <<E; true\nE\n}".to_owned()));
    // `set -e` does not count in front of `&&`.
    let first = parts("set -e; (false; make) && poetry install").expect("parts");
    assert_eq!(first[0], Part::Script("set -e; (false; make) || exit 1".to_owned()));
    let first = parts("(set -e; false; make) && poetry install").expect("parts");
    assert_eq!(first[0], Part::Script("(set -e; false; make) || exit 1".to_owned()));
    let first = parts("set -e; A=$(test x = y) && make || touch z; poetry install").expect("parts");
    assert_eq!(first[0], Part::Script("set -e; A=$(test x = y) || true; touch z".to_owned()));
}
