//! A thread's history in parts: its items, its course, and what is found in it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    ItemId, SortDirection, Thread, ThreadId, ThreadSourceKind, TimedItem, TurnError, TurnId,
    TurnStatus,
};

/// Lists the finished items of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadItemsListParams {
    pub(crate) thread_id: ThreadId,
    /// Lists the items of this turn only.
    pub(crate) turn_id: Option<TurnId>,
    /// Goes on where an earlier answer ended, or beside an item.
    pub(crate) cursor: Option<ThreadItemsListCursor>,
    /// The most items to answer with.
    pub(crate) limit: Option<u32>,
    /// Oldest first by default.
    pub(crate) sort_direction: Option<SortDirection>,
    /// Leaves large outputs out; `thread/items/read` gives them.
    pub(crate) defer_output: Option<ThreadItemOutputDeferral>,
}

/// Is a cursor of an earlier answer, or an item that the page begins beside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadItemsListCursor {
    Opaque(String),
    Anchor(ThreadItemsListAnchor),
}

/// Names a place in a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadItemsListAnchor {
    /// Beside this item of the turn that the request names.
    Item { item_id: ItemId },
}

/// Says whose outputs to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadItemOutputDeferral {
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) command_execution: bool,
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) mcp_tool_call: bool,
}

/// Is a page of items.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadItemsListResponse {
    pub(crate) data: Vec<ThreadItemEntry>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
    /// Where to list what came before this page.
    pub(crate) backwards_cursor: Option<String>,
}

/// Is a finished item of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadItemEntry {
    pub(crate) turn_id: TurnId,
    pub(crate) item: TimedItem,
    /// In Unix milliseconds.
    pub(crate) started_at_ms: Option<i64>,
    /// In Unix milliseconds.
    pub(crate) completed_at_ms: Option<i64>,
    /// The item has an output that is left out here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) output_deferred: bool,
}

/// Reads items of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadItemsReadParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// From 1 to 100 items.
    pub(crate) item_ids: Vec<ItemId>,
}

/// Is the items that there are, in the order of the history.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadItemsReadResponse {
    pub(crate) data: Vec<ThreadItemEntry>,
}

/// Lists what happened in a thread, the newest page first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadTimelineListParams {
    pub(crate) thread_id: ThreadId,
    /// Goes on to what is older than an earlier answer.
    pub(crate) cursor: Option<String>,
    /// The most entries to answer with.
    pub(crate) limit: Option<u32>,
}

/// Is a page of what happened, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadTimelineListResponse {
    pub(crate) data: Vec<ThreadTimelineEntry>,
    /// Where the page with what is older ends; null when there is nothing older.
    pub(crate) next_cursor: Option<String>,
    /// Reserved.
    pub(crate) active_realtime_session_at_page_start: Option<String>,
}

/// Is one thing that happened. `position` grows along the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadTimelineEntry {
    /// An item was finished.
    Item { position: u64, turn_id: TurnId, item: Box<TimedItem> },
    /// A turn began.
    TurnStarted {
        position: u64,
        turn_id: TurnId,
        /// In Unix seconds.
        started_at: Option<i64>,
    },
    /// A turn ended.
    TurnCompleted {
        position: u64,
        turn_id: TurnId,
        status: TurnStatus,
        /// Why the turn failed.
        error: Option<Box<TurnError>>,
        /// In Unix seconds.
        started_at: Option<i64>,
        /// In Unix seconds.
        completed_at: Option<i64>,
        duration_ms: Option<i64>,
    },
}

/// Finds a text in what the user and the agent have said in a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadSearchOccurrencesParams {
    pub(crate) thread_id: ThreadId,
    /// Is found as it stands, in upper or lower case.
    pub(crate) search_term: String,
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most places to answer with.
    pub(crate) limit: Option<u32>,
}

/// Is a page of places, in the order of the history.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSearchOccurrencesResponse {
    pub(crate) data: Vec<ThreadSearchOccurrence>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
}

/// Is a place where the text is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSearchOccurrence {
    pub(crate) turn_id: TurnId,
    pub(crate) item_id: ItemId,
    /// What stands around the place.
    pub(crate) snippet: String,
    /// Where the text is in the snippet.
    pub(crate) snippet_match_range: ThreadSearchTextRange,
    /// For `thread/turns/list`: the page that begins with the turn.
    pub(crate) turn_cursor: String,
}

/// Is a part of a text, in UTF-16 code units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSearchTextRange {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// Finds a text in what the user and the agent have said in all threads.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadSearchParams {
    /// Is found as it stands, in upper or lower case.
    pub(crate) search_term: String,
    /// Searches threads that are attached to others, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) include_attached_threads: bool,
    /// Searches threads of the account that is signed in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) current_account_only: bool,
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most threads to answer with.
    pub(crate) limit: Option<u32>,
    /// What to sort by; creation by default.
    pub(crate) sort_key: Option<ThreadSearchSortKey>,
    /// Newest first by default.
    pub(crate) sort_direction: Option<SortDirection>,
    /// Searches threads of these kinds of session; an empty list means the interactive ones.
    pub(crate) source_kinds: Option<Vec<ThreadSourceKind>>,
    /// Searches archived threads instead.
    pub(crate) archived: Option<bool>,
}

/// Says what threads that were found are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadSearchSortKey {
    #[serde(rename = "created_at")]
    Creation,
    #[serde(rename = "updated_at")]
    Update,
    #[serde(rename = "recency_at")]
    Recency,
}

/// Is a page of threads that were found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSearchResponse {
    pub(crate) data: Vec<ThreadSearchResult>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
    /// Where to list what came before this page.
    pub(crate) backwards_cursor: Option<String>,
}

/// Is a thread in which the text is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSearchResult {
    pub(crate) thread: Thread,
    /// What stands around the first place.
    pub(crate) snippet: String,
}
