//! The queues of threads. They are on disk, for loaded threads, too: a change is made there, and then the thread is
//! told to look. A thread that is not loaded stays so.

use super::page::page_size;
use crate::protocol::{
    ThreadId, ThreadQueueAddParams, ThreadQueueAddResponse, ThreadQueueChangedNotification,
    ThreadQueueDeleteParams, ThreadQueueDeleteResponse, ThreadQueueListParams,
    ThreadQueueListResponse, ThreadQueueReorderParams, ThreadQueueReorderResponse,
    ThreadQueueStartParams, ThreadQueueStartResponse, ThreadQueueUpdateParams,
    ThreadQueueUpdateResponse, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_thread_id};
use crate::server::error::{Error, Result};
use crate::store;
use crate::thread::{self, Command, ThreadHandle, queue};

pub(crate) async fn add(
    cx: Cx,
    params: ThreadQueueAddParams,
) -> Result<Later<ThreadQueueAddResponse>> {
    let id = params.thread_id.clone();
    let thread = find(&cx, &id).await?;
    if let Some(thread) = &thread {
        thread::check_direct_input(&thread.snapshot().await?.thread)?;
    }
    let added = cx.server.threads.change_queue(&id, |queue| queue::add(queue, params)).await?;
    let answered = cx.answer(&ThreadQueueAddResponse { queued_submission: added });
    tell_change(&cx, id);
    if let Some(thread) = thread {
        thread.send(Command::Wake).await;
    }
    Ok(answered)
}

pub(crate) async fn list(cx: Cx, params: ThreadQueueListParams) -> Result<ThreadQueueListResponse> {
    let id = &params.thread_id;
    find(&cx, id).await?;
    let start = match &params.cursor {
        Some(cursor) => cursor.parse::<usize>().map_err(|error| {
            Error::invalid_request(format!("invalid queue pagination cursor: {error}"))
        })?,
        None => 0,
    };
    let limit = page_size(params.limit);
    let waiting = cx.server.threads.queued(id).await?;
    let end = start.saturating_add(limit);
    let next_cursor = (end < waiting.len()).then(|| end.to_string());
    let data = waiting.into_iter().skip(start).take(limit).collect();
    Ok(ThreadQueueListResponse { data, next_cursor })
}

pub(crate) async fn update(
    cx: Cx,
    params: ThreadQueueUpdateParams,
) -> Result<Later<ThreadQueueUpdateResponse>> {
    let id = params.thread_id.clone();
    find(&cx, &id).await?;
    let updated = cx.server.threads.change_queue(&id, |queue| queue::update(queue, params)).await?;
    let answered = cx.answer(&ThreadQueueUpdateResponse { queued_submission: updated });
    tell_change(&cx, id);
    Ok(answered)
}

pub(crate) async fn delete(
    cx: Cx,
    params: ThreadQueueDeleteParams,
) -> Result<Later<ThreadQueueDeleteResponse>> {
    let ThreadQueueDeleteParams { thread_id, queued_submission_id } = params;
    find(&cx, &thread_id).await?;
    let remove = move |queue: &mut Vec<_>| Ok(queue::remove(queue, &queued_submission_id));
    let deleted = cx.server.threads.change_queue(&thread_id, remove).await?;
    let answered = cx.answer(&ThreadQueueDeleteResponse { deleted });
    if deleted {
        tell_change(&cx, thread_id);
    }
    Ok(answered)
}

pub(crate) async fn reorder(
    cx: Cx,
    params: ThreadQueueReorderParams,
) -> Result<Later<ThreadQueueReorderResponse>> {
    let ThreadQueueReorderParams { thread_id, queued_submission_ids } = params;
    find(&cx, &thread_id).await?;
    let order = move |queue: &mut Vec<_>| queue::reorder(queue, &queued_submission_ids);
    cx.server.threads.change_queue(&thread_id, order).await?;
    let answered = cx.answer(&ThreadQueueReorderResponse {});
    tell_change(&cx, thread_id);
    Ok(answered)
}

pub(crate) async fn start(
    cx: Cx,
    params: ThreadQueueStartParams,
) -> Result<Later<ThreadQueueStartResponse>> {
    let Some(thread) = find(&cx, &params.thread_id).await? else {
        let refusal = "resume the thread before starting a queued message";
        return Err(Error::invalid_request(refusal));
    };
    let id = params.queued_submission_id;
    thread.send(Command::StartQueued { id, reply: cx.reply() }).await;
    Ok(Later::by_thread())
}

/// The thread, if it is loaded. Refuses one that can have no queue.
async fn find(cx: &Cx, id: &ThreadId) -> Result<Option<ThreadHandle>> {
    check_thread_id(id)?;
    if let Some(thread) = cx.server.threads.get(id) {
        if thread.snapshot().await?.thread.ephemeral {
            let refusal = format!("ephemeral thread does not support queued submissions: {id}");
            return Err(Error::invalid_request(refusal));
        }
        return Ok(Some(thread));
    }
    match cx.server.threads.check_active(id).await {
        Ok(()) => Ok(None),
        Err(error @ thread::Error::Store(store::Error::NotFound(_))) => Err(Error::internal(
            format!("failed to read thread: invalid thread-store request: {error}"),
        )),
        Err(error) => Err(error.into()),
    }
}

fn tell_change(cx: &Cx, thread_id: ThreadId) {
    let params = ThreadQueueChangedNotification { thread_id };
    let reach = Reach::Subscribers(&params.thread_id);
    cx.server.audience.notify::<method::ThreadQueueChanged>(reach, &params);
}
