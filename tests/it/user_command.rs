//! Commands that the user runs in a thread.

use serde_json::{Value, json};

use crate::harness::server::{runs, until};
use crate::harness::{Client, Config, Gate, Lab, ev, held};

#[track_caller]
fn run(client: &Client, thread: &str, script: &str) {
    let params = json!({"threadId": thread, "command": script});
    assert_eq!(client.request("thread/shellCommand", params), json!({}));
}

/// What the model was told of the user's commands, most recently.
fn told(lab: &Lab) -> Vec<String> {
    let last = lab.model.last();
    let told =
        last.texts("user").into_iter().filter(|text| text.starts_with("<user_shell_command>"));
    told.map(str::to_owned).collect()
}

#[test]
fn in_an_idle_thread() {
    let config = Config { approval: "on-request", sandbox: "read-only", ..Config::default() };
    let lab = Lab::with(&config);
    let client = lab.start();
    let thread = client.thread();
    let mark = client.mark();
    run(&client, &thread, " touch made; echo out; exit 2 ");
    assert_eq!(client.finish(&thread)["status"], "completed");
    insta::assert_snapshot!(client.since(mark), @"
    -> thread/shellCommand
    <= thread/shellCommand
    <- thread/status/changed active
    <- turn/started
    <- item/started commandExecution inProgress
    <- item/completed commandExecution failed
    <- thread/status/changed idle
    <- turn/completed completed
    ");
    let item = &client.items("commandExecution")[0];
    assert_eq!(
        (&item["source"], &item["processId"], &item["exitCode"], &item["aggregatedOutput"]),
        (&json!("userShell"), &Value::Null, &json!(2), &json!("out\n"))
    );
    assert!(lab.home.exists("made") && lab.model.requests().is_empty());
    lab.model.reply(ev::text("I see"));
    client.complete(&thread, "what happened?");
    let told = told(&lab);
    let (before, after) = told[0].split_once("\nDuration: ").unwrap();
    assert_eq!(
        before,
        "<user_shell_command>\n<command>\ntouch made; echo out; exit 2\n</command>\n<result>\nExit code: 2"
    );
    assert!(
        after.ends_with(" seconds\nOutput:\nout\n\n</result>\n</user_shell_command>"),
        "{after}"
    );
    let read = client.request("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert_eq!(read["thread"]["turns"][0]["items"][0]["exitCode"], 2);
    assert_eq!(read["thread"]["preview"], "what happened?");
}

#[test]
fn in_a_running_turn() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], ev::text("over").split_off(1)));
    lab.model.reply(ev::text("I see"));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "go");
    gate.reached();
    run(&client, &thread, "echo aside");
    let done =
        client.note_where("item/completed", |params| params["item"]["source"] == "userShell");
    assert_eq!(
        (&done["turnId"], &done["item"]["aggregatedOutput"]),
        (&json!(turn), &json!("aside\n"))
    );
    gate.open();
    assert_eq!(client.finish(&thread)["id"], turn.as_str());
    assert!(told(&lab)[0].contains("\nOutput:\naside\n"), "the model goes on with what it is told");
    assert_eq!((client.notes("turn/started").len(), lab.model.requests().len()), (1, 2));
}

#[test]
fn an_interrupt_kills_them_all() {
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    let client = lab.start();
    let thread = client.thread();
    for name in ["a", "b"] {
        run(&client, &thread, &format!("(exec -a {marker}-{name} sleep 60) & echo up; wait"));
        until("start", || runs(&format!("{marker}-{name}")).then_some(()));
    }
    let turn = client.note("turn/started")["turn"]["id"].clone();
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    for item in client.items("commandExecution") {
        assert_eq!(
            (&item["status"], &item["exitCode"], &item["aggregatedOutput"]),
            (&json!("failed"), &json!(-1), &json!("command aborted by user"))
        );
    }
    until("end of the commands", || (!runs(&marker)).then_some(()));
    lab.model.reply(ev::text("ok"));
    client.complete(&thread, "and now?");
    assert_eq!(told(&lab).len(), 2);
}

#[test]
fn words_of_the_user_wait_for_their_command() {
    let lab = Lab::new();
    lab.model.reply(ev::text("ok"));
    let client = lab.start();
    let thread = client.thread();
    run(&client, &thread, "until [ -e go ]; do sleep 0.01; done; echo gone");
    let turn = client.note("turn/started")["turn"]["id"].clone();
    assert_eq!(client.turn(&thread, "look"), turn.as_str().unwrap());
    assert!(lab.model.requests().is_empty());
    lab.home.write("go", "");
    let done = client.finish(&thread);
    assert_eq!((&done["id"], &done["items"][0]["text"]), (&turn, &json!("ok")));
    let last = lab.model.last();
    assert!(told(&lab)[0].contains("\ngone\n") && last.asked() == ["look"]);
    assert!(last.texts("user").iter().any(|text| text.starts_with("<environment_context>")));
}

#[test]
fn limits_and_refusals() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let params = json!({"threadId": thread, "command": "echo a; sleep 60", "timeoutMs": 300});
    client.request("thread/shellCommand", params);
    assert_eq!(client.finish(&thread)["status"], "completed");
    let item = &client.items("commandExecution")[0];
    assert_eq!(
        (&item["exitCode"], &item["aggregatedOutput"]),
        (&json!(-1), &json!("a\ncommand timed out after 300 ms"))
    );
    let method = "thread/shellCommand";
    client.refused(
        method,
        json!({"threadId": thread, "command": " "}),
        "command must not be empty",
    );
    let negative = json!({"threadId": thread, "command": "true", "timeoutMs": -5});
    let refusal = client.refuse(method, negative);
    assert_eq!(
        (refusal.code, &*refusal.message),
        (-32602, "thread/shellCommand timeoutMs must be non-negative, got -5")
    );
}
