//! Requests and answers of the Chat Completions API, as servers of local models take and give them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::model::event::StreamEvent;
use crate::model::item::OutputItem;
use crate::model::request::{Body, Form};
use crate::util::json::raw;

fn request(items: &[Value], tools: Option<&Value>, schema: Option<&Value>) -> Encoded {
    let input: Vec<String> = items.iter().map(ToString::to_string).collect();
    let tools = tools.map(raw);
    Body {
        form: Form::Plain,
        model: "m",
        input: input.join(",").into(),
        tools: tools.as_deref(),
        parallel_tool_calls: true,
        effort: Some("low"),
        summary: Some("auto"),
        verbosity: None,
        output_schema: schema,
        service_tier: None,
        prompt_cache_key: "t",
        client_metadata: &BTreeMap::new(),
    }
    .encode()
}

fn body(request: &Encoded) -> Value {
    let (body, _) = encode(request, &mut Messages::default()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[track_caller]
fn check(items: &[Value], expected: &Value) {
    assert_eq!(body(&request(items, None, None))["messages"], *expected);
}

fn said(role: &str, text: &str) -> Value {
    let kind = if role == "assistant" { "output_text" } else { "input_text" };
    json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})
}

fn call(id: &str, name: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": name, "arguments": "{}"})
}

fn output(id: &str, output: &Value) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": output})
}

#[test]
fn letters_of_agents_are_said_by_users() {
    let parts = json!([
        {"type": "input_text", "text": "Sender: /root"},
        {"type": "encrypted_content", "encrypted_content": "Look."},
    ]);
    let letter = json!({"type": "agent_message", "author": "/root", "recipient": "/root/a", "content": parts});
    check(&[letter], &json!([{"role": "user", "content": "Sender: /root\n\nLook."}]));
}

#[test]
fn says_what_servers_need() {
    let tools = json!([
        {"type": "function", "name": "f", "description": "d", "strict": false, "parameters": {"type": "object"}},
        {"type": "web_search"},
    ]);
    let schema = json!({"type": "object"});
    let mut got = body(&request(&[said("user", "hi")], Some(&tools), Some(&schema)));
    got.as_object_mut().unwrap().remove("messages");
    let expected = json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true}, "tool_choice": "auto",
        "parallel_tool_calls": true, "reasoning_effort": "low",
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
        "response_format": {"type": "json_schema", "json_schema":
            {"name": "codex_output_schema", "strict": true, "schema": {"type": "object"}}},
    });
    assert_eq!(got, expected);
    let bare = body(&request(&[], None, None));
    assert_eq!(
        (bare.get("tools"), bare.get("tool_choice"), &bare["messages"]),
        (None, None, &json!([]))
    );
}

#[test]
fn there_is_one_system_message_and_it_comes_first() {
    let items = [
        said("developer", "base"),
        said("developer", "limits"),
        said("user", "place"),
        said("user", "hi"),
        said("developer", "new limits"),
        said("user", "more"),
    ];
    check(
        &items,
        &json!([
            {"role": "system", "content": "base\n\nlimits"},
            {"role": "user", "content": "place\n\nhi\n\nnew limits\n\nmore"},
        ]),
    );
}

#[test]
fn calls_belong_to_the_message_before_them() {
    let items = [
        said("user", "hi"),
        json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}),
        said("assistant", "I look"),
        call("a", "f"),
        json!({"type": "custom_tool_call", "call_id": "b", "name": "apply_patch", "input": "*** \"x\""}),
        output("a", &json!("one")),
        json!({"type": "custom_tool_call_output", "call_id": "b", "output": "two"}),
        said("assistant", "done"),
    ];
    check(
        &items,
        &json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "I look", "reasoning_content": "hm", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "function", "function":
                    {"name": "apply_patch", "arguments": "{\"input\":\"*** \\\"x\\\"\"}"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "one"},
            {"role": "tool", "tool_call_id": "b", "content": "two"},
            {"role": "assistant", "content": "done"},
        ]),
    );
}

#[test]
fn thoughts_about_an_answer_are_not_repeated() {
    let thought = json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]});
    check(
        &[said("user", "a"), thought.clone(), said("assistant", "b"), said("user", "c"), thought],
        &json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ]),
    );
}

