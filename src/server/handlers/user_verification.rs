//! Proofs that it is the user who sits there. This server keeps no keys for them, and says so.

use serde_json::json;

use crate::protocol::{
    UserVerificationCancelParams, UserVerificationCancelResponse, UserVerificationDeleteParams,
    UserVerificationDeleteResponse, UserVerificationEnrollParams, UserVerificationEnrollResponse,
    UserVerificationStatusParams, UserVerificationStatusResponse,
    UserVerificationUnavailableReason, UserVerificationVerifyParams,
    UserVerificationVerifyResponse,
};
use crate::server::context::Cx;
use crate::server::error::{Error, Result};

const UNAVAILABLE: &str = "This server keeps no keys that users could be verified with.";

pub(crate) async fn status(
    _cx: Cx,
    _params: UserVerificationStatusParams,
) -> Result<UserVerificationStatusResponse> {
    Ok(UserVerificationStatusResponse {
        credential_id: None,
        unavailable_reason: Some(UserVerificationUnavailableReason::ProviderUnavailable),
        unavailable_message: Some(UNAVAILABLE.to_owned()),
    })
}

pub(crate) async fn enroll(
    _cx: Cx,
    _params: UserVerificationEnrollParams,
) -> Result<UserVerificationEnrollResponse> {
    Err(unavailable())
}

pub(crate) async fn delete(
    _cx: Cx,
    _params: UserVerificationDeleteParams,
) -> Result<UserVerificationDeleteResponse> {
    Err(unavailable())
}

pub(crate) async fn verify(
    _cx: Cx,
    _params: UserVerificationVerifyParams,
) -> Result<UserVerificationVerifyResponse> {
    Err(unavailable())
}

/// Nothing ever waits for a user, so there is nothing to give up.
pub(crate) async fn cancel(
    _cx: Cx,
    _params: UserVerificationCancelParams,
) -> Result<UserVerificationCancelResponse> {
    Ok(UserVerificationCancelResponse {})
}

fn unavailable() -> Error {
    let reason = UserVerificationUnavailableReason::ProviderUnavailable;
    Error::internal(UNAVAILABLE).with_data(json!({ "type": "unavailable", "reason": reason }))
}
