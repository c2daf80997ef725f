//! Actions that a model reviews instead of the user.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, Request, ev, http};

fn lab() -> Lab {
    Lab::with(&Config { approval: "on-request", sandbox: "read-only", ..Config::default() })
}

fn reviewed(client: &Client) -> String {
    client.thread_with(json!({"approvalsReviewer": "auto_review"}))
}

fn escalate(call: &str) -> Vec<Value> {
    ev::shell_with(
        call,
        &format!("touch {call}"),
        &json!({"sandbox_permissions": "require_escalated"}),
    )
}

fn verdict(outcome: &str) -> Vec<Value> {
    let said = json!({
        "risk_level": "high", "user_authorization": "low", "outcome": outcome, "rationale": format!("because {outcome}"),
    });
    ev::text(&said.to_string())
}

fn play(lab: &Lab, steps: Vec<Vec<Value>>) {
    for step in steps {
        lab.model.reply(step);
    }
}

fn statuses(client: &Client) -> Vec<Value> {
    client
        .notes("item/autoApprovalReview/completed")
        .iter()
        .map(|params| params["review"]["status"].clone())
        .collect()
}

#[test]
fn allowed_and_denied() {
    let lab = lab();
    play(
        &lab,
        vec![escalate("yes"), verdict("allow"), escalate("no"), verdict("deny"), ev::text("done")],
    );
    let client = lab.start();
    let thread = reviewed(&client);
    client.complete(&thread, "please touch");
    assert!(lab.home.exists("yes") && !lab.home.exists("no"));
    let requests = lab.model.requests();
    let review = &requests[1];
    let shown = review.input().last().unwrap().to_string();
    assert!(shown.contains("please touch") && shown.contains("touch yes"), "{shown}");
    assert!(review.body["tools"].is_null(), "a reviewer only looks");
    let started = client.notes("item/autoApprovalReview/started");
    let ended = client.notes("item/autoApprovalReview/completed");
    assert_eq!(started[0]["reviewId"], ended[0]["reviewId"]);
    assert_eq!(
        (
            &started[0]["targetItemId"],
            &started[0]["review"]["status"],
            &started[0]["action"]["type"]
        ),
        (&json!("yes"), &json!("inProgress"), &json!("command"))
    );
    assert_eq!(statuses(&client), ["approved", "denied"]);
    assert_eq!(
        ended[1]["review"],
        json!({"status": "denied", "riskLevel": "high", "userAuthorization": "low", "rationale": "because deny"})
    );
    let items = client.items("commandExecution");
    let ends: Vec<_> = items.iter().map(|item| item["status"].as_str().unwrap()).collect();
    assert_eq!(ends, ["completed", "declined"]);
    assert!(lab.model.last().output("no").contains("because deny"));
    assert_eq!(client.notes("guardianWarning").len(), 2);
}

#[test]
fn what_cannot_be_understood_is_a_refusal_after_three_attempts() {
    let lab = lab();
    let garbage = || ev::text("well, why not");
    play(&lab, vec![escalate("once"), garbage(), garbage(), verdict("allow")]);
    play(&lab, vec![escalate("never"), garbage(), garbage(), garbage(), ev::text("done")]);
    let client = lab.start();
    let thread = reviewed(&client);
    client.complete(&thread, "go");
    assert!(lab.home.exists("once") && !lab.home.exists("never"));
    assert_eq!(statuses(&client), ["approved", "denied"]);
}

#[test]
fn a_provider_that_refuses_is_not_asked_again() {
    let lab = lab();
    lab.model.reply(escalate("never"));
    lab.model.reply(http(400, json!({"error": {"message": "no such schema"}})));
    lab.model.reply(ev::text("done"));
    let client = lab.start();
    let thread = reviewed(&client);
    client.complete(&thread, "go");
    assert!(!lab.home.exists("never"));
    assert_eq!(lab.model.requests().len(), 3);
    let warned = &client.notes("guardianWarning")[0];
    assert!(warned["message"].as_str().unwrap().contains("no such schema"), "{warned}");
}

#[test]
fn a_provider_that_fails_is_asked_again() {
    let lab = lab();
    lab.model.reply(escalate("yes"));
    lab.model.reply(vec![ev::created(), ev::failed("server_error", "try again in 0.01s")]);
    play(&lab, vec![verdict("allow"), ev::text("done")]);
    let client = lab.start();
    let thread = reviewed(&client);
    client.complete(&thread, "go");
    assert!(lab.home.exists("yes"));
    assert_eq!(statuses(&client), ["approved"]);
}

#[test]
fn head_and_body_of_a_request_agree() {
    let config = Config { approval: "on-request", sandbox: "read-only", ..Config::default() };
    let lab = Lab::describing(&json!({"use_responses_lite": true}), config);
    play(&lab, vec![escalate("yes"), verdict("allow"), ev::text("done")]);
    let client = lab.start();
    let thread = reviewed(&client);
    client.complete(&thread, "go");
    let lite = "x-openai-internal-codex-responses-lite";
    let form = |request: &Request| {
        let is_lite = request.input()[0]["type"] == "additional_tools";
        assert_eq!(request.headers.contains_key(lite), is_lite);
        is_lite
    };
    let forms: Vec<bool> = lab.model.requests().iter().map(form).collect();
    assert_eq!(forms, [true, false, true], "a reviewer has no tools");
}

#[test]
fn three_refusals_in_a_row_end_the_turn() {
    let lab = lab();
    for call in ["a", "b", "c"] {
        play(&lab, vec![escalate(call), verdict("deny")]);
    }
    let client = lab.start();
    let thread = reviewed(&client);
    let done = client.run(&thread, "go");
    assert_eq!(done["status"], "interrupted");
    assert_eq!(statuses(&client), ["denied"; 3]);
    let items = client.items("commandExecution");
    assert!(items.len() == 3 && items.iter().all(|item| item["status"] == "declined"));
}

#[test]
fn the_user_allows_what_was_refused() {
    let lab = lab();
    play(&lab, vec![escalate("no"), verdict("deny"), ev::text("refused")]);
    let client = lab.start();
    let thread = reviewed(&client);
    client.complete(&thread, "go");
    let action = json!({"type": "command", "source": "unified_exec", "command": "touch no", "cwd": lab.home.work()});
    let event = json!({"id": "r", "turn_id": "t", "status": "denied", "action": action});
    let method = "thread/approveGuardianDeniedAction";
    let allow = |event: Value| json!({"threadId": thread, "event": event});
    assert_eq!(client.request(method, allow(event)), json!({}));
    client.refused(method, allow(json!({})), "invalid Guardian denial event: missing field `id`");
    play(&lab, vec![escalate("no"), verdict("allow"), ev::text("done")]);
    client.complete(&thread, "again");
    assert!(lab.home.exists("no"));
    let requests = lab.model.requests();
    let told = |request: usize| {
        requests[request].input().iter().any(|item| item.to_string().contains("<allowed_action>"))
    };
    assert!(told(3) && told(4), "the model knows it, and so does the reviewer");
}
