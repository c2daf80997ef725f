//! Whether the server can be reached from elsewhere.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Tells whether the server is under remote control; sent after the handshake, and on each change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlStatusChangedNotification {
    pub(crate) status: RemoteControlConnectionStatus,
    /// The name of the machine.
    pub(crate) server_name: String,
    /// Names the installation; it stays the same over restarts.
    pub(crate) installation_id: String,
    pub(crate) environment_id: Option<String>,
}

/// How far remote control is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum RemoteControlConnectionStatus {
    Disabled,
    Connecting,
    Connected,
    Errored,
}
