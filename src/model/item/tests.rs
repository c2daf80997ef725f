//! Output items: what they decode to, and how they are sent back.

use serde_json::{Value, json};

use super::*;

fn item(value: &Value) -> Option<OutputItem> {
    OutputItem::decode(&raw(value))
}

#[test]
fn messages_have_texts_or_are_refusals() {
    let message = |content: Value| {
        let value =
            json!({"type": "message", "role": "assistant", "id": "msg_1", "content": content});
        match item(&value) {
            Some(OutputItem::Message { text, .. }) => text,
            other => panic!("{other:?}"),
        }
    };
    let text = |text: &str| json!({"type": "output_text", "text": text, "annotations": []});
    let refusal = json!({"type": "refusal", "refusal": "no"});
    assert_eq!(message(json!([text("a"), text("b")])).as_deref(), Some("ab"));
    assert_eq!(message(json!([text("a"), refusal])).as_deref(), Some("a"));
    assert_eq!(message(json!([refusal])), None);
    assert_eq!(message(json!([])).as_deref(), Some(""));
    assert_eq!(message(json!(null)).as_deref(), Some(""));
}

#[test]
fn messages_may_say_their_phase() {
    let phase = |phase: Value| {
        let value = json!({"type": "message", "role": "assistant", "content": [], "phase": phase});
        match item(&value) {
            Some(OutputItem::Message { phase, id: None, .. }) => phase,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(phase(json!("commentary")), Some(MessagePhase::Commentary));
    assert_eq!(phase(json!("final_answer")), Some(MessagePhase::FinalAnswer));
    assert_eq!(phase(json!("coda")), None);
    assert_eq!(phase(json!(null)), None);
}

#[test]
fn decodes_reasoning() {
    let value = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "x",
        "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
        "content": [{"type": "reasoning_text", "text": "c"}]});
    let expected = OutputItem::Reasoning {
        id: Some("rs_1".to_owned()),
        summary: vec!["a".to_owned(), "b".to_owned()],
        content: vec!["c".to_owned()],
    };
    assert_eq!(item(&value), Some(expected));
}

#[test]
fn decodes_calls() {
    let call = json!({"type": "function_call", "call_id": "c", "name": "n", "namespace": "functions",
        "arguments": "{\"a\": 1}", "status": "completed"});
    let expected = |namespace: Option<&str>, arguments: &str| OutputItem::FunctionCall {
        id: None,
        call_id: "c".to_owned(),
        name: "n".to_owned(),
        namespace: namespace.map(str::to_owned),
        arguments: arguments.to_owned(),
    };
    assert_eq!(item(&call), Some(expected(Some("functions"), "{\"a\": 1}")));
    let object =
        json!({"type": "function_call", "call_id": "c", "name": "n", "arguments": {"a": 1}});
    assert_eq!(item(&object), Some(expected(None, "{\"a\":1}")));
    let custom = json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "", "name": "n", "input": "text"});
    let expected = OutputItem::CustomToolCall {
        id: Some("ctc_1".to_owned()),
        call_id: String::new(),
        name: "n".to_owned(),
        input: "text".to_owned(),
    };
    assert_eq!(item(&custom), Some(expected));
    assert_eq!(item(&json!({"type": "custom_tool_call", "call_id": "c", "name": "n"})), None);
}

#[test]
fn searches_are_told_in_words() {
    let search = |action: Value| match item(&json!({"type": "web_search_call", "action": action})) {
        Some(OutputItem::WebSearchCall { query, action, .. }) => (query, action),
        other => panic!("{other:?}"),
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        search(json!({"type": "search", "query": "q"})),
        ("q".to_owned(), WebSearchAction::Search { query: text("q"), queries: None })
    );
    assert_eq!(
        search(json!({"type": "open_page", "url": "u"})),
        ("u".to_owned(), WebSearchAction::OpenPage { url: text("u") })
    );
    assert_eq!(
        search(json!({"type": "find_in_page", "url": "u", "pattern": "p"})),
        ("'p' in u".to_owned(), WebSearchAction::FindInPage { url: text("u"), pattern: text("p") })
    );
    for action in [json!(null), json!({"type": "dance"})] {
        assert_eq!(search(action), (String::new(), WebSearchAction::Other));
    }
}

#[test]
fn ignores_unknown_items() {
    assert_eq!(
        item(&json!({"type": "image_generation_call", "result": "x"})),
        Some(OutputItem::Other)
    );
    assert_eq!(item(&json!({"no": "type"})), None);
}

/// `expected` stands for made-up ids by `…`.
#[track_caller]
fn returns(sent: &str, expected: &str) {
    let sent: Box<RawValue> = serde_json::from_str(sent).unwrap();
    let back = history_item(&sent);
    let Some((before, after)) = expected.split_once('…') else {
        return assert_eq!(back.get(), expected);
    };
    let id = back.get().strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let id = id.unwrap_or_else(|| panic!("{}", back.get()));
    assert!(Uuid::parse_str(id).is_ok(), "{id}");
}

#[test]
fn items_go_back_as_they_came() {
    for text in [
        r#"{"type":"message", "id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"a"}],"x":1.0}"#,
        r#"{"id":"fc_1","type":"function_call","call_id":"c","name":"n","arguments":"{}"}"#,
        r#"{"type":"custom_tool_call","id":"ctc_1","call_id":"c","name":"n","input":""}"#,
        r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#,
        r#"{"type":"compaction","id":"any","encrypted_content":"x"}"#,
        r#"{"no":"type"}"#,
        "[1]",
    ] {
        returns(text, text);
    }
}

#[test]
fn foreign_ids_are_left_out_and_missing_ones_made_up() {
    returns(
        r#"{"type":"message","id":"msg-1","role":"assistant"}"#,
        r#"{"type":"message","role":"assistant"}"#,
    );
    returns(
        r#"{"type":"function_call","id":"x","name":"n"}"#,
        r#"{"type":"function_call","name":"n"}"#,
    );
    returns(
        r#"{"type":"message","role":"assistant"}"#,
        r#"{"type":"message","id":"msg_…","role":"assistant"}"#,
    );
    returns(
        r#"{"name":"n","type":"function_call","id":null}"#,
        r#"{"name":"n","type":"function_call","id":"fc_…"}"#,
    );
    returns(
        r#"{"type":"custom_tool_call","input":""}"#,
        r#"{"type":"custom_tool_call","id":"ctc_…","input":""}"#,
    );
}

#[test]
fn reasoning_goes_back_reduced() {
    returns(
        r#"{"id":"rs_1","type":"reasoning","status":"completed","encrypted_content":"e","summary":[ 1 ]}"#,
        r#"{"type":"reasoning","id":"rs_1","summary":[ 1 ],"content":null,"encrypted_content":"e"}"#,
    );
    returns(
        r#"{"type":"reasoning","id":"other","summary":[],"content":[{"type":"reasoning_text","text":"t"}]}"#,
        r#"{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"t"}],"encrypted_content":null}"#,
    );
    returns(
        r#"{"type":"reasoning"}"#,
        r#"{"type":"reasoning","id":"rs_…","summary":[],"content":null,"encrypted_content":null}"#,
    );
}
