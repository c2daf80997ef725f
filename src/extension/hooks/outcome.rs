//! What hooks say: from an exit code and an output to an effect.
//!
//! A hook that breaks, or says what cannot be understood, counts as absent, but for one case: where a tool is about
//! to run, an answer that is there and cannot be understood may be an objection, so the tool does not run.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::event;
use crate::protocol::{
    HookEventName, HookOutputEntry, HookOutputEntryKind as Kind, HookRunStatus as Status,
};
use HookEventName as E;

/// How a hook's command went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ran {
    Ended {
        code: i32,
        stdout: String,
        stderr: String,
    },
    /// It took longer than this, in seconds.
    TimedOut(u64),
    /// It could not be run at all.
    Broken(String),
}

/// What one hook has said.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) status: Status,
    pub(super) entries: Vec<HookOutputEntry>,
    pub(super) context: Option<String>,
    /// Why something is not to happen.
    pub(super) objection: Option<String>,
    /// Why the turn is to end.
    pub(super) stop: Option<String>,
    pub(super) input: Option<Value>,
    pub(super) permission: Option<Permission>,
}

/// What the hooks of one occasion have said together, in the order in which they are listed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// What the model is to know.
    pub(crate) contexts: Vec<String>,
    pub(crate) objections: Vec<Objection>,
    /// Why the turn is to end.
    pub(crate) stop: Option<String>,
    /// What a tool is to be given instead of its input.
    pub(crate) input: Option<Value>,
    pub(crate) permission: Option<Permission>,
}

/// Why something is not to happen, and which run of a hook says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Objection {
    pub(crate) text: String,
    pub(crate) run: String,
}

/// A hook's answer to a question that the user would be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Permission {
    Allow,
    Deny(String),
}

impl Outcome {
    pub(super) fn add(&mut self, said: Said, run: &str) {
        self.contexts.extend(said.context);
        let objection = said.objection.map(|text| Objection { text, run: run.to_owned() });
        self.objections.extend(objection);
        self.stop = self.stop.take().or(said.stop);
        self.input = said.input.or(self.input.take());
        // One that denies has the last word.
        if !matches!(self.permission, Some(Permission::Deny(_))) {
            self.permission = said.permission.or(self.permission.take());
        }
    }

