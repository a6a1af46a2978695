//! A list of requirements as a text (`exporter.Exporter._export_generic_txt` of the plugin).

use std::collections::BTreeSet;

use super::{Export, ExportError, Line, Style};
use crate::{Priority, Source};

impl Export<'_> {
    /// The text.
    ///
    /// # Errors
    /// If a package comes from a source that the project does not have.
    pub fn text(&self, style: Style) -> Result<String, ExportError> {
        let lines: BTreeSet<String> = self.lines.iter().map(|line| written(line, style.hashes)).collect();
        let lines: Vec<String> = lines.into_iter().collect();
        let head = if style.urls { self.head()? } else { String::new() };
        Ok(format!("{head}{}\n", lines.join("\n")))
    }

    /// The sources that packages come from, those first that Poetry looks into first.
    fn head(&self) -> Result<String, ExportError> {
        let mut used = BTreeSet::new();
        for Line { package, .. } in &self.lines {
            let Source::Index { name, url } = &package.source else { continue };
            let known = self.project.pyproject.indexes.iter().any(|index| index.name.value.eq_ignore_ascii_case(name));
            if !known {
                return Err(ExportError::UnknownSource { name: package.name.clone(), source_name: name.clone() });
            }
            used.insert(url.trim_end_matches('/'));
        }
        if used.is_empty() {
            return Ok(String::new());
        }
        let mut indexes: Vec<_> = self.project.pyproject.indexes.iter().collect();
        indexes.sort_by_key(|index| index.priority);
        let is_pypi = |name: &str| name.eq_ignore_ascii_case("pypi");
        // Poetry adds it if there is nothing else to look into first.
        let has_pypi = indexes.iter().any(|index| is_pypi(&index.name.value))
            || !indexes.iter().any(|index| matches!(index.priority, Priority::Default | Priority::Primary));
        let mut head = String::new();
        for (place, index) in indexes.iter().enumerate() {
            let Some(url) = index.url.as_ref().map(|url| url.value.trim_end_matches('/')) else { continue };
            if !used.contains(url) {
                continue;
            }
            if let Some(rest) = url.strip_prefix("http://") {
                head.push_str(&format!("--trusted-host {}\n", rest.split('/').next().unwrap_or_default()));
            }
            let is_first = place == 0 && index.priority != Priority::Explicit && !has_pypi;
            head.push_str(&format!("--{} {url}\n", if is_first { "index-url" } else { "extra-index-url" }));
        }
        Ok(format!("{head}\n"))
    }
}

fn written(line: &Line<'_>, hashes: bool) -> String {
    let Line { package, extras, marker } = line;
    let mut text = package.name.to_string();
    if !extras.is_empty() {
        let extras: Vec<&str> = extras.iter().map(crate::Name::as_str).collect();
        text.push_str(&format!("[{}]", extras.join(",")));
    }
    text.push_str(&format!("=={}", package.version_text));
    if !marker.is_empty() {
        text.push_str(&format!(" ; {marker}"));
    }
    if hashes {
        let allowed = |hash: &&str| ["sha256:", "sha384:", "sha512:"].iter().any(|start| hash.starts_with(start));
        let mut hashes: Vec<&str> = package.files.iter().map(|file| file.hash.as_str()).filter(allowed).collect();
        hashes.sort_unstable();
        for hash in hashes {
            text.push_str(&format!(" \\\n    --hash={hash}"));
        }
    }
    text
}
