//! What of a thread the user has read.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ThreadId, TurnId};

/// Says what of a thread the user has not read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadReadState {
    /// Where unread content begins; null when there is none.
    pub(crate) first_unread: Option<ThreadUnreadPosition>,
    /// Changes with the state.
    pub(crate) revision: String,
}

/// Points at the first unread content of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadUnreadPosition {
    ThreadStart,
    Turn { turn_id: TurnId },
}

/// Marks a thread as read, or as unread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadReadStateUpdateParams {
    pub(crate) thread_id: ThreadId,
    /// The state that the user has seen. When it has changed since, the update is refused.
    pub(crate) expected_revision: String,
    pub(crate) operation: ThreadReadStateOperation,
}

/// Says what becomes of the unread content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadReadStateOperation {
    /// Everything has been read.
    Read,
    /// Everything is to be read again.
    Unread,
}

/// Carries the state as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadReadStateUpdateResponse {
    pub(crate) read_state: ThreadReadState,
}

/// Tells that there is something to read, or that it has been read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadReadStateChangedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) read_state: ThreadReadState,
}
