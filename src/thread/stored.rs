//! Between a thread's state and the records that keep it.

use std::path::PathBuf;

use uuid::Uuid;

use super::agents::asked_for;
use super::session::{Lineage, NewThread, Start};
use super::settings::{Settings, environments};
use super::turn::Turn;
use crate::protocol::{
    ModeKind, MultiAgentVersion, ReasoningEffort, SessionSource, Thread, ThreadId, ThreadStatus,
    ThreadTokenUsage, TokenUsageBreakdown, TurnId,
};
use crate::store::case;
use crate::store::meta::StoredGit;
use crate::store::record::{TokenCount, TokenInfo, TurnAttribution, TurnStarted};
use crate::store::settings::{
    SettingsApplied, StoredSettings, TurnContext, profile_of, sandbox_to_stored,
};
use crate::store::{Provenance, Record, SessionMeta, Summary};
use crate::tools::DynamicTools;
use crate::util::json::raw;
use crate::util::time::{now_ms, rfc3339_millis};
use crate::workspace::git;

/// A stored thread as clients see it when nobody has loaded it.
pub(crate) fn stored_thread(summary: &Summary) -> Thread {
    let roots = match summary.runtime_workspace_roots.as_slice() {
        [] => std::slice::from_ref(&summary.cwd),
        roots => roots,
    };
    Thread {
        id: summary.id.clone(),
        environments: Some(environments(&summary.cwd, roots)),
        extra: None,
        session_id: summary.session_id.clone(),
        forked_from_id: summary.forked_from_id.clone(),
        attached_to_thread_id: summary.attached_to_thread_id.clone(),
        parent_thread_id: summary.parent_thread_id.clone(),
        preview: summary.preview.clone(),
        ephemeral: false,
        section: None,
        section_entered_at: None,
        project_id: None,
        history_mode: summary.history_mode,
        model_provider: summary.model_provider.clone().unwrap_or_default(),
        model: summary.model.clone(),
        reasoning_effort: summary.reasoning_effort.clone(),
        created_at: summary.created_at(),
        updated_at: summary.updated_at(),
        recency_at: Some(summary.recency_at()),
        status: ThreadStatus::NotLoaded,
        path: Some(summary.path.clone()),
        cwd: summary.cwd.clone().into(),
        cli_version: summary.cli_version.clone(),
        originator: Some(summary.originator.clone()),
        source: summary.source.clone(),
        can_accept_direct_input: None,
        thread_source: summary.thread_source.clone(),
        agent_nickname: summary.agent_nickname.clone(),
        agent_role: summary.agent_role.clone(),
        git_info: summary.git_info.clone(),
        name: summary.name.clone(),
        daybreak_enabled: None,
        turns: Vec::new(),
    }
}

/// The first line of a new thread.
pub(super) fn meta(
    new: &NewThread,
    start: &Start,
    base_instructions: &str,
    originator: &str,
) -> SessionMeta {
    let (settings, lineage) = (&start.settings, new.lineage.as_ref());
    let mut meta = SessionMeta {
        session_id: Some(
            lineage.map_or_else(|| new.id.clone(), |lineage| lineage.session.as_str().into()),
        ),
        id: new.id.clone(),
        forked_from_id: None,
        forked_from_ordinal_exclusive: None,
        attached_to_thread_id: None,
        parent_thread_id: lineage.map(|lineage| lineage.parent.clone()),
        timestamp: rfc3339_millis(now_ms()),
        cwd: settings.cwd.clone(),
        runtime_workspace_roots: settings.roots.clone(),
        originator: originator.to_owned(),
        cli_version: crate::COMPATIBLE_VERSION.to_owned(),
        source: lineage.map_or(SessionSource::Vscode, Lineage::source),
        thread_source: new.thread_source.as_ref().map(ToString::to_string),
        agent_nickname: lineage.map(|lineage| lineage.nickname.clone()),
        agent_role: lineage.and_then(|lineage| lineage.role.clone()),
        model_provider: Some(settings.provider.clone()),
        base_instructions: None,
        instructions: None,
        dynamic_tools: new.dynamic_tools.stored(),
        memory_mode: None,
        history_mode: new.history_mode,
        history_base: None,
        multi_agent_version: match lineage.and_then(|lineage| lineage.path.as_ref()) {
            Some(_) => Some(MultiAgentVersion::V2),
            None => asked_for(&start.config),
        }
        .and_then(|version| case::stored(&version)),
        context_window: Some(raw(&serde_json::json!({ "window_id": Uuid::now_v7().to_string() }))),
        git: None,
    };
    let provenance = match &start.base_instructions {
        Some(_) => Provenance::Custom,
        None => Provenance::Model { model: settings.model.clone() },
    };
    meta.set_instructions(base_instructions, &provenance);
    meta.git = git::info(&settings.cwd).as_ref().map(StoredGit::from);
    meta
}

