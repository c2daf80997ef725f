//! The texts that a model is told by us: who it is, what its limits are, what has happened to it.
//!
//! Long texts are Markdown files in `prompt/`; what depends on settings is put together here. Which text is sent when,
//! and between which tags, is decided in `context`. Texts must not depend on anything but settings, since one that
//! differs from what was told last is told again.

#[cfg(test)]
mod tests;

use super::settings::Settings;
use super::team::AgentStatus;
use crate::config::Collaboration;
use crate::policy::roots::WritableRoot;
use crate::protocol::{
    AgentPath, ApprovalsReviewer, AskForApproval, ModeKind, NetworkAccess, SandboxPolicy,
    ThreadGoal, ThreadId,
};

/// The instructions of a model that brings none of its own.
pub(super) const BASE: &str = include_str!("prompt/base.md").trim_ascii();

/// Asks a model for the summary of a conversation that does not fit any more.
pub(super) const COMPACT: &str = include_str!("prompt/compact.md").trim_ascii();

/// Leads from the user's messages to the summary of everything else.
pub(super) const SUMMARY: &str = include_str!("prompt/summary.md").trim_ascii();

/// The instructions of a reviewer.
pub(super) const REVIEW: &str = include_str!("prompt/review.md").trim_ascii();

/// What a mode means, for a client that leaves the words to us.
pub(super) fn mode(mode: ModeKind) -> &'static str {
    match mode {
        ModeKind::Plan => concat!("\n", include_str!("prompt/plan.md")),
        ModeKind::Default => concat!("\n", include_str!("prompt/default.md")),
    }
}

pub(super) const INSTRUCTIONS_REPLACED: &str =
    "These instructions replace all AGENTS.md instructions given earlier in this conversation.";

/// How to ask for leaving the sandbox.
const ESCALATION: &str = include_str!("prompt/escalation.md").trim_ascii();

const UNCONFINED: &str = "Nothing holds a mistake back here: look twice before a command that deletes, overwrites or \
                          reaches beyond the workspace. `sandbox_permissions` has no use and need not be set.";

/// What the sandbox and the approval policy let the model do, and how to ask for more.
pub(super) fn permissions(settings: &Settings) -> String {
    let mut parts = vec![sandbox(settings)];
    parts.extend(network(&settings.sandbox).map(str::to_owned));
    if is_restricted(&settings.sandbox) {
        parts.push(
            "A command that cannot be held within these limits does not run unasked: it is put to the user or \
             refused, and its result says which."
                .to_owned(),
        );
    } else {
        parts.push(UNCONFINED.to_owned());
    }
    parts.push(approval(settings));
    if may_escalate(settings) {
        parts.push(ESCALATION.to_owned());
    }
    parts.push(exceptions(&settings.approval_policy).to_owned());
    parts.extend(reviewer(settings).map(str::to_owned));
    parts.join("\n\n")
}

/// Tells a model that takes over from another one what holds for it.
pub(super) fn model_switch(base_instructions: &str) -> String {
    format!(
        "The user has switched to another model: you continue a conversation that a different one began. From now on \
         the instructions below are in force, in place of those at the beginning of the conversation.\n\n{}",
        base_instructions.trim()
    )
}

/// The message that ends an interrupted turn, tags included.
pub(super) fn turn_aborted() -> String {
    include_str!("prompt/turn_aborted.md").trim_ascii().to_owned()
}

/// The message that tells a thread's model of a command that the user has run; `result` is what it came to.
pub(super) fn user_command(script: &str, result: &str) -> String {
    format!(
        "<user_shell_command>\n<command>\n{script}\n</command>\n<result>\n{result}\n</result>\n</user_shell_command>"
    )
}

/// What a model is told that reviews actions.
pub(super) const AUTO_REVIEW: &str = include_str!("prompt/auto_review.md").trim_ascii();

