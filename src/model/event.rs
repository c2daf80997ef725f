//! The events of a response stream: JSON text in, typed events out.
//!
//! Deltas come by the ten thousand, so an event is decoded in one pass over borrowed text and only what is used is
//! kept. What cannot be decoded is skipped: providers send more than we know.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{Detail, Error};
use super::item::{OutputItem, on_one_line};
use crate::protocol::ModelVerification;

/// What can happen while the model answers.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    /// The model has begun to answer.
    Headers(ResponseHeaders),
    Created,
    ItemAdded(OutputItem),
    /// Here and in the next ones, `id` is the item that grows, if the provider says which.
    TextDelta {
        id: Option<String>,
        delta: String,
    },
    SummaryPartAdded {
        id: Option<String>,
        summary_index: i64,
    },
    SummaryDelta {
        id: Option<String>,
        summary_index: i64,
        delta: String,
    },
    ReasoningDelta {
        id: Option<String>,
        content_index: i64,
        delta: String,
    },
    /// More of the input of a custom tool.
    InputDelta {
        delta: String,
    },
    /// `raw` is what the provider sent, on one line.
    ItemDone {
        item: OutputItem,
        raw: Box<RawValue>,
    },
    /// The provider wants the account to be verified.
    Verification(Vec<ModelVerification>),
    /// WebSockets do not work, for this reason; from now on the provider is asked over plain HTTP.
    FellBack(Error),
    /// The last event of an answer.
    Completed {
        usage: Option<Usage>,
        end_turn: Option<bool>,
    },
    /// The last event when there is no (whole) answer.
    Failed(Error),
}

/// What the head of the answer says.
#[derive(Debug, Default)]
pub(crate) struct ResponseHeaders {
    /// To be sent back with the other requests of the same turn.
    pub(crate) turn_state: Option<String>,
    pub(crate) primary_limit: Option<LimitWindow>,
    pub(crate) secondary_limit: Option<LimitWindow>,
    /// The model that answers, where that is worth knowing.
    pub(crate) served_model: Option<String>,
}

impl ResponseHeaders {
    /// The model that answers instead of the one that was asked. A dated name of the same model is none.
    pub(crate) fn rerouted_from(&self, asked: &str) -> Option<&str> {
        let served = self.served_model.as_deref()?;
        let Some(version) = served.strip_prefix(asked) else { return Some(served) };
        let same = version.is_empty()
            || version
                .strip_prefix('-')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        (!same).then_some(served)
    }
}

/// How much of a rate limit is used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LimitWindow {
    pub(crate) used_percent: f64,
    pub(crate) window_minutes: Option<i64>,
    /// Unix seconds.
    pub(crate) resets_at: Option<i64>,
}

/// The tokens of one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input_tokens: i64,
    pub(crate) cached_input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) reasoning_output_tokens: i64,
    pub(crate) total_tokens: i64,
}

impl StreamEvent {
    /// Whether nothing follows.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Failed(_))
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    item_id: Option<String>,
    delta: Option<String>,
    summary_index: Option<i64>,
    content_index: Option<i64>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

/// Decodes the data of one event; `None` for those that mean nothing to us.
pub(super) fn decode(data: &[u8]) -> Option<StreamEvent> {
    let wire: Wire<'_> = serde_json::from_slice(data).ok()?;
    let id = wire.item_id;
    match &*wire.kind {
        "response.output_text.delta" => Some(StreamEvent::TextDelta { id, delta: wire.delta? }),
        "response.reasoning_summary_text.delta" => Some(StreamEvent::SummaryDelta {
            id,
            summary_index: wire.summary_index?,
            delta: wire.delta?,
        }),
        "response.reasoning_text.delta" => Some(StreamEvent::ReasoningDelta {
            id,
            content_index: wire.content_index?,
            delta: wire.delta?,
        }),
        "response.custom_tool_call_input.delta" => {
            Some(StreamEvent::InputDelta { delta: wire.delta? })
        }
        "response.reasoning_summary_part.added" => {
            Some(StreamEvent::SummaryPartAdded { id, summary_index: wire.summary_index? })
        }
        "response.output_item.added" => {
            Some(StreamEvent::ItemAdded(OutputItem::decode(wire.item?)?))
        }
        "response.output_item.done" => {
            let raw = wire.item?;
            Some(StreamEvent::ItemDone { item: OutputItem::decode(raw)?, raw: on_one_line(raw) })
        }
        "response.created" => Some(StreamEvent::Created),
        "response.metadata" => verification(wire.metadata?),
        "response.completed" => Some(completed(wire.response?)),
        "response.failed" => Some(StreamEvent::Failed(Error::failed(failure(wire.response)))),
        "response.incomplete" => {
            Some(StreamEvent::Failed(Error::incomplete(reason(wire.response).as_deref())))
        }
        _ => None,
    }
}

fn verification(metadata: &RawValue) -> Option<StreamEvent> {
    #[derive(Deserialize)]
    struct Metadata {
        openai_verification_recommendation: Vec<String>,
    }
    let Metadata { openai_verification_recommendation: names } =
        serde_json::from_str(metadata.get()).ok()?;
    let known = |name: String| match name.as_str() {
        "trusted_access_for_cyber" => Some(ModelVerification::TrustedAccessForCyber),
        _ => None,
    };
    let verifications: Vec<_> = names.into_iter().filter_map(known).collect();
    (!verifications.is_empty()).then_some(StreamEvent::Verification(verifications))
}

fn completed(response: &RawValue) -> StreamEvent {
    #[derive(Deserialize)]
    struct Completed {
        /// An answer without one is cut off, whatever else it has.
        #[serde(rename = "id")]
        _id: String,
        usage: Option<WireUsage>,
        end_turn: Option<bool>,
    }
    match serde_json::from_str(response.get()) {
        Ok(Completed { usage, end_turn, .. }) => {
            StreamEvent::Completed { usage: usage.map(WireUsage::into_usage), end_turn }
        }
        Err(error) => StreamEvent::Failed(Error::disconnected(&format!(
            "the end of the response cannot be understood: {error}"
        ))),
    }
}

#[derive(Deserialize)]
struct WireUsage {
    input_tokens: i64,
    input_tokens_details: Option<InputDetails>,
    output_tokens: i64,
    output_tokens_details: Option<OutputDetails>,
    total_tokens: Option<i64>,
}

#[derive(Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: i64,
}

#[derive(Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: i64,
}

impl WireUsage {
    fn into_usage(self) -> Usage {
        Usage {
            input_tokens: self.input_tokens,
            cached_input_tokens: self.input_tokens_details.map_or(0, |it| it.cached_tokens),
            output_tokens: self.output_tokens,
            reasoning_output_tokens: self.output_tokens_details.map_or(0, |it| it.reasoning_tokens),
            total_tokens: self.total_tokens.unwrap_or(self.input_tokens + self.output_tokens),
        }
    }
}

fn failure(response: Option<&RawValue>) -> Detail {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Failed {
        error: Option<Detail>,
    }
    decode_or_default::<Failed>(response).error.unwrap_or_default()
}

fn reason(response: Option<&RawValue>) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Incomplete {
        incomplete_details: Option<Details>,
    }
    #[derive(Deserialize)]
    struct Details {
        reason: Option<String>,
    }
    decode_or_default::<Incomplete>(response).incomplete_details?.reason
}

fn decode_or_default<'a, T: Default + Deserialize<'a>>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