#[test]
fn pictures_are_shown_by_users() {
    let url = "data:image/png;base64,AA";
    let picture = json!({"type": "input_image", "image_url": url, "detail": "high"});
    let shown = json!({"type": "image_url", "image_url": {"url": url}});
    check(
        &[
            json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "look"}, picture]}),
        ],
        &json!([{"role": "user", "content": [{"type": "text", "text": "look"}, shown]}]),
    );
    let items = [
        call("a", "view"),
        call("b", "f"),
        output("a", &json!([picture])),
        output("b", &json!("text")),
        said("assistant", "nice"),
    ];
    let got = body(&request(&items, None, None));
    let roles: Vec<&str> =
        got["messages"].as_array().unwrap().iter().map(|it| it["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["assistant", "tool", "tool", "user", "assistant"]);
    assert_eq!(got["messages"][1]["content"], "(The picture follows.)");
    assert_eq!(got["messages"][3]["content"], json!([shown]));
}

#[test]
fn results_without_a_call_are_told() {
    let told = json!({"type": "function_call_output", "name": "weather", "namespace": "agent", "output": "rain"});
    check(
        &[said("user", "hi"), told, output("gone", &json!("x"))],
        &json!([{"role": "user", "content": "hi\n\nweather:\nrain\n\n:\nx"}]),
    );
}

#[test]
fn what_was_converted_once_is_converted_once() {
    let items = [
        said("developer", "base"),
        said("user", "a"),
        call("c", "f"),
        output("c", &json!([{"type": "input_image", "image_url": "data:x"}])),
        said("assistant", "b"),
        said("user", "c"),
    ];
    let mut messages = Messages::default();
    for end in 1..=items.len() {
        let request = request(&items[..end], None, None);
        let (grown, _) = encode(&request, &mut messages).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&grown).unwrap(), body(&request), "{end}");
    }
    let other = request(&[said("user", "another history")], None, None);
    let (changed, _) = encode(&other, &mut messages).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&changed).unwrap(), body(&other));
}

fn tools() -> Tools {
    Tools::new(Some(&raw(&json!([
        {"type": "function", "name": "f", "parameters": {}},
        {"type": "custom", "name": "apply_patch", "description": "d", "format": {"type": "grammar", "definition": "start: x"}},
        {"type": "namespace", "name": "mcp__server", "tools": [{"type": "function", "name": "do it", "parameters": {}}]},
        {"type": "namespace", "name": "functions", "tools": [{"type": "function", "name": "g", "parameters": {}}]},
    ]))))
}

#[test]
fn every_tool_is_a_function() {
    let tools = tools();
    let all: Value = serde_json::from_str(tools.definitions().unwrap().get()).unwrap();
    let names: Vec<&str> =
        all.as_array().unwrap().iter().map(|it| it["function"]["name"].as_str().unwrap()).collect();
    assert_eq!(&names[..2], ["f", "apply_patch"]);
    assert!(names[2].starts_with("mcp__server__do_it_") && !names[2].contains(' '), "{names:?}");
    assert_eq!(names[3], "g");
    let patch = &all[1]["function"];
    assert_eq!(patch["parameters"]["required"], json!(["input"]));
    assert!(patch["description"].as_str().unwrap().ends_with("start: x"));
    let meant =
        tool::Tool::Function { namespace: Some("mcp__server".into()), name: "do it".into() };
    assert_eq!(tools.called(names[2]), meant);
    assert!(tool::flat_name(Some(&"n".repeat(70)), "x").len() <= 64);
    assert_ne!(
        tool::flat_name(Some("a"), &"x".repeat(70)),
        tool::flat_name(Some("a"), &"x".repeat(71))
    );
}

/// What an answer of these chunks means, in short.
fn answered(chunks: &[&str]) -> Vec<String> {
    let mut answer = Answer::new(tools());
    let mut events = Vec::new();
    for chunk in chunks {
        answer.take(chunk.as_bytes(), &mut events);
    }
    answer.end(&mut events);
    events.iter().map(told).collect()
}

