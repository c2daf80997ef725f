//! Questions of the model to the user.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ItemId, ThreadId, TurnId};

/// Asks the user what the model wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ToolRequestUserInputParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// The call of the model.
    pub(crate) item_id: ItemId,
    pub(crate) questions: Vec<ToolRequestUserInputQuestion>,
    /// Whether the model cannot do without an answer.
    pub(crate) is_blocking: bool,
    /// After how many milliseconds the client may answer in the user's place; null: never.
    #[serde(default)]
    pub(crate) auto_resolution_ms: Option<u64>,
}

/// Is one question to the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ToolRequestUserInputQuestion {
    /// What the answer is called.
    pub(crate) id: String,
    /// A short title.
    pub(crate) header: String,
    pub(crate) question: String,
    /// Whether the user may answer in words of their own.
    #[serde(default)]
    pub(crate) is_other: bool,
    /// Whether the answer is not to be shown while it is typed.
    #[serde(default)]
    pub(crate) is_secret: bool,
    /// The answers to choose from.
    pub(crate) options: Option<Vec<ToolRequestUserInputOption>>,
}

/// Is an answer to choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ToolRequestUserInputOption {
    pub(crate) label: String,
    /// What it means to choose it.
    pub(crate) description: String,
}

/// Answers the questions, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ToolRequestUserInputResponse {
    pub(crate) answers: BTreeMap<String, ToolRequestUserInputAnswer>,
}

/// Is what the user answers to one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ToolRequestUserInputAnswer {
    /// The chosen labels, and what the user wrote besides.
    pub(crate) answers: Vec<String>,
}
