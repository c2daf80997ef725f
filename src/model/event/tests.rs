//! What the events of a response stream decode to.

use serde_json::{Value, json};

use super::*;

fn event(value: &Value) -> Option<StreamEvent> {
    decode(value.to_string().as_bytes())
}

#[track_caller]
fn check(value: &Value, expected: &str) {
    assert_eq!(format!("{:?}", event(value)), expected, "{value}");
}

#[test]
fn decodes_deltas() {
    check(
        &json!({"type": "response.output_text.delta", "delta": "a\n\"ü\"", "logprobs": [], "item_id": "i"}),
        r#"Some(TextDelta { id: Some("i"), delta: "a\n\"ü\"" })"#,
    );
    check(
        &json!({"type": "response.reasoning_summary_part.added", "summary_index": 1, "part": {}}),
        "Some(SummaryPartAdded { id: None, summary_index: 1 })",
    );
    check(
        &json!({"type": "response.reasoning_summary_text.delta", "summary_index": 1, "delta": "s"}),
        r#"Some(SummaryDelta { id: None, summary_index: 1, delta: "s" })"#,
    );
    check(
        &json!({"type": "response.reasoning_text.delta", "content_index": 2, "delta": "r"}),
        r#"Some(ReasoningDelta { id: None, content_index: 2, delta: "r" })"#,
    );
    check(
        &json!({"type": "response.custom_tool_call_input.delta", "call_id": "c", "delta": "+x"}),
        r#"Some(InputDelta { delta: "+x" })"#,
    );
}

#[test]
fn skips_what_means_nothing() {
    for data in ["[DONE]", "", "{}", "[]", "{\"type\":1}", "\u{0}", "{\"type\":\"x\""] {
        assert!(decode(data.as_bytes()).is_none(), "{data}");
    }
    assert!(decode(b"{\"type\":\"response.output_text.delta\",\"delta\":\"\xff\"}").is_none());
    for value in [
        json!({"type": "response.in_progress", "response": {}}),
        json!({"type": "error", "code": "x", "message": "m"}),
        json!({"type": "response.output_text.delta", "delta": 5}),
        json!({"type": "response.output_text.delta"}),
        json!({"type": "response.reasoning_text.delta", "delta": "no index"}),
        json!({"type": "response.output_item.done", "item": {"type": "function_call", "name": "n"}}),
        json!({"type": "response.output_item.done"}),
        json!({"type": "response.completed"}),
    ] {
        check(&value, "None");
    }
}

