//! Finding files by a few letters of their paths.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Finds files and folders whose paths have the letters of the query in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct FuzzyFileSearchParams {
    /// Blanks separate terms that all have to match.
    pub(crate) query: String,
    /// The folders to search, by absolute path.
    pub(crate) roots: Vec<String>,
    /// A later search with the same token ends this one.
    pub(crate) cancellation_token: Option<String>,
}

/// Holds what was found, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchResponse {
    pub(crate) files: Vec<FuzzyFileSearchResult>,
}

/// Is a file or folder that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchResult {
    /// The root that it is below.
    pub(crate) root: String,
    /// Relative to the root.
    pub(crate) path: String,
    pub(crate) match_type: FuzzyFileSearchMatchType,
    pub(crate) file_name: String,
    /// The higher, the better; of use only to compare.
    pub(crate) score: u32,
    /// Which characters of the path match, ascending.
    pub(crate) indices: Option<Vec<u32>>,
}

/// What a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum FuzzyFileSearchMatchType {
    File,
    Directory,
}

/// Begins a search whose query changes as the user types; it replaces one of the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchSessionStartParams {
    pub(crate) session_id: String,
    /// The folders to search, by absolute path.
    pub(crate) roots: Vec<String>,
}

/// Tells that the session takes queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchSessionStartResponse {}

/// Replaces a session's query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchSessionUpdateParams {
    pub(crate) session_id: String,
    /// Blanks separate terms that all have to match.
    pub(crate) query: String,
}

/// Tells that the session looks for something else now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchSessionUpdateResponse {}

/// Ends a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchSessionStopParams {
    pub(crate) session_id: String,
}

/// Tells that there is no such session any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchSessionStopResponse {}

/// Tells what a session has found so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchSessionUpdatedNotification {
    pub(crate) session_id: String,
    pub(crate) query: String,
    /// The best first.
    pub(crate) files: Vec<FuzzyFileSearchResult>,
}

/// Tells that a session has found all that there is for its query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct FuzzyFileSearchSessionCompletedNotification {
    pub(crate) session_id: String,
}
