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

/// Has the server be reached from elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlEnableParams {
    /// Holds for this process only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) ephemeral: bool,
}

/// Tells how far that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlEnableResponse {
    pub(crate) status: RemoteControlConnectionStatus,
    /// The name of the machine.
    pub(crate) server_name: String,
    /// Names the installation; it stays the same over restarts.
    pub(crate) installation_id: String,
    /// Names the machine to those who reach it.
    pub(crate) environment_id: Option<String>,
}

/// Has the server not be reached from elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlDisableParams {
    /// Holds for this process only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) ephemeral: bool,
}

/// Tells how far that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlDisableResponse {
    pub(crate) status: RemoteControlConnectionStatus,
    /// The name of the machine.
    pub(crate) server_name: String,
    /// Names the installation; it stays the same over restarts.
    pub(crate) installation_id: String,
    /// Names the machine to those who reach it.
    pub(crate) environment_id: Option<String>,
}

/// Tells whether the server can be reached from elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlStatusReadResponse {
    pub(crate) status: RemoteControlConnectionStatus,
    /// The name of the machine.
    pub(crate) server_name: String,
    /// Names the installation; it stays the same over restarts.
    pub(crate) installation_id: String,
    /// Names the machine to those who reach it.
    pub(crate) environment_id: Option<String>,
}

/// Begins to make a device known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlPairingStartParams {
    /// Asks for a code that people can type.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) manual_code: bool,
}

/// Holds what the device has to show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlPairingStartResponse {
    pub(crate) pairing_code: String,
    /// For typing.
    pub(crate) manual_pairing_code: Option<String>,
    pub(crate) environment_id: String,
    /// In Unix seconds.
    pub(crate) expires_at: i64,
}

/// Asks whether a device has shown its code; one of the two is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct RemoteControlPairingStatusParams {
    pub(crate) pairing_code: Option<String>,
    pub(crate) manual_pairing_code: Option<String>,
}

/// Tells whether a device has shown its code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlPairingStatusResponse {
    pub(crate) claimed: bool,
}

/// Lists the devices that are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct RemoteControlClientsListParams {
    pub(crate) environment_id: String,
    /// `nextCursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// How many a page may have.
    pub(crate) limit: Option<u32>,
    pub(crate) order: Option<RemoteControlClientsListOrder>,
}

/// Orders devices by when they were last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum RemoteControlClientsListOrder {
    Asc,
    Desc,
}

/// Holds a page of devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlClientsListResponse {
    pub(crate) data: Vec<RemoteControlClient>,
    /// Continues the list, if it goes on.
    pub(crate) next_cursor: Option<String>,
}

/// Describes a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlClient {
    pub(crate) client_id: String,
    pub(crate) display_name: Option<String>,
    pub(crate) device_type: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) os_version: Option<String>,
    pub(crate) device_model: Option<String>,
    pub(crate) app_version: Option<String>,
    /// In Unix seconds.
    pub(crate) last_seen_at: Option<i64>,
}

/// Forgets a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlClientsRevokeParams {
    pub(crate) environment_id: String,
    pub(crate) client_id: String,
}

/// Confirms that the device is not known any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RemoteControlClientsRevokeResponse {}
