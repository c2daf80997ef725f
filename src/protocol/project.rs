//! Projects: folders that belong together, and the threads about them.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

#[cfg(test)]
use crate::protocol::require;
use crate::protocol::{AbsolutePathBuf, SortDirection, ThreadId};

/// Describes a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) roots: Vec<ProjectRoot>,
    /// Whatever clients keep there.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Its place in the order of the user.
    pub(crate) position: i64,
    /// Unix time in seconds.
    pub(crate) created_at: i64,
    /// Unix time in seconds.
    pub(crate) updated_at: i64,
    /// When the newest turn of its threads started; null without one.
    pub(crate) recency_at: Option<i64>,
}

/// Names a folder of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectRoot {
    pub(crate) path: AbsolutePathBuf,
}

/// Makes a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectCreateParams {
    /// A request with the key of an earlier one answers with the project of that one.
    pub(crate) idempotency_key: String,
    pub(crate) name: String,
    pub(crate) roots: Vec<ProjectRoot>,
    pub(crate) metadata: Option<BTreeMap<String, String>>,
}

/// Describes the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectCreateResponse {
    pub(crate) project: Project,
}

/// Makes a project of threads that exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ProjectImportParams {
    /// A request with the key of an earlier one answers with the project of that one.
    pub(crate) idempotency_key: String,
    pub(crate) name: String,
    pub(crate) roots: Vec<ProjectRoot>,
    pub(crate) metadata: Option<BTreeMap<String, String>>,
    /// The threads that belong to it.
    pub(crate) threads: Option<Vec<ThreadId>>,
}

/// Describes the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectImportResponse {
    pub(crate) project: Project,
}

/// Says what projects are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ProjectSortKey {
    Position,
    RecencyAt,
}

/// Lists the projects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ProjectListParams {
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most entries to answer with.
    pub(crate) limit: Option<u32>,
    /// What to sort by; the order of the user by default.
    pub(crate) sort_key: Option<ProjectSortKey>,
    /// Needs a sort key.
    pub(crate) sort_direction: Option<SortDirection>,
}

/// Is a page of projects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectListResponse {
    pub(crate) data: Vec<Project>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
}

/// Reads a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectReadParams {
    pub(crate) project_id: String,
}

/// Describes the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectReadResponse {
    pub(crate) project: Project,
}

/// Changes a project; what is left out stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ProjectUpdateParams {
    pub(crate) project_id: String,
    pub(crate) name: Option<String>,
    pub(crate) roots: Option<Vec<ProjectRoot>>,
    pub(crate) metadata: Option<BTreeMap<String, String>>,
}

/// Describes the project as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectUpdateResponse {
    pub(crate) project: Project,
}

/// Gives a project another place in the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ProjectMoveParams {
    pub(crate) project_id: String,
    /// The project that it goes before; the end by default.
    pub(crate) before_project_id: Option<String>,
}

/// Confirms the move.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectMoveResponse {}

/// Removes a project; its threads stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectDeleteParams {
    pub(crate) project_id: String,
}

/// Confirms that the project is gone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectDeleteResponse {}

/// Says what became of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ProjectChangeType {
    Created,
    Updated,
    Deleted,
}

/// Tells that a project is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProjectChangedNotification {
    pub(crate) project_id: String,
    pub(crate) change_type: ProjectChangeType,
}

/// Tells that a thread belongs to another project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), schemars(transform = require("projectId")), ts(export_to = "v2/"))]
pub(crate) struct ThreadProjectUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) project_id: Option<String>,
}
