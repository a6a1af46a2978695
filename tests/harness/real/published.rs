//! What pip finds in the default index where a Dockerfile does not say which version it wants.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use install_request::Index;
use oracle::{digest, inputs::Inputs};
use poetry_buildkit::index::DEFAULT;
use poetry_buildkit_installer::index::{IndexError, files};
use poetry_lock::Name;

use crate::wheels;

/// Adds what the default index has of every package that a Dockerfile installs in no certain version. What those need is not
/// known from that; records get old for its sake.
pub fn add_published(inputs: &mut Inputs, dockerfile: &str) {
    for name in unpinned(dockerfile) {
        inputs.add(format!("{name} in the default index"), published(&name));
    }
}

/// The files that the default index has of a package, in short.
fn published(name: &str) -> String {
    static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let ask = || {
        let default = Index { url: DEFAULT.to_owned(), source: None };
        match files(&wheels::client(), &default, name) {
            Ok(files) => {
                let mut lines: Vec<String> = files
                    .iter()
                    .map(|file| format!("{} {:?} {}\n", file.name, file.sha256, file.yanked.is_some()))
                    .collect();
                lines.sort();
                digest(lines.concat().as_bytes())
            }
            Err(IndexError::NoPackage { .. }) => "none".to_owned(),
            Err(error) => panic!("which version of {name} pip would install cannot be told: {error}"),
        }
    };
    known.entry(name.to_owned()).or_insert_with(ask).clone()
}

/// The packages that pip and pipx install in no certain version. A word too many does no harm.
fn unpinned(dockerfile: &str) -> BTreeSet<String> {
    let text = dockerfile.replace("\\\n", " ");
    let mut found = BTreeSet::new();
    for command in text.split(['\n', ';', '|', '&']) {
        let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'', '`', '(', ')']));
        let is_pip = |word: &str| {
            let name = word.rsplit('/').next().unwrap_or_default();
            ["pip", "pip3", "pipx"].contains(&name)
        };
        if !words.by_ref().any(is_pip) || !words.by_ref().any(|word| word == "install") {
            continue;
        }
        let is_certain = |word: &&str| word.contains("==") || word.contains('@');
        let is_requirement = |word: &&str| word.starts_with(|first: char| first.is_ascii_alphanumeric());
        let is_file = |word: &&str| word.contains('/') || [".txt", ".whl", ".gz"].iter().any(|end| word.ends_with(end));
        let wanted = words.filter(|word| is_requirement(word) && !is_certain(word) && !is_file(word));
        let end = |character: char| !(character.is_alphanumeric() || "-_.".contains(character));
        found.extend(wanted.map(|word| Name::new(word.split(end).next().unwrap_or_default()).to_string()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_chooses_the_version_of_is_seen() {
        let export = ["poetry", "poetry-plugin-export"];
        for (dockerfile, expected) in [
            ("RUN pip install poetry==1.8.5 && poetry install", &[][..]),
            ("RUN pip install poetry", &["poetry"]),
            ("RUN pip install -U pip \\\n  setuptools \"poetry>=2,<3\" click==8", &["pip", "poetry", "setuptools"]),
            ("RUN pip install pipx && pipx install 'poetry==1.8.5'", &["pipx"]),
            ("RUN python3 -m pip install --no-cache-dir poetry[all] Poetry_plugin.export~=1.8", &export),
            ("RUN $HOME/bin/pip3 install -r ../list.txt -r list.txt ./dist/x.whl \"poetry==$VERSION\"", &[]),
            ("RUN <<END\npip install poetry\nEND", &["poetry"]),
            ("RUN apt-get install -y tini\nRUN poetry install --only main", &[]),
        ] {
            assert_eq!(unpinned(dockerfile).into_iter().collect::<Vec<_>>(), expected, "{dockerfile}");
        }
    }
}
