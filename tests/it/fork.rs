//! `thread/fork`: what goes along, what is left behind, and what the files then need of each other; and items that
//! clients put into a history.

use std::fs;

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

fn fork(client: &Client, mut params: Value) -> Value {
    params["excludeTurns"] = json!(true);
    client.request("thread/fork", params)["thread"].clone()
}

#[test]
fn a_fork_goes_its_own_way_and_keeps_its_source_on_disk() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let first = client.run(&thread, "one")["id"].clone();
    client.complete(&thread, "two");
    let forked = fork(&client, json!({"threadId": thread, "lastTurnId": first}));
    assert_eq!(
        json!([forked["forkedFromId"], forked["preview"], forked["turns"]]),
        json!([thread, "one", []])
    );
    let id = forked["id"].as_str().unwrap().to_owned();
    let file = fs::read_to_string(forked["path"].as_str().unwrap()).unwrap();
    let head: Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
    let base = &head["payload"]["history_base"];
    assert_eq!(
        json!([base["thread_id"], base["end_ordinal_exclusive"]]),
        json!([thread, head["ordinal"]])
    );
    assert_eq!(file.lines().count(), 2, "nothing is copied");
    client.complete(&id, "aside");
    client.complete(&thread, "three");
    assert_eq!(lab.model.last().asked(), ["one", "two", "three"]);
    let needed = format!("cannot delete thread {thread}: forked history still references it");
    client.refused("thread/delete", json!({"threadId": thread}), &needed);
    // A fork of the fork that is cut before it began needs the first source only.
    let third = fork(&client, json!({"threadId": id, "lastTurnId": first}));
    client.request("thread/delete", json!({"threadId": id}));
    drop(client);
    let client = lab.start();
    let third = third["id"].as_str().unwrap();
    client.resume(third);
    assert_eq!(asked(&client, third), ["one"]);
    client.complete(third, "again");
    assert_eq!(lab.model.last().asked(), ["one", "again"]);
    // Where the source lies does not matter.
    client.request("thread/archive", json!({"threadId": thread}));
    assert_eq!(asked(&client, third), ["one", "again"]);
    drop(client);
    let client = lab.start();
    client.resume(third);
    client.complete(third, "still");
    assert_eq!(lab.model.last().asked(), ["one", "again", "still"]);
    client.refused("thread/delete", json!({"threadId": thread}), &needed);
}

#[test]
fn a_fork_is_set_up_as_its_source_but_for_what_the_request_says() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread_with(json!({
        "baseInstructions": "Be brief.", "developerInstructions": "Be kind.",
        "config": {"model_reasoning_effort": "high"}, "sandbox": "read-only",
    }));
    client.complete(&thread, "one");
    client.request("thread/name/set", json!({"threadId": thread, "name": "Talk"}));
    let changed = json!({"threadId": thread, "developerInstructions": "Be strict."});
    let forked = fork(&client, changed);
    assert_eq!(json!([forked["name"], forked["reasoningEffort"]]), json!(["Talk", "high"]));
    client.complete(forked["id"].as_str().unwrap(), "two");
    let request = lab.model.last();
    let told = request.texts("developer").join("\n");
    let place = |text| told.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    assert!(place("Be brief.") < place("Be kind.") && place("Be kind.") < place("Be strict."));
    assert_eq!(request.body["reasoning"]["effort"], "high");
}

#[test]
fn a_running_turn_is_interrupted_in_the_fork_alone() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(
        &gate,
        vec![ev::created()],
        vec![ev::done(&ev::message("m", "late")), ev::completed()],
    ));
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "slow");
    gate.reached();
    client.item_completed("userMessage");
    let forked = client.request("thread/fork", json!({"threadId": thread}))["thread"].clone();
    assert_eq!(forked["turns"][0]["status"], "interrupted");
    gate.open();
    assert_eq!(client.finish(&thread)["status"], "completed");
    client.complete(forked["id"].as_str().unwrap(), "next");
    assert_eq!(lab.model.last().asked(), ["slow", "next"]);
    assert!(lab.model.last().body.to_string().contains("<turn_aborted>"));
}

#[test]
fn side_conversations_are_found_by_what_was_said_in_them() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    let side = fork(&client, json!({"threadId": thread, "attachToSource": true}));
    let side = side["id"].as_str().unwrap();
    client.complete(side, "aside");
    let found = |params: Value| -> Vec<Value> {
        let rows = client.request("thread/list", params)["data"].clone();
        rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
    };
    assert_eq!(found(json!({})), [thread.as_str()]);
    assert_eq!(found(json!({"searchTerm": "aside"})), [""; 0]);
    let wide = |term: &str| json!({"searchTerm": term, "includeAttachedThreads": true});
    assert_eq!(found(wide("aside")), [side]);
    assert_eq!(found(wide("one")).len(), 2);
}

#[test]
fn injected_items_are_seen_by_the_model_and_nobody_else() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    let item = |text: &str| json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]});
    let items = json!({"threadId": thread, "items": [item("told"), {"type": "from_the_future"}]});
    client.request("thread/inject_items", items);
    drop(client);
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "two");
    assert_eq!(lab.model.last().asked(), ["one", "told", "two"]);
    assert_eq!(asked(&client, &thread), ["one", "two"]);
    let remote = json!({"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "HTTPS://x/y.png"}]});
    for (items, refusal) in [
        (json!([]), "items must not be empty"),
        (
            json!([{"type": "message"}]),
            "items[0] is not a valid response item: missing field `role`",
        ),
        (json!([remote]), "remote image URLs are not supported; use an inline data URL instead"),
    ] {
        client.refused("thread/inject_items", json!({"threadId": thread, "items": items}), refusal);
    }
}
