//! Failures of the model: what they are called, what is retried, and that the thread goes on.

use serde_json::{Value, json};

use crate::harness::model::Request;
use crate::harness::{Client, Config, Gate, Lab, Step, cut, ev, held, http};

/// An HTTP error with a JSON body.
fn refuse(status: u16, error: &Value) -> Step {
    let mut whole = json!({"message": "the reason"});
    whole.as_object_mut().unwrap().extend(error.as_object().unwrap().clone());
    http(status, json!({"error": whole}))
}

/// Runs a turn that fails, and returns its error.
#[track_caller]
fn failure(lab: &Lab, client: &Client, thread: &str, step: impl Into<Step>) -> Value {
    lab.model.reply(step);
    let before = client.notes("error").len();
    let done = client.run(thread, "hi");
    assert_eq!((&done["status"], &done["items"]), (&json!("failed"), &json!([])));
    let told = client.notes("error");
    assert_eq!(told.len(), before + 1, "one error notification");
    let last = told.last().unwrap();
    assert_eq!(
        (&last["willRetry"], &last["error"], &last["turnId"]),
        (&json!(false), &done["error"], &done["id"])
    );
    let members = ["additionalDetails", "codexErrorInfo", "message"];
    assert!(members.iter().all(|m| done["error"].get(m).is_some()), "{done:#}");
    done["error"].clone()
}

#[test]
fn a_failed_turn_in_order() {
    let lab = Lab::new();
    lab.model.reply(refuse(500, &json!({}))).reply(ev::text("fine"));
    let client = lab.start();
    let thread = client.thread();
    let mark = client.mark();
    client.run(&thread, "fails");
    client.complete(&thread, "works");
    insta::assert_snapshot!(client.since(mark), @r#"
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- turn/started
    <- item/started userMessage
    <- item/completed userMessage
    <- thread/status/changed systemError
    <- error final "internalServerError"
    <- turn/completed failed
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- turn/started
    <- item/started userMessage
    <- item/completed userMessage
    <- item/started agentMessage [msg-1]
    <- item/completed agentMessage [msg-1]
    <- thread/tokenUsage/updated
    <- thread/status/changed idle
    <- turn/completed completed
    "#);
    assert_eq!(lab.model.last().asked(), ["fails", "works"]);
}

#[test]
fn statuses_without_a_name_of_their_own() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    for status in [401, 402, 403, 404, 408, 422, 502, 503] {
        let error = failure(&lab, &client, &thread, refuse(status, &json!({})));
        assert_eq!(
            error["codexErrorInfo"],
            json!({"httpConnectionFailed": {"httpStatusCode": status}})
        );
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("unexpected status {status} ")), "{message}");
        assert!(message.contains(": the reason, url: http://127.0.0.1:"), "{message}");
    }
}

#[test]
fn statuses_and_codes_with_a_name() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let too_many = json!({"responseTooManyFailedAttempts": {"httpStatusCode": 429}});
    for (status, error, info) in [
        (400, json!({}), json!("other")),
        (400, json!({"code": "context_length_exceeded"}), json!("contextWindowExceeded")),
        (404, json!({"code": "model_not_found"}), json!("modelNotFound")),
        (429, json!({"type": "rate_limit_error"}), too_many),
        (429, json!({"type": "usage_limit_reached"}), json!("usageLimitExceeded")),
        (429, json!({"type": "usage_not_included"}), json!("usageLimitExceeded")),
        (500, json!({}), json!("internalServerError")),
        (503, json!({"code": "server_is_overloaded"}), json!("serverOverloaded")),
        (503, json!({"code": "slow_down"}), json!("rateLimitExceeded")),
    ] {
        // A thread of its own: a full context window is remembered.
        let one = if info == "contextWindowExceeded" { client.thread() } else { thread.clone() };
        let got = failure(&lab, &client, &one, refuse(status, &error));
        assert_eq!(got["codexErrorInfo"], info, "{status} {error}: {got}");
    }
    let plain = failure(&lab, &client, &thread, http(400, "plain words"));
    assert_eq!(
        (&plain["codexErrorInfo"], &plain["message"]),
        (&json!("other"), &json!("plain words"))
    );
}

#[test]
fn codes_of_failed_responses() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    for (code, info) in [
        ("insufficient_quota", "usageLimitExceeded"),
        ("usage_not_included", "usageLimitExceeded"),
        ("server_is_overloaded", "serverOverloaded"),
        ("rate_limit_exceeded", "rateLimitExceeded"),
        ("model_not_found", "modelNotFound"),
        ("cyber_policy", "cyberPolicy"),
        ("flex_unavailable", "flexUnavailable"),
        ("invalid_prompt", "other"),
        ("never heard of", "other"),
        ("context_length_exceeded", "contextWindowExceeded"),
    ] {
        let error =
            failure(&lab, &client, &thread, vec![ev::created(), ev::failed(code, "their words")]);
        assert_eq!(error["codexErrorInfo"], info, "{code}: {error}");
    }
}