    /// The objections as one text.
    pub(crate) fn objection(&self) -> Option<String> {
        let texts: Vec<&str> =
            self.objections.iter().map(|objection| objection.text.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }
}

/// An answer as hooks print it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    r#continue: Option<bool>,
    stop_reason: Option<String>,
    /// Accepted, and without a meaning: output is never shown by itself.
    #[serde(rename = "suppressOutput")]
    _suppress_output: Option<bool>,
    system_message: Option<String>,
    decision: Option<Decision>,
    reason: Option<String>,
    hook_specific_output: Option<Specific>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Approve,
    Block,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Specific {
    #[serde(rename = "hookEventName")]
    _hook_event_name: String,
    additional_context: Option<String>,
    permission_decision: Option<PermissionDecision>,
    permission_decision_reason: Option<String>,
    updated_input: Option<Value>,
    decision: Option<Map<String, Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PermissionDecision {
    Allow,
    Deny,
    Ask,
}

/// What becomes of a tool whose hook could not be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fails {
    Open,
    Closed,
}

/// What a hook of this event has said.
pub(super) fn understand(event: HookEventName, ran: Ran) -> Said {
    match ran {
        Ran::Broken(reason) => Said::failed(reason),
        Ran::TimedOut(seconds) => Said::failed(format!("hook timed out after {seconds}s")),
        Ran::Ended { code: 0, stdout, .. } => answered(event, &stdout),
        Ran::Ended { code: 2, stderr, .. } if may_object(event) => match stderr.trim() {
            "" => {
                flawed(event, Fails::Closed, "hook exited with code 2 but gave no reason on stderr")
            }
            reason => Said::objecting(event, reason.to_owned()),
        },
        Ran::Ended { code: 2, stderr, .. }
            if event == E::PreModelRequest && !stderr.trim().is_empty() =>
        {
            Said::failed(stderr.trim().to_owned())
        }
        Ran::Ended { code, .. } => Said::failed(format!("hook exited with code {code}")),
    }
}

fn answered(event: HookEventName, stdout: &str) -> Said {
    let text = stdout.trim();
    if text.is_empty() {
        return Said::nothing();
    }
    if !text.starts_with(['{', '[']) {
        return match event {
            E::SessionStart | E::SubagentStart | E::UserPromptSubmit => {
                Said { context: Some(text.to_owned()), ..Said::nothing() }
            }
            E::Stop | E::SubagentStop => {
                flawed(event, Fails::Open, "hook printed text instead of JSON")
            }
            // Progress that nobody asked for.
            E::PreModelRequest
            | E::PostModelRequest
            | E::PreToolUse
            | E::PermissionRequest
            | E::PostToolUse
            | E::PreCompact
            | E::PostCompact
            | E::SessionEnd
            | E::Interrupt => Said::nothing(),
        };
    }
    match serde_json::from_str::<Answer>(text) {
        Ok(answer) => answer.meaning(event),
        Err(error) => flawed(
            event,
            Fails::Closed,
            &format!("hook printed JSON that is not an answer: {error}"),
        ),
    }
}

/// A hook whose answer does not count; for a tool that is about to run it may count as an objection.
fn flawed(event: HookEventName, fails: Fails, what: &str) -> Said {
    let text = format!("{} {what}", event::name(event));
    let objection = (event == E::PreToolUse && fails == Fails::Closed).then(|| {
        format!("a hook that has to agree gave an answer that cannot be understood ({text})")
    });
    Said { objection, ..Said::failed(text) }
}

fn may_object(event: HookEventName) -> bool {
    match event {
        E::PreToolUse
        | E::PermissionRequest
        | E::PostToolUse
        | E::UserPromptSubmit
        | E::Stop
        | E::SubagentStop => true,
        E::PreModelRequest
        | E::PostModelRequest
        | E::PreCompact
        | E::PostCompact
        | E::SessionStart
        | E::SessionEnd
        | E::SubagentStart
        | E::Interrupt => false,
    }
}

/// Whether a hook of this event may end the turn.
fn may_stop(event: HookEventName) -> bool {
    matches!(
        event,
        E::SessionStart
            | E::UserPromptSubmit
            | E::PostToolUse
            | E::Stop
            | E::SubagentStart
            | E::SubagentStop
    )
}

/// Whether what a hook of this event adds reaches the model.
fn may_add(event: HookEventName) -> bool {
    matches!(
        event,
        E::SessionStart | E::SubagentStart | E::UserPromptSubmit | E::PreToolUse | E::PostToolUse
    )
}

impl Answer {
    fn meaning(mut self, event: HookEventName) -> Said {
        let system_message = self.system_message.take();
        let mut said = match event {
            E::PreToolUse => self.before_tool(),
            E::PermissionRequest => self.on_permission(),
            E::PreModelRequest
            | E::PostModelRequest
            | E::PostToolUse
            | E::PreCompact
            | E::PostCompact
            | E::SessionStart
            | E::SessionEnd
            | E::UserPromptSubmit
            | E::SubagentStart
            | E::SubagentStop
            | E::Stop
            | E::Interrupt => self.on_other(event),
        };
        let warning = system_message.map(|text| HookOutputEntry { kind: Kind::Warning, text });
        said.entries.splice(0..0, warning);
        said
    }

