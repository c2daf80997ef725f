//! What is left of the generation of the protocol before this one.

use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{SessionSource, ThreadId};

/// Reads what is stored of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum GetConversationSummaryParams {
    /// By its file; a relative path is taken from the home.
    ByPath {
        #[serde(rename = "rolloutPath")]
        rollout_path: PathBuf,
    },
    ByThread {
        #[serde(rename = "conversationId")]
        #[cfg_attr(test, ts(as = "crate::protocol::NamedThreadId"))]
        conversation_id: ThreadId,
    },
}

/// Tells what is stored of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct GetConversationSummaryResponse {
    pub(crate) summary: ConversationSummary,
}

/// Describes a stored thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct ConversationSummary {
    #[cfg_attr(test, ts(as = "crate::protocol::NamedThreadId"))]
    pub(crate) conversation_id: ThreadId,
    /// The thread's file.
    pub(crate) path: PathBuf,
    /// The first thing that the user said.
    pub(crate) preview: String,
    /// When it began.
    pub(crate) timestamp: Option<String>,
    /// When it was last written.
    pub(crate) updated_at: Option<String>,
    pub(crate) model_provider: String,
    pub(crate) cwd: PathBuf,
    /// The version of the server that began it.
    pub(crate) cli_version: String,
    pub(crate) source: SessionSource,
    /// The repository that it began in.
    pub(crate) git_info: Option<ConversationGitInfo>,
}

/// Describes the state of a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct ConversationGitInfo {
    pub(crate) sha: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) origin_url: Option<String>,
}

/// Compares a work tree with what its remote knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct GitDiffToRemoteParams {
    pub(crate) cwd: PathBuf,
}

/// Holds the difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct GitDiffToRemoteResponse {
    /// The newest commit of the work tree that a remote knows.
    pub(crate) sha: GitSha,
    /// What has been done since, new files included.
    pub(crate) diff: String,
}

/// Names a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct GitSha(pub(crate) String);
