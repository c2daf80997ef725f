//! What users have to say about the agent.

use std::collections::BTreeMap;
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Sends a report to those who make the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct FeedbackUploadParams {
    /// What kind of report it is: `bug`, `bad_result`, `good_result`, `safety_check` or `other`.
    pub(crate) classification: String,
    /// What the user says.
    pub(crate) reason: Option<String>,
    /// The thread that the report is about.
    pub(crate) thread_id: Option<String>,
    /// Adds the log and the thread itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) include_logs: bool,
    /// Files to add.
    pub(crate) extra_log_files: Option<Vec<PathBuf>>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

/// Tells what the report was filed under.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FeedbackUploadResponse {
    pub(crate) thread_id: String,
    pub(crate) prompt_hash: Option<String>,
}
