//! The handshake: what it answers, what is refused before and after it, capabilities.

use serde_json::{Value, json};

use crate::harness::schema::has;
use crate::harness::{Client, Config, Lab};

fn hello(name: &str) -> Value {
    json!({"clientInfo": {"name": name, "title": null, "version": "9.9"}})
}

#[test]
fn the_answer_says_who_and_where() {
    let lab = Lab::new();
    let client = lab.spawn();
    let result = client.request("initialize", hello("probe"));
    assert_eq!(result["codexHome"], lab.home.home().to_str().unwrap());
    assert_eq!(
        (&result["platformFamily"], &result["platformOs"]),
        (&json!("unix"), &json!("linux"))
    );
    let agent = result["userAgent"].as_str().unwrap();
    assert!(agent.starts_with("probe/") && agent.contains("(probe; 9.9)"), "{agent}");
}

#[test]
fn nothing_is_served_before() {
    let lab = Lab::new();
    let client = lab.spawn();
    client.refused("thread/start", json!({}), "Not initialized");
    client.refused("thread/list", json!({}), "Not initialized");
    client.refused("thread/loaded/list", json!({}), "Not initialized");
    let undecodable = client.refuse("thread/list", json!({"limit": "x"}));
    assert_eq!(undecodable.message, "Invalid request: invalid type: string \"x\", expected u32");
    client.request("initialize", hello("probe"));
    client.request("thread/loaded/list", json!({}));
}

#[test]
fn a_failed_one_can_be_repeated_and_a_good_one_cannot() {
    let lab = Lab::new();
    let client = lab.spawn();
    client.refused("initialize", Value::Null, "Invalid request: missing field `params`");
    client.refused("initialize", json!({}), "Invalid request: missing field `clientInfo`");
    client.refused(
        "initialize",
        json!({"clientInfo": {"name": "x"}}),
        "Invalid request: missing field `version`",
    );
    client.refused(
        "initialize",
        json!({"clientInfo": {"name": "a\nb", "version": "1"}}),
        "Invalid clientInfo.name: 'a\nb'. Must be a valid HTTP header value.",
    );
    let wrong = client.refuse(
        "initialize",
        json!({"clientInfo": {"name": "x", "version": "1"}, "capabilities": 5}),
    );
    assert!(wrong.message.starts_with("Invalid request: invalid type: "), "{wrong:?}");
    client.request("initialize", hello("probe"));
    client.refused("initialize", hello("probe"), "Already initialized");
    client.request("thread/loaded/list", json!({}));
}

#[test]
fn initialized_need_not_be_sent() {
    let lab = Lab::new();
    let client = lab.spawn();
    let first = client.post("initialize", hello("probe"));
    let second = client.post("thread/loaded/list", json!({}));
    client.answer(first).unwrap();
    assert_eq!(client.answer(second).unwrap(), json!({"data": [], "nextCursor": null}));
}

#[test]
fn capabilities_may_be_null_or_unknown() {
    for capabilities in [json!(null), json!({}), json!({"noSuchCapability": {"a": 1}})] {
        let lab = Lab::new();
        let client = lab.start_with(&capabilities);
        client.request("thread/loaded/list", json!({}));
    }
}

#[test]
fn opting_out_withholds_exactly_what_is_named() {
    let lab = Lab::new();
    let unwanted = json!(["thread/started", "thread/tokenUsage/updated", "not/a/method", "turn/"]);
    let client =
        lab.start_with(&json!({"experimentalApi": true, "optOutNotificationMethods": unwanted}));
    let answer = client.request("thread/start", json!({"cwd": lab.home.work()}));
    client.complete(answer["thread"]["id"].as_str().unwrap(), "hi");
    let heard = client.heard();
    assert!(
        !heard.iter().any(|m| m == "thread/started" || m == "thread/tokenUsage/updated"),
        "{heard:?}"
    );
    assert!(
        heard.iter().any(|m| m == "turn/started") && heard.iter().any(|m| m == "turn/completed"),
        "{heard:?}"
    );
}

