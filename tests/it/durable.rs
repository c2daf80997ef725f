//! What a client has been told is on disk: servers that are killed, servers that want the same thread, many servers on
//! one home, and histories that read as they were streamed. Slow: `cargo test --test it durable -- --ignored`.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, Random, ev, held, http, ours_only};

/// What the user does in a turn.
enum Act {
    /// Waits for its end.
    Wait,
    /// Stops it once the model has begun to answer.
    StopAnswer(Gate),
    /// Stops it once a command runs.
    StopCommand,
    /// Has the history compacted instead.
    Compact,
}

/// Scripts the model for one turn.
fn script(lab: &Lab, random: &mut Random, turn: usize) -> Act {
    let answer = format!("msg-{turn}");
    let (call, other) = (format!("call-{turn}"), format!("other-{turn}"));
    let end = ev::items(&[ev::message(&answer, "done")]);
    match random.below(10) {
        0 => lab.model.reply(ev::streamed(&answer, &["do", "ne ", "so"])),
        1 => lab.model.reply(ev::items(&[
            ev::reasoning(&format!("rs-{turn}"), &["why", "how"], &[]),
            ev::message(&answer, "thought"),
        ])),
        2 => lab.model.reply(ev::shell(&call, "echo here; echo there >&2")).reply(end),
        3 => lab.model.reply(ev::shell(&call, "echo no; exit 3")).reply(end),
        4 => {
            let calls = [
                ev::message(&format!("about-{turn}"), "two at once"),
                ev::command(&call, "echo one", &Value::Null),
                ev::command(&other, "echo two", &Value::Null),
            ];
            lab.model.reply(ev::items(&calls)).reply(end)
        }
        5 => {
            let add = format!("*** Add File: f{turn}");
            lab.model.reply(ev::patch(&call, &[&add, "+text"])).reply(end)
        }
        6 => lab.model.reply(http(400, r#"{"error": {"message": "no"}}"#)),
        7 => {
            let gate = Gate::default();
            let begun =
                vec![ev::created(), ev::added(&ev::message(&answer, "")), ev::delta(&answer, "do")];
            lab.model.reply(held(&gate, begun, Vec::new()));
            return Act::StopAnswer(gate);
        }
        8 => {
            lab.model.reply(ev::shell(&call, "echo begun; sleep 100"));
            return Act::StopCommand;
        }
        _ => {
            lab.model.reply(ev::items(&[ev::message(&answer, "what was")]));
            return Act::Compact;
        }
    };
    Act::Wait
}

/// Begins what the user does.
fn begin(client: &Client, thread: &str, act: &Act, text: &str) {
    match act {
        Act::Compact => {
            client.post("thread/compact/start", json!({"threadId": thread}));
        }
        Act::Wait | Act::StopAnswer(_) | Act::StopCommand => {
            let input = json!([{"type": "text", "text": text}]);
            client.post("turn/start", json!({"threadId": thread, "input": input}));
        }
    }
}

fn play(lab: &Lab, client: &Client, thread: &str, random: &mut Random, turn: usize) {
    let act = script(lab, random, turn);
    begin(client, thread, &act, &format!("question {turn}"));
    let started = client.note("turn/started")["turn"]["id"].clone();
    let stop = || client.request("turn/interrupt", json!({"threadId": thread, "turnId": started}));
    match &act {
        Act::Wait | Act::Compact => {}
        Act::StopAnswer(gate) => {
            gate.reached();
            let answer = format!("msg-{turn}");
            client.note_where("item/agentMessage/delta", |note| note["itemId"] == answer);
            stop();
        }
        Act::StopCommand => {
            let call = format!("call-{turn}");
            client.note_where("item/commandExecution/outputDelta", |note| note["itemId"] == call);
            stop();
            // The command outlives its turn.
            client.request("thread/backgroundTerminals/clean", json!({"threadId": thread}));
            client.note_where("item/completed", |note| note["item"]["id"] == call);
        }
    }
    client.finish(thread);
    lab.model.clear();
}

/// The turns of a thread as they were told: ids, how they ended, and their finished items.
fn told(client: &Client) -> Vec<Value> {
    let mut turns: Vec<Value> = Vec::new();
    for note in client.notes("turn/started") {
        turns.push(json!({"id": note["turn"]["id"], "status": null, "items": []}));
    }
    let of = |id: &Value| turns.iter().position(|turn| turn["id"] == *id);
    let items: Vec<(usize, Value)> = client
        .notes("item/completed")
        .into_iter()
        .filter_map(|note| Some((of(&note["turnId"])?, note["item"].clone())))
        .collect();
    let ends: Vec<(usize, Value)> = client
        .notes("turn/completed")
        .into_iter()
        .filter_map(|note| Some((of(&note["turn"]["id"])?, note["turn"]["status"].clone())))
        .collect();
    for (turn, item) in items {
        turns[turn]["items"].as_array_mut().unwrap().push(item);
    }
    for (turn, status) in ends {
        turns[turn]["status"] = status;
    }
    turns
}

/// The turns of a thread as they are read, in the form of [`told`].
pub(crate) fn whole(client: &Client, thread: &str) -> Vec<Value> {
    let read = client.request("thread/read", json!({"threadId": thread, "includeTurns": true}));
    read["thread"]["turns"].as_array().unwrap().iter().map(short).collect()
}

fn short(turn: &Value) -> Value {
    json!({"id": turn["id"], "status": turn["status"], "items": turn["items"]})
}

/// All rows of a list, in small pages.
fn pages(client: &Client, method: &str, mut params: Value) -> Vec<Value> {
    let mut rows = Vec::new();
    loop {
        let mut page = client.request(method, params.clone());
        rows.append(page["data"].as_array_mut().unwrap());
        params["cursor"] = page["nextCursor"].take();
        if params["cursor"].is_null() {
            return rows;
        }
    }
}

#[track_caller]
fn same(found: &[Value], expected: &[Value], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: {found:#?}\ninstead of {expected:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{what}");
    }
}

#[track_caller]
fn reads_as_told(client: &Client, thread: &str, told: &[Value], when: &str) {
    same(&whole(client, thread), told, &format!("thread/read {when}"));
    let params =
        json!({"threadId": thread, "limit": 2, "sortDirection": "asc", "itemsView": "full"});
    let turns: Vec<Value> = pages(client, "thread/turns/list", params).iter().map(short).collect();
    same(&turns, told, &format!("thread/turns/list {when}"));
    for direction in ["asc", "desc"] {
        let params = json!({"threadId": thread, "limit": 3, "sortDirection": direction});
        let mut rows = pages(client, "thread/items/list", params);
        if direction == "desc" {
            rows.reverse();
        }
        let mut expected = Vec::new();
        for turn in told {
            for item in turn["items"].as_array().unwrap() {
                expected.push(json!({"turnId": turn["id"], "item": item}));
            }
        }
        let rows: Vec<Value> =
            rows.iter().map(|row| json!({"turnId": row["turnId"], "item": row["item"]})).collect();
        same(&rows, &expected, &format!("thread/items/list {direction} {when}"));
    }
}

#[track_caller]
fn reads_as_it_was_streamed(runs: u64, turns: usize) {
    for seed in 1..=runs {
        let mut random = Random(seed * 0x9e37);
        let lab = Lab::new();
        let client = lab.start();
        let thread = client.thread();
        for turn in 0..turns {
            play(&lab, &client, &thread, &mut random, turn);
        }
        let told = told(&client);
        reads_as_told(&client, &thread, &told, &format!("while loaded, seed {seed}"));
        client.close();
        let client = lab.start();
        reads_as_told(&client, &thread, &told, &format!("after a restart, seed {seed}"));
    }
}

#[test]
fn a_history_reads_as_it_was_streamed() {
    reads_as_it_was_streamed(3, 12);
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_histories_read_as_they_were_streamed() {
    reads_as_it_was_streamed(100, 20);
}

/// The lines of the one rollout of a home; every line has to be whole and in its place.
#[track_caller]
fn lines(lab: &Lab) -> Vec<Value> {
    let files = lab.home.rollouts("sessions");
    assert_eq!(files.len(), 1, "{files:?}");
    let text = fs::read_to_string(lab.home.home().join(&files[0])).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("half a line: {line}")))
        .collect();
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line["ordinal"], number, "the lines are numbered without gaps");
    }
    lines
}

