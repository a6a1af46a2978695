//! Pages of the simple repository API in JSON (PEP 691, PEP 700).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::File;
use super::url;

#[derive(Deserialize)]
struct Page {
    meta: Meta,
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: String,
}

#[derive(Deserialize)]
struct Listed {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    yanked: Yanked,
    #[serde(default, rename = "requires-python")]
    requires_python: Option<String>,
    #[serde(default, rename = "core-metadata", alias = "dist-info-metadata")]
    metadata: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Yanked {
    Flag(bool),
    Reason(String),
}

impl Default for Yanked {
    fn default() -> Self {
        Self::Flag(false)
    }
}

/// The files that a page lists. `address` is where the page came from.
///
/// # Errors
/// Why the page cannot be understood.
pub(super) fn parse(page: &[u8], address: &str) -> Result<Vec<File>, String> {
    let page: Page = serde_json::from_slice(page).map_err(|error| error.to_string())?;
    let version = page.meta.api_version;
    if version.split('.').next() != Some("1") {
        return Err(format!("the version {version:?} of its format is not known"));
    }
    let files = page.files.into_iter().filter_map(|listed| {
        Some(File {
            url: url::join(address, &listed.url)?,
            name: listed.filename,
            sha256: listed.hashes.get("sha256").map(|hash| hash.to_ascii_lowercase()),
            size: listed.size,
            yanked: match listed.yanked {
                Yanked::Flag(false) => None,
                Yanked::Flag(true) => Some(String::new()),
                Yanked::Reason(reason) => Some(reason),
            },
            requires_python: listed.requires_python,
            // A flag, or digests.
            metadata: !matches!(listed.metadata, serde_json::Value::Null | serde_json::Value::Bool(false)),
        })
    });
    Ok(files.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_are_read_with_what_is_optional() {
        let page = br#"{"meta": {"api-version": "1.4", "x": 1}, "name": "x", "versions": ["1.0"], "files": [
            {"filename": "x-1.0+l.whl", "url": "../x-1.0%2Bl.whl", "hashes": {"sha256": "AB"}, "size": 7, "yanked": "bad"},
            {"filename": "x-2.0.whl", "url": "https://example.net/x-2.0.whl", "hashes": {}, "yanked": true, "core-metadata": false},
            {"filename": "x-3.0.whl", "url": "file:///x-3.0.whl"}]}"#;
        let file = |name: &str, url: &str, sha256: Option<&str>, size, yanked: Option<&str>| File {
            name: name.into(),
            url: url.into(),
            sha256: sha256.map(str::to_owned),
            size,
            yanked: yanked.map(str::to_owned),
            ..File::default()
        };
        assert_eq!(
            parse(page, "https://example.org/simple/x/").unwrap(),
            [
                file("x-1.0+l.whl", "https://example.org/simple/x-1.0%2Bl.whl", Some("ab"), Some(7), Some("bad")),
                file("x-2.0.whl", "https://example.net/x-2.0.whl", None, None, Some("")),
            ]
        );
    }

    #[test]
    fn a_format_of_another_major_version_is_refused() {
        let page = br#"{"meta": {"api-version": "2.0"}, "files": []}"#;
        let found = parse(page, "https://example.org/").unwrap_err();
        assert!(found.contains("2.0"), "{found}");
    }

    proptest! {
        #[test]
        fn any_page_is_parsed_without_panic(page in "\\PC{0,200}") {
            let _ = parse(page.as_bytes(), "https://example.org/simple/x/");
        }
    }
}