    fn before_tool(self) -> Said {
        let flaw = |fails, what: &str| flawed(E::PreToolUse, fails, &format!("hook {what}"));
        let specific = self.hook_specific_output.unwrap_or_default();
        if self.r#continue == Some(false) {
            return flaw(Fails::Closed, "returned unsupported continue:false");
        }
        let denies = specific.permission_decision == Some(PermissionDecision::Deny);
        let blocks = self.decision == Some(Decision::Block);
        let reason = match denies {
            true => specific.permission_decision_reason,
            false => self.reason,
        };
        let mut said =
            match (reason.filter(|text| !text.trim().is_empty()), specific.permission_decision) {
                (Some(reason), _) if denies || blocks => Said::objecting(E::PreToolUse, reason),
                (None, _) if denies => {
                    return flaw(
                        Fails::Closed,
                        "returned permissionDecision:deny without a reason",
                    );
                }
                (None, _) if blocks => {
                    return flaw(Fails::Closed, "returned decision:block without a reason");
                }
                (_, Some(PermissionDecision::Ask)) => {
                    return flaw(Fails::Closed, "returned unsupported permissionDecision:ask");
                }
                (_, Some(PermissionDecision::Allow)) => match specific.updated_input {
                    Some(input) => Said { input: Some(input), ..Said::nothing() },
                    // It cannot spare the user a question that comes later, and says so.
                    None => {
                        return flaw(Fails::Open, "returned unsupported permissionDecision:allow");
                    }
                },
                _ if self.decision == Some(Decision::Approve) => {
                    return flaw(Fails::Open, "returned unsupported decision:approve");
                }
                _ if specific.updated_input.is_some() => {
                    return flaw(
                        Fails::Closed,
                        "returned updatedInput without permissionDecision:allow",
                    );
                }
                _ => Said::nothing(),
            };
        said.add_context(specific.additional_context);
        said
    }

    /// Whatever is not clear leaves the question to the user.
    fn on_permission(self) -> Said {
        let flaw = |what: &str| flawed(E::PermissionRequest, Fails::Open, &format!("hook {what}"));
        if self.r#continue == Some(false) {
            return flaw("returned unsupported continue:false");
        }
        if self.decision.is_some() {
            return flaw("returned a decision outside of hookSpecificOutput");
        }
        let Some(mut decision) = self.hook_specific_output.and_then(|specific| specific.decision)
        else {
            return Said::nothing();
        };
        let message = decision.remove("message");
        let behavior = decision.remove("behavior");
        if let Some(name) = decision.keys().next() {
            return flaw(&format!("returned unsupported {name}"));
        }
        let message =
            message.as_ref().and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        match behavior.as_ref().and_then(Value::as_str) {
            Some("allow") => Said { permission: Some(Permission::Allow), ..Said::nothing() },
            Some("deny") => Said::objecting(
                E::PermissionRequest,
                message.unwrap_or("denied by a hook").to_owned(),
            ),
            _ => flaw("returned a decision that is neither allow nor deny"),
        }
    }

    fn on_other(self, event: HookEventName) -> Said {
        let specific = self.hook_specific_output.unwrap_or_default();
        let mut said = if self.r#continue == Some(false) && may_stop(event) {
            let stop = self.stop_reason.unwrap_or_else(|| "stopped by a hook".to_owned());
            // A tool's output is replaced; the turn goes on.
            let objection = (event == E::PostToolUse).then(|| {
                self.reason.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| stop.clone())
            });
            Said {
                status: Status::Stopped,
                entries: vec![HookOutputEntry { kind: Kind::Stop, text: stop.clone() }],
                objection,
                stop: Some(stop),
                ..Said::nothing()
            }
        } else if self.decision == Some(Decision::Block) && may_object(event) {
            match self.reason.filter(|text| !text.trim().is_empty()) {
                Some(reason) => Said::objecting(event, reason),
                None => {
                    return flawed(
                        event,
                        Fails::Open,
                        "hook returned decision:block without a reason",
                    );
                }
            }
        } else {
            Said::nothing()
        };
        if may_add(event) {
            said.add_context(specific.additional_context);
        }
        said
    }
}

impl Said {
    fn nothing() -> Self {
        Self {
            status: Status::Completed,
            entries: Vec::new(),
            context: None,
            objection: None,
            stop: None,
            input: None,
            permission: None,
        }
    }

    fn failed(text: String) -> Self {
        let entries = vec![HookOutputEntry { kind: Kind::Error, text }];
        Self { status: Status::Failed, entries, ..Self::nothing() }
    }

    fn objecting(event: HookEventName, reason: String) -> Self {
        let permission = (event == E::PermissionRequest).then(|| Permission::Deny(reason.clone()));
        Self {
            status: Status::Blocked,
            entries: vec![HookOutputEntry { kind: Kind::Feedback, text: reason.clone() }],
            objection: Some(reason),
            permission,
            ..Self::nothing()
        }
    }

    fn add_context(&mut self, context: Option<String>) {
        self.context = context.filter(|text| !text.trim().is_empty());
    }
}

#[cfg(test)]
mod tests;
