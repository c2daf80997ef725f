//! What the answers of hooks mean.

use serde_json::json;

use super::*;

fn said(event: HookEventName, code: i32, stdout: &str, stderr: &str) -> Said {
    understand(event, Ran::Ended { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() })
}

fn answer(event: HookEventName, answer: &Value) -> Said {
    said(event, 0, &answer.to_string(), "")
}

fn specific(event: HookEventName, mut fields: Value) -> Said {
    fields["hookEventName"] = json!(event::name(event));
    answer(event, &json!({ "hookSpecificOutput": fields }))
}

/// Status, objection and the texts of the entries.
#[track_caller]
fn check(said: &Said, status: Status, objection: Option<&str>, entries: &[&str]) {
    let texts: Vec<&str> = said.entries.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(
        (said.status, said.objection.as_deref(), texts.as_slice()),
        (status, objection, entries)
    );
}

const UNCLEAR: &str = "a hook that has to agree gave an answer that cannot be understood";

/// The hook failed, and the tool does not run.
#[track_caller]
fn closed(said: &Said) {
    assert_eq!(said.status, Status::Failed);
    assert!(said.objection.as_deref().is_some_and(|text| text.starts_with(UNCLEAR)), "{said:?}");
}

/// The hook failed, and nothing follows from it.
#[track_caller]
fn open(said: &Said) {
    assert_eq!((said.status, &said.objection, &said.permission), (Status::Failed, &None, &None));
}

#[test]
fn exit_codes() {
    check(&said(E::PreToolUse, 0, "", ""), Status::Completed, None, &[]);
    check(&said(E::PreToolUse, 1, "x", "y"), Status::Failed, None, &["hook exited with code 1"]);
    check(&said(E::PreToolUse, 2, "x", " no \n"), Status::Blocked, Some("no"), &["no"]);
    closed(&said(E::PreToolUse, 2, "x", ""));
    open(&said(E::PostToolUse, 2, "", ""));
    check(&said(E::SessionStart, 2, "", "no"), Status::Failed, None, &["hook exited with code 2"]);
    check(&said(E::PreModelRequest, 2, "", "no"), Status::Failed, None, &["no"]);
    check(
        &understand(E::PreToolUse, Ran::TimedOut(3)),
        Status::Failed,
        None,
        &["hook timed out after 3s"],
    );
    open(&understand(E::PreToolUse, Ran::Broken("x".to_owned())));
    assert_eq!(
        said(E::PermissionRequest, 2, "", "no").permission,
        Some(Permission::Deny("no".to_owned()))
    );
}

#[test]
fn text_is_context_where_there_is_room_for_it() {
    for event in [E::SessionStart, E::SubagentStart, E::UserPromptSubmit] {
        assert_eq!(said(event, 0, " hello\n", "").context.as_deref(), Some("hello"));
    }
    assert_eq!(said(E::PreToolUse, 0, "hello", ""), Said::nothing());
    open(&said(E::Stop, 0, "hello", ""));
}

#[test]
fn before_a_tool() {
    let pre = |fields: Value| specific(E::PreToolUse, fields);
    check(
        &pre(json!({"permissionDecision": "deny", "permissionDecisionReason": "no"})),
        Status::Blocked,
        Some("no"),
        &["no"],
    );
    check(
        &answer(
            E::PreToolUse,
            &json!({"decision": "block", "reason": "no", "systemMessage": "hey"}),
        ),
        Status::Blocked,
        Some("no"),
        &["hey", "no"],
    );
    let allowed = pre(
        json!({"permissionDecision": "allow", "updatedInput": {"command": "x"}, "additionalContext": "c"}),
    );
    assert_eq!(
        (allowed.input, allowed.context.as_deref()),
        (Some(json!({"command": "x"})), Some("c"))
    );
    open(&pre(json!({"permissionDecision": "allow"})));
    open(&answer(E::PreToolUse, &json!({"decision": "approve"})));
    check(&answer(E::PreToolUse, &json!({"suppressOutput": true})), Status::Completed, None, &[]);
}

