//! Typed access to a parsed TOML document, with errors that know their place.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::{Error, InputFile, Located, Span};

/// Parses a document. Spans in the result refer to `text`.
pub(crate) fn parse(text: &str, file: InputFile) -> Result<Spanned<DeTable<'_>>, Error> {
    DeTable::parse(text).map_err(|error| {
        let range = error.span().unwrap_or_default();
        Error::Toml {
            file,
            message: error.message().to_owned(),
            span: Span { file, start: range.start, end: range.end },
        }
    })
}

/// A table of the document.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    table: &'a DeTable<'a>,
    /// The whole table, or its header.
    pub(crate) span: Span,
}

/// A value of the document and the key that it was found under.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a DeValue<'a>,
    pub(crate) span: Span,
}

impl<'a> Table<'a> {
    pub(crate) fn root(document: &'a Spanned<DeTable<'a>>, file: InputFile) -> Self {
        let range = document.span();
        Self { table: document.get_ref(), span: Span { file, start: range.start, end: range.end } }
    }

    /// The same table, with another place for errors about it as a whole.
    pub(crate) fn at(self, span: Span) -> Self {
        Self { span, ..self }
    }

    pub(crate) fn get(self, key: &'a str) -> Option<Node<'a>> {
        self.table.get(key).map(|value| self.node(key, value))
    }

    /// The value of `key`, or an error that says that `owner` lacks it.
    pub(crate) fn require(self, key: &'static str, owner: &str) -> Result<Node<'a>, Error> {
        self.get(key).ok_or_else(|| Error::MissingKey { key, owner: owner.to_owned(), span: self.span })
    }

    /// All keys and values, in the order of the document.
    pub(crate) fn entries(self) -> Vec<(Located<&'a str>, Node<'a>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value): (&'a Spanned<DeString<'a>>, _)| {
                let range = key.span();
                let span = Span { file: self.span.file, start: range.start, end: range.end };
                let name = key.get_ref().as_ref();
                (Located { value: name, span }, self.node(name, value))
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        entries
    }

    pub(crate) fn string(self, key: &'a str) -> Result<Option<&'a str>, Error> {
        self.get(key).map(Node::string).transpose()
    }

    pub(crate) fn located_string(self, key: &'a str) -> Result<Option<Located<String>>, Error> {
        self.get(key).map(Node::located_string).transpose()
    }

    pub(crate) fn boolean(self, key: &'a str) -> Result<Option<bool>, Error> {
        self.get(key).map(Node::boolean).transpose()
    }

    pub(crate) fn table(self, key: &'a str) -> Result<Option<Table<'a>>, Error> {
        self.get(key).map(Node::table).transpose()
    }

    /// The elements of an array; none if the key is absent.
    pub(crate) fn array(self, key: &'a str) -> Result<Vec<Node<'a>>, Error> {
        self.get(key).map(Node::array).transpose().map(Option::unwrap_or_default)
    }

    /// The strings of an array; none if the key is absent.
    pub(crate) fn strings(self, key: &'a str) -> Result<Vec<String>, Error> {
        self.array(key)?.into_iter().map(|node| node.string().map(str::to_owned)).collect()
    }

    /// The entries of the table under `key`; none if the key is absent.
    pub(crate) fn entries_of(self, key: &'a str) -> Result<Vec<(Located<&'a str>, Node<'a>)>, Error> {
        Ok(self.table(key)?.map(Table::entries).unwrap_or_default())
    }

    fn node(self, key: &'a str, value: &'a Spanned<DeValue<'a>>) -> Node<'a> {
        let range = value.span();
        Node { key, value: value.get_ref(), span: Span { file: self.span.file, start: range.start, end: range.end } }
    }
}

impl<'a> Node<'a> {
    pub(crate) fn as_str(self) -> Option<&'a str> {
        self.value.as_str()
    }

    pub(crate) fn string(self) -> Result<&'a str, Error> {
        self.as_str().ok_or_else(|| self.wrong_type("a string"))
    }

    pub(crate) fn located_string(self) -> Result<Located<String>, Error> {
        Ok(Located { value: self.string()?.to_owned(), span: self.span })
    }

    pub(crate) fn boolean(self) -> Result<bool, Error> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    pub(crate) fn as_table(self) -> Option<Table<'a>> {
        self.value.as_table().map(|table| Table { table, span: self.span })
    }

    pub(crate) fn table(self) -> Result<Table<'a>, Error> {
        self.as_table().ok_or_else(|| self.wrong_type("a table"))
    }

    pub(crate) fn as_array(self) -> Option<Vec<Node<'a>>> {
        let element = |value: &'a Spanned<DeValue<'a>>| {
            let range = value.span();
            Node {
                key: self.key,
                value: value.get_ref(),
                span: Span { file: self.span.file, start: range.start, end: range.end },
            }
        };
        self.value.as_array().map(|array| array.iter().map(element).collect())
    }

    pub(crate) fn array(self) -> Result<Vec<Node<'a>>, Error> {
        self.as_array().ok_or_else(|| self.wrong_type("an array"))
    }

    pub(crate) fn wrong_type(self, expected: &'static str) -> Error {
        Error::WrongType {
            key: self.key.to_owned(),
            expected,
            found: self.value.type_str().to_owned(),
            span: self.span,
        }
    }

    fn type_name(self) -> String {
        let name = self.value.type_str();
        let article = if name.starts_with(['a', 'i']) { "an" } else { "a" };
        format!("{article} {name}")
    }

    pub(crate) fn wrong_value(self, expected: &'static str) -> Error {
        let found = self.as_str().map_or_else(|| self.type_name(), |text| format!("`{text}`"));
        Error::WrongType { key: self.key.to_owned(), expected, found, span: self.span }
    }
}
