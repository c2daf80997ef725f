//! JSON Schemas (draft 7): a file for each type of the table with what it refers to, and bundles of them all.

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::rows::{self, Row, Type};
use crate::protocol::stability::{EXPERIMENTAL_VARIANTS, camel_case, experimental_members};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

type Definitions = BTreeMap<String, Value>;

/// The files by their paths.
pub(super) fn files(experimental: bool) -> BTreeMap<String, String> {
    let definitions = definitions(experimental);
    let mut files: BTreeMap<String, Value> = BTreeMap::new();
    for (folder, name) in places(experimental) {
        files.insert(format!("{folder}{name}.json"), standalone(&name, &definitions));
    }
    for name in root_names(&definitions) {
        files.insert(format!("{name}.json"), standalone(&name, &definitions));
    }
    files.insert(
        "codex_app_server_protocol.schemas.json".to_owned(),
        nested_bundle(&definitions, experimental),
    );
    files.insert(
        "codex_app_server_protocol.v2.schemas.json".to_owned(),
        bundle("CodexAppServerProtocolV2", &titled(&definitions)),
    );
    let text = |(path, mut schema): (String, Value)| {
        schema.sort_all_objects();
        (path, format!("{schema:#}"))
    };
    files.into_iter().map(text).collect()
}

/// Every named type, the unions included.
pub(super) fn definitions(experimental: bool) -> Definitions {
    let mut generator = SchemaSettings::draft07().into_generator();
    for ty in types(experimental) {
        (ty.describe_json)(&mut generator);
    }
    let mut definitions: Definitions = generator.take_definitions(true).into_iter().collect();
    for (name, schema) in &mut definitions {
        constants_to_enums(schema);
        title_variants(name, schema);
    }
    if !experimental {
        drop_experimental_members(&mut definitions);
        drop_experimental_variants(&mut definitions);
    }
    definitions.extend(unions(experimental));
    definitions.extend(envelopes());
    definitions
}

fn all_rows(experimental: bool) -> Vec<Row> {
    [
        rows::requests_to_server(),
        rows::requests_to_client(),
        rows::notifications_to_client(),
        rows::notifications_to_server(),
    ]
    .into_iter()
    .flatten()
    .filter(|row| row.listed && (row.stable || experimental))
    .collect()
}

fn types(experimental: bool) -> Vec<Type> {
    let rows = all_rows(experimental);
    rows.iter()
        .flat_map(|row| [row.params, row.response])
        .flatten()
        .chain([rows::request_id()])
        .collect()
}

/// The types that the table names.
pub(super) fn names(experimental: bool) -> BTreeSet<&'static str> {
    types(experimental).iter().map(|ty| ty.name).collect()
}

/// The folder and name of each type that has a file because a row names it.
fn places(experimental: bool) -> Vec<(&'static str, String)> {
    let asked: BTreeSet<&str> = rows::requests_to_client().iter().map(|row| row.method).collect();
    let mut places = Vec::new();
    for row in all_rows(experimental) {
        for ty in [row.params, row.response].into_iter().flatten() {
            let folder = match (asked.contains(row.method), ty.current) {
                (true, _) => "",
                (false, true) => "v2/",
                (false, false) => "v1/",
            };
            places.push((folder, ty.name.to_owned()));
        }
    }
    places
}

/// The types that no row names and that have a file nevertheless.
fn root_names(definitions: &Definitions) -> Vec<String> {
    let unions =
        ["ClientRequest", "ClientNotification", "ServerRequest", "ServerNotification", "RequestId"];
    let envelopes = definitions.keys().filter(|name| name.starts_with("JSONRPC")).cloned();
    unions.map(str::to_owned).into_iter().chain(envelopes).collect()
}

fn standalone(name: &str, definitions: &Definitions) -> Value {
    let mut schema = definitions[name].clone();
    let used: Map<String, Value> = closure([name], definitions)
        .into_iter()
        .map(|name| (name.clone(), definitions[&name].clone()))
        .collect();
    schema["$schema"] = json!(DRAFT);
    schema["title"] = json!(name);
    if !used.is_empty() {
        schema["definitions"] = Value::Object(used);
    }
    schema
}

fn bundle(title: &str, definitions: &Map<String, Value>) -> Value {
    json!({ "$schema": DRAFT, "title": title, "type": "object", "definitions": definitions })
}