/// An answer that is there and not understood may be an objection.
#[test]
fn before_a_tool_what_is_unclear_is_a_no() {
    closed(&said(E::PreToolUse, 0, "{nope", ""));
    closed(&answer(E::PreToolUse, &json!({"decide": "block"})));
    closed(&answer(E::PreToolUse, &json!({"decision": "bloc", "reason": "x"})));
    closed(&answer(E::PreToolUse, &json!({"decision": "block"})));
    closed(&answer(E::PreToolUse, &json!({"continue": false})));
    closed(&specific(E::PreToolUse, json!({"permissionDecision": "ask"})));
    closed(&specific(E::PreToolUse, json!({"permissionDecision": "deny"})));
    closed(&specific(E::PreToolUse, json!({"updatedInput": {}})));
    open(&answer(E::PostToolUse, &json!({"decide": "block"})));
}

#[test]
fn in_the_users_place() {
    let on = |decision: Value| specific(E::PermissionRequest, json!({ "decision": decision }));
    assert_eq!(on(json!({"behavior": "allow"})).permission, Some(Permission::Allow));
    let denied = on(json!({"behavior": "deny", "message": "no"}));
    check(&denied, Status::Blocked, Some("no"), &["no"]);
    assert_eq!(denied.permission, Some(Permission::Deny("no".to_owned())));
    check(
        &on(json!({"behavior": "deny"})),
        Status::Blocked,
        Some("denied by a hook"),
        &["denied by a hook"],
    );
    open(&on(json!({"behavior": "ask"})));
    open(&on(json!({"behavior": "allow", "updatedInput": {}})));
    open(&answer(E::PermissionRequest, &json!({"decision": "block", "reason": "x"})));
    assert_eq!(answer(E::PermissionRequest, &json!({})), Said::nothing());
}

#[test]
fn stopping_and_objecting_elsewhere() {
    let stop = json!({"continue": false, "stopReason": "enough"});
    for event in [E::SessionStart, E::UserPromptSubmit, E::Stop] {
        let said = answer(event, &stop);
        check(&said, Status::Stopped, None, &["enough"]);
        assert_eq!(said.stop.as_deref(), Some("enough"));
    }
    check(&answer(E::PostToolUse, &stop), Status::Stopped, Some("enough"), &["enough"]);
    let block = json!({"decision": "block", "reason": "no", "hookSpecificOutput": {"hookEventName": "x", "additionalContext": "c"}});
    let said = answer(E::PostToolUse, &block);
    check(&said, Status::Blocked, Some("no"), &["no"]);
    assert_eq!(said.context.as_deref(), Some("c"));
    open(&answer(E::UserPromptSubmit, &json!({"decision": "block", "reason": " "})));
    for event in
        [E::PreModelRequest, E::PostModelRequest, E::PreCompact, E::Interrupt, E::SessionEnd]
    {
        assert_eq!(answer(event, &block), Said::nothing(), "{event:?} is only watched");
    }
}

#[test]
fn together() {
    let mut outcome = Outcome::default();
    outcome.add(
        specific(E::PermissionRequest, json!({"decision": {"behavior": "deny", "message": "a"}})),
        "1",
    );
    outcome.add(specific(E::PermissionRequest, json!({"decision": {"behavior": "allow"}})), "2");
    assert_eq!(
        outcome.permission,
        Some(Permission::Deny("a".to_owned())),
        "one that denies is enough"
    );
    let mut outcome = Outcome::default();
    for (text, run) in [("a", "1"), ("b", "2")] {
        outcome.add(said(E::Stop, 2, "", text), run);
    }
    assert_eq!(outcome.objection().as_deref(), Some("a\n\nb"));
    assert_eq!(outcome.objections[1], Objection { text: "b".to_owned(), run: "2".to_owned() });
}
