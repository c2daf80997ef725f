//! Proofs that it is the user who sits there: a key that only a fingerprint or the like unlocks.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::rpc::RequestId;

/// Asks whether users can prove to be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationStatusParams {}

/// Tells whether users can prove to be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationStatusResponse {
    /// Names the key, if there is one.
    pub(crate) credential_id: Option<String>,
    /// Why they cannot.
    pub(crate) unavailable_reason: Option<UserVerificationUnavailableReason>,
    /// The same, for people.
    pub(crate) unavailable_message: Option<String>,
}

/// Says why users cannot prove to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum UserVerificationUnavailableReason {
    /// There is no key yet.
    CredentialMissing,
    /// Nothing is there to unlock a key with.
    BiometricsUnavailable,
    /// The server cannot keep keys.
    ProviderUnavailable,
}

/// Makes a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationEnrollParams {}

/// Describes the new key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationEnrollResponse {
    pub(crate) credential_id: String,
    pub(crate) algorithm: Option<String>,
    pub(crate) public_key: Option<String>,
}

/// Removes the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationDeleteParams {}

/// Confirms that there is no key any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationDeleteResponse {}

/// Has the user unlock the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationVerifyParams {
    /// What is signed.
    pub(crate) challenge: String,
    /// What the user is shown.
    pub(crate) title: String,
    /// The same, at length.
    pub(crate) description: String,
}

/// Holds the proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationVerifyResponse {
    pub(crate) proof: UserVerificationProof,
}

/// Proves that the user was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationProof {
    pub(crate) credential_id: String,
    pub(crate) signature: String,
}

/// Gives up a request that waits for the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationCancelParams {
    pub(crate) request_id: RequestId,
}

/// Confirms that nothing waits any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct UserVerificationCancelResponse {}
