//! Turns: how they are started, steered and stopped, what is told about them.

mod error;
mod input;

pub(crate) use error::*;
pub(crate) use input::*;

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    AbsolutePathBuf, ApprovalsReviewer, AskForApproval, CollaborationMode, CyberAccessProgram,
    FunctionCallOutputBody, MultiAgentMode, Personality, ReasoningEffort, ReasoningSummary,
    SandboxPolicy, ThreadId, TimedItem, TurnEnvironmentParams, TurnId, double_option,
};

/// Describes a turn: what an agent does from one input to its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct Turn {
    pub(crate) id: TurnId,
    /// The turn at the root of the tree of agents.
    pub(crate) root_turn_id: Option<TurnId>,
    /// What has happened, in order; how much is there, `itemsView` says.
    pub(crate) items: Vec<TimedItem>,
    /// How much of the items is there.
    #[serde(default)]
    pub(crate) items_view: TurnItemsView,
    pub(crate) status: TurnStatus,
    /// Why the turn failed.
    pub(crate) error: Option<TurnError>,
    /// In Unix seconds.
    pub(crate) started_at: Option<i64>,
    /// In Unix seconds.
    pub(crate) completed_at: Option<i64>,
    /// In milliseconds.
    pub(crate) duration_ms: Option<i64>,
}

/// Says how far a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum TurnStatus {
    Completed,
    Interrupted,
    Failed,
    InProgress,
}

/// Says how much of a turn's items is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum TurnItemsView {
    /// None.
    NotLoaded,
    /// The user's messages and the last answer.
    Summary,
    /// All.
    #[default]
    Full,
}

/// Gives an agent something to do; settings stay for later turns unless they say otherwise.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct TurnStartParams {
    pub(crate) thread_id: ThreadId,
    /// The plugins that are not used.
    pub(crate) disabled_plugin_ids: Option<Vec<String>>,
    /// The client's own id of the message, which comes back as `clientId`.
    /// An input that comes again with the same id is answered with its turn, and not run twice.
    pub(crate) client_user_message_id: Option<String>,
    /// What the user says.
    pub(crate) input: Vec<UserInput>,
    /// What caused the turn, for telemetry.
    pub(crate) turn_trigger: Option<String>,
    /// The turn that caused this one, for telemetry.
    pub(crate) parent_turn_id: Option<TurnId>,
    /// The first turn of the chain that led here.
    pub(crate) root_turn_id: Option<TurnId>,
    /// Starts from the result of a tool rather than from `input`.
    pub(crate) tool_output: Option<TurnToolOutput>,
    /// Metadata of this turn for the model provider.
    pub(crate) responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    /// Changes to the thread's metadata for the model provider.
    pub(crate) responsesapi_client_metadata_patch: Option<BTreeMap<String, String>>,
    /// What the model should know beside the input, by name.
    pub(crate) additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// Where commands of this turn run.
    pub(crate) environments: Option<Vec<TurnEnvironmentParams>>,
    /// The working directory.
    pub(crate) cwd: Option<String>,
    /// The directories that count as the workspace.
    pub(crate) runtime_workspace_roots: Option<Vec<AbsolutePathBuf>>,
    /// When the user is asked.
    pub(crate) approval_policy: Option<AskForApproval>,
    /// Who answers questions.
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    /// What commands may do without asking.
    pub(crate) sandbox_policy: Option<SandboxPolicy>,
    /// The permission profile; excludes `sandboxPolicy`.
    pub(crate) permissions: Option<String>,
    /// The model.
    pub(crate) model: Option<String>,
    /// The service tier; null is the default tier.
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub(crate) service_tier: Option<Option<String>>,
    /// The service tier of this turn only.
    pub(crate) service_tier_for_turn: Option<String>,
    /// How much the model reasons.
    pub(crate) effort: Option<ReasoningEffort>,
    /// How reasoning is summarized.
    pub(crate) summary: Option<ReasoningSummary>,
    /// The tone of the agent.
    pub(crate) personality: Option<Personality>,
    /// A JSON Schema that the last answer of this turn has to fit.
    pub(crate) output_schema: Option<Value>,
    /// The collaboration mode; its model and effort win over the members here.
    pub(crate) collaboration_mode: Option<CollaborationMode>,
    /// Whether the agent starts sub-agents by itself.
    pub(crate) multi_agent_mode: Option<MultiAgentMode>,
    /// Belongs to hosted accounts.
    pub(crate) cyber_access_program: Option<CyberAccessProgram>,
}

/// Is the result of a tool that ran outside of any turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnToolOutput {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) output: FunctionCallOutputBody,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) retain: bool,
}

/// Tells the model something beside the input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AdditionalContextEntry {
    pub(crate) value: String,
    /// How far the text is to be trusted.
    pub(crate) kind: AdditionalContextKind,
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) name: Option<String>,
}

/// Says how far additional context is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AdditionalContextKind {
    Untrusted,
    Application,
}

/// Describes the turn that the input went into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnStartResponse {
    pub(crate) turn: Turn,
}

/// Adds input to the running turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct TurnSteerParams {
    pub(crate) thread_id: ThreadId,
    /// The client's own id of the message, which comes back as `clientId`.
    /// An input that comes again with the same id is answered with its turn, and not run twice.
    pub(crate) client_user_message_id: Option<String>,
    pub(crate) input: Vec<UserInput>,
    pub(crate) responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    pub(crate) responsesapi_client_metadata_patch: Option<BTreeMap<String, String>>,
    pub(crate) additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// The turn that has to be running.
    pub(crate) expected_turn_id: TurnId,
}

/// Names the turn that the input went into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnSteerResponse {
    pub(crate) turn_id: TurnId,
}

/// Changes what the running turn goes on with, from its next request to the model on. Members that are left out stay
/// as they are; the thread's own settings stay in any case. Needs the feature `step_model_switching`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct TurnSettingsUpdateParams {
    pub(crate) thread_id: ThreadId,
    /// The turn that has to be running.
    pub(crate) turn_id: TurnId,
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    /// Where commands run; an empty list leaves them nowhere to run.
    pub(crate) environments: Option<Vec<TurnEnvironmentParams>>,
    pub(crate) model: Option<String>,
    pub(crate) effort: Option<ReasoningEffort>,
    pub(crate) summary: Option<ReasoningSummary>,
    pub(crate) service_tier: Option<String>,
}

/// Tells whether there was a turn to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnSettingsUpdateResponse {
    pub(crate) status: TurnSettingsUpdateStatus,
}

/// Says what became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum TurnSettingsUpdateStatus {
    /// The turn's next request has it.
    Applied,
    /// The turn is not running.
    TargetUnavailable,
}

/// Stops the running turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnInterruptParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
}

/// Confirms that the turn is told to stop.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnInterruptResponse {}

/// Tells that a turn runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnStartedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn: Turn,
}

/// Tells that a turn has ended, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnCompletedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn: Turn,
}

/// Tells what a turn has changed so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnDiffUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// A unified diff of all files that the turn has changed.
    pub(crate) diff: String,
}

/// Tells the steps of the agent's work, all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnPlanUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// Why they are as they are now.
    pub(crate) explanation: Option<String>,
    pub(crate) plan: Vec<TurnPlanStep>,
}

/// Is a step of the agent's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnPlanStep {
    pub(crate) step: String,
    pub(crate) status: TurnPlanStepStatus,
}

/// Says how far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum TurnPlanStepStatus {
    Pending,
    InProgress,
    Completed,
}
