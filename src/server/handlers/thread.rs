//! Threads: starting, resuming, reading, naming, leaving.

use std::path::Path;

use super::turns_page::{self, Newest, Wanted};
use super::{read_state, thread_metadata};
use crate::protocol::{
    DeprecationNoticeNotification, MultiAgentMode, ResponseItem, Thread, ThreadGoal,
    ThreadGoalClearedNotification, ThreadGoalUpdatedNotification, ThreadHistoryMode, ThreadId,
    ThreadNameUpdatedNotification, ThreadReadParams, ThreadReadResponse,
    ThreadResumeInitialTurnsPageParams, ThreadResumeParams, ThreadResumeResponse,
    ThreadSetNameParams, ThreadSetNameResponse, ThreadSettings, ThreadStartParams,
    ThreadStartResponse, ThreadStartedNotification, ThreadStatus, ThreadStatusChangedNotification,
    ThreadTokenUsage, ThreadTokenUsageUpdatedNotification, ThreadUnsubscribeParams,
    ThreadUnsubscribeResponse, ThreadUnsubscribeStatus, Turn, TurnId, TurnsPage, method,
};
use crate::server::Server;
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_session_id, check_thread_id};
use crate::server::error::{Error, Result};
use crate::server::unload;
use crate::store::Outline;
use crate::thread::{Command, Snapshot, ThreadHandle, stored_thread};
use crate::threads;
use crate::util::path::absolute;

pub(crate) async fn start(cx: Cx, params: ThreadStartParams) -> Result<Later<ThreadStartResponse>> {
    thread_metadata::check_start(&cx, &params).await?;
    let handle = cx.server.threads.start(&params).await?;
    cx.server.audience.subscribe(&handle.id, cx.connection.id);
    let mut snapshot = handle.snapshot().await?;
    thread_metadata::note_start(&cx, params, &mut snapshot.thread).await?;
    let thread = snapshot.thread.clone();
    let answered = cx.answer(&start_response(snapshot));
    cx.server
        .audience
        .notify::<method::ThreadStarted>(Reach::All, &ThreadStartedNotification { thread });
    handle.send(Command::StartServers).await;
    Ok(answered)
}

pub(super) fn start_response(snapshot: Snapshot) -> ThreadStartResponse {
    let ThreadSettings { disabled_plugin_ids, cwd, approval_policy, approvals_reviewer, .. } =
        snapshot.settings;
    ThreadStartResponse {
        thread: snapshot.thread,
        model: snapshot.settings.model,
        model_provider: snapshot.settings.model_provider,
        service_tier: snapshot.settings.service_tier,
        disabled_plugin_ids,
        cwd,
        runtime_workspace_roots: snapshot.roots,
        instruction_sources: snapshot.instruction_sources,
        approval_policy,
        approvals_reviewer,
        sandbox: snapshot.settings.sandbox_policy,
        active_permission_profile: snapshot.settings.active_permission_profile,
        reasoning_effort: snapshot.settings.effort,
        multi_agent_mode: MultiAgentMode::default(),
    }
}

pub(crate) async fn resume(
    cx: Cx,
    params: ThreadResumeParams,
) -> Result<Later<ThreadResumeResponse>> {
    if let Some(history) = &params.history {
        return resume_from(&cx, &params, history).await;
    }
    if params.path.is_none() {
        check_session_id(&params.thread_id)?;
    }
    threads::check_access(&params)?;
    if let (Some(path), Some(running)) = (&params.path, cx.server.threads.get(&params.thread_id)) {
        refuse_stale_path(&cx, path, &running.snapshot().await?)?;
    }
    match cx.server.threads.get(&params.thread_id) {
        Some(handle) => follow(&cx, &params, &handle, Joined::Running).await,
        None => {
            let (handle, turns) = cx.server.threads.resume(&params).await?;
            let answered = follow(&cx, &params, &handle, Joined::Loaded(turns)).await;
            if answered.is_err() {
                unload::when_idle(&cx.server, handle.id);
            }
            answered
        }
    }
}

