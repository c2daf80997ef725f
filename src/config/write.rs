//! Writing the user's configuration for clients: what an edit means, what is refused, and what hides the result.
//!
//! Everything is checked on the edited text before any of it is on disk: the edits, the file that they make, and the
//! configuration that follows from it. How the file is replaced is `edit`'s business.

use std::path::PathBuf;

use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike};

use super::edit::{self, EditError};
use super::layer::{Layer, Source, json_of_table};
use super::load::{Layers, Sources};
use super::problem::LoadError;
use super::setting;
use crate::protocol::OverriddenMetadata;

/// One change to the user's configuration.
#[derive(Debug)]
pub(crate) struct Edit {
    /// Names joined by dots; a name in double quotes may hold dots.
    pub(crate) key_path: String,
    /// Null clears.
    pub(crate) value: Value,
    pub(crate) merge: Merge,
}

/// What becomes of a table that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    Replace,
    /// A table is laid over it.
    Upsert,
}

/// Where and under what condition is written.
#[derive(Debug, Default)]
pub(crate) struct Target {
    pub(crate) file: Option<PathBuf>,
    pub(crate) expected_version: Option<String>,
}

/// The user's file after a write.
#[derive(Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) file: PathBuf,
    pub(crate) version: String,
    /// What hides the first of the written values that is hidden.
    pub(crate) overridden: Option<OverriddenMetadata>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("Only writes to the user config are allowed")]
    Readonly,
    #[error("Configuration was modified since last read. Fetch latest version and retry.")]
    Conflict,
    /// An edit, or what it would lead to, is no valid configuration.
    #[error("{0}")]
    Invalid(String),
    /// The configuration as it is cannot be used.
    #[error("failed to load configuration: {}", .0.message)]
    Load(LoadError),
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl Sources {
    /// Makes all of the edits or none.
    pub(crate) fn write(&self, edits: &[Edit], target: &Target) -> Result<Written, WriteError> {
        let file = self.user_file();
        if target.file.as_ref().is_some_and(|asked| *asked != file) {
            return Err(WriteError::Readonly);
        }
        edit::user_file(&self.home, |document| {
            let before = self.user_layer(document);
            if target
                .expected_version
                .as_ref()
                .is_some_and(|expected| *expected != before.version())
            {
                return Err(WriteError::Conflict);
            }
            let mut paths = Vec::new();
            for edit in edits {
                paths.push(apply(document, edit)?);
            }
            let after = self.user_layer(document);
            let version = after.version();
            if let Some(wrong) = setting::check(&after.content).wrong {
                return Err(invalid(&wrong.named()));
            }
            let layers = self.layers_on(after, None, None).map_err(WriteError::Load)?;
            let overridden = paths.iter().find_map(|path| overridden(&layers, path));
            match layers.decode() {
                // What cannot be used as it is on disk may be mended step by step.
                Err(error) if self.load(None, None).is_ok() => Err(invalid(&error.message)),
                _ => Ok(Written { file, version, overridden }),
            }
        })
    }

    fn user_layer(&self, document: &DocumentMut) -> Layer {
        Layer::made(Source::User(self.user_file()), json_of_table(document.as_table()))
    }
}

fn invalid(text: &str) -> WriteError {
    WriteError::Invalid(format!("Invalid configuration: {text}"))
}

/// What hides the value that the user's file has at `path`.
fn overridden(layers: &Layers, path: &[String]) -> Option<OverriddenMetadata> {
    let is_user = |layer: &&Layer| matches!(layer.source, Source::User(_));
    let user = layers.enabled().find(is_user)?;
    let above = layers.enabled().skip_while(|layer| !is_user(layer)).skip(1);
    let hiding = above.filter(|layer| at(&layer.content, path).is_some()).last()?;
    let merged = layers.merged();
    let effective = at(&merged, path)?;
    (at(&user.content, path) != Some(effective)).then(|| OverriddenMetadata {
        message: format!("Overridden by {}", hiding.source.as_overriding()),
        overriding_layer: hiding.metadata(),
        effective_value: effective.clone(),
    })
}

