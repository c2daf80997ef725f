//! Input items of the Responses API to messages of this one.
//!
//! Templates of local models are strict: one system message at the beginning, users and the model in turns, results of
//! tools right after their calls. So neighbours are joined, and what developers say later is said by the user. History
//! only grows, and what it was converted to only grows, too: the server's prompt cache holds, and a request converts
//! only the items that are new.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::tool::{flat_name, text_arguments};
use crate::model::pieces::Pieces;
use crate::model::request::Encoded;

/// What a thread's input has been converted to so far.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// The input that was converted.
    seen: Pieces,
    /// Finished messages, joined by commas.
    closed: Vec<u8>,
    /// The last message, as long as others may join it.
    open: Option<Message>,
    /// Pictures of tool results, which only users can show; they wait for the results to be complete.
    pictures: Vec<Value>,
    /// The calls that results can answer.
    calls: HashSet<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Message {
    System(String),
    User(Vec<Value>),
    Assistant(Assistant),
    Tool { call: String, text: String },
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Assistant {
    reasoning: String,
    text: String,
    calls: Vec<Call>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Call {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Function {
    name: String,
    arguments: String,
}

/// An input item, as far as messages can be made of it.
#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    role: String,
    content: Option<Value>,
    call_id: Option<String>,
    #[serde(default)]
    name: String,
    namespace: Option<String>,
    arguments: Option<String>,
    input: Option<String>,
    output: Option<Value>,
}

impl Messages {
    /// Takes over a request's input: what is new in it, or all of it when it is another history.
    pub(super) fn follow(&mut self, request: &Encoded) -> serde_json::Result<()> {
        let new = self.new_in(&request.input).unwrap_or_else(|| {
            *self = Self::default();
            request.input.clone()
        });
        let list = [b"[", &*new.to_vec(), b"]"].concat();
        let items: Vec<&RawValue> = serde_json::from_slice(&list)?;
        for item in items {
            match serde_json::from_str(item.get()) {
                Ok(item) => self.take(item),
                Err(error) => tracing::debug!(%error, "an input item cannot be converted"),
            }
        }
        self.seen = request.input.clone();
        Ok(())
    }

    /// What an input adds to the one that was converted; `None` when it is another one.
    fn new_in(&self, input: &Pieces) -> Option<Pieces> {
        let mut new = input.clone();
        new.strip_all(&self.seen)?;
        if !self.seen.is_empty() && !new.is_empty() {
            new.strip(b",")?;
        }
        Some(new)
    }

    /// Appends the inside of the `messages` array.
    pub(super) fn render(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.closed);
        let pictures = (!self.pictures.is_empty()).then(|| Message::User(self.pictures.clone()));
        for message in self.open.iter().chain(&pictures) {
            message.append(out);
        }
    }

    fn take(&mut self, item: Item) {
        match item.kind.as_str() {
            "message" => self.message(&item.role, item.content.unwrap_or_default()),
            "reasoning" => {
                let text = texts(&item.content.unwrap_or_default());
                self.assistant(|message| join(&mut message.reasoning, &text));
            }
            "function_call" => {
                let name = flat_name(item.namespace.as_deref(), &item.name);
                self.call(item.call_id, name, item.arguments.unwrap_or_default());
            }
            "custom_tool_call" => {
                let arguments = text_arguments(&item.input.unwrap_or_default());
                self.call(item.call_id, flat_name(None, &item.name), arguments);
            }
            "function_call_output" | "custom_tool_call_output" => {
                self.result(item.call_id, &item.name, item.output.unwrap_or_default());
            }
            "agent_message" => self.message("user", item.content.unwrap_or_default()),
            // Searches and the like: the model's answer has what came of them.
            _ => {}
        }
    }

    fn message(&mut self, role: &str, content: Value) {
        match role {
            "assistant" => {
                let text = texts(&content);
                self.assistant(|message| join(&mut message.text, &text));
            }
            "developer" | "system" => {
                let text = texts(&content);
                match &mut self.open {
                    None if self.closed.is_empty() => self.open = Some(Message::System(text)),
                    Some(Message::System(before)) => join(before, &text),
                    _ => self.user(vec![text_part(&text)]),
                }
            }
            _ => self.user(parts(content)),
        }
    }

    fn user(&mut self, parts: Vec<Value>) {
        if self.pictures.is_empty()
            && let Some(Message::User(before)) = &mut self.open
        {
            before.extend(parts);
            return;
        }
        let mut all = std::mem::take(&mut self.pictures);
        all.extend(parts);
        self.open(Message::User(all));
    }

    fn call(&mut self, id: Option<String>, name: String, arguments: String) {
        let id = id.unwrap_or_default();
        self.calls.insert(id.clone());
        let call = Call { id, kind: "function", function: Function { name, arguments } };
        self.assistant(|message| message.calls.push(call));
    }

    fn result(&mut self, call: Option<String>, name: &str, output: Value) {
        let (pictures, rest): (Vec<Value>, Vec<Value>) =
            parts(output).into_iter().partition(|part| part["type"] != "text");
        let text = joined(&rest);
        match call.filter(|call| self.calls.contains(call)) {
            Some(call) => {
                let text = match pictures.is_empty() {
                    true => text,
                    false => format!("{text}\n(The picture follows.)").trim_start().to_owned(),
                };
                self.open(Message::Tool { call, text });
                self.pictures.extend(pictures);
            }
            // Nobody has called: it is something that the model is told.
            None => {
                let mut parts = vec![text_part(&format!("{name}:\n{text}"))];
                parts.extend(pictures);
                self.user(parts);
            }
        }
    }

    /// Adds to the message of the model's that is being written.
    fn assistant(&mut self, add: impl FnOnce(&mut Assistant)) {
        if let Some(Message::Assistant(message)) = &mut self.open {
            return add(message);
        }
        if !self.pictures.is_empty() {
            let pictures = std::mem::take(&mut self.pictures);
            self.open(Message::User(pictures));
        }
        let mut message = Assistant::default();
        add(&mut message);
        self.open(Message::Assistant(message));
    }

    fn open(&mut self, message: Message) {
        if let Some(done) = self.open.replace(message) {
            done.append(&mut self.closed);
        }
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Call]>::is_empty")]
    tool_calls: &'a [Call],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(String),
    Parts(&'a [Value]),
}

impl Message {
    fn append(&self, out: &mut Vec<u8>) {
        let plain = |role, content| Wire {
            role,
            tool_call_id: None,
            content,
            reasoning_content: None,
            tool_calls: &[],
        };
        let wire = match self {
            Self::System(text) => plain("system", Content::Text(text.clone())),
            Self::User(parts) if parts.iter().all(|part| part["type"] == "text") => {
                plain("user", Content::Text(joined(parts)))
            }
            Self::User(parts) => plain("user", Content::Parts(parts)),
            Self::Tool { call, text } => {
                Wire { tool_call_id: Some(call), ..plain("tool", Content::Text(text.clone())) }
            }
            // Thoughts that led to no call and no answer are of no use to anybody.
            Self::Assistant(message) if message.text.is_empty() && message.calls.is_empty() => {
                return;
            }
            Self::Assistant(Assistant { reasoning, text, calls }) => Wire {
                // Models want back what they thought while they were calling tools, and only that.
                reasoning_content: Some(reasoning.as_str())
                    .filter(|text| !text.is_empty() && !calls.is_empty()),
                tool_calls: calls,
                ..plain("assistant", Content::Text(text.clone()))
            },
        };
        if !matches!(out.last(), None | Some(b'[')) {
            out.push(b',');
        }
        // Texts and JSON values cannot fail to serialize.
        out.extend(serde_json::to_vec(&wire).unwrap_or_default());
    }
}

fn text_part(text: &str) -> Value {
    serde_json::json!({ "type": "text", "text": text })
}

/// The content of a message as parts of this API.
fn parts(content: Value) -> Vec<Value> {
    let content = match content {
        Value::Array(content) => content,
        Value::String(text) => return vec![text_part(&text)],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Vec::new(),
    };
    content.iter().map(part).collect()
}

fn part(part: &Value) -> Value {
    let text = |name: &str| part[name].as_str();
    match (text("type"), text("image_url"), text("audio_url")) {
        (Some("input_image"), Some(url), _) => {
            serde_json::json!({ "type": "image_url", "image_url": { "url": url } })
        }
        (Some("input_image"), None, _) => text_part("(A picture that only its provider has.)"),
        (Some("input_audio"), _, Some(url)) => audio(url),
        // What an agent has written to another one; a provider that encrypts it would not be asked in this way.
        _ => text_part(text("text").or(text("encrypted_content")).unwrap_or_default()),
    }
}

/// This API takes sound as data and format, not as a URL.
fn audio(url: &str) -> Value {
    let data = url.strip_prefix("data:audio/").and_then(|rest| rest.split_once(";base64,"));
    match data {
        Some((format, data)) => {
            let format = format.trim_start_matches("x-").replace("mpeg", "mp3");
            serde_json::json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } })
        }
        None => text_part("(A sound that cannot be sent.)"),
    }
}

fn texts(content: &Value) -> String {
    joined(&parts(content.clone()))
}

fn joined(parts: &[Value]) -> String {
    let mut all = String::new();
    for text in parts.iter().filter_map(|part| part["text"].as_str()) {
        join(&mut all, text);
    }
    all
}

fn join(before: &mut String, text: &str) {
    if !before.is_empty() && !text.is_empty() {
        before.push_str("\n\n");
    }
    before.push_str(text);
}
