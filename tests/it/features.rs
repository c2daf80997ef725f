//! Features: what there is, what is on, and switching some for the life of the process.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab};

fn is_on(client: &Client, name: &str) -> bool {
    let listed = client.request("experimentalFeature/list", json!({}));
    let row = listed["data"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    row["enabled"].as_bool().unwrap()
}

fn switch(client: &Client, enablement: &Value) -> Value {
    client.request("experimentalFeature/enablement/set", json!({"enablement": enablement}))
}

#[test]
fn what_is_switched_lasts_as_long_as_the_process() {
    let lab = Lab::new();
    let client = lab.start();
    assert!(!is_on(&client, "memories") && is_on(&client, "unified_exec"));
    let wanted = json!({"memories": true, "unified_exec": false, "no_such": true});
    assert_eq!(switch(&client, &wanted), json!({"enablement": {"memories": true}}));
    assert!(is_on(&client, "memories") && is_on(&client, "unified_exec"));
    let read = client.request("config/read", json!({"includeLayers": true}));
    assert_eq!(read["config"]["features"]["memories"], true);
    assert_eq!(read["config"]["features"].as_object().unwrap().len(), 15);
    assert_eq!(read["origins"]["features.memories"], Value::Null, "it is in no layer");
    client.close();
    assert!(!is_on(&lab.start(), "memories"));
}

#[test]
fn what_files_say_goes_first() {
    let tables = "[features]\nmemories = false\ngoals = false\n".to_owned();
    let lab = Lab::with(&Config { tables, ..Config::default() });
    let client = lab.start();
    switch(&client, &json!({"memories": true}));
    assert!(!is_on(&client, "memories") && !is_on(&client, "goals"));
}

#[test]
fn the_features_of_a_thread() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let all = client.request("experimentalFeature/list", json!({"threadId": thread}));
    let first = client.request("experimentalFeature/list", json!({"limit": 1}));
    assert_eq!((&first["data"][0], &first["nextCursor"]), (&all["data"][0], &json!("1")));
    assert_eq!((&all["data"][0]["stage"], &all["nextCursor"]), (&json!("beta"), &Value::Null));
    let nobody = json!({"threadId": "01a00000-0000-7000-8000-000000000000"});
    let refused = client.refuse("experimentalFeature/list", nobody);
    assert_eq!(refused.message, "thread not found: 01a00000-0000-7000-8000-000000000000");
}
