//! The event lines of old rollouts, which said by themselves what happened instead of storing items.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    case,
    item::{
        Change, Duration, ItemCompleted, file_changes, review_output, stored_change,
        stored_content, stored_search, user_content, wire_search,
    },
    record::payload,
};
use crate::protocol::{
    ItemId, McpToolCallError, McpToolCallResult, McpToolCallStatus, MessagePhase, PatchApplyStatus,
    ThreadItem, TurnId, UserInput,
};

/// An event that older histories are made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum LegacyEvent {
    UserMessage(UserMessage),
    AgentMessage {
        message: String,
        #[serde(default)]
        phase: Option<MessagePhase>,
        #[serde(default)]
        memory_citation: Option<Value>,
    },
    AgentReasoning {
        text: String,
    },
    AgentReasoningRawContent {
        text: String,
    },
    PatchApplyEnd(PatchApplyEnd),
    McpToolCallEnd(McpToolCallEnd),
    WebSearchEnd {
        call_id: ItemId,
        #[serde(default)]
        query: String,
        #[serde(default)]
        action: Option<Value>,
    },
    ContextCompacted,
    EnteredReviewMode {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Value>,
        #[serde(default)]
        user_facing_hint: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<TurnId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<ItemId>,
    },
    ExitedReviewMode {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<TurnId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<ItemId>,
        #[serde(default)]
        review_output: Option<Value>,
    },
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UserMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    pub(crate) message: String,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) images: Vec<String>,
    pub(crate) local_images: Vec<String>,
    pub(crate) audio: Vec<String>,
    pub(crate) local_audio: Vec<String>,
    pub(crate) text_elements: Vec<Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PatchApplyEnd {
    pub(crate) call_id: ItemId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) turn_id: Option<TurnId>,
    #[serde(default)]
    pub(crate) stdout: String,
    #[serde(default)]
    pub(crate) stderr: String,
    #[serde(default)]
    pub(crate) success: bool,
    #[serde(default)]
    pub(crate) changes: BTreeMap<String, Change>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct McpToolCallEnd {
    pub(crate) call_id: ItemId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) turn_id: Option<TurnId>,
    pub(crate) invocation: Invocation,
    #[serde(default)]
    pub(crate) duration: Duration,
    /// `{"Ok": result}` or `{"Err": message}`.
    pub(crate) result: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invocation {
    pub(crate) server: String,
    pub(crate) tool: String,
    #[serde(default)]
    pub(crate) arguments: Value,
}

const KINDS: [&str; 10] = [
    "user_message",
    "agent_message",
    "agent_reasoning",
    "agent_reasoning_raw_content",
    "patch_apply_end",
    "mcp_tool_call_end",
    "web_search_end",
    "context_compacted",
    "entered_review_mode",
    "exited_review_mode",
];

impl LegacyEvent {
    /// The event of this payload; `None` for those that histories are not made of.
    pub(crate) fn decode(kind: &str, raw: &RawValue) -> Option<Self> {
        if KINDS.contains(&kind) { payload(raw) } else { None }
    }

