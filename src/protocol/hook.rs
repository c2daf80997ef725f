//! Hooks: commands of the user's that run at fixed points of a thread's life; which there are, and how they ran.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{AbsolutePathBuf, LegacyAppPathString, ThreadId, TurnId};

/// Lists the hooks that hold for working directories.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct HooksListParams {
    /// The working directories; the server's own when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<String>>", optional))]
    pub(crate) cwds: Vec<String>,
    /// The loaded thread whose settings count.
    pub(crate) thread_id: Option<ThreadId>,
}

/// Lists hooks by working directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HooksListResponse {
    pub(crate) data: Vec<HooksListEntry>,
}

/// Lists the hooks that hold for one working directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HooksListEntry {
    pub(crate) cwd: String,
    pub(crate) hooks: Vec<HookMetadata>,
    /// What is declared and cannot be used.
    pub(crate) warnings: Vec<String>,
    /// Why hooks could not be looked for.
    pub(crate) errors: Vec<HookErrorInfo>,
}

/// Tells why the hooks of a place are not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HookErrorInfo {
    pub(crate) path: String,
    pub(crate) message: String,
}

/// Describes a hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HookMetadata {
    /// Names the hook in `hooks.state` of the configuration.
    pub(crate) key: String,
    pub(crate) event_name: HookEventName,
    #[serde(flatten)]
    pub(crate) handler: HookHandlerMetadata,
    /// What the event has to be about; null stands for anything.
    pub(crate) matcher: Option<String>,
    pub(crate) timeout_sec: u64,
    /// What clients show while it runs.
    pub(crate) status_message: Option<String>,
    /// The most tokens of context that it adds.
    pub(crate) additional_context_limit: Option<usize>,
    /// The file that declares it.
    pub(crate) source_path: AbsolutePathBuf,
    pub(crate) source: HookSource,
    pub(crate) plugin_id: Option<String>,
    pub(crate) environment_id: Option<String>,
    pub(crate) display_order: i64,
    pub(crate) enabled: bool,
    /// Whether it belongs to the system's management, and runs without being trusted.
    pub(crate) is_managed: bool,
    /// The hash of what it does; trust is given to this.
    pub(crate) current_hash: String,
    pub(crate) trust_status: HookTrustStatus,
}

/// Says what a hook runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "handlerType", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookHandlerMetadata {
    /// A command in the user's shell.
    Command {
        command: String,
        /// Whether nothing waits for it.
        #[serde(default)]
        r#async: bool,
    },
    /// A tool of an MCP server.
    McpTool { server: String, tool: String },
    /// A question to a model.
    Prompt,
    /// An agent.
    Agent,
}

/// Names the kinds of handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookHandlerType {
    Command,
    McpTool,
    Prompt,
    Agent,
}

/// Names the points at which hooks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookEventName {
    PreModelRequest,
    PostModelRequest,
    PreToolUse,
    PermissionRequest,
    PostToolUse,
    PreCompact,
    PostCompact,
    SessionStart,
    SessionEnd,
    UserPromptSubmit,
    SubagentStart,
    SubagentStop,
    Stop,
    Interrupt,
}

/// Says where a hook is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookSource {
    System,
    User,
    Project,
    Mdm,
    SessionFlags,
    Plugin,
    CloudRequirements,
    CloudManagedConfig,
    LegacyManagedConfigFile,
    LegacyManagedConfigMdm,
    #[default]
    Unknown,
}

/// Says whether a hook may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookTrustStatus {
    /// It may, by the system's management.
    Managed,
    /// It may not: nobody has approved it.
    Untrusted,
    /// It may: it is what the user has approved.
    Trusted,
    /// It may not: it is not any more what the user has approved.
    Modified,
}

/// Tells that a hook runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HookStartedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: Option<TurnId>,
    pub(crate) run: HookRunSummary,
}

/// Tells how a hook has run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HookCompletedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: Option<TurnId>,
    pub(crate) run: HookRunSummary,
}

/// Is one run of a hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HookRunSummary {
    pub(crate) id: String,
    pub(crate) event_name: HookEventName,
    pub(crate) handler_type: HookHandlerType,
    pub(crate) execution_mode: HookExecutionMode,
    pub(crate) scope: HookScope,
    pub(crate) source_path: LegacyAppPathString,
    #[serde(default)]
    pub(crate) source: HookSource,
    pub(crate) display_order: i64,
    pub(crate) status: HookRunStatus,
    pub(crate) status_message: Option<String>,
    /// In Unix seconds.
    pub(crate) started_at: i64,
    /// In Unix seconds; null while it runs.
    pub(crate) completed_at: Option<i64>,
    pub(crate) duration_ms: Option<i64>,
    pub(crate) entries: Vec<HookOutputEntry>,
}

/// Says whether the thread waits for a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookExecutionMode {
    Sync,
    Async,
}

/// Says what a hook's run concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookScope {
    Thread,
    Turn,
}

/// Says how a hook's run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookRunStatus {
    Running,
    Completed,
    /// It broke, or its answer cannot be understood.
    Failed,
    /// It objects to what was about to happen.
    Blocked,
    /// It ends the turn.
    Stopped,
}

/// Is something that a hook has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct HookOutputEntry {
    pub(crate) kind: HookOutputEntryKind,
    pub(crate) text: String,
}

/// Says what to make of something that a hook has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum HookOutputEntryKind {
    /// For the user.
    Warning,
    /// Why the turn ends.
    Stop,
    /// Why something does not happen; the model is told.
    Feedback,
    /// What the model is told besides.
    Context,
    /// What went wrong with the hook.
    Error,
}
