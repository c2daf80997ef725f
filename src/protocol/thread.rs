//! Threads: what they look like, what is told about them.

mod attachment;
mod command;
mod fork;
mod goal;
mod history;
mod list;
mod manage;
mod queue;
mod read_state;
mod section;
mod settings;
mod start;

pub(crate) use attachment::*;
pub(crate) use command::*;
pub(crate) use fork::*;
pub(crate) use goal::*;
pub(crate) use history::*;
pub(crate) use list::*;
pub(crate) use manage::*;
pub(crate) use queue::*;
pub(crate) use read_state::*;
pub(crate) use section::*;
pub(crate) use settings::*;
pub(crate) use start::*;

use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{
    AbsolutePathBuf, AgentPath, LegacyAppPathString, ReasoningEffort, ThreadId, ThreadSource, Turn,
    TurnId,
};

/// Describes a thread: a conversation with an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), schemars(transform = require("projectId")), ts(export_to = "v2/"))]
pub(crate) struct Thread {
    pub(crate) id: ThreadId,
    /// Where commands of the thread run.
    pub(crate) environments: Option<Vec<ThreadEnvironment>>,
    /// Reserved.
    pub(crate) extra: Option<ThreadExtra>,
    /// The thread at the root of the tree of agents that this thread belongs to.
    pub(crate) session_id: String,
    /// The thread whose history this one began with.
    pub(crate) forked_from_id: Option<ThreadId>,
    /// The thread that this one is shown beside.
    pub(crate) attached_to_thread_id: Option<ThreadId>,
    /// The thread whose agent started this one.
    pub(crate) parent_thread_id: Option<ThreadId>,
    /// The first user message.
    pub(crate) preview: String,
    /// Is kept in memory only.
    pub(crate) ephemeral: bool,
    /// The section that the user has put the thread in.
    pub(crate) section: Option<ThreadSection>,
    /// When the thread was put in its section, in Unix seconds.
    pub(crate) section_entered_at: Option<i64>,
    /// The project that the thread belongs to.
    pub(crate) project_id: Option<String>,
    /// How the history is stored.
    #[serde(default)]
    pub(crate) history_mode: ThreadHistoryMode,
    /// The provider of the model.
    pub(crate) model_provider: String,
    /// The model of the latest turn.
    pub(crate) model: Option<String>,
    /// The reasoning effort of the latest turn.
    pub(crate) reasoning_effort: Option<ReasoningEffort>,
    /// When the thread was created, in Unix seconds.
    pub(crate) created_at: i64,
    /// When the thread last changed, in Unix seconds.
    pub(crate) updated_at: i64,
    /// When the newest turn started, in Unix seconds.
    pub(crate) recency_at: Option<i64>,
    /// What the thread does now.
    pub(crate) status: ThreadStatus,
    /// The file that the thread is stored in.
    pub(crate) path: Option<PathBuf>,
    /// The working directory.
    pub(crate) cwd: AbsolutePathBuf,
    /// The version of the server that created the thread.
    pub(crate) cli_version: String,
    /// The client that created the thread.
    pub(crate) originator: Option<String>,
    /// The kind of session that the thread began in.
    pub(crate) source: SessionSource,
    /// Whether clients may start turns.
    pub(crate) can_accept_direct_input: Option<bool>,
    /// What the thread was started for, as its client said.
    pub(crate) thread_source: Option<ThreadSource>,
    /// The name of the agent, of threads that agents start.
    pub(crate) agent_nickname: Option<String>,
    /// The role of the agent, of threads that agents start.
    pub(crate) agent_role: Option<String>,
    /// The state of the repository when the thread was created.
    pub(crate) git_info: Option<GitInfo>,
    /// The name that the user has given the thread.
    pub(crate) name: Option<String>,
    /// Belongs to a hosted feature.
    pub(crate) daybreak_enabled: Option<bool>,
    /// The turns, oldest first; empty unless the request asks for them.
    pub(crate) turns: Vec<Turn>,
}

/// For a schema: a member that may be null is promised to be there.
#[cfg(test)]
pub(crate) fn require(member: &'static str) -> impl FnMut(&mut schemars::Schema) {
    move |schema| {
        if let Some(serde_json::Value::Array(required)) = schema.get_mut("required") {
            required.push(member.into());
        }
    }
}

