//! Commands of a thread beside its turns: those that the user runs, and those of the agent that still run.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ItemId, LegacyAppPathString, ThreadId};

/// Runs a command of the user's own in a thread's folder, without a sandbox and without a question.
///
/// It is shown as an item of the running turn; in a thread that is idle it is a turn of its own, which asks no model.
/// The model learns of it with its next request. Interrupting the turn kills the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadShellCommandParams {
    pub(crate) thread_id: ThreadId,
    /// A script for the user's shell.
    pub(crate) command: String,
    /// When to kill it, in milliseconds; it may run for as long as it likes by default.
    pub(crate) timeout_ms: Option<i64>,
}

/// Says that the command will run; an item tells how it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadShellCommandResponse {}

/// Asks for the commands of the agent that run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ThreadBackgroundTerminalsListParams {
    pub(crate) thread_id: ThreadId,
    /// Where the page begins: the `nextCursor` of the one before.
    pub(crate) cursor: Option<String>,
    /// How many the page may have; all by default.
    pub(crate) limit: Option<u32>,
}

/// Answers `thread/backgroundTerminals/list`: sorted by `processId` as a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadBackgroundTerminalsListResponse {
    pub(crate) data: Vec<ThreadBackgroundTerminal>,
    /// Asks for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// Describes a command of the agent that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadBackgroundTerminal {
    /// The item that shows it.
    pub(crate) item_id: ItemId,
    /// What to terminate it by.
    pub(crate) process_id: String,
    /// The script, as the model wrote it.
    pub(crate) command: String,
    pub(crate) cwd: LegacyAppPathString,
    /// The process that leads it, as the system knows it.
    pub(crate) os_pid: Option<u32>,
    /// Not measured.
    pub(crate) cpu_percent: Option<f64>,
    /// Not measured.
    pub(crate) rss_kb: Option<u64>,
}

/// Kills a command of the agent, and everything that it has started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadBackgroundTerminalsTerminateParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) process_id: String,
}

/// Answers `thread/backgroundTerminals/terminate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadBackgroundTerminalsTerminateResponse {
    /// Whether there was such a command to kill.
    pub(crate) terminated: bool,
}

/// Kills all commands of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadBackgroundTerminalsCleanParams {
    pub(crate) thread_id: ThreadId,
}

/// Answers `thread/backgroundTerminals/clean`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadBackgroundTerminalsCleanResponse {}
