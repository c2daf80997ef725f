//! `apply_patch`: edits files by a patch, whether it comes as a tool of its own or through the shell.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::approval::{APPROVAL, answered, ask};
use super::auto_review::{self, Review};
use super::{Cx, Effect, Outcome, Run, Tool, hooked};
use crate::extension::hooks::Permission;
use crate::patch::{self, Plan};
use crate::policy::decide::{self, Decision, PatchQuestion, SandboxKind};
use crate::policy::writable::is_protected;
use crate::protocol::{
    FileChangeApprovalDecision as Answer, FileChangeRequestApprovalParams,
    GuardianApprovalReviewAction, PatchApplyStatus, ThreadItem, TimedItem, method,
};
use crate::thread::item;
use crate::util::time::now_ms;

/// What a model is told that ran a patch as if it were a script.
pub(super) const BARE_PATCH: &str = "apply_patch verification failed: the script is a patch, but nothing applies it; \
                                     send it as a here-document: apply_patch <<'EOF' … EOF";

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "apply_patch",
    is_offered: |scene| scene.model_info.freeform_patches(),
    definition: |_| definition(),
    run: Run::Custom(|cx, text| Box::pin(run_tool(cx, text))),
};

/// A patch that came as a custom tool call.
async fn run_tool(cx: &Cx, text: String) -> Outcome {
    let cwd = cx.scene.cwd.clone();
    run(cx, &text, &cwd).await.map_or_else(|refused| refused, Outcome::text)
}

/// A patch that came as a script. The answer has the shape of a command's.
pub(super) async fn run_script(cx: &Cx, text: &str, cwd: &Path) -> Outcome {
    match run(cx, text, cwd).await {
        Ok(report) => Outcome::Ran {
            told: format!("Wall time: 0.0000 seconds\nOutput:\n{report}"),
            printed: report,
        },
        Err(refused) => refused,
    }
}

/// Applies the patch and reports how that went; the error is the outcome of one that was not tried.
async fn run(cx: &Cx, text: &str, cwd: &Path) -> Result<String, Outcome> {
    let plan = verify(text, cwd).await.map_err(Outcome::text)?;
    let scene = &cx.scene;
    let paths = plan.paths();
    let granted = scene.grants().widening(&cx.turn).write;
    let writable_roots: Vec<_> = scene.writable_roots.iter().cloned().chain(granted).collect();
    let decision = decide::patch(&PatchQuestion {
        policy: &scene.approval_policy,
        sandbox: SandboxKind::from(&scene.sandbox),
        writable_roots: &writable_roots,
        paths: &paths,
    });
    let item = change(cx, &plan);
    match decision {
        Decision::Refuse { told } => return Err(Outcome::text(told)),
        Decision::Ask { reason, .. } if !scene.grants().allows_files(&paths) => {
            let input = || json!({ "command": text });
            match hooked::permission(cx, "apply_patch", hooked::EDITS, input).await {
                Some(Permission::Allow) => cx.begin(item.clone()).await,
                Some(Permission::Deny(reason)) => {
                    return Err(Outcome::text(format!("patch rejected: {reason}")));
                }
                None => {
                    if let Some(refused) = refused(cx, &item, reason, &paths).await {
                        return Err(refused);
                    }
                }
            }
        }
        Decision::Run(_) | Decision::Ask { .. } => {
            cx.begin(item.clone()).await;
        }
    }
    if SandboxKind::from(&scene.sandbox).restricts()
        && let Some(path) = paths.iter().find(|path| is_protected(path, &writable_roots))
    {
        cx.apply(Effect::ItemCompleted(item::failed(item))).await;
        return Ok(failure(&format!("{} is protected and stays read-only", path.display())));
    }
    Ok(write(cx, plan, item).await)
}

async fn verify(text: &str, cwd: &Path) -> Result<Plan, String> {
    let (text, cwd) = (text.to_owned(), cwd.to_owned());
    let verified = tokio::task::spawn_blocking(move || {
        patch::parse(&text).and_then(|patch| Plan::verify(&patch, &cwd))
    });
    match verified.await {
        Ok(Ok(plan)) => Ok(plan),
        Ok(Err(error)) => Err(error.refusal()),
        Err(_panicked) => Err("apply_patch failed: internal error".to_owned()),
    }
}

