//! RECORD files: which files a distribution installed, with their digests.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::WheelError;
use crate::sha256::Digest;

/// A digest as RECORD writes it, without the name of the algorithm.
pub(crate) fn encode(digest: &Digest) -> String {
    URL_SAFE_NO_PAD.encode(digest)
}

/// The paths that a RECORD lists, with their sha256 digests where it has any. Digests of other kinds
/// are passed over: the locked digest vouches for the whole archive.
///
/// # Errors
/// It is not UTF-8 or not in the form of comma-separated values.
pub(crate) fn parse(content: &[u8]) -> Result<BTreeMap<String, Option<String>>, WheelError> {
    let mut rows = BTreeMap::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(content);
    for row in reader.records() {
        let row =
            row.map_err(|error| WheelError::BadMetadata { file: "RECORD".to_owned(), detail: error.to_string() })?;
        let Some(path) = row.get(0) else { continue };
        let digest = row
            .get(1)
            .and_then(|hash| hash.strip_prefix("sha256="))
            .map(|digest| digest.trim_end_matches('=').to_owned());
        rows.insert(path.to_owned(), digest);
    }
    Ok(rows)
}

/// A line of a RECORD that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The digest of the file.
    pub(crate) digest: Digest,
    /// Its size.
    pub(crate) size: u64,
}

/// A RECORD of `rows` by path, sorted, and with a line for RECORD itself.
///
/// # Errors
/// None in practice: memory is written.
pub(crate) fn write(rows: &BTreeMap<String, Row>, record: &str) -> Result<Vec<u8>, std::io::Error> {
    let mut lines: BTreeMap<&str, (String, String)> = rows
        .iter()
        .map(|(path, row)| {
            let digest = format!("sha256={}", encode(&row.digest));
            (path.as_str(), (digest, row.size.to_string()))
        })
        .collect();
    lines.insert(record, (String::new(), String::new()));
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    for (path, (digest, size)) in &lines {
        writer.write_record([path, digest.as_str(), size])?;
    }
    writer.into_inner().map_err(|error| error.into_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_sorted_and_quoted() {
        let row = Row { digest: [0; 32], size: 5 };
        let rows = ["b.py", "../../../bin/x", "a,b.py", "a-1.dist-info/Z"].map(|path| (path.to_owned(), row));
        let written = write(&rows.into(), "a-1.dist-info/RECORD").unwrap();
        let hash = "sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(
            String::from_utf8(written).unwrap(),
            format!(
                "../../../bin/x,{hash},5\n\"a,b.py\",{hash},5\na-1.dist-info/RECORD,,\n\
                 a-1.dist-info/Z,{hash},5\nb.py,{hash},5\n"
            )
        );
    }

    #[test]
    fn only_sha256_digests_are_read() {
        let found = parse(b"a,sha256=x==,1\r\n\"b,c\",md5=y,2\r\nd,,\r\ne\r\n").unwrap();
        let expected = [("a", Some("x")), ("b,c", None), ("d", None), ("e", None)]
            .map(|(path, digest)| (path.to_owned(), digest.map(str::to_owned)));
        assert_eq!(found, expected.into());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&content);
        }

        #[test]
        fn what_is_written_is_read_back(paths in proptest::collection::btree_set("[a-z,\" /\n]{1,9}", 0..9)) {
            let row = Row { digest: [7; 32], size: 1 };
            let rows: BTreeMap<String, Row> = paths.iter().map(|path| (path.clone(), row)).collect();
            let found = parse(&write(&rows, "RECORD").unwrap()).unwrap();
            prop_assert_eq!(found.len(), rows.len() + 1);
            for path in rows.keys() {
                prop_assert_eq!(found.get(path).unwrap(), &Some(encode(&[7; 32])));
            }
        }
    }
}
