//! Features that can be switched: what there is, and what is on.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::ThreadId;

/// How far a feature has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ExperimentalFeatureStage {
    /// Users may try it.
    Beta,
    /// Not for users yet.
    UnderDevelopment,
    /// A part of the product.
    Stable,
    /// It will go.
    Deprecated,
    /// It is gone; its name is still accepted.
    Removed,
}

/// Describes a feature that a configuration may switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ExperimentalFeature {
    /// As configurations name it.
    pub(crate) name: String,
    pub(crate) stage: ExperimentalFeatureStage,
    /// A title for users; null unless they may try it.
    pub(crate) display_name: Option<String>,
    /// What it does; null unless users may try it.
    pub(crate) description: Option<String>,
    /// What users are told when it is new; null unless they may try it.
    pub(crate) announcement: Option<String>,
    /// Whether it is on now.
    pub(crate) enabled: bool,
    pub(crate) default_enabled: bool,
}

/// Lists the features that configurations may name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ExperimentalFeatureListParams {
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most features to answer with; all by default.
    pub(crate) limit: Option<u32>,
    /// The loaded thread whose configuration counts; the server's own by default.
    pub(crate) thread_id: Option<ThreadId>,
}

/// Answers with features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ExperimentalFeatureListResponse {
    pub(crate) data: Vec<ExperimentalFeature>,
    /// Asks for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// Switches features until the process ends. What files and the command line say goes first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ExperimentalFeatureEnablementSetParams {
    /// By name; those that cannot be switched this way are left out of the answer.
    pub(crate) enablement: BTreeMap<String, bool>,
}

/// Answers with what has been switched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ExperimentalFeatureEnablementSetResponse {
    pub(crate) enablement: BTreeMap<String, bool>,
}
