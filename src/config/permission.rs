//! What a thread may do at first: approval policy, sandbox and permission profile, from what a request asks for, what
//! is configured, and whether the project is trusted. Pure; enforcement is somebody else's.

use std::path::Path;

use crate::protocol::{ActivePermissionProfile, AskForApproval, SandboxMode, SandboxPolicy};

use super::problem::LoadError;
use super::profile::{self, FULL_ACCESS, READ_ONLY, WORKSPACE};
use super::{Effective, Trust, WorkspaceWrite};

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked<'a> {
    Nothing,
    Sandbox(SandboxMode),
    /// A permission profile by name.
    Permissions(&'a str),
}

/// What a thread may do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Access {
    pub(crate) approval_policy: AskForApproval,
    pub(crate) sandbox: SandboxPolicy,
    /// The profile in force, when one was chosen by name or by default.
    pub(crate) profile: Option<ActivePermissionProfile>,
}

/// The access of a new thread.
pub(crate) fn access(
    effective: &Effective,
    approval_policy: Option<AskForApproval>,
    asked: Asked<'_>,
) -> Result<Access, LoadError> {
    let approval_policy =
        approval_policy.or_else(|| effective.approval_policy.clone()).unwrap_or({
            match effective.trust {
                Trust::Untrusted => AskForApproval::Untrusted,
                Trust::Undecided | Trust::Trusted => AskForApproval::OnRequest,
            }
        });
    let (sandbox, profile) = match asked {
        Asked::Sandbox(mode) => (of_mode(mode, effective), None),
        Asked::Permissions(id) => of_profile(id, effective)?,
        Asked::Nothing => configured(effective)?,
    };
    Ok(Access { approval_policy, sandbox, profile })
}

/// The project that work with this access makes a trusted one: an undecided project that may be written to.
pub(crate) fn trust_earned<'a>(effective: &'a Effective, access: &Access) -> Option<&'a Path> {
    let writes = match access.sandbox {
        SandboxPolicy::WorkspaceWrite { .. } | SandboxPolicy::DangerFullAccess => true,
        SandboxPolicy::ReadOnly { .. } | SandboxPolicy::ExternalSandbox { .. } => false,
    };
    let undecided = effective.trust == Trust::Undecided;
    effective.project_root.as_deref().filter(|_| writes && undecided)
}

/// Refuses a configured default profile that cannot be used.
pub(super) fn check_default(effective: &Effective) -> Result<(), LoadError> {
    match &effective.default_permissions {
        Some(id) => of_profile(id, effective).map(drop),
        None => Ok(()),
    }
}

fn configured(
    effective: &Effective,
) -> Result<(SandboxPolicy, Option<ActivePermissionProfile>), LoadError> {
    if let Some(id) = &effective.default_permissions {
        return of_profile(id, effective);
    }
    if let Some(mode) = effective.sandbox_mode {
        return Ok((of_mode(mode, effective), None));
    }
    match effective.trust {
        Trust::Undecided => of_profile(READ_ONLY, effective),
        // With options of its own, the sandbox is no longer the one that the profile stands for.
        Trust::Trusted | Trust::Untrusted if effective.sandbox_workspace_write.is_some() => {
            Ok((of_mode(SandboxMode::WorkspaceWrite, effective), None))
        }
        Trust::Trusted | Trust::Untrusted => of_profile(WORKSPACE, effective),
    }
}

fn of_mode(mode: SandboxMode, effective: &Effective) -> SandboxPolicy {
    match mode {
        SandboxMode::ReadOnly => SandboxPolicy::ReadOnly { network_access: false },
        SandboxMode::WorkspaceWrite => {
            workspace(effective.sandbox_workspace_write.clone().unwrap_or_default())
        }
        SandboxMode::DangerFullAccess => SandboxPolicy::DangerFullAccess,
    }
}

fn of_profile(
    id: &str,
    effective: &Effective,
) -> Result<(SandboxPolicy, Option<ActivePermissionProfile>), LoadError> {
    let profile = |extends| Some(ActivePermissionProfile { id: id.to_owned(), extends });
    Ok(match id {
        READ_ONLY => (SandboxPolicy::ReadOnly { network_access: false }, profile(None)),
        WORKSPACE => (workspace(WorkspaceWrite::default()), profile(None)),
        FULL_ACCESS => (SandboxPolicy::DangerFullAccess, profile(None)),
        _ => {
            let extends = profile::find(id, effective)?.extends.clone();
            (profile::policy(id, effective)?, profile(extends))
        }
    })
}

fn workspace(options: WorkspaceWrite) -> SandboxPolicy {
    SandboxPolicy::WorkspaceWrite {
        writable_roots: options.writable_roots.into_iter().map(Into::into).collect(),
        network_access: options.network_access,
        exclude_tmpdir_env_var: options.exclude_tmpdir_env_var,
        exclude_slash_tmp: options.exclude_slash_tmp,
    }
}

#[cfg(test)]
mod tests;
