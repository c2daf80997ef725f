//! Attachments: small values that clients hang on threads.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::ThreadId;

/// Describes an attachment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachment {
    pub(crate) id: String,
    /// What kind of thing it is, in the words of the client.
    pub(crate) attachment_type: String,
    /// What tells it from others of its kind.
    pub(crate) identity_key: String,
    /// Whatever the client keeps there.
    pub(crate) payload: Value,
    /// Unix time in seconds.
    pub(crate) created_at: i64,
}

/// Hangs a value on a thread, unless it is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachmentAddParams {
    pub(crate) thread_id: ThreadId,
    /// What kind of thing it is, in the words of the client.
    pub(crate) attachment_type: String,
    /// What tells it from others of its kind.
    pub(crate) identity_key: String,
    pub(crate) payload: Value,
}

/// Says whether an attachment is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadAttachmentAddOutcome {
    Created,
    Existing,
}

/// Describes the attachment that there is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachmentAddResponse {
    pub(crate) outcome: ThreadAttachmentAddOutcome,
    pub(crate) attachment: ThreadAttachment,
}

/// Lists the attachments of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadAttachmentListParams {
    pub(crate) thread_id: ThreadId,
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most entries to answer with.
    pub(crate) limit: Option<u32>,
}

/// Is a page of attachments, in the order of their making.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachmentListResponse {
    pub(crate) data: Vec<ThreadAttachment>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
}

/// Lists the threads that have an attachment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadAttachmentOwnerListParams {
    /// What kind of thing it is, in the words of the client.
    pub(crate) attachment_type: String,
    /// What tells it from others of its kind.
    pub(crate) identity_key: String,
    /// Lists only archived threads, or only the others.
    pub(crate) archived: Option<bool>,
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most entries to answer with.
    pub(crate) limit: Option<u32>,
}

/// Names a thread that has an attachment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachmentOwner {
    pub(crate) thread_id: ThreadId,
    pub(crate) archived: bool,
}

/// Is a page of threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachmentOwnerListResponse {
    pub(crate) data: Vec<ThreadAttachmentOwner>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
}

/// Takes an attachment off a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachmentRemoveParams {
    pub(crate) thread_id: ThreadId,
    /// What kind of thing it is, in the words of the client.
    pub(crate) attachment_type: String,
    /// What tells it from others of its kind.
    pub(crate) identity_key: String,
}

/// Confirms that there is no such attachment any more.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachmentRemoveResponse {}

/// Says what became of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadAttachmentOperation {
    Created,
    Deleted,
}

/// Tells that an attachment has come or gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadAttachmentUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    /// What kind of thing it is, in the words of the client.
    pub(crate) attachment_type: String,
    /// What tells it from others of its kind.
    pub(crate) identity_key: String,
    pub(crate) attachment_id: String,
    pub(crate) operation: ThreadAttachmentOperation,
}
