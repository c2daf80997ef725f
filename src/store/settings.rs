//! The settings of a thread as they are stored: the context of a turn, and what applies from a line on. Sandbox
//! policies are stored as permission profiles, from which they are told again here.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json, value::RawValue};

use crate::protocol::{
    AbsolutePathBuf, ActivePermissionProfile, ApprovalsReviewer, AskForApproval, CollaborationMode,
    NetworkAccess, Personality, ReasoningSummary, SandboxPolicy, ThreadId, TurnId,
};

/// The settings that a turn ran with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TurnContext {
    #[serde(default)]
    pub(crate) turn_id: Option<TurnId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root_turn_id: Option<TurnId>,
    #[serde(default)]
    pub(crate) disabled_plugin_ids: Vec<String>,
    #[serde(default)]
    pub(crate) cwd: PathBuf,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) approval_policy: Option<AskForApproval>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) permission_profile: Option<Value>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) active_permission_profile: Option<ActivePermissionProfile>,
    #[serde(default)]
    pub(crate) model: String,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) collaboration_mode: Option<CollaborationMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) multi_agent_version: Option<String>,
    #[serde(default)]
    pub(crate) realtime_active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) effort: Option<String>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<ReasoningSummary>,
    /// In the stored form; see [`sandbox_to_stored`] and [`TurnContext::sandbox`].
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) sandbox_policy: Option<Value>,
}

/// The settings that hold from here on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SettingsApplied {
    pub(crate) thread_id: ThreadId,
    pub(crate) thread_settings: StoredSettings,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoredSettings {
    #[serde(default)]
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) model_provider_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) service_tier: Option<String>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) approval_policy: Option<AskForApproval>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) requested_approvals_reviewer: Option<ApprovalsReviewer>,
    /// See [`profile_of`] and [`StoredSettings::sandbox`].
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) permission_profile: Option<Value>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) active_permission_profile: Option<ActivePermissionProfile>,
    #[serde(default)]
    pub(crate) cwd: PathBuf,
    #[serde(default)]
    pub(crate) runtime_workspace_roots: Vec<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_effort: Option<String>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_summary: Option<ReasoningSummary>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) personality: Option<Personality>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub(crate) collaboration_mode: Option<CollaborationMode>,
    #[serde(default)]
    pub(crate) disabled_plugin_ids: Vec<String>,
}

impl TurnContext {
    /// The sandbox of the turn, as far as it is stored.
    pub(crate) fn sandbox(&self) -> Option<SandboxPolicy> {
        let roots = std::slice::from_ref(&self.cwd);
        let stored = self.sandbox_policy.as_ref().and_then(sandbox_from_stored);
        stored.or_else(|| {
            self.permission_profile.as_ref().and_then(|profile| sandbox_of(profile, roots))
        })
    }
}

impl StoredSettings {
    /// The sandbox that the stored permission profile amounts to.
    pub(crate) fn sandbox(&self) -> Option<SandboxPolicy> {
        let mut roots = self.runtime_workspace_roots.clone();
        roots.push(self.cwd.clone());
        self.permission_profile.as_ref().and_then(|profile| sandbox_of(profile, &roots))
    }
}

/// A member whose value is not understood counts as missing; files of other versions have such values.
fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw: &RawValue = Deserialize::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// `{"type":"workspace-write", …}` for a sandbox policy.
pub(crate) fn sandbox_to_stored(policy: &SandboxPolicy) -> Value {
    match policy {
        SandboxPolicy::DangerFullAccess => json!({"type": "danger-full-access"}),
        SandboxPolicy::ReadOnly { network_access: false } => json!({"type": "read-only"}),
        SandboxPolicy::ReadOnly { network_access: true } => {
            json!({"type": "read-only", "network_access": true})
        }
        SandboxPolicy::ExternalSandbox { network_access } => {
            json!({"type": "external-sandbox", "network_access": network_access})
        }
        SandboxPolicy::WorkspaceWrite {
            writable_roots,
            network_access,
            exclude_tmpdir_env_var,
            exclude_slash_tmp,
        } => json!({
            "type": "workspace-write",
            "writable_roots": writable_roots,
            "network_access": network_access,
            "exclude_tmpdir_env_var": exclude_tmpdir_env_var,
            "exclude_slash_tmp": exclude_slash_tmp,
        }),
    }
}

