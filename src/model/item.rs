//! The items that a response consists of: what of them we understand, and the form in which they go back.
//!
//! The model is shown its own items again as the bytes that it sent; only ids, and what reasoning may carry, have
//! rules of their own.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::protocol::{MessagePhase, WebSearchAction};
use crate::util::json::raw;

/// One item of the model's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OutputItem {
    Message {
        id: Option<String>,
        role: String,
        phase: Option<MessagePhase>,
        /// `None` for a message that holds nothing but a refusal.
        text: Option<String>,
    },
    Reasoning {
        id: Option<String>,
        summary: Vec<String>,
        content: Vec<String>,
    },
    FunctionCall {
        id: Option<String>,
        call_id: String,
        name: String,
        namespace: Option<String>,
        /// JSON text.
        arguments: String,
    },
    CustomToolCall {
        id: Option<String>,
        call_id: String,
        name: String,
        input: String,
    },
    /// A search for tools that is ours to do.
    ToolSearchCall {
        call_id: String,
        /// JSON text.
        arguments: String,
    },
    WebSearchCall {
        id: Option<String>,
        /// What was looked for, in words.
        query: String,
        action: WebSearchAction,
    },
    /// What stands for everything before it, in the provider's own form.
    Compaction,
    Other,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    id: Option<String>,
    role: Option<String>,
    #[serde(borrow)]
    phase: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    summary: Option<&'a RawValue>,
    call_id: Option<String>,
    execution: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
}

impl OutputItem {
    /// `None` when the item lacks what its kind must have.
    pub(super) fn decode(item: &RawValue) -> Option<Self> {
        let wire: Wire<'_> = serde_json::from_str(item.get()).ok()?;
        match &*wire.kind {
            "message" => Some(Self::Message {
                id: wire.id,
                role: wire.role?,
                phase: wire.phase.and_then(decoded),
                text: message_text(wire.content)?,
            }),
            "reasoning" => Some(Self::Reasoning {
                id: wire.id,
                summary: texts(wire.summary)?,
                content: texts(wire.content)?,
            }),
            "function_call" => Some(Self::FunctionCall {
                id: wire.id,
                call_id: wire.call_id?,
                name: wire.name?,
                namespace: wire.namespace,
                arguments: text_or_json(wire.arguments?),
            }),
            "custom_tool_call" => Some(Self::CustomToolCall {
                id: wire.id,
                call_id: wire.call_id?,
                name: wire.name?,
                input: decoded(wire.input?)?,
            }),
            "tool_search_call" if wire.execution.as_deref() == Some("client") => {
                Some(Self::ToolSearchCall {
                    call_id: wire.call_id?,
                    arguments: text_or_json(wire.arguments?),
                })
            }
            "web_search_call" => {
                let (query, action) = web_search(wire.action);
                Some(Self::WebSearchCall { id: wire.id, query, action })
            }
            "compaction" => Some(Self::Compaction),
            _ => Some(Self::Other),
        }
    }
}

fn decoded<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Some servers send arguments as an object instead of its text.
fn text_or_json(raw: &RawValue) -> String {
    decoded(raw).unwrap_or_else(|| raw.get().to_owned())
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

fn parts(raw: Option<&RawValue>) -> Option<Vec<Part>> {
    match raw {
        None => Some(Vec::new()),
        Some(raw) => decoded(raw),
    }
}

fn texts(raw: Option<&RawValue>) -> Option<Vec<String>> {
    Some(parts(raw)?.into_iter().map(|part| part.text).collect())
}

fn message_text(raw: Option<&RawValue>) -> Option<Option<String>> {
    let parts = parts(raw)?;
    let refused = parts.iter().any(|part| part.kind == "refusal");
    let mut texts = parts.into_iter().filter(|part| part.kind != "refusal").map(|part| part.text);
    Some(match texts.next() {
        None if refused => None,
        None => Some(String::new()),
        Some(mut first) => {
            texts.for_each(|text| first.push_str(&text));
            Some(first)
        }
    })
}

fn web_search(action: Option<&RawValue>) -> (String, WebSearchAction) {
    #[derive(Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Action {
        Search { query: Option<String>, queries: Option<Vec<String>> },
        OpenPage { url: Option<String> },
        FindInPage { url: Option<String>, pattern: Option<String> },
    }
    match action.and_then(decoded) {
        Some(Action::Search { query, queries }) => {
            (query.clone().unwrap_or_default(), WebSearchAction::Search { query, queries })
        }
        Some(Action::OpenPage { url }) => {
            (url.clone().unwrap_or_default(), WebSearchAction::OpenPage { url })
        }
        Some(Action::FindInPage { url, pattern }) => {
            let query = format!(
                "'{}' in {}",
                pattern.as_deref().unwrap_or_default(),
                url.as_deref().unwrap_or_default()
            );
            (query, WebSearchAction::FindInPage { url, pattern })
        }
        None => (String::new(), WebSearchAction::Other),
    }
}

