//! What of a thread the user has not read.

use serde_json::{Value, json};

use crate::harness::{Client, Lab, ev, http};

fn read(client: &Client, thread: &str) -> Value {
    client.request("thread/read", json!({"threadId": thread}))["readState"].clone()
}

fn update(thread: &str, seen: &Value, operation: &str) -> Value {
    json!({"threadId": thread, "expectedRevision": seen["revision"], "operation": {"type": operation}})
}

#[test]
fn unread_results_are_kept_until_somebody_reads_them() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    assert_eq!(read(&client, &thread), Value::Null, "there is nothing to read");
    lab.model.reply(http(400, r#"{"error": {"message": "no"}}"#));
    let failed = client.run(&thread, "one")["id"].clone();
    let heard = client.heard();
    let told = ["thread/readState/changed", "thread/status/changed", "error", "turn/completed"];
    assert!(heard.ends_with(&told.map(str::to_owned)), "{heard:?}");
    client.complete(&thread, "two");
    let unread = read(&client, &thread);
    assert_eq!(
        unread["firstUnread"],
        json!({"type": "turn", "turnId": failed}),
        "a failure is a result"
    );
    let listed = client.request("thread/list", json!({}));
    assert_eq!(listed["readStates"], json!({&thread: unread}));

    let done = client.request("thread/readState/update", update(&thread, &unread, "read"));
    let done = &done["readState"];
    assert_eq!((&done["firstUnread"], &read(&client, &thread)), (&Value::Null, done));
    let told = client.notes("thread/readState/changed").pop().unwrap();
    assert_eq!(told, json!({"threadId": thread, "readState": done}));
    let refusal = client.refuse("thread/readState/update", update(&thread, &unread, "unread"));
    assert_eq!(refusal.data, json!({"reason": "readStateConflict", "readState": done}));

    let third = client.run(&thread, "three")["id"].clone();
    let kept = read(&client, &thread);
    assert_eq!(kept["firstUnread"], json!({"type": "turn", "turnId": third}));
    client.close();
    let client = lab.start();
    assert_eq!(read(&client, &thread), kept);
    // A thread that is loaded again goes on from where its reader has stopped.
    client.resume(&thread);
    client.complete(&thread, "four");
    assert_eq!(read(&client, &thread)["firstUnread"], kept["firstUnread"]);
    let again = client
        .request("thread/readState/update", update(&thread, &read(&client, &thread), "unread"));
    assert_eq!(again["readState"]["firstUnread"], json!({"type": "threadStart"}));
}

#[test]
fn automations_have_no_reader() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread_with(json!({"threadSource": "nightly"}));
    client.complete(&thread, "one");
    assert_eq!(read(&client, &thread), Value::Null);
    assert_eq!(client.request("thread/list", json!({}))["readStates"], json!({}));
    assert!(client.notes("thread/readState/changed").is_empty());
    client.refused(
        "thread/readState/update",
        update(&thread, &json!({"revision": ""}), "read"),
        "thread read state unavailable",
    );
}

#[test]
fn a_turn_that_was_stopped_before_it_said_anything_is_no_result() {
    let lab = Lab::new();
    lab.model.reply(ev::shell("call-1", "sleep 100"));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "go");
    client.item_started("commandExecution");
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    client.finish(&thread);
    assert_eq!(read(&client, &thread)["firstUnread"], Value::Null);
}
