use super::Tables;
use crate::toml_reader::Table;
use crate::{Error, Located};

/// A source of packages, `[[tool.poetry.source]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The name. A lock refers to it without regard to case.
    pub name: Located<String>,
    /// The address. The index that is called PyPI needs none.
    pub url: Option<Located<String>>,
    /// When the source is searched. It matters for locking, not for installing.
    pub priority: Priority,
}

/// When a source is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before all others, in place of the default index. Poetry 1.x.
    Default,
    /// Among the first.
    Primary,
    /// After the primary ones. Poetry 1.x.
    Secondary,
    /// If no other has the package.
    Supplemental,
    /// For the dependencies that name it.
    Explicit,
}

impl Priority {
    const ALL: [(&'static str, Self); 5] = [
        ("default", Self::Default),
        ("primary", Self::Primary),
        ("secondary", Self::Secondary),
        ("supplemental", Self::Supplemental),
        ("explicit", Self::Explicit),
    ];
}

pub(super) fn read(tables: &Tables<'_>) -> Result<Vec<Index>, Error> {
    let nodes = tables.poetry.map_or(Ok(vec![]), |poetry| poetry.array("source"))?;
    nodes.into_iter().map(|node| read_index(node.table()?)).collect()
}

fn read_index(table: Table<'_>) -> Result<Index, Error> {
    Ok(Index {
        name: table.require("name", "a [[tool.poetry.source]]")?.located_string()?,
        url: table.located_string("url")?,
        priority: read_priority(table)?,
    })
}

fn read_priority(table: Table<'_>) -> Result<Priority, Error> {
    if let Some(node) = table.get("priority") {
        let written = node.string()?;
        let found = Priority::ALL.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(written));
        return found.map(|(_, priority)| priority).ok_or_else(|| {
            node.wrong_value("one of `primary`, `supplemental`, `explicit`, `default` and `secondary`")
        });
    }
    Ok(if table.boolean("default")?.unwrap_or(false) {
        Priority::Default
    } else if table.boolean("secondary")?.unwrap_or(false) {
        Priority::Secondary
    } else {
        Priority::Primary
    })
}
