//! Settings that threads and turns share: when to ask, what commands may do, how the model works.

mod read;
mod write;

pub(crate) use read::*;
pub(crate) use write::*;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::AbsolutePathBuf;

/// Says when the user is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AskForApproval {
    /// For everything that is not known to be harmless.
    Untrusted,
    /// When the agent thinks it necessary.
    OnRequest,
    /// For the kinds that are switched on; the rest is refused.
    Granular {
        sandbox_approval: bool,
        rules: bool,
        #[serde(default)]
        skill_approval: bool,
        #[serde(default)]
        request_permissions: bool,
        mcp_elicitations: bool,
    },
    /// Never; what needs approval fails.
    Never,
}

/// Says who answers requests for approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ApprovalsReviewer {
    User,
    AutoReview,
    GuardianSubagent,
}

/// Names a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum SandboxMode {
    ReadOnly,
    WorkspaceWrite,
    DangerFullAccess,
}

/// Says what commands may do without asking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum SandboxPolicy {
    /// Anything.
    DangerFullAccess,
    /// Read.
    ReadOnly {
        #[serde(default)]
        network_access: bool,
    },
    /// Anything, since somebody else confines the server.
    ExternalSandbox {
        #[serde(default)]
        network_access: NetworkAccess,
    },
    /// Read, and write in the workspace.
    WorkspaceWrite {
        #[serde(default)]
        writable_roots: Vec<AbsolutePathBuf>,
        #[serde(default)]
        network_access: bool,
        #[serde(default)]
        exclude_tmpdir_env_var: bool,
        #[serde(default)]
        exclude_slash_tmp: bool,
    },
}

/// Says whether commands reach the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum NetworkAccess {
    #[default]
    Restricted,
    Enabled,
}

/// Says how much a model reasons; which words are known depends on the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(JsonSchema, TS), schemars(extend("minLength" = 1)), ts(as = "String"))]
pub(crate) struct ReasoningEffort(String);

impl ReasoningEffort {
    /// What providers take a request for that says nothing.
    pub(crate) fn unsaid() -> Self {
        Self("medium".to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReasoningEffort {
    /// None at all.
    fn default() -> Self {
        Self("none".to_owned())
    }
}

/// An effort without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reasoning_effort must not be empty")]
pub(crate) struct EmptyReasoningEffort;

impl TryFrom<String> for ReasoningEffort {
    type Error = EmptyReasoningEffort;

    fn try_from(effort: String) -> Result<Self, Self::Error> {
        if effort.is_empty() { Err(EmptyReasoningEffort) } else { Ok(Self(effort)) }
    }
}

/// Says how reasoning is summarized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum ReasoningSummary {
    Auto,
    Concise,
    Detailed,
    None,
}

/// Says what tone an agent has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum Personality {
    None,
    Friendly,
    Pragmatic,
}

/// Says how an agent works with its user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct CollaborationMode {
    pub(crate) mode: ModeKind,
    pub(crate) settings: Settings,
}

/// Names a way of working with the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum ModeKind {
    Plan,
    #[serde(alias = "code", alias = "custom", alias = "execute", alias = "pair_programming")]
    Default,
}

/// Lists the settings of a collaboration mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct Settings {
    pub(crate) model: String,
    pub(crate) reasoning_effort: Option<ReasoningEffort>,
    /// Instructions of the mode; null means the built-in ones.
    pub(crate) developer_instructions: Option<String>,
}

/// Says whether an agent starts sub-agents by itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum MultiAgentMode {
    /// Is accepted from clients, and not part of the schemas.
    #[cfg_attr(test, schemars(skip), ts(skip))]
    None,
    Custom(String),
    #[default]
    ExplicitRequestOnly,
    Proactive,
}

/// Names a hosted programme for security work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CyberAccessProgram {
    Standard,
    DaybreakBlue,
    DaybreakRed,
}
