//! Servers of the Model Context Protocol: how they stand, their tools and resources, and signing in to them.

mod elicitation;

pub(crate) use elicitation::*;

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ItemId, ThreadId, TurnId};

/// Says how far the start of a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum McpServerStartupState {
    Starting,
    Ready,
    Failed,
    Cancelled,
}

/// Says why a server did not start, where the client can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum McpServerStartupFailureReason {
    ReauthenticationRequired,
}

/// Tells how far the start of a server is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpServerStatusUpdatedNotification {
    /// The thread that it is started for.
    pub(crate) thread_id: Option<ThreadId>,
    pub(crate) name: String,
    pub(crate) status: McpServerStartupState,
    pub(crate) error: Option<String>,
    pub(crate) failure_reason: Option<McpServerStartupFailureReason>,
}

/// Tells what a server says of a call that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpToolCallProgressNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) item_id: ItemId,
    pub(crate) message: String,
}

/// Calls a tool of a server for the user, without the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct McpServerToolCallParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) server: String,
    /// The server's own name of it.
    pub(crate) tool: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arguments: Option<Value>,
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<Value>,
}

/// Is what the tool gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct McpServerToolCallResponse {
    pub(crate) content: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) structured_content: Option<Value>,
    /// Whether the tool says that it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) is_error: Option<bool>,
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<Value>,
}

/// Lists the servers that are configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ListMcpServerStatusParams {
    /// Where to go on, from the answer before.
    pub(crate) cursor: Option<String>,
    pub(crate) limit: Option<u32>,
    pub(crate) detail: Option<McpServerStatusDetail>,
    /// The servers of this thread; without it those that the configuration names.
    pub(crate) thread_id: Option<ThreadId>,
    /// Only the server of this name.
    pub(crate) server_name: Option<String>,
}

/// Says how much is asked of each server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum McpServerStatusDetail {
    #[default]
    Full,
    /// No resources.
    ToolsAndAuthOnly,
}

/// Is a page of servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ListMcpServerStatusResponse {
    pub(crate) data: Vec<McpServerStatus>,
    pub(crate) next_cursor: Option<String>,
}

/// Says how a server stands and what it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpServerStatus {
    pub(crate) name: String,
    pub(crate) plugin_id: Option<String>,
    pub(crate) http_origin: Option<String>,
    pub(crate) runtime_status: Option<McpServerConnectionStatus>,
    pub(crate) server_info: Option<McpServerInfo>,
    #[serde(default)]
    pub(crate) server_capabilities: Option<Value>,
    /// By the server's own names.
    pub(crate) tools: BTreeMap<String, Tool>,
    #[serde(default)]
    pub(crate) tool_list_meta: Option<Value>,
    /// Why the tools are not known.
    pub(crate) tools_error: Option<String>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) resource_templates: Vec<ResourceTemplate>,
    pub(crate) auth_status: McpAuthStatus,
}

/// Says whether a server is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum McpServerConnectionStatus {
    NotStarted,
    Starting,
    Connected,
    AuthenticationRequired,
    Failed,
    Cancelled,
    Disabled,
}

/// Says how the user is known to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum McpAuthStatus {
    Unknown,
    /// There is no signing in.
    Unsupported,
    NotLoggedIn,
    /// By a token of the configuration.
    BearerToken,
    OAuth,
}

/// Is what a server says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpServerInfo {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) icons: Option<Vec<Value>>,
    pub(crate) website_url: Option<String>,
}

/// Describes a tool of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct Tool {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) input_schema: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output_schema: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) icons: Option<Vec<Value>>,
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<Value>,
}

/// Is something that a server has to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct Resource {
    pub(crate) uri: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mime_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) icons: Option<Vec<Value>>,
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<Value>,
}

/// Is a pattern of addresses that a server has something to read at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct ResourceTemplate {
    pub(crate) uri_template: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mime_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Value>,
}

/// Is what was read, or a part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum ResourceContent {
    Text {
        uri: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        text: String,
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Value>,
    },
    /// Bytes in base64.
    Blob {
        uri: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        blob: String,
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Value>,
    },
}

/// Reads a resource of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct McpResourceReadParams {
    /// The thread whose server is meant; without it the one that the configuration names.
    pub(crate) thread_id: Option<ThreadId>,
    pub(crate) server: String,
    pub(crate) uri: String,
    /// The call that the resource came with; has no effect.
    pub(crate) origin_call_id: Option<String>,
    /// The app that the resource belongs to; has no effect.
    pub(crate) connector_id: Option<String>,
    /// The account of the app; has no effect.
    pub(crate) target: Option<McpResourceReadTarget>,
    #[serde(rename = "_meta")]
    pub(crate) meta: Option<Map<String, Value>>,
}

/// Names an account of an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
#[cfg_attr(test, schemars(extend("required" = ["connectorId", "linkId"])))]
pub(crate) struct McpResourceReadTarget {
    pub(crate) connector_id: String,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) link_id: Option<String>,
}

/// Is what was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpResourceReadResponse {
    pub(crate) contents: Vec<ResourceContent>,
    pub(crate) origin_call_id: Option<String>,
}

/// Answers that loaded threads will have the servers of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpServerRefreshResponse {}

/// Begins a sign-in to a server, in the user's browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct McpServerOauthLoginParams {
    pub(crate) name: String,
    /// A thread whose servers are meant; those of the configuration without one.
    pub(crate) thread_id: Option<ThreadId>,
    /// What to ask for, in place of what the configuration or the service proposes.
    pub(crate) scopes: Option<Vec<String>>,
    /// How the program makes itself known; this server finds that out.
    pub(crate) client_registration: Option<McpServerOauthClientRegistration>,
    /// How long the user may take.
    pub(crate) timeout_secs: Option<i64>,
}

/// Names ways for a program to make itself known to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum McpServerOauthClientRegistration {
    Auto,
    /// By a document that describes it.
    Cimd,
    /// By registering.
    Dcr,
}

/// Says how the sign-in goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpServerOauthLoginResponse {
    /// What the user's browser has to open.
    pub(crate) authorization_url: String,
    #[serde(default)]
    pub(crate) login_id: Option<String>,
}

/// Tells that a sign-in to a server is over, and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct McpServerOauthLoginCompletedNotification {
    pub(crate) name: String,
    pub(crate) thread_id: Option<ThreadId>,
    pub(crate) login_id: Option<String>,
    pub(crate) success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}
