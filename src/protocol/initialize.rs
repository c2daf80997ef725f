//! The handshake.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::AbsolutePathBuf;

/// Opens a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct InitializeParams {
    /// The program that connects.
    pub(crate) client_info: ClientInfo,
    /// What the client can deal with; without it nothing beyond the stable interface.
    pub(crate) capabilities: Option<InitializeCapabilities>,
}

/// Identifies a client program, to model providers too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct ClientInfo {
    /// A short technical name; has to be a valid value of an HTTP header.
    pub(crate) name: String,
    /// A name for people.
    pub(crate) title: Option<String>,
    pub(crate) version: String,
}

/// Lists what a client can deal with, and what it wants to be spared.
#[expect(clippy::struct_excessive_bools, reason = "the members of the wire")]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct InitializeCapabilities {
    /// Accepts approvals of commands that a person has to run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) required_human_approval: bool,
    /// Wants no browser opened for signing in at a gateway.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) explicit_gateway_oauth: bool,
    /// Opens experimental methods and members.
    #[serde(default)]
    pub(crate) experimental_api: bool,
    /// Can be asked for an attestation.
    #[serde(default)]
    pub(crate) request_attestation: bool,
    /// Is the old spelling of the extension `openai/form`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) mcp_server_openai_form_elicitation: bool,
    /// Names notification methods that this connection is not sent.
    pub(crate) opt_out_notification_methods: Option<Vec<String>>,
    /// Lists the MCP client extensions that the client supports, with their settings.
    pub(crate) extensions: Option<Map<String, Value>>,
}

/// Describes the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct InitializeResponse {
    /// The user agent of requests to model providers.
    pub(crate) user_agent: String,
    /// Where configuration, credentials and threads are kept.
    pub(crate) codex_home: AbsolutePathBuf,
    /// The kind of operating system, `unix` or `windows`.
    pub(crate) platform_family: String,
    /// The operating system, for example `linux`.
    pub(crate) platform_os: String,
}
