//! One source of settings: its content as JSON, and for files the parsed document that knows where each value stands.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml_edit::{Document, Item, TableLike};

use super::problem::{LoadError, text_range};
use super::setting::{self, Place, Wrong};
use crate::protocol::{ConfigLayer, ConfigLayerMetadata, ConfigLayerSource, TextRange};
use crate::util::file::read_text;
use crate::util::json::sha256;

/// How large a file may be, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// Where a layer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    System(PathBuf),
    User(PathBuf),
    /// A project's file; settings may be switched off with it or dropped from it.
    Project(PathBuf),
    SessionFlags,
    /// The `config` object of one request.
    Request,
}

/// One source of settings with its content, in its normal form.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) source: Source,
    pub(crate) content: Map<String, Value>,
    /// Why the content does not count, if it does not.
    pub(super) disabled: Option<String>,
    document: Option<Document<String>>,
}

impl Layer {
    /// The layer of a file; a missing file is an empty layer.
    pub(super) fn read(source: Source) -> Result<Self, LoadError> {
        let Some(path) = source.file() else { return Ok(Self::made(source, Map::new())) };
        let text = match read_text(path, MAX_FILE) {
            Ok(text) => text,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Self::made(source, Map::new()));
            }
            Err(error) => return Err(LoadError::at(path.to_owned(), None, error.to_string())),
        };
        match Document::parse(text.clone()) {
            Ok(document) => {
                let content = json_of_table(document.as_table());
                Ok(Self { document: Some(document), ..Self::made(source, content) })
            }
            Err(error) => {
                let range = error.span().map(|span| text_range(&text, span));
                Err(LoadError::at(path.to_owned(), range, error.message()))
            }
        }
    }

    /// A layer of content that is at hand.
    pub(super) fn made(source: Source, mut content: Map<String, Value>) -> Self {
        let base = match source.file().and_then(Path::parent) {
            Some(folder) => folder.to_owned(),
            None => env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        };
        setting::normalize(&mut content, &base, env::home_dir().as_deref());
        Self { source, content, disabled: None, document: None }
    }

    /// The hash of the content as compact JSON with sorted keys.
    pub(super) fn version(&self) -> String {
        sha256(&self.content)
    }

    pub(super) fn metadata(&self) -> ConfigLayerMetadata {
        ConfigLayerMetadata { name: self.source.on_the_wire(), version: self.version() }
    }

    /// The layer as clients are shown it.
    pub(super) fn shown_to_clients(&self) -> ConfigLayer {
        let ConfigLayerMetadata { name, version } = self.metadata();
        let config = Value::Object(self.content.clone());
        ConfigLayer { name, version, config, disabled_reason: self.disabled.clone() }
    }

    /// The error that a wrong setting of this layer is: with its place in a file, with its name elsewhere.
    pub(super) fn error(&self, wrong: &Wrong) -> LoadError {
        match self.source.file() {
            Some(path) => LoadError::at(path.to_owned(), self.locate(wrong), wrong.text.clone()),
            None => LoadError::new(wrong.named()),
        }
    }

    /// The error that a setting is which nobody knows, where that is an error.
    pub(super) fn unknown(&self, path: &[String]) -> LoadError {
        let text = format!("unknown configuration field `{}`", path.join("."));
        match self.source.file() {
            Some(_) => self.error(&Wrong { path: path.to_vec(), place: Place::Key, text }),
            None => LoadError::new(format!("{text} in -c/--config override")),
        }
    }

    fn locate(&self, wrong: &Wrong) -> Option<TextRange> {
        let document = self.document.as_ref()?;
        let mut span = None;
        let mut item = document.as_item();
        for (depth, name) in wrong.path.iter().enumerate() {
            let last = depth + 1 == wrong.path.len();
            let (key, next) = match item.as_table_like() {
                Some(table) => {
                    let (key, next) = table.get_key_value(name)?;
                    (key.span(), Some(next))
                }
                None => element(item, name),
            };
            let at_key = last && wrong.place == Place::Key;
            span = next.and_then(|next| if at_key { None } else { next.span() }).or(key).or(span);
            let Some(next) = next else { break };
            item = next;
        }
        span.map(|span| text_range(document.raw(), span))
    }
}

/// An element of an array of values has no item of its own, only a place.
fn element<'a>(item: &Item, name: &str) -> (Option<std::ops::Range<usize>>, Option<&'a Item>) {
    let value = item.as_array().and_then(|array| array.get(name.parse::<usize>().ok()?));
    (value.and_then(toml_edit::Value::span), None)
}

impl Source {
    /// The file of the layer, if it has one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::System(path) | Self::User(path) | Self::Project(path) => Some(path),
            Self::SessionFlags | Self::Request => None,
        }
    }

    fn on_the_wire(&self) -> ConfigLayerSource {
        match self {
            Self::System(file) => ConfigLayerSource::System { file: (**file).into() },
            Self::User(file) => ConfigLayerSource::User { file: (**file).into(), profile: None },
            Self::Project(file) => {
                let folder = file.parent().unwrap_or(file);
                ConfigLayerSource::Project { dot_codex_folder: folder.into() }
            }
            Self::SessionFlags | Self::Request => ConfigLayerSource::SessionFlags,
        }
    }

    /// The layer in words, for the message that it hides what was written.
    pub(super) fn as_overriding(&self) -> String {
        match self {
            Self::System(path) => format!("managed config (system): {}", path.display()),
            Self::User(path) => format!("user config: {}", path.display()),
            Self::Project(path) => format!("project config: {}", path.display()),
            Self::SessionFlags | Self::Request => "session flags".to_owned(),
        }
    }

    /// The layer in words, for messages.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::System(path) => format!("system ({})", path.display()),
            Self::User(path) => format!("user ({})", path.display()),
            Self::Project(path) => format!("project ({})", path.display()),
            Self::SessionFlags | Self::Request => "session-flags".to_owned(),
        }
    }
}

/// Lays `from` over `into`: tables merge key by key, everything else replaces.
pub(super) fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        merge_value(into, key, value);
    }
}

/// Lays one value over what `table` has under `key`.
pub(super) fn merge_value(table: &mut Map<String, Value>, key: &str, value: &Value) {
    match (table.get_mut(key), value) {
        (Some(Value::Object(inner)), Value::Object(from)) => merge(inner, from),
        (Some(old), _) => *old = value.clone(),
        (None, _) => {
            table.insert(key.to_owned(), value.clone());
        }
    }
}

pub(super) fn json_of_table(table: &dyn TableLike) -> Map<String, Value> {
    table.iter().map(|(key, item)| (key.to_owned(), json_of_item(item))).collect()
}

fn json_of_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => json_of_value(value),
        Item::Table(table) => Value::Object(json_of_table(table)),
        Item::ArrayOfTables(tables) => {
            tables.iter().map(|table| Value::Object(json_of_table(table))).collect()
        }
    }
}

/// A TOML text as JSON; the error is the parser's.
pub(crate) fn table(text: &str) -> Result<Map<String, Value>, String> {
    let document: toml_edit::DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    Ok(json_of_table(document.as_table()))
}

/// A TOML value as JSON. Dates become text, and what JSON has no number for becomes null.
pub(super) fn json_of_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::String(text.value().clone()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Value::from(*number.value()),
        toml_edit::Value::Boolean(flag) => Value::Bool(*flag.value()),
        toml_edit::Value::Datetime(time) => Value::String(time.value().to_string()),
        toml_edit::Value::Array(items) => items.iter().map(json_of_value).collect(),
        toml_edit::Value::InlineTable(table) => Value::Object(json_of_table(table)),
    }
}
