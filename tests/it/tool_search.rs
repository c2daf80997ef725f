//! Tools that a model searches for: what it is told of them, what it finds, and that it can call it.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, ev};

/// A server that has a model which searches, `seeker`, and one that does not.
fn lab() -> (Lab, Client) {
    let config =
        Config { top: "model_catalog_json = \"catalog.json\"".to_owned(), ..Config::default() };
    let lab = Lab::with(&config);
    let model = |slug: &str, searches: bool| {
        json!({
            "slug": slug, "display_name": slug, "shell_type": "default", "priority": 1,
            "supported_reasoning_levels": [], "visibility": "list", "supported_in_api": true,
            "support_verbosity": false, "truncation_policy": {"mode": "tokens", "limit": 10000},
            "experimental_supported_tools": [], "supports_search_tool": searches,
        })
    };
    let catalog = json!({"models": [model("seeker", true), model("plain", false)]});
    std::fs::write(lab.home.home().join("catalog.json"), catalog.to_string()).unwrap();
    let client = lab.start();
    (lab, client)
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}});
    let tool = |name: &str, description: &str, deferred: bool| {
        json!({"type": "function", "name": name, "description": description, "inputSchema": schema,
            "deferLoading": deferred})
    };
    json!([{"type": "namespace", "name": "crm", "description": "Customers.", "tools": [
        tool("find", "Finds customers by name.", true),
        tool("merge", "Merges two customers.", true),
        tool("plain", "Is always there.", false)]}])
}

fn seeking(client: &Client) -> String {
    client.thread_with(json!({"model": "seeker", "dynamicTools": tools()}))
}

fn search(call: &str, arguments: &Value) -> Value {
    json!({"type": "tool_search_call", "id": "ts_1", "call_id": call, "status": "completed",
        "execution": "client", "arguments": arguments})
}

/// Names of the tools in a namespace of a list.
fn names<'a>(list: &'a Value, namespace: &str) -> Option<Vec<&'a str>> {
    let found = list.as_array()?.iter().find(|tool| tool["name"] == namespace)?;
    Some(found["tools"].as_array()?.iter().filter_map(|tool| tool["name"].as_str()).collect())
}

/// The texts in which the model was told what it can search for.
fn told(body: &Value) -> Vec<String> {
    let parts =
        body["input"].as_array().unwrap().iter().filter_map(|item| item["content"].as_array());
    let texts = parts.flatten().filter_map(|part| part["text"].as_str());
    texts.filter(|text| text.starts_with("<tools>")).map(str::to_owned).collect()
}

#[test]
fn what_is_found_can_be_called() {
    let (lab, client) = lab();
    let thread = seeking(&client);
    lab.model.reply(ev::items(&[
        search("one", &json!({"query": "find a customer", "limit": 1})),
        search("none", &json!({"query": "weather"})),
        search("odd", &json!({"words": 1})),
        search("agents", &json!({"query": "spawn agent"})),
    ]));
    lab.model.reply(ev::items(&[ev::member("call-1", "crm", "find", &json!({"q": "Ann"}))]));
    client.turn(&thread, "go");
    let asked = client.asked("item/tool/call");
    assert_eq!(asked["params"]["tool"], "find");
    client.respond(&asked, json!({"contentItems": [], "success": true}));
    assert_eq!(client.finish(&thread)["status"], "completed");

    let requests = lab.model.requests();
    let first = &requests[0].body;
    assert_eq!(names(&first["tools"], "crm").unwrap(), ["plain"]);
    assert_eq!(names(&first["tools"], "multi_agent_v1"), None);
    let kinds: Vec<_> =
        first["tools"].as_array().unwrap().iter().map(|tool| &tool["type"]).collect();
    assert!(kinds.contains(&&json!("tool_search")));
    let texts = told(first);
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains("- crm: Customers.\n- multi_agent_v1: "), "{}", texts[0]);

    let second = &requests[1].body;
    let output = |call: &str| {
        let items = second["input"].as_array().unwrap().iter();
        let mut outputs = items.filter(|item| item["type"] == "tool_search_output");
        outputs.find(|item| item["call_id"] == call).unwrap().clone()
    };
    let one = output("one");
    assert_eq!((&one["status"], &one["execution"]), (&json!("completed"), &json!("client")));
    assert_eq!(names(&one["tools"], "crm").unwrap(), ["find"]);
    let definition = &one["tools"][0]["tools"][0];
    assert_eq!(
        (&definition["defer_loading"], &definition["type"]),
        (&json!(true), &json!("function"))
    );
    assert_eq!((&output("none")["tools"], &output("odd")["tools"]), (&json!([]), &json!([])));
    assert_eq!(names(&output("agents")["tools"], "multi_agent_v1").unwrap().len(), 5);
    assert_eq!(told(second).len(), 1, "no news");
}

#[test]
fn another_model_sees_everything() {
    let (lab, client) = lab();
    let thread = seeking(&client);
    client.complete(&thread, "go");
    client.turn_with(&thread, json!({"model": "plain"}));
    client.finish(&thread);
    let body = lab.model.last().body;
    assert_eq!(names(&body["tools"], "crm").unwrap(), ["find", "merge", "plain"]);
    assert!(names(&body["tools"], "multi_agent_v1").is_some());
    assert_eq!(told(&body).len(), 2, "what was to be searched for is taken back");
    client.turn_with(&thread, json!({"model": "seeker"}));
    client.finish(&thread);
    let texts = told(&lab.model.last().body);
    assert_eq!((texts.len(), &texts[0]), (3, &texts[2]));
}

#[test]
fn a_search_survives_a_restart() {
    let (lab, client) = lab();
    let thread = seeking(&client);
    lab.model.reply(ev::items(&[search("one", &json!({"query": "merge"}))]));
    client.complete(&thread, "go");
    let before = lab.model.last().body["input"].clone();
    client.close();
    let client = lab.start();
    client.request("thread/resume", json!({"threadId": thread}));
    client.complete(&thread, "more");
    let after = lab.model.last().body["input"].clone();
    let (before, after) = (before.as_array().unwrap(), after.as_array().unwrap());
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(told(&lab.model.last().body).len(), 1);
}
