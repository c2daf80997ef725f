//! Writing `[model_providers.<id>]` tables into the user's configuration.

use std::path::Path;

use toml_edit::{Item, Table, TableLike};

use super::edit::{self, EditError};

/// What a provider's table is to say. `None` leaves a key as it is, `Some(None)` removes it.
#[derive(Debug)]
pub(crate) struct ProviderChange {
    pub(crate) name: Option<String>,
    pub(crate) base_url: Option<Option<String>>,
    pub(crate) env_key: Option<Option<String>>,
}

/// Changes a provider's table, or adds one.
pub(crate) fn write_provider(
    home: &Path,
    id: &str,
    change: ProviderChange,
) -> Result<(), EditError> {
    edit::user_file(home, |document| {
        let providers = document.entry("model_providers").or_insert_with(edit::implicit_table);
        let Some(providers) = providers.as_table_like_mut() else { return Ok(()) };
        let new = || Item::Table(Table::from_iter([("wire_api", "responses")]));
        let Some(provider) = providers.entry(id).or_insert_with(new).as_table_like_mut() else {
            return Ok(());
        };
        set(provider, "name", change.name.map(Some));
        set(provider, "base_url", change.base_url);
        set(provider, "env_key", change.env_key);
        Ok(())
    })
}

fn set(table: &mut dyn TableLike, key: &str, value: Option<Option<String>>) {
    match value {
        None => {}
        Some(None) => drop(table.remove(key)),
        // An entry that stays where it is keeps its comments.
        Some(Some(text)) => match table.get_mut(key).and_then(Item::as_value_mut) {
            Some(value) => {
                let decor = value.decor().clone();
                *value = text.into();
                *value.decor_mut() = decor;
            }
            None => drop(table.insert(key, toml_edit::value(text))),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn written(before: &str, id: &str, change: ProviderChange) -> String {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config.toml");
        fs::write(&file, before).unwrap();
        write_provider(home.path(), id, change).unwrap();
        fs::read_to_string(file).unwrap()
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_new_provider_is_appended() {
        let change = ProviderChange {
            name: text("Mine"),
            base_url: Some(text("http://h/v1")),
            env_key: Some(None),
        };
        let expected = "model = \"x\" # y\n\n[model_providers.mine]\nwire_api = \"responses\"\n\
                        name = \"Mine\"\nbase_url = \"http://h/v1\"\n";
        assert_eq!(written("model = \"x\" # y\n", "mine", change), expected);
    }

    #[test]
    fn a_known_provider_keeps_what_is_not_mentioned() {
        let before = "[model_providers]\nmine = { name = \"A\", env_key = \"K\" }\n\
                      [model_providers.b]\nname = \"B\" # why\nbase_url = \"http://h\"\n";
        let change = ProviderChange { name: text("C"), base_url: Some(None), env_key: None };
        let after = written(before, "b", change);
        assert!(after.ends_with("[model_providers.b]\nname = \"C\" # why\n"), "{after}");
        let change = ProviderChange { name: None, base_url: None, env_key: Some(None) };
        assert!(written(before, "mine", change).contains("mine = { name = \"A\""));
    }
}
