//! `turn/settings/update`: what a running turn goes on with; and threads without an environment.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Config, Gate, Lab, Request, ev, held};

/// A lab whose catalogue knows `mock-model` and `other-model`.
fn lab_with_two_models() -> Lab {
    let tables = "[features]\nstep_model_switching = true".to_owned();
    let lab = Lab::describing(&json!({}), Config { tables, ..Config::default() });
    let file = lab.home.home().join("catalog.json");
    let mut catalog: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let mut other = catalog["models"][0].clone();
    other["slug"] = json!("other-model");
    other["supported_reasoning_levels"] = json!([{"effort": "high", "description": ""}]);
    catalog["models"].as_array_mut().unwrap().push(other);
    fs::write(file, catalog.to_string()).unwrap();
    lab
}

#[test]
fn a_running_turn_goes_on_with_another_model() {
    let lab = lab_with_two_models();
    let client = lab.start();
    let thread = client.thread();
    let gate = Gate::default();
    lab.model
        .reply(held(&gate, vec![ev::created()], ev::shell("c1", "true")))
        .reply(ev::text("one"))
        .reply(ev::text("two"));
    let turn = client.turn(&thread, "go");
    gate.reached();
    let update = |turn: &str, settings: Value| {
        let mut params = json!({"threadId": thread, "turnId": turn});
        params.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        params
    };
    let method = "turn/settings/update";
    let status = |params| client.request(method, params)["status"].clone();
    assert_eq!(status(update("nope", json!({"model": "other-model"}))), "targetUnavailable");
    client.refused(
        method,
        update(&turn, json!({"model": "zeta"})),
        "the destination model has only fallback metadata",
    );
    client.refused(
        method,
        update(&turn, json!({"environments": [{"environmentId": "x", "cwd": "/"}]})),
        "unknown turn environment id `x`",
    );
    assert_eq!(status(update(&turn, json!({"model": "other-model"}))), "applied");
    assert_eq!(status(update(&turn, json!({"effort": "high"}))), "applied");
    gate.open();
    client.finish(&thread);
    client.complete(&thread, "next");
    assert_eq!(status(update(&turn, json!({"model": "other-model"}))), "targetUnavailable");
    let asked: Vec<(Value, Value)> = lab.model.requests().iter().map(model_and_effort).collect();
    assert_eq!(
        asked,
        [
            (json!("mock-model"), Value::Null),
            (json!("other-model"), json!("high")),
            (json!("mock-model"), Value::Null),
        ]
    );
    let last = lab.model.last();
    let switches = last.texts("developer").into_iter().filter(|text| text.starts_with("<model_s"));
    assert_eq!(switches.count(), 2, "the model is told of both changes");
    assert!(client.notes("thread/settings/updated").is_empty(), "the thread's own are the same");
}

fn model_and_effort(request: &Request) -> (Value, Value) {
    (request.body["model"].clone(), request.body["reasoning"]["effort"].clone())
}

#[test]
fn only_the_feature_lets_settings_of_a_turn_change() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.refused(
        "turn/settings/update",
        json!({"threadId": thread, "turnId": "t", "model": "m"}),
        "turn settings updates require the step_model_switching feature",
    );
}

#[test]
fn a_thread_without_an_environment_only_talks() {
    let lab = Lab::new();
    lab.home.write("AGENTS.md", "Be brief.");
    let client = lab.start();
    let started =
        client.request("thread/start", json!({"cwd": lab.home.work(), "environments": []}));
    assert_eq!(started["thread"]["environments"], json!([]));
    assert_eq!(started["runtimeWorkspaceRoots"], json!([]));
    assert_eq!(started["instructionSources"], json!([]));
    let thread = started["thread"]["id"].as_str().unwrap();
    lab.model.reply(ev::shell("c1", "touch made")).reply(ev::text("x"));
    client.complete(thread, "go");
    let last = lab.model.last();
    assert!(last.output("c1").contains("no environment"), "{}", last.output("c1"));
    assert!(!lab.home.exists("made") && client.items("commandExecution").is_empty());
    let context = last.texts("user")[0];
    assert!(context.contains("<timezone>") && !context.contains("<cwd>"), "{context}");

    let here = json!([{"environmentId": "local", "cwd": lab.home.work()}]);
    lab.model.reply(ev::shell("c2", "touch made")).reply(ev::text("x"));
    client.turn_with(thread, json!({"environments": here}));
    client.finish(thread);
    assert!(lab.home.exists("made"));
    client.turn_with(thread, json!({"environments": []}));
    client.finish(thread);
    let contexts = lab.model.last();
    let context =
        contexts.texts("user").into_iter().rfind(|text| text.starts_with("<env")).unwrap();
    assert!(context.contains("status=\"unavailable\""), "{context}");
}