#[test]
fn streams_that_end_too_early() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let incomplete = |reason: &str| {
        let details = json!({"reason": reason});
        json!({"type": "response.incomplete", "response": {"id": "r", "incomplete_details": details}})
    };
    for (step, message) in [
        (
            vec![ev::created()].into(),
            "stream disconnected before completion: stream closed before response.completed",
        ),
        (
            http(200, "{}"),
            "stream disconnected before completion: stream closed before response.completed",
        ),
        (
            vec![ev::created(), incomplete("max_output_tokens")].into(),
            "Incomplete response returned, reason: max_output_tokens",
        ),
        (
            vec![ev::created(), incomplete("content_filter")].into(),
            "stream disconnected before completion: Incomplete response returned, reason: content_filter",
        ),
    ] {
        let error = failure(&lab, &client, &thread, step);
        assert_eq!(
            (&error["codexErrorInfo"], &error["message"]),
            (&json!("other"), &json!(message))
        );
    }
    let error = failure(&lab, &client, &thread, cut(vec![ev::created()]));
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("stream disconnected before completion: "), "{message}");
    client.complete(&thread, "still works");
}

#[test]
fn a_silent_stream_fails() {
    let provider = "stream_idle_timeout_ms = 300".to_owned();
    let lab = Lab::with(&Config { provider, ..Config::default() });
    let client = lab.start();
    let thread = client.thread();
    let gate = Gate::default();
    let error = failure(&lab, &client, &thread, held(&gate, vec![ev::created()], vec![]));
    assert_eq!(
        error["message"],
        "stream disconnected before completion: idle timeout waiting for SSE"
    );
    gate.dropped();
}

#[test]
fn stream_retries_are_told() {
    let provider = "stream_max_retries = 2".to_owned();
    let lab = Lab::with(&Config { provider, ..Config::default() });
    let half = vec![ev::created(), ev::added(&ev::message("msg-1", "")), ev::delta("msg-1", "par")];
    lab.model
        .reply(half)
        .reply(cut(vec![ev::created()]))
        .reply(ev::items(&[ev::message("msg-2", "whole")]));
    let client = lab.start();
    let thread = client.thread();
    let done = client.run(&thread, "hi");
    assert_eq!((&done["status"], &done["error"]), (&json!("completed"), &Value::Null));
    let errors = client.notes("error");
    let info = json!({"responseStreamDisconnected": {"httpStatusCode": null}});
    for (error, count) in errors.iter().zip(1..) {
        assert_eq!((&error["willRetry"], &error["error"]["codexErrorInfo"]), (&json!(true), &info));
        assert_eq!(error["error"]["message"], format!("Reconnecting... {count}/2"));
        assert!(error["error"]["additionalDetails"].is_string(), "the cause");
    }
    assert_eq!(errors.len(), 2);
    let inputs: Vec<Vec<String>> = lab.model.requests().iter().map(Request::raw_input).collect();
    assert!(inputs[0] == inputs[1] && inputs[1] == inputs[2], "a retry asks the same again");
    assert_eq!(client.items("agentMessage").last().unwrap()["text"], "whole");
    assert_eq!(client.items("userMessage").len(), 1);
}

#[test]
fn stream_retries_run_out() {
    let provider = "stream_max_retries = 1".to_owned();
    let lab = Lab::with(&Config { provider, ..Config::default() });
    lab.model.reply(vec![ev::created()]).reply(vec![ev::created()]).reply(ev::text("too late"));
    let client = lab.start();
    let thread = client.thread();
    assert_eq!(client.run(&thread, "hi")["status"], "failed");
    let again: Vec<Value> = client.notes("error").iter().map(|e| e["willRetry"].clone()).collect();
    assert_eq!((again, lab.model.requests().len()), (vec![json!(true), json!(false)], 2));
}

#[test]
fn request_retries_are_silent() {
    let provider = "request_max_retries = 2".to_owned();
    let lab = Lab::with(&Config { provider, ..Config::default() });
    lab.model.reply(http(503, "")).reply(http(500, "")).reply(ev::text("at last"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "hi");
    assert_eq!((lab.model.requests().len(), client.notes("error").len()), (3, 0));
}

#[test]
fn a_missing_key_is_named_and_nothing_is_sent() {
    let provider =
        "env_key = \"IT_MISSING_KEY\"\nenv_key_instructions = \"Ask the tests.\"".to_owned();
    let lab = Lab::with(&Config { provider, ..Config::default() });
    let client = lab.start();
    let thread = client.thread();
    let done = client.run(&thread, "hi");
    assert_eq!(
        done["error"]["message"],
        "Missing environment variable: `IT_MISSING_KEY`. Ask the tests."
    );
    assert!(lab.model.requests().is_empty());
}
