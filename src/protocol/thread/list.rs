//! Lists of threads and turns, page by page.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{Thread, ThreadId, ThreadReadState, Turn, TurnItemsView, double_option};

/// Lists stored threads; every member narrows the list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadListParams {
    /// Lists threads that are attached to others, too; needs a search term.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) include_attached_threads: bool,
    /// Lists threads of the account that is signed in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) current_account_only: bool,
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most threads to answer with.
    pub(crate) limit: Option<u32>,
    /// Threads to leave out.
    pub(crate) excluded_thread_ids: Option<Vec<ThreadId>>,
    /// What to sort by; creation by default.
    pub(crate) sort_key: Option<ThreadSortKey>,
    /// Newest first by default.
    pub(crate) sort_direction: Option<SortDirection>,
    /// Lists threads of these providers, the current one by default; an empty list means all.
    pub(crate) model_providers: Option<Vec<String>>,
    /// Lists threads of these kinds of session; an empty list means the interactive ones.
    pub(crate) source_kinds: Option<Vec<ThreadSourceKind>>,
    /// Lists threads of these clients.
    pub(crate) originators: Option<Vec<String>>,
    /// Lists archived threads instead.
    pub(crate) archived: Option<bool>,
    /// Lists threads of this section; null for those in none.
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub(crate) section_id: Option<Option<String>>,
    /// Lists threads of this project; null for those in none.
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub(crate) project_id: Option<Option<String>>,
    /// Lists threads of these working directories.
    #[cfg_attr(test, ts(inline))]
    pub(crate) cwd: Option<ThreadListCwdFilter>,
    /// Answers from the index alone, without looking for files that it lacks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) use_state_db_only: bool,
    /// Lists threads whose name or first message contains this.
    pub(crate) search_term: Option<String>,
    /// Lists threads that this thread's agent has started.
    pub(crate) parent_thread_id: Option<ThreadId>,
    /// Lists threads below this one.
    pub(crate) ancestor_thread_id: Option<ThreadId>,
    /// Lists threads that are attached to this one.
    pub(crate) attached_to_thread_id: Option<ThreadId>,
}

/// Names one working directory or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum ThreadListCwdFilter {
    One(String),
    Many(Vec<String>),
}

/// Says what threads are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadSortKey {
    CreatedAt,
    UpdatedAt,
    RecencyAt,
    SectionPosition,
}

/// Says which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum SortDirection {
    Asc,
    Desc,
}

/// Names a kind of session, for filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadSourceKind {
    Cli,
    Vscode,
    Exec,
    AppServer,
    SubAgent,
    SubAgentReview,
    SubAgentCompact,
    SubAgentThreadSpawn,
    SubAgentOther,
    Unknown,
}

/// Is a page of threads.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadListResponse {
    pub(crate) data: Vec<Thread>,
    /// What the user has not read, by thread id.
    pub(crate) read_states: Option<BTreeMap<String, ThreadReadState>>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
    /// Where to list what came before this page.
    pub(crate) backwards_cursor: Option<String>,
}

/// Lists the threads that are loaded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadLoadedListParams {
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most ids to answer with.
    pub(crate) limit: Option<u32>,
}

/// Is a page of thread ids.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadLoadedListResponse {
    pub(crate) data: Vec<ThreadId>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
}

/// Lists the turns of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadTurnsListParams {
    pub(crate) thread_id: ThreadId,
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most turns to answer with.
    pub(crate) limit: Option<u32>,
    /// Newest first by default.
    pub(crate) sort_direction: Option<SortDirection>,
    /// How much of each turn's items to answer with.
    pub(crate) items_view: Option<TurnItemsView>,
}

/// Is a page of turns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadTurnsListResponse {
    pub(crate) data: Vec<Turn>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
    /// Where to list what came before this page.
    pub(crate) backwards_cursor: Option<String>,
}

/// Is a page of turns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TurnsPage {
    pub(crate) data: Vec<Turn>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
    /// Where to list what came before this page.
    pub(crate) backwards_cursor: Option<String>,
}
