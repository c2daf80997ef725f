//! The Chat Completions API, which most servers of local models have, behind the same events as the Responses API.
//!
//! The rest of the program knows the Responses API only: `messages` and `tool` turn a finished request into one of
//! this API, `answer` turns the chunks of an answer into events and items. What was converted once is kept for the
//! life of a thread, so that a request costs what is new in it.

mod answer;
mod messages;
mod tool;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::request::Encoded;

pub(super) use answer::Answer;
pub(super) use messages::Messages;
pub(super) use tool::Tools;

/// What a request says besides its input, as the Responses API has it.
#[derive(Deserialize)]
struct Settings<'a> {
    model: String,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(default)]
    reasoning: Reasoning,
    service_tier: Option<String>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
struct Reasoning {
    effort: Option<String>,
}

#[derive(Deserialize)]
struct Text<'a> {
    verbosity: Option<String>,
    #[serde(borrow)]
    format: Option<Format<'a>>,
}

#[derive(Deserialize)]
struct Format<'a> {
    name: String,
    #[serde(borrow)]
    schema: &'a RawValue,
}

/// The same as this API has it; the opening brace is cut off.
#[derive(Serialize)]
struct Rest<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    strict: bool,
    schema: &'a RawValue,
}

/// The body of a request, and the tools by the names that it gives them. `messages` holds what was converted before.
pub(super) fn encode(
    request: &Encoded,
    messages: &mut Messages,
) -> serde_json::Result<(Bytes, Tools)> {
    let settings = request.settings();
    let settings: Settings<'_> = serde_json::from_slice(&settings)?;
    let tools = Tools::new(settings.tools);
    messages.follow(request)?;
    let mut body = b"{\"messages\":[".to_vec();
    messages.render(&mut body);
    body.extend_from_slice(b"],");
    let rest = serde_json::to_vec(&settings.rest(&tools))?;
    body.extend_from_slice(rest.get(1..).unwrap_or_default());
    Ok((body.into(), tools))
}

impl<'a> Settings<'a> {
    fn rest(&'a self, tools: &'a Tools) -> Rest<'a> {
        let definitions = tools.definitions();
        let text = self.text.as_ref();
        let format = text.and_then(|text| text.format.as_ref());
        Rest {
            model: &self.model,
            tools: definitions,
            tool_choice: definitions.map(|_| "auto"),
            // Some servers allow one call at a time unless they are told otherwise.
            parallel_tool_calls: definitions.map(|_| true),
            reasoning_effort: self.reasoning.effort.as_deref(),
            verbosity: text.and_then(|text| text.verbosity.as_deref()),
            service_tier: self.service_tier.as_deref(),
            response_format: format.map(|format| ResponseFormat {
                kind: "json_schema",
                json_schema: JsonSchema { name: &format.name, strict: true, schema: format.schema },
            }),
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        }
    }
}

#[cfg(test)]
mod tests;
