use std::collections::BTreeMap;

use super::Tables;
use crate::toml_reader::{Node, Table};
use crate::{Error, Located};

/// Descriptive fields, for the core metadata of the installed project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// A one-line summary.
    pub description: Option<String>,
    /// The long description.
    pub readme: Vec<Readme>,
    /// The licence.
    pub license: Option<License>,
    /// Patterns of files with licence texts; `None` if the project does not say.
    pub license_files: Option<Vec<String>>,
    /// Authors.
    pub authors: Vec<Person>,
    /// Maintainers.
    pub maintainers: Vec<Person>,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Trove classifiers as written. Poetry adds more if they come from `[tool.poetry]`.
    pub classifiers: Vec<String>,
    /// Labels and addresses, e.g. `Homepage`.
    pub urls: BTreeMap<String, String>,
}

/// A part of the long description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readme {
    /// A file, relative to the project.
    File {
        /// The path and its place.
        path: Located<String>,
        /// Its content type, if told.
        content_type: Option<String>,
    },
    /// The text itself.
    Text {
        /// The text.
        text: String,
        /// Its content type, if told.
        content_type: Option<String>,
    },
}

/// How the licence is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum License {
    /// A name or an SPDX expression.
    Name(String),
    /// The whole text.
    Text(String),
    /// A file with the text, relative to the project. It may be missing.
    File(String),
}

/// An author or a maintainer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

pub(super) fn read(tables: &Tables<'_>) -> Result<Metadata, Error> {
    Ok(Metadata {
        description: tables.located_string("description")?.map(|text| text.value),
        readme: read_readme(tables)?,
        license: tables.first("license").map(read_license).transpose()?,
        license_files: match tables.project {
            Some(project) if project.get("license-files").is_some_and(|node| node.as_array().is_some()) => {
                Some(project.strings("license-files")?)
            }
            _ => None,
        },
        authors: read_people(tables, "authors")?,
        maintainers: read_people(tables, "maintainers")?,
        keywords: read_list(tables, "keywords")?,
        classifiers: read_list(tables, "classifiers")?,
        urls: read_urls(tables)?,
    })
}

impl<'a> Tables<'a> {
    /// A value of `[project]`, or else of `[tool.poetry]`.
    fn first(&self, key: &'a str) -> Option<Node<'a>> {
        [self.project, self.poetry].into_iter().flatten().find_map(|table| table.get(key))
    }
}

fn read_list(tables: &Tables<'_>, key: &str) -> Result<Vec<String>, Error> {
    let elements = tables.first(key).map_or(Ok(vec![]), Node::array)?;
    elements.into_iter().map(|node| node.string().map(str::to_owned)).collect()
}

fn read_people(tables: &Tables<'_>, key: &str) -> Result<Vec<Person>, Error> {
    let elements = tables.first(key).map_or(Ok(vec![]), Node::array)?;
    elements.into_iter().map(read_person).collect()
}

/// A table of name and e-mail address, or `Name <address>`.
fn read_person(node: Node<'_>) -> Result<Person, Error> {
    if let Some(table) = node.as_table() {
        let part = |key| Ok::<_, Error>(table.string(key)?.map(str::to_owned));
        return Ok(Person { name: part("name")?, email: part("email")? });
    }
    let text = node.string()?.trim();
    Ok(match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, email)) => Person { name: Some(name.trim().to_owned()), email: Some(email.trim().to_owned()) },
        None => Person { name: Some(text.to_owned()), email: None },
    })
}

fn read_license(node: Node<'_>) -> Result<License, Error> {
    let Some(table) = node.as_table() else {
        return Ok(License::Name(node.string()?.to_owned()));
    };
    match (table.string("text")?, table.string("file")?) {
        (Some(text), _) => Ok(License::Text(text.to_owned())),
        (None, Some(file)) => Ok(License::File(file.to_owned())),
        (None, None) => Err(node.wrong_type("a string, or a table with `text` or `file`")),
    }
}

fn read_readme(tables: &Tables<'_>) -> Result<Vec<Readme>, Error> {
    let Some(node) = tables.first("readme") else {
        return Ok(vec![]);
    };
    if let Some(table) = node.as_table() {
        return read_readme_table(table).map(|readme| readme.into_iter().collect());
    }
    let paths = node.as_array().unwrap_or_else(|| vec![node]);
    paths.into_iter().map(|node| Ok(Readme::File { path: node.located_string()?, content_type: None })).collect()
}

fn read_readme_table(table: Table<'_>) -> Result<Option<Readme>, Error> {
    let content_type = table.string("content-type")?.map(str::to_owned);
    if let Some(path) = table.located_string("file")? {
        return Ok(Some(Readme::File { path, content_type }));
    }
    Ok(table.string("text")?.map(|text| Readme::Text { text: text.to_owned(), content_type }))
}

fn read_urls(tables: &Tables<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut urls = BTreeMap::new();
    if let Some(project) = tables.project {
        for (label, node) in project.entries_of("urls")? {
            urls.insert(label.value.to_owned(), node.string()?.to_owned());
        }
    }
    let Some(poetry) = tables.poetry.filter(|_| urls.is_empty()) else {
        return Ok(urls);
    };
    for (key, label) in [("homepage", "Homepage"), ("repository", "Repository"), ("documentation", "Documentation")] {
        urls.extend(poetry.string(key)?.map(|url| (label.to_owned(), url.to_owned())));
    }
    for (label, node) in poetry.entries_of("urls")? {
        urls.insert(label.value.to_owned(), node.string()?.to_owned());
    }
    Ok(urls)
}