/// Subscribes the client to a thread, answers, and brings the client up to date.
async fn follow(
    cx: &Cx,
    params: &ThreadResumeParams,
    handle: &ThreadHandle,
    joined: Joined,
) -> Result<Later<ThreadResumeResponse>> {
    let found = handle.snapshot().await?;
    if !found.materialized {
        let refusal = format!("no rollout found for thread id {}", handle.id);
        return Err(Error::invalid_request(refusal));
    }
    let is_new = !matches!(joined, Joined::Running);
    if !params.exclude_turns && found.thread.history_mode == ThreadHistoryMode::Paginated {
        notice_whole_history(cx, "thread/resume");
    }
    if is_new {
        tell_status(&cx.server, &handle.id, ThreadStatus::Idle);
    }
    // Before the thread is looked at: what happens from now on may be told twice, but never not at all.
    cx.server.audience.subscribe(&handle.id, cx.connection.id);
    let snapshot = handle.snapshot().await?;
    let paginated = snapshot.thread.history_mode == ThreadHistoryMode::Paginated;
    let turns = match joined {
        Joined::Loaded(turns) => turns,
        Joined::Running if params.exclude_turns && paginated => Vec::new(),
        Joined::Running => cx.server.threads.turns(&handle.id, snapshot.running.clone()).await?,
    };
    let first_pages = match paginated {
        true => FirstPages::read(cx, params, &snapshot).await?,
        false => FirstPages::of_legacy(params, &turns)?,
    };
    let usage = snapshot.last_usage.clone();
    let goal = snapshot.goals_enabled.then(|| snapshot.goal.clone());
    let collaboration_mode = Some(snapshot.settings.collaboration_mode.clone());
    let mut response = start_response(snapshot);
    cx.server.threads.adorn(std::slice::from_mut(&mut response.thread)).await?;
    if !params.exclude_turns {
        response.thread.turns = turns;
    }
    let answered = cx.answer(&ThreadResumeResponse {
        thread: response.thread,
        model: response.model,
        model_provider: response.model_provider,
        service_tier: response.service_tier,
        disabled_plugin_ids: response.disabled_plugin_ids,
        cwd: response.cwd,
        runtime_workspace_roots: response.runtime_workspace_roots,
        instruction_sources: response.instruction_sources,
        approval_policy: response.approval_policy,
        approvals_reviewer: response.approvals_reviewer,
        sandbox: response.sandbox,
        active_permission_profile: response.active_permission_profile,
        reasoning_effort: response.reasoning_effort,
        multi_agent_mode: response.multi_agent_mode,
        collaboration_mode,
        initial_turns_page: first_pages.initial,
        items_backwards_cursor: first_pages.newest.items,
        turns_backwards_cursor: first_pages.newest.turns,
    });
    handle.send(Command::StartServers).await;
    if let Some(usage) = usage.filter(|_| is_new || !params.exclude_turns) {
        tell_usage(cx, &handle.id, usage);
    }
    if let Some(goal) = goal {
        tell_goal(&cx.server, &handle.id, goal);
    }
    cx.server.asks.repeat(&handle.id, cx.connection.id, &cx.server.audience);
    handle.send(Command::Wake).await;
    Ok(answered)
}

/// What a client goes on reading a history with.
struct FirstPages {
    initial: Option<TurnsPage>,
    newest: Newest,
}

impl FirstPages {
    async fn read(cx: &Cx, params: &ThreadResumeParams, snapshot: &Snapshot) -> Result<Self> {
        let Snapshot { thread, running, .. } = snapshot;
        let (id, running, asked) =
            (thread.id.clone(), running.clone(), params.initial_turns_page.clone());
        let work = move |outline: &Outline| {
            let wanted = asked.as_ref().map(initially);
            let initial = wanted
                .map(|wanted| turns_page::read(outline, &id, &wanted, running.as_ref()))
                .transpose()?;
            Ok(Self { initial, newest: Newest::of(outline, &id) })
        };
        Ok(cx.server.threads.outline(&thread.id, thread.path.clone(), work).await?)
    }

