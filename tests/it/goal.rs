//! Goals: what a thread works on by itself, how it is told to, and what stops it.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, ev, held, http};

#[track_caller]
fn set(client: &Client, thread: &str, goal: Value) -> Value {
    let mut params = json!({"threadId": thread});
    params.as_object_mut().unwrap().extend(goal.as_object().unwrap().clone());
    client.request("thread/goal/set", params)["goal"].clone()
}

#[track_caller]
fn get(client: &Client, thread: &str) -> Value {
    client.request("thread/goal/get", json!({"threadId": thread}))["goal"].clone()
}

/// What was told of the goal: its status and its tokens.
fn told(client: &Client) -> Vec<(String, i64)> {
    let notes = client.notes("thread/goal/updated").into_iter();
    notes
        .map(|params| {
            let goal = &params["goal"];
            (goal["status"].as_str().unwrap().to_owned(), goal["tokensUsed"].as_i64().unwrap())
        })
        .collect()
}

fn says(text: &str, input: u64, output: u64) -> Vec<Value> {
    vec![ev::created(), ev::done(&ev::message("msg-1", text)), ev::used(input, output)]
}

fn done(call: &str) -> Vec<Value> {
    ev::call(call, "update_goal", &json!({"status": "complete"}))
}

#[test]
fn a_goal_is_worked_on_until_it_is_reached() {
    let lab = Lab::new();
    lab.model.reply(says("step", 10, 5)).reply(done("call-1")).reply(ev::text("there"));
    let client = lab.start();
    let thread = client.thread();
    let mark = client.mark();
    set(&client, &thread, json!({"objective": "OBJECTIVE"}));
    let turns = [client.finish(&thread), client.finish(&thread)];
    let trace = client.since(mark);
    let begun: Vec<&str> = trace.lines().take(5).collect();
    assert_eq!(
        begun,
        [
            "-> thread/goal/set",
            "<= thread/goal/set",
            "<- thread/goal/updated",
            "<- thread/status/changed active",
            "<- turn/started",
        ]
    );
    assert!(client.items("userMessage").is_empty(), "nobody has said anything");
    let last = lab.model.last();
    let objectives =
        last.input().iter().filter(|item| item["name"] == "goal_objective").collect::<Vec<_>>();
    assert_eq!(objectives.len(), 1, "told once");
    assert_eq!(objectives[0]["output"], "OBJECTIVE");
    let urged = |text: &&&str| text.starts_with("<codex_internal_context source=\"goal\">");
    assert_eq!(last.texts("user").iter().filter(urged).count(), 2, "told in each turn");
    let output: Value = serde_json::from_str(last.output("call-1")).unwrap();
    assert_eq!(
        (&output["goal"]["status"], &output["remainingTokens"]),
        (&json!("complete"), &Value::Null)
    );
    let notes = client.notes("thread/goal/updated");
    assert_eq!(
        (&notes[0]["turnId"], &notes.last().unwrap()["turnId"]),
        (&Value::Null, &turns[1]["id"])
    );
    assert_eq!(told(&client)[..2], [("active".to_owned(), 0), ("active".to_owned(), 15)]);
    assert_eq!(get(&client, &thread)["status"], "complete");
    assert_eq!(lab.model.requests().len(), 3, "and then it rests");
}

#[test]
fn a_goal_is_made_edited_and_taken_away() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.refused(
        "thread/goal/set",
        json!({"threadId": thread}),
        &format!("cannot update goal for thread {thread}: no goal exists"),
    );
    client.refused(
        "thread/goal/set",
        json!({"threadId": thread, "objective": " "}),
        "goal objective must not be empty",
    );
    let made = set(
        &client,
        &thread,
        json!({"objective": " there ", "status": "paused", "tokenBudget": 5}),
    );
    assert_eq!((&made["objective"], &made["tokenBudget"]), (&json!("there"), &json!(5)));
    assert_eq!(client.note("thread/goal/updated")["goal"], made);
    client.close();
    let client = lab.start();
    assert_eq!(get(&client, &thread), made, "kept, and read without loading the thread");
    let edited = set(&client, &thread, json!({"objective": "elsewhere", "tokenBudget": null}));
    assert_eq!((&edited["status"], &edited["tokenBudget"]), (&json!("paused"), &Value::Null));
    assert_eq!(client.request("thread/loaded/list", json!({}))["data"], json!([]));
    let listed = client.request("thread/list", json!({}));
    assert_eq!(listed["data"][0]["preview"], "there");
    client.note("thread/goal/updated");
    client.resume(&thread);
    assert_eq!(client.note("thread/goal/updated")["goal"], edited, "told to those who resume");
    let clear =
        || client.request("thread/goal/clear", json!({"threadId": thread}))["cleared"].clone();
    assert_eq!(clear(), true);
    assert_eq!(client.note("thread/goal/cleared"), json!({"threadId": thread}));
    assert_eq!((clear(), get(&client, &thread)), (json!(false), Value::Null));
    assert!(lab.model.requests().is_empty(), "nobody works on a goal that is paused");
}

