//! The backend's answers, and what they are for clients. What it does not say is unknown; what we do not know is left out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::auth::claims::plan;
use crate::protocol::{
    AccountTokenUsageDailyBucket, AccountTokenUsageSummary,
    ConsumeAccountRateLimitResetCreditOutcome, CreditsSnapshot, GetAccountRateLimitsResponse,
    GetAccountTokenUsageResponse, GetWorkspaceMessagesResponse, PlanType, RateLimitReachedType,
    RateLimitResetCredit, RateLimitResetCreditStatus, RateLimitResetCreditsSummary,
    RateLimitResetType, RateLimitSnapshot, RateLimitWindow, SpendControlLimitSnapshot,
    WorkspaceMessage, WorkspaceMessageType,
};
use crate::util::time::parse_rfc3339_millis;

/// The limit of ordinary use.
const ORDINARY: &str = "codex";

#[derive(Deserialize)]
pub(super) struct Usage {
    plan_type: String,
    account_id: Option<String>,
    ordinary_usage_allowed: Option<bool>,
    rate_limit: Option<Limit>,
    credits: Option<Credits>,
    spend_control: Option<SpendControl>,
    rate_limit_reached_type: Option<Reached>,
    additional_rate_limits: Option<Vec<Additional>>,
    rate_limit_reset_credits: Option<ResetCredits>,
}

#[derive(Deserialize)]
struct Limit {
    primary_window: Option<Window>,
    secondary_window: Option<Window>,
}

#[derive(Deserialize)]
struct Window {
    used_percent: f64,
    limit_window_seconds: Option<i64>,
    reset_at: Option<i64>,
}

#[derive(Deserialize)]
struct Credits {
    has_credits: bool,
    unlimited: bool,
    balance: Option<String>,
}

#[derive(Deserialize)]
struct SpendControl {
    reached: Option<bool>,
    individual_limit: Option<IndividualLimit>,
}

#[derive(Deserialize)]
struct IndividualLimit {
    limit: String,
    used: String,
    remaining_percent: i32,
    reset_at: i64,
}

#[derive(Deserialize)]
struct Reached {
    #[serde(rename = "type")]
    kind: Value,
}

#[derive(Deserialize)]
struct Additional {
    limit_name: Option<String>,
    metered_feature: String,
    normal_model_slug: Option<String>,
    rate_limit: Option<Limit>,
}

/// The resets of an account; beside its limits, only their number.
#[derive(Deserialize)]
pub(super) struct ResetCredits {
    available_count: Option<i64>,
    credits: Option<Vec<ResetCredit>>,
}

#[derive(Deserialize)]
struct ResetCredit {
    id: String,
    reset_type: String,
    status: String,
    granted_at: String,
    expires_at: Option<String>,
    title: Option<String>,
    description: Option<String>,
}

impl Usage {
    pub(super) fn limits(self) -> GetAccountRateLimitsResponse {
        let plan_type = plan(&self.plan_type);
        let control = self.spend_control;
        let ordinary = RateLimitSnapshot {
            limit_id: Some(ORDINARY.to_owned()),
            credits: self.credits.map(Credits::snapshot),
            spend_control_reached: control.as_ref().and_then(|control| control.reached),
            individual_limit: control
                .and_then(|control| control.individual_limit)
                .map(IndividualLimit::snapshot),
            rate_limit_reached_type: self.rate_limit_reached_type.and_then(Reached::named),
            ..snapshot(self.rate_limit, plan_type)
        };
        let mut all = BTreeMap::from([(ORDINARY.to_owned(), ordinary.clone())]);
        for limit in self.additional_rate_limits.unwrap_or_default() {
            let id = limit.metered_feature;
            let additional = RateLimitSnapshot {
                limit_id: Some(id.clone()),
                limit_name: limit.limit_name,
                normal_model_slug: limit.normal_model_slug,
                ..snapshot(limit.rate_limit, plan_type)
            };
            all.insert(id, additional);
        }
        GetAccountRateLimitsResponse {
            ordinary_usage_allowed: self.ordinary_usage_allowed,
            rate_limits: ordinary,
            rate_limits_by_limit_id: Some(all),
            rate_limit_reset_credits: self.rate_limit_reset_credits.and_then(ResetCredits::summary),
            account_id: self.account_id,
            rate_limit_upsell: Value::Null,
        }
    }
}

