//! `thread/revert`: the end of a history is dropped, all else of the thread stays.

use serde_json::{Value, json};

use crate::harness::{Client, Gate, Lab, ev, held};

/// The texts of a thread's first user messages, turn by turn, as clients read them.
fn asked(client: &Client, thread: &str) -> Vec<String> {
    let page = json!({"threadId": thread, "sortDirection": "asc"});
    let turns = client.request("thread/turns/list", page)["data"].clone();
    let text =
        |turn: &Value| turn["items"][0]["content"][0]["text"].as_str().unwrap_or("").to_owned();
    turns.as_array().unwrap().iter().map(text).collect()
}

fn turns(client: &Client, thread: &str, texts: &[&str]) -> Vec<String> {
    let run = |text: &&str| client.run(thread, text)["id"].as_str().unwrap().to_owned();
    texts.iter().map(run).collect()
}

fn revert(client: &Client, thread: &str, before: &str) -> Value {
    client.request("thread/revert", json!({"threadId": thread, "beforeTurnId": before}))
}

/// The threads that are listed, each with its preview.
fn listed(client: &Client, params: Value) -> Vec<(String, String)> {
    let rows = client.request("thread/list", params)["data"].clone();
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    rows.as_array().unwrap().iter().map(|row| (text(row, "id"), text(row, "preview"))).collect()
}

#[test]
fn the_thread_goes_on_from_there() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread_with(json!({
        "baseInstructions": "Be brief.", "config": {"model_reasoning_effort": "high"}, "sandbox": "workspace-write",
    }));
    let ids = turns(&client, &thread, &["one", "two", "three"]);
    let before = client.request("thread/read", json!({"threadId": thread}))["thread"].clone();
    let read_state =
        client.request("thread/read", json!({"threadId": thread}))["readState"].clone();
    assert_eq!(read_state["firstUnread"]["turnId"], json!(ids[0]));
    let mark = client.heard().len();
    let answer = revert(&client, &thread, &ids[1]);
    client.note("thread/reverted");
    assert_eq!(
        client.heard()[mark..],
        ["thread/status/changed", "thread/status/changed", "thread/reverted"]
    );
    let after = &answer["thread"];
    for member in ["createdAt", "preview", "modelProvider", "cwd", "source"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    assert_ne!(after["path"], before["path"]);
    assert!(after["recencyAt"].as_i64() >= before["recencyAt"].as_i64());
    for (method, cursor) in [
        ("thread/turns/list", &answer["turnsBackwardsCursor"]),
        ("thread/items/list", &answer["itemsBackwardsCursor"]),
    ] {
        let page = json!({"threadId": thread, "cursor": cursor, "limit": 1});
        assert!(client.request(method, page).to_string().contains(&ids[0]), "{method}");
    }
    client.complete(&thread, "four");
    let request = lab.model.last();
    assert_eq!(request.asked(), ["one", "four"]);
    assert!(request.texts("developer").contains(&"Be brief."));
    assert_eq!(request.body["reasoning"]["effort"], "high");
    client.refused(
        "thread/revert",
        json!({"threadId": thread, "beforeTurnId": ids[2]}),
        &format!("turn not found: {}", ids[2]),
    );
    assert_eq!(lab.home.rollouts("sessions").len(), 2);
    drop(client);
    // Who has never seen the thread finds one, whatever the number of its files.
    let client = lab.start();
    let row = [(thread.clone(), "one".to_owned())];
    assert_eq!(listed(&client, json!({})), row);
    assert_eq!(asked(&client, &thread), ["one", "four"]);
    client.resume(&thread);
    client.request("thread/archive", json!({"threadId": thread}));
    assert_eq!(listed(&client, json!({"archived": true})), row);
    client.request("thread/unarchive", json!({"threadId": thread}));
    client.resume(&thread);
    let left = revert(&client, &thread, &ids[0]);
    let told = client
        .note_where("thread/readState/changed", |told| told["readState"]["firstUnread"].is_null());
    assert_eq!(told["threadId"], json!(thread));
    assert_eq!(
        json!([left["turnsBackwardsCursor"], left["itemsBackwardsCursor"]]),
        json!([null, null])
    );
    assert_eq!(listed(&client, json!({})), [], "there is nothing to show");
    client.complete(&thread, "afresh");
    assert_eq!(lab.model.last().asked(), ["afresh"]);
    assert_eq!(listed(&client, json!({})), [(thread.clone(), "afresh".to_owned())]);
    client.request("thread/delete", json!({"threadId": thread}));
    assert_eq!(lab.home.rollouts("sessions"), [""; 0], "all of its files are gone");
}

#[test]
fn a_running_turn_ends_and_what_waits_goes_on_waiting() {
    let lab = Lab::new();
    let gate = Gate::default();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    lab.model.reply(held(&gate, vec![ev::created()], vec![ev::completed()]));
    let running = client.turn(&thread, "slow");
    gate.reached();
    let queued = json!({"threadId": thread, "clientUserMessageId": "later", "input": [{"type": "text", "text": "later"}]});
    client.request("thread/queue/add", queued);
    client.refused(
        "thread/revert",
        json!({"threadId": thread, "beforeTurnId": "nope"}),
        "turn not found: nope",
    );
    revert(&client, &thread, &running);
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    gate.dropped();
    assert_eq!(asked(&client, &thread), ["one"]);
    // It is sent after what the user says now.
    client.complete(&thread, "instead");
    client.finish(&thread);
    assert_eq!(lab.model.last().asked(), ["one", "instead", "later"]);
}

#[test]
fn a_fork_goes_back_into_what_it_has_inherited() {
    let lab = Lab::new();
    let client = lab.start();
    let source = client.thread();
    let ids = turns(&client, &source, &["one", "two"]);
    let fork = json!({"threadId": source, "excludeTurns": true});
    let fork = client.request("thread/fork", fork)["thread"]["id"].as_str().unwrap().to_owned();
    client.complete(&fork, "three");
    revert(&client, &fork, &ids[1]);
    client.complete(&fork, "other");
    assert_eq!(asked(&client, &fork), ["one", "other"]);
    assert_eq!(asked(&client, &source), ["one", "two"]);
    let needed = format!("cannot delete thread {source}: forked history still references it");
    client.refused("thread/delete", json!({"threadId": source}), &needed);
    // A source that goes back leaves its forks what they have.
    revert(&client, &source, &ids[0]);
    drop(client);
    let client = lab.start();
    assert_eq!(asked(&client, &source), [""; 0]);
    assert_eq!(asked(&client, &fork), ["one", "other"]);
}