#[test]
fn gated_methods_fields_and_variants_are_refused_by_name() {
    let lab = Lab::new();
    let client = lab.start_with(&json!({}));
    let granular =
        json!({"granular": {"sandbox_approval": true, "rules": true, "mcp_elicitations": true}});
    let thread = json!("01900000-0000-7000-8000-000000000000");
    for (method, params, name) in [
        ("mock/experimentalMethod", json!({}), "mock/experimentalMethod"),
        ("collaborationMode/list", json!({}), "collaborationMode/list"),
        ("thread/search", json!({"searchTerm": "x"}), "thread/search"),
        (
            "thread/start",
            json!({"mockExperimentalField": "x"}),
            "thread/start.mockExperimentalField",
        ),
        ("thread/start", json!({"dynamicTools": []}), "thread/start.dynamicTools"),
        ("thread/start", json!({"historyMode": "legacy"}), "thread/start.historyMode"),
        ("thread/start", json!({"approvalPolicy": granular}), "askForApproval.granular"),
        ("thread/resume", json!({"threadId": thread, "path": "/x"}), "thread/resume.path"),
        ("thread/list", json!({"parentThreadId": "x"}), "thread/list.parentThreadId"),
        (
            "turn/start",
            json!({"threadId": thread, "input": [], "additionalContext": {}}),
            "turn/start.additionalContext",
        ),
    ] {
        if has(method) {
            client.refused(method, params, &format!("{name} requires experimentalApi capability"));
        }
    }
    let decoding = client.refuse("thread/list", json!({"parentThreadId": "x", "limit": "x"}));
    assert!(
        decoding.message.starts_with("Invalid request: "),
        "decoding comes first: {decoding:?}"
    );
    client.request("thread/start", json!({"environments": null, "experimentalRawEvents": false}));
}

#[test]
fn experimental_methods_are_open_to_those_who_ask() {
    let lab = Lab::new();
    let client = lab.start();
    assert_eq!(
        client.request("mock/experimentalMethod", json!({"value": "abc"})),
        json!({"echoed": "abc"})
    );
    assert_eq!(client.request("mock/experimentalMethod", json!({})), json!({"echoed": null}));
}

#[test]
fn a_problem_of_the_configuration_is_told_after_the_answer() {
    let lab = Lab::with(&Config { top: "no_such_setting = 1".to_owned(), ..Config::default() });
    let client = lab.start();
    let warning = client.note("configWarning");
    assert!(warning["summary"].as_str().unwrap().contains("no_such_setting"), "{warning}");
}

#[test]
fn the_name_of_the_client_reaches_the_model_provider() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "hi");
    let headers = lab.model.last().headers;
    assert_eq!(headers["originator"], "it");
    assert!(
        headers["user-agent"].starts_with("it/") && headers["user-agent"].contains("(it; 1.0.0)"),
        "{headers:?}"
    );
}

/// The first messages of existing integrations, as they send them.
#[test]
fn first_messages_of_integrations() {
    fn greet(lab: &Lab) -> Client {
        let client = lab.spawn();
        client.request(
            "initialize",
            json!({"clientInfo": {"name": "my-custom-client", "title": "My Custom Client", "version": "1.0.0"},
                "capabilities": {"experimentalApi": true}}),
        );
        client.notify("initialized", Value::Null);
        client
    }
    let lab = Lab::new();
    let client = greet(&lab);
    for (params, model) in [
        (json!({"model": "gpt-5.1-codex"}), "gpt-5.1-codex"),
        (
            json!({"config": {"model": "o3", "sandboxPolicy": "workspaceWrite", "personality": "pragmatic"}}),
            "o3",
        ),
    ] {
        let answer = client.request("thread/start", params);
        assert_eq!(
            (&answer["model"], &answer["modelProvider"]),
            (&json!(model), &json!("mock")),
            "{answer:#}"
        );
        let thread = answer["thread"]["id"].as_str().unwrap();
        let turn = client.request(
            "turn/start",
            json!({"threadId": thread, "input": [{"type": "text", "text": "Hello"}]}),
        )["turn"]["id"]
            .clone();
        let done = client.finish(thread);
        assert_eq!((&done["id"], &done["status"]), (&turn, &json!("completed")));
        assert_eq!(lab.model.last().body["model"], model);
    }
}
