//! The goal of a thread: what it works on by itself, turn after turn.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ThreadId, TurnId, double_option};

/// Describes a thread's goal and what it has cost so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadGoal {
    pub(crate) thread_id: ThreadId,
    pub(crate) objective: String,
    pub(crate) status: ThreadGoalStatus,
    /// How many tokens the goal may use.
    pub(crate) token_budget: Option<i64>,
    /// Input that was not cached, and output.
    pub(crate) tokens_used: i64,
    pub(crate) time_used_seconds: i64,
    /// In Unix seconds.
    pub(crate) created_at: i64,
    /// In Unix seconds.
    pub(crate) updated_at: i64,
}

/// Says how a goal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadGoalStatus {
    /// The thread works on it.
    Active,
    /// The user wants it to wait.
    Paused,
    /// Something is in the way that the agent cannot remove.
    Blocked,
    /// The account's limit is reached.
    UsageLimited,
    /// The goal's own budget is used up.
    BudgetLimited,
    Complete,
}

/// Says who changes a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadGoalMutationOrigin {
    User,
    Automatic,
}

/// Makes a goal or changes the one that there is; members that are absent leave theirs as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadGoalSetParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) objective: Option<String>,
    pub(crate) status: Option<ThreadGoalStatus>,
    /// How many tokens the goal may use; null is no limit.
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<i64>"))]
    pub(crate) token_budget: Option<Option<i64>>,
    pub(crate) origin: Option<ThreadGoalMutationOrigin>,
}

/// Describes the goal as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadGoalSetResponse {
    pub(crate) goal: ThreadGoal,
}

/// Asks for the goal of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadGoalGetParams {
    pub(crate) thread_id: ThreadId,
}

/// Holds the goal, if the thread has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadGoalGetResponse {
    pub(crate) goal: Option<ThreadGoal>,
}

/// Takes a thread's goal away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadGoalClearParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) origin: Option<ThreadGoalMutationOrigin>,
}

/// Says whether there was a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadGoalClearResponse {
    pub(crate) cleared: bool,
}

/// Tells how a thread's goal stands now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadGoalUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    /// The turn that has changed it.
    pub(crate) turn_id: Option<TurnId>,
    pub(crate) goal: ThreadGoal,
}

/// Tells that a thread has no goal (any more).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadGoalClearedNotification {
    pub(crate) thread_id: ThreadId,
}
