//! A second chance for commands that their sandbox has stopped: outside it, if the user wants that.

use serde_json::json;

use super::rejected;
use crate::extension::hooks::Permission;
use crate::policy::decide::Request;
use crate::policy::widening::Widening;
use crate::protocol::{
    AskForApproval, CommandExecutionApprovalDecision as Answer, TimedItem, method,
};
use crate::tools::approval::{APPROVAL, answered, ask};
use crate::tools::auto_review::{self, Review};
use crate::tools::command::Command;
use crate::tools::{Cx, Effect, Outcome, hooked};

/// Under the other policies a failure stands, or the command was outside from the start.
pub(super) fn is_offered(policy: &AskForApproval) -> bool {
    matches!(policy, AskForApproval::Granular { sandbox_approval: true, .. })
}

/// Asks; `None` when the command may run outside. Else `item` is ended as it stands, and the model is `told` of the
/// failure.
pub(super) async fn refused(
    cx: &Cx,
    command: &Command,
    item: TimedItem,
    told: Outcome,
) -> Option<Outcome> {
    let key = command.key(Request::Escalated, &Widening::default());
    if cx.scene.grants().allows_command(&key) {
        return None;
    }
    let reason = "command failed; retry without sandbox?".to_owned();
    let params = command.approval_request(cx, Some(reason.clone()), None);
    let input = || json!({ "command": &params.command, "description": reason });
    match hooked::permission(cx, hooked::COMMAND, &[], input).await {
        Some(Permission::Allow) => return None,
        Some(Permission::Deny(reason)) => {
            cx.apply(Effect::ItemCompleted(item)).await;
            return Some(Outcome::text(rejected(&reason)));
        }
        None => {}
    }
    match auto_review::review(cx, None, || command.action()).await {
        Some(Review::Allowed) => return None,
        Some(Review::Denied(_)) => {
            cx.apply(Effect::ItemCompleted(item)).await;
            return Some(told);
        }
        None => {}
    }
    let answer = ask::<method::CommandExecutionRequestApproval>(cx, APPROVAL, None, &params).await;
    let refused = match answer.map(|answer| answer.decision) {
        Some(Answer::Accept | Answer::AcceptWithExecpolicyAmendment { .. }) => None,
        Some(Answer::AcceptForSession) => {
            cx.scene.grants().allow_command(key);
            None
        }
        Some(Answer::Cancel) => Some(Outcome::Cancelled),
        Some(Answer::Decline | Answer::ApplyNetworkPolicyAmendment { .. }) | None => Some(told),
    };
    if refused.is_some() {
        cx.apply(Effect::ItemCompleted(item)).await;
    }
    answered(cx, APPROVAL).await;
    refused
}
