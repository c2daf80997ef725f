//! What users should know that belongs to no item.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::ThreadId;

/// Tells something that the user should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct WarningNotification {
    /// The thread that it is about.
    pub(crate) thread_id: Option<ThreadId>,
    pub(crate) message: String,
}

/// Tells that something in use will go away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct DeprecationNoticeNotification {
    pub(crate) summary: String,
    pub(crate) details: Option<String>,
}

/// Tells that a part of the configuration is not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ConfigWarningNotification {
    pub(crate) summary: String,
    pub(crate) details: Option<String>,
    /// The file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) path: Option<String>,
    /// Where in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) range: Option<TextRange>,
}

/// Is a part of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TextRange {
    pub(crate) start: TextPosition,
    pub(crate) end: TextPosition,
}

/// Is a place in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TextPosition {
    /// Counted from one.
    pub(crate) line: usize,
    /// Counted from one.
    pub(crate) column: usize,
}
