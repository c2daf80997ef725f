//! What the model is told beside the input: additional context, tool results, changes of its surroundings, and what
//! the request says about the turn.

use serde_json::{Value, json};

use crate::harness::{Client, Lab, ev};

fn text(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

#[track_caller]
fn run(client: &Client, thread: &str, params: Value) -> Value {
    client.turn_with(thread, params);
    client.finish(thread)
}

/// `kind: text` of the input items behind the context of the first turn, without the model's own.
fn told(items: &[Value]) -> Vec<String> {
    let own = items.iter().filter(|item| item["role"] != "assistant").skip(3);
    own.map(|item| match item["type"].as_str() {
        Some("message") => {
            format!(
                "{}: {}",
                item["role"].as_str().unwrap(),
                item["content"][0]["text"].as_str().unwrap()
            )
        }
        _ => format!("{} of {}: {}", item["name"], item["namespace"], item["output"]),
    })
    .collect()
}

#[test]
fn additional_context_precedes_the_input_and_is_told_when_it_changes() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let rule = json!({"kind": "application", "value": "be kind"});
    let page = json!({"kind": "untrusted", "value": "some page"});
    let named = json!({"kind": "untrusted", "value": "some page", "name": "browser"});
    for (context, words) in [
        (json!({"rule": rule, "page": page}), "1"),
        (json!({"rule": rule, "page": named}), "2"),
        (Value::Null, "3"),
        (json!({"rule": rule}), "4"),
    ] {
        run(&client, &thread, json!({"input": text(words), "additionalContext": context}));
    }
    insta::assert_debug_snapshot!(told(lab.model.last().input()), @r#"
    [
        "\"page\" of \"agent\": \"some page\"",
        "developer: <rule>be kind</rule>",
        "user: 1",
        "\"browser\" of \"agent\": \"some page\"",
        "user: 2",
        "user: 3",
        "developer: <rule>be kind</rule>",
        "user: 4",
    ]
    "#);
    let misnamed = json!({"rule": {"kind": "application", "value": "v", "name": "n"}});
    client.refused(
        "turn/start",
        json!({"threadId": thread, "input": text("x"), "additionalContext": misnamed}),
        "additional context name is only supported for untrusted context",
    );
}

#[test]
fn context_comes_with_steered_input_too() {
    let lab = Lab::new();
    lab.model.reply(ev::shell("call-1", "until test -e go; do sleep 0.02; done"));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.item_started("commandExecution");
    let params = json!({
        "threadId": thread, "expectedTurnId": turn, "input": text("second"),
        "additionalContext": {"page": {"kind": "untrusted", "value": "some page"}},
        "responsesapiClientMetadata": {"origin": "steer"},
    });
    client.request("turn/steer", params);
    lab.home.write("go", "");
    client.finish(&thread);
    let last = lab.model.last();
    let input = last.input();
    let names: Vec<&Value> = input.iter().rev().take(2).map(|item| &item["type"]).collect();
    assert_eq!(names, ["message", "function_call_output"], "newest first");
    assert_eq!(metadata(&last.headers["x-codex-turn-metadata"])["origin"], "steer");
}

#[test]
fn a_turn_starts_from_the_result_of_a_tool() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let output = json!({"name": "build", "namespace": "ci", "output": "it is broken"});
    let done = run(&client, &thread, json!({"input": [], "toolOutput": output}));
    assert_eq!(done["status"], "completed");
    assert_eq!(told(lab.model.last().input()), [r#""build" of "ci": "it is broken""#]);
    let item = &client.items("functionCallOutput")[0];
    assert_eq!((&item["name"], &item["output"]), (&json!("build"), &json!("it is broken")));
    let sent = lab.model.last().input().last().unwrap()["id"].clone();
    assert_eq!(item["id"], sent, "the item is the one that the model is sent");
    let kept = client.request("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert_eq!(kept["thread"]["turns"][0]["items"][0]["id"], sent);
    let refuse = |params: Value, message| {
        let mut whole = json!({"threadId": thread, "input": []});
        whole.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
        client.refused("turn/start", whole, message);
    };
    refuse(
        json!({"toolOutput": output, "input": text("x")}),
        "`toolOutput` cannot be combined with nonempty `input`",
    );
    refuse(
        json!({"toolOutput": {"name": "", "output": "x"}}),
        "`toolOutput.name` must not be empty",
    );
}

#[test]
fn an_environment_update_says_only_what_changed() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "1");
    run(&client, &thread, json!({"input": text("2"), "sandboxPolicy": {"type": "readOnly"}}));
    lab.home.write("sub/file", "");
    let sub = lab.home.path("sub");
    run(&client, &thread, json!({"input": text("3"), "cwd": sub}));
    client.close();
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "4");
    let last = lab.model.last();
    let contexts: Vec<&str> =
        last.texts("user").into_iter().filter(|text| text.starts_with("<environment")).collect();
    let [first, second, third] = contexts[..] else { panic!("{contexts:#?}") };
    assert!(first.contains("<cwd>") && first.contains("<shell>"), "{first}");
    assert!(!second.contains("<cwd>") && second.contains("<current_date>"), "{second}");
    assert!(second.contains("managed"), "{second}");
    assert!(third.contains(&format!("<cwd>{sub}</cwd>")) && third.contains("managed"), "{third}");
}

#[test]
fn an_environment_says_where_a_turn_runs() {
    let lab = Lab::new();
    lab.home.write("sub/file", "");
    let client = lab.start();
    let thread = client.thread();
    let (work, sub) = (lab.home.path(""), lab.home.path("sub"));
    let here = json!([{"environmentId": "local", "cwd": sub, "runtimeWorkspaceRoots": [work]}]);
    run(&client, &thread, json!({"environments": here}));
    let settings = &client.note("thread/settings/updated")["threadSettings"];
    assert_eq!(settings["cwd"], json!(sub));
    assert_eq!(
        settings["environments"][0]["runtimeWorkspaceRoots"],
        json!([work.trim_end_matches('/')])
    );
    client.refused(
        "turn/start",
        json!({"threadId": thread, "input": [], "environments": [{"environmentId": "x", "cwd": "/"}]}),
        "unknown turn environment id `x`",
    );
}

#[test]
fn the_request_says_how_the_thread_came_to_be() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let own = json!({"origin": "test", "model": "another", "turn_id": "another"});
    run(&client, &thread, json!({"responsesapiClientMetadata": own}));
    let request = lab.model.last();
    let said = metadata(&request.headers["x-codex-turn-metadata"]);
    assert_eq!(said["origin"], "test");
    assert_eq!(said["model"], "mock-model", "what the server says cannot be replaced");
    assert_eq!(said["turn_id"], request.body["client_metadata"]["turn_id"]);
    assert_eq!(said["history_initialization"], "new");
    assert_eq!(
        (&said["auto_review_enabled"], &said["analytics_enabled"]),
        (&json!(false), &json!(true))
    );
    client.close();
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "more");
    let resumed = metadata(&lab.model.last().headers["x-codex-turn-metadata"]);
    assert_eq!(resumed["history_initialization"], "cold_resume");
    assert_eq!(resumed["context_window_id"], said["context_window_id"], "the window is the same");
    assert!(resumed.get("origin").is_none(), "metadata is for one turn");
}

fn metadata(header: &str) -> Value {
    serde_json::from_str(header).unwrap()
}
