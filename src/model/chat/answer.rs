//! Chunks of an answer to events: texts as they come, whole items at the end.
//!
//! Servers differ. Fragments of calls may lack their index or id, repeat names, or hold arguments as an object;
//! thoughts have two names; the usage comes in a chunk of its own, or with the last one, or not at all.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::tool::{Tool, Tools, text_of_arguments};
use crate::model::error::{Detail, Error};
use crate::model::event::{StreamEvent, Usage};
use crate::model::item::OutputItem;
use crate::util::json::raw;

/// An answer as far as it has come.
pub(crate) struct Answer {
    tools: Tools,
    reasoning: Option<Text>,
    message: Option<Text>,
    calls: Vec<Call>,
    usage: Option<Usage>,
    /// Why the model has stopped.
    finish: Option<String>,
    is_over: bool,
}

/// A text that grows.
struct Text {
    id: String,
    text: String,
}

#[derive(Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    usage: Option<WireUsage>,
    error: Option<Detail>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
    #[serde(borrow)]
    tool_calls: Option<Vec<Fragment<'a>>>,
}

#[derive(Deserialize)]
struct Fragment<'a> {
    index: Option<u64>,
    id: Option<String>,
    #[serde(borrow)]
    function: Option<FunctionFragment<'a>>,
}

#[derive(Deserialize)]
struct FunctionFragment<'a> {
    name: Option<String>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: i64,
    #[serde(default)]
    completion_tokens: i64,
    total_tokens: Option<i64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<i64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<i64>,
}

impl Answer {
    pub(crate) fn new(tools: Tools) -> Self {
        Self {
            tools,
            reasoning: None,
            message: None,
            calls: Vec::new(),
            usage: None,
            finish: None,
            is_over: false,
        }
    }

    /// Takes the data of one event. What cannot be understood is skipped.
    pub(crate) fn take(&mut self, data: &[u8], events: &mut Vec<StreamEvent>) {
        if self.is_over {
            return;
        }
        if data.trim_ascii() == b"[DONE]" {
            return self.end(events);
        }
        let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else { return };
        if let Some(detail) = chunk.error {
            self.is_over = true;
            events.push(StreamEvent::Failed(Error::failed(detail)));
            return;
        }
        self.usage = chunk.usage.map(WireUsage::into_usage).or(self.usage.take());
        for choice in chunk.choices.into_iter().flatten() {
            if let Some(delta) = choice.delta {
                self.delta(delta, events);
            }
            self.finish = choice.finish_reason.or(self.finish.take());
        }
    }