#[test]
fn a_budget_ends_the_work() {
    let lab = Lab::new();
    lab.model.reply(says("a", 30, 20)).reply(says("b", 60, 10));
    let client = lab.start();
    let thread = client.thread();
    set(&client, &thread, json!({"objective": "o", "tokenBudget": 100}));
    client.finish(&thread);
    client.finish(&thread);
    let statuses = told(&client);
    let seen: Vec<(&str, i64)> =
        statuses.iter().map(|(status, used)| (status.as_str(), *used)).collect();
    assert_eq!(seen, [("active", 0), ("active", 50), ("budgetLimited", 120)]);
    let again = set(&client, &thread, json!({"status": "active"}));
    assert_eq!(again["status"], "budgetLimited", "not without a larger budget");
    lab.model.reply(done("call-1")).reply(ev::text("c"));
    set(&client, &thread, json!({"status": "active", "tokenBudget": 1000}));
    client.finish(&thread);
    let last = lab.model.last();
    let report: Value = serde_json::from_str(last.output("call-1")).unwrap();
    assert!(report["completionBudgetReport"].is_string(), "{report}");
}

#[test]
fn a_turn_learns_that_the_budget_is_used_up() {
    let lab = Lab::new();
    let call = ev::function("call-1", "get_goal", &json!({}));
    lab.model
        .reply(vec![ev::created(), ev::done(&call), ev::used(90, 20)])
        .reply(ev::text("wrapped up"));
    let client = lab.start();
    let thread = client.thread();
    set(&client, &thread, json!({"objective": "OBJECTIVE", "tokenBudget": 100}));
    client.finish(&thread);
    let last = lab.model.last();
    assert!(last.texts("user").last().unwrap().contains("<objective>\nOBJECTIVE\n</objective>"));
    assert_eq!(lab.model.requests().len(), 2);
    assert_eq!(get(&client, &thread)["status"], "budgetLimited");
}

#[test]
fn a_failure_ends_the_work() {
    let limit = json!({"error": {"type": "usage_limit_reached", "message": "limit", "resets_in_seconds": 100}});
    let no = json!({"error": {"message": "no"}});
    let lab = Lab::new();
    let client = lab.start();
    for (status, answer, ending) in [(400, no, "blocked"), (429, limit, "usageLimited")] {
        lab.model.reply(http(status, answer));
        let thread = client.thread();
        set(&client, &thread, json!({"objective": "o"}));
        assert_eq!(client.finish(&thread)["status"], "failed");
        assert_eq!(get(&client, &thread)["status"], ending);
    }
    assert_eq!(lab.model.requests().len(), 2);
}

#[test]
fn an_interrupt_holds_the_goal_until_the_user_has_spoken() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    let client = lab.start();
    let thread = client.thread();
    set(&client, &thread, json!({"objective": "o"}));
    gate.reached();
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": ""}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    assert_eq!(get(&client, &thread)["status"], "active");
    assert_eq!(lab.model.requests().len(), 1, "nothing is started");
    lab.model.reply(ev::text("answer")).reply(done("call-1")).reply(ev::text("end"));
    client.complete(&thread, "go on");
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(get(&client, &thread)["status"], "complete");
}

