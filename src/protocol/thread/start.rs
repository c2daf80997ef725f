//! Creating threads and loading stored ones.

use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    AbsolutePathBuf, ActivePermissionProfile, ApprovalsReviewer, AskForApproval, CollaborationMode,
    DynamicToolSpec, LegacyAppPathString, MultiAgentMode, Personality, ReasoningEffort,
    ResponseItem, SandboxMode, SandboxPolicy, SortDirection, Thread, ThreadHistoryMode, ThreadId,
    ThreadSource, TurnItemsView, TurnsPage, double_option,
};

/// Creates a thread; what is left out comes from the configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadStartParams {
    /// The model.
    pub(crate) model: Option<String>,
    /// The provider of the model.
    pub(crate) model_provider: Option<String>,
    /// Lets the provider's own default stand in for a model that it does not know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) allow_provider_model_fallback: bool,
    /// The service tier; null is the default tier.
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub(crate) service_tier: Option<Option<String>>,
    /// The working directory.
    pub(crate) cwd: Option<String>,
    /// The directories that count as the workspace.
    pub(crate) runtime_workspace_roots: Option<Vec<AbsolutePathBuf>>,
    /// When the user is asked.
    pub(crate) approval_policy: Option<AskForApproval>,
    /// Who answers questions.
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    /// What commands may do without asking.
    pub(crate) sandbox: Option<SandboxMode>,
    /// The permission profile; excludes `sandbox`.
    pub(crate) permissions: Option<String>,
    /// Settings that override the configuration, by dotted key.
    pub(crate) config: Option<Map<String, Value>>,
    /// Names the client in telemetry.
    pub(crate) service_name: Option<String>,
    /// Replaces the instructions that the model begins with.
    pub(crate) base_instructions: Option<String>,
    /// Adds instructions of the developer.
    pub(crate) developer_instructions: Option<String>,
    /// The tone of the agent.
    pub(crate) personality: Option<Personality>,
    /// Whether the agent starts sub-agents by itself.
    pub(crate) multi_agent_mode: Option<MultiAgentMode>,
    /// Keeps the thread in memory only.
    pub(crate) ephemeral: Option<bool>,
    /// How the history is stored.
    pub(crate) history_mode: Option<ThreadHistoryMode>,
    /// Whether the client starts afresh or has cleared a thread.
    pub(crate) session_start_source: Option<ThreadStartSource>,
    /// What the thread is started for.
    pub(crate) thread_source: Option<ThreadSource>,
    /// The project that the thread belongs to.
    pub(crate) project_id: Option<String>,
    /// Belongs to a hosted feature.
    pub(crate) daybreak_enabled: Option<bool>,
    /// Where commands run; an empty list means nowhere.
    pub(crate) environments: Option<Vec<TurnEnvironmentParams>>,
    /// Tools that the client runs itself.
    pub(crate) dynamic_tools: Option<Vec<DynamicToolSpec>>,
    /// Directories to take skills and the like from.
    pub(crate) selected_capability_roots: Option<Vec<SelectedCapabilityRoot>>,
    /// Does nothing; for tests of the experimental gate.
    pub(crate) mock_experimental_field: Option<String>,
    /// Sends what the model says as it is, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) experimental_raw_events: bool,
}

/// Describes the new thread and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadStartResponse {
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

/// Says how a thread comes to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadStartSource {
    Startup,
    Clear,
}

/// Loads a stored thread; members override what is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadResumeParams {
    /// The thread.
    pub(crate) thread_id: ThreadId,
    /// Makes a new thread with this history rather than loading the stored one.
    pub(crate) history: Option<Vec<ResponseItem>>,
    /// Loads this file, whatever the id.
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
    pub(crate) personality: Option<Personality>,
    /// Leaves the turns out of the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) exclude_turns: bool,
    /// Asks for a page of turns beside the thread.
    pub(crate) initial_turns_page: Option<ThreadResumeInitialTurnsPageParams>,
}

/// Says which page of turns to answer with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadResumeInitialTurnsPageParams {
    pub(crate) limit: Option<u32>,
    pub(crate) sort_direction: Option<SortDirection>,
    pub(crate) items_view: Option<TurnItemsView>,
}

/// Describes the thread and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadResumeResponse {
    pub(crate) thread: Thread,
    pub(crate) model: String,
    pub(crate) model_provider: String,
    pub(crate) service_tier: Option<String>,
    #[serde(default)]
    pub(crate) disabled_plugin_ids: Vec<String>,
    pub(crate) cwd: AbsolutePathBuf,
    #[serde(default)]
    pub(crate) runtime_workspace_roots: Vec<AbsolutePathBuf>,
    #[serde(default)]
    pub(crate) instruction_sources: Vec<LegacyAppPathString>,
    pub(crate) approval_policy: AskForApproval,
    pub(crate) approvals_reviewer: ApprovalsReviewer,
    pub(crate) sandbox: SandboxPolicy,
    pub(crate) active_permission_profile: Option<ActivePermissionProfile>,
    pub(crate) reasoning_effort: Option<ReasoningEffort>,
    pub(crate) collaboration_mode: Option<CollaborationMode>,
    #[serde(default)]
    pub(crate) multi_agent_mode: MultiAgentMode,
    /// The page of turns that was asked for.
    pub(crate) initial_turns_page: Option<TurnsPage>,
    /// Where to list older turns from.
    pub(crate) turns_backwards_cursor: Option<String>,
    /// Where to list older items from.
    pub(crate) items_backwards_cursor: Option<String>,
}

/// Names a directory to take skills and the like from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SelectedCapabilityRoot {
    pub(crate) id: String,
    pub(crate) location: CapabilityRootLocation,
}

/// Says where a directory is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CapabilityRootLocation {
    Environment { environment_id: String, path: String },
}

/// Names a place where commands run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnEnvironmentParams {
    /// The environment; `local` is this machine.
    pub(crate) environment_id: String,
    /// The working directory there.
    pub(crate) cwd: LegacyAppPathString,
    /// The directories that count as the workspace there.
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) runtime_workspace_roots: Option<Vec<LegacyAppPathString>>,
}
