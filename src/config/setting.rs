//! The content of layers against the table of known settings: what is wrong and what is not known, its normal form,
//! and what is there when nobody sets it. The texts of wrong types are those that decoders of this family give.

mod known;

use std::path::Path;

use serde_json::{Map, Value};

use super::features;
use Kind::{
    Any, Approval, Details, Features, Flag, Integer, List, MapOf, Number, OneOf, Or, PathText,
    Paths, Table, Text,
};
use known::{
    APPROVAL, Fields, GRANULAR, GRANULAR_REQUIRED, Kind, RENAMED, RESERVED_PROVIDERS, SETTINGS,
};

pub(super) use known::NOT_FOR_PROJECTS;

/// A setting that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) path: Vec<String>,
    pub(super) place: Place,
    pub(super) text: String,
}

/// Which part of a setting is meant when it is pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Key,
    Value,
}

/// What a check found: the first wrong setting, and every unknown one by its path.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) wrong: Option<Wrong>,
    pub(super) unknown: Vec<Vec<String>>,
}

impl Wrong {
    /// The text with the name of the setting, for layers without a file.
    pub(super) fn named(&self) -> String {
        format!("{}\nin `{}`\n", self.text, self.path.join("."))
    }
}

/// Checks the content of a layer.
pub(super) fn check(content: &Map<String, Value>) -> Findings {
    let mut walk = Walk::default();
    walk.fields(content, SETTINGS);
    if let Some(providers) = content.get("model_providers").and_then(Value::as_object) {
        walk.reserved(providers);
    }
    walk.found
}

/// Gives a layer's content its normal form: paths are absolute, beginning at `base`, or at `user` where they start with
/// `~/`, and older words are current ones.
pub(super) fn normalize(content: &mut Map<String, Value>, base: &Path, user: Option<&Path>) {
    resolve_fields(content, SETTINGS, &|text| {
        let resolved = match (text.strip_prefix("~/"), user) {
            (Some(rest), Some(user)) => crate::util::path::absolute(user, Path::new(rest)),
            _ => crate::util::path::absolute(base, Path::new(text)),
        };
        resolved.to_string_lossy().into_owned()
    });
    for (name, old, current) in RENAMED {
        match content.get_mut(*name) {
            Some(Value::String(word)) if word == old => (*current).clone_into(word),
            _ => {}
        }
    }
}

fn resolve_fields(
    content: &mut Map<String, Value>,
    fields: Fields,
    resolve: &impl Fn(&str) -> String,
) {
    for (name, kind) in fields {
        if let Some(value) = content.get_mut(*name) {
            resolve_value(value, kind, resolve);
        }
    }
}

fn resolve_value(value: &mut Value, kind: &Kind, resolve: &impl Fn(&str) -> String) {
    match (kind, value) {
        (Or(kind, _), value) => resolve_value(value, kind, resolve),
        (PathText, Value::String(text)) => *text = resolve(text),
        (Paths, Value::Array(items)) => {
            for item in items {
                resolve_value(item, &PathText, resolve);
            }
        }
        (Table(fields), Value::Object(inner)) => resolve_fields(inner, fields, resolve),
        _ => {}
    }
}

/// What a setting is when nobody sets it.
fn default_of(kind: &Kind) -> Option<Value> {
    if let Or(_, unset) = kind { Some(unset.value()) } else { None }
}

/// Adds to checked content what settings are when nobody sets them.
pub(super) fn fill_in(content: &mut Map<String, Value>) {
    fill_fields(content, SETTINGS, &default_of);
}

/// Checked content with every known setting, null if it is nothing, and without those that are not known.
pub(super) fn complete(content: &mut Map<String, Value>) {
    fill_fields(content, SETTINGS, &|kind| Some(default_of(kind).unwrap_or_default()));
    drop_unknown(content, SETTINGS);
}

fn fill_fields(
    content: &mut Map<String, Value>,
    fields: Fields,
    unset: &impl Fn(&Kind) -> Option<Value>,
) {
    for (name, kind) in fields {
        if !content.contains_key(*name)
            && let Some(value) = unset(kind)
        {
            content.insert((*name).to_owned(), value);
        }
        if let Some(value) = content.get_mut(*name) {
            fill_value(value, kind, unset);
        }
    }
}

fn fill_value(value: &mut Value, kind: &Kind, unset: &impl Fn(&Kind) -> Option<Value>) {
    match (kind, value) {
        (Or(kind, _), value) => fill_value(value, kind, unset),
        (Table(fields) | Details(fields), Value::Object(content)) => {
            fill_fields(content, fields, unset);
        }
        (MapOf(kind), Value::Object(content)) => {
            content.values_mut().for_each(|value| fill_value(value, kind, unset));
        }
        _ => {}
    }
}

fn drop_unknown(content: &mut Map<String, Value>, fields: Fields) {
    content.retain(|name, value| match fields.iter().find(|(known, _)| known == name) {
        Some((_, kind)) => {
            drop_unknown_below(value, kind);
            true
        }
        None => false,
    });
}

fn drop_unknown_below(value: &mut Value, kind: &Kind) {
    match (kind, value) {
        (Or(kind, _), value) => drop_unknown_below(value, kind),
        (Table(fields) | Details(fields), Value::Object(content)) => drop_unknown(content, fields),
        (Details(_), value) => *value = Value::Null,
        (MapOf(kind), Value::Object(content)) => {
            content.values_mut().for_each(|value| drop_unknown_below(value, kind));
        }
        _ => {}
    }
}

