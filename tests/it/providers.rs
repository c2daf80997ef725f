//! How providers are spoken to: credentials, what their headers say, and what happens when nobody is there.

use serde_json::{Value, json};

use crate::harness::{Config, Lab, Step, ev, http};

fn provider(text: &str) -> Lab {
    Lab::with(&Config { provider: text.to_owned(), ..Config::default() })
}

fn answer(events: &[Value], headers: Vec<(&'static str, String)>) -> Step {
    let body = String::from_utf8(ev::sse(events)).unwrap();
    Step::Http { status: 200, body, headers }
}

#[test]
fn a_command_may_hand_out_the_token() {
    let lab = provider(
        "auth = { command = \"sh\", args = [\"-c\", \"echo x >> n; wc -l < n\"], cwd = \".\" }",
    );
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    client.complete(&thread, "two");
    lab.model.reply(http(401, "{}")).reply(ev::text("three"));
    client.complete(&thread, "three");
    let sent: Vec<String> = lab
        .model
        .requests()
        .iter()
        .map(|request| request.headers["authorization"].clone())
        .collect();
    assert_eq!(sent, ["Bearer 1", "Bearer 1", "Bearer 1", "Bearer 2"]);
    assert!(client.notes("error").is_empty());
    assert!(lab.home.home().join("n").exists(), "the folder is relative to the home");
}

#[test]
fn a_command_that_fails_leaves_the_token_out() {
    let lab = provider("auth = { command = \"false\" }");
    let client = lab.start();
    client.complete(&client.thread(), "hi");
    assert_eq!(lab.model.last().headers.get("authorization"), None);
}

/// Runs a turn whose answer comes from this model; the names of what is told about it.
fn served_by(name: &str, model: &str) -> Vec<Value> {
    let lab = Lab::new();
    let config = lab.home.home().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap().replace("\"Mock\"", &format!("{name:?}"));
    std::fs::write(config, text).unwrap();
    lab.model.reply(answer(&ev::shell("c", "true"), vec![("openai-model", model.to_owned())]));
    lab.model.reply(answer(&ev::text("hi"), vec![("openai-model", model.to_owned())]));
    let client = lab.start();
    client.complete(&client.thread(), "hi");
    client.notes("model/rerouted")
}

#[test]
fn another_model_is_told_once() {
    let told = served_by("OpenAI", "other");
    assert_eq!(told.len(), 1);
    let one = &told[0];
    assert_eq!((&one["fromModel"], &one["toModel"]), (&json!("mock-model"), &json!("other")));
    assert_eq!(one["reason"], "highRiskCyberActivity");
}

#[test]
fn another_name_is_no_other_model() {
    assert!(served_by("OpenAI", "mock-model-2026-01-01").is_empty());
    assert!(served_by("A gateway", "whatever").is_empty());
}

#[test]
fn what_is_wanted_of_the_account_is_passed_on() {
    let lab = Lab::new();
    let wanted = json!({"type": "response.metadata",
        "metadata": {"openai_verification_recommendation": ["trusted_access_for_cyber"]}});
    let mut events = ev::text("hi");
    events.insert(1, wanted);
    lab.model.reply(events);
    let client = lab.start();
    client.complete(&client.thread(), "hi");
    let told = client.note("model/verification");
    assert_eq!(told["verifications"], json!(["trustedAccessForCyber"]));
}

#[test]
fn a_request_that_does_not_fit_fills_the_window() {
    let lab = Lab::new();
    let refusal = json!({"error": {"code": "context_length_exceeded", "message": "m"}});
    lab.model.reply(ev::text("one")).reply(http(400, refusal));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    assert_eq!(client.run(&thread, "two")["status"], "failed");
    let usage = client.notes("thread/tokenUsage/updated").pop().unwrap();
    let usage = &usage["tokenUsage"];
    assert_eq!(usage["total"]["totalTokens"], 258_400);
    assert_eq!(usage["last"]["totalTokens"], 258_385);
    assert_eq!(
        (&usage["total"]["inputTokens"], &usage["last"]["inputTokens"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn nobody_there_is_an_error_after_some_tries() {
    let lab = provider("stream_max_retries = 1");
    let config = lab.home.home().join("config.toml");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, text.replace(&lab.model.url(), &format!("http://{nobody}"))).unwrap();
    let client = lab.start();
    let done = client.run(&client.thread(), "hi");
    assert_eq!(done["status"], "failed");
    assert_eq!(
        done["error"]["codexErrorInfo"],
        json!({"httpConnectionFailed": {"httpStatusCode": null}})
    );
    let message = done["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("Connection failed: "), "{message}");
    assert!(message.contains(&format!("url: http://{nobody}/v1/responses")), "{message}");
    let told = client.notes("error");
    assert_eq!(told[0]["error"]["message"], "Reconnecting... 1/1");
    assert_eq!(told.len(), 2);
}

#[test]
fn lite_models_get_their_tools_with_the_input() {
    let lab = Lab::with(&Config {
        top: "model_catalog_json = \"catalog.json\"".to_owned(),
        ..Config::default()
    });
    let model = json!({
        "slug": "mock-model", "display_name": "M", "shell_type": "unified_exec", "priority": 1,
        "supported_reasoning_levels": [], "visibility": "list", "supported_in_api": true,
        "support_verbosity": false, "truncation_policy": {"mode": "tokens", "limit": 10000},
        "experimental_supported_tools": [], "use_responses_lite": true,
    });
    let path = lab.home.home().join("catalog.json");
    std::fs::write(path, json!({"models": [model]}).to_string()).unwrap();
    let call = json!({"type": "function_call", "call_id": "c", "name": "exec_command", "namespace": "functions",
        "arguments": "{\"cmd\":\"echo hi\"}"});
    lab.model.reply(ev::items(&[call])).reply(ev::text("done"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "hi");
    client.complete(&thread, "more");
    let requests = lab.model.requests();
    let first = &requests[0];
    assert_eq!(first.headers["x-openai-internal-codex-responses-lite"], "true");
    assert_eq!(first.body.get("tools"), None);
    let tools = &first.input()[0];
    assert_eq!((&tools["type"], &tools["role"]), (&json!("additional_tools"), &json!("developer")));
    assert_eq!(tools["tools"][0]["name"], "functions");
    assert!(requests[1].output("c").contains("hi"), "the namespace is the usual one");
    for pair in requests.windows(2) {
        let (shorter, longer) = (pair[0].raw_input(), pair[1].raw_input());
        assert_eq!(shorter, longer[..shorter.len()], "what was sent is sent again");
    }
}

#[test]
fn a_full_window_is_compacted_first() {
    let lab = Lab::new();
    let refusal = json!({"error": {"code": "context_length_exceeded", "message": "m"}});
    lab.model.reply(http(400, refusal)).reply(ev::text("summary")).reply(ev::text("answer"));
    let client = lab.start();
    let thread = client.thread();
    assert_eq!(client.run(&thread, "too much")["status"], "failed");
    client.complete(&thread, "again");
    assert_eq!(client.items("contextCompaction").len(), 1);
    assert_eq!(client.items("agentMessage").last().unwrap()["text"], "answer");
}

#[test]
fn without_websockets_a_thread_goes_on_over_http() {
    let lab = provider("stream_max_retries = 3");
    let config = lab.home.home().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("supports_websockets = false", "supports_websockets = true");
    std::fs::write(config, text).unwrap();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    client.complete(&thread, "two");
    let told = client.notes("warning");
    let about: Vec<&str> = told
        .iter()
        .filter_map(|warning| warning["message"].as_str())
        .filter(|message| message.contains("WebSocket"))
        .collect();
    assert_eq!(about.len(), 1, "{told:?}");
    assert!(about[0].contains("404"), "{about:?}");
    assert_eq!(lab.model.requests().len(), 2);
    assert!(client.notes("error").is_empty());
}

#[test]
fn a_long_history_is_sent_as_one_body() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let mut before: Vec<String> = Vec::new();
    for turn in 0..4 {
        client.complete(&thread, &format!("{turn} {}", "x".repeat(50_000)));
        let request = lab.model.last();
        assert_eq!(request.headers["content-length"], request.length().to_string());
        assert_eq!(request.headers.get("transfer-encoding"), None);
        let input = request.raw_input();
        assert_eq!(input[..before.len()], before, "the provider's cache holds");
        before = input;
    }
}

#[test]
fn what_is_not_openais_is_not_sent_there() {
    let tables =
        "[model_providers.lost]\nname = \"Lost\"\nurl = \"http://localhost:1\"\n".to_owned();
    let lab = Lab::with(&Config { tables, ..Config::default() });
    let client = lab.start();
    let params = json!({"cwd": lab.home.work(), "modelProvider": "lost"});
    let refused = client.refuse("thread/start", params);
    assert!(refused.message.ends_with("Model provider `lost` has no `base_url`"), "{refused:?}");
}
