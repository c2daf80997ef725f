//! What clients see of decoding: which params pass, and the reasons why others do not.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

#[track_caller]
fn refused<T: DeserializeOwned>(params: &Value, reason: &str) {
    let error = serde_json::from_str::<T>(&params.to_string()).err().map(|error| error.to_string());
    let error = error.unwrap_or_else(|| panic!("{params} was accepted"));
    assert!(error.starts_with(reason), "{error}");
}

#[track_caller]
fn same<T: DeserializeOwned + serde::Serialize>(value: &Value) {
    let decoded: T = serde_json::from_str(&value.to_string()).unwrap();
    // As texts, since the order of members counts too.
    assert_eq!(serde_json::to_string(&decoded).unwrap(), value.to_string());
}

#[test]
fn reasons() {
    refused::<ThreadReadParams>(&json!({}), "missing field `threadId`");
    refused::<TurnStartParams>(&json!({}), "missing field `threadId`");
    refused::<TurnStartParams>(&json!({ "threadId": "t" }), "missing field `input`");
    refused::<TurnSteerParams>(
        &json!({ "threadId": "t", "input": [] }),
        "missing field `expectedTurnId`",
    );
    refused::<InitializeParams>(&json!({}), "missing field `clientInfo`");
    refused::<ThreadListParams>(
        &json!({ "limit": "x" }),
        "invalid type: string \"x\", expected u32",
    );
    refused::<ThreadStartParams>(
        &json!({ "sandbox": "x" }),
        "unknown variant `x`, expected one of `read-only`, `workspace-write`, `danger-full-access`",
    );
    refused::<ThreadStartParams>(
        &json!({ "runtimeWorkspaceRoots": ["x"] }),
        "AbsolutePathBuf deserialized without a base path",
    );
    let turn = |name: &str, value: Value| json!({ "threadId": "t", "input": [], name: value });
    refused::<TurnStartParams>(&turn("effort", json!("")), "reasoning_effort must not be empty");
    refused::<TurnStartParams>(&turn("input", json!([{ "type": "image" }])), "data did not match");
}

#[test]
fn lenience() {
    let params: ThreadStartParams = serde_json::from_str(r#"{"model":null,"unheard":1}"#).unwrap();
    assert_eq!(params, ThreadStartParams::default());
}

#[test]
fn null_and_absent_service_tiers() {
    let tier = |text| serde_json::from_str::<ThreadStartParams>(text).unwrap().service_tier;
    assert_eq!(tier("{}"), None);
    assert_eq!(tier(r#"{"serviceTier":null}"#), Some(None));
    assert_eq!(tier(r#"{"serviceTier":"flex"}"#), Some(Some("flex".to_owned())));
}

#[test]
fn round_trips() {
    same::<TimedItem>(&json!({
        "type": "commandExecution", "id": "call-1", "pluginId": null, "scriptPath": null,
        "command": "/bin/bash -lc 'echo hi'", "cwd": "/w", "processId": "2534", "source": "unifiedExecStartup",
        "status": "completed", "commandActions": [{ "type": "unknown", "command": "echo hi" }],
        "aggregatedOutput": "hi\n", "exitCode": 0, "durationMs": 0, "startedAtMs": 5, "completedAtMs": null,
    }));
    same::<UserInput>(&json!({ "type": "image", "url": "data:,", "detail": null }));
    same::<UserInput>(&json!({ "type": "text", "text": "t", "text_elements": [] }));
    same::<CodexErrorInfo>(&json!("usageLimitExceeded"));
    same::<CodexErrorInfo>(&json!({ "httpConnectionFailed": { "httpStatusCode": 500 } }));
    same::<CodexErrorInfo>(&json!({ "unheard": { "a": 1 } }));
    same::<CommandExecutionApprovalDecision>(&json!("acceptForSession"));
    same::<CommandExecutionApprovalDecision>(
        &json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": ["ls"] } }),
    );
    same::<FileChangeRequestApprovalParams>(&json!({
        "threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 5, "reason": null, "grantRoot": null,
    }));
    same::<CommandExecutionRequestApprovalParams>(&json!({
        "kind": "command", "threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 5, "environmentId": "local",
        "command": "ls",
    }));
    same::<AskForApproval>(&json!({ "granular": {
        "sandbox_approval": true, "rules": false, "skill_approval": false, "request_permissions": false,
        "mcp_elicitations": true,
    } }));
    same::<SessionSource>(&json!({ "subAgent": { "thread_spawn": {
        "parent_thread_id": "t", "depth": 1, "agent_path": null, "agent_nickname": null, "agent_role": null,
    } } }));
}
