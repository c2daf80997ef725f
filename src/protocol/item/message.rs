//! What is said: by hooks, by the agent, by the model to itself.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ItemId, ThreadId, TurnId};

/// Is a part of what hooks tell the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HookPromptFragment {
    pub(crate) text: String,
    pub(crate) hook_run_id: String,
}

/// Says what role a message of the agent has in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum MessagePhase {
    Commentary,
    PartialAnswer,
    FinalAnswer,
}

/// Names the memories that a message rests on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct MemoryCitation {
    pub(crate) entries: Vec<MemoryCitationEntry>,
    pub(crate) thread_ids: Vec<String>,
}

/// Points at lines of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct MemoryCitationEntry {
    pub(crate) path: String,
    pub(crate) line_start: u32,
    pub(crate) line_end: u32,
    pub(crate) note: String,
}

/// Says how a message of the agent came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AgentMessageDelivery {
    Async,
}

/// Says what moderation has made of a message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AgentMessageModeration {
    pub(crate) moderated: bool,
    pub(crate) display: Option<AgentMessageDisplay>,
}

/// Says how clients show a moderated message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AgentMessageDisplay {
    pub(crate) action: String,
    pub(crate) block_type: Option<String>,
    pub(crate) cyber_trusted_access: Option<bool>,
    pub(crate) check_trusted_contacts: Option<bool>,
}

/// Asks the user something without waiting for the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AsyncUserInputQuestion {
    pub(crate) title: String,
    pub(crate) options: Option<Vec<String>>,
}

/// Adds text to a message of the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AgentMessageDeltaNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) item_id: ItemId,
    pub(crate) delta: String,
}

/// Adds text to a part of a reasoning summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ReasoningSummaryTextDeltaNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) item_id: ItemId,
    pub(crate) delta: String,
    pub(crate) summary_index: i64,
}

/// Tells that a reasoning summary has a further part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ReasoningSummaryPartAddedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) item_id: ItemId,
    pub(crate) summary_index: i64,
}

/// Adds text to a part of the reasoning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ReasoningTextDeltaNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) item_id: ItemId,
    pub(crate) delta: String,
    pub(crate) content_index: i64,
}

/// Adds text to a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct PlanDeltaNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) item_id: ItemId,
    pub(crate) delta: String,
}