/// The message that tells a thread's model that the user allows what an automatic review has refused.
pub(super) fn action_allowed(action: &serde_json::Value) -> String {
    format!(
        "{ALLOWED}\nThe user allows this action, which the automatic review refused. That goes for this very action in \
         the place where it was asked for, not for others like it.\n{action}\n</allowed_action>"
    )
}

const ALLOWED: &str = "<allowed_action>";

/// Whether an item of the history is such a message.
pub(super) fn is_action_allowed(item: &serde_json::Value) -> bool {
    item["content"][0]["text"].as_str().is_some_and(|text| text.starts_with(ALLOWED))
}

/// The message that tells a thread's model what a review has found, tags included.
pub(super) fn reviewed(report: &str) -> String {
    format!(
        "<user_action>\n  <context>The user had a reviewer look at a change. Its report follows; the user may refer to \
         it, for instance to have findings fixed.</context>\n  <action>review</action>\n  <results>\n{report}\n  \
         </results>\n</user_action>"
    )
}

/// The message that tells a thread's model of an agent's result, tags included.
pub(super) fn agent_ended(agent: &ThreadId, status: &AgentStatus) -> String {
    let notice = serde_json::json!({ "agent_path": agent, "status": status });
    format!("<subagent_notification>\n{notice}\n</subagent_notification>")
}

/// The answer of an agent whose turn has failed.
pub(super) fn agent_failed(reason: &str) -> String {
    format!(
        "The agent could not finish its task: {reason}\n\nIt knows what it has done so far. If its work is still needed, \
         give it a task again."
    )
}

/// What a model is told of the agents that it works with.
pub(super) fn team(path: &AgentPath, most: usize, config: &Collaboration) -> String {
    let path = path.as_str();
    let (own, hint) = match path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
        None => (
            format!("You are `{path}`, the agent that the user talks to."),
            &config.root_agent_usage_hint_text,
        ),
        Some((parent, _)) => (
            format!(
                "You are now `{path}`, an agent that `{parent}` has started. What was said before your first task was \
                 said to `{parent}`, and is there for you to know; your tasks are in agent messages to you. When you \
                 have done one, end with an answer that says what has come of it: `{parent}` is sent that, and nothing \
                 else that you say."
            ),
            &config.subagent_usage_hint_text,
        ),
    };
    let usage = hint.clone().unwrap_or_else(|| {
        format!(
            "{own} Agents work at the same time, in the same workspace. Each has a path; the tools of `collaboration` \
             start agents and reach them by their paths. What they tell you comes as agent messages, also while you \
             work. Besides `/root`, {most} agents can work at a time."
        )
    });
    let mode = config.multi_agent_mode_hint_text.as_deref().unwrap_or(
        "Start agents only where the user, or instructions that the user has given, ask for it.",
    );
    format!("{usage}\n\n{mode}")
}

/// What a model is told of the tools that it has to search for; `deferred` lists their namespaces.
pub(super) fn tools(deferred: Option<&str>) -> String {
    match deferred {
        Some(list) => format!(
            "You have more tools than you are shown. Those of these namespaces have to be found with `tool_search` before \
             they can be called:\n{list}"
        ),
        None => {
            "You are shown all tools that you have: there are none to be searched for any more."
                .to_owned()
        }
    }
}

/// What a turn is about that a goal has started.
pub(super) fn goal(goal: &ThreadGoal) -> String {
    let text = include_str!("prompt/goal.md").trim_ascii();
    of_goal(&format!("{text}\n\n{}", budget(goal)))
}

/// The objective has changed while a turn runs.
pub(super) fn goal_edited(goal: &ThreadGoal) -> String {
    let text = include_str!("prompt/goal_edited.md").trim_ascii();
    let objective = &goal.objective;
    of_goal(&format!(
        "{text}\n\n<untrusted_objective>\n{objective}\n</untrusted_objective>\n\n{}",
        budget(goal)
    ))
}

/// The budget of a goal is used up while a turn runs.
pub(super) fn goal_budget(goal: &ThreadGoal) -> String {
    let text = include_str!("prompt/goal_budget.md").trim_ascii();
    let objective = &goal.objective;
    of_goal(&format!("{text}\n\n<objective>\n{objective}\n</objective>\n\n{}", budget(goal)))
}

