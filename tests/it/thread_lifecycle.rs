//! Names, archive, deletion, unsubscribing and unloading, settings, injected items.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, ev, held, waits_for};

/// A thread with one turn.
fn with_turn(client: &Client, text: &str) -> String {
    let thread = client.thread();
    client.complete(&thread, text);
    thread
}

fn id(thread: &str) -> Value {
    json!({"threadId": thread})
}

#[test]
fn names() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = with_turn(&client, "hello");
    let set = |client: &Client, name: &str| {
        client.request("thread/name/set", json!({"threadId": thread, "name": name}))
    };
    let mark = client.mark();
    assert_eq!(set(&client, "  two  words\n "), json!({}));
    assert_eq!(
        client.note("thread/name/updated"),
        json!({"threadId": thread, "threadName": "two  words"})
    );
    assert_eq!(
        client.since(mark),
        "-> thread/name/set\n<= thread/name/set\n<- thread/name/updated"
    );
    client.refused(
        "thread/name/set",
        json!({"threadId": thread, "name": " \n"}),
        "thread name must not be empty",
    );
    drop(client);
    let client = lab.start();
    assert_eq!(client.request("thread/read", id(&thread))["thread"]["name"], "two  words");
    set(&client, "while unloaded");
    client.note("thread/name/updated");
    assert_eq!(client.request("thread/list", json!({}))["data"][0]["name"], "while unloaded");
    assert_eq!(client.resume(&thread)["thread"]["name"], "while unloaded");
}

#[test]
fn archive_and_back() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = with_turn(&client, "hello");
    let other = with_turn(&client, "stays");
    let mark = client.mark();
    assert_eq!(client.request("thread/archive", id(&thread)), json!({}));
    assert_eq!(client.note("thread/archived"), id(&thread));
    insta::assert_snapshot!(client.since(mark), @"
    -> thread/archive
    <- thread/status/changed notLoaded
    <= thread/archive
    <- thread/archived
    ");
    assert_eq!(
        (lab.home.rollouts("sessions").len(), lab.home.rollouts("archived_sessions").len()),
        (1, 1)
    );
    let listed = |archived: bool| {
        client.request("thread/list", json!({"archived": archived}))["data"][0]["id"].clone()
    };
    assert_eq!((listed(false), listed(true)), (json!(other), json!(thread)));
    assert_eq!(client.request("thread/read", id(&thread))["thread"]["preview"], "hello");
    let archived = format!(
        "session {thread} is archived. Run `codex unarchive {thread}` to unarchive it first."
    );
    client.refused("thread/resume", id(&thread), &archived);
    let missing = format!("no rollout found for thread id {thread}");
    client.refused("thread/archive", id(&thread), &missing);
    client.refused("thread/name/set", json!({"threadId": thread, "name": "x"}), &missing);
    let turn = json!({"threadId": thread, "input": []});
    client.refused("turn/start", turn, &format!("thread not found: {thread}"));
    let answer = client.request("thread/unarchive", id(&thread))["thread"].clone();
    assert_eq!(client.note("thread/unarchived"), id(&thread));
    assert_eq!(json!([answer["id"], answer["status"]["type"]]), json!([thread, "notLoaded"]));
    client.refused(
        "thread/unarchive",
        id(&thread),
        &format!("no archived rollout found for thread id {thread}"),
    );
    client.resume(&thread);
    client.complete(&thread, "back");
    assert_eq!(lab.model.last().asked(), ["hello", "back"]);
}

#[test]
fn archiving_interrupts_the_running_turn() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = with_turn(&client, "hello");
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    client.turn(&thread, "running");
    gate.reached();
    client.note_where("turn/started", |p| p["turn"]["status"] == "inProgress");
    client.request("thread/archive", id(&thread));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    client.note("thread/archived");
}

#[test]
fn deletion() {
    let lab = Lab::new();
    let client = lab.start();
    let (cold, archived) = (with_turn(&client, "cold"), with_turn(&client, "archived"));
    client.request("thread/archive", id(&archived));
    drop(client);
    let client = lab.start();
    let loaded = with_turn(&client, "loaded");
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    client.turn(&loaded, "running");
    gate.reached();
    for thread in [loaded, cold, archived] {
        assert_eq!(client.request("thread/delete", id(&thread)), json!({}));
        assert_eq!(client.note("thread/deleted"), id(&thread));
        client.refused("thread/read", id(&thread), &format!("thread not loaded: {thread}"));
        client.refused(
            "thread/delete",
            id(&thread),
            &format!("no rollout found for thread id {thread}"),
        );
    }
    gate.dropped();
    let left = [lab.home.rollouts("sessions"), lab.home.rollouts("archived_sessions")].concat();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(client.request("thread/list", json!({}))["data"], json!([]));
}

