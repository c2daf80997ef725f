//! Agents that know each other: by their places in a tree, they give each other tasks and write to each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, Request, Step, ev, held, until};

type Scene = Box<dyn FnOnce(&Request) -> Step + Send>;

const USUAL: &str = "[features]\nmulti_agent_v2 = true";

fn lab(agents: &str) -> Lab {
    let tables = format!("{USUAL}\n[agents]\n{agents}");
    Lab::with(&Config { tables, ..Config::default() })
}

/// Scripts each agent by its path. Who has no more scenes is done.
fn cast<const N: usize>(lab: &Lab, scripts: [(&str, Vec<Scene>); N]) {
    let scripts = scripts.map(|(path, scenes)| (path.to_owned(), VecDeque::from(scenes)));
    let scripts = Arc::new(Mutex::new(BTreeMap::from(scripts)));
    for _ in 0..40 {
        let scripts = Arc::clone(&scripts);
        lab.model.reply(Step::Ask(Box::new(move |request| {
            let scene =
                scripts.lock().unwrap().get_mut(&path(request)).and_then(VecDeque::pop_front);
            scene.map_or_else(|| ev::text("done").into(), |scene| scene(request))
        })));
    }
}

/// Which agent asks.
fn path(request: &Request) -> String {
    let said: Value = serde_json::from_str(&request.headers["x-codex-turn-metadata"]).unwrap();
    said["agent_name"].as_str().unwrap().to_owned()
}

fn requests_of(lab: &Lab, agent: &str) -> Vec<Request> {
    lab.model.requests().into_iter().filter(|request| path(request) == agent).collect()
}

fn last_of(lab: &Lab, agent: &str) -> Request {
    requests_of(lab, agent).pop().unwrap()
}

fn say(text: &'static str) -> Scene {
    Box::new(move |_| ev::text(text).into())
}

fn call(name: &'static str, arguments: Value) -> Scene {
    calls(&[(name, name, arguments)])
}

/// A response of calls, each with its id.
fn calls(calls: &[(&str, &str, Value)]) -> Scene {
    let items: Vec<Value> = calls
        .iter()
        .map(|(id, name, arguments)| ev::member(id, "collaboration", name, arguments))
        .collect();
    Box::new(move |_| ev::items(&items).into())
}

fn spawn(name: &str) -> Scene {
    call("spawn_agent", json!({"task_name": name, "message": format!("task of {name}")}))
}

fn wait(id: &str) -> Scene {
    calls(&[(id, "wait_agent", json!({}))])
}

/// Waits for what comes through the gate: it is not open before.
fn wait_at(id: &str, gate: &Gate) -> Scene {
    let (gate, wait) = (gate.clone(), wait(id));
    Box::new(move |request| {
        gate.open();
        wait(request)
    })
}

/// An answer that comes when the gate is opened.
fn slow(gate: &Gate, text: &str) -> Scene {
    let (gate, end) = (gate.clone(), vec![ev::done(&ev::message("m", text)), ev::completed()]);
    Box::new(move |_| held(&gate, vec![ev::created()], end))
}

/// `kind author: text` of every letter that the model was given.
fn letters(request: &Request) -> Vec<String> {
    let letters = request.input().iter().filter(|item| item["type"] == "agent_message");
    letters
        .map(|letter| {
            let parts = letter["content"].as_array().unwrap();
            let head = parts[0]["text"].as_str().unwrap();
            let kind = head.lines().next().unwrap().strip_prefix("Message Type: ").unwrap();
            let text = match parts.get(1) {
                Some(part) => part["encrypted_content"].as_str().unwrap(),
                None => head.split_once("Payload:\n").unwrap().1,
            };
            format!("{kind} {}: {text}", letter["author"].as_str().unwrap())
        })
        .collect()
}