    /// The events that older histories have in the place of an item; `None` when they store it as it is, empty when
    /// they do not know it.
    pub(crate) fn of(completed: &ItemCompleted) -> Option<Vec<Self>> {
        let turn_id = Some(completed.turn_id.clone());
        Some(match &completed.item {
            ThreadItem::UserMessage { client_id, content, .. } => {
                vec![Self::UserMessage(UserMessage::of(client_id.clone(), content))]
            }
            ThreadItem::AgentMessage { text, phase, memory_citation, .. } => {
                let citation = memory_citation
                    .as_ref()
                    .and_then(|citation| serde_json::to_value(citation).ok());
                let memory_citation = citation.map(case::snake_value);
                vec![Self::AgentMessage { message: text.clone(), phase: *phase, memory_citation }]
            }
            ThreadItem::Reasoning { summary, content, .. } => {
                let summary =
                    summary.iter().map(|text| Self::AgentReasoning { text: text.clone() });
                let content = content
                    .iter()
                    .map(|text| Self::AgentReasoningRawContent { text: text.clone() });
                summary.chain(content).collect()
            }
            ThreadItem::FileChange { id, changes, status } => {
                vec![Self::PatchApplyEnd(PatchApplyEnd {
                    call_id: id.clone(),
                    turn_id,
                    stdout: String::new(),
                    stderr: String::new(),
                    success: *status == PatchApplyStatus::Completed,
                    changes: changes.iter().map(stored_change).collect(),
                    status: case::stored(status),
                })]
            }
            ThreadItem::McpToolCall {
                id,
                server,
                tool,
                arguments,
                result,
                error,
                duration_ms,
                ..
            } => {
                let invocation = Invocation {
                    server: server.clone(),
                    tool: tool.clone(),
                    arguments: arguments.clone(),
                };
                let result = match (error, result) {
                    (Some(error), _) => serde_json::json!({"Err": error.message}),
                    (None, result) => serde_json::json!({"Ok": result}),
                };
                let duration = Duration::of(duration_ms.unwrap_or_default());
                vec![Self::McpToolCallEnd(McpToolCallEnd {
                    call_id: id.clone(),
                    turn_id,
                    invocation,
                    duration,
                    result,
                })]
            }
            ThreadItem::WebSearch { id, query, action, .. } => {
                let action = action.as_ref().map(stored_search);
                vec![Self::WebSearchEnd { call_id: id.clone(), query: query.clone(), action }]
            }
            ThreadItem::EnteredReviewMode { id, review } => vec![Self::EnteredReviewMode {
                target: Some(serde_json::json!({"type": "custom", "instructions": review})),
                user_facing_hint: Some(review.clone()),
                turn_id,
                item_id: Some(id.clone()),
            }],
            ThreadItem::ExitedReviewMode { id, review } => vec![Self::ExitedReviewMode {
                turn_id,
                item_id: Some(id.clone()),
                review_output: Some(review_output(review)),
            }],
            ThreadItem::ContextCompaction { .. } => vec![Self::ContextCompacted],
            ThreadItem::Plan { .. } => return None,
            ThreadItem::CommandExecution { .. }
            | ThreadItem::DynamicToolCall { .. }
            | ThreadItem::CollabAgentToolCall { .. }
            | ThreadItem::SubAgentActivity { .. }
            | ThreadItem::ImageView { .. }
            | ThreadItem::ImageGeneration { .. }
            | ThreadItem::FunctionCallOutput { .. }
            | ThreadItem::HookPrompt { .. }
            | ThreadItem::Sleep { .. } => Vec::new(),
        })
    }

    /// The turn that the event names.
    pub(crate) fn turn_id(&self) -> Option<&TurnId> {
        match self {
            Self::PatchApplyEnd(PatchApplyEnd { turn_id, .. })
            | Self::McpToolCallEnd(McpToolCallEnd { turn_id, .. })
            | Self::EnteredReviewMode { turn_id, .. }
            | Self::ExitedReviewMode { turn_id, .. } => turn_id.as_ref(),
            Self::UserMessage(_)
            | Self::AgentMessage { .. }
            | Self::AgentReasoning { .. }
            | Self::AgentReasoningRawContent { .. }
            | Self::WebSearchEnd { .. }
            | Self::ContextCompacted => None,
        }
    }