#[test]
fn completes_with_usage() {
    let usage = json!({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 3}, "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 15});
    let done = event(&json!({"type": "response.completed", "response":
        {"id": "r", "usage": usage, "end_turn": false, "output": [1, 2]}}));
    let Some(StreamEvent::Completed { usage: Some(usage), end_turn }) = done else {
        panic!("{done:?}");
    };
    assert_eq!(end_turn, Some(false));
    let expected = Usage {
        input_tokens: 10,
        cached_input_tokens: 3,
        output_tokens: 5,
        reasoning_output_tokens: 2,
        total_tokens: 15,
    };
    assert_eq!(usage, expected);
    let bare = json!({"type": "response.completed", "response": {"id": "r",
        "usage": {"input_tokens": 1, "output_tokens": 2, "input_tokens_details": null}}});
    let done = event(&bare);
    assert!(
        matches!(&done, Some(StreamEvent::Completed { usage: Some(it), .. }) if it.total_tokens == 3),
        "{done:?}"
    );
    check(
        &json!({"type": "response.completed", "response": {"id": "r", "usage": null}}),
        r#"Some(Completed { usage: None, end_turn: None })"#,
    );
}

#[test]
fn fails_in_many_ways() {
    let text = |value: &Value| match event(value) {
        Some(StreamEvent::Failed(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let failed = text(&json!({"type": "response.failed", "response":
        {"id": "r", "error": {"code": "invalid_prompt", "message": "words"}}}));
    assert_eq!(failed, "words");
    for response in [json!(null), json!({}), json!({"error": null}), json!({"error": 5})] {
        let text = text(&json!({"type": "response.failed", "response": response}));
        assert!(text.starts_with("stream disconnected before completion: "), "{text}");
    }
    assert!(text(&json!({"type": "response.failed"})).starts_with("stream disconnected"));
    let incomplete = json!({"type": "response.incomplete", "response":
        {"incomplete_details": {"reason": "max_output_tokens"}}});
    assert_eq!(text(&incomplete), "Incomplete response returned, reason: max_output_tokens");
    let nameless = text(&json!({"type": "response.completed", "response": {}}));
    assert!(nameless.starts_with("stream disconnected before completion: "), "{nameless}");
    assert!(nameless.contains("id"), "{nameless}");
}

#[test]
fn items_come_with_their_bytes() {
    let data = "{\"type\":\"response.output_item.done\",\"item\":{ \"type\":\"message\",\n\"role\":\"assistant\",\
                \r\n\"x\":1.50,\"content\":[]}}";
    let Some(StreamEvent::ItemDone { item, raw }) = decode(data.as_bytes()) else { panic!() };
    assert!(matches!(item, OutputItem::Message { text: Some(text), .. } if text.is_empty()));
    assert_eq!(
        raw.get(),
        r#"{ "type":"message","role":"assistant","x":1.50,"content":[]}"#,
        "on one line, else as it came"
    );
    let added = event(
        &json!({"type": "response.output_item.added", "item": {"type": "reasoning", "id": "rs_1"}}),
    );
    let Some(StreamEvent::ItemAdded(OutputItem::Reasoning { id, summary, .. })) = added else {
        panic!()
    };
    assert_eq!((id.as_deref(), summary.len()), (Some("rs_1"), 0));
}

/// Run with `--ignored --nocapture` in release mode to see what an event costs.
#[test]
#[ignore = "a measurement"]
fn deltas_are_cheap() {
    use crate::model::sse::{MAX_EVENT, Parser};
    let delta = json!({"type": "response.output_text.delta", "delta": "some words ", "item_id": "msg_0123456789",
        "output_index": 0, "content_index": 0, "sequence_number": 12, "logprobs": [], "obfuscation": "abcdefgh"});
    let count = 50_000;
    let stream = format!("event: response.output_text.delta\ndata: {delta}\n\n").repeat(count);
    let started = std::time::Instant::now();
    let mut parser = Parser::new(MAX_EVENT);
    let mut seen = 0;
    for chunk in stream.as_bytes().chunks(8000) {
        parser.feed(chunk, |data| seen += usize::from(decode(data).is_some())).unwrap();
    }
    println!("{:?} for each delta", started.elapsed() / u32::try_from(count).unwrap());
    assert_eq!(seen, count);
}

#[test]
fn a_dated_name_is_the_same_model() {
    let rerouted = |served: Option<&str>| {
        let headers = ResponseHeaders {
            served_model: served.map(str::to_owned),
            ..ResponseHeaders::default()
        };
        headers.rerouted_from("m-5").map(str::to_owned)
    };
    for same in [None, Some("m-5"), Some("m-5-2026-01-01")] {
        assert_eq!(rerouted(same), None);
    }
    for other in ["m-4", "m-5-mini", "m-55", "x"] {
        assert_eq!(rerouted(Some(other)).as_deref(), Some(other));
    }
}

#[test]
fn decodes_what_the_provider_wants_of_the_account() {
    let metadata = |names: Value| {
        json!({"type": "response.metadata",
            "metadata": {"openai_verification_recommendation": names}})
    };
    check(
        &metadata(json!(["new", "trusted_access_for_cyber"])),
        "Some(Verification([TrustedAccessForCyber]))",
    );
    check(&metadata(json!(["new"])), "None");
    check(&json!({"type": "response.metadata", "metadata": {}}), "None");
}
