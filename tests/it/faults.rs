//! Everything that may happen to a response, at each of its events: whatever breaks or is stopped where, a call runs
//! at most once, the turn ends once, and the next one works.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, Step, cut, ev, held, until};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The connection breaks.
    Cut,
    /// The provider gives up, and may be asked again.
    Busy,
    /// The provider refuses for good.
    Refused,
    /// The user says something.
    Steer,
    /// The user stops the turn.
    Interrupt,
}

const FAULTS: [Fault; 5] =
    [Fault::Cut, Fault::Busy, Fault::Refused, Fault::Steer, Fault::Interrupt];

/// A response with reasoning, a message and two calls, each with its beginning.
fn whole(round: usize) -> Vec<Value> {
    let (text, thought) = (format!("m{round}"), format!("r{round}"));
    let append = |call: &str| {
        ev::command(&format!("{call}{round}"), &format!("echo {call} >> ran{round}"), &Value::Null)
    };
    vec![
        ev::created(),
        ev::added(&ev::reasoning(&thought, &[], &[])),
        ev::done(&ev::reasoning(&thought, &["why"], &[])),
        ev::added(&ev::message(&text, "")),
        ev::delta(&text, "do"),
        ev::done(&ev::message(&text, "doing")),
        ev::done(&append("a")),
        ev::done(&append("b")),
        ev::completed(),
    ]
}

/// How many calls are finished before this event.
fn calls_before(event: usize) -> usize {
    event.saturating_sub(6).min(2)
}

struct Round {
    number: usize,
    fault: Fault,
    /// The first event that does not come as it should.
    event: usize,
    gate: Gate,
}

impl Round {
    fn all() -> Vec<Self> {
        let places =
            FAULTS.iter().flat_map(|fault| (0..whole(0).len()).map(move |at| (*fault, at)));
        places
            .enumerate()
            .map(|(number, (fault, event))| Self { number, fault, event, gate: Gate::default() })
            .collect()
    }

    fn step(&self) -> Step {
        let mut events = whole(self.number);
        let rest = events.split_off(self.event);
        match self.fault {
            Fault::Cut => cut(events),
            Fault::Busy => {
                events.push(ev::failed("rate_limit_exceeded", "slow down, try again in 1ms"));
                events.into()
            }
            Fault::Refused => {
                events.push(ev::failed("invalid_prompt", "no"));
                events.into()
            }
            Fault::Steer | Fault::Interrupt => held(&self.gate, events, rest),
        }
    }

    /// Does what the user does in this round.
    fn act(&self, client: &Client, thread: &str, turn: &str) {
        match self.fault {
            Fault::Cut | Fault::Busy | Fault::Refused => {}
            Fault::Steer => {
                self.gate.reached();
                let input = json!([{"type": "text", "text": "more"}]);
                let params = json!({"threadId": thread, "expectedTurnId": turn, "input": input});
                client.request("turn/steer", params);
            }
            Fault::Interrupt => {
                self.gate.reached();
                client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
            }
        }
    }

    fn ending(&self) -> &'static str {
        match self.fault {
            Fault::Cut | Fault::Busy | Fault::Steer => "completed",
            Fault::Refused => "failed",
            Fault::Interrupt => "interrupted",
        }
    }

    /// What the calls have done. Where the user steps in, the server may not have read all that has been sent, and
    /// the calls of a stopped turn may go on for a while.
    fn check_calls(&self, lab: &Lab) {
        let expected = &["a", "b"][..calls_before(self.event)];
        let what = format!("effects of {expected:?} with {:?} at {}", self.fault, self.event);
        until(&what, || {
            let ran = lab.home.read(&format!("ran{}", self.number));
            let mut ran: Vec<&str> = ran.lines().collect();
            ran.sort_unstable();
            assert!(ran.len() <= expected.len(), "{:?} at {}: {ran:?}", self.fault, self.event);
            let may_lack = matches!(self.fault, Fault::Steer | Fault::Interrupt);
            (may_lack || ran == expected).then_some(())
        });
    }
}

/// Each round is a thread of its own; all run at once.
#[test]
fn a_response_may_break_anywhere() {
    let provider = "stream_max_retries = 1".to_owned();
    let lab = Lab::with(&Config { provider, ..Config::default() });
    let rounds = Round::all();
    let steps: HashMap<String, Step> =
        rounds.iter().map(|round| (round.number.to_string(), round.step())).collect();
    let steps = Arc::new(Mutex::new(steps));
    for _ in 0..rounds.len() * 4 {
        let steps = Arc::clone(&steps);
        lab.model.reply(Step::Ask(Box::new(move |request| {
            let first = steps.lock().unwrap().remove(request.asked()[0]);
            first.unwrap_or_else(|| ev::text("again").into())
        })));
    }
    let client = lab.start();
    let threads: Vec<String> = rounds.iter().map(|_| client.thread()).collect();
    let mut turns = Vec::new();
    for (round, thread) in rounds.iter().zip(&threads) {
        lab.home.write(&format!("ran{}", round.number), "");
        turns.push(client.turn(thread, &round.number.to_string()));
    }
    for ((round, thread), turn) in rounds.iter().zip(&threads).zip(&turns) {
        round.act(&client, thread, turn);
    }
    for (round, thread) in rounds.iter().zip(&threads) {
        let done = client.finish(thread);
        assert_eq!(done["status"], round.ending(), "{:?} at {}", round.fault, round.event);
        round.check_calls(&lab);
    }
    for (round, thread) in rounds.iter().zip(&threads) {
        client.complete(thread, "next");
        let last = lab.model.last();
        let asked = last.asked();
        let number = round.number.to_string();
        assert_eq!((asked[0], *asked.last().unwrap()), (number.as_str(), "next"));
        let answered = last.calls().iter().filter(|call| call.contains("_output ")).count();
        assert_eq!(answered * 2, last.calls().len(), "every call is answered: {:?}", last.calls());
        round.check_calls(&lab);
    }
    assert_eq!(client.notes("turn/completed").len(), rounds.len() * 2, "one end for each turn");
}
