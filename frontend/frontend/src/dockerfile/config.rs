//! `poetry config` without Poetry.

use std::collections::BTreeMap;

use buildkit_llb::{Annotate, File, FileAction, Output};
use install_request::EPOCH;

use super::{
    command::Command,
    place,
    service::{Problem, Refused, Service},
    step::{Part, Step},
};

impl Service<'_> {
    /// What `poetry config --local` leaves in poetry.toml, with all that it left there before.
    pub(super) async fn local_settings(
        &self,
        step: &Step,
        before: &[Part],
        state: Output,
        part: &Part,
        label: &str,
    ) -> Result<Output, Problem> {
        let path = part.scene.absolute("poetry.toml");
        let refused = |reason: &str| Problem::Refused(Refused(reason.to_owned()));
        if self.files.exists(&step.root, &path).await? {
            return Err(refused("it changes a poetry.toml that is there already"));
        }
        if !part.scene.user.is_empty() {
            return Err(refused("it writes poetry.toml as another user than root"));
        }
        let steps = place::steps(&step.root);
        let earlier = steps.iter().flat_map(Step::parts).chain(before).chain([part]);
        let mut tables: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
        for part in earlier.filter(|earlier| earlier.scene.folder == part.scene.folder) {
            let Command::Config { key, value, local: true } = &part.command else { continue };
            let (table, key) = key.rsplit_once('.').ok_or_else(|| refused("the setting is in no table"))?;
            let table = tables.entry(table).or_default();
            match value {
                Some(value) => table.insert(key, toml_value(value)),
                None => table.remove(key),
            };
        }
        let table = |(name, values): (&&str, &BTreeMap<&str, String>)| {
            let lines: String = values.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
            format!("[{name}]\n{lines}")
        };
        let text: Vec<String> = tables.iter().map(table).collect();
        let file = FileAction::mkfile(&path, text.join("\n")).mode(0o600).timestamp(EPOCH);
        let name = format!("{label} {}", part.segment.text);
        Ok(step.vertex.located(File::on(state).then(file).name(name)).output()?)
    }
}

/// A value of `poetry config` as it is in a file.
fn toml_value(text: &str) -> String {
    match text {
        "true" | "false" => text.to_owned(),
        number if number.parse::<i64>().is_ok() => number.to_owned(),
        text => toml::Value::String(text.to_owned()).to_string(),
    }
}
