//! `request_permissions`: asks the user for more than the sandbox allows, for the turn or for as long as the thread is
//! loaded.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::approval::{APPROVAL, answered, ask};
use super::auto_review::{self, Review};
use super::spec::function;
use super::{Cx, Outcome, Run, Tool, arguments};
use crate::config::Feature;
use crate::policy::widening::Widening;
use crate::protocol::{
    AdditionalNetworkPermissions, AskForApproval, FileSystemAccessMode, FileSystemPath,
    FileSystemSandboxEntry, GrantedPermissionProfile, GuardianApprovalReviewAction,
    PermissionGrantScope, PermissionsRequestApprovalParams, PermissionsRequestApprovalResponse,
    RequestPermissionProfile, method,
};
use crate::thread::LOCAL;
use crate::util::path::absolute;
use crate::util::time::now_ms;

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "request_permissions",
    is_offered: |scene| scene.config.features.on(Feature::RequestPermissionsTool),
    definition: |_| definition(),
    run: Run::Function(|cx, arguments| Box::pin(run(cx, arguments))),
};

#[derive(Deserialize)]
struct Arguments {
    reason: Option<String>,
    permissions: Asked,
}

/// Permissions as a model asks for them.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    file_system: Option<Files>,
    network: Option<AdditionalNetworkPermissions>,
}

#[derive(Debug, Deserialize)]
struct Files {
    #[serde(default)]
    read: Vec<PathBuf>,
    #[serde(default)]
    write: Vec<PathBuf>,
    #[serde(default)]
    entries: Vec<FileSystemSandboxEntry>,
}

impl Asked {
    /// What it comes to for somebody who works in `cwd`.
    pub(super) fn widening(self, cwd: &Path) -> Widening {
        let network = self.network.and_then(|network| network.enabled) == Some(true);
        let mut widening = Widening { network, ..Widening::default() };
        let Some(files) = self.file_system else { return widening };
        widening.read.extend(files.read.iter().map(|path| absolute(cwd, path)));
        widening.write.extend(files.write.iter().map(|path| absolute(cwd, path)));
        for FileSystemSandboxEntry { path, access } in files.entries {
            let FileSystemPath::Path { path } = path else { continue };
            let path = absolute(cwd, path.as_path());
            match access {
                FileSystemAccessMode::Read => widening.read.insert(path),
                FileSystemAccessMode::Write => widening.write.insert(path),
                FileSystemAccessMode::Deny => false,
            };
        }
        widening
    }
}

async fn run(cx: &Cx, text: String) -> Outcome {
    let Arguments { reason, permissions } = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    let scene = &cx.scene;
    let asked = permissions.widening(&scene.cwd);
    if asked.is_empty() {
        return Outcome::text("request_permissions requires at least one permission");
    }
    if !may_ask(&scene.approval_policy) {
        return told(&Widening::default(), PermissionGrantScope::Turn);
    }
    let permissions =
        RequestPermissionProfile { network: asked.wire_network(), file_system: asked.wire_files() };
    let action = || GuardianApprovalReviewAction::RequestPermissions {
        reason: reason.clone(),
        permissions: permissions.clone(),
    };
    match auto_review::review(cx, None, action).await {
        Some(Review::Allowed) => {
            scene.grants().widen_turn(&cx.turn, asked.clone());
            return told(&asked, PermissionGrantScope::Turn);
        }
        Some(Review::Denied(why)) => return Outcome::text(format!("nothing was granted: {why}")),
        None => {}
    }
    let params = PermissionsRequestApprovalParams {
        thread_id: scene.thread.clone(),
        turn_id: cx.turn.clone(),
        item_id: cx.id.clone(),
        environment_id: Some(LOCAL.to_owned()),
        started_at_ms: now_ms(),
        cwd: scene.cwd.as_path().into(),
        reason,
        permissions,
    };
    let answer = ask::<method::PermissionsRequestApproval>(cx, APPROVAL, None, &params).await;
    let (granted, scope) = granted(answer, &asked);
    match scope {
        PermissionGrantScope::Turn => scene.grants().widen_turn(&cx.turn, granted.clone()),
        PermissionGrantScope::Session => scene.grants().widen(granted.clone()),
    }
    answered(cx, APPROVAL).await;
    told(&granted, scope)
}

fn granted(
    answer: Option<PermissionsRequestApprovalResponse>,
    asked: &Widening,
) -> (Widening, PermissionGrantScope) {
    match answer {
        // Nobody is there to review what a stricter review would have to look at.
        Some(answer) if answer.strict_auto_review != Some(true) => {
            let GrantedPermissionProfile { network, file_system } = &answer.permissions;
            let granted = Widening::granted(network.as_ref(), file_system.as_ref());
            (granted.within(asked), answer.scope)
        }
        Some(_) | None => (Widening::default(), PermissionGrantScope::Turn),
    }
}

fn may_ask(policy: &AskForApproval) -> bool {
    match policy {
        AskForApproval::Untrusted | AskForApproval::OnRequest => true,
        AskForApproval::Granular { request_permissions, .. } => *request_permissions,
        AskForApproval::Never => false,
    }
}

fn told(granted: &Widening, scope: PermissionGrantScope) -> Outcome {
    let mut files = serde_json::Map::new();
    for (kind, paths) in [("read", &granted.read), ("write", &granted.write)] {
        if !paths.is_empty() {
            files.insert(kind.to_owned(), json!(paths));
        }
    }
    let network = granted.network.then(|| json!({ "enabled": true }));
    let file_system = (!files.is_empty()).then_some(files);
    let permissions = json!({ "network": network, "file_system": file_system });
    Outcome::text(json!({ "permissions": permissions, "scope": scope }).to_string())
}

/// How permissions are described to a model, wherever it asks for some.
pub(super) fn schema() -> Value {
    let paths = |description: &str| json!({ "type": "array", "items": { "type": "string" }, "description": description });
    json!({
        "type": "object",
        "properties": {
            "file_system": {
                "type": "object",
                "properties": {
                    "read": paths("Files and folders to read that cannot be read now."),
                    "write": paths("Files and folders to write, with everything below them."),
                },
                "additionalProperties": false,
            },
            "network": {
                "type": "object",
                "properties": { "enabled": { "type": "boolean" } },
                "additionalProperties": false,
            },
        },
        "additionalProperties": false,
    })
}

fn definition() -> Value {
    function(
        "request_permissions",
        "Asks the user to let commands and edits do more than the sandbox allows, and waits for the answer, which says \
         what was granted: it may be less, or nothing. Ask for the narrowest paths that the work needs. What is \
         granted holds from then on, without `sandbox_permissions`.",
        &json!({
            "reason": { "type": "string", "description": "What it is needed for, in one sentence for the user." },
            "permissions": schema(),
        }),
        &["permissions"],
    )
}
