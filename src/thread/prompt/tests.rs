//! Every combination renders, and the texts keep their promises.

use std::path::PathBuf;

use super::*;
use crate::patch::{self, Hunk, Script};
use crate::thread::settings::{Environment, default_mode};

fn settings(sandbox: SandboxPolicy, approval_policy: AskForApproval) -> Settings {
    Settings {
        model: "m".to_owned(),
        provider: "p".to_owned(),
        effort: None,
        summary: None,
        personality: None,
        service_tier: None,
        environment: Environment::Local,
        cwd: PathBuf::from("/work/here"),
        roots: vec![PathBuf::from("/work/here"), PathBuf::from("/work/there")],
        approval_policy,
        approvals_reviewer: ApprovalsReviewer::User,
        sandbox,
        profile: None,
        mode: default_mode("m", None),
        disabled_plugins: Vec::new(),
    }
}

fn workspace_write(network_access: bool) -> SandboxPolicy {
    SandboxPolicy::WorkspaceWrite {
        writable_roots: vec![PathBuf::from("/data/more").into()],
        network_access,
        exclude_tmpdir_env_var: true,
        exclude_slash_tmp: false,
    }
}

fn granular(asked: bool) -> AskForApproval {
    AskForApproval::Granular {
        sandbox_approval: asked,
        rules: !asked,
        skill_approval: asked,
        request_permissions: asked,
        mcp_elicitations: asked,
    }
}

fn sandboxes() -> Vec<SandboxPolicy> {
    vec![
        SandboxPolicy::DangerFullAccess,
        SandboxPolicy::ReadOnly { network_access: false },
        SandboxPolicy::ReadOnly { network_access: true },
        workspace_write(false),
        workspace_write(true),
        SandboxPolicy::ExternalSandbox { network_access: NetworkAccess::Restricted },
        SandboxPolicy::ExternalSandbox { network_access: NetworkAccess::Enabled },
    ]
}

fn policies() -> Vec<AskForApproval> {
    vec![
        AskForApproval::Untrusted,
        AskForApproval::OnRequest,
        AskForApproval::Never,
        granular(true),
        granular(false),
    ]
}

#[test]
fn each_combination_has_a_text_of_its_own() {
    let mut seen = Vec::new();
    for sandbox in sandboxes() {
        for policy in policies() {
            let text = permissions(&settings(sandbox.clone(), policy.clone()));
            assert!(text.starts_with("Sandbox: ") && text.contains("Approval policy: "), "{text}");
            assert!(!text.contains("{}") && !text.contains("  "), "{text}");
            assert!(text.len() < 4_000, "{} bytes", text.len());
            assert!(!seen.contains(&text), "{sandbox:?} {policy:?}");
            seen.push(text);
        }
    }
}

#[test]
fn writable_roots_are_named() {
    let text = permissions(&settings(workspace_write(false), AskForApproval::OnRequest));
    for named in [
        "`/work/here`",
        "`/work/there`",
        "`/data/more`",
        "`/tmp`",
        "`.git`, `.agents`, `.codex` and `.aws`",
    ] {
        assert!(text.contains(named), "{named} is missing in {text}");
    }
    assert!(!text.contains("TMPDIR"), "{text}");
    let text = permissions(&settings(
        SandboxPolicy::ReadOnly { network_access: false },
        AskForApproval::OnRequest,
    ));
    assert!(!text.contains("/work"), "{text}");
}

#[test]
fn asking_is_explained_where_it_can_succeed() {
    for sandbox in sandboxes() {
        for policy in policies() {
            let settings = settings(sandbox.clone(), policy.clone());
            let can = is_restricted(&sandbox)
                && policy != AskForApproval::Never
                && policy != granular(false);
            assert_eq!(permissions(&settings).contains(ESCALATION), can, "{sandbox:?} {policy:?}");
        }
    }
    for word in ["sandbox_permissions", "\"require_escalated\"", "justification", "prefix_rule"] {
        assert!(ESCALATION.contains(word), "{word}");
    }
}

#[test]
fn granular_switches_are_spelled_out() {
    let text = permissions(&settings(workspace_write(false), granular(false)));
    assert!(
        text.contains("- leaving the sandbox, be it by a command or by a patch: refused"),
        "{text}"
    );
    assert!(text.contains("- running commands that a rule reserves for approval: asked"), "{text}");
    let text = permissions(&settings(SandboxPolicy::DangerFullAccess, granular(true)));
    assert!(!text.contains("leaving the sandbox"), "{text}");
}

#[test]
fn a_reviewer_is_mentioned_when_questions_reach_it() {
    let mut reviewed = settings(workspace_write(false), AskForApproval::OnRequest);
    reviewed.approvals_reviewer = ApprovalsReviewer::AutoReview;
    assert!(permissions(&reviewed).contains("automatic reviewer"));
    reviewed.approval_policy = AskForApproval::Never;
    assert!(!permissions(&reviewed).contains("automatic reviewer"));
}

#[test]
fn the_example_patch_is_one() {
    let (_, example) = BASE.split_once("```\n").expect("an example");
    let (script, _) = example.split_once("```").expect("its end");
    let Script::Patch { text, cd: None } = patch::intercept(script) else {
        panic!("not intercepted: {script}")
    };
    let paths: Vec<String> = patch::parse(&text)
        .expect("a patch")
        .hunks
        .iter()
        .map(|hunk: &Hunk| hunk.path().to_owned())
        .collect();
    assert_eq!(paths, ["src/greet.py", "tests/test_greet.py", "src/old_greet.py"]);
}

#[test]
fn texts_fit_their_frames() {
    assert!(BASE.len() < 12_000, "{} bytes are sent with every conversation", BASE.len());
    for mode in [mode(ModeKind::Plan), mode(ModeKind::Default)] {
        assert!(mode.starts_with('\n') && mode.ends_with('\n'), "{mode}");
    }
    assert!(
        mode(ModeKind::Plan).contains("\n<proposed_plan>\n")
            && mode(ModeKind::Plan).contains("\n</proposed_plan>\n")
    );
    assert!(
        turn_aborted().starts_with("<turn_aborted>\n")
            && turn_aborted().ends_with("\n</turn_aborted>")
    );
    assert!(model_switch("Be brief.\n").ends_with("\n\nBe brief."));
    for text in
        [BASE, mode(ModeKind::Plan), mode(ModeKind::Default), ESCALATION, INSTRUCTIONS_REPLACED]
    {
        assert!(!text.contains("TODO") && !text.contains("{{") && !text.contains('\t'), "{text}");
    }
}
