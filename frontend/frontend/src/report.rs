//! How an error looks: as BuildKit shows it under the user's own lines, and on a terminal.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use base64::{Engine, prelude::BASE64_STANDARD};
use buildkit_proto::{Any, rpc};
use serde_json::json;

use crate::source::Place;

/// What the user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What is wrong.
    pub message: String,
    /// Where, if it is in one of the user's files.
    pub place: Option<Place>,
    /// The build argument that is at fault.
    pub argument: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

/// BuildKit's `solver/errdefs.Source`, which travels as JSON.
const SOURCE_TYPE: &str = "github.com/moby/buildkit/errdefs.Source+json";
/// gRPC's code for an error that has no other.
const UNKNOWN: i32 = 2;

impl Report {
    /// The text: place, message, help.
    #[must_use]
    pub fn text(&self) -> String {
        let place = match (&self.place, &self.argument) {
            (Some(place), _) => format!("{place}: "),
            (None, Some(argument)) => format!("build argument {argument}: "),
            (None, None) => String::new(),
        };
        let help = self.help.as_ref().map(|help| format!("\nhelp: {}", uncapitalized(help))).unwrap_or_default();
        format!("{place}{}{help}", self.message)
    }

    /// The error as BuildKit takes it, with the excerpt that it shows.
    #[must_use]
    pub fn status(&self) -> rpc::Status {
        rpc::Status { code: UNKNOWN, message: self.text(), details: self.place.iter().map(detail).collect() }
    }

    /// The error for a terminal, with an excerpt.
    #[must_use]
    pub fn render(&self) -> String {
        let Some(place) = &self.place else {
            return format!("error: {}", self.text());
        };
        let end = place.range.end.min(place.file.text.len());
        let masked = place.file.masked();
        let snippet = Snippet::source(&masked)
            .path(&place.file.name)
            .annotation(AnnotationKind::Primary.span(place.range.start.min(end)..end));
        let mut group = Level::ERROR.primary_title(&self.message).element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(uncapitalized(help)));
        }
        Renderer::plain().render(&[group])
    }
}

/// The text without the capital letter of a sentence, as it follows a colon.
fn uncapitalized(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.as_str()) {
        (Some(first), rest) if !rest.starts_with(char::is_uppercase) => format!("{}{rest}", first.to_lowercase()),
        _ => text.to_owned(),
    }
}

fn detail(place: &Place) -> Any {
    let lines = place.start().line..=place.end().line;
    let source = json!({
        "info": {
            "filename": place.file.name,
            "data": BASE64_STANDARD.encode(place.file.around(std::slice::from_ref(&lines))),
            "language": place.file.language,
        },
        "ranges": [{ "start": { "line": lines.start() }, "end": { "line": lines.end() } }],
    });
    Any { type_url: SOURCE_TYPE.to_owned(), value: source.to_string().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn report() -> Report {
        let file = SourceFile::toml("pyproject.toml", "[tool.poetry-buildkit]\nbse = 'x'\n");
        Report {
            message: "unknown setting `bse`".into(),
            place: Some(Place::new(&file, 23..26)),
            argument: None,
            help: Some("did you mean `base`?".into()),
        }
    }

    #[test]
    fn buildkit_is_told_the_lines() {
        let status = report().status();
        assert_eq!(status.message, "pyproject.toml:2: unknown setting `bse`\nhelp: did you mean `base`?");
        let detail: serde_json::Value = serde_json::from_slice(&status.details[0].value).unwrap();
        assert_eq!(detail["ranges"][0]["start"]["line"], 2);
        assert_eq!(detail["info"]["filename"], "pyproject.toml");
    }

    #[test]
    fn a_terminal_shows_the_excerpt() {
        insta::assert_snapshot!(report().render());
    }

    #[test]
    fn without_a_file_the_argument_is_named() {
        let report = Report { place: None, argument: Some("POETRY_BUILDKIT_BSE".into()), ..report() };
        assert_eq!(
            report.status().message,
            "build argument POETRY_BUILDKIT_BSE: unknown setting `bse`\nhelp: did you mean `base`?"
        );
        assert!(report.status().details.is_empty());
    }
}
