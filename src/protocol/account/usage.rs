//! What an account may use and has used, and what its workspace has to say.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(test)]
use ts_rs::TS;

use super::RateLimitSnapshot;
use crate::protocol::ThreadId;

/// Asks what the account may still use.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GetAccountRateLimitsParams {
    /// Leaves out the resets themselves; their number is told anyway.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) exclude_reset_credit_details: bool,
    /// Says that the client knows a reserve of the service's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) supports_luna_reserve: bool,
}

/// Says what the account may still use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GetAccountRateLimitsResponse {
    #[serde(default)]
    pub(crate) ordinary_usage_allowed: Option<bool>,
    /// The limits of ordinary use.
    pub(crate) rate_limits: RateLimitSnapshot,
    /// All limits, by their ids.
    pub(crate) rate_limits_by_limit_id: Option<BTreeMap<String, RateLimitSnapshot>>,
    /// Ways to begin a limit's window anew.
    pub(crate) rate_limit_reset_credits: Option<RateLimitResetCreditsSummary>,
    #[serde(default)]
    pub(crate) account_id: Option<String>,
    /// What the service would like to sell; always null here.
    #[serde(default)]
    pub(crate) rate_limit_upsell: Value,
}

/// Counts the resets that an account has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RateLimitResetCreditsSummary {
    pub(crate) available_count: i64,
    /// Null when only their number is known.
    pub(crate) credits: Option<Vec<RateLimitResetCredit>>,
}

/// Is one reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RateLimitResetCredit {
    pub(crate) id: String,
    pub(crate) reset_type: RateLimitResetType,
    pub(crate) status: RateLimitResetCreditStatus,
    /// Unix seconds.
    pub(crate) granted_at: i64,
    /// Unix seconds.
    pub(crate) expires_at: Option<i64>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
}

/// Names what a reset resets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum RateLimitResetType {
    CodexRateLimits,
    Unknown,
}

/// Says whether a reset can still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum RateLimitResetCreditStatus {
    Available,
    Redeeming,
    Redeemed,
    Unknown,
}

/// Uses a reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ConsumeAccountRateLimitResetCreditParams {
    /// Names this use, so that asking twice is the same as once.
    pub(crate) idempotency_key: String,
    /// The reset to use; the service picks one without.
    pub(crate) credit_id: Option<String>,
}

/// Says what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ConsumeAccountRateLimitResetCreditResponse {
    pub(crate) outcome: ConsumeAccountRateLimitResetCreditOutcome,
}

/// Names what can become of the use of a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ConsumeAccountRateLimitResetCreditOutcome {
    /// The limit's window has begun anew.
    Reset,
    /// No limit has been reached.
    NothingToReset,
    /// The account has no reset.
    NoCredit,
    /// This use has been made before.
    AlreadyRedeemed,
}

/// Asks what the account has used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct GetAccountTokenUsageParams {
    /// A thread to tell the use of, too.
    pub(crate) thread_id: Option<ThreadId>,
}

/// Says what the account has used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GetAccountTokenUsageResponse {
    pub(crate) summary: AccountTokenUsageSummary,
    pub(crate) daily_usage_buckets: Option<Vec<AccountTokenUsageDailyBucket>>,
    /// What a thread has used; always null here.
    #[serde(default)]
    pub(crate) thread_usage: Option<ThreadUsage>,
}

/// Sums up what an account has used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AccountTokenUsageSummary {
    pub(crate) lifetime_tokens: Option<i64>,
    pub(crate) peak_daily_tokens: Option<i64>,
    pub(crate) longest_running_turn_sec: Option<i64>,
    pub(crate) current_streak_days: Option<i64>,
    pub(crate) longest_streak_days: Option<i64>,
}

/// Is what an account has used on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AccountTokenUsageDailyBucket {
    /// As in `2026-11-21`.
    pub(crate) start_date: String,
    pub(crate) tokens: i64,
}

/// Is what a thread has used, in money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadUsage {
    pub(crate) thread_id: String,
    pub(crate) estimated_usage_credits_micros: i64,
    pub(crate) estimated_usage_usd_micros: Option<i64>,
    pub(crate) native_usage_usd_micros: Option<i64>,
    pub(crate) groups: Vec<ThreadUsageBreakdownGroup>,
}

/// Is a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadUsageBreakdownGroup {
    pub(crate) model: Option<String>,
    pub(crate) reasoning_effort: Option<String>,
    pub(crate) speed: Option<String>,
    pub(crate) input_tokens: Option<i64>,
    pub(crate) cached_input_tokens: Option<i64>,
    pub(crate) net_new_input_tokens: Option<i64>,
    pub(crate) output_tokens: Option<i64>,
    pub(crate) total_tokens: Option<i64>,
    pub(crate) estimated_usage_credits_micros: i64,
}

/// Lists what the workspace tells its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GetWorkspaceMessagesResponse {
    /// Whether the service knows such messages.
    pub(crate) feature_enabled: bool,
    pub(crate) messages: Vec<WorkspaceMessage>,
}

/// Is something that a workspace tells its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct WorkspaceMessage {
    pub(crate) message_id: String,
    pub(crate) message_type: WorkspaceMessageType,
    pub(crate) message_body: String,
    /// Unix seconds.
    pub(crate) created_at: Option<i64>,
    /// Unix seconds.
    pub(crate) archived_at: Option<i64>,
}

/// Names kinds of such messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum WorkspaceMessageType {
    Headline,
    Announcement,
    Unknown,
}

/// Has the service write to the owner of the workspace that there is not enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SendAddCreditsNudgeEmailParams {
    pub(crate) credit_type: AddCreditsNudgeCreditType,
}

/// Names what there is not enough of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AddCreditsNudgeCreditType {
    Credits,
    UsageLimit,
}

/// Says whether it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SendAddCreditsNudgeEmailResponse {
    pub(crate) status: AddCreditsNudgeEmailStatus,
}

/// Says what became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AddCreditsNudgeEmailStatus {
    Sent,
    /// One was sent a short while ago.
    CooldownActive,
}

/// Asks for the accounts that are signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AccountSessionsListParams {
    /// Asks the service for the names of workspaces.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) refresh_workspace_metadata: bool,
}

/// Lists the accounts that are signed in; here it is one at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AccountSessionsResponse {
    pub(crate) active_session_id: Option<String>,
    pub(crate) sessions: Vec<AccountSession>,
}

/// Is an account that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AccountSession {
    pub(crate) session_id: String,
    pub(crate) email: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) image_url: Option<String>,
    /// Unix seconds.
    pub(crate) last_used_at: i64,
    pub(crate) is_active: bool,
    pub(crate) selected_workspace_account_id: Option<String>,
    pub(crate) workspaces: Vec<AccountSessionWorkspace>,
}

/// Is a workspace of such an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AccountSessionWorkspace {
    pub(crate) account_id: String,
    pub(crate) name: Option<String>,
    pub(crate) image_url: Option<String>,
    pub(crate) kind: Option<AccountSessionWorkspaceKind>,
}

/// Names kinds of workspaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AccountSessionWorkspaceKind {
    Personal,
    Workspace,
}
