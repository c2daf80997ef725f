//! Finished items as rollouts store them: names in `PascalCase` and `snake_case`, paths as `file:` URIs, durations as
//! seconds and nanoseconds. Both directions, between the stored form and the wire's [`ThreadItem`]. Types that are
//! not known are skipped.

mod agent;
mod message;
#[cfg(test)]
mod tests;
mod tool;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(super) use self::{
    agent::{review_output, review_text},
    message::{stored_content, user_content},
    tool::{Change, Duration, file_changes, stored_change, stored_search, wire_search},
};

use super::record::payload;
use crate::protocol::{ItemId, ThreadId, ThreadItem, TurnId, UserInput};

/// An item that has reached its end.
#[derive(Debug, Clone)]
pub(crate) struct ItemCompleted {
    pub(crate) thread_id: Option<ThreadId>,
    pub(crate) turn_id: TurnId,
    pub(crate) item: ThreadItem,
    pub(crate) started_at_ms: Option<i64>,
    pub(crate) completed_at_ms: Option<i64>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(default)]
    thread_id: Option<ThreadId>,
    turn_id: TurnId,
    #[serde(borrow)]
    item: &'a RawValue,
    #[serde(default)]
    started_at_ms: Option<i64>,
    #[serde(default)]
    completed_at_ms: Option<i64>,
}

/// The members of an `item_completed` event.
#[derive(Serialize)]
pub(crate) struct StoredItem {
    /// Other servers do not read lines without it.
    thread_id: ThreadId,
    turn_id: TurnId,
    item: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at_ms: Option<i64>,
}

impl ItemCompleted {
    /// The item of an event's payload; `None` for a type that is not known.
    pub(crate) fn decode(raw: &RawValue) -> Option<Self> {
        let line: Line<'_> = payload(raw)?;
        Some(Self {
            thread_id: line.thread_id,
            turn_id: line.turn_id,
            item: decode(line.item)?,
            started_at_ms: line.started_at_ms,
            completed_at_ms: line.completed_at_ms,
        })
    }

    /// The members of this item's event; `None` for an item that has no stored form.
    pub(crate) fn encode(&self) -> Option<StoredItem> {
        Some(StoredItem {
            thread_id: self.thread_id.clone().unwrap_or_else(|| ThreadId::from("")),
            turn_id: self.turn_id.clone(),
            item: encode(&self.item)?,
            started_at_ms: self.started_at_ms,
            completed_at_ms: self.completed_at_ms,
        })
    }
}

/// The wire's form of a stored item.
pub(crate) fn decode(raw: &RawValue) -> Option<ThreadItem> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
    }
    decoder(&payload::<Head<'_>>(raw)?.kind)?(raw)
}

/// Whether items of this type have a form on the wire.
pub(super) fn is_known(kind: &str) -> bool {
    decoder(kind).is_some()
}

/// What reads items of a type.
fn decoder(kind: &str) -> Option<fn(&RawValue) -> Option<ThreadItem>> {
    Some(match kind {
        "UserMessage" => |raw| payload::<message::User>(raw)?.wire(),
        "AgentMessage" => |raw| payload::<message::Agent>(raw)?.wire(),
        "Reasoning" => |raw| payload::<message::Reasoning>(raw)?.wire(),
        "FunctionCallOutput" => |raw| payload::<tool::Output>(raw)?.wire(),
        "Plan" => |raw| payload::<message::Plan>(raw)?.wire(),
        "ContextCompaction" => |raw| payload::<Bare>(raw)?.compaction(),
        "EnteredReviewMode" => |raw| payload::<agent::Entered>(raw)?.wire(),
        "ExitedReviewMode" => |raw| payload::<agent::Exited>(raw)?.wire(),
        "CollabAgentToolCall" => |raw| payload::<agent::Collab>(raw)?.wire(),
        "SubAgentActivity" => |raw| payload::<agent::Activity>(raw)?.wire(),
        "CommandExecution" => |raw| payload::<tool::Command>(raw)?.wire(),
        "FileChange" => |raw| payload::<tool::FileChange>(raw)?.wire(),
        "McpToolCall" => |raw| payload::<tool::Mcp>(raw)?.wire(),
        "DynamicToolCall" => |raw| payload::<tool::Dynamic>(raw)?.wire(),
        "WebSearch" => |raw| payload::<tool::WebSearch>(raw)?.wire(),
        "Extension" => |raw| payload::<tool::Extension>(raw)?.wire(),
        "ImageView" => |raw| payload::<tool::ImageView>(raw)?.wire(),
        _ => return None,
    })
}