/// A walk over content and table, with the path to where it is.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
    found: Findings,
}

impl Walk {
    fn wrong(&mut self, place: Place, text: String) {
        if self.found.wrong.is_none() {
            self.found.wrong = Some(Wrong { path: self.path.clone(), place, text });
        }
    }

    fn below(&mut self, name: &str, visit: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        visit(self);
        self.path.pop();
    }

    fn fields(&mut self, content: &Map<String, Value>, fields: Fields) {
        for (name, value) in content {
            self.below(name, |walk| match fields.iter().find(|(known, _)| known == name) {
                Some((_, kind)) => walk.value(value, kind),
                None => walk.found.unknown.push(walk.path.clone()),
            });
        }
    }

    fn value(&mut self, value: &Value, kind: &Kind) {
        match (kind, value) {
            (Any, _) | (Text | PathText, Value::String(_)) | (Flag, Value::Bool(_)) => {}
            (Text | PathText, _) => self.mismatch(value, "a string"),
            (Flag, _) => self.mismatch(value, "a boolean"),
            (Number, Value::Number(number)) if number.is_i64() && !number.is_u64() => {
                self.wrong(
                    Place::Value,
                    format!("invalid value: integer `{number}`, expected usize"),
                );
            }
            (Number, Value::Number(number)) if number.is_u64() => {}
            (Number, _) => self.mismatch(value, "usize"),
            (Integer, Value::Number(number)) if number.is_i64() => {}
            (Integer, _) => self.mismatch(value, "i64"),
            (List | Paths, Value::Array(items)) => self.items(items),
            (List | Paths, _) => self.mismatch(value, "a sequence"),
            (OneOf(names), Value::String(text)) => self.variant(text, names),
            (OneOf(_), _) => self.mismatch(value, "a string"),
            (Or(kind, _), _) => self.value(value, kind),
            (Approval, _) => self.approval(value),
            (Details(_), Value::Bool(_)) => {}
            (Table(fields) | Details(fields), Value::Object(content)) => {
                self.fields(content, fields);
            }
            (MapOf(kind), Value::Object(content)) => {
                for (name, value) in content {
                    self.below(name, |walk| walk.value(value, kind));
                }
            }
            (Features, Value::Object(content)) => self.features(content),
            (Table(_) | Details(_) | MapOf(_) | Features, _) => self.mismatch(value, "a map"),
        }
    }

    fn mismatch(&mut self, value: &Value, expected: &str) {
        let found = match value {
            Value::Null => "unit value".to_owned(),
            Value::Bool(flag) => format!("boolean `{flag}`"),
            Value::Number(number) if number.is_f64() => format!("floating point `{number}`"),
            Value::Number(number) => format!("integer `{number}`"),
            Value::String(text) => format!("string {text:?}"),
            Value::Array(_) => "sequence".to_owned(),
            Value::Object(_) => "map".to_owned(),
        };
        self.wrong(Place::Value, format!("invalid type: {found}, expected {expected}"));
    }

    fn items(&mut self, items: &[Value]) {
        for (index, item) in items.iter().enumerate() {
            self.below(&index.to_string(), |walk| walk.value(item, &Text));
        }
    }

    fn variant(&mut self, text: &str, names: &[&str]) {
        if names.contains(&text) {
            return;
        }
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let expected = match quoted.as_slice() {
            [one] => one.clone(),
            [one, two] => format!("{one} or {two}"),
            many => format!("one of {}", many.join(", ")),
        };
        self.wrong(Place::Value, format!("unknown variant `{text}`, expected {expected}"));
    }

    fn approval(&mut self, value: &Value) {
        if let Value::String(text) = value {
            return self.variant(text, APPROVAL);
        }
        let Value::Object(content) = value else { return self.mismatch(value, "a string") };
        match content.get("granular") {
            Some(granular) if content.len() == 1 => {
                self.below("granular", |walk| walk.granular(granular));
            }
            _ => {
                let text = "expected a table with the one key `granular`";
                self.wrong(Place::Value, text.to_owned());
            }
        }
    }

    fn granular(&mut self, value: &Value) {
        let Value::Object(content) = value else { return self.mismatch(value, "a map") };
        self.fields(content, GRANULAR);
        if let Some(name) = GRANULAR_REQUIRED.iter().find(|name| !content.contains_key(**name)) {
            self.wrong(Place::Value, format!("missing field `{name}`"));
        }
    }

    fn features(&mut self, content: &Map<String, Value>) {
        for (name, value) in content {
            self.below(name, |walk| match (value, features::default_of(name)) {
                (Value::Bool(_), Some(_)) | (Value::Object(_), Some(_)) => {}
                (Value::Bool(_), None) => walk.found.unknown.push(walk.path.clone()),
                _ => walk.mismatch(value, "a boolean"),
            });
        }
    }

    fn reserved(&mut self, providers: &Map<String, Value>) {
        let ids: Vec<String> = providers
            .keys()
            .filter(|id| RESERVED_PROVIDERS.contains(&id.as_str()))
            .map(|id| format!("`{id}`"))
            .collect();
        if !ids.is_empty() {
            let text = format!(
                "model_providers contains reserved built-in provider IDs: {}. A built-in provider cannot be replaced; \
                 give yours another name.",
                ids.join(", ")
            );
            self.below("model_providers", |walk| walk.wrong(Place::Key, text));
        }
    }
}

#[cfg(test)]
mod tests;
