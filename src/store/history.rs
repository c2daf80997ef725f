//! The model's side of a history: the response items that a request starts with, after compactions and roll-backs.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{
    legacy::LegacyEvent,
    record::{Compacted, Record, payload},
};
use crate::protocol::ThreadItem;
use crate::util;

/// What the model has seen and said, verbatim, oldest first.
pub(crate) fn model_history(records: &[Record]) -> Vec<Box<RawValue>> {
    let mut view = View::default();
    for record in records {
        view.push(record);
    }
    view.items.into_iter().map(Cow::into_owned).collect()
}

#[derive(Default)]
struct View<'a> {
    items: Vec<Cow<'a, RawValue>>,
    /// Where each turn of the user begins in `items`.
    turns: Vec<usize>,
    /// Where the open turn begins, until its first message is there.
    start: Option<usize>,
    in_turn: bool,
}

impl<'a> View<'a> {
    fn push(&mut self, record: &'a Record) {
        match record {
            Record::History(raw) => self.items.push(Cow::Borrowed(raw)),
            Record::TurnStarted(_) => {
                self.start = Some(self.items.len());
                self.in_turn = true;
            }
            Record::TurnCompleted(_) | Record::TurnAborted(_) => {
                self.start = None;
                self.in_turn = false;
            }
            Record::Item(item) if matches!(item.item, ThreadItem::UserMessage { .. }) => {
                self.user();
            }
            Record::Legacy(LegacyEvent::UserMessage(_)) => self.user(),
            Record::Compacted(compacted) => self.compact(compacted),
            Record::RolledBack { num_turns } => self.roll_back(*num_turns),
            Record::Meta(_)
            | Record::TurnContext(_)
            | Record::Settings(_)
            | Record::Item(_)
            | Record::Usage(_)
            | Record::TokenUsageRecord(_)
            | Record::WorldState(_)
            | Record::Goal(_)
            | Record::Legacy(_)
            | Record::Other => {}
        }
    }

    /// A message of the user has been added: it begins a turn, unless it was sent into one.
    fn user(&mut self) {
        match self.start.take() {
            Some(start) => self.turns.push(start),
            None if self.in_turn => {}
            None => {
                let message = self
                    .items
                    .iter()
                    .rposition(|item| message_of(item).is_some_and(|item| item.role == "user"));
                self.turns.push(message.unwrap_or(self.items.len()));
            }
        }
    }

    fn roll_back(&mut self, turns: u32) {
        let kept = self.turns.len().saturating_sub(usize::try_from(turns).unwrap_or(usize::MAX));
        if let Some(&end) = self.turns.get(kept) {
            self.items.truncate(end);
            self.turns.truncate(kept);
        }
    }

    fn compact(&mut self, compacted: &'a Compacted) {
        self.turns.clear();
        self.start = None;
        self.items = match &compacted.replacement {
            Some(items) => items.iter().map(|item| Cow::Borrowed(&**item)).collect(),
            None => {
                // Old files say only what was summed up: what the user has asked for stands before it.
                let asked = self
                    .items
                    .iter()
                    .filter_map(|item| message_of(item))
                    .filter(Message::is_request);
                let texts = asked.map(|message| message.text()).chain([compacted.message.clone()]);
                texts.map(|text| Cow::Owned(user_message(&text))).collect()
            }
        };
    }
}

/// Whether an input item is something that the user has said. Texts that begin with `summary` are ours.
pub(crate) fn is_request(item: &str, summary: &str) -> bool {
    // Most items are no messages: look before decoding.
    item.contains("\"user\"")
        && serde_json::from_str::<Message>(item).is_ok_and(|message| {
            message.kind == "message"
                && message.is_request()
                && !message.text().starts_with(summary)
        })
}

/// Whether an input item is something that the user or the model has said.
pub(crate) fn is_message(item: &str, summary: &str) -> bool {
    is_request(item, summary)
        || (item.contains("\"assistant\"")
            && serde_json::from_str::<Message>(item)
                .is_ok_and(|message| message.kind == "message" && message.role == "assistant"))
}

fn user_message(text: &str) -> Box<RawValue> {
    util::json::raw(&json!({
        "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}],
    }))
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

/// What the harness tells the model in the name of the user begins with one of these.
const CONTEXT: [&str; 12] = [
    "<environment_context>",
    "<user_instructions>",
    "<turn_aborted>",
    "<user_shell_command>",
    "<user_action>",
    "<subagent_notification>",
    "<hook_prompt",
    "<skill>",
    "<codex_internal_context",
    "<permissions instructions>",
    "<skills_instructions>",
    "# AGENTS.md instructions",
];

fn message_of(item: &RawValue) -> Option<Message> {
    payload::<Message>(item).filter(|message| message.kind == "message")
}

impl Message {
    fn text(&self) -> String {
        self.content.iter().map(|part| &*part.text).collect()
    }

    /// Whether the user has said it.
    fn is_request(&self) -> bool {
        let text = self.text();
        self.role == "user" && !CONTEXT.iter().any(|opening| text.trim_start().starts_with(opening))
    }
}
