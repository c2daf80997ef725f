//! Agents: threads that a model starts, talks to, waits for and ends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, Request, Step, ev, held, runs, until};

type Scene = Box<dyn FnOnce(&Request) -> Step + Send>;

/// Scripts a parent and its agents apart: who asks decides who is answered.
fn cast(lab: &Lab, parent: Vec<Scene>, agents: Vec<Scene>) {
    cast_family(lab, [parent, agents, Vec::new()]);
}

/// As [`cast`], with agents of the agents.
fn cast_family(lab: &Lab, scripts: [Vec<Scene>; 3]) {
    let scripts = Arc::new(Mutex::new(scripts.map(VecDeque::from)));
    for _ in 0..30 {
        let scripts = Arc::clone(&scripts);
        lab.model.reply(Step::Ask(Box::new(move |request| {
            match scripts.lock().unwrap()[generation(request)].pop_front() {
                Some(scene) => scene(request),
                None => ev::text("done").into(),
            }
        })));
    }
}

fn generation(request: &Request) -> usize {
    match request.headers.get("x-codex-parent-thread-id") {
        None => 0,
        Some(parent) if *parent == request.headers["session-id"] => 1,
        Some(_) => 2,
    }
}

fn say(text: &'static str) -> Scene {
    Box::new(move |_| ev::text(text).into())
}

fn calls(calls: &[(&str, &str, Value)]) -> Step {
    let items: Vec<Value> = calls
        .iter()
        .map(|(id, name, arguments)| {
            let mut call = ev::function(id, name, arguments);
            call["namespace"] = json!("multi_agent_v1");
            call
        })
        .collect();
    ev::items(&items).into()
}

fn spawn() -> Scene {
    Box::new(|_| calls(&[("c1", "spawn_agent", json!({"message": "task"}))]))
}

/// The agent that the call `c1` has started.
fn agent(request: &Request) -> String {
    let output: Value = serde_json::from_str(request.output("c1")).unwrap();
    output["agent_id"].as_str().unwrap().to_owned()
}

fn until_completed(client: &Client, thread: &str) -> Value {
    client.note_where("turn/completed", |params| params["threadId"] == thread)["turn"].clone()
}

fn notices(request: &Request) -> Vec<String> {
    let texts = request.texts("user").into_iter();
    texts.filter(|t| t.starts_with("<subagent_notification>")).map(str::to_owned).collect()
}