/// The tools that a thread's client runs, as its file has them. What is not understood there is not offered.
pub(super) fn dynamic_tools(meta: &SessionMeta) -> DynamicTools {
    let Some(stored) = &meta.dynamic_tools else { return DynamicTools::default() };
    DynamicTools::read(stored).unwrap_or_else(|error| {
        tracing::warn!(thread = %meta.id, %error, "the tools of a thread's client are not understood");
        DynamicTools::default()
    })
}

pub(super) fn turn_started(turn: &Turn, settings: &Settings, window: Option<i64>) -> Record {
    Record::TurnStarted(TurnStarted {
        turn_id: turn.id.clone(),
        root_turn_id: Some(turn.root.clone()),
        started_at: Some(turn.started_at_ms / 1000),
        model_context_window: window,
        collaboration_mode_kind: Some(mode_name(settings.mode.mode).to_owned()),
        turn_attribution: Some(TurnAttribution {
            turn_id: turn.id.clone(),
            turn_trigger: turn.options.trigger.as_ref().map(|trigger| trigger.name().to_owned()),
            parent_turn_id: turn.options.parent.clone(),
            queued_submission_id: turn.options.queued.clone(),
            initiating_agent_path: None,
            root_turn_id: Some(turn.root.clone()),
        }),
    })
}

fn mode_name(mode: ModeKind) -> &'static str {
    match mode {
        ModeKind::Plan => "plan",
        ModeKind::Default => "default",
    }
}

pub(super) fn turn_context(
    turn: &Turn,
    settings: &Settings,
    multi_agent: Option<MultiAgentVersion>,
) -> Record {
    Record::TurnContext(Box::new(TurnContext {
        turn_id: Some(turn.id.clone()),
        root_turn_id: Some(turn.root.clone()),
        disabled_plugin_ids: settings.disabled_plugins.clone(),
        cwd: settings.cwd.clone(),
        approval_policy: Some(settings.approval_policy.clone()),
        approvals_reviewer: Some(settings.approvals_reviewer),
        permission_profile: Some(profile_of(&settings.sandbox, &settings.roots)),
        active_permission_profile: settings.profile.clone(),
        model: settings.model.clone(),
        collaboration_mode: Some(settings.mode.clone()),
        multi_agent_version: multi_agent.and_then(|version| case::stored(&version)),
        realtime_active: false,
        effort: settings.effort.as_ref().map(|effort| effort.as_str().to_owned()),
        summary: settings.summary,
        sandbox_policy: Some(sandbox_to_stored(&settings.sandbox)),
    }))
}

/// The settings from here on.
pub(super) fn settings_applied(thread: &ThreadId, settings: &Settings) -> Record {
    Record::Settings(Box::new(SettingsApplied {
        thread_id: thread.clone(),
        thread_settings: StoredSettings {
            model: settings.model.clone(),
            model_provider_id: settings.provider.clone(),
            service_tier: settings.service_tier.clone(),
            approval_policy: Some(settings.approval_policy.clone()),
            approvals_reviewer: Some(settings.approvals_reviewer),
            requested_approvals_reviewer: Some(settings.approvals_reviewer),
            permission_profile: Some(profile_of(&settings.sandbox, &settings.roots)),
            active_permission_profile: settings.profile.clone(),
            cwd: settings.cwd.clone(),
            runtime_workspace_roots: settings.roots.clone(),
            reasoning_effort: settings.effort.as_ref().map(|effort| effort.as_str().to_owned()),
            reasoning_summary: settings.summary,
            personality: settings.personality,
            collaboration_mode: Some(settings.mode.clone()),
            disabled_plugin_ids: settings.disabled_plugins.clone(),
        },
    }))
}

/// Takes over the settings that a thread had last; what is not stored stays as configured.
pub(crate) fn restore(settings: &mut Settings, records: &[Record]) {
    for record in records {
        match record {
            Record::TurnContext(context) => restore_context(settings, context),
            Record::Settings(applied) => restore_applied(settings, &applied.thread_settings),
            Record::Meta(_)
            | Record::TurnStarted(_)
            | Record::TurnCompleted(_)
            | Record::TurnAborted(_)
            | Record::Item(_)
            | Record::History(_)
            | Record::Usage(_)
            | Record::TokenUsageRecord(_)
            | Record::Compacted(_)
            | Record::WorldState(_)
            | Record::Goal(_)
            | Record::RolledBack { .. }
            | Record::Legacy(_)
            | Record::Other => {}
        }
    }
    settings.mode.settings.model.clone_from(&settings.model);
    settings.mode.settings.reasoning_effort.clone_from(&settings.effort);
}

