//! When hooks run, and what they are told: one JSON object on a line.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::event;
use crate::protocol::{AskForApproval, HookEventName, HookScope, ItemId, ThreadId, TurnId};

/// Where and for whom hooks run; the same for all occasions of a turn.
#[derive(Debug, Clone)]
pub(crate) struct Situation {
    pub(crate) thread: ThreadId,
    /// The thread that the user talks to; for an agent's thread another one.
    pub(crate) session: ThreadId,
    pub(crate) turn: Option<TurnId>,
    /// The thread's file, if it has one.
    pub(crate) transcript: Option<PathBuf>,
    pub(crate) cwd: PathBuf,
    pub(crate) model: String,
    pub(crate) approval_policy: AskForApproval,
    /// For a thread that works for another one.
    pub(crate) agent: Option<Agent>,
}

/// An agent that works for another thread.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) id: ThreadId,
    pub(crate) kind: String,
}

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Occasion {
    SessionStart(SessionOrigin),
    SessionEnd(SessionEndReason),
    UserPromptSubmit {
        prompt: String,
    },
    PreModelRequest,
    PostModelRequest(ModelAnswer),
    PreToolUse(ToolUse),
    PermissionRequest(ToolUse),
    PostToolUse {
        used: ToolUse,
        response: Value,
    },
    PreCompact(CompactionTrigger),
    PostCompact(CompactionTrigger),
    SubagentStart,
    /// `active`: whether the agent goes on since a hook has objected to its end before.
    SubagentStop {
        active: bool,
        last_message: Option<String>,
    },
    Stop {
        active: bool,
        last_message: Option<String>,
    },
    Interrupt,
}

/// A call of a tool, as hooks know it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolUse {
    pub(crate) id: ItemId,
    pub(crate) name: String,
    /// Further names by which matchers know it.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) input: Value,
}

/// Where a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionOrigin {
    Startup,
    Resume,
    Clear,
    Compact,
}

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionEndReason {
    Other,
}

/// Who wants a compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompactionTrigger {
    Manual,
    Auto,
}

/// How a request to the model has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ModelAnswer {
    Completed { usage: Option<Value> },
    Failed { error: String },
    Cancelled,
}

impl Occasion {
    pub(crate) fn event(&self) -> HookEventName {
        use HookEventName as E;
        match self {
            Self::SessionStart(_) => E::SessionStart,
            Self::SessionEnd(_) => E::SessionEnd,
            Self::UserPromptSubmit { .. } => E::UserPromptSubmit,
            Self::PreModelRequest => E::PreModelRequest,
            Self::PostModelRequest(_) => E::PostModelRequest,
            Self::PreToolUse(_) => E::PreToolUse,
            Self::PermissionRequest(_) => E::PermissionRequest,
            Self::PostToolUse { .. } => E::PostToolUse,
            Self::PreCompact(_) => E::PreCompact,
            Self::PostCompact(_) => E::PostCompact,
            Self::SubagentStart => E::SubagentStart,
            Self::SubagentStop { .. } => E::SubagentStop,
            Self::Stop { .. } => E::Stop,
            Self::Interrupt => E::Interrupt,
        }
    }

    /// What matchers look at.
    pub(super) fn subjects<'a>(&'a self, situation: &'a Situation) -> Vec<&'a str> {
        match self {
            Self::PreToolUse(used)
            | Self::PermissionRequest(used)
            | Self::PostToolUse { used, .. } => {
                std::iter::once(used.name.as_str()).chain(used.aliases.iter().copied()).collect()
            }
            Self::SessionStart(source) => vec![source.name()],
            Self::SessionEnd(reason) => vec![reason.name()],
            Self::PreCompact(trigger) | Self::PostCompact(trigger) => vec![trigger.name()],
            Self::SubagentStart | Self::SubagentStop { .. } => {
                situation.agent.iter().map(|agent| agent.kind.as_str()).collect()
            }
            Self::UserPromptSubmit { .. }
            | Self::PreModelRequest
            | Self::PostModelRequest(_)
            | Self::Stop { .. }
            | Self::Interrupt => Vec::new(),
        }
    }

