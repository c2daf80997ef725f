//! Tools that the client runs: what it is asked, and what becomes of its answers.

use serde_json::{Value, json};

use crate::harness::{Lab, ev};

const METHOD: &str = "item/tool/call";

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}});
    json!([
        {"type": "function", "name": "look", "description": "Looks.", "inputSchema": schema},
        {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [
            {"type": "function", "name": "find", "description": "Finds.", "inputSchema": schema}]},
    ])
}

#[test]
fn a_call_is_answered_by_the_client() {
    let lab = Lab::new();
    lab.model.reply(ev::call("call-1", "look", &json!({"q": "x"})));
    let client = lab.start();
    let thread = client.thread_with(json!({"dynamicTools": tools()}));
    let turn = client.turn(&thread, "go");
    let asked = client.asked(METHOD);
    assert_eq!(
        asked["params"],
        json!({"threadId": thread, "turnId": turn, "callId": "call-1", "namespace": null,
            "tool": "look", "arguments": {"q": "x"}})
    );
    let parts = json!([{"type": "inputText", "text": "found"}]);
    client.respond(&asked, json!({"contentItems": parts, "success": true}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(lab.model.last().output("call-1"), "found");
    let items = client.items("dynamicToolCall");
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["status"], &items[0]["contentItems"]), (&json!("completed"), &parts));
}

#[test]
fn an_interrupted_call_is_over() {
    let lab = Lab::new();
    lab.model.reply(ev::call("call-1", "look", &json!({"q": "x"})));
    let client = lab.start();
    let thread = client.thread_with(json!({"dynamicTools": tools()}));
    let turn = client.turn(&thread, "go");
    let asked = client.asked(METHOD);
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    client.respond(&asked, json!({"contentItems": [], "success": true}));
    let items = client.items("dynamicToolCall");
    assert_eq!(items.len(), 1, "what has begun is ended, once");
    assert_eq!((&items[0]["status"], &items[0]["success"]), (&json!("failed"), &Value::Null));
}
