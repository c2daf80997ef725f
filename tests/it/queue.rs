//! The queue: what waits for a thread to be idle, in which order it goes, and what holds it.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, ev, held};

const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[track_caller]
fn add(client: &Client, thread: &str, text: &str) -> String {
    let input = json!([{"type": "text", "text": text}]);
    let params = json!({"threadId": thread, "clientUserMessageId": text, "input": input});
    let answer = client.request("thread/queue/add", params);
    answer["queuedSubmission"]["id"].as_str().unwrap().to_owned()
}

/// What waits, by the clients' names.
#[track_caller]
fn waiting(client: &Client, thread: &str) -> Vec<String> {
    let answer = client.request("thread/queue/list", json!({"threadId": thread}));
    let names = answer["data"].as_array().unwrap().iter();
    names.map(|waiting| waiting["clientUserMessageId"].as_str().unwrap().to_owned()).collect()
}

fn said(client: &Client) -> Vec<String> {
    let items = client.items("userMessage").into_iter();
    items.map(|item| item["content"][0]["text"].as_str().unwrap().to_owned()).collect()
}

/// A thread with a turn whose model does not answer.
fn busy(lab: &Lab) -> (Client, String, String, Gate) {
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], ev::text("at last")));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "busy");
    gate.reached();
    (client, thread, turn, gate)
}

#[test]
fn an_idle_thread_starts_at_once() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let mark = client.mark();
    add(&client, &thread, "now");
    client.finish(&thread);
    let trace = client.since(mark);
    let begun: Vec<&str> = trace.lines().take(5).collect();
    assert_eq!(
        begun,
        [
            "-> thread/queue/add",
            "<= thread/queue/add",
            "<- thread/queue/changed",
            "<- thread/status/changed active",
            "<- turn/started",
        ]
    );
    assert_eq!(client.items("userMessage")[0]["clientId"], "now");
    assert_eq!(waiting(&client, &thread), [""; 0]);
    assert!(!lab.home.exists(&format!("queues/{thread}.json")), "an empty queue leaves nothing");
}

#[test]
fn each_waits_for_the_turn_before_it() {
    let lab = Lab::new();
    let (client, thread, _, gate) = busy(&lab);
    for text in ["one", "two", "three"] {
        add(&client, &thread, text);
    }
    assert_eq!(waiting(&client, &thread), ["one", "two", "three"]);
    gate.open();
    for _ in 0..4 {
        client.finish(&thread);
    }
    assert_eq!(said(&client), ["busy", "one", "two", "three"]);
    assert_eq!(lab.model.requests().len(), 4, "each is a turn of its own");
}

#[test]
fn pictures_wait_as_well() {
    let lab = Lab::new();
    let (client, thread, _, gate) = busy(&lab);
    let input = json!([{"type": "text", "text": "look"}, {"type": "image", "url": PIXEL}]);
    let params = json!({"threadId": thread, "clientUserMessageId": "x", "input": input});
    client.request("thread/queue/add", params);
    add(&client, &thread, "after");
    gate.open();
    for _ in 0..3 {
        client.finish(&thread);
    }
    assert_eq!(said(&client), ["busy", "look", "after"]);
    let kinds = |request: usize| -> Vec<Value> {
        let said = lab.model.requests()[request].last_said().clone();
        said.iter().map(|part| part["type"].clone()).collect()
    };
    assert!(kinds(1).contains(&json!("input_image")), "{:?}", kinds(1));
}

#[test]
fn what_waits_goes_before_the_goal() {
    let lab = Lab::new();
    let (client, thread, _, gate) = busy(&lab);
    add(&client, &thread, "mine");
    client.request("thread/goal/set", json!({"threadId": thread, "objective": "o"}));
    lab.model.reply(ev::text("yours")).reply(ev::call(
        "c1",
        "update_goal",
        &json!({"status": "complete"}),
    ));
    gate.open();
    for _ in 0..3 {
        client.finish(&thread);
    }
    assert_eq!(lab.model.requests()[1].asked().last(), Some(&"mine"));
}

#[test]
fn a_turn_that_was_broken_off_holds_the_queue_over_a_restart() {
    for end in ["close", "kill"] {
        let lab = Lab::new();
        let (client, thread, _, _gate) = busy(&lab);
        add(&client, &thread, "waits");
        match end {
            "close" => drop(client.close()),
            _ => drop(client.signal(rustix::process::Signal::KILL)),
        }
        let client = lab.start();
        client.resume(&thread);
        add(&client, &thread, "waits, too");
        assert_eq!(waiting(&client, &thread), ["waits", "waits, too"], "{end}");
        client.complete(&thread, "something else");
        client.finish(&thread);
        client.finish(&thread);
        assert_eq!(said(&client), ["something else", "waits", "waits, too"], "{end}");
    }
}

#[test]
fn a_stored_thread_keeps_its_queue_until_somebody_resumes_it() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "hello");
    client.close();
    let client = lab.start();
    add(&client, &thread, "later");
    client.refused(
        "thread/queue/start",
        json!({"threadId": thread}),
        "resume the thread before starting a queued message",
    );
    client.resume(&thread);
    client.finish(&thread);
    assert_eq!(said(&client), ["later"]);
}

#[test]
fn a_deleted_message_is_not_sent_and_an_edited_one_as_it_is_now() {
    let lab = Lab::new();
    let (client, thread, turn, _gate) = busy(&lab);
    let (gone, edited) = (add(&client, &thread, "gone"), add(&client, &thread, "draft"));
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    client.finish(&thread);
    let delete = json!({"threadId": thread, "queuedSubmissionId": gone});
    assert_eq!(client.request("thread/queue/delete", delete.clone())["deleted"], true);
    assert_eq!(client.request("thread/queue/delete", delete)["deleted"], false);
    let input = json!([{"type": "text", "text": "final"}]);
    let update = json!({"threadId": thread, "queuedSubmissionId": edited, "input": input});
    client.request("thread/queue/update", update);
    let start = json!({"threadId": thread, "queuedSubmissionId": edited});
    let started = client.request("thread/queue/start", start);
    assert_eq!(started["turn"]["id"], client.finish(&thread)["id"]);
    assert_eq!(said(&client), ["busy", "final"]);
}

#[test]
fn only_threads_on_disk_that_are_not_archived_have_a_queue() {
    let lab = Lab::with(&Config::default());
    let client = lab.start();
    let input = json!([{"type": "text", "text": "x"}]);
    let params =
        |thread: &str| json!({"threadId": thread, "clientUserMessageId": "x", "input": input});
    let nobody = "01984de2-8f74-7c91-a3b2-5c5e937cf318";
    let error = client.refuse("thread/queue/add", params(nobody));
    assert_eq!(error.code, -32603);
    assert!(error.message.ends_with(&format!("no rollout found for thread id {nobody}")));
    let ephemeral = client.thread_with(json!({"ephemeral": true}));
    client.refused(
        "thread/queue/add",
        params(&ephemeral),
        &format!("ephemeral thread does not support queued submissions: {ephemeral}"),
    );
    let archived = client.thread();
    client.complete(&archived, "hello");
    client.request("thread/archive", json!({"threadId": archived}));
    let error = client.refuse("thread/queue/list", json!({"threadId": archived}));
    assert!(error.message.contains("is archived"), "{}", error.message);
}