fn snapshot(limit: Option<Limit>, plan: PlanType) -> RateLimitSnapshot {
    let (primary, secondary) =
        limit.map_or((None, None), |limit| (limit.primary_window, limit.secondary_window));
    RateLimitSnapshot {
        primary: primary.map(Window::snapshot),
        secondary: secondary.map(Window::snapshot),
        plan_type: Some(plan),
        ..RateLimitSnapshot::default()
    }
}

impl Window {
    fn snapshot(self) -> RateLimitWindow {
        RateLimitWindow {
            #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
            used_percent: self.used_percent.round() as i32,
            // The last minute counts as a whole one.
            window_duration_mins: self.limit_window_seconds.map(|secs| (secs.max(0) + 59) / 60),
            resets_at: self.reset_at,
        }
    }
}

impl Credits {
    fn snapshot(self) -> CreditsSnapshot {
        let Self { has_credits, unlimited, balance } = self;
        CreditsSnapshot { has_credits, unlimited, balance }
    }
}

impl IndividualLimit {
    fn snapshot(self) -> SpendControlLimitSnapshot {
        let Self { limit, used, remaining_percent, reset_at } = self;
        SpendControlLimitSnapshot { limit, used, remaining_percent, resets_at: reset_at }
    }
}

impl Reached {
    fn named(self) -> Option<RateLimitReachedType> {
        serde_json::from_value(self.kind).ok()
    }
}

impl ResetCredits {
    pub(super) fn summary(self) -> Option<RateLimitResetCreditsSummary> {
        let credits = self
            .credits
            .map(|credits| credits.into_iter().filter_map(ResetCredit::credit).collect::<Vec<_>>());
        Some(RateLimitResetCreditsSummary { available_count: self.available_count?, credits })
    }
}

impl ResetCredit {
    /// None if nobody knows when it was granted.
    fn credit(self) -> Option<RateLimitResetCredit> {
        Some(RateLimitResetCredit {
            id: self.id,
            reset_type: match self.reset_type.as_str() {
                "codex_rate_limits" => RateLimitResetType::CodexRateLimits,
                _ => RateLimitResetType::Unknown,
            },
            status: serde_json::from_value(Value::String(self.status))
                .unwrap_or(RateLimitResetCreditStatus::Unknown),
            granted_at: seconds(&self.granted_at)?,
            expires_at: self.expires_at.as_deref().and_then(seconds),
            title: self.title,
            description: self.description,
        })
    }
}

