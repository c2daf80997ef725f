//! Ten thousand damaged lines: the server survives them, and answers every request that it can read.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Home;
use crate::harness::server::{Server, is_another};
use crate::harness::{Config, Lab, Random};

const SEED: u64 = 0x0bad_5eed;
const LINES: usize = 10_000;
/// How many answers may be due at a time: fewer than any queue of the server holds.
const WINDOW: usize = 60;

/// Valid lines that change nothing on a server without threads.
fn lines(n: usize) -> Vec<Value> {
    let nobody = "01a00000-0000-7000-8000-000000000000";
    let text = json!([{"type": "text", "text": "hi € 😀 \u{7f}\"\\"}]);
    vec![
        json!({"id": n, "method": "thread/loaded/list", "params": {"limit": 3}}),
        json!({"id": n, "method": "thread/list", "params": {"limit": 2, "sortKey": "updated_at", "cwd": ["/x"]}}),
        json!({"id": n, "method": "thread/read", "params": {"threadId": nobody, "includeTurns": true}}),
        json!({"id": format!("s{n}"), "method": "thread/resume", "params": {"threadId": nobody, "excludeTurns": true}}),
        json!({"id": n, "method": "turn/start", "params": {"threadId": nobody, "input": text, "effort": "high",
            "sandboxPolicy": {"type": "workspaceWrite", "writableRoots": ["/x"], "networkAccess": true}}}),
        json!({"id": n, "method": "turn/steer", "params": {"threadId": nobody, "input": text, "expectedTurnId": "t"}}),
        json!({"id": n, "method": "turn/interrupt", "params": {"threadId": nobody, "turnId": "t"}}),
        json!({"id": n, "method": "initialize", "params": {"clientInfo": {"name": "x", "version": "1"}}}),
        json!({"id": format!("s{n}"), "method": "mock/experimentalMethod", "params": {"value": "x"}}),
        json!({"id": n, "method": "thread/turns/list", "params": {"threadId": nobody, "cursor": "{\"turnId\":1}"}}),
        json!({"id": n, "method": "thread/name/set", "params": {"threadId": nobody, "name": "x"}}),
        json!({"method": "initialized"}),
        json!({"id": 0, "result": {"decision": "accept"}}),
        json!({"id": 0, "error": {"code": -1, "message": "no"}}),
    ]
}

const TOKENS: [&[u8]; 20] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b",",
    b":",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"99999999999999999999",
    b"\\u0000",
    b"\\ud800",
    b"\0",
    b"\n",
    b"\r\n",
    b" ",
    b"\xe2\x82\xac",
    b"-1",
];

/// Changes one value somewhere below the params: valid JSON, but not what the method wants.
fn distort(random: &mut Random, value: &mut Value) {
    let odd = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("x".repeat(5000)),
        json!([]),
        json!([[null]]),
        json!({}),
        json!({"type": "x", "threadId": null}),
    ];
    if random.below(4) > 0 {
        if let Some(members) = value.as_object_mut().filter(|members| !members.is_empty()) {
            let name = members.keys().nth(random.below(members.len())).unwrap().clone();
            if random.below(8) == 0 {
                members.remove(&name);
            } else {
                distort(random, &mut members[&name]);
            }
            return;
        }
        if let Some(items) = value.as_array_mut().filter(|items| !items.is_empty()) {
            let at = random.below(items.len());
            return distort(random, &mut items[at]);
        }
    }
    *value = odd[random.below(odd.len())].clone();
}

fn damage(random: &mut Random, line: &mut Vec<u8>) {
    if line.is_empty() {
        return;
    }
    let at = random.below(line.len());
    let to = (at + 1 + random.below(12)).min(line.len());
    match random.below(7) {
        0 => drop(line.drain(at..to)),
        1 => drop(line.splice(at..at, random.pick(&TOKENS).to_vec())),
        2 => drop(line.splice(at..to, random.pick(&TOKENS).to_vec())),
        3 => drop(line.splice(at..at, line[at..to].to_vec())),
        4 => line.truncate(at),
        5 => line[at] = b' ' + u8::try_from(random.below(95)).unwrap(),
        _ => line[at] = u8::try_from(random.below(256)).unwrap(),
    }
}

/// The id of a line that has to be answered; where the rules leave room, none.
fn due(line: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(line).ok()?;
    let message: Value = serde_json::from_str(text).ok()?;
    let known = |name: &str| text.matches(&format!("\"{name}\"")).count() == 1;
    let plain = known("id") && known("method") && text.matches("\"params\"").count() < 2;
    let answers = ["result", "error"].iter().any(|name| message.get(name).is_some());
    if !plain || answers || !message["method"].is_string() {
        return None;
    }
    let id = &message["id"];
    (id.is_string() || id.is_i64()).then(|| id.to_string())
}

struct Session {
    server: Server,
    answers: Receiver<String>,
    due: HashMap<String, usize>,
    open: usize,
}

impl Session {
    fn start(home: &Home) -> Self {
        let (server, stdout) = Server::spawn(home, &["app-server"]);
        let (tx, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                let message: Value =
                    serde_json::from_slice(&line).expect("every line of the server is JSON");
                if message.get("method").is_none() && tx.send(message["id"].to_string()).is_err() {
                    return;
                }
            }
        });
        let mut session = Self { server, answers, due: HashMap::new(), open: 0 };
        session.send(br#"{"id":"first","method":"initialize","params":{"clientInfo":{"name":"x","version":"1"},"capabilities":{"experimentalApi":true}}}"#);
        session.settle(0);
        session
    }

    fn send(&mut self, bytes: &[u8]) {
        let mut whole = bytes.to_vec();
        whole.push(b'\n');
        for id in whole.split(|byte| *byte == b'\n').filter_map(due) {
            *self.due.entry(id).or_default() += 1;
            self.open += 1;
        }
        self.server.write(&whole);
    }

    /// Waits until at most this many answers are due.
    #[track_caller]
    fn settle(&mut self, limit: usize) {
        while self.open > limit {
            let id = self.answers.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| {
                let open: Vec<&String> =
                    self.due.iter().filter(|(_, count)| **count > 0).map(|(id, _)| id).collect();
                panic!("no answer to {open:?}")
            });
            if let Some(count) = self.due.get_mut(&id).filter(|count| **count > 0) {
                *count -= 1;
                self.open -= 1;
            }
        }
    }
}

#[test]
fn damaged_lines() {
    let lab = Lab::with(&Config::default());
    let mut session = Session::start(&lab.home);
    let mut random = Random(SEED);
    for n in 0..LINES {
        let mut among = lines(n);
        let mut message = among.swap_remove(random.below(among.len()));
        let whole = random.below(2) == 0;
        if whole && let Some(params) = message.get_mut("params") {
            distort(&mut random, params);
        }
        let mut line = message.to_string().into_bytes();
        for _ in 0..if whole { 0 } else { 1 + random.below(3) } {
            damage(&mut random, &mut line);
        }
        // The reference ends at the first byte that is not UTF-8.
        if is_another() && std::str::from_utf8(&line).is_err() {
            line = String::from_utf8_lossy(&line).into_owned().into_bytes();
        }
        session.send(&line);
        session.settle(WINDOW);
    }
    session.settle(0);
    assert!(
        session.due.len() > LINES / 3,
        "most lines should be requests still: {}",
        session.due.len()
    );
    session.send(br#"{"id":"last","method":"thread/loaded/list","params":{}}"#);
    session.settle(0);
    session.server.close();
    let status =
        session.server.wait(Duration::from_secs(5)).expect("the server ends with its input");
    assert_eq!(status.code(), Some(0));
}
