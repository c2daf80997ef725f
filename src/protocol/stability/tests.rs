//! Which parts of requests need the experimental capability.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;

#[track_caller]
fn check<P: Gated + DeserializeOwned>(
    method: &str,
    params: serde_json::Value,
    expected: Option<&str>,
) {
    let params: P = serde_json::from_value(params).unwrap();
    assert_eq!(params.experimental_member(method).as_deref(), expected);
}

#[test]
fn gate() {
    check::<ThreadStartParams>(
        "thread/start",
        json!({ "model": "m", "serviceTier": null, "cwd": "/" }),
        None,
    );
    check::<ThreadStartParams>(
        "thread/start",
        json!({ "permissions": null, "experimentalRawEvents": false }),
        None,
    );
    check::<ThreadStartParams>(
        "thread/start",
        json!({ "dynamicTools": [] }),
        Some("thread/start.dynamicTools"),
    );
    check::<ThreadStartParams>(
        "thread/start",
        json!({ "mockExperimentalField": "x", "approvalPolicy": "never" }),
        Some("thread/start.mockExperimentalField"),
    );
    let granular = json!({ "granular": { "sandbox_approval": true, "rules": true, "mcp_elicitations": true } });
    check::<ThreadStartParams>(
        "thread/start",
        json!({ "approvalPolicy": granular }),
        Some("askForApproval.granular"),
    );
    check::<ThreadStartParams>("thread/start", json!({ "approvalPolicy": "never" }), None);
    check::<ThreadResumeParams>(
        "thread/resume",
        json!({ "threadId": "t", "path": "/x" }),
        Some("thread/resume.path"),
    );
    check::<TurnSteerParams>(
        "turn/steer",
        json!({ "threadId": "t", "expectedTurnId": "u", "input": [], "responsesapiClientMetadata": {} }),
        Some("turn/steer.responsesapiClientMetadata"),
    );
}

#[test]
fn names() {
    assert_eq!(camel_case("cwd"), "cwd");
    assert_eq!(camel_case("responsesapi_client_metadata_patch"), "responsesapiClientMetadataPatch");
}
