//! Which sandbox and approval policy follow from settings and trust.

use std::collections::BTreeMap;

use super::*;

fn effective(trust: Trust) -> Effective {
    Effective { trust, ..Effective::default() }
}

fn workspace_write() -> SandboxPolicy {
    workspace(WorkspaceWrite::default())
}

#[track_caller]
fn check(
    effective: &Effective,
    asked: Asked<'_>,
    policy: AskForApproval,
    sandbox: SandboxPolicy,
    profile: Option<&str>,
) {
    let profile = profile.map(|id| ActivePermissionProfile { id: id.to_owned(), extends: None });
    assert_eq!(
        access(effective, None, asked),
        Ok(Access { approval_policy: policy, sandbox, profile })
    );
}

#[test]
fn defaults_follow_trust() {
    let read_only = || SandboxPolicy::ReadOnly { network_access: false };
    let on_request = AskForApproval::OnRequest;
    check(
        &effective(Trust::Undecided),
        Asked::Nothing,
        on_request.clone(),
        read_only(),
        Some(":read-only"),
    );
    check(
        &effective(Trust::Trusted),
        Asked::Nothing,
        on_request.clone(),
        workspace_write(),
        Some(":workspace"),
    );
    check(
        &effective(Trust::Untrusted),
        Asked::Nothing,
        AskForApproval::Untrusted,
        workspace_write(),
        Some(":workspace"),
    );
    check(
        &effective(Trust::Trusted),
        Asked::Sandbox(SandboxMode::ReadOnly),
        on_request.clone(),
        read_only(),
        None,
    );
    check(
        &effective(Trust::Undecided),
        Asked::Permissions(":danger-full-access"),
        on_request,
        SandboxPolicy::DangerFullAccess,
        Some(":danger-full-access"),
    );
}

#[test]
fn what_is_configured_beats_trust() {
    let options = WorkspaceWrite { network_access: true, ..WorkspaceWrite::default() };
    let with_options =
        Effective { sandbox_workspace_write: Some(options.clone()), ..effective(Trust::Trusted) };
    check(&with_options, Asked::Nothing, AskForApproval::OnRequest, workspace(options), None);
    check(
        &with_options,
        Asked::Permissions(":workspace"),
        AskForApproval::OnRequest,
        workspace_write(),
        Some(":workspace"),
    );
    let configured = Effective {
        approval_policy: Some(AskForApproval::Never),
        sandbox_mode: Some(SandboxMode::DangerFullAccess),
        ..effective(Trust::Untrusted)
    };
    check(
        &configured,
        Asked::Nothing,
        AskForApproval::Never,
        SandboxPolicy::DangerFullAccess,
        None,
    );
    let both = Effective { default_permissions: Some(":workspace".to_owned()), ..configured };
    check(&both, Asked::Nothing, AskForApproval::Never, workspace_write(), Some(":workspace"));
}

#[test]
fn unknown_profiles_are_refused() {
    let text = |effective: &Effective, id| {
        access(effective, None, Asked::Permissions(id)).unwrap_err().message
    };
    let none = Effective::default();
    assert_eq!(text(&none, ":x"), "default_permissions refers to unknown built-in profile `:x`");
    assert_eq!(text(&none, "x"), "default_permissions requires a `[permissions]` table");
    let some = Effective { permissions: Some(BTreeMap::default()), ..Effective::default() };
    assert_eq!(text(&some, "x"), "default_permissions refers to undefined profile `x`");
}

#[test]
fn writing_earns_trust_for_undecided_projects() {
    let earned = |trust, mode, root: Option<&str>| {
        let effective = Effective { project_root: root.map(Into::into), ..effective(trust) };
        let access = access(&effective, None, Asked::Sandbox(mode)).unwrap();
        trust_earned(&effective, &access).is_some()
    };
    assert!(earned(Trust::Undecided, SandboxMode::WorkspaceWrite, Some("/w")));
    assert!(earned(Trust::Undecided, SandboxMode::DangerFullAccess, Some("/w")));
    assert!(!earned(Trust::Undecided, SandboxMode::ReadOnly, Some("/w")));
    assert!(!earned(Trust::Undecided, SandboxMode::WorkspaceWrite, None));
    assert!(!earned(Trust::Untrusted, SandboxMode::WorkspaceWrite, Some("/w")));
}
