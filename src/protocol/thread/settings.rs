//! The settings of a thread, as clients see them.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    AbsolutePathBuf, ApprovalsReviewer, AskForApproval, CollaborationMode, MultiAgentMode,
    Personality, ReasoningEffort, ReasoningSummary, SandboxPolicy, ThreadEnvironment, ThreadId,
};

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
