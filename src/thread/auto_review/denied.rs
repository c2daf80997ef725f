//! A review as clients hand it back, to have the model do after all what was refused: other names than those of the
//! notifications, by which they were kept.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A review that has ended.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DeniedAction {
    /// Only to be sure that it is a review.
    #[serde(rename = "id")]
    _id: String,
    status: Status,
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    InProgress,
    Approved,
    Denied,
    TimedOut,
    Aborted,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Action {
    Command { source: Source, command: String, cwd: String },
    Execve { source: Source, program: String, argv: Vec<String>, cwd: String },
    WriteStdin { approval_id: String, process_id: String, stdin: String, cwd: String },
    ApplyPatch { cwd: String, files: Vec<String> },
    NetworkAccess { target: String, host: String, protocol: String, port: u16 },
    McpToolCall { server: String, tool_name: String, tool_title: Option<String> },
    RequestPermissions { reason: Option<String>, permissions: Value },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Shell,
    UnifiedExec,
}

impl DeniedAction {
    pub(crate) fn parse(event: Value) -> Result<Self, serde_json::Error> {
        serde_json::from_value(event)
    }

    /// The action, if it is one that was refused.
    pub(super) fn action(&self) -> Option<Value> {
        (self.status == Status::Denied).then(|| json!(self.action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_hand_back() {
        let action =
            json!({"type": "command", "source": "unified_exec", "command": "true", "cwd": "/"});
        let event =
            |status: &str| json!({"id": "r", "turn_id": "t", "status": status, "action": action});
        let parsed = |event: Value| DeniedAction::parse(event).map(|denied| denied.action());
        assert_eq!(parsed(event("denied")).unwrap(), Some(action.clone()));
        assert_eq!(parsed(event("approved")).unwrap(), None);
        let missing = parsed(json!({})).unwrap_err().to_string();
        assert_eq!(missing, "missing field `id`");
        let mut other = event("denied");
        other["action"]["source"] = json!("unifiedExec");
        assert!(
            parsed(other).unwrap_err().to_string().starts_with("unknown variant `unifiedExec`")
        );
    }
}
