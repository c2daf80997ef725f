//! What is kept: across restarts, after a kill, and page by page.

use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::schema::has;
use crate::harness::{Client, Gate, Lab, ev, held, ours_only, waits_for};

/// Texts of the messages of a turn.
fn texts(turn: &Value) -> Vec<&str> {
    let items = turn["items"].as_array().unwrap().iter();
    items
        .filter_map(|item| item["text"].as_str().or_else(|| item["content"][0]["text"].as_str()))
        .collect()
}

fn turns(client: &Client, thread: &str, more: Value) -> Value {
    let mut params = json!({"threadId": thread});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.request("thread/turns/list", params)
}

/// A thread of four turns and the ids of the turns.
fn four(lab: &Lab, client: &Client) -> (String, Vec<String>) {
    let thread = client.thread();
    let turn = |n: usize| {
        lab.model.reply(ev::items(&[ev::message(&format!("m{n}"), &format!("a{n}"))]));
        client.run(&thread, &format!("q{n}"))["id"].as_str().unwrap().to_owned()
    };
    let ids = (0..4).map(turn).collect();
    (thread, ids)
}

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|turn| turn["id"].as_str().unwrap()).collect()
}

/// The second request starts with the bytes of the first; what differs is named by its place, since it is long.
#[track_caller]
fn starts_with(longer: &[String], shorter: &[String]) {
    let differs = shorter.iter().zip(longer).position(|(one, other)| one != other);
    assert!(
        differs.is_none() && longer.len() > shorter.len(),
        "input item {differs:?} of {} differs",
        shorter.len()
    );
}

/// Runs a turn of these items and a second one, restarts, and holds the next request against the last one.
fn resumed(lab: &Lab, items: &[Value]) {
    lab.model.reply(ev::items(items)).reply(ev::items(&[ev::message("m1", "first")]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "remember me");
    client.complete(&thread, "and me");
    let before = lab.model.last().raw_input();
    drop(client);
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "again");
    let after = lab.model.last();
    starts_with(&after.raw_input(), &before);
    assert_eq!(after.asked(), ["remember me", "and me", "again"]);
}

#[test]
fn a_resumed_thread_asks_with_the_same_bytes() {
    resumed(
        &Lab::new(),
        &[ev::message("m0", "so"), ev::command("call-1", "echo hi", &Value::Null)],
    );
}

#[test]
fn a_resumed_thread_sends_reasoning_with_the_same_bytes() {
    ours_only!();
    resumed(
        &Lab::new(),
        &[ev::reasoning("rs-1", &["why"], &[]), ev::command("call-1", "echo hi", &Value::Null)],
    );
}