fn of_goal(text: &str) -> String {
    format!("<codex_internal_context source=\"goal\">\n{text}\n</codex_internal_context>")
}

fn budget(goal: &ThreadGoal) -> String {
    let used = goal.tokens_used;
    match goal.token_budget {
        Some(budget) => {
            format!("Tokens used: {used}. Budget: {budget}. Left: {}.", (budget - used).max(0))
        }
        None => format!("Tokens used: {used}. Budget: none. Left: unbounded."),
    }
}

fn is_restricted(sandbox: &SandboxPolicy) -> bool {
    match sandbox {
        SandboxPolicy::ReadOnly { .. } | SandboxPolicy::WorkspaceWrite { .. } => true,
        SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. } => false,
    }
}

/// Whether there is a sandbox to leave, and a user who may be asked about it.
fn may_escalate(settings: &Settings) -> bool {
    let may_ask = match settings.approval_policy {
        AskForApproval::Untrusted | AskForApproval::OnRequest => true,
        AskForApproval::Granular { sandbox_approval, .. } => sandbox_approval,
        AskForApproval::Never => false,
    };
    may_ask && is_restricted(&settings.sandbox)
}

fn sandbox(settings: &Settings) -> String {
    match &settings.sandbox {
        SandboxPolicy::ReadOnly { .. } => {
            "Sandbox: `read-only`. Commands and patches can read every file and write none.".to_owned()
        }
        SandboxPolicy::WorkspaceWrite { .. } => workspace(&settings.writable_roots()),
        SandboxPolicy::DangerFullAccess => {
            "Sandbox: `danger-full-access`, that is, none. Commands and patches can read and write every file that the \
             user can, and use the network."
                .to_owned()
        }
        SandboxPolicy::ExternalSandbox { .. } => {
            "Sandbox: external. Commands and patches run without a sandbox of this server's, in surroundings that \
             somebody else confines; what these allow shows in use."
                .to_owned()
        }
    }
}

fn workspace(roots: &[WritableRoot]) -> String {
    let mut out = String::from(
        "Sandbox: `workspace-write`. Commands and patches can read every file, and write only below these folders:",
    );
    for root in roots {
        out += &match root {
            WritableRoot::Workspace(path) => format!("\n- `{}`", path.display()),
            WritableRoot::SlashTmp => "\n- `/tmp`".to_owned(),
            WritableRoot::TmpDir => "\n- the folder that `$TMPDIR` names, if it is set".to_owned(),
        };
    }
    let protected =
        roots.iter().map(WritableRoot::protected).find(|protected| !protected.is_empty());
    let names = protected.iter().flatten().filter_map(|path| path.file_name());
    let names: Vec<String> = names.map(|name| format!("`{}`", name.display())).collect();
    if let Some((last, first)) = names.split_last() {
        out += &format!(
            "\n\nDirectly in these folders, {} and {last} stay read-only",
            first.join(", ")
        );
        out += ", so `git add` and `git commit` fail inside the sandbox.";
    }
    out
}

/// Full access says it all by itself.
fn network(sandbox: &SandboxPolicy) -> Option<&'static str> {
    match sandbox {
        SandboxPolicy::ReadOnly { network_access: true }
        | SandboxPolicy::WorkspaceWrite { network_access: true, .. } => {
            Some("Network: on. Commands can reach other hosts.")
        }
        SandboxPolicy::ReadOnly { network_access: false }
        | SandboxPolicy::WorkspaceWrite { network_access: false, .. } => Some(
            "Network: off. Whatever needs another host fails: downloads, package installation, `git fetch`.",
        ),
        SandboxPolicy::ExternalSandbox { network_access: NetworkAccess::Enabled } => {
            Some("Network: on, as far as those surroundings let it through.")
        }
        SandboxPolicy::ExternalSandbox { network_access: NetworkAccess::Restricted } => Some(
            "Network: restricted. Expect other hosts to be out of reach, and don't try to get around that.",
        ),
        SandboxPolicy::DangerFullAccess => None,
    }
}