/// What has become of the use of a reset.
#[derive(Deserialize)]
pub(super) struct Consumed {
    code: Code,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Code {
    Reset,
    NothingToReset,
    NoCredit,
    AlreadyRedeemed,
}

impl Consumed {
    pub(super) fn outcome(self) -> ConsumeAccountRateLimitResetCreditOutcome {
        match self.code {
            Code::Reset => ConsumeAccountRateLimitResetCreditOutcome::Reset,
            Code::NothingToReset => ConsumeAccountRateLimitResetCreditOutcome::NothingToReset,
            Code::NoCredit => ConsumeAccountRateLimitResetCreditOutcome::NoCredit,
            Code::AlreadyRedeemed => ConsumeAccountRateLimitResetCreditOutcome::AlreadyRedeemed,
        }
    }
}

/// What is known of an account's owner.
#[derive(Deserialize)]
pub(super) struct Profile {
    stats: Stats,
}

#[derive(Deserialize)]
struct Stats {
    lifetime_tokens: Option<i64>,
    peak_daily_tokens: Option<i64>,
    longest_running_turn_sec: Option<i64>,
    current_streak_days: Option<i64>,
    longest_streak_days: Option<i64>,
    daily_usage_buckets: Option<Vec<Bucket>>,
}

#[derive(Deserialize)]
struct Bucket {
    start_date: String,
    tokens: i64,
}

impl Profile {
    pub(super) fn usage(self) -> GetAccountTokenUsageResponse {
        let stats = self.stats;
        let bucket =
            |Bucket { start_date, tokens }| AccountTokenUsageDailyBucket { start_date, tokens };
        GetAccountTokenUsageResponse {
            summary: AccountTokenUsageSummary {
                lifetime_tokens: stats.lifetime_tokens,
                peak_daily_tokens: stats.peak_daily_tokens,
                longest_running_turn_sec: stats.longest_running_turn_sec,
                current_streak_days: stats.current_streak_days,
                longest_streak_days: stats.longest_streak_days,
            },
            daily_usage_buckets: stats
                .daily_usage_buckets
                .map(|buckets| buckets.into_iter().map(bucket).collect()),
            thread_usage: None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Messages {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    message_id: String,
    message_type: String,
    message_body: String,
    created_at: Option<String>,
    archived_at: Option<String>,
}

impl Messages {
    pub(super) fn messages(self) -> GetWorkspaceMessagesResponse {
        let message = |message: Message| WorkspaceMessage {
            message_id: message.message_id,
            message_type: serde_json::from_value(Value::String(message.message_type))
                .unwrap_or(WorkspaceMessageType::Unknown),
            message_body: message.message_body,
            created_at: message.created_at.as_deref().and_then(seconds),
            archived_at: message.archived_at.as_deref().and_then(seconds),
        };
        let messages = self.messages.into_iter().map(message).collect();
        GetWorkspaceMessagesResponse { feature_enabled: true, messages }
    }
}

fn seconds(time: &str) -> Option<i64> {
    parse_rfc3339_millis(time).map(|millis| millis.div_euclid(1000))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_of_all_kinds_are_told() {
        let window =
            |used: f64| json!({"used_percent": used, "limit_window_seconds": 18000, "reset_at": 7});
        let usage: Usage = serde_json::from_value(json!({
            "plan_type": "brand-new", "account_id": "org-1",
            "rate_limit": {"allowed": true, "primary_window": window(41.6), "secondary_window": null},
            "credits": {"has_credits": true, "unlimited": false, "balance": "9.5"},
            "spend_control": {"reached": false, "individual_limit":
                {"limit": "100", "used": "7", "remaining_percent": 93, "reset_at": 78}},
            "rate_limit_reached_type": {"type": "workspace_owner_credits_depleted"},
            "additional_rate_limits": [{"limit_name": "fast", "metered_feature": "codex_fast",
                "normal_model_slug": "m", "rate_limit": {"primary_window": window(1.0)}}],
            "rate_limit_reset_credits": {"available_count": 3}}))
        .unwrap();
        let limits = serde_json::to_value(usage.limits()).unwrap();
        let ordinary = &limits["rateLimits"];
        assert_eq!(
            ordinary["primary"],
            json!({"usedPercent": 42, "windowDurationMins": 300, "resetsAt": 7})
        );
        assert_eq!(ordinary["planType"], "unknown");
        assert_eq!(ordinary["rateLimitReachedType"], "workspace_owner_credits_depleted");
        assert_eq!(ordinary["individualLimit"]["resetsAt"], 78);
        assert_eq!(limits["rateLimitsByLimitId"]["codex"], *ordinary);
        assert_eq!(limits["rateLimitsByLimitId"]["codex_fast"]["limitName"], "fast");
        assert_eq!(limits["rateLimitResetCredits"], json!({"availableCount": 3, "credits": null}));
    }

    #[test]
    fn what_is_new_to_us_spoils_nothing() {
        let credits: ResetCredits = serde_json::from_value(json!({"available_count": 2, "credits": [
            {"id": "a", "reset_type": "x", "status": "y", "granted_at": "2026-01-01T00:00:00Z"},
            {"id": "b", "reset_type": "codex_rate_limits", "status": "redeemed", "granted_at": "soon"}]}))
        .unwrap();
        let summary = credits.summary().unwrap();
        let [only] = &*summary.credits.unwrap() else { panic!("one has no date") };
        assert_eq!(
            (only.granted_at, only.status),
            (1_767_225_600, RateLimitResetCreditStatus::Unknown)
        );
        let messages: Messages = serde_json::from_value(json!({"messages": [
            {"message_id": "m", "message_type": "new", "message_body": "b", "created_at": null}]}))
        .unwrap();
        let messages = messages.messages().messages;
        assert_eq!(messages[0].message_type, WorkspaceMessageType::Unknown);
    }
}
