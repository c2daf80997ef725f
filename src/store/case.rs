//! `snake_case` and `camelCase`: rollouts write names in the first, the wire in the second. Conversions go through
//! the JSON form of a value, so that no enum is spelled out twice.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// `unifiedExecStartup` as `unified_exec_startup`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            if !out.is_empty() {
                out.push('_');
            }
            out.push(letter.to_ascii_lowercase());
        } else {
            out.push(letter);
        }
    }
    out
}

/// `unified_exec_startup` as `unifiedExecStartup`.
pub(crate) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = !out.is_empty(),
            _ if upper => {
                out.push(letter.to_ascii_uppercase());
                upper = false;
            }
            _ => out.push(letter),
        }
    }
    out
}

/// The stored name of a wire enum's unit variant.
pub(crate) fn stored(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => Some(snake(&name)),
        _ => None,
    }
}

/// The unit variant of a wire enum with this stored name.
pub(crate) fn wire<T: DeserializeOwned>(stored: &str) -> Option<T> {
    serde_json::from_value(Value::String(camel(stored))).ok()
}

/// A value of enum names and member names in camel case, in snake case.
pub(crate) fn snake_value(value: Value) -> Value {
    rename(value, snake)
}

/// A value of enum names and member names in snake case, in camel case.
pub(crate) fn camel_value(value: Value) -> Value {
    rename(value, camel)
}

fn rename(value: Value, case: fn(&str) -> String) -> Value {
    match value {
        Value::String(name) => Value::String(case(&name)),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (case(&name), rename(value, case))).collect()
        }
        Value::Array(values) => values.into_iter().map(|value| rename(value, case)).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}