#[test]
fn an_unwatched_thread_is_unloaded() {
    let lab =
        Lab::with(&Config { top: "thread_unload_delay_secs = 0".to_owned(), ..Config::default() });
    let client = lab.start();
    let thread = with_turn(&client, "hello");
    assert_eq!(
        client.request("thread/unsubscribe", id(&thread)),
        json!({"status": "unsubscribed"})
    );
    assert_eq!(client.note("thread/closed"), id(&thread));
    let told = client.notes("thread/status/changed");
    assert_eq!(told.last().unwrap()["status"], json!({"type": "notLoaded"}));
    assert_eq!(client.request("thread/unsubscribe", id(&thread)), json!({"status": "notLoaded"}));
    assert_eq!(client.request("thread/loaded/list", json!({}))["data"], json!([]));
    client.resume(&thread);
    client.complete(&thread, "again");
    assert_eq!(lab.model.last().asked(), ["hello", "again"]);
}

#[test]
fn an_unsubscribed_client_hears_no_turn() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = with_turn(&client, "hello");
    client.request("thread/unsubscribe", id(&thread));
    assert_eq!(
        client.request("thread/unsubscribe", id(&thread)),
        json!({"status": "notSubscribed"})
    );
    let is = |kind: &'static str| move |p: &Value| p["status"]["type"] == kind;
    client.note_where("thread/status/changed", is("active"));
    client.note_where("thread/status/changed", is("idle"));
    let mark = client.mark();
    client.turn(&thread, "silent");
    client.note_where("thread/status/changed", is("active"));
    client.note_where("thread/status/changed", is("idle"));
    insta::assert_snapshot!(client.since(mark), @"
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- thread/status/changed idle
    ");
    let page = client.request("thread/turns/list", id(&thread));
    assert_eq!(page["data"][0]["items"][0]["content"][0]["text"], "silent");
}

#[test]
fn settings_outside_a_turn() {
    waits_for!("thread/settings/update");
    let lab = Lab::new();
    let client = lab.start();
    let thread = with_turn(&client, "hello");
    let update = |more: Value| {
        let mut params = id(&thread);
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(client.request("thread/settings/update", params), json!({}));
    };
    update(json!({"model": "m2", "effort": "high", "approvalPolicy": "on-request"}));
    let told = client.note("thread/settings/updated");
    let settings = &told["threadSettings"];
    let seen = json!([settings["model"], settings["effort"], settings["approvalPolicy"]]);
    assert_eq!(seen, json!(["m2", "high", "on-request"]));
    assert_eq!(
        settings["collaborationMode"]["settings"]["model"], "m2",
        "the mode follows the model"
    );
    update(json!({"model": "m2"}));
    update(json!({}));
    client.complete(&thread, "go");
    assert_eq!(lab.model.last().body["model"], "m2");
    assert_eq!(
        client.notes("thread/settings/updated").len(),
        1,
        "nothing changed, nothing is told"
    );
    drop(client);
    let client = lab.start();
    let answer = client.resume(&thread);
    assert_eq!(json!([answer["model"], answer["reasoningEffort"]]), json!(["m2", "high"]));
}

#[test]
fn injected_items_reach_the_model_only() {
    waits_for!("thread/inject_items");
    let lab = Lab::new();
    let client = lab.start();
    let thread = with_turn(&client, "hello");
    let items = json!([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "injected"}]}]);
    assert_eq!(
        client.request("thread/inject_items", json!({"threadId": thread, "items": items})),
        json!({})
    );
    let empty = json!({"threadId": thread, "items": []});
    client.refused("thread/inject_items", empty, "items must not be empty");
    client.complete(&thread, "next");
    assert_eq!(lab.model.last().asked(), ["hello", "injected", "next"]);
    assert_eq!(client.items("userMessage").len(), 2);
}
