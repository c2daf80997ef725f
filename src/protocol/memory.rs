//! What agents have learnt from earlier threads.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Asks how much has been learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct MemoryStatusParams {
    /// How many threads are enough to be worth asking for.
    pub(crate) min_consolidated_threads: Option<u32>,
}

/// Tells how much has been learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct MemoryStatusResponse {
    /// How many threads have been gone through.
    pub(crate) v2_consolidated_threads: u32,
    /// Whether that is enough.
    pub(crate) v2_ready: bool,
}

/// Confirms that everything has been forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct MemoryResetResponse {}