#[test]
fn a_goal_sleeps_until_its_thread_is_resumed() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    let client = lab.start();
    let thread = client.thread();
    set(&client, &thread, json!({"objective": "OBJECTIVE"}));
    gate.reached();
    client.close();
    lab.model.reply(done("call-1")).reply(ev::text("end"));
    let client = lab.start();
    assert_eq!(get(&client, &thread)["status"], "active");
    assert_eq!(lab.model.requests().len(), 1);
    client.resume(&thread);
    client.finish(&thread);
    let last = lab.model.last();
    let objectives = last.input().iter().filter(|item| item["name"] == "goal_objective").count();
    assert_eq!(objectives, 1, "it has been told before");
    assert_eq!(get(&client, &thread)["status"], "complete");
}

#[test]
fn a_model_makes_a_goal_when_it_is_asked_to() {
    let lab = Lab::new();
    lab.model
        .reply(ev::call(
            "call-1",
            "create_goal",
            &json!({"objective": "mine", "token_budget": 500}),
        ))
        .reply(ev::call("call-2", "create_goal", &json!({"objective": "another"})))
        .reply(ev::text("made"))
        .reply(ev::call("call-3", "update_goal", &json!({"status": "active"})))
        .reply(done("call-4"))
        .reply(ev::text("end"));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "please set a goal");
    assert_eq!(client.note("thread/goal/updated")["turnId"], turn.as_str());
    client.finish(&thread);
    client.finish(&thread);
    let last = lab.model.last();
    let made: Value = serde_json::from_str(last.output("call-1")).unwrap();
    assert_eq!(
        (&made["goal"]["objective"], &made["remainingTokens"]),
        (&json!("mine"), &json!(500))
    );
    assert!(last.output("call-2").starts_with("cannot create a new goal"));
    assert!(last.output("call-3").starts_with("update_goal sets the status"));
    assert_eq!(get(&client, &thread)["status"], "complete");
}

#[test]
fn an_edit_reaches_the_running_turn() {
    let lab = Lab::new();
    let gate = Gate::default();
    let rest = vec![ev::done(&ev::message("msg-1", "x")), ev::completed()];
    lab.model.reply(held(&gate, vec![ev::created()], rest));
    let client = lab.start();
    let thread = client.thread();
    set(&client, &thread, json!({"objective": "first", "status": "paused"}));
    client.turn(&thread, "busy");
    gate.reached();
    lab.model.reply(done("call-1")).reply(ev::text("end"));
    set(&client, &thread, json!({"objective": "second", "status": "active"}));
    gate.open();
    client.finish(&thread);
    let requests = lab.model.requests();
    let texts = requests[1].texts("user");
    assert!(
        texts.last().unwrap().contains("<untrusted_objective>\nsecond\n</untrusted_objective>")
    );
    assert_eq!(requests.len(), 3);
}

#[test]
fn goals_can_be_switched_off() {
    let lab = Lab::with(&Config {
        tables: "[features]\ngoals = false\n".to_owned(),
        ..Config::default()
    });
    let client = lab.start();
    let thread = client.thread();
    for (method, more) in [
        ("thread/goal/set", json!({"objective": "o"})),
        ("thread/goal/get", json!({})),
        ("thread/goal/clear", json!({})),
    ] {
        let mut params = json!({"threadId": thread});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.refused(method, params, "goals feature is disabled");
    }
    client.complete(&thread, "hi");
    let tools = lab.model.last().body["tools"].to_string();
    assert!(!tools.contains("goal"), "{tools}");
    client.close();
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "more");
    assert!(!client.heard().iter().any(|method| method.starts_with("thread/goal")));
}

#[test]
fn a_model_that_only_talks_is_stopped() {
    let lab = Lab::new();
    for _ in 0..10 {
        lab.model.reply(ev::text("I am thinking about it"));
    }
    let client = lab.start();
    let thread = client.thread();
    set(&client, &thread, json!({"objective": "o"}));
    for _ in 0..10 {
        assert_eq!(client.finish(&thread)["status"], "completed");
    }
    assert_eq!(get(&client, &thread)["status"], "blocked");
    assert_eq!(lab.model.requests().len(), 10);
    lab.model.reply(done("call-1")).reply(ev::text("end"));
    set(&client, &thread, json!({"status": "active"}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(get(&client, &thread)["status"], "complete");
}
