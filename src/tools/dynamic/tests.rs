//! What clients may call their tools, and what old ones send.

use serde_json::json;

use super::*;

#[track_caller]
fn refused(specs: Value, expected: &str) {
    let specs = serde_json::from_value(specs).unwrap();
    assert_eq!(DynamicTools::new(specs).unwrap_err().to_string(), expected);
}

fn function(name: &str) -> Value {
    json!({"type": "function", "name": name, "description": "", "inputSchema": {}})
}

#[test]
fn names_that_clients_must_not_give() {
    refused(json!([function("")]), "dynamic tool name must not be empty");
    refused(json!([function("x ")]), "dynamic tool name must not begin or end with blanks: \"x \"");
    refused(
        json!([function("a.b")]),
        "dynamic tool name may have letters, digits, `_` and `-` only: a.b",
    );
    refused(json!([function("mcp__x")]), "dynamic tool name is reserved: mcp__x");
    refused(json!([function("a"), function("a")]), "duplicate dynamic tool name: a");
    let namespace = |name: &str, tools: Value| json!([{"type": "namespace", "name": name, "description": "", "tools": tools}]);
    refused(namespace("web", json!([function("a")])), "dynamic tool namespace is reserved: web");
    refused(namespace("crm", json!([])), "dynamic tool namespace has no tools: crm");
    refused(
        namespace("crm", json!([function("a"), function("a")])),
        "duplicate dynamic tool name: a",
    );
}

#[test]
fn functions_of_old_clients() {
    let old = json!([
        {"name": "look", "description": "d", "inputSchema": {}},
        {"namespace": "crm", "name": "find", "description": "d", "inputSchema": {}, "deferLoading": true},
    ]);
    let tools = DynamicTools::new(serde_json::from_value(old).unwrap()).unwrap();
    assert!(tools.has("", "look") && tools.has("crm", "find"));
    assert!(!tools.has("", "find") && !tools.has("crm", "look"));
    let kept = DynamicTools::read(&tools.stored().unwrap()).unwrap();
    assert_eq!(kept.0, tools.0);
}