/// The item without line breaks, which JSON allows between its tokens but a line of JSON does not.
pub(super) fn on_one_line(item: &RawValue) -> Box<RawValue> {
    let text = item.get();
    if !text.contains(['\n', '\r']) {
        return item.to_owned();
    }
    let text = text.replace(['\n', '\r'], "");
    RawValue::from_string(text).unwrap_or_else(|_| item.to_owned())
}

/// An item of the model's as it goes back to the model.
///
/// An id stays when it has the prefix of its kind; another one is left out, and a missing one is made up. Reasoning
/// is reduced to what providers take back.
pub(crate) fn history_item(item: &RawValue) -> Box<RawValue> {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(item.get()) else { return item.to_owned() };
    let Some(kind) = fields.text("type") else { return item.to_owned() };
    let Some(prefix) = id_prefix(&kind) else { return item.to_owned() };
    let id = fields.text("id");
    let keeps_id = id.as_ref().is_some_and(|id| id.starts_with(prefix));
    if kind == "reasoning" {
        return raw(&fields.reasoning(id, prefix));
    }
    if keeps_id {
        return item.to_owned();
    }
    let new_id = match id {
        Some(_) => None,
        None => Some(raw(&new_id(prefix))),
    };
    raw(&fields.with_id(new_id.as_deref()))
}

/// An item that is on disk as it goes to the model. Other servers keep notes of their own in it, and ids that they do
/// not send; items of ours are returned as they are, so that the model sees the same bytes again.
pub(crate) fn stored_item(item: Box<RawValue>) -> Box<RawValue> {
    if !item.get().contains(NOTES) {
        return item;
    }
    let Ok(mut fields) = serde_json::from_str::<Fields<'_>>(item.get()) else { return item };
    let prefix = fields.text("type").and_then(|kind| id_prefix(&kind));
    let id = fields.text("id");
    let foreign = prefix.zip(id).is_some_and(|(prefix, id)| !id.starts_with(prefix));
    fields.0.retain(|(key, _)| key != NOTES && !(foreign && key == "id"));
    raw(&fields)
}

/// Where the reference keeps what it knows of an item.
const NOTES: &str = "internal_chat_message_metadata_passthrough";

/// A fresh id of ours for an item with this prefix.
fn new_id(prefix: &str) -> String {
    format!("{prefix}{}", Uuid::now_v7())
}

/// What ids of this kind of item begin with; `None` for kinds whose ids are not our business.
fn id_prefix(kind: &str) -> Option<&'static str> {
    match kind {
        "message" => Some("msg_"),
        "reasoning" => Some("rs_"),
        "function_call" => Some("fc_"),
        "custom_tool_call" => Some("ctc_"),
        "web_search_call" => Some("ws_"),
        _ => None,
    }
}

/// The members of an object in their order, undecoded.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(decoded::<Text<'_>>).map(|text| text.0)
    }

    /// The same object with another id, or none.
    fn with_id<'b>(self, id: Option<&'b RawValue>) -> Fields<'b>
    where
        'a: 'b,
    {
        let mut fields: Vec<(Cow<'b, str>, &'b RawValue)> = self.0;
        fields.retain(|(key, _)| key != "id");
        if let Some(id) = id {
            let after_type =
                fields.iter().position(|(key, _)| key == "type").map_or(0, |at| at + 1);
            fields.insert(after_type, (Cow::Borrowed("id"), id));
        }
        Fields(fields)
    }

    fn reasoning(&self, id: Option<Cow<'a, str>>, prefix: &str) -> Reasoning<'a> {
        let id = match id {
            Some(id) if id.starts_with(prefix) => Some(id),
            Some(_) => None,
            None => Some(Cow::Owned(new_id(prefix))),
        };
        Reasoning {
            kind: "reasoning",
            id,
            summary: self.get("summary"),
            content: self.get("content"),
            encrypted_content: self.get("encrypted_content"),
        }
    }
}

/// A string, borrowed when it holds no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Serialize)]
struct Reasoning<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(serialize_with = "list")]
    summary: Option<&'a RawValue>,
    content: Option<&'a RawValue>,
    encrypted_content: Option<&'a RawValue>,
}

/// A summary is required, if only an empty one.
fn list<S: Serializer>(list: &Option<&RawValue>, serializer: S) -> Result<S::Ok, S::Error> {
    match list {
        Some(list) => list.serialize(serializer),
        None => serializer.collect_seq(std::iter::empty::<()>()),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(Text(key)) = map.next_key()? {
                    fields.push((key, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
