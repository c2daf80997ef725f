//! Why there is no answer, or no whole one: what clients are told, and whether asking again may help.
//!
//! One table for refusals of the HTTP server, one for failures that the stream reports.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::retry::{retry_after, wait_in_message};
use crate::protocol::{CodexErrorInfo, TurnError};
use crate::util::time::local;

/// Whether and how a request is worth repeating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Retry {
    Never,
    /// The same request may succeed. `after` replaces the usual pause.
    Stream {
        after: Option<Duration>,
        http_status: Option<u16>,
    },
    /// The provider cannot be reached at all.
    Connection,
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    message: String,
    info: Box<CodexErrorInfo>,
    retry: Retry,
    /// What the message leaves out.
    details: Option<String>,
}

/// An answer of the HTTP server that is no stream.
#[derive(Debug)]
pub(super) struct Refusal<'a> {
    status: StatusCode,
    body: &'a str,
    url: &'a str,
    cf_ray: Option<String>,
    retry_after: Option<Duration>,
}

/// The `error` object of a refusal's body or of a failed response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Detail {
    #[serde(deserialize_with = "text_or_number")]
    code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    resets_at: Option<i64>,
}

const CONTEXT_WINDOW: &str = "The conversation no longer fits into the model's context window. Compact it, or go on in a new thread.";
const SIGNED_OUT: &str =
    "Nobody is signed in. Sign in, set `OPENAI_API_KEY`, or use another `model_provider`.";
const OVERLOADED: &str =
    "The model is overloaded at the moment. Try again later, or use another model.";
const INTERNAL: &str = "The model's server failed with an internal error. It may be very busy.";
const QUOTA: &str = "The account's quota is used up. Check its plan and its billing details.";
const NOT_INCLUDED: &str = "The account's plan does not include this use of the model.";

impl Error {
    /// As clients see it when nothing more is tried.
    pub(crate) fn turn_error(&self) -> TurnError {
        TurnError {
            message: self.message.clone(),
            codex_error_info: Some((*self.info).clone()),
            additional_details: self.details.clone(),
            misalignment: None,
        }
    }

    /// Whether the input is larger than what the model can read.
    pub(crate) fn is_context_overflow(&self) -> bool {
        *self.info == CodexErrorInfo::ContextWindowExceeded
    }

    pub(crate) fn retry(&self) -> Retry {
        self.retry.clone()
    }

    /// Whether the server does not know WebSockets.
    pub(super) fn is_about_upgrade(&self) -> bool {
        let CodexErrorInfo::HttpConnectionFailed { http_status_code } = *self.info else {
            return false;
        };
        matches!(http_status_code, Some(404 | 405 | 426 | 501))
    }

    /// Whether the credentials were refused.
    pub(super) fn is_unauthorized(&self) -> bool {
        *self.info == CodexErrorInfo::HttpConnectionFailed { http_status_code: Some(401) }
    }

    fn new(message: String, info: CodexErrorInfo, retry: Retry) -> Self {
        Self { message, info: Box::new(info), retry, details: None }
    }

    /// The stream is over and has not said that the response is.
    pub(crate) fn closed_early() -> Self {
        Self::disconnected("stream closed before response.completed")
    }

    /// The model was asked to sum up the history, and has written nothing.
    pub(crate) fn without_summary() -> Self {
        let cause = "the response to a compaction holds no summary".to_owned();
        Self::new(cause, CodexErrorInfo::Other, AGAIN)
    }

    /// The provider wants somebody to be signed in.
    pub(super) fn signed_out() -> Self {
        Self::unauthorized(SIGNED_OUT.to_owned())
    }

    /// There is nothing that the provider would take.
    pub(super) fn unauthorized(message: String) -> Self {
        Self::new(message, CodexErrorInfo::Unauthorized, Retry::Never)
    }

    /// Something that asking again does not mend.
    pub(super) fn unusable(message: String) -> Self {
        Self::new(message, CodexErrorInfo::Other, Retry::Never)
    }

    pub(super) fn idle() -> Self {
        Self::disconnected("idle timeout waiting for SSE")
    }

    pub(super) fn cut(cause: &str) -> Self {
        Self::disconnected(&format!("Transport error: {cause}"))
    }

    /// The stream holds something that is larger than any event should be.
    pub(super) fn oversized(cause: &str) -> Self {
        Self { retry: Retry::Never, ..Self::disconnected(cause) }
    }