fn titled(definitions: &Definitions) -> Map<String, Value> {
    let title = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        schema["title"] = json!(name);
        (name.clone(), schema)
    };
    definitions.iter().map(title).collect()
}

/// The bundle that keeps the current generation's types in a namespace of their own.
fn nested_bundle(definitions: &Definitions, experimental: bool) -> Value {
    let current = places(experimental)
        .into_iter()
        .filter(|(folder, _)| *folder == "v2/")
        .map(|(_, name)| name);
    let mut current: BTreeSet<String> = current.chain(["RequestId".to_owned()]).collect();
    current.extend(closure(current.iter().map(String::as_str), definitions));
    let mut root = Map::new();
    let mut nested = Map::new();
    for (name, mut schema) in titled(definitions) {
        rewrite_references(&mut schema, &current);
        if current.contains(&name) {
            nested.insert(name, schema)
        } else {
            root.insert(name, schema)
        };
    }
    root.insert("v2".to_owned(), Value::Object(nested));
    bundle("CodexAppServerProtocol", &root)
}

/// What the named types refer to, directly or not.
fn closure<'a>(
    names: impl IntoIterator<Item = &'a str>,
    definitions: &Definitions,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = names.into_iter().map(str::to_owned).collect();
    while let Some(name) = open.pop() {
        let mut references = Vec::new();
        collect_references(&definitions[&name], &mut references);
        open.extend(references.into_iter().filter(|name| found.insert(name.clone())));
    }
    found
}

fn collect_references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.extend(reference.strip_prefix("#/definitions/").map(str::to_owned));
            }
            members.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn rewrite_references(schema: &mut Value, nested: &BTreeSet<String>) {
    for_each_object(schema, &mut |members| {
        if let Some(Value::String(reference)) = members.get_mut("$ref")
            && let Some(name) = reference.strip_prefix("#/definitions/")
            && nested.contains(name)
        {
            *reference = format!("#/definitions/v2/{name}");
        }
    });
}

