//! Reviews of actions by a model, in place of their user's approval.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    AbsolutePathBuf, ItemId, LegacyAppPathString, NetworkApprovalProtocol,
    RequestPermissionProfile, ThreadId, TurnId,
};

/// Tells that a model looks at what would be asked of the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ItemGuardianApprovalReviewStartedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// In Unix milliseconds.
    pub(crate) started_at_ms: i64,
    /// Tells reviews apart.
    pub(crate) review_id: String,
    /// The item that waits for the review.
    pub(crate) target_item_id: Option<ItemId>,
    pub(crate) review: GuardianApprovalReview,
    pub(crate) action: GuardianApprovalReviewAction,
}

/// Tells what a review has come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ItemGuardianApprovalReviewCompletedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// In Unix milliseconds.
    pub(crate) started_at_ms: i64,
    /// In Unix milliseconds.
    pub(crate) completed_at_ms: i64,
    /// Tells reviews apart.
    pub(crate) review_id: String,
    /// The item that has waited for the review.
    pub(crate) target_item_id: Option<ItemId>,
    pub(crate) decision_source: AutoReviewDecisionSource,
    pub(crate) review: GuardianApprovalReview,
    pub(crate) action: GuardianApprovalReviewAction,
}

/// Tells the user how a review has gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GuardianWarningNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) message: String,
}

/// Says who has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AutoReviewDecisionSource {
    Agent,
}

/// Describes how far a review is, and what it has found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GuardianApprovalReview {
    pub(crate) status: GuardianApprovalReviewStatus,
    pub(crate) risk_level: Option<GuardianRiskLevel>,
    /// How clearly the user wants the action.
    pub(crate) user_authorization: Option<GuardianUserAuthorization>,
    /// Why it was decided so.
    pub(crate) rationale: Option<String>,
}

/// Says how far a review is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum GuardianApprovalReviewStatus {
    InProgress,
    Approved,
    Denied,
    TimedOut,
    /// Ended with its turn, or came to nothing.
    Aborted,
}

/// Says how much harm an action could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum GuardianRiskLevel {
    Low,
    Medium,
    High,
    Critical,
}

/// Says how clearly the user wants an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum GuardianUserAuthorization {
    Unknown,
    Low,
    Medium,
    High,
}

/// Says what a review is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum GuardianApprovalReviewAction {
    Command {
        source: GuardianCommandSource,
        command: String,
        cwd: LegacyAppPathString,
    },
    Execve {
        source: GuardianCommandSource,
        program: String,
        argv: Vec<String>,
        cwd: AbsolutePathBuf,
    },
    WriteStdin {
        approval_id: String,
        process_id: String,
        stdin: String,
        cwd: LegacyAppPathString,
    },
    ApplyPatch {
        cwd: LegacyAppPathString,
        files: Vec<LegacyAppPathString>,
    },
    NetworkAccess {
        target: String,
        host: String,
        protocol: NetworkApprovalProtocol,
        port: u16,
    },
    McpToolCall {
        server: String,
        tool_name: String,
        connector_id: Option<String>,
        connector_name: Option<String>,
        tool_title: Option<String>,
    },
    RequestPermissions {
        reason: Option<String>,
        permissions: RequestPermissionProfile,
    },
}

/// Says which tool runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum GuardianCommandSource {
    Shell,
    UnifiedExec,
}

/// Lets a model do what an automatic review has refused.
///
/// The model is told so, and the next review of the action knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadApproveGuardianDeniedActionParams {
    pub(crate) thread_id: ThreadId,
    /// The refused review: `id`, `status` and `action`, with names in snake case.
    pub(crate) event: serde_json::Value,
}

/// Answers `thread/approveGuardianDeniedAction`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadApproveGuardianDeniedActionResponse {}
