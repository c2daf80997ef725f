//! `turn/interrupt`, in every state that a turn can be in.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::server::{runs, until};
use crate::harness::{Client, Config, Gate, Lab, ev, held, ours_only, waits_for};

/// Interrupts and checks how the turn ends; the answer, the status and the end come in this order.
#[track_caller]
fn interrupt(client: &Client, thread: &str, turn: &str) -> String {
    let mark = client.mark();
    assert_eq!(
        client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn})),
        json!({})
    );
    let done = client.finish(thread);
    assert_eq!((done["id"].as_str(), &done["status"]), (Some(turn), &json!("interrupted")));
    assert_eq!(
        (&done["error"], &done["items"], &done["itemsView"]),
        (&Value::Null, &json!([]), &json!("notLoaded"))
    );
    assert!(client.notes("error").is_empty());
    client.since(mark)
}

#[test]
fn before_the_model_has_answered() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![], vec![]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    gate.reached();
    client.item_completed("userMessage");
    insta::assert_snapshot!(interrupt(&client, &thread, &turn), @"
    -> turn/interrupt
    <= turn/interrupt
    <- thread/status/changed idle
    <- turn/completed interrupted
    ");
    gate.dropped();
    client.complete(&thread, "second");
    assert_eq!(lab.model.last().asked(), ["first", "second"]);
}