    fn of_legacy(params: &ThreadResumeParams, turns: &[Turn]) -> Result<Self> {
        let asked = params.initial_turns_page.as_ref();
        let initial =
            asked.map(|asked| turns_page::page(turns.to_vec(), &initially(asked))).transpose()?;
        Ok(Self { initial, newest: Newest::of_legacy(turns) })
    }
}

fn initially(asked: &ThreadResumeInitialTurnsPageParams) -> Wanted<'static> {
    let ThreadResumeInitialTurnsPageParams { limit, sort_direction, items_view } = asked;
    Wanted { cursor: None, limit: *limit, direction: *sort_direction, view: *items_view }
}

/// Tells the client what a thread has used.
pub(super) fn tell_usage(
    cx: &Cx,
    id: &ThreadId,
    (turn_id, token_usage): (TurnId, ThreadTokenUsage),
) {
    let params =
        ThreadTokenUsageUpdatedNotification { thread_id: id.clone(), turn_id, token_usage };
    cx.server
        .audience
        .notify::<method::ThreadTokenUsageUpdated>(Reach::Only(cx.connection.id), &params);
}

/// Tells whether a thread has a goal: clients that resume one wait for one of the two answers.
pub(super) fn tell_goal(server: &Server, id: &ThreadId, goal: Option<ThreadGoal>) {
    let thread_id = id.clone();
    match goal {
        Some(goal) => {
            let params = ThreadGoalUpdatedNotification { thread_id, turn_id: None, goal };
            server.audience.notify::<method::ThreadGoalUpdated>(Reach::All, &params);
        }
        None => {
            let params = ThreadGoalClearedNotification { thread_id };
            server.audience.notify::<method::ThreadGoalCleared>(Reach::All, &params);
        }
    }
}

/// A loaded thread cannot be continued from another file than its own.
fn refuse_stale_path(cx: &Cx, path: &Path, running: &Snapshot) -> Result<()> {
    let requested = absolute(&cx.server.threads.shared.cwd, path);
    let active = running.thread.path.clone().unwrap_or_default();
    if requested == active {
        return Ok(());
    }
    Err(Error::invalid_request(format!(
        "cannot resume running thread {} with stale path: requested `{}`, active `{}`",
        running.thread.id,
        requested.display(),
        active.display()
    )))
}

/// A new thread from what a client says that its model has seen.
async fn resume_from(
    cx: &Cx,
    params: &ThreadResumeParams,
    history: &[ResponseItem],
) -> Result<Later<ThreadResumeResponse>> {
    let id = &params.thread_id;
    if cx.server.threads.get(id).is_some() {
        let refusal = format!("cannot resume thread {id} with history while it is already running");
        return Err(Error::invalid_request(refusal));
    }
    if history.is_empty() {
        return Err(Error::invalid_request("history must not be empty"));
    }
    let handle = cx.server.threads.start_from(params, history).await?;
    follow(cx, params, &handle, Joined::Loaded(Vec::new())).await
}

enum Joined {
    /// The thread was loaded before.
    Running,
    /// It has just been loaded, with these turns.
    Loaded(Vec<Turn>),
}

/// Whole histories have no bound; pages have.
pub(super) fn notice_whole_history(cx: &Cx, method: &str) {
    let notice = DeprecationNoticeNotification {
        summary: format!("{method} sends the whole history of the thread"),
        details: Some(
            "Leave the turns out, and read them page by page with thread/turns/list.".to_owned(),
        ),
    };
    cx.server.audience.notify::<method::DeprecationNotice>(Reach::Only(cx.connection.id), &notice);
}

