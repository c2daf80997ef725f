//! The queue of a thread: what the user has said for when the thread is idle.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ThreadId, Turn, UserInput};

/// Describes a message that waits for its thread to be idle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct QueuedSubmission {
    pub(crate) id: String,
    pub(crate) input: Vec<UserInput>,
    /// The client's own name of the message.
    pub(crate) client_user_message_id: String,
    /// What providers are told of the turn that it becomes.
    pub(crate) responsesapi_client_metadata: Option<BTreeMap<String, String>>,
}

/// Puts a message at the end of a thread's queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadQueueAddParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) input: Vec<UserInput>,
    /// The client's own name of the message; its item will carry it.
    pub(crate) client_user_message_id: String,
    /// What providers are told of the turn that it becomes.
    pub(crate) responsesapi_client_metadata: Option<BTreeMap<String, String>>,
}

/// Answers `thread/queue/add`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueAddResponse {
    pub(crate) queued_submission: QueuedSubmission,
}

/// Asks for a page of a thread's queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadQueueListParams {
    pub(crate) thread_id: ThreadId,
    /// Where the page begins: the `nextCursor` of the one before.
    pub(crate) cursor: Option<String>,
    /// How many messages the page may have: 25 unless said otherwise, 100 at most.
    pub(crate) limit: Option<u32>,
}

/// Answers `thread/queue/list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueListResponse {
    /// In the order in which they will be sent.
    pub(crate) data: Vec<QueuedSubmission>,
    /// Where the next page begins; absent on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// Changes what a waiting message says; its place stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadQueueUpdateParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) queued_submission_id: String,
    pub(crate) input: Vec<UserInput>,
    /// Replaces what there is; absent leaves it.
    pub(crate) responsesapi_client_metadata: Option<BTreeMap<String, String>>,
}

/// Answers `thread/queue/update`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueUpdateResponse {
    pub(crate) queued_submission: QueuedSubmission,
}

/// Takes a message out of a thread's queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueDeleteParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) queued_submission_id: String,
}

/// Answers `thread/queue/delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueDeleteResponse {
    /// Whether the message was still there.
    pub(crate) deleted: bool,
}

/// Puts a thread's queue into another order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueReorderParams {
    pub(crate) thread_id: ThreadId,
    /// Every message of the queue, in the new order.
    pub(crate) queued_submission_ids: Vec<String>,
}

/// Answers `thread/queue/reorder`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueReorderResponse {}

/// Sends a waiting message now, also when the queue is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadQueueStartParams {
    pub(crate) thread_id: ThreadId,
    /// The first one, if absent.
    pub(crate) queued_submission_id: Option<String>,
}

/// Answers `thread/queue/start`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueStartResponse {
    /// The turn that the message has become.
    pub(crate) turn: Turn,
}

/// Tells that a thread's queue is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadQueueChangedNotification {
    pub(crate) thread_id: ThreadId,
}