/// Says what a thread does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadStatus {
    /// Is stored, nothing more.
    NotLoaded,
    /// Waits for input.
    Idle,
    /// Has failed, and may go on with the next turn.
    SystemError,
    /// Runs a turn.
    Active { active_flags: Vec<ThreadActiveFlag> },
}

/// Says what a running turn waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadActiveFlag {
    WaitingOnApproval,
    WaitingOnUserInput,
}

/// Names a place where commands run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadEnvironment {
    pub(crate) environment_id: String,
    pub(crate) cwd: LegacyAppPathString,
    pub(crate) runtime_workspace_roots: Vec<LegacyAppPathString>,
}

/// Reserved.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadExtra {}

/// Says how a thread's history is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ThreadHistoryMode {
    #[default]
    Legacy,
    Paginated,
}

/// Says what kind of session a thread began in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum SessionSource {
    Cli,
    Vscode,
    Exec,
    AppServer,
    Custom(String),
    SubAgent(SubAgentSource),
    Unknown,
}

impl SessionSource {
    /// The place in the tree of agents, of one that the others of its tree know.
    pub(crate) fn agent_path(&self) -> Option<&AgentPath> {
        match self {
            Self::SubAgent(SubAgentSource::ThreadSpawn { agent_path, .. }) => agent_path.as_ref(),
            Self::SubAgent(
                SubAgentSource::Review
                | SubAgentSource::Compact
                | SubAgentSource::MemoryConsolidation
                | SubAgentSource::Other(_),
            )
            | Self::Cli
            | Self::Vscode
            | Self::Exec
            | Self::AppServer
            | Self::Custom(_)
            | Self::Unknown => None,
        }
    }
}

/// Says why a sub-agent was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum SubAgentSource {
    Review,
    Compact,
    /// Another agent asked for it.
    ThreadSpawn {
        #[cfg_attr(test, ts(as = "crate::protocol::NamedThreadId"))]
        parent_thread_id: ThreadId,
        depth: i32,
        agent_path: Option<AgentPath>,
        agent_nickname: Option<String>,
        agent_role: Option<String>,
    },
    MemoryConsolidation,
    Other(String),
}

/// Describes the state of a repository.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GitInfo {
    /// The commit that is checked out.
    pub(crate) sha: Option<String>,
    /// The branch that is checked out.
    pub(crate) branch: Option<String>,
    /// The URL of the remote `origin`.
    pub(crate) origin_url: Option<String>,
}

/// Describes a section: a user's group of threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSection {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) appearance: Option<ThreadSectionAppearance>,
}

/// Says how clients show a section.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadSectionAppearance {
    pub(crate) icon: Option<String>,
    pub(crate) color: Option<String>,
}

/// Tells that a thread has been created or loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadStartedNotification {
    pub(crate) thread: Thread,
}

/// Tells what a thread does now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadStatusChangedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) status: ThreadStatus,
}

/// Tells that a thread has been archived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadArchivedNotification {
    pub(crate) thread_id: ThreadId,
}

/// Tells that a thread has been taken out of the archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadUnarchivedNotification {
    pub(crate) thread_id: ThreadId,
}

/// Tells that a thread has been unloaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadClosedNotification {
    pub(crate) thread_id: ThreadId,
}

/// Tells the new name of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadNameUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    /// The name; absent when there is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) thread_name: Option<String>,
}

/// Sums up what a thread has used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadTokenUsage {
    /// All requests of the thread.
    pub(crate) total: TokenUsageBreakdown,
    /// The latest request.
    pub(crate) last: TokenUsageBreakdown,
    /// The size of the model's context window in tokens.
    pub(crate) model_context_window: Option<i64>,
}

/// Counts tokens.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TokenUsageBreakdown {
    /// Input and output together.
    pub(crate) total_tokens: i64,
    pub(crate) input_tokens: i64,
    /// The part of the input that came from the provider's cache.
    pub(crate) cached_input_tokens: i64,
    /// The part of the input that was put in the provider's cache.
    #[serde(default)]
    pub(crate) cache_write_input_tokens: i64,
    pub(crate) output_tokens: i64,
    /// The part of the output that was reasoning.
    pub(crate) reasoning_output_tokens: i64,
}

/// Tells what a thread has used, after each answer of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ThreadTokenUsageUpdatedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) token_usage: ThreadTokenUsage,
}
