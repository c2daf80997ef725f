//! The body of a model request. Items of the history are copied as they are, never decoded.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::catalog::Verbosity;
use super::lite;

/// Everything that a request says besides its headers.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub(crate) form: Form,
    pub(crate) model: &'a str,
    /// The inside of the `input` array: the items' JSON texts, joined by commas.
    pub(crate) input: &'a [u8],
    /// The `tools` array; none in requests that offer none.
    pub(crate) tools: Option<&'a RawValue>,
    pub(crate) parallel_tool_calls: bool,
    pub(crate) effort: Option<&'a str>,
    pub(crate) summary: Option<&'a str>,
    pub(crate) verbosity: Option<Verbosity>,
    /// The shape that the final message must have.
    pub(crate) output_schema: Option<&'a Value>,
    pub(crate) service_tier: Option<&'a str>,
    pub(crate) prompt_cache_key: &'a str,
    pub(crate) client_metadata: &'a BTreeMap<&'static str, String>,
}

/// Where the tools are, and what else goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the Responses API is documented.
    Plain,
    /// As newer models want it (`use_responses_lite`); they also call one tool at a time and see all reasoning.
    Lite,
}

/// A finished body, and where its parts are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encoded {
    bytes: Bytes,
    input: Range<usize>,
    /// Where the metadata begin, which differ with each turn; nothing follows them.
    metadata: usize,
}

/// The members before `input`; its closing brace is cut off.
#[derive(Serialize)]
struct Head<'a> {
    model: &'a str,
}

/// The members after `input`; its opening brace is cut off.
#[derive(Serialize)]
struct Tail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a RawValue>,
    tool_choice: &'static str,
    parallel_tool_calls: bool,
    reasoning: Reasoning<'a>,
    store: bool,
    stream: bool,
    include: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    prompt_cache_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
}

/// The members that follow; the opening brace is cut off.
#[derive(Serialize)]
struct Metadata<'a> {
    client_metadata: &'a BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Reasoning<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<Verbosity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    strict: bool,
    name: &'static str,
    schema: &'a Value,
}

/// Between the model and the items.
const INPUT: &[u8] = b",\"input\":[";

impl Encoded {
    /// The JSON text.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The inside of the `input` array.
    pub(super) fn input(&self) -> &[u8] {
        &self.bytes[self.input.clone()]
    }

    /// The same, without a copy.
    pub(super) fn shared_input(&self) -> Bytes {
        self.bytes.slice(self.input.clone())
    }

    /// Everything but the input and what differs with each turn, to be compared.
    pub(super) fn lasting_settings(&self) -> Vec<u8> {
        [&self.bytes[..self.input.start], &self.bytes[self.input.end..self.metadata]].concat()
    }

    /// The same request with another input, without the opening brace.
    pub(super) fn write_with_input(&self, input: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes.get(1..self.input.start).unwrap_or_default());
        out.extend_from_slice(input);
        out.extend_from_slice(&self.bytes[self.input.end..]);
    }

    /// Everything but the input, as an object of its own.
    pub(super) fn settings(&self) -> Vec<u8> {
        let head = self.input.start.saturating_sub(INPUT.len());
        [&self.bytes[..head], self.bytes.get(self.input.end + 1..).unwrap_or_default()].concat()
    }
}

#[cfg(test)]
impl From<&'static str> for Encoded {
    /// A body that nobody looks into.
    fn from(text: &'static str) -> Self {
        Self { bytes: Bytes::from_static(text.as_bytes()), ..Self::default() }
    }
}

