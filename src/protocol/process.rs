//! Processes that clients run for themselves, without a thread: `command/exec` and `process/*`.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{AbsolutePathBuf, SandboxPolicy, double_option};

/// Runs a command in the sandbox; the answer comes when it has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
#[expect(clippy::struct_excessive_bools, reason = "clients know these members")]
pub(crate) struct CommandExecParams {
    /// The program and its arguments. No shell reads them.
    pub(crate) command: Vec<String>,
    /// The client's own name for it, by which it can be written to, resized and terminated.
    pub(crate) process_id: Option<String>,
    /// Runs it at a terminal, and streams both ways.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tty: bool,
    /// Lets `command/exec/write` give it input.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream_stdin: bool,
    /// Tells output as it comes, and not again in the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream_stdout_stderr: bool,
    /// How much of each stream is wanted; 1 MiB without it.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) output_bytes_cap: Option<usize>,
    /// Wants all output. Excludes `outputBytesCap`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disable_output_cap: bool,
    /// Lets it run as long as it likes. Excludes `timeoutMs`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disable_timeout: bool,
    /// How long it may run; 10 seconds without it.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) timeout_ms: Option<i64>,
    /// The working directory, from the server's own.
    pub(crate) cwd: Option<String>,
    /// Variables over the server's environment; null removes one.
    pub(crate) env: Option<BTreeMap<String, Option<String>>>,
    /// The size of the terminal.
    pub(crate) size: Option<CommandExecTerminalSize>,
    /// What it may do; the configuration says so without it.
    pub(crate) sandbox_policy: Option<SandboxPolicy>,
    /// The permission profile; excludes `sandboxPolicy`.
    pub(crate) permission_profile: Option<String>,
}

/// Is the end of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecResponse {
    /// 128 and the signal after a signal, 124 after a timeout.
    pub(crate) exit_code: i32,
    /// What was not streamed.
    pub(crate) stdout: String,
    /// What was not streamed.
    pub(crate) stderr: String,
}

/// Gives a command input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct CommandExecWriteParams {
    pub(crate) process_id: String,
    /// The bytes.
    pub(crate) delta_base64: Option<String>,
    /// Ends the input, after the bytes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) close_stdin: bool,
}

/// Confirms that the command has the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecWriteResponse {}

/// Kills a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecTerminateParams {
    pub(crate) process_id: String,
}

/// Confirms that the command has been killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecTerminateResponse {}

/// Gives a command's terminal another size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecResizeParams {
    pub(crate) process_id: String,
    pub(crate) size: CommandExecTerminalSize,
}

/// Confirms the new size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecResizeResponse {}

/// Is the size of a command's terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecTerminalSize {
    pub(crate) rows: u16,
    pub(crate) cols: u16,
}

/// Names a stream of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CommandExecOutputStream {
    /// At a terminal, all output.
    Stdout,
    /// Errors.
    Stderr,
}

/// Tells output of a command to the client that runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecOutputDeltaNotification {
    pub(crate) process_id: String,
    pub(crate) stream: CommandExecOutputStream,
    /// The bytes.
    pub(crate) delta_base64: String,
    /// Whether nothing more of this stream will be told.
    pub(crate) cap_reached: bool,
}

/// Starts a process without a sandbox. Its end is told by `process/exited`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ProcessSpawnParams {
    /// The program and its arguments. No shell reads them.
    pub(crate) command: Vec<String>,
    /// The client's own name for it.
    pub(crate) process_handle: String,
    /// The working directory.
    pub(crate) cwd: AbsolutePathBuf,
    /// Runs it at a terminal, and streams both ways.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tty: bool,
    /// Lets `process/writeStdin` give it input.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream_stdin: bool,
    /// Tells output as it comes, and not again at the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream_stdout_stderr: bool,
    /// How much of each stream is wanted; 1 MiB without it, all with null.
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) output_bytes_cap: Option<Option<usize>>,
    /// How long it may run; 10 seconds without it, as long as it likes with null.
    #[serde(default, deserialize_with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) timeout_ms: Option<Option<i64>>,
    /// Variables over the server's environment; null removes one.
    pub(crate) env: Option<BTreeMap<String, Option<String>>>,
    /// The size of the terminal.
    pub(crate) size: Option<ProcessTerminalSize>,
}

/// Confirms that the process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessSpawnResponse {}

/// Gives a process input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ProcessWriteStdinParams {
    pub(crate) process_handle: String,
    /// The bytes.
    pub(crate) delta_base64: Option<String>,
    /// Ends the input, after the bytes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) close_stdin: bool,
}

/// Confirms that the process has the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessWriteStdinResponse {}

/// Kills a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessKillParams {
    pub(crate) process_handle: String,
}

/// Confirms that the process has been killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessKillResponse {}

/// Gives a process's terminal another size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessResizePtyParams {
    pub(crate) process_handle: String,
    pub(crate) size: ProcessTerminalSize,
}

/// Confirms the new size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessResizePtyResponse {}

/// Is the size of a process's terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessTerminalSize {
    pub(crate) rows: u16,
    pub(crate) cols: u16,
}

/// Names a stream of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ProcessOutputStream {
    /// At a terminal, all output.
    Stdout,
    /// Errors.
    Stderr,
}

/// Tells output of a process to the client that runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessOutputDeltaNotification {
    pub(crate) process_handle: String,
    pub(crate) stream: ProcessOutputStream,
    /// The bytes.
    pub(crate) delta_base64: String,
    /// Whether nothing more of this stream will be told.
    pub(crate) cap_reached: bool,
}

/// Tells the end of a process to the client that ran it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ProcessExitedNotification {
    pub(crate) process_handle: String,
    /// 128 and the signal after a signal, 124 after a timeout.
    pub(crate) exit_code: i32,
    /// Whether somebody else still held the output open, so that the rest of it is missing.
    pub(crate) output_drain_timed_out: Option<bool>,
    /// What was not streamed.
    pub(crate) stdout: String,
    /// Whether output is missing because no more was wanted.
    pub(crate) stdout_cap_reached: bool,
    /// What was not streamed.
    pub(crate) stderr: String,
    /// Whether errors are missing because no more was wanted.
    pub(crate) stderr_cap_reached: bool,
}
