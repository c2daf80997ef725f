//! Sections: groups of threads that users make, each in an order of their own.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

#[cfg(test)]
use crate::protocol::require;
use crate::protocol::{ThreadId, ThreadSection, ThreadSectionAppearance, double_option};

/// Lists the sections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadSectionListParams {
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most entries to answer with.
    pub(crate) limit: Option<u32>,
}

/// Is a page of sections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSectionListResponse {
    pub(crate) data: Vec<ThreadSection>,
    /// Where the next page begins; null after the last.
    pub(crate) next_cursor: Option<String>,
}

/// Makes a section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadSectionCreateParams {
    pub(crate) name: String,
    /// How clients show it.
    pub(crate) appearance: Option<ThreadSectionAppearance>,
}

/// Describes the new section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSectionCreateResponse {
    pub(crate) section: ThreadSection,
}

/// Renames a section, and says how it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadSectionUpdateParams {
    pub(crate) section_id: String,
    pub(crate) name: String,
    /// How clients show it; null takes that away.
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<ThreadSectionAppearance>"))]
    pub(crate) appearance: Option<Option<ThreadSectionAppearance>>,
}

/// Describes the section as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSectionUpdateResponse {
    pub(crate) section: ThreadSection,
}

/// Removes a section; its threads stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSectionDeleteParams {
    pub(crate) section_id: String,
}

/// Confirms that the section is gone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSectionDeleteResponse {}

/// Puts a thread into a section, at a place of its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), schemars(transform = require("sectionId")), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadSectionMoveParams {
    pub(crate) thread_id: ThreadId,
    /// The section; null takes the thread out of any.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) section_id: Option<String>,
    /// The thread that it goes before; the end by default.
    pub(crate) before_thread_id: Option<ThreadId>,
}

/// Confirms the move.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSectionMoveResponse {}

/// Tells that a thread has been moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), schemars(transform = require("sectionId")), ts(export_to = "v2/"))]
pub(crate) struct ThreadSectionChangedNotification {
    pub(crate) thread_id: ThreadId,
    /// The section that it is in now.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) section_id: Option<String>,
}
