//! The input items that give a model the outputs of its calls.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::tools::Output;
use crate::util::json::raw;

/// What the output of a call is like on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Function,
    Custom,
    /// What a search for tools has found.
    Search,
}

#[derive(Serialize)]
struct Item<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    call_id: &'a str,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Output { output: &'a Output },
    Found { status: &'static str, execution: &'static str, tools: &'a [Value] },
}

impl Answer {
    /// The output of the call with this id, as an item that `key` tells from others.
    pub(super) fn item(self, key: Uuid, call_id: &str, output: &Output) -> Box<RawValue> {
        let (kind, prefix) = match self {
            Self::Function => ("function_call_output", "fco"),
            Self::Custom => ("custom_tool_call_output", "ctco"),
            Self::Search => ("tool_search_output", "tso"),
        };
        let body = match (self, output) {
            (Self::Function | Self::Custom, output) => Body::Output { output },
            // There is no place for words in it: a search that was not done has found nothing.
            (Self::Search, output) => Body::Found {
                status: "completed",
                execution: "client",
                tools: match output {
                    Output::Tools(tools) => tools,
                    Output::Text(_) | Output::Parts(_) => &[],
                },
            },
        };
        raw(&Item { kind, id: format!("{prefix}_{key}"), call_id, body })
    }
}
