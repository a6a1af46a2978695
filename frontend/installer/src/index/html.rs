//! Pages of the simple repository API in HTML (PEP 503).

use html5gum::{StartTag, Token, Tokenizer};

use super::File;
use super::url;

/// The files that a page lists. `address` is where the page came from.
pub(super) fn parse(page: &[u8], address: &str) -> Vec<File> {
    let mut base = address.to_owned();
    let mut files = Vec::new();
    for Ok(token) in Tokenizer::new(page) {
        let Token::StartTag(tag) = token else {
            continue;
        };
        match tag.name.as_slice() {
            b"base" => {
                let found = attribute(&tag, b"href").and_then(|href| url::join(address, &href));
                base = found.unwrap_or(base);
            }
            b"a" => files.extend(file(&tag, &base)),
            _ => {}
        }
    }
    files
}

fn file(tag: &StartTag<()>, base: &str) -> Option<File> {
    let href = attribute(tag, b"href")?;
    let address = url::join(base, &href)?;
    Some(File {
        name: url::file_name(&address),
        url: address,
        sha256: url::fragment_sha256(&href),
        size: None,
        yanked: attribute(tag, b"data-yanked"),
        requires_python: attribute(tag, b"data-requires-python"),
        metadata: [&b"data-core-metadata"[..], b"data-dist-info-metadata"]
            .into_iter()
            .find_map(|name| attribute(tag, name))
            .is_some_and(|value| value != "false"),
    })
}

fn attribute(tag: &StartTag<()>, name: &[u8]) -> Option<String> {
    tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_are_resolved_and_decoded() {
        let page = br##"<!DOCTYPE html><html><head><title>x</title></head><body>
            <A HREF="../../files/x-1.0%2Blocal.tar.gz#sha256=AB">x</A>
            <a href="https://example.net/x-2.0-py3-none-any.whl?a=1&amp;b=2#md5=1" data-yanked="bad &lt;build&gt;">x</a>
            <a data-yanked href='x-3.0.zip'></a> <a>no link</a> <a href="mailto:x@example.org">mail</a>"##;
        insta::assert_debug_snapshot!(parse(page, "https://example.org/simple/x/"), @r#"
        [
            File {
                name: "x-1.0+local.tar.gz",
                url: "https://example.org/files/x-1.0%2Blocal.tar.gz",
                sha256: Some(
                    "ab",
                ),
                size: None,
                yanked: None,
                requires_python: None,
                metadata: false,
            },
            File {
                name: "x-2.0-py3-none-any.whl",
                url: "https://example.net/x-2.0-py3-none-any.whl?a=1&b=2",
                sha256: None,
                size: None,
                yanked: Some(
                    "bad <build>",
                ),
                requires_python: None,
                metadata: false,
            },
            File {
                name: "x-3.0.zip",
                url: "https://example.org/simple/x/x-3.0.zip",
                sha256: None,
                size: None,
                yanked: Some(
                    "",
                ),
                requires_python: None,
                metadata: false,
            },
        ]
        "#);
    }

    #[test]
    fn a_base_element_changes_where_links_start() {
        let page = b"<head><base href='/files/'></head><a href='x-1.0.zip'>x</a>";
        let found = parse(page, "https://example.org/simple/x/");
        assert_eq!(found.first().unwrap().url, "https://example.org/files/x-1.0.zip");
    }

    proptest! {
        #[test]
        fn any_page_is_parsed_without_panic(page in proptest::collection::vec(any::<u8>(), 0..300)) {
            parse(&page, "https://example.org/simple/x/");
        }

        #[test]
        fn any_markup_is_parsed_without_panic(page in "(<(a|base|/a|!--)( href=[\"']?[a-z:/.#%=]{0,12}[\"']?)?( data-yanked)?>?){0,12}") {
            parse(page.as_bytes(), "https://example.org/simple/x/");
        }
    }
}