#[test]
fn a_result_that_nobody_waits_for_is_told() {
    let lab = Lab::new();
    let gate = Gate::default();
    let (at, end) = (gate.clone(), vec![ev::done(&ev::message("m", "result")), ev::completed()]);
    let slow: Scene = Box::new(move |_| held(&at, vec![ev::created()], end));
    cast(&lab, vec![spawn(), say("started")], vec![slow]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    gate.open();
    let agent = agent(&last(&lab));
    assert_eq!(until_completed(&client, &agent)["status"], "completed");
    client.complete(&thread, "second");
    let told = notices(&lab.model.last());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&agent) && told[0].contains(r#"{"completed":"result"}"#), "{told:?}");
    client.complete(&thread, "third");
    assert_eq!(notices(&lab.model.last()).len(), 1, "it is told once");
}

#[test]
fn a_result_that_was_waited_for_is_not_told_again() {
    let lab = Lab::new();
    let gate = Gate::default();
    let (at, end) = (gate.clone(), vec![ev::done(&ev::message("m", "result")), ev::completed()]);
    let slow: Scene = Box::new(move |_| held(&at, vec![ev::created()], end));
    let wait: Scene =
        Box::new(|request| calls(&[("c2", "wait_agent", json!({"targets": [agent(request)]}))]));
    cast(&lab, vec![spawn(), wait], vec![slow]);
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "first");
    client.note_where("item/started", |params| params["item"]["tool"] == "wait");
    gate.open();
    until_completed(&client, &thread);
    assert!(lab.model.last().output("c2").contains(r#"{"completed":"result"}"#));
    client.complete(&thread, "second");
    assert_eq!(notices(&lab.model.last()), Vec::<String>::new());
}

#[test]
fn input_of_the_user_ends_the_waiting() {
    let lab = Lab::new();
    let gate = Gate::default();
    let at = gate.clone();
    let slow: Scene = Box::new(move |_| held(&at, vec![ev::created()], vec![ev::completed()]));
    let wait: Scene = Box::new(|request| {
        calls(&[("c2", "wait_agent", json!({"targets": [agent(request)], "timeout_ms": 600_000}))])
    });
    cast(&lab, vec![spawn(), wait], vec![slow]);
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.note_where("item/started", |params| params["item"]["tool"] == "wait");
    gate.reached();
    let input = json!([{"type": "text", "text": "never mind"}]);
    client
        .request("turn/steer", json!({"threadId": thread, "expectedTurnId": turn, "input": input}));
    assert_eq!(until_completed(&client, &thread)["id"], turn);
    gate.open();
}

#[test]
fn agents_end_with_their_parent() {
    let lab = Lab::new();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    let script = format!("exec -a {marker} sleep 60");
    let command: Scene = Box::new(move |_| ev::shell("call-1", &script).into());
    cast(&lab, vec![spawn(), say("started")], vec![command]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    until("the agent's command", || runs(&marker).then_some(()));
    client.request("thread/unsubscribe", json!({"threadId": thread}));
    client.request("thread/archive", json!({"threadId": thread}));
    until("its end", || (!runs(&marker)).then_some(()));
    let loaded = client.request("thread/loaded/list", json!({}));
    assert_eq!(loaded["data"], json!([]));
}

#[test]
fn an_agent_may_know_the_conversation() {
    let lab = Lab::new();
    let fork: Scene = Box::new(|_| {
        calls(&[("c1", "spawn_agent", json!({"message": "task", "fork_context": true}))])
    });
    let wait: Scene =
        Box::new(|request| calls(&[("c2", "wait_agent", json!({"targets": [agent(request)]}))]));
    cast(&lab, vec![say("one"), fork, wait], vec![say("result")]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    client.complete(&thread, "second");
    let requests = lab.model.requests();
    let of_agent = requests.iter().find(|r| r.headers.contains_key("x-openai-subagent")).unwrap();
    assert_eq!(of_agent.asked(), ["first", "second", "task"]);
    assert_eq!(of_agent.texts("assistant"), ["one"]);
    assert!(of_agent.calls().is_empty());
}

#[test]
fn a_role_brings_its_own_settings() {
    let tables =
        "[agents.checker]\ndescription = \"Checks.\"\nconfig_file = \"checker.toml\"".to_owned();
    let lab = Lab::with(&Config { tables, ..Config::default() });
    std::fs::write(
        lab.home.home().join("checker.toml"),
        "model = \"other-model\"\ndeveloper_instructions = \"Check twice.\"\n",
    )
    .unwrap();
    let spawn: Scene = Box::new(|request| {
        let tools = request.body["tools"].to_string();
        assert!(tools.contains("`checker`: Checks."), "the role is offered");
        calls(&[("c1", "spawn_agent", json!({"message": "task", "agent_type": "checker"}))])
    });
    let wait: Scene =
        Box::new(|request| calls(&[("c2", "wait_agent", json!({"targets": [agent(request)]}))]));
    cast(&lab, vec![spawn, wait], vec![say("result")]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let requests = lab.model.requests();
    let of_agent = requests.iter().find(|r| r.headers.contains_key("x-openai-subagent")).unwrap();
    assert_eq!(of_agent.body["model"], "other-model");
    assert!(of_agent.texts("developer").contains(&"Check twice."));
}

#[test]
fn approvals_of_agents_reach_the_client() {
    let lab =
        Lab::with(&Config { approval: "on-request", sandbox: "read-only", ..Config::default() });
    let command: Scene = Box::new(|_| {
        ev::shell_with("call-1", "echo ran", &json!({"sandbox_permissions": "require_escalated"}))
            .into()
    });
    let wait: Scene =
        Box::new(|request| calls(&[("c2", "wait_agent", json!({"targets": [agent(request)]}))]));
    cast(&lab, vec![spawn(), wait], vec![command, say("result")]);
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "first");
    let asked = client.asked("item/commandExecution/requestApproval");
    assert_ne!(asked["params"]["threadId"], thread);
    client.decide(&asked, "accept");
    assert_eq!(until_completed(&client, &thread)["status"], "completed");
    assert_eq!(client.items("commandExecution")[0]["aggregatedOutput"], "ran\n");
}

fn output(request: &Request, call: &str) -> String {
    request.output(call).to_owned()
}

/// The last request of the parent's.
fn last(lab: &Lab) -> Request {
    let mut requests = lab.model.requests().into_iter();
    requests.rfind(|request| generation(request) == 0).unwrap()
}

fn with_one_place() -> Lab {
    let tables = "[agents]\nmax_threads = 1".to_owned();
    Lab::with(&Config { tables, ..Config::default() })
}

fn wait() -> Scene {
    Box::new(|request| calls(&[("c2", "wait_agent", json!({"targets": [agent(request)]}))]))
}

#[test]
fn a_task_that_cannot_be_given_takes_no_place() {
    let lab = with_one_place();
    let image = json!({"items": [{"type": "image", "image_url": "https://example.org/a.png"}]});
    let refused: Scene = Box::new(move |_| calls(&[("c0", "spawn_agent", image)]));
    cast(&lab, vec![refused, spawn(), wait()], vec![say("result")]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let last = last(&lab);
    assert!(output(&last, "c0").contains("image"), "{}", output(&last, "c0"));
    assert!(output(&last, "c2").contains(r#"{"completed":"result"}"#));
}

#[test]
fn an_agent_that_a_client_has_unloaded_takes_no_place() {
    let lab = with_one_place();
    let again: Scene = Box::new(|_| calls(&[("c3", "spawn_agent", json!({"message": "task"}))]));
    cast(&lab, vec![spawn(), wait(), say("one"), again], vec![say("result"), say("result")]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let agent = agent(&last(&lab));
    client.request("thread/archive", json!({"threadId": agent}));
    client.complete(&thread, "second");
    assert!(output(&last(&lab), "c3").contains("agent_id"));
}

#[test]
fn closing_an_agent_leaves_a_thread_alone_that_a_client_has_made_of_it() {
    let lab = Lab::new();
    let close: Scene =
        Box::new(|request| calls(&[("c3", "close_agent", json!({"target": agent(request)}))]));
    cast(&lab, vec![spawn(), wait(), say("one"), close], vec![say("result")]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let agent = agent(&last(&lab));
    client.request("thread/archive", json!({"threadId": agent}));
    client.request("thread/unarchive", json!({"threadId": agent}));
    client.resume(&agent);
    client.complete(&thread, "second");
    assert_eq!(output(&last(&lab), "c3"), r#"{"previous_status":"shutdown"}"#);
    let loaded = client.request("thread/loaded/list", json!({}));
    assert!(loaded["data"].as_array().unwrap().contains(&json!(agent)), "{loaded}");
}

#[test]
fn agents_obey_only_the_thread_that_has_started_them() {
    let tables = "[agents]\nmax_depth = 2".to_owned();
    let lab = Lab::with(&Config { tables, ..Config::default() });
    let gate = Gate::default();
    let at = gate.clone();
    let slow: Scene = Box::new(move |_| held(&at, vec![ev::created()], vec![ev::completed()]));
    let grandchild = Arc::new(Mutex::new(String::new()));
    let (seen, target) = (Arc::clone(&grandchild), grandchild);
    let report: Scene = Box::new(move |request| {
        *seen.lock().unwrap() = agent(request);
        ev::text("result").into()
    });
    let meddle: Scene = Box::new(move |_| {
        let target = target.lock().unwrap().clone();
        calls(&[
            ("c3", "send_input", json!({"target": target, "message": "stop"})),
            ("c4", "close_agent", json!({"target": target})),
        ])
    });
    cast_family(&lab, [vec![spawn(), wait(), meddle], vec![spawn(), report], vec![slow]]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let last = last(&lab);
    for call in ["c3", "c4"] {
        assert!(output(&last, call).ends_with("not found"), "{}", output(&last, call));
    }
    gate.open();
}
