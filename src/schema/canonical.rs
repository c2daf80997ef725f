//! A normal form of JSON Schemas: schemas that accept the same documents, however they are spelled, are equal in it.
//! It covers what is generated from Rust types, not all of JSON Schema.
//!
//! A schema becomes the sorted list of its alternatives, each of which is a constant, a scalar, an array or an object;
//! references are replaced by what they refer to, annotations and the ranges of integer types are dropped.

use serde_json::{Map, Value, json};

/// The alternatives of `schema`, whose references are resolved in `root`.
pub(super) fn canonical(schema: &Value, root: &Value) -> Value {
    let mut alternatives = alternatives(schema, root);
    // A string admits every constant string.
    if alternatives.contains(&json!({ "type": "string" })) {
        alternatives.retain(|alternative| !alternative["const"].is_string());
    }
    alternatives.iter_mut().for_each(Value::sort_all_objects);
    alternatives.sort_by_cached_key(Value::to_string);
    alternatives.dedup();
    Value::Array(alternatives)
}

/// Where two normal forms differ.
pub(super) fn difference(ours: &Value, theirs: &Value, path: &str) -> Option<String> {
    match (ours, theirs) {
        _ if ours == theirs => None,
        (Value::Object(left), Value::Object(right)) => {
            let names = left.keys().chain(right.keys());
            names
                .filter_map(|name| match (left.get(name), right.get(name)) {
                    (Some(left), Some(right)) => difference(left, right, &format!("{path}.{name}")),
                    (left, right) => {
                        Some(format!("{path}.{name}: ours {left:?}, theirs {right:?}"))
                    }
                })
                .next()
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right);
            pairs
                .enumerate()
                .find_map(|(i, (left, right))| difference(left, right, &format!("{path}[{i}]")))
        }
        _ => Some(format!("{path}: ours {ours}, theirs {theirs}")),
    }
}

fn alternatives(schema: &Value, root: &Value) -> Vec<Value> {
    let members = match schema {
        Value::Bool(true) => return vec![json!({})],
        Value::Object(members) => members,
        Value::Bool(false)
        | Value::Null
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_) => {
            panic!("not a schema: {schema}")
        }
    };
    if let Some(Value::String(reference)) = members.get("$ref") {
        let target = root
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("no {reference}"));
        return alternatives(target, root);
    }
    let mut found = simple(members, root);
    for union in ["anyOf", "oneOf"] {
        if let Some(Value::Array(parts)) = members.get(union) {
            let parts: Vec<Value> =
                parts.iter().flat_map(|part| alternatives(part, root)).collect();
            found = both(&found, &parts);
        }
    }
    for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        found = both(&found, &alternatives(part, root));
    }
    found
}

/// What the schema says without its combinators.
fn simple(members: &Map<String, Value>, root: &Value) -> Vec<Value> {
    if let Some(value) = members.get("const") {
        return vec![constant(value)];
    }
    if let Some(Value::Array(values)) = members.get("enum") {
        return values.iter().map(constant).collect();
    }
    match members.get("type") {
        None => vec![json!({})],
        Some(Value::Array(types)) => types.iter().map(|ty| of_type(ty, members, root)).collect(),
        Some(ty) => vec![of_type(ty, members, root)],
    }
}

fn constant(value: &Value) -> Value {
    if value.is_null() { json!({ "type": "null" }) } else { json!({ "const": value }) }
}

fn of_type(ty: &Value, members: &Map<String, Value>, root: &Value) -> Value {
    let mut form = json!({ "type": ty });
    match ty.as_str() {
        Some("object") => {
            let properties =
                members.get("properties").and_then(Value::as_object).into_iter().flatten();
            form["properties"] =
                properties.map(|(name, schema)| (name.clone(), canonical(schema, root))).collect();
            form["required"] = sorted(
                members.get("required").and_then(Value::as_array).cloned().unwrap_or_default(),
            );
            form["additional"] = match members.get("additionalProperties") {
                None | Some(Value::Bool(true)) => json!(true),
                Some(Value::Bool(false)) => json!(false),
                Some(schema) => canonical(schema, root),
            };
        }
        Some("array") => {
            form["items"] =
                members.get("items").map_or(json!([{}]), |items| canonical(items, root));
        }
        Some("string") => {
            if let Some(length) = members.get("minLength") {
                form["minLength"] = length.clone();
            }
        }
        // Zero is the least of unsigned types; other bounds mean something.
        Some("integer") => {
            if let Some(least) =
                members.get("minimum").and_then(Value::as_f64).filter(|least| *least > 0.0)
            {
                form["minimum"] = json!(least);
            }
        }
        _ => {}
    }
    form
}

fn sorted(mut values: Vec<Value>) -> Value {
    values.sort_by_key(Value::to_string);
    values.dedup();
    Value::Array(values)
}

/// The alternatives of what satisfies both lists.
fn both(left: &[Value], right: &[Value]) -> Vec<Value> {
    left.iter().flat_map(|left| right.iter().filter_map(|right| merged(left, right))).collect()
}

fn merged(left: &Value, right: &Value) -> Option<Value> {
    let free = json!({});
    match (left, right) {
        _ if left == right || *right == free => Some(left.clone()),
        _ if *left == free => Some(right.clone()),
        _ if left["type"] == "object" && right["type"] == "object" => {
            let mut form = left.clone();
            for (name, schema) in right["properties"].as_object()? {
                let known = left["properties"].get(name).filter(|known| **known != json!([free]));
                assert!(known.is_none_or(|known| known == schema), "{name} is described twice");
                form["properties"][name] = schema.clone();
            }
            let required = [&left["required"], &right["required"]]
                .into_iter()
                .filter_map(Value::as_array)
                .flatten();
            form["required"] = sorted(required.cloned().collect());
            if left["additional"] == true {
                form["additional"] = right["additional"].clone();
            }
            Some(form)
        }
        _ if left["const"].is_string() && right["type"] == "string" => Some(left.clone()),
        _ if right["const"].is_string() && left["type"] == "string" => Some(right.clone()),
        _ => None,
    }
}
