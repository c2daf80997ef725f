//! Scripts that are played in the place of a provider, and the built-in tour.

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::model::item::OutputItem;
use crate::model::provider::Wire;
use crate::model::request::Encoded;
use crate::model::tests::client;
use crate::model::{Client, Provider};

struct Stage {
    client: Client,
    provider: Arc<Provider>,
    script: PathBuf,
    _dir: TempDir,
}

impl Stage {
    fn new(script: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("script.jsonl");
        std::fs::write(&path, script).unwrap();
        let wire = Wire::Scripted { script: Some(path.clone()) };
        let provider = Provider { wire, ..Provider::built_in("scripted", None).unwrap() };
        Self { client: client(), provider: Arc::new(provider), script: path, _dir: dir }
    }

    async fn ask(&self, thread: &str) -> Vec<StreamEvent> {
        let body = Encoded::from("12345678");
        let request = Request { thread: thread.to_owned(), body, ..Request::default() };
        let mut stream = self.client.stream(&self.provider, request);
        let mut all = Vec::new();
        while let Some(batch) = stream.next().await {
            all.extend(batch);
        }
        all
    }

    /// The text of an answer, or its failure.
    async fn text(&self, thread: &str) -> String {
        text(&self.ask(thread).await)
    }
}

fn text(events: &[StreamEvent]) -> String {
    let last = events.last().unwrap();
    if let StreamEvent::Failed(error) = last {
        return error.to_string();
    }
    assert!(matches!(last, StreamEvent::Completed { .. }), "{last:?}");
    let done = events.iter().find_map(|event| {
        if let StreamEvent::ItemDone { item: OutputItem::Message { text, .. }, .. } = event {
            text.clone()
        } else {
            None
        }
    });
    done.unwrap_or_default()
}

#[tokio::test]
async fn plays_events_as_they_stand() {
    let stage = Stage::new(concat!(
        "// A comment.\n\n",
        r#"{"type":"response.output_item.added","item":{"type":"message","role":"assistant","content":[]}}"#,
        "\n  ",
        r#"{"type":"response.output_text.delta","delta":"Hi"}"#,
        "\n",
        r#"{"type":"script.wait","ms":30}"#,
        "\n",
        r#"{"type":"response.completed","response":{"id":"r"}}"#,
        "\n",
        r#"{"type":"response.failed","response":{"error":{"code":"bio_policy","message":"no"}}}"#,
    ));
    let started = std::time::Instant::now();
    let events = stage.ask("t").await;
    assert!(started.elapsed() >= Duration::from_millis(30));
    assert_eq!(events.len(), 4);
    assert!(matches!(&events[0], StreamEvent::Headers(_)));
    assert!(matches!(&events[2], StreamEvent::TextDelta { delta, .. } if delta == "Hi"));
    assert!(matches!(&events[3], StreamEvent::Completed { .. }));
    assert_eq!(stage.text("t").await, "no");
}

