//! The rules of order: that the checker sees what breaks them, and that a busy turn keeps them.

use serde_json::{Value, json};

use crate::harness::order::violations;
use crate::harness::trace::Entry;
use crate::harness::{Lab, ev, schema};

/// `>` lines were sent by the client, `<` lines by the server.
fn check(lines: &[Value]) -> Vec<String> {
    let entry = |line: &Value| {
        let mut message = line[1].clone();
        if message.get("method").is_some() && message.get("id").is_none() {
            message["emittedAtMs"] = json!(1);
        }
        Entry { sent: line[0] == ">", loose: false, message }
    };
    let trace: Vec<Entry> = lines.iter().map(entry).collect();
    violations(&trace)
}

fn status(kind: &str, flags: &[&str]) -> Value {
    let mut status = json!({"type": kind});
    if kind == "active" {
        status["activeFlags"] = json!(flags);
    }
    json!(["<", {"method": "thread/status/changed", "params": {"threadId": "t", "status": status}}])
}

fn turn(method: &str) -> Value {
    json!(["<", {"method": method, "params": {"threadId": "t", "turn": {"id": "T"}}}])
}

fn item(method: &str) -> Value {
    json!(["<", {"method": method, "params": {"threadId": "t", "turnId": "T", "item": {"type": "agentMessage", "id": "i"}}}])
}

fn delta() -> Value {
    json!(["<", {"method": "item/agentMessage/delta", "params": {"threadId": "t", "turnId": "T", "itemId": "i"}}])
}

fn asked() -> Value {
    let params = json!({"threadId": "t", "turnId": "T", "itemId": "i"});
    json!(["<", {"id": 0, "method": "item/fileChange/requestApproval", "params": params}])
}

fn resolved() -> Value {
    json!(["<", {"method": "serverRequest/resolved", "params": {"threadId": "t", "requestId": 0}}])
}

/// A turn in good order.
fn good() -> Vec<Value> {
    vec![
        json!([">", {"id": 1, "method": "turn/start", "params": {}}]),
        json!(["<", {"id": 1, "result": {"turn": {"id": "T"}}}]),
        status("active", &[]),
        turn("turn/started"),
        item("item/started"),
        status("active", &["waitingOnApproval"]),
        asked(),
        json!([">", {"id": 0, "result": {"decision": "accept"}}]),
        resolved(),
        status("active", &[]),
        delta(),
        item("item/completed"),
        status("idle", &[]),
        turn("turn/completed"),
    ]
}

#[test]
fn a_good_turn_breaks_nothing() {
    assert_eq!(check(&good()), [""; 0]);
}

#[test]
fn every_single_disorder_is_seen() {
    let without = |at: usize| {
        let mut lines = good();
        lines.remove(at);
        lines
    };
    let twice = |at: usize| {
        let mut lines = good();
        lines.insert(at, lines[at].clone());
        lines
    };
    let swapped = |one: usize, other: usize| {
        let mut lines = good();
        lines.swap(one, other);
        lines
    };
    for (lines, text) in [
        (without(2), "turn/started while the thread is not active"),
        (without(3), "of a turn that has not started"),
        (without(4), "of item i, which is not running"),
        (without(6), "which was not asked"),
        (without(12), "turn/completed while the thread is active"),
        (twice(1), "is answered twice"),
        (twice(3), "turn/started twice"),
        (twice(4), "is started twice"),
        (twice(8), "of 0 twice"),
        (twice(11), "which is not running"),
        (twice(12), "the status changes to what it was"),
        (twice(13), "turn/completed twice"),
        (swapped(10, 11), "which is not running"),
        (swapped(4, 13), "of a turn that has not started"),
    ] {
        let seen = check(&lines);
        let hidden = text == "of a turn that has not started"
            && seen.iter().any(|s| s.contains("turn/completed"));
        assert!(hidden || seen.iter().any(|s| s.contains(text)), "{text} is not in {seen:?}");
    }
    let late = [good(), vec![status("active", &[]), item("item/started")]].concat();
    assert!(check(&late).iter().any(|s| s.contains("of a turn that is over")));
}

#[test]
fn the_schema_is_held_against_messages() {
    let sees = |sent: bool, message: Value| {
        let asked =
            json!({"id": 1, "method": "thread/name/set", "params": {"threadId": "t", "name": "n"}});
        let asked = Entry { sent: true, loose: false, message: asked };
        schema::violations(&[asked, Entry { sent, loose: false, message }]).join(" ")
    };
    let completed =
        json!({"method": "turn/completed", "params": {"threadId": "t", "turn": {"id": 5}}});
    assert!(sees(false, completed).contains("turn/completed"));
    assert!(sees(false, json!({"id": 1, "result": null})).contains("answer to thread/name/set"));
    let unknown = json!({"method": "no/such/notification", "params": {}});
    assert!(sees(false, unknown).contains("is not in ServerNotification"));
    assert_eq!(sees(false, json!({"id": 1, "result": {}})), "");
}

#[test]
fn a_busy_turn_keeps_them() {
    let lab = Lab::new();
    let commands: Vec<Value> = (0..4)
        .map(|n| ev::command(&format!("c{n}"), &format!("sleep 0.{n}; echo {n}"), &Value::Null))
        .collect();
    let first =
        [vec![ev::reasoning("rs-1", &["why"], &[]), ev::message("m1", "working")], commands]
            .concat();
    lab.model.reply(ev::items(&first));
    lab.model.reply(ev::patch("p1", &["*** Add File: n", "+x"]));
    lab.model.reply(ev::streamed("m2", &["a", "b", "c"]));
    let client = lab.start();
    let (thread, other) = (client.thread(), client.thread());
    client.turn(&thread, "go");
    client.complete(&other, "meanwhile");
    assert_eq!(client.finish(&thread)["status"], "completed");
    let mut kinds: Vec<String> = client
        .notes("item/completed")
        .iter()
        .map(|p| p["item"]["type"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(
        kinds,
        ["agentMessage", "commandExecution", "fileChange", "reasoning", "userMessage"]
    );
}
