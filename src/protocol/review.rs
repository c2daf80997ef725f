//! Reviews of changes.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ThreadId, Turn};

/// Asks for a review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ReviewStartParams {
    pub(crate) thread_id: ThreadId,
    /// What is reviewed.
    pub(crate) target: ReviewTarget,
    /// Where the review is shown.
    #[serde(default)]
    pub(crate) delivery: Option<ReviewDelivery>,
}

/// Names what is reviewed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) enum ReviewTarget {
    /// What the work tree holds that is not committed: staged, unstaged and untracked files.
    UncommittedChanges,
    /// What would be merged into a branch.
    BaseBranch { branch: String },
    /// What a commit changes.
    Commit {
        sha: String,
        /// The commit's subject, for people.
        title: Option<String>,
    },
    /// What the instructions say.
    Custom { instructions: String },
}

/// Says where a review is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ReviewDelivery {
    /// In the thread itself.
    Inline,
}

/// Says which turn is the review's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ReviewStartResponse {
    /// The thread that shows the review.
    pub(crate) review_thread_id: ThreadId,
    pub(crate) turn: Turn,
}
