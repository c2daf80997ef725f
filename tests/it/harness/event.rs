//! Builders for the events of a Responses API stream, and for whole responses.

use serde_json::{Value, json};

pub(crate) fn sse(events: &[Value]) -> Vec<u8> {
    let mut text = String::new();
    for event in events {
        text.push_str(&format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()));
    }
    text.into_bytes()
}

pub(crate) fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp-1"}})
}

pub(crate) fn completed() -> Value {
    used(10, 5)
}

/// The end of a response that took this many tokens.
pub(crate) fn used(input: u64, output: u64) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp-1", "usage": {
        "input_tokens": input, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input + output}}})
}

pub(crate) fn failed(code: &str, message: &str) -> Value {
    json!({"type": "response.failed",
        "response": {"id": "resp-1", "error": {"code": code, "message": message}}})
}

pub(crate) fn added(item: &Value) -> Value {
    json!({"type": "response.output_item.added", "item": item})
}

pub(crate) fn done(item: &Value) -> Value {
    json!({"type": "response.output_item.done", "item": item})
}

pub(crate) fn message(id: &str, text: &str) -> Value {
    json!({"type": "message", "role": "assistant", "id": id, "content": [{"type": "output_text", "text": text}]})
}

pub(crate) fn delta(id: &str, text: &str) -> Value {
    json!({"type": "response.output_text.delta", "delta": text, "item_id": id, "output_index": 0, "content_index": 0})
}

pub(crate) fn reasoning(id: &str, summary: &[&str], raw: &[&str]) -> Value {
    let parts = |kind: &str, texts: &[&str]| -> Vec<Value> {
        texts.iter().map(|text| json!({"type": kind, "text": text})).collect()
    };
    json!({"type": "reasoning", "id": id, "summary": parts("summary_text", summary),
        "content": parts("reasoning_text", raw), "encrypted_content": "opaque"})
}

pub(crate) fn function(call: &str, name: &str, arguments: &Value) -> Value {
    let text = arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned);
    json!({"type": "function_call", "call_id": call, "name": name, "arguments": text})
}

/// A call of a tool in a namespace.
pub(crate) fn member(call: &str, namespace: &str, name: &str, arguments: &Value) -> Value {
    let mut item = function(call, name, arguments);
    item["namespace"] = json!(namespace);
    item
}

/// An `exec_command` item; `more` holds further arguments.
pub(crate) fn command(call: &str, script: &str, more: &Value) -> Value {
    let mut arguments = json!({"cmd": script});
    if let Some(more) = more.as_object() {
        arguments.as_object_mut().unwrap().extend(more.clone());
    }
    function(call, "exec_command", &arguments)
}

// Whole responses.

/// A response of these finished items.
pub(crate) fn items(items: &[Value]) -> Vec<Value> {
    let mut events = vec![created()];
    events.extend(items.iter().map(done));
    events.push(completed());
    events
}

/// One message, not streamed.
pub(crate) fn text(text: &str) -> Vec<Value> {
    items(&[message("msg-1", text)])
}

/// One message in deltas.
pub(crate) fn streamed(id: &str, deltas: &[&str]) -> Vec<Value> {
    let mut events = vec![created(), added(&message(id, ""))];
    events.extend(deltas.iter().map(|text| delta(id, text)));
    events.extend([done(&message(id, &deltas.concat())), completed()]);
    events
}

pub(crate) fn call(call: &str, name: &str, arguments: &Value) -> Vec<Value> {
    items(&[function(call, name, arguments)])
}

pub(crate) fn shell(call: &str, script: &str) -> Vec<Value> {
    shell_with(call, script, &Value::Null)
}

pub(crate) fn shell_with(call: &str, script: &str, more: &Value) -> Vec<Value> {
    items(&[command(call, script, more)])
}

/// An edit, as models without a patch tool make it: through the shell.
pub(crate) fn patch(call: &str, lines: &[&str]) -> Vec<Value> {
    let body = lines.join("\n");
    shell(call, &format!("apply_patch <<'EOF'\n*** Begin Patch\n{body}\n*** End Patch\nEOF\n"))
}