/// Makes one edit; returns the names of its path.
fn apply(document: &mut DocumentMut, edit: &Edit) -> Result<Vec<String>, WriteError> {
    let path = key_path(&edit.key_path)?;
    if let Some(legacy @ ("profile" | "profiles")) = path.first().map(String::as_str)
        && !edit.value.is_null()
    {
        return Err(WriteError::Invalid(format!(
            "`{legacy}` can be cleared but not written: a profile is a file of its own, NAME.config.toml"
        )));
    }
    let Some((last, parents)) = path.split_last() else { return Ok(path) };
    let mut item = document.as_item_mut();
    for name in parents {
        let place = Place::within(item);
        let table = table_of(item)?;
        if edit.value.is_null() && !table.contains_key(name) {
            return Ok(path);
        }
        item = table.entry(name).or_insert_with(|| place.table());
    }
    if edit.value.is_null() {
        table_of(item)?.remove(last);
    } else {
        set(item, last, &edit.value, edit.merge)?;
    }
    Ok(path)
}

fn table_of(item: &mut Item) -> Result<&mut dyn TableLike, WriteError> {
    item.as_table_like_mut()
        .ok_or_else(|| WriteError::Invalid("cannot set value on non-table parent".to_owned()))
}

/// Sets one member of a table.
fn set(parent: &mut Item, name: &str, value: &Value, merge: Merge) -> Result<(), WriteError> {
    let place = Place::within(parent);
    let table = table_of(parent)?;
    let old = table.get_mut(name);
    match (old, value) {
        (Some(old), Value::Object(members)) if merge == Merge::Upsert && old.is_table_like() => {
            members.iter().try_for_each(|(name, value)| set(old, name, value, merge))
        }
        (Some(old), _) => {
            let mut new = place.item(value)?;
            dress(&mut new, old);
            *old = new;
            Ok(())
        }
        (None, _) => {
            table.insert(name, place.item(value)?);
            Ok(())
        }
    }
}

/// Gives a new item the place in the text and the comments of the one that it replaces.
fn dress(new: &mut Item, old: &Item) {
    match (new, old) {
        (Item::Value(new), Item::Value(old)) => *new.decor_mut() = old.decor().clone(),
        (Item::Table(new), Item::Table(old)) => {
            new.set_position(old.position());
            *new.decor_mut() = old.decor().clone();
        }
        _ => {}
    }
}

/// Where a value is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where a table can have a header of its own.
    Block,
    /// Within braces or brackets.
    Inline,
}

impl Place {
    fn within(parent: &Item) -> Self {
        if parent.is_table() { Self::Block } else { Self::Inline }
    }

    /// A table that is there for what is put into it.
    fn table(self) -> Item {
        match self {
            Self::Block => edit::implicit_table(),
            Self::Inline => Item::Value(InlineTable::new().into()),
        }
    }

    fn item(self, value: &Value) -> Result<Item, WriteError> {
        match (self, value) {
            (Self::Block, Value::Object(members)) => {
                let mut table = Table::new();
                for (name, value) in members {
                    table.insert(name, self.item(value)?);
                }
                Ok(Item::Table(table))
            }
            _ => inline(value).map(Item::Value),
        }
    }
}

/// A JSON value as a TOML value on one line.
fn inline(value: &Value) -> Result<toml_edit::Value, WriteError> {
    let invalid = |text: &str| WriteError::Invalid(format!("invalid value: {text}"));
    Ok(match value {
        Value::Null => return Err(invalid("TOML has no null")),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match (number.as_i64(), number.is_u64(), number.as_f64()) {
            (Some(integer), _, _) => integer.into(),
            (None, false, Some(float)) => float.into(),
            _ => return Err(invalid("the integer is out of range")),
        },
        Value::String(text) => text.into(),
        Value::Array(items) => {
            items.iter().map(inline).collect::<Result<Array, WriteError>>()?.into()
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| Ok((name.as_str(), inline(value)?)))
            .collect::<Result<InlineTable, WriteError>>()?
            .into(),
    })
}

/// The value at a path of names; elements of arrays have no names.
fn at<'a>(content: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(content.get(first)?, |value, name| value.as_object()?.get(name))
}

/// The names of a key path. Within double quotes a dot is a dot and a backslash escapes.
fn key_path(text: &str) -> Result<Vec<String>, WriteError> {
    let invalid = |text: &str| Err(WriteError::Invalid(text.to_owned()));
    if text.trim().is_empty() {
        return invalid("keyPath must not be empty");
    }
    let mut names = Vec::new();
    let mut name = String::new();
    let mut quoted = false;
    let mut chars = text.trim().chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => quoted = !quoted,
            '\\' if quoted => name.extend(chars.next()),
            '.' if !quoted => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    names.push(name);
    match quoted {
        true => invalid("unterminated quoted keyPath segment"),
        false if names.iter().any(String::is_empty) => {
            invalid("keyPath segments must not be empty")
        }
        false => Ok(names),
    }
}

#[cfg(test)]
mod tests;