fn told(event: &StreamEvent) -> String {
    match event {
        StreamEvent::ItemAdded(OutputItem::Message { .. }) => "message".to_owned(),
        StreamEvent::ItemAdded(OutputItem::Reasoning { .. }) => "reasoning".to_owned(),
        StreamEvent::TextDelta { delta, .. } => format!("+{delta}"),
        StreamEvent::ReasoningDelta { delta, .. } => format!("~{delta}"),
        StreamEvent::ItemDone { item, raw } => {
            let again = OutputItem::decode(raw).unwrap();
            assert_eq!(again, *item, "what is kept is what was told");
            match item {
                OutputItem::Message { text, .. } => format!("said {}", text.as_deref().unwrap()),
                OutputItem::Reasoning { content, .. } => format!("thought {}", content.join("")),
                OutputItem::FunctionCall { call_id, name, namespace, arguments, .. } => {
                    format!(
                        "{call_id} {}{name} {arguments}",
                        namespace.as_deref().unwrap_or_default()
                    )
                }
                OutputItem::CustomToolCall { call_id, name, input, .. } => {
                    format!("{call_id} {name} {input}")
                }
                OutputItem::ToolSearchCall { .. }
                | OutputItem::WebSearchCall { .. }
                | OutputItem::Compaction
                | OutputItem::Other => {
                    format!("{item:?}")
                }
            }
        }
        StreamEvent::Completed { usage, .. } => {
            format!("completed {:?}", usage.as_ref().map(|it| it.total_tokens))
        }
        StreamEvent::Failed(error) => format!("failed: {error}"),
        StreamEvent::Headers(_)
        | StreamEvent::Created
        | StreamEvent::ItemAdded(_)
        | StreamEvent::SummaryPartAdded { .. }
        | StreamEvent::InputDelta { .. }
        | StreamEvent::SummaryDelta { .. }
        | StreamEvent::Verification(_)
        | StreamEvent::FellBack(_) => format!("{event:?}"),
    }
}

#[test]
fn texts_come_as_they_grow() {
    // As llama.cpp's server streams.
    let told = answered(&[
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,"id":"chatcmpl-1","model":"m","object":"chat.completion.chunk"}"#,
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":"Hm"}}]}"#,
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":"."}}]}"#,
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"Hel"}}]}"#,
        "nonsense",
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"lo"}}]}"#,
        r#"{"choices":[{"finish_reason":"stop","index":0,"delta":{}}]}"#,
        r#"{"choices":[],"usage":{"completion_tokens":2,"prompt_tokens":5,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":3}},"timings":{"prompt_n":2}}"#,
        "[DONE]",
    ]);
    let expected = [
        "reasoning",
        "~Hm",
        "~.",
        "thought Hm.",
        "message",
        "+Hel",
        "+lo",
        "said Hello",
        "completed Some(7)",
    ];
    assert_eq!(told, expected);
}

#[test]
fn calls_come_in_pieces() {
    let told = answered(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"apply_patch","arguments":"{\"input\":\"*** "}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"","function":{"name":null,"arguments":"Begin\"}"}}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
    ]);
    assert_eq!(told, ["a f {\"x\":1}", "b apply_patch *** Begin", "completed None"]);
}

#[test]
fn calls_may_lack_all_but_a_name() {
    let told = answered(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x":1}}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"id":"b","function":{"name":"apply_patch","arguments":"bare"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"id":"a2","function":{"name":"unknown"}}]},"finish_reason":"stop"}]}"#,
    ]);
    assert_eq!(told, ["a f {\"x\":1}", "b apply_patch bare", "a2 unknown {}", "completed None"]);
    let told = answered(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}},{"index":1,"function":{"name":"g"}}]},"finish_reason":"tool_calls"}]}"#,
    ]);
    let ids: Vec<&str> =
        told.iter().filter_map(|it| it.split_once(' ')).map(|(id, _)| id).collect();
    assert!(
        ids[0].starts_with("call_") && ids[1].starts_with("call_") && ids[0] != ids[1],
        "{told:?}"
    );
}

#[test]
fn texts_may_come_as_parts() {
    let told = answered(&[
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"Hi"}]}}]}"#,
        r#"{"choices":[{"delta":{"content":[]},"finish_reason":"stop"}]}"#,
        r#"{"choices":null,"usage":{"prompt_tokens":1,"completion_tokens":1}}"#,
    ]);
    assert_eq!(told, ["message", "+Hi", "said Hi", "completed Some(2)"]);
}

#[test]
fn answers_may_end_badly() {
    let text = r#"{"choices":[{"delta":{"content":"Hel"}}]}"#;
    let lead = ["message", "+Hel"];
    let told = answered(&[text]);
    assert_eq!(told[..2], lead);
    assert_eq!(
        told[2],
        "failed: stream disconnected before completion: the stream ended without a finish_reason"
    );
    let told = answered(&[text, r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#]);
    assert_eq!(
        told[2..],
        ["said Hel", "failed: Incomplete response returned, reason: max_output_tokens"]
    );
    let told = answered(&[
        text,
        r#"{"error":{"code":500,"message":"no memory","type":"server_error"}}"#,
        text,
    ]);
    assert_eq!(told[2..], ["failed: stream disconnected before completion: no memory"]);
    let told =
        answered(&[r#"{"error":{"code":400,"message":"m","type":"exceed_context_size_error"}}"#]);
    assert!(told[0].contains("context window"), "{told:?}");
}
