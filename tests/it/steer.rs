//! `turn/steer`: input for the running turn.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, ev, held};

fn steer(client: &Client, thread: &str, turn: &str, text: &str) -> Value {
    let input = json!([{"type": "text", "text": text}]);
    client
        .request("turn/steer", json!({"threadId": thread, "expectedTurnId": turn, "input": input}))
}

#[test]
fn a_streaming_model_is_asked_anew() {
    let lab = Lab::new();
    let gate = Gate::default();
    let begun =
        vec![ev::created(), ev::added(&ev::message("msg-1", "")), ev::delta("msg-1", "Hel")];
    lab.model.reply(held(&gate, begun, vec![])).reply(ev::items(&[ev::message("msg-2", "second")]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.note("item/agentMessage/delta");
    assert_eq!(steer(&client, &thread, &turn, "never mind"), json!({"turnId": turn}));
    gate.dropped();
    let done = client.finish(&thread);
    assert_eq!((done["id"].as_str(), &done["status"]), (Some(turn.as_str()), &json!("completed")));
    let last = lab.model.last();
    assert_eq!(last.asked(), ["first", "never mind"]);
    assert!(last.texts("assistant").is_empty(), "the unfinished message is not kept");
    let messages = client.items("agentMessage");
    assert_eq!(messages.last().unwrap()["text"], "second");
}

#[test]
fn a_model_that_may_finish_is_not_cut_short() {
    let lab = Lab::with(&Config {
        tables: "[features]\ninstant_interrupt = false".to_owned(),
        ..Config::default()
    });
    let gate = Gate::default();
    let (begun, rest) = (vec![ev::created()], ev::text("whole"));
    lab.model.reply(held(&gate, begun, rest)).reply(ev::text("second"));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    gate.reached();
    steer(&client, &thread, &turn, "and that");
    gate.open();
    assert_eq!(client.finish(&thread)["status"], "completed");
    let last = lab.model.last();
    assert_eq!((last.asked(), last.texts("assistant")), (vec!["first", "and that"], vec!["whole"]));
}

#[test]
fn an_input_that_comes_again_is_taken_once() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    gate.reached();
    let send = || {
        let input = json!([{"type": "text", "text": "second"}]);
        let params = json!({"threadId": thread, "expectedTurnId": turn, "input": input, "clientUserMessageId": "x"});
        assert_eq!(client.request("turn/steer", params), json!({"turnId": turn}));
    };
    send();
    send();
    client.finish(&thread);
    send();
    assert_eq!(lab.model.last().asked(), ["first", "second"]);
    assert_eq!((lab.model.requests().len(), client.items("userMessage").len()), (2, 2));
}

#[test]
fn what_was_finished_is_kept() {
    let lab = Lab::new();
    let gate = Gate::default();
    let begun = vec![ev::created(), ev::done(&ev::message("msg-1", "finished"))];
    lab.model.reply(held(&gate, begun, vec![]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.item_completed("agentMessage");
    steer(&client, &thread, &turn, "second");
    client.finish(&thread);
    let last = lab.model.last();
    let said: Vec<&str> = last.asked().into_iter().chain(last.texts("assistant")).collect();
    assert_eq!(said, ["first", "second", "finished"]);
}

#[test]
fn a_running_tool_is_waited_for() {
    let lab = Lab::new();
    lab.model.reply(ev::shell("call-1", "until test -e go; do sleep 0.02; done; echo ran"));
    let client = lab.start();
    let thread = client.thread();
    let mark = client.mark();
    let turn = client.turn(&thread, "first");
    client.item_started("commandExecution");
    steer(&client, &thread, &turn, "also this");
    steer(&client, &thread, &turn, "and that");
    lab.home.write("go", "");
    assert_eq!(client.finish(&thread)["status"], "completed");
    let last = lab.model.last();
    assert_eq!(last.asked(), ["first", "also this", "and that"]);
    assert!(last.output("call-1").contains("ran"));
    let kinds: Vec<&str> =
        last.input().iter().rev().take(4).filter_map(|i| i["type"].as_str()).collect();
    assert_eq!(
        kinds,
        ["message", "message", "function_call_output", "function_call"],
        "newest first"
    );
    insta::assert_snapshot!(client.since(mark), @"
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- turn/started
    <- item/started userMessage
    <- item/completed userMessage
    <- item/started commandExecution [call-1] inProgress
    -> turn/steer
    <= turn/steer
    -> turn/steer
    <= turn/steer
    <- item/completed commandExecution [call-1] completed
    <- thread/tokenUsage/updated
    <- item/started userMessage
    <- item/completed userMessage
    <- item/started userMessage
    <- item/completed userMessage
    <- item/started agentMessage [msg-1]
    <- item/completed agentMessage [msg-1]
    <- thread/tokenUsage/updated
    <- thread/status/changed idle
    <- turn/completed completed
    ");
}

#[test]
fn refusals() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(
        &gate,
        vec![ev::created()],
        vec![ev::done(&ev::message("m", "a")), ev::completed()],
    ));
    let client = lab.start();
    let thread = client.thread();
    let params = |expected: &str, input: Value| json!({"threadId": thread, "expectedTurnId": expected, "input": input});
    let text = json!([{"type": "text", "text": "x"}]);
    client.refused("turn/steer", params("t", text.clone()), "no active turn to steer");
    client.refused("turn/steer", params("", text.clone()), "expectedTurnId must not be empty");
    let turn = client.turn(&thread, "first");
    gate.reached();
    client.note("turn/started");
    let other = format!("expected active turn id `other` but found `{turn}`");
    client.refused("turn/steer", params("other", text), &other);
    client.refused("turn/steer", params(&turn, json!([])), "input must not be empty");
    let remote = json!([{"type": "image", "url": "http://example.com/a.png"}]);
    let message = "remote image URLs are not supported; use an inline data URL instead";
    client.refused("turn/steer", params(&turn, remote), message);
    gate.open();
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(lab.model.requests().len(), 1);
}
