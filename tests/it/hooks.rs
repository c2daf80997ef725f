//! Hooks: what runs, what it is told, and what follows from what it says.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::server::{runs, until};
use crate::harness::{Client, Config, Gate, Lab, ev, held, ours_only};

/// A hook that appends its input to `NAME.log` and then does as the script says.
fn hook(lab: &Lab, name: &str, script: &str) -> Value {
    let path = lab.home.root().join(format!("{name}.sh"));
    let log = lab.home.root().join(format!("{name}.log"));
    fs::write(&path, format!("#!/bin/bash\ncat >> '{}'\n{script}\n", log.display())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    json!({"type": "command", "command": path})
}

/// A hook that prints this answer.
fn answering(lab: &Lab, name: &str, answer: &Value) -> Value {
    hook(lab, name, &format!("cat <<'END'\n{answer}\nEND"))
}

fn specific(event: &str, mut fields: Value) -> Value {
    fields["hookEventName"] = json!(event);
    json!({ "hookSpecificOutput": fields })
}

/// One hook for each event.
fn install(lab: &Lab, hooks: &[(&str, Value)]) {
    let events: serde_json::Map<String, Value> = hooks
        .iter()
        .map(|(event, hook)| ((*event).to_owned(), json!([{ "hooks": [hook] }])))
        .collect();
    fs::write(lab.home.home().join("hooks.json"), json!({ "hooks": events }).to_string()).unwrap();
}

fn listed(client: &Client, lab: &Lab) -> Vec<Value> {
    let list = client.request("hooks/list", json!({"cwds": [lab.home.work()]}));
    list["data"][0]["hooks"].as_array().unwrap().clone()
}

/// Approves every hook that is listed, for threads to come.
fn trust(client: &Client, lab: &Lab) {
    approve(client, lab, false);
}

fn approve(client: &Client, lab: &Lab, reload: bool) {
    let state: serde_json::Map<String, Value> = listed(client, lab)
        .iter()
        .map(|hook| {
            let key = hook["key"].as_str().unwrap().to_owned();
            (key, json!({ "trusted_hash": hook["currentHash"] }))
        })
        .collect();
    let edit = json!({"keyPath": "hooks.state", "value": state, "mergeStrategy": "upsert"});
    client.request("config/batchWrite", json!({"edits": [edit], "reloadUserConfig": reload}));
}

/// A server whose hooks are these, all approved.
fn start(lab: &Lab, hooks: &[(&str, Value)]) -> Client {
    install(lab, hooks);
    let client = lab.start();
    trust(&client, lab);
    client
}

/// The inputs that a hook was given so far.
fn told(lab: &Lab, name: &str) -> Vec<Value> {
    let log = fs::read_to_string(lab.home.root().join(format!("{name}.log"))).unwrap_or_default();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Event, status and texts of the runs that have ended.
fn ended(client: &Client) -> Vec<(String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let run = |note: &Value| {
        let run = &note["run"];
        let entries = run["entries"].as_array().unwrap();
        let texts = entries.iter().map(|entry| text(&entry["text"])).collect();
        (text(&run["eventName"]), text(&run["status"]), texts)
    };
    client.notes("hook/completed").iter().map(run).collect()
}

#[test]
fn a_turn_with_every_hook_in_order() {
    let lab = Lab::new();
    let events = [
        "SessionStart",
        "UserPromptSubmit",
        "PreModelRequest",
        "PostModelRequest",
        "PreToolUse",
        "PostToolUse",
        "Stop",
        "SessionEnd",
    ];
    let hooks: Vec<_> = events.iter().map(|event| (*event, hook(&lab, event, ""))).collect();
    lab.model.reply(ev::shell("call-1", "echo hi"));
    let client = start(&lab, &hooks);
    let thread = client.thread();
    client.complete(&thread, "first");
    let order: Vec<String> = ended(&client).into_iter().map(|(event, ..)| event).collect();
    let tool = ["preToolUse", "postToolUse"];
    let rest: Vec<&str> =
        order.iter().map(String::as_str).filter(|event| !tool.contains(event)).collect();
    assert_eq!(
        rest,
        [
            "sessionStart",
            "userPromptSubmit",
            "preModelRequest",
            "postModelRequest",
            "preModelRequest",
            "postModelRequest",
            "stop"
        ]
    );
    let (start, end) = (&told(&lab, "SessionStart")[0], &told(&lab, "PostToolUse")[0]);
    assert_eq!((&start["source"], start.get("turn_id")), (&json!("startup"), None));
    assert_eq!((&end["tool_name"], &end["tool_response"]), (&json!("Bash"), &json!("hi\n")));
    assert_eq!(told(&lab, "PostModelRequest")[0]["status"], "completed");
    client.complete(&thread, "second");
    assert_eq!(told(&lab, "SessionStart").len(), 1, "a session begins once");
    client.close();
    assert_eq!(told(&lab, "SessionEnd")[0]["reason"], "other");
}

#[test]
fn all_that_a_command_has_printed_is_told() {
    let lab = Lab::new();
    let hooks = [("PostToolUse", hook(&lab, "PostToolUse", ""))];
    let little = json!({"max_output_tokens": 5});
    lab.model.reply(ev::shell_with("call-1", "printf 'Output:\\n%0500d' 7", &little));
    let client = start(&lab, &hooks);
    client.complete(&client.thread(), "go");
    assert!(lab.model.last().output("call-1").contains("truncated"));
    let expected = format!("Output:\n{:0500}", 7);
    assert_eq!(told(&lab, "PostToolUse")[0]["tool_response"], expected);
}

#[test]
fn nothing_runs_that_is_not_approved() {
    let lab = Lab::new();
    install(&lab, &[("UserPromptSubmit", hook(&lab, "prompt", ""))]);
    let client = lab.start();
    client.complete(&client.thread(), "first");
    trust(&client, &lab);
    install(&lab, &[("UserPromptSubmit", json!({"type": "command", "command": "false"}))]);
    assert_eq!(listed(&client, &lab)[0]["trustStatus"], "modified");
    client.complete(&client.thread(), "second");
    assert!(told(&lab, "prompt").is_empty() && client.notes("hook/started").is_empty());
}

/// A project's hooks count when the project is trusted, and it cannot trust them itself.
#[test]
fn projects() {
    let lab = Lab::new();
    let hooks = json!({"hooks": {"UserPromptSubmit": [{"hooks": [hook(&lab, "prompt", "")]}]}});
    lab.home.write(".codex/hooks.json", hooks.to_string());
    let client = lab.start();
    assert!(listed(&client, &lab).is_empty());
    let key = format!("projects.\"{}\".trust_level", lab.home.work().display());
    let edit = json!({"keyPath": key, "value": "trusted", "mergeStrategy": "replace"});
    client.request("config/value/write", edit);
    let found = listed(&client, &lab);
    assert_eq!(
        (&found[0]["source"], &found[0]["trustStatus"]),
        (&json!("project"), &json!("untrusted"))
    );
    let (key, hash) =
        (found[0]["key"].as_str().unwrap(), found[0]["currentHash"].as_str().unwrap());
    lab.home
        .write(".codex/config.toml", format!("[hooks.state.'{key}']\ntrusted_hash = '{hash}'\n"));
    assert_eq!(listed(&client, &lab)[0]["trustStatus"], "untrusted");
    trust(&client, &lab);
    client.complete(&client.thread(), "first");
    assert_eq!(told(&lab, "prompt").len(), 1);
}

#[test]
fn a_prompt_that_hooks_keep_from_the_model() {
    let lab = Lab::new();
    let client = start(
        &lab,
        &[(
            "UserPromptSubmit",
            hook(
                &lab,
                "prompt",
                "grep -q secret \"$0\"; tail -n1 \"${0%.sh}.log\" | grep -q secret && { echo no >&2; exit 2; }; exit 0",
            ),
        )],
    );
    let thread = client.thread();
    client.complete(&thread, "a secret");
    assert!(lab.model.requests().is_empty() && client.items("userMessage").is_empty());
    client.complete(&thread, "first");
    assert_eq!(lab.model.last().asked(), ["first"], "the other one is in no history");
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    let turn = client.turn(&thread, "second");
    gate.reached();
    let steer = |text: &str| {
        let input = json!([{"type": "text", "text": text}]);
        client.request(
            "turn/steer",
            json!({"threadId": thread, "expectedTurnId": turn, "input": input}),
        )
    };
    steer("more");
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(
        lab.model.last().asked(),
        ["first", "second", "more"],
        "steered input is heard, too"
    );
}

#[test]
fn context_stands_where_it_belongs() {
    let lab = Lab::new();
    let add =
        |event: &str| answering(&lab, event, &specific(event, json!({"additionalContext": event})));
    lab.model.reply(ev::shell("call-1", "echo hi"));
    let hooks =
        ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse"].map(|e| (e, add(e)));
    let client = start(&lab, &hooks);
    client.complete(&client.thread(), "first");
    let last = lab.model.last();
    let place = |text: &str| {
        let at = |item: &Value| item["content"][0]["text"] == text;
        last.input().iter().position(at).unwrap_or_else(|| panic!("{text} is told"))
    };
    let output =
        last.input().iter().position(|item| item["type"] == "function_call_output").unwrap();
    assert!(place("SessionStart") < place("first") && place("first") < place("UserPromptSubmit"));
    assert!(place("PreToolUse") < place("PostToolUse") && place("PostToolUse") < output);
}

#[test]
fn an_answer_that_is_not_understood_stops_the_tool() {
    ours_only!();
    let lab = Lab::new();
    lab.model.reply(ev::shell("call-1", "touch made"));
    let client =
        start(&lab, &[("PreToolUse", answering(&lab, "pre", &json!({"decide": "block"})))]);
    client.complete(&client.thread(), "first");
    assert!(!lab.home.exists("made") && client.items("commandExecution").is_empty());
    assert_eq!(ended(&client)[0].1, "failed");
    assert!(lab.model.last().output("call-1").contains("cannot be understood"));
}

#[test]
fn an_edit_through_the_shell_is_an_edit() {
    ours_only!();
    let lab = Lab::new();
    lab.model.reply(ev::patch("call-1", &["*** Add File: a.txt", "+x"]));
    let deny = hook(&lab, "edit", "echo 'no edits' >&2; exit 2");
    let hooks = json!({"hooks": {"PreToolUse": [{"matcher": "Edit|Write", "hooks": [deny]}]}});
    fs::write(lab.home.home().join("hooks.json"), hooks.to_string()).unwrap();
    let client = lab.start();
    trust(&client, &lab);
    client.complete(&client.thread(), "first");
    assert!(!lab.home.exists("a.txt"));
    assert!(lab.model.last().output("call-1").contains("no edits"));
}

#[test]
fn a_result_is_replaced() {
    let lab = Lab::new();
    lab.model.reply(ev::shell("call-1", "echo hi"));
    let client = start(&lab, &[("PostToolUse", hook(&lab, "post", "echo instead >&2; exit 2"))]);
    client.complete(&client.thread(), "first");
    assert_eq!(lab.model.last().output("call-1"), "instead");
    assert_eq!(client.items("commandExecution")[0]["aggregatedOutput"], "hi\n");
}

#[test]
fn a_hook_refuses_in_the_users_place() {
    let lab = Lab::with(&Config {
        approval: "on-request",
        sandbox: "workspace-write",
        ..Config::default()
    });
    let escalate = json!({"sandbox_permissions": "require_escalated", "justification": "may I?"});
    lab.model.reply(ev::shell_with("call-1", "touch made", &escalate));
    let deny = specific(
        "PermissionRequest",
        json!({"decision": {"behavior": "deny", "message": "never"}}),
    );
    let client = start(&lab, &[("PermissionRequest", answering(&lab, "permission", &deny))]);
    client.complete(&client.thread(), "first");
    assert!(!lab.home.exists("made") && lab.model.last().output("call-1").contains("never"));
}

#[test]
fn a_hook_that_takes_too_long_is_killed() {
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    let mut slow = hook(&lab, "slow", &format!("(exec -a {marker} sleep 60) & wait"));
    slow["timeout"] = json!(1);
    let client = start(&lab, &[("UserPromptSubmit", slow)]);
    client.complete(&client.thread(), "first");
    let (_, status, texts) = &ended(&client)[0];
    assert_eq!((status.as_str(), texts[0].as_str()), ("failed", "hook timed out after 1s"));
    until("end of the hook's children", || (!runs(&marker)).then_some(()));
}

#[test]
fn an_interrupt_does_not_wait_for_hooks() {
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    let slow = hook(&lab, "slow", &format!("(exec -a {marker} sleep 60) & wait"));
    let client =
        start(&lab, &[("UserPromptSubmit", slow), ("Interrupt", hook(&lab, "interrupt", ""))]);
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    until("the hook", || runs(&marker).then_some(()));
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    until("end of the hook", || (!runs(&marker)).then_some(()));
    until("the hook of the interrupt", || (!told(&lab, "interrupt").is_empty()).then_some(()));
    assert!(lab.model.requests().is_empty());
    install(&lab, &[]);
    let next = client.thread();
    client.complete(&next, "second");
}

#[test]
fn an_interrupt_ends_the_hooks_of_calls() {
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    lab.model.reply(ev::shell("call-1", "touch made"));
    let slow = hook(&lab, "slow", &format!("(exec -a {marker} sleep 60) & wait"));
    let client = start(&lab, &[("PreToolUse", slow)]);
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    until("the hook", || runs(&marker).then_some(()));
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    until("end of the hook", || (!runs(&marker)).then_some(()));
    assert!(!lab.home.exists("made"));
}

#[test]
fn asynchronous_hooks_have_their_say_later() {
    let lab = Lab::new();
    let mut beside = hook(&lab, "beside", "echo 'by the way'");
    beside["async"] = json!(true);
    let client = start(&lab, &[("UserPromptSubmit", beside)]);
    let thread = client.thread();
    until("what the hook has said", || {
        client.complete(&thread, "again");
        lab.model.last().texts("developer").contains(&"by the way").then_some(())
    });
    assert!(client.notes("hook/started").is_empty(), "nobody waits, and nobody is told");
}

#[test]
fn a_session_that_hooks_stop() {
    let lab = Lab::new();
    let stop = json!({"continue": false, "stopReason": "not here"});
    let client = start(&lab, &[("SessionStart", answering(&lab, "start", &stop))]);
    let thread = client.thread();
    client.complete(&thread, "first");
    assert!(lab.model.requests().is_empty());
    assert_eq!(ended(&client)[0].1, "stopped");
    client.complete(&thread, "second");
    assert_eq!(lab.model.last().asked(), ["second"], "that was the session's beginning");
}

#[test]
fn a_goal_is_not_what_a_user_says() {
    let lab = Lab::new();
    let block = json!({"decision": "block", "reason": "no"});
    lab.model
        .reply(ev::call("call-1", "update_goal", &json!({"status": "complete"})))
        .reply(ev::text("end"));
    let client = start(&lab, &[("UserPromptSubmit", answering(&lab, "prompt", &block))]);
    let thread = client.thread();
    client.request("thread/goal/set", json!({"threadId": thread, "objective": "o"}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(lab.model.requests().len(), 2);
    assert!(client.notes("hook/started").is_empty());
}

#[test]
fn a_goal_waits_when_its_session_is_stopped() {
    let lab = Lab::new();
    let stop = json!({"continue": false, "stopReason": "not here"});
    let client = start(&lab, &[("SessionStart", answering(&lab, "start", &stop))]);
    let thread = client.thread();
    client.request("thread/goal/set", json!({"threadId": thread, "objective": "o"}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert!(lab.model.requests().is_empty());
    lab.model
        .reply(ev::text("hello"))
        .reply(ev::call("call-1", "update_goal", &json!({"status": "complete"})))
        .reply(ev::text("end"));
    client.complete(&thread, "hello");
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(lab.model.requests().len(), 3);
}

#[test]
fn what_cannot_be_used_is_told_at_once() {
    let lab = Lab::new();
    let file = lab.home.home().join("hooks.json");
    let warned = |content: &str| {
        fs::write(&file, content).unwrap();
        let client = lab.start();
        client.note("configWarning")["summary"].as_str().unwrap().to_owned()
    };
    assert!(warned("{ not json").contains("failed to parse"));
    assert!(warned(r#"{"hooks": {"PreToolUze": []}}"#).contains("PreToolUze"));
}

#[test]
fn loaded_threads_take_over_hooks() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let start = hook(&lab, "start", "");
    install(&lab, &[("UserPromptSubmit", hook(&lab, "prompt", "")), ("SessionStart", start)]);
    approve(&client, &lab, true);
    client.complete(&thread, "second");
    assert_eq!(told(&lab, "prompt")[0]["prompt"], "second");
    assert!(told(&lab, "start").is_empty(), "the session had begun");
    install(&lab, &[]);
    approve(&client, &lab, true);
    client.complete(&thread, "third");
    assert_eq!(told(&lab, "prompt").len(), 1, "there are none any more");
}

#[test]
fn a_session_whose_beginning_was_interrupted_begins_again() {
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    let slow = format!("[ -e again ] || {{ touch again; (exec -a {marker} sleep 60) & wait; }}");
    let client = start(&lab, &[("SessionStart", hook(&lab, "start", &slow))]);
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    until("the hook", || runs(&marker).then_some(()));
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    client.complete(&thread, "second");
    client.complete(&thread, "third");
    let sources: Vec<Value> =
        told(&lab, "start").iter().map(|input| input["source"].clone()).collect();
    assert_eq!(sources, ["startup", "startup"]);
}

#[test]
fn a_thread_that_ends_leaves_no_hook_open() {
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    let slow = hook(&lab, "slow", &format!("(exec -a {marker} sleep 60) & wait"));
    let client = start(&lab, &[("Interrupt", slow)]);
    let thread = client.thread();
    client.complete(&thread, "first");
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![ev::completed()]));
    let turn = client.turn(&thread, "second");
    gate.reached();
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    until("the hook", || runs(&marker).then_some(()));
    client.request("thread/archive", json!({"threadId": thread}));
    assert_eq!(client.note("hook/completed")["run"]["status"], "failed");
}

#[test]
fn background_hooks_have_a_limit() {
    let lab = Lab::new();
    let mut beside = hook(&lab, "beside", "exec sleep 60");
    beside["async"] = json!(true);
    let many = json!({ "hooks": { "UserPromptSubmit": [{ "hooks": vec![beside; 40] }] } });
    fs::write(lab.home.home().join("hooks.json"), many.to_string()).unwrap();
    let client = lab.start();
    trust(&client, &lab);
    let thread = client.thread();
    client.complete(&thread, "first");
    until("as many hooks as there may be", || (told(&lab, "beside").len() == 32).then_some(()));
    client.complete(&thread, "second");
    assert_eq!(told(&lab, "beside").len(), 32, "those that are too many do not run");
}

#[test]
fn an_agent_begins_once() {
    let lab = Lab::new();
    let hooks =
        [("SubagentStart", hook(&lab, "start", "")), ("SubagentStop", hook(&lab, "stop", ""))];
    let client = start(&lab, &hooks);
    let thread = client.thread();
    let call = |name: &str, arguments: &Value| {
        ev::items(&[ev::member("call-1", "multi_agent_v1", name, arguments)])
    };
    lab.model.reply(call("spawn_agent", &json!({"message": "task"})));
    client.turn(&thread, "go");
    let of_agent = |params: &Value| params["threadId"] != json!(thread);
    let agent = client.note_where("turn/completed", of_agent)["threadId"].clone();
    client.finish(&thread);
    lab.model.reply(call("send_input", &json!({"target": agent, "message": "more"})));
    client.turn(&thread, "again");
    client.note_where("turn/completed", of_agent);
    client.finish(&thread);
    let inputs = told(&lab, "start");
    assert_eq!(inputs.len(), 1, "its second turn is no beginning");
    assert_eq!((&inputs[0]["agent_id"], &inputs[0]["agent_type"]), (&agent, &json!("default")));
    assert_eq!(told(&lab, "stop").len(), 2);
}

#[test]
fn hooks_of_a_turn_are_told_its_settings() {
    let lab = Lab::new();
    let client = start(&lab, &[("Stop", hook(&lab, "stop", ""))]);
    let thread = client.thread();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![ev::completed()]));
    client.turn(&thread, "first");
    gate.reached();
    client.request("thread/settings/update", json!({"threadId": thread, "model": "another"}));
    gate.open();
    client.finish(&thread);
    client.complete(&thread, "second");
    let models: Vec<Value> = told(&lab, "stop").iter().map(|it| it["model"].clone()).collect();
    assert_eq!(models[1], "another");
    assert_ne!(models[0], "another", "the turn began with a model, and has it to its end");
}