/// The stored form of an item.
pub(crate) fn encode(item: &ThreadItem) -> Option<Box<RawValue>> {
    match item {
        ThreadItem::UserMessage { .. } => {
            message::User::of(item).map(|stored| tagged("UserMessage", &stored))
        }
        ThreadItem::AgentMessage { .. } => {
            message::Agent::of(item).map(|stored| tagged("AgentMessage", &stored))
        }
        ThreadItem::Reasoning { .. } => {
            message::Reasoning::of(item).map(|stored| tagged("Reasoning", &stored))
        }
        ThreadItem::Plan { id, text } => {
            Some(tagged("Plan", &message::Plan { id: id.clone(), text: text.clone() }))
        }
        ThreadItem::ContextCompaction { id } => {
            Some(tagged("ContextCompaction", &Bare { id: id.clone() }))
        }
        ThreadItem::EnteredReviewMode { id, review } => {
            Some(tagged("EnteredReviewMode", &agent::Entered::of(id, review)))
        }
        ThreadItem::ExitedReviewMode { id, review } => {
            Some(tagged("ExitedReviewMode", &agent::Exited::of(id, review)))
        }
        ThreadItem::CollabAgentToolCall { .. } => {
            agent::Collab::of(item).map(|stored| tagged("CollabAgentToolCall", &stored))
        }
        ThreadItem::SubAgentActivity { .. } => {
            agent::Activity::of(item).map(|stored| tagged("SubAgentActivity", &stored))
        }
        ThreadItem::CommandExecution { .. } => {
            tool::Command::of(item).map(|stored| tagged("CommandExecution", &stored))
        }
        ThreadItem::FileChange { .. } => {
            tool::FileChange::of(item).map(|stored| tagged("FileChange", &stored))
        }
        ThreadItem::McpToolCall { .. } => {
            tool::Mcp::of(item).map(|stored| tagged("McpToolCall", &stored))
        }
        ThreadItem::DynamicToolCall { .. } => {
            tool::Dynamic::of(item).map(|stored| tagged("DynamicToolCall", &stored))
        }
        ThreadItem::WebSearch { .. } => {
            tool::WebSearch::of(item).map(|stored| tagged("WebSearch", &stored))
        }
        ThreadItem::ImageView { .. } => {
            tool::ImageView::of(item).map(|stored| tagged("ImageView", &stored))
        }
        ThreadItem::Sleep { id, duration_ms } => {
            Some(tagged("Extension", &tool::Extension::sleep(id, *duration_ms)))
        }
        ThreadItem::FunctionCallOutput { .. } => {
            tool::Output::of(item).map(|stored| tagged("FunctionCallOutput", &stored))
        }
        ThreadItem::HookPrompt { .. } | ThreadItem::ImageGeneration { .. } => None,
    }
}

/// What the user or the agent has said with an item, as one text; `None` for all other items.
pub(crate) fn said(item: &ThreadItem) -> Option<Cow<'_, str>> {
    if let ThreadItem::AgentMessage { text, .. } = item {
        return Some(Cow::Borrowed(text));
    }
    let ThreadItem::UserMessage { content, .. } = item else { return None };
    let mut texts = Vec::new();
    for part in content {
        if let UserInput::Text { text, .. } = part {
            texts.push(&**text);
        }
    }
    Some(Cow::Owned(texts.join("\n")))
}

/// The id of an item.
pub(crate) fn item_id(item: &ThreadItem) -> &ItemId {
    match item {
        ThreadItem::UserMessage { id, .. }
        | ThreadItem::HookPrompt { id, .. }
        | ThreadItem::AgentMessage { id, .. }
        | ThreadItem::FunctionCallOutput { id, .. }
        | ThreadItem::Plan { id, .. }
        | ThreadItem::Reasoning { id, .. }
        | ThreadItem::CommandExecution { id, .. }
        | ThreadItem::FileChange { id, .. }
        | ThreadItem::McpToolCall { id, .. }
        | ThreadItem::DynamicToolCall { id, .. }
        | ThreadItem::CollabAgentToolCall { id, .. }
        | ThreadItem::SubAgentActivity { id, .. }
        | ThreadItem::WebSearch { id, .. }
        | ThreadItem::ImageView { id, .. }
        | ThreadItem::Sleep { id, .. }
        | ThreadItem::ImageGeneration { id, .. }
        | ThreadItem::EnteredReviewMode { id, .. }
        | ThreadItem::ExitedReviewMode { id, .. }
        | ThreadItem::ContextCompaction { id } => id,
    }
}

fn tagged(kind: &'static str, body: &impl Serialize) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Tagged<'a, T> {
        #[serde(rename = "type")]
        kind: &'static str,
        #[serde(flatten)]
        body: &'a T,
    }
    crate::util::json::raw(&Tagged { kind, body })
}

/// An item without members.
#[derive(Serialize, Deserialize)]
struct Bare {
    id: ItemId,
}

impl Bare {
    fn compaction(self) -> Option<ThreadItem> {
        Some(ThreadItem::ContextCompaction { id: self.id })
    }
}
