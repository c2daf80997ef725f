//! Requests for approval: what the server asks, and what may be answered.

use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::rpc::RequestId;
use crate::protocol::{
    AdditionalFileSystemPermissions, AdditionalNetworkPermissions, AdditionalPermissionProfile,
    CommandAction, ItemId, LegacyAppPathString, ThreadId, TurnId,
};

/// Asks whether a command may run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecutionRequestApprovalParams {
    /// What is to be approved.
    #[serde(default)]
    pub(crate) kind: CommandExecutionApprovalKind,
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// The item of the command.
    pub(crate) item_id: ItemId,
    /// In Unix milliseconds.
    pub(crate) started_at_ms: i64,
    /// Tells requests about the same item apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) approval_id: Option<String>,
    /// Where the command runs.
    pub(crate) environment_id: Option<String>,
    /// Why approval is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) reason: Option<String>,
    /// The host to be reached, when that is what is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) network_approval_context: Option<NetworkApprovalContext>,
    /// The command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) command: Option<String>,
    /// Its working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) cwd: Option<LegacyAppPathString>,
    /// What the command is good for, as far as its text tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) command_actions: Option<Vec<CommandAction>>,
    /// What the command may do beyond the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) additional_permissions: Option<AdditionalPermissionProfile>,
    /// The beginning of commands that could be allowed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<ExecPolicyAmendment>", optional = nullable))]
    pub(crate) proposed_execpolicy_amendment: Option<Vec<String>>,
    /// Rules for hosts that could be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) proposed_network_policy_amendments: Option<Vec<NetworkPolicyAmendment>>,
    /// The answers to offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) available_decisions: Option<Vec<CommandExecutionApprovalDecision>>,
}

/// Says what about a command is to be approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CommandExecutionApprovalKind {
    #[default]
    Command,
    HumanCommand,
    WriteStdin,
}

/// Answers whether a command may run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CommandExecutionRequestApprovalResponse {
    pub(crate) decision: CommandExecutionApprovalDecision,
}

/// Decides about a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CommandExecutionApprovalDecision {
    /// It may run.
    Accept,
    /// It may run, now and later in this thread.
    AcceptForSession,
    /// It may run, and so may all that begin like this.
    AcceptWithExecpolicyAmendment {
        #[cfg_attr(test, ts(as = "ExecPolicyAmendment"))]
        execpolicy_amendment: Vec<String>,
    },
    /// The rule about the host is kept.
    ApplyNetworkPolicyAmendment { network_policy_amendment: NetworkPolicyAmendment },
    /// It may not run; the turn goes on.
    Decline,
    /// It may not run, and the turn ends.
    Cancel,
}

/// Is the beginning of the commands that a rule allows, as TypeScript definitions call it.
#[cfg(test)]
#[derive(TS)]
#[ts(export_to = "v2/")]
struct ExecPolicyAmendment(
    #[expect(dead_code, reason = "stands for the list in definitions")] Vec<String>,
);

/// Asks whether files may be changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct FileChangeRequestApprovalParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// The item of the change.
    pub(crate) item_id: ItemId,
    /// In Unix milliseconds.
    pub(crate) started_at_ms: i64,
    /// Why approval is needed.
    pub(crate) reason: Option<String>,
    /// A directory that could be opened for writing.
    pub(crate) grant_root: Option<PathBuf>,
}

/// Answers whether files may be changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FileChangeRequestApprovalResponse {
    pub(crate) decision: FileChangeApprovalDecision,
}

/// Decides about a change to files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum FileChangeApprovalDecision {
    /// It may be made.
    Accept,
    /// It may be made, and so may later ones to the same files.
    AcceptForSession,
    /// It may not be made; the turn goes on.
    Decline,
    /// It may not be made, and the turn ends.
    Cancel,
}

/// Asks whether commands and edits may do more than the policy allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct PermissionsRequestApprovalParams {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    /// The call that asks; no item shows it.
    pub(crate) item_id: ItemId,
    /// Where the permissions would hold.
    #[serde(default)]
    pub(crate) environment_id: Option<String>,
    /// In Unix milliseconds.
    pub(crate) started_at_ms: i64,
    /// The thread's working directory.
    pub(crate) cwd: LegacyAppPathString,
    /// Why they are needed.
    pub(crate) reason: Option<String>,
    pub(crate) permissions: RequestPermissionProfile,
}

/// Lists what is asked for beyond the policy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct RequestPermissionProfile {
    pub(crate) network: Option<AdditionalNetworkPermissions>,
    pub(crate) file_system: Option<AdditionalFileSystemPermissions>,
}

/// Answers with what is granted, of what was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct PermissionsRequestApprovalResponse {
    pub(crate) permissions: GrantedPermissionProfile,
    #[serde(default)]
    pub(crate) scope: PermissionGrantScope,
    /// Wants everything that makes use of it to be reviewed; then nothing is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) strict_auto_review: Option<bool>,
}

/// Lists what is granted beyond the policy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GrantedPermissionProfile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) network: Option<AdditionalNetworkPermissions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) file_system: Option<AdditionalFileSystemPermissions>,
}

/// Says for how long something is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum PermissionGrantScope {
    #[default]
    Turn,
    /// For as long as the thread is loaded.
    Session,
}

/// Names a host to be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct NetworkApprovalContext {
    pub(crate) host: String,
    pub(crate) protocol: NetworkApprovalProtocol,
}

/// Says how a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum NetworkApprovalProtocol {
    Http,
    Https,
    Socks5Tcp,
    Socks5Udp,
}

/// Is a rule about a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct NetworkPolicyAmendment {
    pub(crate) host: String,
    pub(crate) action: NetworkPolicyRuleAction,
}

/// Says what a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum NetworkPolicyRuleAction {
    Allow,
    Deny,
}

/// Tells that a request to the client needs no answer any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ServerRequestResolvedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) request_id: RequestId,
}
