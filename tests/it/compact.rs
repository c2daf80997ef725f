//! Compaction: what a model knows afterwards, and that a failed one costs nothing.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, Step, ev, held, http};

/// Threads that are full at 20,000 tokens.
fn limited() -> Lab {
    let top = "model_auto_compact_token_limit = 20000".to_owned();
    Lab::with(&Config { top, ..Config::default() })
}

fn full(text: &str) -> Vec<Value> {
    vec![ev::created(), ev::done(&ev::message("msg-1", text)), ev::used(30_000, 5)]
}

fn full_call(call: &str) -> Vec<Value> {
    vec![
        ev::created(),
        ev::done(&ev::function(call, "exec_command", &json!({"cmd": "true"}))),
        ev::used(30_000, 5),
    ]
}

fn compact(client: &Client, thread: &str) -> Value {
    client.request("thread/compact/start", json!({"threadId": thread}));
    client.finish(thread)
}

#[test]
fn what_is_left_is_the_same_after_a_restart() {
    let lab = Lab::new();
    lab.model.reply(ev::text("one")).reply(ev::text("SUMMARY")).reply(ev::text("two"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    assert_eq!(compact(&client, &thread)["status"], "completed");
    client.complete(&thread, "second");
    let before = lab.model.last().raw_input();
    client.close();
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "third");
    let last = lab.model.last();
    assert_eq!(last.raw_input()[..before.len()], before, "the provider's cache still holds");
    assert_eq!(last.headers["x-codex-window-id"], format!("{thread}:1"));
    let users = last.texts("user");
    assert!(users.iter().any(|text| text.ends_with("SUMMARY")), "{users:?}");
    assert!(!last.texts("assistant").contains(&"one"));
}

#[test]
fn a_failed_one_changes_nothing() {
    let lab = Lab::new();
    lab.model.reply(ev::text("one")).reply(http(400, "no"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let before = lab.model.last().raw_input();
    let done = compact(&client, &thread);
    assert_eq!((&done["status"], &done["error"]["message"]), (&json!("failed"), &json!("no")));
    assert!(client.items("contextCompaction").is_empty(), "it is not completed");
    client.complete(&thread, "second");
    let last = lab.model.last();
    assert_eq!(last.raw_input()[..before.len()], before);
    assert_eq!(last.texts("assistant"), ["one"]);
}

#[test]
fn one_without_a_summary_has_failed() {
    let provider = "stream_max_retries = 1".to_owned();
    let lab = Lab::with(&Config { provider, ..Config::default() });
    let nothing = || ev::items(&[ev::message("msg-1", " ")]);
    let refusal = json!({"type": "message", "role": "assistant", "id": "msg-2",
        "content": [{"type": "refusal", "refusal": "no"}]});
    lab.model.reply(ev::text("one")).reply(nothing()).reply(nothing()).reply(ev::text("two"));
    lab.model.reply(nothing()).reply(ev::items(&[ev::message("msg-1", "SUMMARY"), refusal]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let done = compact(&client, &thread);
    let message = done["error"]["message"].as_str().unwrap();
    assert!(message.contains("holds no summary"), "{message}");
    client.complete(&thread, "second");
    assert_eq!(lab.model.last().texts("assistant"), ["one"], "nothing is lost");
    assert_eq!(compact(&client, &thread)["status"], "completed", "it is tried again");
    client.complete(&thread, "third");
    let last = lab.model.last();
    let summary = |text: &&str| text.ends_with("SUMMARY");
    assert!(last.texts("user").iter().any(summary), "a refusal that follows takes nothing back");
    assert_eq!(client.items("contextCompaction").len(), 1);
}

#[test]
fn what_does_not_fit_is_left_out_oldest_first() {
    let lab = Lab::new();
    let too_long = || vec![ev::created(), ev::failed("context_length_exceeded", "too long")];
    lab.model.reply(ev::shell("call-1", "true")).reply(ev::text("one"));
    lab.model.reply(too_long()).reply(too_long()).reply(too_long()).reply(ev::text("SUMMARY"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    assert_eq!(compact(&client, &thread)["status"], "completed");
    let requests = lab.model.requests();
    let sizes: Vec<usize> = requests[2..].iter().map(|request| request.input().len()).collect();
    assert!(sizes.is_sorted_by(|a, b| a > b), "{sizes:?}");
    let first = requests[2].raw_input()[0].clone();
    for request in &requests[2..] {
        assert_eq!(request.raw_input()[0], first, "the instructions stay");
        let calls = request.calls();
        assert!(
            calls.is_empty() || calls.len() == 2,
            "a call and its output go together: {calls:?}"
        );
    }
}

#[test]
fn input_waits_until_it_is_over() {
    let lab = limited();
    let gate = Gate::default();
    let summary = vec![ev::done(&ev::message("msg-2", "SUMMARY")), ev::completed()];
    lab.model.reply(full("one")).reply(held(&gate, vec![ev::created()], summary));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let turn = client.turn(&thread, "second");
    gate.reached();
    let steer = json!({"threadId": thread, "expectedTurnId": turn, "input": [{"type": "text", "text": "third"}]});
    client.request("turn/steer", steer);
    gate.open();
    assert_eq!(client.finish(&thread)["id"], turn);
    assert_eq!(lab.model.requests().len(), 3, "the compaction is not asked for again");
    let asked = lab
        .model
        .last()
        .texts("user")
        .iter()
        .rev()
        .take(2)
        .map(|t| (*t).to_owned())
        .collect::<Vec<_>>();
    assert_eq!(asked, ["third", "second"]);
}

#[test]
fn an_interrupt_ends_it() {
    let lab = limited();
    let gate = Gate::default();
    lab.model.reply(full("one")).reply(held(&gate, vec![ev::created()], vec![]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let turn = client.turn(&thread, "second");
    gate.reached();
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    lab.model.reply(ev::text("SUMMARY"));
    client.complete(&thread, "third");
    let last = lab.model.last();
    let users = last.texts("user");
    assert!(users.contains(&"second") && users.contains(&"third"), "no input is lost: {users:?}");
}

#[test]
fn a_running_turn_makes_way() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![])).reply(ev::text("SUMMARY"));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    gate.reached();
    client.request("thread/compact/start", json!({"threadId": thread}));
    let ended = client.finish(&thread);
    assert_eq!((&ended["id"], &ended["status"]), (&json!(turn), &json!("interrupted")));
    assert_eq!(client.finish(&thread)["status"], "completed");
    client.complete(&thread, "second");
    let last = lab.model.last();
    assert!(!last.texts("user").iter().any(|text| text.starts_with("<turn_aborted>")));
}

#[test]
fn those_that_gain_nothing_come_to_an_end() {
    let lab = limited();
    for number in 0..4 {
        lab.model.reply(Step::Ask(Box::new(move |request| {
            match request.body["tools"].is_null() {
                true => full("SUMMARY").into(),
                false => full_call(&format!("call-{number}")).into(),
            }
        })));
    }
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let compactions = client.items("contextCompaction").len();
    assert_eq!(compactions, 1);
    let warned = client.notes("warning").iter().any(|note| {
        note["message"].as_str().unwrap_or_default().contains("model_auto_compact_token_limit")
    });
    assert!(warned, "the user learns why");
}

#[test]
fn openai_compacts_by_itself() {
    let lab = Lab::with(&Config { name: "OpenAI", ..Config::default() });
    let item = json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "opaque"});
    lab.model.reply(ev::text("one")).reply(ev::items(&[item]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    assert_eq!(compact(&client, &thread)["status"], "completed");
    let request = lab.model.last();
    assert_eq!(request.input().last().unwrap(), &json!({"type": "compaction_trigger"}));
    assert!(request.body["tools"].is_array());
    client.complete(&thread, "second");
    let last = lab.model.last();
    let kinds: Vec<&str> = last.input().iter().filter_map(|item| item["type"].as_str()).collect();
    assert_eq!(kinds[kinds.len() - 2..], ["compaction", "message"]);
    assert!(last.texts("assistant").is_empty());
}
