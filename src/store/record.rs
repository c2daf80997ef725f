//! The lines of a rollout, typed: what is known of them, decoded from and encoded to JSON. One line is one record.
//! Decoding looks at a line's `type` (and an event's) first, so what nobody needs is skipped and not built. Knows
//! nothing of files.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    item::ItemCompleted,
    legacy::LegacyEvent,
    meta::SessionMeta,
    settings::{SettingsApplied, TurnContext},
};
use crate::protocol::{CodexErrorInfo, ThreadId, TokenUsageBreakdown, TurnError, TurnId};
use crate::util;

/// One line of a rollout. What is not known is `Other` and means nothing.
#[derive(Debug, Clone)]
#[expect(clippy::enum_variant_names, reason = "the name is that of the line")]
pub(crate) enum Record {
    Meta(Box<SessionMeta>),
    TurnContext(Box<TurnContext>),
    Settings(Box<SettingsApplied>),
    TurnStarted(TurnStarted),
    TurnCompleted(TurnCompleted),
    TurnAborted(TurnAborted),
    Item(Box<ItemCompleted>),
    /// What the model sees: a response item, verbatim.
    History(Box<RawValue>),
    Usage(Box<TokenCount>),
    TokenUsageRecord(Box<TokenUsageRecord>),
    /// The history up to here is replaced.
    Compacted(Compacted),
    /// What context the model has been told, verbatim.
    WorldState(Box<RawValue>),
    /// The goal of the thread, verbatim, as its event.
    Goal(Box<RawValue>),
    /// The last turns of the user are gone.
    RolledBack {
        num_turns: u32,
    },
    Legacy(LegacyEvent),
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TurnStarted {
    pub(crate) turn_id: TurnId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root_turn_id: Option<TurnId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model_context_window: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) collaboration_mode_kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) turn_attribution: Option<TurnAttribution>,
}

/// Why a turn started, and on whose behalf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TurnAttribution {
    pub(crate) turn_id: TurnId,
    /// `goal`, `queue`; absent for a turn that a client started.
    #[serde(default)]
    pub(crate) turn_trigger: Option<String>,
    #[serde(default)]
    pub(crate) parent_turn_id: Option<TurnId>,
    /// The message of the thread's queue that the turn begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) queued_submission_id: Option<String>,
    #[serde(default)]
    pub(crate) initiating_agent_path: Option<String>,
    #[serde(default)]
    pub(crate) root_turn_id: Option<TurnId>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TurnCompleted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root_turn_id: Option<TurnId>,
    #[serde(default)]
    pub(crate) turn_id: Option<TurnId>,
    #[serde(default)]
    pub(crate) last_agent_message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<StoredError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) completed_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_to_first_token_ms: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TurnAborted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root_turn_id: Option<TurnId>,
    #[serde(default)]
    pub(crate) turn_id: Option<TurnId>,
    pub(crate) reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) completed_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<i64>,
}

/// Why a turn failed, as it is stored: the kind in snake case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredError {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) codex_error_info: Option<serde_json::Value>,
}

impl From<&TurnError> for StoredError {
    fn from(error: &TurnError) -> Self {
        let info = error.codex_error_info.as_ref().and_then(|info| serde_json::to_value(info).ok());
        Self {
            message: error.message.clone(),
            codex_error_info: info.map(super::case::snake_value),
        }
    }
}

