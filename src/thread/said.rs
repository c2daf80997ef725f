//! What a request brings into a turn: the user's words, what the model should know beside them, or the result of a
//! tool that ran elsewhere; checked, and made into input items.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::actor::Actor;
use super::context::{item_id, message};
use super::input::{self, Rendered};
use super::item;
use super::{Error, Result};
use crate::config::Feature;
use crate::exec::{Truncation, cut_middle};
use crate::protocol::{
    AdditionalContextEntry, AdditionalContextKind, FunctionCallOutputBody, ItemId, ThreadItem,
    TimedItem, TurnStartParams, TurnSteerParams, TurnToolOutput, UserInput,
};
use crate::tools;
use crate::util::json::raw;
use crate::util::time::now_ms;

/// How much of one entry of additional context the model is given.
const MAX_CONTEXT: Truncation = Truncation::Tokens(1000);

/// Whom outputs without a call come from, unless they say otherwise.
const NAMESPACE: &str = "agent";

/// What the model is told beside the input, by name.
pub(super) type AdditionalContext = BTreeMap<String, AdditionalContextEntry>;

/// One input of the user, or of the client on the user's behalf.
#[derive(Debug, Clone, Default)]
pub(super) struct UserSaid {
    pub(super) content: Vec<UserInput>,
    pub(super) client_id: Option<String>,
    /// What the model is sent of `content`.
    pub(super) message: Box<RawValue>,
    /// Why the model is not shown some of `content`.
    pub(super) left_out: Vec<String>,
    pub(super) context: AdditionalContext,
    pub(super) tool_output: Option<ToolOutput>,
    /// What the harness itself has to say; no client is shown it.
    pub(super) harness: Vec<Box<RawValue>>,
}

/// The result of a tool that no model has called.
#[derive(Debug, Clone)]
pub(super) struct ToolOutput {
    id: ItemId,
    output: TurnToolOutput,
}

impl UserSaid {
    /// Whether the harness alone has something to say.
    pub(super) fn is_of_harness(&self) -> bool {
        self.content.is_empty() && self.tool_output.is_none() && !self.harness.is_empty()
    }

    pub(super) fn of_start(params: &TurnStartParams, input: Rendered) -> Self {
        let tool_output = params
            .tool_output
            .clone()
            .map(|output| ToolOutput { id: item_id("fco").into(), output });
        Self {
            content: params.input.clone(),
            client_id: params.client_user_message_id.clone(),
            message: input.message,
            left_out: input.left_out,
            context: params.additional_context.clone().unwrap_or_default(),
            tool_output,
            ..Self::default()
        }
    }

    /// Words alone.
    pub(super) fn text(text: &str) -> Self {
        let content = vec![UserInput::text(text)];
        let message = input::text_message(&content).message;
        Self { content, message, ..Self::default() }
    }