/// Asks the user; `None` when the patch may be applied.
async fn refused(
    cx: &Cx,
    item: &TimedItem,
    reason: Option<String>,
    paths: &[PathBuf],
) -> Option<Outcome> {
    let action = || GuardianApprovalReviewAction::ApplyPatch {
        cwd: cx.scene.cwd.as_path().into(),
        files: paths.iter().map(|path| path.as_path().into()).collect(),
    };
    match auto_review::review(cx, Some(item), action).await {
        Some(Review::Allowed) => return None,
        Some(Review::Denied(told)) => {
            let declined = item::declined(item.clone());
            cx.apply(Effect::ItemCompleted(declined)).await;
            return Some(Outcome::text(format!("patch rejected: {told}")));
        }
        None => {}
    }
    cx.begin(item.clone()).await;
    let params = FileChangeRequestApprovalParams {
        thread_id: cx.scene.thread.clone(),
        turn_id: cx.turn.clone(),
        item_id: cx.id.clone(),
        started_at_ms: item.started_at_ms.unwrap_or_default(),
        reason,
        grant_root: None,
    };
    let answer = ask::<method::FileChangeRequestApproval>(cx, APPROVAL, None, &params).await;
    let told = match answer.map(|answer| answer.decision) {
        Some(Answer::Accept) => None,
        Some(Answer::AcceptForSession) => {
            cx.scene.grants().allow_files(paths.iter().cloned());
            None
        }
        Some(Answer::Cancel) => Some(Outcome::Cancelled),
        Some(Answer::Decline) => Some(Outcome::text("patch rejected by user")),
        None => Some(Outcome::text("patch rejected: the approval request failed")),
    };
    // Patches show their question settled before their item ends; commands do it the other way round.
    answered(cx, APPROVAL).await;
    if told.is_some() {
        cx.apply(Effect::ItemCompleted(item::declined(item.clone()))).await;
    }
    told
}

/// Writes the files. An interrupt comes before that, or does not stop it: then the end of the item is told all the
/// same.
async fn write(cx: &Cx, plan: Plan, item: TimedItem) -> String {
    let (apart, begun) = (cx.clone(), item.clone());
    let written = tokio::task::spawn_blocking(move || {
        apart.claim.take().then(|| write_claimed(&apart, &plan, begun))
    });
    match written.await {
        Ok(Some(report)) => report,
        // The turn has ended, and this call with it.
        Ok(None) => std::future::pending().await,
        Err(_panicked) => {
            let item = item::failed(item);
            cx.apply(Effect::Patched { item, edits: Vec::new() }).await;
            failure("internal error")
        }
    }
}

fn write_claimed(cx: &Cx, plan: &Plan, item: TimedItem) -> String {
    let (item, edits, report) = match plan.apply() {
        Ok(applied) => {
            let report =
                format!("Exit code: 0\nWall time: 0 seconds\nOutput:\n{}", applied.summary);
            (item::applied(item), applied.edits, report)
        }
        Err(failed) => (item::failed(item), failed.edits, failure(&failed.error.to_string())),
    };
    cx.apply_blocking(Effect::Patched { item, edits });
    report
}

fn failure(reason: &str) -> String {
    format!("Exit code: 1\nWall time: 0 seconds\nOutput:\n{reason}\n")
}

fn change(cx: &Cx, plan: &Plan) -> TimedItem {
    let status = PatchApplyStatus::InProgress;
    item::started(
        ThreadItem::FileChange { id: cx.id.clone(), changes: plan.changes(), status },
        now_ms(),
    )
}

fn definition() -> Value {
    json!({
        "type": "custom",
        "name": "apply_patch",
        "description": "Edits files: adds, changes, moves and deletes any number of them by one \
                        patch, which is applied only if all of it fits. The input is the patch \
                        itself, neither JSON nor quoted. Paths are relative to the working \
                        directory.",
        "format": { "type": "grammar", "syntax": "lark", "definition": include_str!("apply_patch.lark") },
    })
}