/// `kind path` of everything that clients were shown of agents.
fn shown(client: &Client) -> Vec<String> {
    let items = client.items("subAgentActivity");
    let name = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    items.iter().map(|item| format!("{} {}", name(item, "kind"), name(item, "agentPath"))).collect()
}

/// The thread of the first agent that was shown.
fn agent(client: &Client) -> String {
    client.items("subAgentActivity")[0]["agentThreadId"].as_str().unwrap().to_owned()
}

fn read(client: &Client, thread: &str) -> Value {
    let params = json!({"threadId": thread, "includeTurns": true});
    client.request("thread/read", params)["thread"].clone()
}

/// What was done with agents in the first turn, as it is on disk.
fn kept(client: &Client, thread: &str) -> Vec<String> {
    let turn = &read(client, thread)["turns"][0];
    let items = turn["items"].as_array().unwrap().iter();
    let done = items.filter(|item| item["type"] == "subAgentActivity");
    done.map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
}

fn listed(request: &Request, call: &str) -> Vec<String> {
    let output: Value = serde_json::from_str(request.output(call)).unwrap();
    let agents = output["agents"].as_array().unwrap();
    agents.iter().map(|agent| agent["agent_name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_configuration_decides_about_the_tools() {
    let kinds = |lab: &Lab| {
        let client = lab.start();
        client.complete(&client.thread(), "hi");
        let tools = lab.model.last().tools();
        ["multi_agent_v1.spawn_agent", "collaboration.spawn_agent"]
            .map(|name| tools.iter().any(|tool| tool == name))
    };
    let configured = |version: &str, tables: &str| {
        let config = Config { tables: tables.to_owned(), ..Config::default() };
        let lab = Lab::describing(&json!({"multi_agent_version": version}), config);
        lab.model.reply(ev::text("hello"));
        kinds(&lab)
    };
    assert_eq!(configured("v1", ""), [true, false]);
    assert_eq!(configured("v1", USUAL), [false, true]);
    assert_eq!(configured("v2", ""), [false, true]);
    assert_eq!(configured("v2", "[features]\nmulti_agent = false"), [false, true]);
    assert_eq!(configured("v2", "[agents]\nenabled = false"), [false, false]);
    assert_eq!(configured("disabled", ""), [false, false]);
    assert_eq!(configured("disabled", USUAL), [false, true]);
}

#[test]
fn a_thread_keeps_its_kind_of_agents() {
    let lab = Lab::describing(&json!({"multi_agent_version": "v2"}), Config::default());
    for _ in 0..4 {
        lab.model.reply(ev::text("hello"));
    }
    let client = lab.start();
    let thread = client.thread();
    let knows = |name: &str| lab.model.last().tools().iter().any(|tool| tool == name);
    client.complete(&thread, "one");
    client.turn_with(
        &thread,
        json!({"model": "unknown-model", "input": [{"type": "text", "text": "two"}]}),
    );
    client.finish(&thread);
    assert!(knows("collaboration.spawn_agent"), "with another model");
    client.close();
    lab.home.describe_model(&json!({"multi_agent_version": "v1"}));
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "three");
    assert!(knows("collaboration.spawn_agent"), "in another process");
    client.complete(&client.thread(), "four");
    assert!(knows("multi_agent_v1.spawn_agent"), "a new thread has what is usual by now");
}

#[test]
fn a_task_is_answered() {
    let lab = lab("");
    let gate = Gate::default();
    cast(
        &lab,
        [
            ("/root", vec![say("one"), spawn("a"), wait_at("w", &gate), wait("vain"), say("two")]),
            ("/root/a", vec![slow(&gate, "result")]),
        ],
    );
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    client.complete(&thread, "second");

    let of_agent = last_of(&lab, "/root/a");
    assert_eq!(of_agent.asked(), ["first", "second"], "it knows the conversation");
    assert_eq!(of_agent.texts("assistant"), ["one"]);
    assert_eq!(of_agent.output("spawn_agent"), "aborted");
    assert_eq!(letters(&of_agent), ["NEW_TASK /root: task of a"]);
    let of_root = requests_of(&lab, "/root");
    let shared = of_root[1].raw_input();
    assert_eq!(of_agent.raw_input()[1..shared.len()], shared[1..], "word for word");
    assert_eq!(of_root[2].output("spawn_agent"), r#"{"task_name":"/root/a"}"#);
    let last = of_root.last().unwrap();
    assert_eq!(last.output("w"), r#"{"message":"Wait completed.","timed_out":false}"#);
    assert!(last.output("vain").contains("nothing to wait for"), "{}", last.output("vain"));
    assert_eq!(letters(last), ["FINAL_ANSWER /root/a: result"]);

    assert_eq!(shown(&client), ["started /root/a", "completed /root/a"]);
    assert_eq!(kept(&client, &thread), Vec::<String>::new());
    let child = read(&client, &agent(&client));
    assert_eq!(child["preview"], "");
    assert_eq!(child["source"]["subAgent"]["thread_spawn"]["agent_path"], "/root/a");
    assert_eq!(child["turns"][0]["items"].as_array().unwrap().len(), 1, "{child:#}");
}

#[test]
fn an_agent_may_know_its_task_alone() {
    let lab = lab("");
    let spawn =
        json!({"task_name": "a", "message": "task", "fork_turns": "none", "model": "mock-model"});
    cast(&lab, [("/root", vec![call("spawn_agent", spawn), wait("w")])]);
    let client = lab.start();
    client.complete(&client.thread(), "first");
    let of_agent = last_of(&lab, "/root/a");
    assert_eq!(of_agent.asked(), Vec::<&str>::new());
    assert_eq!(letters(&of_agent), ["NEW_TASK /root: task"]);
    assert!(of_agent.texts("user")[0].starts_with("<environment_context>"));
}

#[test]
fn what_cannot_be_is_refused() {
    let lab = lab("");
    let spawn = |name: &str, more: Value| {
        let mut arguments = json!({"task_name": name, "message": "task"});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("spawn_agent", arguments)
    };
    let write = |tool: &'static str, target: &str, message: &str| {
        (tool, json!({"target": target, "message": message}))
    };
    let refusals = [
        (spawn("Worker-1", json!({})), "lowercase letters"),
        (spawn("", json!({})), "must not be empty"),
        (spawn("root", json!({})), "reserved"),
        (spawn("a/b", json!({})), "must not contain `/`"),
        (spawn("a", json!({})), "`/root/a` is there already"),
        (spawn("b", json!({"message": " "})), "empty message"),
        (spawn("b", json!({"fork_turns": "some"})), "fork_turns"),
        (spawn("b", json!({"fork_context": true})), "fork_context"),
        (spawn("b", json!({"agent_type": "nobody"})), "agent_type"),
        (write("send_message", "nobody", "hi"), "no agent `/root/nobody`"),
        (write("send_message", "/elsewhere", "hi"), "`/root`"),
        (write("send_message", "../a", "hi"), "reserved"),
        (write("send_message", "a", ""), "empty message"),
        (write("followup_task", "/root", "more"), "root"),
        (write("interrupt_agent", "/root", ""), "root"),
        (write("interrupt_agent", "a/b", ""), "no agent `/root/a/b`"),
        (("wait_agent", json!({"timeout_ms": 99_999_999})), "3600000"),
    ];
    let asked: Vec<(String, &str, Value)> = refusals
        .iter()
        .enumerate()
        .map(|(index, ((tool, arguments), _))| (index.to_string(), *tool, arguments.clone()))
        .collect();
    let asked: Vec<(&str, &str, Value)> =
        asked.iter().map(|(id, tool, arguments)| (&**id, *tool, arguments.clone())).collect();
    let first = json!({"task_name": "a", "message": "task"});
    cast(&lab, [("/root", vec![call("spawn_agent", first), wait("w"), calls(&asked)])]);
    let client = lab.start();
    client.complete(&client.thread(), "go");
    let last = last_of(&lab, "/root");
    for (index, ((tool, arguments), said)) in refusals.iter().enumerate() {
        let output = last.output(&index.to_string());
        assert!(output.contains(said), "{tool} {arguments}: {output}");
    }
    assert_eq!(shown(&client), ["started /root/a", "completed /root/a"]);
}

#[test]
fn letters_reach_agents_that_work() {
    let lab = lab("");
    let gate = Gate::default();
    let tell = calls(&[
        ("m", "send_message", json!({"target": "a", "message": "be quick"})),
        ("f", "followup_task", json!({"target": "/root/a", "message": "and more"})),
    ]);
    let report = calls(&[
        ("up", "send_message", json!({"target": "/root", "message": "half way"})),
        ("self", "send_message", json!({"target": "/root/a", "message": "to me"})),
    ]);
    cast(
        &lab,
        [
            ("/root", vec![spawn("a"), tell, wait("w1"), wait("w2")]),
            ("/root/a", vec![slow(&gate, "first"), report, say("second")]),
        ],
    );
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "go");
    client.note_where("item/started", |params| params["item"]["type"] == "collabAgentToolCall");
    gate.open();
    client.finish(&thread);
    let of_agent = requests_of(&lab, "/root/a");
    let told = ["NEW_TASK /root: task of a", "MESSAGE /root: be quick", "NEW_TASK /root: and more"];
    assert_eq!(letters(&of_agent[1]), told);
    let own = [&told[..], &["MESSAGE /root/a: to me"]].concat();
    assert_eq!(letters(&of_agent[2]), own);
    let last = last_of(&lab, "/root");
    assert_eq!(letters(&last), ["MESSAGE /root/a: half way", "FINAL_ANSWER /root/a: second"]);
    let turns = client.notes("turn/completed");
    assert_eq!(turns.len(), 2, "a task that comes while an agent works is part of its turn");
}

#[test]
fn an_agent_can_be_given_more_to_do() {
    let lab = lab("");
    let tell = call("send_message", json!({"target": "a", "message": "by the way"}));
    let more = call("followup_task", json!({"target": "a", "message": "more"}));
    cast(
        &lab,
        [
            ("/root", vec![spawn("a"), wait("w1"), say("one"), tell, say("two"), more, wait("w2")]),
            ("/root/a", vec![say("first"), say("second")]),
        ],
    );
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    client.complete(&thread, "two");
    assert_eq!(requests_of(&lab, "/root/a").len(), 1, "a message is no task");
    client.complete(&thread, "three");
    let of_agent = last_of(&lab, "/root/a");
    let told = ["NEW_TASK /root: task of a", "MESSAGE /root: by the way", "NEW_TASK /root: more"];
    assert_eq!(letters(&of_agent), told);
    let metadata: Value = serde_json::from_str(&of_agent.headers["x-codex-turn-metadata"]).unwrap();
    let turns = client.notes("turn/started");
    let third = turns.iter().filter(|note| note["threadId"] == thread).nth(2).unwrap();
    assert_eq!(metadata["parent_turn_id"], third["turn"]["id"]);
    assert_eq!(metadata["root_turn_id"], third["turn"]["id"]);
    let answers = ["FINAL_ANSWER /root/a: first", "FINAL_ANSWER /root/a: second"];
    assert_eq!(letters(&last_of(&lab, "/root")), answers);
}

#[test]
fn an_answer_that_nobody_waits_for_comes_with_the_next_turn() {
    let lab = lab("");
    let gate = Gate::default();
    cast(
        &lab,
        [("/root", vec![spawn("a"), say("started")]), ("/root/a", vec![slow(&gate, "late")])],
    );
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    gate.open();
    until("the end of the task", || (shown(&client).len() == 2).then_some(()));
    client.complete(&thread, "second");
    let last = last_of(&lab, "/root");
    assert_eq!(letters(&last), ["FINAL_ANSWER /root/a: late"]);
    assert_eq!(
        kept(&client, &thread),
        ["started", "completed"],
        "both in the turn that gave the task"
    );
    assert_eq!(last.input().last().unwrap()["role"], "user", "the user has said something since");
}

#[test]
fn an_interrupted_agent_can_be_given_another_task() {
    let lab = lab("");
    let gate = Gate::default();
    let stop = call("interrupt_agent", json!({"target": "a"}));
    let more = call("followup_task", json!({"target": "a", "message": "instead"}));
    cast(
        &lab,
        [
            (
                "/root",
                vec![
                    spawn("a"),
                    slow(&gate, "one"),
                    stop,
                    call("list_agents", json!({})),
                    more,
                    wait("w"),
                ],
            ),
            ("/root/a", vec![slow(&Gate::default(), "never"), say("second")]),
        ],
    );
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "first");
    client.note_where("turn/started", |params| params["threadId"] != thread);
    gate.open();
    client.finish(&thread);
    client.complete(&thread, "second");
    let last = last_of(&lab, "/root");
    assert_eq!(last.output("interrupt_agent"), r#"{"previous_status":"running"}"#);
    assert!(last.output("list_agents").contains(r#""agent_status":"interrupted""#));
    assert_eq!(letters(&last), ["FINAL_ANSWER /root/a: second"]);
    assert_eq!(
        shown(&client),
        ["started /root/a", "interrupted /root/a", "interacted /root/a", "completed /root/a"]
    );
}

#[test]
fn a_compacted_agent_knows_its_task() {
    let tables = USUAL.to_owned();
    let top = "model_auto_compact_token_limit = 20000".to_owned();
    let lab = Lab::with(&Config { top, tables, ..Config::default() });
    let full: Scene = Box::new(|_| {
        vec![ev::created(), ev::done(&ev::command("c", "true", &json!({}))), ev::used(30_000, 5)]
            .into()
    });
    let scenes = vec![full, say("SUMMARY"), say("result")];
    cast(&lab, [("/root", vec![spawn("a"), wait("w")]), ("/root/a", scenes)]);
    let client = lab.start();
    client.complete(&client.thread(), "go");
    let of_agent = last_of(&lab, "/root/a");
    assert!(of_agent.calls().is_empty(), "the history has been summed up");
    assert_eq!(letters(&of_agent), ["NEW_TASK /root: task of a"]);
    assert_eq!(letters(&last_of(&lab, "/root")), ["FINAL_ANSWER /root/a: result"]);
}

#[test]
fn the_giver_of_a_task_hears_of_its_failure() {
    let lab = lab("");
    let fail: Scene = Box::new(|_| vec![ev::created(), ev::failed("invalid_prompt", "bad")].into());
    cast(&lab, [("/root", vec![spawn("a"), wait("w")]), ("/root/a", vec![fail])]);
    let client = lab.start();
    client.complete(&client.thread(), "go");
    let letters = letters(&last_of(&lab, "/root"));
    assert!(letters[0].starts_with("FINAL_ANSWER /root/a: ") && letters[0].contains("bad"));
    assert_eq!(shown(&client), ["started /root/a"]);
}

#[test]
fn input_of_the_user_ends_the_waiting() {
    let lab = lab("");
    let gate = Gate::default();
    cast(&lab, [("/root", vec![spawn("a"), wait("w")]), ("/root/a", vec![slow(&gate, "late")])]);
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "go");
    client.note_where("item/started", |params| params["item"]["type"] == "collabAgentToolCall");
    let input = json!([{"type": "text", "text": "never mind"}]);
    client
        .request("turn/steer", json!({"threadId": thread, "expectedTurnId": turn, "input": input}));
    client.finish(&thread);
    let output = last_of(&lab, "/root").output("w").to_owned();
    assert_eq!(output, r#"{"message":"Wait interrupted by new input.","timed_out":false}"#);
    gate.open();
}

#[test]
fn idle_agents_make_room() {
    let lab = lab("max_threads = 1");
    let gate = Gate::default();
    let more = call("followup_task", json!({"target": "a", "message": "more"}));
    let list = |id: &str| calls(&[(id, "list_agents", json!({}))]);
    let full = calls(&[("full", "spawn_agent", json!({"task_name": "c", "message": "task"}))]);
    cast(
        &lab,
        [
            (
                "/root",
                vec![
                    spawn("a"),
                    wait("w1"),
                    spawn("b"),
                    wait("w2"),
                    list("l1"),
                    more,
                    full,
                    list("l2"),
                    wait("w3"),
                ],
            ),
            ("/root/a", vec![say("first"), slow(&gate, "second")]),
        ],
    );
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "go");
    gate.reached();
    client.note_where("item/started", |params| params["item"]["id"] == "w3");
    gate.open();
    client.finish(&thread);
    let last = last_of(&lab, "/root");
    assert_eq!(listed(&last, "l1"), ["/root", "/root/b"]);
    assert!(last.output("full").ends_with("agent thread limit reached"), "{}", last.output("full"));
    assert_eq!(listed(&last, "l2"), ["/root", "/root/a"]);
    assert_eq!(letters(&last).last().unwrap(), "FINAL_ANSWER /root/a: second");
    let of_agent = last_of(&lab, "/root/a");
    assert_eq!(of_agent.texts("assistant"), ["first"], "it knows what it has done");
}

#[test]
fn an_agent_that_a_client_has_loaded_is_taken_back() {
    let lab = lab("max_threads = 1");
    let more = call("followup_task", json!({"target": "a", "message": "more"}));
    cast(
        &lab,
        [
            (
                "/root",
                vec![spawn("a"), wait("w1"), spawn("b"), wait("w2"), say("one"), more, wait("w3")],
            ),
            ("/root/a", vec![say("first"), say("second")]),
        ],
    );
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    client.resume(&agent(&client));
    client.complete(&thread, "second");
    assert_eq!(letters(&last_of(&lab, "/root")).last().unwrap(), "FINAL_ANSWER /root/a: second");
}

#[test]
fn the_configuration_has_a_say_in_how_agents_work() {
    let options = "[features.multi_agent_v2]\nenabled = true\nmax_concurrent_threads_per_session = 2\n\
        min_wait_timeout_ms = 10\ndefault_wait_timeout_ms = 20\nmax_wait_timeout_ms = 30\n\
        root_agent_usage_hint_text = \"ROOT\"\nsubagent_usage_hint_text = \"AGENT\"\n\
        usage_hint_text = \"USAGE\"\nmulti_agent_mode_hint_text = \"MODE\"";
    let lab = Lab::with(&Config { tables: options.to_owned(), ..Config::default() });
    let second = call("spawn_agent", json!({"task_name": "b", "message": "task"}));
    let waits = calls(&[
        ("usual", "wait_agent", json!({})),
        ("short", "wait_agent", json!({"timeout_ms": 1})),
        ("long", "wait_agent", json!({"timeout_ms": 31})),
    ]);
    let gate = Gate::default();
    let alone = json!({"task_name": "a", "message": "task", "fork_turns": "none"});
    let first = calls(&[("first", "spawn_agent", alone)]);
    cast(&lab, [("/root", vec![first, waits, second]), ("/root/a", vec![slow(&gate, "done")])]);
    let client = lab.start();
    client.complete(&client.thread(), "go");
    let last = last_of(&lab, "/root");
    assert!(last.output("spawn_agent").ends_with("agent thread limit reached"));
    assert_eq!(last.output("usual"), r#"{"message":"Wait timed out.","timed_out":true}"#);
    assert!(last.output("short").contains("it was 10 ms"), "{}", last.output("short"));
    assert_eq!(last.output("long"), "timeout_ms must be at most 30");
    assert!(last.body["tools"].to_string().contains("\\nUSAGE"));
    let told = |request: &Request, text: &str| {
        let text = format!("<agent_team>\n{text}\n\nMODE\n</agent_team>");
        request.texts("developer").contains(&&*text)
    };
    gate.reached();
    assert!(told(&last, "ROOT") && told(&last_of(&lab, "/root/a"), "AGENT"));
    gate.open();
}

#[test]
fn agents_have_agents_of_their_own() {
    let lab = lab("");
    let gate = Gate::default();
    let sideways = call("send_message", json!({"target": "/root/b", "message": "hello"}));
    let below = calls(&[("l", "list_agents", json!({"path_prefix": "/root/a"}))]);
    cast(
        &lab,
        [
            ("/root", vec![spawn("b"), wait("w1"), spawn("a"), wait("w2"), below]),
            ("/root/a", vec![spawn("deep"), wait_at("w", &gate), sideways, say("result")]),
            ("/root/a/deep", vec![slow(&gate, "from the deep")]),
        ],
    );
    let client = lab.start();
    client.complete(&client.thread(), "go");
    assert_eq!(
        letters(&last_of(&lab, "/root/a")).last().unwrap(),
        "FINAL_ANSWER /root/a/deep: from the deep"
    );
    let last = last_of(&lab, "/root");
    assert_eq!(letters(&last), ["FINAL_ANSWER /root/b: done", "FINAL_ANSWER /root/a: result"]);
    assert_eq!(listed(&last, "l"), ["/root/a", "/root/a/deep"]);
}

#[test]
fn agents_are_known_in_a_new_process() {
    let lab = lab("");
    let again = calls(&[("again", "spawn_agent", json!({"task_name": "a", "message": "task"}))]);
    let more = call("followup_task", json!({"target": "a", "message": "more"}));
    cast(
        &lab,
        [
            ("/root", vec![spawn("a"), wait("w1"), say("one"), again, more, wait("w2")]),
            ("/root/a", vec![say("first"), say("second")]),
        ],
    );
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    let known = agent(&client);
    client.close();
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "second");
    let last = last_of(&lab, "/root");
    assert!(last.output("again").contains("is there already"));
    assert_eq!(letters(&last).last().unwrap(), "FINAL_ANSWER /root/a: second");
    assert_eq!(agent(&client), known);
    assert_eq!(last_of(&lab, "/root/a").texts("assistant"), ["first"]);
}

#[test]
fn clients_do_not_tell_agents_what_to_do() {
    let lab = lab("");
    cast(&lab, [("/root", vec![spawn("a"), wait("w")])]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let child = agent(&client);
    let input = json!([{"type": "text", "text": "hey"}]);
    let refusal = "direct app-server input is not allowed for multi-agent v2 sub-agents";
    for (method, more) in [
        ("turn/start", json!({"input": input})),
        ("turn/steer", json!({"input": input, "expectedTurnId": "t"})),
        ("thread/compact/start", json!({})),
        ("review/start", json!({"target": {"type": "uncommittedChanges"}})),
        ("thread/goal/set", json!({"objective": "o"})),
        ("thread/goal/clear", json!({})),
        ("thread/shellCommand", json!({"command": "true"})),
        ("thread/settings/update", json!({"model": "mock-model"})),
        ("thread/queue/add", json!({"input": input, "clientUserMessageId": "u"})),
    ] {
        let mut params = json!({"threadId": child});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let error = client.refuse(method, params);
        assert_eq!((error.code, &*error.message), (-32600, refusal), "{method}");
    }
    let resumed = client.resume(&child);
    assert_eq!(resumed["thread"]["canAcceptDirectInput"], false);
}