fn restore_context(settings: &mut Settings, context: &TurnContext) {
    restore_text(&mut settings.model, &context.model);
    restore_path(settings, &context.cwd);
    settings.effort = effort(context.effort.as_ref());
    settings.summary = context.summary.or(settings.summary);
    settings.approval_policy =
        context.approval_policy.clone().unwrap_or_else(|| settings.approval_policy.clone());
    settings.approvals_reviewer = context.approvals_reviewer.unwrap_or(settings.approvals_reviewer);
    if let Some(sandbox) = context.sandbox() {
        settings.sandbox = sandbox;
        settings.profile.clone_from(&context.active_permission_profile);
    }
    if let Some(mode) = &context.collaboration_mode {
        settings.mode = mode.clone();
    }
}

fn restore_applied(settings: &mut Settings, applied: &StoredSettings) {
    restore_text(&mut settings.model, &applied.model);
    restore_path(settings, &applied.cwd);
    settings.effort = effort(applied.reasoning_effort.as_ref());
    settings.summary = applied.reasoning_summary.or(settings.summary);
    settings.personality = applied.personality.or(settings.personality);
    settings.service_tier = applied.service_tier.clone().or_else(|| settings.service_tier.clone());
    settings.approval_policy =
        applied.approval_policy.clone().unwrap_or_else(|| settings.approval_policy.clone());
    settings.approvals_reviewer = applied.approvals_reviewer.unwrap_or(settings.approvals_reviewer);
    if !applied.runtime_workspace_roots.is_empty() {
        settings.roots.clone_from(&applied.runtime_workspace_roots);
    }
    if let Some(sandbox) = applied.sandbox() {
        settings.sandbox = sandbox;
        settings.profile.clone_from(&applied.active_permission_profile);
    }
    if let Some(mode) = &applied.collaboration_mode {
        settings.mode = mode.clone();
    }
}

fn restore_text(slot: &mut String, stored: &str) {
    if !stored.is_empty() {
        stored.clone_into(slot);
    }
}

fn restore_path(settings: &mut Settings, stored: &PathBuf) {
    if !stored.as_os_str().is_empty() && settings.cwd != *stored {
        settings.cwd.clone_from(stored);
        settings.roots = vec![stored.clone()];
    }
}

fn effort(stored: Option<&String>) -> Option<ReasoningEffort> {
    stored.cloned().and_then(|effort| ReasoningEffort::try_from(effort).ok())
}

/// The model of the last turn.
pub(super) fn last_model(records: &[Record]) -> Option<String> {
    records.iter().rev().find_map(|record| {
        let Record::TurnContext(context) = record else { return None };
        Some(context.model.clone()).filter(|model| !model.is_empty())
    })
}

/// Which kind of agents a thread has.
pub(super) fn multi_agent(meta: &SessionMeta, records: &[Record]) -> Option<MultiAgentVersion> {
    let last = records.iter().rev().find_map(|record| {
        let Record::TurnContext(context) = record else { return None };
        context.multi_agent_version.as_deref()
    });
    case::wire(last.or(meta.multi_agent_version.as_deref())?)
}

pub(super) fn usage(usage: &ThreadTokenUsage) -> Record {
    let info = TokenInfo {
        total_token_usage: (&usage.total).into(),
        last_token_usage: (&usage.last).into(),
        last_usage_includes_reasoning: false,
        model_context_window: usage.model_context_window,
    };
    Record::Usage(Box::new(TokenCount { info: Some(info), rate_limits: None }))
}

/// The last usage that was counted, and the turn that it was counted in.
pub(super) fn last_usage(records: &[Record]) -> Option<(TurnId, ThreadTokenUsage)> {
    let (mut turn, mut last) = (None, None);
    for record in records {
        if let Record::TurnStarted(started) = record {
            turn = Some(started.turn_id.clone());
        } else if let Record::Usage(count) = record {
            last = count.info.as_ref().map(wire);
        }
    }
    Some((turn?, last?))
}

fn wire(info: &TokenInfo) -> ThreadTokenUsage {
    ThreadTokenUsage {
        total: TokenUsageBreakdown::from(&info.total_token_usage),
        last: TokenUsageBreakdown::from(&info.last_token_usage),
        model_context_window: info.model_context_window,
    }
}