    /// Nothing more comes. Only a model that has said why it stops has answered.
    pub(crate) fn end(&mut self, events: &mut Vec<StreamEvent>) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let Some(finish) = self.finish.take() else {
            let cause = "the stream ended without a finish_reason";
            events.push(StreamEvent::Failed(Error::disconnected(cause)));
            return;
        };
        self.reasoning_done(events);
        self.message_done(events);
        let reason = match finish.as_str() {
            // The end is missing, so that the last call may be a part of one.
            "length" => "max_output_tokens",
            "content_filter" => "content_filter",
            _ => {
                self.calls_done(events);
                events.push(StreamEvent::Completed { usage: self.usage.take(), end_turn: None });
                return;
            }
        };
        events.push(StreamEvent::Failed(Error::incomplete(Some(reason))));
    }

    fn delta(&mut self, delta: Delta<'_>, events: &mut Vec<StreamEvent>) {
        let thought = delta.reasoning_content.or(delta.reasoning);
        if let Some(delta) = thought.filter(|text| !text.is_empty()) {
            self.message_done(events);
            let text = self.reasoning.get_or_insert_with(|| {
                let text = Text::new("rs");
                events.push(StreamEvent::ItemAdded(text.reasoning()));
                text
            });
            text.text.push_str(&delta);
            events.push(StreamEvent::ReasoningDelta { id: None, content_index: 0, delta });
        }
        if let Some(delta) = delta.content.map(text_of).filter(|text| !text.is_empty()) {
            self.reasoning_done(events);
            let text = self.message.get_or_insert_with(|| {
                let text = Text::new("msg");
                events.push(StreamEvent::ItemAdded(text.message()));
                text
            });
            text.text.push_str(&delta);
            events.push(StreamEvent::TextDelta { id: None, delta });
        }
        for fragment in delta.tool_calls.into_iter().flatten() {
            self.fragment(fragment);
        }
    }

    fn fragment(&mut self, fragment: Fragment<'_>) {
        let id = fragment.id.filter(|id| !id.is_empty());
        let known = match fragment.index {
            Some(index) => self.calls.iter().position(|call| call.index == Some(index)),
            // Without an index, another id begins another call.
            None => self.calls.len().checked_sub(1).filter(|last| {
                id.as_ref()
                    .is_none_or(|id| self.calls.get(*last).is_some_and(|call| call.id == *id))
            }),
        };
        let at = known.unwrap_or_else(|| {
            self.calls.push(Call { index: fragment.index, ..Call::default() });
            self.calls.len() - 1
        });
        let Some(call) = self.calls.get_mut(at) else { return };
        if let Some(id) = id.filter(|_| call.id.is_empty()) {
            call.id = id;
        }
        let Some(function) = fragment.function else { return };
        if let Some(name) = function.name.filter(|_| call.name.is_empty()) {
            call.name = name;
        }
        if let Some(arguments) = function.arguments.filter(|raw| raw.get() != "null") {
            match serde_json::from_str::<Cow<'_, str>>(arguments.get()) {
                Ok(text) => call.arguments.push_str(&text),
                Err(_) => call.arguments.push_str(arguments.get()),
            }
        }
    }

    fn reasoning_done(&mut self, events: &mut Vec<StreamEvent>) {
        let Some(text) = self.reasoning.take() else { return };
        let wire = raw(&json!({
            "type": "reasoning", "id": text.id, "summary": [],
            "content": [{ "type": "reasoning_text", "text": text.text }], "encrypted_content": null,
        }));
        events.push(StreamEvent::ItemDone { item: text.reasoning(), raw: wire });
    }

    fn message_done(&mut self, events: &mut Vec<StreamEvent>) {
        let Some(text) = self.message.take() else { return };
        let wire = raw(&json!({
            "type": "message", "id": text.id, "role": "assistant",
            "content": [{ "type": "output_text", "text": text.text }],
        }));
        events.push(StreamEvent::ItemDone { item: text.message(), raw: wire });
    }

    fn calls_done(&mut self, events: &mut Vec<StreamEvent>) {
        let mut ids = HashSet::new();
        for call in std::mem::take(&mut self.calls) {
            let mut call_id = call.id;
            if call_id.is_empty() || !ids.insert(call_id.clone()) {
                call_id = format!("call_{}", Uuid::now_v7());
            }
            let arguments = match call.arguments.trim() {
                "" => "{}".to_owned(),
                _ => call.arguments,
            };
            let (item, raw) = match self.tools.called(&call.name) {
                Tool::Function { namespace, name } => function(call_id, namespace, name, arguments),
                Tool::Custom { name } => custom(call_id, name, text_of_arguments(&arguments)),
            };
            events.push(StreamEvent::ItemDone { item, raw });
        }
    }
}

/// Text, or a list of parts of which some are text.
fn text_of(content: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Part {
        #[serde(default)]
        text: String,
    }
    let parts = || serde_json::from_str::<Vec<Part>>(content.get()).unwrap_or_default();
    serde_json::from_str(content.get())
        .unwrap_or_else(|_| parts().into_iter().map(|part| part.text).collect())
}

fn function(
    call_id: String,
    namespace: Option<String>,
    name: String,
    arguments: String,
) -> (OutputItem, Box<RawValue>) {
    let id = new_id("fc");
    let mut wire = json!({
        "type": "function_call", "id": id, "call_id": call_id, "name": name, "arguments": arguments,
    });
    if let Some(namespace) = &namespace {
        wire["namespace"] = json!(namespace);
    }
    (OutputItem::FunctionCall { id: Some(id), call_id, name, namespace, arguments }, raw(&wire))
}

fn custom(call_id: String, name: String, input: String) -> (OutputItem, Box<RawValue>) {
    let id = new_id("ctc");
    let wire = json!({
        "type": "custom_tool_call", "id": id, "call_id": call_id, "name": name, "input": input,
    });
    (OutputItem::CustomToolCall { id: Some(id), call_id, name, input }, raw(&wire))
}

fn new_id(kind: &str) -> String {
    format!("{kind}_{}", Uuid::now_v7())
}

impl Text {
    fn new(kind: &str) -> Self {
        Self { id: new_id(kind), text: String::new() }
    }

    fn reasoning(&self) -> OutputItem {
        OutputItem::Reasoning {
            id: Some(self.id.clone()),
            summary: Vec::new(),
            content: if self.text.is_empty() { Vec::new() } else { vec![self.text.clone()] },
        }
    }

    fn message(&self) -> OutputItem {
        OutputItem::Message {
            id: Some(self.id.clone()),
            role: "assistant".to_owned(),
            phase: None,
            text: Some(self.text.clone()),
        }
    }
}

impl WireUsage {
    fn into_usage(self) -> Usage {
        let (input_tokens, output_tokens) = (self.prompt_tokens, self.completion_tokens);
        Usage {
            input_tokens,
            cached_input_tokens: self
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens)
                .unwrap_or_default(),
            output_tokens,
            reasoning_output_tokens: self
                .completion_tokens_details
                .and_then(|details| details.reasoning_tokens)
                .unwrap_or_default(),
            total_tokens: self.total_tokens.unwrap_or(input_tokens + output_tokens),
        }
    }
}
