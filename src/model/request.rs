//! The body of a model request. Items of the history are shared as they are, neither decoded nor copied.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::lite;
use super::pieces::Pieces;
use crate::protocol::Verbosity;

/// Everything that a request says besides its headers.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub(crate) form: Form,
    pub(crate) model: &'a str,
    /// The inside of the `input` array: the items' JSON texts, joined by commas.
    pub(crate) input: Pieces,
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

/// A finished body, in its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encoded {
    /// What comes before the input, up to the bracket that opens it.
    head: Bytes,
    /// The inside of the `input` array.
    pub(super) input: Pieces,
    tail: Bytes,
    /// Where in the tail the metadata begin, which differ with each turn; nothing follows them.
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
    pub(super) fn pieces(&self) -> Pieces {
        let mut all = Pieces::from(self.head.clone());
        self.input.clone().for_each(|piece| all.push(piece));
        all.push(self.tail.clone());
        all
    }

    /// Everything but the input and what differs with each turn, to be compared.
    pub(super) fn lasting_settings(&self) -> Vec<u8> {
        [&self.head, &self.tail[..self.metadata]].concat()
    }

    /// The same request with another input, without the opening brace.
    pub(super) fn write_with_input(&self, input: &Pieces, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head.get(1..).unwrap_or_default());
        input.write(out);
        out.extend_from_slice(&self.tail);
    }

    /// Everything but the input, as an object of its own.
    pub(super) fn settings(&self) -> Vec<u8> {
        let head = self.head.strip_suffix(INPUT).unwrap_or_default();
        [head, self.tail.get(1..).unwrap_or_default()].concat()
    }
}

#[cfg(test)]
impl From<&'static str> for Encoded {
    /// A body that nobody looks into.
    fn from(text: &'static str) -> Self {
        Self { head: Bytes::from_static(text.as_bytes()), ..Self::default() }
    }
}

impl Body<'_> {
    pub(crate) fn encode(self) -> Encoded {
        let tools = match (self.form, self.tools) {
            (Form::Lite, Some(tools)) => Some(lite::additional_tools(tools, self.prompt_cache_key)),
            (Form::Lite, None) | (Form::Plain, _) => None,
        };
        let mut head = json(&Head { model: self.model });
        head.pop();
        head.extend_from_slice(INPUT);
        let mut tail = b"],".to_vec();
        tail.extend_from_slice(json(&self.tail()).get(1..).unwrap_or_default());
        tail.pop();
        tail.push(b',');
        let metadata = tail.len();
        let last = json(&Metadata { client_metadata: self.client_metadata });
        tail.extend_from_slice(last.get(1..).unwrap_or_default());
        let input = match tools {
            Some(tools) => after(&tools, self.input),
            None => self.input,
        };
        Encoded { head: head.into(), input, tail: tail.into(), metadata }
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

/// The items of an input, with one more before them.
fn after(first: &RawValue, rest: Pieces) -> Pieces {
    let mut all = Pieces::from(first.get().to_owned());
    if !rest.is_empty() {
        all.push(",");
    }
    rest.for_each(|piece| all.push(piece));
    all
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
            input: Pieces::default(),
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
        let body: Value = serde_json::from_slice(&plain().encode().pieces().to_vec()).unwrap();
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
            input: r#"{"type":"a" },{"type":"b"}"#.into(),
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
        let text = String::from_utf8(body.encode().pieces().to_vec()).unwrap();
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
        let body = Body {
            form: Form::Lite,
            input: r#"{"type":"a"}"#.into(),
            tools: Some(&tools),
            ..plain()
        };
        let body: Value = serde_json::from_slice(&body.encode().pieces().to_vec()).unwrap();
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
        let encoded = Body { input: r#"{"type":"a"}"#.into(), ..plain() }.encode();
        assert_eq!(encoded.input.to_vec(), br#"{"type":"a"}"#);
        let settings: Value = serde_json::from_slice(&encoded.settings()).unwrap();
        assert_eq!((&settings["model"], settings.get("input")), (&json!("m \"1\""), None));
        assert_eq!(settings["client_metadata"], json!({}));
    }
}
