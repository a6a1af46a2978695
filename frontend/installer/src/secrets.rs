//! The build secrets that a step got, one file per secret.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use install_request::{Index, secret};

use crate::fetch::{Access, FetchError, Netrc, Trust};

/// Reads the secrets in `folder` that concern these indexes. A missing one is no error.
///
/// # Errors
/// A secret cannot be read, or is not text.
pub fn read<'a>(folder: &Path, indexes: impl IntoIterator<Item = &'a Index>) -> Result<Trust, FetchError> {
    let bytes = |id: &str| match std::fs::read(folder.join(id)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FetchError::Bundle { id: id.to_owned(), detail: error.to_string() }),
    };
    let text = |id: &str| {
        let text = String::from_utf8(bytes(id)?.unwrap_or_default());
        text.map_err(|_| FetchError::Bundle { id: id.to_owned(), detail: "it is not UTF-8".to_owned() })
    };
    // A file made with an editor or with `echo` ends in a newline that is no part of the secret.
    let line = |id: &str| Ok(text(id)?.trim_end_matches(['\r', '\n']).to_owned());
    let named: BTreeMap<(&str, &str), &Index> =
        indexes.into_iter().filter_map(|index| Some(((index.source.as_deref()?, index.url.as_str()), index))).collect();
    let access = named.into_iter().map(|((name, _), index)| {
        Ok(Access {
            index: index.clone(),
            username: line(&secret::username(name))?,
            password: line(&secret::password(name))?,
            certificates: bytes(&secret::certificate(name))?,
        })
    });
    let bundles = [bytes(secret::CA_BUNDLE)?, bytes(secret::STAGE_CA_BUNDLE)?];
    let bundles: Vec<Vec<u8>> = bundles.into_iter().flatten().collect();
    Ok(Trust {
        ca_bundle: (!bundles.is_empty()).then(|| bundles.join(&b'\n')),
        access: access.collect::<Result<_, FetchError>>()?,
        netrc: Netrc::parse(&text(secret::NETRC)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_the_names_of_poetrys_variables() {
        let folder = tempfile::tempdir().unwrap();
        let write = |id: &str, text: &str| std::fs::write(folder.path().join(id), text).unwrap();
        write("POETRY_HTTP_BASIC_MY_CORP_USERNAME", "me\n");
        write("POETRY_HTTP_BASIC_MY_CORP_PASSWORD", " se cret\r\n");
        write("POETRY_CERTIFICATES_MY_CORP_CERT", "pem");
        let index = Index { url: "https://example.org".into(), source: Some("my-corp".into()) };
        let trust = read(folder.path(), [&index, &index]).unwrap();
        let certificates = Some(b"pem".to_vec());
        let expected = Access { index, username: "me".into(), password: " se cret".into(), certificates };
        assert_eq!(trust.access, [expected]);
        assert_eq!(trust.ca_bundle, None);
        write("ca-bundle", "one");
        write("stage-ca-bundle", "two");
        assert_eq!(read(folder.path(), []).unwrap().ca_bundle, Some(b"one\ntwo".to_vec()));
    }
}
