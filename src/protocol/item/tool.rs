//! Calls of tools of all other kinds, as items, and the tools that clients bring.

#[cfg(test)]
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{AbsolutePathBuf, ItemId, ThreadId, TurnId};

/// Says how far a call of an MCP tool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum McpToolCallStatus {
    InProgress,
    Completed,
    Failed,
}

/// Names the app that an MCP tool belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpToolCallAppContext {
    pub(crate) connector_id: String,
    pub(crate) link_id: Option<String>,
    pub(crate) resource_uri: Option<String>,
    pub(crate) app_name: Option<String>,
    pub(crate) action_name: Option<String>,
}

/// Names the user interface of an MCP tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpAppUi {
    pub(crate) resource_uri: String,
    pub(crate) preferred_model_display_mode: McpAppDisplayMode,
}

/// Says how large a tool's user interface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum McpAppDisplayMode {
    Inline,
    Fullscreen,
}

/// Is what an MCP tool answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpToolCallResult {
    pub(crate) content: Vec<Value>,
    pub(crate) structured_content: Option<Value>,
    #[serde(rename = "_meta")]
    pub(crate) meta: Option<Value>,
}

/// Says why a call of an MCP tool failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct McpToolCallError {
    pub(crate) message: String,
}

/// Says how far a call of a client's tool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum DynamicToolCallStatus {
    InProgress,
    Completed,
    Failed,
}

/// Is a part of what a client's tool answered.
#[expect(clippy::enum_variant_names, reason = "the names of the wire")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum DynamicToolCallOutputContentItem {
    InputText { text: String },
    InputImage { image_url: String },
    InputAudio { audio_url: String },
}

/// Names what an agent does with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CollabAgentTool {
    SpawnAgent,
    SendInput,
    ResumeAgent,
    Wait,
    CloseAgent,
    SendMessage,
    FollowupTask,
    InterruptAgent,
    ListAgents,
}

/// Says how far work with another agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CollabAgentToolCallStatus {
    InProgress,
    Completed,
    Failed,
    Interrupted,
}

/// Says how another agent is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CollabAgentState {
    pub(crate) status: CollabAgentStatus,
    pub(crate) message: Option<String>,
}

/// Says how far another agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CollabAgentStatus {
    PendingInit,
    Running,
    Interrupted,
    Completed,
    Errored,
    Shutdown,
    NotFound,
}

/// Says what a sub-agent did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum SubAgentActivityKind {
    Started,
    Interacted,
    Interrupted,
    Completed,
}

/// Says what is done on the web.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum WebSearchAction {
    Search { query: Option<String>, queries: Option<Vec<String>> },
    OpenPage { url: Option<String> },
    FindInPage { url: Option<String>, pattern: Option<String> },
    Other,
}

/// Says why an image was not made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum ImageGenerationFailure {
    UsageLimitExceeded { limit_id: String, resets_at: Option<i64> },
}

/// Names an image that another was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct ImageGenerationInputImage {
    pub(crate) path: AbsolutePathBuf,
    pub(crate) sha256: String,
}

/// Describes a tool, or tools, that the client runs.
///
/// Without a `type` it is a function, whose `namespace` may stand beside its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum DynamicToolSpec {
    Function(DynamicToolFunctionSpec),
    Namespace(DynamicToolNamespaceSpec),
}

impl<'de> Deserialize<'de> for DynamicToolSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Function {
            namespace: Option<String>,
            #[serde(flatten)]
            function: DynamicToolFunctionSpec,
        }
        let mut value = Map::deserialize(deserializer)?;
        let kind = value.remove("type");
        let value = Value::Object(value);
        match kind.as_ref().map(Value::as_str) {
            Some(Some("function")) | None => {
                let Function { namespace, function } =
                    Function::deserialize(value).map_err(D::Error::custom)?;
                Ok(match namespace {
                    Some(name) => Self::Namespace(DynamicToolNamespaceSpec {
                        name,
                        description: String::new(),
                        tools: vec![DynamicToolNamespaceTool::Function(function)],
                    }),
                    None => Self::Function(function),
                })
            }
            Some(Some("namespace")) => DynamicToolNamespaceSpec::deserialize(value)
                .map(Self::Namespace)
                .map_err(D::Error::custom),
            Some(_) => {
                Err(D::Error::custom("the type of a tool must be `function` or `namespace`"))
            }
        }
    }
}

/// Describes a tool that the client runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct DynamicToolFunctionSpec {
    pub(crate) name: String,
    pub(crate) description: String,
    /// A JSON Schema of the arguments.
    pub(crate) input_schema: Value,
    /// Is shown to the model only after a search for tools.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) defer_loading: bool,
}

/// Puts tools of the client under a common name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct DynamicToolNamespaceSpec {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) tools: Vec<DynamicToolNamespaceTool>,
}

/// Describes a tool in a namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum DynamicToolNamespaceTool {
    Function(DynamicToolFunctionSpec),
}

/// Has the client run one of its tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct DynamicToolCallParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) call_id: ItemId,
    pub(crate) namespace: Option<String>,
    pub(crate) tool: String,
    pub(crate) arguments: Value,
}

/// Says what a tool of the client's gives back to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct DynamicToolCallResponse {
    pub(crate) content_items: Vec<DynamicToolCallOutputContentItem>,
    /// Whether the tool did what it was called for.
    pub(crate) success: bool,
}
