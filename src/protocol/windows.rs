//! The sandbox of Windows, which has to be set up before commands can be shut in.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::AbsolutePathBuf;

/// Sets the sandbox up; `windowsSandbox/setupCompleted` tells how that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct WindowsSandboxSetupStartParams {
    pub(crate) mode: WindowsSandboxSetupMode,
    /// Where the configuration is looked for.
    pub(crate) cwd: Option<AbsolutePathBuf>,
}

/// Says which rights are at hand for the setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum WindowsSandboxSetupMode {
    Elevated,
    Unelevated,
}

/// Tells whether the setup has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct WindowsSandboxSetupStartResponse {
    pub(crate) started: bool,
}

/// Tells whether the sandbox can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct WindowsSandboxReadinessResponse {
    pub(crate) status: WindowsSandboxReadiness,
}

/// Tells whether the sandbox can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum WindowsSandboxReadiness {
    Ready,
    NotConfigured,
    UpdateRequired,
}

/// Tells how the setup has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct WindowsSandboxSetupCompletedNotification {
    pub(crate) mode: WindowsSandboxSetupMode,
    pub(crate) success: bool,
    pub(crate) error: Option<String>,
}