fn for_each_object(schema: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match schema {
        Value::Object(members) => {
            change(members);
            members.values_mut().for_each(|value| for_each_object(value, change));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| for_each_object(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Code generators know one-valued enums better than constants.
fn constants_to_enums(schema: &mut Value) {
    for_each_object(schema, &mut |members| {
        // A property of that name has a schema, which no constant of ours looks like.
        if members.get("const").is_some_and(|value| !value.is_object()) {
            let value = members.remove("const");
            members.insert("enum".to_owned(), json!([value]));
        }
    });
}

/// Titles the variants of a tagged union, so that code generators have names for them.
fn title_variants(name: &str, schema: &mut Value) {
    for union in ["oneOf", "anyOf"] {
        let variants = schema.get_mut(union).and_then(Value::as_array_mut);
        for variant in variants.into_iter().flatten() {
            if let Some(tag) = variant_tag(variant) {
                variant["title"] = json!(format!("{}{name}", pascal_case(&tag)));
            }
        }
    }
}

/// The tag of a variant: the only value of its `type` or `kind`, or the name of its only member.
fn variant_tag(variant: &Value) -> Option<String> {
    let properties = variant.get("properties")?.as_object()?;
    for tag in ["type", "kind"] {
        if let Some([Value::String(value)]) =
            properties.get(tag).and_then(|tag| tag["enum"].as_array()).map(Vec::as_slice)
        {
            return Some(value.clone());
        }
    }
    let closed = variant.get("additionalProperties") == Some(&Value::Bool(false));
    (closed && properties.len() == 1).then(|| properties.keys().next().cloned()).flatten()
}

fn pascal_case(words: &str) -> String {
    let capitalized = |word: &str| {
        word.split_at_checked(1).map(|(first, rest)| first.to_ascii_uppercase() + rest)
    };
    words.split(['_', '-']).filter_map(capitalized).collect()
}

fn drop_experimental_members(definitions: &mut Definitions) {
    for (name, members) in experimental_members() {
        let properties =
            definitions.get_mut(name).and_then(|schema| schema["properties"].as_object_mut());
        let properties = properties.unwrap_or_else(|| panic!("{name} has no members"));
        for member in members {
            assert!(
                properties.shift_remove(&camel_case(member)).is_some(),
                "{name} has no {member}"
            );
        }
    }
}

/// Drops forms of a union that only clients meet that have opted in. The declarations in TypeScript keep them, since
/// a form too many does nobody any harm there.
fn drop_experimental_variants(definitions: &mut Definitions) {
    for (name, tag, value) in EXPERIMENTAL_VARIANTS {
        let union = definitions.get_mut(*name).and_then(|schema| schema["oneOf"].as_array_mut());
        let union = union.unwrap_or_else(|| panic!("{name} is no union"));
        let before = union.len();
        union.retain(|variant| variant["properties"][tag]["enum"] != json!([value]));
        assert!(union.len() < before, "{name} has no {value}");
    }
}

fn unions(experimental: bool) -> Definitions {
    let keep = |rows: Vec<Row>| {
        rows.into_iter().filter(move |row| row.listed && (row.stable || experimental))
    };
    let requests = |rows| keep(rows).map(|row| variant(&row, "Request", true)).collect::<Vec<_>>();
    let notifications =
        |rows| keep(rows).map(|row| variant(&row, "Notification", false)).collect::<Vec<_>>();
    let emitted_at = json!({
        "description": "When the server sent it, in Unix milliseconds.", "type": "integer", "format": "int64",
    });
    [
        ("ClientRequest", json!({
            "description": "Is a request to the server.", "oneOf": requests(rows::requests_to_server()),
        })),
        ("ServerRequest", json!({
            "description": "Is a request to the client.", "oneOf": requests(rows::requests_to_client()),
        })),
        ("ServerNotification", json!({
            "description": "Is a notification to the client.",
            "oneOf": notifications(rows::notifications_to_client()),
            "properties": { "emittedAtMs": emitted_at },
        })),
        ("ClientNotification", json!({
            "description": "Is a notification to the server.",
            "oneOf": notifications(rows::notifications_to_server()),
        })),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into()
}

fn variant(row: &Row, kind: &str, id: bool) -> Value {
    let (first, rest) = row.method.split_at(1);
    let title = format!("{}{rest}{kind}", first.to_ascii_uppercase());
    let mut properties = json!({
        "method": { "type": "string", "enum": [row.method], "title": format!("{title}Method") },
    });
    let mut required = vec!["method"];
    if id {
        properties["id"] = json!({ "$ref": "#/definitions/RequestId" });
        required.push("id");
    }
    if let Some(params) = row.params {
        let reference = json!({ "$ref": format!("#/definitions/{}", params.name) });
        if row.optional {
            properties["params"] = json!({ "anyOf": [reference, { "type": "null" }] });
        } else {
            properties["params"] = reference;
            required.push("params");
        }
    }
    json!({ "title": title, "description": row.doc, "type": "object", "properties": properties, "required": required })
}

/// The envelopes of messages, whatever their method.
fn envelopes() -> Definitions {
    let reference = |name: &str| json!({ "$ref": format!("#/definitions/{name}") });
    let object = |description: &str, properties: Value, required: &[&str]| json!({ "description": description, "type": "object", "properties": properties, "required": required });
    let (id, method) = (reference("RequestId"), json!({ "type": "string" }));
    let code = json!({ "type": "integer", "format": "int64" });
    let messages =
        ["JSONRPCRequest", "JSONRPCNotification", "JSONRPCResponse", "JSONRPCError"].map(reference);
    [
        ("JSONRPCMessage", json!({ "description": "Is a message of any kind.", "anyOf": messages })),
        ("JSONRPCRequest", object(
            "Asks for something.",
            json!({ "id": id, "method": method, "params": true, "trace": {
                "anyOf": [reference("W3cTraceContext"), { "type": "null" }],
            } }),
            &["id", "method"],
        )),
        ("JSONRPCNotification", object("Tells something.", json!({ "method": method, "params": true }), &["method"])),
        ("JSONRPCResponse", object("Answers a request.", json!({ "id": id, "result": true }), &["id", "result"])),
        ("JSONRPCError", object(
            "Refuses a request.",
            json!({ "id": id, "error": reference("JSONRPCErrorError") }),
            &["error", "id"],
        )),
        ("JSONRPCErrorError", object(
            "Says why a request is refused.",
            json!({ "code": code, "message": { "type": "string" }, "data": true }),
            &["code", "message"],
        )),
        ("W3cTraceContext", object(
            "Names the trace that a request is part of.",
            json!({ "traceparent": { "type": ["string", "null"] }, "tracestate": { "type": ["string", "null"] } }),
            &[],
        )),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into()
}