    pub(super) fn of_steer(params: &TurnSteerParams, input: Rendered) -> Self {
        Self {
            content: params.input.clone(),
            client_id: params.client_user_message_id.clone(),
            message: input.message,
            left_out: input.left_out,
            context: params.additional_context.clone().unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Whether there is nothing that a turn could be about.
    pub(super) fn is_empty(&self) -> bool {
        self.content.is_empty() && self.tool_output.is_none()
    }

    /// Whether there is anything to tell the model.
    pub(super) fn tells_something(&self) -> bool {
        !(self.is_empty() && self.context.is_empty() && self.harness.is_empty())
    }

    /// Refuses what cannot be told to a model.
    pub(super) fn check(&self) -> Result<()> {
        input::check(&self.content)?;
        let refusal = match &self.tool_output {
            Some(_) if !self.content.is_empty() => {
                "`toolOutput` cannot be combined with nonempty `input`"
            }
            Some(tool) if tool.output.name.is_empty() => "`toolOutput.name` must not be empty",
            Some(_) | None if self.context.values().any(is_misnamed) => {
                "additional context name is only supported for untrusted context"
            }
            Some(_) | None => return Ok(()),
        };
        Err(Error::Refused(refusal.to_owned()))
    }

    /// The items that show this to clients.
    pub(super) fn shown(&self) -> Vec<TimedItem> {
        let message = (!self.content.is_empty()).then(|| item::user_message(self));
        let output = self.tool_output.as_ref().map(|ToolOutput { id, output }| {
            ThreadItem::FunctionCallOutput {
                id: id.clone(),
                name: output.name.clone(),
                namespace: output.namespace.clone(),
                output: output.output.clone(),
            }
        });
        let now = now_ms();
        let whole = |item| item::ended(item::started(item, now), now);
        message.into_iter().chain(output).map(whole).collect()
    }
}

fn is_misnamed(entry: &AdditionalContextEntry) -> bool {
    entry.kind == AdditionalContextKind::Application && entry.name.is_some()
}

impl Actor {
    /// What the model is told: context that it has not been told with the last input, then the input, then the skills
    /// that it names.
    pub(super) fn said_items(&mut self, said: &UserSaid) -> Vec<Box<RawValue>> {
        let mut items = match said.is_of_harness() {
            true => Vec::new(),
            false => news(&self.additional_context, &said.context),
        };
        if !said.content.is_empty() {
            items.push(said.message.clone());
            items.extend(self.skill_items(&said.content));
        }
        items.extend(said.harness.iter().cloned());
        items.extend(said.tool_output.as_ref().map(|ToolOutput { id, output }| {
            output_item(id.as_str(), &output.name, output.namespace.as_deref(), &output.output)
        }));
        items.extend(self.time_reminder());
        items
    }

    /// Remembers the context that came with an input, which need not be told again with the next one.
    pub(super) fn keep_context(&mut self, said: UserSaid) {
        if !said.is_of_harness() {
            self.additional_context = said.context;
        }
    }

    /// Tells the model what time it is, with each input (feature `current_time_reminder`).
    fn time_reminder(&mut self) -> Option<Box<RawValue>> {
        if !self.config.features.on(Feature::CurrentTimeReminder) {
            return None;
        }
        let time = tools::time();
        if self.told_time.as_ref() == Some(&time) {
            return None;
        }
        let text = format!("<current_time_reminder>{time}</current_time_reminder>");
        self.told_time = Some(time);
        Some(message("developer", &[text]))
    }
}

/// The entries that are not the same as before.
fn news(before: &AdditionalContext, now: &AdditionalContext) -> Vec<Box<RawValue>> {
    let news = now.iter().filter(|(key, entry)| before.get(*key) != Some(*entry));
    news.map(|(key, entry)| context_item(key, entry)).collect()
}

fn context_item(key: &str, entry: &AdditionalContextEntry) -> Box<RawValue> {
    let text = cut_middle(&entry.value, MAX_CONTEXT);
    match entry.kind {
        AdditionalContextKind::Application => {
            message("developer", &[format!("<{key}>{text}</{key}>")])
        }
        // Nobody's instructions: it has the form in which models expect things that others have written.
        AdditionalContextKind::Untrusted => {
            said_by_others(entry.name.as_deref().unwrap_or(key), text)
        }
    }
}

/// A text that somebody outside has written, under a name that says what it is.
pub(super) fn said_by_others(name: &str, text: String) -> Box<RawValue> {
    output_item(&item_id("fco"), name, Some(NAMESPACE), &FunctionCallOutputBody::Text(text))
}

/// An output that answers no call.
fn output_item(
    id: &str,
    name: &str,
    namespace: Option<&str>,
    output: &FunctionCallOutputBody,
) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Output<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        id: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        output: &'a FunctionCallOutputBody,
    }
    raw(&Output { kind: "function_call_output", id, name, namespace, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: AdditionalContextKind, value: &str) -> AdditionalContextEntry {
        AdditionalContextEntry { value: value.to_owned(), kind, name: None }
    }

    fn context(entries: &[(&str, AdditionalContextEntry)]) -> AdditionalContext {
        entries.iter().map(|(key, entry)| ((*key).to_owned(), entry.clone())).collect()
    }

    #[test]
    fn only_new_context_is_told() {
        use AdditionalContextKind::{Application, Untrusted};
        let before = context(&[("same", entry(Application, "x")), ("gone", entry(Untrusted, "y"))]);
        let now = context(&[
            ("same", entry(Application, "x")),
            ("page", entry(Untrusted, "text")),
            ("app", entry(Application, "rule")),
        ]);
        let told: Vec<serde_json::Value> = news(&before, &now)
            .iter()
            .map(|item| {
                let mut item: serde_json::Value = serde_json::from_str(item.get()).unwrap();
                item.as_object_mut().unwrap().remove("id");
                item
            })
            .collect();
        let app = serde_json::json!({
            "type": "message", "role": "developer",
            "content": [{ "type": "input_text", "text": "<app>rule</app>" }],
        });
        let page = serde_json::json!({
            "type": "function_call_output", "name": "page", "namespace": "agent", "output": "text",
        });
        assert_eq!(told, [app, page]);
    }

    #[test]
    fn long_context_loses_its_middle() {
        let long = entry(AdditionalContextKind::Application, &"x".repeat(40_000));
        let text = context_item("k", &long);
        assert!(text.get().len() < 4_300, "{}", text.get().len());
    }
}
