//! What refusals and broken streams are told as, and which are tried again.

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use CodexErrorInfo::{
    BadRequest, ContextWindowExceeded, CyberPolicy, FlexUnavailable, HttpConnectionFailed,
    InternalServerError, MisalignmentPolicyViolation, ModelNotFound, Other,
    PolicyCapacityUnavailable, RateLimitExceeded, ResponseTooManyFailedAttempts, ServerOverloaded,
    UsageLimitExceeded,
};

const URL: &str = "http://h/v1/responses";

fn refused(status: u16, body: &str) -> Error {
    refused_with(status, &[], body)
}

fn refused_with(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Error {
    let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let headers = headers.iter().map(pair).collect();
    Error::refused(&Refusal::new(StatusCode::from_u16(status).unwrap(), &headers, body, URL))
}

fn again(http_status: Option<u16>) -> Retry {
    Retry::Stream { after: None, http_status }
}

#[track_caller]
fn check(error: &Error, info: CodexErrorInfo, retry: impl Into<Option<Retry>>, text: &str) {
    let shown = error.turn_error();
    assert_eq!(shown.codex_error_info, Some(info));
    assert_eq!(shown.additional_details, None);
    assert_eq!(Some(error.retry()), retry.into());
    assert!(shown.message.contains(text), "{}", shown.message);
}

#[test]
fn statuses_that_mean_nothing_special_are_told_and_tried_again() {
    let body = json!({"error": {"message": "the reason", "code": 7}}).to_string();
    for status in [404, 408, 409, 502, 503, 529] {
        let info = HttpConnectionFailed { http_status_code: Some(status) };
        let line = StatusCode::from_u16(status).unwrap();
        let text = format!("unexpected status {line}: the reason, url: {URL}");
        check(&refused(status, &body), info, again(Some(status)), &text);
    }
    for status in [401, 402, 403, 413, 422] {
        let info = HttpConnectionFailed { http_status_code: Some(status) };
        check(&refused(status, &body), info, Retry::Never, "the reason");
    }
    let text = "unexpected status 404 Not Found: plain words, url: ";
    let info = HttpConnectionFailed { http_status_code: Some(404) };
    check(&refused(404, "plain words"), info.clone(), again(Some(404)), text);
    check(&refused(404, " "), info, again(Some(404)), "Not Found: Unknown error, url: ");
}

#[test]
fn a_bad_request_is_told_in_words_and_in_full() {
    let body = json!({"error": {"message": "words", "param": "x"}}).to_string();
    let shown = refused(400, &body).turn_error();
    assert_eq!((shown.message.as_str(), shown.additional_details), ("words", Some(body)));
    check(&refused(400, "{\"detail\":1}"), Other, Retry::Never, "{\"detail\":1}");
}

#[test]
fn every_server_has_its_own_word_for_a_full_window() {
    let llama =
        json!({"error": {"code": 400, "type": "exceed_context_size_error", "message": "m"}});
    let vllm = json!({"error": {"code": 400, "message": "This model's maximum context length is 9 tokens."}});
    for body in [llama, vllm] {
        check(&refused(400, &body.to_string()), ContextWindowExceeded, Retry::Never, "context");
    }
}

#[test]
fn some_statuses_have_meanings() {
    let body = |code: &str| json!({"error": {"message": "words", "code": code}}).to_string();
    let refused_for = |status, code| refused(status, &body(code));
    check(&refused(400, "plain words"), Other, Retry::Never, "plain words");
    check(
        &refused_for(400, "context_length_exceeded"),
        ContextWindowExceeded,
        Retry::Never,
        "context window",
    );
    let image = json!({"error": {
        "message": "The image data you provided does not represent a valid image"}});
    check(&refused(400, &image.to_string()), BadRequest, Retry::Never, "image");
    check(&refused_for(404, "model_not_found"), ModelNotFound, Retry::Never, "words");
    check(&refused(500, ""), InternalServerError, again(None), "internal error");
    let body = json!({"error": {"message": "out of memory"}}).to_string();
    check(&refused(500, &body), InternalServerError, again(None), "failed: out of memory");
    check(&refused_for(503, "server_is_overloaded"), ServerOverloaded, Retry::Never, "overloaded");
    check(
        &refused_for(503, "slow_down"),
        RateLimitExceeded,
        again(None),
        "rate limit exceeded: words",
    );
}

#[test]
fn too_many_requests_are_limits_or_quotas() {
    let info = ResponseTooManyFailedAttempts { http_status_code: Some(429) };
    let text = "exceeded retry limit, last status: 429 Too Many Requests";
    check(&refused(429, "{}"), info.clone(), Retry::Never, text);
    let after = Some(Duration::from_secs(7));
    let patient = refused_with(429, &[("retry-after", "7")], "");
    check(&patient, info, Retry::Stream { after, http_status: Some(429) }, text);
    for (kind, text) in [
        ("usage_limit_reached", "It is reset at 20"),
        ("usage_not_included", "plan"),
        ("insufficient_quota", "quota"),
    ] {
        let body = json!({"error": {"type": kind, "resets_at": 1_800_000_000}}).to_string();
        check(&refused(429, &body), UsageLimitExceeded, Retry::Never, text);
    }
}

#[test]
fn names_the_ray() {
    let error = refused_with(403, &[("cf-ray", "r4y")], "no");
    let expected = "unexpected status 403 Forbidden: no, url: http://h/v1/responses, cf-ray: r4y";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn failed_responses_have_codes() {
    let cases = [
        ("context_length_exceeded", ContextWindowExceeded, Retry::Never, "context window"),
        ("insufficient_quota", UsageLimitExceeded, Retry::Never, "quota"),
        ("usage_not_included", UsageLimitExceeded, Retry::Never, "plan"),
        ("server_is_overloaded", ServerOverloaded, Retry::Never, "overloaded"),
        ("slow_down", RateLimitExceeded, again(None), "rate limit exceeded: words"),
        ("rate_limit_exceeded", RateLimitExceeded, again(None), "rate limit exceeded: words"),
        ("model_not_found", ModelNotFound, Retry::Never, "words"),
        ("cyber_policy", CyberPolicy, Retry::Never, "words"),
        ("misalignment_policy_violation", MisalignmentPolicyViolation, Retry::Never, "words"),
        ("policy_capacity_unavailable", PolicyCapacityUnavailable, Retry::Never, "capacity"),
        ("flex_unavailable", FlexUnavailable, Retry::Never, "flex"),
        ("invalid_prompt", Other, Retry::Never, "words"),
        ("bio_policy", Other, Retry::Never, "words"),
        ("x", Other, again(None), "stream disconnected before completion: words"),
        ("", Other, again(None), "stream disconnected before completion: words"),
    ];
    for (code, info, retry, text) in cases {
        let detail = serde_json::from_value(json!({"code": code, "message": "words"})).unwrap();
        check(&Error::failed(detail), info, retry, text);
    }
    let detail = serde_json::from_value(
        json!({"code": "rate_limit_exceeded", "message": "try again in 1.5s", "type": null}),
    )
    .unwrap();
    let after = Some(Duration::from_millis(1500));
    assert_eq!(Error::failed(detail).retry(), Retry::Stream { after, http_status: None });
}

#[test]
fn broken_streams_are_tried_again() {
    let lead = "stream disconnected before completion: ";
    let cases = [
        (Error::closed_early(), "stream closed before response.completed"),
        (Error::idle(), "idle timeout waiting for SSE"),
        (Error::cut("reset"), "Transport error: reset"),
        (
            Error::incomplete(Some("content_filter")),
            "Incomplete response returned, reason: content_filter",
        ),
    ];
    for (error, text) in cases {
        check(&error, Other, again(None), &format!("{lead}{text}"));
    }
    let full = Error::incomplete(Some("max_output_tokens"));
    check(&full, Other, Retry::Never, "Incomplete response returned, reason: max_output_tokens");
    check(&Error::incomplete(None), Other, Retry::Never, "reason: unknown");
    let info = HttpConnectionFailed { http_status_code: None };
    check(&Error::unreachable("no"), info, Retry::Connection, "Connection failed: no");
}