impl From<&StoredError> for TurnError {
    fn from(error: &StoredError) -> Self {
        let info = error.codex_error_info.clone().map(super::case::camel_value);
        let info: Option<CodexErrorInfo> = info.and_then(|info| serde_json::from_value(info).ok());
        Self {
            message: error.message.clone(),
            codex_error_info: info,
            additional_details: None,
            misalignment: None,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TokenCount {
    #[serde(default)]
    pub(crate) info: Option<TokenInfo>,
    #[serde(default)]
    pub(crate) rate_limits: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenInfo {
    pub(crate) total_token_usage: TokenUsage,
    pub(crate) last_token_usage: TokenUsage,
    #[serde(default)]
    pub(crate) last_usage_includes_reasoning: bool,
    #[serde(default)]
    pub(crate) model_context_window: Option<i64>,
}

/// Token counts in snake case; the wire's are [`TokenUsageBreakdown`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TokenUsage {
    pub(crate) input_tokens: i64,
    pub(crate) cached_input_tokens: i64,
    pub(crate) cache_write_input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) reasoning_output_tokens: i64,
    pub(crate) total_tokens: i64,
}

impl From<&TokenUsageBreakdown> for TokenUsage {
    fn from(usage: &TokenUsageBreakdown) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            cached_input_tokens: usage.cached_input_tokens,
            cache_write_input_tokens: usage.cache_write_input_tokens,
            output_tokens: usage.output_tokens,
            reasoning_output_tokens: usage.reasoning_output_tokens,
            total_tokens: usage.total_tokens,
        }
    }
}

impl From<&TokenUsage> for TokenUsageBreakdown {
    fn from(usage: &TokenUsage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            cached_input_tokens: usage.cached_input_tokens,
            cache_write_input_tokens: usage.cache_write_input_tokens,
            output_tokens: usage.output_tokens,
            reasoning_output_tokens: usage.reasoning_output_tokens,
            total_tokens: usage.total_tokens,
        }
    }
}

/// What one model response cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenUsageRecord {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) session_id: ThreadId,
    pub(crate) root_turn_id: TurnId,
    pub(crate) response_id: Option<String>,
    pub(crate) usage: TokenUsage,
    pub(crate) turn_token_usage: TokenUsage,
    pub(crate) thread_token_usage: TokenUsage,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Compacted {
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default, rename = "replacement_history", skip_serializing_if = "Option::is_none")]
    pub(crate) replacement: Option<Vec<Box<RawValue>>>,
}

/// A line, before anybody knows what it means.
#[derive(Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(crate) ordinal: Option<u64>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) payload: &'a RawValue,
}

/// The `type` of a payload.
#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// The line of this text; `None` for what is no line of a rollout.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The `type` of an event's payload, `""` for all other lines.
    pub(crate) fn event(&self) -> Cow<'a, str> {
        match &*self.kind {
            "event_msg" => {
                payload::<Tag<'a>>(self.payload).map_or(Cow::Borrowed(""), |tag| tag.kind)
            }
            _ => Cow::Borrowed(""),
        }
    }

    /// When the line was written.
    pub(crate) fn time_ms(&self) -> Option<i64> {
        util::time::parse_rfc3339_millis(self.timestamp.as_deref()?)
    }

    /// What the line says; `Other` for what is not known or does not have the members that it should.
    pub(crate) fn record(&self) -> Record {
        let raw = self.payload;
        let known = match &*self.kind {
            "session_meta" => payload(raw).map(Record::Meta),
            "turn_context" => payload(raw).map(Record::TurnContext),
            "response_item" => Some(Record::History(raw.to_owned())),
            "world_state" => Some(Record::WorldState(raw.to_owned())),
            "token_usage_record" => payload(raw).map(Record::TokenUsageRecord),
            "compacted" => payload(raw).map(Record::Compacted),
            "event_msg" => event(&self.event(), raw),
            _ => None,
        };
        known.unwrap_or(Record::Other)
    }
}

fn event(kind: &str, raw: &RawValue) -> Option<Record> {
    #[derive(Deserialize)]
    struct RolledBack {
        num_turns: u32,
    }
    match kind {
        "task_started" | "turn_started" => payload(raw).map(Record::TurnStarted),
        "task_complete" | "turn_complete" => payload(raw).map(Record::TurnCompleted),
        "turn_aborted" => payload(raw).map(Record::TurnAborted),
        "item_completed" => ItemCompleted::decode(raw).map(|item| Record::Item(Box::new(item))),
        "token_count" => payload(raw).map(Record::Usage),
        "thread_settings_applied" => payload(raw).map(Record::Settings),
        "thread_goal_updated" => Some(Record::Goal(raw.to_owned())),
        "thread_rolled_back" => payload::<RolledBack>(raw)
            .map(|rolled| Record::RolledBack { num_turns: rolled.num_turns }),
        _ => LegacyEvent::decode(kind, raw).map(Record::Legacy),
    }
}