    /// The connection was closed before there was an answer.
    pub(super) fn unanswered(cause: &str) -> Self {
        Self::disconnected(&format!("no answer from the provider: {cause}"))
    }

    /// The network is gone: there was an answer from this address before.
    pub(super) fn unreachable(cause: &str) -> Self {
        let info = CodexErrorInfo::HttpConnectionFailed { http_status_code: None };
        Self::new(format!("Connection failed: {cause}"), info, Retry::Connection)
    }

    /// Nobody has ever answered at this address. That it is wrong is likelier than that the network is gone.
    pub(super) fn nobody_there(cause: &str, url: &str) -> Self {
        let message = format!(
            "Connection failed: {cause}, url: {url} (is the provider's base_url right, and does its server run?)"
        );
        Self { message, retry: AGAIN, ..Self::unreachable(cause) }
    }

    /// The connection was refused by us: the server's certificate is not to be trusted.
    pub(super) fn untrusted(cause: &str) -> Self {
        Self { retry: Retry::Never, ..Self::unreachable(cause) }
    }

    pub(super) fn disconnected(cause: &str) -> Self {
        let message = format!("stream disconnected before completion: {cause}");
        Self::new(message, CodexErrorInfo::Other, AGAIN)
    }

    /// What `response.incomplete` means.
    pub(super) fn incomplete(reason: Option<&str>) -> Self {
        let message =
            format!("Incomplete response returned, reason: {}", reason.unwrap_or("unknown"));
        match reason {
            None | Some("max_output_tokens") => Self::unusable(message),
            Some(_) => Self::disconnected(&message),
        }
    }

    /// What `response.failed` means.
    pub(super) fn failed(detail: Detail) -> Self {
        if detail.is_about_window() {
            let info = CodexErrorInfo::ContextWindowExceeded;
            return Self::new(CONTEXT_WINDOW.to_owned(), info, Retry::Never);
        }
        let code = detail.code.unwrap_or_default();
        let message = detail.message.unwrap_or_else(|| "the response failed".to_owned());
        let (info, message) = match code.as_str() {
            "insufficient_quota" => (CodexErrorInfo::UsageLimitExceeded, QUOTA.to_owned()),
            "usage_not_included" => (CodexErrorInfo::UsageLimitExceeded, NOT_INCLUDED.to_owned()),
            "server_is_overloaded" => (CodexErrorInfo::ServerOverloaded, OVERLOADED.to_owned()),
            "slow_down" | "rate_limit_exceeded" => return Self::rate_limited(&message),
            "model_not_found" => (CodexErrorInfo::ModelNotFound, message),
            "cyber_policy" => (CodexErrorInfo::CyberPolicy, message),
            "misalignment_policy_violation" => {
                (CodexErrorInfo::MisalignmentPolicyViolation, message)
            }
            "policy_capacity_unavailable" => (
                CodexErrorInfo::PolicyCapacityUnavailable,
                "There is no capacity for this kind of request now. Try again later.".to_owned(),
            ),
            "flex_unavailable" => (
                CodexErrorInfo::FlexUnavailable,
                "The flex service tier has no capacity now.".to_owned(),
            ),
            "invalid_prompt" | "bio_policy" => (CodexErrorInfo::Other, message),
            _ => return Self::disconnected(&message),
        };
        Self::new(message, info, Retry::Never)
    }

    fn rate_limited(message: &str) -> Self {
        Self::new(
            format!("rate limit exceeded: {message}"),
            CodexErrorInfo::RateLimitExceeded,
            Retry::Stream { after: wait_in_message(message), http_status: None },
        )
    }