/// One run that ends by a kill, once the client has heard of so much.
#[track_caller]
fn killed(seed: u64) {
    let mut random = Random(seed * 0x51ed);
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let most = random.below(90);
    let (mut heard, mut turn) = (0, 0);
    let mut act = script(&lab, &mut random, turn);
    begin(&client, &thread, &act, "question 0");
    while heard < most {
        let message = client.wait("any message", |_| true);
        heard += 1;
        let stops = match &act {
            Act::StopAnswer(_) => message["method"] == "item/agentMessage/delta",
            Act::StopCommand => message["method"] == "item/commandExecution/outputDelta",
            Act::Wait | Act::Compact => false,
        };
        if stops {
            let params = json!({"threadId": thread, "turnId": message["params"]["turnId"]});
            client.post("turn/interrupt", params);
        }
        if message["method"] == "turn/completed" {
            turn += 1;
            lab.model.clear();
            act = script(&lab, &mut random, turn);
            client.post("thread/name/set", json!({"threadId": thread, "name": format!("n{turn}")}));
            begin(&client, &thread, &act, &format!("question {turn}"));
        }
    }
    client.signal(Signal::KILL);
    client.closed();
    check_killed(&lab, &client, &thread, seed);
}

#[track_caller]
fn check_killed(lab: &Lab, client: &Client, thread: &str, seed: u64) {
    let accepted = client.accepted("turn/start");
    let told = told(client);
    let names = client.notes("thread/name/updated").len();
    let after = lab.start();
    if lab.home.rollouts("sessions").is_empty() {
        assert!(accepted.is_empty() && told.is_empty(), "seed {seed}: nothing is left");
        return;
    }
    let lines = lines(lab);
    let found = whole(&after, thread);
    for (params, answer) in &accepted {
        let Some(turn) = found.iter().find(|turn| turn["id"] == answer["turn"]["id"]) else {
            panic!("seed {seed}: a turn that was accepted is not there")
        };
        let said =
            &turn["items"].as_array().unwrap().iter().find(|item| item["type"] == "userMessage");
        let said =
            said.unwrap_or_else(|| panic!("seed {seed}: what the user said is lost: {turn:#}"));
        assert_eq!(said["content"][0]["text"], params["input"][0]["text"], "seed {seed}");
    }
    for turn in &told {
        let Some(found) = found.iter().find(|found| found["id"] == turn["id"]) else {
            panic!("seed {seed}: a turn that was told is not there: {turn:#}")
        };
        let ends = |line: &&Value| {
            ["task_complete", "turn_aborted"].iter().any(|kind| line["payload"]["type"] == *kind)
                && line["payload"]["turn_id"] == turn["id"]
        };
        match (&turn["status"], lines.iter().any(|line| ends(&line))) {
            (Value::Null, false) => assert_eq!(found["status"], "interrupted", "seed {seed}"),
            (Value::Null, true) => {}
            (status, _) => assert_eq!(&found["status"], status, "seed {seed}"),
        }
        let mut rest = found["items"].as_array().unwrap().iter();
        for item in turn["items"].as_array().unwrap() {
            assert!(rest.any(|found| found == item), "seed {seed}: {item:#} is not in {found:#}");
        }
    }
    let read = after.request("thread/read", json!({"threadId": thread}));
    let name = read["thread"]["name"].as_str().map_or(0, |name| name[1..].parse().unwrap());
    assert!(name == names || name == names + 1, "seed {seed}: {name} instead of {names}");
    lab.model.clear();
    after.resume(thread);
    after.complete(thread, "after");
}