/// The policy of a stored form, the older one with `mode` included.
pub(crate) fn sandbox_from_stored(stored: &Value) -> Option<SandboxPolicy> {
    let kind = stored.get("type").or_else(|| stored.get("mode"))?.as_str()?;
    let flag = |name: &str| stored.get(name).and_then(Value::as_bool).unwrap_or(false);
    let roots = || {
        stored.get("writable_roots").cloned().and_then(|roots| serde_json::from_value(roots).ok())
    };
    match kind {
        "danger-full-access" => Some(SandboxPolicy::DangerFullAccess),
        "read-only" => Some(SandboxPolicy::ReadOnly { network_access: flag("network_access") }),
        "external-sandbox" => Some(SandboxPolicy::ExternalSandbox {
            network_access: network(stored, "network_access"),
        }),
        "workspace-write" => Some(SandboxPolicy::WorkspaceWrite {
            writable_roots: roots().unwrap_or_default(),
            network_access: flag("network_access"),
            exclude_tmpdir_env_var: flag("exclude_tmpdir_env_var"),
            exclude_slash_tmp: flag("exclude_slash_tmp"),
        }),
        _ => None,
    }
}

/// Folders below a writable root that stay read-only.
const PROTECTED: [&str; 3] = [".git", ".agents", ".codex"];

/// The permission profile that a sandbox policy amounts to in these workspace roots.
pub(crate) fn profile_of(policy: &SandboxPolicy, roots: &[PathBuf]) -> Value {
    let special = |kind: &str, access: &str| json!({"path": {"type": "special", "value": {"kind": kind}}, "access": access});
    let managed = |entries: Vec<Value>, network: bool| {
        let network = if network { "enabled" } else { "restricted" };
        json!({"type": "managed", "file_system": {"type": "restricted", "entries": entries}, "network": network})
    };
    match policy {
        SandboxPolicy::DangerFullAccess => json!({"type": "disabled"}),
        SandboxPolicy::ExternalSandbox { network_access } => {
            json!({"type": "external", "network": network_access})
        }
        SandboxPolicy::ReadOnly { network_access } => {
            managed(vec![special("root", "read")], *network_access)
        }
        SandboxPolicy::WorkspaceWrite {
            writable_roots,
            network_access,
            exclude_tmpdir_env_var,
            exclude_slash_tmp,
        } => {
            let mut entries = vec![special("root", "read")];
            entries.extend(roots.iter().map(|root| path_entry(root, "write")));
            if !exclude_slash_tmp {
                entries.push(special("slash_tmp", "write"));
            }
            if !exclude_tmpdir_env_var {
                entries.push(special("tmpdir", "write"));
            }
            entries.extend(writable_roots.iter().map(|root| path_entry(root.as_path(), "write")));
            entries.extend(
                roots
                    .iter()
                    .flat_map(|root| PROTECTED.map(|name| protected_entry(&root.join(name)))),
            );
            managed(entries, *network_access)
        }
    }
}

fn path_entry(path: &Path, access: &str) -> Value {
    json!({"path": {"type": "path", "path": path}, "access": access})
}

fn protected_entry(path: &Path) -> Value {
    json!({"path": {"type": "path", "path": path}, "access": "read", "missing_path_behavior": "skip"})
}

/// The sandbox policy that a permission profile amounts to, given the workspace roots that it is for.
pub(crate) fn sandbox_of(profile: &Value, roots: &[PathBuf]) -> Option<SandboxPolicy> {
    match profile.get("type")?.as_str()? {
        "disabled" => return Some(SandboxPolicy::DangerFullAccess),
        "external" => {
            return Some(SandboxPolicy::ExternalSandbox {
                network_access: network(profile, "network"),
            });
        }
        "managed" => {}
        _ => return None,
    }
    let network_access = matches!(network(profile, "network"), NetworkAccess::Enabled);
    let entries = profile
        .get("file_system")
        .and_then(|system| system.get("entries"))
        .and_then(Value::as_array);
    let writable =
        entries.into_iter().flatten().filter(|entry| entry.get("access") == Some(&json!("write")));
    let paths: Vec<&Value> = writable.filter_map(|entry| entry.get("path")).collect();
    if paths.is_empty() {
        return Some(SandboxPolicy::ReadOnly { network_access });
    }
    let has =
        |kind: &str| paths.iter().any(|path| path.pointer("/value/kind") == Some(&json!(kind)));
    let named = paths.iter().filter_map(|path| path.get("path")?.as_str());
    let beyond = named.filter(|path| !roots.iter().any(|root| root == Path::new(path)));
    Some(SandboxPolicy::WorkspaceWrite {
        writable_roots: beyond.map(|path| AbsolutePathBuf::from(PathBuf::from(path))).collect(),
        network_access,
        exclude_tmpdir_env_var: !has("tmpdir"),
        exclude_slash_tmp: !has("slash_tmp"),
    })
}

fn network(value: &Value, member: &str) -> NetworkAccess {
    match value.get(member).and_then(Value::as_str) {
        Some("enabled") => NetworkAccess::Enabled,
        _ => NetworkAccess::Restricted,
    }
}