/// `raw` as a `T`, or nothing.
pub(crate) fn payload<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// An event's members behind its `type`.
#[derive(Serialize)]
struct Event<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

impl Record {
    /// Appends the line of this record, with its `\n`; false and nothing for `Other`, which nobody could read.
    pub(crate) fn encode(&self, timestamp: &str, ordinal: Option<u64>, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.extend_from_slice(b"{\"timestamp\":\"");
        out.extend_from_slice(timestamp.as_bytes());
        if let Some(ordinal) = ordinal {
            out.extend_from_slice(format!("\",\"ordinal\":{ordinal},\"type\":\"").as_bytes());
        } else {
            out.extend_from_slice(b"\",\"type\":\"");
        }
        out.extend_from_slice(self.line_type().as_bytes());
        out.extend_from_slice(b"\",\"payload\":");
        let written = self.encode_payload(out);
        if written {
            out.extend_from_slice(b"}\n");
        } else {
            out.truncate(start);
        }
        written
    }

    fn line_type(&self) -> &'static str {
        match self {
            Self::Meta(_) => "session_meta",
            Self::TurnContext(_) => "turn_context",
            Self::History(_) => "response_item",
            Self::TokenUsageRecord(_) => "token_usage_record",
            Self::Compacted(_) => "compacted",
            Self::WorldState(_) => "world_state",
            Self::Settings(_)
            | Self::TurnStarted(_)
            | Self::TurnCompleted(_)
            | Self::TurnAborted(_)
            | Self::Item(_)
            | Self::Usage(_)
            | Self::Goal(_)
            | Self::RolledBack { .. }
            | Self::Legacy(_)
            | Self::Other => "event_msg",
        }
    }

    fn encode_payload(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Meta(meta) => write(out, meta),
            Self::TurnContext(context) => write(out, context),
            Self::History(raw) | Self::WorldState(raw) | Self::Goal(raw) => write_raw(out, raw),
            Self::TokenUsageRecord(usage) => write(out, usage),
            Self::Compacted(compacted) => write(out, compacted),
            Self::Settings(body) => write(out, &Event { kind: "thread_settings_applied", body }),
            Self::TurnStarted(body) => write(out, &Event { kind: "task_started", body }),
            Self::TurnCompleted(body) => write(out, &Event { kind: "task_complete", body }),
            Self::TurnAborted(body) => write(out, &Event { kind: "turn_aborted", body }),
            Self::Item(body) => body
                .encode()
                .is_some_and(|stored| write(out, &Event { kind: "item_completed", body: &stored })),
            Self::Usage(body) => write(out, &Event { kind: "token_count", body }),
            Self::RolledBack { num_turns } => write(
                out,
                &serde_json::json!({"type": "thread_rolled_back", "num_turns": num_turns}),
            ),
            Self::Legacy(event) => write(out, event),
            Self::Other => false,
        }
    }
}

fn write(out: &mut Vec<u8>, value: &impl Serialize) -> bool {
    serde_json::to_writer(out, value).is_ok()
}

/// Verbatim, but on one line: JSON from elsewhere may be laid out.
fn write_raw(out: &mut Vec<u8>, raw: &RawValue) -> bool {
    match raw.get().contains(['\n', '\r']) {
        false => out.extend_from_slice(raw.get().as_bytes()),
        true => out.extend(raw.get().bytes().filter(|byte| !matches!(byte, b'\n' | b'\r'))),
    }
    true
}
