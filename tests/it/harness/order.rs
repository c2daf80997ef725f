//! The rules of order that hold on every connection, checked over a whole trace.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::server::is_another;
use super::trace::Entry;

/// What in the trace breaks a rule.
pub(crate) fn violations(trace: &[Entry]) -> Vec<String> {
    let mut rules = Rules::default();
    for (index, entry) in trace.iter().enumerate() {
        let message = &entry.message;
        let before = rules.broken.len();
        match (message["method"].as_str(), entry.sent, message.get("id")) {
            (Some(method), true, Some(id)) => rules.request(index, id, method),
            (Some(method), false, Some(id)) => rules.asked(id, method, &message["params"]),
            (Some(method), false, None) => rules.notification(index, method, message),
            (None, true, Some(id)) => drop(rules.answered.insert(id.to_string())),
            (None, false, _) => rules.answer(index, message),
            _ => {}
        }
        for text in &mut rules.broken[before..] {
            *text = format!("message {index}: {text}");
        }
    }
    rules.broken
}

#[derive(Default)]
struct Rules {
    broken: Vec<String>,
    /// Requests of the client that wait for their answer: method and position.
    open: HashMap<String, (String, usize)>,
    /// The turns that an answer has named.
    named: HashSet<String>,
    sent: HashSet<String>,
    /// Requests of the server: whether they have been resolved.
    asked: HashMap<String, bool>,
    answered: HashSet<String>,
    status: HashMap<String, Value>,
    turns: HashMap<String, Turn>,
    /// Items of a turn: whether they are running.
    items: HashMap<(String, String), bool>,
}

struct Turn {
    started: usize,
    completed: bool,
}

impl Rules {
    fn fail(&mut self, text: String) {
        self.broken.push(text);
    }

    fn request(&mut self, index: usize, id: &Value, method: &str) {
        self.sent.insert(id.to_string());
        self.open.insert(id.to_string(), (method.to_owned(), index));
    }

    fn answer(&mut self, index: usize, message: &Value) {
        let id = message["id"].to_string();
        if message.get("notJson").is_some() {
            return self.fail(format!("not JSON on stdout: {message}"));
        }
        let Some((method, asked)) = self.open.remove(&id) else {
            if self.sent.contains(&id) {
                self.fail(format!("request {id} is answered twice"));
            }
            return;
        };
        let error = message.get("error");
        if error.is_some() == message.get("result").is_some() {
            self.fail(format!("neither a result nor an error: {message}"));
        }
        if error.is_some_and(|e| !e["code"].is_i64() || !e["message"].is_string()) {
            self.fail(format!("malformed error: {message}"));
        }
        let turn = message["result"]["turn"]["id"].as_str().and_then(|id| self.turns.get(id));
        // Of several that were sent at once, one starts the turn and the others are steered into it.
        let starts = method == "turn/start"
            && self.named.insert(message["result"]["turn"]["id"].to_string());
        // The reference loses this race once in a while.
        if starts && !is_another() && turn.is_some_and(|t| asked < t.started && t.started < index) {
            self.fail("turn/started comes before the answer to turn/start".to_owned());
        }
    }

    fn asked(&mut self, id: &Value, method: &str, params: &Value) {
        self.asked.insert(id.to_string(), false);
        let key = key(params, &params["itemId"]);
        // Permissions have no item, and a terminal may be typed into in a later turn than its own.
        let has_item =
            method != "item/permissions/requestApproval" && params["kind"] != "writeStdin";
        if method.ends_with("/requestApproval") && has_item {
            self.running(&key, method);
        }
    }

    fn notification(&mut self, index: usize, method: &str, message: &Value) {
        let params = &message["params"];
        if !message["emittedAtMs"].is_i64() {
            self.fail(format!("{method} has no emittedAtMs"));
        }
        match method {
            "thread/status/changed" => self.status(params),
            "turn/started" => self.turn_started(index, params),
            "turn/completed" => self.turn_completed(params),
            "item/started" => self.item_started(params),
            "item/completed" => self.item_completed(params),
            "serverRequest/resolved" => self.resolved(&params["requestId"]),
            _ if method.starts_with("item/") && method.ends_with("elta") => {
                self.running(&key(params, &params["itemId"]), method);
            }
            _ => {}
        }
    }

    fn status(&mut self, params: &Value) {
        let thread = params["threadId"].to_string();
        let new = params["status"].clone();
        let old = self.status.insert(thread, new.clone());
        if old.as_ref() == Some(&new) {
            self.fail(format!("the status changes to what it was: {new}"));
        }
        let from = old.map_or(Value::Null, |mut status| status["type"].take());
        let sudden = new["type"] == "systemError" && from != "active";
        let waits = new["activeFlags"].as_array().is_some_and(|flags| !flags.is_empty());
        if sudden || (waits && from != "active") {
            self.fail(format!("the status changes from {from} to {new}"));
        }
    }

    fn turn_started(&mut self, index: usize, params: &Value) {
        let (thread, id) = (params["threadId"].to_string(), text(&params["turn"]["id"]));
        if self.status.get(&thread).is_none_or(|status| status["type"] != "active") {
            self.fail("turn/started while the thread is not active".to_owned());
        }
        if self.turns.insert(id, Turn { started: index, completed: false }).is_some() {
            self.fail("turn/started twice".to_owned());
        }
    }

    fn turn_completed(&mut self, params: &Value) {
        let (thread, id) = (params["threadId"].to_string(), text(&params["turn"]["id"]));
        if self.status.get(&thread).is_some_and(|status| status["type"] == "active") {
            self.fail("turn/completed while the thread is active".to_owned());
        }
        match self.turns.get_mut(&id) {
            None => self.fail("turn/completed without turn/started".to_owned()),
            Some(turn) if turn.completed => self.fail("turn/completed twice".to_owned()),
            Some(turn) => turn.completed = true,
        }
    }

    fn item_started(&mut self, params: &Value) {
        let (turn, kind) = (text(&params["turnId"]), params["item"]["type"].to_string());
        match self.turns.get(&turn) {
            // A review is shown to begin before its turn does.
            None if kind == "\"enteredReviewMode\"" => {}
            None => self.fail(format!("{kind} of a turn that has not started")),
            // A command that outlives its turn may become an item late, and so may the end of an agent's task.
            Some(turn)
                if turn.completed
                    && !["\"commandExecution\"", "\"subAgentActivity\""].contains(&&*kind) =>
            {
                self.fail(format!("{kind} of a turn that is over"));
            }
            Some(_) => {}
        }
        let key = key(params, &params["item"]["id"]);
        if self.items.insert(key, true) == Some(true) {
            self.fail(format!("{kind} is started twice"));
        }
    }

    fn item_completed(&mut self, params: &Value) {
        let key = key(params, &params["item"]["id"]);
        self.running(&key, "item/completed");
        self.items.insert(key, false);
    }

    fn running(&mut self, key: &(String, String), method: &str) {
        if self.items.get(key) != Some(&true) {
            self.fail(format!("{method} of item {}, which is not running", key.1));
        }
    }

    fn resolved(&mut self, request: &Value) {
        match self.asked.insert(request.to_string(), true) {
            None => self.fail(format!("serverRequest/resolved of {request}, which was not asked")),
            Some(true) => self.fail(format!("serverRequest/resolved of {request} twice")),
            Some(false) => {}
        }
    }
}

fn key(params: &Value, item: &Value) -> (String, String) {
    (text(&params["turnId"]), text(item))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
