//! Changes to files, as items.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ItemId, ThreadId, TurnId};

/// Describes the change to one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FileUpdateChange {
    pub(crate) path: String,
    pub(crate) kind: PatchChangeKind,
    /// A unified diff; of added and deleted files the content.
    pub(crate) diff: String,
}

/// Says what happens to a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum PatchChangeKind {
    Add,
    Delete,
    Update { move_path: Option<String> },
}

/// Says how far a change to files is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum PatchApplyStatus {
    InProgress,
    Completed,
    Failed,
    /// Was not allowed.
    Declined,
}

/// Tells what a patch does that the agent is still writing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FileChangePatchUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// The item that the change will be.
    pub(crate) item_id: ItemId,
    /// All changes so far, with paths as the agent writes them.
    pub(crate) changes: Vec<FileUpdateChange>,
}