    /// What an HTTP answer other than a stream means.
    pub(super) fn refused(refusal: &Refusal<'_>) -> Self {
        let detail = Detail::of_body(refusal.body);
        let code = detail.code.as_deref().unwrap_or_default();
        let never = |info, message: &str| Self::new(message.to_owned(), info, Retry::Never);
        match (refusal.status.as_u16(), code) {
            (400, _) if detail.is_about_window() => {
                never(CodexErrorInfo::ContextWindowExceeded, CONTEXT_WINDOW)
            }
            (400, _) if detail.names_a_bad_image() => never(
                CodexErrorInfo::BadRequest,
                "The model could not read an image of the last message. Remove it and try again.",
            ),
            (400, _) => match &detail.message {
                Some(message) => Self {
                    details: Some(refusal.body.to_owned()),
                    ..never(CodexErrorInfo::Other, message)
                },
                None => never(CodexErrorInfo::Other, refusal.body),
            },
            (404, "model_not_found") => {
                never(CodexErrorInfo::ModelNotFound, detail.message.as_deref().unwrap_or(code))
            }
            (429, _) => Self::too_many(refusal, &detail),
            (500, _) => {
                let message = match &detail.message {
                    Some(cause) => format!("The model's server failed: {cause}"),
                    None => INTERNAL.to_owned(),
                };
                Self::new(message, CodexErrorInfo::InternalServerError, AGAIN)
            }
            (503, "server_is_overloaded") => never(CodexErrorInfo::ServerOverloaded, OVERLOADED),
            (503, "slow_down") => Self::rate_limited(&refusal.reason(&detail)),
            (status, _) => {
                let retry = match status {
                    // Neither credentials, nor the bill, nor what was asked for gets better by asking again.
                    401 | 402 | 403 | 413 | 422 => Retry::Never,
                    _ => Retry::Stream { after: None, http_status: Some(status) },
                };
                let info = CodexErrorInfo::HttpConnectionFailed { http_status_code: Some(status) };
                Self::new(refusal.unexpected(&detail), info, retry)
            }
        }
    }

    fn too_many(refusal: &Refusal<'_>, detail: &Detail) -> Self {
        let is =
            |name| [&detail.kind, &detail.code].into_iter().any(|it| it.as_deref() == Some(name));
        let message = if is("usage_limit_reached") {
            match detail.resets_at {
                None => "The account's usage limit is reached.".to_owned(),
                Some(at) => {
                    let at = local(at.saturating_mul(1000)).format("%Y-%m-%d %H:%M");
                    format!("The account's usage limit is reached. It is reset at {at}.")
                }
            }
        } else if is("usage_not_included") {
            NOT_INCLUDED.to_owned()
        } else if is("insufficient_quota") {
            QUOTA.to_owned()
        } else {
            let http_status = Some(refusal.status.as_u16());
            let error = Self::new(
                format!("exceeded retry limit, last status: {}", refusal.status),
                CodexErrorInfo::ResponseTooManyFailedAttempts { http_status_code: http_status },
                match refusal.retry_after {
                    None => Retry::Never,
                    after => Retry::Stream { after, http_status },
                },
            );
            // The message is what clients know; the provider's own words say more.
            return Self { details: detail.message.clone(), ..error };
        };
        Self::new(message, CodexErrorInfo::UsageLimitExceeded, Retry::Never)
    }
}

/// Worth repeating, with nothing to say about when.
const AGAIN: Retry = Retry::Stream { after: None, http_status: None };

impl<'a> Refusal<'a> {
    pub(super) fn new(
        status: StatusCode,
        headers: &HeaderMap,
        body: &'a str,
        url: &'a str,
    ) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        Self {
            status,
            body,
            url,
            cf_ray: header("cf-ray").map(str::to_owned),
            retry_after: header(RETRY_AFTER.as_str()).and_then(retry_after),
        }
    }

    fn reason(&self, detail: &Detail) -> String {
        match &detail.message {
            Some(message) => message.clone(),
            None if self.body.trim().is_empty() => "Unknown error".to_owned(),
            None => self.body.to_owned(),
        }
    }

    fn unexpected(&self, detail: &Detail) -> String {
        let reason = self.reason(detail);
        let mut text = format!("unexpected status {}: {reason}, url: {}", self.status, self.url);
        if let Some(ray) = &self.cf_ray {
            text.push_str(", cf-ray: ");
            text.push_str(ray);
        }
        text
    }
}

impl Detail {
    fn of_body(body: &str) -> Self {
        #[derive(Deserialize)]
        struct Body {
            error: Detail,
        }
        serde_json::from_str(body).map_or_else(|_| Self::default(), |body: Body| body.error)
    }

    /// Servers have no common word for it.
    fn is_about_window(&self) -> bool {
        const NAMES: [&str; 2] = ["context_length_exceeded", "exceed_context_size_error"];
        let names = [&self.code, &self.kind];
        names.into_iter().flatten().any(|name| NAMES.contains(&name.as_str()))
            || self.message.as_deref().is_some_and(|text| text.contains("maximum context length"))
    }

    fn names_a_bad_image(&self) -> bool {
        self.message.as_deref().is_some_and(|message| {
            message.contains("image data you provided does not represent a valid image")
        })
    }
}

/// Some servers repeat the status as the code.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

#[cfg(test)]
mod tests;
