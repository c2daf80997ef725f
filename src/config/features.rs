//! Feature flags: those that make a difference here, and what a configuration makes of them.

pub(crate) mod known;

use serde_json::{Map, Value};

use self::known::Known;

/// A feature that makes a difference here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Patches are shown while the model writes them.
    ApplyPatchStreamingEvents,
    /// The model is told the time, and can ask for it.
    CurrentTimeReminder,
    /// The model may ask the user outside plan mode, too.
    DefaultModeRequestUserInput,
    /// Commands may ask for single permissions more.
    ExecPermissionApprovals,
    /// Threads have goals.
    Goals,
    /// Hooks run.
    Hooks,
    /// What a user says cuts the answer that is coming in.
    InstantInterrupt,
    /// Models can work with agents.
    MultiAgent,
    /// These are agents of the second kind.
    MultiAgentV2,
    /// The model may ask for permissions ahead.
    RequestPermissionsTool,
    /// The model may run commands.
    ShellTool,
    /// Clients may change the model within a turn.
    StepModelSwitching,
    /// A network that is away is waited for without an end.
    UnboundedConnectionRetries,
    /// The model may look at pictures.
    ViewImage,
    /// What is typed into a command that runs outside the sandbox is asked about.
    WriteStdinApproval,
}

impl Feature {
    fn name(self) -> &'static str {
        match self {
            Self::ApplyPatchStreamingEvents => "apply_patch_streaming_events",
            Self::CurrentTimeReminder => "current_time_reminder",
            Self::DefaultModeRequestUserInput => "default_mode_request_user_input",
            Self::ExecPermissionApprovals => "exec_permission_approvals",
            Self::Goals => "goals",
            Self::Hooks => "hooks",
            Self::InstantInterrupt => "instant_interrupt",
            Self::MultiAgent => "multi_agent",
            Self::MultiAgentV2 => "multi_agent_v2",
            Self::RequestPermissionsTool => "request_permissions_tool",
            Self::ShellTool => "shell_tool",
            Self::StepModelSwitching => "step_model_switching",
            Self::UnboundedConnectionRetries => "unbounded_connection_retries",
            Self::ViewImage => "view_image",
            Self::WriteStdinApproval => "write_stdin_approval",
        }
    }
}

/// Features that clients may switch for the life of the process. They are also those that clients are shown as
/// settings.
pub(crate) const SWITCHABLE: &[&str] = &[
    "api_key_cyber_access_programs",
    "api_key_model_discovery",
    "auth_elicitation",
    "background_paginated_rollout_migration",
    "codex_apps_mcp_2026_07_28",
    "daybreak_program_propagation",
    "mcp_2026_07_28",
    "mcp_connection_sharing",
    "mcp_lazy_stdio_startup",
    "memories",
    "mentions_v2",
    "remote_control",
    "remote_plugin",
    "tool_suggest",
    "windows_sandbox_service",
];

/// Older names that still work.
const ALIASES: &[(&str, &str)] = &[
    ("codex_hooks", "hooks"),
    ("collab", "multi_agent"),
    ("connectors", "apps"),
    ("enable_experimental_windows_sandbox", "experimental_windows_sandbox"),
    ("memory_tool", "memories"),
    ("request_permissions", "exec_permission_approvals"),
    ("telepathy", "chronicle"),
    ("web_search", "web_search_request"),
];

/// An old name that is accepted and switches nothing.
const IGNORED: &str = "experimental_use_unified_exec_tool";

/// Which features are on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Features {
    /// What differs from the defaults or repeats them, by current name.
    set: Vec<(String, bool)>,
}

impl Features {
    /// The features of a configuration's `features` table, which was checked before.
    pub(super) fn new(table: Option<&Map<String, Value>>) -> Self {
        let entries = table.into_iter().flatten();
        let set = entries
            .filter_map(|(name, value)| Some((current(name).to_owned(), switch(value)?)))
            .collect();
        Self { set }
    }

    pub(crate) fn on(&self, feature: Feature) -> bool {
        self.set_to(feature.name()).or_else(|| default_of(feature.name())).unwrap_or(false)
    }

    /// Whether a feature is on that may mean nothing here.
    pub(crate) fn has(&self, feature: &Known) -> bool {
        self.set_to(feature.name).unwrap_or(feature.is_on_by_default)
    }

    fn set_to(&self, name: &str) -> Option<bool> {
        self.set.iter().find(|(known, _)| known == name).map(|(_, on)| *on)
    }
}

/// The default of a feature; none if no feature has this name.
pub(super) fn default_of(name: &str) -> Option<bool> {
    let name = current(name);
    let known = known::all().find(|known| known.name == name);
    known.map(|known| known.is_on_by_default).or_else(|| (name == IGNORED).then_some(false))
}

fn current(name: &str) -> &str {
    ALIASES.iter().find(|(old, _)| *old == name).map_or(name, |(_, current)| current)
}

/// A feature is switched by a boolean or by the `enabled` of its own table.
fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Object(table) => table.get("enabled").and_then(Value::as_bool),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_hold_until_something_is_set() {
        let none = Features::default();
        assert!(none.on(Feature::ShellTool) && none.on(Feature::Goals) && none.on(Feature::Hooks));
        assert!(!none.on(Feature::RequestPermissionsTool));
        let table =
            json!({"goals": false, "collab": false, "multi_agent_v2": {"enabled": true, "x": 1}});
        let some = Features::new(table.as_object());
        assert!(!some.on(Feature::Goals) && !some.on(Feature::MultiAgent));
        assert!(some.on(Feature::MultiAgentV2) && some.on(Feature::Hooks));
    }

    #[test]
    fn what_makes_a_difference_is_known() {
        let asked_for = [
            Feature::ApplyPatchStreamingEvents,
            Feature::CurrentTimeReminder,
            Feature::DefaultModeRequestUserInput,
            Feature::ExecPermissionApprovals,
            Feature::Goals,
            Feature::Hooks,
            Feature::InstantInterrupt,
            Feature::MultiAgent,
            Feature::MultiAgentV2,
            Feature::RequestPermissionsTool,
            Feature::ShellTool,
            Feature::StepModelSwitching,
            Feature::UnboundedConnectionRetries,
            Feature::ViewImage,
            Feature::WriteStdinApproval,
        ];
        assert!(asked_for.iter().all(|feature| default_of(feature.name()).is_some()));
        assert!(SWITCHABLE.iter().all(|name| default_of(name).is_some()));
        assert_eq!(default_of("nonsense"), None);
    }
}
