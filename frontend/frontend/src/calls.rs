//! Answers to questions (`docker buildx build --call=…`): BuildKit `frontend/subrequests`.

use buildkit_proto::{Any, gateway::Result as Answer, rpc};
use install_request::secret;
use serde_json::{Value, json};

use crate::{
    plan::Target,
    settings::{KEYS, PROJECT_ARGUMENT, argument_name},
};

/// The version of all answers' forms.
const VERSION: &str = "1.0.0";
/// BuildKit's `solver/errdefs.Subrequest`, which travels as JSON.
const SUBREQUEST_TYPE: &str = "github.com/moby/buildkit/errdefs.Subrequest+json";
/// gRPC's code for what is not implemented.
const UNIMPLEMENTED: i32 = 12;

/// Makes an answer, in JSON and as text.
type Make = fn() -> (Value, String);

/// The questions that are answered: name, description, and how.
const QUESTIONS: [(&str, &str, Make); 3] = [
    ("frontend.outline", "List all parameters that the build supports", outline),
    ("frontend.subrequests.describe", "List available subrequest types", describe),
    ("frontend.targets", "List all targets that the build supports", targets),
];

/// The answer to a question, by its name.
///
/// # Errors
/// BuildKit's own error for a question that is not known.
pub fn answer(question: &str) -> Result<Answer, rpc::Status> {
    let Some((_, _, make)) = QUESTIONS.iter().find(|(name, _, _)| *name == question) else {
        let detail = json!({ "name": question }).to_string().into_bytes();
        return Err(rpc::Status {
            code: UNIMPLEMENTED,
            message: format!("unsupported request {question}"),
            details: vec![Any { type_url: SUBREQUEST_TYPE.to_owned(), value: detail }],
        });
    };
    let (json, text) = make();
    let mut answer = Answer::default();
    answer.metadata.insert("result.json".to_owned(), json.to_string().into_bytes());
    answer.metadata.insert("result.txt".to_owned(), text.into_bytes());
    answer.metadata.insert("version".to_owned(), VERSION.into());
    Ok(answer)
}

fn describe() -> (Value, String) {
    let metadata = json!([{ "name": "result.json" }, { "name": "result.txt" }]);
    let json = QUESTIONS
        .iter()
        .map(|(name, description, _)| {
            json!({ "name": name, "version": VERSION, "type": "rpc", "description": description, "metadata": metadata })
        })
        .collect();
    (json, table("NAME", &QUESTIONS.map(|(name, description, _)| (name.to_owned(), description.to_owned()))))
}

fn targets() -> (Value, String) {
    let default = Target::default();
    let list: Vec<Value> = Target::ALL
        .iter()
        .map(|(target, name, description)| {
            let mut entry = json!({ "name": name, "description": description });
            if *target == default {
                entry["default"] = json!(true);
            }
            entry
        })
        .collect();
    let rows = Target::ALL.map(|(_, name, description)| (name.to_owned(), description.to_owned()));
    (json!({ "targets": list, "sources": [] }), table("TARGET", &rows))
}

fn outline() -> (Value, String) {
    let project = (PROJECT_ARGUMENT.to_owned(), "the project's folder in the build context".to_owned());
    let settings = KEYS.map(|(key, description)| (argument_name(key), description.to_owned()));
    let arguments: Vec<_> = [project].into_iter().chain(settings).collect();
    let args: Vec<Value> =
        arguments.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect();
    let secrets = [secret::CA_BUNDLE, secret::NETRC, "GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"];
    let json = json!({ "args": args, "secrets": secrets.map(|name| json!({ "name": name })) });
    (
        json,
        format!(
            "{}\n{}",
            table("BUILD ARG", &arguments),
            table("SECRET", &secrets.map(|name| (name.to_owned(), String::new())))
        ),
    )
}

fn table(title: &str, rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).chain([title.len()]).max().unwrap_or(0);
    let line = |(name, description): (&str, &str)| format!("{}\n", format!("{name:width$}  {description}").trim_end());
    let rows: String = rows.iter().map(|(name, description)| line((name, description))).collect();
    format!("{}{rows}", line((title, "DESCRIPTION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_that_is_described_is_answered() {
        for (name, _, _) in QUESTIONS {
            let answer = answer(name).unwrap();
            let json: Value = serde_json::from_slice(&answer.metadata["result.json"]).unwrap();
            assert!(json.is_array() || json.is_object());
        }
        insta::assert_snapshot!(targets().1);
    }

    #[test]
    fn other_questions_get_buildkits_own_error() {
        let error = answer("frontend.nope").unwrap_err();
        assert_eq!(error.message, "unsupported request frontend.nope");
        assert_eq!(error.details[0].value, br#"{"name":"frontend.nope"}"#);
    }
}
