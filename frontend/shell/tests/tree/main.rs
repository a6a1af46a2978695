//! Scripts have the tree here that they have for another parser of bash's language.

#![allow(clippy::expect_used, reason = "helpers of tests")]

#[path = "../differential/grammar.rs"]
#[allow(dead_code, reason = "a module of another test")]
mod grammar;
mod theirs;

use shell::{
    Dialect,
    ast::{Command, Connector, Kind, Pipeline, Redirection, Script, Word},
    parse,
};

/// A tree as a text: words as they are written, without continuations.
fn script(all: &Script, text: &str) -> String {
    let item = |item: &shell::ast::Item| {
        let mut list = pipeline(&item.list.first, text);
        for (connector, other) in &item.list.rest {
            let operator = if *connector == Connector::And { "&&" } else { "||" };
            list.push_str(&format!(" {operator} {}", pipeline(other, text)));
        }
        format!("{list}{}", if item.background { " &" } else { ";" })
    };
    format!("[{}]", all.items.iter().map(item).collect::<Vec<_>>().join(" "))
}

fn pipeline(whole: &Pipeline, text: &str) -> String {
    let commands: Vec<String> = whole.commands.iter().map(|one| command(one, text)).collect();
    format!("{}{}", if whole.negated { "! " } else { "" }, commands.join(" | "))
}

fn word(word: &Word, text: &str) -> String {
    match plain(&text[word.range.clone()]) {
        // Its commands are not compared.
        process if process.starts_with("<(") => "<( )".to_owned(),
        text => text,
    }
}

/// A word's text without continuations, which one of both keeps.
fn plain(text: &str) -> String {
    text.replace("\\\n", "")
}

fn command(whole: &Command, text: &str) -> String {
    let inner = |all: &Script| script(all, text);
    let mut found = match &whole.kind {
        Kind::Simple(simple) => {
            let assignments = simple.assignments.iter().map(|assignment| plain(&text[assignment.range.clone()]));
            let words = simple.words.iter().map(|one| word(one, text));
            format!("<{}>", assignments.chain(words).collect::<Vec<_>>().join("|"))
        }
        Kind::Group(all) => format!("group{}", inner(all)),
        Kind::Subshell(all) => format!("subshell{}", inner(all)),
        Kind::If(all) => {
            let branches =
                all.branches.iter().map(|(condition, body)| format!("if{}{}", inner(condition), inner(body)));
            let otherwise = all.otherwise.iter().map(|body| format!("else{}", inner(body)));
            branches.chain(otherwise).collect()
        }
        Kind::For(all) => {
            let words = all.words.as_ref().map(|words| words.iter().map(|one| word(one, text)).collect::<Vec<_>>());
            format!("for {} {words:?}{}", all.name, inner(&all.body))
        }
        Kind::Loop(all) => {
            format!("{}{}{}", if all.until { "until" } else { "while" }, inner(&all.condition), inner(&all.body))
        }
        Kind::Case(all) => {
            let branch = |(patterns, body): &(Vec<Word>, Script)| {
                format!("{:?}{}", patterns.iter().map(|one| word(one, text)).collect::<Vec<_>>(), inner(body))
            };
            format!("case {}{}", word(&all.word, text), all.branches.iter().map(branch).collect::<String>())
        }
        Kind::Function(function) => format!("function {} {}", function.name, command(&function.body, text)),
        Kind::Test(_) => "test".to_owned(),
    };
    for redirect in &whole.redirects {
        let target = match &redirect.operator {
            Redirection::HereDocument(body) => {
                let body = &text[body.get().expect("its lines").range.clone()];
                format!("document {}", body.lines().count() - 1)
            }
            _ => word(&redirect.target, text),
        };
        found.push_str(&format!(" {}>{target}", redirect.descriptor.map_or(String::new(), |fd| fd.to_string())));
    }
    found
}

#[test]
fn made_up_scripts() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for seed in 1..4_000 {
        let choices = grammar::Choices::seeded(seed);
        let text = grammar::Grammar { choices, bash: true }.script();
        let (Ok(ours), Some(theirs)) = (parse(&text, Dialect::Bash), theirs::tree(&text)) else { continue };
        compared += 1;
        let ours = script(&ours, &text);
        if ours != theirs {
            wrong.push(format!("{text}\n{ours}\n{theirs}"));
        }
    }
    assert!(compared > 2_000, "only {compared} scripts are read by both");
    assert!(
        wrong.is_empty(),
        "{} of {compared}:\n{}",
        wrong.len(),
        wrong.into_iter().take(5).collect::<Vec<_>>().join("\n\n")
    );
}

#[test]
fn scripts_of_dockerfiles() {
    for text in [
        "apt-get update && apt-get install -y --no-install-recommends gcc \\\n    libpq-dev \\\n && rm -rf /var/lib/apt/lists/*",
        "if [ \"$INSTALL_DEV\" = true ]; then poetry install; else poetry install --only main; fi",
        "curl -sSL https://install.python-poetry.org | POETRY_HOME=/opt/poetry python3 - && cd /usr/local/bin && ln -s x",
        "cat <<EOF >> /etc/x && make\nline $A\nEOF\npoetry install",
        "cat <<'A' - <<-B\n$A\nA\n\tx\n\tB\necho y",
        "for s in a b; do (cd \"$s\" && poetry install) || exit 1; done 2>&1 | tee log",
        "case \"$ENV\" in prod|staging) poetry install --only main ;; (*) poetry install ;; esac",
        "f() { poetry \"$@\"; }; f install",
        "set -eux; export PATH=\"$HOME/bin:$PATH\"; : \"${X:=y z}\"; ! grep -q x y || true # why",
        "poetry install $(test \"$E\" = production && echo \"--only main\") --no-ansi 2>/dev/null >&2",
        "a() (b) >c; while read -r x; do echo $x; done < <(ls)",
        "{ a; b & } && c",
    ] {
        let ours = parse(text, Dialect::Bash).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(Some(script(&ours, text)), theirs::tree(text), "{text}");
    }
}