#[test]
fn while_the_model_streams() {
    let lab = Lab::new();
    let gate = Gate::default();
    let begun = vec![
        ev::created(),
        ev::done(&ev::message("msg-0", "whole")),
        ev::added(&ev::message("msg-1", "")),
        ev::delta("msg-1", "Hel"),
    ];
    lab.model.reply(held(&gate, begun, vec![]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.note("item/agentMessage/delta");
    interrupt(&client, &thread, &turn);
    gate.dropped();
    client.complete(&thread, "second");
    let last = lab.model.last();
    assert_eq!((last.asked(), last.texts("assistant")), (vec!["first", "second"], vec!["whole"]));
    let told = last.texts("user").iter().filter(|text| text.starts_with("<turn_aborted>")).count();
    assert_eq!(told, 1, "the model learns that the user stopped it");
}

#[test]
fn what_was_shown_of_an_answer_stays() {
    let lab = Lab::new();
    let (thoughts, words) = (Gate::default(), Gate::default());
    let thinking = vec![
        ev::added(&ev::reasoning("rs_1", &[], &[])),
        json!({"type": "response.reasoning_summary_part.added", "summary_index": 0}),
        json!({"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": "Why"}),
        json!({"type": "response.reasoning_text.delta", "content_index": 0, "delta": "because"}),
    ];
    let talking = vec![
        ev::added(&ev::message("msg_1", "")),
        ev::delta("msg_1", "Hel"),
        ev::delta("msg_1", "lo"),
    ];
    lab.model.reply(held(&thoughts, thinking, vec![])).reply(held(&words, talking, vec![]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.note("item/reasoning/textDelta");
    interrupt(&client, &thread, &turn);
    let turn = client.turn(&thread, "second");
    client.note_where("item/agentMessage/delta", |params| params["delta"] == "lo");
    interrupt(&client, &thread, &turn);
    let reasoning = client.items("reasoning").remove(0);
    assert_eq!(
        (&reasoning["summary"], &reasoning["content"]),
        (&json!(["Why"]), &json!(["because"]))
    );
    assert_eq!(client.items("agentMessage")[0]["text"], "Hello");
    client.complete(&thread, "third");
    assert!(lab.model.last().texts("assistant").is_empty(), "the model is not shown halves");
    let read = client.request("thread/read", json!({"threadId": thread, "includeTurns": true}));
    let items = |turn: usize| read["thread"]["turns"][turn]["items"].as_array().unwrap().clone();
    assert_eq!(items(0)[1]["summary"], json!(["Why"]));
    assert_eq!((&items(1)[1]["id"], &items(1)[1]["text"]), (&json!("msg_1"), &json!("Hello")));
}

#[test]
fn while_a_command_runs() {
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    lab.model.reply(ev::shell("call-1", &format!("exec -a {marker} sleep 60")));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.item_started("commandExecution");
    until("shell", || runs(&marker).then_some(()));
    interrupt(&client, &thread, &turn);
    // The shell names the marker, too, and a process that is just becoming another one has no command line.
    until("background terminal that goes on", || runs(&marker).then_some(()));
    client.complete(&thread, "second");
    let last = lab.model.last();
    assert!(last.output("call-1").ends_with("aborted by user"), "{}", last.output("call-1"));
    assert_eq!(last.calls(), ["function_call call-1", "function_call_output call-1"]);
}

#[test]
fn a_command_ends_with_its_turn_where_the_user_wants_it() {
    ours_only!();
    let lab = Lab::with(&Config {
        top: "interrupt_ends_commands = true".to_owned(),
        ..Config::default()
    });
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    let script = |name: &str| format!("(exec -a {marker}-{name} sleep 60); true");
    lab.model.reply(ev::shell_with("call-1", &script("a"), &json!({"yield_time_ms": 250})));
    lab.model.reply(ev::text("it runs")).reply(ev::shell("call-2", &script("b")));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let turn = client.turn(&thread, "second");
    for name in ["a", "b"] {
        until("start", || runs(&format!("{marker}-{name}")).then_some(()));
    }
    interrupt(&client, &thread, &turn);
    let done = client.note_where("item/completed", |params| params["item"]["id"] == "call-2");
    assert_eq!((&done["turnId"], &done["item"]["exitCode"]), (&json!(turn), &json!(-1)));
    until("end of the turn's command", || (!runs(&format!("{marker}-b"))).then_some(()));
    assert!(runs(&format!("{marker}-a")), "what an earlier turn has started goes on");
}

#[test]
fn an_interrupted_command_ends_later() {
    waits_for!("thread/backgroundTerminals/list");
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    lab.model.reply(ev::shell("call-1", &format!("exec -a {marker} sleep 60")));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.item_started("commandExecution");
    interrupt(&client, &thread, &turn);
    let list = client.request("thread/backgroundTerminals/list", json!({"threadId": thread}));
    assert_eq!(list["data"][0]["itemId"], "call-1");
    client.request("thread/backgroundTerminals/clean", json!({"threadId": thread}));
    let item = client.note_where("item/completed", |p| p["item"]["id"] == "call-1");
    assert_eq!(
        (item["turnId"].as_str(), &item["item"]["exitCode"]),
        (Some(turn.as_str()), &json!(-1))
    );
    until("end of the command", || (!runs(&marker)).then_some(()));
}

#[test]
fn while_an_approval_is_open() {
    let lab = Lab::with(&Config {
        approval: "on-request",
        sandbox: "workspace-write",
        ..Config::default()
    });
    let escalate = json!({"sandbox_permissions": "require_escalated", "justification": "may I?"});
    lab.model.reply(ev::shell_with("call-1", "touch never", &escalate));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    let asked = client.asked("item/commandExecution/requestApproval");
    interrupt(&client, &thread, &turn);
    let ended = client.items("commandExecution").remove(0);
    assert_eq!((&ended["id"], &ended["status"]), (&json!("call-1"), &json!("declined")));
    assert_eq!(
        client.note("serverRequest/resolved"),
        json!({"threadId": thread, "requestId": asked["id"]})
    );
    client.decide(&asked, "accept");
    client.complete(&thread, "second");
    assert!(!lab.home.exists("never"), "the late answer counts for nothing");
}

#[test]
fn while_a_patch_waits_for_approval() {
    let lab =
        Lab::with(&Config { approval: "on-request", sandbox: "read-only", ..Config::default() });
    lab.model.reply(ev::patch("call-1", &["*** Add File: never", "+x"]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.asked("item/fileChange/requestApproval");
    interrupt(&client, &thread, &turn);
    assert_eq!(client.items("fileChange")[0]["status"], "declined");
    assert!(!lab.home.exists("never"));
}

#[test]
fn while_a_patch_is_written() {
    let lab = Lab::new();
    let pipe = lab.home.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let lines = ["*** Add File: first", "+1", "*** Add File: pipe", "+2"];
    lab.model.reply(ev::patch("call-1", &lines));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    // The second file cannot be written before somebody reads.
    until("first file", || lab.home.exists("first").then_some(()));
    interrupt(&client, &thread, &turn);
    assert!(client.items("fileChange").is_empty());
    assert_eq!(lab.home.read("pipe"), "2\n");
    let ended = client.note_where("item/completed", |p| p["item"]["id"] == "call-1");
    assert_eq!(
        (ended["turnId"].as_str(), &ended["item"]["status"]),
        (Some(turn.as_str()), &json!("completed")),
        "what was written is told"
    );
    let read = client.request("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert_eq!(read["thread"]["turns"][0]["items"][1]["status"], "completed");
}

#[test]
fn while_a_retry_waits() {
    let provider = "stream_max_retries = 9".to_owned();
    let lab = Lab::with(&Config { provider, ..Config::default() });
    for _ in 0..6 {
        lab.model.reply(vec![ev::created()]);
    }
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.note_where("error", |p| p["error"]["message"] == "Reconnecting... 2/9");
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    lab.model.clear();
    client.complete(&thread, "second");
}

#[test]
fn refusals_and_the_empty_id() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    let client = lab.start();
    let thread = client.thread();
    let params = |turn: &str| json!({"threadId": thread, "turnId": turn});
    client.refused("turn/interrupt", params("t"), "no active turn to interrupt");
    assert_eq!(
        client.request("turn/interrupt", params("")),
        json!({}),
        "nothing runs, nothing is wrong"
    );
    let turn = client.turn(&thread, "first");
    gate.reached();
    client.note("turn/started");
    client.refused(
        "turn/interrupt",
        params("t"),
        &format!("expected active turn id t but found {turn}"),
    );
    let ids =
        [client.post("turn/interrupt", params(&turn)), client.post("turn/interrupt", params(""))];
    for id in ids {
        assert_eq!(client.answer(id), Ok(json!({})), "two at once are both answered");
    }
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    client.refused("turn/interrupt", params(&turn), "no active turn to interrupt");
}

#[test]
fn a_start_right_behind_it_is_a_turn_of_its_own() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    let client = lab.start();
    let thread = client.thread();
    let first = client.turn(&thread, "first");
    gate.reached();
    client.note("turn/started");
    let stop = client.post("turn/interrupt", json!({"threadId": thread, "turnId": first}));
    let second = client.turn(&thread, "second");
    assert_eq!(client.answer(stop), Ok(json!({})));
    assert_ne!(first, second);
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    assert_eq!(client.finish(&thread)["status"], "completed");
}
