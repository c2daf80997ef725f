//! `[skills]`: which skills are switched off, read and written.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::edit;

/// What is configured about skills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skills {
    /// Whether the model is told of skills that nobody has named.
    pub(crate) include_instructions: bool,
    switches: Vec<Switch>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Switch {
    path: Option<PathBuf>,
    name: Option<String>,
    enabled: bool,
}

/// What a switch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkillKey<'a> {
    Path(&'a Path),
    Name(&'a str),
}

impl Skills {
    pub(super) fn new(merged: &Map<String, Value>) -> Self {
        let table = merged.get("skills");
        let include = table.and_then(|table| table.get("include_instructions")?.as_bool());
        let switches = table.and_then(|table| table.get("config")?.as_array());
        let switches = switches.into_iter().flatten();
        Self {
            include_instructions: include != Some(false),
            switches: switches.filter_map(|entry| Switch::deserialize(entry).ok()).collect(),
        }
    }

    /// Whether a skill is on: the last switch that is about it counts.
    pub(crate) fn enabled(&self, name: &str, path: &Path) -> bool {
        let about = |switch: &&Switch| {
            switch.path.as_deref() == Some(path) || switch.name.as_deref() == Some(name)
        };
        self.switches.iter().rev().find(about).is_none_or(|switch| switch.enabled)
    }

    /// What the switch of exactly this key says.
    pub(crate) fn switched(&self, key: SkillKey<'_>) -> bool {
        let about = |switch: &&Switch| match key {
            SkillKey::Path(path) => switch.path.as_deref() == Some(path),
            SkillKey::Name(name) => switch.name.as_deref() == Some(name),
        };
        self.switches.iter().rev().find(about).is_none_or(|switch| switch.enabled)
    }
}

/// Switches a skill in the user's file: off is an entry, on is none.
pub(crate) fn write_skill(
    home: &Path,
    key: SkillKey<'_>,
    enabled: bool,
) -> Result<(), edit::EditError> {
    edit::user_file(home, |document| {
        switch(document, key, enabled);
        Ok(())
    })
}

fn switch(document: &mut DocumentMut, key: SkillKey<'_>, enabled: bool) {
    let (member, text) = match key {
        SkillKey::Path(path) => ("path", path.to_string_lossy()),
        SkillKey::Name(name) => ("name", name.into()),
    };
    let skills = document.entry("skills").or_insert_with(edit::implicit_table);
    let Some(skills) = skills.as_table_like_mut() else { return };
    let entries = skills.entry("config").or_insert(Item::None);
    let mut list = match std::mem::take(entries).into_array_of_tables() {
        Ok(list) => list,
        // Nothing there, or nothing that could be read as a list of tables.
        Err(_) => ArrayOfTables::new(),
    };
    list.retain(|entry| entry.get(member).and_then(Item::as_str) != Some(&*text));
    if !enabled {
        let mut entry = Table::new();
        entry.insert(member, value(&*text));
        entry.insert("enabled", value(false));
        list.push(entry);
    }
    if list.is_empty() {
        skills.remove("config");
    } else {
        skills.insert("config", Item::ArrayOfTables(list));
    }
    if skills.is_empty() {
        document.remove("skills");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_switch_counts() {
        let merged = json!({"skills": {"config": [
            {"name": "a", "enabled": false},
            {"path": "/x/SKILL.md", "enabled": false},
            {"name": "a", "enabled": true},
            {"nonsense": 1},
        ]}});
        let skills = Skills::new(merged.as_object().unwrap());
        assert!(skills.enabled("a", Path::new("/y/SKILL.md")));
        assert!(!skills.enabled("b", Path::new("/x/SKILL.md")));
        assert!(skills.enabled("a", Path::new("/x/SKILL.md")), "written later");
        assert!(skills.include_instructions);
    }

    #[test]
    fn off_is_an_entry_and_on_is_none() {
        let before = "model = \"m\"\n\n[[skills.config]]\nname = \"other\"\nenabled = false\n";
        let mut document: DocumentMut = before.parse().unwrap();
        let key = SkillKey::Path(Path::new("/x/SKILL.md"));
        switch(&mut document, key, false);
        switch(&mut document, key, false);
        let off = format!("{before}\n[[skills.config]]\npath = \"/x/SKILL.md\"\nenabled = false\n");
        assert_eq!(document.to_string(), off);
        switch(&mut document, key, true);
        assert_eq!(document.to_string(), before);
        switch(&mut document, SkillKey::Name("other"), true);
        assert_eq!(document.to_string(), "model = \"m\"\n");
    }
}
