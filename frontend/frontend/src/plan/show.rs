//! The plan for people.

use std::fmt::Write;

use super::Plan;

impl Plan {
    /// A short table: what is installed from which file, by which node, and how the image starts.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let name = self.project.name.as_deref().unwrap_or("(no name)");
        let version = self.project.version.as_deref().unwrap_or_default();
        writeln!(out, "{}", format!("{name} {version}").trim_end())?;
        writeln!(out, "  python      {} for {} ({})", self.python.version, self.platform, self.python.because)?;
        writeln!(out, "  base        {}", self.base)?;
        writeln!(out, "  groups      {}", listed(&self.groups))?;
        writeln!(out, "  extras      {}", listed(&self.extras))?;
        writeln!(out, "  entrypoint  {}", command(&self.image.entrypoint))?;
        writeln!(out, "  cmd         {}", command(&self.image.cmd))?;
        writeln!(out, "  user        {}", self.image.user)?;
        writeln!(out, "\n{} packages in {} nodes", self.packages.len(), self.nodes.len())?;
        let rows: Vec<[&str; 4]> = self
            .packages
            .iter()
            .map(|package| {
                let file = package.file.as_deref().unwrap_or("-");
                [package.name.as_str(), package.version.as_str(), package.node.as_str(), file]
            })
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        for [name, version, node, file] in rows {
            writeln!(out, "  {name:0$}  {version:1$}  {node:2$}  {file}", widths[0], widths[1], widths[2])?;
        }
        if let Some(root) = &self.root {
            writeln!(out, "\nthe project itself: {}", root.label)?;
            for path in root.files.keys() {
                writeln!(out, "  {path}")?;
            }
        }
        for warning in &self.warnings {
            writeln!(out, "\nwarning: {warning}")?;
        }
        Ok(())
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn command(words: &[String]) -> String {
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}
