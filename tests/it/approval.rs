//! Approvals: when the client is asked, every answer, and what follows from it.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, ev};

const COMMAND: &str = "item/commandExecution/requestApproval";
const PATCH: &str = "item/fileChange/requestApproval";

fn lab() -> Lab {
    Lab::with(&Config { approval: "on-request", sandbox: "workspace-write", ..Config::default() })
}

/// A thread in which every command and every patch has to be approved.
fn untrusted(client: &Client) -> String {
    client.thread_with(json!({"approvalPolicy": "untrusted"}))
}

fn add(call: &str, name: &str) -> Vec<Value> {
    ev::patch(call, &[&format!("*** Add File: {name}"), "+x"])
}

fn escalate(call: &str, script: &str) -> Vec<Value> {
    ev::shell_with(
        call,
        script,
        &json!({"sandbox_permissions": "require_escalated", "justification": "May I?"}),
    )
}

#[test]
fn an_accepted_command_in_order() {
    let lab = lab();
    lab.model.reply(ev::shell("call-1", "touch made; echo ok"));
    let client = lab.start();
    let thread = untrusted(&client);
    let mark = client.mark();
    let turn = client.turn(&thread, "go");
    let asked = client.asked(COMMAND);
    assert!(!lab.home.exists("made"));
    client.decide(&asked, "accept");
    assert_eq!(client.finish(&thread)["status"], "completed");
    insta::assert_snapshot!(client.since(mark), @"
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- turn/started
    <- item/started userMessage
    <- item/completed userMessage
    <- thread/status/changed active waitingOnApproval
    <- item/started commandExecution [call-1] inProgress
    <- item/commandExecution/requestApproval [call-1]
    => item/commandExecution/requestApproval accept
    <- serverRequest/resolved
    <- thread/status/changed active
    <- item/completed commandExecution [call-1] completed
    <- thread/tokenUsage/updated
    <- item/started agentMessage [msg-1]
    <- item/completed agentMessage [msg-1]
    <- thread/tokenUsage/updated
    <- thread/status/changed idle
    <- turn/completed completed
    ");
    assert!(lab.home.exists("made"));
    let params = &asked["params"];
    let words = json!(["touch", "made"]);
    assert_eq!(
        *params,
        json!({"kind": "command", "threadId": thread, "turnId": turn, "itemId": "call-1",
            "startedAtMs": params["startedAtMs"], "environmentId": "local", "command": params["command"],
            "cwd": lab.home.work(), "commandActions": [{"type": "unknown", "command": "touch made; echo ok"}],
            "proposedExecpolicyAmendment": words, "availableDecisions":
                ["accept", {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": words}}, "cancel"]})
    );
    assert!(params["command"].as_str().unwrap().ends_with(" -lc 'touch made; echo ok'"));
    assert_eq!(
        client.note("serverRequest/resolved"),
        json!({"threadId": thread, "requestId": asked["id"]})
    );
    assert_eq!(client.items("commandExecution")[0]["aggregatedOutput"], "ok\n");
}

#[test]
fn a_declined_command() {
    let lab = lab();
    lab.model.reply(ev::shell("call-1", "touch made"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    client.decide(&client.asked(COMMAND), "decline");
    assert_eq!(client.finish(&thread)["status"], "completed", "the turn goes on");
    let item = &client.items("commandExecution")[0];
    assert_eq!(
        json!([item["status"], item["exitCode"], item["aggregatedOutput"]]),
        json!(["declined", null, null])
    );
    assert!(lab.model.last().output("call-1").contains("rejected by user"));
    assert!(!lab.home.exists("made"));
}

#[test]
fn a_cancelled_command_ends_the_turn() {
    let lab = lab();
    lab.model.reply(ev::shell("call-1", "touch made"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    client.decide(&client.asked(COMMAND), "cancel");
    let done = client.finish(&thread);
    assert_eq!((&done["status"], &done["error"]), (&json!("interrupted"), &Value::Null));
    assert_eq!(client.items("commandExecution")[0]["status"], "declined");
    assert_eq!(lab.model.requests().len(), 1);
    client.complete(&thread, "again");
    assert_eq!(lab.model.last().calls(), ["function_call call-1", "function_call_output call-1"]);
    assert!(!lab.home.exists("made"));
}

#[test]
fn accepted_for_the_session() {
    let lab = lab();
    lab.home.write("sub/x", "");
    let calls = [
        ("a", "touch f", Value::Null),
        ("b", "touch  f", Value::Null),
        ("c", "touch f", json!({"workdir": "sub"})),
    ];
    for (call, script, more) in &calls {
        lab.model.reply(ev::shell_with(call, script, more));
    }
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    for call in ["a", "c"] {
        let asked = client.asked(COMMAND);
        assert_eq!(asked["params"]["itemId"], call);
        client.decide(&asked, "acceptForSession");
    }
    client.finish(&thread);
    lab.model.reply(ev::shell("d", "touch f"));
    client.complete(&thread, "again");
    let other = untrusted(&client);
    lab.model.reply(ev::shell("e", "touch f"));
    client.turn(&other, "elsewhere");
    client.decide(&client.asked(COMMAND), "decline");
    client.finish(&other);
    assert_eq!(client.items("commandExecution").len(), 5);
}

#[test]
fn an_amendment_is_saved_as_a_rule() {
    let lab = lab();
    lab.model.reply(ev::shell("a", "touch f")).reply(ev::shell("b", "touch f g"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    let asked = client.asked(COMMAND);
    let words = asked["params"]["proposedExecpolicyAmendment"].clone();
    let decision = json!({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": words}});
    client.respond(&asked, json!({"decision": decision}));
    assert_eq!(
        client.finish(&thread)["status"],
        "completed",
        "the longer command has the same prefix"
    );
    let rules = std::fs::read_to_string(lab.home.home().join("rules/default.rules")).unwrap();
    assert_eq!(rules, "prefix_rule(pattern=[\"touch\", \"f\"], decision=\"allow\")\n");
}

#[test]
fn answers_that_make_no_sense() {
    let lab = lab();
    let answers = [
        json!({"result": {"decision": "sure"}}),
        json!({"result": {}}),
        json!({"result": []}),
        json!({"result": null}),
        json!({"error": {"code": -32000, "message": "broken"}}),
    ];
    for n in 0..answers.len() {
        lab.model.reply(ev::shell(&format!("c{n}"), &format!("touch f{n}")));
    }
    lab.model.reply(add("p", "g"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    for answer in answers {
        client.respond_badly(&client.asked(COMMAND), answer);
    }
    client.respond_badly(&client.asked(PATCH), json!({"result": {"decision": "maybe"}}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert!(client.items("commandExecution").iter().all(|item| item["status"] == "failed"));
    assert_eq!(client.items("fileChange")[0]["status"], "declined");
    assert_eq!((client.notes("serverRequest/resolved").len(), lab.home.names()), (6, vec![]));
}

#[test]
fn answers_with_other_ids_are_ignored() {
    let lab = lab();
    lab.model.reply(ev::shell("call-1", "touch made"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    let asked = client.asked(COMMAND);
    let id = asked["id"].to_string();
    for wrong in [json!(id), json!(4711), json!("x")] {
        client.send(&json!({"id": wrong, "result": {"decision": "decline"}}));
    }
    client.decide(&asked, "accept");
    client.decide(&asked, "decline");
    client.finish(&thread);
    assert_eq!(client.items("commandExecution")[0]["status"], "completed");
}

#[test]
fn several_may_be_open_at_once() {
    let lab = lab();
    let items: Vec<Value> = ["a", "b"]
        .iter()
        .map(|call| ev::command(call, &format!("touch {call}"), &Value::Null))
        .collect();
    lab.model.reply(ev::items(&items));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    let mut asked = [client.asked(COMMAND), client.asked(COMMAND)];
    asked.sort_by_key(|request| request["params"]["itemId"] == "a");
    client.decide(&asked[0], "accept");
    client.decide(&asked[1], "decline");
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(lab.home.names(), ["b"]);
}

#[test]
fn patches_are_asked_about_with_their_item() {
    let lab = lab();
    lab.model.reply(add("yes", "y")).reply(add("no", "n"));
    let client = lab.start();
    let thread = untrusted(&client);
    let mark = client.mark();
    let turn = client.turn(&thread, "go");
    for (call, decision) in [("yes", "accept"), ("no", "decline")] {
        let asked = client.asked(PATCH);
        let params = &asked["params"];
        let ids = json!([params["threadId"], params["turnId"], params["itemId"]]);
        assert_eq!(ids, json!([thread, turn, call]));
        client.decide(&asked, decision);
    }
    assert_eq!(client.finish(&thread)["status"], "completed");
    insta::assert_snapshot!(client.since(mark), @"
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- turn/started
    <- item/started userMessage
    <- item/completed userMessage
    <- item/started fileChange [yes] inProgress
    <- thread/status/changed active waitingOnApproval
    <- item/fileChange/requestApproval [yes]
    => item/fileChange/requestApproval accept
    <- serverRequest/resolved
    <- thread/status/changed active
    <- item/completed fileChange [yes] completed
    <- turn/diff/updated
    <- thread/tokenUsage/updated
    <- item/started fileChange [no] inProgress
    <- thread/status/changed active waitingOnApproval
    <- item/fileChange/requestApproval [no]
    => item/fileChange/requestApproval decline
    <- serverRequest/resolved
    <- thread/status/changed active
    <- item/completed fileChange [no] declined
    <- thread/tokenUsage/updated
    <- item/started agentMessage [msg-1]
    <- item/completed agentMessage [msg-1]
    <- thread/tokenUsage/updated
    <- thread/status/changed idle
    <- turn/completed completed
    ");
    assert_eq!(lab.home.names(), ["y"]);
}

#[test]
fn a_cancelled_patch_ends_the_turn() {
    let lab = lab();
    lab.model.reply(add("stop", "s"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    client.decide(&client.asked(PATCH), "cancel");
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    assert_eq!((lab.model.requests().len(), lab.home.names()), (1, vec![]));
}

#[test]
fn patches_accepted_for_the_session() {
    let lab = lab();
    lab.home.write("a.txt", "1\n");
    for (call, old, new) in [("p1", "-1", "+2"), ("p2", "-2", "+3")] {
        lab.model.reply(ev::patch(call, &["*** Update File: a.txt", "@@", old, new]));
    }
    lab.model.reply(add("p3", "b.txt"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    for call in ["p1", "p3"] {
        let asked = client.asked(PATCH);
        assert_eq!(asked["params"]["itemId"], call, "by file");
        client.decide(&asked, "acceptForSession");
    }
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(
        (lab.home.read("a.txt"), lab.home.names()),
        ("3\n".to_owned(), vec!["a.txt".into(), "b.txt".into()])
    );
}

#[test]
fn on_request_asks_for_escalation_only() {
    let lab = lab();
    lab.model
        .reply(ev::shell("plain", "touch plain"))
        .reply(escalate("more", "touch more"))
        .reply(add("p", "patched"));
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "go");
    let asked = client.asked(COMMAND);
    let params = &asked["params"];
    assert_eq!((&params["itemId"], &params["reason"]), (&json!("more"), &json!("May I?")));
    client.decide(&asked, "accept");
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(lab.home.names(), ["more", "patched", "plain"]);
}

#[test]
fn never_refuses_instead_of_asking() {
    let lab = Lab::with(&Config { sandbox: "read-only", ..Config::default() });
    lab.model
        .reply(escalate("more", "touch more"))
        .reply(add("p", "patched"))
        .reply(ev::shell("rm", "rm -f x"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let last = lab.model.last();
    assert!(["more", "p", "rm"].iter().all(|call| !last.output(call).is_empty()));
    let patch = "writing is blocked by read-only sandbox; rejected by user approval settings";
    assert!(last.output("p").contains(patch), "{}", last.output("p"));
    assert!(client.items("fileChange").is_empty() && client.items("commandExecution").is_empty());
    assert!(lab.home.names().is_empty());
}

#[test]
fn full_access_asks_nothing_but_forced_removal() {
    let lab = Lab::with(&Config { approval: "on-request", ..Config::default() });
    lab.model
        .reply(escalate("a", "touch made"))
        .reply(add("p", "patched"))
        .reply(ev::shell("rm", "rm -f made"));
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "go");
    let asked = client.asked(COMMAND);
    assert_eq!(asked["params"]["itemId"], "rm");
    client.decide(&asked, "decline");
    client.finish(&thread);
    assert_eq!(lab.home.names(), ["made", "patched"]);
}

#[test]
fn the_status_says_what_is_waited_for() {
    let lab = lab();
    lab.model.reply(ev::shell("call-1", "true"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    let asked = client.asked(COMMAND);
    let status =
        || client.request("thread/read", json!({"threadId": thread}))["thread"]["status"].clone();
    assert_eq!(status(), json!({"type": "active", "activeFlags": ["waitingOnApproval"]}));
    client.decide(&asked, "accept");
    client.finish(&thread);
    assert_eq!(status(), json!({"type": "idle"}));
}

#[test]
fn an_open_request_is_sent_again_to_who_resumes() {
    let lab = lab();
    lab.model.reply(ev::shell("call-1", "touch made"));
    let client = lab.start();
    let thread = untrusted(&client);
    client.turn(&thread, "go");
    let first = client.asked(COMMAND);
    client.resume(&thread);
    let again = client.asked(COMMAND);
    assert_eq!((&again["id"], &again["params"]), (&first["id"], &first["params"]));
    client.decide(&again, "accept");
    client.finish(&thread);
    assert!(lab.home.exists("made"));
}
