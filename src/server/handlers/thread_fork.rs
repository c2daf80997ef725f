//! Histories taken over from other threads, cut short, and added to by clients.

use serde::Deserialize as _;
use serde_json::Value;

use super::read_state::tell_read_state;
use super::thread::{notice_whole_history, start_response, tell_goal, tell_status, tell_usage};
use super::turns_page::Newest;
use crate::protocol::{
    ResponseItem, ThreadForkParams, ThreadForkResponse, ThreadHistoryMode, ThreadId,
    ThreadInjectItemsParams, ThreadInjectItemsResponse, ThreadRevertParams, ThreadRevertResponse,
    ThreadRevertedNotification, ThreadStartedNotification, ThreadStatus, TurnId, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_session_id};
use crate::server::error::{Error, Result};
use crate::server::unload;
use crate::thread::{self, Command, Snapshot};
use crate::threads::no_turn;
use crate::util::json::raw;

pub(crate) async fn fork(cx: Cx, params: ThreadForkParams) -> Result<Later<ThreadForkResponse>> {
    if params.path.is_none() {
        check_session_id(&params.thread_id)?;
    }
    let (handle, turns) = cx.server.threads.fork(&params).await?;
    cx.server.audience.subscribe(&handle.id, cx.connection.id);
    let snapshot = handle.snapshot().await?;
    let (usage, goal) = (snapshot.last_usage.clone(), snapshot.goal.clone());
    let mut response = start_response(snapshot);
    cx.server.threads.adorn(std::slice::from_mut(&mut response.thread)).await?;
    let thread = response.thread.clone();
    if !params.exclude_turns {
        if thread.history_mode == ThreadHistoryMode::Paginated {
            notice_whole_history(&cx, "thread/fork");
        }
        response.thread.turns = turns;
    }
    let answered = cx.answer(&ThreadForkResponse {
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
    });
    if let Some(usage) = usage.filter(|_| !params.exclude_turns) {
        tell_usage(&cx, &handle.id, usage);
    }
    // Of side conversations, too: who shows threads is told by the thread itself that it is one.
    let started = ThreadStartedNotification { thread };
    cx.server.audience.notify::<method::ThreadStarted>(Reach::All, &started);
    if goal.is_some() {
        tell_goal(&cx.server, &handle.id, goal);
    }
    handle.send(Command::StartServers).await;
    Ok(answered)
}

pub(crate) async fn revert(
    cx: Cx,
    params: ThreadRevertParams,
) -> Result<Later<ThreadRevertResponse>> {
    let ThreadRevertParams { thread_id: id, before_turn_id: before } = params;
    check_revert(&cx, &id, &before).await?;
    let closed = cx.server.threads.end(&id).await;
    tell_status(&cx.server, &id, ThreadStatus::NotLoaded);
    let (handle, read_state) = cx.server.threads.revert(closed?, before).await?;
    if let Some(read_state) = read_state {
        tell_read_state(&cx.server, &id, read_state);
    }
    tell_status(&cx.server, &id, ThreadStatus::Idle);
    // Its last client may have left while it was away.
    if !cx.server.audience.has_subscribers(&id) {
        unload::when_idle(&cx.server, id.clone());
    }
    let mut thread = handle.snapshot().await?.thread;
    let (of, path) = (id.clone(), thread.path.clone());
    let newest = cx.server.threads.outline(&id, path, move |outline| Ok(Newest::of(outline, &of)));
    let Newest { turns: turns_backwards_cursor, items: items_backwards_cursor } = newest.await?;
    cx.server.threads.adorn(std::slice::from_mut(&mut thread)).await?;
    let answered =
        cx.answer(&ThreadRevertResponse { thread, turns_backwards_cursor, items_backwards_cursor });
    let reverted = ThreadRevertedNotification { thread_id: id };
    cx.server.audience.notify::<method::ThreadReverted>(Reach::All, &reverted);
    handle.send(Command::StartServers).await;
    Ok(answered)
}

/// Refuses what would close the thread for nothing.
async fn check_revert(cx: &Cx, id: &ThreadId, before: &TurnId) -> Result<()> {
    let Snapshot { thread, materialized, .. } = cx.thread(id)?.snapshot().await?;
    thread::check_direct_input(&thread)?;
    if thread.ephemeral {
        return Err(Error::invalid_request("ephemeral threads do not support thread/revert"));
    }
    if thread.history_mode != ThreadHistoryMode::Paginated {
        return Err(Error::invalid_request("thread/revert only supports paginated threads"));
    }
    if !materialized {
        return Err(no_turn(before).into());
    }
    let before = before.clone();
    let known = cx.server.threads.outline(id, thread.path, move |outline| {
        outline.turn(&before).map(drop).ok_or_else(|| no_turn(&before))
    });
    Ok(known.await?)
}

pub(crate) async fn inject(
    cx: Cx,
    params: ThreadInjectItemsParams,
) -> Result<ThreadInjectItemsResponse> {
    let thread = cx.thread(&params.thread_id)?;
    if params.items.is_empty() {
        return Err(Error::invalid_request("items must not be empty"));
    }
    let mut items = Vec::with_capacity(params.items.len());
    for (index, item) in params.items.iter().enumerate() {
        let known = ResponseItem::deserialize(item).map_err(|error| {
            Error::invalid_request(format!("items[{index}] is not a valid response item: {error}"))
        })?;
        if has_remote_image(item) {
            return Err(Error::invalid_request(
                "remote image URLs are not supported; use an inline data URL instead",
            ));
        }
        // What nobody knows yet, no model would understand.
        if known != ResponseItem::Other {
            items.push(raw(item));
        }
    }
    if !items.is_empty() {
        thread.inject(items).await?;
    }
    Ok(ThreadInjectItemsResponse {})
}

/// Whether anything in the item is a picture that the provider would have to fetch.
fn has_remote_image(item: &Value) -> bool {
    let is_remote = |url: &str| {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        scheme.is_some_and(|scheme| scheme == "http" || scheme == "https")
    };
    match item {
        Value::Object(members) => {
            members.get("image_url").and_then(Value::as_str).is_some_and(is_remote)
                || members.values().any(has_remote_image)
        }
        Value::Array(parts) => parts.iter().any(has_remote_image),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
