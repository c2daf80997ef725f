//! Requests that cross one another: whatever is started, steered, interrupted, compacted, reviewed and approved in
//! whatever order, every turn that was answered for ends exactly once. The order of all that is told is checked by
//! the harness when a client closes.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, Random, Step, ev, held, http};

/// How many threads share a server.
const BATCH: usize = 50;

#[test]
fn three_hundred() {
    run(300, 0x5eed);
}

/// The same, for longer.
#[test]
#[ignore = "takes minutes"]
fn ten_thousand() {
    run(10_000, 0xdeed);
}

fn run(rounds: usize, seed: u64) {
    let mut random = Random(seed);
    let mut left = rounds;
    while left > 0 {
        batch(BATCH.min(left), &mut random);
        left -= BATCH.min(left);
    }
}

fn batch(rounds: usize, random: &mut Random) {
    let provider = "stream_max_retries = 1".to_owned();
    let config =
        Config { approval: "on-request", sandbox: "read-only", provider, ..Config::default() };
    let lab = Lab::with(&config);
    for step in 0..rounds * 20 {
        lab.model.reply(answer(random, step));
    }
    let client = lab.start();
    let mut rounds: Vec<Round> = (0..rounds).map(|_| Round::new(client.thread())).collect();
    for _ in 0..8 {
        for round in &mut rounds {
            round.act(&client, random);
        }
    }
    for round in &mut rounds {
        round.end(&client);
    }
    let mut ended: Vec<String> = client.notes("turn/completed").iter().map(id_of).collect();
    let distinct: HashSet<String> = ended.iter().cloned().collect();
    assert_eq!(ended.len(), distinct.len(), "no turn ends twice");
    ended.sort();
    for round in &rounds {
        for turn in &round.turns {
            assert!(ended.binary_search(turn).is_ok(), "{turn} has not ended");
        }
    }
    client.close();
}

fn id_of(params: &Value) -> String {
    params["turn"]["id"].as_str().unwrap().to_owned()
}

/// One of the things that a model may do.
fn answer(random: &mut Random, step: usize) -> Step {
    let message = format!("message-{step}");
    let escalated = json!({"sandbox_permissions": "require_escalated"});
    match random.below(8) {
        0 => ev::streamed(&message, &["some", " words"]).into(),
        1 => ev::shell_with(&format!("call-{step}"), "true", &escalated).into(),
        2 => ev::items(&[
            ev::command(&format!("call-{step}a"), "true", &escalated),
            ev::command(&format!("call-{step}b"), "true", &escalated),
        ])
        .into(),
        3 => ev::call(&format!("call-{step}"), "nonsense", &json!({})).into(),
        4 => http(500, "broken"),
        5 => vec![ev::created(), ev::failed("invalid_prompt", "no")].into(),
        // Until somebody stops it.
        6 => held(
            &Gate::default(),
            vec![ev::created(), ev::added(&ev::message(&message, ""))],
            vec![],
        ),
        _ => ev::text("done").into(),
    }
}

/// One thread, and what has been asked of it.
struct Round {
    thread: String,
    /// Requests that have not been looked at, and whether their answer names a turn.
    open: Vec<(i64, Names)>,
    /// The turns that were answered for.
    turns: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Turn,
    TurnId,
    Nothing,
}

impl Round {
    fn new(thread: String) -> Self {
        Self { thread, open: Vec::new(), turns: Vec::new() }
    }

    fn act(&mut self, client: &Client, random: &mut Random) {
        let thread = &self.thread;
        let input = json!([{"type": "text", "text": "words"}]);
        let turn = self.turns.last().cloned().unwrap_or_default();
        let (method, params, names) = match random.below(10) {
            0..=3 => ("turn/start", json!({"threadId": thread, "input": input}), Names::Turn),
            4 | 5 => {
                let params = json!({"threadId": thread, "expectedTurnId": turn, "input": input});
                ("turn/steer", params, Names::TurnId)
            }
            6 => ("turn/interrupt", json!({"threadId": thread, "turnId": ""}), Names::Nothing),
            7 => ("thread/compact/start", json!({"threadId": thread}), Names::Nothing),
            8 => {
                let target = json!({"type": "custom", "instructions": "look"});
                ("review/start", json!({"threadId": thread, "target": target}), Names::Turn)
            }
            _ => return self.settle(client, random),
        };
        self.open.push((client.post(method, params), names));
    }

    /// Looks at the answers, and answers what the server asks.
    fn settle(&mut self, client: &Client, random: &mut Random) {
        self.collect(client);
        let thread = &self.thread;
        let asked = |m: &Value| {
            m["method"] == "item/commandExecution/requestApproval"
                && m["params"]["threadId"] == **thread
        };
        while let Some(question) = client.take(asked) {
            let decision = ["accept", "decline", "cancel"][random.below(3)];
            client.decide(&question, decision);
        }
    }

    fn collect(&mut self, client: &Client) {
        for (id, names) in self.open.drain(..) {
            let Ok(result) = client.answer(id) else { continue };
            match names {
                Names::Turn => self.turns.push(id_of(&result)),
                Names::TurnId => self.turns.push(result["turnId"].as_str().unwrap().to_owned()),
                Names::Nothing => {}
            }
        }
    }

    /// Stops whatever runs, after everything that has been asked for.
    fn end(&mut self, client: &Client) {
        let params = json!({"threadId": self.thread, "turnId": ""});
        self.open.push((client.post("turn/interrupt", params), Names::Nothing));
        self.collect(client);
        self.turns.sort_unstable();
        self.turns.dedup();
        for turn in &self.turns {
            client.note_where("turn/completed", |params| params["turn"]["id"] == **turn);
        }
    }
}
