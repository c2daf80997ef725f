//! How the server is doing, and what clients test themselves with.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Asks how the server is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ServerDiagnosticsParams {}

/// Tells how the server is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ServerDiagnosticsResponse {
    pub(crate) process: ServerDiagnosticsProcess,
    /// What there is to count right now.
    pub(crate) gauges: Vec<ServerDiagnosticsGauge>,
}

/// Describes the process of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ServerDiagnosticsProcess {
    /// The id that the operating system knows it by.
    pub(crate) id: u32,
    /// How much memory it holds.
    pub(crate) resident_memory_bytes: Option<u64>,
    /// How much memory it is charged for, where the system keeps that account.
    pub(crate) physical_footprint_bytes: Option<u64>,
}

/// Holds a count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ServerDiagnosticsGauge {
    pub(crate) name: String,
    pub(crate) value: u64,
}

/// Does nothing but try the way there and back, for tests of clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct MockExperimentalMethodParams {
    /// What is to come back.
    pub(crate) value: Option<String>,
}

/// Brings back what was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct MockExperimentalMethodResponse {
    pub(crate) echoed: Option<String>,
}