#[test]
fn what_a_client_saw_live_is_what_it_reads_back() {
    let lab = Lab::new();
    lab.model.reply(ev::items(&[
        ev::reasoning("rs-1", &["why"], &["raw"]),
        ev::message("m0", "on it"),
        ev::command("call-1", "echo hi; exit 2", &Value::Null),
    ]));
    lab.model.reply(ev::patch("call-2", &["*** Add File: n", "+x"]));
    lab.model.reply(ev::items(&[ev::message("m1", "finished")]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "do it");
    let live: Vec<Value> =
        client.notes("item/completed").iter().map(|p| p["item"].clone()).collect();
    let check = |client: &Client| {
        let page = turns(client, &thread, json!({"itemsView": "full"}));
        assert_eq!(page["data"][0]["items"], json!(live));
        if has("thread/items/list") {
            let listed = client.request("thread/items/list", json!({"threadId": thread}));
            let entries = listed["data"].as_array().unwrap();
            assert_eq!(entries.iter().map(|e| e["item"].clone()).collect::<Vec<_>>(), live);
        }
    };
    check(&client);
    drop(client);
    check(&lab.start());
}

#[test]
fn turns_by_page() {
    let lab = Lab::new();
    let client = lab.start();
    let (thread, made) = four(&lab, &client);
    let newest: Vec<&str> = made.iter().rev().map(String::as_str).collect();
    let all = turns(&client, &thread, json!({}));
    assert_eq!((ids(&all), &all["nextCursor"]), (newest.clone(), &Value::Null));
    let said: Vec<Vec<&str>> = all["data"].as_array().unwrap().iter().map(texts).collect();
    assert_eq!(said[0], ["q3", "a3"]);
    let first = turns(&client, &thread, json!({"limit": 3, "itemsView": "notLoaded"}));
    assert_eq!((ids(&first), &first["data"][0]["items"]), (newest[..3].to_vec(), &json!([])));
    let rest = turns(&client, &thread, json!({"limit": 3, "cursor": first["nextCursor"]}));
    assert_eq!((ids(&rest), &rest["nextCursor"]), (newest[3..].to_vec(), &Value::Null));
    let back =
        turns(&client, &thread, json!({"sortDirection": "asc", "cursor": rest["backwardsCursor"]}));
    assert_eq!(
        ids(&back),
        made.iter().map(String::as_str).collect::<Vec<_>>(),
        "including the head of that page"
    );
    drop(client);
    let client = lab.start();
    let rest = turns(&client, &thread, json!({"limit": 3, "cursor": first["nextCursor"]}));
    assert_eq!(ids(&rest), newest[3..], "cursors outlive the process");
    for cursor in ["garbage", ""] {
        client.refused(
            "thread/turns/list",
            json!({"threadId": thread, "cursor": cursor}),
            &format!("invalid cursor: {cursor}"),
        );
    }
}

#[test]
fn items_by_page() {
    waits_for!("thread/items/list");
    let lab = Lab::new();
    let client = lab.start();
    let (thread, made) = four(&lab, &client);
    let list = |more: Value| {
        let mut params = json!({"threadId": thread});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.request("thread/items/list", params)
    };
    let all = list(json!({}));
    let entries = all["data"].as_array().unwrap();
    let turn_ids: Vec<&Value> = entries.iter().map(|e| &e["turnId"]).collect();
    assert_eq!(json!(turn_ids), json!(made.iter().flat_map(|id| [id, id]).collect::<Vec<_>>()));
    let first = list(json!({"limit": 3}));
    let rest = list(json!({"limit": 100, "cursor": first["nextCursor"]}));
    let pages =
        [first["data"].as_array().unwrap().clone(), rest["data"].as_array().unwrap().clone()]
            .concat();
    assert_eq!(&pages, entries);
    assert_eq!(list(json!({"turnId": made[2]}))["data"], json!(entries[4..6]));
    assert_eq!(list(json!({"turnId": "no-such-turn"}))["data"], json!([]));
}

#[test]
fn the_whole_history_in_one_answer() {
    let lab = Lab::new();
    let client = lab.start();
    let (thread, made) = four(&lab, &client);
    let read = |client: &Client| {
        client.request("thread/read", json!({"threadId": thread, "includeTurns": true}))["thread"]
            .clone()
    };
    let loaded = read(&client);
    assert_eq!(
        loaded["turns"].as_array().unwrap().iter().map(|t| &t["id"]).collect::<Vec<_>>(),
        made.iter().collect::<Vec<_>>()
    );
    assert_eq!((texts(&loaded["turns"][1]), &loaded["preview"]), (vec!["q1", "a1"], &json!("q0")));
    let plain = client.request("thread/read", json!({"threadId": thread}));
    assert_eq!(plain["thread"]["turns"], json!([]));
    drop(client);
    let client = lab.start();
    let cold = read(&client);
    assert_eq!(
        (&cold["turns"], &cold["status"]),
        (&loaded["turns"], &json!({"type": "notLoaded"}))
    );
    assert_eq!(
        client.request("thread/loaded/list", json!({}))["data"],
        json!([]),
        "reading loads nothing"
    );
}

#[test]
fn a_running_turn_is_part_of_the_history() {
    let lab = Lab::new();
    let gate = Gate::default();
    let begun = vec![ev::created(), ev::added(&ev::message("mx", "")), ev::delta("mx", "par")];
    lab.model.reply(held(
        &gate,
        begun,
        vec![ev::done(&ev::message("mx", "partial")), ev::completed()],
    ));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "now");
    client.note("item/agentMessage/delta");
    let page = turns(&client, &thread, json!({}));
    let newest = &page["data"][0];
    assert_eq!(
        json!([newest["id"], newest["status"], newest["completedAt"]]),
        json!([turn, "inProgress", null])
    );
    assert_eq!(texts(newest)[0], "now");
    gate.open();
    client.finish(&thread);
    let page = turns(&client, &thread, json!({}));
    assert_eq!(
        (&page["data"][0]["status"], texts(&page["data"][0])),
        (&json!("completed"), vec!["now", "partial"])
    );
}

#[test]
fn a_killed_server_keeps_what_was_finished() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(ev::items(&[ev::message("m0", "a0")]));
    lab.model.reply(ev::items(&[
        ev::message("m1", "about to"),
        ev::command("call-1", "echo hi", &Value::Null),
    ]));
    lab.model.reply(held(
        &gate,
        vec![ev::created(), ev::added(&ev::message("mx", "")), ev::delta("mx", "half")],
        vec![],
    ));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "q0");
    let turn = client.turn(&thread, "q1");
    client.item_completed("commandExecution");
    client.note_where("item/agentMessage/delta", |p| p["delta"] == "half");
    client.signal(Signal::KILL);
    drop(client);
    let client = lab.start();
    for _ in 0..2 {
        let page = turns(&client, &thread, json!({"itemsView": "full"}));
        let newest = &page["data"][0];
        assert_eq!(
            json!([newest["id"], newest["status"], newest["completedAt"]]),
            json!([turn, "interrupted", null])
        );
        let kinds: Vec<&Value> =
            newest["items"].as_array().unwrap().iter().map(|i| &i["type"]).collect();
        assert_eq!(json!(kinds), json!(["userMessage", "agentMessage", "commandExecution"]));
        assert_eq!(texts(&page["data"][1]), ["q0", "a0"]);
        client.resume(&thread);
    }
    client.complete(&thread, "q2");
    let last = lab.model.last();
    assert_eq!(
        (last.asked(), last.texts("assistant")),
        (vec!["q0", "q1", "q2"], vec!["a0", "about to"])
    );
    assert_eq!(last.calls(), ["function_call call-1", "function_call_output call-1"]);
}

#[test]
fn a_broken_last_line_costs_nothing_else() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    drop(client);
    let name = lab.home.rollouts("sessions").pop().unwrap();
    let path = lab.home.home().join(name);
    append(&path, "{\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"type\":\"respon");
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "two");
    assert_eq!(lab.model.last().asked(), ["one", "two"]);
    drop(client);
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "three");
    assert_eq!(lab.model.last().asked(), ["one", "two", "three"]);
}

fn append(path: &Path, text: &str) {
    use std::io::Write as _;
    std::fs::File::options().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}
