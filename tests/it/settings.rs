//! `thread/settings/update`: the settings of the next turns, without a turn.

use serde_json::{Value, json};

use crate::harness::{Client, Lab, ev, held};

#[track_caller]
fn update(client: &Client, thread: &str, settings: Value) {
    let mut params = json!({"threadId": thread});
    params.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    assert_eq!(client.request("thread/settings/update", params), json!({}));
}

#[test]
fn one_change_is_told_once() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    update(&client, &thread, json!({"model": "m2", "effort": "high", "serviceTier": "fast"}));
    update(&client, &thread, json!({"model": "m2"}));
    update(&client, &thread, json!({"serviceTier": null}));
    let told = [(); 2].map(|()| client.note("thread/settings/updated"));
    let told = told.each_ref().map(|params| &params["threadSettings"]);
    assert_eq!((&told[0]["model"], &told[0]["serviceTier"]), (&json!("m2"), &json!("priority")));
    assert_eq!(told[0]["collaborationMode"]["settings"]["reasoning_effort"], "high");
    assert_eq!(told[1]["serviceTier"], "default");
    assert_eq!(client.notes("thread/settings/updated").len(), 2, "nothing changed, nothing told");
    assert_eq!(lab.model.requests().len(), 0);
}

#[test]
fn a_mode_comes_with_its_words_and_its_effort() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    update(&client, &thread, json!({"effort": "high"}));
    client.note("thread/settings/updated");
    update(
        &client,
        &thread,
        json!({"collaborationMode": {"mode": "plan", "settings": {"model": "m3"}}}),
    );
    let settings = client.note("thread/settings/updated")["threadSettings"].clone();
    assert_eq!((&settings["model"], &settings["effort"]), (&json!("m3"), &Value::Null));
    let words = settings["collaborationMode"]["settings"]["developer_instructions"].clone();
    client.complete(&thread, "plan it");
    let last = lab.model.last();
    let mode =
        last.texts("developer").into_iter().find(|text| text.starts_with("<collaboration_mode>"));
    assert!(mode.unwrap().contains(words.as_str().unwrap()));
    assert_eq!(last.body["model"], "m3");
}

#[test]
fn settings_survive_a_restart_without_a_turn() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "hi");
    update(&client, &thread, json!({"model": "m2", "sandboxPolicy": {"type": "readOnly"}}));
    client.close();
    let client = lab.start();
    let resumed = client.resume(&thread);
    assert_eq!(
        (&resumed["model"], &resumed["sandbox"]["type"]),
        (&json!("m2"), &json!("readOnly"))
    );
}

#[test]
fn a_running_turn_keeps_its_model() {
    let lab = Lab::new();
    let gate = crate::harness::Gate::default();
    lab.model.reply(held(
        &gate,
        vec![ev::created()],
        vec![ev::done(&ev::message("m", "x")), ev::completed()],
    ));
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "one");
    gate.reached();
    update(&client, &thread, json!({"model": "m2"}));
    gate.open();
    client.finish(&thread);
    client.complete(&thread, "two");
    let models: Vec<Value> = lab.model.requests().iter().map(|r| r.body["model"].clone()).collect();
    assert_eq!(models, ["mock-model", "m2"]);
}

#[test]
fn what_cannot_be_set_changes_nothing() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let refuse = |settings: Value, message| {
        let mut params = json!({"threadId": thread, "model": "m2"});
        params.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        client.refused("thread/settings/update", params, message);
    };
    refuse(
        json!({"permissions": ":workspace", "sandboxPolicy": {"type": "readOnly"}}),
        "`permissions` cannot be combined with `sandboxPolicy`",
    );
    refuse(
        json!({"environments": [{"environmentId": "x", "cwd": "/"}]}),
        "unknown turn environment id `x`",
    );
    refuse(json!({"effort": ""}), "Invalid request: reasoning_effort must not be empty");
    assert!(client.notes("thread/settings/updated").is_empty());
}