    /// The call that it is about.
    pub(super) fn call(&self) -> Option<&ItemId> {
        match self {
            Self::PreToolUse(used)
            | Self::PermissionRequest(used)
            | Self::PostToolUse { used, .. } => Some(&used.id),
            Self::SessionStart(_)
            | Self::SessionEnd(_)
            | Self::UserPromptSubmit { .. }
            | Self::PreModelRequest
            | Self::PostModelRequest(_)
            | Self::PreCompact(_)
            | Self::PostCompact(_)
            | Self::SubagentStart
            | Self::SubagentStop { .. }
            | Self::Stop { .. }
            | Self::Interrupt => None,
        }
    }

    pub(super) fn scope(&self) -> HookScope {
        match matches!(self, Self::SessionStart(_) | Self::SessionEnd(_)) {
            true => HookScope::Thread,
            false => HookScope::Turn,
        }
    }

    /// The line that hooks are given.
    pub(super) fn input(&self, situation: &Situation) -> String {
        let mut input = self.common(situation);
        input.extend(self.own(situation));
        // A shell reads lines: the last one has an end, too.
        format!("{}\n", Value::Object(input))
    }

    fn common(&self, situation: &Situation) -> Map<String, Value> {
        let event = event::name(self.event());
        let mut common = Map::new();
        let mut tell = |name: &str, value: Value| drop(common.insert(name.to_owned(), value));
        tell("session_id", json!(situation.session));
        tell("transcript_path", json!(situation.transcript));
        tell("cwd", json!(situation.cwd));
        tell("hook_event_name", json!(event));
        if self.scope() == HookScope::Turn {
            tell("turn_id", json!(situation.turn));
        }
        if !matches!(self, Self::SessionEnd(_)) {
            tell("model", json!(situation.model));
            tell("permission_mode", json!(permission_mode(&situation.approval_policy)));
        }
        if let Some(agent) = &situation.agent {
            tell("agent_id", json!(agent.id));
            tell("agent_type", json!(agent.kind));
        }
        common
    }

    fn own(&self, situation: &Situation) -> Map<String, Value> {
        let own = match self {
            Self::SessionStart(source) => json!({ "source": source.name() }),
            Self::SessionEnd(reason) => json!({ "reason": reason.name() }),
            Self::UserPromptSubmit { prompt } => json!({ "prompt": prompt }),
            Self::PostModelRequest(answer) => answer.input(),
            Self::PreToolUse(used) => used.input(),
            // Its call is known by the tool and the input; the id is that of the item, if there will be one.
            Self::PermissionRequest(used) => {
                json!({ "tool_name": used.name, "tool_input": used.input })
            }
            Self::PostToolUse { used, response } => {
                let mut input = used.input();
                input["tool_response"] = response.clone();
                input
            }
            Self::PreCompact(trigger) | Self::PostCompact(trigger) => {
                json!({ "trigger": trigger.name() })
            }
            Self::SubagentStop { active, last_message } => json!({
                "stop_hook_active": active,
                "last_assistant_message": last_message,
                "agent_transcript_path": situation.transcript,
            }),
            Self::Stop { active, last_message } => {
                json!({ "stop_hook_active": active, "last_assistant_message": last_message })
            }
            Self::PreModelRequest | Self::SubagentStart | Self::Interrupt => json!({}),
        };
        own.as_object().cloned().unwrap_or_default()
    }
}

impl ToolUse {
    fn input(&self) -> Value {
        json!({ "tool_name": self.name, "tool_input": self.input, "tool_use_id": self.id })
    }
}

impl ModelAnswer {
    fn input(&self) -> Value {
        let (status, error, usage) = match self {
            Self::Completed { usage } => ("completed", None, usage.as_ref()),
            Self::Failed { error } => ("failed", Some(error), None),
            Self::Cancelled => ("cancelled", None, None),
        };
        json!({ "status": status, "error": error, "token_usage": usage })
    }
}

impl SessionOrigin {
    fn name(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Resume => "resume",
            Self::Clear => "clear",
            Self::Compact => "compact",
        }
    }
}

impl SessionEndReason {
    fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
        }
    }
}

impl CompactionTrigger {
    fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
        }
    }
}

fn permission_mode(policy: &AskForApproval) -> &'static str {
    match policy {
        AskForApproval::Never => "bypassPermissions",
        AskForApproval::Untrusted | AskForApproval::OnRequest | AskForApproval::Granular { .. } => {
            "default"
        }
    }
}
