//! `thread/resume`: from disk and of a loaded thread, and what comes back.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Gate, Lab, ev, held};

#[test]
fn a_stored_thread_in_order() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    let last = client.run(&thread, "two");
    drop(client);
    let client = lab.start();
    let mark = client.mark();
    let answer = client.resume(&thread);
    let usage = client.note("thread/tokenUsage/updated");
    insta::assert_snapshot!(client.since(mark), @"
    -> thread/resume
    <- thread/status/changed idle
    <= thread/resume
    <- thread/tokenUsage/updated
    ");
    let resumed = &answer["thread"];
    assert_eq!(
        json!([resumed["id"], resumed["turns"], resumed["status"]]),
        json!([thread, [], {"type": "idle"}])
    );
    assert_eq!(json!([resumed["preview"], resumed["canAcceptDirectInput"]]), json!(["one", true]));
    assert_eq!(
        json!([usage["turnId"], usage["tokenUsage"]["total"]["totalTokens"]]),
        json!([last["id"], 30])
    );
    let newest = json!({"threadId": thread, "cursor": answer["turnsBackwardsCursor"], "limit": 1});
    assert_eq!(client.request("thread/turns/list", newest)["data"][0]["id"], last["id"]);
    client.complete(&thread, "three");
    assert_eq!(lab.model.last().asked(), ["one", "two", "three"]);
}

#[test]
fn with_its_turns() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    client.complete(&thread, "two");
    drop(client);
    let client = lab.start();
    let answer = client.request("thread/resume", json!({"threadId": thread}));
    assert_eq!(answer["thread"]["turns"].as_array().unwrap().len(), 2);
    let page = json!({"threadId": thread, "excludeTurns": true, "initialTurnsPage": {"limit": 1}});
    let answer = client.request("thread/resume", page);
    assert_eq!(answer["initialTurnsPage"]["data"].as_array().unwrap().len(), 1);
    assert!(answer["initialTurnsPage"]["nextCursor"].is_string());
}

#[test]
fn settings_come_back() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let settings = json!({"model": "turn-model", "effort": "high", "approvalPolicy": "on-request",
        "sandboxPolicy": {"type": "readOnly"}});
    client.turn_with(&thread, settings);
    client.finish(&thread);
    drop(client);
    let client = lab.start();
    let answer = client.resume(&thread);
    let seen = |answer: &Value| {
        json!([
            answer["model"],
            answer["reasoningEffort"],
            answer["approvalPolicy"],
            answer["sandbox"]["type"]
        ])
    };
    assert_eq!(seen(&answer), json!(["turn-model", "high", "on-request", "readOnly"]));
    client.complete(&thread, "two");
    assert_eq!(lab.model.last().body["model"], "turn-model");
    drop(client);
    let client = lab.start();
    let more = json!({"threadId": thread, "excludeTurns": true, "model": "asked-model", "approvalPolicy": "never"});
    let answer = client.request("thread/resume", more);
    assert_eq!(
        seen(&answer),
        json!(["asked-model", null, "never", "readOnly"]),
        "an asked model drops the effort"
    );
    drop(client);
    let client = lab.start();
    assert_eq!(
        seen(&client.resume(&thread))[0],
        "asked-model",
        "what was asked stays, without a turn"
    );
}

#[test]
fn overrides_of_a_watched_thread_are_dropped() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    let answer = client.request(
        "thread/resume",
        json!({"threadId": thread, "excludeTurns": true, "model": "other"}),
    );
    assert_eq!(answer["model"], "mock-model");
    client.complete(&thread, "two");
    assert_eq!(client.notes("turn/completed").len(), 2, "resuming twice does not subscribe twice");
}

#[test]
fn a_running_turn_is_joined() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(
        &gate,
        vec![ev::created()],
        vec![ev::done(&ev::message("m", "late")), ev::completed()],
    ));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "now");
    gate.reached();
    client.item_completed("userMessage");
    let answer = client.request("thread/resume", json!({"threadId": thread}));
    assert_eq!(answer["thread"]["status"], json!({"type": "active", "activeFlags": []}));
    let running = &answer["thread"]["turns"][0];
    assert_eq!(json!([running["id"], running["status"]]), json!([turn, "inProgress"]));
    gate.open();
    assert_eq!(client.finish(&thread)["status"], "completed");
}

#[test]
fn by_path() {
    let lab = Lab::new();
    let client = lab.start();
    let started = client.request("thread/start", json!({}))["thread"].clone();
    let thread = started["id"].as_str().unwrap();
    client.complete(thread, "one");
    drop(client);
    let client = lab.start();
    let params = json!({"threadId": "ignored", "path": started["path"], "excludeTurns": true});
    assert_eq!(client.request("thread/resume", params)["thread"]["id"], thread);
    let missing = json!({"threadId": "ignored", "path": "/nope/x.jsonl"});
    let message = "failed to resolve rollout path `/nope/x.jsonl`: file does not exist";
    client.refused("thread/resume", missing, message);
}

#[test]
fn a_thread_has_one_writer() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    let other = lab.start();
    for method in ["thread/resume", "thread/archive", "thread/delete"] {
        let refusal = other.refuse(method, json!({"threadId": thread}));
        assert_eq!(refusal.message, format!("thread {thread} already has an active writer"));
        assert_eq!(refusal.data, Value::Null, "clients compare the whole error");
    }
    assert_eq!(
        other.request("thread/read", json!({"threadId": thread}))["thread"]["preview"],
        "one"
    );
    // However the writer ends, the next one need not wait.
    client.signal(Signal::KILL);
    other.resume(&thread);
    other.close();
    lab.start().resume(&thread);
}
