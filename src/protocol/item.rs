//! Items: the things that happen in a turn. Each kind is a variant; its parts are in the modules below.

mod command;
mod file_change;
mod message;
mod tool;

pub(crate) use command::*;
pub(crate) use file_change::*;
pub(crate) use message::*;
pub(crate) use tool::*;

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    AbsolutePathBuf, FunctionCallOutputBody, ItemId, LegacyAppPathString, ReasoningEffort,
    ThreadId, TurnId, UserInput,
};

/// Is a thing that happens in a turn.
#[expect(
    clippy::large_enum_variant,
    reason = "boxing members would make every item dearer to build"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), schemars(rename = "UntimedThreadItem"))]
pub(crate) enum ThreadItem {
    /// What the user says.
    UserMessage { id: ItemId, client_id: Option<String>, content: Vec<UserInput> },
    /// What a hook tells the model.
    HookPrompt { id: ItemId, fragments: Vec<HookPromptFragment> },
    /// What the agent says.
    AgentMessage {
        moderation: Option<AgentMessageModeration>,
        id: ItemId,
        text: String,
        phase: Option<MessagePhase>,
        memory_citation: Option<MemoryCitation>,
        delivery: Option<AgentMessageDelivery>,
        questions: Option<Vec<AsyncUserInputQuestion>>,
    },
    /// The result of a tool that ran outside of any turn.
    FunctionCallOutput {
        id: ItemId,
        name: String,
        namespace: Option<String>,
        output: FunctionCallOutputBody,
    },
    /// What the agent is going to do.
    Plan { id: ItemId, text: String },
    /// What the model thinks.
    Reasoning {
        id: ItemId,
        #[serde(default)]
        summary: Vec<String>,
        #[serde(default)]
        content: Vec<String>,
    },
    /// A command, and what came out.
    CommandExecution {
        id: ItemId,
        plugin_id: Option<String>,
        script_path: Option<String>,
        command: String,
        cwd: LegacyAppPathString,
        process_id: Option<String>,
        #[serde(default)]
        source: CommandExecutionSource,
        status: CommandExecutionStatus,
        command_actions: Vec<CommandAction>,
        aggregated_output: Option<String>,
        exit_code: Option<i32>,
        duration_ms: Option<i64>,
    },
    /// Changes to files.
    FileChange { id: ItemId, changes: Vec<FileUpdateChange>, status: PatchApplyStatus },
    /// A call of an MCP server's tool.
    McpToolCall {
        id: ItemId,
        server: String,
        tool: String,
        status: McpToolCallStatus,
        arguments: Value,
        app_context: Option<McpToolCallAppContext>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        mcp_app_resource_uri: Option<String>,
        mcp_app_ui: Option<McpAppUi>,
        plugin_id: Option<String>,
        read_only_hint: Option<bool>,
        result: Option<McpToolCallResult>,
        error: Option<McpToolCallError>,
        duration_ms: Option<i64>,
    },
    /// A call of a client's tool.
    DynamicToolCall {
        id: ItemId,
        namespace: Option<String>,
        tool: String,
        arguments: Value,
        status: DynamicToolCallStatus,
        content_items: Option<Vec<DynamicToolCallOutputContentItem>>,
        success: Option<bool>,
        duration_ms: Option<i64>,
    },
    /// Work with another agent.
    CollabAgentToolCall {
        id: ItemId,
        tool: CollabAgentTool,
        status: CollabAgentToolCallStatus,
        sender_thread_id: ThreadId,
        receiver_thread_ids: Vec<ThreadId>,
        prompt: Option<String>,
        model: Option<String>,
        reasoning_effort: Option<ReasoningEffort>,
        agents_states: BTreeMap<String, CollabAgentState>,
    },
    /// What a sub-agent does.
    SubAgentActivity {
        model: Option<String>,
        reasoning_effort: Option<ReasoningEffort>,
        id: ItemId,
        kind: SubAgentActivityKind,
        agent_thread_id: ThreadId,
        agent_path: String,
    },
    /// A search on the web.
    WebSearch {
        id: ItemId,
        query: String,
        action: Option<WebSearchAction>,
        results: Option<Vec<Value>>,
    },
    /// An image that the agent looks at.
    ImageView { id: ItemId, path: LegacyAppPathString },
    /// A pause.
    Sleep { id: ItemId, duration_ms: u64 },
    /// An image that the agent makes.
    ImageGeneration {
        id: ItemId,
        status: String,
        revised_prompt: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        transparent_background: Option<bool>,
        failure: Option<ImageGenerationFailure>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        saved_path: Option<AbsolutePathBuf>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        input_images: Vec<ImageGenerationInputImage>,
        generation_id: Option<String>,
        #[serde(flatten)]
        output: ImageGenerationOutput,
    },
    /// A review begins.
    EnteredReviewMode { id: ItemId, review: String },
    /// A review has ended.
    ExitedReviewMode { id: ItemId, review: String },
    /// The history has been summed up to make room.
    ContextCompaction { id: ItemId },
}

/// Tells that an item has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ItemStartedNotification {
    pub(crate) item: TimedItem,
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// In Unix milliseconds.
    pub(crate) started_at_ms: i64,
}

/// Tells the final state of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ItemCompletedNotification {
    pub(crate) item: TimedItem,
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// The size of the content in tokens, where it is known.
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) content_token_count: Option<u64>,
    /// In Unix milliseconds.
    pub(crate) completed_at_ms: i64,
}

/// Is an image: a file that the provider has, or the data in Base64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum ImageGenerationOutput {
    File { file_id: String },
    Inline { result: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(
    test,
    derive(JsonSchema, TS),
    schemars(rename = "ThreadItem"),
    ts(rename = "ThreadItem", export_to = "v2/")
)]
/// Is a thing that happens in a turn, and when.
pub(crate) struct TimedItem {
    #[serde(flatten)]
    pub(crate) item: ThreadItem,
    /// In Unix milliseconds.
    #[serde(default)]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) started_at_ms: Option<i64>,
    /// In Unix milliseconds; null while the item goes on.
    #[serde(default)]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) completed_at_ms: Option<i64>,
}
