//! Environments: the places where commands run.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::PathUri;

/// Describes an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct EnvironmentInfoParams {
    /// `local` is the machine of the server.
    pub(crate) environment_id: String,
}

/// Describes an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct EnvironmentInfoResponse {
    pub(crate) shell: EnvironmentShellInfo,
    /// Where commands run unless a thread says otherwise.
    pub(crate) cwd: Option<PathUri>,
}

/// Names the shell of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct EnvironmentShellInfo {
    pub(crate) name: String,
    pub(crate) path: String,
}

/// Asks whether an environment can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct EnvironmentStatusParams {
    /// `local` is the machine of the server.
    pub(crate) environment_id: String,
}

/// Tells whether an environment can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct EnvironmentStatusResponse {
    pub(crate) status: EnvironmentStatusKind,
    /// Why it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) error: Option<String>,
}

/// Tells whether an environment can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum EnvironmentStatusKind {
    Ready,
    Pending,
    Disconnected,
    /// Nobody knows of it.
    Unknown,
}
