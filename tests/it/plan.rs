//! Plan mode: the plan in a message of the model.

use serde_json::{Value, json};

use crate::harness::{Client, Gate, Lab, ev, held};

const PLAN: &str = "<proposed_plan>\n# Plan\n- a\n</proposed_plan>";

/// Runs a turn in plan mode and tells what was shown of items of the model, in order.
#[track_caller]
fn planned(client: &Client, thread: &str) -> (Value, Vec<String>) {
    let before = client.notes("item/started").len();
    let mark = client.mark();
    let mode = json!({"mode": "plan", "settings": {"model": "mock-model"}});
    client.turn_with(thread, json!({"collaborationMode": mode}));
    let done = client.finish(thread);
    assert_eq!(done["status"], "completed");
    assert!(client.notes("item/started").len() > before);
    let shown = client.since(mark);
    let items = shown.lines().filter(|line| {
        line.contains("item/") && !line.contains("userMessage") && line.starts_with("<-")
    });
    (done, items.map(str::to_owned).collect())
}

fn message(id: &str, deltas: &[&str]) -> Vec<Value> {
    let mut events = vec![ev::created(), ev::added(&ev::message(id, ""))];
    events.extend(deltas.iter().map(|text| ev::delta(id, text)));
    events.extend([ev::done(&ev::message(id, &deltas.concat())), ev::completed()]);
    events
}

#[test]
fn a_plan_is_an_item_of_its_own() {
    let lab = Lab::new();
    let deltas = ["Intro\n<propo", "sed_plan>\n# Plan\n- a\n", "- b\n</proposed_plan>\nOutro"];
    lab.model.reply(message("msg_1", &deltas));
    let client = lab.start();
    let thread = client.thread();
    let (done, shown) = planned(&client, &thread);
    let turn = done["id"].as_str().unwrap();
    insta::assert_snapshot!(shown.join("\n").replace(turn, "turn"), @r##"
    <- item/started agentMessage [msg_1]
    <- item/agentMessage/delta "Intro\n"
    <- item/started plan [turn-plan]
    <- item/plan/delta "# Plan\n- a\n"
    <- item/plan/delta "- b\n"
    <- item/agentMessage/delta "Outro"
    <- item/completed plan [turn-plan]
    <- item/completed agentMessage [msg_1]
    "##);
    assert_eq!(client.items("plan")[0]["text"], "# Plan\n- a\n- b\n");
    assert_eq!(client.items("plan")[0]["id"], format!("{turn}-plan"));
    assert_eq!(client.items("agentMessage")[0]["text"], "Intro\nOutro");
    assert_eq!(done["items"][0]["text"], "Intro\nOutro");
    let deltas = |method| -> String {
        client.notes(method).iter().map(|note| note["delta"].as_str().unwrap()).collect()
    };
    assert_eq!(deltas("item/plan/delta"), "# Plan\n- a\n- b\n");
    assert_eq!(deltas("item/agentMessage/delta"), "Intro\nOutro");
    client.run(&thread, "go on");
    let seen = "Intro\n<proposed_plan>\n# Plan\n- a\n- b\n</proposed_plan>\nOutro";
    assert_eq!(lab.model.last().texts("assistant"), [seen], "the model sees what it wrote");
    let turns = client.request("thread/read", json!({"threadId": thread, "includeTurns": true}));
    let items = turns["thread"]["turns"][0]["items"].as_array().unwrap();
    let kinds: Vec<&str> = items.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["userMessage", "plan", "agentMessage"]);
}

#[test]
fn a_message_that_is_only_a_plan_is_no_message() {
    let lab = Lab::new();
    let text = format!("\n{PLAN}\n");
    lab.model.reply(message("msg_1", &[&text[..9], &text[9..]]));
    lab.model.reply(ev::text(PLAN));
    let client = lab.start();
    let thread = client.thread();
    for count in 1..=2 {
        let (done, _) = planned(&client, &thread);
        assert_eq!((&done["items"], &done["itemsView"]), (&json!([]), &json!("notLoaded")));
        assert_eq!(client.items("plan").len(), count);
        assert_eq!(client.items("plan")[count - 1]["text"], "# Plan\n- a\n");
    }
    assert!(client.items("agentMessage").is_empty());
    client.run(&thread, "go on");
    assert_eq!(lab.model.last().texts("assistant"), [text.as_str(), PLAN]);
}

#[test]
fn a_plan_that_is_cut_stays_as_far_as_it_came() {
    let lab = Lab::new();
    let gate = Gate::default();
    let begun = vec![
        ev::added(&ev::message("msg_1", "")),
        ev::delta("msg_1", "Intro\n<proposed_plan>\n# Pl"),
    ];
    lab.model.reply(held(&gate, begun, vec![]));
    let client = lab.start();
    let thread = client.thread();
    let mode = json!({"mode": "plan", "settings": {"model": "mock-model"}});
    let params = json!({"input": [{"type": "text", "text": "plan"}], "collaborationMode": mode});
    let turn = client.turn_with(&thread, params);
    client.note("item/plan/delta");
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    client.finish(&thread);
    assert_eq!(client.items("plan")[0]["text"], "# Pl");
    assert_eq!(client.items("agentMessage")[0]["text"], "Intro\n");
}

#[test]
fn the_finished_message_counts() {
    let lab = Lab::new();
    let mut events = message("msg_1", &["a\n", PLAN]);
    let end = ev::done(&ev::message("msg_1", "b\n<proposed_plan>\nother\n</proposed_plan>\n"));
    let last = events.len() - 2;
    events[last] = end;
    lab.model.reply(events);
    let client = lab.start();
    let thread = client.thread();
    planned(&client, &thread);
    assert_eq!(client.items("plan")[0]["text"], "other\n");
    assert_eq!(client.items("agentMessage")[0]["text"], "b\n");
}

#[test]
fn plans_are_text_in_other_modes() {
    let lab = Lab::new();
    lab.model.reply(ev::text(PLAN));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    assert_eq!(client.items("agentMessage")[0]["text"], PLAN);
    assert!(client.items("plan").is_empty());
}
