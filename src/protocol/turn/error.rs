//! Why turns fail.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ThreadId, TurnId};

/// Says why a turn failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnError {
    /// The reason, for people.
    pub(crate) message: String,
    /// The reason, for programs.
    pub(crate) codex_error_info: Option<CodexErrorInfo>,
    /// What else is known.
    pub(crate) additional_details: Option<String>,
    pub(crate) misalignment: Option<MisalignmentErrorDetails>,
}

/// Says what kind of failure ended a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CodexErrorInfo {
    ContextWindowExceeded,
    SessionBudgetExceeded,
    UsageLimitExceeded,
    RateLimitExceeded,
    FlexUnavailable,
    ServerOverloaded,
    ModelNotFound,
    PolicyCapacityUnavailable,
    InferenceHookDenied,
    CyberPolicy,
    MisalignmentPolicyViolation,
    TooManyDenials,
    HttpConnectionFailed {
        http_status_code: Option<u16>,
    },
    ResponseStreamConnectionFailed {
        http_status_code: Option<u16>,
    },
    InternalServerError,
    Unauthorized,
    BadRequest,
    ThreadRollbackFailed,
    SandboxError,
    ResponseStreamDisconnected {
        http_status_code: Option<u16>,
    },
    ResponseTooManyFailedAttempts {
        http_status_code: Option<u16>,
    },
    /// The running turn takes no input.
    ActiveTurnNotSteerable {
        turn_kind: NonSteerableTurnKind,
    },
    Other,
    /// A kind that this server does not know, as it was stored.
    #[serde(untagged)]
    Unrecognized(
        #[cfg_attr(
            test,
            schemars(schema_with = "string_or_object"),
            ts(type = "string | { [key: string]: unknown }")
        )]
        Value,
    ),
}

#[cfg(test)]
fn string_or_object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": ["string", "object"] })
}

/// Names a kind of turn that takes no input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum NonSteerableTurnKind {
    Review,
    Compact,
}

/// Says more about a stop by the provider's safety checks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct MisalignmentErrorDetails {
    pub(crate) error_type: Option<String>,
    pub(crate) detailed_explanation: Option<String>,
    pub(crate) steer: Option<MisalignmentSteer>,
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) review_target: Option<String>,
}

/// Proposes how to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct MisalignmentSteer {
    pub(crate) message: String,
}

/// Tells that a turn has met an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ErrorNotification {
    pub(crate) error: TurnError,
    /// The turn goes on and tries again.
    pub(crate) will_retry: bool,
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
}
