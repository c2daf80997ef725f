//! Making threads from the histories of others, going back in histories, and adding to them.

use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    AbsolutePathBuf, ActivePermissionProfile, ApprovalsReviewer, AskForApproval,
    LegacyAppPathString, MultiAgentMode, ReasoningEffort, SandboxMode, SandboxPolicy, Thread,
    ThreadId, ThreadSource, TurnId, double_option,
};

/// Makes a thread from the history of another one; members override what the source has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
#[expect(clippy::struct_excessive_bools, reason = "clients know these members")]
pub(crate) struct ThreadForkParams {
    /// The source.
    pub(crate) thread_id: ThreadId,
    /// Keeps the history up to and including this turn.
    pub(crate) last_turn_id: Option<TurnId>,
    /// Keeps the history that precedes this turn.
    pub(crate) before_turn_id: Option<TurnId>,
    /// Takes the source from this file, whatever the id.
    #[serde(default)]
    pub(crate) path: Option<PathBuf>,
    pub(crate) model: Option<String>,
    pub(crate) model_provider: Option<String>,
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub(crate) service_tier: Option<Option<String>>,
    pub(crate) cwd: Option<String>,
    pub(crate) runtime_workspace_roots: Option<Vec<AbsolutePathBuf>>,
    pub(crate) approval_policy: Option<AskForApproval>,
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    pub(crate) sandbox: Option<SandboxMode>,
    pub(crate) permissions: Option<String>,
    pub(crate) config: Option<Map<String, Value>>,
    pub(crate) base_instructions: Option<String>,
    pub(crate) developer_instructions: Option<String>,
    /// Keeps the new thread in memory only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) ephemeral: bool,
    /// What the new thread is made for.
    pub(crate) thread_source: Option<ThreadSource>,
    /// Leaves the turns out of the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) exclude_turns: bool,
    /// Makes a side conversation of the source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) attach_to_source: bool,
    /// Copies the goal, too; it waits for the first turn that somebody starts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) defer_goal_continuation: bool,
    /// Belongs to a hosted feature.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) experimental_disable_prediction_mcp: bool,
    /// Belongs to a hosted feature.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) experimental_prediction_mode: bool,
}

/// Describes the new thread and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadForkResponse {
    pub(crate) thread: Thread,
    pub(crate) model: String,
    pub(crate) model_provider: String,
    pub(crate) service_tier: Option<String>,
    #[serde(default)]
    pub(crate) disabled_plugin_ids: Vec<String>,
    pub(crate) cwd: AbsolutePathBuf,
    #[serde(default)]
    pub(crate) runtime_workspace_roots: Vec<AbsolutePathBuf>,
    /// The instruction files in use.
    #[serde(default)]
    pub(crate) instruction_sources: Vec<LegacyAppPathString>,
    pub(crate) approval_policy: AskForApproval,
    pub(crate) approvals_reviewer: ApprovalsReviewer,
    pub(crate) sandbox: SandboxPolicy,
    pub(crate) active_permission_profile: Option<ActivePermissionProfile>,
    pub(crate) reasoning_effort: Option<ReasoningEffort>,
    #[serde(default)]
    pub(crate) multi_agent_mode: MultiAgentMode,
}

/// Adds items to what the model of a thread has seen, without a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadInjectItemsParams {
    pub(crate) thread_id: ThreadId,
    /// Items as the Responses API has them.
    pub(crate) items: Vec<Value>,
}

/// Says that the items are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadInjectItemsResponse {}

/// Drops a turn of a loaded thread and all that came after it. Files that the turns have changed stay as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadRevertParams {
    pub(crate) thread_id: ThreadId,
    /// The first turn that is dropped.
    pub(crate) before_turn_id: TurnId,
}

/// Describes the thread as it is now, without turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadRevertResponse {
    pub(crate) thread: Thread,
    /// For pages of turns that begin with the newest one; `null` if none is left.
    pub(crate) turns_backwards_cursor: Option<String>,
    /// For pages of items that begin with the newest one; `null` if none is left.
    pub(crate) items_backwards_cursor: Option<String>,
}

/// Tells that the end of a thread's history has been dropped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadRevertedNotification {
    pub(crate) thread_id: ThreadId,
}