impl Body<'_> {
    pub(crate) fn encode(self) -> Encoded {
        let tools = match (self.form, self.tools) {
            (Form::Lite, Some(tools)) => Some(lite::additional_tools(tools, self.prompt_cache_key)),
            (Form::Lite, None) | (Form::Plain, _) => None,
        };
        let first = tools.as_deref().map_or("", RawValue::get).as_bytes();
        let comma: &[u8] = if first.is_empty() || self.input.is_empty() { b"" } else { b"," };
        let head = json(&Head { model: self.model });
        let head = head.strip_suffix(b"}").unwrap_or_default();
        let tail = json(&self.tail());
        let tail = tail.strip_prefix(b"{").and_then(|tail| tail.strip_suffix(b"}"));
        let metadata = json(&Metadata { client_metadata: self.client_metadata });
        let metadata = metadata.strip_prefix(b"{").unwrap_or_default();
        let start = head.len() + INPUT.len();
        let end = start + first.len() + comma.len() + self.input.len();
        let tail = [b"],", tail.unwrap_or_default(), b","].concat();
        let bytes = [head, INPUT, first, comma, self.input, &tail, metadata].concat();
        Encoded { bytes: bytes.into(), input: start..end, metadata: end + tail.len() }
    }

    fn tail(&self) -> Tail<'_> {
        let format = self.output_schema.map(|schema| Format {
            kind: "json_schema",
            strict: true,
            name: "codex_output_schema",
            schema,
        });
        let text = (self.verbosity.is_some() || format.is_some())
            .then_some(Text { verbosity: self.verbosity, format });
        let is_lite = self.form == Form::Lite;
        Tail {
            tools: self.tools.filter(|_| !is_lite),
            tool_choice: "auto",
            parallel_tool_calls: self.parallel_tool_calls && !is_lite,
            reasoning: Reasoning {
                effort: self.effort,
                summary: self.summary,
                context: is_lite.then_some("all_turns"),
            },
            store: false,
            stream: true,
            include: ["reasoning.encrypted_content"],
            service_tier: self.service_tier,
            prompt_cache_key: self.prompt_cache_key,
            text,
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain structs of texts and finished JSON cannot fail to serialize.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::util::json::raw;

    static NOTHING: BTreeMap<&'static str, String> = BTreeMap::new();

    fn plain<'a>() -> Body<'a> {
        Body {
            form: Form::Plain,
            model: "m \"1\"",
            input: b"",
            tools: None,
            parallel_tool_calls: true,
            effort: None,
            summary: None,
            verbosity: None,
            output_schema: None,
            service_tier: None,
            prompt_cache_key: "t",
            client_metadata: &NOTHING,
        }
    }

    #[test]
    fn says_the_least() {
        let body: Value = serde_json::from_slice(plain().encode().bytes()).unwrap();
        let expected = json!({
            "model": "m \"1\"", "input": [], "tool_choice": "auto", "parallel_tool_calls": true,
            "reasoning": {}, "store": false, "stream": true, "prompt_cache_key": "t",
            "include": ["reasoning.encrypted_content"], "client_metadata": {},
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn says_everything() {
        let (tools, schema) = (raw(&[1]), json!({"type": "object"}));
        let metadata = BTreeMap::from([("a", "b".to_owned())]);
        let body = Body {
            input: br#"{"type":"a" },{"type":"b"}"#,
            tools: Some(&tools),
            parallel_tool_calls: false,
            effort: Some("ultra"),
            summary: Some("concise"),
            verbosity: Some(Verbosity::Low),
            output_schema: Some(&schema),
            service_tier: Some("flex"),
            client_metadata: &metadata,
            ..plain()
        };
        let text = String::from_utf8(body.encode().bytes().to_vec()).unwrap();
        assert!(text.contains(r#""input":[{"type":"a" },{"type":"b"}],"#), "{text}");
        let expected = json!({
            "model": "m \"1\"", "input": [{"type": "a"}, {"type": "b"}], "tools": [1],
            "tool_choice": "auto", "parallel_tool_calls": false, "store": false, "stream": true,
            "reasoning": {"effort": "ultra", "summary": "concise"}, "prompt_cache_key": "t",
            "include": ["reasoning.encrypted_content"], "service_tier": "flex",
            "text": {"verbosity": "low", "format": {"type": "json_schema", "strict": true,
                "name": "codex_output_schema", "schema": {"type": "object"}}},
            "client_metadata": {"a": "b"},
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn lite_models_get_their_tools_with_the_input() {
        let tools = raw(&json!([{"type": "function", "name": "f"}]));
        let body =
            Body { form: Form::Lite, input: br#"{"type":"a"}"#, tools: Some(&tools), ..plain() };
        let body: Value = serde_json::from_slice(body.encode().bytes()).unwrap();
        assert_eq!(body["input"][0]["type"], "additional_tools");
        assert_eq!(
            body["input"][0]["tools"][0]["tools"],
            json!([{"type": "function", "name": "f"}])
        );
        assert_eq!(body["input"][1], json!({"type": "a"}));
        assert_eq!(body.get("tools"), None);
        assert_eq!(body["parallel_tool_calls"], false);
        assert_eq!(body["reasoning"], json!({"context": "all_turns"}));
    }

    #[test]
    fn knows_its_parts() {
        let encoded = Body { input: br#"{"type":"a"}"#, ..plain() }.encode();
        assert_eq!(encoded.input(), br#"{"type":"a"}"#);
        let settings: Value = serde_json::from_slice(&encoded.settings()).unwrap();
        assert_eq!((&settings["model"], settings.get("input")), (&json!("m \"1\""), None));
        assert_eq!(settings["client_metadata"], json!({}));
        assert_eq!(encoded.shared_input(), encoded.input());
    }
}
