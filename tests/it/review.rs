//! Reviews: one turn whose result stays, and a reviewer that leaves nothing else behind.

use serde_json::{Value, json};

use crate::harness::server::until;
use crate::harness::{Client, Gate, Lab, ev, held, http, ours_only};

fn review(client: &Client, thread: &str) -> String {
    let target = json!({"type": "custom", "instructions": "look"});
    let answer = client.request("review/start", json!({"threadId": thread, "target": target}));
    answer["turn"]["id"].as_str().unwrap().to_owned()
}

fn told(texts: &[&str], what: &str) -> bool {
    texts.iter().any(|text| text.starts_with("<user_action>") && text.contains(what))
}

#[test]
fn the_reviewer_works_beside_the_history() {
    let lab = Lab::new();
    lab.model.reply(ev::text("one"));
    lab.model.reply(ev::items(&[
        ev::message("msg-2", "let me look"),
        ev::function("call-1", "exec_command", &json!({"cmd": "echo hi"})),
    ]));
    lab.model.reply(ev::text("all is well"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let before = lab.model.last().raw_input();
    let turn = review(&client, &thread);
    let done = client.finish(&thread);
    assert_eq!((&done["id"], &done["items"][0]["text"]), (&json!(turn), &json!("all is well")));
    let started = client.notes("turn/started").pop().unwrap();
    assert_eq!(started["turn"]["id"], turn, "one id throughout");
    let said: Vec<Value> =
        client.items("agentMessage").iter().map(|item| item["text"].clone()).collect();
    assert_eq!(said, ["one", "let me look", "all is well"]);
    client.complete(&thread, "second");
    let last = lab.model.last();
    assert_eq!(last.raw_input()[..before.len()], before);
    assert_eq!(last.texts("assistant"), ["one", "all is well"]);
    assert!(last.calls().is_empty(), "what the reviewer did is its own business");
    assert!(told(&last.texts("user"), "all is well"));
    let again = last.raw_input();
    client.close();
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "third");
    assert_eq!(lab.model.last().raw_input()[..again.len()], again);
}

#[test]
fn the_turn_that_was_answered_can_be_interrupted() {
    ours_only!();
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    let client = lab.start();
    let thread = client.thread();
    let turn = review(&client, &thread);
    gate.reached();
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    assert_eq!(client.items("exitedReviewMode").len(), 1);
    client.complete(&thread, "next");
    assert!(told(&lab.model.last().texts("user"), "broken off"));
}

#[test]
fn a_reviewer_that_fails_ends_the_review() {
    let lab = Lab::new();
    lab.model.reply(http(400, "no"));
    let client = lab.start();
    let thread = client.thread();
    review(&client, &thread);
    let done = client.finish(&thread);
    assert_eq!((&done["status"], &done["error"]["message"]), (&json!("failed"), &json!("no")));
    assert_eq!(client.items("exitedReviewMode").len(), 1);
    client.complete(&thread, "next");
}

#[test]
fn what_cannot_be_saved_does_not_begin() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let sessions = lab.home.home().join("sessions");
    if sessions.exists() {
        std::fs::remove_dir_all(&sessions).unwrap();
    }
    std::fs::write(&sessions, "in the way").unwrap();
    let target = json!({"type": "custom", "instructions": "look"});
    client.refuse("review/start", json!({"threadId": thread, "target": target}));
    client.refuse("thread/compact/start", json!({"threadId": thread}));
    assert!(client.notes("turn/started").is_empty());

    std::fs::remove_file(&sessions).unwrap();
    lab.model.reply(vec![ev::created(), ev::done(&ev::message("msg-1", "Fine.")), ev::completed()]);
    client.complete(&thread, "hello");
}

#[test]
fn a_review_is_something_new_in_its_thread() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let recency = || {
        let read = client.request("thread/read", json!({"threadId": thread}));
        read["thread"]["recencyAt"].as_i64()
    };
    lab.model.reply(vec![ev::created(), ev::done(&ev::message("msg-1", "{}")), ev::completed()]);
    let target = json!({"type": "custom", "instructions": "look"});
    let before = recency();
    until("a later second", || (now() > before.unwrap_or_default()).then_some(()));
    client.request("review/start", json!({"threadId": thread, "target": target}));
    client.finish(&thread);
    let reviewed = recency();
    assert!(reviewed > before, "{before:?} {reviewed:?}");
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

#[test]
fn a_reviewer_without_room_leaves_the_thread_as_it_was() {
    let lab = Lab::new();
    lab.model.reply(ev::text("one"));
    let refusal = json!({"error": {"code": "context_length_exceeded", "message": "m"}});
    lab.model.reply(http(400, &refusal));
    lab.model.reply(ev::text("two"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let used = client.notes("thread/tokenUsage/updated").len();
    review(&client, &thread);
    assert_eq!(client.finish(&thread)["status"], "failed");
    assert_eq!(client.notes("thread/tokenUsage/updated").len(), used);
    client.complete(&thread, "second");
    assert_eq!(lab.model.requests().len(), 3, "nothing had to be compacted");
}