pub(crate) async fn read(cx: Cx, params: ThreadReadParams) -> Result<ThreadReadResponse> {
    let id = &params.thread_id;
    check_thread_id(id)?;
    let Some(Known { mut thread, running, materialized }) = find(&cx, id).await? else {
        return Err(Error::invalid_request(format!("thread not loaded: {id}")));
    };
    if params.include_turns {
        if thread.ephemeral {
            return Err(Error::invalid_request("ephemeral threads do not support includeTurns"));
        }
        if thread.history_mode == ThreadHistoryMode::Paginated {
            notice_whole_history(&cx, "thread/read");
        } else if !materialized {
            return Err(Error::invalid_request(format!(
                "thread {id} is not materialized yet; includeTurns is unavailable before first user message"
            )));
        }
        if materialized {
            thread.turns = cx.server.threads.turns(id, running).await?;
        }
    }
    let read_state = match materialized {
        true => read_state::of(&cx, std::slice::from_ref(&thread)).await?.into_values().next(),
        false => None,
    };
    Ok(ThreadReadResponse { thread, read_state })
}

/// A thread as it is known.
pub(super) struct Known {
    pub(super) thread: Thread,
    /// The turn that runs.
    pub(super) running: Option<TurnId>,
    /// Whether it has a file.
    pub(super) materialized: bool,
}

/// A thread from memory, or from disk; `None` when there is no such thread.
pub(super) async fn find(cx: &Cx, id: &ThreadId) -> Result<Option<Known>> {
    let mut known = match cx.server.threads.get(id) {
        Some(handle) => {
            let Snapshot { thread, running, materialized, .. } = handle.snapshot().await?;
            Known { thread, running, materialized }
        }
        None => match cx.server.threads.summary(id).await? {
            Some(summary) => {
                Known { thread: stored_thread(&summary), running: None, materialized: true }
            }
            None => return Ok(None),
        },
    };
    cx.server.threads.adorn(std::slice::from_mut(&mut known.thread)).await?;
    Ok(Some(known))
}

pub(crate) async fn set_name(
    cx: Cx,
    params: ThreadSetNameParams,
) -> Result<Later<ThreadSetNameResponse>> {
    let ThreadSetNameParams { thread_id, name } = params;
    check_thread_id(&thread_id)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::invalid_request("thread name must not be empty"));
    }
    match cx.server.threads.get(&thread_id) {
        Some(handle) => handle.rename(name.to_owned()).await?,
        None => cx.server.threads.rename_stored(&thread_id, name).await?,
    }
    let answered = cx.answer(&ThreadSetNameResponse {});
    let params = ThreadNameUpdatedNotification { thread_id, thread_name: Some(name.to_owned()) };
    cx.server.audience.notify::<method::ThreadNameUpdated>(Reach::All, &params);
    Ok(answered)
}

pub(crate) async fn unsubscribe(
    cx: Cx,
    params: ThreadUnsubscribeParams,
) -> Result<ThreadUnsubscribeResponse> {
    let id = params.thread_id;
    check_thread_id(&id)?;
    if cx.server.threads.get(&id).is_none() {
        return Ok(ThreadUnsubscribeResponse { status: ThreadUnsubscribeStatus::NotLoaded });
    }
    let status = match cx.server.audience.unsubscribe(&id, cx.connection.id) {
        true => ThreadUnsubscribeStatus::Unsubscribed,
        false => ThreadUnsubscribeStatus::NotSubscribed,
    };
    if status == ThreadUnsubscribeStatus::Unsubscribed {
        unload::when_idle(&cx.server, id);
    }
    Ok(ThreadUnsubscribeResponse { status })
}

pub(crate) fn tell_status(server: &Server, id: &ThreadId, status: ThreadStatus) {
    let params = ThreadStatusChangedNotification { thread_id: id.clone(), status };
    server.audience.notify::<method::ThreadStatusChanged>(Reach::All, &params);
}
