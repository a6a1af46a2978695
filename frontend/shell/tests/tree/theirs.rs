//! The tree of `brush-parser`.

use brush_parser::{
    Parser, ParserOptions,
    ast::{
        AndOr, Command, CommandPrefixOrSuffixItem as Part, CompoundCommand, CompoundList, FunctionBody,
        IoFileRedirectTarget, IoRedirect, Pipeline, RedirectList, SeparatorOperator, SimpleCommand, Word,
    },
};

use super::plain;

/// The tree of a script, if it is read.
pub(crate) fn tree(text: &str) -> Option<String> {
    let options = ParserOptions { enable_extended_globbing: false, ..ParserOptions::default() };
    let program = Parser::new(text.as_bytes(), &options).parse_program().ok()?;
    let lists: Vec<String> = program.complete_commands.iter().flat_map(items).collect();
    Some(format!("[{}]", lists.join(" ")))
}

fn script(list: &CompoundList) -> String {
    format!("[{}]", items(list).join(" "))
}

fn items(list: &CompoundList) -> Vec<String> {
    let item = |item: &brush_parser::ast::CompoundListItem| {
        let mut text = pipeline(&item.0.first);
        for other in &item.0.additional {
            match other {
                AndOr::And(other) => text.push_str(&format!(" && {}", pipeline(other))),
                AndOr::Or(other) => text.push_str(&format!(" || {}", pipeline(other))),
            }
        }
        format!("{text}{}", if matches!(item.1, SeparatorOperator::Async) { " &" } else { ";" })
    };
    list.0.iter().map(item).collect()
}

fn pipeline(whole: &Pipeline) -> String {
    let commands: Vec<String> = whole.seq.iter().map(command).collect();
    format!("{}{}", if whole.bang { "! " } else { "" }, commands.join(" | "))
}

fn command(whole: &Command) -> String {
    match whole {
        Command::Simple(whole) => simple(whole),
        Command::Compound(whole, redirects) => compound(whole) + &redirections(redirects.as_ref()),
        Command::Function(function) => {
            let FunctionBody(body, redirects) = &function.body;
            format!("function {} {}{}", function.fname.value, compound(body), redirections(redirects.as_ref()))
        }
        Command::ExtendedTest(_, redirects) => format!("test{}", redirections(redirects.as_ref())),
    }
}

fn word(word: &Word) -> String {
    plain(&word.value)
}

fn simple(whole: &SimpleCommand) -> String {
    let parts = whole.prefix.iter().flat_map(|prefix| &prefix.0);
    let suffix = whole.suffix.iter().flat_map(|suffix| &suffix.0);
    let (mut words, mut redirects) = (Vec::new(), String::new());
    let mut add = |part: &Part| match part {
        Part::IoRedirect(one) => redirects.push_str(&redirect(one)),
        Part::Word(one) | Part::AssignmentWord(_, one) => words.push(word(one)),
        Part::ProcessSubstitution(..) => words.push("<( )".to_owned()),
    };
    parts.for_each(&mut add);
    if let Some(name) = &whole.word_or_name {
        add(&Part::Word(name.clone()));
    }
    suffix.for_each(&mut add);
    format!("<{}>{redirects}", words.join("|"))
}

fn compound(whole: &CompoundCommand) -> String {
    match whole {
        CompoundCommand::BraceGroup(group) => format!("group{}", script(&group.list)),
        CompoundCommand::Subshell(group) => format!("subshell{}", script(&group.list)),
        CompoundCommand::IfClause(whole) => {
            let mut text = format!("if{}{}", script(&whole.condition), script(&whole.then));
            for other in whole.elses.iter().flatten() {
                match &other.condition {
                    Some(condition) => text.push_str(&format!("if{}{}", script(condition), script(&other.body))),
                    None => text.push_str(&format!("else{}", script(&other.body))),
                }
            }
            text
        }
        CompoundCommand::ForClause(whole) => {
            let words = whole.values.as_ref().map(|words| words.iter().map(word).collect::<Vec<_>>());
            format!("for {} {words:?}{}", whole.variable_name, script(&whole.body.list))
        }
        CompoundCommand::WhileClause(whole) => format!("while{}{}", script(&whole.0), script(&whole.1.list)),
        CompoundCommand::UntilClause(whole) => format!("until{}{}", script(&whole.0), script(&whole.1.list)),
        CompoundCommand::CaseClause(whole) => {
            let branch = |branch: &brush_parser::ast::CaseItem| {
                let patterns: Vec<String> = branch.patterns.iter().map(word).collect();
                format!("{patterns:?}{}", branch.cmd.as_ref().map_or("[]".to_owned(), script))
            };
            format!("case {}{}", word(&whole.value), whole.cases.iter().map(branch).collect::<String>())
        }
        CompoundCommand::Arithmetic(_) | CompoundCommand::ArithmeticForClause(_) | CompoundCommand::Coprocess(_) => {
            "another".to_owned()
        }
    }
}

fn redirections(list: Option<&RedirectList>) -> String {
    list.iter().flat_map(|list| &list.0).map(redirect).collect()
}

fn redirect(one: &IoRedirect) -> String {
    let descriptor = |descriptor: &Option<i32>| descriptor.map_or(String::new(), |descriptor| descriptor.to_string());
    match one {
        IoRedirect::File(fd, _, target) => {
            let target = match target {
                IoFileRedirectTarget::Filename(name) | IoFileRedirectTarget::Duplicate(name) => word(name),
                IoFileRedirectTarget::Fd(number) => number.to_string(),
                IoFileRedirectTarget::ProcessSubstitution(..) => "<( )".to_owned(),
            };
            format!(" {}>{target}", descriptor(fd))
        }
        IoRedirect::HereDocument(fd, document) => {
            format!(" {}>document {}", descriptor(fd), document.doc.value.lines().count())
        }
        IoRedirect::HereString(fd, text) => format!(" {}>{}", descriptor(fd), word(text)),
        IoRedirect::OutputAndError(target, _) => format!(" >{}", word(target)),
    }
}