fn approval(settings: &Settings) -> String {
    let text = match (&settings.approval_policy, is_restricted(&settings.sandbox)) {
        (AskForApproval::Untrusted, _) => {
            "Approval policy: `untrusted`. Commands and patches are put to the user before they run, unless they are \
             known to be harmless or have been allowed before; making the call is the way to ask. Each question costs \
             attention: make few calls with a clear purpose, and give a `justification` where it is not evident."
        }
        (AskForApproval::OnRequest, true) => {
            "Approval policy: `on-request`. What stays within the limits runs without a question. You may ask for \
             more where the task needs it. A patch that goes beyond the limits needs no special form: it is put to \
             the user by itself."
        }
        (AskForApproval::OnRequest, false) => {
            "Approval policy: `on-request`. Commands and patches run without a question, so ask in words before \
             anything with consequences that the user cannot have expected."
        }
        (AskForApproval::Never, true) => {
            "Approval policy: `never`. Nobody can be asked: what goes beyond the limits fails or is refused, and \
             `\"require_escalated\"` always is, so don't send it. Do the task in a way that needs no more than the \
             limits give; what that leaves undone, report at the end with the commands that the user would have to run."
        }
        (AskForApproval::Never, false) => {
            "Approval policy: `never`. Nobody can be asked: commands and patches run at once, and what would need an \
             approval is refused. Stay strictly with what the task covers."
        }
        (AskForApproval::Granular { .. }, _) => return granular(settings),
    };
    text.to_owned()
}

fn granular(settings: &Settings) -> String {
    let AskForApproval::Granular {
        sandbox_approval,
        rules,
        skill_approval,
        request_permissions,
        mcp_elicitations,
    } = settings.approval_policy
    else {
        return String::new();
    };
    let mut out = String::from(
        "Approval policy: granular. Only some kinds of questions reach the user; all others are answered with a \
         refusal, at once and unseen:",
    );
    let kinds = [
        ("leaving the sandbox, be it by a command or by a patch", sandbox_approval),
        ("running commands that a rule reserves for approval", rules),
        ("input that MCP servers request", mcp_elicitations),
        ("running scripts of skills", skill_approval),
        ("wider permissions by `request_permissions`", request_permissions),
    ];
    // Where there is no sandbox, nobody leaves it.
    for (kind, asked) in kinds.into_iter().skip(usize::from(!is_restricted(&settings.sandbox))) {
        out += &format!("\n- {kind}: {}", if asked { "asked" } else { "refused" });
    }
    if is_restricted(&settings.sandbox) && !sandbox_approval {
        out += "\n\nSo don't send `\"require_escalated\"`. Do the task within the limits, and report what they leave \
                undone.";
    }
    out
}

/// What the policy's table leaves out: rules and forced removal come before it.
fn exceptions(policy: &AskForApproval) -> &'static str {
    match policy {
        AskForApproval::Never => {
            "Whatever the above says, the user's own rules may allow or forbid commands by their first words, and \
             forced removal (`rm -f`, `rm -rf`) is refused: remove without `-f`, by name."
        }
        AskForApproval::Untrusted | AskForApproval::OnRequest | AskForApproval::Granular { .. } => {
            "Whatever the above says, the user's own rules may allow, forbid or ask about commands by their first \
             words, and forced removal (`rm -f`, `rm -rf`) is always asked about: remove without `-f`, by name."
        }
    }
}

fn reviewer(settings: &Settings) -> Option<&'static str> {
    match (settings.approvals_reviewer, &settings.approval_policy) {
        (ApprovalsReviewer::User, _) | (_, AskForApproval::Never) => None,
        (ApprovalsReviewer::AutoReview | ApprovalsReviewer::GuardianSubagent, _) => Some(
            "Questions may be decided by an automatic reviewer on the user's behalf. Its refusal holds like the \
             user's own.",
        ),
    }
}
