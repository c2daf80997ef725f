//! The settings of a thread, as clients see them.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    AbsolutePathBuf, ApprovalsReviewer, AskForApproval, CollaborationMode, MultiAgentMode,
    Personality, ReasoningEffort, ReasoningSummary, SandboxPolicy, ThreadEnvironment, ThreadId,
    TurnEnvironmentParams, double_option,
};

/// Changes settings of a thread for its next turns; members that are absent leave theirs as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadSettingsUpdateParams {
    pub(crate) thread_id: ThreadId,
    /// The plugins that are not used.
    pub(crate) disabled_plugin_ids: Option<Vec<String>>,
    /// The working directory.
    pub(crate) cwd: Option<String>,
    /// Where commands run.
    pub(crate) environments: Option<Vec<TurnEnvironmentParams>>,
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
    /// How much the model reasons.
    pub(crate) effort: Option<ReasoningEffort>,
    /// How reasoning is summarized.
    pub(crate) summary: Option<ReasoningSummary>,
    /// The collaboration mode; its model and effort win over the members here.
    pub(crate) collaboration_mode: Option<CollaborationMode>,
    /// Whether the agent starts sub-agents by itself.
    pub(crate) multi_agent_mode: Option<MultiAgentMode>,
    /// The tone of the agent.
    pub(crate) personality: Option<Personality>,
}

/// Confirms that the thread's next turn has the settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSettingsUpdateResponse {}

/// Lists the settings that a thread's next turn has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSettings {
    #[serde(default)]
    pub(crate) disabled_plugin_ids: Vec<String>,
    pub(crate) cwd: AbsolutePathBuf,
    pub(crate) environments: Option<Vec<ThreadEnvironment>>,
    pub(crate) approval_policy: AskForApproval,
    pub(crate) approvals_reviewer: ApprovalsReviewer,
    pub(crate) sandbox_policy: SandboxPolicy,
    pub(crate) active_permission_profile: Option<ActivePermissionProfile>,
    pub(crate) model: String,
    pub(crate) model_provider: String,
    pub(crate) service_tier: Option<String>,
    pub(crate) effort: Option<ReasoningEffort>,
    pub(crate) summary: Option<ReasoningSummary>,
    pub(crate) collaboration_mode: CollaborationMode,
    #[serde(default)]
    pub(crate) multi_agent_mode: MultiAgentMode,
    pub(crate) personality: Option<Personality>,
}

/// Tells that settings of a thread have changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSettingsUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) thread_settings: ThreadSettings,
}

/// Names the permission profile in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ActivePermissionProfile {
    pub(crate) id: String,
    /// The profile that it is based on.
    pub(crate) extends: Option<String>,
}
