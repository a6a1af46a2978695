//! Requirements as PEP 508 writes them: `name[extra] (>=1.0) ; marker` and `name @ url`.

use crate::dependency::{Dependency, GitReference, Origin};
use crate::{Constraint, Error, Marker, Name, Span};

/// The parts of a requirement, not yet understood.
struct Parts<'a> {
    name: &'a str,
    extras: Vec<Name>,
    url: Option<&'a str>,
    constraint: &'a str,
    marker: &'a str,
}

/// Reads a requirement. Version constraints may use all of Poetry's language.
pub(crate) fn parse(text: &str, span: Span) -> Result<Dependency, Error> {
    let error = |reason: String| Error::Requirement { text: text.to_owned(), reason, span };
    let parts = split(text).map_err(error)?;
    let mut dependency = Dependency::new(parts.name, span);
    dependency.extras = parts.extras.into_iter().collect();
    if let Some(url) = parts.url {
        dependency.origin = origin(url);
    } else if !parts.constraint.is_empty() {
        dependency.constraint = Constraint::parse(parts.constraint).map_err(|reason| error(reason.to_string()))?;
        dependency.constraint_text = parts.constraint.to_owned();
    }
    let marker = Marker::parse(parts.marker).map_err(|reason| error(format!("in its marker: {reason}")))?;
    dependency.restrict(marker.at(span));
    Ok(dependency)
}

/// The name and the extras of a requirement in a lock's `[package.extras]`, the rest of which may
/// be spelled in ways that PEP 508 does not know. `None` if there is no name.
pub(crate) fn name_and_extras(text: &str) -> Option<(Name, Vec<Name>)> {
    let head = text.split([';', '(', '@', ' ']).next().unwrap_or_default();
    let (name, extras) = head.split_once('[').unwrap_or((head, ""));
    let extras = extras.trim_end_matches(']').split(',').filter(|extra| !extra.is_empty()).map(Name::new);
    (!name.is_empty()).then(|| (Name::new(name), extras.collect()))
}

fn split(text: &str) -> Result<Parts<'_>, String> {
    let text = text.trim();
    let name_end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    if !crate::name::is_valid_name(name) {
        return Err("it does not begin with a name".into());
    }
    let mut rest = rest.trim_start();
    let mut extras = Vec::new();
    if let Some(inside) = rest.strip_prefix('[') {
        let (list, after) = inside.split_once(']').ok_or("the closing `]` is missing")?;
        extras = list.split(',').map(str::trim).filter(|extra| !extra.is_empty()).map(Name::new).collect();
        rest = after.trim_start();
    }
    if let Some(address) = rest.strip_prefix('@') {
        let address = address.trim_start();
        let (url, after) = address.split_once(char::is_whitespace).unwrap_or((address, ""));
        if url.is_empty() {
            return Err("there is no address after `@`".into());
        }
        let after = after.trim_start();
        let marker = match after.strip_prefix(';') {
            Some(marker) => marker,
            None if after.is_empty() => "",
            None => return Err(format!("`;` and a marker are expected at `{after}`")),
        };
        return Ok(Parts { name, extras, url: Some(url), constraint: "", marker });
    }
    let (constraint, marker) = rest.split_once(';').unwrap_or((rest, ""));
    Ok(Parts { name, extras, url: None, constraint: constraint.trim(), marker })
}

fn origin(url: &str) -> Origin {
    let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
    let subdirectory = fragment.split('&').find_map(|part| part.strip_prefix("subdirectory=")).map(str::to_owned);
    if let Some(repository) = address.strip_prefix("git+").or_else(|| address.starts_with("git://").then_some(address))
    {
        let path_start = repository.find("://").map_or(0, |at| at + 3);
        let path_start =
            repository.get(path_start..).and_then(|rest| rest.find('/')).map_or(repository.len(), |at| path_start + at);
        let (repository, reference) = match repository.rfind('@') {
            Some(at) if at > path_start => (repository.get(..at), repository.get(at + 1..)),
            _ => (Some(repository), None),
        };
        return Origin::Git {
            url: repository.unwrap_or(address).to_owned(),
            reference: reference
                .map_or(GitReference::Default, |reference| GitReference::Revision(reference.to_owned())),
            subdirectory,
        };
    }
    match address.strip_prefix("file:") {
        Some(path) => {
            let path = path.strip_prefix("//localhost").or_else(|| path.strip_prefix("//")).unwrap_or(path);
            Origin::Path { path: path.to_owned(), subdirectory }
        }
        None if address.contains("://") => Origin::Url { url: address.to_owned(), subdirectory },
        None => Origin::Path { path: address.to_owned(), subdirectory },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InputFile;

    const SPAN: Span = Span { file: InputFile::Pyproject, start: 0, end: 0 };

    #[test]
    fn names_extras_constraints_and_markers_are_told_apart() {
        let read = parse(r#"Foo_Bar[A, b.c] (>=1.0,<2) ; python_version > "3""#, SPAN).unwrap();
        assert_eq!(read.name, Name::new("foo-bar"));
        assert_eq!(read.extras.iter().map(Name::as_str).collect::<Vec<_>>(), ["a", "b-c"]);
        assert_eq!(read.constraint.to_string(), ">=1.0,<2");
        assert_eq!(read.marker.text(), r#"python_version > "3""#);
        assert!(parse("foo", SPAN).unwrap().constraint.is_any());
        assert_eq!(parse("foo==1.0", SPAN).unwrap().constraint_text, "==1.0");
    }

    #[test]
    fn addresses_become_origins() {
        let of = |text| parse(text, SPAN).unwrap().origin;
        assert_eq!(
            of("a @ git+https://user@example.org/x/a.git@v1.0#subdirectory=sub"),
            Origin::Git {
                url: "https://user@example.org/x/a.git".into(),
                reference: GitReference::Revision("v1.0".into()),
                subdirectory: Some("sub".into())
            }
        );
        assert_eq!(
            of("a @ git+ssh://git@example.org/x/a.git"),
            Origin::Git {
                url: "ssh://git@example.org/x/a.git".into(),
                reference: GitReference::Default,
                subdirectory: None
            }
        );
        assert_eq!(
            of(r#"a @ https://example.org/a-1.0.zip ; os_name == "posix""#),
            Origin::Url { url: "https://example.org/a-1.0.zip".into(), subdirectory: None }
        );
        assert_eq!(of("a @ file:///srv/a"), Origin::Path { path: "/srv/a".into(), subdirectory: None });
        assert_eq!(of("a @ ../a"), Origin::Path { path: "../a".into(), subdirectory: None });
    }

    #[test]
    fn what_is_no_requirement_is_an_error() {
        for text in ["", "-a", "a[b", "a @", "a >=x", "a ; foo", "a @ https://example.org/a.zip b", "a b"] {
            assert!(parse(text, SPAN).is_err(), "{text}");
        }
    }

    #[test]
    fn requirements_of_old_locks_yield_name_and_extras() {
        assert_eq!(name_and_extras("Foo[A,b] (^1.0)"), Some((Name::new("foo"), vec![Name::new("a"), Name::new("b")])));
        assert_eq!(name_and_extras("foo;python_version<'3'"), Some((Name::new("foo"), vec![])));
        assert_eq!(name_and_extras(" "), None);
    }
}
