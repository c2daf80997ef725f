//! The names of events: as files, hashes and run ids have them.

use crate::protocol::HookEventName;
use HookEventName as E;

/// Every event by its name in files, in the order in which hooks are listed.
pub(super) const EVENTS: [(HookEventName, &str); 14] = [
    (E::PreModelRequest, "PreModelRequest"),
    (E::PostModelRequest, "PostModelRequest"),
    (E::PreToolUse, "PreToolUse"),
    (E::PermissionRequest, "PermissionRequest"),
    (E::PostToolUse, "PostToolUse"),
    (E::PreCompact, "PreCompact"),
    (E::PostCompact, "PostCompact"),
    (E::SessionStart, "SessionStart"),
    (E::SessionEnd, "SessionEnd"),
    (E::UserPromptSubmit, "UserPromptSubmit"),
    (E::SubagentStart, "SubagentStart"),
    (E::SubagentStop, "SubagentStop"),
    (E::Stop, "Stop"),
    (E::Interrupt, "Interrupt"),
];

/// `PreToolUse`.
pub(super) fn name(event: HookEventName) -> &'static str {
    EVENTS.iter().find(|(known, _)| *known == event).map_or("", |(_, name)| name)
}

/// `pre_tool_use`.
pub(super) fn snake_case(event: HookEventName) -> String {
    separated(event, '_')
}

/// `pre-tool-use`.
pub(super) fn kebab_case(event: HookEventName) -> String {
    separated(event, '-')
}

fn separated(event: HookEventName, separator: char) -> String {
    let mut out = String::new();
    for letter in name(event).chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push(separator);
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Whether a hook of this event may be about some of its occasions only.
pub(super) fn has_subject(event: HookEventName) -> bool {
    match event {
        E::PreToolUse
        | E::PermissionRequest
        | E::PostToolUse
        | E::PreCompact
        | E::PostCompact
        | E::SessionStart
        | E::SessionEnd
        | E::SubagentStart
        | E::SubagentStop => true,
        E::PreModelRequest | E::PostModelRequest | E::UserPromptSubmit | E::Stop | E::Interrupt => {
            false
        }
    }
}