    /// The item that the event amounts to; `made_up` gives an id to those without one.
    pub(crate) fn item(&self, made_up: impl FnOnce() -> ItemId) -> ThreadItem {
        match self {
            Self::UserMessage(message) => ThreadItem::UserMessage {
                id: made_up(),
                client_id: message.client_id.clone(),
                content: message.content(),
            },
            Self::AgentMessage { message, phase, memory_citation } => ThreadItem::AgentMessage {
                id: made_up(),
                text: message.clone(),
                phase: *phase,
                memory_citation: memory_citation
                    .clone()
                    .and_then(|citation| serde_json::from_value(case::camel_value(citation)).ok()),
                moderation: None,
                delivery: None,
                questions: None,
            },
            Self::AgentReasoning { text } => ThreadItem::Reasoning {
                id: made_up(),
                summary: vec![text.clone()],
                content: Vec::new(),
            },
            Self::AgentReasoningRawContent { text } => ThreadItem::Reasoning {
                id: made_up(),
                summary: Vec::new(),
                content: vec![text.clone()],
            },
            Self::PatchApplyEnd(patch) => patch.item(),
            Self::McpToolCallEnd(call) => call.item(),
            Self::WebSearchEnd { call_id, query, action } => ThreadItem::WebSearch {
                id: call_id.clone(),
                query: query.clone(),
                action: action.clone().and_then(wire_search),
                results: None,
            },
            Self::ContextCompacted => ThreadItem::ContextCompaction { id: made_up() },
            Self::EnteredReviewMode { user_facing_hint, item_id, .. } => {
                ThreadItem::EnteredReviewMode {
                    id: item_id.clone().unwrap_or_else(made_up),
                    review: user_facing_hint.clone().unwrap_or_default(),
                }
            }
            Self::ExitedReviewMode { review_output, item_id, .. } => ThreadItem::ExitedReviewMode {
                id: item_id.clone().unwrap_or_else(made_up),
                review: super::item::review_text(review_output.as_ref()),
            },
        }
    }
}

impl UserMessage {
    /// Images of one kind and audio are lists of their own here; what else a client can send is lost.
    fn of(client_id: Option<String>, content: &[UserInput]) -> Self {
        let mut message = Self { client_id, ..Self::default() };
        for part in stored_content(content) {
            let text = |member: &str| part.get(member).and_then(Value::as_str).map(str::to_owned);
            message.images.extend(text("image_url"));
            message.audio.extend(text("audio_url"));
            match text("type").as_deref() {
                Some("text") => {
                    message.message.push_str(&text("text").unwrap_or_default());
                    message
                        .text_elements
                        .extend(part["text_elements"].as_array().into_iter().flatten().cloned());
                }
                Some("local_image") => message.local_images.extend(text("path")),
                Some("local_audio") => message.local_audio.extend(text("path")),
                _ => {}
            }
        }
        message
    }

    /// The message as the parts that a client sent.
    pub(crate) fn content(&self) -> Vec<UserInput> {
        let part = |kind: &str, member: &str, value: &String| serde_json::json!({"type": kind, member: value});
        let mut parts = Vec::new();
        if !self.message.is_empty() {
            parts.push(serde_json::json!({
                "type": "text", "text": self.message, "text_elements": self.text_elements,
            }));
        }
        parts.extend(self.images.iter().map(|url| part("image", "image_url", url)));
        parts.extend(self.local_images.iter().map(|path| part("local_image", "path", path)));
        parts.extend(self.audio.iter().map(|url| part("audio", "audio_url", url)));
        parts.extend(self.local_audio.iter().map(|path| part("local_audio", "path", path)));
        user_content(parts)
    }
}

impl PatchApplyEnd {
    fn item(&self) -> ThreadItem {
        let stored: Option<PatchApplyStatus> = self.status.as_deref().and_then(case::wire);
        let status =
            if self.success { PatchApplyStatus::Completed } else { PatchApplyStatus::Failed };
        ThreadItem::FileChange {
            id: self.call_id.clone(),
            changes: file_changes(self.changes.clone()),
            status: stored.unwrap_or(status),
        }
    }
}

impl McpToolCallEnd {
    fn item(&self) -> ThreadItem {
        let result = self.result.get("Ok").cloned();
        let failed =
            result.as_ref().is_none_or(|result| result.get("isError") == Some(&Value::Bool(true)));
        let result: Option<McpToolCallResult> =
            result.and_then(|result| serde_json::from_value(result).ok());
        let error = self.result.get("Err").and_then(Value::as_str);
        ThreadItem::McpToolCall {
            id: self.call_id.clone(),
            server: self.invocation.server.clone(),
            tool: self.invocation.tool.clone(),
            arguments: self.invocation.arguments.clone(),
            status: if failed { McpToolCallStatus::Failed } else { McpToolCallStatus::Completed },
            result,
            error: error.map(|message| McpToolCallError { message: message.to_owned() }),
            duration_ms: Some(self.duration.ms()),
            app_context: None,
            mcp_app_resource_uri: None,
            mcp_app_ui: None,
            plugin_id: None,
            read_only_hint: None,
        }
    }
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