#[tokio::test]
async fn messages_stream_word_by_word() {
    let stage = Stage::new(r#"{"type":"script.message","text":"One two  three"}"#);
    let events = stage.ask("t").await;
    let deltas: Vec<&str> = events
        .iter()
        .filter_map(|event| {
            if let StreamEvent::TextDelta { delta, .. } = event {
                Some(delta.as_str())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(deltas.concat(), "One two  three");
    assert!(deltas.len() >= 3);
    assert!(matches!(&events[2], StreamEvent::ItemAdded(OutputItem::Message { .. })));
    assert_eq!(text(&events), "One two  three");
    let Some(StreamEvent::Completed { usage: Some(usage), .. }) = events.last() else { panic!() };
    assert_eq!((usage.input_tokens, usage.total_tokens), (2, 2 + usage.output_tokens));
}

#[tokio::test]
async fn calls_are_answers_of_their_own() {
    let stage = Stage::new(concat!(
        r#"{"type":"script.call","name":"exec_command","arguments":{"cmd":"ls"},"call_id":"c1"}"#,
        "\n",
        r#"{"type":"script.call","name":"apply_patch","input":"*** Begin Patch"}"#,
        "\n",
        r#"{"type":"script.call","name":"n","namespace":"s","arguments":"{}"}"#,
    ));
    let mut items = Vec::new();
    for _ in 0..3 {
        items.extend(stage.ask("t").await.into_iter().filter_map(|event| {
            if let StreamEvent::ItemDone { item, .. } = event { Some(item) } else { None }
        }));
    }
    let OutputItem::FunctionCall { call_id, name, arguments, .. } = &items[0] else { panic!() };
    assert_eq!(
        (&call_id[..], &name[..], &arguments[..]),
        ("c1", "exec_command", r#"{"cmd":"ls"}"#)
    );
    let OutputItem::CustomToolCall { call_id, input, .. } = &items[1] else { panic!() };
    assert!(call_id.starts_with("call_") && input == "*** Begin Patch");
    let OutputItem::FunctionCall { namespace, .. } = &items[2] else { panic!() };
    assert_eq!(namespace.as_deref(), Some("s"));
}

#[tokio::test]
async fn each_thread_plays_from_the_start() {
    let stage = Stage::new(concat!(
        r#"{"type":"script.message","text":"one"}"#,
        "\n",
        r#"{"type":"script.message","text":"two"}"#,
    ));
    assert_eq!(stage.text("a").await, "one");
    assert_eq!(stage.text("a").await, "two");
    assert_eq!(stage.text("b").await, "one");
    assert_eq!(stage.text("a").await, OVER);
    assert_eq!(stage.text("a").await, OVER);
}

#[tokio::test]
async fn says_what_is_wrong_with_a_script() {
    let stage = Stage::new("\n{\"type\":\"script.wait\"}\n");
    let path = stage.script.display();
    let refusal = stage.text("t").await;
    assert!(refusal.starts_with(&format!("{path}, line 2: missing field `ms`")), "{refusal}");
    for line in ["nonsense", "{}", r#"{"type":"script.message"}"#, r#"{"type":"script.call"}"#] {
        assert_eq!(parse(line).unwrap_err().line, 1, "{line}");
    }
    let what = |line: &str| parse(line).unwrap_err().what;
    let cut = r#"{"type":"script.wait","ms":"#;
    assert_eq!(what(cut), "this is not JSON: EOF while parsing a value at column 27");
    assert!(what(r#"{"type":"script.say"}"#).starts_with("unknown step `script.say`, expected"));
    std::fs::remove_file(&stage.script).unwrap();
    let refusal = stage.text("t").await;
    assert!(refusal.starts_with("the script /") && refusal.contains("cannot be read"), "{refusal}");
    let cut = Stage::new(r#"{"type":"response.created"}"#).text("t").await;
    assert!(cut.ends_with("stream closed before response.completed"), "{cut}");
}

#[tokio::test]
async fn the_tour_can_be_taken() {
    let hasty = TOUR.replace("\"delay_ms\":12,", "");
    assert_ne!(hasty, TOUR);
    let stage = Stage::new(&hasty);
    let mut calls = Vec::new();
    let mut texts = Vec::new();
    for _ in 0..7 {
        let events = stage.ask("t").await;
        for event in &events {
            if let StreamEvent::ItemDone {
                item: OutputItem::FunctionCall { name, arguments, .. },
                ..
            } = event
            {
                calls.push((name.clone(), serde_json::from_str::<Value>(arguments).unwrap()));
            }
        }
        texts.push(text(&events));
    }
    assert_eq!(texts.iter().filter(|text| text.is_empty()).count(), 2);
    assert_eq!(texts.last().map(String::as_str), Some(OVER));
    assert!(calls.iter().all(|(name, _)| name == "exec_command"));
    assert_eq!(calls[0].1["sandbox_permissions"], "require_escalated");
    assert!(
        calls[1].1["cmd"].as_str().unwrap().starts_with("apply_patch <<'EOF'\n*** Begin Patch\n")
    );
}
