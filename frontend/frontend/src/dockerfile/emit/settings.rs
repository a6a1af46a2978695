//! What `poetry config --local` leaves in poetry.toml.

use std::collections::BTreeMap;

/// The text of a poetry.toml with these settings, by their keys. `None` if one of them is in no table.
pub(in crate::dockerfile) fn poetry_toml(settings: &BTreeMap<String, String>) -> Option<String> {
    let mut tables: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for (key, value) in settings {
        let (table, key) = key.rsplit_once('.')?;
        tables.entry(table).or_default().insert(key, toml_value(value));
    }
    let table = |(name, values): (&&str, &BTreeMap<&str, String>)| {
        let lines: String = values.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        format!("[{name}]\n{lines}")
    };
    Some(tables.iter().map(table).collect::<Vec<_>>().join("\n"))
}

/// A value of `poetry config` as it is in a file.
fn toml_value(text: &str) -> String {
    match text {
        "true" | "false" => text.to_owned(),
        number if number.parse::<i64>().is_ok() => number.to_owned(),
        text => toml::Value::String(text.to_owned()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_in_tables() {
        let settings = [("virtualenvs.create", "false"), ("installer.max-workers", "4"), ("virtualenvs.path", "/x y")];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let text = "[installer]\nmax-workers = 4\n\n[virtualenvs]\ncreate = false\npath = \"/x y\"\n";
        assert_eq!(poetry_toml(&settings).as_deref(), Some(text));
        assert_eq!(poetry_toml(&[("cache-dir".to_owned(), "/c".to_owned())].into()), None);
    }
}
