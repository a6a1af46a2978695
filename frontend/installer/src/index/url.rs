//! References between pages (RFC 3986), as far as `http` and `https` need them.

/// An address in its parts. `path` starts with a slash; the query keeps its question mark.
struct Parts<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

fn split(url: &str) -> Option<Parts<'_>> {
    let url = url.split('#').next().unwrap_or(url);
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let (rest, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (!authority.is_empty()).then_some(Parts { scheme, authority, path, query })
}

/// The address that `reference` means on the page `base`, without its fragment. Blanks, control and
/// non-ASCII characters are percent-encoded. `None` if it is no address of a web server.
pub(crate) fn join(base: &str, reference: &str) -> Option<String> {
    let base = split(base)?;
    let reference = reference.trim();
    let reference = reference.split('#').next().unwrap_or(reference);
    let joined = if has_scheme(reference) {
        let parts = split(reference)?;
        let path = without_dots(parts.path);
        format!("{}://{}{path}{}", parts.scheme, parts.authority, parts.query)
    } else if let Some(rest) = reference.strip_prefix("//") {
        return join("http://base", &format!("{}://{rest}", base.scheme));
    } else {
        let (path, query) = reference.split_at(reference.find('?').unwrap_or(reference.len()));
        let (path, query) = match path {
            "" if query.is_empty() => (base.path.to_owned(), base.query),
            "" => (base.path.to_owned(), query),
            path if path.starts_with('/') => (without_dots(path), query),
            path => {
                let folder = base.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                (without_dots(&format!("{folder}/{path}")), query)
            }
        };
        format!("{}://{}{path}{query}", base.scheme, base.authority)
    };
    Some(encode(&joined))
}

fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// Resolves the components `.` and `..`; the result starts with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let components: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    for (number, component) in components.iter().enumerate() {
        let last = number + 1 == components.len();
        match *component {
            ".." => {
                kept.pop();
            }
            "." => {}
            component => {
                kept.push(component);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

fn encode(url: &str) -> String {
    let mut encoded = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Scheme, host and port in one form, and the path. `None` if it is no address of a web server.
pub(crate) fn origin_and_path(url: &str) -> Option<(String, &str)> {
    let Parts { scheme, authority, path, .. } = split(url)?;
    let scheme = scheme.to_ascii_lowercase();
    let place = authority.rsplit('@').next().unwrap_or(authority).to_ascii_lowercase();
    let default = if scheme == "https" { ":443" } else { ":80" };
    let place = place.strip_suffix(default).unwrap_or(&place);
    Some((format!("{scheme}://{place}"), path))
}

/// The last component of the path, percent-decoded.
pub(crate) fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    decode(path.rsplit('/').next().unwrap_or(path))
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The value of the key `sha256` in the fragment.
pub(crate) fn fragment_sha256(url: &str) -> Option<String> {
    let (_, fragment) = url.split_once('#')?;
    fragment.split('&').find_map(|part| part.strip_prefix("sha256=")).map(str::to_ascii_lowercase)
}

/// The address as it may be shown: without credentials, and without a query, which may be a signature.
#[must_use]
pub fn redact(url: &str) -> String {
    let (shown, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    let query = if rest.starts_with('?') { "?…" } else { "" };
    let Some((scheme, after)) = shown.split_once("://") else {
        return format!("{shown}{query}");
    };
    let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}{path}{query}"),
        None => format!("{shown}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn references_are_resolved_as_rfc_3986_does() {
        let base = "http://a/b/c/d;p?q";
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("https://x.example/a b?c=d", "https://x.example/a%20b?c=d"),
            (" g ", "http://a/b/c/g"),
        ] {
            assert_eq!(join(base, reference).as_deref(), Some(expected), "{reference:?}");
        }
    }

    #[test]
    fn only_web_servers_have_addresses() {
        for reference in ["file:///etc/passwd", "ftp://x/y", "data:,x", "mailto:a@b", "http:///x", "http:x"] {
            assert_eq!(join("https://a/b", reference), None, "{reference}");
        }
        assert_eq!(join("file:///a", "b"), None);
    }

    #[test]
    fn file_names_and_digests_are_read_from_addresses() {
        let url = "https://example.org/x/torch-2.0%2Bcpu-py3-none-any.whl?a=/b#md5=1&sha256=ABc";
        assert_eq!(file_name(url), "torch-2.0+cpu-py3-none-any.whl");
        assert_eq!(fragment_sha256(url).as_deref(), Some("abc"));
        assert_eq!(fragment_sha256("https://example.org/x"), None);
    }

    #[test]
    fn credentials_are_not_shown() {
        for (url, shown) in [
            ("https://u:p@example.org/x?sig=1", "https://…@example.org/x?…"),
            ("https://example.org/a@b", "https://example.org/a@b"),
            ("example.org?x", "example.org?…"),
        ] {
            assert_eq!(redact(url), shown);
        }
    }

    proptest! {
        #[test]
        fn any_reference_is_resolved_without_panic(base in "(https?://)?\\PC{0,20}", reference in "\\PC{0,30}") {
            if let Some(found) = join(&base, &reference) {
                prop_assert!(found.is_ascii());
            }
            let _ = file_name(&reference);
            let _ = redact(&reference);
        }
    }
}