#[test]
fn what_was_told_outlives_a_kill() {
    ours_only!();
    (1..=10).for_each(killed);
}

#[test]
#[ignore = "takes minutes"]
fn what_was_told_outlives_two_hundred_kills() {
    (11..=210).for_each(killed);
}

/// Two servers want the same thread at the same moment, again and again.
#[track_caller]
fn race(rounds: usize) {
    ours_only!();
    let top = "thread_unload_delay_secs = 0".to_owned();
    let lab = Lab::with(&Config { top, ..Config::default() });
    let servers = [lab.start(), lab.start()];
    let thread = servers[0].thread();
    servers[0].complete(&thread, "first");
    leave(&servers[0], &thread);
    for round in 0..rounds {
        let posts = servers.each_ref().map(|server| {
            let resume =
                server.post("thread/resume", json!({"threadId": thread, "excludeTurns": true}));
            let input = json!([{"type": "text", "text": format!("round {round}")}]);
            (resume, server.post("turn/start", json!({"threadId": thread, "input": input})))
        });
        let mut winners = Vec::new();
        for (server, (resume, turn)) in servers.iter().zip(posts) {
            match (server.answer(resume), server.answer(turn)) {
                (Ok(_), Ok(_)) => winners.push(server),
                (Err(resume), Err(turn)) => {
                    assert!(resume.message.ends_with("already has an active writer"), "{resume:?}");
                    assert_eq!(turn.message, format!("thread not found: {thread}"));
                }
                other => panic!("half a success: {other:?}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        winners[0].finish(&thread);
        leave(winners[0], &thread);
    }
    let started =
        lines(&lab).iter().filter(|line| line["payload"]["type"] == "task_started").count();
    assert_eq!(started, rounds + 1);
}

fn leave(server: &Client, thread: &str) {
    server.request("thread/unsubscribe", json!({"threadId": thread}));
    server.note("thread/closed");
}

#[test]
fn a_thread_that_two_servers_want_goes_to_one() {
    race(20);
}

#[test]
#[ignore = "takes a minute"]
fn a_thread_that_two_servers_want_two_hundred_times_goes_to_one() {
    race(200);
}

/// Many servers on one home, each with its own thread; the harness fails on any error.
#[track_caller]
fn many(servers: usize, turns: usize) {
    ours_only!();
    let lab = Lab::new();
    let servers: Vec<Client> = (0..servers).map(|_| lab.start()).collect();
    let threads: Vec<String> = servers.iter().map(Client::thread).collect();
    for turn in 0..turns {
        for (server, thread) in servers.iter().zip(&threads) {
            server.turn(thread, &format!("turn {turn}"));
            server.post("thread/name/set", json!({"threadId": thread, "name": format!("n{turn}")}));
            let metadata = json!({"threadId": thread, "gitInfo": {"branch": format!("b{turn}")}});
            server.post("thread/metadata/update", metadata);
            server.post("thread/list", json!({"limit": 5}));
        }
        for (server, thread) in servers.iter().zip(&threads) {
            assert_eq!(server.finish(thread)["status"], "completed");
        }
    }
    for (server, thread) in servers.iter().zip(&threads) {
        let known = server.request("thread/list", json!({"limit": 100}));
        assert_eq!(known["data"].as_array().unwrap().len(), threads.len());
        assert_eq!(whole(server, thread).len(), turns);
        assert_eq!(server.errors(), Vec::<Value>::new());
    }
}

#[test]
fn servers_share_a_home() {
    many(4, 5);
}

#[test]
#[ignore = "takes minutes"]
fn sixteen_servers_share_a_home() {
    many(16, 50);
}
